"""Let a person sign in, as one role for one firm, one bank, one district or the city: `xindeng user add`."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from service import security
from service.actions.sign_in import add_person
from service.clock import day_of
from service.domain.errors import Conflict, NotPossible
from service.domain.people import BANK_ROLES, Membership, Person, Role, Who
from service.store import people

SCOPE_OF = {Role.FIRM: "uscc", Role.OFFICER: "bank", Role.BANK_ADMIN: "bank", Role.DISTRICT: "district"}
ROLES = frozenset({*SCOPE_OF, Role.CITY, Role.OPERATOR})


@dataclass(frozen=True)
class NewAccount:
    """What is asked for; `bank` is the bank's code, `district` a reporting area's."""

    login: str
    name: str
    role: str
    password: str
    uscc: str | None = None
    bank: str | None = None
    district: str | None = None


def add_account(tx: Session, who: Who, account: NewAccount, now: datetime) -> Person:
    """A person with a password and a first role.

    Errors: NotPossible for an unknown role, a wrong scope, a weak password; Conflict for a taken login.
    """
    role = _role(account)
    weakness = security.weakness_of(account.password, account.login)
    if weakness is not None:
        raise NotPossible(weakness, field="password")
    if people.find_by_login(tx, account.login) is not None:
        raise Conflict("登录名 {login} 已有人使用。", field="login", login=account.login)
    person = Person(
        login=account.login,
        name=account.name,
        password_hash=security.hash_password(account.password),
        created_at=now,
    )
    membership = Membership(
        person_id=0,
        role=role.value,
        uscc=account.uscc,
        bank_id=people.get_bank_id(tx, account.bank or "") if role in BANK_ROLES else None,
        district=account.district,
        since_on=day_of(now),
    )
    return add_person(tx, who, person, membership, now)


def _role(account: NewAccount) -> Role:
    if account.role not in ROLES:
        raise NotPossible("没有这种角色：{role}", field="role", role=account.role)
    role = Role(account.role)
    scopes = {"uscc": account.uscc, "bank": account.bank, "district": account.district}
    given = {name for name, value in scopes.items() if value}
    wanted = {SCOPE_OF[role]} if role in SCOPE_OF else set()
    if given != wanted:
        raise NotPossible(
            "角色 {role} 需要且只需要：{scope}", field="role", role=role.value, scope=", ".join(wanted) or "—"
        )
    return role
