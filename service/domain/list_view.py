"""How an officer likes the bank's list: filters with a name, and the columns that are shown."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import document, identity, instant, points_to, words

MOST_FILTERS = 12
LONGEST_NAME = 24


class SavedFilter(SQLModel, table=True):
    """One filter of one officer at one bank; nobody else sees it. At most one opens by itself."""

    __tablename__ = "saved_filter"
    __table_args__ = (
        UniqueConstraint("person_id", "bank_id", "name", name="saved_filter_once"),
        Index("saved_filter_default", "person_id", "bank_id", unique=True, postgresql_where="is_default"),
    )
    id: int | None = identity()
    person_id: int = points_to("person.id", index=False)
    bank_id: int = points_to("bank.id", index=False)
    name: str = Field(max_length=LONGEST_NAME)
    query: dict[str, Any] = document()
    """As it stands in the list's address: only, q, light, product, district, mine, intended, sort."""
    is_default: bool = False
    made_at: datetime = instant()


class ListColumns(SQLModel, table=True):
    """The columns an officer chose; without a row, the usual ones."""

    __tablename__ = "list_columns"
    __table_args__ = (PrimaryKeyConstraint("person_id", "bank_id"),)
    person_id: int = points_to("person.id", index=False)
    bank_id: int = points_to("bank.id", index=False)
    columns: list[str] = words()
