"""The schema goes up, down and up again, says what the models say, and decides for every table who sees its rows."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine
from sqlmodel import SQLModel

import service.domain  # noqa: F401  fills the metadata
from service.store.migrate import alembic_config, migrate
from service.store.server import ServerAddress, drop_database, make_database, sqlalchemy_url

pytestmark = pytest.mark.database

SHAPE = """
    SELECT 'column', format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'constraint', format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'policy', format('%s %s %s %s %s %s', tablename, policyname, roles, cmd, qual, with_check)
        FROM pg_policies WHERE schemaname = 'public'
    UNION ALL SELECT 'closed', format('%s %s %s', relname, relrowsecurity, relforcerowsecurity)
        FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'grant', format('%s %s', relname, (SELECT string_agg(one::text, ',' ORDER BY one::text)
            FROM unnest(relacl) one WHERE one::text NOT LIKE 'xindeng_owner=%'))
        FROM pg_class WHERE relkind IN ('r', 'p', 'S') AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', pg_get_functiondef(oid)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'
    UNION ALL SELECT 'type', typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
"""
WITHOUT_ROW_RULES = {
    "alembic_version", "calendar_day", "certificate", "firm_stale", "idempotency_key", "place_use", "platform_state",
    "bank", "product", "product_version", "run", "source_day", "trail_head",
}  # fmt: skip
"""Tables without a firm's, a person's or a district's rows: everybody's, or only the platform's own."""


@pytest.fixture
def empty_database(server: ServerAddress) -> Iterator[ServerAddress]:
    """A database nothing was ever migrated in."""
    name = f"xd_migrations_{server.database[-8:]}"
    drop_database(server, name)
    yield make_database(server, name)
    drop_database(server, name)


def shape_of(address: ServerAddress) -> set[tuple[Any, ...]]:
    with psycopg.connect(address.admin_url, autocommit=True) as admin:
        return set(admin.execute(SHAPE).fetchall())


def revisions() -> list[str]:
    """Oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]


def test_the_schema_goes_up_down_and_up_again_step_by_step_and_is_the_same(empty_database: ServerAddress) -> None:
    url = empty_database.owner_url
    shapes = {}
    for revision in revisions():
        migrate(url, revision)
        shapes[revision] = shape_of(empty_database)
    for revision in revisions()[-2::-1]:
        migrate(url, revision)
        assert shape_of(empty_database) == shapes[revision], f"going down to {revision} left something else"
    migrate(url, "base")
    left = {kind: what for kind, what in shape_of(empty_database) if "alembic_version" not in what}
    assert left == {}
    migrate(url)
    assert shape_of(empty_database) == shapes[revisions()[-1]]


def test_the_history_of_revisions_is_one_line() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert len(script.get_heads()) == len(script.get_bases()) == 1


def test_the_schema_says_what_the_models_say(template: ServerAddress) -> None:
    engine = create_engine(sqlalchemy_url(template.owner_url))
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.check(config)  # raises with the difference
    engine.dispose()


def test_every_check_of_the_models_is_a_check_of_the_schema(template: ServerAddress) -> None:
    """Alembic does not compare checks; the promises about states and money are checks."""
    promised = {
        (table.name, str(check.name))
        for table in SQLModel.metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    with psycopg.connect(template.admin_url) as admin:
        kept = set(
            admin.execute(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
                " AND connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'procrastinate%'"
            ).fetchall()
        )
    assert promised
    assert {(table.strip('"'), name) for table, name in kept} == promised


def test_for_every_table_it_is_decided_who_sees_its_rows() -> None:
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    ruled = {table for script in scripts for table in getattr(script.module, "SEES", ())}
    decided = ruled | WITHOUT_ROW_RULES
    assert ruled.isdisjoint(WITHOUT_ROW_RULES)
    assert set(SQLModel.metadata.tables) | {"alembic_version"} == decided


def test_every_table_is_closed_with_the_rules_of_all_four_acts_or_open_on_purpose(template: ServerAddress) -> None:
    rules = """
        SELECT relname, relrowsecurity AND relforcerowsecurity, array_agg(DISTINCT cmd) FILTER (WHERE cmd <> 'ALL')
        FROM pg_class LEFT JOIN pg_policies ON tablename = relname AND schemaname = 'public'
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace GROUP BY 1, 2
    """
    with psycopg.connect(template.admin_url) as admin:
        tables = {name: (closed, acts) for name, closed, acts in admin.execute(rules)}
    for name, (closed, acts) in tables.items():
        if name in WITHOUT_ROW_RULES or name.startswith("procrastinate_"):
            assert not closed, name
        else:
            assert (closed, sorted(acts)) == (True, ["DELETE", "INSERT", "SELECT", "UPDATE"]), name


def test_neither_role_of_the_running_platform_owns_a_table_or_passes_the_row_security(server: ServerAddress) -> None:
    with psycopg.connect(server.admin_url) as admin:
        may = admin.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname IN ('xindeng_web', 'xindeng_cycle') ORDER BY 1"
        ).fetchall()
    assert may == [("xindeng_cycle", False, False, False, False), ("xindeng_web", False, False, False, False)]


def test_what_is_append_only_is_so_for_both_roles(template: ServerAddress) -> None:
    row_security = import_module("service.store.migrations.versions.0003_row_security")
    with psycopg.connect(template.admin_url) as admin:
        for table in row_security.APPEND_ONLY:
            for role in ("xindeng_web", "xindeng_cycle"):
                for act in ("UPDATE", "DELETE", "TRUNCATE"):
                    (may,) = admin.execute("SELECT has_table_privilege(%s, %s, %s)", (role, table, act)).fetchone()
                    assert not may, (role, table, act)
