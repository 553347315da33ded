"""How the clock of a push line runs on: what each answer does to its due dates; a line's row in, new columns out."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Protocol

from service.domain.clocks import clock
from service.domain.standards.calendar import Calendar

Columns = Mapping[str, Any]


class RunningLine(Protocol):
    """What the clock must know of a line."""

    due_step: str
    due_on: date | None
    contact_due_on: date | None
    decision_due_on: date | None
    papers_asked_on: date | None
    paused_days: int


def running(step: str, due: date | None, **more: object) -> Columns:
    """The columns of a clock that runs now; without a date it waits for the calendar."""
    return {"due_step": step, "due_on": due, "waits_for_calendar": due is None, **more}


def from_push(today: date, bank_days: int | None, calendar: Calendar) -> Columns:
    """The bank's first word with the firm, in working days from the push."""
    due = clock("contact", today).at_most(bank_days).after(today, calendar)
    return running("contact", due, contact_due_on=due)


def from_complete_file(today: date, bank_days: int | None, calendar: Calendar) -> Columns:
    """The decision: the policy's term, or the bank's own promise in working days where that ends earlier."""
    due = clock("decision", today).after(today, calendar)
    promised = calendar.due_on(today, bank_days, "working_days") if bank_days else None
    if due is not None and promised is not None:
        due = min(due, promised)
    return running("decision", due, decision_due_on=due)


def paused_for_papers(line: RunningLine, today: date, calendar: Calendar) -> Columns | None:
    """The decision clock stops, the firm's starts; None where the line has used up all its pause."""
    longest = (clock("papers", today).surely_after(today, calendar) - today).days - line.paused_days
    if longest < 1:
        return None
    return running("papers", today + timedelta(days=longest), papers_asked_on=today)


def resumed(line: RunningLine, today: date, bank_days: int | None, calendar: Calendar) -> Columns:
    """The papers are there, or their time is over: the decision clock goes on, later by the days it stood."""
    stood = (today - line.papers_asked_on).days if line.papers_asked_on else 0
    more = {"papers_asked_on": None, "paused_days": line.paused_days + stood}
    if line.decision_due_on is None:
        return {**from_complete_file(today, bank_days, calendar), **more}
    due = line.decision_due_on + timedelta(days=stood)
    return running("decision", due, decision_due_on=due, **more)


def extended(line: RunningLine, today: date, calendar: Calendar) -> Columns | None:
    """Once, with a reason: the running clock of the bank ends later; None where none runs that could be extended."""
    if line.due_step not in ("contact", "decision") or line.due_on is None:
        return None
    due = clock("extension", today).after(line.due_on, calendar)
    kept = {f"{line.due_step}_due_on": due} if due else {}
    return running(line.due_step, due, extended_on=today, **kept)


def waits_for_firm(valid_until: date) -> Columns:
    """An offer is on the table until its last day."""
    return running("offer", valid_until)


def from_acceptance(today: date, calendar: Calendar) -> Columns:
    """The grant, in working days from the firm's acceptance."""
    return running("grant", clock("grant", today).after(today, calendar))
