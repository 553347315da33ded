"""Exports as rows: entered by their maker, taken up and ended by the worker, their files kept for a week."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.store.bulk import next_ids

COLUMNS = (
    "id", "kind", "query", "wish_hash", "language", "person_id", "role", "bank_id", "district", "asked_on", "asked_at",
    "state", "done", "total", "tries", "cancel_asked", "message",
)  # fmt: skip
ADD = text(f"""
    INSERT INTO export ({", ".join(COLUMNS)}) VALUES ({", ".join(f":{name}" for name in COLUMNS)})
    ON CONFLICT (person_id, wish_hash) WHERE state IN ('waiting', 'running') DO NOTHING RETURNING id
""")
UNDER_WAY = text("""
    SELECT id FROM export WHERE person_id = :person_id AND wish_hash = :wish_hash AND state IN ('waiting', 'running')
""")
START = text("""
    UPDATE export SET state = 'running', done = 0, tries = tries + 1, started_at = :now, message = ''
    WHERE id = :id AND state IN ('waiting', 'running') RETURNING *, (SELECT name FROM person p WHERE p.id = person_id)
        AS person_name
""")
STEP = text("UPDATE export SET done = least(:done, total) WHERE id = :id RETURNING cancel_asked")
SIZE = text("UPDATE export SET total = :total, done = 0 WHERE id = :id")
END = text("""
    UPDATE export SET state = :state, message = :message, ended_at = :now, size = :size, expires_on = :expires_on
    WHERE id = :id
""")
CANCEL = text("""
    UPDATE export SET cancel_asked = true, state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
        ended_at = CASE state WHEN 'waiting' THEN CAST(:now AS timestamptz) ELSE ended_at END
    WHERE id = :id AND state IN ('waiting', 'running') AND NOT cancel_asked
""")
EXPIRE = text("UPDATE export SET state = 'expired' WHERE state = 'done' AND expires_on < :today RETURNING id")


def folder_of(uploads: Path) -> Path:
    """Where the finished workbooks lie."""
    return uploads / "exports"


def file_of(uploads: Path, export_id: int) -> Path:
    """The workbook of an export."""
    return folder_of(uploads) / f"{export_id}.xlsx"


def add(tx: Session, row: Mapping[str, Any]) -> tuple[int, bool]:
    """Enter an export: its key and True; the key of the same one that is under way and False."""
    key = tx.execute(ADD, {"id": next_ids(tx, "export", 1)[0], **row}).scalar()
    if key is not None:
        return int(key), True
    return int(
        tx.execute(UNDER_WAY, {"person_id": row["person_id"], "wish_hash": row["wish_hash"]}).scalar_one()
    ), False


def get(tx: Session, export_id: int) -> Row[Any]:
    """One's own export, or NotFound."""
    row = tx.execute(text("SELECT * FROM export WHERE id = :id"), {"id": export_id}).one_or_none()
    if row is None:
        raise NotFound("没有这次导出。")
    return row


def list_latest(tx: Session, limit: int = 50) -> Sequence[Row[Any]]:
    """One's own exports, the latest first."""
    return tx.execute(text("SELECT * FROM export ORDER BY id DESC LIMIT :limit"), {"limit": limit}).all()


def list_waiting(tx: Session) -> list[int]:
    """Those nobody has finished, oldest first."""
    return list(tx.execute(text("SELECT id FROM export WHERE state IN ('waiting', 'running') ORDER BY id")).scalars())


def start(tx: Session, export_id: int, now: datetime) -> Row[Any] | None:
    """It runs from now on, from its first row, with its maker's name; None where it has ended."""
    return tx.execute(START, {"id": export_id, "now": now}).one_or_none()


def measure(tx: Session, export_id: int, total: int) -> None:
    """So many rows there are today."""
    tx.execute(SIZE, {"id": export_id, "total": total})


def step(tx: Session, export_id: int, done: int) -> bool:
    """So many rows are written; whether its maker asked to stop."""
    return bool(tx.execute(STEP, {"id": export_id, "done": done}).scalar_one())


def end(tx: Session, export_id: int, state: str, now: datetime, message: str = "", **kept: Any) -> None:
    """Its end; `size` in bytes and `expires_on` where there is a file."""
    values = {"size": None, "expires_on": None} | kept
    tx.execute(END, {"id": export_id, "state": state, "message": message[:500], "now": now, **values})


def ask_cancel(tx: Session, export_id: int, now: datetime) -> bool:
    """Ask it to stop after its present batch; False where it has ended or was asked before."""
    return bool(tx.execute(CANCEL, {"id": export_id, "now": now}).rowcount)  # type: ignore[attr-defined]


def expire(tx: Session, today: date) -> list[int]:
    """Those whose last day is over count as gone; their keys."""
    return list(tx.execute(EXPIRE, {"today": today}).scalars())
