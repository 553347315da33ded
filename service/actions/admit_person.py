"""A deputy asks to act for a firm: whoever acts for it already, or an office where nobody does, says yes or no."""

from datetime import date, datetime

from sqlmodel import Session

from service.domain.errors import NotAllowed, NotFound
from service.domain.people import Role, Who
from service.domain.registration import RegistrationState
from service.store import notices, registrations, trail
from service.store.notices import Message
from service.store.trail import Act

DECIDERS = frozenset({Role.FIRM, Role.DISTRICT, Role.CITY})


def decide_registration(
    tx: Session, who: Who, registration_id: int, admits: bool, today: date, now: datetime
) -> RegistrationState:
    """Let the person act for the firm from today, or not; what was decided stays, whoever comes second is told.

    Errors: NotAllowed for banks and operators, NotFound for another firm's or another district's.
    """
    if who.role not in DECIDERS:
        raise NotAllowed("您不能确认企业的经办人。")
    found = registrations.find_sent(tx, registration_id)
    if found is None:
        raise NotFound("没有这份登记。")
    if found.state != RegistrationState.WAITING:
        return RegistrationState(found.state)
    state = RegistrationState.OPENED if admits else RegistrationState.REFUSED
    decision = {"state": state.value, "opened_on": today if admits else None, "by": who.person_id, "now": now}
    registrations.decide(tx, registration_id, decision)
    if admits:
        registrations.enter(tx, registration_id)
        notices.add(tx, [Message("person_joined", uscc=found.uscc, values={"name": found.name})], today, now)
    act = Act(
        "admit" if admits else "refuse", "registration", registration_id, uscc=found.uscc,
        district=found.district or None, old=found.state, new=state.value,
    )  # fmt: skip
    trail.append(tx, who, [act], now)
    return state
