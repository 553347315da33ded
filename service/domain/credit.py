"""Credit granted and money paid out, as banks report them; corrections are rows, and late ones are shown as late."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import annual_rate, coded, fen, identity, instant, points_to


class CreditGrant(SQLModel, table=True):
    """授信: credit granted on an accepted line. `voided_at` ends a row that a later one replaces."""

    __tablename__ = "credit_grant"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="credit_grant_amount"),
        CheckConstraint("rate > 0 AND rate < 1", name="credit_grant_rate"),
        Index("credit_grant_one_live", "line_id", unique=True, postgresql_where="voided_at IS NULL"),
    )
    id: int | None = identity()
    line_id: int = points_to("push_line.id")
    demand_id: int = points_to("demand.id")
    bank_id: int = points_to("bank.id")
    product_id: int = points_to("product.id", index=False)
    uscc: str = Field(max_length=18, index=True)
    district: str = Field(max_length=6)
    amount_fen: int = fen()
    rate: Decimal = annual_rate()
    term_months: int
    loan_type: str = coded()
    is_first_loan: bool
    is_renewal: bool = False
    is_renewal_without_repayment: bool = False
    granted_on: date
    recorded_on: date
    recorded_at: datetime = instant()
    recorded_by: int | None = None
    replaces_id: int | None = None
    voided_at: datetime | None = instant(nullable=True)


class Drawdown(SQLModel, table=True):
    """放款: money paid out under a grant; the sum of a grant's drawdowns never exceeds it (checked under lock)."""

    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="drawdown_amount"),
        Index("drawdown_once", "bank_id", "loan_number", unique=True, postgresql_where="voided_at IS NULL"),
    )
    id: int | None = identity()
    grant_id: int = points_to("credit_grant.id")
    demand_id: int = points_to("demand.id", index=False)
    bank_id: int = points_to("bank.id", index=False)
    uscc: str = Field(max_length=18, index=True)
    district: str = Field(max_length=6)
    loan_number: str = Field(max_length=64)
    amount_fen: int = fen()
    rate: Decimal = annual_rate()
    drawn_on: date
    matures_on: date
    repaid_on: date | None = None
    recorded_on: date
    recorded_at: datetime = instant()
    recorded_by: int | None = None
    replaces_id: int | None = None
    voided_at: datetime | None = instant(nullable=True)
