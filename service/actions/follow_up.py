"""Red and yellow as work: what was done, by when the next step, who owns it, and how it ended."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.settle_demand import settling
from service.domain.demand import Actor, LightWord
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Who
from service.store import demands, follow_ups, trail, verdicts
from service.store.trail import Act

OWNERS = frozenset({Actor.FIRM, Actor.DISTRICT, Actor.PLATFORM})
OUTCOMES = frozenset({"resolved", "handed_over", "not_solvable", "no_longer_needed"})
LONGEST_NOTE = 1000


def note_progress(
    tx: Session, who: Who, follow_up_id: int, note: str, next_on: date, today: date, now: datetime
) -> None:
    """Write down what was done and set the next date, which lies after today."""
    row = _open_one(tx, who, follow_up_id)
    if not note.strip() or len(note) > LONGEST_NOTE:
        raise NotPossible("请写明办理情况，不超过 {most} 个字。", field="note", most=LONGEST_NOTE)
    if next_on <= today:
        raise NotPossible("下次跟踪日期须在今天之后。", field="next_on")
    by = {"written_by": who.person_id, "written_at": now}
    told = {"follow_up_id": row.id, "district": row.district, "note": note.strip(), "next_on": next_on}
    follow_ups.add_note(tx, told | by)
    follow_ups.change(tx, [{"id": row.id, "next_on": next_on}])
    _settle(tx, who, row, "note", {"next_on": next_on.isoformat()}, today, now)


def assign_follow_up(
    tx: Session, who: Who, follow_up_id: int, owner: str, person_id: int | None, today: date, now: datetime
) -> None:
    """Say whose work it is: the firm's, the district's or the platform's, and which person's."""
    row = _open_one(tx, who, follow_up_id)
    if owner not in OWNERS:
        raise NotPossible("请选择由谁办理。", field="owner")
    if (row.owner, row.owner_person_id) == (owner, person_id):
        return
    follow_ups.change(tx, [{"id": row.id, "owner": owner, "owner_person_id": person_id}])
    _settle(tx, who, row, "assign", {"owner": owner, "person_id": person_id}, today, now)


def close_follow_up(tx: Session, who: Who, follow_up_id: int, outcome: str, today: date, now: datetime) -> None:
    """End the work. What the verdict still holds red closes itself when a changed fact is judged, and not before."""
    row = _open_one(tx, who, follow_up_id)
    if outcome not in OUTCOMES:
        raise NotPossible("请选择办理结果。", field="outcome")
    verdict = verdicts.current(tx, [row.demand_id]).get(row.demand_id)
    red = {one["criterion"] for one in verdict.findings if one["light"] == LightWord.RED} if verdict else set()
    if row.obstacle in red:
        raise NotPossible("该事项研判仍为红灯，事实变化并重新研判后会自动办结。", field="outcome")
    follow_ups.change(tx, [{"id": row.id, "closed_on": today, "outcome": outcome}])
    _settle(tx, who, row, "close", {"outcome": outcome}, today, now, new="closed")


def _open_one(tx: Session, who: Who, follow_up_id: int) -> Row[Any]:
    """Locked demand first, then its follow-up: one order for everybody."""
    if not (who.is_official or who.is_platform):
        raise NotAllowed("跟踪由区县专班或市级人员办理。")
    row = follow_ups.get(tx, who, follow_up_id)
    demands.lock_one(tx, who, row.demand_id)
    row = follow_ups.lock(tx, who, follow_up_id)
    if row.closed_on is not None:
        raise Conflict("该跟踪事项已办结。")
    return row


def _settle(
    tx: Session, who: Who, row: Row[Any], verb: str, told: dict[str, Any], today: date, now: datetime,
    new: str | None = None,
) -> None:  # fmt: skip
    whose = {"demand_id": row.demand_id, "uscc": row.uscc, "district": row.district}
    act = Act(verb, "follow_up", row.id, old="open" if new else None, new=new, details=told, **whose)
    trail.append(tx, who, [act, *settling(tx, who, [row.demand_id], today, now, f"follow_up_{verb}")], now)
