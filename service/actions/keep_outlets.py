"""A bank's admin keeps its outlets: opens and ends them, says who belongs where and whose the new lines are."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import NotAllowed, NotFound
from service.domain.people import Role, Who
from service.store import accounts, outlets, trail
from service.store.trail import Act


def open_outlet(tx: Session, who: Who, name: str, district: str, today: date, now: datetime) -> int:
    """A new outlet in a district; its key. Errors: NotAllowed, Conflict for a name the bank has."""
    _only_admin(who)
    key = outlets.add(tx, who, name, district, today)
    trail.append(tx, who, [Act("outlet_opened", "outlet", key, bank_id=who.bank_id, details={"name": name})], now)
    return key


def set_intake(tx: Session, who: Who, outlet_id: int, takes: bool, today: date, now: datetime) -> None:
    """Whether new lines of its district, from today on, are this outlet's as long as nobody has taken them.

    Errors: NotAllowed, NotFound, Conflict where another outlet of the district has them.
    """
    _only_admin(who)
    outlet = outlets.lock(tx, who, outlet_id)
    if takes == (outlet.takes_since_on is not None):
        return
    outlets.set_takes(tx, outlet_id, today if takes else None)
    trail.append(tx, who, [_act("outlet_takes", outlet, {"takes": takes})], now)


def end_outlet(tx: Session, who: Who, outlet_id: int, today: date, now: datetime) -> None:
    """End an outlet; its people and their lines stay with the bank. Errors: NotAllowed, NotFound (also when ended)."""
    _only_admin(who)
    outlet = outlets.lock(tx, who, outlet_id)
    outlets.end(tx, outlet_id, today)
    trail.append(tx, who, [_act("outlet_ended", outlet, {})], now)


def place_person(tx: Session, who: Who, person_id: int, outlet_id: int | None, today: date, now: datetime) -> None:
    """A person of the bank belongs to an outlet, or to none. Errors: NotAllowed, NotFound for another bank's."""
    _only_admin(who)
    if person_id not in accounts.names_of_bank(tx, who, today):
        raise NotFound("本行没有这位经办人。")
    if outlet_id is not None:
        outlets.lock(tx, who, outlet_id)
    old = next((row.outlet_id for row in outlets.list_members(tx, who) if row.person_id == person_id), None)
    if old == outlet_id:
        return
    outlets.place(tx, who, person_id, outlet_id)
    act = Act("placed", "person", person_id, bank_id=who.bank_id, details={"from": old, "to": outlet_id})
    trail.append(tx, who, [act], now)


def _only_admin(who: Who) -> None:
    if who.role is not Role.BANK_ADMIN:
        raise NotAllowed("只有本行管理员可以管理网点。")


def _act(verb: str, outlet: Row[Any], details: dict[str, Any]) -> Act:
    return Act(verb, "outlet", outlet.id, bank_id=outlet.bank_id, details=details)
