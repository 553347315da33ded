"""Lines by their clocks, for who looks after the platform: which runs, until when, what moved it, what came next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound

ONLY = {
    "running": "l.closed_on IS NULL AND l.due_on IS NOT NULL",
    "reminded": "l.closed_on IS NULL AND l.reminded_of = l.due_on",
    "overdue": "l.closed_on IS NULL AND l.due_on < :today",
    "calendar": "l.closed_on IS NULL AND l.waits_for_calendar",
    "silent": "l.state = 'silent'",
    "all": "true",
}
"""Which lines, by the state of their clock."""
FOUND = """
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN demand d ON d.id = l.demand_id
    WHERE (:query = '' OR d.number = :query OR l.id::text = :query)
"""
LINE = text("""
    SELECT l.id, l.demand_id, l.uscc, l.bank_id, l.district, l.state, l.state_at, l.pushed_on, l.due_step, l.due_on,
           l.closed_on, l.waits_for_calendar, l.contact_due_on, l.decision_due_on, l.papers_asked_on, l.paused_days,
           l.extended_on, l.reminded_of, coalesce(l.p_offer, l.p_grant) AS p_offer, l.rank,
           b.name AS bank_name, b.contact_days, b.decide_days, d.number AS demand_number,
           s.cause, s.number AS list_number, s.certificate_id,
           coalesce((SELECT max(answered_on) FROM answer WHERE line_id = l.id AND kind = 'contacted'), l.pushed_on)
               AS file_complete_on
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN demand d ON d.id = l.demand_id
    JOIN push_list s ON s.id = l.list_id
    WHERE l.id = :id
""")
HAPPENED = text("""
    SELECT at, verb, new, actor FROM trail
    WHERE demand_id = :demand_id AND noun = 'push_line' AND noun_id = :id AND verb <> 'looked'
    UNION ALL
    SELECT made_at, 'due_soon', NULL, CASE WHEN bank_id IS NULL THEN 'firm' ELSE 'officer' END FROM notice
    WHERE line_id = :id AND kind = 'due_soon' ORDER BY 1
""")
SINCE = text("""
    SELECT l.id, l.pushed_on, coalesce(l.p_offer, l.p_grant) AS p_offer, l.state, b.name AS bank_name
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN push_list s ON s.id = l.list_id
    WHERE l.demand_id = :demand_id AND l.id > :id AND s.certificate_id <> :certificate_id ORDER BY l.id
""")
PLANS = text("""
    SELECT obstacle, measure, owner, next_on, opened_on FROM follow_up
    WHERE demand_id = :demand_id AND closed_on IS NULL
      AND obstacle IN ('consent_needed', 'no_bank_left', 'chance_too_low') ORDER BY id
""")


@dataclass(frozen=True)
class Wanted:
    """Which lines: by their clock (`ONLY`), or by the number of a line or of its demand."""

    only: str = "running"
    query: str = ""
    offset: int = 0
    limit: int = 50


def list_clocks(tx: Session, wanted: Wanted, today: date) -> tuple[Sequence[Row[Any]], int]:
    """One page of lines, those due first first, and how many there are in all; no word of the firm."""
    values = {"query": wanted.query, "today": today}
    where = f"{FOUND} AND {ONLY['all' if wanted.query else wanted.only]}"
    total = tx.execute(text(f"SELECT count(*) {where}"), values).scalar_one()
    rows = tx.execute(
        text(
            "SELECT l.id, l.state, l.pushed_on, l.due_step, l.due_on, l.closed_on, l.waits_for_calendar, l.reminded_of,"
            f" b.name AS bank_name, d.number AS demand_number {where}"
            " ORDER BY l.closed_on DESC NULLS FIRST, l.due_on NULLS LAST, l.id LIMIT :limit OFFSET :offset"
        ),
        {**values, "limit": wanted.limit, "offset": wanted.offset},
    ).all()
    return rows, int(total)


def get(tx: Session, line_id: int) -> Row[Any]:
    """One line with everything its clock counts from, or NotFound."""
    row = tx.execute(LINE, {"id": line_id}).one_or_none()
    if row is None:
        raise NotFound("没有找到这个推送项。")
    return row


def list_happened(tx: Session, line: Row[Any]) -> Sequence[Row[Any]]:
    """What the trail says of a line, and the reminders that were sent, in the order of time."""
    return tx.execute(HAPPENED, {"id": line.id, "demand_id": line.demand_id}).all()


def list_since(tx: Session, line: Row[Any]) -> Sequence[Row[Any]]:
    """The lines its demand got in later sharings out than this one."""
    values = {"id": line.id, "demand_id": line.demand_id, "certificate_id": line.certificate_id}
    return tx.execute(SINCE, values).all()


def list_plans(tx: Session, line: Row[Any]) -> Sequence[Row[Any]]:
    """The open plans of its demand for want of a bank."""
    return tx.execute(PLANS, {"demand_id": line.demand_id}).all()
