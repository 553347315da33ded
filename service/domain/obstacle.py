"""The obstacle ledger (堵点台账): what keeps a firm from its loan, which department must move, promised by when.

What a verdict found is a follow-up and stays one; the ledger reads it there. A row here is what a team found itself.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, instant, one_of, points_to


class ObstacleKind(StrEnum):
    """The repairable situations, those of the criteria first; the last seven only a person can see."""

    REGISTRATION_LAPSED = "registration_lapsed"
    TRADING_TOO_SHORT = "trading_too_short"
    NOT_OPERATING = "not_operating"
    PREMISES_UNPROVEN = "premises_unproven"
    NEED_UNCLEAR = "need_unclear"
    DISHONESTY_LISTED = "dishonesty_listed"
    ABNORMAL_OPERATION = "abnormal_operation"
    ENFORCEMENT_OPEN = "enforcement_open"
    PENALTY_STANDING = "penalty_standing"
    TAX_ARREARS = "tax_arrears"
    INSURANCE_ARREARS = "insurance_arrears"
    LOAN_OVERDUE = "loan_overdue"
    RISK_TOO_HIGH = "risk_too_high"
    DATA_LACKING = "data_lacking"
    CONSENT_LACKING = "consent_lacking"
    NO_PRODUCT = "no_product"
    MORTGAGE_UNRELEASED = "mortgage_unreleased"
    TITLE_LACKING = "title_lacking"
    PERMIT_LACKING = "permit_lacking"
    RECORD_WRONG = "record_wrong"
    GUARANTEE_LACKING = "guarantee_lacking"
    ACCOUNTS_IRREGULAR = "accounts_irregular"
    OTHER = "other"


class Department(StrEnum):
    """Who must move. The first nine are the policy's offices, by the same codes."""

    MARKET_REGULATOR = "market_regulator"
    TAX = "tax"
    HUMAN_RESOURCES = "human_resources"
    COURT = "court"
    CREDIT_OFFICE = "credit_office"
    PENALTY_AUTHORITY = "penalty_authority"
    DISTRICT_TEAM = "district_team"
    LENDING_BANK = "lending_bank"
    PLATFORM = "platform"
    FIRM = "firm"
    LAND_REGISTRY = "land_registry"
    PLANNING = "planning"
    ECOLOGY = "ecology"
    INDUSTRY_OFFICE = "industry_office"
    GUARANTOR = "guarantor"
    OTHER = "other"


K, D = ObstacleKind, Department
KIND_OF: dict[str, ObstacleKind] = {
    "months_in_business": K.TRADING_TOO_SHORT,
    "registration": K.REGISTRATION_LAPSED,
    "serious_dishonesty": K.DISHONESTY_LISTED,
    "legal_person_dishonesty": K.DISHONESTY_LISTED,
    "abnormal_operation": K.ABNORMAL_OPERATION,
    "activity": K.NOT_OPERATING,
    "premises": K.PREMISES_UNPROVEN,
    "amount_to_sales": K.NEED_UNCLEAR,
    "need_stated": K.NEED_UNCLEAR,
    "forbidden_use": K.NEED_UNCLEAR,
    "term_of_use": K.NEED_UNCLEAR,
    "enforcement": K.ENFORCEMENT_OPEN,
    "serious_penalty": K.PENALTY_STANDING,
    "tax_arrears": K.TAX_ARREARS,
    "tax_grade": K.TAX_ARREARS,
    "insurance_arrears": K.INSURANCE_ARREARS,
    "overdue": K.LOAN_OVERDUE,
    "estimate": K.RISK_TOO_HIGH,
    "freshness": K.DATA_LACKING,
    "no_product_fits": K.NO_PRODUCT,
    "no_bank_left": K.NO_PRODUCT,
    "chance_too_low": K.NO_PRODUCT,
    "consent_needed": K.CONSENT_LACKING,
    "agreed_on_visit": K.OTHER,
}
"""A follow-up's obstacle → its kind in the ledger; one that is not here is 'other'."""
USUAL_DEPARTMENT: dict[ObstacleKind, Department] = {
    K.REGISTRATION_LAPSED: D.MARKET_REGULATOR,
    K.TRADING_TOO_SHORT: D.DISTRICT_TEAM,
    K.NOT_OPERATING: D.DISTRICT_TEAM,
    K.PREMISES_UNPROVEN: D.DISTRICT_TEAM,
    K.NEED_UNCLEAR: D.DISTRICT_TEAM,
    K.DISHONESTY_LISTED: D.CREDIT_OFFICE,
    K.ABNORMAL_OPERATION: D.MARKET_REGULATOR,
    K.ENFORCEMENT_OPEN: D.COURT,
    K.PENALTY_STANDING: D.PENALTY_AUTHORITY,
    K.TAX_ARREARS: D.TAX,
    K.INSURANCE_ARREARS: D.HUMAN_RESOURCES,
    K.LOAN_OVERDUE: D.LENDING_BANK,
    K.RISK_TOO_HIGH: D.PLATFORM,
    K.DATA_LACKING: D.PLATFORM,
    K.CONSENT_LACKING: D.FIRM,
    K.NO_PRODUCT: D.PLATFORM,
    K.MORTGAGE_UNRELEASED: D.LAND_REGISTRY,
    K.TITLE_LACKING: D.LAND_REGISTRY,
    K.PERMIT_LACKING: D.ECOLOGY,
    K.RECORD_WRONG: D.CREDIT_OFFICE,
    K.GUARANTEE_LACKING: D.GUARANTOR,
    K.ACCOUNTS_IRREGULAR: D.FIRM,
    K.OTHER: D.DISTRICT_TEAM,
}
DEPARTMENT_OF: dict[str, Department] = {name: USUAL_DEPARTMENT[kind] for name, kind in KIND_OF.items()} | {
    "no_bank_left": D.DISTRICT_TEAM,
    "chance_too_low": D.DISTRICT_TEAM,
}
"""A follow-up's obstacle → who must move for it, unless a team named another department."""
OUTCOMES = frozenset({"resolved", "handed_over", "not_solvable", "no_longer_needed"})
LONGEST_NOTE = 1000


def kind_of(obstacle: str) -> ObstacleKind:
    """The ledger's kind of a follow-up's obstacle."""
    return KIND_OF.get(obstacle, ObstacleKind.OTHER)


def department_of(obstacle: str, department: str | None) -> Department:
    """Who must move for a follow-up's obstacle: the one a team named, else the usual one."""
    return Department(department) if department else DEPARTMENT_OF.get(obstacle, Department.DISTRICT_TEAM)


class Obstacle(SQLModel, table=True):
    """One obstacle of one firm that a team found itself; a firm has one open of a kind."""

    __table_args__ = (
        one_of("kind", ObstacleKind, "obstacle"),
        one_of("department", Department, "obstacle"),
        Index("obstacle_one_open", "uscc", "kind", unique=True, postgresql_where="cleared_on IS NULL"),
        Index("obstacle_due", "district", "next_on", postgresql_where="cleared_on IS NULL"),
        Index("obstacle_of_person", "owner_person_id", postgresql_where="cleared_on IS NULL"),
    )
    id: int | None = identity()
    uscc: str = Field(foreign_key="firm.uscc", max_length=18)
    district: str = Field(max_length=6)
    kind: str = coded()
    department: str = coded()
    words: str = Field(max_length=500)
    """What exactly stands in the way, as the team found it."""
    visit_id: int | None = points_to("visit.id", nullable=True)
    owner_person_id: int | None = None
    assigned_by: int | None = None
    assigned_at: datetime | None = instant(nullable=True)
    found_on: date
    next_on: date
    promised_on: date | None = None
    cleared_on: date | None = None
    outcome: str | None = Field(default=None, max_length=40)
    entered_by: int | None = None
    entered_at: datetime = instant()


class ObstacleNote(SQLModel, table=True):
    """What was done about it, by whom, and the next date set then."""

    __tablename__ = "obstacle_note"
    id: int | None = identity()
    obstacle_id: int = points_to("obstacle.id")
    district: str = Field(max_length=6)
    note: str = Field(max_length=LONGEST_NOTE)
    next_on: date
    written_by: int | None = None
    written_at: datetime = instant()
