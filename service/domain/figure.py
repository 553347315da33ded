"""Countable events and their daily sums: every figure an official sees equals the sum of its events."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Index, Numeric, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import annual_rate, coded, fen, identity, instant, one_of


class FigureKind(StrEnum):
    REPORTED = "reported"
    RECOMMENDED = "recommended"
    GRANTED = "granted"
    DRAWN = "drawn"


class FigureEvent(SQLModel, table=True):
    """One countable event; a correction is a second event with sign −1, of the same day, with its own recorded_on."""

    __tablename__ = "figure_event"
    __table_args__ = (
        one_of("kind", FigureKind, "figure_event"),
        Index("figure_event_of_day", "on", "district", "bank_id"),
        Index("figure_event_once", "kind", "noun_id", "sign", unique=True),
        Index("figure_event_late", "recorded_on", postgresql_where='recorded_on > "on"'),
        Index("figure_event_of_product", "product_id", "on", postgresql_where="product_id <> 0"),
        {"implicit_returning": False},
    )
    id: int | None = identity()
    kind: str = coded()
    on: date
    """The day the event is counted under (reported, recommended, granted, drawn)."""
    recorded_on: date
    """The day it became known here; later than `on` means a late report, shown as such."""
    sign: int = 1
    noun_id: int
    """demand for reported and recommended, credit_grant for granted, drawdown for drawn."""
    demand_id: int
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    bank_id: int = 0
    """0 where no bank is part of the event."""
    product_id: int = 0
    """0 where no product is: reported and recommended."""
    industry: str = Field(default="", max_length=1)
    size: str = Field(default="", max_length=12)
    amount_fen: int = fen()
    rate: Decimal | None = annual_rate(nullable=True)
    loan_type: str | None = coded(nullable=True)
    is_first_loan: bool = False
    is_renewal_without_repayment: bool = False
    is_new_household: bool = False
    """The firm's first event of this kind in the platform channel: summing these gives households (户)."""
    is_new_household_of_bank: bool = False
    is_new_household_of_product: bool = False
    made_at: datetime = instant()


class FigureDay(SQLModel, table=True):
    """Roll-up of the events by (day, district, bank): written in the transaction that writes the events."""

    __tablename__ = "figure_day"
    __table_args__ = (PrimaryKeyConstraint("on", "district", "bank_id", "kind"),)
    on: date
    district: str = Field(max_length=6)
    bank_id: int
    kind: str = coded()
    events: int = 0
    households: int = 0
    households_of_bank: int = 0
    amount_fen: int = fen(default=0)
    credit_loan_fen: int = fen(default=0)
    first_loan_fen: int = fen(default=0)
    first_loans: int = 0
    renewal_without_repayment_fen: int = fen(default=0)
    rate_times_fen: Decimal = Field(default=Decimal(0), sa_type=Numeric(30, 7))
    late_events: int = 0


class FigureSlice(SQLModel, table=True):
    """The same events rolled up by (day, district, industry, size): a second cut, never added to the first."""

    __tablename__ = "figure_slice"
    __table_args__ = (PrimaryKeyConstraint("on", "district", "industry", "size", "kind"),)
    on: date
    district: str = Field(max_length=6)
    industry: str = Field(max_length=1)
    size: str = Field(max_length=12)
    kind: str = coded()
    events: int = 0
    households: int = 0
    amount_fen: int = fen(default=0)
    credit_loan_fen: int = fen(default=0)
    first_loan_fen: int = fen(default=0)
    first_loans: int = 0
    renewal_without_repayment_fen: int = fen(default=0)
    rate_times_fen: Decimal = Field(default=Decimal(0), sa_type=Numeric(30, 7))
    late_events: int = 0


class FigureProduct(SQLModel, table=True):
    """The same events rolled up by (day, district, product): a third cut, of grants and drawdowns above all."""

    __tablename__ = "figure_product"
    __table_args__ = (PrimaryKeyConstraint("on", "district", "bank_id", "product_id", "kind"),)
    on: date
    district: str = Field(max_length=6)
    bank_id: int
    product_id: int
    kind: str = coded()
    events: int = 0
    households_of_product: int = 0
    amount_fen: int = fen(default=0)
    credit_loan_fen: int = fen(default=0)
    first_loan_fen: int = fen(default=0)
    first_loans: int = 0
    renewal_without_repayment_fen: int = fen(default=0)
    rate_times_fen: Decimal = Field(default=Decimal(0), sa_type=Numeric(30, 7))
    late_events: int = 0


class FigureHousehold(SQLModel, table=True):
    """How many events of a kind stand for a firm, in the channel (`bank_id` 0), with each bank (`product_id` 0) and for
    each product: a household (户) is one with at least one. Counting through these rows is exact when two banks report
    the same firm at once."""

    __tablename__ = "figure_household"
    __table_args__ = (PrimaryKeyConstraint("uscc", "kind", "bank_id", "product_id"),)
    uscc: str = Field(max_length=18)
    kind: str = coded()
    bank_id: int
    product_id: int = 0
    live: int = 0
