"""Firms in PostgreSQL: their summary drawn from the records, and the marks that say whose facts have changed."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from service.domain.errors import NotFound
from service.domain.firm import Firm
from service.domain.objection import OBJECTION_UPHELD
from service.domain.standards import size

# `item || ''` keeps the index by item out of the plan: statistics from before an item's first feed say it has no rows,
# and by them all of its records would be looked through once for every firm.
_REGISTERED = "JOIN record g ON g.uscc = t.uscc AND g.item || '' = 'registration' AND g.superseded_on IS NULL"

# The newest registration and annual report in force decide; without the figures its sector asks for a firm stays
# unclassified. `size_line` holds the standard's bounds for each industry code that occurs (domain/standards/size.py).
_REFRESH = f"""
INSERT INTO firm (uscc, name, kind, district, industry, established_on, status, size_class, employees, revenue_fen,
    assets_fen, wrong_code, feed_id)
SELECT g.uscc, g.details->>'name', g.details->>'kind', g.details->>'district', g.code, g.happened_on, g.status,
    CASE WHEN z.without IS NOT NULL THEN z.without
        WHEN (z.employees[1] IS NOT NULL AND y.quantity IS NULL) OR (z.revenue[1] IS NOT NULL AND y.amount_fen IS NULL)
            OR (z.assets[1] IS NOT NULL AND y.assets IS NULL) THEN 'unclassified'
        WHEN coalesce(y.quantity >= z.employees[1], true) AND coalesce(y.amount_fen >= z.revenue[1], true)
            AND coalesce(y.assets >= z.assets[1], true) THEN 'large'
        WHEN coalesce(y.quantity >= z.employees[2], true) AND coalesce(y.amount_fen >= z.revenue[2], true)
            AND coalesce(y.assets >= z.assets[2], true) THEN 'medium'
        WHEN coalesce(y.quantity >= z.employees[3], true) AND coalesce(y.amount_fen >= z.revenue[3], true)
            AND coalesce(y.assets >= z.assets[3], true) THEN 'small'
        ELSE 'micro' END,
    y.quantity::int, y.amount_fen, y.assets, g.uscc = ANY(:wrong_codes), g.feed_id
FROM pg_temp.touched t
{_REGISTERED}
JOIN pg_temp.size_line z USING (code)
LEFT JOIN LATERAL (
    SELECT quantity, amount_fen, (details->>'assets_fen')::bigint AS assets FROM record a
    WHERE a.uscc = t.uscc AND a.item || '' = 'annual_report' AND a.superseded_on IS NULL AND a.withdrawn_on IS NULL
    ORDER BY a.key DESC LIMIT 1) y ON true
ON CONFLICT (uscc) DO UPDATE SET name = excluded.name, kind = excluded.kind, district = excluded.district,
    industry = excluded.industry, established_on = excluded.established_on, status = excluded.status,
    size_class = excluded.size_class, employees = excluded.employees, revenue_fen = excluded.revenue_fen,
    assets_fen = excluded.assets_fen, wrong_code = excluded.wrong_code, feed_id = excluded.feed_id
WHERE firm.* IS DISTINCT FROM excluded.*
"""
_CODES = f"""
SELECT DISTINCT g.code FROM pg_temp.touched t
{_REGISTERED}
"""
_SIZE_LINE = """
DROP TABLE IF EXISTS pg_temp.size_line;
CREATE TEMP TABLE size_line (code text PRIMARY KEY, without text, employees bigint[], revenue bigint[], assets bigint[])
    ON COMMIT DROP
"""


def find(tx: Session, uscc: str) -> Firm | None:
    """The firm, or None."""
    return tx.get(Firm, uscc)


def get(tx: Session, uscc: str) -> Firm:
    """The firm; NotFound where none has this code, or none that this transaction may see."""
    firm = tx.get(Firm, uscc)
    if firm is None:
        raise NotFound("没有找到这家企业")
    return firm


def list_named(tx: Session, part: str, limit: int = 20) -> list[Firm]:
    """Firms whose name contains, or whose code begins with, what was typed."""
    pattern = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = col(Firm.name).like(f"%{pattern}%") | col(Firm.uscc).like(f"{pattern.upper()}%")
    return list(tx.exec(select(Firm).where(found).order_by(col(Firm.name)).limit(limit)))


def refresh(tx: Session, on: date, wrong_codes: Iterable[str]) -> int:
    """Write the touched firms' summaries anew from their records in force, sized by the standard of the day."""
    connection = tx.connection()
    connection.exec_driver_sql(_SIZE_LINE)
    lines = [_size_line(row[0], on) for row in connection.execute(text(_CODES))]
    if lines:
        insert = "INSERT INTO pg_temp.size_line VALUES (:code, :without, :employees, :revenue, :assets)"
        connection.execute(text(insert), lines)
    return connection.execute(text(_REFRESH), {"wrong_codes": list(wrong_codes)}).rowcount


def mark_touched(tx: Session, reason: str, at: datetime) -> None:
    """Mark the firms a feed touched for recomputation (`records.touch` comes before)."""
    _mark(tx, "SELECT uscc FROM pg_temp.touched", {"reason": reason, "at": at})


def mark_stale(tx: Session, usccs: Iterable[str], reason: str, at: datetime) -> None:
    """Mark these firms for recomputation: a fact of theirs has changed by a repair, an objection, a hand."""
    _mark(tx, "SELECT unnest(CAST(:usccs AS text[]))", {"reason": reason, "at": at, "usccs": sorted(set(usccs))})


def list_stale(tx: Session, limit: int | None = None) -> list[tuple[str, datetime]]:
    """(uscc, marked_at) of the firms that wait for recomputation, the longest waiting first."""
    query = text("SELECT uscc, marked_at FROM firm_stale ORDER BY marked_at, uscc LIMIT :limit")
    return [(row[0], row[1]) for row in tx.connection().execute(query, {"limit": limit})]


def clear_stale(tx: Session, usccs: Iterable[str], seen_at: datetime) -> int:
    """Take the marks away that were set until `seen_at`; one set again since then stays."""
    query = text("DELETE FROM firm_stale WHERE uscc = ANY(:usccs) AND marked_at <= :seen_at")
    return tx.connection().execute(query, {"usccs": list(usccs), "seen_at": seen_at}).rowcount


def count_touched(tx: Session, wrong_codes: Iterable[str]) -> tuple[int, int]:
    """Of the rows a feed brought: those with a wrong check character, and those of firms nobody has registered."""
    query = text(
        "SELECT coalesce(sum(rows) FILTER (WHERE uscc = ANY(:wrong)), 0),"
        " coalesce(sum(rows) FILTER (WHERE NOT EXISTS (SELECT 1 FROM firm f WHERE f.uscc = t.uscc)), 0)"
        " FROM pg_temp.touched t"
    )
    wrong, unregistered = tx.connection().execute(query, {"wrong": list(wrong_codes)}).one()
    return int(wrong), int(unregistered)


def _mark(tx: Session, usccs: str, given: dict[str, Any]) -> None:
    tx.connection().execute(
        text(
            f"INSERT INTO firm_stale (uscc, marked_at, reason) SELECT u, :at, :reason FROM ({usccs}) AS s(u) ORDER BY u"
            " ON CONFLICT (uscc) DO UPDATE SET marked_at = excluded.marked_at,"
            " reason = CASE WHEN firm_stale.reason = :upheld THEN :upheld ELSE excluded.reason END"
        ),
        given | {"upheld": OBJECTION_UPHELD},
    )


def _size_line(industry: str, on: date) -> dict[str, Any]:
    sector = size.sector_of(industry, on)
    bounds = (sector.large, sector.medium, sector.small) if sector else ()
    return {
        "code": industry,
        "without": None if sector else size.size_class(industry, None, None, None, on).value,
        "employees": [level.employees for level in bounds],
        "revenue": [_fen(level.revenue) for level in bounds],
        "assets": [_fen(level.assets) for level in bounds],
    }


def _fen(wan: int | None) -> int | None:
    return None if wan is None else wan * size.WAN_FEN
