"""A bank's outlets, who belongs to which, and who stands in for whom."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from service.domain.errors import Conflict, NotFound
from service.domain.people import Who

OUTLETS = text("SELECT * FROM outlet WHERE bank_id = :bank_id AND ended_on IS NULL ORDER BY district, name")
LOCK = text("SELECT * FROM outlet WHERE id = :id AND bank_id = :bank_id AND ended_on IS NULL FOR UPDATE")
ADD = text("""
    INSERT INTO outlet (bank_id, name, district, made_on) VALUES (:bank_id, :name, :district, :today) RETURNING id
""")
TAKES = text("UPDATE outlet SET takes_since_on = :since_on WHERE id = :id")
END = text("UPDATE outlet SET ended_on = :today, takes_since_on = NULL WHERE id = :id")
EMPTY = text("DELETE FROM outlet_member WHERE outlet_id = :id")
MEMBERS = text("""
    SELECT m.person_id, m.outlet_id, p.name AS person_name, o.name AS outlet_name
    FROM outlet_member m JOIN outlet o ON o.id = m.outlet_id JOIN person p ON p.id = m.person_id
    WHERE m.bank_id = :bank_id ORDER BY p.name, p.id
""")
LEAVE = text("DELETE FROM outlet_member WHERE bank_id = :bank_id AND person_id = :person_id")
JOIN = text("""
    INSERT INTO outlet_member (bank_id, person_id, outlet_id) VALUES (:bank_id, :person_id, :outlet_id)
    ON CONFLICT (bank_id, person_id) DO UPDATE SET outlet_id = excluded.outlet_id
""")
OF_LINE = text("""
    SELECT o.name FROM outlet o WHERE o.bank_id = :bank_id AND o.ended_on IS NULL AND CASE
        WHEN CAST(:person_id AS bigint) IS NULL THEN o.takes_since_on <= :pushed_on AND o.district = :district
        ELSE o.id = (SELECT outlet_id FROM outlet_member WHERE bank_id = :bank_id AND person_id = :person_id) END
""")
STAND_INS = """
    SELECT t.*, a.name AS absent_name, d.name AS deputy_name
    FROM stand_in t JOIN person a ON a.id = t.absent_id JOIN person d ON d.id = t.deputy_id
    WHERE t.bank_id = :bank_id AND t.ended_at IS NULL
"""
STAND_IN = text("""
    INSERT INTO stand_in (bank_id, absent_id, deputy_id, from_on, until_on, made_at)
    VALUES (:bank_id, :absent_id, :deputy_id, :from_on, :until_on, :now) RETURNING id
""")
LOCK_STAND_IN = text("SELECT * FROM stand_in WHERE id = :id AND bank_id = :bank_id FOR UPDATE")


def list_outlets(tx: Session, who: Who) -> Sequence[Row[Any]]:
    """The bank's outlets that have not ended."""
    return tx.execute(OUTLETS, {"bank_id": who.bank_id}).all()


def lock(tx: Session, who: Who, outlet_id: int) -> Row[Any]:
    """One of the bank's own outlets, locked, or NotFound."""
    row = tx.execute(LOCK, {"id": outlet_id, "bank_id": who.bank_id}).one_or_none()
    if row is None:
        raise NotFound("没有这个网点。")
    return row


def add(tx: Session, who: Who, name: str, district: str, today: date) -> int:
    """A new outlet; Conflict where the bank has one of that name."""
    values = {"bank_id": who.bank_id, "name": name, "district": district, "today": today}
    try:
        with tx.begin_nested():
            return int(tx.execute(ADD, values).scalar_one())
    except IntegrityError as there:
        raise Conflict("已有同名的网点：{name}。", field="name", name=name) from there


def set_takes(tx: Session, outlet_id: int, since_on: date | None) -> None:
    """From which day new lines of its district are the outlet's; Conflict where another one has them."""
    try:
        with tx.begin_nested():
            tx.execute(TAKES, {"id": outlet_id, "since_on": since_on})
    except IntegrityError as taken:
        raise Conflict("这个区县的新推送项已归另一个网点，请先在那里关掉。") from taken


def end(tx: Session, outlet_id: int, today: date) -> None:
    """The outlet is no more; its people belong to none."""
    tx.execute(EMPTY, {"id": outlet_id})
    tx.execute(END, {"id": outlet_id, "today": today})


def list_members(tx: Session, who: Who) -> Sequence[Row[Any]]:
    """Who of the bank belongs to which outlet."""
    return tx.execute(MEMBERS, {"bank_id": who.bank_id}).all()


def place(tx: Session, who: Who, person_id: int, outlet_id: int | None) -> None:
    """The person belongs to this outlet from now on, or to none."""
    values = {"bank_id": who.bank_id, "person_id": person_id, "outlet_id": outlet_id}
    tx.execute(LEAVE if outlet_id is None else JOIN, values)


def find_of_line(tx: Session, who: Who, line: Row[Any]) -> str | None:
    """The outlet a line is at: of whoever works on it, or the one that takes its district's new lines."""
    values = {"person_id": line.assigned_to, "pushed_on": line.pushed_on, "district": line.district}
    found: str | None = tx.execute(OF_LINE, values | {"bank_id": who.bank_id}).scalar_one_or_none()
    return found


def list_stand_ins(tx: Session, who: Who, today: date) -> Sequence[Row[Any]]:
    """Who stands in for whom at the bank, now and later."""
    found = text(f"{STAND_INS} AND t.until_on >= :today ORDER BY t.from_on, t.id")
    return tx.execute(found, {"bank_id": who.bank_id, "today": today}).all()


def stand_ins_on(tx: Session, who: Who, today: date) -> dict[int, Row[Any]]:
    """Absent → who stands in for them on the day."""
    found = text(f"{STAND_INS} AND :today BETWEEN t.from_on AND t.until_on")
    return {row.absent_id: row for row in tx.execute(found, {"bank_id": who.bank_id, "today": today})}


def add_stand_in(tx: Session, who: Who, absent_id: int, deputy_id: int, days: tuple[date, date], now: datetime) -> int:
    """One stands in for another, first and last day included; Conflict where another does on one of the days."""
    from_on, until_on = days
    values = {"absent_id": absent_id, "deputy_id": deputy_id, "from_on": from_on, "until_on": until_on, "now": now}
    try:
        with tx.begin_nested():
            return int(tx.execute(STAND_IN, values | {"bank_id": who.bank_id}).scalar_one())
    except IntegrityError as there:
        raise Conflict("这些天里已经安排了代办人，请先撤销再改。", field="from_on") from there


def lock_stand_in(tx: Session, who: Who, stand_in_id: int) -> Row[Any]:
    """One of the bank's own, locked, or NotFound."""
    row = tx.execute(LOCK_STAND_IN, {"id": stand_in_id, "bank_id": who.bank_id}).one_or_none()
    if row is None:
        raise NotFound("没有这项代办安排。")
    return row


def end_stand_in(tx: Session, stand_in_id: int, now: datetime) -> None:
    """Nobody stands in any more."""
    tx.execute(text("UPDATE stand_in SET ended_at = :now WHERE id = :id"), {"id": stand_in_id, "now": now})
