"""What stands in a demand's way becomes work with an owner and a date; what stands there no longer is closed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.case import Case
from service.profiles.obstacles import NO_PRODUCT_FITS, Obstacle, next_date, obstacles_of
from service.profiles.tools import Tools
from service.store import follow_ups
from service.store.trail import Act


def follow(tx: Session, cases: Sequence[Case], tools: Tools, today: date) -> list[Act]:
    """Open what stands in the way as work with a date; close what stands there no longer."""
    there = follow_ups.open_of(tx, [case.demand.id for case in cases])
    opening: list[tuple[Case, Obstacle]] = []
    closing: list[tuple[Case, Row[Any]]] = []
    for case in cases:
        obstacles = {one.id: one for one in obstacles_of(case.verdict, case.fits)}
        known = {row.obstacle: row for row in there.get(case.demand.id, [])}
        opening += [(case, one) for key, one in obstacles.items() if key not in known]
        judged = {one.criterion for one in case.verdict.findings} | {NO_PRODUCT_FITS}
        closing += [(case, row) for key, row in known.items() if key in judged and key not in obstacles]
    rows = [_row(case, one, tools, today) for case, one in opening]
    ids = follow_ups.add(tx, rows)
    follow_ups.change(tx, [{"id": row.id, "closed_on": today, "outcome": "resolved"} for _, row in closing])
    acts = [
        Act("open", "follow_up", key, new="open", details={"obstacle": one.id}, **case.whose)
        for key, (case, one) in zip(ids, opening, strict=True)
    ]
    return acts + [
        Act("close", "follow_up", row.id, old="open", new="closed", details={"outcome": "resolved"}, **case.whose)
        for case, row in closing
    ]


def _row(case: Case, obstacle: Obstacle, tools: Tools, today: date) -> dict[str, Any]:
    return case.whose | {
        "obstacle": obstacle.id,
        "office": obstacle.office[:120],
        "measure": obstacle.measure[:500],
        "owner": obstacle.owner,
        "next_on": next_date(tools, obstacle.clock, case.demand.district, today),
        "opened_on": today,
    }
