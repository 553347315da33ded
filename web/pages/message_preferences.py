"""Messages by SMS and e-mail for whoever is signed in: where to, proved by a code, and which; links in an SMS."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BeforeValidator
from sqlalchemy import Row
from starlette.responses import RedirectResponse, Response

from service.actions.send_messages import ADDRESS, code_of
from service.actions.set_contacts import ask_address, confirm_address, prefer, remove_address, topics_for
from service.domain.errors import DomainError, NotAllowed, NotFound
from service.domain.outgoing import CODE_DIGITS, MessageChannel, masked_address
from service.domain.people import Who
from service.doors import AFirm, Anyone, Now, TheHouse, Today, Tx
from service.message_providers import Sandbox, providers_of
from service.security import unsealed
from service.settings import Settings
from service.store import contacts, notices, outgoing, people
from web import notice_words, words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Mobile, Typed, blank, plain, read, wrong
from web.language import gettext, spoken
from web.language import lazy as _
from web.message_words import Choice, choices
from web.pages import exports, firm
from web.pages.entry import HOME
from web.render import page

PREFERENCES = "/messages/preferences"
LATEST = 8
LANGUAGES = (Choice("zh_Hans_CN", "中文", ""), Choice("en", "English", ""))
SMS, EMAIL = MessageChannel.SMS, MessageChannel.EMAIL


def badge(request: Request, who: Anyone, tx: Tx, today: Today) -> None:
    """The header as on one's other pages."""
    if who.person_id is None:
        raise NotAllowed("请用个人身份登录后设置。")
    if who.uscc:
        firm.badge(request, who, tx)
    else:
        exports.badge(request, who, tx, today)


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


def _read_email(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    address = plain(typed)
    name, _at, house = address.rpartition("@")
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&*+/=?^{|}~-]{1,64}", name) or not re.fullmatch(
        r"(?=.{4,120}$)([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}", house
    ):
        raise wrong("请填邮箱地址，例如 zhang@example.cn")
    return f"{name}@{house.lower()}"


def _read_code(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    code = plain(typed)
    if not re.fullmatch(rf"[0-9]{{{CODE_DIGITS}}}", code):
        raise wrong("请填 6 位数字的验证码")
    return code


Code = Annotated[str, BeforeValidator(_read_code)]


class MobileForm(Form):
    mobile: Annotated[Mobile, Ask(_("手机号"), _("会收到一条 6 位数字的验证码。"), _("请填写手机号"))]


class EmailForm(Form):
    mail: Annotated[
        str, BeforeValidator(_read_email), Ask(_("邮箱"), _("会收到一封写有 6 位验证码的邮件。"), _("请填写邮箱"))
    ]


class SmsCodeForm(Form):
    sms_code: Annotated[Code, Ask(_("短信里的验证码"), _("10 分钟内有效。"), _("请填写短信里的验证码"))]


class EmailCodeForm(Form):
    mail_code: Annotated[Code, Ask(_("邮件里的验证码"), _("10 分钟内有效。"), _("请填写邮件里的验证码"))]


class PreferencesForm(Form):
    by_sms: Annotated[tuple[str, ...], Ask(_("发短信"))] = ()
    by_email: Annotated[tuple[str, ...], Ask(_("发邮件"))] = ()
    language: Annotated[Literal["zh_Hans_CN", "en"], Ask(_("语言"), None, _("请选择语言"))]


@dataclass(frozen=True)
class Kind:
    """How one channel is asked about."""

    form: type[MobileForm] | type[EmailForm]
    name: str
    code_form: type[SmsCodeForm] | type[EmailCodeForm]
    code_name: str


KINDS = {
    SMS: Kind(MobileForm, "mobile", SmsCodeForm, "sms_code"),
    EMAIL: Kind(EmailForm, "mail", EmailCodeForm, "mail_code"),
}


@dataclass(frozen=True)
class Reached:
    """One channel: where one is reached, and what waits for its code."""

    channel: str
    shown: str
    is_registered: bool
    """Whether it is the mobile number of one's registration."""
    asked_shown: str
    demo_code: str
    form: Filled[Any]
    code_form: Filled[Any]
    name: str
    code_name: str


@dataclass(frozen=True)
class PreferencesPage:
    reached: Sequence[Reached]
    topics: Sequence[Choice]
    form: Filled[PreferencesForm]
    asked: Filled[Any] | None
    """The form about an address that came back with mistakes, if one did."""
    latest: Sequence[Row[Any]]
    is_firm: bool
    home: str

    @property
    def languages(self) -> Sequence[Choice]:
        """Each under its own name."""
        return LANGUAGES

    @property
    def has_address(self) -> bool:
        return any(one.shown for one in self.reached)

    @staticmethod
    def kind(row: Row[Any]) -> str:
        return message_kind(row)


@dataclass(frozen=True)
class Came:
    """Forms as they came back, by channel."""

    addresses: Mapping[MessageChannel, Filled[Any]] = field(default_factory=dict)
    codes: Mapping[MessageChannel, Filled[Any]] = field(default_factory=dict)
    preferences: Filled[PreferencesForm] | None = None

    @property
    def wrong(self) -> Filled[Any] | None:
        return next((one for one in (*self.addresses.values(), *self.codes.values())), None)


def message_kind(row: Row[Any]) -> str:
    """What a message that left was about."""
    return words.of("notice", row.kind) if row.notice_id else words.of("message_topic", row.topic)


@router.get(PREFERENCES)
def show(request: Request, who: Anyone, tx: Tx, house: TheHouse) -> Response:
    """Where am I reached, and by what?"""
    return _preferences_page(request, who, tx, house.settings, Came())


@router.post(PREFERENCES)
def choose(request: Request, who: Anyone, tx: Tx, house: TheHouse, now: Now, typed: Typed) -> Response:
    filled = read(PreferencesForm, typed)
    if filled.is_right:
        said = filled.answers
        try:
            prefer(tx, who, said.by_sms, said.by_email, said.language, now)
        except DomainError as wish:
            filled = filled.refused(wish)
    if not filled.is_right:
        return _preferences_page(request, who, tx, house.settings, Came(preferences=filled))
    return redirect(request, PREFERENCES, gettext("已保存。"))


@router.post("/messages/addresses/{channel}")
def ask(
    request: Request, who: Anyone, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed,
    channel: MessageChannel,
) -> Response:  # fmt: skip
    """A code goes to the new address."""
    kind = KINDS[channel]
    filled = read(kind.form, typed)
    if filled.is_right:
        address = str(getattr(filled.answers, kind.name))
        try:
            ask_address(tx, who, channel, address, house.settings.secret_key, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _preferences_page(request, who, tx, house.settings, Came(addresses={channel: filled}))
    return redirect(request, f"{PREFERENCES}#{kind.code_name}", gettext("验证码已发出，请在 10 分钟内填写。"), "info")


@router.post("/messages/addresses/{channel}/confirmation")
def confirm(
    request: Request, who: Anyone, tx: Tx, house: TheHouse, now: Now, typed: Typed, channel: MessageChannel
) -> Response:
    """The code came back."""
    kind = KINDS[channel]
    filled = read(kind.code_form, typed)
    if filled.is_right:
        code = str(getattr(filled.answers, kind.code_name))
        refusal = confirm_address(tx, who, channel, code, house.settings.secret_key, now)
        if refusal is not None:
            refusal.field = kind.code_name
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _preferences_page(request, who, tx, house.settings, Came(codes={channel: filled}))
    return redirect(request, PREFERENCES, gettext("地址已确认，从现在起用它。"))


@router.post("/messages/addresses/{channel}/removal")
def remove(request: Request, who: Anyone, tx: Tx, now: Now, channel: MessageChannel) -> Response:
    """Nothing goes there any more."""
    remove_address(tx, who, channel, now)
    return redirect(request, PREFERENCES, gettext("已删除，不再向这个地址发送。"), "info")


link_router = APIRouter(dependencies=[Depends(guard)])


@link_router.get("/n/{notice_id}")
def follow(request: Request, who: AFirm, tx: Tx, today: Today, notice_id: int) -> Response:
    """The short link in an SMS: to what the notice is about; who acts for several firms may have to switch first."""
    try:
        notice = notices.get(tx, who, notice_id)
    except NotFound:
        if len(people.list_memberships(tx, who.person_id or 0, today)) < 2:
            raise
        return redirect(
            request, "/identity", gettext("您现在的企业没有这条消息。如果是发给另一家的，请先切换企业。"), "info"
        )
    return RedirectResponse(notice_words.said(who, notice).address or "/firm/notices", status_code=303)


def _preferences_page(request: Request, who: Who, tx: Tx, settings: Settings, came: Came) -> Response:
    person_id = who.person_id or 0
    known, phone = contacts.find_by_channel(tx, person_id), people.get_person(tx, person_id).phone
    wish, topics = contacts.find_preference(tx, person_id), topics_for(who)
    usual = [one.value for one in topics]
    form = came.preferences or blank(
        PreferencesForm,
        by_sms=wish.sms if wish else usual,
        by_email=wish.email if wish else [] if who.uscc else usual,
        language=wish.language if wish else spoken(),
    )
    view = PreferencesPage(
        reached=[_reached(settings, person_id, one, known.get(one), phone, came) for one in MessageChannel],
        topics=choices(topics),
        form=form,
        asked=came.wrong,
        latest=outgoing.list_to(tx, person_id, LATEST),
        is_firm=bool(who.uscc),
        home=HOME[who.role],
    )
    return page(request, "messages/preferences.html", view, status=422 if came.wrong or form.errors else 200)


def _reached(
    settings: Settings, person_id: int, channel: MessageChannel, row: Row[Any] | None, phone: str | None, came: Came
) -> Reached:
    kind = KINDS[channel]
    registered = masked_address(phone) if phone and channel is SMS else ""
    confirmed = (row.shown if row else None) or ""
    return Reached(
        channel=channel.value,
        shown=confirmed or registered,
        is_registered=bool(registered) and not confirmed,
        asked_shown=(row.asked_shown if row else None) or "",
        demo_code=_demo_code(settings, person_id, channel, row),
        form=came.addresses.get(channel) or blank(kind.form),
        code_form=came.codes.get(channel) or blank(kind.code_form),
        name=kind.name,
        code_name=kind.code_name,
    )


def _demo_code(settings: Settings, person_id: int, channel: MessageChannel, row: Row[Any] | None) -> str:
    """In the demo nothing is sent: the code that would have been stands on the page."""
    if row is None or not row.asked_sealed or not isinstance(providers_of(settings)[channel], Sandbox):
        return ""
    address = unsealed(settings.secret_key, ADDRESS, row.asked_sealed) or ""
    return code_of(settings.secret_key, person_id, channel, row.asked_salt, address)
