"""Visits (走访): a plan with its base list (走访底册) of firms, and what was heard at each of them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, fen, identity, instant, one_of, points_to, words

LONGEST_WORDS = 500
LONGEST_NOTE = 1000
MOST_FIRMS = 500
"""Firms of one plan: what a team can walk to in a campaign, and what one workbook shows at a glance."""


class VisitState(StrEnum):
    """Still to be made; made; went there and met nobody."""

    PLANNED = "planned"
    MADE = "made"
    NOT_MET = "not_met"


class Met(StrEnum):
    """Whom the visitor spoke with; a role, never a name."""

    OWNER = "owner"
    LEGAL_PERSON = "legal_person"
    FINANCE = "finance"
    STAFF = "staff"
    NOBODY = "nobody"


class VisitPlan(SQLModel, table=True):
    """Where a team goes, on which day, who leads; its firms are the visits."""

    __tablename__ = "visit_plan"
    __table_args__ = (Index("visit_plan_of_district", "district", "planned_on"),)
    id: int | None = identity()
    district: str = Field(max_length=6)
    area: str = Field(max_length=80)
    planned_on: date
    companions: str = Field(max_length=120)
    """Who goes along beside the team: a bank's or a street office's people, as the team wrote it."""
    chosen: dict[str, Any] = document()
    """The filter its firms were chosen by, as it stood then."""
    form_key: str = Field(max_length=64, unique=True)
    """The form it was made from: sent twice it makes one plan."""
    made_by: int | None = None
    made_at: datetime = instant()


class Visit(SQLModel, table=True):
    """One firm of a plan: who goes there, and what was heard. Where the visitor stood is not kept."""

    __table_args__ = (
        one_of("state", VisitState, "visit"),
        one_of("met", Met, "visit"),
        CheckConstraint("(state = 'planned') = (visited_on IS NULL)", name="visit_dated_when_made"),
        CheckConstraint("(state = 'planned') = (met IS NULL)", name="visit_met_when_made"),
        CheckConstraint("amount_fen IS NULL OR has_need", name="visit_amount_of_a_need"),
        UniqueConstraint("plan_id", "uscc", name="visit_once_in_a_plan"),
        Index("visit_of_person", "person_id", postgresql_where="state = 'planned'"),
    )
    id: int | None = identity()
    plan_id: int = points_to("visit_plan.id", index=False)
    uscc: str = Field(foreign_key="firm.uscc", max_length=18, index=True)
    district: str = Field(max_length=6)
    person_id: int | None = None
    """Who goes."""
    state: str = coded(default=VisitState.PLANNED.value)
    version: int = 0
    """How often it was written down: 0 before, 1 the first time; each correction adds one."""
    visited_on: date | None = None
    met: str | None = coded(nullable=True)
    has_need: bool | None = None
    amount_fen: int | None = fen(nullable=True)
    obstacles: list[str] = words()
    """The kinds that were found, as evidence of the day; how each stands is the ledger's."""
    promised: str = Field(default="", max_length=LONGEST_WORDS)
    next_on: date | None = None
    note: str = Field(default="", max_length=LONGEST_NOTE)
    follow_up_id: int | None = points_to("follow_up.id", nullable=True)
    recorded_by: int | None = None
    recorded_at: datetime | None = instant(nullable=True)


class VisitVersion(SQLModel, table=True):
    """What a visit's record said before it was corrected: append-only."""

    __tablename__ = "visit_version"
    __table_args__ = (UniqueConstraint("visit_id", "version", name="visit_version_once"),)
    id: int | None = identity()
    visit_id: int = points_to("visit.id", index=False)
    district: str = Field(max_length=6)
    version: int
    said: dict[str, Any] = document()
    recorded_by: int | None = None
    recorded_at: datetime = instant()


class VisitDraft(SQLModel, table=True):
    """What someone has typed of a record and not sent: kept for the moment the connection comes back."""

    __tablename__ = "visit_draft"
    __table_args__ = (UniqueConstraint("visit_id", "person_id", name="visit_draft_once"),)
    id: int | None = identity()
    visit_id: int = points_to("visit.id", index=False)
    person_id: int
    district: str = Field(max_length=6)
    answers: dict[str, Any] = document()
    updated_at: datetime = instant(index=True)
