"""What every piece of a team's work asks before it changes: who may work, who is of the team, what is a promise."""

from collections.abc import Iterable
from datetime import date

from sqlmodel import Session

from service.domain.errors import NotAllowed, NotFound, NotPossible
from service.domain.obstacle import Department
from service.domain.people import Who
from service.store import accounts


def must_work(who: Who) -> None:
    """NotAllowed for anyone who is neither an official nor the platform."""
    if not (who.is_official or who.is_platform):
        raise NotAllowed("由区县专班或市级人员办理。")


def must_be_of_team(tx: Session, districts: Iterable[str], person_id: int | None, today: date) -> None:
    """NotFound where the person is not of the team of each of these districts; nobody (None) is of every team."""
    if person_id is None:
        return
    if any(person_id not in accounts.names_of_district(tx, district, today) for district in districts):
        raise NotFound("本专班没有这位同事。")


def check_promise(department: str, promised_on: date | None, today: date, before: date | None) -> str:
    """The department's code; a new promise is for today or later, one that stands may stay though it was broken."""
    if department not in frozenset(Department):
        raise NotPossible("请选择责任部门。", field="department")
    if promised_on is not None and promised_on < today and promised_on != before:
        raise NotPossible("承诺日期不能早于今天。", field="promised_on")
    return department
