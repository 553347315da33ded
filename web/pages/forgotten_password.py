"""At the door: a person of a firm who forgot the password gets a code by SMS and sets another.

Whatever name is typed, the pages say and do the same: nobody learns from them who has an account here.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from service import security
from service.actions.recover_password import (
    AlreadyUsed,
    Forgetful,
    NewOne,
    ask_code,
    code_for,
    set_forgotten,
)
from service.clock import machine_now
from service.domain.errors import DomainError
from service.domain.outgoing import MessageChannel
from service.doors import DoorTx, House, Now, TheHouse, Today
from service.message_providers import Sandbox, providers_of
from service.store import password_codes, people
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, plain, read, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.message_preferences import Code
from web.refusals import said
from web.render import page

FORGOTTEN = "/forgotten-password"
COOKIE = "forgotten"
KEPT_SECONDS = 3600
MOBILE = re.compile(r"1[3-9][0-9]{9}")
router = APIRouter(dependencies=[Depends(guard)])


class NameForm(Form):
    named: Annotated[
        str,
        wording(most=64),
        Ask(_("登录名或手机号"), _("登记时填的手机号也可以。"), _("请填写登录名或手机号")),
    ]


class NewPasswordForm(Form):
    code: Annotated[Code, Ask(_("短信里的验证码"), _("6 位数字，10 分钟内有效。"), _("请填写短信里的验证码"))]
    new: Annotated[str, Ask(_("新密码"), _("至少 8 个字符；别用太常见的，也别和登录名相同。"), _("请填写新密码"))]
    again: Annotated[str, Ask(_("再填一次新密码"), None, _("请再填一次新密码"))]


@dataclass(frozen=True)
class NamePage:
    form: Filled[NameForm]
    is_connected: bool
    """Whether an SMS can leave at all."""
    is_demo: bool


@dataclass(frozen=True)
class CodePage:
    form: Filled[NewPasswordForm]
    demo_code: str


@router.get(FORGOTTEN)
def show_name(request: Request, house: TheHouse) -> Response:
    """Who forgot it? The browser gets its token here, so that two clicks at once ask for one code."""
    answer = _name_page(request, house, blank(NameForm))
    return answer if _token_of(request, house) else _with_token(answer, house, security.new_token())


@router.post(FORGOTTEN)
def ask(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    """A code is on its way, or would be; the answer is the same."""
    filled = read(NameForm, typed)
    if not _is_connected(house):
        return _name_page(request, house, blank(NameForm))
    if not filled.is_right:
        return _name_page(request, house, filled)
    token = _token_of(request, house) or security.new_token()
    asked = Forgetful(_name_of(filled.answers.named), _address(request), machine_now())
    try:
        with tx.begin_nested():
            ask_code(tx, token, asked, house.settings.secret_key, today, now)
    except DomainError as refusal:
        return _name_page(request, house, filled.refused(refusal))
    return _with_token(RedirectResponse(f"{FORGOTTEN}/code", status_code=303), house, token)


@router.get(f"{FORGOTTEN}/code")
def show_code(request: Request, tx: DoorTx, house: TheHouse) -> Response:
    """The code, and the password that counts from then on."""
    if not _has_asked(request, tx, house):
        return RedirectResponse(FORGOTTEN, status_code=303)
    return _code_page(request, tx, house, blank(NewPasswordForm))


@router.post(f"{FORGOTTEN}/code")
def set_new(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    """Set it, once; then one signs in with it."""
    token = _token_of(request, house)
    if not _has_asked(request, tx, house):
        return RedirectResponse(FORGOTTEN, status_code=303)
    filled = read(NewPasswordForm, typed)
    if filled.is_right and filled.answers.new != filled.answers.again:
        filled = Filled(NewPasswordForm, filled.typed, {"again": gettext("两次填的新密码不一样")})
    if not filled.is_right:
        return _code_page(request, tx, house, filled)
    given = NewOne(filled.answers.code, filled.answers.new)
    try:
        done = set_forgotten(tx, token, given, house.settings.secret_key, today, now, machine_now())
    except AlreadyUsed as used:
        return redirect(request, "/sign-in", said(used), "info")
    except DomainError as refusal:
        return _code_page(request, tx, house, filled.refused(refusal))
    if isinstance(done, DomainError):
        return _code_page(request, tx, house, filled.refused(done))
    done_so = gettext("密码已改好，别处的登录都已退出。请用登录名 %(login)s 和新密码登录。") % {"login": done}
    return redirect(request, "/sign-in", done_so)


def _name_page(request: Request, house: House, form: Filled[NameForm]) -> Response:
    view = NamePage(form, _is_connected(house), _is_sandbox(house))
    return page(request, "entry/forgotten/name.html", view, status=422 if form.errors else 200)


def _code_page(request: Request, tx: DoorTx, house: House, form: Filled[NewPasswordForm]) -> Response:
    """No password is written back into a page."""
    kept = Filled(form.form, {name: typed for name, typed in form.typed.items() if name == "code"}, form.errors)
    view = CodePage(kept, _demo_code(request, tx, house))
    return page(request, "entry/forgotten/code.html", view, status=422 if form.errors else 200)


def _demo_code(request: Request, tx: DoorTx, house: House) -> str:
    """In the demo nothing is sent: the code that would have been stands on the page, whoever was named."""
    found = password_codes.find(tx, security.hash_token(_token_of(request, house)))
    if found is None or not _is_sandbox(house):
        return ""
    person = people.get_person(tx, found.person_id) if found.person_id else None
    return code_for(house.settings.secret_key, found, person)


def _has_asked(request: Request, tx: DoorTx, house: House) -> bool:
    token = _token_of(request, house)
    return bool(token) and password_codes.find(tx, security.hash_token(token)) is not None


def _is_connected(house: House) -> bool:
    return providers_of(house.settings)[MessageChannel.SMS].is_connected


def _is_sandbox(house: House) -> bool:
    return isinstance(providers_of(house.settings)[MessageChannel.SMS], Sandbox)


def _name_of(typed: str) -> str:
    """A mobile number as it is kept, however it was typed; a login name as it is."""
    number = plain(typed).replace("-", "").removeprefix("+86")
    return number if MOBILE.fullmatch(number) else typed


def _cookie_name(house: House) -> str:
    return f"__Host-{COOKIE}" if house.settings.is_https else COOKIE


def _token_of(request: Request, house: House) -> str:
    return request.cookies.get(_cookie_name(house), "")


def _with_token(answer: Response, house: House, token: str) -> Response:
    answer.set_cookie(
        _cookie_name(house), token, max_age=KEPT_SECONDS, httponly=True, samesite="lax",
        secure=house.settings.is_https, path="/",
    )  # fmt: skip
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
