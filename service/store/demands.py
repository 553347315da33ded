"""Demands: found within a person's scope, locked before anything is decided, written many at a time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.demand import OPEN_STATES, open_states_sql
from service.domain.errors import NotFound
from service.domain.people import Role, Who
from service.store.bulk import add_rows, change_rows, next_ids

IS_OPEN = f"state IN ({open_states_sql(OPEN_STATES)})"
NO_LINE_WITH_A_BANK = (
    "NOT EXISTS (SELECT 1 FROM push_line l WHERE l.demand_id = d.id AND l.closed_on IS NULL"
    " AND l.state IN ('pushed', 'received', 'contacted', 'accepted'))"
)
LOCK = text("SELECT * FROM demand WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
LOCK_OPEN_OF_FIRMS = text(f"SELECT * FROM demand WHERE uscc = ANY(:usccs) AND {IS_OPEN} ORDER BY id FOR UPDATE")
OPEN_SAME_USE = text(f"""
    SELECT d.id, d.number, d.uscc, d.use FROM demand d WHERE d.uscc = ANY(:usccs) AND {IS_OPEN} ORDER BY d.id
""")
OPEN_LINES = text("SELECT id, demand_id FROM push_line WHERE demand_id = ANY(:ids) AND closed_on IS NULL ORDER BY id")
FIRMS = text("""
    SELECT uscc, name, kind, district, industry, established_on, status, size_class FROM firm WHERE uscc = ANY(:usccs)
""")
BANKS = text("SELECT id FROM bank WHERE joined_on <= :today AND (left_on IS NULL OR left_on > :today)")
SILENT = text(f"""
    SELECT d.* FROM demand d WHERE d.{IS_OPEN} AND d.firm_seen_on <= :seen_until
      AND (:warned OR d.warned_on IS NULL) AND (NOT :warned OR d.warned_on <= :warned_until) AND {NO_LINE_WITH_A_BANK}
    ORDER BY d.id FOR UPDATE OF d
""")
CHANGED = text(f"""
    SELECT d.id FROM demand d WHERE d.{IS_OPEN} AND d.state <> 'accepted' AND (
        d.uscc = ANY(:usccs)
        OR EXISTS (SELECT 1 FROM override o
                   WHERE o.demand_id = d.id AND o.until_on < :today AND o.until_on >= d.light_since_on)
        OR (d.next_step = 'judge' AND d.next_on <= :today))
    ORDER BY d.id
""")
QUEUE = text("""
    SELECT pg_advisory_xact_lock(7416002, place)
    FROM (SELECT DISTINCT hashtext(uscc) & 1023 AS place FROM unnest(CAST(:usccs AS text[])) uscc ORDER BY 1) places
""")
ONE = text("""
    SELECT d.*, f.name AS firm_name, f.kind AS firm_kind, f.industry, f.size_class
    FROM demand d JOIN firm f ON f.uscc = d.uscc WHERE d.id = :id
""")
LISTED = text("""
    SELECT d.*, f.name AS firm_name FROM demand d JOIN firm f ON f.uscc = d.uscc
    WHERE (CAST(:uscc AS text) IS NULL OR d.uscc = :uscc)
      AND (CAST(:district AS text) IS NULL OR d.district = :district)
      AND (CAST(:states AS text[]) IS NULL OR d.state = ANY(:states))
      AND (CAST(:light AS text) IS NULL OR d.light = :light) AND (CAST(:before AS bigint) IS NULL OR d.id < :before)
    ORDER BY d.id DESC LIMIT :limit
""")
WANTED = text("""
    SELECT w.*, b.name AS bank_name, b.name_en AS bank_name_en FROM wanted_bank w JOIN bank b ON b.id = w.bank_id
    WHERE w.demand_id = ANY(:ids) ORDER BY w.demand_id, w.is_intended DESC, w.rank
""")


def get(tx: Session, who: Who, demand_id: int) -> Row[Any]:
    """The demand with its firm's name, or NotFound; not yours looks like not there."""
    row = tx.execute(ONE, {"id": demand_id}).one_or_none()
    if row is None or not is_within(row, who):
        raise NotFound("没有这笔融资需求。")
    return row


def is_within(row: Row[Any], who: Who) -> bool:
    """Whether a firm's or a district's scope holds the row; a bank's scope is its lines, which the database checks."""
    if who.role is Role.FIRM:
        return bool(row.uscc == who.uscc)
    return who.role is not Role.DISTRICT or bool(row.district == who.district)


def list_for(
    tx: Session, who: Who, states: Sequence[str] | None = None, light: str | None = None,
    before: int | None = None, limit: int = 50,
) -> Sequence[Row[Any]]:  # fmt: skip
    """The newest demands in the person's scope; `before` is the last key of the page before."""
    scope = {"uscc": who.uscc if who.role is Role.FIRM else None, "district": who.district}
    chosen = {"states": None if states is None else list(states), "light": light, "before": before, "limit": limit}
    return tx.execute(LISTED, scope | chosen).all()


def lock(tx: Session, ids: Sequence[int]) -> list[Row[Any]]:
    """The demands in the order of their keys, nobody else's to change until the end of the transaction."""
    return list(tx.execute(LOCK, {"ids": list(ids)}))


def lock_one(tx: Session, who: Who, demand_id: int) -> Row[Any]:
    """The demand, locked, or NotFound."""
    rows = lock(tx, [demand_id])
    if not rows or not is_within(rows[0], who):
        raise NotFound("没有这笔融资需求。")
    return rows[0]


def lock_open_of(tx: Session, usccs: Sequence[str]) -> list[Row[Any]]:
    """The firms' open demands, locked: what a withdrawal of consent and the push of a list queue for."""
    return list(tx.execute(LOCK_OPEN_OF_FIRMS, {"usccs": list(usccs)}))


def open_by_use(tx: Session, usccs: Sequence[str]) -> dict[tuple[str, str], tuple[int, str]]:
    """(uscc, use) → (key, number) of the open demand for that use."""
    return {(row.uscc, row.use): (row.id, row.number) for row in tx.execute(OPEN_SAME_USE, {"usccs": list(usccs)})}


def open_lines(tx: Session, ids: Sequence[int]) -> list[int]:
    """Keys of the demands' lines that are not closed."""
    return [row.id for row in tx.execute(OPEN_LINES, {"ids": list(ids)})]


def firms(tx: Session, usccs: Sequence[str]) -> dict[str, Row[Any]]:
    """The firms as registered today, by code."""
    return {row.uscc: row for row in tx.execute(FIRMS, {"usccs": list(usccs)})}


def partner_banks(tx: Session, today: date) -> set[int]:
    """Keys of the banks that are partners on the day."""
    return set(tx.execute(BANKS, {"today": today}).scalars())


def add(tx: Session, today: date, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write the demands and number them: the day, then the last digits of the key; their keys."""
    ids = next_ids(tx, "demand", len(rows))
    add_rows(
        tx, "demand", [{"id": key, "number": number_of(today, key), **row} for key, row in zip(ids, rows, strict=True)]
    )
    return ids


def number_of(day: date, key: int) -> str:
    """What people call a demand: 20260630-000123. Numbers rise with the keys; gaps mean nothing."""
    return f"{day:%Y%m%d}-{key % 1_000_000:06d}"


def change(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the named columns of the demands given by `id`."""
    change_rows(tx, "demand", "id", rows)


def wanted(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The banks the firm named, intended ones first, in its order."""
    return tx.execute(WANTED, {"ids": list(ids)}).all()


def set_wanted(tx: Session, demand_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the banks a demand names."""
    tx.execute(text("DELETE FROM wanted_bank WHERE demand_id = :id"), {"id": demand_id})
    add_wanted(tx, rows)


def add_wanted(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add banks to demands."""
    add_rows(tx, "wanted_bank", rows)


def lock_silent(tx: Session, seen_until: date, warned_until: date | None) -> list[Row[Any]]:
    """Open demands whose firm was last seen by then, none of whose lines waits for a bank: warned ones, or unwarned."""
    warned = warned_until is not None
    return list(
        tx.execute(SILENT, {"seen_until": seen_until, "warned": warned, "warned_until": warned_until or seen_until})
    )


def list_changed(tx: Session, usccs: Sequence[str], today: date) -> list[int]:
    """Open demands to judge again: of these firms, or where an override ended or the judge's own date has come."""
    return list(tx.execute(CHANGED, {"usccs": list(usccs), "today": today}).scalars())


def queue_for(tx: Session, usccs: Sequence[str]) -> None:
    """Nobody else reports for these firms until this transaction ends: a double click finds the first demand.

    The firms share a thousand locks, taken in one order: a city that asks at once must not fill the server's table.
    """
    tx.execute(QUEUE, {"usccs": list(usccs)})
