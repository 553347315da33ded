"""A firm contests a record the city holds of it: what is wrong, what would be right, by when, and how it ended."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.clocks import clock
from service.domain.columns import coded, identity, instant, one_of, points_to

LONGEST_TEXT = 500
OBJECTION_UPHELD = "objection_upheld"
"""Why a firm's facts changed, why its demands were judged again and a light's history says so: one word for all."""


class Wrong(StrEnum):
    """What is wrong with a record."""

    NOT_OURS = "not_ours"
    AMOUNT = "amount"
    DATE = "date"
    SETTLED = "settled"
    EXPIRED = "expired"
    TWICE = "twice"
    OTHER = "other"


class ObjectionState(StrEnum):
    """UPHELD takes the fact out of sight; REFUSED says why and where to turn; WITHDRAWN is the firm's own word."""

    OPEN = "open"
    UPHELD = "upheld"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class NoteStep(StrEnum):
    """ASKED: put to the supplying department."""

    ASKED = "asked"
    NOTE = "note"


DECISIONS = frozenset({ObjectionState.UPHELD, ObjectionState.REFUSED})


@dataclass(frozen=True)
class Terms:
    """Within how many working days an objection is answered: at once, or where the department must check."""

    own: int
    checked: int


def terms_on(day: date) -> Terms:
    """The terms in force on a day."""
    return Terms(clock("objection", day).length, clock("objection_checked", day).length)


class Objection(SQLModel, table=True):
    """One fact (item, key) of one firm, contested; at most one objection to it is open. The fact stays in force."""

    __table_args__ = (
        one_of("wrong", Wrong, "objection"),
        one_of("state", ObjectionState, "objection"),
        CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="objection_open_or_closed"),
        CheckConstraint("(state IN ('upheld', 'refused')) = (answer <> '')", name="objection_decided_with_reasons"),
        CheckConstraint("(file_kind = '') = (sha256 = '')", name="objection_paper"),
        Index("objection_one_open", "uscc", "item", "key", unique=True, postgresql_where="state = 'open'"),
        Index("objection_waiting", "district", "due_on", postgresql_where="state = 'open'"),
        Index("objection_to_mirror", "id", postgresql_where="state = 'upheld' AND mirrored_at IS NULL"),
    )
    id: int | None = identity()
    uscc: str = Field(max_length=18, index=True)
    district: str = Field(max_length=6)
    record_id: int = points_to("record.id", index=False)
    """The version that was contested."""
    item: str = coded()
    key: str = coded()
    wrong: str = coded()
    right_is: str = Field(max_length=LONGEST_TEXT)
    """What would be right, in the firm's words."""
    file_kind: str = Field(default="", max_length=8)
    file_name: str = Field(default="", max_length=120)
    sha256: str = Field(default="", max_length=64)
    size: int = 0
    """Bytes of the paper that shows it; 0 for none."""
    raised_on: date
    raised_at: datetime = instant()
    raised_by: int | None = None
    due_on: date | None = None
    waits_for_calendar: bool = False
    asked_on: date | None = None
    """When it was put to the supplying department: its check gives the answer a longer term."""
    state: str = coded(default=ObjectionState.OPEN.value)
    answer: str = Field(default="", max_length=LONGEST_TEXT)
    decided_by: int | None = None
    closed_on: date | None = None
    closed_at: datetime | None = instant(nullable=True)
    mirrored_at: datetime | None = instant(nullable=True)
    """When the records' mirror followed: only then the fact is out of everything."""


class ObjectionNote(SQLModel, table=True):
    """What was done about an objection; working notes of the district and the operator."""

    __tablename__ = "objection_note"
    __table_args__ = (one_of("step", NoteStep, "objection_note"),)
    id: int | None = identity()
    objection_id: int = points_to("objection.id")
    district: str = Field(max_length=6)
    step: str = coded()
    note: str = Field(max_length=LONGEST_TEXT)
    written_by: int | None = None
    written_at: datetime = instant()
