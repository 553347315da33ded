"""A dated, numbered, unchangeable batch for one bank; its lines, their states and what banks answer."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from service.domain.columns import annual_rate, coded, document, fen, identity, instant, one_of, points_to, words


class LineState(StrEnum):
    """A line's way. WITHDRAWN: by the firm (demand or consent). PASSED_OVER: the firm chose another bank.

    RECALLED: its list was a mistake of the platform's; as if the line had never been with the bank.
    """

    PUSHED = "pushed"
    RECEIVED = "received"
    CONTACTED = "contacted"
    NEEDS_PAPERS = "needs_papers"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    GRANTED = "granted"
    DRAWN = "drawn"
    REFUSED = "refused"
    SILENT = "silent"
    WITHDRAWN = "withdrawn"
    PASSED_OVER = "passed_over"
    RECALLED = "recalled"


L = LineState
OPEN_LINES = frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED, L.NEEDS_PAPERS, L.OFFERED, L.ACCEPTED})
WAITING_FOR_BANK = frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED})
ANSWERABLE = frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED, L.NEEDS_PAPERS, L.OFFERED})
UNANSWERED = frozenset({L.PUSHED, L.RECEIVED})
"""The bank has said nothing of the firm yet; having received the line is no answer."""

LINE_MAY_BECOME: dict[LineState, frozenset[LineState]] = {
    # to              from
    L.RECEIVED: frozenset({L.PUSHED}),
    L.CONTACTED: frozenset({L.PUSHED, L.RECEIVED, L.NEEDS_PAPERS}),
    L.NEEDS_PAPERS: frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED}),
    L.OFFERED: frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED, L.NEEDS_PAPERS, L.OFFERED}),
    L.REFUSED: frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED, L.NEEDS_PAPERS, L.OFFERED, L.ACCEPTED}),
    L.ACCEPTED: frozenset({L.OFFERED, L.GRANTED}),  # from GRANTED: the grant was reported in error
    L.GRANTED: frozenset({L.ACCEPTED, L.DRAWN}),
    L.DRAWN: frozenset({L.GRANTED}),
    L.SILENT: frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED, L.ACCEPTED}),
    L.WITHDRAWN: frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED, L.NEEDS_PAPERS, L.OFFERED, L.ACCEPTED}),
    L.PASSED_OVER: frozenset({L.PUSHED, L.RECEIVED, L.CONTACTED, L.NEEDS_PAPERS, L.OFFERED}),
    L.RECALLED: UNANSWERED,
}


class AnswerKind(StrEnum):
    """What a bank may say of a line."""

    RECEIVED = "received"
    CONTACTED = "contacted"
    NEEDS_PAPERS = "needs_papers"
    EXTENSION = "extension"
    OFFERED = "offered"
    REFUSED = "refused"


class RefusalReason(StrEnum):
    """Coded reasons, one to four of them; OTHER needs words."""

    TRADING_TOO_SHORT = "trading_too_short"
    CASH_FLOW = "cash_flow"
    DEBT_TOO_HIGH = "debt_too_high"
    CREDIT_RECORD = "credit_record"
    TAX_RECORD = "tax_record"
    COURT_RECORD = "court_record"
    SECURITY_LACKING = "security_lacking"
    INDUSTRY = "industry"
    REGION = "region"
    AMOUNT_TOO_HIGH = "amount_too_high"
    TERM_TOO_LONG = "term_too_long"
    USE_UNCLEAR = "use_unclear"
    PAPERS_LACKING = "papers_lacking"
    NOT_REACHED = "not_reached"
    FIRM_NOT_INTERESTED = "firm_not_interested"
    NO_FUNDS = "no_funds"
    OTHER = "other"


class PushList(SQLModel, table=True):
    """Keyed (bank, day, number): 1 in the morning, 2 … supplements. Published means unchangeable."""

    __tablename__ = "push_list"
    __table_args__ = (
        UniqueConstraint("bank_id", "on", "number", name="push_list_once"),
        ForeignKeyConstraint(
            ["certificate_id", "on", "is_certified"],
            ["certificate.id", "certificate.on", "certificate.is_valid"],
            name="push_list_is_certified",
        ),
    )
    id: int | None = identity()
    bank_id: int = points_to("bank.id")
    on: date
    number: int
    cause: str = Field(max_length=40)
    """morning, refusal, silence, consent; recall: a wrong list was called back; room: others gave back what these
    demands waited for."""
    lines: int
    amount_fen: int = fen()
    certificate_id: int = points_to("certificate.id")
    is_certified: bool = Field(sa_column=Column(Boolean, Computed("true", persisted=True), nullable=False))
    """Always true, and so points only to a valid certificate of the list's own day."""
    content_hash: str = Field(max_length=64)
    published_at: datetime = instant()


class PushListRecall(SQLModel, table=True):
    """A list that was a mistake: its unanswered lines ended in RECALLED, the answered ones stand. Never undone."""

    __tablename__ = "push_list_recall"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="push_list_recall_says_why"),
        CheckConstraint("lines > 0 AND stands >= 0", name="push_list_recall_ends_something"),
    )
    list_id: int = Field(primary_key=True, foreign_key="push_list.id", sa_type=BigInteger)
    bank_id: int = points_to("bank.id", index=False)
    reason: str = Field(max_length=500)
    """For the bank too, and on the trail."""
    lines: int
    """How many it ended."""
    stands: int
    """How many had been answered, or were over already."""
    keeps_away: bool = False
    """Whether these demands do not go to the same bank again that day."""
    recalled_on: date
    recalled_at: datetime = instant()
    recalled_by: int | None = None


class CertificateRow(SQLModel, table=True):
    """The referee's paper for one allocation of a day: constraints, value, bound, gap, hashes of input and output."""

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("on", "run", name="certificate_once"),
        UniqueConstraint("id", "on", "is_valid", name="certificate_of_a_day"),
        CheckConstraint(
            "NOT is_valid OR coalesce(body -> 'breaches', '[]') = '[]'", name="certificate_valid_without_breach"
        ),
    )
    id: int | None = identity()
    on: date
    run: int
    """0 is the morning's; supplements count on."""
    is_valid: bool
    body: dict[str, Any] = document()
    inputs: dict[str, Any] = document()
    """The problem as handed to the solver, compactly, with the solver's version: what a replay starts from."""
    appetite: dict[str, Any] | None = document(nullable=True)
    """What the morning had learned of the banks, and up to which answer; a supplement adds the answers since."""
    made_at: datetime = instant()


ASKED_BY = [
    "uscc", "district", "closed_on", "view_closed", "state", "pushed_on", "amount_fen", "product_id", "list_id",
    "assigned_to", "is_intended", "light", "probability", "firm_name", "demand_number",
]  # fmt: skip
"""What a bank's list is narrowed, ordered and closed by: in its index, so that the lines themselves stay unread."""


class PushLine(SQLModel, table=True):
    """One demand on a bank's list, under one product, with its clock."""

    __tablename__ = "push_line"
    __table_args__ = (
        one_of("state", LineState, "push_line"),
        UniqueConstraint("list_id", "demand_id", name="push_line_once_per_list"),
        Index(
            "push_line_one_open_per_bank",
            "demand_id",
            "bank_id",
            unique=True,
            postgresql_where="closed_on IS NULL",
        ),
        Index("push_line_of_bank", "bank_id", "state", "id"),
        Index(
            "push_line_seen",
            "uscc",
            "bank_id",
            postgresql_ops={"uscc": 'COLLATE "C"'},  # as a firm's code is compared
            postgresql_where="NOT view_closed",
        ),
        Index(
            "push_line_open",
            "bank_id",
            "due_on",
            "id",
            postgresql_include=ASKED_BY,
            postgresql_where="closed_on IS NULL",
        ),
        Index("push_line_listed", "bank_id", "due_on", "id", postgresql_include=ASKED_BY),
        Index("push_line_clock", "due_on", postgresql_where="closed_on IS NULL"),
        Index("push_line_ended", "closed_on", postgresql_where="closed_on IS NOT NULL"),
        CheckConstraint("reserved_fen >= 0", name="push_line_reserves"),
        CheckConstraint(
            "NOT view_closed OR num_nonnulls(firm_name, demand_number, light, grade, probability) = 0",
            name="push_line_closed_view_shows_nothing",
        ),
    )
    id: int | None = identity()
    list_id: int = points_to("push_list.id")
    bank_id: int = points_to("bank.id", index=False)
    demand_id: int = points_to("demand.id")
    uscc: str = Field(max_length=18, index=True)
    district: str = Field(max_length=6)
    product_id: int = points_to("product.id")
    product_version: int
    rank: int
    is_intended: bool
    amount_fen: int = fen()
    reserved_fen: int = fen()
    consent_id: int = points_to("consent.id", index=False)
    p_offer: float | None = None
    """The chance that the bank says yes, as it was when the line was pushed. Empty: pushed before it was told apart."""
    p_grant: float | None = None
    """The chance that the credit is granted in the end; where `p_offer` is empty, the chance of an offer."""
    pushed_on: date
    state: str = coded(default=LineState.PUSHED)
    state_at: datetime = instant()
    due_step: str = coded(default="contact")
    """Which clock runs: contact, decision, papers (the firm's), offer (the firm's), grant; none when closed."""
    due_on: date | None = None
    """The clock that runs now; empty with `waits_for_calendar` while the calendar is not published."""
    contact_due_on: date | None = None
    decision_due_on: date | None = None
    papers_asked_on: date | None = None
    paused_days: int = 0
    extended_on: date | None = None
    waits_for_calendar: bool = False
    view_closed: bool = False
    """Consent withdrawn: the line stays, the firm behind it is out of this bank's sight."""
    assigned_to: int | None = None
    contact_disputed_on: date | None = None
    reminded_of: date | None = None
    """The due date of which somebody was reminded."""
    closed_on: date | None = None
    firm_name: str | None = Field(default=None, max_length=120)
    """This and the next four are copies that follow the firm, the demand and its verdict, for the bank's list alone."""
    demand_number: str | None = Field(default=None, max_length=24)
    light: str | None = coded(nullable=True)
    grade: str | None = Field(default=None, max_length=8)
    probability: float | None = None


class Answer(SQLModel, table=True):
    """What a bank said of a line, in order; a correction is a new answer that names the old one."""

    __table_args__ = (
        one_of("kind", AnswerKind, "answer"),
        Index("answer_of_line", "line_id", "id"),
        Index("answer_refused", "bank_id", "answered_on", postgresql_where="kind = 'refused'"),
    )
    id: int | None = identity()
    line_id: int = points_to("push_line.id", index=False)
    bank_id: int = points_to("bank.id", index=False)
    kind: str = coded()
    reasons: list[str] = words()
    text: str = Field(default="", max_length=500)
    papers: list[str] = words()
    channel: str = Field(default="page", max_length=12)
    answered_on: date
    answered_at: datetime = instant()
    answered_by: int | None = None
    corrects_id: int | None = None


class Repayment(StrEnum):
    """How a loan is paid back: what its all-in cost is computed by."""

    MONTHLY_INTEREST = "monthly_interest"
    EQUAL_INSTALMENTS = "equal_instalments"
    AT_MATURITY = "at_maturity"


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    LAPSED = "lapsed"
    TAKEN_BACK = "taken_back"
    REPLACED = "replaced"
    PASSED_OVER = "passed_over"


class Offer(SQLModel, table=True):
    """A bank's offer: what the firm compares. All-in cost = interest and every fee over the term, annualised."""

    __table_args__ = (
        one_of("state", OfferState, "offer"),
        one_of("repayment", Repayment, "offer"),
        CheckConstraint("amount_fen > 0 AND fees_fen >= 0", name="offer_money"),
        CheckConstraint("rate > 0 AND rate < 1", name="offer_rate"),
        Index("offer_one_open", "line_id", unique=True, postgresql_where="state IN ('open','accepted')"),
    )
    id: int | None = identity()
    line_id: int = points_to("push_line.id")
    answer_id: int = points_to("answer.id", index=False)
    bank_id: int = points_to("bank.id", index=False)
    demand_id: int = points_to("demand.id")
    amount_fen: int = fen()
    rate: Decimal = annual_rate()
    fees_fen: int = fen(default=0)
    """All fees over the whole term."""
    fee_items: list[dict[str, Any]] = document()
    """The same one by one (domain.fee); empty where the bank told the sum alone."""
    repayment: str = coded(default=Repayment.MONTHLY_INTEREST)
    all_in_rate: Decimal = annual_rate()
    term_months: int
    loan_type: str = coded()
    valid_until_on: date
    state: str = coded(default=OfferState.OPEN)
    offered_at: datetime = instant()
    decided_at: datetime | None = instant(nullable=True)
