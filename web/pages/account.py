"""One's own password, and the one-time one a colleague gets who cannot come in."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from service.actions.change_password import (
    NewPassword,
    OneTime,
    change_password,
    give_one_time_password,
    whose_password,
)
from service.clock import machine_now
from service.domain.errors import DomainError, NotAllowed
from service.domain.people import Who
from service.doors import ABankAdmin, AnOperator, DoorTx, MaybeVisitor, Today
from service.store import people
from web import flash
from web.csrf import guard
from web.forms import Ask, Filled, Form, Typed, blank, read
from web.language import gettext
from web.language import lazy as _
from web.pages import bank, operator
from web.pages.entry import wear_badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard)])
bank_router = APIRouter(dependencies=[Depends(guard), Depends(bank.badge)])
operator_router = APIRouter(dependencies=[Depends(guard), Depends(operator.badge)])


class PasswordForm(Form):
    old: Annotated[str, Ask(_("原密码"), None, _("请填写原密码"))]
    new: Annotated[str, Ask(_("新密码"), _("至少 8 个字符；别用太常见的，也别和登录名相同。"), _("请填写新密码"))]
    again: Annotated[str, Ask(_("再填一次新密码"), None, _("请再填一次新密码"))]


@dataclass(frozen=True)
class PasswordPage:
    form: Filled[PasswordForm]
    is_one_time: bool
    """Whether somebody else gave the password one came in with."""


@dataclass(frozen=True)
class OneTimePage:
    """The question, and after it the password."""

    login: str
    name: str
    act: str
    back: str
    given: OneTime | None = None


@router.get("/account/password")
def show_password(request: Request, visitor: MaybeVisitor, tx: DoorTx, today: Today) -> Response:
    if visitor is None:
        return RedirectResponse("/sign-in?back=/account/password", status_code=303)
    wear_badge(request, tx, visitor, today)
    view = PasswordPage(blank(PasswordForm), visitor.must_change_password)
    return page(request, "account/password.html", view)


@router.post("/account/password")
def change(request: Request, visitor: MaybeVisitor, tx: DoorTx, typed: Typed) -> Response:
    """The old one proves who asks; every other session ends."""
    if visitor is None:
        return RedirectResponse("/sign-in", status_code=303)
    filled = read(PasswordForm, typed)
    if filled.is_right and filled.answers.new != filled.answers.again:
        filled = Filled(PasswordForm, {}, {"again": gettext("两次填的新密码不一样")})
    if not filled.is_right:
        return _refused(request, filled, is_one_time=visitor.must_change_password)
    given, address = filled.answers, request.client.host if request.client else ""
    try:
        with tx.begin_nested():
            done = change_password(
                tx, visitor.who, NewPassword(given.old, given.new, address), visitor.sign_in_id, machine_now()
            )
    except DomainError as refusal:
        return _refused(request, filled.refused(refusal), is_one_time=visitor.must_change_password)
    if not done:
        wrong = filled.refused(NotAllowed("原密码不对。", field="old"))
        return _refused(request, wrong, is_one_time=visitor.must_change_password)
    return flash.redirect(request, "/", gettext("密码已修改，您在别处的登录都已退出。"))


@bank_router.get("/bank/people/{membership_id}/password")
def ask_for_colleague(request: Request, who: ABankAdmin, tx: DoorTx, today: Today, membership_id: int) -> Response:
    return _question(request, tx, who, today, membership_id)


@bank_router.post("/bank/people/{membership_id}/password")
def give_colleague(request: Request, who: ABankAdmin, tx: DoorTx, today: Today, membership_id: int) -> Response:
    """The only page that ever shows it."""
    return _given(request, tx, who, today, membership_id)


@operator_router.get("/operator/people/{membership_id}/password")
def ask_for_anyone(request: Request, who: AnOperator, tx: DoorTx, today: Today, membership_id: int) -> Response:
    return _question(request, tx, who, today, membership_id)


@operator_router.post("/operator/people/{membership_id}/password")
def give_anyone(request: Request, who: AnOperator, tx: DoorTx, today: Today, membership_id: int) -> Response:
    """The only page that ever shows it."""
    return _given(request, tx, who, today, membership_id)


def _refused(request: Request, filled: Filled[PasswordForm], *, is_one_time: bool) -> Response:
    """The form again; no password is written back into a page."""
    emptied = Filled(PasswordForm, {}, filled.errors)
    return page(request, "account/password.html", PasswordPage(emptied, is_one_time), status=422)


def _question(request: Request, tx: DoorTx, who: Who, today: Today, membership_id: int) -> Response:
    person = people.get_person(tx, whose_password(tx, who, membership_id, today))
    return page(request, "account/one_time.html", _one_time_page(who, membership_id, person.login, person.name))


def _given(request: Request, tx: DoorTx, who: Who, today: Today, membership_id: int) -> Response:
    given = give_one_time_password(tx, who, membership_id, today, machine_now())
    view = _one_time_page(who, membership_id, given.login, given.name, given)
    answer = page(request, "account/one_time.html", view)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _one_time_page(who: Who, membership_id: int, login: str, name: str, given: OneTime | None = None) -> OneTimePage:
    back = "/bank/people" if who.is_bank else "/operator/people"
    return OneTimePage(login, name, f"{back}/{membership_id}/password", back, given)
