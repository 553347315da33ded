"""Figures cut twice, district by bank, and the events behind any figure: every total can be followed to its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Role, Who

GRID = text("""
    SELECT district, bank_id, sum(events) AS events, sum(amount_fen) AS amount_fen FROM figure_day
    WHERE "on" BETWEEN :since AND :until AND kind = :kind
      AND (CAST(:district AS text) IS NULL OR district = :district)
    GROUP BY district, bank_id HAVING sum(events) <> 0 ORDER BY district, bank_id
""")
EVENTS = """
    FROM figure_event e LEFT JOIN bank b ON b.id = e.bank_id LEFT JOIN demand d ON d.id = e.demand_id
    WHERE e."on" BETWEEN :since AND :until AND (CAST(:kind AS text) IS NULL OR e.kind = :kind)
      AND (CAST(:district AS text) IS NULL OR e.district = :district)
      AND (CAST(:bank_id AS bigint) IS NULL OR e.bank_id = :bank_id)
"""


@dataclass(frozen=True)
class Cut:
    """Which events: days, kind, district, bank; empty means any."""

    since: date
    until: date
    kind: str | None = None
    district: str | None = None
    bank_id: int | None = None


def grid(tx: Session, who: Who, cut: Cut) -> Sequence[Row[Any]]:
    """Events and money of one kind by district and bank, from the roll-ups, in the person's scope."""
    return tx.execute(GRID, _values(who, cut)).all()


def list_events(
    tx: Session, who: Who, cut: Cut, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Row[Any]], Row[Any]]:
    """One page of the events, the latest first; and their count, their sum, and how many were late."""
    values = _values(who, cut)
    whole = tx.execute(
        text(
            "SELECT count(*) AS rows, coalesce(sum(e.sign), 0) AS events,"
            " coalesce(sum(e.sign * e.amount_fen), 0) AS amount_fen,"
            f' count(*) FILTER (WHERE e.recorded_on > e."on") AS late {EVENTS}'
        ),
        values,
    ).one()
    columns = "e.*, b.name AS bank_name, d.number AS demand_number"
    page = f'SELECT {columns} {EVENTS} ORDER BY e."on" DESC, e.id DESC LIMIT :limit OFFSET :offset'
    return tx.execute(text(page), {**values, "limit": limit, "offset": offset}).all(), whole


def _values(who: Who, cut: Cut) -> dict[str, Any]:
    district = who.district if who.role is Role.DISTRICT else cut.district
    return {
        "since": cut.since, "until": cut.until, "kind": cut.kind, "district": district, "bank_id": cut.bank_id,
    }  # fmt: skip
