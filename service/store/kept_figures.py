"""Figures kept for a short while, and never older than the last commit: what says so is PostgreSQL, not a clock.

Every figure is a function of the figure events, and every event takes a number from one sequence while its transaction
holds a lock on the table. So: where the sequence stands at N, and nobody who had taken a number up to N was still on
the way when the figures were read, those figures hold as long as the sequence stands at N. A committed event has moved
it; a rolled-back one has too, which costs one reading more. Nothing depends on Redis keeping or losing anything.
"""

from collections.abc import Callable
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlmodel import Session

from service.accelerator import Accelerator

T = TypeVar("T")
SECONDS = 15
NUMBERS = "pg_get_serial_sequence('figure_event', 'id')"
STANDING = text(f"""
    SELECT concat_ws('.', (SELECT oid FROM pg_database WHERE datname = current_database()),
                     coalesce(pg_sequence_last_value({NUMBERS}::regclass), 0))
""")
ON_THE_WAY = text(f"""
    SELECT current_setting('transaction_isolation') <> 'read committed'
        OR NOT has_sequence_privilege({NUMBERS}, 'USAGE')
        OR EXISTS (
            SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
            WHERE l.relation = 'figure_event'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted)
""")
"""Whether an event is being written; also yes where this role or transaction could not tell."""


def kept_figures(tx: Session, cut: str, shape: TypeAdapter[T], read: Callable[[], T]) -> T:
    """What `read` gives, or gave since the last event. `cut` says everything else it depends on: scope, days, key."""
    accelerator: Accelerator | None = tx.info.get("accelerator")
    if accelerator is None:
        return read()
    standing = _standing(tx)
    key = f"figures:{standing}:{cut}"
    kept = accelerator.recall(key)
    if kept is not None:
        return shape.validate_json(kept)
    # The number first, who is on the way next, the figures last: this order is the proof above.
    is_moving: bool = tx.execute(ON_THE_WAY).scalar_one()
    cells = read()
    if not is_moving:
        accelerator.keep(key, shape.dump_json(cells).decode(), SECONDS)
    return cells


def _standing(tx: Session) -> str:
    where: str = tx.execute(STANDING).scalar_one()
    return where
