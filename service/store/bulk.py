"""Many rows in one statement: keys taken ahead, rows written and changed from one JSON document.

COPY is closed to us where row-level security holds; a set of rows as JSON is the next fastest way and keeps the columns' types.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, text
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
        _statement(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::"{table}", :rows)'),
        {"rows": _json(rows)},
    )


def change_rows(tx: Session, table: str, key: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Set the named columns of the rows found by `key`; how many were found."""
    if not rows:
        return 0
    sets = ", ".join(f'"{name}" = n."{name}"' for name in _columns(table, rows[0]) if name != key)
    done = tx.execute(
        _statement(
            f'UPDATE "{table}" t SET {sets} FROM jsonb_populate_recordset(NULL::"{table}", :rows) n WHERE t."{key}" = n."{key}"'
        ),
        {"rows": _json(rows)},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def _columns(table: str, row: Mapping[str, Any]) -> list[str]:
    """The row's names, which the metadata knows: nothing else reaches the statement."""
    known = SQLModel.metadata.tables[table].columns
    return [known[name].name for name in row]


def _statement(sql: str) -> Any:
    return text(sql).bindparams(bindparam("rows"))


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(list(rows), default=str).decode()
