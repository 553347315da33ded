"""What a firm has filled in and not sent: of a new demand, or of a change to one."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import document, identity, instant, points_to


class Draft(SQLModel, table=True):
    """One for each firm and demand; without a demand it is a new one's. Only the firm sees it."""

    __table_args__ = (UniqueConstraint("uscc", "demand_id", name="draft_once", postgresql_nulls_not_distinct=True),)
    id: int | None = identity()
    uscc: str = Field(foreign_key="firm.uscc", max_length=18)
    demand_id: int | None = points_to("demand.id", nullable=True)
    version: int
    """The demand's version the person saw when they began to change it; 0 for a new one."""
    answers: dict[str, Any] = document()
    """Step → field → what was typed, for every step that was answered."""
    updated_at: datetime = instant(index=True)
