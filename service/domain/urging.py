"""Urging (督办): the city asks a bank about lines it let wait; the bank says what it did; the city ends it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, identity, instant, one_of, points_to


class UrgingGround(StrEnum):
    """What a bank is urged about."""

    OVERDUE = "overdue"
    """Open lines past their date."""
    SILENT = "silent"
    """Lines that went to other banks because this one never answered."""
    LATE = "late"
    """Lines contacted after the contact date, or not yet though it has passed."""
    DISPUTED = "disputed"
    """Lines whose firm says that nobody contacted it."""


class UrgingState(StrEnum):
    SENT = "sent"
    READ = "read"
    ANSWERED = "answered"
    CLOSED = "closed"
    ESCALATED = "escalated"
    WITHDRAWN = "withdrawn"


UNANSWERED = frozenset({UrgingState.SENT, UrgingState.READ})
OPEN = UNANSWERED | {UrgingState.ANSWERED}
ENDED = frozenset(UrgingState) - OPEN
MOST_LINES = 500
"""Lines kept with an urging; how many there were in all stands in its figures."""
MOST_WORDS = 1000
MOST_DAYS = 30
"""Working days a bank may be given."""


class Urging(SQLModel, table=True):
    """One urging with the lines and figures it rests on, as they stood when it was sent."""

    __table_args__ = (
        one_of("ground", UrgingGround, "urging"),
        one_of("state", UrgingState, "urging"),
        CheckConstraint("(state IN ('closed', 'escalated', 'withdrawn')) = (ended_at IS NOT NULL)", name="urging_end"),
        CheckConstraint("state <> 'answered' OR answered_at IS NOT NULL", name="urging_answer"),
        CheckConstraint("due_on > sent_on", name="urging_due_later"),
        Index(
            "urging_one_open",
            "bank_id",
            "ground",
            unique=True,
            postgresql_where="state IN ('sent', 'read', 'answered')",
        ),
    )
    id: int | None = identity()
    bank_id: int = points_to("bank.id")
    ground: str = coded()
    state: str = coded()
    since_on: date
    until_on: date
    """The days of push its figures are of."""
    figures: dict[str, Any] = document()
    """Counts as the league showed them: lines, overdue, contact_due, in_time, silent, disputed; `about`: its lines."""
    line_ids: list[int] = Field(sa_type=cast("Any", ARRAY(BigInteger)))
    words: str = Field(max_length=MOST_WORDS)
    due_days: int
    """Working days given."""
    due_on: date
    sent_on: date
    sent_at: datetime = instant()
    sent_by: int | None = None
    read_at: datetime | None = instant(nullable=True)
    read_by: int | None = None
    answered_on: date | None = None
    answered_at: datetime | None = instant(nullable=True)
    answered_by: int | None = None
    done: str = Field(default="", max_length=MOST_WORDS)
    promised_on: date | None = None
    ended_on: date | None = None
    ended_at: datetime | None = instant(nullable=True)
    ended_by: int | None = None
    end_words: str = Field(default="", max_length=MOST_WORDS)
