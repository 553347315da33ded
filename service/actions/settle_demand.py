"""Where a demand stands after something happened: state, light and next step derive from its lines and verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from service.domain.clocks import clock
from service.domain.demand import ENDED_STATES, IN_MATCHING, Actor, DemandState, LightWord, may_become
from service.domain.errors import NotPossible
from service.domain.objection import OBJECTION_UPHELD
from service.domain.people import Who
from service.domain.push_list import LINE_MAY_BECOME, OPEN_LINES, LineState, OfferState
from service.domain.standards.calendar import Calendar
from service.store import notices, push_lists, standing, trail
from service.store.notices import Message
from service.store.trail import Act

S, L = DemandState, LineState
STATE_OF_LINE = {
    L.DRAWN: S.DRAWN,
    L.GRANTED: S.GRANTED,
    L.ACCEPTED: S.ACCEPTED,
    L.OFFERED: S.OFFERED,
    L.NEEDS_PAPERS: S.ANSWERED,
    L.CONTACTED: S.ANSWERED,
    L.RECEIVED: S.ANSWERED,
    L.PUSHED: S.PUSHED,
}
"""The most advanced line says where the demand stands: in this order."""
GOING_WELL = frozenset({S.OFFERED, S.ACCEPTED, S.GRANTED, S.DRAWN})
WHOSE_CLOCK = {
    "contact": Actor.BANK,
    "decision": Actor.BANK,
    "grant": Actor.BANK,
    "papers": Actor.FIRM,
    "offer": Actor.FIRM,
}
AFTER_GRANT = {S.GRANTED: "draw", S.DRAWN: "repay"}
OFFER_ENDS = {
    L.WITHDRAWN: OfferState.LAPSED,
    L.SILENT: OfferState.LAPSED,
    L.REFUSED: OfferState.TAKEN_BACK,
    L.PASSED_OVER: OfferState.PASSED_OVER,
    L.RECALLED: OfferState.LAPSED,
}
OF_THE_PUSH = frozenset({"pushed", "no_bank_yet"})
"""Causes that are the push's own: they do not call for another look today."""
WRITTEN = ("id", "state", "light", "next_step", "next_by", "next_on", "waits_for_calendar", "closed_on")
BADNESS: Mapping[str, int] = {LightWord.GREEN: 0, LightWord.YELLOW: 1, LightWord.RED: 2}
CLOCKED = frozenset({*WHOSE_CLOCK, "review"})
"""Steps with a date of somebody's own; nothing else may take their place."""
TOLD_TO_FIRM = frozenset({L.REFUSED, L.SILENT, L.RECALLED})


@dataclass(frozen=True)
class Next:
    """Whose move it is, which, by when; without a date where none is needed or the calendar is not published."""

    step: str
    by: Actor
    on: date | None = None
    waits: bool = False


@dataclass(frozen=True)
class Cooling:
    """A light that is held: the better one it would be by now, and the day it may become it."""

    light: str
    until: date


def settle_demands(tx: Session, who: Who, demand_ids: Sequence[int], today: date, now: datetime, cause: str) -> None:
    """Derive and write how these demands stand; one trail entry for each change of state and of light."""
    trail.append(tx, who, settling(tx, who, demand_ids, today, now, cause), now)


def settling(tx: Session, who: Who, demand_ids: Sequence[int], today: date, now: datetime, cause: str) -> list[Act]:
    """The same, leaving the trail to the caller, who has more to say in one go."""
    ids = standing.lock(tx, demand_ids)
    lines = standing.lines_of(tx, ids)
    rows, lights, acts = [], [], []
    for demand in standing.read(tx, ids, today):
        new = _derive(demand, lines.get(demand.id, []), who, today, cause)
        push_on = _push_on(demand, new, today, cause)
        if new is not None or push_on != demand.push_on:
            rows.append((new or _as_it_stands(demand)) | {"push_on": push_on})
        if new is None:
            continue
        whose = {"demand_id": demand.id, "uscc": demand.uscc, "district": demand.district}
        if new["state"] != demand.state:
            acts.append(Act(cause, "demand", demand.id, old=demand.state, new=new["state"], **whose))
        if new["light"] != demand.light:
            change = {"old": demand.light, "new": new["light"], "reason": new["reason"]}
            lights.append(whose | change | {"verdict_id": demand.verdict_id})
            acts.append(
                Act(
                    cause,
                    "light",
                    demand.id,
                    old=demand.light,
                    new=new["light"],
                    details={"reason": new["reason"]},
                    **whose,
                )
            )
    standing.write(tx, rows, lights, today, now)
    return acts


def _push_on(demand: Any, new: Mapping[str, Any] | None, today: date, cause: str) -> date | None:
    """Something changed: look for banks for a demand in matching again today."""
    state = new["state"] if new is not None else demand.state
    on: date | None = demand.push_on
    return today if cause not in OF_THE_PUSH and S(state) in IN_MATCHING else on


def _as_it_stands(demand: Any) -> dict[str, Any]:
    return {name: getattr(demand, name) for name in WRITTEN}


def _derive(demand: Any, lines: Sequence[Any], who: Who, today: date, cause: str) -> dict[str, Any] | None:
    """The demand's row as it should be, or None where nothing changes."""
    state = state_of(S(demand.state), [L(line.state) for line in lines])
    if state != demand.state and not may_become(S(demand.state), state, who.role):
        raise NotPossible("融资需求不能由“{old}”变为“{new}”", old=demand.state, new=state.value)
    light, reason = light_of(demand, state, lines, cause)
    reason = cause if (reason, cause) == ("judged", OBJECTION_UPHELD) else reason
    held_until = _held_until(demand, light, today)
    if held_until is not None:
        light = demand.light
    then = _next(demand, state, light, [line for line in lines if line.is_open], today)
    if held_until is not None and then.step not in CLOCKED:
        then = Next("judge", Actor.PLATFORM, held_until)
    if light == LightWord.RED and then.on is None and state not in ENDED_STATES:
        then = Next(then.step, then.by, _look_again_on(today))
    new = {
        "state": state.value,
        "light": light,
        "next_step": then.step,
        "next_by": then.by.value,
        "next_on": then.on,
        "waits_for_calendar": then.waits,
    }
    if all(getattr(demand, name) == value for name, value in new.items()):
        return None
    closed = today if state in ENDED_STATES else None
    return new | {"id": demand.id, "reason": reason, "closed_on": closed}


def state_of(old: DemandState, lines: Sequence[LineState]) -> DemandState:
    """Ended and not yet recommended demands stay; else the most advanced line that stands; else it waits for a push."""
    if old in ENDED_STATES or old is S.REPORTED:
        return old
    standing_lines = set(lines)
    for line, state in STATE_OF_LINE.items():
        if line in standing_lines:
            return state
    return S.RECOMMENDED


def light_of(demand: Any, state: DemandState, lines: Sequence[Any], cause: str) -> tuple[str | None, str]:
    """The light and the reason it would change for: a person's word, the verdict, then what banks made of it."""
    if state in ENDED_STATES:
        return demand.light, cause
    if demand.override_light is not None:
        return demand.override_light, "overridden"
    if demand.verdict_light != LightWord.GREEN:
        return demand.verdict_light, "judged"
    if state in GOING_WELL:
        return LightWord.GREEN.value, state.value
    return _light_of_banks(demand, lines)


def _held_until(demand: Any, light: str | None, today: date) -> date | None:
    """The day until which a light stays as bad as it is: it gets better at once only by a fact, else when cooled down.

    What banks, the firm or a person did is a fact; a new model, a moved line or the mere passing of days is none.
    """
    if not demand.same_facts or demand.override_light is not None or demand.light_since_on is None:
        return None
    if BADNESS.get(light or "", 0) >= BADNESS[demand.light]:
        return None
    until = clock("rejudge_cooldown", today).surely_after(demand.light_since_on, Calendar())
    return until if today < until else None


def find_cooling(tx: Session, demand_id: int, today: date) -> Cooling | None:
    """Until when a demand's light stays as bad as it is, and what it would be by now; None where it is not held."""
    for demand in standing.read(tx, [demand_id], today):
        lines = standing.lines_of(tx, [demand_id]).get(demand_id, [])
        light, _reason = light_of(demand, S(demand.state), lines, "")
        until = _held_until(demand, light, today)
        if until is not None and light is not None:
            return Cooling(light, until)
    return None


def _light_of_banks(demand: Any, lines: Sequence[Any]) -> tuple[str, str]:
    """A green verdict without an offer: refused, met with silence, or without a product it waits for a second match."""
    if any(line.state == L.REFUSED for line in lines):
        return LightWord.YELLOW.value, "refused"
    if any(line.state == L.SILENT for line in lines):
        return LightWord.YELLOW.value, "silent"
    if demand.lacks_a_bank:
        return LightWord.YELLOW.value, "no_bank_yet"
    if not demand.fitting_products:
        return LightWord.YELLOW.value, "no_product_fits"
    return LightWord.GREEN.value, "judged"


def _next(demand: Any, state: DemandState, light: str | None, lines: Sequence[Any], today: date) -> Next:
    """The next step of a demand in this state with these open lines."""
    if state in ENDED_STATES:
        return Next("none", Actor.NOBODY)
    if state in AFTER_GRANT:
        return Next(AFTER_GRANT[state], Actor.FIRM)
    if lines:
        return _next_of_lines(state, lines)
    return _next_without_lines(demand, state, light, today)


def _next_without_lines(demand: Any, state: DemandState, light: str | None, today: date) -> Next:
    """A person's look first, then the obstacle's date, then the platform's own turn."""
    if demand.review_id is not None:
        return Next("review", Actor.DISTRICT, demand.review_due_on, waits=demand.review_due_on is None)
    if demand.follow_up_on is not None:
        return Next("follow_up", Actor(demand.follow_up_owner), demand.follow_up_on)
    if light == LightWord.RED:
        return Next("follow_up", Actor.DISTRICT, _look_again_on(today))
    if state is S.REPORTED:
        return Next("judge", Actor.PLATFORM, _judged_again_on(demand, today))
    return Next("push", Actor.PLATFORM, demand.next_on if demand.next_step == "push" else today)


def _judged_again_on(demand: Any, today: date) -> date:
    """At once where it was never judged; else after the light's cool-down, unless a changed fact comes first."""
    if demand.verdict_id is None:
        return today
    ahead: date | None = demand.next_on if demand.next_step == "judge" else None
    return ahead if ahead and ahead > today else clock("rejudge_cooldown", today).surely_after(today, Calendar())


def _look_again_on(today: date) -> date:
    """When a red demand is looked at again where its obstacle has no date of its own."""
    return clock("follow_up", today).surely_after(today, Calendar())


def _next_of_lines(state: DemandState, lines: Sequence[Any]) -> Next:
    """The clock of the line that decides the state, else the earliest clock that runs."""
    decisive = {S.OFFERED: L.OFFERED, S.ACCEPTED: L.ACCEPTED}.get(state)
    running = [line for line in lines if decisive is None or line.state == decisive] or list(lines)
    first = min(running, key=lambda line: (line.due_on is None, line.due_on or date.max, line.line_id))
    waits = any(line.waits for line in running)
    return Next(first.due_step, WHOSE_CLOCK.get(first.due_step, Actor.BANK), first.due_on, waits)


def close_lines(
    tx: Session, who: Who, line_ids: Sequence[int], state: LineState, today: date, now: datetime, reason: str
) -> list[int]:
    """End open lines; free their money and, on the day of the push, their places. The demands touched: settle them."""
    acts, messages, demands = closing(tx, line_ids, state, today, now, reason)
    notices.add(tx, messages, today, now)
    trail.append(tx, who, acts, now)
    return demands


def closing(
    tx: Session, line_ids: Sequence[int], state: LineState, today: date, now: datetime, reason: str
) -> tuple[list[Act], list[Message], list[int]]:
    """The same, leaving trail and notices to the caller; lines that are closed already are passed by."""
    lines = [line for line in push_lists.lock_lines(tx, line_ids) if line.state in OPEN_LINES]
    for line in lines:
        if L(line.state) not in LINE_MAY_BECOME[state]:
            raise NotPossible("推送项不能由“{old}”变为“{new}”", old=line.state, new=state.value)
    push_lists.end_lines(tx, lines, state.value, OFFER_ENDS[state].value, today, now)
    acts = [_act_of(line, state, reason) for line in lines]
    messages = [_message_of(line, state, reason) for line in lines]
    return acts, messages, sorted({line.demand_id for line in lines})


def _act_of(line: Any, state: LineState, reason: str) -> Act:
    return Act(
        reason,
        "push_line",
        line.id,
        demand_id=line.demand_id,
        uscc=line.uscc,
        bank_id=line.bank_id,
        district=line.district,
        old=line.state,
        new=state.value,
    )


def _message_of(line: Any, state: LineState, reason: str) -> Message:
    kind, values = f"line_{state.value}", {"reason": reason, "bank_id": line.bank_id}
    if state in TOLD_TO_FIRM:
        return Message(kind, uscc=line.uscc, demand_id=line.demand_id, line_id=line.id, values=values)
    return Message(kind, bank_id=line.bank_id, demand_id=line.demand_id, line_id=line.id, values=values)
