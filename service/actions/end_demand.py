"""A demand ends before any grant: the firm takes it back, or stays silent until it expires."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.settle_demand import close_lines, settle_demands
from service.domain.clocks import clock
from service.domain.demand import BEFORE_GRANT, DemandState, may_become
from service.domain.errors import Conflict, NotAllowed, NotFound
from service.domain.people import Role, Who
from service.domain.push_list import LineState
from service.domain.standards.calendar import Calendar
from service.profiles.tools import Tools
from service.store import demands, follow_ups, notices, trail, verdicts
from service.store.notices import Message
from service.store.trail import Act

S = DemandState
ACT_FOR_A_FIRM = frozenset({Role.FIRM, Role.SYSTEM})


def withdraw_demand(tx: Session, who: Who, demand_id: int, today: date, now: datetime) -> None:
    """Take a demand back: its open lines end and the banks are told. A second time changes nothing."""
    row = own_demand(tx, who, demand_id)
    if row.state == S.WITHDRAWN:
        return
    if row.state not in BEFORE_GRANT:
        raise Conflict("这笔需求已授信或已结束，不能撤回。", state=row.state)
    settle_demands(tx, who, end_demands(tx, who, [row], S.WITHDRAWN, "withdraw", today, now), today, now, "withdraw")


def expire_demands(tx: Session, who: Who, tools: Tools, today: date, now: datetime) -> tuple[int, int]:
    """Warn firms that have been silent for long, and end the demands of those that stayed silent; (warned, ended).

    A demand a bank has to answer does not expire. The warning always stands for its whole term.
    """
    if who.role is not Role.SYSTEM:
        raise NotAllowed("到期由平台自动处理。")
    day = tools.policy.on(today)
    silence, warning = day.clock("firm_silence").length, day.clock("firm_silence_warning").length
    over = demands.lock_silent(tx, today - timedelta(days=silence), today - timedelta(days=warning))
    ended = end_demands(tx, who, over, S.EXPIRED, "expire", today, now)
    settle_demands(tx, who, ended, today, now, "expire")
    soon = demands.lock_silent(tx, today - timedelta(days=silence - warning), None)
    demands.change(tx, [{"id": row.id, "warned_on": today} for row in soon])
    last_day = (today + timedelta(days=warning)).isoformat()
    told = [Message("demand_expires", uscc=row.uscc, demand_id=row.id, values={"on": last_day}) for row in soon]
    notices.add(tx, told, today, now)
    trail.append(tx, who, [_act("warn", row) for row in soon], now)
    return len(soon), len(over)


def ends_on(warned_on: date) -> date:
    """The day a demand ends whose firm was warned and stays silent; any act of the firm on it counts anew."""
    return clock("firm_silence_warning", warned_on).surely_after(warned_on, Calendar())


def end_demands(
    tx: Session, who: Who, rows: Sequence[Row[Any]], state: DemandState, cause: str, today: date, now: datetime
) -> list[int]:
    """End locked demands with their lines, reviews and follow-ups; their keys, to be settled by the caller."""
    for row in rows:
        if not may_become(S(row.state), state, who.role):
            raise NotAllowed("融资需求不能由“{old}”变为“{new}”。", old=row.state, new=state.value)
    ids = [row.id for row in rows]
    close_lines(tx, who, demands.open_lines(tx, ids), LineState.WITHDRAWN, today, now, cause)
    demands.change(tx, [{"id": row.id, "state": state, "closed_on": today} for row in rows])
    acts = [_act(cause, row, row.state, state) for row in rows]
    acts += _close_reviews(tx, ids, now) + _close_follow_ups(tx, ids, state, today)
    notices.add(tx, [Message(f"demand_{state}", uscc=row.uscc, demand_id=row.id) for row in rows], today, now)
    trail.append(tx, who, acts, now)
    return ids


def _close_reviews(tx: Session, ids: Sequence[int], now: datetime) -> list[Act]:
    waiting = list(verdicts.open_reviews(tx, ids).values())
    verdicts.decide_reviews(tx, [row.id for row in waiting], "noted", "", None, now)
    return [
        Act("close", "review", row.id, row.demand_id, row.uscc, None, row.district, "open", "noted") for row in waiting
    ]


def _close_follow_ups(tx: Session, ids: Sequence[int], state: DemandState, today: date) -> list[Act]:
    there = [row for rows in follow_ups.open_of(tx, ids).values() for row in rows]
    follow_ups.change(tx, [{"id": row.id, "closed_on": today, "outcome": f"demand_{state}"} for row in there])
    return [
        Act("close", "follow_up", row.id, row.demand_id, row.uscc, None, row.district, "open", "closed")
        for row in there
    ]


def own_demand(tx: Session, who: Who, demand_id: int) -> Row[Any]:
    """The firm's own demand, locked; the platform acts for a firm that came in person."""
    return own_of(lock_own(tx, [(who, demand_id)]), who, demand_id)


def lock_own(tx: Session, asked: Sequence[tuple[Who, int]]) -> dict[int, Row[Any]]:
    """Demand → itself, locked, of those asked for (who, demand) by people whose demands they may be."""
    ids = [demand_id for who, demand_id in asked if who.role in ACT_FOR_A_FIRM]
    return {row.id: row for row in demands.lock(tx, ids)} if ids else {}


def own_of(there: Mapping[int, Row[Any]], who: Who, demand_id: int) -> Row[Any]:
    """The demand among those locked, or why it is not for `who` to change."""
    if who.role not in ACT_FOR_A_FIRM:
        raise NotAllowed("只有企业本人可以修改自己的融资需求。")
    if demand_id not in there or not demands.is_within(there[demand_id], who):
        raise NotFound("没有这笔融资需求。")
    return there[demand_id]


def _act(verb: str, row: Row[Any], old: str | None = None, new: str | None = None) -> Act:
    return Act(verb, "demand", row.id, demand_id=row.id, uscc=row.uscc, district=row.district, old=old, new=new)
