"""Accounts as those who keep them see them: persons with their roles, searched page by page."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Role, Who

FOUND = """
    FROM membership m JOIN person p ON p.id = m.person_id LEFT JOIN bank b ON b.id = m.bank_id
    LEFT JOIN firm f ON f.uscc = m.uscc
    WHERE (CAST(:bank_id AS bigint) IS NULL OR m.bank_id = :bank_id)
      AND (CAST(:role AS text) IS NULL OR m.role = :role)
      AND (CAST(:query AS text) IS NULL OR p.login ILIKE :query OR p.name ILIKE :query OR m.uscc ILIKE :query)
"""
COLUMNS = """
    p.id, p.login, p.name, p.is_active, p.is_demo, p.created_at, m.id AS membership_id, m.role, m.uscc, m.bank_id,
    m.district, m.since_on, m.until_on, b.name AS bank_name, f.name AS firm_name
"""


def find(
    tx: Session, who: Who, query: str = "", role: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Row[Any]], int]:
    """One page of persons and roles, and how many there are: everyone's for the operator, the own bank's otherwise."""
    values = {"bank_id": who.bank_id, "role": role, "query": f"%{query}%" if query else None}
    total: int = tx.execute(text(f"SELECT count(*) {FOUND}"), values).scalar_one()
    page = f"SELECT {COLUMNS} {FOUND} ORDER BY p.login, m.id LIMIT :limit OFFSET :offset"
    return tx.execute(text(page), {**values, "limit": limit, "offset": offset}).all(), total


def find_membership(tx: Session, membership_id: int) -> Row[Any] | None:
    """One role of one person, locked; None where this transaction may not see it."""
    return tx.execute(text("SELECT * FROM membership WHERE id = :id FOR UPDATE"), {"id": membership_id}).one_or_none()


def find_role(tx: Session, membership_id: int) -> Row[Any] | None:
    """One role of one person as it stands; None where this transaction may not see it."""
    return tx.execute(text("SELECT * FROM membership WHERE id = :id"), {"id": membership_id}).one_or_none()


def end_membership(tx: Session, membership_id: int, until_on: date) -> None:
    """The role holds until that day, which no longer belongs to it."""
    tx.execute(
        text("UPDATE membership SET until_on = :until_on WHERE id = :id"), {"id": membership_id, "until_on": until_on}
    )


def names_of_bank(tx: Session, who: Who, today: date) -> dict[int, str]:
    """Person → name of those lines may be given to on the day: an officer takes them, an admin gives to anyone."""
    names = colleagues_of(tx, who, today)
    return {key: name for key, name in names.items() if who.role is not Role.OFFICER or key == who.person_id}


def colleagues_of(tx: Session, who: Who, today: date) -> dict[int, str]:
    """Person → name of all who act for the bank on the day."""
    rows = tx.execute(
        text(
            "SELECT DISTINCT p.id, p.name FROM membership m JOIN person p ON p.id = m.person_id"
            " WHERE m.bank_id = :bank_id AND p.is_active AND m.since_on <= :today"
            " AND (m.until_on IS NULL OR m.until_on > :today) ORDER BY p.name, p.id"
        ),
        {"bank_id": who.bank_id, "today": today},
    )
    return {row.id: row.name for row in rows}


def names_of_district(tx: Session, district: str, today: date) -> dict[int, str]:
    """Person → name of those who are of the district's team on the day, as far as this transaction may see them."""
    rows = tx.execute(
        text(
            "SELECT DISTINCT p.id, p.name FROM membership m JOIN person p ON p.id = m.person_id"
            " WHERE m.role = 'district' AND m.district = :district AND p.is_active AND m.since_on <= :today"
            " AND (m.until_on IS NULL OR m.until_on > :today) ORDER BY p.name, p.id"
        ),
        {"district": district, "today": today},
    )
    return {row.id: row.name for row in rows}


def names_of(tx: Session, person_ids: Sequence[int]) -> dict[int, str]:
    """Person → name, of those this transaction may see."""
    if not person_ids:
        return {}
    found = tx.execute(
        text("SELECT id, name FROM person WHERE id = ANY(:ids) ORDER BY name"), {"ids": list(person_ids)}
    )
    return {row.id: row.name for row in found}
