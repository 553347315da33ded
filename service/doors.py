"""Who comes in, in which transaction, on which day: FastAPI dependencies, read like permission statements.

`Tx` commits before the answer leaves (`scope="function"`): with the default scope the client hears 'received' before
the demand is stored, and even when storing it fails. `seat` is the turnstile: as many people inside as connections.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

import anyio
from fastapi import Depends, Request
from sqlmodel import Session

from service import security
from service.accelerator import Accelerator
from service.clock import Clock, machine_now
from service.domain.errors import DomainError, NotAllowed
from service.domain.people import BANK_ROLES, OFFICIAL_ROLES, THE_DOOR, Role, Who
from service.settings import Settings
from service.store import people
from service.store.database import Database

COOKIE = "xindeng"


class NotSignedIn(DomainError):
    """Nobody came in: sign in first."""

    code = "not_signed_in"


class MustChangePassword(DomainError):
    """Somebody else knows the password one came in with: it is changed before anything else is done."""

    code = "must_change_password"


@dataclass(frozen=True)
class House:
    """What the running process was built with; it stands in `app.state.house`."""

    settings: Settings
    database: Database
    clock: Clock
    seats: anyio.CapacityLimiter
    accelerator: Accelerator


@dataclass(frozen=True)
class Visitor:
    """Someone with an open session: who they act as, and the token their forms must carry."""

    who: Who
    sign_in_id: int
    membership_id: int
    form_token: str
    must_change_password: bool = False


def house_of(request: Request) -> House:
    """The house this request came to."""
    house: House = request.app.state.house
    return house


TheHouse = Annotated[House, Depends(house_of)]


async def seat(house: TheHouse) -> AsyncIterator[None]:
    """No more people inside than connections; the others wait on the event loop, where waiting is free."""
    async with house.seats:
        yield


def cookie_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this host and to https, where there is https."""
    return f"__Host-{COOKIE}" if settings.is_https else COOKIE


def now_of(house: TheHouse) -> datetime:
    return house.clock.now()


def today_of(house: TheHouse) -> date:
    return house.clock.today()


Now = Annotated[datetime, Depends(now_of)]
Today = Annotated[date, Depends(today_of)]


def visitor_of(request: Request, house: TheHouse, today: Today) -> Visitor | None:
    """The person behind the session cookie, or None. A cookie alone never opens the JSON API's bank doors."""
    token = request.cookies.get(cookie_name(house.settings))
    if not token:
        return None
    with house.database.transaction(THE_DOOR) as tx:
        found = people.comes_in(
            tx,
            security.hash_token(token),
            today,
            machine_now(),
            timedelta(minutes=house.settings.session_idle_minutes),
        )
    if found is None:
        return None
    who = Who(Role(found.role), found.person_id, found.name, found.uscc, found.bank_id, found.district)
    visitor = Visitor(who, found.id, found.membership_id, found.form_token, found.must_change_password)
    request.state.visitor = visitor
    return visitor


MaybeVisitor = Annotated[Visitor | None, Depends(visitor_of)]


def machine_of(request: Request, house: TheHouse) -> Who | None:
    """A machine behind `Authorization: Bearer xdk_…`, or None where no key is presented.

    Errors: NotSignedIn for a key that opens nothing.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        return None
    prefix = security.prefix_of(key)
    with house.database.transaction(THE_DOOR) as tx:
        known = people.find_api_key(tx, prefix) if prefix else None
        if known is None or not security.same(known.key_hash, security.hash_token(key)):
            raise NotSignedIn("接口密钥无效或已停用。")
        return Who(Role(known.role), None, known.name, known.uscc, known.bank_id, known.district)


Machine = Annotated[Who | None, Depends(machine_of)]


def anyone(visitor: MaybeVisitor, machine: Machine) -> Who:
    """Whoever is signed in, by key or by session; with a one-time password one gets no further than changing it."""
    if machine is not None:
        return machine
    if visitor is None:
        raise NotSignedIn("请先登录。")
    if visitor.must_change_password:
        raise MustChangePassword("您用的是一次性密码，请先换成自己的密码。")
    return visitor.who


Anyone = Annotated[Who, Depends(anyone)]


def only(*roles: Role) -> Callable[[Who], Who]:
    """A door for these roles."""

    def door(who: Anyone) -> Who:
        if who.role not in roles:
            raise NotAllowed("您的身份不能使用这一页。")
        return who

    return door


AFirm = Annotated[Who, Depends(only(Role.FIRM))]
AnOfficer = Annotated[Who, Depends(only(*BANK_ROLES))]
ABankAdmin = Annotated[Who, Depends(only(Role.BANK_ADMIN))]
AnOfficial = Annotated[Who, Depends(only(*OFFICIAL_ROLES))]
ADistrictOfficial = Annotated[Who, Depends(only(Role.DISTRICT))]
ACityOfficial = Annotated[Who, Depends(only(Role.CITY))]
AnOperator = Annotated[Who, Depends(only(Role.OPERATOR))]


def transaction_of(house: TheHouse, who: Anyone) -> Iterator[Session]:
    """One transaction for the request, as the person who makes it."""
    with house.database.transaction(who) as tx:
        yield tx


def door_transaction_of(house: TheHouse) -> Iterator[Session]:
    """The door's own transaction: sees sign-ins, nothing else."""
    with house.database.transaction(THE_DOOR) as tx:
        yield tx


Tx = Annotated[Session, Depends(transaction_of, scope="function")]
DoorTx = Annotated[Session, Depends(door_transaction_of, scope="function")]
