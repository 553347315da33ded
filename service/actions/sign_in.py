"""Come in and go out: passwords are checked slowly, tries are counted in the database, tokens are kept as hashes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from service import security
from service.domain.errors import NotAllowed
from service.domain.people import THE_DOOR, Membership, Person, Role, SignIn, Who
from service.store import people, registrations, trail
from service.store.trail import Act

WINDOW = timedelta(minutes=5)
TRIES_PER_LOGIN = 10
TRIES_PER_ADDRESS = 60
"""A bank's outlet or a government hall comes from one address."""


@dataclass(frozen=True)
class OpenedSession:
    """A session just opened: the token goes into the cookie, nowhere else."""

    token: str
    role: Role
    memberships: int


def is_throttled(tx: Session, login: str, address: str, now: datetime) -> bool:
    """Whether this login or this address has failed too often lately."""
    since = now - WINDOW
    return (
        people.failures_since(tx, f"login:{login[:64]}", since) >= TRIES_PER_LOGIN
        or people.failures_since(tx, f"address:{address}", since) >= TRIES_PER_ADDRESS
    )


def sign_in(
    tx: Session, login: str, password: str, address: str, today: date, now: datetime, lasts: timedelta
) -> OpenedSession | None:
    """Open a session, or None for a wrong name or password (the two are not told apart).

    Errors: NotAllowed after too many tries, or for a person who is nothing here today.
    """
    if is_throttled(tx, login, address, now):
        raise NotAllowed("尝试次数过多，请五分钟后再试。")
    person = people.find_by_login(tx, login)
    fits = security.is_password(password, person.password_hash if person and person.is_active else None)
    people.note_attempt(tx, f"login:{login[:64]}", now, succeeded=fits)
    people.note_attempt(tx, f"address:{address}", now, succeeded=fits)
    if not fits or person is None:
        return None
    if person.one_time_until_at is not None and person.one_time_until_at < now:
        raise NotAllowed("这个一次性密码已过期，请联系管理员再给一个。", field="password")
    return open_session(tx, person, today, now, lasts)


def open_session(tx: Session, person: Person, today: date, now: datetime, lasts: timedelta) -> OpenedSession:
    """A session for a person whose identity is proved already (by password, or by a demo card in demo mode)."""
    memberships = people.list_memberships(tx, person.id or 0, today)
    if not memberships:
        raise NotAllowed("您的账号目前没有任何身份：登记还在等待确认，或身份已停用。有疑问请联系管理员。")
    token = security.new_token()
    people.add_sign_in(
        tx,
        SignIn(
            token_hash=security.hash_token(token),
            person_id=person.id or 0,
            membership_id=memberships[0].id,
            form_token=security.new_token(),
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
        ),
    )
    acting = Who(role=THE_DOOR.role, person_id=person.id, name=person.name)
    trail.append(tx, acting, [Act("signed_in", "person", person.id)], now)
    return OpenedSession(token=token, role=Role(memberships[0].role), memberships=len(memberships))


def act_as(tx: Session, who: Who, sign_in: tuple[int, int], membership_id: int, today: date, now: datetime) -> None:
    """The session (its key, the role it has) acts in another of the person's own roles from now on.

    The role it has already changes nothing. Errors: NotAllowed for a role that is not theirs today.
    """
    sign_in_id, present = sign_in
    mine = people.list_memberships(tx, who.person_id or 0, today)
    chosen = next((row for row in mine if row.id == membership_id), None)
    if chosen is None:
        raise NotAllowed("这不是您的身份。")
    if membership_id == present:
        return
    people.switch_membership(tx, sign_in_id, who.person_id or 0, membership_id)
    acting = Who(role=THE_DOOR.role, person_id=who.person_id, name=who.name)
    act = Act(
        "acts_as", "person", who.person_id, uscc=chosen.uscc, bank_id=chosen.bank_id, district=chosen.district,
        new=chosen.role,
    )  # fmt: skip
    trail.append(tx, acting, [act], now)


def open_demo_session(tx: Session, person_id: int, today: date, now: datetime, lasts: timedelta) -> OpenedSession:
    """A session for a person of the demo, without a password; only the demo's own persons can be had so."""
    person = people.find_demo_person(tx, person_id)
    if person is None:
        raise NotAllowed("没有这个演示身份。")
    return open_session(tx, person, today, now, lasts)


def add_person(tx: Session, who: Who, person: Person, membership: Membership, now: datetime) -> Person:
    """A new account. The operator may add anyone; a bank admin officers and admins of the own bank.

    Errors: NotAllowed for anyone else.
    """
    is_own_bank = who.role is Role.BANK_ADMIN and membership.bank_id == who.bank_id
    if not (who.role in {Role.OPERATOR, Role.SYSTEM} or is_own_bank):
        raise NotAllowed("您不能添加这样的用户。")
    added = people.add_person(tx, person, membership)
    if membership.uscc is not None:
        registrations.register_by_hand(tx, membership.uscc, membership.since_on)
    trail.append(tx, who, [Act("added", "person", added.id, bank_id=membership.bank_id, new=membership.role)], now)
    return added
