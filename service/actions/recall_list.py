"""The operator recalls a push list that was a mistake: what no bank has answered goes back, as if it had not been sent.

The list keeps every word and hash it had. What the bank has answered stands, and so does an answer it has confirmed and
could still take back: it counts from when it was confirmed.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from service.actions.settle_demand import closing, settling
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.domain.push_list import UNANSWERED, LineState
from service.store import held_answers, notices, push_lists, queue, recalls, trail
from service.store.notices import Message
from service.store.trail import Act

MOST_WORDS = 500


@dataclass(frozen=True)
class RecallForm:
    """Which list, why, and whether its demands stay away from this bank for the rest of the day."""

    list_id: int
    reason: str
    keeps_away: bool = False


def recall_list(tx: Session, who: Who, form: RecallForm, today: date, now: datetime) -> int:
    """End the list's unanswered lines and wake their demands for the next supplement; how many lines.

    Recalled twice it is recalled once (0). Errors: NotAllowed, NotFound; NotPossible without a reason; Conflict where
    every line has been answered or is over.
    """
    if who.role is not Role.OPERATOR and not who.is_platform:
        raise NotAllowed("只有运行人员可以召回清单。")
    reason = form.reason.strip()
    if not reason or len(reason) > MOST_WORDS:
        raise NotPossible("请写明召回的理由，不超过 {most} 字。", field="reason", most=MOST_WORDS)
    one = recalls.get_list(tx, form.list_id)
    if one.recalled_at is not None:
        return 0
    lines = push_lists.lock_lines(tx, recalls.lines_of(tx, one.id))
    held = held_answers.waiting_among(tx, [line.id for line in lines])
    ending = [line.id for line in lines if line.state in UNANSWERED and line.id not in held]
    if recalls.get_list(tx, one.id).recalled_at is not None:
        return 0  # the other click was quicker, and this one waited for its lines
    if not ending:
        raise Conflict("这份清单的每一项都已有反馈或已办结，没有可以召回的。")
    recalls.add(tx, who, one, reason, len(ending), today, now, keeps_away=form.keeps_away)
    acts, messages, demands = closing(tx, ending, LineState.RECALLED, today, now, "recalled")
    acts += settling(tx, who, demands, today, now, "recalled")
    told = {"list_id": one.id, "on": one.on.isoformat(), "number": one.number, "reason": reason}
    counts = {"lines": len(ending), "stands": one.lines - len(ending)}
    notices.add(tx, [*messages, Message("list_recalled", bank_id=one.bank_id, values=told | counts)], today, now)
    details = counts | {"reason": reason, "keeps_away": form.keeps_away}
    act = Act("recalled", "push_list", one.id, bank_id=one.bank_id, old="published", new="recalled", details=details)
    trail.append(tx, who, [act, *acts], now)
    queue.defer_in(tx, queue.TODAY, once=queue.TODAY)
    return len(ending)
