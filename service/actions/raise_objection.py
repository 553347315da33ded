"""A firm says that a record of it is wrong, with what would be right and a paper that shows it; or takes that back."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.clocks import clock
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.objection import LONGEST_TEXT, ObjectionState, Wrong
from service.domain.people import Role, Who
from service.domain.record import Record
from service.store import files, notices, objections, overview, records, trail
from service.store.calendar import calendar
from service.store.notices import Message
from service.store.trail import Act


@dataclass(frozen=True)
class ObjectionForm:
    """What is wrong, what would be right, and one file that shows it (empty for none)."""

    wrong: str
    right_is: str
    file_name: str = ""
    content: bytes = b""


def raise_objection(
    tx: Session, who: Who, record_id: int, form: ObjectionForm, uploads: Path, today: date, now: datetime
) -> int:
    """Contest one of the firm's own records; the objection's key. Contested twice, it is the same objection.

    The record stays in force and is marked wherever it is shown, until somebody has decided.
    """
    if who.role is not Role.FIRM:
        raise NotAllowed("只有企业本人可以提出异议。")
    record = records.get_own(tx, who, record_id, today)
    there = objections.find_open(tx, record.uscc, record.item, record.key)
    if there is not None:
        return int(there.id)
    _check(form)
    kept = files.keep(folder_of(uploads, record.uscc), form.content) if form.content else None
    due_on = clock("objection", today).after(today, calendar(tx))
    firm = overview.get_firm(tx, record.uscc)
    paper = {"file_kind": kept.kind, "sha256": kept.sha256, "size": kept.size} if kept else {}
    paper["file_name"] = form.file_name if kept else ""
    row = _row(record, form, who, today, now) | {"district": firm.district, "due_on": due_on} | NO_PAPER | paper
    key = objections.add(tx, row | {"waits_for_calendar": due_on is None})
    told = {"objection_id": key, "item": record.item, "uscc": record.uscc}
    told |= {"due_on": due_on.isoformat()} if due_on else {}
    notices.add(tx, [Message("objection_raised", district=firm.district, values=told)], today, now)
    whose = {"uscc": record.uscc, "district": firm.district}
    details = {"record": record_id, "item": record.item, "wrong": form.wrong}
    trail.append(tx, who, [Act("raise", "objection", key, **whose, new="open", details=details)], now)
    return key


NO_PAPER = {"file_kind": "", "sha256": "", "size": 0}


def withdraw_objection(tx: Session, who: Who, objection_id: int, today: date, now: datetime) -> None:
    """The firm takes it back; a second time changes nothing."""
    if who.role is not Role.FIRM:
        raise NotAllowed("只有企业本人可以撤回异议。")
    row = objections.lock(tx, who, objection_id)
    if row.state == ObjectionState.WITHDRAWN:
        return
    if row.state != ObjectionState.OPEN:
        raise Conflict("这项异议已经有了结果，不能撤回。")
    end = {"state": ObjectionState.WITHDRAWN, "closed_on": today, "closed_at": now}
    objections.change(tx, [{"id": row.id} | end])
    trail.append(tx, who, [act_of("withdraw", row, ObjectionState.WITHDRAWN)], now)


def folder_of(uploads: Path, uscc: str) -> Path:
    """Where the papers of a firm's objections lie."""
    return uploads / "objections" / uscc


def act_of(verb: str, row: Row[Any], new: str | None = None, **details: Any) -> Act:
    """What was done with an objection, for the trail."""
    whose = {"uscc": row.uscc, "district": row.district}
    return Act(verb, "objection", row.id, old=row.state if new else None, new=new, details=details, **whose)


def _check(form: ObjectionForm) -> None:
    if form.wrong not in frozenset(Wrong):
        raise NotPossible("请选择哪里不对。", field="wrong")
    if not form.right_is.strip() or len(form.right_is) > LONGEST_TEXT:
        raise NotPossible("请写明正确的情况，不超过 {most} 个字。", field="right_is", most=LONGEST_TEXT)


def _row(record: Record, form: ObjectionForm, who: Who, today: date, now: datetime) -> dict[str, Any]:
    return {
        "uscc": record.uscc,
        "record_id": record.id,
        "item": record.item,
        "key": record.key,
        "wrong": form.wrong,
        "right_is": form.right_is.strip(),
        "raised_on": today,
        "raised_at": now,
        "raised_by": who.person_id,
        "state": ObjectionState.OPEN,
        "answer": "",
    }
