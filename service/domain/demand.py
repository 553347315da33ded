"""A financing demand: its states, who may move them, and what was judged of it."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import annual_rate, coded, document, fen, identity, instant, one_of, points_to, words
from service.domain.people import BANK_ROLES, OFFICIAL_ROLES, Role


class DemandState(StrEnum):
    """Where a demand stands. From PUSHED on, the state derives from the demand's lines."""

    REPORTED = "reported"
    RECOMMENDED = "recommended"
    PUSHED = "pushed"
    ANSWERED = "answered"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    GRANTED = "granted"
    DRAWN = "drawn"
    REPAID = "repaid"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


S = DemandState
THE_PLATFORM = frozenset({Role.SYSTEM})
THE_FIRM = frozenset({Role.FIRM, Role.SYSTEM})
A_BANK = BANK_ROLES | THE_PLATFORM
AN_OFFICIAL = OFFICIAL_ROLES | THE_PLATFORM
AN_OPERATOR = frozenset({Role.OPERATOR})  # who recalls a wrong list
IN_MATCHING = frozenset({S.RECOMMENDED, S.PUSHED, S.ANSWERED, S.OFFERED})
BEFORE_GRANT = frozenset({S.REPORTED, *IN_MATCHING, S.ACCEPTED})
OPEN_STATES = BEFORE_GRANT
ENDED_STATES = frozenset({S.REPAID, S.WITHDRAWN, S.EXPIRED})

MAY_BECOME: dict[DemandState, tuple[frozenset[DemandState], frozenset[Role]]] = {
    # to            from                                           who moves it
    S.REPORTED: (IN_MATCHING, AN_OFFICIAL),  # a fact changed, a criterion fails again
    S.RECOMMENDED: (frozenset({S.REPORTED, *IN_MATCHING, S.ACCEPTED}), AN_OFFICIAL | A_BANK | THE_FIRM | AN_OPERATOR),
    S.PUSHED: (IN_MATCHING, THE_PLATFORM | A_BANK | THE_FIRM | AN_OPERATOR),
    S.ANSWERED: (IN_MATCHING, A_BANK | THE_FIRM),
    S.OFFERED: (IN_MATCHING, A_BANK | THE_FIRM),
    S.ACCEPTED: (frozenset({S.OFFERED, S.GRANTED}), THE_FIRM | A_BANK),  # from GRANTED: reported in error
    S.GRANTED: (frozenset({S.ACCEPTED, S.OFFERED, S.ANSWERED, S.DRAWN}), A_BANK),
    S.DRAWN: (frozenset({S.GRANTED}), A_BANK),
    S.REPAID: (frozenset({S.DRAWN}), A_BANK),
    S.WITHDRAWN: (BEFORE_GRANT, THE_FIRM),
    S.EXPIRED: (BEFORE_GRANT, THE_PLATFORM),
}


def may_become(old: DemandState, new: DemandState, role: Role) -> bool:
    """Whether `role` may move a demand from `old` to `new`."""
    sources, movers = MAY_BECOME[new]
    return old in sources and role in movers


class UseOfLoan(StrEnum):
    """What the money is for. The last three are outside the lawful uses of DOMAIN's fifth criterion."""

    WORKING_CAPITAL = "working_capital"
    EQUIPMENT = "equipment"
    PREMISES = "premises"
    TRADE = "trade"
    RESEARCH = "research"
    AGRICULTURE = "agriculture"
    RENEWAL = "renewal"
    OTHER = "other"
    SECURITIES = "securities"
    PROPERTY_SPECULATION = "property_speculation"
    RELENDING = "relending"


class Channel(StrEnum):
    """How a demand was reported."""

    WEB = "web"
    QR = "qr"
    OUTLET = "outlet"
    VISIT = "visit"
    API = "api"


class Actor(StrEnum):
    """Whose move is next."""

    FIRM = "firm"
    BANK = "bank"
    DISTRICT = "district"
    PLATFORM = "platform"
    NOBODY = "nobody"


class LightWord(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Demand(SQLModel, table=True):
    """What a firm asks for. The unit of everything; the light is its state, never a label on the firm."""

    __table_args__ = (
        one_of("state", DemandState, "demand"),
        one_of("use", UseOfLoan, "demand"),
        one_of("channel", Channel, "demand"),
        one_of("light", LightWord, "demand"),
        one_of("next_by", Actor, "demand"),
        CheckConstraint("amount_fen > 0", name="demand_asks_something"),
        CheckConstraint("term_months BETWEEN 1 AND 360", name="demand_term"),
        CheckConstraint(
            "light IS DISTINCT FROM 'red' OR closed_on IS NOT NULL OR next_on IS NOT NULL",
            name="demand_no_red_without_date",
        ),
        Index(
            "demand_one_open_per_use",
            "uscc",
            "use",
            unique=True,
            postgresql_where="state IN ('reported','recommended','pushed','answered','offered','accepted')",
        ),
        Index("demand_in_matching", "id", postgresql_where="state IN ('recommended','pushed','answered','offered')"),
        Index(
            "demand_to_push",
            "push_on",
            "id",
            postgresql_where="state IN ('recommended','pushed','answered')",
        ),
        Index("demand_of_district", "district", "state"),
        Index("demand_due", "next_on", postgresql_where="closed_on IS NULL"),
    )
    id: int | None = identity()
    number: str = Field(unique=True, max_length=24)
    uscc: str = Field(foreign_key="firm.uscc", max_length=18, index=True)
    district: str = Field(max_length=6)
    amount_fen: int = fen()
    term_months: int
    use: str = coded()
    use_text: str = Field(default="", max_length=500)
    rate_ceiling: Decimal | None = annual_rate(nullable=True)
    guarantees: list[str] = words()
    """Security the firm can give: LoanType values; empty means none."""
    channel: str = coded(default=Channel.WEB)
    wants_renewal_without_repayment: bool = False
    reported_on: date
    reported_at: datetime = instant()
    reported_by: int | None = None
    version: int = 1
    state: str = coded(default=DemandState.REPORTED)
    light: str | None = coded(nullable=True)
    light_since_on: date | None = None
    verdict_id: int | None = None
    recommended_on: date | None = None
    next_step: str = coded(default="judge")
    next_by: str = coded(default=Actor.PLATFORM)
    next_on: date | None = None
    waits_for_calendar: bool = False
    push_on: date | None = None
    """From this day on the platform looks for banks for it again; every change wakes it, a look puts it off a day."""
    firm_seen_on: date
    """The firm's last own act on this demand; its silence is counted from here."""
    warned_on: date | None = None
    closed_on: date | None = None


class WantedBank(SQLModel, table=True):
    """A bank the firm named: intended (1–3, first in line) or reserve. Each needs its own live consent."""

    __tablename__ = "wanted_bank"
    __table_args__ = (
        PrimaryKeyConstraint("demand_id", "bank_id"),
        CheckConstraint("rank BETWEEN 1 AND 200", name="wanted_bank_rank"),
    )
    demand_id: int = Field(foreign_key="demand.id")
    bank_id: int = Field(foreign_key="bank.id", index=True)
    is_intended: bool
    rank: int


class Estimate(SQLModel, table=True):
    """A probability of default as it was estimated: features, their sources' dates and the model's version with it."""

    __table_args__ = (
        Index("estimate_of_firm", "uscc", "as_of"),
        Index("estimate_by_day", "as_of", postgresql_using="brin"),
    )
    id: int | None = identity()
    uscc: str = Field(max_length=18)
    as_of: date
    model_version: str = Field(max_length=64)
    probability: float
    score: int
    grade: str = Field(max_length=8)
    features: dict[str, Any] = document()
    vintage: dict[str, Any] = document()
    """item → latest known day, or null where the source has nothing."""
    reasons: list[dict[str, Any]] | None = document(nullable=True)
    made_at: datetime = instant()


class Verdict(SQLModel, table=True):
    """What was judged, with everything it was judged from: replaying it gives the same bytes."""

    __table_args__ = (one_of("light", LightWord, "verdict"),)
    id: int | None = identity()
    demand_id: int = points_to("demand.id")
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    judged_on: date
    judged_at: datetime = instant()
    cause: str = Field(max_length=40)
    """Why it was judged: reported, edited, fact_changed, policy_changed, cycle, asked."""
    facts: dict[str, Any] = document()
    findings: list[dict[str, Any]] = document()
    light: str = coded()
    is_recommended: bool
    fitting_products: int
    policy_version: str = Field(max_length=40)
    policy_hash: str = Field(max_length=64)
    estimate_id: int | None = points_to("estimate.id", nullable=True)
    content_hash: str = Field(max_length=64)


class LightChange(SQLModel, table=True):
    """The light's history: from, to, why, on which verdict or line or by which person."""

    __tablename__ = "light_change"
    id: int | None = identity()
    demand_id: int = points_to("demand.id")
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    changed_on: date
    changed_at: datetime = instant()
    old: str | None = coded(nullable=True)
    new: str = coded()
    reason: str = Field(max_length=60)
    """judged, no_product_fits, refused, silent, matched_again, overridden …"""
    verdict_id: int | None = None


class Override(SQLModel, table=True):
    """A person's light beside the verdict, with a name, a sentence and an end."""

    id: int | None = identity()
    demand_id: int = points_to("demand.id")
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    light: str = coded()
    sentence: str = Field(max_length=500)
    made_by: int
    made_at: datetime = instant()
    until_on: date


class Review(SQLModel, table=True):
    """The district team's look between reported and recommended, where policy asks for one; also 'ask a human'."""

    __table_args__ = (
        Index("review_waiting", "district", "due_on", postgresql_where="decided_at IS NULL"),
        Index("review_one_open", "demand_id", unique=True, postgresql_where="decided_at IS NULL"),
    )
    id: int | None = identity()
    demand_id: int = points_to("demand.id")
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    verdict_id: int | None = None
    cause: str = Field(max_length=40)
    """policy (full or sampled review), asked (the firm asked for a person)."""
    opened_on: date
    due_on: date | None = None
    decision: str | None = coded(nullable=True)
    """recommended, returned, noted."""
    sentence: str | None = Field(default=None, max_length=500)
    decided_by: int | None = None
    decided_at: datetime | None = instant(nullable=True)


def open_states_sql(states: Iterable[DemandState] = OPEN_STATES) -> str:
    """The states as an SQL list, for partial indexes and raw statements."""
    return ", ".join(f"'{state.value}'" for state in sorted(states))
