"""`xindeng model`: list, shadow, promote, as a person at the command line meets them; refusals are one sentence."""

import json

import pytest
from typer.testing import CliRunner

from service import cli
from service.domain.errors import DomainError
from service.settings import Settings
from service.settings import settings as known_settings
from service.store.server import ServerAddress
from tests.kept_models import a_kept_model

pytestmark = pytest.mark.database


@pytest.fixture
def xindeng(settings: Settings, server: ServerAddress, monkeypatch):
    """Run a command on this test's server; its exit code (1 for a refusal) and what it said."""
    if server.kind != "embedded":
        pytest.skip("the commands are tried on the embedded database")
    secret = settings.secret_key  # the same one, so that the roles keep the passwords other tests know
    for name, value in {"HOME": settings.home, "DEMO": "1", "SECRET": secret}.items():
        monkeypatch.setenv(f"XINDENG_{name}", str(value))
    monkeypatch.setattr(cli.screen, "width", 200)
    known_settings.cache_clear()

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, list(words))
        if isinstance(done.exception, DomainError):
            return 1, str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    yield run
    known_settings.cache_clear()


def test_models_are_listed_shadowed_and_changed_by_two_persons(xindeng, settings, tmp_path) -> None:
    first, second = a_kept_model(settings, tmp_path, 0.021), a_kept_model(settings, tmp_path, 0.031)
    for login in ("otto", "oda"):
        assert (
            xindeng("user", "add", login, "--role", "operator", "--name", login, "--password", "long enough 9")[0] == 0
        )
    code, said = xindeng("model", "list", "--json")
    states = {one["version"]: one["state"] for one in json.loads(said)["models"]}
    assert (code, states[first.version]) == (0, "candidate")

    assert "理由" in xindeng("model", "promote", first.version, "--by", "otto")[1]
    assert xindeng("model", "promote", first.version, "--by", "otto", "--because", "第一个模型。")[0] == 0
    assert "第一个模型。" in xindeng("model", "list")[1]
    code, said = xindeng("model", "promote", first.version, "--by", "otto")
    assert (code, "两个人" in said) == (1, True)
    assert "In use" in xindeng("model", "promote", first.version, "--by", "oda")[1]

    code, said = xindeng("model", "shadow", second.version)
    assert (code, "Shadow" in said) == (0, True)
    assert xindeng("model", "shadow", first.version)[0] == 1
    assert xindeng("model", "shadow", second.version, "--stop")[0] == 0
    assert xindeng("model", "promote", second.version, "--by", "oda", "--because", "试用后更好。")[0] == 0
    assert xindeng("model", "promote", second.version, "--by", "otto", "--withdraw")[0] == 0
    states = {one["version"]: one["state"] for one in json.loads(xindeng("model", "list", "--json")[1])["models"]}
    assert (states[first.version], states[second.version]) == ("in_use", "candidate")
    assert xindeng("model", "promote", "nothing", "--by", "nobody")[0] == 1
