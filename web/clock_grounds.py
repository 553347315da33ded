"""What the day a clock ends rests on: the policy's line with its basis, the bank's own promise, the calendar."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from matching.policy import Policy, Series
from service.clock import CITY
from service.domain.clocks import WORKING_DAYS, Term
from service.domain.standards.calendar import PUBLISHED_UNTIL, Calendar, CalendarNotPublished, holiday_of
from web.clock_words import length
from web.formats import day, short_day, weekday
from web.language import SOURCE, gettext, spoken

CLOCK_OF = {"contact": "contact", "decision": "decision", "papers": "papers", "offer": "offer_valid", "grant": "grant"}
"""A line's step → the policy's clock for it."""
SATURDAY = 5


def grounds(line: Any, policy: Policy, calendar: Calendar) -> list[tuple[str, str]]:
    """Question and answer for each ground of a running clock (a `line_clocks` row); nothing once it is closed."""
    if line.closed_on is not None or line.due_step not in CLOCK_OF:
        return []
    return list(_grounds(line, policy.clocks[CLOCK_OF[line.due_step]], policy, calendar))


def started_on(line: Any) -> date:
    """The day from which the running clock counts."""
    if line.due_step == "contact":
        start: date = line.pushed_on
    elif line.due_step == "decision":
        start = line.file_complete_on
    else:
        start = line.state_at.astimezone(CITY).date()
    return start


def _grounds(line: Any, series: Series, policy: Policy, calendar: Calendar) -> Iterator[tuple[str, str]]:
    start = started_on(line)
    term = _term(series, start)
    yield gettext("政策口径"), _policy_line(series, start)
    promise = {"contact": line.contact_days, "decision": line.decide_days}.get(line.due_step)
    if promise:
        own = Term(promise, WORKING_DAYS)
        yield gettext("该行自己的承诺"), gettext("%(length)s，以先到者为准") % {"length": length(own)}
    if line.extended_on is not None:
        yield gettext("延期"), _policy_line(policy.clocks["extension"], line.extended_on)
    yield gettext("日历"), _calendar(line, start, calendar, term, counts_working_days=bool(promise))


def _term(series: Series, start: date) -> Term:
    in_force = [value for since, value in series.values if since <= start] or [series.values[0][1]]
    return Term(int(in_force[-1]), series.unit)


def _policy_line(series: Series, start: date) -> str:
    """'授信决定：30 个自然日，2024年10月15日起。依据……'."""
    since = max((since for since, _ in series.values if since <= start), default=series.values[0][0])
    zh = spoken() == SOURCE
    return gettext("%(name)s：%(length)s，%(since)s 起施行。依据：%(basis)s") % {
        "name": series.name.zh if zh else series.name.en,
        "length": length(_term(series, start)),
        "since": day(since),
        "basis": series.basis.zh if zh else series.basis.en,
    }


def _calendar(line: Any, start: date, calendar: Calendar, term: Term, *, counts_working_days: bool) -> str:
    if line.due_on is None:
        return gettext("节假日只公布到 %(day)s，之后的工作日还不能算。") % {"day": day(PUBLISHED_UNTIL)}
    if term.unit != WORKING_DAYS and not counts_working_days:
        return gettext("按自然日计，节假日也算在内。")
    free, worked = _unusual(start, line.due_on, calendar)
    span = {"start": day(start), "due": day(line.due_on), "days": gettext("、").join(free)}
    if free:
        said = gettext("%(start)s 之后到 %(due)s，不算工作日的是：%(days)s。") % span
    else:
        said = gettext("%(start)s 之后到 %(due)s，每天都是工作日。") % span
    if worked:
        said += gettext("算工作日的周末：%(days)s。") % {"days": gettext("、").join(worked)}
    return said


def _unusual(start: date, due: date, calendar: Calendar) -> tuple[list[str], list[str]]:
    """Days of the span that are free, and weekends that are worked, each by date and reason."""
    free, worked = [], []
    for on in (start + timedelta(days=n) for n in range(1, (due - start).days + 1)):
        try:
            works = calendar.is_working_day(on)
        except CalendarNotPublished:
            continue
        if not works:
            free.append(_named(on, calendar))
        elif on.weekday() >= SATURDAY:
            worked.append(_named(on, calendar))
    return free, worked


def _named(on: date, calendar: Calendar) -> str:
    """'2026-06-19 端午', '2026-06-27 周六', '2026-07-03 平台日历'."""
    holiday = holiday_of(on)
    if on in calendar.overrides:
        why = gettext("平台日历")
    elif holiday is not None:
        why = holiday.zh if spoken() == SOURCE else holiday.en
    else:
        why = weekday(on)
    return f"{short_day(on)} {why}"
