"""A partner bank and the terms of its work here."""

from datetime import date
from enum import StrEnum

from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, one_of


class BankKind(StrEnum):
    STATE = "state"
    JOINT_STOCK = "joint_stock"
    CITY = "city"
    RURAL = "rural"
    VILLAGE = "village"
    GUARANTEE = "guarantee"


class Bank(SQLModel, table=True):
    """A partner institution. `contact_days` and `decide_days` tighten the policy's clock, never loosen it."""

    __table_args__ = (one_of("kind", BankKind, "bank"),)
    id: int | None = identity()
    code: str = Field(unique=True, max_length=32)
    name: str = Field(max_length=120)
    name_en: str = Field(default="", max_length=160)
    kind: str = coded()
    contact_days: int | None = None
    decide_days: int | None = None
    joined_on: date
    left_on: date | None = None
