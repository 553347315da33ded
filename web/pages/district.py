"""The district team's work list: reviews that wait, and the follow-ups of its red and yellow demands, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.follow_up import assign_follow_ups
from service.actions.look_at import LOOKED, look_at
from service.actions.review_demand import Look, review_demands
from service.domain.demand import LightWord
from service.domain.errors import DomainError
from service.domain.people import Who
from service.doors import ADistrictOfficial, AnOfficial, Now, TheHouse, Today, Tx
from service.profiles.tools import load_tools
from service.store import accounts, demand_search, follow_ups, verdicts, work_list
from service.store.trail import Act
from service.store.work_list import ONLY, Sought
from web import obstacle_words, takeaway, words, work_sheet
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import MOST_LISTED, Tab, badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
MOST_REVIEWS = 10
"""Reviews shown before the work list; the others are one click away."""
MOST_IN_A_SHEET = 5_000
NOBODY = "nobody"
OWNERS = ("district", "firm", "platform")
FILTERS = {
    "all": _("全部未办结"),
    "due": _("到期"),
    "overdue": _("已逾期"),
    "mine": _("我的"),
    "nobodys": _("没有经办人"),
}
COLUMNS = (
    Column("tick", _("选")),
    Column("firm_name", _("企业"), sortable=True),
    Column("light", _("信灯"), sortable=True),
    Column("obstacle", _("堵点"), sortable=True),
    Column("owner", _("由谁办"), sortable=True),
    Column("next_on", _("下次日期"), sortable=True),
)


class LooksForm(Form):
    """Several demands, one word."""

    demand: Annotated[tuple[int, ...], Ask(_("需求"), None, _("请先勾选要复核的需求"))]
    sentence: Annotated[
        str,
        wording(most=500, lines=True),
        Ask(_("复核意见"), _("一句话写明依据，例如：已走访，经营正常。"), _("请写一句复核意见")),
    ]
    decision: Annotated[Literal["recommended", "returned", "noted"], Ask(_("决定"), None, _("请选择决定"))]


class AssignmentForm(Form):
    follow_up: Annotated[tuple[int, ...], Ask(_("跟进事项"), None, _("请先勾选要交办的事项"))]
    person: Annotated[
        str, wording(most=20), Ask(_("交给谁"), _("对方能在待办里按“我的”找到。"), _("请选择交给哪位同事"))
    ]


@dataclass(frozen=True)
class WorkPage:
    form: Filled[LooksForm]
    reviews: Sequence[Row[Any]]
    waiting: int
    """How many reviews wait, of which `reviews` are the first."""
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    counts: Row[Any]
    tally: Mapping[str, Row[Any]]
    sought: Sought
    obstacles: Sequence[words.Option]
    colleagues: Sequence[words.Option]
    sheet: str
    """Where these rows come as a workbook."""
    me: int
    today: date

    @property
    def is_narrowed(self) -> bool:
        return any(value for name, value in self.listing.filters.items() if name != "only")


@dataclass(frozen=True)
class AssignmentPage:
    form: Filled[AssignmentForm]
    items: Sequence[tuple[int, str, str]]
    """Follow-up, its firm, its obstacle."""
    people: Sequence[words.Option]


@router.get("/district")
def show_work(request: Request, who: ADistrictOfficial, tx: Tx, today: Today) -> Response:
    """What must we decide or chase today?"""
    return _work_page(request, tx, who, today, blank(LooksForm))


@router.get("/follow-ups.xlsx")
def take_sheet(request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The rows that are asked for, as a workbook; who took it is noted once a day."""
    wish = Wish.of(request, COLUMNS, usual="next_on")
    rows, _total = work_list.find(tx, who, replace(_sought(request, wish), limit=MOST_IN_A_SHEET, offset=0), today)
    look_at(tx, who, Act(LOOKED, "follow_up", district=who.district), now)
    return takeaway.download(work_sheet.follow_ups(rows, who, now), f"xindeng-follow-ups-{today}.xlsx")


@router.post("/reviews/decisions")
def decide_many(
    request: Request, who: ADistrictOfficial, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed
) -> Response:
    """One sentence for the ticked demands; all of them or none."""
    filled = read(LooksForm, typed)
    if not filled.is_right:
        return _work_page(request, tx, who, today, filled, 422)
    given = filled.answers
    looks = [Look(demand, given.decision, given.sentence) for demand in dict.fromkeys(given.demand)]
    try:
        with tx.begin_nested():
            review_demands(tx, who, looks, load_tools(tx, house.settings, today), today, now)
    except DomainError as refusal:
        return _work_page(request, tx, who, today, filled.refused(refusal), 422)
    said = ngettext("已复核 %(num)d 笔。", "已复核 %(num)d 笔。", len(looks))
    return redirect(request, "/district", said % {"num": len(looks)})


@router.post("/follow-ups/assignment")
def assign(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Without a person yet: the question, with the rows kept. With one: the work changes hands."""
    filled = read(AssignmentForm, typed)
    if not filled.said("person"):
        amiss = {name: error for name, error in filled.errors.items() if name != "person"}
        first = Filled(AssignmentForm, filled.typed, amiss)
        return _assignment_page(request, tx, who, today, first, 422 if amiss else 200)
    if not filled.is_right:
        return _assignment_page(request, tx, who, today, filled, 422)
    chosen = filled.answers.person
    if chosen != NOBODY and not (chosen.isascii() and chosen.isdigit()):
        wrong = Filled(AssignmentForm, filled.typed, {"person": gettext("请选择交给哪位同事")})
        return _assignment_page(request, tx, who, today, wrong, 422)
    wanted = filled.answers.follow_up
    try:
        with tx.begin_nested():
            moved = assign_follow_ups(tx, who, wanted, None if chosen == NOBODY else int(chosen), today, now)
    except DomainError as refusal:
        return _assignment_page(request, tx, who, today, filled.refused(refusal), 422)
    message = ngettext("已交办 %(num)d 项。", "已交办 %(num)d 项。", moved)
    address = f"/follow-ups/{wanted[0]}" if len(wanted) == 1 else "/district"
    return redirect(request, address, message % {"num": moved})


def _work_page(request: Request, tx: Tx, who: Who, today: date, form: Filled[LooksForm], status: int = 200) -> Response:
    wish = Wish.of(request, COLUMNS, usual="next_on")
    sought = _sought(request, wish)
    rows, total = work_list.find(tx, who, sought, today)
    kept = {
        "only": sought.only, "light": sought.light, "owner": sought.owner, "obstacle": sought.obstacle,
        "person": str(sought.person_id or ""), "q": sought.query,
    }  # fmt: skip
    kept = {name: value for name, value in kept.items() if value}
    counts = work_list.count(tx, who, today)
    reviews = verdicts.list_waiting(tx, who, MOST_LISTED)
    order = {"sort": ("-" if wish.descending else "") + wish.sort}
    view = WorkPage(
        form=form,
        reviews=reviews if request.query_params.get("reviews") == "all" or form.errors else reviews[:MOST_REVIEWS],
        waiting=len(reviews),
        listing=Listing(COLUMNS, rows, total, "/district", wish, kept, PER_PAGE),
        tabs=[
            Tab(str(label), f"/district?{urlencode(kept | {'only': key})}", key == sought.only, getattr(counts, key))
            for key, label in FILTERS.items()
        ],
        counts=counts,
        tally=demand_search.tally(tx, who, today),
        sought=sought,
        obstacles=[words.Option(one, obstacle_words.name(one)) for one in work_list.list_obstacles(tx, who)],
        colleagues=colleagues(tx, who.district, today),
        sheet=f"/follow-ups.xlsx?{urlencode(kept | order)}",
        me=who.person_id or 0,
        today=today,
    )
    return page(request, "official/work.html", view, status=status)


def colleagues(tx: Tx, district: str | None, today: date) -> list[words.Option]:
    """The people of a district's team as choices."""
    return [words.Option(str(key), name) for key, name in accounts.names_of_district(tx, district or "", today).items()]


def _sought(request: Request, wish: Wish) -> Sought:
    """What the address asks for; what it does not say rightly is not asked."""
    asked = request.query_params
    only, light, owner, person = (asked.get(name, "") for name in ("only", "light", "owner", "person"))
    return Sought(
        only=only if only in ONLY else "all",
        light=light if light in frozenset(LightWord) else "",
        owner=owner if owner in OWNERS else "",
        person_id=int(person) if person.isascii() and person.isdigit() and len(person) < 10 else None,
        obstacle=asked.get("obstacle", "")[:60],
        query=asked.get("q", "").strip()[:60],
        sort=wish.sort,
        descending=wish.descending,
        limit=PER_PAGE,
        offset=wish.offset(PER_PAGE),
    )


def _assignment_page(
    request: Request, tx: Tx, who: Who, today: date, form: Filled[AssignmentForm], status: int = 200
) -> Response:
    ids = [int(one) for one in form.typed.get("follow_up", ()) if one.isascii() and one.isdigit() and len(one) < 19]
    rows = follow_ups.list_named(tx, who, ids)
    district = who.district or (rows[0].district if rows else None)
    view = AssignmentPage(
        form=form,
        items=[(row.id, row.firm_name, obstacle_words.name(row.obstacle)) for row in rows],
        people=[*colleagues(tx, district, today), words.Option(NOBODY, gettext("交回专班，谁都可以办"))],
    )
    return page(request, "official/assignment.html", view, status=status)
