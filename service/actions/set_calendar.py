"""The operator says of a day whether it is worked; due dates that waited for it are computed at once."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from service.actions.settle_demand import settling
from service.clock import day_of
from service.domain import line_clock
from service.domain.clocks import clock
from service.domain.errors import NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.domain.standards.calendar import Calendar
from service.store import calendar as calendars
from service.store import objections, standing, trail
from service.store.bulk import change_rows
from service.store.trail import Act

MOST_DAYS = 400


def set_days(tx: Session, who: Who, days: Mapping[date, bool], note: str, today: date, now: datetime) -> int:
    """Set the days (True: worked); how many lines got the due date they waited for."""
    if who.role is not Role.OPERATOR and not who.is_platform:
        raise NotAllowed("只有运行人员可以修改工作日历。")
    if not days or len(days) > MOST_DAYS:
        raise NotPossible("一次请设置 1 至 {most} 天。", field="days", most=MOST_DAYS)
    calendars.set_days(tx, days, note[:120], who.person_id, now)
    details = {"worked": sum(days.values()), "free": len(days) - sum(days.values())}
    span = f"{min(days)}/{max(days)}"
    trail.append(tx, who, [Act("set", "calendar", new=span, details=details)], now)
    return recompute_waiting(tx, who, today, now)


def recompute_waiting(tx: Session, who: Who, today: date, now: datetime) -> int:
    """Give every open line that waits for the calendar its due date, where it is known now; how many got one."""
    calendar = calendars.calendar(tx)
    waiting = calendars.list_waiting(tx)
    standing.lock(tx, [line.demand_id for line in waiting])
    _date_objections(tx, calendar)
    rows = []
    for line in waiting:
        columns = _clock_of(line, calendar)
        if columns and columns["due_on"] is not None:
            rows.append({"id": line.id, "contact_due_on": line.contact_due_on, **columns})
    by_shape: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        by_shape.setdefault(tuple(row), []).append(row)
    for group in by_shape.values():
        change_rows(tx, "push_line", "id", group)
    due = {row["id"] for row in rows}
    touched = [line.demand_id for line in waiting if line.id in due]
    trail.append(tx, who, settling(tx, who, touched, today, now, "calendar_published"), now)
    return len(rows)


def _date_objections(tx: Session, calendar: Calendar) -> None:
    """Objections that wait for the calendar get the day their answer is due."""
    rows = []
    for one in objections.list_waiting(tx):
        step = "objection" if one.asked_on is None else "objection_checked"
        due_on = clock(step, one.raised_on).after(one.raised_on, calendar)
        if due_on is not None:
            rows.append({"id": one.id, "due_on": due_on, "waits_for_calendar": False})
    objections.change(tx, rows)


def _clock_of(line: Any, calendar: Calendar) -> line_clock.Columns | None:
    """The waiting clock counted again from the day it started."""
    if line.due_step == "grant":
        return line_clock.from_acceptance(day_of(line.state_at), calendar)
    if line.due_step == "contact":
        columns = line_clock.from_push(line.pushed_on, line.contact_days, calendar)
        if line.extended_on is None or columns["due_on"] is None:
            return columns
        due = clock("extension", line.extended_on).after(columns["due_on"], calendar)
        return line_clock.running("contact", due, contact_due_on=due)
    if line.due_step == "decision" and line.decision_due_on is not None:
        due = clock("extension", line.extended_on or line.pushed_on).after(line.decision_due_on, calendar)
        return line_clock.running("decision", due, decision_due_on=due)
    return None
