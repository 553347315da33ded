"""The admission criteria of products, defined once: what is read, when a product takes it, where its answer can turn.

Each criterion reads one whole number of a demand. `takes(product, number)` answers for a single case; `cuts(product)`
lists the numbers at which the answer may turn, so that `fit_many` asks the same function once per stretch between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from matching.criteria import day_number, whole_months
from matching.facts import (
    CODE_LETTERS,
    FACTS,
    FIRM_KINDS,
    GUARANTEES,
    SHARE_PLACES,
    SIZES,
    TAX_GRADES,
    USES,
    code_number,
    encode,
    guarantee_bits,
)
from matching.terms import Facts, Product, Words

Number = int
Line = int | None


@dataclass(frozen=True)
class Admission:
    """One admission criterion. `line` is None where a product sets no such line; then every demand passes it.

    `silence_passes`: a demand that does not state the fact (no ceiling on the rate) passes instead of failing.
    """

    id: str
    fact: str
    unit: str
    words: Words
    has_line: Callable[[Product], bool]
    takes: Callable[[Product, Number], bool]
    cuts: Callable[[Product], tuple[Number, ...]]
    line: Callable[[Product], Line]
    silence_passes: bool = False
    months: bool = False

    def read(self, facts: Facts, today: date) -> Number | None:
        """The demand's number, None where the fact is missing. A stale fact still counts: the bank looks itself."""
        fact = facts.get(self.fact)
        if fact is None or fact.state == "missing" or fact.value is None:
            return None
        number = encode(self.fact, fact.value)
        return int(whole_months(number, day_number(today))) if self.months else number

    def passes(self, product: Product, number: Number | None) -> bool:
        """Whether the product takes a demand with this number (None: unknown)."""
        if not self.has_line(product):
            return True
        return self.silence_passes if number is None else self.takes(product, number)


def _at_least(
    name: str, fact: str, unit: str, zh: str, en: str, line: Callable[[Product], Line], *, months: bool = False
) -> Admission:
    return Admission(
        id=name,
        fact=fact,
        unit=unit,
        words=Words(f"要求{zh}不低于{{line}}，现为{{value}}", f"needs {en} of at least {{line}}, has {{value}}"),
        has_line=lambda product: line(product) is not None,
        takes=lambda product, number: number >= _set(line(product)),
        cuts=lambda product: (_set(line(product)),),
        line=line,
        months=months,
    )


def _at_most(
    name: str, fact: str, unit: str, zh: str, en: str, line: Callable[[Product], Line], *, silence_passes: bool = False
) -> Admission:
    return Admission(
        id=name,
        fact=fact,
        unit=unit,
        words=Words(f"要求{zh}不高于{{line}}，现为{{value}}", f"needs {en} of at most {{line}}, has {{value}}"),
        has_line=lambda product: line(product) is not None,
        takes=lambda product, number: number <= _set(line(product)),
        cuts=lambda product: (_set(line(product)) + 1,),
        line=line,
        silence_passes=silence_passes,
    )


def _among(
    name: str, fact: str, zh: str, en: str, choices: tuple[str, ...], chosen: Callable[[Product], frozenset[str]]
) -> Admission:
    def numbers(product: Product) -> frozenset[int]:
        return frozenset(choices.index(one) for one in chosen(product))

    return Admission(
        id=name,
        fact=fact,
        unit="choice",
        words=Words(f"不面向该{zh}（{{value}}）", f"not offered for this {en} ({{value}})"),
        has_line=lambda product: bool(chosen(product)),
        takes=lambda product, number: number in numbers(product),
        cuts=lambda product: tuple(cut for number in sorted(numbers(product)) for cut in (number, number + 1)),
        line=lambda product: None,  # noqa: ARG005  a set, not a line
    )


def _set(line: Line) -> int:
    assert line is not None
    return line


def _millionths(share: Decimal | None) -> Line:
    return None if share is None else int(share.scaleb(SHARE_PLACES))


def _grade(product: Product) -> Line:
    return None if product.min_tax_grade is None else TAX_GRADES.index(product.min_tax_grade)


def _stretch(prefix: str) -> tuple[int, int]:
    """From the first code with this prefix to just past the last; codes sort as their letters do."""
    first = code_number(prefix)
    return first, first + 256 ** (CODE_LETTERS - len(prefix))


def _under(prefixes: frozenset[str], number: Number) -> bool:
    return any(first <= number < end for first, end in map(_stretch, prefixes))


def _takes_industry(product: Product, number: Number) -> bool:
    wanted = not product.industries or _under(product.industries, number)
    return wanted and not _under(product.excluded_industries, number)


def _ends(prefixes: frozenset[str]) -> tuple[int, ...]:
    return tuple(cut for prefix in sorted(prefixes) for cut in _stretch(prefix))


def _takes_guarantee(product: Product, number: Number) -> bool:
    """Plain credit asks the firm for nothing, so every firm can give it."""
    return bool((number | guarantee_bits(("credit",))) & guarantee_bits(product.guarantees))


ADMISSIONS: tuple[Admission, ...] = (
    _at_least("amount_min", "amount_fen", "money", "金额", "an amount", lambda product: product.amount_min_fen),
    _at_most("amount_max", "amount_fen", "money", "金额", "an amount", lambda product: product.amount_max_fen),
    _at_least("term_min", "term_months", "months", "期限", "a term", lambda product: product.term_min_months),
    _at_most("term_max", "term_months", "months", "期限", "a term", lambda product: product.term_max_months),
    Admission(
        id="rate",
        fact="rate_ceiling",
        unit="share",
        words=Words(
            "最低利率{line}，高于企业可接受的{value}", "its lowest rate {line} is above the firm's ceiling {value}"
        ),
        has_line=lambda product: True,  # noqa: ARG005
        takes=lambda product, number: number >= _set(_millionths(product.rate_min)),
        cuts=lambda product: (_set(_millionths(product.rate_min)),),
        line=lambda product: _millionths(product.rate_min),
        silence_passes=True,
    ),
    Admission(
        id="guarantee",
        fact="guarantees",
        unit="guarantees",
        words=Words(
            "要求担保方式与企业可提供的（{value}）不符", "asks for a guarantee the firm cannot give (it gives {value})"
        ),
        has_line=lambda product: "credit" not in product.guarantees,
        takes=_takes_guarantee,
        cuts=lambda product: tuple(range(1, 1 << len(GUARANTEES))),  # noqa: ARG005
        line=lambda product: None,  # noqa: ARG005
    ),
    _among("firm_kind", "firm_kind", "主体类型", "kind of firm", FIRM_KINDS, lambda product: product.firm_kinds),
    _among("size", "size", "规模", "size", SIZES, lambda product: product.sizes),
    _among("use", "use", "用途", "use", USES, lambda product: product.uses),
    Admission(
        id="district",
        fact="district",
        unit="code",
        words=Words("不面向所在区县（{value}）", "not offered in the firm's reporting area ({value})"),
        has_line=lambda product: bool(product.districts),
        takes=lambda product, number: number in {code_number(one) for one in product.districts},
        cuts=lambda product: tuple(
            cut for one in sorted(product.districts) for cut in (code_number(one), code_number(one) + 1)
        ),
        line=lambda product: None,  # noqa: ARG005
    ),
    Admission(
        id="industry",
        fact="industry",
        unit="code",
        words=Words("不面向该行业（{value}）", "not offered to this industry ({value})"),
        has_line=lambda product: bool(product.industries or product.excluded_industries),
        takes=_takes_industry,
        cuts=lambda product: _ends(product.industries) + _ends(product.excluded_industries),
        line=lambda product: None,  # noqa: ARG005
    ),
    _at_least(
        "months_in_business",
        "established_on",
        "months",
        "经营时间",
        "a time in business",
        lambda product: product.min_months_in_business,
        months=True,
    ),
    _at_most(
        "probability",
        "probability",
        "share",
        "违约概率估计",
        "an estimated probability of default",
        lambda product: _millionths(product.max_probability),
    ),
    Admission(
        id="tax_grade",
        fact="tax_grade",
        unit="choice",
        words=Words("要求纳税信用等级更高（现为{value}）", "needs a better tax credit grade (has {value})"),
        has_line=lambda product: product.min_tax_grade is not None,
        takes=lambda product, number: number <= _set(_grade(product)),
        cuts=lambda product: (_set(_grade(product)) + 1,),
        line=_grade,
    ),
    _at_least(
        "yearly_sales",
        "yearly_sales_fen",
        "money",
        "年销售额",
        "yearly sales",
        lambda product: product.min_yearly_sales_fen,
    ),
    _at_least("tax_paid", "tax_paid_fen", "money", "年纳税额", "yearly tax", lambda product: product.min_tax_paid_fen),
    _at_least("employees", "employees", "count", "参保人数", "insured persons", lambda product: product.min_employees),
    _at_most("overdue", "overdue_days", "days", "逾期天数", "days overdue", lambda product: product.max_overdue_days),
    _at_most(
        "tax_arrears",
        "tax_arrears_months",
        "months",
        "欠税月数",
        "months of tax arrears",
        lambda product: product.max_tax_arrears_months,
    ),
    _at_most(
        "enforcement",
        "enforcement_open_fen",
        "money",
        "未结执行金额",
        "open enforcement",
        lambda product: product.max_enforcement_open_fen,
    ),
)

assert all(admission.fact in FACTS for admission in ADMISSIONS)
