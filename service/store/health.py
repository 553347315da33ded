"""What the platform stands on at this moment: the database, its sources' last days, what waits, the switch."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

STANDS_ON = text("""
    SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size,
           pg_postmaster_start_time() AS started_at,
           (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'public.record'::regclass) AS records
""")
SWITCH = text("SELECT demo_on, model_version, cycle_paused FROM platform_state WHERE id = 1")
PAUSE = text("""
    INSERT INTO platform_state (id, cycle_paused) VALUES (1, :paused)
    ON CONFLICT (id) DO UPDATE SET cycle_paused = :paused WHERE platform_state.cycle_paused <> :paused
""")
WAITING = text("SELECT count(*) FROM push_line WHERE closed_on IS NULL AND waits_for_calendar")


def database(tx: Session) -> Row[Any]:
    """PostgreSQL's version, the database's size in bytes, since when the server runs, and about how many records."""
    return tx.execute(STANDS_ON).one()


def find_switch(tx: Session) -> Row[Any] | None:
    """The platform's one row about itself: demo day, model in use, whether the cycle is paused."""
    return tx.execute(SWITCH).one_or_none()


def set_paused(tx: Session, *, paused: bool) -> bool:
    """Stop the daily cycle, or let it go on; False where it stood so already."""
    return bool(tx.execute(PAUSE, {"paused": paused}).rowcount)  # type: ignore[attr-defined]


def count_waiting_lines(tx: Session) -> int:
    """Open lines whose due date waits for the calendar."""
    return int(tx.execute(WAITING).scalar_one())
