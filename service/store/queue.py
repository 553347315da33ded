"""Hand work over to the platform: a job row on this transaction's own connection, there if and only if it commits."""

from typing import Any

from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from sqlmodel import Session

from service.store.database import driver_of

TODAY = "today"
"""Do what today still lacks: judge what changed, count silence, match again, push."""

SHADOW = "shadow"
"""Score what the shadow models still lack."""

EXPORT = "export"
"""Make the exports that wait."""

REHEARSE = "rehearse"
"""Rehearse the policies that wait for it."""

HELD = "held"
"""Give the answers whose time for taking them back is over."""

MESSAGES = "messages"
"""Send what waits to leave the platform."""

_desk = App(connector=SyncPsycopgConnector())
"""Writes job rows only; the tasks behind the names are known to the worker."""


def defer_in(tx: Session, task: str, *, once: str | None = None, **args: Any) -> bool:
    """Queue `task` with this transaction.

    `once`: one waiting job under this name is enough (False if there was one), and one of them works at a time.
    """
    tx.flush()
    if once is None:
        _desk.configure_task(task, connection=driver_of(tx)).defer(**args)
        return True
    try:
        with tx.begin_nested():
            # asked for inside: only then is the savepoint really set, and the refused row takes nothing else with it
            _desk.configure_task(task, queueing_lock=once, lock=once, connection=driver_of(tx)).defer(**args)
    except AlreadyEnqueued:
        return False
    return True
