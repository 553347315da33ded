"""At the door: a firm registers itself, a question a page; what is filled in is kept, the person's name is checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from service import security
from service.actions import register_firm
from service.actions.register_firm import Proof
from service.actions.sign_in import open_session
from service.clock import machine_now
from service.domain.errors import Conflict, DomainError, NotFound
from service.domain.people import THE_DOOR, Role
from service.domain.real_name import Capacity, Finding, RealNameOutcome
from service.domain.registration import RegistrationState
from service.domain.standards import identity
from service.domain.standards.uscc import synthetic
from service.doors import AFirm, DoorTx, House, MaybeVisitor, NotSignedIn, Now, TheHouse, Today, Visitor, visitor_of
from service.real_names import TEST_IDENTITIES, TestIdentity, provider_of
from service.store import people, registrations
from web import words
from web.code_words import code_of, is_flagged
from web.csrf import guard
from web.flash import redirect
from web.forms import Filled, Form, Typed, blank, read
from web.language import gettext
from web.language import lazy as _
from web.pages.entry import acting_as, signed_in, wear_badge
from web.registration_filling import (
    PATH,
    AccountForm,
    Filling,
    FirmForm,
    IdentityForm,
    LoginForm,
    PersonForm,
    TermsForm,
    agreed_to,
    checked_firm,
    checked_person,
    claim_of,
    sending_of,
    wrong_at,
)
from web.registration_words import Agreed, of_check, of_terms
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(visitor_of)])
COOKIE = "registration"
UNKNOWN_FIRM = 987_654
"""A made-up firm's number beyond those of any demo city: its code is offered to try."""


class SendForm(Form):
    """The check page asks nothing more."""


@dataclass(frozen=True)
class StartPage:
    is_begun: bool
    is_sent: bool
    """An earlier registration of this browser was sent; another may be begun."""
    is_connected: bool
    account: str
    """The login name of a firm's person who is signed in; '' for anyone else."""
    is_own: bool
    """Whether what was begun is this account's."""
    identities: Sequence[TestIdentity]
    try_code: str = synthetic("enterprise", UNKNOWN_FIRM)


@dataclass(frozen=True)
class StepPage:
    form: Filled[Any]
    step: str
    place: int
    places: int
    back: str
    is_change: bool
    agreed: Agreed | None
    provider: str
    identities: Sequence[TestIdentity]
    is_flagged: bool
    """The code's check fails: the person may say that the licence has it so."""
    is_away: bool
    """The provider could not be reached."""
    person: str
    """Whose name is checked."""
    proved: str
    """The end of the number that was checked, where it was."""
    login: str
    """Of the account that registers for one more firm; '' for a new one."""
    own_name: str
    """The account's checked name, which is not asked again."""


@dataclass(frozen=True)
class Said:
    """One row of the check-answers page."""

    question: str
    said: str
    change: str


@dataclass(frozen=True)
class CheckPage:
    form: Filled[SendForm]
    answers: Sequence[Said]
    is_deputy: bool
    place: int = len(PATH)
    back: str = "/register/account"


@dataclass(frozen=True)
class DonePage:
    state: str
    firm_name: str
    is_known: bool
    """Whether a register has spoken of the firm already."""
    is_signed_in: bool
    is_joined: bool
    """Whether the account was there before."""
    login: str


def token_of(request: Request, house: House) -> str:
    """This browser's registration, as its cookie names it; '' for none."""
    return request.cookies.get(_cookie_name(house), "")


def _cookie_name(house: House) -> str:
    return f"__Host-{COOKIE}" if house.settings.is_https else COOKIE


def _filling(tx: DoorTx, request: Request, house: House) -> Filling:
    """What was begun here; an account's draft is there for whoever is signed in to it. Errors: NotSignedIn."""
    token, visitor = token_of(request, house), _visitor(request)
    if visitor is not None:
        wear_badge(request, tx, visitor, house.clock.today())
    found = Filling(registrations.find(tx, security.hash_token(token)) if token else None)
    if found.joins is None:
        return found
    if visitor is None:
        raise NotSignedIn("请先登录，再接着登记。")
    if visitor.who.person_id != found.joins:
        return Filling(None)
    return Filling(found.row, people.get_person(tx, found.joins))


def _visitor(request: Request) -> Visitor | None:
    found = getattr(request.state, "visitor", None)
    return found if isinstance(found, Visitor) else None


@router.get("/register")
def show_start(request: Request, tx: DoorTx, house: TheHouse) -> Response:
    """What one needs, how long it takes, and where one left off."""
    try:
        filling = _filling(tx, request, house)
    except NotSignedIn:
        filling = Filling(None)
    visitor = _visitor(request)
    person_id = visitor.who.person_id if visitor is not None and visitor.who.role is Role.FIRM else None
    account = people.get_person(tx, person_id).login if person_id else ""
    is_connected = house.settings.demo or house.settings.real_name_url is not None
    view = StartPage(
        is_begun=bool(filling.answers),
        is_sent=filling.is_sent,
        is_connected=is_connected,
        account=account,
        is_own=filling.joins is not None,
        identities=_tests(house),
    )
    return page(request, "entry/register/start.html", view)


@router.post("/register/another")
def begin_another(request: Request, who: AFirm, tx: DoorTx, house: TheHouse, now: Now) -> Response:
    """One more firm for the account that is signed in; a firm that was typed before signing in is kept."""
    token = token_of(request, house)
    found = registrations.find(tx, security.hash_token(token)) if token else None
    is_ours = found is not None and found.state == RegistrationState.FILLING
    if found is None or not is_ours or found.person_id not in {None, who.person_id}:
        token = security.new_token()
    register_firm.begin_another(tx, token, who, _address(request), now, machine_now())
    return _with_token(redirect(request, "/register/firm"), house, token)


@router.get("/register/done")
def show_done(request: Request, tx: DoorTx, house: TheHouse, visitor: MaybeVisitor) -> Response:
    """What happens next: for who acts for the firm now, and for who waits."""
    row = _filling(tx, request, house).row
    if row is None or row.state == RegistrationState.FILLING:
        return RedirectResponse("/register", status_code=303)
    is_signed_in = visitor is not None and visitor.who.role is Role.FIRM and visitor.who.person_id == row.person_id
    person = people.get_person(tx, row.person_id)
    view = DonePage(
        state=row.state,
        firm_name=row.firm_name,
        is_known=is_signed_in and registrations.is_known(tx, row.uscc),
        is_signed_in=is_signed_in,
        is_joined=person.created_at < row.submitted_at,
        login=person.login,
    )
    return page(request, "entry/register/done.html", view)


@router.post("/register/removal")
def give_up(request: Request, tx: DoorTx, house: TheHouse) -> Response:
    """Forget what was filled in: the next person at this screen finds nothing."""
    registrations.remove(tx, security.hash_token(token_of(request, house)))
    answer = redirect(request, "/register", gettext("填过的内容已删除。"), "info")
    answer.delete_cookie(_cookie_name(house), secure=house.settings.is_https, httponly=True)
    return answer


@router.get("/register/{step}")
def show_step(request: Request, tx: DoorTx, house: TheHouse, today: Today, step: str) -> Response:
    """A step's page; steps whose turn has not come lead to the one whose has."""
    if step not in PATH:
        raise NotFound("没有这一步。")
    filling = _filling(tx, request, house)
    if filling.is_sent and step != PATH[0]:
        return RedirectResponse("/register/done", status_code=303)
    filling = filling.anew
    following = filling.next_step(today)
    if PATH.index(step) > PATH.index(following):
        return RedirectResponse(f"/register/{following}", status_code=303)
    if step == "check":
        return _check_page(request, filling, blank(SendForm))
    return _step_page(request, house, filling, step, filling.before(step), today)


@router.post("/register/firm")
def answer_firm(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    filled = checked_firm(read(FirmForm, typed))
    return _keep(request, tx, house, "firm", filled, today, now)


@router.post("/register/person")
def answer_person(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    own_name = _filling(tx, request, house).own_name
    if own_name:
        typed = FormData([*((name, said) for name, said in typed.multi_items() if name != "name"), ("name", own_name)])
    filled = checked_person(read(PersonForm, typed))
    return _keep(request, tx, house, "person", filled, today, now)


@router.post("/register/identity")
def answer_identity(request: Request, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    """Count the try, ask the provider outside any transaction, keep what it said."""
    token, filled = token_of(request, house), read(IdentityForm, typed)
    provider = provider_of(house.settings)
    agreed = of_check(_provider_name(house))
    with house.database.transaction(THE_DOOR, read_only=True) as tx:
        filling = _filling(tx, request, house)
    if filling.next_step(today) in ("firm", "person"):
        return _to_next(filling, today)
    filled = agreed_to(filled, agreed)
    if not filled.is_right:
        return _step_page(request, house, filling, "identity", filled, today, 422)
    proof = Proof(
        claim_of(filling, filled.answers.number),
        filling.answers,
        security.keyed_digest(house.settings.secret_key, "identity", filled.answers.number),
        provider.name,
        agreed.text_hash,
    )
    try:
        with house.database.transaction(THE_DOOR) as tx:
            register_firm.allow_check(tx, token, proof.digest, _address(request), machine_now())
        finding = provider.check(proof.claim)
        with house.database.transaction(THE_DOOR) as tx:
            register_firm.note_finding(tx, token, proof, finding, today, now)
            filling = _filling(tx, request, house)
    except DomainError as refusal:
        return _step_page(request, house, filling, "identity", filled.refused(refusal), today, 422)
    if finding.outcome is RealNameOutcome.PASSED:
        return _to_next(filling, today)
    return _unproved(request, house, filling, filled, finding, today)


@router.post("/register/account")
def answer_account(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    filling, agreed = _filling(tx, request, house), _terms(house)
    if PATH.index(filling.next_step(today)) < PATH.index("account"):
        return _to_next(filling, today)
    account = filling.account
    filled = agreed_to(read(AccountForm if account is None else TermsForm, typed), agreed)
    if filled.is_right:
        given, token = filled.answers, token_of(request, house)
        try:
            if account is None:
                register_firm.keep_account(tx, token, given.login, given.password, agreed.text_hash, now)
            else:
                register_firm.keep_terms(tx, token, account.login, agreed.text_hash, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _step_page(request, house, filling, "account", filled, today, 422)
    return _to_next(_filling(tx, request, house), today)


@router.post("/register/check")
def send(request: Request, tx: DoorTx, house: TheHouse, today: Today, now: Now) -> Response:
    """Send it, once: a representative acts for the firm from the next page on, a deputy waits for a yes."""
    token = token_of(request, house)
    account = _filling(tx, request, house).account
    filling = Filling(registrations.lock(tx, security.hash_token(token)) if token else None, account)
    if filling.is_sent:
        return RedirectResponse("/register/done", status_code=303)
    if filling.next_step(today) != "check":
        return _to_next(filling, today)
    try:
        with tx.begin_nested():
            sent = register_firm.send_registration(tx, token, sending_of(filling), today, now)
    except DomainError as refusal:
        return _check_page(request, filling, blank(SendForm).refused(refusal), 409)
    done = "/register/done"
    if sent.state != RegistrationState.OPENED:
        return redirect(request, done)
    if account is not None and (visitor := _visitor(request)) is not None:
        roles = people.list_memberships(tx, sent.person_id, today)
        chosen = next(row.id for row in roles if row.uscc == sent.uscc)
        return acting_as(request, tx, house, visitor, chosen, today, done)
    lasts = timedelta(hours=house.settings.session_hours)
    opened = open_session(tx, people.get_person(tx, sent.person_id), today, machine_now(), lasts)
    return signed_in(request, house, opened, done)


def _keep(
    request: Request, tx: DoorTx, house: House, step: str, filled: Filled[Any], today: date, now: datetime
) -> Response:
    """Keep a page's answers, behind a fresh cookie where this is the first; then the next page."""
    filling, token = _filling(tx, request, house), token_of(request, house)
    if step == PATH[0]:
        filling = filling.anew
    if not filled.is_right:
        return _step_page(request, house, filling, step, filled, today, 422)
    if step == "firm" and filling.joins is not None:
        try:
            register_firm.check_is_another(tx, filling.joins, filled.answers.uscc, today)
        except Conflict as known:
            return _step_page(request, house, filling, step, filled.refused(known), today, 409)
    is_new = filling.row is None
    if is_new and step != "firm":
        return RedirectResponse("/register/firm", status_code=303)
    try:
        if is_new:
            token = security.new_token()
            register_firm.begin(tx, token, _address(request), now, machine_now())
        typed = {name: list(values) for name, values in filled.typed.items()}
        register_firm.keep_answers(tx, token, step, typed, now)
    except Conflict:
        return RedirectResponse("/register/done", status_code=303)
    answer = _to_next(Filling(registrations.find(tx, security.hash_token(token))), today)
    return _with_token(answer, house, token) if is_new else answer


def _with_token(answer: Response, house: House, token: str) -> Response:
    answer.set_cookie(
        _cookie_name(house), token, max_age=int(registrations.KEPT.total_seconds()), httponly=True,
        samesite="lax", secure=house.settings.is_https, path="/",
    )  # fmt: skip
    return answer


def _unproved(
    request: Request, house: House, filling: Filling, filled: Filled[Any], finding: Finding, today: date
) -> Response:
    """Why not, by the provider's code; where it is away, nothing is lost and the person may come back."""
    if finding.code is None:
        return _step_page(request, house, filling, "identity", filled, today, 503, is_away=True)
    refused = wrong_at(filled, "number", words.of("real_name_refusal", finding.code.value))
    return _step_page(request, house, filling, "identity", refused, today, 422)


def _step_page(
    request: Request, house: House, filling: Filling, step: str, form: Filled[Any], today: date, status: int = 200,
    *, is_away: bool = False,
) -> Response:  # fmt: skip
    code = code_of(form.said("uscc")) if step == "firm" else ""
    view = StepPage(
        form=form,
        step=step,
        place=PATH.index(step) + 1,
        places=len(PATH),
        back=filling.back(step, today),
        is_change=filling.next_step(today) == "check",
        agreed=of_check(_provider_name(house)) if step == "identity" else _terms(house) if step == "account" else None,
        provider=_provider_name(house),
        identities=_tests(house) if step == "identity" else (),
        is_flagged=is_flagged(code),
        is_away=is_away,
        person=filling.form("person", PersonForm).said("name"),
        proved=filling.row.identity_shown if filling.row is not None and filling.has("identity", today) else "",
        login=filling.account.login if filling.account is not None else "",
        own_name=filling.own_name,
    )
    return page(request, "entry/register/step.html", view, status=status)


def _check_page(request: Request, filling: Filling, form: Filled[SendForm], status: int = 200) -> Response:
    firm, person = filling.form("firm", FirmForm).answers, filling.form("person", PersonForm).answers
    is_deputy = Capacity(person.capacity) is Capacity.DEPUTY
    rows = [
        (_("统一社会信用代码"), firm.uscc, "firm"),
        (_("名称"), firm.firm_name, "firm"),
        (_("主体类型"), words.of("firm_kind", firm.kind), "firm"),
        (_("姓名"), person.name, "person"),
        (_("手机号"), person.mobile, "person"),
        (_("您的身份"), words.of("capacity", person.capacity), "person"),
        *([(_("授权依据"), person.authority, "person")] if is_deputy else []),
        (_("实名核验"), gettext("已核验，号码后四位 %(end)s") % {"end": _shown(filling)}, "identity"),
        (_("登录名"), filling.form("account", LoginForm).answers.login, "account"),
    ]
    answers = [Said(str(question), said, f"/register/{step}") for question, said, step in rows]
    return page(request, "entry/register/check.html", CheckPage(form, answers, is_deputy), status=status)


def _shown(filling: Filling) -> str:
    return filling.row.identity_shown[-identity.SHOWN :] if filling.row is not None else ""


def _to_next(filling: Filling, today: date) -> Response:
    return RedirectResponse(f"/register/{filling.next_step(today)}", status_code=303)


def _tests(house: House) -> Sequence[TestIdentity]:
    """The sandbox's people, where the sandbox answers."""
    return TEST_IDENTITIES if house.settings.demo and house.settings.real_name_url is None else ()


def _provider_name(house: House) -> str:
    return gettext("演示沙箱") if _tests(house) else house.settings.real_name_provider


def _terms(house: House) -> Agreed:
    return of_terms(house.settings.site_name, house.settings.city_name)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
