"""A long list to take away: who asked for which rows, how far its workbook is, and until when it is kept."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, instant, one_of, points_to
from service.domain.people import Who

MOST_AT_ONCE = 2_000
"""Rows that are made while one waits; more become a job. Nothing is ever cut off."""
KEPT = timedelta(days=7)
MOST_TRIES = 3
LONGEST_QUERY = 500


class ExportKind(StrEnum):
    PUSH_LINES = "push_lines"
    DEMANDS = "demands"
    FOLLOW_UPS = "follow_ups"
    EVENTS = "events"
    TRAIL = "trail"


class ExportState(StrEnum):
    """EXPIRED: it was done, and its file is gone."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNDER_WAY = frozenset({ExportState.WAITING, ExportState.RUNNING})


@dataclass(frozen=True)
class Wish:
    """Which rows: the kind, the page's own query ('only=open&light=red'), and the language of the words."""

    kind: ExportKind
    query: str
    language: str

    def hash_for(self, who: Who) -> str:
        """The same wish of the same person in the same role is one export while it is under way."""
        said = (who.role.value, who.bank_id, who.district, self.kind.value, self.query, self.language)
        return hashlib.sha256(repr(said).encode()).hexdigest()


class Export(SQLModel, table=True):
    """One workbook. Only its maker, in the role it was made in, sees it; it is read with the maker's eyes."""

    __table_args__ = (
        one_of("kind", ExportKind, "export"),
        one_of("state", ExportState, "export"),
        CheckConstraint("done BETWEEN 0 AND total", name="export_done_of_total"),
        CheckConstraint("(state = 'done') <= (expires_on IS NOT NULL)", name="export_done_expires"),
        Index(
            "export_one_under_way",
            "person_id",
            "wish_hash",
            unique=True,
            postgresql_where="state IN ('waiting', 'running')",
        ),
        Index("export_of", "person_id", "id"),
    )
    id: int | None = identity()
    kind: str = coded()
    query: str = Field(default="", max_length=LONGEST_QUERY)
    wish_hash: str = Field(max_length=64)
    language: str = Field(max_length=12)
    person_id: int = points_to("person.id", index=False)
    role: str = coded()
    bank_id: int | None = points_to("bank.id", nullable=True, index=False)
    district: str | None = Field(default=None, max_length=6)
    asked_on: date
    asked_at: datetime = instant()
    state: str = coded(default=ExportState.WAITING)
    done: int = 0
    """Rows written so far."""
    total: int
    tries: int = 0
    cancel_asked: bool = False
    message: str = Field(default="", max_length=500)
    started_at: datetime | None = instant(nullable=True)
    """Of the present try."""
    ended_at: datetime | None = instant(nullable=True)
    expires_on: date | None = None
    """The last day it can be downloaded."""
    size: int | None = None
    """Bytes."""
