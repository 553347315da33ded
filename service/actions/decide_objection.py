"""An objection is noted, put to the supplying department and decided; what was upheld leaves everything."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.raise_objection import act_of
from service.domain.clocks import clock
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.objection import DECISIONS, LONGEST_TEXT, OBJECTION_UPHELD, NoteStep, ObjectionState
from service.domain.people import Role, Who
from service.intake import mirror as mirrors
from service.store import firms, notices, objections, queue, records, trail
from service.store.calendar import calendar
from service.store.notices import Message

VERBS = {ObjectionState.UPHELD: "uphold", ObjectionState.REFUSED: "dismiss"}
LOOKS_INTO = frozenset({Role.DISTRICT, Role.OPERATOR})


def note_objection(tx: Session, who: Who, objection_id: int, note: str, now: datetime) -> None:
    """Write down what was done about it."""
    row = _open_one(tx, who, objection_id)
    _write(tx, who, row, NoteStep.NOTE, note, now)
    trail.append(tx, who, [act_of("note", row)], now)


def ask_department(tx: Session, who: Who, objection_id: int, note: str, today: date, now: datetime) -> None:
    """It was put to the department the record came from: the answer has the longer term from the day it was raised."""
    row = _open_one(tx, who, objection_id)
    if row.asked_on is not None:
        raise Conflict("已经转来源部门核查。")
    _write(tx, who, row, NoteStep.ASKED, note, now)
    due_on = clock("objection_checked", row.raised_on).after(row.raised_on, calendar(tx))
    objections.change(tx, [{"id": row.id, "asked_on": today, "due_on": due_on, "waits_for_calendar": due_on is None}])
    trail.append(tx, who, [act_of("put", row)], now)


def decide_objection(
    tx: Session, who: Who, objection_id: int, decision: str, answer: str, today: date, now: datetime
) -> None:
    """Upheld: the fact leaves display, features and score today, and the firm's demands are judged again at once.

    Refused: the firm reads why, and where it can turn. Either way the firm is told.
    """
    row = _open_one(tx, who, objection_id)
    if decision not in DECISIONS:
        raise NotPossible("请选择处理结果。", field="decision")
    if not answer.strip() or len(answer) > LONGEST_TEXT:
        raise NotPossible("请写明依据，企业会看到，不超过 {most} 个字。", field="answer", most=LONGEST_TEXT)
    closed = {"closed_on": today, "closed_at": now, "decided_by": who.person_id}
    objections.change(tx, [{"id": row.id, "state": decision, "answer": answer.strip(), **closed}])
    if decision == ObjectionState.UPHELD:
        records.withdraw(tx, row.record_id, today)
        firms.mark_stale(tx, [row.uscc], OBJECTION_UPHELD, now)
        queue.defer_in(tx, queue.TODAY, once=queue.TODAY)
    told = {"objection_id": row.id, "item": row.item}
    notices.add(tx, [Message(f"objection_{decision}", uscc=row.uscc, values=told)], today, now)
    verb = VERBS[ObjectionState(decision)]
    trail.append(tx, who, [act_of(verb, row, decision, record=row.record_id, item=row.item)], now)


def follow_in_mirror(tx: Session, who: Who, mirror: Path, now: datetime) -> int:
    """Take what was upheld out of the records' mirror too, before anything is worked out from it; how many facts.

    The platform's own step: whoever decided sees the records of one district, and the mirror holds the city's.
    """
    if who.role is not Role.SYSTEM:
        raise NotAllowed("数据镜像由平台自动更新。")
    waiting = objections.list_to_mirror(tx)
    by_item: dict[str, set[str]] = {}
    for row in waiting:
        by_item.setdefault(row.item, set()).update(row.months)
    for item, months in sorted(by_item.items()):
        if mirror.is_dir():
            mirrors.rewrite_months(tx, mirror, item, sorted(months))
    objections.mark_mirrored(tx, [row.id for row in waiting], now)
    return len(waiting)


def _open_one(tx: Session, who: Who, objection_id: int) -> Row[Any]:
    if who.role not in LOOKS_INTO:
        raise NotAllowed("异议由区县专班或运行人员处理。")
    row = objections.lock(tx, who, objection_id)
    if row.state != ObjectionState.OPEN:
        raise Conflict("这项异议已经有了结果。")
    return row


def _write(tx: Session, who: Who, row: Row[Any], step: NoteStep, note: str, now: datetime) -> None:
    if not note.strip() or len(note) > LONGEST_TEXT:
        raise NotPossible("请写明办理情况，不超过 {most} 个字。", field="note", most=LONGEST_TEXT)
    by = {"written_by": who.person_id, "written_at": now}
    what = {"objection_id": row.id, "district": row.district, "step": step.value, "note": note.strip()}
    objections.add_note(tx, what | by)
