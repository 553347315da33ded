"""The acceptance list: what the pages must be, C-1 to C-14, each measured now; one line for each, and JSON.

    python bench/acceptance.py [C-4 C-9 …] [--json docs/acceptance.json]

Every item is the tests of one file (`tests/web/acceptance/test_cNN_….py`) or a command of its own beside this one;
what they measured they say themselves. An item without either is told as missing. docs/acceptance.md explains them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests" / "web" / "acceptance"
ITEMS = {
    "C-1": "axe, every page and state, three widths, five ways",
    "C-2": "keyboard alone",
    "C-3": "zoom, spacing, motion, forced colours",
    "C-4": "errors of every form",
    "C-5": "without JavaScript",
    "C-6": "targets and line height",
    "C-7": "weight and first paint",
    "C-8": "steps of three tasks",
    "C-9": "Excel there and back",
    "C-10": "documents as PDF",
    "C-11": "languages",
    "C-12": "content policy",
    "C-13": "pictures",
    "C-14": "long jobs",
}
COMMANDS = {"C-10": "documents.py"}
"""Items that are measured by a command of bench/."""
BESIDE = {
    "C-2": "web/test_bank_keys.py",
    "C-5": "web/test_walk.py",
    "C-11": "web/test_locale.py",
    "C-14": "service/test_exports.py",
}
"""What else of tests/ speaks for an item."""


@dataclass
class Item:
    """One item of the list: whether it holds, and what its tests measured."""

    name: str
    holds: bool | None = None
    figures: list[str] = field(default_factory=list)

    @property
    def word(self) -> str:
        return {True: "holds", False: "FAILS", None: "missing"}[self.holds]


def files_of(name: str) -> list[Path]:
    """The tests of an item."""
    own = sorted(TESTS.glob(f"test_c{int(name[2:]):02d}_*.py"))
    beside = ROOT / "tests" / BESIDE.get(name, "none")
    return [*own, beside] if beside.exists() else own


def by_tests(name: str, files: list[Path]) -> list[Item]:
    """What the tests of an item found; a figure may belong to another item that is measured on the way."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            f"--junitxml={told}",
            *files,
        ]
        code = subprocess.run([*map(str, command)], cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode
        cases = ET.parse(told).getroot().iter("testcase") if told.exists() else []
        found = {name: Item(name, code == 0)}
        beside: list[ET.Element] = []
        for case in cases:
            if "acceptance" not in case.get("classname", "") and not list(case.iter("failure")):
                beside.append(case)
            for one in case.iter("property"):
                item = found.setdefault(one.get("name", name), Item(one.get("name", name), code == 0))
                item.figures.append(one.get("value", ""))
            found[name].figures += [f"skipped: {one.get('message')}" for one in case.iter("skipped")]
            found[name].figures += [
                f"{case.get('name')}: {one.get('message', '')[:300]}" for one in case.iter("failure")
            ]
        if beside:
            found[name].figures.append(f"{BESIDE[name]}: {len(beside)} tests pass")
    return list(found.values())


def by_command(name: str, command: Path) -> list[Item]:
    """What a command says: the rows of its tables, or else its last lines."""
    done = subprocess.run([sys.executable, str(command)], cwd=ROOT, check=False, capture_output=True, text=True)
    lines = (done.stdout or done.stderr).strip().splitlines()
    rows = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in lines if line.startswith("│")]
    told = [f"{what} {found}" + (f" (at most {most[0]})" if most and most[0] else "") for what, found, *most in rows]
    return [Item(name, done.returncode == 0, told or lines[-12:])]


def measured(name: str) -> list[Item]:
    """An item by its tests or its command."""
    if files := files_of(name):
        return by_tests(name, files)
    command = ROOT / "bench" / COMMANDS.get(name, "no command")
    return by_command(name, command) if command.exists() else [Item(name)]


def _told(found: Mapping[str, Item]) -> str:
    told = {name: asdict(one) for name, one in sorted(found.items(), key=lambda pair: int(pair[0][2:]))}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("items", nargs="*", default=[])
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    found: dict[str, Item] = {}
    screen = Console(width=160)
    for name in asked.items or ITEMS:
        for item in measured(name):
            known = found.setdefault(item.name, item)
            if known is not item:
                known.holds = item.holds if known.holds is None else known.holds and bool(item.holds)
                known.figures += item.figures
            screen.print(f"{item.name} {item.word}: {'; '.join(item.figures)}", markup=False)
        if asked.json:  # after each: whoever stops an hour's run early keeps what it found
            asked.json.write_text(_told(found), encoding="utf-8")
    table = Table("item", "what", "", "measured", title="The acceptance list", show_lines=True)
    for name in sorted(found, key=lambda name: int(name[2:])):
        table.add_row(name, ITEMS[name], found[name].word, "\n".join(found[name].figures))
    screen.print(table)
    return sum(one.holds is False for one in found.values())


if __name__ == "__main__":
    sys.exit(main())
