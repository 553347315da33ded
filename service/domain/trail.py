"""Who did what to which, when, for whom: append-only, chained by hashes; ids and coded facts, no personal values."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from service.domain.columns import document, identity, instant


class TrailEntry(SQLModel, table=True):
    """One act. Its hash covers the entry and the hash before it in its chain (a day in a district or a bank)."""

    __tablename__ = "trail"
    __table_args__ = (
        Index("trail_of", "noun", "noun_id", "id"),
        Index("trail_chain", "chain", "id"),
        {"implicit_returning": False},
    )
    id: int | None = identity()
    at: datetime = instant()
    actor_id: int | None = None
    actor: str = Field(max_length=60)
    """role, or the platform's own name for the part that acted."""
    verb: str = Field(max_length=40)
    noun: str = Field(max_length=40)
    noun_id: int | None = None
    demand_id: int | None = None
    uscc: str | None = Field(default=None, max_length=18, index=True)
    bank_id: int | None = None
    district: str | None = Field(default=None, max_length=6)
    old: str | None = Field(default=None, max_length=40)
    new: str | None = Field(default=None, max_length=40)
    details: dict[str, Any] = document()
    chain: str = Field(max_length=40)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class TrailHead(SQLModel, table=True):
    """The last hash of each chain: locked while the next entries are written, copied elsewhere as an anchor."""

    __tablename__ = "trail_head"
    chain: str = Field(primary_key=True, max_length=40)
    entries: int
    hash: str = Field(max_length=64)
