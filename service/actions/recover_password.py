"""A forgotten password of a person of a firm: six digits go to their own mobile, and whoever types them sets another.

The door says and does the same for every name that is typed: an unknown one gets a row that no code fits. Others are
helped by whoever keeps their accounts (`change_password.give_one_time_password`).
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service import security
from service.actions.send_messages import password_code_of
from service.domain.errors import NotAllowed, NotPossible
from service.domain.outgoing import CODE_MINUTES, MOST_CODE_TRIES, MOST_CODES_A_DAY
from service.domain.people import THE_DOOR, Person, Role, Who
from service.store import notices, outgoing, password_codes, people, queue, trail
from service.store.notices import Message
from service.store.trail import Act

HOUR, DAY, ONE_CLICK = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
ASKED_PER_ADDRESS = 60
"""A hall or a large firm's office comes from one address; an hour."""
VALID_FOR = timedelta(minutes=CODE_MINUTES)


@dataclass(frozen=True)
class Forgetful:
    """Who asks: the login name or mobile number typed, from where, at the machine's time."""

    named: str
    address: str
    at: datetime


@dataclass(frozen=True)
class NewOne:
    """What is typed when the code has come."""

    code: str
    password: str


class AlreadyUsed(NotPossible):
    """The code did what it was for: the password is another already."""


def ask_code(tx: Session, token: str, asked: Forgetful, secret: str, today: date, now: datetime) -> None:
    """A code goes to the mobile of whoever is named, if it is a person of firms alone. Asked twice at once is once.

    Errors: NotAllowed where this name or this address asked too often, known or not.
    """
    digest = security.keyed_digest(secret, "forgotten", asked.named)
    password_codes.wait_for(tx, digest)
    before = password_codes.lock(tx, security.hash_token(token))
    if before is not None and before.named_digest == digest and _is_one_click(before, asked.at):
        return
    _count(tx, f"password-code:{digest}", MOST_CODES_A_DAY, DAY, asked.at)
    _count(tx, f"password-code-from:{asked.address}", ASKED_PER_ADDRESS, HOUR, asked.at)
    person = _who_may(tx, asked, today)
    message_id = outgoing.queue_password_code(tx, person.id or 0, today, now) if person is not None else None
    key = password_codes.keep(
        tx, security.hash_token(token), named_digest=digest, person_id=person.id if person is not None else None,
        message_id=message_id, salt=secrets.token_hex(16), asked_at=asked.at,
    )  # fmt: skip
    queue.defer_in(tx, queue.MESSAGES, once=queue.MESSAGES)
    trail.append(tx, THE_DOOR, [Act("code_asked", "password_code", key)], asked.at)


def set_forgotten(
    tx: Session, token: str, typed: NewOne, secret: str, today: date, now: datetime, at: datetime
) -> str | NotPossible:
    """The code came back: another password from now on, every session ends, the firm is told; the login name.

    Else why not, handed back so that a wrong try stays counted. `at` is the machine's time.
    Errors: NotPossible for a weak password, which costs no try; AlreadyUsed.
    """
    found = password_codes.lock(tx, security.hash_token(token))
    if found is None:
        raise NotPossible("请先获取验证码。", field="code")
    if found.used_at is not None:
        raise AlreadyUsed("这个验证码已经用过，密码已改好：请用新密码登录。")
    _check_strength(typed.password, "")
    if at - found.asked_at > VALID_FOR or found.tries >= MOST_CODE_TRIES:
        return NotPossible("验证码已失效，请重新获取。", field="code")
    person = _person_of(tx, found, today)
    if not security.same(typed.code, code_for(secret, found, person)) or person is None:
        password_codes.count_try(tx, found.id)
        return NotPossible("验证码不对，请核对后再填。", field="code")
    _check_strength(typed.password, person.login)
    _change(tx, person, typed.password, today, now, at)
    password_codes.use(tx, found.id, at)
    return person.login


def code_for(secret: str, found: Row[Any], person: Person | None) -> str:
    """The code that fits; where there is nobody, one that nobody is sent."""
    return password_code_of(secret, found.person_id or 0, found.salt, person.password_hash if person else "")


def _change(tx: Session, person: Person, password: str, today: date, now: datetime, at: datetime) -> None:
    person_id = person.id or 0
    people.set_password(tx, person_id, security.hash_password(password), None)
    people.end_other_sign_ins(tx, person_id, None, at)
    people.note_attempt(tx, f"login:{person.login[:64]}", at, succeeded=True)
    firms = [row.uscc for row in people.list_memberships(tx, person_id, today)]
    told = [Message("password_reset", uscc=uscc, values={"name": person.name}) for uscc in firms]
    notices.add(tx, told, today, now)
    acting = Who(role=THE_DOOR.role, person_id=person_id, name=person.name)
    trail.append(tx, acting, [Act("password_reset", "person", person_id)], at)


def _who_may(tx: Session, asked: Forgetful, today: date) -> Person | None:
    """The person who is sent a code. Who asked under several names too often today is sent none; nobody is told."""
    person = people.find_by_mobile(tx, asked.named) or people.find_by_login(tx, asked.named)
    if person is None or not _is_of_firms_alone(tx, person, today):
        return None
    subject = f"password-code-of:{person.id}"
    if people.failures_since(tx, subject, asked.at - DAY) >= MOST_CODES_A_DAY:
        return None
    people.note_attempt(tx, subject, asked.at, succeeded=False)
    return person


def _person_of(tx: Session, found: Row[Any], today: date) -> Person | None:
    """Who the code was sent to, if they may still use it."""
    if found.person_id is None:
        return None
    person = people.get_person(tx, found.person_id)
    return person if _is_of_firms_alone(tx, person, today) else None


def _is_of_firms_alone(tx: Session, person: Person, today: date) -> bool:
    """A bank's or an office's account is never opened by a telephone: its keepers know whom they speak to."""
    roles = {row.role for row in people.list_memberships(tx, person.id or 0, today)}
    return person.is_active and roles == {Role.FIRM.value}


def _is_one_click(before: Row[Any], at: datetime) -> bool:
    return before.used_at is None and at - before.asked_at < ONE_CLICK


def _check_strength(password: str, login: str) -> None:
    weakness = security.weakness_of(password, login)
    if weakness is not None:
        raise NotPossible(weakness, field="new")


def _count(tx: Session, subject: str, most: int, within: timedelta, at: datetime) -> None:
    """One more of this subject, or NotAllowed."""
    if people.failures_since(tx, subject, at - within) >= most:
        if within > HOUR:
            raise NotAllowed("今天获取验证码的次数过多，请明天再试，或联系平台运维人员。", field="named")
        raise NotAllowed("尝试次数过多，请一小时后再试。", field="named")
    people.note_attempt(tx, subject, at, succeeded=False)
