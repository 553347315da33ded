"""Codes to be scanned, and the enquiries that come by them: who asked to be called, by whom, and what became of it."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, fen, identity, instant, one_of, points_to
from service.domain.demand import UseOfLoan

LAWFUL_USES = (
    UseOfLoan.WORKING_CAPITAL,
    UseOfLoan.EQUIPMENT,
    UseOfLoan.PREMISES,
    UseOfLoan.TRADE,
    UseOfLoan.RESEARCH,
    UseOfLoan.AGRICULTURE,
    UseOfLoan.RENEWAL,
    UseOfLoan.OTHER,
)
LONGEST_NOTE = 200


class CodeKind(StrEnum):
    """Whom a code leads to: the whole city's desks, one district's team, a bank's outlet, or one single officer."""

    CITY = "city"
    DISTRICT = "district"
    OUTLET = "outlet"
    OFFICER = "officer"


class EnquiryState(StrEnum):
    """OPEN until the firm has reported a demand (HELPED), or a person or the end of its time closes it."""

    OPEN = "open"
    HELPED = "helped"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why an enquiry ends without a demand. WITHDRAWN also takes away what was
    told of the person, at once; EXPIRED is the platform's own: its time was over."""

    NOT_WANTED = "not_wanted"
    NOT_REACHED = "not_reached"
    WRONG_NUMBER = "wrong_number"
    NO_BUSINESS = "no_business"
    DUPLICATE = "duplicate"
    HANDED_OVER = "handed_over"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class IntakeCode(SQLModel, table=True):
    """One code on a wall: its key is the address, so it stays readable for as long as posters may be printed."""

    __tablename__ = "intake_code"
    __table_args__ = (
        one_of("kind", CodeKind, "intake_code"),
        CheckConstraint("(kind = 'city') = (district IS NULL)", name="intake_code_has_its_place"),
        CheckConstraint("(kind = 'officer') = (person_id IS NOT NULL)", name="intake_code_of_an_officer"),
        CheckConstraint("kind <> 'outlet' OR (bank_id IS NOT NULL AND outlet <> '')", name="intake_code_of_an_outlet"),
        CheckConstraint("until_on IS NULL OR until_on >= from_on", name="intake_code_days"),
        Index(
            "intake_code_once",
            "kind",
            "district",
            "bank_id",
            "person_id",
            "outlet",
            "campaign",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where="withdrawn_on IS NULL",
        ),
    )
    id: int | None = identity()
    key: str = Field(unique=True, max_length=16)
    kind: str = coded()
    district: str | None = Field(default=None, max_length=6)
    bank_id: int | None = points_to("bank.id", nullable=True)
    person_id: int | None = points_to("person.id", nullable=True, index=False)
    outlet: str = Field(default="", max_length=80)
    """The outlet in the bank's own words."""
    campaign: str = Field(max_length=60)
    from_on: date
    until_on: date | None = None
    withdrawn_on: date | None = None
    scans: int = 0
    made_by: int | None = points_to("person.id", nullable=True, index=False)
    made_at: datetime = instant()


class Enquiry(SQLModel, table=True):
    """A wish to be called. What the code said then stands here too: it may end, or be another district's.

    `forgotten_on`: name, code, telephone and notes were taken away that day; the coded facts stay for the counts.
    """

    __table_args__ = (
        one_of("kind", CodeKind, "enquiry"),
        one_of("state", EnquiryState, "enquiry"),
        one_of("use", UseOfLoan, "enquiry"),
        one_of("close_reason", CloseReason, "enquiry"),
        CheckConstraint("amount_fen > 0", name="enquiry_asks_something"),
        CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="enquiry_ends_on_a_day"),
        CheckConstraint("(state = 'helped') = (demand_id IS NOT NULL)", name="enquiry_helped_to_a_demand"),
        CheckConstraint("(state = 'closed') = (close_reason IS NOT NULL)", name="enquiry_closed_for_a_reason"),
        CheckConstraint("forgotten_on IS NULL OR mobile = ''", name="enquiry_forgotten_wholly"),
        Index("enquiry_of_district", "district", "state", "due_on"),
        Index("enquiry_of_bank", "bank_id", "state", "due_on"),
        Index("enquiry_of_firm", "uscc", postgresql_where="uscc IS NOT NULL"),
        Index("enquiry_to_forget", "came_on", postgresql_where="forgotten_on IS NULL"),
    )
    id: int | None = identity()
    receipt_hash: str = Field(unique=True, max_length=64)
    """Of the form's own number: the same form sent twice is one enquiry, and only its sender reads the receipt."""
    code_id: int = points_to("intake_code.id")
    kind: str = coded()
    campaign: str = Field(max_length=60)
    outlet: str = Field(max_length=80)
    bank_id: int | None = points_to("bank.id", nullable=True, index=False)
    person_id: int | None = points_to("person.id", nullable=True, index=False)
    district: str = Field(max_length=6)
    uscc: str | None = Field(default=None, max_length=18)
    firm_name: str = Field(max_length=120)
    contact_name: str = Field(max_length=40)
    mobile: str = Field(max_length=20)
    amount_fen: int = fen()
    use: str = coded()
    consent_hash: str = Field(max_length=64)
    """SHA-256 of the words to which the contact agreed."""
    came_on: date
    came_at: datetime = instant()
    due_on: date | None = None
    """By when somebody calls next; None once only the firm's own step is awaited."""
    contacted_at: datetime | None = instant(nullable=True)
    state: str = coded(default=EnquiryState.OPEN.value)
    demand_id: int | None = points_to("demand.id", nullable=True)
    closed_on: date | None = None
    close_reason: str | None = coded(nullable=True)
    forgotten_on: date | None = None


class EnquiryContact(SQLModel, table=True):
    """One call: whether somebody was reached, what was said, when again."""

    __tablename__ = "enquiry_contact"
    id: int | None = identity()
    enquiry_id: int = points_to("enquiry.id")
    district: str = Field(max_length=6)
    bank_id: int | None = points_to("bank.id", nullable=True, index=False)
    reached: bool
    note: str = Field(default="", max_length=LONGEST_NOTE)
    again_on: date | None = None
    made_by: int | None = points_to("person.id", nullable=True, index=False)
    made_at: datetime = instant()
