"""The district team's work list: reviews that wait, follow-ups that are due, and where demands stick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.follow_up import assign_follow_up, close_follow_up, note_progress
from service.actions.review_demand import Look, review_demands
from service.domain.errors import DomainError
from service.domain.people import Who
from service.doors import ADistrictOfficial, AnOfficial, Now, TheHouse, Today, Tx
from service.profiles.tools import load_tools
from service.store import demand_search, follow_ups, overview, verdicts
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.pages.official import MOST_LISTED, badge, obstacle_name
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class LooksForm(Form):
    """Several demands, one word."""

    demand: Annotated[tuple[int, ...], Ask(_("需求"), None, _("请先勾选要复核的需求"))]
    sentence: Annotated[
        str,
        wording(most=500, lines=True),
        Ask(_("复核意见"), _("一句话写明依据，例如：已走访，经营正常。"), _("请写一句复核意见")),
    ]
    decision: Annotated[Literal["recommended", "returned", "noted"], Ask(_("决定"), None, _("请选择决定"))]


class NoteForm(Form):
    note: Annotated[str, wording(most=1000, lines=True), Ask(_("办理情况"), None, _("请写明办理情况"))]
    next_on: Annotated[Day, Ask(_("下次日期"), _("须在今天之后。"), _("请填写下次日期"))]


class EndForm(Form):
    outcome: Annotated[
        Literal["resolved", "handed_over", "not_solvable", "no_longer_needed"],
        Ask(_("办理结果"), None, _("请选择办理结果")),
    ]


class OwnerForm(Form):
    owner: Annotated[Literal["district", "firm", "platform"], Ask(_("由谁办"), None, _("请选择由谁办理"))]


@dataclass(frozen=True)
class WorkPage:
    form: Filled[LooksForm]
    reviews: Sequence[Row[Any]]
    due: Sequence[Row[Any]]
    later: Sequence[Row[Any]]
    tally: Mapping[str, Row[Any]]
    today: date
    follow_ups: int
    """How many there are in all; the page lists the first to come due."""


@dataclass(frozen=True)
class FollowUpPage:
    one: Row[Any]
    demand: Row[Any]
    notes: Sequence[Row[Any]]
    form: Filled[NoteForm]
    end: Filled[EndForm]
    owner: Filled[OwnerForm]
    obstacle: str
    today: date


@router.get("/district")
def show_work(request: Request, who: ADistrictOfficial, tx: Tx, today: Today) -> Response:
    """What must we decide or chase today?"""
    return _work_page(request, tx, who, today, blank(LooksForm))


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


@router.get("/follow-ups/{follow_up_id}")
def show_follow_up(request: Request, who: AnOfficial, tx: Tx, today: Today, follow_up_id: int) -> Response:
    return _follow_up_page(request, tx, who, today, follow_up_id)


@router.post("/follow-ups/{follow_up_id}/notes")
def note(
    request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, follow_up_id: int, typed: Typed
) -> Response:
    """What was done, and when we look again."""
    follow_ups.get(tx, who, follow_up_id)
    filled = read(NoteForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                note_progress(tx, who, follow_up_id, filled.answers.note, filled.answers.next_on, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _follow_up_page(request, tx, who, today, follow_up_id, form=filled)
    return redirect(request, f"/follow-ups/{follow_up_id}", gettext("已记录，下次日期已设定。"))


@router.post("/follow-ups/{follow_up_id}/end")
def end(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, follow_up_id: int, typed: Typed) -> Response:
    """The obstacle is gone, or nothing more can be done about it."""
    follow_ups.get(tx, who, follow_up_id)
    filled = read(EndForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                close_follow_up(tx, who, follow_up_id, filled.answers.outcome, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _follow_up_page(request, tx, who, today, follow_up_id, end=filled)
    return redirect(request, f"/follow-ups/{follow_up_id}", gettext("已办结。"))


@router.post("/follow-ups/{follow_up_id}/owner")
def assign(
    request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, follow_up_id: int, typed: Typed
) -> Response:
    """Whose work it is from now on."""
    follow_ups.get(tx, who, follow_up_id)
    filled = read(OwnerForm, typed)
    if not filled.is_right:
        return _follow_up_page(request, tx, who, today, follow_up_id, owner=filled)
    assign_follow_up(tx, who, follow_up_id, filled.answers.owner, None, today, now)
    return redirect(request, f"/follow-ups/{follow_up_id}", gettext("已改由对方办理。"))


def _work_page(request: Request, tx: Tx, who: Who, today: date, form: Filled[LooksForm], status: int = 200) -> Response:
    rows = follow_ups.list_open(tx, who, limit=MOST_LISTED)
    view = WorkPage(
        form=form,
        reviews=verdicts.list_waiting(tx, who, MOST_LISTED),
        due=[row for row in rows if row.next_on <= today],
        later=[row for row in rows if row.next_on > today],
        tally=demand_search.tally(tx, who, today),
        today=today,
        follow_ups=len(follow_ups.list_open_ids(tx, who)),
    )
    return page(request, "official/work.html", view, status=status)


def _follow_up_page(
    request: Request,
    tx: Tx,
    who: Who,
    today: date,
    follow_up_id: int,
    *,
    form: Filled[NoteForm] | None = None,
    end: Filled[EndForm] | None = None,
    owner: Filled[OwnerForm] | None = None,
) -> Response:
    one = follow_ups.get(tx, who, follow_up_id)
    view = FollowUpPage(
        one=one,
        demand=overview.get_demand(tx, who, one.demand_id),
        notes=follow_ups.list_notes(tx, follow_up_id),
        form=form or blank(NoteForm),
        end=end or blank(EndForm),
        owner=owner or blank(OwnerForm, owner=one.owner),
        obstacle=obstacle_name(one.obstacle),
        today=today,
    )
    return page(request, "official/follow_up.html", view, status=422 if form or end or owner else 200)
