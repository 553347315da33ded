"""Certificates of the lists: the referee's papers, one for each allocation."""

from collections.abc import Sequence
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
    SELECT s.*, b.name AS bank_name FROM push_list s JOIN bank b ON b.id = s.bank_id
    WHERE s.certificate_id = :id ORDER BY b.name
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
