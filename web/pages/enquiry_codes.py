"""Codes as those who hang them up see them: what came by each, a new one, the poster, the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.enquire import CLOCK
from service.actions.issue_code import MAY_ISSUE, CodeForm, issue_code, may_withdraw, withdraw_code
from service.domain.clocks import clock
from service.domain.errors import DomainError
from service.domain.people import Role, Who
from service.domain.scan_code import CodeKind
from service.doors import House, Now, TheHouse, Today, Tx
from service.store import accounts, intake_codes
from web import enquiry_words, takeaway, words
from web.csrf import guard
from web.documents import printed, qr_picture, qr_svg
from web.flash import redirect
from web.forms import Ask, Day, District, Filled, Form, Typed, blank, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.enquiries import Caller, badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
COLUMNS = (
    Column("campaign", _("活动")),
    Column("leads_to", _("通向")),
    Column("days", _("起止")),
    Column("scans", _("扫码"), numeric=True),
    Column("enquiries", _("意向"), numeric=True),
    Column("demands", _("需求"), numeric=True),
    Column("standing", _("状态")),
)
SIZES: Mapping[str, float] = {"a4": 1.0, "a3": 2**0.5}
"""How many times larger a poster is than on A4."""


class NewCodeForm(Form):
    """A district's own code: its place is known."""

    kind: Annotated[CodeKind, Ask(_("通向谁"), None, _("请选择通向谁"))]
    campaign: Annotated[
        str, wording(most=60), Ask(_("活动名称"), _("印在海报上，例如：走进批发市场。"), _("请填写活动名称"))
    ]
    from_on: Annotated[Day, Ask(_("从哪天起"), None, _("请填写开始日期"))]
    until_on: Annotated[Day | None, Ask(_("到哪天止"), _("不填就一直有效，可以随时停用。"))] = None


class CitysCodeForm(NewCodeForm):
    district: Annotated[District | None, Ask(_("区县"), _("通向区县时必选。"))] = None


class BanksCodeForm(NewCodeForm):
    district: Annotated[District, Ask(_("区县"), _("这个区县的专班一起跟进收到的意向。"), _("请选择区县"))]
    outlet: Annotated[str, wording(most=80), Ask(_("网点名称"), _("通向网点时必填，例如：建设路支行。"))] = ""
    person_id: Annotated[int | None, whole(), Ask(_("哪一位"), _("通向一位工作人员时选；不选就是您自己。"))] = None


@dataclass(frozen=True)
class CodesPage:
    listing: Listing[Row[Any]]
    leads_to: Mapping[int, str]
    standing: Mapping[int, tuple[str, str]]
    shows_ended: bool


@dataclass(frozen=True)
class NewCodePage:
    form: Filled[Any]
    kinds: Sequence[words.Option]
    asks: frozenset[str]
    """The questions this role is asked."""
    people: Sequence[words.Option]


@dataclass(frozen=True)
class CodePage:
    one: Row[Any]
    leads_to: str
    standing: tuple[str, str]
    address: str
    code: Markup
    enquiries: int
    demands: int
    may_withdraw: bool


@dataclass(frozen=True)
class Poster:
    """One poster; every length in it grows with `size`."""

    title: str
    watermark: str
    size: Literal["a4", "a3"]
    scale: float
    city: str
    leads_to: str
    campaign: str
    until_on: date | None
    days: int
    hotline: str
    address: str
    code: Markup


@router.get("/enquiries/codes")
def show_codes(request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today) -> Response:
    """Which codes hang where, and what came of them?"""
    wish = Wish.of(request, COLUMNS, usual="")
    ended = request.query_params.get("ended") == "1"
    rows, total = intake_codes.list_of(tx, who, today, ended=ended, limit=PER_PAGE, offset=wish.offset(PER_PAGE))
    filters = {"ended": "1"} if ended else {}
    view = CodesPage(
        listing=Listing(COLUMNS, rows, total, "/enquiries/codes", wish, filters, PER_PAGE),
        leads_to={row.id: enquiry_words.leads_to(row, house.settings) for row in rows},
        standing={row.id: enquiry_words.standing_of(row, today) for row in rows},
        shows_ended=ended,
    )
    return page(request, "enquiries/codes.html", view)


@router.get("/enquiries/codes/new")
def show_new_code(request: Request, who: Caller, tx: Tx, today: Today) -> Response:
    first = MAY_ISSUE[who.role][-1 if who.is_bank else 0]
    return _new_code_page(request, tx, who, today, blank(_form_for(who), kind=first, from_on=today))


@router.post("/enquiries/codes")
def make_code(request: Request, who: Caller, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """A code of one's own place, ready to print."""
    filled = read(_form_for(who), typed)
    if not filled.is_right:
        return _new_code_page(request, tx, who, today, filled, 422)
    try:
        with tx.begin_nested():
            code_id = issue_code(tx, who, CodeForm(**filled.answers.model_dump()), today, now)
    except DomainError as refusal:
        return _new_code_page(request, tx, who, today, filled.refused(refusal), 422)
    return redirect(request, f"/enquiries/codes/{code_id}", gettext("二维码已做好，可以下载海报。"))


@router.get("/enquiries/codes/{code_id}/poster.pdf")
def print_poster(request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today, code_id: int) -> Response:
    """The poster on A4, or on A3 by `?size=a3`."""
    asked: Literal["a4", "a3"] = "a3" if request.query_params.get("size") == "a3" else "a4"
    code = intake_codes.get(tx, who, code_id)
    return printed("documents/poster.html", _poster(code, house, asked, today), f"xindeng-poster-{code_id}-{asked}")


@router.get("/enquiries/codes/{code_id}.svg")
def take_svg(who: Caller, tx: Tx, house: TheHouse, code_id: int) -> Response:
    return _picture(intake_codes.get(tx, who, code_id), house, "svg", "image/svg+xml")


@router.get("/enquiries/codes/{code_id}.png")
def take_png(who: Caller, tx: Tx, house: TheHouse, code_id: int) -> Response:
    return _picture(intake_codes.get(tx, who, code_id), house, "png", "image/png")


@router.get("/enquiries/codes/{code_id}")
def show_code(request: Request, who: Caller, tx: Tx, house: TheHouse, today: Today, code_id: int) -> Response:
    """One code: where it leads, what came by it, how to print it."""
    one = intake_codes.get(tx, who, code_id)
    found, demands = intake_codes.counts_of(tx, code_id)
    address = enquiry_words.address_of(one.key, house.settings)
    view = CodePage(
        one=one,
        leads_to=enquiry_words.leads_to(one, house.settings),
        standing=enquiry_words.standing_of(one, today),
        address=address,
        code=qr_svg(address),
        enquiries=found,
        demands=demands,
        may_withdraw=one.withdrawn_on is None and may_withdraw(who, one),
    )
    return page(request, "enquiries/code.html", view)


@router.post("/enquiries/codes/{code_id}/withdrawal")
def end_code(request: Request, who: Caller, tx: Tx, today: Today, now: Now, code_id: int) -> Response:
    """From now on whoever scans it reads where to turn instead."""
    withdraw_code(tx, who, code_id, today, now)
    return redirect(request, f"/enquiries/codes/{code_id}", gettext("已停用。扫到它的人会看到热线电话。"))


def _form_for(who: Who) -> type[NewCodeForm]:
    if who.is_bank:
        return BanksCodeForm
    return CitysCodeForm if who.role is Role.CITY else NewCodeForm


def _picture(code: Row[Any], house: House, kind: Literal["svg", "png"], media_type: str) -> Response:
    drawn = qr_picture(enquiry_words.address_of(code.key, house.settings), kind)
    return takeaway.download(drawn, f"xindeng-code-{code.id}.{kind}", media_type)


def _poster(code: Row[Any], house: House, size: Literal["a4", "a3"], today: date) -> Poster:
    address = enquiry_words.address_of(code.key, house.settings)
    return Poster(
        title=gettext("要贷款？扫一扫"),
        watermark="",
        size=size,
        scale=SIZES[size],
        city=enquiry_words.city_of(house.settings),
        leads_to=enquiry_words.leads_to(code, house.settings),
        campaign=code.campaign,
        until_on=code.until_on,
        days=clock(CLOCK, today).length,
        hotline=house.settings.hotline,
        address=address,
        code=qr_svg(address),
    )


def _new_code_page(request: Request, tx: Tx, who: Who, today: date, form: Filled[Any], status: int = 200) -> Response:
    names = accounts.names_of_bank(tx, who, today) if who.role is Role.BANK_ADMIN else {}
    view = NewCodePage(
        form=form,
        kinds=words.options("code_kind", MAY_ISSUE[who.role]),
        asks=frozenset(_form_for(who).model_fields),
        people=[words.Option(str(key), name) for key, name in names.items()],
    )
    return page(request, "enquiries/new_code.html", view, status=status)
