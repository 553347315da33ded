"""Tell someone, in the transaction that gives rise to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlmodel import Session

from service.domain.notice import Notice
from service.domain.people import Who
from service.store.bulk import add_rows


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
    """Queue the messages."""
    made = {"made_on": today, "made_at": now}
    add_rows(tx, "notice", [{**vars(message), "values": dict(message.values), **made} for message in messages])


def list_to(tx: Session, who: Who, limit: int = 20) -> Sequence[Row[Any]]:
    """The latest messages to the firm, the bank or the district `who` acts for."""
    table = Notice.__table__  # type: ignore[attr-defined]
    if who.uscc:
        mine = table.c.uscc == who.uscc
    elif who.bank_id:
        mine = table.c.bank_id == who.bank_id
    else:
        mine = table.c.district == who.district
    return tx.execute(select(table).where(mine).order_by(table.c.id.desc()).limit(limit)).all()


def mark_read(tx: Session, who: Who, now: datetime) -> int:
    """Everything shown so far to `who` is read; how many became so."""
    done = tx.execute(
        text(
            "UPDATE notice SET read_at = :now WHERE read_at IS NULL"
            " AND (uscc = :uscc OR bank_id = :bank_id OR district = :district)"
        ),
        {"now": now, "uscc": who.uscc, "bank_id": who.bank_id, "district": who.district},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def count_unread(tx: Session, who: Who) -> int:
    """How many messages `who` has not opened yet."""
    found: int = tx.execute(
        text(
            "SELECT count(*) FROM notice WHERE read_at IS NULL"
            " AND (uscc = :uscc OR bank_id = :bank_id OR district = :district)"
        ),
        {"uscc": who.uscc, "bank_id": who.bank_id, "district": who.district},
    ).scalar_one()
    return found
