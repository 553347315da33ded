"""Push lists as the operator reads them: what became of each line, which would be recalled, which list was."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who

HELD = "EXISTS (SELECT 1 FROM held_answer h WHERE h.line_id = l.id AND h.state = 'held')"
TO_RECALL = f"(l.state IN ('pushed', 'received') AND l.closed_on IS NULL AND NOT {HELD})"
"""The bank has not answered, nor confirmed an answer that is about to count."""
LIST = f"""
    SELECT s.id, s.bank_id, s."on", s.number, s.cause, s.lines, s.amount_fen, s.certificate_id, s.content_hash,
           s.published_at, b.name AS bank_name, r.recalled_at, r.reason, r.lines AS recalled, r.stands, r.keeps_away,
           p.name AS recalled_by_name, w.to_recall, w.over, w.again
    FROM push_list s JOIN bank b ON b.id = s.bank_id LEFT JOIN push_list_recall r ON r.list_id = s.id
    LEFT JOIN person p ON p.id = r.recalled_by
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE {TO_RECALL}) AS to_recall,
               count(*) FILTER (WHERE l.closed_on IS NOT NULL) AS over,
               count(*) FILTER (WHERE l.state = 'recalled' AND EXISTS (
                   SELECT 1 FROM push_line n WHERE n.demand_id = l.demand_id AND n.id > l.id)) AS again
        FROM push_line l WHERE l.list_id = s.id) w
"""
ONE = text(f"{LIST} WHERE s.id = :id")
OF_DAY = text(f'{LIST} WHERE s."on" = :day ORDER BY b.name, s.number LIMIT :limit OFFSET :offset')
COUNT = text('SELECT count(*) FROM push_list WHERE "on" = :day')
DAYS = text("""
    SELECT (SELECT max("on") FROM push_list WHERE "on" < :day) AS earlier,
           (SELECT min("on") FROM push_list WHERE "on" > :day) AS later
""")
LINES = f"""
    SELECT l.id, l.state, l.amount_fen, l.closed_on, l.due_step, l.due_on, p.name AS product_name,
           d.number AS demand_number, {HELD} AS is_held, {TO_RECALL} AS is_to_recall, n.id AS next_id,
           n.bank_name AS next_bank
    FROM push_line l JOIN product p ON p.id = l.product_id JOIN demand d ON d.id = l.demand_id
    LEFT JOIN LATERAL (
        SELECT m.id, b.name AS bank_name FROM push_line m JOIN bank b ON b.id = m.bank_id
        WHERE l.state = 'recalled' AND m.demand_id = l.demand_id AND m.id > l.id ORDER BY m.id LIMIT 1) n ON true
    WHERE l.list_id = :id AND {{which}} ORDER BY l.rank, l.id LIMIT :limit OFFSET :offset
"""
WHICH = {
    "all": "true",
    "unanswered": TO_RECALL,
    "stands": f"l.state <> 'recalled' AND NOT {TO_RECALL}",
    "recalled": "l.state = 'recalled'",
}
"""Which lines of a list are asked for."""
ADD = text("""
    INSERT INTO push_list_recall (list_id, bank_id, reason, lines, stands, keeps_away, recalled_on, recalled_at,
                                  recalled_by)
    VALUES (:list_id, :bank_id, :reason, :lines, :stands, :keeps_away, :today, :now, :person_id)
""")


def list_of_day(tx: Session, day: date, limit: int, offset: int) -> tuple[Sequence[Row[Any]], int]:
    """A day's lists by bank, and how many there are: each with its recall, if any, and how many lines one would end."""
    rows = tx.execute(OF_DAY, {"day": day, "limit": limit, "offset": offset}).all()
    return rows, int(tx.execute(COUNT, {"day": day}).scalar_one())


def days_beside(tx: Session, day: date) -> tuple[date | None, date | None]:
    """The day before and the day after that have lists."""
    row = tx.execute(DAYS, {"day": day}).one()
    return row.earlier, row.later


def get_list(tx: Session, list_id: int) -> Row[Any]:
    """One list with its recall, or NotFound."""
    row = tx.execute(ONE, {"id": list_id}).one_or_none()
    if row is None:
        raise NotFound("没有找到这份推送清单。")
    return row


def list_lines(tx: Session, list_id: int, which: str, limit: int, offset: int = 0) -> tuple[Sequence[Row[Any]], int]:
    """Lines of a list (`WHICH`) in the order they were published, with where a recalled one went next; and how many."""
    values = {"id": list_id, "limit": limit, "offset": offset}
    rows = tx.execute(text(LINES.format(which=WHICH[which])), values).all()
    counted = text(f"SELECT count(*) FROM push_line l WHERE l.list_id = :id AND {WHICH[which]}")
    return rows, int(tx.execute(counted, {"id": list_id}).scalar_one())


def lines_of(tx: Session, list_id: int) -> list[int]:
    """The keys of all lines of a list."""
    return list(tx.execute(text("SELECT id FROM push_line WHERE list_id = :id ORDER BY id"), {"id": list_id}).scalars())


def add(
    tx: Session, who: Who, one: Row[Any], reason: str, lines: int, today: date, now: datetime, *, keeps_away: bool
) -> None:
    """Mark the list (`get_list`) as recalled; twice is an error of the database's."""
    values = {"list_id": one.id, "bank_id": one.bank_id, "reason": reason, "lines": lines, "stands": one.lines - lines}
    by = {"keeps_away": keeps_away, "today": today, "now": now, "person_id": who.person_id}
    tx.execute(ADD, values | by)
