"""What is known of firms on a day: stored results, what makes them stale, and the records they are computed from."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.store.bulk import put_rows
from service.store.database import driver_of

STORED = text("""
    SELECT f.* FROM firm_day f WHERE f.uscc = ANY(:usccs) AND f.as_of = :today
      AND NOT EXISTS (SELECT 1 FROM firm_stale s WHERE s.uscc = f.uscc AND s.marked_at > f.made_at)
""")
RECORDS_OF = """
    COPY (SELECT item, uscc, key, happened_on, ends_on, known_on, amount_fen, quantity, code, status, party, details,
                 superseded_on, withdrawn_on
          FROM record WHERE uscc = ANY(%s) AND known_on <= %s AND (superseded_on IS NULL OR superseded_on > %s))
    TO STDOUT (FORMAT csv)
"""
VISIBLE = text("""
    SELECT item, key, happened_on, ends_on, known_on, amount_fen, quantity, code, status, party, details
    FROM record WHERE uscc = :uscc AND known_on <= :today AND happened_on <= :today
      AND (superseded_on IS NULL OR superseded_on > :today) AND (withdrawn_on IS NULL OR withdrawn_on > :today)
      AND (NOT item = ANY(:adverse) OR ends_on IS NULL OR ends_on > :today)
    ORDER BY item, happened_on DESC, key
""")
TAKE_STALE = text("""
    DELETE FROM firm_stale s WHERE EXISTS (SELECT 1 FROM demand d WHERE d.uscc = s.uscc AND d.closed_on IS NULL)
    RETURNING s.uscc, s.reason
""")
TAKE_STALE_OF = text("""
    DELETE FROM firm_stale s WHERE s.uscc IN (
        SELECT uscc FROM firm_stale WHERE uscc = ANY(:usccs) AND NOT EXISTS (
            SELECT 1 FROM demand d WHERE d.uscc = firm_stale.uscc AND d.closed_on IS NULL AND NOT d.id = ANY(:ids))
        FOR UPDATE SKIP LOCKED)
    RETURNING s.uscc
""")
LACKING = text("""
    SELECT DISTINCT c.uscc FROM consent c JOIN firm f ON f.uscc = c.uscc
    LEFT JOIN firm_day d ON d.uscc = c.uscc AND d.as_of = :today
        AND NOT EXISTS (SELECT 1 FROM firm_stale s WHERE s.uscc = d.uscc AND s.marked_at > d.made_at)
    WHERE c.purpose = 'profile' AND c.from_on <= :today AND c.until_on >= :today AND d.uscc IS NULL
      AND NOT EXISTS (SELECT 1 FROM consent_withdrawal w WHERE w.consent_id = c.id)
    ORDER BY c.uscc LIMIT :most
""")


def find_stored(tx: Session, usccs: Sequence[str], today: date) -> Sequence[Row[Any]]:
    """The results stored for exactly this day of those firms whose records have not changed since."""
    return tx.execute(STORED, {"usccs": list(usccs), "today": today}).all()


def store(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put the results in the place of what was stored for these firms."""
    put_rows(tx, "firm_day", "uscc", rows)


def records_csv(tx: Session, usccs: Sequence[str], today: date) -> bytes:
    """The firms' records known by the day, as CSV in the model's column order; withdrawn and future ones included."""
    with driver_of(tx).cursor().copy(RECORDS_OF, (list(usccs), today, today)) as copy:
        return b"".join(bytes(block) for block in copy)


def list_visible(tx: Session, uscc: str, today: date, adverse: Sequence[str]) -> Sequence[Row[Any]]:
    """What may be seen of a firm on a day, newest first within each item."""
    return tx.execute(VISIBLE, {"uscc": uscc, "today": today, "adverse": list(adverse)}).all()


def source_days(tx: Session) -> dict[str, tuple[date, date]]:
    """item → the first and the latest day its source delivered anything."""
    rows = tx.execute(text("SELECT item, first_on, latest_on FROM source_day"))
    return {row.item: (row.first_on, row.latest_on) for row in rows}


def take_stale_with_demands(tx: Session) -> dict[str, str]:
    """Take the marks off firms that have a demand which is not closed; firm → what changed.

    The marks go before the records are read: one that comes while we read is a new mark, and stays.
    """
    return {row.uscc: row.reason for row in sorted(tx.execute(TAKE_STALE))}


def take_stale_of(tx: Session, usccs: Sequence[str], demand_ids: Sequence[int]) -> set[str]:
    """Take the marks off those firms that have no other open demand than these, and say which they were.

    Where a feed holds a mark nobody waits for it: the mark stays, and that firm is judged again with the next run.
    """
    return set(tx.execute(TAKE_STALE_OF, {"usccs": list(usccs), "ids": list(demand_ids)}).scalars())


def list_lacking(tx: Session, today: date, most: int) -> list[str]:
    """Firms that allow a profile and have no result for the day that still holds."""
    return list(tx.execute(LACKING, {"today": today, "most": most}).scalars())
