"""A firm registers itself: what was filled in so far, who acts for it, and since when it is here by name."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, identity, instant, one_of, points_to
from service.domain.firm import FirmKind
from service.domain.real_name import Capacity


class RegistrationState(StrEnum):
    """FILLING: a draft only its browser opens. WAITING: a deputy whose authority somebody must confirm.
    OPENED: the person acts for the firm. REFUSED: somebody who may say so said no."""

    FILLING = "filling"
    WAITING = "waiting"
    OPENED = "opened"
    REFUSED = "refused"


class Decider(StrEnum):
    """Who confirms a deputy: a person who acts for the firm already, or, where there is none, an office."""

    FIRM = "firm"
    OFFICE = "office"


SENT = "state <> 'filling'"


class Registration(SQLModel, table=True):
    """One person's way to act for one firm. The token in their browser's cookie finds it; its hash is kept."""

    __table_args__ = (
        one_of("state", RegistrationState, "registration"),
        one_of("kind", FirmKind, "registration"),
        one_of("capacity", Capacity, "registration"),
        one_of("asks", Decider, "registration"),
        CheckConstraint(
            f"({SENT}) = (submitted_on IS NOT NULL AND submitted_at IS NOT NULL AND person_id IS NOT NULL"
            " AND uscc IS NOT NULL AND capacity IS NOT NULL AND proved_by IS NOT NULL AND proved_on IS NOT NULL"
            " AND identity_digest IS NOT NULL AND terms_hash IS NOT NULL)",
            name="registration_sent_whole",
        ),
        CheckConstraint("(state = 'opened') = (opened_on IS NOT NULL)", name="registration_opened_on_a_day"),
        Index(
            "registration_once", "uscc", "identity_digest", unique=True,
            postgresql_where="state IN ('waiting', 'opened')",
        ),
        Index("registration_waiting", "district", postgresql_where="state = 'waiting'"),
    )  # fmt: skip
    id: int | None = identity()
    token_hash: str = Field(unique=True, max_length=64)
    state: str = coded()
    answers: dict[str, Any] = document()
    """Step → field → what was typed; emptied as it is sent. Never a password, never an identity number."""
    uscc: str | None = Field(default=None, max_length=18, index=True)
    firm_name: str | None = Field(default=None, max_length=120)
    kind: str | None = coded(nullable=True)
    wrong_code: bool = False
    name: str | None = Field(default=None, max_length=40)
    mobile: str | None = Field(default=None, max_length=11)
    capacity: str | None = coded(nullable=True)
    authority: str = Field(default="", max_length=200)
    """On what a deputy's authority rests, in their words: who signed it and when."""
    identity_digest: str | None = Field(default=None, max_length=64)
    identity_shown: str = Field(default="", max_length=18)
    proved_by: int | None = points_to("real_name_check.id", nullable=True, index=False)
    proved_on: date | None = None
    password_hash: str | None = Field(default=None, max_length=255)
    """Moves to the person as it is sent."""
    terms_hash: str | None = Field(default=None, max_length=64)
    """SHA-256 of the terms of use the person agreed to."""
    person_id: int | None = points_to("person.id", nullable=True)
    """Of a draft: the account that is signed in and registers for one more firm."""
    district: str | None = Field(default=None, max_length=6)
    asks: str | None = coded(nullable=True)
    started_at: datetime = instant()
    updated_at: datetime = instant(index=True)
    submitted_on: date | None = None
    submitted_at: datetime | None = instant(nullable=True)
    opened_on: date | None = None
    decided_by: int | None = points_to("person.id", nullable=True, index=False)
    decided_at: datetime | None = instant(nullable=True)


class RegisteredFirm(SQLModel, table=True):
    """A firm somebody can act for here: since when, and since when by a person whose real name was checked."""

    __tablename__ = "registered_firm"
    uscc: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    registered_on: date = Field(index=True)
    real_named_on: date | None = Field(default=None, index=True)
    """None for an account that was given out by hand."""
