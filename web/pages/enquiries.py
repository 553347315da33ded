"""Enquiries by code as those who call see them: whom today, what was said, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.answer_enquiry import BY_PEOPLE, Call, close_enquiry, note_call, tell_code
from service.actions.look_at import LOOKED, look_at
from service.domain.errors import DomainError
from service.domain.people import BANK_ROLES, OFFICIAL_ROLES, Who
from service.domain.scan_code import LONGEST_NOTE, CloseReason
from service.domain.standards import uscc as codes
from service.doors import Now, TheHouse, Today, Tx, only
from service.store import enquiries, trail
from service.store.enquiries import ONLY, Sought
from service.store.trail import Act
from web import enquiry_words, words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, Uscc, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages import bank, official
from web.pages.official import Tab
from web.render import page

Caller = Annotated[Who, Depends(only(*OFFICIAL_ROLES, *BANK_ROLES))]
PER_PAGE = 50
FILTERS = {
    "due": _("该联系的"),
    "open": _("跟进中"),
    "helped": _("已帮助申报"),
    "closed": _("已办结"),
    "all": _("全部"),
}
COLUMNS = (
    Column("firm_name", _("企业和联系人"), sortable=True),
    Column("amount_fen", _("金额（万元）"), numeric=True, sortable=True),
    Column("use", _("用途")),
    Column("leads_to", _("扫的码")),
    Column("district", _("区县")),
    Column("came_on", _("提交"), sortable=True),
    Column("due_on", _("最迟联系"), sortable=True),
)


def badge(request: Request, who: Caller, tx: Tx, today: Today) -> None:
    """The header says for which bank or district one acts."""
    (bank.badge if who.is_bank else official.badge)(request, who, tx, today)


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class CallForm(Form):
    reached: Annotated[Literal["yes", "no"], Ask(_("联系上了吗"), None, _("请选择是否联系上"))]
    note: Annotated[
        str, wording(most=LONGEST_NOTE), Ask(_("说了什么"), _("一句话即可；不要写身份证号等个人信息。"))
    ] = ""
    again_on: Annotated[Day | None, Ask(_("哪天再联系"), _("没联系上时必填；联系上了、等企业申报时可以不填。"))] = None


class FirmCodeForm(Form):
    uscc: Annotated[
        Uscc,
        Ask(_("统一社会信用代码"), _("填上后，企业申报的需求会自动接到这条意向上。"), _("请填写信用代码")),
    ]


class CloseForm(Form):
    reason: Annotated[CloseReason, Ask(_("办结原因"), None, _("请选择办结原因"))]


@dataclass(frozen=True)
class EnquiriesPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    only: str
    leads_to: Mapping[int, str]
    today: date


@dataclass(frozen=True)
class EnquiryPage:
    one: Row[Any]
    number: str
    leads_to: str
    contacts: Sequence[Row[Any]]
    looks: Sequence[Row[Any]]
    form: Filled[CallForm]
    code: Filled[FirmCodeForm]
    end: Filled[CloseForm]
    reasons: Sequence[words.Option]
    is_wrong_code: bool
    may_end: bool
    may_see_demand: bool
    today: date


@router.get("/enquiries")
def show_enquiries(request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today) -> Response:
    """Whom must we call?"""
    wish = Wish.of(request, COLUMNS, usual="due_on")
    asked = request.query_params.get("only", "due")
    chosen = asked if asked in ONLY else "due"
    sought = Sought(chosen, wish.sort, wish.descending, PER_PAGE, wish.offset(PER_PAGE))
    rows, total = enquiries.find(tx, who, sought, today)
    view = EnquiriesPage(
        listing=Listing(COLUMNS, rows, total, "/enquiries", wish, {"only": chosen}, PER_PAGE),
        tabs=[
            Tab(str(label), f"/enquiries?only={key}", key == chosen, total if key == chosen else None)
            for key, label in FILTERS.items()
        ],
        only=chosen,
        leads_to={row.id: enquiry_words.leads_to(row, house.settings) for row in rows},
        today=today,
    )
    return page(request, "enquiries/enquiries.html", view)


@router.get("/enquiries/{enquiry_id}")
def show_enquiry(
    request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today, now: Now, enquiry_id: int
) -> Response:
    """One enquiry with its whole number; the look is noted."""
    one = enquiries.get(tx, who, enquiry_id)
    whose = {"uscc": one.uscc, "bank_id": one.bank_id, "district": one.district}
    look_at(tx, who, Act(LOOKED, "enquiry", enquiry_id, **whose), now)
    return _enquiry_page(request, tx, who, house, today, enquiry_id)


@router.post("/enquiries/{enquiry_id}/calls")
def note(
    request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today, now: Now, enquiry_id: int, typed: Typed
) -> Response:
    """A call that was made, and when again."""
    enquiries.get(tx, who, enquiry_id)
    filled = read(CallForm, typed)
    if filled.is_right:
        given = filled.answers
        call = Call(given.reached == "yes", given.note, given.again_on)
        try:
            with tx.begin_nested():
                note_call(tx, who, enquiry_id, call, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _enquiry_page(request, tx, who, house, today, enquiry_id, form=filled)
    return redirect(request, f"/enquiries/{enquiry_id}", gettext("已记录。"))


@router.post("/enquiries/{enquiry_id}/firm")
def name_firm(
    request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today, now: Now, enquiry_id: int, typed: Typed
) -> Response:
    """The code the firm told: its demand finds this enquiry by it."""
    enquiries.get(tx, who, enquiry_id)
    filled = read(FirmCodeForm, typed)
    is_joined = False
    if filled.is_right:
        try:
            with tx.begin_nested():
                is_joined = tell_code(tx, who, enquiry_id, filled.answers.uscc, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _enquiry_page(request, tx, who, house, today, enquiry_id, code=filled)
    said = gettext("已接上企业申报的需求。") if is_joined else gettext("已记录，企业申报后会自动接上。")
    return redirect(request, f"/enquiries/{enquiry_id}", said)


@router.post("/enquiries/{enquiry_id}/end")
def end(
    request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today, now: Now, enquiry_id: int, typed: Typed
) -> Response:
    enquiries.get(tx, who, enquiry_id)
    filled = read(CloseForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                close_enquiry(tx, who, enquiry_id, filled.answers.reason, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _enquiry_page(request, tx, who, house, today, enquiry_id, end=filled)
    return redirect(request, f"/enquiries/{enquiry_id}", gettext("已办结。"))


def _enquiry_page(
    request: Request,
    tx: Tx,
    who: Who,
    house: TheHouse,
    today: date,
    enquiry_id: int,
    *,
    form: Filled[CallForm] | None = None,
    code: Filled[FirmCodeForm] | None = None,
    end: Filled[CloseForm] | None = None,
) -> Response:
    one = enquiries.get(tx, who, enquiry_id)
    view = EnquiryPage(
        one=one,
        number=enquiries.number_of(one.came_on, one.id),
        leads_to=enquiry_words.leads_to(one, house.settings),
        contacts=enquiries.list_contacts(tx, enquiry_id),
        looks=trail.list_of(tx, "enquiry", enquiry_id),
        form=form or blank(CallForm),
        code=code or blank(FirmCodeForm, uscc=one.uscc or ""),
        end=end or blank(CloseForm),
        reasons=words.options("close_reason", BY_PEOPLE),
        is_wrong_code=one.uscc is not None and codes.state_of(one.uscc) is not codes.CodeState.VALID,
        may_end=who.is_official,
        may_see_demand=who.is_official,
        today=today,
    )
    return page(request, "enquiries/enquiry.html", view, status=422 if form or code or end else 200)
