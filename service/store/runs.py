"""Long work as rows: started, how far it is, its end; one row for a name and a day unless it is still running."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound

START = text("""
    INSERT INTO run (name, "on", started_at, state, done, total, message, cancel_asked)
    VALUES (:name, :day, :now, 'running', 0, :total, '', false) RETURNING id
""")
START_AGAIN = text("""
    UPDATE run SET started_at = :now, ended_at = NULL, state = 'running', done = 0, total = :total, message = '',
        cancel_asked = false
    WHERE id = (SELECT id FROM run WHERE name = :name AND "on" = :day AND state <> 'running' ORDER BY id DESC LIMIT 1)
    RETURNING id
""")
INTERRUPTED = text("""
    UPDATE run SET state = 'failed', ended_at = :now, message = 'interrupted after: ' || message
    WHERE name = :name AND state = 'running' AND started_at < :before
""")
STEP = text("UPDATE run SET done = done + 1, message = :message WHERE id = :id RETURNING cancel_asked")
END = text("UPDATE run SET state = :state, ended_at = :now, message = :message WHERE id = :id")
ASK_CANCEL = text("UPDATE run SET cancel_asked = true WHERE id = :id AND state = 'running'")
LATEST = text("SELECT * FROM run WHERE name = :name ORDER BY started_at DESC, id DESC LIMIT 1")
RECENT = text("SELECT * FROM run ORDER BY started_at DESC, id DESC LIMIT :limit")
LONGEST_MESSAGE = 1000
LONGEST_RUN = timedelta(hours=1)
"""A run that has not ended by then was killed."""


def start(tx: Session, name: str, day: date, total: int, now: datetime) -> int:
    """Begin a run of so many steps; the same name on the same day takes up its row again."""
    tx.execute(INTERRUPTED, {"name": name, "now": now, "before": now - LONGEST_RUN})
    values = {"name": name, "day": day, "total": total, "now": now}
    again = tx.execute(START_AGAIN, values).scalar()
    return int(again if again is not None else tx.execute(START, values).scalar_one())


def step(tx: Session, run_id: int, message: str) -> bool:
    """One step is done; whether somebody asked to stop here."""
    return bool(tx.execute(STEP, {"id": run_id, "message": message[:LONGEST_MESSAGE]}).scalar_one())


def end(tx: Session, run_id: int, state: str, message: str, now: datetime) -> None:
    """The run's end: done, failed or cancelled."""
    tx.execute(END, {"id": run_id, "state": state, "message": message[:LONGEST_MESSAGE], "now": now})


def ask_cancel(tx: Session, run_id: int) -> bool:
    """Ask a running one to stop after its present step; False where it runs no more."""
    return bool(tx.execute(ASK_CANCEL, {"id": run_id}).rowcount)  # type: ignore[attr-defined]


def find_latest(tx: Session, name: str) -> Row[Any] | None:
    """The run of this name that was started last."""
    return tx.execute(LATEST, {"name": name}).one_or_none()


def get(tx: Session, run_id: int) -> Row[Any]:
    """One run, or NotFound."""
    row = tx.execute(text("SELECT * FROM run WHERE id = :id"), {"id": run_id}).one_or_none()
    if row is None:
        raise NotFound("没有这次运行。")
    return row


def list_recent(tx: Session, limit: int = 20) -> Sequence[Row[Any]]:
    """The latest runs, newest first."""
    return tx.execute(RECENT, {"limit": limit}).all()


def is_paused(tx: Session) -> bool:
    """Whether an operator has stopped the daily cycle."""
    return bool(tx.execute(text("SELECT cycle_paused FROM platform_state WHERE id = 1")).scalar())
