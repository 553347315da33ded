"""Settings: read once, frozen, refused when wrong; secrets never short, never open, never printed."""

import multiprocessing
import re
import stat
from pathlib import Path

import pytest

from service.settings import DEMO_DAY, NotReady, Settings, hand_on, kept_secret, read_settings


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = read_settings(home=tmp_path, secret=None).secret_key
    assert read_settings(home=tmp_path, secret=None).secret_key == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_processes_starting_together_agree_on_the_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        secrets = pool.map(kept_secret, [tmp_path / "secret"] * 16, chunksize=1)
    assert len(set(secrets)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_short_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINDENG_SECRET", "too short")
    with pytest.raises(NotReady, match="XINDENG_SECRET"):
        read_settings(home=tmp_path)


def test_a_secret_file_that_others_read_is_refused(tmp_path: Path) -> None:
    kept_secret(tmp_path / "secret")
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(NotReady, match="chmod 600"):
        kept_secret(tmp_path / "secret")


def test_settings_come_from_the_environment_and_cannot_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINDENG_HOME", str(tmp_path / "here"))
    monkeypatch.setenv("XINDENG_PORT", "9001")
    found = read_settings()
    assert (found.home, found.port) == (tmp_path / "here", 9001)
    with pytest.raises(ValueError, match="frozen"):
        found.port = 1


def test_a_wrong_setting_is_named_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINDENG_PORT", "80000")
    with pytest.raises(NotReady) as refusal:
        read_settings()
    assert "XINDENG_PORT" in refusal.value.said("zh_Hans_CN")
    assert "XINDENG_PORT" in refusal.value.said("en")


def test_links_lead_to_the_port_it_listens_on_unless_told_otherwise(tmp_path: Path) -> None:
    assert str(read_settings(home=tmp_path, port=8123).public_url) == "http://127.0.0.1:8123/"
    told = read_settings(home=tmp_path, port=8123, public_url="https://xindeng.example")
    assert str(told.public_url) == "https://xindeng.example/"


def test_only_the_demo_has_a_day_of_its_own(tmp_path: Path) -> None:
    assert read_settings(home=tmp_path).demo_on is None
    assert read_settings(home=tmp_path, demo=True).demo_on == DEMO_DAY
    with pytest.raises(NotReady, match="demo"):
        read_settings(home=tmp_path, demo_on=DEMO_DAY)


def test_secrets_do_not_show_in_what_is_printed(tmp_path: Path) -> None:
    found = read_settings(home=tmp_path, secret="x" * 40, database_url="postgresql://me:hush@nowhere/db")
    assert "hush" not in repr(found)
    assert "xxxx" not in repr(found)


def test_what_was_given_by_hand_reaches_the_processes_we_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DEMO", "DEMO_ON", "PORT", "SECRET"):
        monkeypatch.setenv(f"XINDENG_{name}", "")  # so that monkeypatch clears up after us
    given = read_settings(home=tmp_path, demo=True, port=9002, secret="y" * 40)
    hand_on(given)
    there = read_settings()
    assert (there.home, there.demo, there.demo_on, there.port) == (tmp_path, True, DEMO_DAY, 9002)
    assert there.secret_key == "y" * 40


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotReady, match="XINDENG_HOME"):
        read_settings(home=tmp_path / "file" / "home").make_home()


def test_every_setting_is_written_down_for_the_operator() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "running.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| XINDENG_(\w+) \|", page, re.MULTILINE))
    assert written == {name.upper() for name in Settings.model_fields}
