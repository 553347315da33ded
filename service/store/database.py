"""The engine and `transaction()`: all of it or none of it, and the only place in the house that commits."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from service.accelerator import Accelerator
from service.domain.people import Who
from service.store.server import ServerAddress, sqlalchemy_url

POOL_SIZE = 8
TOUCHED = "touched"
CONTEXT = text(
    "SELECT set_config('xindeng.role', :role, true), set_config('xindeng.uscc', :uscc, true),"
    " set_config('xindeng.bank', :bank, true), set_config('xindeng.district', :district, true),"
    " set_config('xindeng.person', :person, true)"
)
ALONE = text(f"{CONTEXT.text}, set_config('max_parallel_workers_per_gather', '0', true)")
"""The same for people, whose pages are many and short: starting a second process costs a page more than it saves."""


class Database:
    """Two pools: `web` under row-level security for people, `cycle` for the platform's own work."""

    def __init__(
        self, address: ServerAddress, pool_size: int = POOL_SIZE, accelerator: Accelerator | None = None
    ) -> None:
        self.address = address
        self.pool_size = pool_size
        self.accelerator = accelerator
        self._web = _engine(address.web_url, pool_size)
        self._cycle = _engine(address.cycle_url, pool_size)

    @contextmanager
    def transaction(self, who: Who, *, read_only: bool = False) -> Iterator[Session]:
        """One transaction as `who`: committed at the end of the block, rolled back by any exception."""
        engine = self._cycle if who.is_platform else self._web
        topics: set[str] = set()
        info = {"who": who, "read_only": read_only, "accelerator": self.accelerator, TOUCHED: topics}
        with Session(engine, expire_on_commit=False, info=info) as session:
            event.listen(session, "after_begin", _say_who)
            with session.begin():
                yield session
        if self.accelerator is not None:
            self.accelerator.touched(topics)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._web.dispose()
        self._cycle.dispose()


def touch(tx: Session, topics: Iterable[str]) -> None:
    """These topics (demand:7, bank:3) have changed once this transaction is committed."""
    tx.info.get(TOUCHED, set()).update(topics)


def _engine(url: str, pool_size: int) -> Engine:
    return create_engine(
        sqlalchemy_url(url), pool_size=pool_size, max_overflow=0, pool_pre_ping=True, pool_timeout=30,
        json_deserializer=orjson.loads,
    )  # fmt: skip


def _say_who(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Tell the row-level security who acts, for this transaction only (`is_local` is true)."""
    if transaction.nested:
        return
    who: Who = session.info["who"]
    connection.execute(
        CONTEXT if who.is_platform else ALONE,
        {
            "role": who.role.value,
            "uscc": who.uscc or "",
            "bank": str(who.bank_id or ""),
            "district": who.district or "",
            "person": str(who.person_id or ""),
        },
    )
    if session.info["read_only"]:
        connection.execute(text("SET TRANSACTION READ ONLY"))


_open: list[Database] = []


def use(database: Database) -> Database:
    """Make `database` the process's own; the one before it is closed."""
    for old in _open:
        old.dispose()
    _open[:] = [database]
    return database


def current() -> Database:
    """The process's database; opening one is the business of the app, the worker or the command line."""
    if not _open:
        raise RuntimeError("no database is open in this process: call use(Database(address)) first")
    return _open[0]


@contextmanager
def transaction(who: Who, *, read_only: bool = False) -> Iterator[Session]:
    """`current().transaction(who)`."""
    with current().transaction(who, read_only=read_only) as session:
        yield session


def driver_of(tx: Session) -> Any:
    """The psycopg connection under this transaction: for COPY and for handing jobs over atomically."""
    return tx.connection().connection.driver_connection
