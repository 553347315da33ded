"""What is known of a firm on a day, as the nightly run stored it: features for the model, facts for the policy."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from service.domain.columns import document, instant


class FirmDay(SQLModel, table=True):
    """The latest day a firm was computed for. It holds only while `as_of` is today and the firm is not marked stale."""

    __tablename__ = "firm_day"
    uscc: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    as_of: date
    features: dict[str, Any] = document()
    """feature → number, or null where nobody knows."""
    facts: dict[str, Any] = document()
    """The policy's facts by name; money in fen, dates and shares as text, null where nobody knows."""
    vintage: dict[str, Any] = document()
    """item → the day up to which its source speaks of this firm, or null where it has nothing."""
    made_at: datetime = instant()


class SourceDay(SQLModel, table=True):
    """The first and the latest day a source delivered: a trigger keeps it beside the feeds, for everyone to read."""

    __tablename__ = "source_day"
    item: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    first_on: date
    latest_on: date
