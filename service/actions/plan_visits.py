"""A team plans where it goes: a base list of firms chosen by a filter or by name, a day, who goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from service.actions.team_work import must_be_of_team
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.domain.visit import MOST_FIRMS, VisitState
from service.store import trail, visits
from service.store.trail import Act
from service.store.visits import Chosen


@dataclass(frozen=True)
class PlanForm:
    """A plan as it is sent; `form_key` is the form's own, so that sent twice it makes one plan."""

    area: str
    planned_on: date
    person_id: int
    firms: tuple[str, ...]
    chosen: Chosen
    form_key: str
    companions: str = ""


def plan_visits(tx: Session, who: Who, form: PlanForm, today: date, now: datetime) -> int:
    """Make the plan and a visit for each of its firms; its key. Sent again it is the same plan."""
    district = _district_of(who)
    firms = tuple(dict.fromkeys(form.firms))
    _check(tx, form, firms, district, today)
    plan = {
        "district": district, "area": form.area, "planned_on": form.planned_on, "companions": form.companions,
        "chosen": form.chosen.as_document(), "form_key": form.form_key, "made_by": who.person_id, "made_at": now,
    }  # fmt: skip
    key = visits.add_plan(tx, plan)
    if key is None:
        made = visits.find_plan_of_form(tx, form.form_key)
        if made is None:
            raise Conflict("这份表单已经用过，请重新打开页面。")
        return made
    whose = {"plan_id": key, "district": district, "person_id": form.person_id, "state": VisitState.PLANNED.value}
    blank = {"version": 0, "obstacles": [], "promised": "", "note": ""}
    visits.add(tx, [{"uscc": uscc} | whose | blank for uscc in firms])
    told = {"firms": len(firms), "person_id": form.person_id}
    trail.append(tx, who, [Act("planned", "visit_plan", key, district=district, details=told)], now)
    return key


def assign_visits(
    tx: Session, who: Who, visit_ids: Sequence[int], person_id: int | None, today: date, now: datetime
) -> int:
    """Give visits still to be made to one of the team, or back to it (None); all or none; how many changed hands."""
    district = _district_of(who)
    wanted = list(dict.fromkeys(visit_ids))
    there = visits.lock(tx, who, wanted)
    if not wanted or len(there) < len(wanted):
        raise NotFound("没有这次走访。")
    if any(row.state == VisitState.MADE for row in there.values()):
        raise Conflict("已经走访过的企业不能再改派。")
    must_be_of_team(tx, {district}, person_id, today)
    moving = [row for row in there.values() if row.person_id != person_id]
    visits.change(tx, [{"id": row.id, "person_id": person_id} for row in moving])
    acts = [
        Act("assign", "visit", row.id, uscc=row.uscc, district=district,
            details={"from": row.person_id, "person_id": person_id})
        for row in moving
    ]  # fmt: skip
    trail.append(tx, who, acts, now)
    return len(moving)


def _district_of(who: Who) -> str:
    if who.role is not Role.DISTRICT or who.district is None:
        raise NotAllowed("走访由区县专班安排和记录。")
    return who.district


def _check(tx: Session, form: PlanForm, firms: Sequence[str], district: str, today: date) -> None:
    if not firms:
        raise NotPossible("没有符合条件的企业，请放宽条件或写明信用代码。", field="firms")
    if len(firms) > MOST_FIRMS:
        raise NotPossible("一个计划最多 {most} 家企业。", field="most", most=MOST_FIRMS)
    if form.planned_on < today:
        raise NotPossible("走访日期不能早于今天。", field="planned_on")
    must_be_of_team(tx, {district}, form.person_id, today)
    own = visits.those_of_district(tx, firms, district)
    strangers = [uscc for uscc in firms if uscc not in own]
    if strangers:
        raise NotFound("本辖区没有这家存续企业：{code}。", field="firms", code=strangers[0])
