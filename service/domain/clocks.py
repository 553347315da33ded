"""The clocks of a demand's way: how long each step may take, in which unit, since when; read from `clocks.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import yaml

from service.domain.standards.calendar import Calendar

STEPS = (
    "contact",
    "decision",
    "papers",
    "extension",
    "grant",
    "correction",
    "reminder",
    "proposal",
    "plan",
    "repair",
)
MOST_OPEN_LINES = 3
"""At most three open lines per demand at a time (DOMAIN 4)."""


@dataclass(frozen=True)
class Term:
    """A length with its unit: working_days or calendar_days."""

    length: int
    unit: str

    def at_most(self, length: int | None) -> "Term":
        """The stricter of this term and a bank's own."""
        return self if length is None or length >= self.length else Term(length, self.unit)

    def after(self, start: date, calendar: Calendar) -> date | None:
        """The last day of the term that starts on `start`; None waits for the calendar to be published."""
        return start if self.length < 1 else calendar.due_on(start, self.length, self.unit)

    def days_after(self, start: date) -> date:
        """The same for a term in calendar days, which never waits."""
        assert self.unit == "calendar_days", "a term in working days needs the calendar"
        return start + timedelta(days=self.length)


@dataclass(frozen=True)
class Clocks:
    """The terms in force on one day."""

    terms: Mapping[str, Term]

    def __getitem__(self, step: str) -> Term:
        return self.terms[step]


@lru_cache(maxsize=64)
def clocks_on(day: date, path: Path | None = None) -> Clocks:
    """The clocks in force on `day`; before the first dated line the first one holds."""
    written = yaml.safe_load((path or Path(__file__).with_name("clocks.yaml")).read_text(encoding="utf-8"))
    return Clocks({step: _in_force(written[step]["from"], day) for step in STEPS})


def _in_force(dated: Mapping[date, Mapping[str, object]], day: date) -> Term:
    since = max((start for start in dated if start <= day), default=min(dated))
    return Term(int(str(dated[since]["length"])), str(dated[since]["unit"]))
