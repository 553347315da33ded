"""Column types the tables share: identity keys, instants in UTC, exact money and rates, lists and JSON."""

from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field


def identity() -> Any:
    """`bigint` key the database numbers."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))


def points_to(target: str, *, nullable: bool = False, index: bool = True) -> Any:
    """A `bigint` foreign key."""
    return Field(
        default=None if nullable else ..., sa_type=BigInteger, foreign_key=target, nullable=nullable, index=index
    )


def instant(*, nullable: bool = False, index: bool = False) -> Any:
    """`timestamptz`; naive datetimes are refused at bind time."""
    return Field(
        default=None if nullable else ..., sa_type=cast("Any", DateTime(timezone=True)), nullable=nullable, index=index
    )


def fen(*, nullable: bool = False, default: int | None = None) -> Any:
    """Money in fen, `bigint`."""
    first: Any = default if default is not None else (None if nullable else ...)
    return Field(default=first, sa_type=BigInteger, nullable=nullable)


def annual_rate(*, nullable: bool = False) -> Any:
    """An annual rate as a share: 0.0343 is 3.43 %."""
    return Field(default=None if nullable else ..., sa_type=cast("Any", Numeric(9, 7)), nullable=nullable)


def coded(*, nullable: bool = False, default: str | None = None, index: bool = False) -> Any:
    """A coded word stored as text; pair it with `one_of` so that the database knows the words too."""
    first: Any = default if default is not None else (None if nullable else ...)
    return Field(default=first, sa_type=Text, nullable=nullable, index=index)


def words(*, nullable: bool = False) -> Any:
    """A list of codes, `text[]`."""
    return Field(default=None if nullable else ..., sa_type=cast("Any", ARRAY(Text)), nullable=nullable)


def document(*, nullable: bool = False) -> Any:
    """A JSON document, `jsonb`."""
    return Field(default=None if nullable else ..., sa_type=JSONB, nullable=nullable)


def one_of(column: str, choices: type[StrEnum], table: str) -> CheckConstraint:
    """The column holds one of the enumeration's values; the database insists."""
    listed = ", ".join(f"'{choice.value}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{table}_{column}_known")
