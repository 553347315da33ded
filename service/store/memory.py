"""What a transaction has read once and may rely on to its end: its calendar, the locks and the chain heads it holds.

A rollback, also one to a savepoint, gives back locks and undoes writes: then all of it is forgotten.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

MEMORY = "memory"


def memory(tx: Session) -> dict[str, Any]:
    """The transaction's own notes: each module of the store keeps one under its own name."""
    known: dict[str, Any] = tx.info.setdefault(MEMORY, {})
    return known


@event.listens_for(Session, "after_soft_rollback")
def _forget(tx: Session, _undone: SessionTransaction) -> None:
    tx.info.pop(MEMORY, None)


@event.listens_for(Session, "after_transaction_end")
def _end(tx: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        tx.info.pop(MEMORY, None)
