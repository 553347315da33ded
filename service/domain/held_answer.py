"""An answer an officer has confirmed and may still take back: it counts from then, and is given a little later."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, identity, instant, one_of, points_to, words
from service.domain.push_list import AnswerKind


class HeldState(StrEnum):
    """HELD until it is GIVEN, UNDONE by someone of the bank, or NOT_TAKEN: the line would not have it any more."""

    HELD = "held"
    GIVEN = "given"
    UNDONE = "undone"
    NOT_TAKEN = "not_taken"


class HeldAnswer(SQLModel, table=True):
    """One line of a batch. A line waits in one batch at a time; a batch sent twice is there once."""

    __tablename__ = "held_answer"
    __table_args__ = (
        one_of("kind", AnswerKind, "held_answer"),
        one_of("state", HeldState, "held_answer"),
        CheckConstraint("(state = 'held') = (ended_at IS NULL)", name="held_answer_ends_once"),
        CheckConstraint("(state = 'given') = (answer_id IS NOT NULL)", name="held_answer_given"),
        UniqueConstraint("batch", "line_id", name="held_answer_once"),
        Index("held_answer_one_a_line", "line_id", unique=True, postgresql_where="state = 'held'"),
        Index("held_answer_due", "until_at", postgresql_where="state = 'held'"),
        Index("held_answer_of_bank", "bank_id", "ended_at"),
    )
    id: int | None = identity()
    batch: str = Field(max_length=32)
    """Made with the page that asks for the confirmation: what makes a second click the same one."""
    line_id: int = points_to("push_line.id", index=False)
    bank_id: int = points_to("bank.id", index=False)
    kind: str = coded()
    reasons: list[str] = words()
    text: str = Field(default="", max_length=500)
    held_by: int | None = None
    held_role: str = coded()
    held_on: date
    held_at: datetime = instant()
    until_at: datetime = instant()
    """Until then it can be undone; from then on it is given at the next occasion."""
    state: str = coded(default=HeldState.HELD)
    ended_at: datetime | None = instant(nullable=True)
    ended_by: int | None = None
    """Who undid it."""
    answer_id: int | None = points_to("answer.id", nullable=True, index=False)
    refusal: dict[str, Any] | None = document(nullable=True)
    """Why it was not taken: the message and its values."""
