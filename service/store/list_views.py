"""An officer's own filters and columns of the bank's list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from service.domain.people import Who

MINE = "person_id = :person_id AND bank_id = :bank_id"
LIST = text(f"SELECT * FROM saved_filter WHERE {MINE} ORDER BY id")
SAVE = text("""
    INSERT INTO saved_filter (person_id, bank_id, name, query, is_default, made_at)
    VALUES (:person_id, :bank_id, :name, :query, false, :now)
    ON CONFLICT ON CONSTRAINT saved_filter_once DO UPDATE SET query = excluded.query
""").bindparams(bindparam("query", type_=JSONB))
RENAME = text(f"""
    UPDATE saved_filter SET name = :name WHERE id = :id AND {MINE}
      AND NOT EXISTS (SELECT 1 FROM saved_filter o WHERE o.{MINE.replace(" AND ", " AND o.")} AND o.name = :name
                      AND o.id <> :id)
""")
NO_DEFAULT = text(f"UPDATE saved_filter SET is_default = false WHERE {MINE} AND is_default AND id <> :id")
DEFAULT = text(f"UPDATE saved_filter SET is_default = :is_default WHERE id = :id AND {MINE}")
REMOVE = text(f"DELETE FROM saved_filter WHERE id = :id AND {MINE}")
COLUMNS = text(f"SELECT columns FROM list_columns WHERE {MINE}")
SET_COLUMNS = text("""
    INSERT INTO list_columns (person_id, bank_id, columns) VALUES (:person_id, :bank_id, CAST(:columns AS text[]))
    ON CONFLICT (person_id, bank_id) DO UPDATE SET columns = excluded.columns
""")


def list_filters(tx: Session, who: Who) -> Sequence[Row[Any]]:
    """The officer's filters in the order they were made."""
    return tx.execute(LIST, _whose(who)).all()


def save(tx: Session, who: Who, name: str, query: Mapping[str, str], now: datetime) -> None:
    """Keep a filter; one of the same name takes the new wishes."""
    tx.execute(SAVE, _whose(who) | {"name": name, "query": dict(query), "now": now})


def rename(tx: Session, who: Who, filter_id: int, name: str) -> bool:
    """Give a filter another name; False where the officer has another one of that name."""
    return _found(tx.execute(RENAME, _whose(who) | {"id": filter_id, "name": name}))


def set_default(tx: Session, who: Who, filter_id: int, *, is_default: bool) -> None:
    """Whether the list opens with this one; the one before it no longer does."""
    if is_default:
        tx.execute(NO_DEFAULT, _whose(who) | {"id": filter_id})
    tx.execute(DEFAULT, _whose(who) | {"id": filter_id, "is_default": is_default})


def remove(tx: Session, who: Who, filter_id: int) -> None:
    """Forget a filter."""
    tx.execute(REMOVE, _whose(who) | {"id": filter_id})


def columns_of(tx: Session, who: Who) -> Sequence[str] | None:
    """The columns the officer chose, or None."""
    found: Sequence[str] | None = tx.execute(COLUMNS, _whose(who)).scalar_one_or_none()
    return found


def set_columns(tx: Session, who: Who, columns: Sequence[str]) -> None:
    """Show these columns from now on."""
    tx.execute(SET_COLUMNS, _whose(who) | {"columns": list(columns)})


def _whose(who: Who) -> dict[str, Any]:
    return {"person_id": who.person_id, "bank_id": who.bank_id}


def _found(done: Any) -> bool:
    return bool(done.rowcount)
