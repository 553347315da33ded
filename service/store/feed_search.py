"""Finding feeds, and what stands in a feed's quarantine: page by page, as the operator reads them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

WHERE = """
    FROM feed WHERE (CAST(:item AS text) IS NULL OR item = :item)
      AND (CAST(:state AS text) IS NULL OR CASE :state WHEN 'quarantined' THEN quarantined > 0 ELSE state = :state END)
"""
ORDERS = {"id": "id", "received": "received", "quarantined": "quarantined", "wrong_codes": "wrong_codes"}
"""What a list may be ordered by; nothing a person types reaches the statement."""
REASONS = text("""
    SELECT f.fault->>'reason' AS reason, f.fault->>'field' AS field, count(*) AS rows
    FROM quarantine q CROSS JOIN LATERAL jsonb_array_elements(q.faults) AS f(fault)
    WHERE q.feed_id = :feed_id GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 50
""")
ROWS = text("SELECT line, uscc, faults, row FROM quarantine WHERE feed_id = :feed_id ORDER BY line, id LIMIT :limit")


def find(
    tx: Session, item: str | None = None, state: str | None = None, order: str = "-id", limit: int = 50, offset: int = 0
) -> tuple[Sequence[Row[Any]], int]:
    """One page of feeds and how many there are; `state` is a feed's own, or 'quarantined': some rows were set aside."""
    values = {"item": item, "state": state}
    total: int = tx.execute(text(f"SELECT count(*) {WHERE}"), values).scalar_one()
    column, way = ORDERS.get(order.removeprefix("-"), "id"), "DESC" if order.startswith("-") else "ASC"
    page = text(f"SELECT * {WHERE} ORDER BY {column} {way}, id DESC LIMIT :limit OFFSET :offset")
    return tx.execute(page, {**values, "limit": limit, "offset": offset}).all(), total


def list_reasons(tx: Session, feed_id: int) -> Sequence[Row[Any]]:
    """Why rows of a feed were set aside: (reason, field, rows); a row with two faults counts in both."""
    return tx.execute(REASONS, {"feed_id": feed_id}).all()


def list_quarantined(tx: Session, feed_id: int, limit: int = 50) -> Sequence[Row[Any]]:
    """The first rows of a feed's quarantine, as they came, with their faults."""
    return tx.execute(ROWS, {"feed_id": feed_id, "limit": limit}).all()
