"""Enquiries by code: taken at the door, listed for those who call, joined to demands, forgotten after their time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Role, Who
from service.store.bulk import add_rows, change_rows, next_ids

OWN = """
    (CAST(:district AS text) IS NULL OR e.district = :district)
    AND (CAST(:bank_id AS bigint) IS NULL OR e.bank_id = :bank_id)
"""
ONLY = {
    "due": "e.state = 'open' AND (e.contacted_at IS NULL OR e.due_on <= :today)",
    "open": "e.state = 'open'",
    "helped": "e.state = 'helped'",
    "closed": "e.state = 'closed'",
    "all": "true",
}
"""Which enquiries: those somebody must call now, by state, or all."""
ORDERS = {"due_on": "e.due_on", "firm_name": "e.firm_name", "amount_fen": "e.amount_fen", "came_on": "e.came_at"}
NAMED = """
    SELECT e.*, b.name AS bank_name, p.name AS person_name
    FROM enquiry e LEFT JOIN bank b ON b.id = e.bank_id LEFT JOIN person p ON p.id = e.person_id
"""
DUE = text(f"SELECT count(*) FROM enquiry e WHERE {OWN} AND {ONLY['due']}")
ONE = text(f"{NAMED} WHERE e.id = :id AND {OWN}")
LOCK = text(f"SELECT e.* FROM enquiry e WHERE e.id = :id AND {OWN} FOR UPDATE")
CONTACTS = text("""
    SELECT c.*, p.name AS caller FROM enquiry_contact c LEFT JOIN person p ON p.id = c.made_by
    WHERE c.enquiry_id = :id ORDER BY c.id
""")
TAKE = text("SELECT * FROM take_enquiry(:key, CAST(:said AS jsonb))")
RECEIPT = text("SELECT * FROM enquiry_receipt(:key, :receipt_hash)")
ERASE = text("SELECT * FROM erase_enquiry(:key, :receipt_hash, :today)")
JOIN = text("SELECT * FROM join_enquiries(:firms, :today) ORDER BY enquiry_id")
TO_FORGET = text("""
    SELECT id, state, bank_id, district FROM enquiry
    WHERE forgotten_on IS NULL AND came_on < :before ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
""")
FORGET_ENQUIRIES = text("""
    UPDATE enquiry SET uscc = NULL, firm_name = '', contact_name = '', mobile = '', due_on = NULL,
        forgotten_on = :today, closed_on = coalesce(closed_on, :today),
        close_reason = CASE WHEN state = 'open' THEN :reason ELSE close_reason END,
        state = CASE WHEN state = 'open' THEN 'closed' ELSE state END
    WHERE id = ANY(:ids)
""")
FORGET_NOTES = text("UPDATE enquiry_contact SET note = '' WHERE enquiry_id = ANY(:ids) AND note <> ''")


@dataclass(frozen=True)
class Sought:
    """Which enquiries (`ONLY`), in which order, which page of them."""

    only: str = "due"
    sort: str = "due_on"
    descending: bool = False
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class Taken:
    """An enquiry as it was taken; not new where the same form had been sent before."""

    id: int
    district: str
    bank_id: int | None
    is_new: bool


@dataclass(frozen=True)
class Joined:
    """An enquiry that has become a demand."""

    id: int
    demand_id: int
    uscc: str
    bank_id: int | None
    district: str


def number_of(day: date, key: int) -> str:
    """What people call an enquiry: S20260630-0012."""
    return f"S{day:%Y%m%d}-{key % 1_000_000:04d}"


def scope_of(who: Who) -> dict[str, Any]:
    """The city sees every enquiry, a district those of its firms, a bank those that came by its own codes."""
    return {"district": who.district if who.role is Role.DISTRICT else None, "bank_id": who.bank_id}


def take(tx: Session, key: str, said: Mapping[str, Any]) -> Taken | None:
    """Take what the form behind a key says; None where the key leads nowhere on that day."""
    row = tx.execute(TAKE, {"key": key, "said": orjson.dumps(said).decode()}).one_or_none()
    return None if row is None else Taken(row.enquiry_id, row.its_district, row.its_bank, row.is_new)


def find_receipt(tx: Session, key: str, receipt_hash: str) -> Row[Any] | None:
    """What the sender of a form may read of it: number, days, and who calls; no word of what was typed."""
    return tx.execute(RECEIPT, {"key": key, "receipt_hash": receipt_hash}).one_or_none()


def erase(tx: Session, key: str, receipt_hash: str, today: date) -> Row[Any] | None:
    """Its sender takes it back: what it said of people goes at once; None where it is gone already."""
    asked = {"key": key, "receipt_hash": receipt_hash, "today": today}
    return tx.execute(ERASE, asked).one_or_none()


def find(tx: Session, who: Who, sought: Sought, today: date) -> tuple[Sequence[Row[Any]], int]:
    """One page of enquiries and how many there are."""
    asked = scope_of(who) | {"today": today}
    where = f"WHERE {OWN} AND {ONLY[sought.only]}"
    total = tx.execute(text(f"SELECT count(*) FROM enquiry e {where}"), asked).scalar_one()
    order = f"ORDER BY {ORDERS[sought.sort]} {'DESC' if sought.descending else 'ASC'} NULLS LAST, e.id"
    rows = tx.execute(
        text(f"{NAMED} {where} {order} LIMIT :limit OFFSET :offset"),
        asked | {"limit": sought.limit, "offset": sought.offset},
    ).all()
    return rows, int(total)


def count_due(tx: Session, who: Who, today: date) -> int:
    """How many somebody must call now: never called, or again by today."""
    return int(tx.execute(DUE, scope_of(who) | {"today": today}).scalar_one())


def get(tx: Session, who: Who, enquiry_id: int) -> Row[Any]:
    """One enquiry within reach, or NotFound."""
    row = tx.execute(ONE, scope_of(who) | {"id": enquiry_id}).one_or_none()
    if row is None:
        raise NotFound("没有这条扫码意向。")
    return row


def lock(tx: Session, who: Who, enquiry_id: int) -> Row[Any]:
    """The same, held to the end of the transaction."""
    row = tx.execute(LOCK, scope_of(who) | {"id": enquiry_id}).one_or_none()
    if row is None:
        raise NotFound("没有这条扫码意向。")
    return row


def change(tx: Session, enquiry_id: int, **values: Any) -> None:
    """Set these columns."""
    change_rows(tx, "enquiry", "id", [{"id": enquiry_id, **values}])


def add_contact(tx: Session, row: Mapping[str, Any]) -> None:
    """Write a call down."""
    (key,) = next_ids(tx, "enquiry_contact", 1)
    add_rows(tx, "enquiry_contact", [{"id": key, **row}])


def list_contacts(tx: Session, enquiry_id: int) -> Sequence[Row[Any]]:
    """The calls, the first one first."""
    return tx.execute(CONTACTS, {"id": enquiry_id}).all()


def join(tx: Session, firms: Sequence[str], today: date) -> list[Joined]:
    """Join these firms' open enquiries to the demands they have reported since."""
    if not firms:
        return []
    rows = tx.execute(JOIN, {"firms": sorted(set(firms)), "today": today})
    return [Joined(row.enquiry_id, row.its_demand, row.its_firm, row.its_bank, row.its_district) for row in rows]


def find_wish(tx: Session) -> Row[Any] | None:
    """Bank, amount and use of the firm's own latest open enquiry, for whoever acts for the firm in `tx`."""
    return tx.execute(text("SELECT * FROM my_enquiry()")).one_or_none()


def lock_old(tx: Session, today: date, days: int, most: int) -> Sequence[Row[Any]]:
    """Enquiries older than so many days that still hold a name, at most so many, locked."""
    return tx.execute(TO_FORGET, {"before": today - timedelta(days=days), "most": most}).all()


def forget(tx: Session, ids: Sequence[int], reason: str, today: date) -> None:
    """Take name, code, telephone and notes away; what is still open is closed for this reason."""
    tx.execute(FORGET_ENQUIRIES, {"ids": list(ids), "reason": reason, "today": today})
    tx.execute(FORGET_NOTES, {"ids": list(ids)})
