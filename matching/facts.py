"""What the judgement may be told: every fact's name, kind, source and words, and how a fact becomes a whole number.

A fact reaches a measure as a whole number (fen, millionths, yyyymmdd, a place in a list of choices), because the same
arithmetic then judges one demand and a column of 330,000, exactly and alike.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Value = int | Decimal | str | date | bool | None
Kind = Literal["money", "count", "share", "date", "choice", "code", "flag"]

MOST_FEN = 10**14
"""Money is capped here (a trillion yuan) so that ten-thousandths of it still fit into 64 bits."""

SHARE_PLACES = 6
CODE_LETTERS = 7

STATUSES = ("active", "moved", "cancelled", "revoked")
PREMISES = ("owned", "rented", "online", "none")
FIRM_KINDS = ("enterprise", "individual", "cooperative", "village")
TAX_GRADES = ("A", "B", "M", "unrated", "C", "D")
SIZES = ("micro", "small", "medium", "large", "unclassified")
GUARANTEES = ("credit", "mortgage", "pledge", "guarantee")
USES = (
    "working_capital",
    "stock",
    "wages",
    "order",
    "renewal",
    "equipment",
    "premises_building",
    "research",
    "green",
    "other",
    "securities",
    "wealth_products",
    "property_speculation",
    "on_lending",
    "private_consumption",
)
LONG_USES = frozenset({"equipment", "premises_building", "research", "green"})
FORBIDDEN_USES = frozenset(
    {"securities", "wealth_products", "property_speculation", "on_lending", "private_consumption"}
)


@dataclass(frozen=True)
class FactMeaning:
    """One fact a profile can hand over: kind, the catalogue item it comes from, words, and its choices."""

    name: str
    kind: Kind
    source: str
    zh: str
    en: str
    choices: tuple[str, ...] = ()


def _by_name(*meanings: FactMeaning) -> dict[str, FactMeaning]:
    return {meaning.name: meaning for meaning in meanings}


FACTS: dict[str, FactMeaning] = _by_name(
    FactMeaning("amount_fen", "money", "demand", "申请金额", "amount asked"),
    FactMeaning("term_months", "count", "demand", "申请期限(月)", "term asked, months"),
    FactMeaning("use", "choice", "demand", "贷款用途", "use of the loan", USES),
    FactMeaning("rate_ceiling", "share", "demand", "可接受最高年利率", "highest yearly rate the firm accepts"),
    FactMeaning("guarantees", "count", "demand", "可提供的担保方式", "guarantees the firm can give (bit set)"),
    FactMeaning("established_on", "date", "registration", "成立日期", "date of establishment"),
    FactMeaning("registration_status", "choice", "registration", "登记状态", "registration status", STATUSES),
    FactMeaning("firm_kind", "choice", "registration", "主体类型", "kind of firm", FIRM_KINDS),
    FactMeaning("size", "choice", "registration", "企业规模", "size class", SIZES),
    FactMeaning("district", "code", "registration", "所属区县", "reporting area"),
    FactMeaning("industry", "code", "registration", "行业代码", "industry, GB/T 4754 letter and division"),
    FactMeaning("premises", "choice", "registration", "经营场所", "premises", PREMISES),
    FactMeaning(
        "abnormal_listings", "count", "abnormal_operation", "经营异常记录", "abnormal-operation entries in force"
    ),
    FactMeaning(
        "serious_listings", "count", "dishonesty_listing", "严重失信记录", "serious dishonesty entries in force"
    ),
    FactMeaning(
        "legal_person_listings",
        "count",
        "people",
        "法定代表人严重失信记录",
        "serious dishonesty entries of the legal representative",
    ),
    FactMeaning("enforcement_open_fen", "money", "court_enforcement", "未结执行金额", "open court enforcement"),
    FactMeaning("serious_penalties", "count", "penalty", "严重行政处罚", "serious penalties still published"),
    FactMeaning(
        "tax_arrears_months", "count", "tax_payment", "近12个月欠税月数", "months with tax arrears of the last 12"
    ),
    FactMeaning("tax_paid_fen", "money", "tax_payment", "近12个月纳税额", "tax paid in the last 12 months"),
    FactMeaning("tax_grade", "choice", "tax_grade", "纳税信用等级", "tax credit grade", TAX_GRADES),
    FactMeaning(
        "insurance_arrears_months",
        "count",
        "social_insurance",
        "近12个月社保欠费月数",
        "months with social insurance arrears of the last 12",
    ),
    FactMeaning("employees", "count", "social_insurance", "参保人数", "insured persons, latest month"),
    FactMeaning("overdue_days", "count", "loan_performance", "当前贷款逾期天数", "days overdue now, worst loan"),
    FactMeaning("yearly_sales_fen", "money", "invoice", "近12个月销售额", "sales of the last 12 months"),
    FactMeaning("last_activity_on", "date", "tax_payment", "最近经营活动日期", "last day of any sign of business"),
    FactMeaning("heard_on", "date", "tax_payment", "最近收到数据日期", "day the last monthly source was received"),
    FactMeaning("probability", "share", "estimate", "违约概率估计", "estimated probability of default"),
    FactMeaning("first_sale_on", "date", "invoice", "首张销项发票日期", "day of the first sales invoice"),
    FactMeaning("last_sale_on", "date", "invoice", "最近销项发票日期", "day of the last valid sales invoice"),
    FactMeaning("active_months", "count", "invoice", "近12个月有销售的月数", "months with sales of the last 12"),
    FactMeaning("void_share", "share", "invoice", "作废发票占比", "share of void invoices, by number"),
    FactMeaning("negative_share", "share", "invoice", "负数发票金额占比", "share of red-letter invoices, by amount"),
)


def encode(name: str, value: Value) -> int:
    """Whole number of a known fact: fen (capped at ±10^14), count, millionths, yyyymmdd, place in choices, letters.

    A share is rounded half-even to six decimals. Raises ValueError with the fact's name when the value does not fit.
    """
    meaning = FACTS.get(name)
    if meaning is None:
        raise ValueError(f"'{name}' is not a fact the judgement knows")
    try:
        return _encode(meaning, value)
    except (TypeError, ValueError, ArithmeticError) as fault:
        raise ValueError(f"fact '{name}' cannot be {value!r}: it is of kind {meaning.kind}") from fault


def _encode(meaning: FactMeaning, value: Value) -> int:
    if meaning.kind == "date":
        return _date_number(value)
    if meaning.kind == "choice":
        return meaning.choices.index(str(value))
    if meaning.kind == "code":
        return code_number(str(value))
    if value is None or isinstance(value, (str, date)):
        raise TypeError
    if meaning.kind == "share":
        return round(Decimal(value).scaleb(SHARE_PLACES))
    number = int(value)
    if number != value:
        raise ValueError
    return max(-MOST_FEN, min(MOST_FEN, number))


def _date_number(value: Value) -> int:
    if not isinstance(value, date):
        raise TypeError
    return value.year * 10_000 + value.month * 100 + value.day


def code_number(code: str) -> int:
    """A short code as a whole number that keeps its alphabetical order: seven ASCII letters, padded on the right."""
    letters = code.encode("ascii")
    if len(letters) > CODE_LETTERS:
        raise ValueError(f"code '{code}' is longer than {CODE_LETTERS} letters")
    return int.from_bytes(letters.ljust(CODE_LETTERS, b"\0"), "big")


def code_of(number: int) -> str:
    """The short code of `code_number`; '' for 0."""
    return number.to_bytes(CODE_LETTERS, "big").rstrip(b"\0").decode("ascii")


def guarantee_bits(modes: frozenset[str] | tuple[str, ...]) -> int:
    """The guarantee modes as a bit set in the order of GUARANTEES; ValueError on an unknown mode."""
    return sum(1 << GUARANTEES.index(mode) for mode in set(modes))
