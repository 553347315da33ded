"""Is this person who they say, and do they speak for the firm? The question, the answers, and who can be asked.

The platform keeps no identity number: it hands one to a provider, and keeps a keyed digest, the last four characters
and the coded answer (Personal Information Protection Law, articles 6, 19 and 28).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, instant, one_of


class Capacity(StrEnum):
    """As what a person acts for a firm: 法定代表人 (of a household: 经营者), or 经办人 by somebody's authority."""

    REPRESENTATIVE = "representative"
    DEPUTY = "deputy"


class RealNameOutcome(StrEnum):
    """What came of asking; `unavailable` says nothing of the person."""

    PASSED = "passed"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class RealNameRefusal(StrEnum):
    """Why a provider does not confirm a person."""

    IDENTITY_DIFFERS = "identity_differs"
    MOBILE_DIFFERS = "mobile_differs"
    NOT_REPRESENTATIVE = "not_representative"
    DOCUMENT_INVALID = "document_invalid"


@dataclass(frozen=True)
class Claim:
    """What is asked about: never stored, never logged; its number does not show when it is printed."""

    name: str
    number: str = field(repr=False)
    mobile: str = field(repr=False)
    uscc: str
    firm_name: str
    capacity: Capacity


@dataclass(frozen=True)
class Finding:
    """The provider's word. `reference` finds the case again at the provider's; `code` says why not."""

    outcome: RealNameOutcome
    code: RealNameRefusal | None = None
    reference: str = ""


class RealNameProvider(Protocol):
    """Whoever can say who somebody is; a provider that cannot be reached answers `unavailable` and raises nothing."""

    @property
    def name(self) -> str:
        """How people are told to whom their number goes."""

    def check(self, claim: Claim) -> Finding:
        """Ask, within seconds."""


class RealNameCheck(SQLModel, table=True):
    """One question put to a provider for a registration, and what came of it. Append-only."""

    __tablename__ = "real_name_check"
    __table_args__ = (
        one_of("capacity", Capacity, "real_name_check"),
        one_of("outcome", RealNameOutcome, "real_name_check"),
        one_of("code", RealNameRefusal, "real_name_check"),
        CheckConstraint("(outcome = 'refused') = (code IS NOT NULL)", name="real_name_check_refused_says_why"),
        Index("real_name_check_of", "registration_id", "id"),
    )
    id: int | None = identity()
    registration_id: int = Field(sa_type=BigInteger)
    """No foreign key: a registration that was given up is forgotten, that somebody was asked about is not."""
    identity_digest: str = Field(max_length=64)
    capacity: str = coded()
    provider: str = Field(max_length=80)
    outcome: str = coded()
    code: str | None = coded(nullable=True)
    reference: str = Field(max_length=80)
    consent_hash: str = Field(max_length=64)
    """SHA-256 of the words in which the person agreed to be checked."""
    asked_at: datetime = instant()
