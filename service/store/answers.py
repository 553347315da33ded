"""What banks said: answers in their order, offers and their ends."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.store.bulk import add_rows, next_ids

LAST = text("""
    SELECT DISTINCT ON (line_id) * FROM answer WHERE line_id = ANY (:ids) ORDER BY line_id, id DESC
""")
OPEN_OFFERS = text("SELECT * FROM offer WHERE line_id = ANY (:ids) AND state = 'open'")
END_OFFERS = text(
    "UPDATE offer SET state = :state, decided_at = :now WHERE line_id = ANY (:ids) AND state IN ('open', 'accepted')"
)
OF_DEMAND = text("""
    SELECT o.*, b.name AS bank_name, b.name_en AS bank_name_en, l.product_id, p.name AS product_name
    FROM offer o JOIN push_line l ON l.id = o.line_id JOIN bank b ON b.id = o.bank_id
    JOIN product p ON p.id = l.product_id
    WHERE o.demand_id = :demand_id ORDER BY o.state <> 'open', o.all_in_rate, o.id
""")
FIND_OFFERS = text("SELECT id, line_id FROM offer WHERE id = ANY (:ids) ORDER BY id")
LOCK_OFFERS = text("SELECT * FROM offer WHERE id = ANY (:ids) ORDER BY id FOR UPDATE")
ACCEPT = text("UPDATE offer SET state = 'accepted', decided_at = :now WHERE id = ANY (:ids)")
LAPSED = text("SELECT line_id FROM offer WHERE state = 'open' AND valid_until_on < :today ORDER BY line_id")
OF_LINE = text("SELECT * FROM answer WHERE line_id = :line_id ORDER BY id")


def add(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter answers whose keys were taken ahead."""
    add_rows(tx, "answer", rows)


def last_of(tx: Session, line_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Line → the last answer to it."""
    return {row.line_id: row for row in tx.execute(LAST, {"ids": list(line_ids)})}


def existing(tx: Session, answer_ids: Sequence[int]) -> set[int]:
    """Those of the keys that are answers."""
    return set(tx.execute(text("SELECT id FROM answer WHERE id = ANY (:ids)"), {"ids": list(answer_ids)}).scalars())


def list_of_line(tx: Session, line_id: int) -> Sequence[Row[Any]]:
    """Everything said of a line, in order."""
    return tx.execute(OF_LINE, {"line_id": line_id}).all()


def add_offers(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter offers."""
    keys = next_ids(tx, "offer", len(rows))
    add_rows(tx, "offer", [{"id": key, **row} for key, row in zip(keys, rows, strict=True)])


def open_offers_of(tx: Session, line_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Line → its open offer."""
    return {row.line_id: row for row in tx.execute(OPEN_OFFERS, {"ids": list(line_ids)})}


def end_offers(tx: Session, line_ids: Sequence[int], state: str, now: datetime) -> None:
    """The standing offers of these lines end so."""
    if line_ids:
        tx.execute(END_OFFERS, {"ids": list(line_ids), "state": state, "now": now})


def list_of_demand(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """The offers on one demand as a firm compares them: open ones first, the cheapest all-in rate on top."""
    return tx.execute(OF_DEMAND, {"demand_id": demand_id}).all()


def find_offers(tx: Session, offer_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """(id, line_id) of those of the offers that this transaction may see."""
    return tx.execute(FIND_OFFERS, {"ids": list(offer_ids)}).all() if offer_ids else []


def lock_offers(tx: Session, offer_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Lock the offers in the order of their ids; those this transaction may see."""
    return tx.execute(LOCK_OFFERS, {"ids": list(offer_ids)}).all()


def find_offer(tx: Session, offer_id: int) -> Row[Any] | None:
    """One offer as it stands."""
    return tx.execute(text("SELECT * FROM offer WHERE id = :id"), {"id": offer_id}).one_or_none()


def lines_with_lapsed_offers(tx: Session, today: date) -> list[int]:
    """Lines whose open offer was valid until before today."""
    return list(tx.execute(LAPSED, {"today": today}).scalars())


def accept(tx: Session, offer_ids: Sequence[int], now: datetime) -> None:
    """The firms take these offers."""
    tx.execute(ACCEPT, {"ids": list(offer_ids), "now": now})
