"""What a scanned code opens on any telephone: a form of one page without an account, and the receipt after it."""

import re
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import iter_route_contexts
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.enquire import CLOCK, From, enquire, take_back
from service.actions.enquire import EnquiryForm as Enquired
from service.clock import machine_now
from service.domain.clocks import clock
from service.domain.errors import Conflict, DomainError, NotAllowed
from service.domain.people import THE_DOOR
from service.domain.scan_code import LAWFUL_USES
from service.doors import DoorTx, House, Now, TheHouse, Today
from service.pace import address_of as address_at
from service.security import CODE_KEY_LENGTH, READABLE, hash_token
from service.store import enquiries, intake_codes
from service.store.intake_codes import Scanned
from web import consent_words, enquiry_words, words
from web.consent_words import ContactText
from web.csrf import guard
from web.flash import redirect
from web.formats import day
from web.forms import Ask, District, Filled, Form, Phone, Typed, Uscc, blank, money, read, wording
from web.language import gettext
from web.language import lazy as _
from web.render import page

router = APIRouter(dependencies=[Depends(guard)])

KEY = re.compile(f"[{READABLE}]{{{CODE_KEY_LENGTH}}}")
RECEIPT = re.compile(r"[A-Za-z0-9_-]{22}")
RECEIPT_BYTES = 16
SMALLEST, LARGEST = 100_000, 10_000_000_000
"""Fen, 1,000 yuan to 1 yi: what the policy lets anyone ask for."""
REGISTER = "/register"
LawfulUse = Literal["working_capital", "equipment", "premises", "trade", "research", "agriculture", "renewal", "other"]


class EnquiryForm(Form):
    firm_name: Annotated[
        str,
        wording(most=120, least=2),
        Ask(_("企业或个体户名称"), _("执照上的名称。"), _("请填写企业或个体户名称")),
    ]
    contact_name: Annotated[str, wording(most=40), Ask(_("联系人"), None, _("请填写联系人姓名"))]
    mobile: Annotated[Phone, Ask(_("手机号"), _("我们会打这个电话。"), _("请填写手机号"))]
    amount_fen: Annotated[
        int,
        money("yuan", least=SMALLEST, most=LARGEST),
        Ask(_("想借多少"), _("填大概的数，例如 300000，也可以写 30万。"), _("请填写想借的金额")),
    ]
    use: Annotated[LawfulUse, Ask(_("用来做什么"), None, _("请选择用途"))]
    uscc: Annotated[Uscc | None, Ask(_("统一社会信用代码"), _("营业执照上的 18 位代码；手边没有可以不填。"))] = None
    consent: Annotated[Literal["yes"], Ask(_("我已阅读并同意"), None, _("请勾选同意，否则我们不能联系您"))]
    shown: Annotated[str, Ask(_("同意书"))] = ""
    receipt: Annotated[str, Ask(_("表单编号"))] = ""


class EnquiryInTheCity(EnquiryForm):
    """Behind a code of the whole city: where the firm works must be asked."""

    district: Annotated[District, Ask(_("企业在哪个区县经营"), None, _("请选择区县"))]


@dataclass(frozen=True)
class ScanPage:
    form: Filled[Any]
    code: Scanned
    action: str
    leads_to: str
    consent: ContactText
    receipt: str
    days: int
    uses: list[words.Option]
    asks_district: bool


@dataclass(frozen=True)
class ReceiptPage:
    number: str
    one: Row[Any]
    team: str
    caller: str
    register: str
    """Where a firm opens an account of its own; empty where this platform has no such page."""
    back: str


@dataclass(frozen=True)
class EndedPage:
    title: str
    reason: str
    hotline: str
    dial: str


@router.get("/s/{key}")
def show_form(request: Request, tx: DoorTx, house: TheHouse, today: Today, key: str) -> Response:
    """The form, or why this code leads nowhere and where to turn instead."""
    code = _scanned(tx, key)
    if code is None or not code.holds_on(today):
        return _ended_page(request, house, code, today)
    intake_codes.count_scan(tx, key.lower())
    return _scan_page(request, house, key, code, blank(_form_of(code)), today)


@router.post("/s/{key}")
def send(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now, key: str, typed: Typed) -> Response:
    """Take the enquiry; the same form sent again only leads to its receipt once more."""
    code = _scanned(tx, key)
    if code is None or not code.holds_on(today):
        return _ended_page(request, house, code, today)
    filled = read(_form_of(code), typed)
    receipt = filled.said("receipt")
    if RECEIPT.fullmatch(receipt) and enquiries.find_receipt(tx, key.lower(), hash_token(receipt)):
        return redirect(request, f"/s/{key}/receipts/{receipt}")
    filled = _with_consent(filled, _consent_of(code, house))
    if not filled.is_right or not RECEIPT.fullmatch(receipt):
        return _scan_page(request, house, key, code, filled, today, 422)
    sender = From(address_at(request), machine_now())
    try:
        with tx.begin_nested():
            enquire(tx, THE_DOOR, key.lower(), _enquired(filled.answers), sender, today, now)
    except DomainError as refusal:
        status = 429 if isinstance(refusal, NotAllowed) else 422
        return _scan_page(request, house, key, code, filled.refused(refusal), today, status)
    return redirect(request, f"/s/{key}/receipts/{receipt}")


@router.get("/s/{key}/receipts/{receipt}")
def show_receipt(request: Request, tx: DoorTx, house: TheHouse, today: Today, key: str, receipt: str) -> Response:
    """Number, who calls, by when; only the sender of the form knows this address, and it tells nothing they typed."""
    one = _find_receipt(tx, key, receipt)
    if one is None:
        return _ended_page(request, house, _scanned(tx, key), today)
    team = enquiry_words.team_of(one.district)
    callers = [part for part in (team, " ".join(filter(None, (one.bank_name, one.person_name)))) if part]
    view = ReceiptPage(
        number=enquiries.number_of(one.came_on, one.id),
        one=one,
        team=team,
        caller=gettext("或").join(dict.fromkeys(callers)),
        register=REGISTER if has_page(request.app, REGISTER) else "",
        back=f"/s/{key}/receipts/{receipt}",
    )
    return page(request, "entry/receipt.html", view)


@router.post("/s/{key}/receipts/{receipt}/withdrawal")
def withdraw(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now, key: str, receipt: str) -> Response:
    """Taken back as easily as it was given: what was told of people is gone before the next page is seen."""
    if _find_receipt(tx, key, receipt) is None:
        return _ended_page(request, house, _scanned(tx, key), today)
    take_back(tx, THE_DOOR, key.lower(), receipt, today, now)
    return redirect(request, f"/s/{key}/receipts/{receipt}", gettext("已撤回，您的姓名、电话和企业名称已删除。"))


def has_page(app: FastAPI, path: str) -> bool:
    """Whether this platform has a page at an address."""
    return any(context.path == path for context in iter_route_contexts(app.routes))


def _scanned(tx: DoorTx, key: str) -> Scanned | None:
    """What the key leads to; typed off a poster it may come in capitals."""
    return intake_codes.find_scanned(tx, key.lower()) if KEY.fullmatch(key.lower()) else None


def _find_receipt(tx: DoorTx, key: str, receipt: str) -> Row[Any] | None:
    if not (KEY.fullmatch(key.lower()) and RECEIPT.fullmatch(receipt)):
        return None
    return enquiries.find_receipt(tx, key.lower(), hash_token(receipt))


def _form_of(code: Scanned) -> type[EnquiryForm]:
    return EnquiryInTheCity if code.district is None else EnquiryForm


def _consent_of(code: Scanned, house: House) -> ContactText:
    return consent_words.for_contact(code.bank_name, house.settings.enquiry_days)


def _with_consent(filled: Filled[Any], consent: ContactText) -> Filled[Any]:
    """A tick counts only for the words that were shown."""
    if not filled.is_right or filled.answers.shown == consent.text_hash:
        return filled
    return filled.refused(Conflict("同意书的内容已有变化，请重新阅读后再勾选。", field="consent"))


def _enquired(said: EnquiryForm) -> Enquired:
    return Enquired(
        receipt=said.receipt,
        firm_name=said.firm_name,
        contact_name=said.contact_name,
        mobile=said.mobile,
        amount_fen=said.amount_fen,
        use=said.use,
        consent_hash=said.shown,
        uscc=said.uscc,
        district=said.district if isinstance(said, EnquiryInTheCity) else None,
    )


def _scan_page(
    request: Request, house: House, key: str, code: Scanned, form: Filled[Any], today: date, status: int = 200
) -> Response:
    typed = form.said("receipt")
    view = ScanPage(
        form=form,
        code=code,
        action=f"/s/{key}",
        leads_to=enquiry_words.leads_to(code, house.settings),
        consent=_consent_of(code, house),
        receipt=typed if RECEIPT.fullmatch(typed) else secrets.token_urlsafe(RECEIPT_BYTES),
        days=clock(CLOCK, today).length,
        uses=words.options("use_of_loan", LAWFUL_USES),
        asks_district=code.district is None,
    )
    return page(request, "entry/scan.html", view, status=status)


def _ended_page(request: Request, house: House, code: Scanned | None, today: date) -> Response:
    """404 for a key nobody made, 410 for one that has ended or not begun."""
    hotline = house.settings.hotline
    view = EndedPage(
        title=gettext("没有这个二维码") if code is None else gettext("这个二维码现在不能用"),
        reason=_why(code, today),
        hotline=hotline,
        dial="".join(letter for letter in hotline if letter in "+0123456789"),
    )
    return page(request, "entry/code_ended.html", view, status=404 if code is None else 410)


def _why(code: Scanned | None, today: date) -> str:
    if code is None:
        return gettext("地址可能输错了一位，也可能不是本平台的码。请对着海报再扫一次。")
    if code.is_withdrawn:
        return gettext("制作的单位已经停用它。您的融资需求照样可以办理。")
    if code.from_on > today:
        return str(_("它从 %(day)s 起可用。").with_(day=day(code.from_on)))
    return str(_("“%(name)s”活动已经结束。您的融资需求照样可以办理。").with_(name=code.campaign))
