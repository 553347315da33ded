"""What a bank has yet to report: lines whose offer was accepted and not granted, grants not yet paid out in full."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Who

LINES = """
    SELECT l.id, CASE WHEN l.view_closed THEN NULL ELSE l.uscc END AS uscc,
           CASE WHEN l.view_closed THEN NULL ELSE l.firm_name END AS firm_name, l.demand_number, l.due_on,
           p.name AS product_name, o.amount_fen, o.rate, o.term_months, o.loan_type
    FROM push_line l JOIN product p ON p.id = l.product_id
    JOIN offer o ON o.line_id = l.id AND o.state = 'accepted'
    WHERE l.bank_id = :bank_id
"""
GRANTS = """
    SELECT g.id, g.line_id, CASE WHEN l.view_closed THEN NULL ELSE l.uscc END AS uscc,
           CASE WHEN l.view_closed THEN NULL ELSE l.firm_name END AS firm_name, l.demand_number, g.amount_fen, g.rate,
           g.term_months, g.loan_type, g.granted_on, g.amount_fen - coalesce(d.fen, 0) AS left_fen
    FROM credit_grant g JOIN push_line l ON l.id = g.line_id
    LEFT JOIN LATERAL (
        SELECT sum(amount_fen) AS fen FROM drawdown WHERE grant_id = g.id AND voided_at IS NULL
    ) d ON true
    WHERE g.bank_id = :bank_id
"""
UNGRANTED = f"{LINES} AND l.closed_on IS NULL AND l.state = 'accepted' ORDER BY l.due_on NULLS LAST, l.id LIMIT :most"
UNDRAWN = f"""{GRANTS} AND g.voided_at IS NULL AND g.amount_fen > coalesce(d.fen, 0)
    AND g.granted_on + make_interval(months => g.term_months) >= :today ORDER BY g.granted_on, g.id LIMIT :most"""


def list_ungranted(tx: Session, who: Who, most: int) -> Sequence[Row[Any]]:
    """Lines awaiting a grant with the offer the firm accepted, those due first; at most so many."""
    return tx.execute(text(UNGRANTED), {"bank_id": who.bank_id, "most": most}).all()


def list_undrawn(tx: Session, who: Who, today: date, most: int) -> Sequence[Row[Any]]:
    """Grants with money left to pay out within their term, the oldest first; at most so many."""
    return tx.execute(text(UNDRAWN), {"bank_id": who.bank_id, "today": today, "most": most}).all()


def lines_of(tx: Session, who: Who, line_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Of the bank's own lines among these, what was accepted on them, whether it has been granted or not."""
    rows = tx.execute(text(f"{LINES} AND l.id = ANY (:ids)"), {"bank_id": who.bank_id, "ids": list(line_ids)})
    return {row.id: row for row in rows}


def grants_of(tx: Session, who: Who, grant_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """The bank's own grants among these, whatever is left of them."""
    rows = tx.execute(text(f"{GRANTS} AND g.id = ANY (:ids)"), {"bank_id": who.bank_id, "ids": list(grant_ids)})
    return {row.id: row for row in rows}
