"""One database for the intake's tests, each in a transaction that is undone; and the way a file is taken in them."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import Session

from service.actions.take_feed import Delivery, Taken, take_feed
from service.domain.people import the_platform
from service.store.database import Database
from service.store.server import ServerAddress, drop_database, make_database
from tests.service.intake.feed_files import DAY, TAX, Take, write


@pytest.fixture(scope="session")
def intake_database(server: ServerAddress, template: ServerAddress) -> Iterator[Database]:
    """A database nothing is ever committed to."""
    name = f"xd_intake_{uuid.uuid4().hex[:8]}"
    opened = Database(make_database(server, name, template=template.database))
    yield opened
    opened.dispose()
    drop_database(server, name)


class _Undone(Exception):
    """Ends a test's transaction without a trace."""


@pytest.fixture
def tx(intake_database: Database) -> Iterator[Session]:
    """The platform's transaction, rolled back when the test is over."""
    with pytest.raises(_Undone), intake_database.transaction(the_platform("test")) as session:
        yield session
        raise _Undone


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


@pytest.fixture
def take(tx: Session, folder: Path, mirror: Path) -> Take:
    """take('tax_payment', rows) writes a CSV and takes it; `header`, `on`, `is_history` where they matter."""
    count = iter(range(1000))

    def work(
        item: str,
        rows: Iterable[Sequence[object]],
        header: Sequence[str] = TAX,
        on: date = DAY,
        *,
        is_history: bool = False,
    ) -> Taken:
        path = folder / f"{item}__{next(count)}.csv"
        write(path, header, rows)
        return take_feed(tx, the_platform("test"), path, delivery=Delivery(on, is_history=is_history), mirror=mirror)

    return work
