"""What firms have filled in and not sent yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

KEPT = timedelta(days=30)
"""A draft that nobody touched for so long is removed."""
Answers = Mapping[str, Mapping[str, list[str]]]
"""Step → field → what was typed."""
FIND = text("SELECT * FROM draft WHERE uscc = :uscc AND demand_id IS NOT DISTINCT FROM :demand_id")
TAKE = text(f"{FIND.text} FOR UPDATE")
SAVE = text("""
    INSERT INTO draft (uscc, demand_id, version, answers, updated_at)
    VALUES (:uscc, :demand_id, :version, :answers, :now)
    ON CONFLICT ON CONSTRAINT draft_once DO UPDATE
    SET version = excluded.version, answers = excluded.answers, updated_at = excluded.updated_at
""").bindparams(bindparam("answers", type_=JSONB))


@dataclass(frozen=True)
class Kept:
    """A draft to be saved; without a demand it is a new one's."""

    uscc: str
    demand_id: int | None = None
    version: int = 0
    answers: Answers = field(default_factory=dict)


def find(tx: Session, uscc: str, demand_id: int | None) -> Row[Any] | None:
    """The draft of a new demand, or of a change to this one."""
    return tx.execute(FIND, {"uscc": uscc, "demand_id": demand_id}).one_or_none()


def take(tx: Session, uscc: str, demand_id: int | None) -> Row[Any] | None:
    """The same, held to the end of the transaction: of two who send it, the second finds none."""
    return tx.execute(TAKE, {"uscc": uscc, "demand_id": demand_id}).one_or_none()


def save(tx: Session, draft: Kept, now: datetime) -> None:
    """Keep the answers given so far."""
    tx.execute(
        SAVE, vars(draft) | {"answers": {step: dict(typed) for step, typed in draft.answers.items()}, "now": now}
    )


def remove(tx: Session, uscc: str, demand_id: int | None) -> None:
    """Forget a draft: it was sent, or is not wanted."""
    tx.execute(
        text("DELETE FROM draft WHERE uscc = :uscc AND demand_id IS NOT DISTINCT FROM :demand_id"),
        {"uscc": uscc, "demand_id": demand_id},
    )


def remove_stale(tx: Session, now: datetime) -> int:
    """Forget every draft untouched for KEPT; how many."""
    gone = tx.execute(text("DELETE FROM draft WHERE updated_at < :before"), {"before": now - KEPT})
    return int(gone.rowcount)  # type: ignore[attr-defined]
