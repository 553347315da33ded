"""Answers already given, so that a repeated request is answered again and not executed again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

CLAIM = text("""
    INSERT INTO idempotency_key (actor, route, key, fingerprint, created_at)
    VALUES (:actor, :route, :key, :fingerprint, :now) ON CONFLICT ON CONSTRAINT idempotency_once DO NOTHING
""")
FIND = text("""
    SELECT fingerprint, response_status, response_body FROM idempotency_key
    WHERE actor = :actor AND route = :route AND key = :key
""")
KEEP = text("""
    UPDATE idempotency_key SET response_status = :status, response_body = cast(:body AS jsonb)
    WHERE actor = :actor AND route = :route AND key = :key
""")


@dataclass(frozen=True)
class Claim:
    """Whose request, to which route, under which key."""

    actor: str
    route: str
    key: str


@dataclass(frozen=True)
class Given:
    """The answer given before, and the fingerprint of the request it was given to."""

    fingerprint: str
    status: int
    body: Any


def claim(tx: Session, claimed: Claim, fingerprint: str, now: datetime) -> Given | None:
    """None when the key is ours to execute now; otherwise what was answered. Waits for one still being executed."""
    done = tx.execute(CLAIM, {**vars(claimed), "fingerprint": fingerprint, "now": now})
    if done.rowcount:  # type: ignore[attr-defined]
        return None
    row = tx.execute(FIND, vars(claimed)).one()
    return Given(row.fingerprint, row.response_status, row.response_body)


def keep(tx: Session, claimed: Claim, status: int, body: str) -> None:
    """Remember the answer (JSON text) in the transaction that brought it about."""
    tx.execute(KEEP, {**vars(claimed), "status": status, "body": body})


def forget_before(tx: Session, instant: datetime) -> int:
    """Old keys go: seven days are enough for a bank's batch to be repeated."""
    done = tx.execute(text("DELETE FROM idempotency_key WHERE created_at < :instant"), {"instant": instant})
    return int(done.rowcount)  # type: ignore[attr-defined]
