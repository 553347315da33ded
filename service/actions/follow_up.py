"""Red and yellow as work: what was done, by when the next step, who owns it, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.act_together import raise_refusal, refusals, settling_each
from service.actions.team_work import check_promise, must_be_of_team
from service.domain.demand import Actor, LightWord
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.obstacle import LONGEST_NOTE, OUTCOMES, department_of
from service.domain.people import Who
from service.store import demands, follow_ups, trail, verdicts
from service.store.trail import Act

OWNERS = frozenset({Actor.FIRM, Actor.DISTRICT, Actor.PLATFORM})


@dataclass(frozen=True)
class Progress:
    """What a person did about a follow-up, and the next date."""

    who: Who
    follow_up_id: int
    note: str
    next_on: date


def note_progress(
    tx: Session, who: Who, follow_up_id: int, note: str, next_on: date, today: date, now: datetime
) -> None:
    """Write down what was done and set the next date, which lies after today."""
    raise_refusal(note_progress_each(tx, [Progress(who, follow_up_id, note, next_on)], today, now))


def note_progress_each(tx: Session, noted: Sequence[Progress], today: date, now: datetime) -> list[DomainError | None]:
    """Many people's notes in one go: for each None, or why it was not taken."""
    there, taken = _lock(tx, [(one.who, one.follow_up_id) for one in noted]), list[Progress]()
    found = refusals(noted, lambda one: _note(one, _open_of(there, one.who, one.follow_up_id), taken, today))
    if taken:
        _write_notes(tx, taken, {key: row for key, (row, _) in there.items()}, today, now)
    return found


def _note(one: Progress, _open: Row[Any], taken: list[Progress], today: date) -> None:
    """Put the note among those `taken`."""
    if not one.note.strip() or len(one.note) > LONGEST_NOTE:
        raise NotPossible("请写明办理情况，不超过 {most} 个字。", field="note", most=LONGEST_NOTE)
    if one.next_on <= today:
        raise NotPossible("下次跟踪日期须在今天之后。", field="next_on")
    taken.append(one)


def _write_notes(
    tx: Session, taken: Sequence[Progress], there: Mapping[int, Row[Any]], today: date, now: datetime
) -> None:
    """Notes, dates, demands, trail; of two notes on one follow-up the later one's date stands."""
    follow_ups.add_notes(tx, [_note_row(one, there[one.follow_up_id], now) for one in taken])
    dates = {one.follow_up_id: one.next_on for one in taken}
    follow_ups.change(tx, [{"id": key, "next_on": next_on} for key, next_on in dates.items()])
    acts = [(one.who, there[one.follow_up_id], {"next_on": one.next_on.isoformat()}) for one in taken]
    _settle(tx, acts, "note", today, now)


def _note_row(one: Progress, row: Row[Any], now: datetime) -> dict[str, Any]:
    by = {"written_by": one.who.person_id, "written_at": now}
    return {"follow_up_id": row.id, "district": row.district, "note": one.note.strip(), "next_on": one.next_on} | by


def assign_follow_up(
    tx: Session, who: Who, follow_up_id: int, owner: str, person_id: int | None, today: date, now: datetime
) -> None:
    """Say whose work it is: the firm's, the district's or the platform's, and which person's."""
    row = _open_one(tx, who, follow_up_id)
    if owner not in OWNERS:
        raise NotPossible("请选择由谁办理。", field="owner")
    if (row.owner, row.owner_person_id) == (owner, person_id):
        return
    given = {"assigned_by": who.person_id, "assigned_at": now}
    follow_ups.change(tx, [{"id": row.id, "owner": owner, "owner_person_id": person_id} | given])
    _settle(tx, [(who, row, {"owner": owner, "person_id": person_id})], "assign", today, now)


def assign_follow_ups(
    tx: Session, who: Who, follow_up_ids: Sequence[int], person_id: int | None, today: date, now: datetime
) -> int:
    """Give open follow-ups to one of the team, or back to the team as a whole (None); how many changed hands.

    All or none. Errors: NotFound for one of another district or a person who is not of its team, Conflict where closed.
    """
    wanted = list(dict.fromkeys(follow_up_ids))
    if not wanted:
        raise NotPossible("请先勾选要交办的事项。", field="follow_up")
    there = _lock(tx, [(who, key) for key in wanted])
    rows = [_open_of(there, who, key) for key in wanted]
    must_be_of_team(tx, {row.district for row in rows}, person_id, today)
    moving = [row for row in rows if (row.owner, row.owner_person_id) != (Actor.DISTRICT, person_id)]
    given: dict[str, Any] = {"owner": Actor.DISTRICT.value, "owner_person_id": person_id}
    given |= {"assigned_by": who.person_id, "assigned_at": now}
    follow_ups.change(tx, [{"id": row.id} | given for row in moving])
    told = [
        (who, row, {"owner": Actor.DISTRICT.value, "person_id": person_id, "from": row.owner_person_id})
        for row in moving
    ]
    _settle(tx, told, "assign", today, now)
    return len(moving)


def promise_follow_up(
    tx: Session, who: Who, follow_up_id: int, department: str, promised_on: date | None, today: date, now: datetime
) -> None:
    """Which department must move for it, and by when it said it would."""
    row = _open_one(tx, who, follow_up_id)
    department = check_promise(department, promised_on, today, row.promised_on)
    if (department_of(row.obstacle, row.department), row.promised_on) == (department, promised_on):
        return
    follow_ups.change(tx, [{"id": row.id, "department": department, "promised_on": promised_on}])
    told = {"department": department, "promised_on": promised_on.isoformat() if promised_on else None}
    trail.append(tx, who, [_act("promised", row, told, None)], now)


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
    _settle(tx, [(who, row, {"outcome": outcome})], "close", today, now, new="closed")


def _open_one(tx: Session, who: Who, follow_up_id: int) -> Row[Any]:
    return _open_of(_lock(tx, [(who, follow_up_id)]), who, follow_up_id)


def _lock(tx: Session, asked: Sequence[tuple[Who, int]]) -> dict[int, tuple[Row[Any], Row[Any]]]:
    """Follow-up → itself and its demand, demands locked first: one order for everybody."""
    found = follow_ups.find(tx, [key for who, key in asked if _may_work(who)])
    rows = {row.id: row for row in demands.lock(tx, sorted({row.demand_id for row in found}))} if found else {}
    locked = follow_ups.lock(tx, [row.id for row in found if row.demand_id in rows])
    return {row.id: (row, rows[row.demand_id]) for row in locked}


def _open_of(there: Mapping[int, tuple[Row[Any], Row[Any]]], who: Who, follow_up_id: int) -> Row[Any]:
    """The follow-up among those locked, or why it is not to be worked on."""
    if not _may_work(who):
        raise NotAllowed("跟踪由区县专班或市级人员办理。")
    row, demand = there.get(follow_up_id, (None, None))
    if row is None or demand is None or not (demands.is_within(row, who) and demands.is_within(demand, who)):
        raise NotFound("没有这项跟踪。")
    if row.closed_on is not None:
        raise Conflict("该跟踪事项已办结。")
    return row


def _may_work(who: Who) -> bool:
    return who.is_official or who.is_platform


def _settle(
    tx: Session, said: Sequence[tuple[Who, Row[Any], dict[str, Any]]], verb: str, today: date, now: datetime,
    new: str | None = None,
) -> None:  # fmt: skip
    """Each act (who, follow-up, details) on the trail, and how the demands stand by it."""
    acts = [(who, _act(verb, row, told, new)) for who, row, told in said]
    settled = settling_each(tx, {row.demand_id: who for who, row, _ in said}, today, now, f"follow_up_{verb}")
    trail.append_each(tx, acts + settled, now)


def _act(verb: str, row: Row[Any], told: dict[str, Any], new: str | None) -> Act:
    whose = {"demand_id": row.demand_id, "uscc": row.uscc, "district": row.district}
    return Act(verb, "follow_up", row.id, old="open" if new else None, new=new, details=told, **whose)
