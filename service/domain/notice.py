"""What people are told, queued in the transaction that gave rise to it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from service.domain.columns import document, identity, instant


class Notice(SQLModel, table=True):
    """A coded message to a firm, a bank or a district; the words are made when it is shown or sent."""

    __table_args__ = (
        Index("notice_to_firm", "uscc", "id"),
        Index("notice_to_bank", "bank_id", "id"),
        Index("notice_to_district", "district", "id"),
        {"implicit_returning": False},
    )
    id: int | None = identity()
    kind: str = Field(max_length=40)
    uscc: str | None = Field(default=None, max_length=18)
    bank_id: int | None = None
    district: str | None = Field(default=None, max_length=6)
    demand_id: int | None = None
    line_id: int | None = None
    values: dict[str, Any] = document()
    made_on: date
    made_at: datetime = instant()
    read_at: datetime | None = instant(nullable=True)
