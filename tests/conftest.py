"""What every test may stand on: a real PostgreSQL, migrated once, empty again for each test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from sqlmodel import Session

from service.domain.people import the_platform
from service.settings import Settings, read_settings
from service.store.database import Database, use
from service.store.migrate import migrate
from service.store.server import ServerAddress, drop_database, make_database, serving
from tests.browser import until_the_end

ROOT = Path(__file__).parent.parent
SERVER = os.environ.get("XINDENG_TEST_SERVER")
"""In server mode: the URL of a PostgreSQL whose user may make roles and databases."""


def every_word_is_there(_log: object, _level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A code without its word is a mistake of ours wherever a page of any test meets it."""
    assert line["event"] != "word_missing", line
    return line


structlog.configure(
    processors=[every_word_is_there, structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
)
"""Plain lines: structlog's own way of showing an exception with all its values takes half a minute."""

TABLES = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version'
"""


PUSHED = """
    SELECT l.demand_id, l.product_id, l.bank_id, l.rank
    FROM push_line l JOIN push_list p ON p.id = l.list_id WHERE p.certificate_id = %s
"""


BEGUN_FIRST = (
    "test_every_page", "test_c04_errors", "test_processes", "test_features", "test_walk", "test_role_table",
    "test_datasets", "test_allocate", "test_backup", "test_embedded", "test_demo", "test_places_race",
    "test_migrations",
)  # fmt: skip
"""Files that take half a minute and more: no process is left alone with one at the end (`--no-loadscope-reorder`)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever touches the database is repeated in server mode: the fixture says so, nobody has to remember."""
    for item in items:
        if "database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
    items.sort(key=lambda item: BEGUN_FIRST.index(item.path.stem) if item.path.stem in BEGUN_FIRST else 99)


def pytest_unconfigure() -> None:
    """The loop the tests' clients share has threads that nobody else ends."""
    until_the_end.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("XINDENG_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set XINDENG_SHARED_DATA to the folder to run this test")
    return folder


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """Settings of a house of its own, in a short folder the database's user may pass to (pytest's own are closed)."""
    home = Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp"))
    yield read_settings(
        home=home, database_url=SERVER, secret="a secret that only these tests know, 48 characters", demo=True
    )
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[ServerAddress]:
    """PostgreSQL: embedded, or the server named by XINDENG_TEST_SERVER."""
    with serving(settings) as address:
        yield address


@pytest.fixture(scope="session")
def template(server: ServerAddress) -> Iterator[ServerAddress]:
    """A migrated database that nobody writes to: the others are copies of it."""
    name = f"xd_template_{uuid.uuid4().hex[:8]}"
    address = make_database(server, name)
    migrate(address.owner_url)
    yield address
    drop_database(server, name)


@pytest.fixture(scope="session")
def reused(server: ServerAddress, template: ServerAddress) -> Iterator[ServerAddress]:
    """The database the tests of this process take turns in: emptying it is ten times quicker than making another."""
    name = f"xd_test_{uuid.uuid4().hex[:8]}"
    yield make_database(server, name, template=template.database)
    drop_database(server, name)


@pytest.fixture
def database(reused: ServerAddress) -> Iterator[Database]:
    """A migrated database without rows, open as the process's database."""
    opened = use(Database(reused))
    yield opened
    opened.dispose()
    breaches = breaches_of_lists(reused)
    empty(reused)
    assert breaches == [], "a list was pushed that its referee does not accept"


def breaches_of_lists(address: ServerAddress) -> list[str]:
    """Every list pushed in any test, as it stands in the database, before the referee once more."""
    from matching.allocate import allocate
    from matching.certificate import certify
    from matching.terms import Line
    from service.domain.replay import unpack

    found = []
    with psycopg.connect(address.admin_url, autocommit=True) as admin:
        for key, inputs in admin.execute("SELECT id, inputs FROM certificate WHERE inputs ? 'format'").fetchall():
            problem, pushed = unpack(inputs), admin.execute(PUSHED, (key,)).fetchall()
            lines = [Line(demand, product, bank, rank) for demand, product, bank, rank in pushed]
            found += certify(problem, lines, allocate(problem).prices).breaches
    return found


def empty(address: ServerAddress) -> None:
    """Nobody connected, no rows, all counters at their start: as after the migrations."""
    with psycopg.connect(address.admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        names = [name for (name,) in admin.execute(TABLES)]
        filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names)
        admin.execute("SET session_replication_role = replica")  # no foreign keys, no triggers: only take the rows away
        for (name,) in admin.execute(filled).fetchall():
            admin.execute(f'DELETE FROM "{name}"')
        admin.execute("SELECT setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences")


@pytest.fixture
def tx(database: Database) -> Iterator[Session]:
    """One transaction of the platform itself; committed when the test ends well."""
    with database.transaction(the_platform("test")) as session:
        yield session
