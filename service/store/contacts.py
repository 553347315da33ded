"""Where a person is reached by SMS and e-mail, and what they want to leave the platform."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

ASK = text("""
    INSERT INTO contact_address AS a (person_id, channel, asked_sealed, asked_shown, asked_salt, asked_at, asked_tries)
    VALUES (:person_id, :channel, :sealed, :shown, :salt, :now, 0)
    ON CONFLICT (person_id, channel) DO UPDATE SET asked_sealed = EXCLUDED.asked_sealed,
        asked_shown = EXCLUDED.asked_shown, asked_salt = EXCLUDED.asked_salt, asked_at = EXCLUDED.asked_at,
        asked_tries = 0
""")
CONFIRM = text("""
    UPDATE contact_address SET sealed = asked_sealed, shown = asked_shown, confirmed_at = :now, asked_sealed = NULL,
        asked_shown = NULL, asked_salt = NULL, asked_at = NULL
    WHERE person_id = :person_id AND channel = :channel AND asked_sealed IS NOT NULL
""")
PREFER = text("""
    INSERT INTO message_preference (person_id, sms, email, language, changed_at)
    VALUES (:person_id, :sms, :email, :language, :now)
    ON CONFLICT (person_id) DO UPDATE SET sms = EXCLUDED.sms, email = EXCLUDED.email, language = EXCLUDED.language,
        changed_at = EXCLUDED.changed_at
""")


def find_by_channel(tx: Session, person_id: int) -> Mapping[str, Row[Any]]:
    """Channel → the person's address there, confirmed or asked for."""
    rows = tx.execute(text("SELECT * FROM contact_address WHERE person_id = :id"), {"id": person_id})
    return {row.channel: row for row in rows}


def lock(tx: Session, person_id: int, channel: str) -> Row[Any] | None:
    """The address, locked."""
    return tx.execute(
        text("SELECT * FROM contact_address WHERE person_id = :id AND channel = :channel FOR UPDATE"),
        {"id": person_id, "channel": channel},
    ).one_or_none()


def ask(tx: Session, person_id: int, channel: str, **asked: Any) -> None:
    """A new address (`sealed`, `shown`, `salt`, `now`) waits for its code; the old one counts until then."""
    tx.execute(ASK, {"person_id": person_id, "channel": channel, **asked})


def count_try(tx: Session, person_id: int, channel: str) -> None:
    """A wrong code was typed."""
    tx.execute(
        text("UPDATE contact_address SET asked_tries = asked_tries + 1 WHERE person_id = :id AND channel = :channel"),
        {"id": person_id, "channel": channel},
    )


def confirm(tx: Session, person_id: int, channel: str, now: datetime) -> None:
    """The address that was asked for counts from now on."""
    tx.execute(CONFIRM, {"person_id": person_id, "channel": channel, "now": now})


def remove(tx: Session, person_id: int, channel: str) -> bool:
    """Nobody is reached there any more; False where there was nothing."""
    done = tx.execute(
        text("DELETE FROM contact_address WHERE person_id = :id AND channel = :channel"),
        {"id": person_id, "channel": channel},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def find_preference(tx: Session, person_id: int) -> Row[Any] | None:
    """What the person chose, if they ever did."""
    return tx.execute(text("SELECT * FROM message_preference WHERE person_id = :id"), {"id": person_id}).one_or_none()


def prefer(tx: Session, person_id: int, sms: Sequence[str], email: Sequence[str], language: str, now: datetime) -> None:
    """From now on these topics leave by these channels."""
    tx.execute(
        PREFER, {"person_id": person_id, "sms": list(sms), "email": list(email), "language": language, "now": now}
    )
