"""What a firm that registers is asked, page by page, and what this browser has answered so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from sqlalchemy import Row
from starlette.datastructures import FormData

from service.actions.register_firm import PROVED_FOR, Sending
from service.domain.people import Person
from service.domain.real_name import Capacity, Claim
from service.domain.registration import RegistrationState
from web import words
from web.code_words import fault_of_code, is_flagged, kind_of_code
from web.forms import Ask, Filled, Form, Mobile, ResidentNumber, Uscc, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.registration_words import Agreed


class FirmForm(Form):
    uscc: Annotated[
        Uscc,
        Ask(_("统一社会信用代码"), _("营业执照上的 18 位代码，全角数字和空格也可以。"), _("请填写统一社会信用代码")),
    ]
    as_printed: Annotated[bool, Ask(_("执照上印的就是这个代码"))] = False
    firm_name: Annotated[
        str, wording(most=120, least=2), Ask(_("名称"), _("与营业执照一致。"), _("请填写营业执照上的名称"))
    ]
    kind: Annotated[
        Literal["enterprise", "individual", "cooperative", "village"], Ask(_("主体类型"), None, _("请选择主体类型"))
    ]


class PersonForm(Form):
    name: Annotated[str, wording(most=40, least=2), Ask(_("姓名"), _("与身份证一致。"), _("请填写姓名"))]
    mobile: Annotated[Mobile, Ask(_("手机号"), _("您本人实名的号码；银行和专班用它联系您。"), _("请填写手机号"))]
    capacity: Annotated[Literal["representative", "deputy"], Ask(_("您的身份"), None, _("请选择您的身份"))]
    authority: Annotated[
        str,
        wording(most=200),
        Ask(_("授权依据"), _("经办人填写：谁在哪一天授权您，例如 2026 年 6 月 1 日法定代表人签的授权书。")),
    ] = ""


class IdentityForm(Form):
    number: Annotated[ResidentNumber, Ask(_("身份证号"), _("只用于这一次核验，平台不保存。"), _("请填写身份证号"))]
    agrees: Annotated[bool, Ask(_("我已阅读，单独同意这次核验"))] = False
    shown: Annotated[str, Ask(_("授权书"))] = ""


class AccountForm(Form):
    login: Annotated[
        str, wording(most=64, least=3), Ask(_("登录名"), _("至少 3 个字符，以后登录时用。"), _("请填写登录名"))
    ]
    password: Annotated[
        str, Ask(_("密码"), _("至少 8 个字符，不要用常见的密码，也不要和登录名一样。"), _("请填写密码"))
    ]
    agrees: Annotated[bool, Ask(_("我已阅读并同意使用条款"))] = False
    shown: Annotated[str, Ask(_("使用条款"))] = ""


class TermsForm(Form):
    """The account page of an account that is there."""

    agrees: Annotated[bool, Ask(_("我已阅读并同意使用条款"))] = False
    shown: Annotated[str, Ask(_("使用条款"))] = ""


class LoginForm(Form):
    """What is kept of the account page."""

    login: Annotated[str, Ask(_("登录名"))]


FORMS: Mapping[str, type[Form]] = {
    "firm": FirmForm,
    "person": PersonForm,
    "identity": IdentityForm,
    "account": AccountForm,
}
PATH = (*FORMS, "check")


@dataclass(frozen=True)
class Filling:
    """What this browser has filled in so far."""

    row: Row[Any] | None
    account: Person | None = None
    """Who is signed in and registers for one more firm."""

    @property
    def own_name(self) -> str:
        """The name that was checked with this account's identity number: nobody registers under it as another."""
        return self.account.name if self.account is not None and self.account.identity_digest else ""

    @property
    def is_sent(self) -> bool:
        return self.row is not None and self.row.state != RegistrationState.FILLING

    @property
    def joins(self) -> int | None:
        """The account that registers for one more firm, if one does."""
        return self.row.person_id if self.row is not None and not self.is_sent else None

    @property
    def anew(self) -> "Filling":
        """The draft, or an empty one where the last was sent: one person may register for several firms."""
        return Filling(None) if self.is_sent else self

    @property
    def answers(self) -> Mapping[str, Mapping[str, list[str]]]:
        return self.row.answers if self.row is not None else {}

    def form(self, step: str, form: type[Form]) -> Filled[Any]:
        typed = self.answers.get(step, {})
        return read(form, FormData([(name, value) for name, values in typed.items() for value in values]))

    def has(self, step: str, today: date) -> bool:
        """Whether a step is answered, and rightly."""
        if self.row is None:
            return False
        if step == "identity":
            return self.row.proved_on is not None and self.row.proved_on >= today - PROVED_FOR
        if step == "account":
            has_password = self.row.password_hash is not None or self.joins is not None
            return has_password and self.row.terms_hash is not None and "account" in self.answers
        return step in self.answers and self.form(step, FORMS[step]).is_right

    def next_step(self, today: date) -> str:
        return next((step for step in PATH[:-1] if not self.has(step, today)), PATH[-1])

    def back(self, step: str, today: date) -> str:
        if step != "check" and self.next_step(today) == "check":
            return "/register/check"
        place = PATH.index(step)
        return f"/register/{PATH[place - 1]}" if place else "/register"

    def before(self, step: str) -> Filled[Any]:
        """A step's form with what was answered before; numbers and passwords are never kept, so never shown."""
        typed = {name: list(values) for name, values in self.answers.get(step, {}).items()}
        if step == "person" and self.account is not None:
            typed = {"name": [self.account.name], "mobile": [self.account.phone or ""]} | typed
        return blank(FORMS[step], **typed)


def checked_firm(filled: Filled[FirmForm]) -> Filled[FirmForm]:
    """A code whose check fails is let in when the person says that it is printed so; the kind must fit the code."""
    if not filled.is_right:
        return filled
    given = filled.answers
    if is_flagged(given.uscc) and not given.as_printed:
        return wrong_at(filled, "uscc", fault_of_code(given.uscc))
    said = kind_of_code(given.uscc)
    if said and said != given.kind:
        meant = gettext("代码以 %(head)s 开头的是%(kind)s，请核对代码或主体类型")
        return wrong_at(filled, "kind", meant % {"head": given.uscc[:2], "kind": words.of("firm_kind", said)})
    return filled


def checked_person(filled: Filled[PersonForm]) -> Filled[PersonForm]:
    """A deputy says on what their authority rests."""
    if filled.is_right and Capacity(filled.answers.capacity) is Capacity.DEPUTY and not filled.answers.authority:
        return wrong_at(filled, "authority", gettext("请写明谁在哪一天授权您"))
    return filled


def wrong_at(filled: Filled[Any], field: str, message: str) -> Filled[Any]:
    """The same form with one mistake."""
    return Filled(filled.form, filled.typed, {field: message})


def agreed_to(filled: Filled[Any], agreed: Agreed) -> Filled[Any]:
    """The form, where the person ticked the very words that stand here now."""
    if not filled.is_right:
        return filled
    if not filled.answers.agrees:
        return wrong_at(filled, "agrees", gettext("请阅读并勾选；不同意就不能继续"))
    if filled.answers.shown != agreed.text_hash:
        return wrong_at(filled, "agrees", gettext("文字刚刚更新过，请再读一遍后勾选"))
    return filled


def claim_of(filling: Filling, number: str) -> Claim:
    """What the provider is asked."""
    firm, person = filling.form("firm", FirmForm).answers, filling.form("person", PersonForm).answers
    capacity = Capacity(person.capacity)
    return Claim(person.name, number, person.mobile, firm.uscc, firm.firm_name, capacity)


def sending_of(filling: Filling) -> Sending:
    """Everything, as the action takes it."""
    firm, person = filling.form("firm", FirmForm).answers, filling.form("person", PersonForm).answers
    login = filling.form("account", LoginForm).answers.login
    capacity = Capacity(person.capacity)
    authority = person.authority if capacity is Capacity.DEPUTY else ""
    return Sending(person.name, person.mobile, capacity, authority, firm.uscc, firm.firm_name, firm.kind, login)
