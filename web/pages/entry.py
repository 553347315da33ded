"""The front door: sign in and out, choose as whom, and the right home for each role."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import RedirectResponse, Response

from service.actions.sign_in import OpenedSession, act_as, open_demo_session, sign_in
from service.clock import machine_now
from service.domain.errors import NotAllowed
from service.domain.people import Role
from service.doors import DoorTx, House, MaybeVisitor, TheHouse, Today, Visitor, cookie_name
from service.security import hash_token
from service.store import people
from web import flash, words
from web.csrf import ACTING_COOKIE, guard
from web.display import own_address
from web.forms import Ask, Filled, Form, Typed, blank, read, whole, wording
from web.language import lazy as _
from web.render import page
from web.shell import Badge

router = APIRouter(dependencies=[Depends(guard)])

HOME = {
    Role.FIRM: "/firm",
    Role.OFFICER: "/push-lists",
    Role.BANK_ADMIN: "/push-lists",
    Role.DISTRICT: "/district",
    Role.CITY: "/figures",
    Role.OPERATOR: "/operator",
}
"""Each role's home answers one question: where does my demand stand; whom must I answer; where does it stick."""


class SignInForm(Form):
    login: Annotated[
        str, wording(most=64), Ask(_("登录名"), _("单位管理员或平台发给您的，或登记时自己起的。"), _("请填写登录名"))
    ]
    password: Annotated[str, Ask(_("密码"), None, _("请填写密码"))]


class CardForm(Form):
    person_id: Annotated[int, whole(), Ask(_("演示身份"))]


class IdentityForm(Form):
    membership_id: Annotated[int, whole(), Ask(_("身份"))]


@dataclass(frozen=True)
class Card:
    """A demo person one can be with one click."""

    person_id: int
    name: str
    role: str
    place: str


@dataclass(frozen=True)
class SignInPage:
    form: Filled[SignInForm]
    back: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Identity:
    """One of the person's own roles."""

    membership_id: int
    role: str
    place: str
    is_current: bool


@dataclass(frozen=True)
class IdentityPage:
    name: str
    identities: tuple[Identity, ...]
    is_firm: bool
    """Who acts for a firm may register for another."""


@router.get("/")
def front_door(visitor: MaybeVisitor) -> Response:
    """To the home of whoever comes; strangers are asked to sign in."""
    return RedirectResponse(HOME[visitor.who.role] if visitor else "/sign-in", status_code=303)


@router.get("/sign-in")
def show_sign_in(request: Request, tx: DoorTx, house: TheHouse, today: Today, back: str = "/") -> Response:
    return _sign_in_page(request, blank(SignInForm), back, _cards(tx, house, today))


@router.post("/sign-in")
def come_in(request: Request, typed_in: Typed, house: TheHouse, today: Today, tx: DoorTx, back: str = "/") -> Response:
    typed = read(SignInForm, typed_in)
    if not typed.is_right:
        return _sign_in_page(request, typed, back, _cards(tx, house, today), status=422)
    given = typed.answers
    lasts = timedelta(hours=house.settings.session_hours)
    address = request.client.host if request.client else ""
    opened = sign_in(tx, given.login, given.password, address, today, machine_now(), lasts)
    if opened is None:
        wrong = typed.refused(NotAllowed("登录名或密码不对。", field="password"))
        return _sign_in_page(request, wrong, back, _cards(tx, house, today), status=422)
    return signed_in(request, house, opened, own_address(back))


@router.post("/demo-sign-in")
def come_in_by_card(request: Request, typed_in: Typed, house: TheHouse, today: Today, tx: DoorTx) -> Response:
    """One click for the persons of the demo; outside demo mode the address does nothing at all."""
    if not house.settings.demo:
        raise NotAllowed("这里不是演示环境。")
    card = read(CardForm, typed_in)
    lasts = timedelta(hours=house.settings.session_hours)
    opened = open_demo_session(tx, card.values.person_id if card.values else 0, today, machine_now(), lasts)
    return signed_in(request, house, opened, "/")


@router.post("/sign-out")
def go_out(request: Request, house: TheHouse, tx: DoorTx) -> Response:
    name = cookie_name(house.settings)
    if token := request.cookies.get(name):
        people.end_sign_in(tx, hash_token(token), machine_now())
    answer = flash.redirect(request, "/sign-in", _("您已退出登录。"), "info")
    answer.delete_cookie(name, secure=house.settings.is_https, httponly=True)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@router.get("/identity")
def show_identities(request: Request, visitor: MaybeVisitor, tx: DoorTx, today: Today) -> Response:
    if visitor is None or visitor.who.person_id is None:
        return RedirectResponse("/sign-in", status_code=303)
    rows = people.list_memberships(tx, visitor.who.person_id, today)
    identities = tuple(Identity(row.id, row.role, _place(row), row.id == visitor.membership_id) for row in rows)
    wear_badge(request, tx, visitor, today)
    view = IdentityPage(visitor.who.name, identities, visitor.who.role is Role.FIRM)
    return page(request, "entry/identity.html", view)


@router.post("/identity")
def choose_identity(
    request: Request, typed_in: Typed, visitor: MaybeVisitor, tx: DoorTx, house: TheHouse, today: Today
) -> Response:
    """Forms that are open elsewhere were for the role one had: they are old from here on."""
    form = read(IdentityForm, typed_in)
    if visitor is None or visitor.who.person_id is None:
        return RedirectResponse("/sign-in", status_code=303)
    chosen = form.values.membership_id if form.values else 0
    return acting_as(request, tx, house, visitor, chosen, today, "/")


def acting_as(
    request: Request, tx: DoorTx, house: House, visitor: Visitor, chosen: int, today: date, back: str
) -> Response:
    """To `back`, in the role that was chosen."""
    act_as(tx, visitor.who, (visitor.sign_in_id, visitor.membership_id), chosen, today, machine_now())
    answer = flash.redirect(request, back)
    answer.set_cookie(
        ACTING_COOKIE, str(chosen), max_age=house.settings.session_hours * 3600, httponly=True, samesite="lax",
        secure=house.settings.is_https, path="/",
    )  # fmt: skip
    return answer


def wear_badge(request: Request, tx: DoorTx, visitor: Visitor, today: date) -> None:
    """The header says for whom one acts, on the pages before one's own."""
    rows = people.list_memberships(tx, visitor.who.person_id or 0, today)
    place = next((_place(row) for row in rows if row.id == visitor.membership_id), "")
    request.state.badge = Badge(visitor.who.name, visitor.who.role, "" if place == visitor.who.name else place)


def _sign_in_page(
    request: Request, form: Filled[SignInForm], back: str, cards: tuple[Card, ...], status: int = 200
) -> Response:
    return page(request, "entry/sign_in.html", SignInPage(form, own_address(back), cards), status=status)


def _cards(tx: DoorTx, house: TheHouse, today: Today) -> tuple[Card, ...]:
    if not house.settings.demo:
        return ()
    rows = people.list_demo_people(tx, today)
    return tuple(Card(row.id, row.name, row.role, _place(row)) for row in rows)


def _place(row: Row[Any]) -> str:
    """For which firm, bank or district: in words."""
    return row.firm_name or row.bank_name or (words.district(row.district) if row.district else "")


def signed_in(request: Request, house: TheHouse, opened: OpenedSession, back: str) -> Response:
    """To `back` or one's home, with the session's cookie."""
    several = opened.memberships > 1 and back == "/"
    answer = flash.redirect(request, "/identity" if several else (back if back != "/" else HOME[opened.role]))
    answer.set_cookie(
        cookie_name(house.settings),
        opened.token,
        max_age=house.settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=house.settings.is_https,
        path="/",
    )
    answer.delete_cookie(ACTING_COOKIE, secure=house.settings.is_https, httponly=True)
    return answer
