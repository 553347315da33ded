"""Red and yellow as work: an obstacle with a responsible office, a measure, an owner and a next date."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, instant, one_of, points_to
from service.domain.obstacle import Department


class FollowUp(SQLModel, table=True):
    """One obstacle of one demand. No red demand is without an open one, and none without a next date."""

    __tablename__ = "follow_up"
    __table_args__ = (
        one_of("department", Department, "follow_up"),
        Index("follow_up_due", "district", "next_on", postgresql_where="closed_on IS NULL"),
        Index("follow_up_of_person", "owner_person_id", postgresql_where="closed_on IS NULL"),
        Index("follow_up_one_open", "demand_id", "obstacle", unique=True, postgresql_where="closed_on IS NULL"),
    )
    id: int | None = identity()
    demand_id: int = points_to("demand.id")
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    obstacle: str = Field(max_length=60)
    """A criterion's id, or no_bank_left, chance_too_low, no_product_fits, consent_needed, agreed_on_visit."""
    office: str = Field(max_length=120)
    measure: str = Field(max_length=500)
    owner: str = Field(max_length=40)
    """Whose work it is: firm, district, platform."""
    owner_person_id: int | None = None
    assigned_by: int | None = None
    """Who gave it to that person, and when: a person's own word, none where it came so from the verdict."""
    assigned_at: datetime | None = instant(nullable=True)
    department: str | None = coded(nullable=True)
    """The department that must move, where a team knows better than the criterion's usual one."""
    promised_on: date | None = None
    """By when that department said it would be done."""
    next_on: date
    opened_on: date
    closed_on: date | None = None
    outcome: str | None = Field(default=None, max_length=40)


class FollowUpNote(SQLModel, table=True):
    """What was done about it, by whom, and the next date set then."""

    __tablename__ = "follow_up_note"
    id: int | None = identity()
    follow_up_id: int = points_to("follow_up.id")
    district: str = Field(max_length=6)
    note: str = Field(max_length=1000)
    next_on: date
    written_by: int | None = None
    written_at: datetime = instant()
