"""Demands as officials look for them: by light, state, whose move, district and words; one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Role, Who

FOUND = """
    FROM demand d JOIN firm f ON f.uscc = d.uscc
    WHERE (CAST(:district AS text) IS NULL OR d.district = :district)
      AND (CAST(:light AS text) IS NULL OR d.light = :light)
      AND (CAST(:next_by AS text) IS NULL OR d.next_by = :next_by)
      AND (CAST(:query AS text) IS NULL OR d.number ILIKE :query OR d.uscc ILIKE :query OR f.name ILIKE :query)
"""
ONLY = {
    "open": "d.closed_on IS NULL AND d.state NOT IN ('granted', 'drawn')",
    "overdue": "d.closed_on IS NULL AND d.next_on < :today AND d.state NOT IN ('granted', 'drawn')",
    "met": "d.state IN ('granted', 'drawn', 'repaid')",
    "ended": "d.state IN ('withdrawn', 'expired')",
    "all": "true",
}
SORTS = {
    "next_on": "d.next_on",
    "number": "d.id",
    "firm_name": "f.name",
    "amount_fen": "d.amount_fen",
    "light": "CASE d.light WHEN 'red' THEN 2 WHEN 'yellow' THEN 1 ELSE 0 END",
    "state": "d.state",
    "district": "d.district",
}
OF_IDS = text("""
    SELECT d.*, f.name AS firm_name, f.industry, f.size_class
    FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY w (id, place) JOIN demand d ON d.id = w.id
    JOIN firm f ON f.uscc = d.uscc ORDER BY w.place
""")
TALLY = text("""
    SELECT d.light, count(*) AS demands, count(*) FILTER (WHERE d.next_on < :today) AS overdue
    FROM demand d WHERE d.closed_on IS NULL AND d.state NOT IN ('granted', 'drawn')
      AND (CAST(:district AS text) IS NULL OR d.district = :district) GROUP BY d.light
""")
LINES = text("""
    SELECT l.*, b.name AS bank_name, p.name AS product_name, s."on" AS listed_on, s.number AS list_number,
           s.certificate_id
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN product p ON p.id = l.product_id
    LEFT JOIN push_list s ON s.id = l.list_id WHERE l.demand_id = :id ORDER BY l.id
""")
OVERRIDES = text("""
    SELECT o.*, p.name AS person_name FROM override o LEFT JOIN person p ON p.id = o.made_by
    WHERE o.demand_id = :id ORDER BY o.id DESC
""")
REVIEWS = text("""
    SELECT r.*, p.name AS person_name FROM review r LEFT JOIN person p ON p.id = r.decided_by
    WHERE r.demand_id = :id ORDER BY r.id DESC
""")
VERDICTS = text("""
    SELECT id, judged_at, cause, light, is_recommended, fitting_products, policy_version, content_hash
    FROM verdict WHERE demand_id = :id ORDER BY id DESC LIMIT 50
""")


@dataclass(frozen=True)
class Sought:
    """Which demands, in which order; empty means any."""

    only: str = "open"
    light: str = ""
    next_by: str = ""
    district: str = ""
    query: str = ""
    sort: str = "next_on"
    descending: bool = False
    limit: int = 50
    offset: int = 0


def find(tx: Session, who: Who, sought: Sought, today: date) -> tuple[Sequence[Row[Any]], int]:
    """One page of demands in the official's scope, and how many there are."""
    values = _values(who, sought, today)
    found = f"{FOUND} AND {ONLY[sought.only]}"
    total: int = tx.execute(text(f"SELECT count(*) {found}"), values).scalar_one()
    page = f"SELECT d.*, f.name AS firm_name, f.industry, f.size_class {found} ORDER BY {_order(sought)}"
    rows = tx.execute(
        text(f"{page} LIMIT :limit OFFSET :offset"), {**values, "limit": sought.limit, "offset": sought.offset}
    )
    return rows.all(), total


def list_ids(tx: Session, who: Who, sought: Sought, today: date) -> list[int]:
    """The keys of all demands that are sought, in their order."""
    found = f"SELECT d.id {FOUND} AND {ONLY[sought.only]} ORDER BY {_order(sought)}"
    return list(tx.execute(text(found), _values(who, sought, today)).scalars())


def list_of_ids(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The demands of these keys that this transaction may see, in the order of the keys."""
    return tx.execute(OF_IDS, {"ids": list(ids)}).all()


def _values(who: Who, sought: Sought, today: date) -> dict[str, Any]:
    return {
        "district": who.district if who.role is Role.DISTRICT else (sought.district or None),
        "light": sought.light or None,
        "next_by": sought.next_by or None,
        "query": f"%{sought.query}%" if sought.query else None,
        "today": today,
    }


def _order(sought: Sought) -> str:
    return f"{SORTS[sought.sort]} {'DESC' if sought.descending else 'ASC'} NULLS LAST, d.id"


def tally(tx: Session, who: Who, today: date) -> dict[str, Row[Any]]:
    """Light → how many open demands have it, and how many of them are past their date."""
    district = who.district if who.role is Role.DISTRICT else None
    return {row.light or "": row for row in tx.execute(TALLY, {"district": district, "today": today})}


def list_lines(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """The demand's lines with all banks, as far as the transaction's person sees them."""
    return tx.execute(LINES, {"id": demand_id}).all()


def list_overrides(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """Every light a person set, the latest first."""
    return tx.execute(OVERRIDES, {"id": demand_id}).all()


def list_reviews(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """Every look a person took or owes, the latest first."""
    return tx.execute(REVIEWS, {"id": demand_id}).all()


def list_verdicts(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """How often and why it was judged, the latest first."""
    return tx.execute(VERDICTS, {"id": demand_id}).all()
