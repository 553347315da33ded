"""Lists and their lines: publishing them, locking them, ending them, and what banks and firms read of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Who
from service.store import products, standing

LOCK_LINES = text("""
    SELECT l.*, b.contact_days, b.decide_days FROM push_line l JOIN bank b ON b.id = l.bank_id
    WHERE l.id = ANY (:ids) AND (CAST(:bank_id AS bigint) IS NULL OR l.bank_id = :bank_id)
    ORDER BY l.id FOR UPDATE OF l
""")
END_LINES = text("""
    UPDATE push_line SET state = :state, state_at = :now, closed_on = :today, reserved_fen = 0, due_step = 'none',
        due_on = NULL, waits_for_calendar = false
    WHERE id = ANY (:ids)
""")
END_OFFERS = text("""
    UPDATE offer SET state = :state, decided_at = :now WHERE line_id = ANY (:ids) AND state IN ('open', 'accepted')
""")


def lock_lines(tx: Session, line_ids: Sequence[int], bank_id: int | None = None) -> Sequence[Row[Any]]:
    """Lock the lines' demands, then the lines, each in the order of their ids; the lines this transaction may see."""
    ids = sorted(set(line_ids))
    found = tx.execute(text("SELECT DISTINCT demand_id FROM push_line WHERE id = ANY (:ids)"), {"ids": ids})
    standing.lock(tx, list(found.scalars()))
    return tx.execute(LOCK_LINES, {"ids": ids, "bank_id": bank_id}).all()


def lock_lines_of_bank(tx: Session, who: Who, line_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The same, of the bank `who` works for only."""
    return lock_lines(tx, line_ids, who.bank_id or 0)


def has_open_line(tx: Session, demand_id: int, bank_id: int) -> bool:
    """Whether the demand is open with this bank."""
    found = text("SELECT 1 FROM push_line WHERE demand_id = :demand AND bank_id = :bank AND closed_on IS NULL")
    return tx.execute(found, {"demand": demand_id, "bank": bank_id}).first() is not None


def end_lines(tx: Session, lines: Sequence[Row[Any]], state: str, offer_state: str, today: date, now: datetime) -> None:
    """Close locked lines and give back what they held."""
    if not lines:
        return
    ids = [line.id for line in lines]
    tx.execute(END_LINES, {"ids": ids, "state": state, "now": now, "today": today})
    tx.execute(END_OFFERS, {"ids": ids, "state": offer_state, "now": now})
    money: Counter[int] = Counter()
    for line in lines:
        money[line.product_id] += line.reserved_fen
    products.free_money(tx, money)
    products.free_places(tx, Counter(line.product_id for line in lines if line.pushed_on == today), today)
