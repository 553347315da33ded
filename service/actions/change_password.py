"""A new password: one's own for the old one, or a one-time one for a colleague, to be changed as soon as it is used."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from service import security
from service.actions.sign_in import is_throttled
from service.domain.errors import NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.store import accounts, people, trail
from service.store.trail import Act

ONE_TIME_LASTS = timedelta(days=3)


@dataclass(frozen=True)
class NewPassword:
    """What somebody types: the old one proves that it is they; from where, for the throttle."""

    old: str
    new: str
    address: str


@dataclass(frozen=True)
class OneTime:
    """A one-time password as it is shown, once."""

    login: str
    name: str
    password: str
    until_at: datetime


def change_password(tx: Session, who: Who, typed: NewPassword, sign_in_id: int, now: datetime) -> bool:
    """One's own password is another from now on, and every other session of one's own ends; False for a wrong old one.

    The door's transaction: a wrong try is counted with those at the sign-in, whatever becomes of the rest.
    Errors: NotAllowed after too many tries, NotPossible for a password that is weak or no new one.
    """
    person = people.get_person(tx, who.person_id or 0)
    if is_throttled(tx, person.login, typed.address, now):
        raise NotAllowed("尝试次数过多，请五分钟后再试。", field="old")
    fits = security.is_password(typed.old, person.password_hash)
    people.note_attempt(tx, f"login:{person.login[:64]}", now, succeeded=fits)
    people.note_attempt(tx, f"address:{typed.address}", now, succeeded=fits)
    if not fits:
        return False
    weakness = security.weakness_of(typed.new, person.login)
    if weakness is not None:
        raise NotPossible(weakness, field="new")
    if typed.new == typed.old:
        raise NotPossible("新密码不能和原密码相同。", field="new")
    people.set_password(tx, who.person_id or 0, security.hash_password(typed.new), None)
    people.end_other_sign_ins(tx, who.person_id or 0, sign_in_id, now)
    trail.append(tx, who, [Act("password_changed", "person", who.person_id)], now)
    return True


def give_one_time_password(tx: Session, who: Who, membership_id: int, today: date, now: datetime) -> OneTime:
    """A colleague who cannot come in gets a password for one sign-in; their sessions end, the old password is gone.

    For the operator, and for a bank's admin over people who are of that bank alone. The door's transaction: only it
    sees what else the person is.
    Errors: NotAllowed, NotFound for another bank's, NotPossible for oneself or somebody who has left.
    """
    person_id = whose_password(tx, who, membership_id, today)
    person = people.get_person(tx, person_id)
    password = security.new_one_time_password()
    until_at = now + ONE_TIME_LASTS
    people.set_password(tx, person_id, security.hash_password(password), until_at)
    people.end_other_sign_ins(tx, person_id, None, now)
    told = {"until": until_at.isoformat()}
    trail.append(tx, who, [Act("password_given", "person", person_id, bank_id=who.bank_id, details=told)], now)
    return OneTime(person.login, person.name, password, until_at)


def whose_password(tx: Session, who: Who, membership_id: int, today: date) -> int:
    """The person whose password one may give anew; errors as above."""
    if who.role not in {Role.OPERATOR, Role.BANK_ADMIN}:
        raise NotAllowed("您不能重设别人的密码。")
    row = accounts.find_role(tx, membership_id)
    if row is None or (who.role is Role.BANK_ADMIN and row.bank_id != who.bank_id):
        raise NotFound("没有这个用户。")
    if row.person_id == who.person_id:
        raise NotPossible("自己的密码请在“修改密码”里改。")
    roles = people.list_memberships(tx, row.person_id, today)
    if all(one.id != membership_id for one in roles):
        raise NotPossible("这个身份已停用。")
    if who.role is Role.BANK_ADMIN and any(one.bank_id != who.bank_id for one in roles):
        raise NotAllowed("对方还有本行以外的身份，请由平台运维人员重设密码。")
    return int(row.person_id)
