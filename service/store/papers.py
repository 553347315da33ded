"""Papers: what a bank asked for on a line, and what the firm has put there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who
from service.store.bulk import add_rows, next_ids

LINE = text("""
    SELECT l.*, b.name AS bank_name, p.name AS product_name, d.number AS demand_number
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN product p ON p.id = l.product_id
    JOIN demand d ON d.id = l.demand_id WHERE l.id = :id AND l.uscc = :uscc
""")
ASKED = text("SELECT * FROM answer WHERE line_id = :id AND kind = 'needs_papers' ORDER BY id DESC LIMIT 1")
OF_ANSWER = text("SELECT * FROM paper WHERE answer_id = :id AND removed_at IS NULL ORDER BY id")
OF_LINE = text("""
    SELECT * FROM paper WHERE line_id = :id AND bank_id = :bank_id AND handed_at IS NOT NULL AND removed_at IS NULL
    ORDER BY id
""")
ONE = text("""
    SELECT * FROM paper WHERE id = :id AND removed_at IS NULL
      AND (uscc = :uscc OR (bank_id = :bank_id AND handed_at IS NOT NULL))
""")
SAME_FILE = text("SELECT count(*) FROM paper WHERE line_id = :id AND sha256 = :sha256 AND removed_at IS NULL")


def get_line(tx: Session, who: Who, line_id: int) -> Row[Any]:
    """A line of the firm's own demand, or NotFound."""
    row = tx.execute(LINE, {"id": line_id, "uscc": who.uscc}).one_or_none()
    if row is None:
        raise NotFound("没有这条推送项。")
    return row


def asked_on(tx: Session, line_id: int) -> Row[Any] | None:
    """The bank's latest answer that asks for papers."""
    return tx.execute(ASKED, {"id": line_id}).one_or_none()


def list_of_answer(tx: Session, answer_id: int) -> Sequence[Row[Any]]:
    """What the firm has put there since it was asked so."""
    return tx.execute(OF_ANSWER, {"id": answer_id}).all()


def list_of_line(tx: Session, who: Who, line_id: int) -> Sequence[Row[Any]]:
    """What was handed in to the bank on this line."""
    return tx.execute(OF_LINE, {"id": line_id, "bank_id": who.bank_id}).all()


def get(tx: Session, who: Who, paper_id: int) -> Row[Any]:
    """A paper of one's own, or one handed in to one's bank; else NotFound."""
    row = tx.execute(ONE, {"id": paper_id, "uscc": who.uscc, "bank_id": who.bank_id}).one_or_none()
    if row is None:
        raise NotFound("没有这份资料。")
    return row


def add(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter one paper; its key."""
    (key,) = next_ids(tx, "paper", 1)
    add_rows(tx, "paper", [{"id": key, **row}])
    return key


def mark_removed(tx: Session, paper_id: int, now: datetime) -> None:
    """The firm takes it away again."""
    tx.execute(text("UPDATE paper SET removed_at = :now WHERE id = :id"), {"id": paper_id, "now": now})


def mark_handed(tx: Session, answer_id: int, now: datetime) -> None:
    """From now on the bank sees what was put there."""
    hand = text("UPDATE paper SET handed_at = :now WHERE answer_id = :id AND removed_at IS NULL")
    tx.execute(hand, {"id": answer_id, "now": now})


def is_used(tx: Session, line_id: int, sha256: str) -> bool:
    """Whether another paper of the line is the same file."""
    return bool(tx.execute(SAME_FILE, {"id": line_id, "sha256": sha256}).scalar_one())
