"""Shared public data: a feed is a department's file, a record one good row of it, quarantine keeps the others.

Feeds add up: received = valid + duplicates + quarantined.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, fen, identity, instant, one_of, points_to, words


class FeedState(StrEnum):
    """A file is taken, or it could not be read as a whole and `failure` says why."""

    TAKEN = "taken"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a row waits in quarantine."""

    MISSING_REQUIRED = "missing_required"
    BAD_TYPE = "bad_type"
    BAD_DATE = "bad_date"
    FUTURE_DATE = "future_date"
    BAD_AMOUNT = "bad_amount"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_CHOICE = "unknown_choice"
    BAD_USCC_FORMAT = "bad_uscc_format"
    TOO_LONG = "too_long"
    WRONG_COLUMN_COUNT = "wrong_column_count"
    DUPLICATE_IN_FILE = "duplicate_in_file"


class Feed(SQLModel, table=True):
    """One file of one item, with what became of its rows. The same bytes of the same item are taken once."""

    __table_args__ = (
        one_of("state", FeedState, "feed"),
        CheckConstraint("received = valid + duplicates + quarantined", name="feed_adds_up"),
        CheckConstraint("corrected <= valid AND wrong_codes <= valid AND unregistered <= valid", name="feed_parts"),
        CheckConstraint("on_time + late <= valid", name="feed_times"),
        Index("feed_taken_once", "item", "sha256", unique=True, postgresql_where="state = 'taken'"),
        Index("feed_by_day", "received_on"),
    )
    id: int | None = identity()
    item: str = coded()
    department: str = coded()
    file_name: str = Field(max_length=255)
    sha256: str = Field(max_length=64)
    size: int = Field(sa_type=BigInteger)
    encoding: str = ""
    header: list[str] | None = words(nullable=True)
    """The columns as the file named them, for the error file that goes back."""
    catalogue_version: str
    received_on: date
    known_from: date | None = None
    """The earliest known_on among its valid rows: earlier than received_on only in a file of history."""
    is_history: bool = False
    taken_at: datetime = instant()
    taken_by: str = ""
    state: str = coded(default=FeedState.TAKEN.value)
    failure: str = ""
    """The sentence for people, a gettext id; `failure_values` fills its places."""
    failure_values: dict[str, Any] | None = document(nullable=True)
    received: int = 0
    valid: int = 0
    duplicates: int = 0
    quarantined: int = 0
    corrected: int = 0
    """Valid rows that took the place of an earlier version."""
    wrong_codes: int = 0
    """Valid rows whose code has a wrong check character (错码)."""
    unregistered: int = 0
    """Valid rows of firms the registration had not named when the feed came."""
    on_time: int = 0
    late: int = 0
    """New facts, measured where the catalogue says when they are due; corrections are not measured again."""


class Record(SQLModel, table=True):
    """One version of one fact of one firm; `service/intake/catalogue.yaml` says what the columns mean for each item.

    Visible as of day D: known_on <= D and happened_on <= D, superseded_on and withdrawn_on null or > D; an adverse
    item also ends_on null or > D. There is no foreign key to feed: checking it costs more than storing the rows.
    """

    __table_args__ = (
        CheckConstraint("superseded_on >= known_on", name="record_superseded_after_known"),
        Index("record_in_force", "uscc", "item", "key", unique=True, postgresql_where="superseded_on IS NULL"),
        Index("record_superseded", "uscc", "item", "key", postgresql_where="superseded_on IS NOT NULL"),
        Index("record_by_day", "item", "known_on"),
        Index("record_by_feed", "feed_id", postgresql_using="brin"),
    )
    id: int | None = identity()
    item: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    uscc: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    key: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    happened_on: date
    ends_on: date | None = None
    known_on: date
    amount_fen: int | None = fen(nullable=True)
    quantity: float | None = None
    code: str | None = coded(nullable=True)
    status: str | None = coded(nullable=True)
    party: str | None = coded(nullable=True)
    details: dict[str, Any] | None = document(nullable=True)
    feed_id: int = Field(sa_type=BigInteger)
    line: int
    superseded_on: date | None = None
    withdrawn_on: date | None = None


class Quarantine(SQLModel, table=True):
    """A row that could not be taken, as it came, with its first fault as columns and all of them in `faults`."""

    __table_args__ = (one_of("reason", Reason, "quarantine"), Index("quarantine_by_feed", "feed_id", "line"))
    id: int | None = identity()
    feed_id: int = points_to("feed.id", index=False)
    item: str = coded()
    line: int
    """The row of the sheet: the header is line 1."""
    uscc: str | None = coded(nullable=True)
    field: str = ""
    reason: str = coded()
    faults: list[dict[str, str]] = document()
    row: dict[str, str | None] = document()
