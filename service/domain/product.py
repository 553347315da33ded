"""A bank's loan product: for whom, how much, how long, at what price; its places a day and its money."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import annual_rate, document, fen, identity, instant, points_to, words


class LoanType(StrEnum):
    """How a loan is secured; statistics count credit loans apart."""

    CREDIT = "credit"
    MORTGAGE = "mortgage"
    PLEDGE = "pledge"
    GUARANTEE = "guarantee"


class Product(SQLModel, table=True):
    """The product as it stands today. A push reserves the amount asked, a grant replaces it: never over the quota."""

    __table_args__ = (
        CheckConstraint("amount_min_fen > 0 AND amount_min_fen <= amount_max_fen", name="product_amounts"),
        CheckConstraint("term_min_months > 0 AND term_min_months <= term_max_months", name="product_terms"),
        CheckConstraint("rate_min > 0 AND rate_min <= rate_max AND rate_max < 1", name="product_rates"),
        CheckConstraint("reserved_fen >= 0 AND granted_fen >= 0", name="product_money_is_not_negative"),
        CheckConstraint("quota_fen IS NULL OR reserved_fen + granted_fen <= quota_fen", name="product_within_quota"),
        UniqueConstraint("bank_id", "code", name="product_code_once"),
    )
    id: int | None = identity()
    bank_id: int = points_to("bank.id")
    code: str = Field(max_length=32)
    version: int = 1
    name: str = Field(max_length=120)
    name_en: str = Field(default="", max_length=160)
    amount_min_fen: int = fen()
    amount_max_fen: int = fen()
    term_min_months: int
    term_max_months: int
    rate_min: Decimal = annual_rate()
    rate_max: Decimal = annual_rate()
    loan_types: list[str] = words()
    criteria: dict[str, Any] = document()
    """Admission criteria in the words of `matching.fit`: kinds, districts, industries, least months, least grade …"""
    places_per_day: int = Field(ge=0)
    quota_fen: int | None = fen(nullable=True)
    reserved_fen: int = fen(default=0)
    granted_fen: int = fen(default=0)
    from_on: date
    until_on: date | None = None
    changed_at: datetime = instant()


class ProductVersion(SQLModel, table=True):
    """Every version of a product, frozen: a line names the one it was pushed under."""

    __tablename__ = "product_version"
    __table_args__ = (UniqueConstraint("product_id", "version", name="product_version_once"),)
    id: int | None = identity()
    product_id: int = points_to("product.id")
    version: int
    terms: dict[str, Any] = document()
    changed_by: int | None = None
    changed_at: datetime = instant()


class PlaceUse(SQLModel, table=True):
    """Places of a product used on a day; the CHECK makes overselling impossible."""

    __tablename__ = "place_use"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "on"),
        CheckConstraint("used >= 0 AND used <= places", name="place_use_within_places"),
    )
    product_id: int = Field(foreign_key="product.id")
    on: date
    places: int
    used: int = 0
