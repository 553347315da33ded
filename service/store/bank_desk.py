"""What a bank officer works from: the bank's lists, and lines with the firm behind them while its consent stands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who

LISTS = text("""
    SELECT s.id, s.bank_id, s."on", s.number, s.cause, s.lines, s.amount_fen, s.content_hash, s.published_at,
           coalesce(w.waiting, 0) AS waiting
    FROM push_list s LEFT JOIN (
        SELECT list_id, count(*) AS waiting FROM push_line
        WHERE bank_id = :bank_id AND state IN ('pushed', 'received', 'contacted') AND closed_on IS NULL GROUP BY list_id
    ) w ON w.list_id = s.id
    WHERE s.bank_id = :bank_id AND s."on" BETWEEN :since AND :until
    ORDER BY s."on" DESC, s.number DESC
""")
LINE = """
    SELECT l.id, l.list_id, s."on" AS listed_on, s.number AS list_number, l.rank, l.is_intended, l.demand_id, l.state,
           l.state_at, l.due_step, l.due_on, l.waits_for_calendar, l.contact_due_on, l.decision_due_on, l.closed_on,
           l.view_closed, l.amount_fen, l.reserved_fen, l.p_offer, l.p_grant, l.product_id, l.product_version,
           l.assigned_to, l.contact_disputed_on, l.papers_asked_on, l.pushed_on, p.name AS product_name,
           d.number AS demand_number, d.term_months, d.use, d.use_text, d.rate_ceiling, d.guarantees, d.light,
           d.verdict_id, l.district, CASE WHEN l.view_closed THEN NULL ELSE l.uscc END AS uscc, f.name AS firm_name,
           f.industry, f.size_class, f.kind AS firm_kind, f.established_on, e.grade, e.score, e.probability,
           e.reasons, e.as_of,
           a.id AS last_answer_id, a.kind AS last_answer, a.answered_on, g.id AS grant_id, g.amount_fen AS granted_fen,
           g.rate AS grant_rate, g.granted_on, o.id AS offer_id, o.amount_fen AS offer_fen, o.rate AS offer_rate,
           o.all_in_rate, o.valid_until_on, o.state AS offer_state
    FROM push_line l JOIN push_list s ON s.id = l.list_id JOIN product p ON p.id = l.product_id
    LEFT JOIN demand d ON d.id = l.demand_id LEFT JOIN firm f ON f.uscc = l.uscc
    LEFT JOIN verdict v ON v.id = d.verdict_id LEFT JOIN estimate e ON e.id = v.estimate_id
    LEFT JOIN LATERAL (SELECT * FROM answer WHERE line_id = l.id ORDER BY id DESC LIMIT 1) a ON true
    LEFT JOIN LATERAL (SELECT * FROM offer WHERE line_id = l.id ORDER BY id DESC LIMIT 1) o ON true
    LEFT JOIN credit_grant g ON g.line_id = l.id AND g.voided_at IS NULL
    WHERE l.bank_id = :bank_id
"""
JOINS = {
    "s": "JOIN push_list s ON s.id = l.list_id",
    "d": "LEFT JOIN demand d ON d.id = l.demand_id",
    "f": "LEFT JOIN firm f ON f.uscc = l.uscc",
    "e": "LEFT JOIN demand h ON h.id = l.demand_id LEFT JOIN verdict v ON v.id = h.verdict_id"
    " LEFT JOIN estimate e ON e.id = v.estimate_id",
}
"""What stands beside a line, by the letter it is spoken of with: joined only where a wish or an order speaks of it."""

SORTS = {
    "due_on": "l.due_on",
    "rank": "s.id, l.rank",
    "amount_fen": "l.amount_fen",
    "firm_name": "f.name",
    "grade": "e.probability",
    "state": "l.state",
}


@dataclass(frozen=True)
class Wanted:
    """Which lines, in which order: `only` is open, waiting (for the bank's first word), overdue or all."""

    only: str = "open"
    list_id: int | None = None
    on: date | None = None
    query: str = ""
    light: str = ""
    product_id: int | None = None
    district: str = ""
    is_mine: bool = False
    """Given to this officer, or given to nobody and answered by them."""
    is_intended: bool = False
    sort: str = "due_on"
    descending: bool = False
    limit: int | None = 50
    """None: all of them."""
    offset: int = 0


ONLY = {
    "open": "l.closed_on IS NULL",
    "waiting": "l.closed_on IS NULL AND l.state IN ('pushed', 'received')",
    "overdue": "l.closed_on IS NULL AND l.due_on < :today",
    "all": "true",
}


def list_lists(tx: Session, who: Who, since: date, until: date) -> Sequence[Row[Any]]:
    """The bank's lists of these days, latest first, with how many lines still wait for its word."""
    return tx.execute(LISTS, {"bank_id": who.bank_id, "since": since, "until": until}).all()


MINE = (
    "(l.assigned_to = :person_id OR l.assigned_to IS NULL"
    " AND EXISTS (SELECT 1 FROM answer m WHERE m.line_id = l.id AND m.answered_by = :person_id))"
)


def list_lines(tx: Session, who: Who, wanted: Wanted, today: date) -> tuple[Sequence[Row[Any]], int]:
    """One page of the bank's lines, and how many there are in all.

    The page's lines are found first, over the fewest tables; what is known of each is looked up for these alone.
    """
    where, values = _sought(who, wanted, today)
    total: int = tx.execute(text(f"SELECT count(*) FROM {_joined(where)} {where}"), values).scalar_one()
    return list_of_ids(tx, who, list_ids(tx, who, wanted, today)), total


def list_ids(tx: Session, who: Who, wanted: Wanted, today: date) -> list[int]:
    """The keys of the lines that are wanted, in their order."""
    where, values = _sought(who, wanted, today)
    direction = "DESC NULLS LAST" if wanted.descending else "ASC NULLS LAST"
    order = ", ".join([*(f"{part} {direction}" for part in SORTS[wanted.sort].split(", ")), "l.id"])
    found = f"SELECT l.id FROM {_joined(where, order)} {where} ORDER BY {order} LIMIT :limit OFFSET :offset"
    window = {"limit": wanted.limit, "offset": wanted.offset}
    return list(tx.execute(text(found), {**values, **window}).scalars())


def list_of_ids(tx: Session, who: Who, ids: Sequence[int]) -> list[Row[Any]]:
    """The bank's lines of these keys, in the order of the keys."""
    rows = tx.execute(text(f"{LINE} AND l.id = ANY(:ids)"), {"bank_id": who.bank_id, "ids": list(ids)}).all()
    known = {row.id: row for row in rows}
    return [known[line_id] for line_id in ids if line_id in known]


def _sought(who: Who, wanted: Wanted, today: date) -> tuple[str, dict[str, Any]]:
    """The condition for the lines that are wanted, with its values."""
    conditions = ["l.bank_id = :bank_id", ONLY[wanted.only]]
    values: dict[str, Any] = {"bank_id": who.bank_id, "today": today, "person_id": who.person_id}
    for condition, name, value in (
        ("l.list_id = :list_id", "list_id", wanted.list_id),
        ('s."on" = :on', "on", wanted.on),
        ("(f.name ILIKE :query OR f.uscc ILIKE :query OR d.number ILIKE :query)", "query", wanted.query),
        ("d.light = :light", "light", wanted.light),
        ("l.product_id = :product_id", "product_id", wanted.product_id),
        ("l.district = :district", "district", wanted.district),
        ("l.is_intended", "is_intended", wanted.is_intended),
        (MINE, "is_mine", wanted.is_mine),
    ):
        if value:
            conditions.append(condition)
            values[name] = f"%{value}%" if name == "query" else value
    return f"WHERE {' AND '.join(conditions)}", values


def _joined(*said: str) -> str:
    """The lines with the tables that conditions or an order speak of."""
    letters = set(re.findall(r"\b([a-z])\.", " ".join(said)))
    return " ".join(["push_line l", *(join for letter, join in JOINS.items() if letter in letters)])


def get_line(tx: Session, who: Who, line_id: int) -> Row[Any]:
    """One of the bank's own lines, or NotFound."""
    row = tx.execute(text(f"{LINE} AND l.id = :id"), {"bank_id": who.bank_id, "id": line_id}).one_or_none()
    if row is None:
        raise NotFound("没有找到这个推送项。")
    return row


def count_due(tx: Session, who: Who, today: date) -> int:
    """How many of the bank's lines wait for its word today."""
    found: int = tx.execute(
        text(
            "SELECT count(*) FROM push_line WHERE bank_id = :bank_id AND closed_on IS NULL"
            " AND state IN ('pushed', 'received') AND pushed_on <= :today"
        ),
        {"bank_id": who.bank_id, "today": today},
    ).scalar_one()
    return found
