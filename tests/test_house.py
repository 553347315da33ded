"""The promises of the house, each a test: where a rule has no teeth, it leaks."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("matching", "risk", "service", "web")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "handler", "processor", "misc"}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def lines_with(pattern: str, *folders: str, but: tuple[str, ...] = ()) -> list[str]:
    found = []
    for path in sources(*folders):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(but):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(pattern, line.split("  #")[0]):
                found.append(f"{name}:{number}: {line.strip()}")
    return found


def test_the_floors_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_store_speaks_sql_and_only_the_database_module_commits() -> None:
    assert lines_with(r"\.commit\(", *FLOORS, but=("service/store/",)) == []
    assert lines_with(r"\.exec\(|\btext\(|(?<!np\.)\bselect\(", "service", "web", but=("service/store/",)) == []
    assert lines_with(r"session\.begin\(|\.commit\(", "service/store", but=("service/store/database.py",)) == []


def test_only_settings_read_the_environment_and_only_the_clock_reads_the_time() -> None:
    assert lines_with(r"os\.environ|getenv\(", *FLOORS, but=("service/settings.py",)) == []
    assert lines_with(r"date\.today\(|datetime\.(now|today|utcnow)\(", *FLOORS, but=("service/clock.py",)) == []


def test_nothing_is_left_for_later() -> None:
    assert (
        lines_with(
            r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError",
            *FLOORS,
            "tests",
            "bench",
            but=("tests/test_house.py",),
        )
        == []
    )


def test_no_model_or_message_is_ever_unpickled() -> None:
    assert (
        lines_with(r"\bimport (pickle|dill|joblib|cloudpickle|shelve|marshal)\b|\bfrom (pickle|joblib|dill)\b", *FLOORS)
        == []
    )


def test_files_say_what_they_answer() -> None:
    offenders = [path for path in sources(*FLOORS) if path.stem in FORBIDDEN_NAMES]
    assert offenders == []


def test_every_module_says_in_its_first_line_what_one_finds_there() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in sources(*FLOORS)
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_test_folder_shadows_a_floor() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_money_never_becomes_a_float() -> None:
    assert lines_with(r"float\([^)]*(_fen|yuan|amount)\b", "service", "web", "matching") == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readmes_walk_and_tree_name_only_files_that_exist(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:web|service|matching|risk|tests|bench|docs)/[\w./-]+)`", page))
    pictures = set(re.findall(r"\]\((docs/[\w./-]+)\)", page))
    assert len(named) >= 7
    assert [path for path in sorted(named | pictures) if not (ROOT / path).exists()] == []


def test_the_lock_holds_exact_versions_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    wanted = [line for line in lock.splitlines() if line and not line.startswith("#")]
    assert wanted
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[\w.+!-]+( ;.*)?", line) for line in wanted), wanted
    assert "://" not in lock
