"""One follow-up: what stands in the way, what was done about it, who must move by when, whose it is, how it ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.follow_up import assign_follow_up, close_follow_up, note_progress, promise_follow_up
from service.domain.errors import DomainError
from service.domain.obstacle import Department, department_of
from service.domain.people import Who
from service.doors import AnOfficial, Now, Today, Tx
from service.store import follow_ups, overview
from web import obstacle_words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class NoteForm(Form):
    note: Annotated[str, wording(most=1000, lines=True), Ask(_("办理情况"), None, _("请写明办理情况"))]
    next_on: Annotated[Day, Ask(_("下次日期"), _("须在今天之后。"), _("请填写下次日期"))]


class PromiseForm(Form):
    department: Annotated[Department, Ask(_("责任部门"), _("由它动起来，这一项才能解决。"), _("请选择责任部门"))]
    promised_on: Annotated[Day | None, Ask(_("承诺办结日期"), _("对方答应的日期；还没有答应就留空。"))] = None


class EndForm(Form):
    outcome: Annotated[
        Literal["resolved", "handed_over", "not_solvable", "no_longer_needed"],
        Ask(_("办理结果"), None, _("请选择办理结果")),
    ]


class OwnerForm(Form):
    owner: Annotated[Literal["district", "firm", "platform"], Ask(_("由谁办"), None, _("请选择由谁办理"))]


@dataclass(frozen=True)
class FollowUpPage:
    one: Row[Any]
    demand: Row[Any]
    notes: Sequence[Row[Any]]
    note: Filled[NoteForm]
    promise: Filled[PromiseForm]
    end: Filled[EndForm]
    owner: Filled[OwnerForm]
    obstacle: str
    office: str
    measure: str
    today: date


F = TypeVar("F", bound=Form)


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
    filled = taken(tx, filled, lambda one: note_progress(tx, who, follow_up_id, one.note, one.next_on, today, now))
    if not filled.is_right:
        return _follow_up_page(request, tx, who, today, follow_up_id, filled)
    return redirect(request, f"/follow-ups/{follow_up_id}", gettext("已记录，下次日期已设定。"))


@router.post("/follow-ups/{follow_up_id}/promise")
def promise(
    request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, follow_up_id: int, typed: Typed
) -> Response:
    """Which department must move, and by when it said it would."""
    follow_ups.get(tx, who, follow_up_id)
    filled = taken(
        tx,
        read(PromiseForm, typed),
        lambda one: promise_follow_up(tx, who, follow_up_id, one.department.value, one.promised_on, today, now),
    )
    if not filled.is_right:
        return _follow_up_page(request, tx, who, today, follow_up_id, filled)
    return redirect(request, f"/follow-ups/{follow_up_id}", gettext("责任部门和期限已记录。"))


@router.post("/follow-ups/{follow_up_id}/end")
def end(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, follow_up_id: int, typed: Typed) -> Response:
    """The obstacle is gone, or nothing more can be done about it."""
    follow_ups.get(tx, who, follow_up_id)
    filled = read(EndForm, typed)
    filled = taken(tx, filled, lambda one: close_follow_up(tx, who, follow_up_id, one.outcome, today, now))
    if not filled.is_right:
        return _follow_up_page(request, tx, who, today, follow_up_id, filled)
    return redirect(request, f"/follow-ups/{follow_up_id}", gettext("已办结。"))


@router.post("/follow-ups/{follow_up_id}/owner")
def assign(
    request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, follow_up_id: int, typed: Typed
) -> Response:
    """Whose work it is from now on."""
    follow_ups.get(tx, who, follow_up_id)
    filled = read(OwnerForm, typed)
    filled = taken(tx, filled, lambda one: assign_follow_up(tx, who, follow_up_id, one.owner, None, today, now))
    if not filled.is_right:
        return _follow_up_page(request, tx, who, today, follow_up_id, filled)
    return redirect(request, f"/follow-ups/{follow_up_id}", gettext("已改由对方办理。"))


def taken(tx: Tx, filled: Filled[F], act: Callable[[F], object]) -> Filled[F]:
    """The form after its act: as it was, or with the refusal beside the field it names and nothing done."""
    if not filled.is_right:
        return filled
    try:
        with tx.begin_nested():
            act(filled.answers)
    except DomainError as refusal:
        return filled.refused(refusal)
    return filled


def _follow_up_page(
    request: Request, tx: Tx, who: Who, today: date, follow_up_id: int, wrong: Filled[Any] | None = None
) -> Response:
    one = follow_ups.get(tx, who, follow_up_id)
    demand = overview.get_demand(tx, who, one.demand_id)
    department = department_of(one.obstacle, one.department)
    usual: tuple[Filled[Any], ...] = (
        blank(NoteForm),
        blank(PromiseForm, department=department, promised_on=one.promised_on or ""),
        blank(EndForm),
        blank(OwnerForm, owner=one.owner),
    )
    note, promise, end, owner = (wrong if wrong is not None and wrong.form is each.form else each for each in usual)
    view = FollowUpPage(
        one=one,
        demand=demand,
        notes=follow_ups.list_notes(tx, follow_up_id),
        note=note,
        promise=promise,
        end=end,
        owner=owner,
        obstacle=obstacle_words.name(one.obstacle),
        office=obstacle_words.office(one),
        measure=obstacle_words.measure(one, overview.find_verdict(tx, demand.verdict_id)),
        today=today,
    )
    return page(request, "official/follow_up.html", view, status=422 if wrong else 200)
