"""Visits: my next ones, the team's plans, a new plan from a base list of firms, and what came of each plan."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.look_at import LOOKED, look_at
from service.actions.plan_visits import PlanForm, plan_visits
from service.domain.people import Role, Who
from service.domain.standards.industries import SECTIONS
from service.domain.standards.size import SizeClass
from service.domain.visit import MOST_FIRMS
from service.doors import ADistrictOfficial, AnOfficial, Now, Today, Tx
from service.store import visits
from service.store.trail import Act
from service.store.visits import Chosen
from web import formats, takeaway, visit_sheet, words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, plain, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.district import colleagues
from web.pages.follow_up import taken
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 20
MOST_NEXT = 10
"""One's own next visits, on the first screen of a phone."""
SHOWN = 20
"""Firms of a base list shown before the plan is made."""
SIZES = tuple(size for size in SizeClass if size not in (SizeClass.UNCLASSIFIED, SizeClass.OUTSIDE))
COLUMNS = (
    Column("planned_on", _("日期")),
    Column("area", _("片区")),
    Column("firms", _("企业"), numeric=True),
    Column("made", _("已走访"), numeric=True),
    Column("needs", _("有需求"), numeric=True),
    Column("amount", _("需求金额（万元）"), numeric=True),
)
OF_THE_CITY = Column("district", _("区县"))


class ChoiceForm(Form):
    """Which firms, and where and when: one form, so that the base list can be looked at before the plan is made."""

    group: Annotated[
        Literal["quiet", "red", "yellow", "new", "unvisited", "any"], Ask(_("哪些企业"), None, _("请选择哪些企业"))
    ]
    industry: Annotated[str, wording(most=1), Ask(_("行业"))] = ""
    size: Annotated[str, wording(most=20), Ask(_("规模"))] = ""
    most: Annotated[int, whole(least=0, most=MOST_FIRMS), Ask(_("最多几家"), _("填 0 时只走访下面写明的企业。"))] = 50
    firms: Annotated[
        str, wording(most=12_000, lines=True), Ask(_("另外指定的企业"), _("统一社会信用代码，一行一个。"))
    ] = ""


class VisitsForm(ChoiceForm):
    area: Annotated[str, wording(most=80), Ask(_("片区"), _("街道、园区或商圈。"), _("请填写片区"))]
    planned_on: Annotated[Day, Ask(_("走访日期"), None, _("请填写走访日期"))]
    person: Annotated[int, whole(least=1), Ask(_("由谁走访"), None, _("请选择由谁走访"))]
    companions: Annotated[str, wording(most=120), Ask(_("同行人员"), _("例如：街道办、某银行客户经理。"))] = ""
    form_key: Annotated[str, wording(most=64), Ask(_("表单"))]


@dataclass(frozen=True)
class VisitsPage:
    listing: Listing[Row[Any]]
    next: Sequence[Row[Any]]
    counts: Row[Any]
    is_city: bool
    today: date


@dataclass(frozen=True)
class NewPlanPage:
    form: Filled[VisitsForm]
    found: Sequence[Row[Any]]
    total: int
    """Firms that fit; the plan takes the first `most` of them."""
    people: Sequence[words.Option]
    groups: Sequence[words.Option]
    industries: Sequence[words.Option]
    sizes: Sequence[words.Option]
    today: date


@dataclass(frozen=True)
class PlanPage:
    plan: Row[Any]
    rows: Sequence[Row[Any]]
    known: Mapping[str, Sequence[str]]
    may_record: bool
    today: date


@router.get("/visits")
def show_visits(request: Request, who: AnOfficial, tx: Tx, today: Today) -> Response:
    """Where do I go next, and what came of it so far?"""
    columns = (COLUMNS[0], OF_THE_CITY, *COLUMNS[1:]) if who.role is Role.CITY else COLUMNS
    wish = Wish.of(request, columns, usual="-planned_on")
    plans, total = visits.list_plans(tx, who, PER_PAGE, wish.offset(PER_PAGE))
    view = VisitsPage(
        listing=Listing(columns, plans, total, "/visits", wish, {}, PER_PAGE),
        next=visits.list_planned(tx, who, who.person_id, MOST_NEXT),
        counts=visits.count(tx, who, today),
        is_city=who.role is Role.CITY,
        today=today,
    )
    return page(request, "official/visits.html", view)


@router.get("/visit-plans/new")
def show_new(request: Request, who: ADistrictOfficial, tx: Tx, today: Today) -> Response:
    """Whom do we go to? The address holds the filter, the page shows the firms it finds."""
    given = {name: value for name, value in request.query_params.items() if name in VisitsForm.model_fields}
    first = {"group": "quiet", "most": "50", "person": str(who.person_id or ""), "planned_on": today.isoformat()}
    return _new_page(request, tx, who, today, blank(VisitsForm, **{**first, **given}))


@router.post("/visit-plans")
def plan(request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Make the plan; the form sent twice makes one."""
    made: list[int] = []

    def act(one: VisitsForm) -> None:
        chosen = _chosen(one)
        found, _total = visits.list_candidates(tx, who.district or "", chosen, today)
        firms = (*(row.uscc for row in found), *_codes(one.firms))
        form = PlanForm(one.area, one.planned_on, one.person, firms, chosen, one.form_key, one.companions)
        made.append(plan_visits(tx, who, form, today, now))

    filled = read(VisitsForm, typed)
    if filled.is_right and (plan_id := visits.find_plan_of_form(tx, filled.answers.form_key)) is not None:
        return redirect(request, f"/visit-plans/{plan_id}", gettext("走访计划已建好。"))
    filled = taken(tx, filled, act)
    if not filled.is_right:
        return _new_page(request, tx, who, today, filled)
    return redirect(request, f"/visit-plans/{made[0]}", gettext("走访计划已建好。"))


@router.get("/visit-plans/{plan_id}.xlsx")
def download(who: AnOfficial, tx: Tx, now: Now, plan_id: int) -> Response:
    """The base list as a workbook, to be filled in where there is no net; the look at each firm is noted."""
    one = visits.get_plan(tx, who, plan_id)
    rows = visits.list_of_plan(tx, who, plan_id)
    for row in rows:
        look_at(tx, who, Act(LOOKED, "visit", row.id, uscc=row.uscc, district=row.district), now)
    known = visits.obstacles_of(tx, [row.uscc for row in rows])
    content = visit_sheet.write(one, rows, known, mark_for(who, now))
    return takeaway.download(content, f"xindeng-visits-{plan_id}.xlsx")


@router.get("/visit-plans/{plan_id}")
def show_plan(request: Request, who: AnOfficial, tx: Tx, today: Today, plan_id: int) -> Response:
    """The firms of a plan, those still to be visited first."""
    one = visits.get_plan(tx, who, plan_id)
    rows = visits.list_of_plan(tx, who, plan_id)
    known = visits.obstacles_of(tx, [row.uscc for row in rows])
    return page(request, "official/visit_plan.html", PlanPage(one, rows, known, who.role is Role.DISTRICT, today))


def mark_for(who: Who, now: Any) -> str:
    """For whom and what for, on the explaining sheet."""
    said = {"person": who.name, "at": formats.moment(now)}
    return gettext("仅供走访使用，不得转交他人。%(person)s，%(at)s 导出。") % said


def _new_page(request: Request, tx: Tx, who: Who, today: date, form: Filled[VisitsForm]) -> Response:
    asked = read(ChoiceForm, {name: form.said(name) for name in ChoiceForm.model_fields})
    found, total = (
        visits.list_candidates(tx, who.district or "", _chosen(asked.answers, SHOWN), today)
        if asked.is_right
        else ([], 0)
    )
    if not form.said("form_key"):
        form = Filled(VisitsForm, {**form.typed, "form_key": [secrets.token_hex(16)]}, form.errors)
    view = NewPlanPage(
        form=form,
        found=found,
        total=total,
        people=colleagues(tx, who.district, today),
        groups=words.options("visit_group"),
        industries=[words.Option(letter, words.industry(letter)) for letter in SECTIONS],
        sizes=words.options("size_class", SIZES),
        today=today,
    )
    return page(request, "official/visit_plan_new.html", view, status=422 if form.errors else 200)


def _chosen(one: ChoiceForm, most: int | None = None) -> Chosen:
    industry = one.industry if one.industry in SECTIONS else ""
    size = one.size if one.size in frozenset(SizeClass) else ""
    return Chosen(one.group, industry, size, one.most if most is None else min(most, one.most))


def _codes(typed: str) -> list[str]:
    return [plain(code).upper() for code in re.split(r"[\s,，;；]+", typed) if code]
