"""`xindeng rehearse`: what the command says, and its exit code: 0 where history comes out once more, else 1."""

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from matching.policy import POLICY_FILE
from service import cli
from service.actions.push_lists import push_missing
from service.domain.errors import DomainError
from service.settings import Settings
from service.settings import settings as known_settings
from service.store.database import Database
from service.store.migrate import migrate
from service.store.server import ServerAddress, serving
from tests.builders import FANG, NOW, PLATFORM, TODAY, a_demand, a_small_world, some_tools
from tests.conftest import empty

pytestmark = pytest.mark.database
STRICT = POLICY_FILE.read_bytes().replace(
    b'2024-10-15: {green: "12", yellow: "6"}', b'2024-10-15: {green: "120", yellow: "110"}'
)


@pytest.fixture
def history(settings: Settings, server: ServerAddress, monkeypatch):
    """Fang's demand, judged and pushed, in the database the commands open; empty again afterwards."""
    if server.kind != "embedded":
        pytest.skip("the commands are tried on the embedded database")
    secret = settings.secret_key  # the same one, so that the roles keep the passwords other tests know
    given = {"HOME": settings.home, "DEMO": "1", "DEMO_ON": TODAY, "SECRET": secret}
    for name, value in given.items():
        monkeypatch.setenv(f"XINDENG_{name}", str(value))
    monkeypatch.setattr(cli.screen, "width", 200)
    known_settings.cache_clear()
    with serving(settings) as address:
        migrate(address.owner_url)
        empty(address)
        opened = Database(address)
        with opened.transaction(PLATFORM) as tx:
            small = a_small_world(tx)
            tools = some_tools(tx)
            a_demand(tx, FANG, (small.bank,), tools)
            push_missing(tx, PLATFORM, TODAY, NOW, tools)
        opened.dispose()
        yield address
        empty(address)
    known_settings.cache_clear()


def rehearse(policy: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, complaints."""
    days = ("--from", "2026-06-29", "--to", str(TODAY))
    done = CliRunner().invoke(cli.app, ["rehearse", "--policy", str(policy), *days, *words])
    if isinstance(done.exception, DomainError):
        return 1, "", str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_the_policy_in_use_comes_out_to_the_byte_and_history_that_was_touched_does_not(history) -> None:
    code, said, _ = rehearse(POLICY_FILE)
    assert code == 0
    assert "口径相同" in said
    assert "Open loop" in said
    with psycopg.connect(history.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE verdict SET light = 'red'")
    code, _, _ = rehearse(POLICY_FILE)
    assert code == 1


def test_a_stricter_file_says_which_lights_turn_for_machines_too(history, tmp_path) -> None:
    strict = tmp_path / "strict.yaml"
    strict.write_bytes(STRICT)
    code, said, _ = rehearse(strict, "--json")
    found = json.loads(said)
    assert (code, found["lights"], found["left"]) == (0, [["green", "red", 1]], 1)


def test_a_file_that_is_no_policy_and_days_without_lines_are_one_sentence(history, tmp_path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nstranger: 2\n")
    assert rehearse(wrong)[0] == 1
    assert "nobody knows the part 'stranger'" in rehearse(wrong)[2]
    assert "还没有生效的口径" in rehearse(POLICY_FILE, "--lines-of", "2020-01-01")[2]
