"""What a day still lacks, step by step, each in a transaction of its own: safe to run twice, to stop, to run again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlmodel import Session

from service.actions.choose_offer import lapse_offers
from service.actions.decide_objection import follow_in_mirror
from service.actions.end_demand import expire_demands
from service.actions.hold_answers import give_held
from service.actions.judge_demand import judge_changed
from service.actions.push_lists import push_missing
from service.actions.rematch import count_silence, remind
from service.actions.set_calendar import recompute_waiting
from service.domain.people import Who, the_platform
from service.domain.standards.calendar import CalendarNotPublished
from service.profiles.tools import load_tools
from service.settings import Settings
from service.store import calendar, pace, runs, targets
from service.store.database import transaction

CYCLE = the_platform("cycle")
NO_CALENDAR = "{year} 年的节假日安排尚未公布：按工作日计算的时限将在日历公布后补算，清单照常推送。"


@dataclass(frozen=True)
class Day:
    """The day a step works for, and what it may use."""

    settings: Settings
    today: date
    now: datetime
    who: Who = CYCLE


@dataclass(frozen=True)
class Ran:
    """How a run ended: done, cancelled or paused; what each finished step said; the message people see."""

    state: str
    message: str = ""
    run_id: int | None = None
    steps: Mapping[str, str] = field(default_factory=dict)


def _calendar(tx: Session, day: Day) -> str:
    return f"{recompute_waiting(tx, day.who, day.today, day.now)} due dates"


def _objections(tx: Session, day: Day) -> str:
    return f"{follow_in_mirror(tx, day.who, day.settings.mirror, day.now)} withdrawn"


def _judge(tx: Session, day: Day) -> str:
    return f"{judge_changed(tx, day.who, load_tools(tx, day.settings, day.today), day.today, day.now)} judged"


def _expire(tx: Session, day: Day) -> str:
    tools = load_tools(tx, day.settings, day.today)
    warned, ended = expire_demands(tx, day.who, tools, day.today, day.now)
    return f"{warned} warned, {ended} expired"


def _lapse(tx: Session, day: Day) -> str:
    return f"{lapse_offers(tx, day.who, day.today, day.now)} offers lapsed"


def _held(tx: Session, day: Day) -> str:
    return f"{give_held(tx, day.now)} answers given"


def _silence(tx: Session, day: Day) -> str:
    return f"{count_silence(tx, day.who, day.today, day.now)} silent"


def _push(tx: Session, day: Day) -> str:
    done = push_missing(tx, day.who, day.today, day.now, load_tools(tx, day.settings, day.today))
    return (
        f"{done.lists} lists, {done.lines} lines, {done.demands} demands, {done.proposals} proposals,"
        f" {done.without_bank} without a bank"
    )


def _remind(tx: Session, day: Day) -> str:
    return f"{remind(tx, day.who, day.today, day.now)} reminded"


def _pace(tx: Session, day: Day) -> str:
    return f"{pace.roll_up(tx, day.today)} counted"


def _coverage(tx: Session, day: Day) -> str:
    return f"{targets.count_coverage(tx, day.today)} areas counted"


STEPS: tuple[tuple[str, Callable[[Session, Day], str]], ...] = (
    ("calendar", _calendar),
    ("objections", _objections),
    ("judge", _judge),
    ("expire", _expire),
    ("lapse", _lapse),
    ("held", _held),
    ("silence", _silence),
    ("push", _push),
    ("remind", _remind),
    ("pace", _pace),
    ("coverage", _coverage),
)
"""In this order: what banks have said counts before silence does; what ends frees money and places for lists."""


def run_cycle(
    settings: Settings, on: date, now: datetime, *, name: str = "cycle", told: Callable[[str, str], None] | None = None
) -> Ran:
    """Do what `on` still lacks. `told(step, text)` hears of each step's end. What fails is written down and raised."""
    with transaction(CYCLE) as tx:
        if runs.is_paused(tx):
            return Ran("paused", "每日流程已由运行人员暂停。")
        run_id = runs.start(tx, name, on, len(STEPS), now)
        message = _calendar_message(tx, on)
    done: dict[str, str] = {}
    try:
        for step, act in STEPS:
            with transaction(CYCLE) as tx:
                done[step] = act(tx, Day(settings, on, now))
                stop = runs.step(tx, run_id, f"{step}: {done[step]}")
            if told is not None:
                told(step, done[step])
            if stop:
                return _end(run_id, "cancelled", f"cancelled after: {step}", now, done)
    except Exception as fault:
        _end(run_id, "failed", f"{STEPS[len(done)][0]}: {fault}", now, done)
        raise
    said = "; ".join(done.values())
    return _end(run_id, "done", f"{message} {said}" if message else said, now, done)


def _end(run_id: int, state: str, message: str, now: datetime, done: Mapping[str, str]) -> Ran:
    with transaction(CYCLE) as tx:
        runs.end(tx, run_id, state, message, now)
    return Ran(state, message, run_id, done)


def _calendar_message(tx: Session, on: date) -> str:
    """One sentence where the day itself lies beyond the calendar; the run goes on."""
    try:
        calendar.calendar(tx).is_working_day(on)
    except CalendarNotPublished:
        return NO_CALENDAR.format(year=on.year)
    return ""
