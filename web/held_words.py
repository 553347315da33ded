"""What a bank has answered together and can still take back, and what no line would have: as its list shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.clock import CITY
from service.domain.errors import Conflict
from service.domain.people import Who
from service.store import bank_line, held_answers
from web.refusals import said

TOLD_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class BatchSaid:
    """A batch that waits: the last instant to undo it, and who confirmed it."""

    key: str
    kind: str
    lines: int
    amount_fen: int
    time: str
    name: str


@dataclass(frozen=True)
class NotTaken:
    """One line that would not have the answer when it was given."""

    line_id: int
    name: str
    error: str


@dataclass(frozen=True)
class Held:
    """All of it; `lines`: line → its row."""

    lines: Mapping[int, Row[Any]]
    batches: Sequence[BatchSaid]
    not_taken: Sequence[NotTaken]


def held_of(tx: Session, who: Who, now: datetime) -> Held:
    """What stands over a bank's list now."""
    rows = held_answers.list_waiting(tx, who)
    lost = held_answers.list_not_taken(tx, who, now - TOLD_FOR)
    names = bank_line.names_of(tx, who, [row.line_id for row in lost]) if lost else {}
    return Held(
        {row.line_id: row for row in rows},
        [_batch(list(mine)) for _, mine in groupby(rows, key=lambda row: row.batch)],
        [NotTaken(row.line_id, names.get(row.line_id, ""), _why(row)) for row in lost],
    )


def waiting_on(tx: Session, who: Who, line_id: int) -> BatchSaid | None:
    """What waits on one line."""
    mine = [row for row in held_answers.list_waiting(tx, who) if row.line_id == line_id]
    return _batch(mine) if mine else None


def _batch(rows: Sequence[Row[Any]]) -> BatchSaid:
    first, amount = rows[0], sum(row.amount_fen for row in rows)
    time = f"{first.until_at.astimezone(CITY):%H:%M:%S}"
    return BatchSaid(first.batch, first.kind, len(rows), amount, time, first.person_name or "")


def _why(row: Row[Any]) -> str:
    return said(Conflict(row.refusal["message"], **row.refusal["values"]))
