"""The calendar the clocks follow, month by month: published days, the operator's own, and how to set them."""

import calendar as months
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.set_calendar import MOST_DAYS, set_days
from service.domain.standards.calendar import PUBLISHED_UNTIL, Calendar, CalendarNotPublished
from service.doors import AnOperator, Now, Today, Tx
from service.store import calendar, health
from web.csrf import guard
from web.flash import redirect
from web.formats import weekday
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, wording
from web.language import SOURCE, gettext, ngettext, spoken
from web.language import lazy as _
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
SATURDAY = 5
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 1)


class DaysForm(Form):
    """Ticked days, or all days of a span."""

    day: Annotated[tuple[Day, ...], Ask(_("日子"))] = ()
    since_on: Annotated[Day | None, Ask(_("从"))] = None
    until_on: Annotated[Day | None, Ask(_("到"), _("只改一天时不填；一次最多 400 天。"))] = None
    works: Annotated[Literal["working", "free", "week"], Ask(_("算作"), None, _("请选择算作上班还是休息"))]
    note: Annotated[str, wording(most=120), Ask(_("依据"), _("例如：国办发明电〔2026〕1 号。"))] = ""

    @property
    def days(self) -> dict[date, bool]:
        """Day → whether it is worked."""
        chosen = set(self.day)
        if self.since_on is not None:
            last = self.until_on or self.since_on
            chosen |= {self.since_on + timedelta(days=n) for n in range((last - self.since_on).days + 1)}
        return {day: day.weekday() < SATURDAY if self.works == "week" else self.works == "working" for day in chosen}


@dataclass(frozen=True)
class Cell:
    """One day of the month. `works` is None where nobody has said so yet."""

    on: date
    in_month: bool
    works: bool | None
    is_special: bool
    """Published otherwise than its weekday says."""
    own: Row[Any] | None

    @property
    def iso(self) -> str:
        return self.on.isoformat()

    @property
    def letter(self) -> str:
        """The weekday as short as a column's head allows: 一 … 日, Mo … Su."""
        name = weekday(self.on)
        return name[-1] if spoken() == SOURCE else name[:2]


@dataclass(frozen=True)
class CalendarPage:
    form: Filled[DaysForm]
    month: date
    weeks: Sequence[Sequence[Cell]]
    before: str
    after: str
    own: Sequence[Row[Any]]
    known_until: date
    published_until: date
    waiting: int
    today: date


@router.get("/operator/calendar")
def show_calendar(request: Request, _who: AnOperator, tx: Tx, today: Today) -> Response:
    """Which days are worked, and what waits for days nobody knows yet?"""
    return _calendar_page(request, tx, today, blank(DaysForm))


@router.post("/operator/calendar")
def change(request: Request, who: AnOperator, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Say of days whether they are worked; what waited for them gets its date at once."""
    filled = _checked(read(DaysForm, typed))
    if not filled.is_right:
        return _calendar_page(request, tx, today, filled, 422)
    days = filled.answers.days
    dated = set_days(tx, who, days, filled.answers.note, today, now)
    message = ngettext("已设置 %(num)d 天。", "已设置 %(num)d 天。", len(days)) % {"num": len(days)}
    if dated:
        message += ngettext("%(num)d 个推送项有了时限。", "%(num)d 个推送项有了时限。", dated) % {"num": dated}
    return redirect(request, f"/operator/calendar?month={min(days):%Y-%m}", message)


def _checked(filled: Filled[DaysForm]) -> Filled[DaysForm]:
    """The form, or what is wrong with its span as a whole."""
    if not filled.is_right:
        return filled
    given, wrong = filled.answers, {}
    if given.since_on is None and not given.day:
        wrong["day"] = gettext("请勾选日子，或填写起止日期")
    elif given.since_on and given.until_on and not 0 <= (given.until_on - given.since_on).days < MOST_DAYS:
        wrong["until_on"] = gettext("结束日不能早于开始日，一次最多 400 天")
    return replace(filled, errors=wrong, values=None) if wrong else filled


def _calendar_page(request: Request, tx: Tx, today: date, form: Filled[DaysForm], status: int = 200) -> Response:
    month = _month(request.query_params.get("month", ""), today)
    own = calendar.list_days(tx)
    days, kept = calendar.calendar(tx), {row.on: row for row in own}
    weeks = [
        [_cell(on, month, days, kept) for on in week]
        for week in months.Calendar().monthdatescalendar(month.year, month.month)
    ]
    view = CalendarPage(
        form=form,
        month=month,
        weeks=weeks,
        before=f"{month - timedelta(days=1):%Y-%m}" if month > EARLIEST else "",
        after=f"{month + timedelta(days=31):%Y-%m}" if month < LATEST else "",
        own=[row for row in own if row.on >= today][:60],
        known_until=calendar.published_until(tx),
        published_until=PUBLISHED_UNTIL,
        waiting=health.count_waiting_lines(tx),
        today=today,
    )
    return page(request, "operator/calendar.html", view, status=status)


def _cell(on: date, month: date, days: Calendar, kept: Mapping[date, Row[Any]]) -> Cell:
    try:
        works: bool | None = days.is_working_day(on)
    except CalendarNotPublished:
        works = None
    special = works is not None and works != (on.weekday() < SATURDAY)
    return Cell(on, (on.year, on.month) == (month.year, month.month), works, special, kept.get(on))


def _month(text: str, today: date) -> date:
    """`2026-07` as its first day; the present month where nothing readable is said."""
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        found = today
    return min(max(found, EARLIEST), LATEST).replace(day=1)
