"""Answers confirmed and not given yet: who, when, until; one for each line, and taken by one hand only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Who
from service.store.bulk import change_rows

HOLD = text("""
    INSERT INTO held_answer (batch, line_id, bank_id, kind, reasons, text, held_by, held_role, held_on, held_at,
                             until_at, state)
    SELECT :batch, line_id, :bank_id, :kind, CAST(:reasons AS text[]), :text, :held_by, :held_role, :held_on, :held_at,
           :until_at, 'held'
    FROM unnest(CAST(:lines AS bigint[])) line_id ORDER BY line_id
    ON CONFLICT DO NOTHING RETURNING line_id
""")
WAITING_AMONG = text("SELECT line_id FROM held_answer WHERE line_id = ANY (:ids) AND state = 'held'")
TAKE_DUE = text("""
    SELECT * FROM held_answer WHERE state = 'held' AND until_at <= :now
      AND (CAST(:bank_id AS bigint) IS NULL OR bank_id = :bank_id)
    ORDER BY id FOR UPDATE SKIP LOCKED
""")
TAKE_OUT = text("UPDATE held_answer SET state = 'not_taken', ended_at = :now WHERE id = ANY (:ids)")
UNDO = text("""
    UPDATE held_answer SET state = 'undone', ended_at = :now, ended_by = :person_id
    WHERE batch = :batch AND bank_id = :bank_id AND state = 'held' AND until_at > :now
      AND (CAST(:line_id AS bigint) IS NULL OR line_id = :line_id)
    RETURNING line_id, kind
""")
OF_BATCH = text("SELECT * FROM held_answer WHERE batch = :batch AND bank_id = :bank_id ORDER BY line_id")
WAITING = text("""
    SELECT h.*, p.name AS person_name, l.amount_fen FROM held_answer h JOIN push_line l ON l.id = h.line_id
    LEFT JOIN person p ON p.id = h.held_by
    WHERE h.bank_id = :bank_id AND h.state = 'held' ORDER BY h.id
""")
NOT_TAKEN = text("""
    SELECT * FROM held_answer WHERE bank_id = :bank_id AND state = 'not_taken' AND ended_at >= :since
      AND held_by IS NOT DISTINCT FROM :person_id ORDER BY id
""")


@dataclass(frozen=True)
class Batch:
    """What is said of several lines at once, and by when it can be undone."""

    key: str
    kind: str
    reasons: Sequence[str]
    text: str
    held_on: date
    held_at: datetime
    until_at: datetime


def hold(tx: Session, who: Who, batch: Batch, line_ids: Sequence[int]) -> list[int]:
    """Enter the batch for these lines; those of them that neither waited already nor stood in it before."""
    values = {name: value for name, value in vars(batch).items() if name != "key"}
    whose = {"bank_id": who.bank_id, "held_by": who.person_id, "held_role": who.role.value}
    given = {"batch": batch.key, "lines": list(line_ids), **values, "reasons": list(batch.reasons), **whose}
    return list(tx.execute(HOLD, given).scalars())


def waiting_among(tx: Session, line_ids: Sequence[int]) -> frozenset[int]:
    """Those of the lines whose answer can still be undone."""
    return frozenset(tx.execute(WAITING_AMONG, {"ids": list(line_ids)}).scalars()) if line_ids else frozenset()


def take_due(tx: Session, now: datetime, bank_id: int | None) -> Sequence[Row[Any]]:
    """What is due, of one bank or of all, taken out of the waiting ones; who else takes now finds none of them.

    They end as not taken unless `end` says better before this transaction does.
    """
    rows = tx.execute(TAKE_DUE, {"now": now, "bank_id": bank_id}).all()
    if rows:
        tx.execute(TAKE_OUT, {"now": now, "ids": [row.id for row in rows]})
    return rows


def end(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """What became of each: id, state, answer_id, refusal."""
    change_rows(tx, "held_answer", "id", rows)


def undo(tx: Session, who: Who, batch: str, line_id: int | None, now: datetime) -> Sequence[Row[Any]]:
    """Take back what can be taken back of a batch, or one line of it; the lines it was."""
    values = {"batch": batch, "bank_id": who.bank_id, "line_id": line_id, "person_id": who.person_id, "now": now}
    return tx.execute(UNDO, values).all()


def list_batch(tx: Session, who: Who, batch: str) -> Sequence[Row[Any]]:
    """A batch of the bank as it stands."""
    return tx.execute(OF_BATCH, {"batch": batch, "bank_id": who.bank_id}).all()


def list_waiting(tx: Session, who: Who) -> Sequence[Row[Any]]:
    """Everything of the bank that can still be undone, with who confirmed it."""
    return tx.execute(WAITING, {"bank_id": who.bank_id}).all()


def list_not_taken(tx: Session, who: Who, since: datetime) -> Sequence[Row[Any]]:
    """What this person confirmed and no line would have, since then."""
    return tx.execute(NOT_TAKEN, {"bank_id": who.bank_id, "person_id": who.person_id, "since": since}).all()
