"""Messages that leave the platform: what may leave, by which channel, how far it is, and whom a provider must satisfy.

A claimed message was handed to a provider, or was about to be: whoever finds it claimed asks before sending again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, func
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, identity, instant, one_of, points_to, words


class MessageChannel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


class MessageTopic(StrEnum):
    """What one chooses a channel for; the LEGAL ones leave whatever one chose."""

    PROGRESS = "progress"
    OFFERS = "offers"
    DUTIES = "todo"
    CONSENT = "consent"
    OBJECTION = "objection"
    REGISTRATION = "registration"
    DIGEST = "digest"
    CODE = "code"


class MessageState(StrEnum):
    """SENDING: claimed by a worker. UNKNOWN: nobody can say whether it left; a person decides, never a second try."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


class MessageFault(StrEnum):
    """Why a message failed or was held back."""

    ADDRESS_REFUSED = "address_refused"
    WORDS_REFUSED = "words_refused"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    CANNOT_BE_ASKED = "cannot_be_asked"
    NOT_CONNECTED = "not_connected"
    NO_ADDRESS = "no_address"
    TOO_MANY = "too_many"
    TOO_LATE = "too_late"


T = MessageTopic
LEAVES: Mapping[str, MessageTopic] = {
    "demand_pushed": T.PROGRESS,
    "demand_reviewed": T.PROGRESS,
    "light_changed": T.PROGRESS,
    "light_overridden": T.PROGRESS,
    "line_refused": T.PROGRESS,
    "line_offered": T.OFFERS,
    "line_granted": T.OFFERS,
    "line_corrected": T.OFFERS,
    "line_drawn": T.OFFERS,
    "offer_lapsed": T.OFFERS,
    "line_needs_papers": T.DUTIES,
    "papers_overdue": T.DUTIES,
    "due_soon": T.DUTIES,
    "demand_expires": T.DUTIES,
    "demand_expired": T.DUTIES,
    "consent_proposed": T.CONSENT,
    "objection_upheld": T.OBJECTION,
    "objection_refused": T.OBJECTION,
    "person_joined": T.REGISTRATION,
    "person_asks": T.REGISTRATION,
}
"""A firm's notice → its topic; what is not here stays on the site. Banks and districts get one digest a day."""
LEGAL = frozenset({T.CONSENT, T.OBJECTION, T.REGISTRATION})
CHOSEN_BY_FIRMS = (T.DUTIES, T.OFFERS, T.PROGRESS)
CHOSEN_BY_OFFICERS = (T.DIGEST,)
ADDRESS_CODE, PASSWORD_CODE, DIGEST = "address_code", "password_code", "digest"

QUIET_FROM, QUIET_UNTIL = time(22), time(8)
DIGEST_FROM = time(8, 30)
CODE_DIGITS = 6
CODE_MINUTES = 10
MOST_CODE_TRIES = 5
MOST_CODES_A_DAY = 5


def is_quiet(clock: time) -> bool:
    """Whether people sleep at this time of the city's day: nothing leaves but a code somebody just asked for."""
    return clock >= QUIET_FROM or clock < QUIET_UNTIL


def masked_address(address: str) -> str:
    """Enough of a number or a mail address to tell two apart, too little to write to."""
    name, at, house = address.partition("@")
    if at:
        return f"{name[:1]}***{name[2:][-1:]}@{house}"[:120]
    return f"{name[:3]}****{name[-4:]}" if len(name) > 7 else "****"


@dataclass(frozen=True)
class Told:
    """What a message is made of; the words are the pages' floor's."""

    kind: str
    channel: MessageChannel
    language: str
    path: str
    """Where it leads on the platform ('' for nowhere)."""
    counts: Mapping[str, int] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True)
class Written:
    """The words as they leave; an SMS has no subject."""

    subject: str
    body: str


Compose = Callable[[Told], Written]


@dataclass(frozen=True)
class Letter:
    """What a provider is given. `key` makes it one message however often it is handed over."""

    key: str
    to: str = field(repr=False)
    words: Written = field(repr=False)


class MessageOutcome(StrEnum):
    """ACCEPTED, REFUSED: the provider's word. UNAVAILABLE: certainly not taken. UNCERTAIN: taken or not.
    ABSENT: asked for a key, it knows none. UNASKABLE: it cannot be asked for a key at all."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"
    UNASKABLE = "unaskable"


@dataclass(frozen=True)
class Receipt:
    """What a provider said. `reference` finds the message again at the provider's."""

    outcome: MessageOutcome
    fault: MessageFault | None = None
    reference: str = ""


class MessageProvider(Protocol):
    """Whoever carries messages away; it answers within seconds and raises nothing."""

    @property
    def name(self) -> str:
        """How the operator knows it."""

    @property
    def is_connected(self) -> bool:
        """Whether anything can leave by it."""

    def send(self, letter: Letter) -> Receipt:
        """Hand it over; the same key again is the same message, where the provider can tell."""

    def find(self, key: str) -> Receipt:
        """What became of a letter handed over under this key."""


class OutgoingMessage(SQLModel, table=True):
    """One message to one person by one channel. The row names no address: a masked one for people, a keyed digest."""

    __tablename__ = "outgoing_message"
    __table_args__ = (
        one_of("channel", MessageChannel, "outgoing_message"),
        one_of("topic", MessageTopic, "outgoing_message"),
        one_of("state", MessageState, "outgoing_message"),
        one_of("fault", MessageFault, "outgoing_message"),
        CheckConstraint(
            "(state IN ('failed', 'unknown', 'suppressed')) = (fault IS NOT NULL)", name="outgoing_message_says_why"
        ),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="outgoing_message_sent_at"),
        CheckConstraint("state <> 'sending' OR claimed_at IS NOT NULL", name="outgoing_message_claimed_at"),
        CheckConstraint(
            "num_nonnulls(notice_id, digest_on) = CASE WHEN kind IN ('address_code', 'password_code') THEN 0"
            " ELSE 1 END",
            name="outgoing_message_has_a_cause",
        ),
        UniqueConstraint("notice_id", "person_id", "channel", name="outgoing_message_once"),
        UniqueConstraint("person_id", "channel", "digest_on", name="outgoing_message_one_digest"),
        UniqueConstraint("key", name="outgoing_message_key"),
        Index("outgoing_message_open", "id", postgresql_where="state IN ('waiting', 'sending')"),
        Index("outgoing_message_by_state", "state", "id"),
        Index("outgoing_message_of", "person_id", "id"),
        Index("outgoing_message_of_day", "tried_on", "channel"),
        Index("outgoing_message_last_sent", "channel", "sent_at"),
        {"implicit_returning": False},
    )
    id: int | None = identity()
    key: UUID = Field(sa_column_kwargs={"server_default": func.gen_random_uuid()})
    """What the provider knows it by; a new one where a refused message is sent once more."""
    person_id: int = points_to("person.id", index=False)
    channel: str = coded()
    kind: str = Field(max_length=40)
    topic: str = coded()
    notice_id: int | None = points_to("notice.id", nullable=True, index=False)
    digest_on: date | None = None
    uscc: str | None = Field(default=None, max_length=18)
    bank_id: int | None = Field(default=None, sa_type=BigInteger)
    district: str | None = Field(default=None, max_length=6)
    counts: dict[str, Any] | None = document(nullable=True)
    """Of a digest: the kind of notice → how many."""
    state: str = coded(default=MessageState.WAITING)
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    made_on: date
    made_at: datetime = instant()
    not_before: datetime | None = instant(nullable=True)
    claimed_at: datetime | None = instant(nullable=True)
    """By the machine's own clock, which no demo calendar stretches."""
    tried_on: date | None = None
    language: str | None = Field(default=None, max_length=12)
    words: str | None = Field(default=None, max_length=2000)
    """As they left; never of a code."""
    address_shown: str | None = Field(default=None, max_length=120)
    address_digest: str | None = Field(default=None, max_length=64)
    provider: str | None = Field(default=None, max_length=80)
    reference: str | None = Field(default=None, max_length=120)
    fault: str | None = coded(nullable=True)
    sent_at: datetime | None = instant(nullable=True)


class ContactAddress(SQLModel, table=True):
    """Where a person is reached: sealed with the installation's secret, masked for people. A new one counts once the
    code that was sent to it came back."""

    __tablename__ = "contact_address"
    __table_args__ = (
        one_of("channel", MessageChannel, "contact_address"),
        CheckConstraint("num_nonnulls(sealed, shown, confirmed_at) IN (0, 3)", name="contact_address_confirmed_whole"),
        CheckConstraint(
            "num_nonnulls(asked_sealed, asked_shown, asked_salt, asked_at) IN (0, 4)",
            name="contact_address_asked_whole",
        ),
    )
    person_id: int = Field(sa_type=BigInteger, foreign_key="person.id", primary_key=True)
    channel: str = Field(primary_key=True)
    sealed: str | None = Field(default=None, max_length=1000)
    shown: str | None = Field(default=None, max_length=120)
    confirmed_at: datetime | None = instant(nullable=True)
    asked_sealed: str | None = Field(default=None, max_length=1000)
    asked_shown: str | None = Field(default=None, max_length=120)
    asked_salt: str | None = Field(default=None, max_length=64)
    asked_at: datetime | None = instant(nullable=True)
    asked_tries: int = 0


class MessagePreference(SQLModel, table=True):
    """What leaves to a person by which channel, and in which language. No row: all by SMS, digests by mail too."""

    __tablename__ = "message_preference"
    person_id: int = Field(sa_type=BigInteger, foreign_key="person.id", primary_key=True)
    sms: list[str] = words()
    email: list[str] = words()
    language: str = Field(max_length=12)
    changed_at: datetime = instant()


class SandboxMessage(SQLModel, table=True):
    """What the sandbox was given: it would have been sent. One row a key, as of a provider that can tell."""

    __tablename__ = "sandbox_message"
    __table_args__ = (one_of("channel", MessageChannel, "sandbox_message"), {"implicit_returning": False})
    key: UUID = Field(primary_key=True)
    channel: str = coded()
    address_shown: str = Field(max_length=120)
    subject: str = Field(max_length=200)
    body: str = Field(max_length=2000)
    at: datetime = instant(index=True)
