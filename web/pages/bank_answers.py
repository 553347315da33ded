"""One answer for many lines: shown before it is confirmed, held for a minute, undone by one click."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.answer_push import answer_lines
from service.actions.hold_answers import Together, hold_answers, undo_held
from service.actions.try_answers import try_answers
from service.domain.answering import Answered, fault_of
from service.domain.people import Who
from service.doors import AnOfficer, Now, TheHouse, Today, Tx
from service.store import bank_line, list_views
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, read, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.pages.bank import (
    BulkForm,
    Outcome,
    answered,
    back_of,
    badge,
    catch_up,
    list_one_came_from,
    lists_page,
    query_of,
)
from web.refusals import said
from web.render import page

F = TypeVar("F", bound=BulkForm)
router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class ConfirmForm(BulkForm):
    """The same, as it was shown."""

    batch: Annotated[str, wording(least=16, most=32), Ask(_("批次"))]


class OneForm(Form):
    """One line of a batch, or all of it."""

    only: Annotated[int | None, Ask(_("推送项"))] = None


@dataclass(frozen=True)
class SummaryPage:
    """What would happen: how many lines for how much, and which of those ticked cannot be answered so."""

    form: Filled[BulkForm]
    line_ids: Sequence[int]
    amount_fen: int
    refused: Sequence[Outcome]
    names: Sequence[str]
    batch: str
    seconds: int
    back: str
    query: str


@router.post("/push-lines/answers")
def answer_many(
    request: Request, who: AnOfficer, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed
) -> Response:
    """One ticked line is answered at once; several are shown first, with what cannot be answered and why."""
    catch_up(request, who, tx, now)
    filled = _read(BulkForm, typed)
    if not filled.is_right:
        one = list_one_came_from(request, tx, who)
        return lists_page(request, tx, who, today, now, filled, list_views.list_filters(tx, who), status=422, one=one)
    told = _together(filled.answers, "", 0)
    if len(told.forms()) == 1:
        return answered(request, tx, who, answer_lines(tx, who, told.forms(), today, now), back_of(request))
    view = _summary(request, tx, who, filled, told, (today, now, house.settings.undo_seconds))
    return page(request, "bank/summary.html", view)


@router.post("/held-answers")
def hold(request: Request, who: AnOfficer, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    """Confirmed: the answers count from now and are given when they can no longer be undone."""
    filled = _read(ConfirmForm, typed)
    given = filled.answers
    seconds = house.settings.undo_seconds
    results = hold_answers(tx, who, _together(given, given.batch, seconds), today, now)
    if any(one.error is not None for one in results):
        return answered(request, tx, who, results, back_of(request), is_held=True)
    return redirect(request, back_of(request))


@router.post("/held-answers/{batch}/withdrawal")
def undo(request: Request, who: AnOfficer, tx: Tx, now: Now, batch: str, typed: Typed) -> Response:
    """Take the batch back, or one line of it; too late is said plainly, and the line's own page can still correct."""
    only = read(OneForm, typed)
    undone = undo_held(tx, who, batch, only.answers.only, now)
    if undone:
        message = ngettext("已撤销 %(num)d 项，没有反馈给企业。", "已撤销 %(num)d 项，没有反馈给企业。", undone)
        return redirect(request, back_of(request), message % {"num": undone})
    late = gettext("没有可以撤销的：已撤销过，或已过撤销时间。已生效的反馈可在该项页面更正。")
    return redirect(request, back_of(request), late, "warning")


def _read(form: type[F], typed: Typed) -> Filled[F]:
    """A refusal needs its reasons."""
    filled = read(form, typed)
    if filled.is_right and filled.answers.kind == "refused":
        if not filled.answers.reasons:
            return Filled(form, filled.typed, {"reasons": gettext("请选择 1 至 4 个拒绝原因")})
        fault = fault_of(_together(filled.answers, "", 0).forms()[0], date.max)
        return filled.refused(fault) if fault else filled
    return filled


def _together(given: BulkForm, key: str, seconds: int) -> Together:
    is_refused = given.kind == "refused"
    reasons = tuple(str(reason) for reason in given.reasons) if is_refused else ()
    return Together(key, given.line, given.kind, reasons, given.text if is_refused else "", seconds)


def _summary(
    request: Request, tx: Tx, who: Who, filled: Filled[BulkForm], told: Together, when: tuple[date, datetime, int]
) -> SummaryPage:
    today, now, seconds = when
    tried: list[Answered] = [one.answered for one in try_answers(tx, who, told.forms(), today, now)]
    brief = {row.id: row for row in bank_line.list_brief(tx, who, told.line_ids)}
    good = [one.line_id for one in tried if one.error is None]
    return SummaryPage(
        form=filled,
        line_ids=good,
        amount_fen=sum(brief[one].amount_fen for one in good),
        refused=[Outcome(one.line_id, _name(brief, one.line_id), said(one.error)) for one in tried if one.error],
        names=[_name(brief, one) for one in good],
        batch=secrets.token_hex(16),
        seconds=seconds,
        back=back_of(request),
        query=query_of(request),
    )


def _name(brief: Mapping[int, Row[Any]], line_id: int) -> str:
    return (brief[line_id].firm_name or "") if line_id in brief else ""
