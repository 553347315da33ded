"""What was agreed on a visit becomes a follow-up of the firm's open demand, with the visitor as its owner."""

from datetime import date, datetime

from sqlmodel import Session

from service.actions.act_together import settling_each
from service.domain.demand import Actor
from service.domain.errors import NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.domain.visit import VisitState
from service.store import demands, follow_ups, trail, visits
from service.store.trail import Act

AGREED = "agreed_on_visit"


def follow_visit(tx: Session, who: Who, visit_id: int, today: date, now: datetime) -> int:
    """Open it, or find the one that was opened before; its key.

    Errors: NotPossible without an open demand (a firm reports for itself: the team can only invite), without anything
    agreed, or where the next date has passed.
    """
    if who.role is not Role.DISTRICT:
        raise NotAllowed("走访由区县专班安排和记录。")
    row = visits.lock(tx, who, [visit_id]).get(visit_id)
    if row is None:
        raise NotFound("没有这次走访。")
    if row.follow_up_id is not None:
        return int(row.follow_up_id)
    demand_id = visits.get(tx, who, visit_id).demand_id
    if row.state != VisitState.MADE or not row.promised or row.next_on is None:
        raise NotPossible("请先在走访记录里写明约定的事项和下次日期。")
    if demand_id is None:
        raise NotPossible("企业没有进行中的需求。需求由企业自己申报，请把申报链接发给企业。")
    if row.next_on <= today:
        raise NotPossible("下次日期已过，请先更正走访记录。")
    demands.lock(tx, [demand_id])
    there = follow_ups.open_of(tx, [demand_id]).get(demand_id, [])
    known = next((one.id for one in there if one.obstacle == AGREED), None)
    if known is None:
        opened = {
            "demand_id": demand_id, "uscc": row.uscc, "district": row.district, "obstacle": AGREED,
            "office": "区县工作专班", "measure": row.promised, "owner": Actor.DISTRICT.value,
            "owner_person_id": who.person_id, "assigned_by": who.person_id, "assigned_at": now,
            "next_on": row.next_on, "opened_on": today,
        }  # fmt: skip
        (known,) = follow_ups.add(tx, [opened])
        whose = {"demand_id": demand_id, "uscc": row.uscc, "district": row.district}
        act = Act("open", "follow_up", known, new="open", details={"obstacle": AGREED, "visit_id": row.id}, **whose)
        settled = settling_each(tx, {demand_id: who}, today, now, "follow_up_open")
        trail.append_each(tx, [(who, act), *settled], now)
    visits.change(tx, [{"id": row.id, "follow_up_id": known}])
    return int(known)
