"""The clocks of push lines: which runs, until when, why then, what moved it, and what came or will come of its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from matching.policy import kept_policy
from service.actions.look_at import LOOKED, look_at
from service.domain.clocks import clock
from service.doors import AnOperator, Now, TheHouse, Today, Tx
from service.store import line_clocks
from service.store.calendar import calendar
from service.store.line_clocks import Wanted
from service.store.trail import Act
from web import clock_words, words
from web.clock_grounds import grounds
from web.csrf import guard
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import Tab
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
FILTERS = {
    "running": _("正在计时"),
    "reminded": _("已提醒"),
    "overdue": _("已过期待处理"),
    "calendar": _("等待日历"),
    "silent": _("已沉默"),
    "all": _("全部"),
}
COLUMNS = (
    Column("line", _("推送项")),
    Column("bank", _("银行")),
    Column("state", _("进展")),
    Column("step", _("在等什么")),
    Column("due_on", _("最迟")),
    Column("reminded", _("提醒")),
)


@dataclass(frozen=True)
class ClocksPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    query: str
    only: str
    today: date

    reminded_before: str
    """How long before its day a clock reminds."""

    def reminder(self, row: Row[Any]) -> str:
        """What became of the reminder; nothing while it is still to come."""
        is_ahead = row.reminded_of != row.due_on and row.due_on is not None and row.due_on >= self.today
        return "" if is_ahead else clock_words.reminder(row, self.today)


@dataclass(frozen=True)
class ClockPage:
    line: Row[Any]
    why: str
    grounds: Sequence[tuple[str, str]]
    """What the day rests on, question and answer."""
    then: str
    reminder: str
    happened: Sequence[Row[Any]]
    since: Sequence[Row[Any]]
    """Lines its demand got afterwards."""
    plans: Sequence[Row[Any]]
    floor: Decimal
    today: date

    @property
    def is_overdue(self) -> bool:
        return self.line.closed_on is None and self.line.due_on is not None and self.line.due_on < self.today

    @staticmethod
    def actor(row: Row[Any]) -> str:
        """The role one acted in (a reminder: whom it went to), or the platform."""
        return words.of("role", row.actor) if row.actor in words.GROUPS["role"] else gettext("平台")


@router.get("/operator/clocks")
def show_clocks(request: Request, _who: AnOperator, tx: Tx, today: Today) -> Response:
    """Which lines are due, who was reminded, where was silence?"""
    asked = request.query_params
    only = asked.get("only", "running") if asked.get("only") in FILTERS else "running"
    query = asked.get("q", "").strip().upper()[:40]
    wish = Wish.of(request, COLUMNS, usual="due_on")
    rows, total = line_clocks.list_clocks(tx, Wanted(only, query, wish.offset(PER_PAGE), PER_PAGE), today)
    shown = "all" if query else only
    tabs = [
        Tab(str(label), f"/operator/clocks?only={key}", key == shown, total if key == shown else None)
        for key, label in FILTERS.items()
    ]
    listing = Listing(COLUMNS, rows, total, "/operator/clocks", wish, {"only": only, "q": query}, PER_PAGE)
    before = clock_words.length(clock("bank_reminder", today))
    return page(request, "operator/clocks.html", ClocksPage(listing, tabs, query, only, today, before))


@router.get("/operator/clocks/{line_id}")
def show_clock(
    request: Request, who: AnOperator, tx: Tx, house: TheHouse, today: Today, now: Now, line_id: int
) -> Response:
    """Why is this line due then, what moved its clock, and what comes of its end? The look is on the trail."""
    line = line_clocks.get(tx, line_id)
    policy = kept_policy(house.settings.policy)
    floor = policy.on(today).number("acceptance_floor")
    view = ClockPage(
        line=line,
        why=clock_words.why(line, line, own=False),
        grounds=grounds(line, policy, calendar(tx)),
        then=clock_words.then(line, floor),
        reminder=clock_words.reminder(line, today),
        happened=line_clocks.list_happened(tx, line),
        since=line_clocks.list_since(tx, line),
        plans=line_clocks.list_plans(tx, line),
        floor=floor,
        today=today,
    )
    whose = {"demand_id": line.demand_id, "uscc": line.uscc, "bank_id": line.bank_id, "district": line.district}
    look_at(tx, who, Act(LOOKED, "push_line", line_id, **whose), now)
    return page(request, "operator/clock.html", view)
