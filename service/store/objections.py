"""Objections to records: found within a person's scope, one open for each fact, worked on until a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from service.domain.errors import Conflict, NotFound
from service.domain.people import Role, Who
from service.store.bulk import add_rows, change_rows, next_ids

SCOPE = """
    (CAST(:uscc AS text) IS NULL OR o.uscc = :uscc) AND (CAST(:district AS text) IS NULL OR o.district = :district)
"""
ONE = text(f"""
    SELECT o.*, f.name AS firm_name, p.name AS decided_by_name FROM objection o LEFT JOIN firm f ON f.uscc = o.uscc
    LEFT JOIN person p ON p.id = o.decided_by WHERE o.id = :id AND {SCOPE}
""")
LOCK = text(f"SELECT o.* FROM objection o WHERE o.id = :id AND {SCOPE} FOR UPDATE")
OPEN_OF = text("""
    SELECT id, item, key, raised_on, due_on FROM objection WHERE uscc = :uscc AND state = 'open' ORDER BY id
""")
OF_FIRM = text("SELECT * FROM objection WHERE uscc = :uscc ORDER BY state <> 'open', id DESC LIMIT 100")
WHICH = {
    "open": "o.state = 'open'",
    "overdue": "o.state = 'open' AND o.due_on < :today",
    "asked": "o.state = 'open' AND o.asked_on IS NOT NULL",
    "closed": "o.state <> 'open'",
    "all": "true",
}
"""Which objections a list shows; the first is the usual one."""
NOTES = text("""
    SELECT n.*, p.name AS writer FROM objection_note n LEFT JOIN person p ON p.id = n.written_by
    WHERE n.objection_id = :id ORDER BY n.id
""")
DUE = text(f"""
    SELECT count(*) FROM objection o
    WHERE o.state = 'open' AND (o.due_on IS NULL OR o.due_on <= :today OR o.asked_on IS NULL) AND {SCOPE}
""")
TO_MIRROR = text("""
    SELECT o.id, o.item, ARRAY(SELECT DISTINCT to_char(r.known_on, 'YYYY-MM') FROM record r
                               WHERE r.item = o.item AND r.uscc = o.uscc AND r.key = o.key ORDER BY 1) AS months
    FROM objection o WHERE o.state = 'upheld' AND o.mirrored_at IS NULL ORDER BY o.id FOR UPDATE OF o
""")


@dataclass(frozen=True)
class Wanted:
    """Which objections of a long list."""

    only: str = "open"
    limit: int = 50
    offset: int = 0


def get(tx: Session, who: Who, objection_id: int) -> Row[Any]:
    """The objection with its firm's name, or NotFound; a bank has none."""
    return _one(tx, ONE, who, objection_id)


def lock(tx: Session, who: Who, objection_id: int) -> Row[Any]:
    """The objection, locked; or NotFound."""
    return _one(tx, LOCK, who, objection_id)


def find_open(tx: Session, uscc: str, item: str, key: str) -> Row[Any] | None:
    """The open objection to a fact."""
    return next((row for row in list_open_of(tx, uscc) if (row.item, row.key) == (item, key)), None)


def list_open_of(tx: Session, uscc: str) -> Sequence[Row[Any]]:
    """The firm's open objections as everybody may know them who sees the firm: which fact, since when, until when."""
    return tx.execute(OPEN_OF, {"uscc": uscc}).all()


def list_of_firm(tx: Session, uscc: str) -> Sequence[Row[Any]]:
    """All the firm's objections, open ones first."""
    return tx.execute(OF_FIRM, {"uscc": uscc}).all()


def list_wanted(tx: Session, who: Who, wanted: Wanted, today: date) -> tuple[Sequence[Row[Any]], int]:
    """The objections in scope, the first due first, and how many there are in all."""
    where = f"{WHICH[wanted.only]} AND {SCOPE}"
    given = _scope(who) | {"today": today}
    rows = tx.execute(
        text(
            f"SELECT o.*, f.name AS firm_name FROM objection o LEFT JOIN firm f ON f.uscc = o.uscc WHERE {where}"
            " ORDER BY o.state <> 'open', o.due_on NULLS FIRST, o.id LIMIT :limit OFFSET :offset"
        ),
        given | {"limit": wanted.limit, "offset": wanted.offset},
    ).all()
    total: int = tx.execute(text(f"SELECT count(*) FROM objection o WHERE {where}"), given).scalar_one()
    return rows, total


def count_due(tx: Session, who: Who, today: date) -> int:
    """Open objections that nobody put to the department yet, or whose day has come."""
    return int(tx.execute(DUE, _scope(who) | {"today": today}).scalar_one())


def list_notes(tx: Session, objection_id: int) -> Sequence[Row[Any]]:
    """What was done about it, oldest first."""
    return tx.execute(NOTES, {"id": objection_id}).all()


def list_waiting(tx: Session) -> Sequence[Row[Any]]:
    """Open objections whose day waits for the calendar."""
    return tx.execute(text("SELECT * FROM objection WHERE state = 'open' AND waits_for_calendar ORDER BY id")).all()


def list_to_mirror(tx: Session) -> Sequence[Row[Any]]:
    """Upheld objections whose facts still stand in the records' mirror, with the months they stand in; locked."""
    return tx.execute(TO_MIRROR).all()


def mark_mirrored(tx: Session, ids: Sequence[int], now: datetime) -> None:
    """The mirror has followed."""
    change_rows(tx, "objection", "id", [{"id": key, "mirrored_at": now} for key in ids])


def add(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter an objection, its key; Conflict where one to the same fact is open."""
    (key,) = next_ids(tx, "objection", 1)
    try:
        with tx.begin_nested():
            add_rows(tx, "objection", [{"id": key, **row}])
    except IntegrityError as taken:
        raise Conflict("这条记录已经在异议处理中。") from taken
    return key


def add_note(tx: Session, row: Mapping[str, Any]) -> None:
    """Write down what was done."""
    (key,) = next_ids(tx, "objection_note", 1)
    add_rows(tx, "objection_note", [{"id": key, **row}])


def change(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the named columns of the objections given by `id`."""
    change_rows(tx, "objection", "id", rows)


def _one(tx: Session, query: Any, who: Who, objection_id: int) -> Row[Any]:
    row = None if who.is_bank else tx.execute(query, _scope(who) | {"id": objection_id}).one_or_none()
    if row is None:
        raise NotFound("没有这项异议。")
    return row


def _scope(who: Who) -> dict[str, Any]:
    return {"uscc": who.uscc, "district": who.district if who.role is Role.DISTRICT else None}
