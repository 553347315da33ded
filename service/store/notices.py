"""Tell someone, in the transaction that gives rise to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who
from service.store import outgoing
from service.store.bulk import add_rows, next_ids

MINE = "(n.uscc = :uscc OR n.bank_id = :bank_id OR n.district = :district)"
TOLD = f"""
    SELECT n.id, n.kind, n.demand_id, n.line_id, n."values" AS told, n.made_on, n.made_at, n.read_at,
           d.number AS demand_number, d.amount_fen AS asked_fen, f.name AS firm_name,
           ARRAY(SELECT b.name FROM bank b
                 WHERE b.id = coalesce(l.bank_id, CAST(n."values" ->> 'bank_id' AS bigint))
                    OR n."values" -> 'banks' @> to_jsonb(b.id)
                 ORDER BY b.id) AS banks
    FROM notice n LEFT JOIN demand d ON d.id = n.demand_id
    LEFT JOIN firm f ON f.uscc = coalesce(d.uscc, n."values" ->> 'uscc')
    LEFT JOIN push_line l ON l.id = n.line_id
    WHERE {MINE} ORDER BY n.id DESC
"""


@dataclass(frozen=True)
class Message:
    """A coded message to exactly one of: a firm, a bank, a district (or to the city, when all three are empty)."""

    kind: str
    uscc: str | None = None
    bank_id: int | None = None
    district: str | None = None
    demand_id: int | None = None
    line_id: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def add(tx: Session, messages: Sequence[Message], today: date, now: datetime) -> None:
    """Queue the messages, and what leaves the platform with them."""
    made = {"made_on": today, "made_at": now}
    keys = next_ids(tx, "notice", len(messages)) if messages else []
    rows = [
        {"id": key, **vars(message), "values": dict(message.values), **made}
        for key, message in zip(keys, messages, strict=True)
    ]
    add_rows(tx, "notice", rows)
    outgoing.queue(tx, [(key, one.kind) for key, one in zip(keys, messages, strict=True) if one.uscc])


def list_to(tx: Session, who: Who, limit: int = 20, offset: int = 0) -> Sequence[Row[Any]]:
    """The messages to the firm, the bank or the district `who` acts for, latest first, with what a sentence needs.

    What `who` may no longer see (a demand after the consent was withdrawn) is None.
    """
    return tx.execute(
        text(f"{TOLD} LIMIT :limit OFFSET :offset"), _mine(who) | {"limit": limit, "offset": offset}
    ).all()


def get(tx: Session, who: Who, notice_id: int) -> Row[Any]:
    """One message to the firm, the bank or the district `who` acts for, or NotFound."""
    one = TOLD.replace("ORDER BY", "AND n.id = :id ORDER BY")
    row = tx.execute(text(one), _mine(who) | {"id": notice_id}).one_or_none()
    if row is None:
        raise NotFound("没有这条消息。")
    return row


def count_to(tx: Session, who: Who) -> int:
    """How many messages there are to `who` in all."""
    found: int = tx.execute(text(f"SELECT count(*) FROM notice n WHERE {MINE}"), _mine(who)).scalar_one()
    return found


def _mine(who: Who) -> dict[str, Any]:
    return {"uscc": who.uscc, "bank_id": who.bank_id, "district": who.district}


def mark_read(tx: Session, who: Who, now: datetime) -> int:
    """Everything shown so far to `who` is read; how many became so."""
    done = tx.execute(
        text(f"UPDATE notice n SET read_at = :now WHERE read_at IS NULL AND {MINE}"),
        {"now": now} | _mine(who),
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def count_unread(tx: Session, who: Who) -> int:
    """How many messages `who` has not opened yet."""
    found: int = tx.execute(
        text(f"SELECT count(*) FROM notice n WHERE read_at IS NULL AND {MINE}"),
        _mine(who),
    ).scalar_one()
    return found
