"""Silence past a due date is recorded and moves the demand on like a refusal; before it, everybody is reminded."""

from datetime import date, datetime

from sqlmodel import Session

from matching.policy import Policy
from service.actions.push_lists import Pushed, push_missing
from service.actions.settle_demand import closing, settling
from service.domain import line_clock
from service.domain.clocks import clock
from service.domain.errors import NotAllowed
from service.domain.people import Who
from service.domain.push_list import LineState
from service.profiles.tools import Tools
from service.store import calendar, notices, push_lists, trail
from service.store.bulk import change_rows
from service.store.notices import Message
from service.store.trail import Act

FIRMS_OWN = frozenset({"papers", "offer"})


def count_silence(tx: Session, who: Who, today: date, now: datetime) -> int:
    """Lines whose bank let its term pass are silent, apart from refusals; the firm hears it. How many became so."""
    _only_the_platform(who)
    _end_pauses(tx, who, today, now)
    late = [line.id for line in push_lists.past_due(tx, today) if line.due_step != "papers"]
    acts, messages, demands = closing(tx, late, LineState.SILENT, today, now, "silent")
    acts += settling(tx, who, demands, today, now, "silent")
    told = [
        Message("line_silent", bank_id=act.bank_id, demand_id=act.demand_id, line_id=act.noun_id)
        for act in acts
        if act.noun == "push_line"
    ]
    notices.add(tx, [*messages, *told], today, now)
    trail.append(tx, who, acts, now)
    return len(told)


def _end_pauses(tx: Session, who: Who, today: date, now: datetime) -> None:
    """The firm's term for its papers is over: the bank's clock goes on, with the papers or without."""
    waiting = [line.id for line in push_lists.past_due(tx, today) if line.due_step == "papers"]
    lines = [line for line in push_lists.lock_lines(tx, waiting) if line.due_step == "papers" and line.due_on < today]
    if not lines:
        return
    days = calendar.calendar(tx)
    rows, acts, messages = [], [], []
    for line in lines:
        columns = line_clock.resumed(line, line.due_on, line.decide_days, days)
        rows.append({"id": line.id, "state": LineState.CONTACTED.value, "state_at": now, **columns})
        whose = {"demand_id": line.demand_id, "uscc": line.uscc, "bank_id": line.bank_id, "district": line.district}
        acts.append(Act("papers_overdue", "push_line", line.id, old=line.state, new=LineState.CONTACTED.value, **whose))
        told = {"demand_id": line.demand_id, "line_id": line.id, "values": {"bank_id": line.bank_id}}
        messages += [
            Message("papers_overdue", uscc=line.uscc, **told),
            Message("papers_overdue", bank_id=line.bank_id, **told),
        ]
    change_rows(tx, "push_line", "id", rows)
    acts += settling(tx, who, [line.demand_id for line in lines], today, now, "papers_overdue")
    notices.add(tx, messages, today, now)
    trail.append(tx, who, acts, now)


def rematch(tx: Session, who: Who, today: date, now: datetime, tools: Tools | Policy) -> Pushed:
    """Count silence, then look the same day for other banks: a supplement, a proposal to the firm, or a dated plan."""
    count_silence(tx, who, today, now)
    return push_missing(tx, who, today, now, tools)


def remind(tx: Session, who: Who, today: date, now: datetime) -> int:
    """Tell banks and firms whose term ends soon, each once for each term; how many were told."""
    _only_the_platform(who)
    until = clock("bank_reminder", today).surely_after(today, calendar.calendar(tx))
    lines = push_lists.due_between(tx, today, until)
    messages = [
        Message(
            "due_soon",
            uscc=line.uscc if line.due_step in FIRMS_OWN else None,
            bank_id=None if line.due_step in FIRMS_OWN else line.bank_id,
            demand_id=line.demand_id,
            line_id=line.id,
            values={"step": line.due_step, "due_on": line.due_on.isoformat()},
        )
        for line in lines
    ]
    notices.add(tx, messages, today, now)
    change_rows(tx, "push_line", "id", [{"id": line.id, "reminded_of": line.due_on} for line in lines])
    return len(messages)


def _only_the_platform(who: Who) -> None:
    if not who.is_platform:
        raise NotAllowed("时限由平台计算。")
