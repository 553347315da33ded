"""Targets of a year, what there is of each by area, and the daily count of registered firms."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Role, Who
from service.domain.target import CITY_WIDE, Progress, TargetKind, elapsed, progress
from service.store import pace, statistics
from service.store.statistics import Figures

OF_YEAR = text("""
    SELECT t.*, p.name AS person_name FROM target t LEFT JOIN person p ON p.id = t.set_by
    WHERE t.year = :year AND (CAST(:district AS text) IS NULL OR t.district = :district) ORDER BY t.district, t.kind
""")
LOCK = text("SELECT * FROM target WHERE year = :year AND district = :district ORDER BY kind FOR UPDATE")
PUT = text("""
    INSERT INTO target (year, district, kind, value, set_by, set_at)
    VALUES (:year, :district, :kind, :value, :set_by, :set_at)
    ON CONFLICT (year, district, kind) DO UPDATE SET value = EXCLUDED.value, set_by = EXCLUDED.set_by,
        set_at = EXCLUDED.set_at
    RETURNING id
""")
REMOVE = text("DELETE FROM target WHERE id = :id")
COUNT_COVERAGE = text("""
    INSERT INTO coverage_day ("on", district, firms, registered, real_named)
    SELECT :today, f.district, count(*), count(*) FILTER (WHERE g.registered_on <= :today),
        count(*) FILTER (WHERE g.real_named_on <= :today)
    FROM firm f LEFT JOIN registered_firm g ON g.uscc = f.uscc WHERE f.status <> 'cancelled' GROUP BY f.district
    ON CONFLICT ("on", district) DO UPDATE SET firms = EXCLUDED.firms, registered = EXCLUDED.registered,
        real_named = EXCLUDED.real_named
""")
COVERAGE = text("""
    SELECT DISTINCT ON (district) district, firms, registered, real_named FROM coverage_day
    WHERE "on" <= :on ORDER BY district, "on" DESC
""")
CHANGES = text("""
    SELECT t.at, t.old, t.new, t.district, t.details, p.name AS person_name FROM trail t
    LEFT JOIN person p ON p.id = t.actor_id
    WHERE t.noun = 'target' AND t.details ->> 'year' = CAST(:year AS text) ORDER BY t.id DESC LIMIT :limit
""")
Values = Mapping[tuple[str, TargetKind], Decimal]
"""(area, kind) → how much there is."""


def list_of_year(tx: Session, year: int, district: str | None = None) -> Sequence[Row[Any]]:
    """The targets of a year, of one area (`CITY_WIDE` is one) or of all."""
    return tx.execute(OF_YEAR, {"year": year, "district": district}).all()


def by_area(tx: Session, year: int) -> dict[str, dict[str, Decimal]]:
    """Area → its targets of the year by kind, as they stand."""
    found: dict[str, dict[str, Decimal]] = {}
    for row in list_of_year(tx, year):
        found.setdefault(row.district, {})[row.kind] = row.value
    return found


def lock(tx: Session, year: int, district: str) -> dict[str, Row[Any]]:
    """Kind → the area's target of the year, locked."""
    return {row.kind: row for row in tx.execute(LOCK, {"year": year, "district": district})}


def put(
    tx: Session, year: int, district: str, kind: TargetKind, value: Decimal, who: Who, now: datetime
) -> int:  # fmt: skip
    """Set one target; its key."""
    said = {"year": year, "district": district, "kind": kind.value, "value": value}
    key: int = tx.execute(PUT, said | {"set_by": who.person_id, "set_at": now}).scalar_one()
    return key


def remove(tx: Session, target_id: int) -> None:
    """Ask no more for it."""
    tx.execute(REMOVE, {"id": target_id})


def list_changes(tx: Session, year: int, limit: int = 10) -> Sequence[Row[Any]]:
    """Who changed which target of the year from what to what, the latest first."""
    return tx.execute(CHANGES, {"year": year, "limit": limit}).all()


def count_coverage(tx: Session, today: date) -> int:
    """Count firms and registered firms of every area as of today; how many areas that was."""
    counted: Any = tx.execute(COUNT_COVERAGE, {"today": today})
    return int(counted.rowcount)


def progress_of_year(
    tx: Session, who: Who, year: int, today: date, as_of: date | None = None
) -> dict[tuple[str, TargetKind], Progress]:
    """Every target of the year that `who` may see, beside what there is; `as_of`: as it stood then.

    How banks keep pace is not known of a past day: then it is unknown.
    """
    on = min(as_of or today, date(year, 12, 31))
    wanted = list_of_year(tx, year)
    if not wanted:
        return {}
    values, began = _values(tx, who, year, on, as_of), _coverage(tx, who, date(year - 1, 12, 31))
    passed = elapsed(year, on)
    found = {}
    for row in wanted:
        key = row.district, TargetKind(row.kind)
        found[key] = progress(key[1], row.value, values.get(key), began.get(key, Decimal(0)), passed)
    return found


def _values(tx: Session, who: Who, year: int, on: date, as_of: date | None) -> Values:
    since = date(year, 1, 1)
    if on < since:
        return {}
    values = _coverage(tx, who, on)
    cells = statistics.figures(tx, who, since, on, "district", as_of)
    for cell in cells:
        values |= _sums(cell.key, [cell])
    if who.role is not Role.DISTRICT:
        values |= _sums(CITY_WIDE, cells)
    if as_of is None:
        values |= {(area, TargetKind.IN_TIME): share for area, share in _in_time(tx, who, since, on).items()}
    return values


def _sums(area: str, cells: Sequence[Figures]) -> dict[tuple[str, TargetKind], Decimal]:
    return {
        (area, TargetKind.DEMANDS): Decimal(sum(cell.reported.events for cell in cells)),
        (area, TargetKind.GRANTED): Decimal(sum(cell.granted.amount_fen for cell in cells)),
        (area, TargetKind.DRAWN): Decimal(sum(cell.drawn.amount_fen for cell in cells)),
    }


def _coverage(tx: Session, who: Who, on: date) -> dict[tuple[str, TargetKind], Decimal]:
    rows = tx.execute(COVERAGE, {"on": on}).all()
    areas: dict[str, list[Row[Any]]] = {row.district: [row] for row in rows}
    if who.role is not Role.DISTRICT:
        areas[CITY_WIDE] = list(rows)
    found = {}
    for area, cells in areas.items():
        firms = sum(row.firms for row in cells)
        if firms:
            found[area, TargetKind.REGISTERED] = Decimal(sum(row.registered for row in cells)) / firms
            found[area, TargetKind.REAL_NAMED] = Decimal(sum(row.real_named for row in cells)) / firms
    return found


def _in_time(tx: Session, who: Who, since: date, until: date) -> dict[str, Decimal]:
    """Area → lines contacted in time ÷ lines past their contact date."""
    cells = pace.of_districts(tx, since, until)
    if who.role is not Role.DISTRICT:
        cells[CITY_WIDE] = sum(one[0] for one in cells.values()), sum(one[1] for one in cells.values())
    return {area: Decimal(in_time) / due for area, (in_time, due) in cells.items() if due}
