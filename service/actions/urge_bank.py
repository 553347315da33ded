"""The city urges a bank about lines it let wait; the bank answers once, and the city closes, escalates or withdraws."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.clocks import WORKING_DAYS, Term
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.domain.urging import MOST_DAYS, MOST_WORDS, OPEN, UNANSWERED, UrgingGround, UrgingState
from service.store import banks, calendar, notices, pace, trail, urgings
from service.store.notices import Message
from service.store.trail import Act

COUNTED = ("lines", "overdue", "contact_due", "in_time", "silent", "disputed")
"""What of the league an urging keeps, as the official saw it."""


@dataclass(frozen=True)
class UrgingForm:
    """What an official writes: the bank, why, the days of push it is about, working days to answer, words."""

    bank_id: int
    ground: UrgingGround
    since_on: date
    until_on: date
    days: int
    words: str


def urge_bank(tx: Session, who: Who, form: UrgingForm, today: date, now: datetime) -> int:
    """Send an urging; the bank hears of it. One on a ground at a time.

    Errors: NotFound for the bank, NotPossible where no line speaks for the ground, Conflict while one is open.
    """
    _only_the_city(who)
    banks.get(tx, form.bank_id)
    if not 1 <= form.days <= MOST_DAYS:
        raise NotPossible("办理期限应为 1 至 {most} 个工作日。", field="days", most=MOST_DAYS)
    _check(form.words, NotPossible("请写明要求。", field="words"))
    lines = urgings.evidence(tx, form.ground, form.bank_id, (form.since_on, form.until_on), today)
    if not lines:
        raise NotPossible("这家银行没有这类推送项，无可督办。", field="ground")
    due_on = Term(form.days, WORKING_DAYS).surely_after(today, calendar.calendar(tx))
    row = {
        "bank_id": form.bank_id, "ground": form.ground.value, "since_on": form.since_on, "until_on": form.until_on,
        "figures": _figures(tx, form, today) | {"about": len(lines)}, "line_ids": lines, "words": form.words.strip(),
        "due_days": form.days, "due_on": due_on, "sent_on": today, "sent_at": now, "sent_by": who.person_id,
    }  # fmt: skip
    key = urgings.add(tx, row)
    if key is None:
        raise Conflict("这家银行在这一事由上已有一件未办结的督办。", field="ground")
    details = {"ground": form.ground.value, "about": len(lines), "due_on": due_on.isoformat()}
    _note(tx, who, "urged", (key, form.bank_id), (None, UrgingState.SENT), now, details)
    _tell(tx, "urging_sent", row | {"id": key}, today, now)
    return key


def read_urging(tx: Session, who: Who, urging_id: int, now: datetime) -> None:
    """The bank has opened it; said once."""
    row = urgings.lock(tx, who, urging_id)
    if not who.is_bank or row.state != UrgingState.SENT:
        return
    _move(tx, who, "urging_read", row, UrgingState.READ, {"read_at": now, "read_by": who.person_id}, now)


def answer_urging(
    tx: Session, who: Who, urging_id: int, done: str, promised_on: date, today: date, now: datetime
) -> None:
    """The bank says what it has done and by which day the rest will be; once, and it stands."""
    if not who.is_bank:
        raise NotAllowed("督办由被督办的银行回复。")
    row = urgings.lock(tx, who, urging_id)
    if row.state not in UNANSWERED:
        raise Conflict("这件督办已经回复或已经结束。")
    _check(done, NotPossible("请写明已经做了什么。", field="done"))
    if promised_on < today:
        raise NotPossible("办结日期不能早于今天。", field="promised_on")
    by = {"answered_on": today, "answered_at": now, "answered_by": who.person_id}
    columns = {**by, "done": done.strip(), "promised_on": promised_on}
    details = {"promised_on": promised_on.isoformat(), "late": row.due_on < today}
    _move(tx, who, "urging_answered", row, UrgingState.ANSWERED, columns, now, details)


def end_urging(tx: Session, who: Who, urging_id: int, end: UrgingState, words: str, today: date, now: datetime) -> None:
    """The city closes, escalates or withdraws it, with a sentence the bank reads.

    Errors: NotPossible for closing what nobody answered: that is withdrawn or escalated; Conflict once it has ended.
    """
    _only_the_city(who)
    row = urgings.lock(tx, who, urging_id)
    if row.state not in OPEN:
        raise Conflict("这件督办已经结束。")
    if end in OPEN:
        raise NotPossible("请选择怎样结束。", field="end")
    if end is UrgingState.CLOSED and row.state != UrgingState.ANSWERED:
        raise NotPossible("银行还没有回复，不能办结；可以升级或撤回。", field="end")
    _check(words, NotPossible("请写明理由，银行会看到。", field="words"))
    by = {"ended_on": today, "ended_at": now, "ended_by": who.person_id}
    _move(tx, who, f"urging_{end.value}", row, end, {**by, "end_words": words.strip()}, now)
    _tell(tx, f"urging_{end.value}", row._asdict(), today, now)


def _only_the_city(who: Who) -> None:
    if who.role is not Role.CITY:
        raise NotAllowed("督办由市级人员发出和办结。")


def _check(words: str, missing: NotPossible) -> None:
    """Words there must be, and not too many."""
    if not words.strip():
        raise missing
    if len(words) > MOST_WORDS:
        raise NotPossible("不超过 {most} 个字。", field=missing.field, most=MOST_WORDS)


def _figures(tx: Session, form: UrgingForm, today: date) -> dict[str, int]:
    """The bank's row of the league as it stands now; zeros where it has none."""
    found = pace.of_banks(tx, form.since_on, form.until_on, today)
    bank = next((one for one in found if one.bank_id == form.bank_id), pace.Pace(form.bank_id, ""))
    return {name: int(getattr(bank, name)) for name in COUNTED}


def _move(
    tx: Session, who: Who, verb: str, row: Row[Any], new: UrgingState, columns: Mapping[str, Any], now: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    urgings.change(tx, row.id, {"state": new.value, **columns})
    _note(tx, who, verb, (row.id, row.bank_id), (row.state, new), now, details or {})


def _note(
    tx: Session, who: Who, verb: str, what: tuple[int, int], states: tuple[str | None, UrgingState], now: datetime,
    details: Mapping[str, Any],
) -> None:  # fmt: skip
    """One entry: urging and bank, old and new state."""
    act = Act(verb, "urging", what[0], bank_id=what[1], old=states[0], new=states[1].value, details=details)
    trail.append(tx, who, [act], now)


def _tell(tx: Session, kind: str, row: Mapping[str, Any], today: date, now: datetime) -> None:
    told = {"urging_id": row["id"], "ground": row["ground"], "due_on": row["due_on"].isoformat()}
    values = {**told, "lines": row["figures"]["about"]}
    notices.add(tx, [Message(kind, bank_id=row["bank_id"], values=values)], today, now)
