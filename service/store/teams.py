"""A district's team: who is of it, and what each of them has on the table."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

HELD = text("""
    SELECT person_id, sum(follow_ups) AS follow_ups, sum(late) AS late, sum(obstacles) AS obstacles,
           sum(visits) AS visits
    FROM (
        SELECT owner_person_id AS person_id, count(*) AS follow_ups,
               count(*) FILTER (WHERE next_on < :today) AS late, 0 AS obstacles, 0 AS visits
        FROM follow_up WHERE district = :district AND closed_on IS NULL AND owner = 'district' GROUP BY 1
        UNION ALL
        SELECT owner_person_id, 0, count(*) FILTER (WHERE next_on < :today), count(*), 0
        FROM obstacle WHERE district = :district AND cleared_on IS NULL GROUP BY 1
        UNION ALL
        SELECT person_id, 0, 0, 0, count(*) FROM visit WHERE district = :district AND state = 'planned' GROUP BY 1
    ) held GROUP BY 1
""")
OPEN_OF = {
    "follow_up": "SELECT id FROM follow_up WHERE closed_on IS NULL AND owner_person_id = :id",
    "obstacle": "SELECT id FROM obstacle WHERE cleared_on IS NULL AND owner_person_id = :id",
    "visit": "SELECT id FROM visit WHERE state = 'planned' AND person_id = :id",
}


def held(tx: Session, district: str, today: date) -> Sequence[Row[Any]]:
    """By person (None: nobody's yet): open follow-ups, obstacles and visits, and how many are past their date."""
    return tx.execute(HELD, {"district": district, "today": today}).all()


def open_of(tx: Session, district: str, person_id: int) -> dict[str, list[int]]:
    """Noun → the keys of what is open in this person's hands."""
    which = {"district": district, "id": person_id}
    own = "AND district = :district ORDER BY id"
    return {noun: list(tx.execute(text(f"{query} {own}"), which).scalars()) for noun, query in OPEN_OF.items()}
