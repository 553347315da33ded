"""A policy rehearsed on history: who asked for which file and days, how far it is, what it found, whose light turns."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, identity, instant, one_of, points_to, words


class RehearsalState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY = frozenset({RehearsalState.WAITING, RehearsalState.RUNNING})


class Rehearsal(SQLModel, table=True):
    """One file over some days. The file itself is kept, so that what was found can be found again."""

    __table_args__ = (
        one_of("state", RehearsalState, "rehearsal"),
        CheckConstraint("from_on <= to_on", name="rehearsal_days_in_order"),
        Index(
            "rehearsal_one_under_way",
            "policy_hash",
            "from_on",
            "to_on",
            unique=True,
            postgresql_where="state IN ('waiting', 'running')",
        ),
    )
    id: int | None = identity()
    policy_name: str = Field(max_length=200)
    policy_version: str = Field(max_length=64)
    policy_hash: str = Field(max_length=64)
    policy_file: str
    """The file's text as it was handed in."""
    from_on: date
    to_on: date
    held_on: date | None = None
    """The day whose lines of the file hold on all days; None: each day's own."""
    asked_by: int | None = points_to("person.id", nullable=True, index=False)
    """None: the platform itself (the command line)."""
    asked_at: datetime = instant()
    state: str = coded(default=RehearsalState.WAITING)
    done: int = 0
    total: int = 0
    cancel_asked: bool = False
    message: str = Field(default="", max_length=1000)
    found: dict[str, Any] | None = document(nullable=True)
    ended_at: datetime | None = instant(nullable=True)


class RehearsedLight(SQLModel, table=True):
    """A demand whose light would have been another one by the end of the days rehearsed."""

    __tablename__ = "rehearsed_light"
    __table_args__ = (Index("rehearsed_light_of", "rehearsal_id", "old", "new", "demand_id"),)
    id: int | None = identity()
    rehearsal_id: int = points_to("rehearsal.id", index=False)
    demand_id: int = points_to("demand.id", index=False)
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    old: str = coded()
    new: str = coded()
    criteria: list[str] = words()
    """The criteria that say another light than they did."""
