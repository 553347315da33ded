"""Printed credit reports: entered once, found again by whoever printed one or holds one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.store.bulk import add_rows, next_ids

LATEST = text("""
    SELECT * FROM issued_report
    WHERE line_id = :line_id AND issued_by IS NOT DISTINCT FROM :issued_by AND issued_on = :issued_on
      AND language = :language AND state_hash = :state_hash
    ORDER BY edition DESC LIMIT 1
""")
OF_TOKEN = text("""
    SELECT r.*, b.name AS bank_name, b.name_en AS bank_name_en, f.name AS firm_name,
           c.until_on AS consent_until_on, w.withdrawn_on AS consent_withdrawn_on, n.issued_on AS superseded_on
    FROM issued_report r JOIN bank b ON b.id = r.bank_id JOIN firm f ON f.uscc = r.uscc
    JOIN consent c ON c.id = r.consent_id LEFT JOIN consent_withdrawal w ON w.consent_id = c.id
    LEFT JOIN LATERAL (SELECT issued_on FROM issued_report l
                       WHERE l.line_id = r.line_id AND l.id > r.id AND l.state_hash <> r.state_hash
                       ORDER BY l.id LIMIT 1) n ON true
    WHERE r.token = :token
""")


@dataclass(frozen=True)
class Same:
    """What makes two printings one: the line, the officer, the day, the language, and what the report says."""

    line_id: int
    issued_by: int | None
    issued_on: date
    language: str
    state_hash: str


def find_latest(tx: Session, same: Same) -> Row[Any] | None:
    """The latest paper of this very state, by this officer, on this day."""
    return tx.execute(LATEST, vars(same)).one_or_none()


def next_key(tx: Session) -> int:
    """The key of the next paper: its number stands on it before it is drawn."""
    return next_ids(tx, "issued_report", 1)[0]


def add(tx: Session, row: Mapping[str, Any]) -> None:
    """Enter a paper with its key."""
    add_rows(tx, "issued_report", [row])


def find_by_token(tx: Session, token: str) -> Row[Any] | None:
    """A paper by what stands in its code, with bank, firm, its consent's end and the first newer one's day."""
    return tx.execute(OF_TOKEN, {"token": token}).one_or_none()
