"""Partner banks: admitted once, found by their code."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from service.domain.bank import Bank


def find_id(tx: Session, code: str) -> int | None:
    """The key of the bank with this code."""
    found: int | None = tx.execute(text("SELECT id FROM bank WHERE code = :code"), {"code": code}).scalar()
    return found


def add(tx: Session, columns: Mapping[str, Any]) -> int:
    """A new bank; its key."""
    bank = Bank(**columns)
    tx.add(bank)
    tx.flush()
    assert bank.id is not None
    return bank.id
