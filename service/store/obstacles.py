"""The obstacle ledger: what verdicts found (open follow-ups) and what teams found themselves, in one list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.obstacle import DEPARTMENT_OF, KIND_OF, Department, ObstacleKind, kind_of
from service.domain.people import Role, Who
from service.store.bulk import add_rows, change_rows, next_ids
from service.store.work_list import district_of

RECENT = timedelta(days=30)
LEDGER = """
    (SELECT 'follow_up' AS source, u.id, u.demand_id, u.uscc, u.district, u.obstacle,
            coalesce(CAST(:kinds AS jsonb) ->> u.obstacle, 'other') AS kind,
            coalesce(u.department, CAST(:departments AS jsonb) ->> u.obstacle, 'district_team') AS department,
            u.opened_on AS since_on, u.next_on, u.promised_on, u.closed_on AS cleared_on, u.outcome,
            u.owner, u.owner_person_id
     FROM follow_up u
     UNION ALL
     SELECT 'obstacle', o.id, NULL, o.uscc, o.district, NULL, o.kind, o.department, o.found_on, o.next_on,
            o.promised_on, o.cleared_on, o.outcome, 'district', o.owner_person_id
     FROM obstacle o) l
"""
FROM = f"""
    FROM {LEDGER} JOIN firm f ON f.uscc = l.uscc LEFT JOIN person p ON p.id = l.owner_person_id
    WHERE (CAST(:district AS text) IS NULL OR l.district = :district)
      AND (CAST(:kind AS text) IS NULL OR l.kind = :kind)
      AND (CAST(:department AS text) IS NULL OR l.department = :department)
      AND (CAST(:uscc AS text) IS NULL OR l.uscc = :uscc)
      AND (CAST(:person_id AS bigint) IS NULL OR l.owner_person_id = :person_id)
      AND (CAST(:query AS text) IS NULL OR l.uscc ILIKE :query OR f.name ILIKE :query)
"""
ONLY = {
    "open": "l.cleared_on IS NULL",
    "unpromised": "l.cleared_on IS NULL AND l.promised_on IS NULL",
    "promised": "l.cleared_on IS NULL AND l.promised_on >= :today",
    "broken": "l.cleared_on IS NULL AND l.promised_on < :today",
    "cleared": "l.cleared_on IS NOT NULL",
    "all": "true",
}
SORTS = {
    "firm_name": "f.name",
    "kind": "l.kind",
    "department": "l.department",
    "since_on": "l.since_on",
    "promised_on": "l.promised_on",
    "next_on": "l.next_on",
    "cleared_on": "l.cleared_on",
    "district": "l.district",
}
COUNTED = f"""
    SELECT l.kind, l.department, count(*) FILTER (WHERE l.cleared_on IS NULL) AS open,
           count(DISTINCT l.uscc) FILTER (WHERE l.cleared_on IS NULL) AS firms,
           count(*) FILTER (WHERE {ONLY["promised"]}) AS promised, count(*) FILTER (WHERE {ONLY["broken"]}) AS broken,
           count(*) FILTER (WHERE l.cleared_on > :recently) AS cleared
    FROM {LEDGER} WHERE (CAST(:district AS text) IS NULL OR l.district = :district)
      AND (l.cleared_on IS NULL OR l.cleared_on > :recently)
    GROUP BY GROUPING SETS ((l.kind), (l.department), ())
"""
ONE = text("""
    SELECT o.*, f.name AS firm_name, p.name AS person_name, g.name AS assigner, e.name AS enterer
    FROM obstacle o JOIN firm f ON f.uscc = o.uscc LEFT JOIN person p ON p.id = o.owner_person_id
    LEFT JOIN person g ON g.id = o.assigned_by LEFT JOIN person e ON e.id = o.entered_by WHERE o.id = :id
""")
LOCK = text("SELECT * FROM obstacle WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
HOLD = text("SELECT 1 FROM firm WHERE uscc = ANY(:firms) ORDER BY uscc FOR NO KEY UPDATE")
KNOWN = text("SELECT uscc, obstacle FROM follow_up WHERE uscc = ANY(:firms) AND closed_on IS NULL")
OPEN = text("SELECT uscc, kind FROM obstacle WHERE uscc = ANY(:firms) AND cleared_on IS NULL")
NOTES = text("""
    SELECT n.*, p.name AS writer FROM obstacle_note n LEFT JOIN person p ON p.id = n.written_by
    WHERE n.obstacle_id = :id ORDER BY n.id
""")
CODES = {
    "kinds": orjson.dumps(KIND_OF).decode(),
    "departments": orjson.dumps(DEPARTMENT_OF).decode(),
}


@dataclass(frozen=True)
class Sought:
    """Which obstacles, in which order; empty means any."""

    only: str = "open"
    kind: str = ""
    department: str = ""
    district: str = ""
    uscc: str = ""
    person_id: int | None = None
    query: str = ""
    sort: str = "since_on"
    descending: bool = False
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class Tally:
    """How many stand, in how many firms, promised, promised and late, cleared within RECENT."""

    open: int = 0
    firms: int = 0
    promised: int = 0
    broken: int = 0
    cleared: int = 0


@dataclass(frozen=True)
class Counts:
    """The ledger in figures: all of it, by kind and by department; the most open first."""

    total: Tally
    kinds: Mapping[ObstacleKind, Tally]
    departments: Mapping[Department, Tally]


def find(tx: Session, who: Who, sought: Sought, today: date) -> tuple[Sequence[Row[Any]], int]:
    """One page of the ledger in the official's scope, and how many there are."""
    values = CODES | {
        "district": district_of(who) or sought.district or None,
        "kind": sought.kind or None,
        "department": sought.department or None,
        "uscc": sought.uscc or None,
        "person_id": sought.person_id,
        "query": f"%{sought.query}%" if sought.query else None,
        "today": today,
    }
    found = f"{FROM} AND {ONLY[sought.only]}"
    total: int = tx.execute(text(f"SELECT count(*) {found}"), values).scalar_one()
    order = f"{SORTS[sought.sort]} {'DESC' if sought.descending else 'ASC'} NULLS LAST, l.source, l.id"
    page = f"SELECT l.*, f.name AS firm_name, p.name AS person_name {found} ORDER BY {order}"
    window = {"limit": sought.limit, "offset": sought.offset}
    return tx.execute(text(f"{page} LIMIT :limit OFFSET :offset"), {**values, **window}).all(), total


def count(tx: Session, who: Who, today: date, district: str = "") -> Counts:
    """The ledger in figures, for one's own district or (for the city) all or one of them."""
    values = CODES | {"district": district_of(who) or district or None, "today": today, "recently": today - RECENT}
    kinds, departments, total = dict[ObstacleKind, Tally](), dict[Department, Tally](), Tally()
    for row in tx.execute(text(f"{COUNTED} ORDER BY open DESC, 1, 2"), values):
        tally = Tally(row.open, row.firms, row.promised, row.broken, row.cleared)
        if row.kind is not None:
            kinds[ObstacleKind(row.kind)] = tally
        elif row.department is not None:
            departments[Department(row.department)] = tally
        else:
            total = tally
    return Counts(total, kinds, departments)


def get(tx: Session, who: Who, obstacle_id: int) -> Row[Any]:
    """One that a team found, or NotFound; another district's looks like none."""
    row = tx.execute(ONE, {"id": obstacle_id}).one_or_none()
    if row is None or (who.role is Role.DISTRICT and row.district != who.district):
        raise NotFound("没有这项堵点。")
    return row


def lock(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Lock them in the order of their ids; those this transaction may see."""
    return tx.execute(LOCK, {"ids": list(ids)}).all() if ids else []


def known_of(tx: Session, firms: Sequence[str]) -> set[tuple[str, str]]:
    """(firm, kind) of everything open in the ledger of these firms, which nobody else enters until the end of `tx`."""
    which = {"firms": list(firms)}
    tx.execute(HOLD, which)
    found = {(row.uscc, kind_of(row.obstacle).value) for row in tx.execute(KNOWN, which)}
    return found | {(row.uscc, row.kind) for row in tx.execute(OPEN, which)}


def add(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Enter them; their keys."""
    ids = next_ids(tx, "obstacle", len(rows)) if rows else []
    add_rows(tx, "obstacle", [{"id": key, **row} for key, row in zip(ids, rows, strict=True)])
    return ids


def change(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the named columns of those given by `id`."""
    change_rows(tx, "obstacle", "id", rows)


def add_note(tx: Session, row: Mapping[str, Any]) -> None:
    """Write down what was done and the next date."""
    (key,) = next_ids(tx, "obstacle_note", 1)
    add_rows(tx, "obstacle_note", [{"id": key, **row}])


def list_notes(tx: Session, obstacle_id: int) -> Sequence[Row[Any]]:
    """What was noted, oldest first."""
    return tx.execute(NOTES, {"id": obstacle_id}).all()
