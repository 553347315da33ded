"""Industries by GB/T 4754-2017: sections (A–T) and divisions (01–97), in two languages.

A code is the section's letter and two to four digits ('F52', 'F5211'); a department may leave the letter out.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Industry:
    """A section ('F') or a division ('F52')."""

    code: str
    zh: str
    en: str


_TABLE = yaml.safe_load(Path(__file__).with_name("industries.yaml").read_text("utf-8"))
SECTIONS = {letter: Industry(letter, entry["zh"], entry["en"]) for letter, entry in _TABLE.items()}
DIVISIONS = {
    letter + digits: Industry(letter + digits, zh, en)
    for letter, entry in _TABLE.items()
    for digits, (zh, en) in entry["divisions"].items()
}
_LETTER_OF = {code[1:]: code[0] for code in DIVISIONS}
_SHAPE = re.compile(r"([A-T]?)(\d{2})(\d{0,2})")


def find(text: str) -> str | None:
    """The code written in full ('5211' → 'F5211'), or None where no division has these digits under this letter."""
    match = _SHAPE.fullmatch(text.strip().upper())
    if not match:
        return None
    letter, division, rest = match.groups()
    known = _LETTER_OF.get(division)
    return None if known is None or letter not in {"", known} else known + division + rest


def division_of(code: str) -> Industry:
    """'F5211' → F52, retail."""
    return DIVISIONS[code[:3]]


def section_of(code: str) -> Industry:
    """'F5211' → F, wholesale and retail."""
    return SECTIONS[code[0]]
