"""The firm: keyed by its unified social credit code; a summary of its registration and latest annual report.

The summary follows the records: `store.firms.refresh` writes it anew from them whenever they change.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, fen, instant, one_of
from service.domain.standards.size import SizeClass


class FirmKind(StrEnum):
    """企业 个体工商户 农民专业合作社 农村集体经济组织."""

    ENTERPRISE = "enterprise"
    INDIVIDUAL = "individual"
    COOPERATIVE = "cooperative"
    VILLAGE = "village"


class FirmStatus(StrEnum):
    """存续 注销 吊销 迁出; 未知 where no register has spoken of the firm yet."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    MOVED = "moved"
    UNKNOWN = "unknown"


class Firm(SQLModel, table=True):
    """A registered firm as it stands today. `wrong_code`: its check character is wrong; flagged and counted, let in."""

    __table_args__ = (
        CheckConstraint("length(uscc) = 18", name="firm_uscc_length"),
        one_of("kind", FirmKind, "firm"),
        one_of("status", FirmStatus, "firm"),
        one_of("size_class", SizeClass, "firm"),
        CheckConstraint("employees >= 0", name="firm_employees_not_negative"),
        Index("firm_by_district", "district", "status"),
        Index("firm_by_name", "name"),
    )
    uscc: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    name: str = Field(max_length=120)
    kind: str = coded()
    district: str = coded()
    industry: str = coded()
    established_on: date | None = None
    """None, like an empty district or industry, of a firm entered by its name and code alone."""
    status: str = coded()
    size_class: str = coded(default=SizeClass.UNCLASSIFIED.value)
    employees: int | None = None
    revenue_fen: int | None = fen(nullable=True)
    assets_fen: int | None = fen(nullable=True)
    wrong_code: bool = False
    feed_id: int | None = Field(default=None, sa_type=BigInteger)
    """The feed its registration was last taken from; none for a firm entered by hand. No foreign key, as in record."""


class FirmStale(SQLModel, table=True):
    """A firm some fact of which has changed since it was last looked at; whoever recomputes it takes the row away."""

    __tablename__ = "firm_stale"
    uscc: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    marked_at: datetime = instant()
    reason: str = Field(max_length=60)
    """The catalogue item that changed, or what else did (repair, objection_upheld)."""
