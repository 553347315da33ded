"""Objections as the district and the operator work them: due first, put to the department, decided with reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.decide_objection import ask_department, decide_objection, note_objection
from service.actions.look_at import LOOKED, look_at
from service.domain.errors import DomainError
from service.domain.objection import LONGEST_TEXT, ObjectionState, Terms, terms_on
from service.domain.people import Role, Who
from service.doors import Now, Today, Tx, only
from service.intake.catalogue import Item
from service.profiles.profile import Fact, fact_of
from service.store import objections, records
from service.store.objections import WHICH, Wanted
from service.store.trail import Act
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages import official, operator
from web.pages.official import Tab
from web.render import page

Answerer = Annotated[Who, Depends(only(Role.DISTRICT, Role.OPERATOR))]
PER_PAGE = 50
FILTERS = {
    "open": _("待答复"),
    "overdue": _("已过日期"),
    "asked": _("等部门核查"),
    "closed": _("已有结果"),
    "all": _("全部"),
}
COLUMNS = (
    Column("firm", _("企业")),
    Column("item", _("记录")),
    Column("wrong", _("哪里不对")),
    Column("raised_on", _("提出")),
    Column("state", _("进展")),
    Column("due_on", _("最迟")),
)


def badge(request: Request, who: Answerer, tx: Tx, today: Today) -> None:
    """The header of whoever is here."""
    if who.role is Role.OPERATOR:
        operator.badge(request, who, tx, today)
    else:
        official.badge(request, who, tx, today)


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class NoteForm(Form):
    note: Annotated[str, wording(most=LONGEST_TEXT, lines=True), Ask(_("办理情况"), None, _("请写明办理情况"))]


class InquiryForm(Form):
    inquiry: Annotated[
        str,
        wording(most=LONGEST_TEXT, lines=True),
        Ask(_("请部门核查什么"), _("写明怎样转给了部门、请它核查哪一项。"), _("请写明请部门核查什么")),
    ]


class DecisionForm(Form):
    decision: Annotated[Literal["upheld", "refused"], Ask(_("处理结果"), None, _("请选择处理结果"))]
    answer: Annotated[
        str,
        wording(most=LONGEST_TEXT, lines=True),
        Ask(_("依据"), _("企业会看到；不成立的，写明核查了什么、结论是什么。"), _("请写明依据")),
    ]


@dataclass(frozen=True)
class ObjectionsPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    only: str
    terms: Terms
    today: date


@dataclass(frozen=True)
class ObjectionPage:
    one: Row[Any]
    item: Item
    fact: Fact
    notes: Sequence[Row[Any]]
    forms: Mapping[str, Filled[Any]]
    terms: Terms
    today: date

    @property
    def is_open(self) -> bool:
        return bool(self.one.state == ObjectionState.OPEN)


@router.get("/objections")
def show_objections(request: Request, who: Answerer, tx: Tx, today: Today) -> Response:
    """Which firms contest which records, and whom must we answer first?"""
    shown = request.query_params.get("only", "")
    shown = shown if shown in WHICH else "open"
    wish = Wish.of(request, COLUMNS, usual="due_on")
    rows, total = objections.list_wanted(tx, who, Wanted(shown, PER_PAGE, wish.offset(PER_PAGE)), today)
    tabs = [
        Tab(str(label), f"/objections?only={key}", key == shown, total if key == shown else None)
        for key, label in FILTERS.items()
    ]
    listing = Listing(COLUMNS, rows, total, "/objections", wish, {"only": shown}, PER_PAGE)
    return page(request, "official/objections.html", ObjectionsPage(listing, tabs, shown, terms_on(today), today))


@router.get("/objections/{objection_id}")
def show_objection(request: Request, who: Answerer, tx: Tx, today: Today, now: Now, objection_id: int) -> Response:
    """One objection with the record and the firm's paper; the look is noted where the firm can read it."""
    view = _view(tx, who, objection_id, today)
    whose = {"uscc": view.one.uscc, "district": view.one.district}
    look_at(tx, who, Act(LOOKED, "objection", objection_id, **whose), now)
    return page(request, "official/objection.html", view)


@router.post("/objections/{objection_id}/notes")
def note(request: Request, who: Answerer, tx: Tx, today: Today, now: Now, objection_id: int, typed: Typed) -> Response:
    """What was done so far."""
    filled = read(NoteForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                note_objection(tx, who, objection_id, filled.answers.note, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return _after(request, tx, who, objection_id, today, ("note", filled), gettext("已记录。"))


@router.post("/objections/{objection_id}/inquiry")
def put_to_department(
    request: Request, who: Answerer, tx: Tx, today: Today, now: Now, objection_id: int, typed: Typed
) -> Response:
    """The department the record came from is asked; the answer is due later."""
    filled = read(InquiryForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                ask_department(tx, who, objection_id, filled.answers.inquiry, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return _after(request, tx, who, objection_id, today, ("inquiry", filled), gettext("已转来源部门，时限已顺延。"))


@router.post("/objections/{objection_id}/decision")
def decide(
    request: Request, who: Answerer, tx: Tx, today: Today, now: Now, objection_id: int, typed: Typed
) -> Response:
    """Upheld or refused, with the reasons the firm reads."""
    filled = read(DecisionForm, typed)
    if filled.is_right:
        given = filled.answers
        try:
            with tx.begin_nested():
                decide_objection(tx, who, objection_id, given.decision, given.answer, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return _after(request, tx, who, objection_id, today, ("decision", filled), gettext("已答复，企业会收到消息。"))


def _after(
    request: Request, tx: Tx, who: Who, objection_id: int, today: date, sent: tuple[str, Filled[Any]], said: str
) -> Response:
    """On to the objection, or its page again with what is wrong in the form that was sent."""
    view = _view(tx, who, objection_id, today, dict([sent]))
    if sent[1].is_right:
        return redirect(request, f"/objections/{objection_id}", said)
    return page(request, "official/objection.html", view, status=422)


def _view(
    tx: Tx, who: Who, objection_id: int, today: date, sent: Mapping[str, Filled[Any]] | None = None
) -> ObjectionPage:
    one = objections.get(tx, who, objection_id)
    item, fact = fact_of(records.get(tx, one.record_id))
    forms: dict[str, Filled[Any]] = {
        "note": blank(NoteForm),
        "inquiry": blank(InquiryForm),
        "decision": blank(DecisionForm),
    }
    return ObjectionPage(
        one, item, fact, objections.list_notes(tx, objection_id), forms | dict(sent or {}), terms_on(today), today
    )
