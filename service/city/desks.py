"""The desks of the cast's first bank: an outlet that takes its district's new lines, and who stands in next week."""

from datetime import date, timedelta

from sqlmodel import Session

from service.actions.keep_outlets import open_outlet, place_person, set_intake
from service.actions.stand_in import name_stand_in
from service.clock import instant_on
from service.domain.people import Role, Who
from service.store import accounts, people

JINSHUI = "410105"


def share_desks(tx: Session, day: date) -> None:
    """What the bank's administrator set up by the evening of `day`."""
    login = people.find_by_login(tx, "demo-bao")
    roles = people.list_memberships(tx, login.id or 0, day) if login is not None else ()
    if not roles:
        return
    bao = Who(Role.BANK_ADMIN, roles[0].person_id, roles[0].name, bank_id=roles[0].bank_id)
    now = instant_on(day, 17)
    outlet = open_outlet(tx, bao, "金水支行", JINSHUI, day, now)
    set_intake(tx, bao, outlet, True, day, now)
    officers = [key for key in accounts.colleagues_of(tx, bao, day) if key != bao.person_id]
    for key in officers:
        place_person(tx, bao, key, outlet, day, now)
    monday = day + timedelta(days=7 - day.weekday())
    week = (monday, monday + timedelta(days=4))
    for key in officers[:1]:
        name_stand_in(tx, bao, key, bao.person_id or 0, week, day, now)
