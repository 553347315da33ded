"""`xindeng doctor`: says what is there, what is missing, and fails only for what is needed."""

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from service import cli, doctor
from service.doctor import Finding, State, examine, table_of
from service.settings import Settings, read_settings
from service.store.server import ServerAddress


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.thing: finding for finding in findings}


@pytest.mark.database
def test_everything_needed_is_found_here(settings: Settings, server: ServerAddress) -> None:
    found = by_name(examine(settings))
    assert [finding.thing for finding in found.values() if finding.is_failure] == []
    assert "xindeng_owner, xindeng_web, xindeng_cycle" in found["PostgreSQL ≥ 15"].found
    assert found["PostgreSQL ≥ 15"].found.startswith(server.kind)


def test_a_database_that_is_away_is_a_failure_with_advice(tmp_path: Path) -> None:
    away = read_settings(home=tmp_path, database_url="postgresql://nobody:hush@127.0.0.1:1/none", secret="s" * 40)
    finding = by_name(examine(away))["PostgreSQL ≥ 15"]
    assert finding.is_failure
    assert "cannot be reached" in finding.advice_en
    assert "连接不上" in finding.advice_zh
    assert "hush" not in str(finding)


def test_a_missing_redis_is_said_and_is_no_failure(tmp_path: Path, settings: Settings) -> None:
    given = settings.model_copy(update={"home": tmp_path})
    assert doctor.redis_finding(given).state is State.WITHOUT
    away = read_settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0")
    assert doctor.redis_finding(away).state is State.WITHOUT
    assert "optional" in doctor.redis_finding(away).advice_en.lower()


def test_missing_fonts_and_browser_are_no_failures(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    for look in (doctor._fonts, doctor._browser):
        finding = look(settings)
        assert finding.state is State.WITHOUT
        assert "apt-get install" in finding.advice_zh


def test_a_missing_libgomp_is_a_failure(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    def refuse(_name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "import_module", refuse)
    assert doctor._lightgbm(settings).is_failure
    assert doctor._documents(settings).state is State.WITHOUT, "PDF is optional"


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_the_table_says_state_in_words_and_what_to_do(language: str) -> None:
    findings = [
        Finding("Redis", State.WITHOUT, "not set", "可选。", "Optional."),
        Finding("X", State.BAD, "", "修", "Fix"),
    ]
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(table_of(findings, language))
    words = capture.get()
    assert ("可选。" in words, "缺" in words) == ((True, True) if language == "zh_Hans_CN" else (False, False))
    assert ("Optional." in words, "missing" in words) == ((False, False) if language == "zh_Hans_CN" else (True, True))


def test_the_command_answers_json_and_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _settings: [Finding("X", State.BAD, "gone", "修", "Fix it")])
    answer = CliRunner().invoke(cli.app, ["doctor", "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.output)[0] == {
        "thing": "X",
        "state": "bad",
        "found": "gone",
        "advice_zh": "修",
        "advice_en": "Fix it",
    }
