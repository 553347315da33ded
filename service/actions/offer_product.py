"""A bank offers a product, changes its terms, or takes it off: every version is kept as it was."""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from sqlmodel import Session

from matching.terms import Product
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.domain.product import LoanType
from service.store import offers_of_banks, products, trail
from service.store.trail import Act

LONGEST_TERM = 360


@dataclass(frozen=True)
class ProductForm:
    """A product's terms. `criteria`: the admission criteria by their names in `matching.terms.Product`."""

    code: str
    name: str
    amount_min_fen: int
    amount_max_fen: int
    term_min_months: int
    term_max_months: int
    rate_min: Decimal
    rate_max: Decimal
    loan_types: tuple[str, ...]
    places_per_day: int
    from_on: date
    quota_fen: int | None = None
    until_on: date | None = None
    name_en: str = ""
    criteria: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Stored:
    """The form as a row would be, for the check of its criteria."""

    form: ProductForm
    id: int = 0
    bank_id: int = 0
    reserved_fen: int = 0
    granted_fen: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.form, name)


def offer_product(
    tx: Session, who: Who, form: ProductForm, today: date, now: datetime, *, bank_id: int | None = None
) -> int:
    """Put the product on offer, or change the one of the same code: its key. The same terms again change nothing."""
    bank = _bank_of(who, bank_id)
    checked(form, today)
    old = products.find_by_code(tx, bank, form.code)
    columns = asdict(form) | {"loan_types": list(form.loan_types)}
    if old is not None and all(getattr(old, name) == value for name, value in columns.items()):
        return int(old.id)
    if old is not None:
        if form.quota_fen is not None and form.quota_fen < old.reserved_fen + old.granted_fen:
            raise Conflict("新的额度小于已占用的额度。", field="quota_fen", used_fen=old.reserved_fen + old.granted_fen)
        key, version = int(old.id), int(old.version) + 1
        products.change(tx, key, columns | {"version": version, "changed_at": now})
    else:
        state = {"version": 1, "reserved_fen": 0, "granted_fen": 0, "changed_at": now, "bank_id": bank}
        key, version = products.add(tx, columns | state), 1
    products.add_version(tx, key, version, columns, who.person_id, now)
    verb = "offered" if version == 1 else "changed"
    trail.append(tx, who, [Act(verb, "product", key, bank_id=bank, details={"version": version})], now)
    return key


def end_product(tx: Session, who: Who, code: str, until_on: date, now: datetime, *, bank_id: int | None = None) -> None:
    """The product is offered until this day; lines already pushed under it go on."""
    bank = _bank_of(who, bank_id)
    old = products.find_by_code(tx, bank, code)
    if old is None:
        raise NotFound("没有这个产品。")
    if old.until_on == until_on:
        return
    version = int(old.version) + 1
    products.change(tx, old.id, {"until_on": until_on, "version": version, "changed_at": now})
    products.add_version(tx, old.id, version, {"until_on": until_on}, who.person_id, now)
    trail.append(tx, who, [Act("ended", "product", old.id, bank_id=bank, details={"version": version})], now)


def _bank_of(who: Who, bank_id: int | None) -> int:
    if who.role is Role.BANK_ADMIN and who.bank_id is not None and bank_id in (None, who.bank_id):
        return who.bank_id
    if (who.is_platform or who.role is Role.OPERATOR) and bank_id is not None:
        return bank_id
    raise NotAllowed("只有本行管理员可以维护产品。")


def checked(form: ProductForm, today: date) -> Product:
    """The form as the match reads it; NotPossible, naming the field, for terms that cannot be."""
    checks = (
        (0 < form.amount_min_fen <= form.amount_max_fen, "amount_min_fen", "金额下限须大于零且不超过上限。"),
        (
            0 < form.term_min_months <= form.term_max_months <= LONGEST_TERM,
            "term_min_months",
            "期限须在 1 至 360 个月之间。",
        ),
        (0 < form.rate_min <= form.rate_max < 1, "rate_min", "利率下限须大于零且不超过上限。"),
        (bool(form.loan_types) and frozenset(LoanType).issuperset(form.loan_types), "loan_types", "请选择贷款方式。"),
        (form.until_on is None or form.until_on >= today, "until_on", "止期不能早于今天。"),
        (form.places_per_day >= 0, "places_per_day", "每日名额不能为负。"),
        (form.quota_fen is None or form.quota_fen > 0, "quota_fen", "额度须大于零，不设上限请留空。"),
        (bool(form.code.strip()) and bool(form.name.strip()), "name", "请填写产品代码与名称。"),
    )
    for fine, name, said in checks:
        if not fine:
            raise NotPossible(said, field=name)
    try:
        return offers_of_banks.product_of(cast("Any", _Stored(form)))
    except (TypeError, ValueError, ArithmeticError) as fault:
        raise NotPossible("准入条件有误：{fault}", field="criteria", fault=str(fault)) from fault
