"""Certificates of the lists: the referee's papers, one for each allocation."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound

LISTED = text("""
    SELECT c.id, c."on", c.run, c.is_valid, c.body, c.made_at, count(s.id) AS lists,
           coalesce(sum(s.lines), 0) AS lines, coalesce(sum(s.amount_fen), 0) AS amount_fen
    FROM certificate c LEFT JOIN push_list s ON s.certificate_id = c.id
    GROUP BY c.id ORDER BY c."on" DESC, c.run DESC LIMIT :limit OFFSET :offset
""")
ONE = text("""
    SELECT id, "on", run, is_valid, body, made_at FROM certificate WHERE id = :id
""")
LISTS = text("""
    SELECT s.*, b.name AS bank_name, r.recalled_at FROM push_list s JOIN bank b ON b.id = s.bank_id
    LEFT JOIN push_list_recall r ON r.list_id = s.id
    WHERE s.certificate_id = :id ORDER BY b.name
""")
OF_A_DAY = text('SELECT id, run, is_valid, body, made_at FROM certificate WHERE "on" = :day ORDER BY run')
INPUTS = text("SELECT inputs FROM certificate WHERE id = :id")
UNPROVED = text("""
    SELECT s.id, s.bank_id, s.number FROM push_list s JOIN certificate c ON c.id = s.certificate_id
    WHERE s."on" = :day AND (c."on" <> s."on" OR NOT c.is_valid) ORDER BY s.id
""")
PUBLISHED = text("""
    SELECT id, bank_id, number, lines, amount_fen, content_hash FROM push_list
    WHERE certificate_id = :id ORDER BY id
""")
PUBLISHED_LINES = text("""
    SELECT l.id, l.list_id, l.bank_id, l.demand_id, l.product_id, l.rank, l.amount_fen, l.is_intended,
           k.uscc = l.uscc AND k.bank_id = l.bank_id AND k.purpose = 'credit_review'
               AND k.from_on <= s."on" AND k.until_on >= s."on"
               AND NOT EXISTS (SELECT 1 FROM consent_withdrawal w
                               WHERE w.consent_id = k.id AND w.withdrawn_at < s.published_at) AS is_consented,
           (SELECT count(*) FROM push_line o JOIN push_list t ON t.id = o.list_id
            WHERE o.demand_id = l.demand_id AND t.published_at <= s.published_at
              AND (o.closed_on IS NULL OR o.closed_on > s."on")) AS open_then
    FROM push_line l JOIN push_list s ON s.id = l.list_id LEFT JOIN consent k ON k.id = l.consent_id
    WHERE s.certificate_id = :id ORDER BY l.demand_id, l.rank, l.id
""")
SHORT_OF_PLACES = text("""
    SELECT p.id, p.name, b.name AS bank_name, p.places_per_day, count(l.id) AS lines
    FROM product p JOIN bank b ON b.id = p.bank_id
    LEFT JOIN push_line l ON l.product_id = p.id
        AND l.list_id IN (SELECT id FROM push_list WHERE certificate_id = :id)
    WHERE p.id = ANY (:products) GROUP BY p.id, b.name
""")
APPETITE = text("""
    SELECT "on", made_at, appetite AS kept FROM certificate
    WHERE "on" <= :day AND appetite IS NOT NULL ORDER BY "on" DESC, run DESC LIMIT 1
""")
MARKS = text("""
    SELECT s.id, c.is_valid FROM push_list s JOIN certificate c ON c.id = s.certificate_id WHERE s.id = ANY (:ids)
""")


def list_latest(tx: Session, limit: int = 50, offset: int = 0) -> Sequence[Row[Any]]:
    """The certificates, the newest first, with the lists that stand on each."""
    return tx.execute(LISTED, {"limit": limit, "offset": offset}).all()


def count(tx: Session) -> int:
    """How many there are."""
    return int(tx.execute(text("SELECT count(*) FROM certificate")).scalar_one())


def get(tx: Session, certificate_id: int) -> Row[Any]:
    """One certificate, or NotFound."""
    row = tx.execute(ONE, {"id": certificate_id}).one_or_none()
    if row is None:
        raise NotFound("没有这份匹配凭证。")
    return row


def list_lists(tx: Session, certificate_id: int) -> Sequence[Row[Any]]:
    """The lists published under a certificate, as far as this transaction sees them."""
    return tx.execute(LISTS, {"id": certificate_id}).all()


def marks_of(tx: Session, list_ids: Sequence[int]) -> dict[int, bool]:
    """List → whether its certificate found nothing wrong."""
    return {row.id: row.is_valid for row in tx.execute(MARKS, {"ids": list(list_ids)})}


def list_of_day(tx: Session, day: date) -> Sequence[Row[Any]]:
    """The day's certificates in the order of their runs, without the problems they answer."""
    return tx.execute(OF_A_DAY, {"day": day}).all()


def inputs_of(tx: Session, certificate_id: int) -> dict[str, Any]:
    """The packed problem a certificate answers."""
    inputs: dict[str, Any] = tx.execute(INPUTS, {"id": certificate_id}).scalar_one()
    return inputs


def list_unproved(tx: Session, day: date) -> Sequence[Row[Any]]:
    """Lists of the day that stand on an invalid certificate, or on another day's."""
    return tx.execute(UNPROVED, {"day": day}).all()


def list_published(tx: Session, certificate_id: int) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """The lists that stand on a certificate, and their lines as published.

    Beside each line: whether its consent was live when the list came out, and how many lines of its demand were open
    then (those that ended later the same day are not counted).
    """
    key = {"id": certificate_id}
    return tx.execute(PUBLISHED, key).all(), tx.execute(PUBLISHED_LINES, key).all()


def products_of(tx: Session, certificate_id: int, product_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """These products with their banks, places a day, and the lines they got under the certificate."""
    rows = tx.execute(SHORT_OF_PLACES, {"id": certificate_id, "products": list(product_ids)})
    return {row.id: row for row in rows}


def find_appetite(tx: Session, day: date) -> Row[Any] | None:
    """The appetite of the banks as the latest morning up to that day had learned it, or None before the first."""
    return tx.execute(APPETITE, {"day": day}).one_or_none()
