"""The district team's work list: open follow-ups by light, owner, date, obstacle and words; one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Role, Who

FROM = """
    FROM follow_up u JOIN demand d ON d.id = u.demand_id JOIN firm f ON f.uscc = u.uscc
    LEFT JOIN person p ON p.id = u.owner_person_id LEFT JOIN person g ON g.id = u.assigned_by
    WHERE u.closed_on IS NULL AND (CAST(:district AS text) IS NULL OR u.district = :district)
      AND (CAST(:light AS text) IS NULL OR d.light = :light)
      AND (CAST(:owner AS text) IS NULL OR u.owner = :owner)
      AND (CAST(:person_id AS bigint) IS NULL OR u.owner_person_id = :person_id)
      AND (CAST(:obstacle AS text) IS NULL OR u.obstacle = :obstacle)
      AND (CAST(:query AS text) IS NULL OR d.number ILIKE :query OR u.uscc ILIKE :query OR f.name ILIKE :query)
"""
MINE = "u.owner_person_id = :me"
NOBODYS = "u.owner = 'district' AND u.owner_person_id IS NULL"
ONLY = {
    "due": "u.next_on <= :today",
    "overdue": "u.next_on < :today",
    "mine": MINE,
    "nobodys": NOBODYS,
    "all": "true",
}
SORTS = {
    "next_on": ("u.next_on",),
    "firm_name": ("f.name",),
    "light": ("CASE d.light WHEN 'red' THEN 2 WHEN 'yellow' THEN 1 ELSE 0 END",),
    "obstacle": ("u.obstacle",),
    "owner": ("u.owner", "p.name"),
}
COUNTS = text(f"""
    SELECT count(*) AS all, count(*) FILTER (WHERE u.next_on <= :today) AS due,
           count(*) FILTER (WHERE u.next_on < :today) AS overdue, count(*) FILTER (WHERE {MINE}) AS mine,
           count(*) FILTER (WHERE {NOBODYS}) AS nobodys
    FROM follow_up u WHERE u.closed_on IS NULL AND (CAST(:district AS text) IS NULL OR u.district = :district)
""")
OBSTACLES = text("""
    SELECT DISTINCT u.obstacle FROM follow_up u
    WHERE u.closed_on IS NULL AND (CAST(:district AS text) IS NULL OR u.district = :district) ORDER BY 1
""")


@dataclass(frozen=True)
class Sought:
    """Which follow-ups, in which order; empty means any."""

    only: str = "all"
    light: str = ""
    owner: str = ""
    person_id: int | None = None
    obstacle: str = ""
    query: str = ""
    sort: str = "next_on"
    descending: bool = False
    limit: int = 50
    offset: int = 0


def find(tx: Session, who: Who, sought: Sought, today: date) -> tuple[Sequence[Row[Any]], int]:
    """One page of the open follow-ups in the official's scope, and how many there are."""
    values = {
        "district": district_of(who),
        "light": sought.light or None,
        "owner": sought.owner or None,
        "person_id": sought.person_id,
        "obstacle": sought.obstacle or None,
        "query": f"%{sought.query}%" if sought.query else None,
        "me": who.person_id,
        "today": today,
    }
    found = f"{FROM} AND {ONLY[sought.only]}"
    total: int = tx.execute(text(f"SELECT count(*) {found}"), values).scalar_one()
    direction = "DESC" if sought.descending else "ASC"
    order = ", ".join([*(f"{part} {direction} NULLS LAST" for part in SORTS[sought.sort]), "u.id"])
    page = f"""
        SELECT u.*, d.number, d.light, d.amount_fen, d.state AS demand_state, f.name AS firm_name,
               p.name AS person_name, g.name AS assigner {found} ORDER BY {order} LIMIT :limit OFFSET :offset
    """
    rows = tx.execute(text(page), {**values, "limit": sought.limit, "offset": sought.offset}).all()
    return rows, total


def count(tx: Session, who: Who, today: date) -> Row[Any]:
    """How many are open, due, overdue, one's own, nobody's yet."""
    return tx.execute(COUNTS, {"district": district_of(who), "me": who.person_id, "today": today}).one()


def list_obstacles(tx: Session, who: Who) -> list[str]:
    """The obstacles that stand on the list."""
    return list(tx.execute(OBSTACLES, {"district": district_of(who)}).scalars())


def district_of(who: Who) -> str | None:
    """The only district a person's queries are about; None is the whole city."""
    return who.district if who.role is Role.DISTRICT else None
