"""How banks keep pace with what is pushed to them: lines by the day they were pushed, summed for officials."""

from datetime import date
from math import sqrt

from sqlalchemy import PrimaryKeyConstraint
from sqlmodel import Field, SQLModel


class PaceCounts(SQLModel):
    """What is counted of a bank's lines in a district."""

    district: str = Field(max_length=6)
    bank_id: int
    lines: int
    contact_due: int
    """Lines contacted, silent, or past the day they should have been contacted by: what promptness is a share of."""
    in_time: int
    contacted: int
    contact_days: int
    decided: int
    decision_days: int
    silent: int
    refused: int
    granted: int
    disputed: int
    answered_on: date | None = None
    """The latest day the bank answered any of them."""
    made_on: date


class PaceDay(PaceCounts, table=True):
    """Roll-up of the lines by (day pushed, district, bank) as they stood when the day's cycle last ran.

    Contact is a bank's first answer beyond 'received'; a decision is its first offer or refusal. Days are calendar days
    from the push.
    """

    __tablename__ = "pace_day"
    __table_args__ = (PrimaryKeyConstraint("pushed_on", "district", "bank_id"),)
    pushed_on: date


class PaceMonth(PaceCounts, table=True):
    """The days of a whole month summed, `month_on` its first: always equal to them (`store.pace.roll_up`)."""

    __tablename__ = "pace_month"
    __table_args__ = (PrimaryKeyConstraint("month_on", "district", "bank_id"),)
    month_on: date


LEAST_RANKED = 5
"""Fewer lines than this say nothing of a bank: it stands in the table without a rank."""
Z95 = 1.959964


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, `of` ≥ 1 (E. B. Wilson, 1927, J. Am. Stat. Assoc. 22, 209–212)."""
    share, shrink = hits / of, 1 + Z95**2 / of
    middle = (share + Z95**2 / (2 * of)) / shrink
    half = Z95 / shrink * sqrt(share * (1 - share) / of + Z95**2 / (4 * of**2))
    return max(0.0, middle - half), min(1.0, middle + half)
