"""Messages that leave: queued with their notice, claimed one by one, ended with what the provider said."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.outgoing import (
    ADDRESS_CODE,
    LEAVES,
    LEGAL,
    PASSWORD_CODE,
    Letter,
    MessageChannel,
    MessageState,
    masked_address,
)
from service.store.bulk import next_ids

S = MessageState
WORDS_KEPT = 2000
QUEUE_NOTICES = text("SELECT queue_messages(CAST(:told AS jsonb))")
QUEUE_DIGESTS = text("""
    INSERT INTO outgoing_message (person_id, channel, kind, topic, digest_on, bank_id, district, counts, state,
        made_on, made_at)
    SELECT o.person_id, o.channel, 'digest', 'digest', :today, o.bank_id, o.district, t.counts, 'waiting', :today, :now
    FROM (
        SELECT m.person_id, c.channel, min(m.bank_id) AS bank_id, min(m.district) AS district,
            array_agg(m.bank_id) AS banks, array_agg(m.district) AS districts,
            coalesce((SELECT max(d.made_at) FROM outgoing_message d
                WHERE d.person_id = m.person_id AND d.channel = c.channel AND d.kind = 'digest'),
                CAST(:since AS timestamptz)) AS since
        FROM membership m JOIN person p ON p.id = m.person_id AND p.is_active
        JOIN contact_address c ON c.person_id = m.person_id AND c.sealed IS NOT NULL
        LEFT JOIN message_preference w ON w.person_id = m.person_id
        WHERE m.role IN ('officer', 'bank_admin', 'district') AND m.since_on <= :today
          AND (m.until_on IS NULL OR m.until_on > :today)
          AND (w.person_id IS NULL OR 'digest' = ANY(CASE c.channel WHEN 'sms' THEN w.sms ELSE w.email END))
        GROUP BY m.person_id, c.channel) o
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(n.kind, n.number) AS counts FROM (
            SELECT kind, count(*) AS number FROM notice
            WHERE (bank_id = ANY(o.banks) OR district = ANY(o.districts)) AND made_at > o.since AND made_at <= :now
            GROUP BY kind) n) t
    WHERE t.counts IS NOT NULL
    ON CONFLICT ON CONSTRAINT outgoing_message_one_digest DO NOTHING
""")
NEXT = text("""
    SELECT o.*, a.sealed, a.shown, a.asked_sealed, a.asked_shown, a.asked_salt, p.phone, w.language AS wished,
        p.password_hash, c.salt AS code_salt
    FROM outgoing_message o JOIN person p ON p.id = o.person_id
    LEFT JOIN contact_address a ON a.person_id = o.person_id AND a.channel = o.channel
    LEFT JOIN message_preference w ON w.person_id = o.person_id
    LEFT JOIN password_code c ON c.message_id = o.id
    WHERE o.state = 'waiting' AND (o.not_before IS NULL OR o.not_before <= :now)
      AND (NOT :is_quiet OR o.topic = 'code')
    ORDER BY o.topic = 'code' DESC, o.id LIMIT 1 FOR UPDATE OF o SKIP LOCKED
""")
COUNT_TODAY = text("""
    SELECT count(*) FROM outgoing_message WHERE person_id = :person_id AND tried_on = :today
      AND state IN ('sending', 'sent', 'unknown') AND topic <> 'code'
""")
CLAIM = text("""
    UPDATE outgoing_message SET state = 'sending', claimed_at = :claimed_at, tried_on = :today, tries = tries + 1,
        language = :language, words = :words, address_shown = :shown, address_digest = :digest, provider = :provider
    WHERE id = :id
""")
SUPPRESS = text("UPDATE outgoing_message SET state = 'suppressed', fault = :fault WHERE id = :id")
END = text("""
    UPDATE outgoing_message SET state = :state, fault = :fault, reference = :reference, sent_at = :sent_at,
        not_before = :not_before
    WHERE id = :id AND state = 'sending' AND claimed_at = :claimed_at
""")
LEFT_BEHIND = text("""
    SELECT id, key, channel, tries, claimed_at FROM outgoing_message
    WHERE state = 'sending' AND claimed_at < :before ORDER BY id LIMIT :limit
""")
SEND_AGAIN = text("""
    UPDATE outgoing_message SET state = 'waiting', fault = NULL, tries = 0, not_before = NULL, made_on = :today,
        key = CASE state WHEN 'failed' THEN gen_random_uuid() ELSE key END
    WHERE id = :id AND state IN ('failed', 'unknown')
""")
SETTLE = text("""
    UPDATE outgoing_message SET state = 'sent', fault = NULL, sent_at = :now WHERE id = :id AND state = 'unknown'
""")
HEALTH = text("""
    SELECT c.channel, t.sent_today, t.failed_today,
        (SELECT max(sent_at) FROM outgoing_message o WHERE o.channel = c.channel) AS sent_at,
        (SELECT min(made_at) FROM outgoing_message o WHERE o.channel = c.channel AND o.state = 'waiting') AS waits_since
    FROM (VALUES ('sms'), ('email')) AS c (channel)
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE state = 'sent') AS sent_today,
            count(*) FILTER (WHERE state = 'failed') AS failed_today
        FROM outgoing_message o WHERE o.channel = c.channel AND o.tried_on = :today) t
""")
KEEP = text("""
    INSERT INTO sandbox_message (key, channel, address_shown, subject, body, at)
    VALUES (CAST(:key AS uuid), :channel, :shown, :subject, :body, :now) ON CONFLICT (key) DO NOTHING
""")


def queue(tx: Session, told: Sequence[tuple[int, str]]) -> None:
    """A message for everybody who acts for the firm and wants one, for each of these notices (key, kind)."""
    rows = [
        {"id": key, "topic": LEAVES[kind].value, "is_legal": LEAVES[kind] in LEGAL}
        for key, kind in told
        if kind in LEAVES
    ]
    if rows:
        tx.execute(QUEUE_NOTICES, {"told": orjson.dumps(rows).decode()})


def queue_digests(tx: Session, since: datetime, today: date, now: datetime) -> int:
    """One message a day for each officer with what came since the last one (the first: since `since`); how many."""
    return int(
        tx.execute(QUEUE_DIGESTS, {"since": since, "today": today, "now": now}).rowcount  # type: ignore[attr-defined]
    )


def queue_code(tx: Session, person_id: int, channel: MessageChannel, today: date, now: datetime) -> None:
    """The code for an address somebody just asked to be reached at."""
    _queue_code(tx, ADDRESS_CODE, person_id, channel, today, now)


def queue_password_code(tx: Session, person_id: int, today: date, now: datetime) -> int:
    """The code for somebody who forgot their password, to their mobile; the message's key."""
    return _queue_code(tx, PASSWORD_CODE, person_id, MessageChannel.SMS, today, now)


def _queue_code(tx: Session, kind: str, person_id: int, channel: MessageChannel, today: date, now: datetime) -> int:
    (key,) = next_ids(tx, "outgoing_message", 1)
    row = {"id": key, "kind": kind, "person_id": person_id, "channel": channel.value, "today": today, "now": now}
    tx.execute(
        text(
            "INSERT INTO outgoing_message (id, person_id, channel, kind, topic, state, made_on, made_at)"
            " VALUES (:id, :person_id, :channel, :kind, 'code', 'waiting', :today, :now)"
        ),
        row,
    )
    return key


def count_codes(tx: Session, person_id: int, today: date) -> int:
    """How many codes for an address the person asked for today."""
    found: int = tx.execute(
        text(
            "SELECT count(*) FROM outgoing_message WHERE person_id = :person_id AND kind = 'address_code'"
            " AND made_on = :today"
        ),
        {"person_id": person_id, "today": today},
    ).scalar_one()
    return found


def lock_next(tx: Session, now: datetime, *, is_quiet: bool) -> Row[Any] | None:
    """The next message that may leave now, with its person's address and language, locked; codes first."""
    return tx.execute(NEXT, {"now": now, "is_quiet": is_quiet}).one_or_none()


def count_today(tx: Session, person_id: int, today: date) -> int:
    """How many went to the person today; nobody else claims one for them until this transaction ends."""
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('outgoing ' || :id, 0))"), {"id": str(person_id)})
    found: int = tx.execute(COUNT_TODAY, {"person_id": person_id, "today": today}).scalar_one()
    return found


def claim(tx: Session, message_id: int, **claimed: Any) -> None:
    """It is this worker's from the commit on: `claimed_at` by the machine's clock, `today`, language, words, address
    (`shown`, `digest`), `provider`."""
    tx.execute(CLAIM, {"id": message_id, **claimed})


def suppress(tx: Session, message_id: int, fault: str) -> None:
    """It does not leave, for this reason."""
    tx.execute(SUPPRESS, {"id": message_id, "fault": fault})


def end(tx: Session, message_id: int, claimed_at: datetime, state: MessageState, **said: Any) -> bool:
    """What became of a claim; False where somebody else has decided it meanwhile."""
    values = {"fault": None, "reference": None, "sent_at": None, "not_before": None} | said
    values |= {"id": message_id, "claimed_at": claimed_at, "state": state.value}
    return bool(tx.execute(END, values).rowcount)  # type: ignore[attr-defined]


def list_left_behind(tx: Session, before: datetime, limit: int) -> Sequence[Row[Any]]:
    """Claims older than that: their worker is gone, or heard no answer."""
    return tx.execute(LEFT_BEHIND, {"before": before, "limit": limit}).all()


def send_again(tx: Session, message_id: int, today: date) -> bool:
    """A failed message waits again under a new key, an unknown one under its own; False where it is neither."""
    return bool(tx.execute(SEND_AGAIN, {"id": message_id, "today": today}).rowcount)  # type: ignore[attr-defined]


def settle(tx: Session, message_id: int, now: datetime) -> bool:
    """An unknown message did leave, somebody found; False where it is not unknown."""
    return bool(tx.execute(SETTLE, {"id": message_id, "now": now}).rowcount)  # type: ignore[attr-defined]


def get(tx: Session, message_id: int) -> Row[Any]:
    """One message, or NotFound."""
    row = tx.execute(text("SELECT * FROM outgoing_message WHERE id = :id"), {"id": message_id}).one_or_none()
    if row is None:
        raise NotFound("没有这条外发消息。")
    return row


def list_by_state(tx: Session, state: str, limit: int, offset: int) -> Sequence[Row[Any]]:
    """The latest messages in a state ('' for any), with what the sandbox kept of them."""
    where = "WHERE o.state = :state" if state else ""
    return tx.execute(
        text(
            "SELECT o.*, b.subject AS kept_subject, b.body AS kept_body FROM outgoing_message o"
            f" LEFT JOIN sandbox_message b ON b.key = o.key {where} ORDER BY o.id DESC LIMIT :limit OFFSET :offset"
        ),
        {"state": state, "limit": limit, "offset": offset},
    ).all()


def list_to(tx: Session, person_id: int, limit: int) -> Sequence[Row[Any]]:
    """The latest messages to a person."""
    return tx.execute(
        text("SELECT * FROM outgoing_message WHERE person_id = :id ORDER BY id DESC LIMIT :limit"),
        {"id": person_id, "limit": limit},
    ).all()


def count_by_state(tx: Session, states: Collection[MessageState] = tuple(MessageState)) -> Mapping[str, int]:
    """State → how many; of these states."""
    counted = text("SELECT state, count(*) AS n FROM outgoing_message WHERE state = ANY(:states) GROUP BY state")
    return {row.state: row.n for row in tx.execute(counted, {"states": [one.value for one in states]})}


def health(tx: Session, today: date) -> Mapping[str, Row[Any]]:
    """Channel → when something last left, since when something waits, and how today went."""
    return {row.channel: row for row in tx.execute(HEALTH, {"today": today})}


def forget(tx: Session, before: date) -> int:
    """Remove what was made before a day and is over; how many."""
    tx.execute(
        text(
            "DELETE FROM sandbox_message b USING outgoing_message o WHERE o.key = b.key AND o.made_on < :before"
            " AND o.state NOT IN ('waiting', 'sending')"
        ),
        {"before": before},
    )
    return int(
        tx.execute(  # type: ignore[attr-defined]
            text("DELETE FROM outgoing_message WHERE made_on < :before AND state NOT IN ('waiting', 'sending')"),
            {"before": before},
        ).rowcount
    )


def keep_in_sandbox(tx: Session, channel: MessageChannel, letter: Letter, now: datetime) -> None:
    """What would have been sent, once a key; the address is kept masked."""
    row = {"key": letter.key, "channel": channel.value, "shown": masked_address(letter.to), "now": now}
    tx.execute(KEEP, row | {"subject": letter.words.subject, "body": letter.words.body[:WORDS_KEPT]})


def is_in_sandbox(tx: Session, key: str) -> bool:
    """Whether the sandbox was given a message under this key."""
    found = tx.execute(text("SELECT 1 FROM sandbox_message WHERE key = CAST(:key AS uuid)"), {"key": key})
    return found.scalar() is not None
