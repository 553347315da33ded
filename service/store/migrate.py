"""Bring the schema up to date, or down again: Alembic, as the owner of the tables, one at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from service.store.server import sqlalchemy_url

ONE_AT_A_TIME = 7_416_001
"""Advisory lock: two processes starting at once migrate one after the other."""


def alembic_config() -> Config:
    """Alembic's settings; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(owner_url: str, revision: str = "head") -> None:
    """Upgrade (or, for an older revision, downgrade) the schema in one transaction."""
    engine = create_engine(sqlalchemy_url(owner_url))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
            _run(connection, revision)
    finally:
        engine.dispose()


def _run(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    if _is_older(connection, revision):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def _is_older(connection: Connection, revision: str) -> bool:
    if revision == "head":
        return False
    at = current_revision(connection)
    order = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    return revision == "base" or (at in order and order.index(revision) > order.index(at))


def current_revision(connection: Connection) -> str | None:
    """The revision the schema stands at, or None for an empty database."""
    there = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
    if there is None:
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
