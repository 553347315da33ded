"""What a team finds in a firm's way itself: entered once, promised by a department, noted, given on, cleared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.team_work import check_promise, must_be_of_team, must_work
from service.domain.errors import Conflict, NotFound, NotPossible
from service.domain.obstacle import LONGEST_NOTE, OUTCOMES, USUAL_DEPARTMENT, ObstacleKind
from service.domain.people import Role, Who
from service.store import firms, obstacles, trail
from service.store.trail import Act

LONGEST_WORDS = 500


@dataclass(frozen=True)
class Found:
    """One obstacle as a team found it; without a department the usual one of its kind must move."""

    uscc: str
    kind: str
    next_on: date
    words: str = ""
    department: str = ""
    promised_on: date | None = None
    visit_id: int | None = None


def enter_obstacle(tx: Session, who: Who, found: Found, today: date, now: datetime) -> int:
    """Enter one; its key. Conflict where one of its kind stands in the firm's way already."""
    keys = enter_obstacles(tx, who, [found], today, now)
    if not keys:
        raise Conflict("这家企业的同类堵点已在台账里，请在原来的一项上继续办理。", field="kind")
    return keys[0]


def enter_obstacles(tx: Session, who: Who, found: Sequence[Found], today: date, now: datetime) -> list[int]:
    """Enter those that are not in the ledger yet, by a verdict or by a team; their keys."""
    must_work(who)
    places = {one.uscc: _district_of(tx, who, one.uscc) for one in found}
    known, rows = obstacles.known_of(tx, sorted(places)), list[dict[str, Any]]()
    for one in found:
        row = _row(one, places[one.uscc], who, today, now)
        if (one.uscc, one.kind) not in known:
            known.add((one.uscc, one.kind))
            rows.append(row)
    keys = obstacles.add(tx, rows)
    acts = [
        Act("open", "obstacle", key, uscc=row["uscc"], district=row["district"], new="open",
            details={"kind": row["kind"], "department": row["department"], "visit_id": row["visit_id"]})
        for key, row in zip(keys, rows, strict=True)
    ]  # fmt: skip
    trail.append(tx, who, acts, now)
    return keys


def note_obstacle(
    tx: Session, who: Who, obstacle_id: int, note: str, next_on: date, today: date, now: datetime
) -> None:
    """Write down what was done and set the next date, which lies after today."""
    row = _open(tx, who, [obstacle_id])[0]
    if not note.strip() or len(note) > LONGEST_NOTE:
        raise NotPossible("请写明办理情况，不超过 {most} 个字。", field="note", most=LONGEST_NOTE)
    if next_on <= today:
        raise NotPossible("下次日期须在今天之后。", field="next_on")
    by = {"written_by": who.person_id, "written_at": now}
    obstacles.add_note(
        tx, {"obstacle_id": row.id, "district": row.district, "note": note.strip(), "next_on": next_on} | by
    )
    obstacles.change(tx, [{"id": row.id, "next_on": next_on}])
    trail.append(tx, who, [_act("note", row, {"next_on": next_on.isoformat()})], now)


def promise_obstacle(
    tx: Session, who: Who, obstacle_id: int, department: str, promised_on: date | None, today: date, now: datetime
) -> None:
    """Which department must move, and by when it said it would."""
    row = _open(tx, who, [obstacle_id])[0]
    department = check_promise(department, promised_on, today, row.promised_on)
    if (row.department, row.promised_on) == (department, promised_on):
        return
    obstacles.change(tx, [{"id": row.id, "department": department, "promised_on": promised_on}])
    told = {"department": department, "promised_on": promised_on.isoformat() if promised_on else None}
    trail.append(tx, who, [_act("promised", row, told)], now)


def assign_obstacles(
    tx: Session, who: Who, obstacle_ids: Sequence[int], person_id: int | None, today: date, now: datetime
) -> int:
    """Give them to one of the team, or back to the team (None); all or none; how many changed hands."""
    rows = _open(tx, who, obstacle_ids)
    must_be_of_team(tx, {row.district for row in rows}, person_id, today)
    moving = [row for row in rows if row.owner_person_id != person_id]
    given = {"owner_person_id": person_id, "assigned_by": who.person_id, "assigned_at": now}
    obstacles.change(tx, [{"id": row.id} | given for row in moving])
    told = [_act("assign", row, {"from": row.owner_person_id, "person_id": person_id}) for row in moving]
    trail.append(tx, who, told, now)
    return len(moving)


def clear_obstacle(tx: Session, who: Who, obstacle_id: int, outcome: str, today: date, now: datetime) -> None:
    """It stands in the way no longer, or nothing more can be done."""
    row = _open(tx, who, [obstacle_id])[0]
    if outcome not in OUTCOMES:
        raise NotPossible("请选择办理结果。", field="outcome")
    obstacles.change(tx, [{"id": row.id, "cleared_on": today, "outcome": outcome}])
    trail.append(tx, who, [_act("close", row, {"outcome": outcome}, old="open", new="closed")], now)


def _row(one: Found, district: str, who: Who, today: date, now: datetime) -> dict[str, Any]:
    if one.kind not in frozenset(ObstacleKind):
        raise NotPossible("请选择堵点类别。", field="kind")
    if one.next_on <= today:
        raise NotPossible("下次日期须在今天之后。", field="next_on")
    if len(one.words) > LONGEST_WORDS:
        raise NotPossible("请写明情况，不超过 {most} 个字。", field="words", most=LONGEST_WORDS)
    department = one.department or USUAL_DEPARTMENT[ObstacleKind(one.kind)].value
    check_promise(department, one.promised_on, today, None)
    mine = who.person_id if who.role is Role.DISTRICT else None
    return {
        "uscc": one.uscc, "district": district, "kind": one.kind, "department": department, "words": one.words.strip(),
        "visit_id": one.visit_id, "owner_person_id": mine, "assigned_by": mine, "assigned_at": now if mine else None,
        "found_on": today, "next_on": one.next_on, "promised_on": one.promised_on, "entered_by": who.person_id,
        "entered_at": now,
    }  # fmt: skip


def _district_of(tx: Session, who: Who, uscc: str) -> str:
    """The district of a firm that is the official's to look after, or NotFound."""
    firm = firms.find(tx, uscc)
    if firm is None or (who.role is Role.DISTRICT and firm.district != who.district):
        raise NotFound("本辖区没有这家企业。", field="uscc")
    return str(firm.district)


def _open(tx: Session, who: Who, ids: Sequence[int]) -> list[Row[Any]]:
    """Those obstacles, locked; NotFound where one is not the official's, Conflict where one is cleared."""
    must_work(who)
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise NotPossible("请先勾选堵点。", field="obstacle")
    there = {row.id: row for row in obstacles.lock(tx, wanted)}
    rows = [there[key] for key in wanted if key in there]
    if len(rows) < len(wanted) or any(who.role is Role.DISTRICT and row.district != who.district for row in rows):
        raise NotFound("没有这项堵点。")
    if any(row.cleared_on is not None for row in rows):
        raise Conflict("这项堵点已经销号。")
    return rows


def _act(
    verb: str, row: Row[Any], told: dict[str, Any], old: str | None = None, new: str | None = None
) -> Act:  # fmt: skip
    return Act(verb, "obstacle", row.id, uscc=row.uscc, district=row.district, old=old, new=new, details=told)
