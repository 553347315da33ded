"""One line in full, as its bank's officer needs it: clock, consent, list, and every offer made on it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who

TERMS = text("""
    SELECT l.id, l.extended_on, l.paused_days, l.papers_asked_on, l.contact_due_on, l.decision_due_on, l.pushed_on,
           b.contact_days, b.decide_days, s.cause, s."on" AS listed_on, s.number AS list_number,
           k.from_on AS consent_from_on, k.until_on AS consent_until_on, k.data_classes, k.purpose,
           w.withdrawn_on AS consent_withdrawn_on,
           x.name AS assigned_name, r.recalled_at, r.reason AS recall_reason,
           coalesce((SELECT max(answered_on) FROM answer WHERE line_id = l.id AND kind = 'contacted'), l.pushed_on)
               AS file_complete_on
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN push_list s ON s.id = l.list_id
    LEFT JOIN consent k ON k.id = l.consent_id LEFT JOIN consent_withdrawal w ON w.consent_id = l.consent_id
    LEFT JOIN person x ON x.id = l.assigned_to LEFT JOIN push_list_recall r ON r.list_id = l.list_id
    WHERE l.id = :id AND l.bank_id = :bank_id
""")
ANSWERS = text("""
    SELECT a.*, p.name AS person_name FROM answer a LEFT JOIN person p ON p.id = a.answered_by
    WHERE a.line_id = :id AND a.bank_id = :bank_id ORDER BY a.id DESC
""")
OFFERS = text("SELECT * FROM offer WHERE line_id = :id AND bank_id = :bank_id ORDER BY id DESC")
GRANTS = text("SELECT * FROM credit_grant WHERE line_id = :id AND bank_id = :bank_id ORDER BY id DESC")
DRAWDOWNS = text("""
    SELECT d.* FROM drawdown d JOIN credit_grant g ON g.id = d.grant_id
    WHERE g.line_id = :id AND d.bank_id = :bank_id ORDER BY d.id DESC
""")
NAMES = text("""
    SELECT l.id, f.name AS firm_name, l.amount_fen FROM push_line l LEFT JOIN firm f ON f.uscc = l.uscc
    WHERE l.id = ANY (:ids) AND l.bank_id = :bank_id
""")
LIST = text("""
    SELECT s.*, c.is_valid, r.recalled_at, r.reason AS recall_reason, r.lines AS recalled_lines, r.stands
    FROM push_list s JOIN certificate c ON c.id = s.certificate_id LEFT JOIN push_list_recall r ON r.list_id = s.id
    WHERE s.id = :id AND s.bank_id = :bank_id
""")


def get_terms(tx: Session, who: Who, line_id: int) -> Row[Any]:
    """What a line's clock counts from and the consent it stands on, or NotFound."""
    row = tx.execute(TERMS, {"id": line_id, "bank_id": who.bank_id}).one_or_none()
    if row is None:
        raise NotFound("没有找到这个推送项。")
    return row


def get_list(tx: Session, who: Who, list_id: int) -> Row[Any]:
    """One of the bank's own lists with its certificate's word, or NotFound."""
    row = tx.execute(LIST, {"id": list_id, "bank_id": who.bank_id}).one_or_none()
    if row is None:
        raise NotFound("没有找到这份推送清单。")
    return row


def list_answers(tx: Session, who: Who, line_id: int) -> Sequence[Row[Any]]:
    """What the bank said of the line, the latest first, with who said it."""
    return tx.execute(ANSWERS, {"id": line_id, "bank_id": who.bank_id}).all()


def list_offers(tx: Session, who: Who, line_id: int) -> Sequence[Row[Any]]:
    """The bank's offers on the line, the latest first."""
    return tx.execute(OFFERS, {"id": line_id, "bank_id": who.bank_id}).all()


def list_grants(tx: Session, who: Who, line_id: int) -> Sequence[Row[Any]]:
    """The grants reported on the line, voided ones included."""
    return tx.execute(GRANTS, {"id": line_id, "bank_id": who.bank_id}).all()


def list_drawdowns(tx: Session, who: Who, line_id: int) -> Sequence[Row[Any]]:
    """The money paid out on the line, voided rows included."""
    return tx.execute(DRAWDOWNS, {"id": line_id, "bank_id": who.bank_id}).all()


def names_of(tx: Session, who: Who, line_ids: Sequence[int]) -> dict[int, str]:
    """Line → its firm's name, where the bank may see it."""
    return {row.id: row.firm_name or "" for row in list_brief(tx, who, line_ids)}


def list_brief(tx: Session, who: Who, line_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Of the bank's own lines among these: id, amount, and the firm's name where the bank may see it."""
    return tx.execute(NAMES, {"ids": list(line_ids), "bank_id": who.bank_id}).all()


def line_of_grant(tx: Session, who: Who, grant_id: int) -> int:
    """The line one of the bank's grants stands on, or NotFound."""
    return _line_of(tx, "SELECT line_id FROM credit_grant WHERE id = :id AND bank_id = :bank_id", grant_id, who)


def line_of_drawdown(tx: Session, who: Who, drawdown_id: int) -> int:
    """The line money was paid out on, or NotFound."""
    found = (
        "SELECT g.line_id FROM drawdown d JOIN credit_grant g ON g.id = d.grant_id"
        " WHERE d.id = :id AND d.bank_id = :bank_id"
    )
    return _line_of(tx, found, drawdown_id, who)


def line_of_offer(tx: Session, who: Who, offer_id: int) -> int:
    """The line of one of the bank's offers, or NotFound."""
    return _line_of(tx, "SELECT line_id FROM offer WHERE id = :id AND bank_id = :bank_id", offer_id, who)


def _line_of(tx: Session, query: str, key: int, who: Who) -> int:
    found = tx.execute(text(query), {"id": key, "bank_id": who.bank_id}).scalar_one_or_none()
    if found is None:
        raise NotFound("没有找到这个推送项。")
    return int(found)
