"""Firms of which nobody has said more than name, kind and code."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

ADD = text("""
    INSERT INTO firm (uscc, name, kind, district, industry, status, size_class, wrong_code)
    VALUES (:uscc, :name, :kind, '', '', 'unknown', 'unclassified', :wrong_code) ON CONFLICT (uscc) DO NOTHING
""")


def add(tx: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter those that are not there; how many."""
    entered = 0
    for row in rows:
        entered += tx.execute(ADD, row).rowcount  # type: ignore[attr-defined]
    return entered
