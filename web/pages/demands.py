"""Demands as officials see them: where they stick, why, on what evidence, who did what; a person's word beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.look_after_profiles import reasons_for
from service.actions.look_at import LOOKED, look_at
from service.actions.override_light import override_light
from service.actions.review_demand import review_demand
from service.actions.settle_demand import find_cooling
from service.domain.demand import BEFORE_GRANT, Actor, LightWord
from service.domain.errors import DomainError
from service.domain.people import Role, Who
from service.doors import AnOfficial, Now, TheHouse, Today, Tx, house_of
from service.profiles.tools import load_tools
from service.settings import Settings
from service.store import credit, demand_search, overview, trail_search
from service.store.demand_search import ONLY, Sought
from service.store.trail import Act
from web import clock_words, fact_words, words
from web.csrf import guard
from web.explained import Explained, explain
from web.fact_words import FactSaid, contested_items
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import Tab, badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
FILTERS = {
    "open": _("进行中"),
    "overdue": _("已过日期"),
    "met": _("已授信"),
    "ended": _("已结束"),
    "all": _("全部"),
}
COLUMNS = (
    Column("firm_name", _("企业"), sortable=True),
    Column("light", _("信灯"), sortable=True),
    Column("number", _("需求编号"), sortable=True),
    Column("amount_fen", _("金额（万元）"), numeric=True, sortable=True),
    Column("district", _("区县"), sortable=True),
    Column("state", _("进展"), sortable=True),
    Column("next_step", _("下一步")),
    Column("next_on", _("最迟"), sortable=True),
)


class LookForm(Form):
    decision: Annotated[Literal["recommended", "returned", "noted"], Ask(_("决定"), None, _("请选择决定"))]
    sentence: Annotated[
        str,
        wording(most=500, lines=True),
        Ask(_("复核意见"), _("一句话写明依据；企业会看到决定。"), _("请写一句复核意见")),
    ]


class OverrideForm(Form):
    light: Annotated[LightWord, Ask(_("改为"), None, _("请选择灯色"))]
    sentence: Annotated[
        str, wording(most=500, lines=True), Ask(_("理由"), _("署名保留；系统的评判不会被改动。"), _("请写明理由"))
    ]
    until_on: Annotated[Day, Ask(_("有效至"), _("到期后恢复系统的评判。"), _("请填写截止日期"))]


FORMS: Mapping[str, type[Form]] = {"review": LookForm, "override": OverrideForm}


@dataclass(frozen=True)
class DemandsPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    tally: Mapping[str, Row[Any]]
    sought: Sought
    today: date
    is_city: bool
    actors: Sequence[words.Option]


@dataclass(frozen=True)
class DemandPage:
    demand: Row[Any]
    explained: Explained
    facts: Sequence[FactSaid]
    unknown: Sequence[FactSaid]
    """Facts no source has told."""
    lines: Sequence[Row[Any]]
    answers: Sequence[Row[Any]]
    grants: Sequence[Row[Any]]
    follow_ups: Sequence[Row[Any]]
    reviews: Sequence[Row[Any]]
    overrides: Sequence[Row[Any]]
    verdicts: Sequence[Row[Any]]
    banks: Sequence[Row[Any]]
    history: Sequence[Row[Any]]
    trail: Sequence[Row[Any]]
    contested: Mapping[str, Row[Any]]
    """Item → the firm's open objection to a record of it."""
    cooling: str
    """Why the light is held though it is judged better by now, and until when."""
    act: str
    """The form that is open: review, override, or none."""
    form: Filled[Any]
    today: date

    @property
    def may_override(self) -> bool:
        return self.demand.state in BEFORE_GRANT

    @property
    def open_review(self) -> Row[Any] | None:
        return next((one for one in self.reviews if one.decided_at is None), None)

    @property
    def live_override(self) -> Row[Any] | None:
        return next((one for one in self.overrides if one.until_on >= self.today), None)

    @property
    def may_review(self) -> bool:
        return self.open_review is not None or self.demand.state == "reported"


@router.get("/demands")
def show_demands(request: Request, who: AnOfficial, tx: Tx, today: Today) -> Response:
    """Where does it stick?"""
    wish = Wish.of(request, COLUMNS, usual="next_on")
    sought = sought_of(request, who, wish)
    rows, total = demand_search.find(tx, who, sought, today)
    filters = {
        "only": sought.only, "light": sought.light, "next_by": sought.next_by, "district": sought.district,
        "q": sought.query,
    }  # fmt: skip
    view = DemandsPage(
        listing=Listing(COLUMNS, rows, total, "/demands", wish, filters, PER_PAGE),
        tabs=[
            Tab(str(label), f"/demands?only={key}", key == sought.only, total if key == sought.only else None)
            for key, label in FILTERS.items()
        ],
        tally=demand_search.tally(tx, who, today),
        sought=sought,
        today=today,
        is_city=who.role is Role.CITY,
        actors=words.options("actor", [actor for actor in Actor if actor is not Actor.NOBODY]),
    )
    return page(request, "official/demands.html", view)


def sought_of(request: Request, who: Who, wish: Wish | None = None) -> Sought:
    """What the address asks for; what it does not say rightly is not asked."""
    asked, wish = request.query_params, wish or Wish.of(request, COLUMNS, usual="next_on")
    return Sought(
        only=_one_of(asked.get("only", "open"), ONLY, "open"),
        light=_one_of(asked.get("light", ""), words.MARKS, ""),
        next_by=_one_of(asked.get("next_by", ""), words.GROUPS["actor"], ""),
        district=asked.get("district", "")[:6] if who.role is Role.CITY else "",
        query=asked.get("q", "").strip()[:60],
        sort=wish.sort,
        descending=wish.descending,
        limit=PER_PAGE,
        offset=wish.offset(PER_PAGE),
    )


@router.get("/demands/{demand_id}")
def show_demand(
    request: Request, who: AnOfficial, tx: Tx, house: TheHouse, today: Today, now: Now, demand_id: int
) -> Response:
    """One demand with its evidence; the look is noted where the firm can read it."""
    view = _demand_page(tx, who, demand_id, today, house.settings, act=request.query_params.get("act", ""))
    whose = {"demand_id": demand_id, "uscc": view.demand.uscc, "district": view.demand.district}
    look_at(tx, who, Act(LOOKED, "demand", demand_id, **whose), now)
    return page(request, "official/demand.html", view)


@router.post("/demands/{demand_id}/review")
def review(
    request: Request, who: AnOfficial, tx: Tx, house: TheHouse, today: Today, now: Now, demand_id: int, typed: Typed
) -> Response:
    """A person's look between reported and recommended."""
    overview.get_demand(tx, who, demand_id)
    filled = read(LookForm, typed)
    if filled.is_right:
        given = filled.answers
        tools = load_tools(tx, house.settings, today)
        try:
            with tx.begin_nested():
                review_demand(tx, who, demand_id, given.decision, given.sentence, tools, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _again(request, tx, who, demand_id, today, "review", filled)
    return redirect(request, f"/demands/{demand_id}", gettext("复核意见已记录。"))


@router.post("/demands/{demand_id}/override")
def override(
    request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, demand_id: int, typed: Typed
) -> Response:
    """A person's light beside the verdict, signed and dated."""
    overview.get_demand(tx, who, demand_id)
    filled = read(OverrideForm, typed)
    if filled.is_right:
        given = filled.answers
        try:
            with tx.begin_nested():
                override_light(tx, who, demand_id, given.light.value, given.sentence, given.until_on, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _again(request, tx, who, demand_id, today, "override", filled)
    return redirect(request, f"/demands/{demand_id}", gettext("已改判，系统的评判原样保留。"))


def _again(request: Request, tx: Tx, who: Who, demand_id: int, today: date, act: str, form: Filled[Any]) -> Response:
    view = _demand_page(tx, who, demand_id, today, house_of(request).settings, act=act, form=form)
    return page(request, "official/demand.html", view, status=422)


def _demand_page(
    tx: Tx, who: Who, demand_id: int, today: date, settings: Settings, *, act: str, form: Filled[Any] | None = None
) -> DemandPage:
    demand = overview.get_demand(tx, who, demand_id)
    verdict = overview.find_verdict(tx, demand.verdict_id)
    facts = fact_words.said(verdict.facts) if verdict is not None else ()
    reasons = None if verdict is None else reasons_for(tx, verdict, load_tools(tx, settings, today))
    act = act if act in FORMS else ""
    entries, _total = trail_search.find(tx, trail_search.Sought(demand_id=demand_id), limit=100)
    return DemandPage(
        demand=demand,
        explained=explain(verdict, reasons),
        facts=fact_words.known(facts),
        unknown=fact_words.missing(facts),
        lines=demand_search.list_lines(tx, demand_id),
        answers=overview.list_answers(tx, demand_id),
        grants=credit.list_of_demand(tx, demand_id),
        follow_ups=overview.list_follow_ups(tx, demand_id),
        reviews=demand_search.list_reviews(tx, demand_id),
        overrides=demand_search.list_overrides(tx, demand_id),
        verdicts=demand_search.list_verdicts(tx, demand_id),
        banks=overview.list_wanted_banks(tx, demand_id, today),
        history=overview.list_light_changes(tx, demand_id),
        trail=entries,
        contested=contested_items(tx, demand.uscc),
        cooling=clock_words.cooling(find_cooling(tx, demand_id, today), demand.light, today),
        act=act,
        form=form or blank(FORMS.get(act, LookForm)),
        today=today,
    )


def _one_of(asked: str, known: Mapping[str, object], usual: str) -> str:
    return asked if asked in known else usual
