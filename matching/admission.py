"""The admission criteria of products, defined once: what is read, when a product takes it, where its answer can turn.

Each criterion reads one whole number of a demand. `takes(product, number)` answers for a single case; `cuts(product)`
lists the numbers at which the answer may turn, so that `fit_many` asks the same function once per stretch between. What
a failed one says, in two halves: what the product `needs`, and what the demand `has`.
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
    """One admission criterion. `line` is None where a product sets no such line or names a set (`taken`) instead.

    `needs` and `has` hold the blanks {line} (or the set), {value}, {gap}. `needs_none` is said where the line is 0.
    `silence_passes`: a demand that does not state the fact (no ceiling on the rate) passes instead of failing.
    """

    id: str
    fact: str
    unit: str
    needs: Words
    has: Words
    has_line: Callable[[Product], bool]
    takes: Callable[[Product, Number], bool]
    cuts: Callable[[Product], tuple[Number, ...]]
    line: Callable[[Product], Line] = lambda product: None  # noqa: ARG005
    taken: Callable[[Product], tuple[str, ...]] = lambda product: ()  # noqa: ARG005
    needs_none: Words | None = None
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
    name: str, fact: str, unit: str, needs: Words, has: Words, line: Callable[[Product], Line], *, months: bool = False
) -> Admission:
    return Admission(
        id=name,
        fact=fact,
        unit=unit,
        needs=needs,
        has=has,
        has_line=lambda product: line(product) is not None,
        takes=lambda product, number: number >= _set(line(product)),
        cuts=lambda product: (_set(line(product)),),
        line=line,
        months=months,
    )


def _at_most(
    name: str, fact: str, unit: str, needs: Words, has: Words, line: Callable[[Product], Line],
    needs_none: Words | None = None,
) -> Admission:  # fmt: skip
    return Admission(
        id=name,
        fact=fact,
        unit=unit,
        needs=needs,
        has=has,
        has_line=lambda product: line(product) is not None,
        takes=lambda product, number: number <= _set(line(product)),
        cuts=lambda product: (_set(line(product)) + 1,),
        line=line,
        needs_none=needs_none,
    )


def _among(
    name: str, needs: Words, has: Words, choices: tuple[str, ...], chosen: Callable[[Product], frozenset[str]]
) -> Admission:
    def numbers(product: Product) -> tuple[int, ...]:
        return tuple(place for place, choice in enumerate(choices) if choice in chosen(product))

    return Admission(
        id=name,
        fact=name,
        unit="choice",
        needs=needs,
        has=has,
        has_line=lambda product: bool(chosen(product)),
        takes=lambda product, number: number in numbers(product),
        cuts=lambda product: tuple(cut for number in numbers(product) for cut in (number, number + 1)),
        taken=lambda product: tuple(choices[number] for number in numbers(product)),
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


def _ends(prefixes: frozenset[str]) -> tuple[int, ...]:
    return tuple(cut for prefix in sorted(prefixes) for cut in _stretch(prefix))


def _takes_guarantee(product: Product, number: Number) -> bool:
    """Plain credit asks the firm for nothing, so every firm can give it."""
    return bool((number | guarantee_bits(("credit",))) & guarantee_bits(product.guarantees))


ADMISSIONS: tuple[Admission, ...] = (
    _at_least(
        "amount_min",
        "amount_fen",
        "money",
        Words("最低可贷{line}", "lends at least {line}"),
        Words("，申请{value}，少{gap}", "; {value} asked for, {gap} too little"),
        lambda product: product.amount_min_fen,
    ),
    _at_most(
        "amount_max",
        "amount_fen",
        "money",
        Words("最高可贷{line}", "lends at most {line}"),
        Words("，申请{value}，多{gap}", "; {value} asked for, {gap} too much"),
        lambda product: product.amount_max_fen,
    ),
    _at_least(
        "term_min",
        "term_months",
        "months",
        Words("期限最短{line}", "lends for at least {line}"),
        Words("，申请{value}，短{gap}", "; {value} asked for, {gap} too short"),
        lambda product: product.term_min_months,
    ),
    _at_most(
        "term_max",
        "term_months",
        "months",
        Words("期限最长{line}", "lends for at most {line}"),
        Words("，申请{value}，长{gap}", "; {value} asked for, {gap} too long"),
        lambda product: product.term_max_months,
    ),
    Admission(
        id="rate",
        fact="rate_ceiling",
        unit="share",
        needs=Words("年利率{line}起", "its rate starts at {line}"),
        has=Words("，企业最高接受{value}，差{gap}", "; the firm accepts at most {value}, {gap} less"),
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
        needs=Words("需要{line}担保", "asks for {line}"),
        has=Words("，企业可提供：{value}", "; the firm can give {value}"),
        has_line=lambda product: "credit" not in product.guarantees,
        takes=_takes_guarantee,
        cuts=lambda product: tuple(range(1, 1 << len(GUARANTEES))),  # noqa: ARG005
        taken=lambda product: tuple(mode for mode in GUARANTEES if mode in product.guarantees),
    ),
    _among(
        "firm_kind",
        Words("只面向{line}", "open to {line} only"),
        Words("，申请人是{value}", "; the applicant is: {value}"),
        FIRM_KINDS,
        lambda product: product.firm_kinds,
    ),
    _among(
        "size",
        Words("只面向{line}企业", "for {line} firms only"),
        Words("，本企业为{value}", "; this one is {value}"),
        SIZES,
        lambda product: product.sizes,
    ),
    _among(
        "use",
        Words("只用于{line}", "for {line} only"),
        Words("，申请用途是{value}", "; asked for: {value}"),
        USES,
        lambda product: product.uses,
    ),
    Admission(
        id="district",
        fact="district",
        unit="code",
        needs=Words("只面向{line}的企业", "only for firms in {line}"),
        has=Words("，本企业在{value}", "; this one is in {value}"),
        has_line=lambda product: bool(product.districts),
        takes=lambda product, number: number in {code_number(one) for one in product.districts},
        cuts=lambda product: tuple(
            cut for one in sorted(product.districts) for cut in (code_number(one), code_number(one) + 1)
        ),
        taken=lambda product: tuple(sorted(product.districts)),
    ),
    Admission(
        id="industry",
        fact="industry",
        unit="code",
        needs=Words("行业只限{line}", "only for {line}, by industry"),
        has=Words("，本企业属{value}", "; this firm is in {value}"),
        has_line=lambda product: bool(product.industries),
        takes=lambda product, number: _under(product.industries, number),
        cuts=lambda product: _ends(product.industries),
        taken=lambda product: tuple(sorted(product.industries)),
    ),
    Admission(
        id="excluded_industry",
        fact="industry",
        unit="code",
        needs=Words("行业不含{line}", "not for {line}, by industry"),
        has=Words("，本企业属{value}", "; this firm is in {value}"),
        has_line=lambda product: bool(product.excluded_industries),
        takes=lambda product, number: not _under(product.excluded_industries, number),
        cuts=lambda product: _ends(product.excluded_industries),
        taken=lambda product: tuple(sorted(product.excluded_industries)),
    ),
    _at_least(
        "months_in_business",
        "established_on",
        "months",
        Words("要求经营满{line}", "needs {line} in business"),
        Words("，现为{value}，自{when}起满足", ", has {value}: from {when}"),
        lambda product: product.min_months_in_business,
        months=True,
    ),
    _at_most(
        "probability",
        "probability",
        "share",
        Words("要求违约概率估计不高于{line}", "needs an estimated probability of default of at most {line}"),
        Words("，现为{value}，高{gap}", ", has {value}: {gap} too high"),
        lambda product: _millionths(product.max_probability),
    ),
    Admission(
        id="tax_grade",
        fact="tax_grade",
        unit="choice",
        needs=Words("要求纳税信用等级为{line}", "needs tax credit grade {line}"),
        has=Words("，现为{value}", ", has {value}"),
        has_line=lambda product: product.min_tax_grade is not None,
        takes=lambda product, number: number <= _set(_grade(product)),
        cuts=lambda product: (_set(_grade(product)) + 1,),
        line=_grade,
        taken=lambda product: TAX_GRADES[: _set(_grade(product)) + 1],
    ),
    _at_least(
        "yearly_sales",
        "yearly_sales_fen",
        "money",
        Words("要求近12个月销售额不低于{line}", "needs sales of {line} in 12 months"),
        Words("，现为{value}，少{gap}", ", has {value}: {gap} short"),
        lambda product: product.min_yearly_sales_fen,
    ),
    _at_least(
        "tax_paid",
        "tax_paid_fen",
        "money",
        Words("要求近12个月纳税不低于{line}", "needs {line} of tax paid in 12 months"),
        Words("，现为{value}，少{gap}", ", has {value}: {gap} short"),
        lambda product: product.min_tax_paid_fen,
    ),
    _at_least(
        "employees",
        "employees",
        "people",
        Words("要求参保不少于{line}", "needs {line} insured persons"),
        Words("，现为{value}，少{gap}", ", has {value}: {gap} short"),
        lambda product: product.min_employees,
    ),
    _at_most(
        "overdue",
        "overdue_days",
        "days",
        Words("当前逾期不得超过{line}", "takes loans up to {line} overdue"),
        Words("，现逾期{value}", "; the worst is {value} overdue"),
        lambda product: product.max_overdue_days,
        Words("当前不得有逾期", "takes no firm with an overdue loan"),
    ),
    _at_most(
        "tax_arrears",
        "tax_arrears_months",
        "months",
        Words("近12个月欠税不得超过{line}", "takes up to {line} of tax arrears in 12"),
        Words("，现欠{value}", "; has {value}"),
        lambda product: product.max_tax_arrears_months,
        Words("近12个月不得欠税", "takes no tax arrears in 12 months"),
    ),
    _at_most(
        "enforcement",
        "enforcement_open_fen",
        "money",
        Words("未结执行金额不得超过{line}", "takes up to {line} of open court enforcement"),
        Words("，现有{value}", "; {value} is open"),
        lambda product: product.max_enforcement_open_fen,
        Words("不得有未结执行", "takes no open court enforcement"),
    ),
)

assert all(admission.fact in FACTS for admission in ADMISSIONS)
