"""Who may see what of a firm, for which purpose, until when: a ledger that only grows."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, instant, one_of, points_to, words


class Purpose(StrEnum):
    """PROFILE: the platform builds the profile and the estimate. CREDIT_REVIEW: one named bank looks at the firm."""

    PROFILE = "profile"
    CREDIT_REVIEW = "credit_review"


class DataClass(StrEnum):
    """Disclosure classes of the catalogue."""

    PUBLIC = "public"
    SHARED = "shared"
    AUTHORISED = "authorised"


class Consent(SQLModel, table=True):
    """One consent: a firm, one recipient (a bank, or the platform where `bank_id` is empty), one purpose."""

    __table_args__ = (
        one_of("purpose", Purpose, "consent"),
        CheckConstraint("(purpose = 'profile') = (bank_id IS NULL)", name="consent_one_recipient"),
        CheckConstraint("from_on <= until_on", name="consent_in_order"),
        Index("consent_of_firm", "uscc", "bank_id", "until_on"),
        Index("consent_by_text", "text_hash"),
    )
    id: int | None = identity()
    uscc: str = Field(max_length=18)
    bank_id: int | None = points_to("bank.id", nullable=True)
    purpose: str = coded()
    data_classes: list[str] = words()
    text_hash: str = Field(max_length=64)
    """SHA-256 of the words the person was shown."""
    from_on: date
    until_on: date
    given_by: int | None = None
    given_at: datetime = instant()


class ConsentWords(SQLModel, table=True):
    """The words of a consent as they were shown, under the hash the consent carries; the database checks that it is."""

    __tablename__ = "consent_text"
    __table_args__ = (
        CheckConstraint("hash = encode(sha256(convert_to(words, 'UTF8')), 'hex')", name="consent_text_is_its_hash"),
    )
    hash: str = Field(primary_key=True, max_length=64)
    words: str = coded()
    kept_at: datetime = instant()


class ConsentWithdrawal(SQLModel, table=True):
    """The end of one consent, as easily said as the consent itself; a row of its own, never an edit."""

    __tablename__ = "consent_withdrawal"
    consent_id: int = Field(primary_key=True, foreign_key="consent.id")
    uscc: str = Field(max_length=18, index=True)
    withdrawn_on: date
    withdrawn_at: datetime = instant()
    withdrawn_by: int | None = None
