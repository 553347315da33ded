"""What becomes of an enquiry: calls, the firm's code told later, a demand, an end with its reason, and forgetting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Who
from service.domain.scan_code import LONGEST_NOTE, CloseReason, EnquiryState
from service.store import enquiries, trail
from service.store.enquiries import Joined
from service.store.trail import Act


@dataclass(frozen=True)
class Call:
    """A call that was made: whether somebody was reached, what was said, and when again."""

    reached: bool
    note: str = ""
    again_on: date | None = None


BY_PEOPLE = tuple(reason for reason in CloseReason if reason is not CloseReason.EXPIRED)
AT_ONCE = 5_000


def note_call(tx: Session, who: Who, enquiry_id: int, call: Call, today: date, now: datetime) -> None:
    """Write a call down; whoever was not reached is called again on a day after today."""
    row = _open_one(tx, who, enquiry_id)
    if call.again_on is not None and call.again_on <= today:
        raise NotPossible("再联系的日期须在今天之后。", field="again_on")
    if not call.reached and call.again_on is None:
        raise NotPossible("没有联系上时，请填写哪天再联系。", field="again_on")
    if len(call.note) > LONGEST_NOTE:
        raise NotPossible("说明不能超过 {most} 个字。", field="note", most=LONGEST_NOTE)
    whose = {"enquiry_id": row.id, "district": row.district, "bank_id": row.bank_id}
    by = {"made_by": who.person_id, "made_at": now}
    enquiries.add_contact(tx, {**vars(call), **whose, **by})
    enquiries.change(tx, row.id, contacted_at=now, due_on=call.again_on)
    told = {"reached": call.reached, "again_on": call.again_on.isoformat() if call.again_on else None}
    trail.append(tx, who, [_act("called", row, details=told)], now)


def tell_code(tx: Session, who: Who, enquiry_id: int, uscc: str, today: date, now: datetime) -> bool:
    """The firm told its credit code on the telephone; whether it has reported a demand since it enquired."""
    row = _open_one(tx, who, enquiry_id)
    if row.uscc != uscc:
        enquiries.change(tx, row.id, uscc=uscc)
        whose: dict[str, Any] = {"uscc": uscc, "bank_id": row.bank_id, "district": row.district}
        trail.append(tx, who, [Act("told_code", "enquiry", row.id, **whose)], now)
    return any(one.id == row.id for one in join_enquiries(tx, who, [uscc], today, now))


def close_enquiry(tx: Session, who: Who, enquiry_id: int, reason: CloseReason, today: date, now: datetime) -> None:
    """End it without a demand, and forget the person where they ask for it.

    By officials: a bank cannot know what else the firm is doing.
    """
    if not who.is_official:
        raise NotAllowed("扫码意向由区县专班或市级人员办结。")
    row = _open_one(tx, who, enquiry_id)
    if reason not in BY_PEOPLE:
        raise NotPossible("请选择办结原因", field="reason")
    if reason is CloseReason.WITHDRAWN:
        enquiries.forget(tx, [row.id], reason.value, today)
    else:
        ended = {"state": EnquiryState.CLOSED.value, "close_reason": reason.value}
        enquiries.change(tx, row.id, **ended, closed_on=today, due_on=None)
    trail.append(tx, who, [_act("close", row, EnquiryState.CLOSED, {"reason": reason.value})], now)


def join_enquiries(tx: Session, who: Who, firms: Sequence[str], today: date, now: datetime) -> list[Joined]:
    """Open enquiries of these firms that have become demands by now; each is one entry on the trail."""
    joined = enquiries.join(tx, firms, today)
    trail.append(tx, who, [_act_of_joining(one) for one in joined], now)
    return joined


def forget_enquiries(tx: Session, who: Who, days: int, today: date, now: datetime) -> int:
    """Take name, telephone and notes from the enquiries that came more than so many days ago; how many, at most
    `AT_ONCE`: the next run finds the others."""
    old = enquiries.lock_old(tx, today, days, AT_ONCE)
    enquiries.forget(tx, [row.id for row in old], CloseReason.EXPIRED.value, today)
    ended = {EnquiryState.OPEN.value: EnquiryState.CLOSED.value}
    trail.append(tx, who, [_act("forgotten", row, ended.get(row.state)) for row in old], now)
    return len(old)


def _open_one(tx: Session, who: Who, enquiry_id: int) -> Row[Any]:
    row = enquiries.lock(tx, who, enquiry_id)
    if row.state != EnquiryState.OPEN:
        raise Conflict("这条扫码意向已经办结。")
    return row


def _act_of_joining(one: Joined) -> Act:
    whose: dict[str, Any] = {
        "demand_id": one.demand_id,
        "uscc": one.uscc,
        "district": one.district,
        "bank_id": one.bank_id,
    }
    return Act("helped", "enquiry", one.id, old=EnquiryState.OPEN, new=EnquiryState.HELPED, **whose)


def _act(verb: str, row: Row[Any], new: str | None = None, details: Mapping[str, Any] | None = None) -> Act:
    whose: dict[str, Any] = {"uscc": getattr(row, "uscc", None), "bank_id": row.bank_id, "district": row.district}
    old = row.state if new else None
    return Act(verb, "enquiry", row.id, old=old, new=new, details=details or {}, **whose)
