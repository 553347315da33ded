"""Banks as the people who work with them read them: names, and why each refuses."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound

REASONS = text("""
    SELECT reason, count(*) AS times FROM answer a CROSS JOIN LATERAL unnest(a.reasons) AS reason
    WHERE a.bank_id = :bank_id AND a.kind = 'refused' AND a.answered_on BETWEEN :since AND :until
    GROUP BY reason ORDER BY times DESC, reason
""")


def get(tx: Session, bank_id: int | None) -> Row[Any]:
    """One bank, or NotFound."""
    row = tx.execute(text("SELECT * FROM bank WHERE id = :id"), {"id": bank_id}).one_or_none()
    if row is None:
        raise NotFound("没有这家银行。")
    return row


def list_all(tx: Session) -> Sequence[Row[Any]]:
    """Every bank that is or was a partner, by name."""
    return tx.execute(text("SELECT * FROM bank ORDER BY name")).all()


def refusal_reasons(tx: Session, bank_id: int | None, since: date, until: date) -> Sequence[Row[Any]]:
    """The coded reasons a bank gave in these days, the most frequent first."""
    return tx.execute(REASONS, {"bank_id": bank_id, "since": since, "until": until}).all()
