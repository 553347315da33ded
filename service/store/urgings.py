"""Urgings: what a bank is urged about, the ledger of them, and how each stands."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

import orjson
from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who
from service.domain.urging import MOST_LINES, UrgingGround
from service.store.bulk import change_rows

Only = Literal["open", "overdue", "answered", "all"]
LATE = "(u.state IN ('sent', 'read') AND u.due_on < :today)"
"""Nobody answered in time."""
BROKEN = "(u.state = 'answered' AND u.promised_on < :today)"
"""The day the bank named has passed, and the city has not ended it."""
OPEN = "u.state IN ('sent', 'read', 'answered')"
WANTED: Mapping[Only, str] = {
    "open": OPEN,
    "overdue": f"({LATE} OR {BROKEN})",
    "answered": "u.state = 'answered'",
    "all": "true",
}
MINE = "(CAST(:bank_id AS bigint) IS NULL OR u.bank_id = :bank_id)"
COLUMNS = f"""
    u.*, b.name AS bank_name, s.name AS sender, r.name AS reader, a.name AS answerer, e.name AS ender,
    {LATE} AS is_late, {BROKEN} AS is_broken
    FROM urging u JOIN bank b ON b.id = u.bank_id LEFT JOIN person s ON s.id = u.sent_by
    LEFT JOIN person r ON r.id = u.read_by LEFT JOIN person a ON a.id = u.answered_by
    LEFT JOIN person e ON e.id = u.ended_by
"""
ORDER = f"""
    CASE WHEN {LATE} THEN 0 WHEN {BROKEN} THEN 1 WHEN u.state = 'answered' THEN 2 WHEN {OPEN} THEN 3 ELSE 4 END,
    CASE WHEN {OPEN} THEN u.due_on END, u.id DESC
"""
ADD = text("""
    INSERT INTO urging (bank_id, ground, state, since_on, until_on, figures, line_ids, words, due_days, due_on, sent_on,
        sent_at, sent_by, done, end_words)
    VALUES (:bank_id, :ground, 'sent', :since_on, :until_on, CAST(:figures AS jsonb), CAST(:line_ids AS bigint[]),
        :words, :due_days, :due_on, :sent_on, :sent_at, :sent_by, '', '')
    ON CONFLICT (bank_id, ground) WHERE state IN ('sent', 'read', 'answered') DO NOTHING RETURNING id
""")
LOCK = text(f"SELECT u.* FROM urging u WHERE u.id = :id AND {MINE} FOR UPDATE")
FIRST_CONTACT = """
    LEFT JOIN LATERAL (
        SELECT min(answered_on) AS on FROM answer
        WHERE line_id = l.id AND kind NOT IN ('received', 'extension')) c ON true
"""
PUSHED = "l.pushed_on BETWEEN :since AND :until"
EVIDENCE: Mapping[UrgingGround, str] = {
    UrgingGround.OVERDUE: """l.closed_on IS NULL AND l.due_on < :today
        AND l.due_step IN ('contact', 'decision', 'grant')""",
    UrgingGround.SILENT: f"l.state = 'silent' AND {PUSHED}",
    UrgingGround.LATE: f"""{PUSHED} AND (c.on > l.contact_due_on OR c.on IS NULL AND (l.state = 'silent'
        OR l.closed_on IS NULL AND l.contact_due_on < :today))""",
    UrgingGround.DISPUTED: f"l.contact_disputed_on IS NOT NULL AND {PUSHED}",
}
"""Which of a bank's lines speak for each ground: the same rules the league counts by (`store.pace`)."""
LINES = text("""
    SELECT l.id, l.demand_id, l.state, l.pushed_on, l.contact_due_on, l.amount_fen, d.number, f.name AS firm_name,
        p.name AS product_name, l.state_at > :sent_at AS has_moved
    FROM push_line l JOIN product p ON p.id = l.product_id LEFT JOIN demand d ON d.id = l.demand_id
    LEFT JOIN firm f ON f.uscc = l.uscc WHERE l.id = ANY (:ids) ORDER BY l.pushed_on, l.id
""")
COUNTS = text("""
    SELECT count(*) FILTER (WHERE sent_on BETWEEN :since AND :until) AS sent,
        count(*) FILTER (WHERE answered_on BETWEEN :since AND :until) AS answered,
        count(*) FILTER (WHERE ended_on IS NULL OR ended_on > :until) AS open,
        count(*) FILTER (WHERE due_on < :until AND (answered_on IS NULL OR answered_on > :until)
            AND (ended_on IS NULL OR ended_on > :until)) AS overdue
    FROM urging WHERE sent_on <= :until
""")


def evidence(tx: Session, ground: UrgingGround, bank_id: int, days: tuple[date, date], today: date) -> list[int]:
    """The bank's lines that speak for a ground, of the days `(since, until)` of their push; the oldest first."""
    first = FIRST_CONTACT if ground is UrgingGround.LATE else ""
    rule = f"l.bank_id = :bank_id AND {EVIDENCE[ground]}"
    query = text(f"SELECT l.id FROM push_line l {first} WHERE {rule} ORDER BY l.pushed_on, l.id")
    values = {"bank_id": bank_id, "since": days[0], "until": days[1], "today": today}
    return list(tx.execute(query, values).scalars())


def add(tx: Session, row: Mapping[str, Any]) -> int | None:
    """Send one; None where one on this ground is still open with the bank."""
    values = {**row, "figures": orjson.dumps(row["figures"]).decode(), "line_ids": row["line_ids"][:MOST_LINES]}
    key: int | None = tx.execute(ADD, values).scalar_one_or_none()
    return key


def lock(tx: Session, who: Who, urging_id: int) -> Row[Any]:
    """The urging, locked, or NotFound; another bank's looks like none."""
    return _there(tx.execute(LOCK, {"id": urging_id, "bank_id": who.bank_id}).one_or_none())


def change(tx: Session, urging_id: int, columns: Mapping[str, Any]) -> None:
    """Set the named columns."""
    change_rows(tx, "urging", "id", [{"id": urging_id, **columns}])


def get(tx: Session, who: Who, urging_id: int, today: date) -> Row[Any]:
    """One urging with the names of who did what, or NotFound."""
    query = text(f"SELECT {COLUMNS} WHERE u.id = :id AND {MINE}")
    return _there(tx.execute(query, {"id": urging_id, "bank_id": who.bank_id, "today": today}).one_or_none())


def list_of(
    tx: Session, who: Who, only: Only, today: date, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Row[Any]], int]:
    """The ledger in the scope of `who`: what is overdue first, what has ended last; and how many there are."""
    values = {"bank_id": who.bank_id, "today": today}
    rule = f"{MINE} AND {WANTED[only]}"
    page = text(f"SELECT {COLUMNS} WHERE {rule} ORDER BY {ORDER} LIMIT :limit OFFSET :offset")
    total: int = tx.execute(text(f"SELECT count(*) FROM urging u WHERE {rule}"), values).scalar_one()
    return tx.execute(page, {**values, "limit": limit, "offset": offset}).all(), total


def open_of_banks(tx: Session, today: date) -> dict[int, list[Row[Any]]]:
    """Bank → its open urgings, what is overdue first."""
    found: dict[int, list[Row[Any]]] = {}
    query = text(f"SELECT u.id, u.bank_id, u.ground, u.state, u.due_on, {LATE} AS is_late, {BROKEN} AS is_broken"
                 f" FROM urging u WHERE {OPEN} ORDER BY {ORDER}")  # fmt: skip
    for row in tx.execute(query, {"today": today}):
        found.setdefault(row.bank_id, []).append(row)
    return found


def count_for(tx: Session, who: Who, today: date) -> int:
    """What waits for `who`: for a bank those it has not answered, for the city those to look at or past their day."""
    rule = "u.state IN ('sent', 'read')" if who.is_bank else f"({LATE} OR u.state = 'answered')"
    query = text(f"SELECT count(*) FROM urging u WHERE {MINE} AND {rule}")
    found: int = tx.execute(query, {"bank_id": who.bank_id, "today": today}).scalar_one()
    return found


def list_lines(tx: Session, urging: Row[Any]) -> Sequence[Row[Any]]:
    """The lines an urging is about as they stand now; names only where this transaction may see the firm."""
    return tx.execute(LINES, {"ids": list(urging.line_ids), "sent_at": urging.sent_at}).all()


def counts(tx: Session, since: date, until: date) -> Row[Any]:
    """Sent and answered in these days; open and overdue at the end of the last of them."""
    return tx.execute(COUNTS, {"since": since, "until": until}).one()


def _there(row: Row[Any] | None) -> Row[Any]:
    if row is None:
        raise NotFound("没有这件督办。")
    return row
