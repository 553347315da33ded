"""The calendar the clocks follow: the published one, with the operator's days over it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.standards.calendar import PUBLISHED_UNTIL, Calendar
from service.store.memory import memory

CALENDAR = "calendar"
SET_DAYS = text("""
    INSERT INTO calendar_day ("on", is_working, note, changed_by, changed_at)
    VALUES (:day, :is_working, :note, :person_id, :now)
    ON CONFLICT ("on") DO UPDATE SET is_working = EXCLUDED.is_working, note = EXCLUDED.note,
        changed_by = EXCLUDED.changed_by, changed_at = EXCLUDED.changed_at
""")
WAITING = text("""
    SELECT l.id, l.demand_id, l.due_step, l.due_on, l.pushed_on, l.state_at, l.extended_on, l.contact_due_on,
           l.decision_due_on, l.papers_asked_on, l.paused_days, b.contact_days, b.decide_days
    FROM push_line l JOIN bank b ON b.id = l.bank_id
    WHERE l.closed_on IS NULL AND l.waits_for_calendar ORDER BY l.demand_id, l.id
""")


def calendar(tx: Session) -> Calendar:
    """The calendar as it stood when this transaction first asked, or last changed it."""
    known = memory(tx)
    if CALENDAR not in known:
        rows = tx.execute(text('SELECT "on", is_working FROM calendar_day'))
        known[CALENDAR] = Calendar({row.on: row.is_working for row in rows})
    days: Calendar = known[CALENDAR]
    return days


def set_days(tx: Session, days: Mapping[date, bool], note: str, person_id: int | None, now: datetime) -> None:
    """The operator's word on these days; it wins over the published calendar."""
    rows = [
        {"day": day, "is_working": works, "note": note, "person_id": person_id, "now": now}
        for day, works in sorted(days.items())
    ]
    if rows:
        tx.execute(SET_DAYS, rows)
        memory(tx).pop(CALENDAR, None)


def list_days(tx: Session) -> list[Row[Any]]:
    """The operator's days in order."""
    return list(tx.execute(text('SELECT * FROM calendar_day ORDER BY "on"')).all())


def list_waiting(tx: Session) -> list[Row[Any]]:
    """Open lines whose due date waits for the calendar."""
    return list(tx.execute(WAITING).all())


def published_until(tx: Session) -> date:
    """The last day up to which every day is known: the published years, and the operator's days right after them."""
    set_days_ahead = {row.on for row in list_days(tx) if row.on > PUBLISHED_UNTIL}
    day = PUBLISHED_UNTIL
    while day + timedelta(days=1) in set_days_ahead:
        day += timedelta(days=1)
    return day
