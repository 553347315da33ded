"""Many lines get one answer: confirmed now, given a little later, and until then taken back by one click.

The answer counts from the instant it was confirmed: the day of its clock is that day, whoever gives it and when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.answer_push import answer_each
from service.actions.try_answers import try_answers
from service.domain.answering import Answered, AnswerForm
from service.domain.errors import NotAllowed, NotFound
from service.domain.held_answer import HeldState
from service.domain.people import Role, Who
from service.store import held_answers, trail
from service.store.held_answers import Batch
from service.store.trail import Act


@dataclass(frozen=True)
class Together:
    """One answer for several lines, under the key of the page that asked for the confirmation."""

    key: str
    line_ids: Sequence[int]
    kind: str
    reasons: Sequence[str] = ()
    text: str = ""
    seconds: int = 60
    """How long it can be undone."""

    def forms(self) -> list[AnswerForm]:
        """The same line by line, each once."""
        return [AnswerForm(line, self.kind, tuple(self.reasons), self.text) for line in dict.fromkeys(self.line_ids)]


def hold_answers(tx: Session, who: Who, said: Together, today: date, now: datetime) -> list[Answered]:
    """Hold the answer for each line that could take it now; of the others, why not.

    Sent twice it is held once.
    """
    if not who.is_bank:
        raise NotAllowed("只有银行可以反馈推送项。")
    if held_answers.list_batch(tx, who, said.key):
        return []
    tried = [one.answered for one in try_answers(tx, who, said.forms(), today, now)]
    good = [one.line_id for one in tried if one.error is None]
    until = now + timedelta(seconds=said.seconds)
    batch = Batch(said.key, said.kind, said.reasons, said.text, today, now, until)
    fresh = held_answers.hold(tx, who, batch, good)
    trail.append(tx, who, [_act("held", who, line, said.kind, said.reasons) for line in fresh], now)
    return tried


def undo_held(tx: Session, who: Who, batch: str, line_id: int | None, now: datetime) -> int:
    """Take back a batch, or one line of it, as far as it waits; how many lines. Undone twice it is undone once."""
    if not who.is_bank:
        raise NotAllowed("只有银行可以反馈推送项。")
    if not held_answers.list_batch(tx, who, batch):
        raise NotFound("没有找到这批反馈。")
    lines = held_answers.undo(tx, who, batch, line_id, now)
    trail.append(tx, who, [_act("undone", who, line.line_id, line.kind) for line in lines], now)
    return len(lines)


def give_held(tx: Session, now: datetime, bank_id: int | None = None) -> int:
    """Give what is due, of one bank or of all; how many. What no line will have any more is kept with its reason."""
    due = held_answers.take_due(tx, now, bank_id)
    ended: list[dict[str, Any]] = []
    for day, rows in groupby(sorted(due, key=lambda row: (row.held_on, row.id)), key=lambda row: row.held_on):
        same_day = list(rows)
        answered = answer_each(tx, [(_who(row), _form(row)) for row in same_day], day, now)
        ended += [_ended(row, one) for row, one in zip(same_day, answered, strict=True)]
    held_answers.end(tx, ended)
    return sum(row["state"] == HeldState.GIVEN for row in ended)


def _who(row: Row[Any]) -> Who:
    """Who confirmed it: the answer is theirs, whoever gives it."""
    return Who(Role(row.held_role), row.held_by, bank_id=row.bank_id)


def _form(row: Row[Any]) -> AnswerForm:
    return AnswerForm(row.line_id, row.kind, tuple(row.reasons), row.text, said_at=row.held_at)


def _ended(row: Row[Any], answered: Answered) -> dict[str, Any]:
    state = HeldState.NOT_TAKEN if answered.error else HeldState.GIVEN
    why = {"message": answered.error.message, "values": dict(answered.error.values)} if answered.error else None
    return {"id": row.id, "state": state.value, "answer_id": answered.answer_id, "refusal": why}


def _act(verb: str, who: Who, line_id: int, kind: str, reasons: Sequence[str] = ()) -> Act:
    """The bank's own affair: without the firm and its district, who hear of the answer when it is given."""
    details = {"kind": kind} | ({"reasons": list(reasons)} if reasons else {})
    return Act(verb, "push_line", line_id, bank_id=who.bank_id, details=details)
