"""Banks as the people who work with them read them: names, and how each keeps its clocks."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound

PROMPTNESS = text("""
    SELECT count(*) AS pushed,
           count(*) FILTER (WHERE a.first_on IS NOT NULL) AS answered,
           count(*) FILTER (WHERE a.first_on <= l.contact_due_on) AS in_time,
           count(*) FILTER (WHERE l.state = 'silent') AS silent,
           count(*) FILTER (WHERE l.state = 'refused') AS refused,
           count(*) FILTER (WHERE l.state IN ('offered', 'accepted', 'granted', 'drawn')) AS offered,
           count(*) FILTER (WHERE l.state IN ('granted', 'drawn')) AS granted,
           count(*) FILTER (WHERE l.contact_disputed_on IS NOT NULL) AS disputed,
           avg(a.first_on - l.pushed_on) AS days_to_answer
    FROM push_line l
    LEFT JOIN LATERAL (SELECT min(answered_on) AS first_on FROM answer WHERE line_id = l.id) a ON true
    WHERE l.bank_id = :bank_id AND l.pushed_on BETWEEN :since AND :until
""")
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


def promptness(tx: Session, bank_id: int | None, since: date, until: date) -> Row[Any]:
    """What became of the lines pushed to a bank in these days, and how soon it first answered."""
    return tx.execute(PROMPTNESS, {"bank_id": bank_id, "since": since, "until": until}).one()


def refusal_reasons(tx: Session, bank_id: int | None, since: date, until: date) -> Sequence[Row[Any]]:
    """The coded reasons a bank gave in these days, the most frequent first."""
    return tx.execute(REASONS, {"bank_id": bank_id, "since": since, "until": until}).all()
