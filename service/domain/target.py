"""Targets (目标): what the city wants of a year, of itself and of each district, and whether it is on the way there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Numeric, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, instant, one_of


class TargetKind(StrEnum):
    REGISTERED = "registered"
    """Firms with an account ÷ firms of the area."""
    REAL_NAMED = "real_named"
    """Firms with an account of a person whose real name was checked ÷ firms of the area."""
    DEMANDS = "demands"
    GRANTED = "granted"
    DRAWN = "drawn"
    IN_TIME = "in_time"
    """Lines contacted in time ÷ lines past their contact date."""


SHARES = frozenset({TargetKind.REGISTERED, TargetKind.REAL_NAMED, TargetKind.IN_TIME})
MONEY = frozenset({TargetKind.GRANTED, TargetKind.DRAWN})
"""In fen; what is neither a share nor money is a count."""
CITY_WIDE = ""
"""The district of a target for the whole city."""


class Target(SQLModel, table=True):
    """What a year is to bring at its end; a share that must hold all the year is asked of every day."""

    __table_args__ = (
        one_of("kind", TargetKind, "target"),
        UniqueConstraint("year", "district", "kind", name="target_once"),
    )
    id: int | None = identity()
    year: int
    district: str = Field(max_length=6)
    kind: str = coded()
    value: Decimal = Field(sa_type=Numeric(20, 4))
    set_by: int | None = None
    set_at: datetime = instant()


class CoverageDay(SQLModel, table=True):
    """How many firms an area has and how many are registered here, as the cycle last counted them that day."""

    __tablename__ = "coverage_day"
    __table_args__ = (PrimaryKeyConstraint("on", "district"),)
    on: date
    district: str = Field(max_length=6)
    firms: int
    registered: int
    real_named: int


class Standing(StrEnum):
    """How a target stands against the time of its year that has passed."""

    REACHED = "reached"
    AHEAD = "ahead"
    IN_STEP = "in_step"
    BEHIND = "behind"
    SHORT = "short"
    """A share that must hold all the year does not, or the year ended without it."""
    UNKNOWN = "unknown"


TOLERANCE = Decimal("0.02")
"""Of the way: nearer than this to where time stands is in step with it."""


@dataclass(frozen=True)
class Progress:
    """One target beside what there is. `done`: the share of the way from where the year began to the target."""

    kind: TargetKind
    target: Decimal
    value: Decimal | None
    done: Decimal | None
    elapsed: Decimal
    standing: Standing


def elapsed(year: int, on: date) -> Decimal:
    """The share of the year that has passed at the end of `on`: 0 before it, 1 after it."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = (min(max(on, first), last) - first).days + 1 if on >= first else 0
    return Decimal(days) / ((last - first).days + 1)


def progress(kind: TargetKind, target: Decimal, value: Decimal | None, began: Decimal, passed: Decimal) -> Progress:
    """How far it is. `began`: the value as the year began, 0 for what adds up; `passed`: see `elapsed`."""
    if value is None:
        return Progress(kind, target, None, None, passed, Standing.UNKNOWN)
    way = target - began
    done = (value - began) / way if way > 0 else Decimal(value >= target)
    if kind is TargetKind.IN_TIME:
        standing = Standing.REACHED if value >= target else Standing.SHORT
    else:
        standing = _standing(value >= target, done, passed)
    return Progress(kind, target, value, done, passed, standing)


def _standing(is_reached: bool, done: Decimal, passed: Decimal) -> Standing:
    if is_reached:
        return Standing.REACHED
    if passed >= 1:
        return Standing.SHORT
    if abs(done - passed) <= TOLERANCE:
        return Standing.IN_STEP
    return Standing.AHEAD if done > passed else Standing.BEHIND


def stands(values: Mapping[str, Decimal]) -> str:
    """An area's targets (kind → value) as one text: two that stand alike read alike. "demands=120,in_time=0.95"."""
    return ",".join(f"{kind}={value.normalize():f}" for kind, value in sorted(values.items()))
