"""Codes for whoever forgot a password: one browser's own, found by the token in its cookie."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.store.bulk import next_ids

NAME_TOKEN = text("SELECT set_config('xindeng.password_code', :token_hash, true)")
KEEP = text("""
    INSERT INTO password_code AS c (id, token_hash, named_digest, person_id, message_id, salt, tries, asked_at)
    VALUES (:id, :token_hash, :named_digest, :person_id, :message_id, :salt, 0, :asked_at)
    ON CONFLICT (token_hash) DO UPDATE SET named_digest = EXCLUDED.named_digest, person_id = EXCLUDED.person_id,
        message_id = EXCLUDED.message_id, salt = EXCLUDED.salt, tries = 0, asked_at = EXCLUDED.asked_at, used_at = NULL
    RETURNING id
""")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('password code ' || :digest, 0))")


def wait_for(tx: Session, named_digest: str) -> None:
    """Whoever asks under the same name waits until this transaction ends: clicks at once are one click."""
    tx.execute(ONE_AT_A_TIME, {"digest": named_digest})


def find(tx: Session, token_hash: str) -> Row[Any] | None:
    """What this browser asked for, or None; from here on the transaction sees this one."""
    tx.execute(NAME_TOKEN, {"token_hash": token_hash})
    rule = text("SELECT * FROM password_code WHERE token_hash = :token_hash")
    return tx.execute(rule, {"token_hash": token_hash}).one_or_none()


def lock(tx: Session, token_hash: str) -> Row[Any] | None:
    """The same, held to the end of the transaction."""
    tx.execute(NAME_TOKEN, {"token_hash": token_hash})
    rule = text("SELECT * FROM password_code WHERE token_hash = :token_hash FOR UPDATE")
    return tx.execute(rule, {"token_hash": token_hash}).one_or_none()


def keep(tx: Session, token_hash: str, **asked: Any) -> int:
    """This browser's code is another from now on (`named_digest`, `person_id`, `message_id`, `salt`, `asked_at`)."""
    tx.execute(NAME_TOKEN, {"token_hash": token_hash})
    (fresh,) = next_ids(tx, "password_code", 1)
    key: int = tx.execute(KEEP, {"id": fresh, "token_hash": token_hash, **asked}).scalar_one()
    return key


def count_try(tx: Session, key: int) -> None:
    """A wrong code was typed."""
    tx.execute(text("UPDATE password_code SET tries = tries + 1 WHERE id = :id"), {"id": key})


def use(tx: Session, key: int, at: datetime) -> None:
    """The code did what it was for."""
    tx.execute(text("UPDATE password_code SET used_at = :at WHERE id = :id"), {"id": key, "at": at})


def forget(tx: Session, before: datetime) -> int:
    """Remove what was asked for earlier; how many."""
    done = tx.execute(text("DELETE FROM password_code WHERE asked_at < :before"), {"before": before})
    return int(done.rowcount)  # type: ignore[attr-defined]
