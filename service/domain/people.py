"""Who comes in: persons, their roles, their sign-ins and the keys of banks' machines."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, identity, instant, one_of, points_to


class Role(StrEnum):
    """What a person is here as. SYSTEM is the platform itself (the cycle, the intake), DOOR the sign-in before it
    knows who comes; neither is ever a person's."""

    FIRM = "firm"
    OFFICER = "officer"
    BANK_ADMIN = "bank_admin"
    DISTRICT = "district"
    CITY = "city"
    OPERATOR = "operator"
    SYSTEM = "system"
    DOOR = "door"


BANK_ROLES = frozenset({Role.OFFICER, Role.BANK_ADMIN})
OFFICIAL_ROLES = frozenset({Role.DISTRICT, Role.CITY})


@dataclass(frozen=True)
class Who:
    """The person acting, and for whom: every action's second argument. Scope first, then find."""

    role: Role
    person_id: int | None = None
    name: str = ""
    uscc: str | None = None
    bank_id: int | None = None
    district: str | None = None

    @property
    def is_bank(self) -> bool:
        return self.role in BANK_ROLES

    @property
    def is_official(self) -> bool:
        return self.role in OFFICIAL_ROLES

    @property
    def is_platform(self) -> bool:
        return self.role is Role.SYSTEM


THE_DOOR = Who(role=Role.DOOR, name="door")


def the_platform(name: str = "cycle") -> Who:
    """The platform acting on its own: its name stands in the trail."""
    return Who(role=Role.SYSTEM, name=name)


class Person(SQLModel, table=True):
    """Someone who can sign in. One person may act for several firms (代账), several persons for one."""

    id: int | None = identity()
    login: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=120)
    phone: str | None = Field(default=None, max_length=32, index=True)
    password_hash: str = Field(max_length=255)
    is_active: bool = True
    is_demo: bool = False
    one_time_until_at: datetime | None = instant(nullable=True)
    """The password was given by another: until when it opens, and it must be changed first."""
    created_at: datetime = instant()
    identity_digest: str | None = Field(default=None, max_length=64)
    """Whose real name was checked as they registered (a keyed digest); None for an account given out by hand."""


SCOPE_OF_ROLE = (
    "(role = 'firm') = (uscc IS NOT NULL) AND (role IN ('officer', 'bank_admin')) = (bank_id IS NOT NULL)"
    " AND (role = 'district') = (district IS NOT NULL)"
)


class Membership(SQLModel, table=True):
    """A person's role, for one firm, one bank, one district, or the city."""

    __table_args__ = (
        CheckConstraint("role NOT IN ('system', 'door')", name="membership_is_a_persons"),
        one_of("role", Role, "membership"),
        CheckConstraint(SCOPE_OF_ROLE, name="membership_scope_of_role"),
        UniqueConstraint(
            "person_id",
            "role",
            "uscc",
            "bank_id",
            "district",
            name="membership_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    id: int | None = identity()
    person_id: int = points_to("person.id")
    role: str = coded()
    uscc: str | None = Field(default=None, index=True)
    bank_id: int | None = points_to("bank.id", nullable=True)
    district: str | None = None
    since_on: date
    until_on: date | None = None


class SignIn(SQLModel, table=True):
    """A session: an opaque token whose hash is kept; it acts as one membership at a time."""

    __tablename__ = "sign_in"
    id: int | None = identity()
    token_hash: str = Field(unique=True, max_length=64)
    person_id: int = points_to("person.id")
    membership_id: int | None = points_to("membership.id", nullable=True, index=False)
    form_token: str = Field(max_length=64)
    created_at: datetime = instant()
    seen_at: datetime = instant()
    expires_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)


class SignInAttempt(SQLModel, table=True):
    """Tries at the door, for the throttle: it lives here and not in Redis, so that it never fails open."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("sign_in_attempt_recent", "subject", "at"),)
    id: int | None = identity()
    subject: str = Field(max_length=96)
    at: datetime = instant()
    succeeded: bool


class PasswordCode(SQLModel, table=True):
    """A forgotten password: what one browser asked for. Without a person where nobody could be sent a code; the code
    itself follows from salt and person and is kept nowhere."""

    __tablename__ = "password_code"
    id: int | None = identity()
    token_hash: str = Field(unique=True, max_length=64)
    """Of the token in the browser's cookie: only there the code fits."""
    named_digest: str = Field(max_length=64)
    person_id: int | None = points_to("person.id", nullable=True, index=False)
    message_id: int | None = Field(default=None, sa_type=BigInteger, unique=True)
    salt: str = Field(max_length=32)
    tries: int = 0
    asked_at: datetime = instant(index=True)
    """By the machine's own clock, like sessions."""
    used_at: datetime | None = instant(nullable=True)


class ApiKey(SQLModel, table=True):
    """A machine at the door (a bank's, a firm's accountant's, a city office's): shown once, kept as a hash."""

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("role IN ('officer', 'firm', 'district', 'city')", name="api_key_role"),
        CheckConstraint(SCOPE_OF_ROLE, name="api_key_scope_of_role"),
    )
    id: int | None = identity()
    prefix: str = Field(unique=True, max_length=16)
    key_hash: str = Field(max_length=64)
    role: str = coded()
    uscc: str | None = None
    bank_id: int | None = points_to("bank.id", nullable=True)
    district: str | None = None
    name: str = Field(max_length=120)
    created_by: int | None = points_to("person.id", nullable=True, index=False)
    created_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)


class IdempotencyKey(SQLModel, table=True):
    """An answer already given to (actor, route, key): repeated as it was, never executed twice."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("actor", "route", "key", name="idempotency_once"),)
    id: int | None = identity()
    actor: str = Field(max_length=96)
    route: str = Field(max_length=160)
    key: str = Field(max_length=255)
    fingerprint: str = Field(max_length=64)
    response_status: int | None = None
    response_body: dict[str, Any] | None = document(nullable=True)
    created_at: datetime = instant(index=True)
