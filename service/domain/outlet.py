"""A bank's outlets (网点) with their people, and who stands in for whom while away."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import identity, instant, points_to

LONGEST_NAME = 40
LONGEST_DAYS = 92
"""The longest absence somebody stands in for: whoever is away longer hands the lines over."""


class Outlet(SQLModel, table=True):
    """An outlet of a bank in a district. `takes_since_on`: from that day new lines of the district are its own."""

    __table_args__ = (
        CheckConstraint("ended_on IS NULL OR takes_since_on IS NULL", name="outlet_ended_takes_nothing"),
        Index("outlet_once", "bank_id", "name", unique=True, postgresql_where="ended_on IS NULL"),
        Index("outlet_takes", "bank_id", "district", unique=True, postgresql_where="takes_since_on IS NOT NULL"),
    )
    id: int | None = identity()
    bank_id: int = points_to("bank.id", index=False)
    name: str = Field(max_length=LONGEST_NAME)
    district: str = Field(max_length=6)
    takes_since_on: date | None = None
    made_on: date
    ended_on: date | None = None


class OutletMember(SQLModel, table=True):
    """The one outlet a person of a bank belongs to; many belong to none."""

    __tablename__ = "outlet_member"
    __table_args__ = (PrimaryKeyConstraint("bank_id", "person_id"), Index("outlet_member_of", "outlet_id"))
    bank_id: int = points_to("bank.id", index=False)
    person_id: int = points_to("person.id", index=False)
    outlet_id: int = points_to("outlet.id", index=False)


class StandIn(SQLModel, table=True):
    """Somebody stands in for a colleague from a day to a day, both included; afterwards it has ended by itself.

    The schema sees to it that one person is stood in for by one at a time.
    """

    __tablename__ = "stand_in"
    __table_args__ = (
        CheckConstraint("absent_id <> deputy_id", name="stand_in_by_another"),
        CheckConstraint("until_on >= from_on", name="stand_in_days"),
        Index("stand_in_of_deputy", "bank_id", "deputy_id", "until_on"),
    )
    id: int | None = identity()
    bank_id: int = points_to("bank.id", index=False)
    absent_id: int = points_to("person.id", index=False)
    deputy_id: int = points_to("person.id", index=False)
    from_on: date
    until_on: date
    made_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    """Taken back before its time."""
