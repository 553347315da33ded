"""The targets of several areas at once, as one workbook brings them: each area taken or refused on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session

from service.actions.set_targets import set_targets
from service.domain.errors import DomainError
from service.domain.people import Who
from service.domain.target import TargetKind


@dataclass(frozen=True)
class AreaTargets:
    """What is wanted of an area. `stood`: how its targets stood for the writer (domain.target.stands)."""

    district: str
    stood: str
    wanted: Mapping[TargetKind, Decimal | None]


@dataclass(frozen=True)
class AreaSet:
    """What became of one area: so many targets changed, none because it stood so already, or refused."""

    district: str
    changed: int = 0
    error: DomainError | None = None

    @property
    def is_repeat(self) -> bool:
        return self.error is None and self.changed == 0


def set_together(
    tx: Session, who: Who, year: int, areas: Sequence[AreaTargets], today: date, now: datetime
) -> list[AreaSet]:
    """Set each area's targets of the year; what a colleague changed since the writer looked is not overwritten."""
    done = []
    for one in areas:
        try:
            with tx.begin_nested():
                changed = set_targets(tx, who, year, one.district, one.wanted, today, now, stood=one.stood)
            done.append(AreaSet(one.district, changed))
        except DomainError as refusal:
            done.append(AreaSet(one.district, error=refusal))
    return done


def try_together(
    tx: Session, who: Who, year: int, areas: Sequence[AreaTargets], today: date, now: datetime
) -> list[AreaSet]:
    """What would become of them: the real act behind a savepoint that is taken back."""
    attempt = tx.begin_nested()
    try:
        return set_together(tx, who, year, areas, today, now)
    finally:
        attempt.rollback()
