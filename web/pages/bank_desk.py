"""The bank's own house: products with places and money, how it answers, its people and its machines' keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from matching.facts import TAX_GRADES
from service.actions.add_account import NewAccount, add_account
from service.actions.end_account import end_account
from service.actions.issue_key import issue_key, revoke_key
from service.actions.offer_product import ProductForm as Terms
from service.actions.offer_product import end_product, offer_product
from service.actions.preview_product import STEP, Preview, preview_product
from service.domain.errors import DomainError, NotFound
from service.domain.firm import FirmKind
from service.domain.people import ApiKey, Who, the_platform
from service.domain.product import LoanType
from service.doors import ABankAdmin, AnOfficer, Now, TheHouse, Today, Tx
from service.store import accounts, banks, pace, people, products, statistics
from service.store.pace import Pace
from service.store.statistics import Figures
from web import product_words, words
from web.beside_words import Beside, beside_the_city
from web.csrf import guard
from web.figure_words import days_of, definitions
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, money, percent, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.bank import badge
from web.product_words import VersionSaid
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
GRADE = Literal["A", "B", "M", "unrated", "C"]
PEOPLE = (
    Column("login", _("登录名")),
    Column("name", _("姓名")),
    Column("role", _("身份")),
    Column("since_on", _("自")),
    Column("until_on", _("至")),
    Column("act", _("办理")),
)


class ProductForm(Form):
    code: Annotated[str, wording(most=32), Ask(_("产品代码"), _("贵行自己的代码；同一代码再次保存就是新版本。"))]
    name: Annotated[str, wording(most=120), Ask(_("产品名称"))]
    amount_min_fen: Annotated[int, money("wan"), Ask(_("最低金额"))]
    amount_max_fen: Annotated[int, money("wan"), Ask(_("最高金额"))]
    term_min_months: Annotated[int, whole(least=1, most=360), Ask(_("最短期限"))]
    term_max_months: Annotated[int, whole(least=1, most=360), Ask(_("最长期限"))]
    rate_min: Annotated[Decimal, percent(places=4), Ask(_("最低年利率"))]
    rate_max: Annotated[Decimal, percent(places=4), Ask(_("最高年利率"))]
    loan_types: Annotated[tuple[LoanType, ...], Ask(_("贷款方式"))]
    places_per_day: Annotated[int, whole(most=100_000), Ask(_("每天最多接几户"), _("填 0 表示暂不接收。"))]
    quota_fen: Annotated[
        int | None, money("wan"), Ask(_("总额度"), _("推送占用申请金额，授信后换成授信金额；不填表示不设上限。"))
    ] = None
    from_on: Annotated[Day, Ask(_("开始日期"))]
    until_on: Annotated[Day | None, Ask(_("结束日期"), _("不填表示一直有效。"))] = None
    min_months_in_business: Annotated[int | None, whole(most=1200), Ask(_("成立至少"))] = None
    min_tax_grade: Annotated[GRADE | None, Ask(_("纳税信用等级不低于"))] = None
    min_yearly_sales_fen: Annotated[int | None, money("wan"), Ask(_("近 12 个月销售额至少"))] = None
    max_probability: Annotated[Decimal | None, percent(places=2), Ask(_("违约概率不高于"))] = None
    firm_kinds: Annotated[tuple[FirmKind, ...], Ask(_("企业类型"), _("不选表示都可以。"))] = ()
    districts: Annotated[tuple[str, ...], Ask(_("区县"), _("不选表示全市。"))] = ()
    industries: Annotated[
        str, wording(most=200), Ask(_("只做这些行业"), _("国标行业代码，用空格分开，如 C F52；不填表示都可以。"))
    ] = ""
    excluded_industries: Annotated[str, wording(most=200), Ask(_("不做这些行业"), _("如 K70。"))] = ""


CRITERIA = (
    "min_months_in_business", "min_tax_grade", "min_yearly_sales_fen", "max_probability", "firm_kinds", "districts",
    "industries", "excluded_industries",
)  # fmt: skip
EXACT = frozenset({"max_probability"})


class OfficerForm(Form):
    login: Annotated[str, wording(most=64, least=3), Ask(_("登录名"), _("至少 3 个字符。"), _("请填写登录名"))]
    name: Annotated[str, wording(most=120), Ask(_("姓名"), None, _("请填写姓名"))]
    role: Annotated[Literal["officer", "bank_admin"], Ask(_("身份"), None, _("请选择身份"))]
    password: Annotated[str, Ask(_("初始密码"), _("至少 8 个字符，请当面或另行告知本人。"), _("请填写初始密码"))]


class KeyForm(Form):
    system: Annotated[str, wording(most=120), Ask(_("用途"), _("例如：信贷系统生产环境。"), _("请写明哪个系统使用"))]


@dataclass(frozen=True)
class ProductsPage:
    products: Sequence[Row[Any]]
    today: date
    may_change: bool


@dataclass(frozen=True)
class ProductPage:
    form: Filled[ProductForm]
    product: Row[Any] | None
    grades: Sequence[words.Option]
    kinds: Sequence[words.Option]
    preview: Preview | None = None
    step: int = STEP


@dataclass(frozen=True)
class VersionsPage:
    product: Row[Any]
    versions: Sequence[VersionSaid]
    may_change: bool


@dataclass(frozen=True)
class FiguresPage:
    since: date
    until: date
    pace: Pace
    beside: Sequence[Beside]
    reasons: Sequence[Row[Any]]
    sums: Figures
    meanings: Mapping[str, str]
    """What each figure means."""


@dataclass(frozen=True)
class PeoplePage:
    form: Filled[OfficerForm]
    listing: Listing[Row[Any]]
    keys: Sequence[ApiKey]
    key_form: Filled[KeyForm]
    today: date
    me: int | None


@dataclass(frozen=True)
class KeyPage:
    secret: str
    name: str


@router.get("/bank/products")
def show_products(request: Request, who: AnOfficer, tx: Tx, today: Today) -> Response:
    """What we offer, how many places and how much money are left today."""
    rows = products.list_of_bank(tx, who.bank_id, today)
    return page(request, "bank/products.html", ProductsPage(rows, today, may_change=who.role == "bank_admin"))


@router.get("/bank/products/new")
def show_new_product(request: Request, _who: ABankAdmin, today: Today) -> Response:
    return _product_page(request, blank(ProductForm, from_on=today.isoformat(), loan_types=["credit"]), None)


@router.post("/bank/products/preview")
def preview(request: Request, who: ABankAdmin, tx: Tx, house: TheHouse, today: Today, typed: Typed) -> Response:
    """How many of today's open demands the terms as typed would take; nothing is saved."""
    filled = read(ProductForm, typed)
    code = filled.said("code").strip()
    old = next((row for row in products.list_of_bank(tx, who.bank_id, today) if row.code == code), None)
    if not filled.is_right:
        return _product_page(request, filled, old, 422)
    try:
        with house.database.transaction(the_platform("preview"), read_only=True) as city:
            found = preview_product(city, who, _terms(filled.answers, old), old, today)
    except DomainError as refusal:
        return _product_page(request, filled.refused(refusal), old, 422)
    return _product_page(request, filled, old, preview=found)


@router.get("/bank/products/{product_id}/versions")
def show_versions(request: Request, who: AnOfficer, tx: Tx, today: Today, product_id: int) -> Response:
    """Every version of a product, the latest first: who changed what, and when."""
    product = _own(tx, who, today, product_id)
    told = product_words.tell_versions(products.list_versions(tx, who.bank_id, product_id))
    return page(request, "bank/versions.html", VersionsPage(product, told, may_change=who.role == "bank_admin"))


@router.get("/bank/products/{product_id}")
def show_product(request: Request, who: ABankAdmin, tx: Tx, today: Today, product_id: int) -> Response:
    product = _own(tx, who, today, product_id)
    return _product_page(request, blank(ProductForm, **_first_answers(product)), product)


@router.post("/bank/products")
def save_product(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """A new product, or a new version of the one with this code."""
    filled = read(ProductForm, typed)
    code = filled.said("code").strip()
    old = next((row for row in products.list_of_bank(tx, who.bank_id, today) if row.code == code), None)
    if not filled.is_right:
        return _product_page(request, filled, old, 422)
    try:
        with tx.begin_nested():
            offer_product(tx, who, _terms(filled.answers, old), today, now)
    except DomainError as refusal:
        return _product_page(request, filled.refused(refusal), old, 422)
    return redirect(request, "/bank/products", gettext("已保存，从下一份清单起按新条件匹配。"))


@router.post("/bank/products/{product_id}/end")
def stop_product(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, product_id: int) -> Response:
    """Take the product off after today; lines already pushed go on."""
    end_product(tx, who, _own(tx, who, today, product_id).code, today, now)
    return redirect(request, "/bank/products", gettext("产品今天之后不再匹配新的需求。"))


@router.get("/bank/figures")
def show_figures(request: Request, who: AnOfficer, tx: Tx, today: Today) -> Response:
    """How we do: money granted and paid, and how soon and how we answer."""
    since, until = days_of(request, today)
    cells = statistics.figures(tx, who, since, until)
    sums = cells[0] if cells else Figures("")
    pace_of_bank = pace.of_bank(tx, who, since, until, today)
    view = FiguresPage(
        since=since,
        until=until,
        pace=pace_of_bank,
        beside=beside_the_city(pace_of_bank, sums, pace.medians(tx, since, until)),
        reasons=banks.refusal_reasons(tx, who.bank_id, since, until),
        sums=sums,
        meanings=definitions(),
    )
    return page(request, "bank/figures.html", view)


@router.get("/bank/people")
def show_people(request: Request, who: ABankAdmin, tx: Tx, today: Today) -> Response:
    return _people_page(request, tx, who, today, blank(OfficerForm), blank(KeyForm))


@router.post("/bank/people")
def add_officer(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """A colleague may sign in from now on."""
    filled = read(OfficerForm, typed)
    if not filled.is_right:
        return _people_page(request, tx, who, today, filled, blank(KeyForm), 422)
    given = filled.answers
    account = NewAccount(given.login, given.name, given.role, given.password, bank=banks.get(tx, who.bank_id).code)
    try:
        with tx.begin_nested():
            add_account(tx, who, account, now)
    except DomainError as refusal:
        return _people_page(request, tx, who, today, filled.refused(refusal), blank(KeyForm), 422)
    return redirect(request, "/bank/people", gettext("已添加%(name)s。") % {"name": given.name})


@router.post("/bank/people/{membership_id}/end")
def end_officer(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, membership_id: int) -> Response:
    """Their sessions end at once."""
    end_account(tx, who, membership_id, today, now)
    return redirect(request, "/bank/people", gettext("已停用，对方的登录立即失效。"))


@router.post("/bank/keys")
def make_key(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """The only page that ever shows the key."""
    filled = read(KeyForm, typed)
    if not filled.is_right:
        return _people_page(request, tx, who, today, blank(OfficerForm), filled, 422)
    made = issue_key(tx, who, filled.answers.system, now)
    answer = page(request, "bank/key.html", KeyPage(made.secret, filled.answers.system))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/bank/keys/{key_id}/revocation")
def end_key(request: Request, who: ABankAdmin, tx: Tx, now: Now, key_id: int) -> Response:
    revoke_key(tx, who, key_id, now)
    return redirect(request, "/bank/people", gettext("密钥已停用。"))


def _own(tx: Tx, who: Who, today: date, product_id: int) -> Row[Any]:
    for row in products.list_of_bank(tx, who.bank_id, today):
        if row.id == product_id:
            return row
    raise NotFound("没有这个产品。")


def _product_page(
    request: Request,
    form: Filled[ProductForm],
    product: Row[Any] | None,
    status: int = 200,
    preview: Preview | None = None,
) -> Response:
    grades = words.options("tax_grade", [grade for grade in TAX_GRADES if grade != "D"])
    view = ProductPage(form, product, grades, words.options("firm_kind"), preview)
    return page(request, "bank/product.html", view, status=status)


def _people_page(
    request: Request,
    tx: Tx,
    who: Who,
    today: date,
    form: Filled[OfficerForm],
    key_form: Filled[KeyForm],
    status: int = 200,
) -> Response:
    wish = Wish.of(request, PEOPLE, usual="login")
    rows, total = accounts.find(tx, who, limit=50, offset=wish.offset(50))
    keys = people.list_api_keys(tx, who.bank_id or 0)
    listing = Listing(PEOPLE, rows, total, "/bank/people", wish)
    view = PeoplePage(form, listing, keys, key_form, today, who.person_id)
    return page(request, "bank/people.html", view, status=status)


def _terms(answers: ProductForm, old: Row[Any] | None) -> Terms:
    """The product's terms; criteria this page does not ask about stay as they were."""
    given = answers.model_dump()
    criteria = {
        name: value for name, value in (old.criteria if old is not None else {}).items() if name not in CRITERIA
    }
    for name in CRITERIA:
        value = _criterion(name, given.pop(name))
        if value is not None:
            criteria[name] = value
    given["loan_types"] = tuple(str(mode) for mode in answers.loan_types)
    if old is not None:
        given["name_en"] = old.name_en
    return Terms(**given, criteria=criteria)


def _criterion(name: str, value: Any) -> Any:
    """As stored: lists sorted, shares as text, nothing where the bank sets no line."""
    if name.endswith("industries"):
        value = value.upper().replace(",", " ").replace("，", " ").replace("、", " ").split()
    if isinstance(value, list | tuple):
        return sorted(str(one) for one in value) or None
    return str(value) if isinstance(value, Decimal) else value


def _first_answers(product: Row[Any]) -> dict[str, object]:
    def wan(fen: int | None) -> str:
        return "" if fen is None else f"{Decimal(fen) / 1_000_000:.6f}".rstrip("0").rstrip(".")

    def share(rate: object) -> str:
        return "" if rate is None else f"{Decimal(str(rate)) * 100:.4f}".rstrip("0").rstrip(".")

    criteria = product.criteria
    return {
        **{name: getattr(product, name) for name in ("code", "name", "term_min_months", "term_max_months")},
        **{name: wan(getattr(product, name)) for name in ("amount_min_fen", "amount_max_fen", "quota_fen")},
        "rate_min": share(product.rate_min),
        "rate_max": share(product.rate_max),
        "loan_types": list(product.loan_types),
        "places_per_day": product.places_per_day,
        "from_on": product.from_on.isoformat(),
        "until_on": product.until_on.isoformat() if product.until_on else "",
        "min_months_in_business": criteria.get("min_months_in_business", ""),
        "min_tax_grade": criteria.get("min_tax_grade", ""),
        "min_yearly_sales_fen": wan(criteria.get("min_yearly_sales_fen")),
        "max_probability": share(criteria.get("max_probability")),
        "firm_kinds": list(criteria.get("firm_kinds", ())),
        "districts": list(criteria.get("districts", ())),
        "industries": " ".join(criteria.get("industries", ())),
        "excluded_industries": " ".join(criteria.get("excluded_industries", ())),
    }
