"""Who may come in and as what: every account, a new one, and the end of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.add_account import NewAccount, add_account
from service.actions.end_account import end_account
from service.domain.errors import DomainError, NotFound
from service.domain.people import Who
from service.doors import AnOperator, Now, Today, Tx
from service.store import accounts, banks, people
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, Uscc, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
ROLES = ("firm", "officer", "bank_admin", "district", "city", "operator")
SCOPES: Mapping[str, tuple[str, object]] = {
    "firm": ("uscc", _("企业身份请填信用代码")),
    "officer": ("bank", _("银行身份请选银行")),
    "bank_admin": ("bank", _("银行身份请选银行")),
    "district": ("district", _("区县专班请选区县")),
}
"""Role → the field that says for whom one acts, and what is said where it is empty."""
COLUMNS = (
    Column("login", _("登录名")),
    Column("name", _("姓名")),
    Column("role", _("身份")),
    Column("place", _("代表谁")),
    Column("since_on", _("自")),
    Column("until_on", _("至")),
    Column("act", _("办理")),
)


class AccountForm(Form):
    login: Annotated[str, wording(most=64, least=3), Ask(_("登录名"), _("至少 3 个字符。"), _("请填写登录名"))]
    name: Annotated[str, wording(most=120), Ask(_("姓名"), None, _("请填写姓名"))]
    role: Annotated[
        Literal["firm", "officer", "bank_admin", "district", "city", "operator"],
        Ask(_("身份"), None, _("请选择身份")),
    ]
    uscc: Annotated[Uscc | None, Ask(_("企业的信用代码"), _("身份是企业时填。"))] = None
    bank: Annotated[str, Ask(_("银行"), _("身份是银行客户经理或管理员时选。"))] = ""
    district: Annotated[str, Ask(_("区县"), _("身份是区县专班时选。"))] = ""
    password: Annotated[str, Ask(_("初始密码"), _("至少 8 个字符，请当面或另行告知本人。"), _("请填写初始密码"))]


@dataclass(frozen=True)
class PeoplePage:
    form: Filled[AccountForm]
    listing: Listing[Row[Any]]
    banks: Sequence[words.Option]
    roles: Sequence[words.Option]
    query: str
    role: str
    today: date
    me: int | None


@dataclass(frozen=True)
class EndPage:
    membership: Row[Any]
    name: str
    login: str


@router.get("/operator/people")
def show_people(request: Request, who: AnOperator, tx: Tx, today: Today) -> Response:
    """Who may come in, and as what?"""
    return _people_page(request, tx, who, today, blank(AccountForm))


@router.post("/operator/people")
def add_person(request: Request, who: AnOperator, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Let someone in, as one role for one firm, bank, district or the city."""
    filled = _with_scope(read(AccountForm, typed))
    if not filled.is_right:
        return _people_page(request, tx, who, today, filled, 422)
    given = filled.answers
    scope = {"uscc": given.uscc, "bank": given.bank or None, "district": given.district or None}
    wanted, _message = SCOPES.get(given.role, ("", ""))
    scope = {name: value if name == wanted else None for name, value in scope.items()}
    try:
        with tx.begin_nested():
            add_account(tx, who, NewAccount(given.login, given.name, given.role, given.password, **scope), now)
    except DomainError as refusal:
        return _people_page(request, tx, who, today, filled.refused(refusal), 422)
    return redirect(request, "/operator/people", gettext("已添加%(name)s。") % {"name": given.name})


@router.get("/operator/people/{membership_id}/end")
def show_end(request: Request, _who: AnOperator, tx: Tx, membership_id: int) -> Response:
    """What ending means, before it is done."""
    membership = accounts.find_membership(tx, membership_id)
    if membership is None:
        raise NotFound("没有这个用户。")
    person = people.get_person(tx, membership.person_id)
    return page(request, "operator/person_end.html", EndPage(membership, person.name, person.login))


@router.post("/operator/people/{membership_id}/end")
def end_person(request: Request, who: AnOperator, tx: Tx, today: Today, now: Now, membership_id: int) -> Response:
    """The role ends today, and with it every session that acts in it."""
    end_account(tx, who, membership_id, today, now)
    return redirect(request, "/operator/people", gettext("已停用，对方的登录立即失效。"))


def _with_scope(filled: Filled[AccountForm]) -> Filled[AccountForm]:
    """The form, or the field the chosen role needs."""
    if not filled.is_right or filled.answers.role not in SCOPES:
        return filled
    field, message = SCOPES[filled.answers.role]
    if getattr(filled.answers, field):
        return filled
    return Filled(AccountForm, filled.typed, {field: str(message)})


def _people_page(
    request: Request, tx: Tx, who: Who, today: date, form: Filled[AccountForm], status: int = 200
) -> Response:
    query, role = request.query_params.get("q", "").strip()[:60], request.query_params.get("role", "")
    role = role if role in ROLES else ""
    wish = Wish.of(request, COLUMNS, usual="login")
    rows, total = accounts.find(tx, who, query, role or None, 50, wish.offset(50))
    view = PeoplePage(
        form=form,
        listing=Listing(COLUMNS, rows, total, "/operator/people", wish, {"q": query, "role": role}),
        banks=[words.Option(bank.code, bank.name) for bank in banks.list_all(tx)],
        roles=words.options("role", ROLES),
        query=query,
        role=role,
        today=today,
        me=who.person_id,
    )
    return page(request, "operator/people.html", view, status=status)
