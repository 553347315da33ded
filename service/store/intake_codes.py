"""Codes to be scanned: those of one's own city, district or bank, what came by them, and what one key leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from service.domain.errors import Conflict, NotFound
from service.domain.people import Role, Who
from service.store.bulk import add_rows, next_ids

OWN = """
    (CAST(:district AS text) IS NULL OR (c.district = :district AND c.bank_id IS NULL))
    AND (CAST(:bank_id AS bigint) IS NULL OR c.bank_id = :bank_id)
"""
LIVE = "(c.withdrawn_on IS NULL AND (c.until_on IS NULL OR c.until_on >= :today))"
NAMED = """
    SELECT c.*, b.name AS bank_name, p.name AS person_name, m.name AS maker_name
    FROM intake_code c LEFT JOIN bank b ON b.id = c.bank_id LEFT JOIN person p ON p.id = c.person_id
    LEFT JOIN person m ON m.id = c.made_by
"""
LISTED = text(f"""
    SELECT n.*, coalesce(k.enquiries, 0) AS enquiries, coalesce(k.demands, 0) AS demands
    FROM ({NAMED} WHERE {OWN} AND (:ended OR {LIVE}) ORDER BY c.id DESC LIMIT :limit OFFSET :offset) n
    LEFT JOIN intake_counts(ARRAY(
        SELECT c.id FROM intake_code c WHERE {OWN} AND (:ended OR {LIVE}) ORDER BY c.id DESC LIMIT :limit OFFSET :offset
    )) k ON k.code_id = n.id
    ORDER BY n.id DESC
""")
COUNTED = text(f"SELECT count(*) FROM intake_code c WHERE {OWN} AND (:ended OR {LIVE})")
ONE = text(f"{NAMED} WHERE c.id = :id AND {OWN}")
COUNTS = text("SELECT enquiries, demands FROM intake_counts(ARRAY[CAST(:id AS bigint)])")
SCANNED = text("SELECT * FROM scanned_code(:key)")


@dataclass(frozen=True)
class Scanned:
    """What the key on a poster leads to, for whoever holds a telephone over it."""

    kind: str
    district: str | None
    bank_name: str | None
    outlet: str
    person_name: str | None
    campaign: str
    from_on: date
    until_on: date | None
    is_withdrawn: bool

    def holds_on(self, day: date) -> bool:
        """Whether an enquiry may come by it that day."""
        return not self.is_withdrawn and self.from_on <= day and (self.until_on is None or day <= self.until_on)


def scope_of(who: Who) -> dict[str, Any]:
    """The city sees every code, a district its own, a bank its own."""
    return {"district": who.district if who.role is Role.DISTRICT else None, "bank_id": who.bank_id}


def list_of(
    tx: Session, who: Who, today: date, *, ended: bool = False, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Row[Any]], int]:
    """One page of codes with scans, enquiries and demands, the newest first, and how many there are; `ended` too."""
    asked = scope_of(who) | {"today": today, "ended": ended}
    rows = tx.execute(LISTED, asked | {"limit": limit, "offset": offset}).all()
    return rows, int(tx.execute(COUNTED, asked).scalar_one())


def get(tx: Session, who: Who, code_id: int) -> Row[Any]:
    """One's own code, or NotFound."""
    row = tx.execute(ONE, scope_of(who) | {"id": code_id}).one_or_none()
    if row is None:
        raise NotFound("没有这个二维码。")
    return row


def counts_of(tx: Session, code_id: int) -> tuple[int, int]:
    """Enquiries that came by a code, and the demands they became."""
    row = tx.execute(COUNTS, {"id": code_id}).one_or_none()
    return (0, 0) if row is None else (int(row.enquiries), int(row.demands))


def add(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter a code; its key in the table. Conflict where the same one holds already."""
    (key,) = next_ids(tx, "intake_code", 1)
    try:
        with tx.begin_nested():
            add_rows(tx, "intake_code", [{"id": key, "scans": 0, **row}])
    except IntegrityError as there:
        raise Conflict("同样对象和活动名称的码已经有了，请直接使用，或换一个活动名称。", field="campaign") from there
    return key


def withdraw(tx: Session, code_id: int, today: date) -> bool:
    """It leads nowhere from now on; False where it does not already."""
    end = text("UPDATE intake_code SET withdrawn_on = :today WHERE id = :id AND withdrawn_on IS NULL")
    done = tx.execute(end, {"id": code_id, "today": today})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def find_scanned(tx: Session, key: str) -> Scanned | None:
    """What a key leads to; None for one that was never made."""
    row = tx.execute(SCANNED, {"key": key}).one_or_none()
    if row is None:
        return None
    said = {name: getattr(row, name) for name in Scanned.__dataclass_fields__ if name != "is_withdrawn"}
    return Scanned(**said, is_withdrawn=row.withdrawn_on is not None)


def count_scan(tx: Session, key: str) -> None:
    """The form was opened once more by this key."""
    tx.execute(text("SELECT count_scan(:key)"), {"key": key})
