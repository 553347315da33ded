"""Follow-up work: obstacles of demands, who looks after them, until when, and what was noted."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Role, Who
from service.store.bulk import add_rows, change_rows, next_ids

OPEN = text("SELECT * FROM follow_up WHERE demand_id = ANY(:ids) AND closed_on IS NULL ORDER BY id FOR UPDATE")
ONE = text("""
    SELECT u.*, p.name AS person_name, g.name AS assigner FROM follow_up u
    LEFT JOIN person p ON p.id = u.owner_person_id LEFT JOIN person g ON g.id = u.assigned_by WHERE u.id = :id
""")
NAMED = text("""
    SELECT u.id, u.obstacle, u.district, f.name AS firm_name FROM follow_up u JOIN firm f ON f.uscc = u.uscc
    WHERE u.id = ANY(:ids) AND (CAST(:district AS text) IS NULL OR u.district = :district) ORDER BY f.name, u.id
""")
FIND = text("SELECT id, demand_id FROM follow_up WHERE id = ANY(:ids)")
LOCK = text("SELECT * FROM follow_up WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
DUE = text("""
    SELECT count(*) FROM follow_up u WHERE u.closed_on IS NULL AND u.owner = 'district' AND u.next_on <= :today
      AND (CAST(:district AS text) IS NULL OR u.district = :district)
""")
OPEN_IDS = text("""
    SELECT id FROM follow_up WHERE closed_on IS NULL AND (CAST(:district AS text) IS NULL OR district = :district)
    ORDER BY next_on, id
""")
OF_IDS = text("""
    SELECT u.*, d.number, d.light, d.amount_fen, f.name AS firm_name, p.name AS owner_name
    FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY w (id, place) JOIN follow_up u ON u.id = w.id
    JOIN demand d ON d.id = u.demand_id JOIN firm f ON f.uscc = u.uscc
    LEFT JOIN person p ON p.id = u.owner_person_id ORDER BY w.place
""")
NOTES = text("""
    SELECT n.*, p.name AS writer FROM follow_up_note n LEFT JOIN person p ON p.id = n.written_by
    WHERE n.follow_up_id = :id ORDER BY n.id
""")


def open_of(tx: Session, demand_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """demand → its open obstacles, locked."""
    found: dict[int, list[Row[Any]]] = {}
    for row in tx.execute(OPEN, {"ids": list(demand_ids)}):
        found.setdefault(row.demand_id, []).append(row)
    return found


def get(tx: Session, who: Who, follow_up_id: int) -> Row[Any]:
    """The follow-up, or NotFound; another district's looks like none."""
    row = tx.execute(ONE, {"id": follow_up_id}).one_or_none()
    if row is None or (who.role is Role.DISTRICT and row.district != who.district):
        raise NotFound("没有这项跟踪。")
    return row


def list_named(tx: Session, who: Who, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Those of the follow-ups that are in the official's scope, with the names of their firms."""
    district = who.district if who.role is Role.DISTRICT else None
    return tx.execute(NAMED, {"ids": list(ids), "district": district}).all() if ids else []


def find(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """(id, demand_id) of those of the follow-ups that this transaction may see."""
    return tx.execute(FIND, {"ids": list(ids)}).all() if ids else []


def lock(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Lock the follow-ups in the order of their ids; those this transaction may see."""
    return tx.execute(LOCK, {"ids": list(ids)}).all() if ids else []


def add(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Open follow-ups; their keys."""
    if not rows:
        return []
    ids = next_ids(tx, "follow_up", len(rows))
    add_rows(tx, "follow_up", [{"id": key, **row} for key, row in zip(ids, rows, strict=True)])
    return ids


def change(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the named columns of the follow-ups given by `id`."""
    change_rows(tx, "follow_up", "id", rows)


def add_notes(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what was done and the next dates."""
    ids = next_ids(tx, "follow_up_note", len(rows))
    add_rows(tx, "follow_up_note", [{"id": key, **row} for key, row in zip(ids, rows, strict=True)])


def count_due(tx: Session, who: Who, today: date) -> int:
    """How many the district's team itself (the city's teams, for its officials) must look at today."""
    district = who.district if who.role is Role.DISTRICT else None
    return int(tx.execute(DUE, {"district": district, "today": today}).scalar_one())


def list_open_ids(tx: Session, who: Who) -> list[int]:
    """The keys of all open work of the district (of the city, for its officials), first due first."""
    district = who.district if who.role is Role.DISTRICT else None
    return list(tx.execute(OPEN_IDS, {"district": district}).scalars())


def list_of_ids(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The follow-ups of these keys that this transaction may see, in the order of the keys."""
    return tx.execute(OF_IDS, {"ids": list(ids)}).all()


def list_notes(tx: Session, follow_up_id: int) -> Sequence[Row[Any]]:
    """What was noted, oldest first."""
    return tx.execute(NOTES, {"id": follow_up_id}).all()
