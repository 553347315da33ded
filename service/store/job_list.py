"""The queue's rows as an operator sees them: how many in which state, which are stuck, and who works."""

import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from service.domain.errors import NotFound

STALLED = """
    j.status = 'doing' AND NOT EXISTS (SELECT 1 FROM procrastinate_workers w
        WHERE w.id = j.worker_id AND w.last_heartbeat > now() - make_interval(secs => :silent_seconds))
"""
"""Begun, and its worker is gone or silent."""
STATE = f"CASE WHEN {STALLED} THEN 'stalled' ELSE j.status::text END"
SHOWN = "NOT (j.task_name LIKE 'call %' AND j.status = 'succeeded')"
"""The timetable's own calls are worth a line only where they did not succeed."""
COUNTS = text(f"SELECT {STATE} AS state, count(*) AS jobs FROM procrastinate_jobs j WHERE {SHOWN} GROUP BY 1")
FOUND = text(f"""
    SELECT j.id, j.task_name, j.attempts, j.scheduled_at, {STATE} AS state,
           (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) AS changed_at
    FROM procrastinate_jobs j WHERE {SHOWN} AND (CAST(:state AS text) IS NULL OR {STATE} = :state)
    ORDER BY j.id DESC LIMIT :limit OFFSET :offset
""")
ONE = text(f"""
    SELECT j.id, j.task_name, j.args, j.attempts, j.scheduled_at, {STATE} AS state, w.last_heartbeat
    FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id WHERE j.id = :id
""")
EVENTS = text("SELECT type::text AS type, at FROM procrastinate_events WHERE job_id = :id ORDER BY id")
FAULTS = text("SELECT attempt, at, what, places FROM job_fault WHERE job_id = :id ORDER BY id DESC LIMIT 20")
ADD_FAULT = text("""
    INSERT INTO job_fault (job_id, attempt, at, what, places) VALUES (:job_id, :attempt, :now, :what, :places)
""")
FORGET_FAULTS = text(
    "DELETE FROM job_fault f WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.id = f.job_id)"
)
LONGEST_FAULT = 400
LOCKED = text(f"SELECT j.id, j.task_name, {STATE} AS state FROM procrastinate_jobs j WHERE j.id = :id FOR UPDATE")
RETRY = text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
WORKERS = text("""
    SELECT count(*) FROM procrastinate_workers
    WHERE last_heartbeat > now() - make_interval(secs => :silent_seconds)
""")


def count_by_state(tx: Session, silent_seconds: float) -> Mapping[str, int]:
    """State → jobs; a job whose worker fell silent counts as 'stalled', not as 'doing'."""
    return {row.state: row.jobs for row in tx.execute(COUNTS, {"silent_seconds": silent_seconds})}


def list_jobs(
    tx: Session, silent_seconds: float, state: str | None = None, limit: int = 50, offset: int = 0
) -> Sequence[Row[Any]]:
    """One page of jobs in a state, the newest first."""
    values = {"silent_seconds": silent_seconds, "state": state, "limit": limit, "offset": offset}
    return tx.execute(FOUND, values).all()


def get(tx: Session, job_id: int, silent_seconds: float) -> Row[Any]:
    """One job: task, arguments, tries, when it is due, and its worker's last sign of life."""
    found = tx.execute(ONE, {"id": job_id, "silent_seconds": silent_seconds}).one_or_none()
    if found is None:
        raise NotFound("没有这个任务。")
    return found


def list_events(tx: Session, job_id: int) -> Sequence[Row[Any]]:
    """What became of a job, the oldest first: deferred, started, failed …"""
    return tx.execute(EVENTS, {"id": job_id}).all()


def list_faults(tx: Session, job_id: int) -> Sequence[Row[Any]]:
    """What went wrong in its tries, the latest first."""
    return tx.execute(FAULTS, {"id": job_id}).all()


def add_fault(tx: Session, job_id: int, attempt: int, fault: BaseException, now: datetime) -> None:
    """Keep what went wrong in a try: its kind, its first line and the places, never the values at hand."""
    said = str(fault).partition("\n")[0]
    what = f"{type(fault).__name__}: {said}" if said else type(fault).__name__
    frames = traceback.extract_tb(fault.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    values = {"job_id": job_id, "attempt": attempt, "now": now, "what": what[:LONGEST_FAULT], "places": places}
    tx.execute(ADD_FAULT, values)


def forget_faults(tx: Session) -> None:
    """Remove the faults of jobs that are gone."""
    tx.execute(FORGET_FAULTS)


def lock(tx: Session, job_id: int, silent_seconds: float) -> Row[Any] | None:
    """One job as it stands, locked until the transaction ends; None where there is none."""
    return tx.execute(LOCKED, {"id": job_id, "silent_seconds": silent_seconds}).one_or_none()


def retry(tx: Session, job_id: int) -> bool:
    """Put a failed or stalled job back into the queue; False where one of its kind waits there already."""
    try:
        with tx.begin_nested():
            tx.execute(RETRY, {"id": job_id})
    except IntegrityError:
        return False
    return True


def workers(tx: Session, silent_seconds: float) -> int:
    """How many workers gave a sign of life just now."""
    return int(tx.execute(WORKERS, {"silent_seconds": silent_seconds}).scalar_one())
