"""Many rows in one statement: keys taken ahead, rows written and changed from one JSON document.

COPY is closed where row-level security holds; rows as JSON are the next fastest way and keep the columns' types.
Names of tables and columns come from the metadata, never from people.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session, SQLModel

import service.domain  # noqa: F401  (fills the metadata)


def next_ids(tx: Session, table: str, count: int) -> list[int]:
    """So many fresh keys of a table with an identity column."""
    taken = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
    return list(tx.execute(taken, {"table": table, "count": count}).scalars())


def add_rows(tx: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows; all of them name the same columns."""
    if not rows:
        return
    columns = ", ".join(f'"{name}"' for name in _columns(table, rows[0]))
    tx.execute(
        text(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM {_rows_of(table)}'),
        {"rows": _json(rows)},
    )


def put_rows(tx: Session, table: str, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, or set the named columns where `key` is there already."""
    if not rows:
        return
    names = _columns(table, rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    sets = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in names if name != key)
    found = f'SELECT {columns} FROM {_rows_of(table)} ON CONFLICT ("{key}") DO UPDATE SET {sets}'
    tx.execute(text(f'INSERT INTO "{table}" ({columns}) {found}'), {"rows": _json(rows)})


def change_rows(tx: Session, table: str, key: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Set the named columns of the rows found by `key`; how many were found."""
    if not rows:
        return 0
    sets = ", ".join(f'"{name}" = n."{name}"' for name in _columns(table, rows[0]) if name != key)
    change = f'UPDATE "{table}" t SET {sets} FROM {_rows_of(table)} n WHERE t."{key}" = n."{key}"'
    done = tx.execute(text(change), {"rows": _json(rows)})
    return int(done.rowcount)  # type: ignore[attr-defined]


def _columns(table: str, row: Mapping[str, Any]) -> list[str]:
    """The row's names, which the metadata knows: nothing else reaches the statement."""
    known = SQLModel.metadata.tables[table].columns
    return [known[name].name for name in row]


def _rows_of(table: str) -> str:
    """The parameter `rows` as a set of the table's own row type; the metadata knows the table."""
    return f'jsonb_populate_recordset(NULL::public."{SQLModel.metadata.tables[table].name}", CAST(:rows AS jsonb))'


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(list(rows), default=str).decode()
