"""Admission: one definition, two evaluations; and a firm that does not fit hears by how much and from when."""

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import fit as fit_module
from matching import fit_many as columnwise
from matching.admission import ADMISSIONS
from matching.evidence import from_json, to_json
from matching.facts import FIRM_KINDS, GUARANTEES, SIZES, TAX_GRADES, USES
from matching.fit import asked_facts, fit, fit_all
from matching.fit_many import fit_many
from matching.judge_many import columns_of
from matching.terms import Asked, Fact, Product, Words
from tests.matching import worlds

TODAY = date(2026, 6, 1)
PLAIN = Product(1, 10, "Plain", 0, 10**9, 1, 36, Decimal("0.03"), Decimal("0.06"))
WISH = Asked(7, 50_000_000, 12, "stock")
INDUSTRIES = ["F52", "F51", "H61", "H62", "C13", "I65", "Z99"]
DISTRICTS = ["410105", "410122", "ZDXQ"]


def some(choices):
    return st.frozensets(st.sampled_from(choices), max_size=3)


def maybe(values):
    return st.one_of(st.none(), values)


SMALL = st.integers(0, 6)
MONEY = st.integers(0, 9).map(lambda tens: tens * 10_000_000)
SHARE = st.integers(0, 10).map(lambda parts: Decimal(parts) / 100)

PRODUCTS = st.lists(
    st.builds(
        Product,
        id=st.integers(1, 9999),
        bank_id=st.integers(1, 5),
        name=st.just("p"),
        amount_min_fen=MONEY,
        amount_max_fen=MONEY,
        term_min_months=SMALL,
        term_max_months=st.integers(4, 40),
        rate_min=SHARE,
        rate_max=SHARE,
        guarantees=st.frozensets(st.sampled_from(GUARANTEES), min_size=1),
        firm_kinds=some(FIRM_KINDS),
        districts=some(DISTRICTS),
        sizes=some(SIZES),
        uses=some(USES),
        industries=some(["F", "F5", "H62", "C", "I65"]),
        excluded_industries=some(["F52", "H", "Z"]),
        min_months_in_business=maybe(st.integers(0, 40)),
        max_probability=maybe(SHARE),
        min_tax_grade=maybe(st.sampled_from(TAX_GRADES)),
        min_yearly_sales_fen=maybe(MONEY),
        min_tax_paid_fen=maybe(MONEY),
        min_employees=maybe(SMALL),
        max_overdue_days=maybe(SMALL),
        max_tax_arrears_months=maybe(SMALL),
        max_enforcement_open_fen=maybe(MONEY),
    ),
    min_size=1,
    max_size=70,
)


def fact(values):
    state = st.sampled_from(["known"] * 6 + ["missing", "stale"])
    return st.builds(lambda value, state: Fact(None if state == "missing" else value, "x", None, state), values, state)


FACTS = st.fixed_dictionaries(
    {},
    optional={
        "firm_kind": fact(st.sampled_from(FIRM_KINDS)),
        "size": fact(st.sampled_from(SIZES)),
        "district": fact(st.sampled_from(DISTRICTS)),
        "industry": fact(st.sampled_from(INDUSTRIES)),
        "established_on": fact(st.dates(date(2022, 12, 28), TODAY)),
        "probability": fact(SHARE),
        "tax_grade": fact(st.sampled_from(TAX_GRADES)),
        "yearly_sales_fen": fact(MONEY),
        "tax_paid_fen": fact(MONEY),
        "employees": fact(SMALL),
        "overdue_days": fact(SMALL),
        "tax_arrears_months": fact(SMALL),
        "enforcement_open_fen": fact(MONEY),
    },
)
ASKED = st.builds(
    Asked,
    demand_id=st.integers(1, 10**6),
    amount_fen=MONEY,
    term_months=st.integers(1, 40),
    use=st.sampled_from(USES),
    rate_ceiling=maybe(SHARE),
    guarantees=st.frozensets(st.sampled_from(GUARANTEES)),
    excluded_banks=st.frozensets(st.integers(1, 5), max_size=2),
)


def answers(pairs, rows, products):
    table = np.zeros((rows, len(products)), bool)
    table[pairs.demands(), pairs.products] = True
    return table.tolist()


@pytest.mark.parametrize("few_rows", [0, 10**9], ids=["compiled", "numpy"])
def test_columns_fit_as_single_demands_do(few_rows, monkeypatch):
    monkeypatch.setattr(columnwise, "FEW_ROWS", few_rows)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(ASKED, FACTS), min_size=1, max_size=25), PRODUCTS)
    def agree(demands, products):
        columns = columns_of([{**facts, **asked_facts(asked)} for asked, facts in demands])
        refused = [(row, bank) for row, (asked, _) in enumerate(demands) for bank in asked.excluded_banks]
        rows, banks = np.array(refused, np.int64).reshape(-1, 2).T
        pairs = fit_many(columns, products, TODAY, excluded=(rows, banks))
        singly = [[fit(asked, facts, product, TODAY).passes for product in products] for asked, facts in demands]
        assert answers(pairs, len(demands), products) == singly

    agree()


FIRM = {
    name: Fact(value, "x")
    for name, value in {
        "firm_kind": "enterprise",
        "size": "medium",
        "district": "410105",
        "industry": "F5211",
        "established_on": date(2024, 11, 1),
        "probability": Decimal("0.0812"),
        "tax_grade": "C",
        "yearly_sales_fen": 123_456_789,
        "tax_paid_fen": 5_000_000,
        "employees": 3,
        "overdue_days": 1,
        "tax_arrears_months": 2,
        "enforcement_open_fen": 1_234_500,
    }.items()
}
NAMES = {
    "410105": Words("金水区", "Jinshui District"),
    "410122": Words("中牟县", "Zhongmu County"),
    "F": Words("批发和零售业", "wholesale and retail"),
    "F52": Words("零售业", "retail"),
    "C": Words("制造业", "manufacturing"),
}
SENTENCES = [
    (
        {"amount_min_fen": 60_000_000},
        ("amount_min", 50_000_000, 60_000_000, 10_000_000),
        "最低可贷60万元，申请50万元，少10万元",
        "lends at least CNY 600,000; CNY 500,000 asked for, CNY 100,000 too little",
    ),
    (
        {"amount_max_fen": 30_000_050},
        ("amount_max", 50_000_000, 30_000_050, 19_999_950),
        "最高可贷300,000.50元，申请50万元，多199,999.50元",
        "lends at most CNY 300,000.50; CNY 500,000 asked for, CNY 199,999.50 too much",
    ),
    (
        {"term_min_months": 13},
        ("term_min", 12, 13, 1),
        "期限最短13个月，申请12个月，短1个月",
        "lends for at least 13 months; 12 months asked for, 1 month too short",
    ),
    (
        {"term_max_months": 9},
        ("term_max", 12, 9, 3),
        "期限最长9个月，申请12个月，长3个月",
        "lends for at most 9 months; 12 months asked for, 3 months too long",
    ),
    (
        {"rate_min": Decimal("0.0405")},
        ("rate", Decimal("0.0345"), Decimal("0.0405"), Decimal("0.0060")),
        "年利率4.05%起，企业最高接受3.45%，差0.6个百分点",
        "its rate starts at 4.05%; the firm accepts at most 3.45%, 0.6 percentage points less",
    ),
    (
        {"guarantees": frozenset({"mortgage", "pledge"})},
        ("guarantee", None, None, None),
        "需要抵押或质押担保，企业可提供：保证",
        "asks for mortgage or pledge; the firm can give guarantee",
    ),
    (
        {"firm_kinds": frozenset({"cooperative", "individual"})},
        ("firm_kind", None, None, None),
        "只面向个体工商户或农民专业合作社，申请人是企业",
        "open to individual business or farmers' cooperative only; the applicant is: enterprise",
    ),
    (
        {"sizes": frozenset({"micro", "small"})},
        ("size", None, None, None),
        "只面向微型或小型企业，本企业为中型",
        "for micro or small firms only; this one is medium",
    ),
    (
        {"uses": frozenset({"wages", "equipment", "research"})},
        ("use", None, None, None),
        "只用于发放工资、购置设备或研发，申请用途是采购进货",
        "for paying wages, buying equipment or research and development only; asked for: buying stock",
    ),
    (
        {"districts": frozenset({"410122", "ZDXQ"})},
        ("district", None, None, None),
        "只面向中牟县或ZDXQ的企业，本企业在金水区",
        "only for firms in Zhongmu County or ZDXQ; this one is in Jinshui District",
    ),
    (
        {"industries": frozenset({"C", "C38", "I65"})},
        ("industry", None, None, None),
        "行业只限制造业或I65，本企业属零售业",
        "only for manufacturing or I65, by industry; this firm is in retail",
    ),
    (
        {"excluded_industries": frozenset({"K", "F"})},
        ("excluded_industry", None, None, None),
        "行业不含批发和零售业或K，本企业属零售业",
        "not for wholesale and retail or K, by industry; this firm is in retail",
    ),
    (
        {"min_months_in_business": 24},
        ("months_in_business", 19, 24, 5),
        "要求经营满24个月，现为19个月，自2026-11-01起满足",
        "needs 24 months in business, has 19 months: from 2026-11-01",
    ),
    (
        {"max_probability": Decimal("0.05")},
        ("probability", Decimal("0.0812"), Decimal("0.05"), Decimal("0.0312")),
        "要求违约概率估计不高于5%，现为8.12%，高3.12个百分点",
        "needs an estimated probability of default of at most 5%, has 8.12%: 3.12 percentage points too high",
    ),
    (
        {"min_tax_grade": "M"},
        ("tax_grade", 4, 2, 2),
        "要求纳税信用等级为A级、B级或M级，现为C级",
        "needs tax credit grade A, B or M, has C",
    ),
    (
        {"min_yearly_sales_fen": 200_000_000},
        ("yearly_sales", 123_456_789, 200_000_000, 76_543_211),
        "要求近12个月销售额不低于200万元，现为1,234,567.89元，少765,432.11元",
        "needs sales of CNY 2,000,000 in 12 months, has CNY 1,234,567.89: CNY 765,432.11 short",
    ),
    (
        {"min_tax_paid_fen": 5_500_000},
        ("tax_paid", 5_000_000, 5_500_000, 500_000),
        "要求近12个月纳税不低于5.5万元，现为5万元，少5,000元",
        "needs CNY 55,000 of tax paid in 12 months, has CNY 50,000: CNY 5,000 short",
    ),
    (
        {"min_employees": 5},
        ("employees", 3, 5, 2),
        "要求参保不少于5人，现为3人，少2人",
        "needs 5 insured persons, has 3: 2 short",
    ),
    (
        {"max_overdue_days": 0},
        ("overdue", 1, 0, 1),
        "当前不得有逾期，现逾期1天",
        "takes no firm with an overdue loan; the worst is 1 day overdue",
    ),
    (
        {"max_tax_arrears_months": 1},
        ("tax_arrears", 2, 1, 1),
        "近12个月欠税不得超过1个月，现欠2个月",
        "takes up to 1 month of tax arrears in 12; has 2 months",
    ),
    (
        {"max_enforcement_open_fen": 1_000_000},
        ("enforcement", 1_234_500, 1_000_000, 234_500),
        "未结执行金额不得超过1万元，现有12,345元",
        "takes up to CNY 10,000 of open court enforcement; CNY 12,345 is open",
    ),
]


@pytest.mark.parametrize(("terms", "measured", "zh", "en"), SENTENCES, ids=[one[1][0] for one in SENTENCES])
def test_a_failed_criterion_is_told_with_its_value_its_line_and_how_far(terms, measured, zh, en):
    wish = replace(WISH, rate_ceiling=Decimal("0.0345"), guarantees=frozenset({"guarantee"}))
    (failed,) = fit(wish, FIRM, replace(PLAIN, **terms), TODAY, NAMES).failed
    assert (failed.criterion, failed.value, failed.line, failed.distance) == measured
    assert (failed.sentence_zh, failed.sentence_en) == (zh, en)


def test_there_is_a_sentence_for_every_criterion():
    assert [one[1][0] for one in SENTENCES] == [admission.id for admission in ADMISSIONS]


def test_a_line_of_nothing_says_so():
    strict = replace(PLAIN, max_overdue_days=0, max_tax_arrears_months=0, max_enforcement_open_fen=0)
    assert [one.sentence_zh for one in fit(WISH, FIRM, strict, TODAY).failed] == [
        "当前不得有逾期，现逾期1天",
        "近12个月不得欠税，现欠2个月",
        "不得有未结执行，现有12,345元",
    ]


def test_a_code_nobody_named_is_said_as_it_is_and_no_guarantee_as_none():
    (area,) = fit(WISH, FIRM, replace(PLAIN, districts=frozenset({"410122"})), TODAY).failed
    assert area.sentence_zh == "只面向410122的企业，本企业在410105"
    (guarantee,) = fit(WISH, FIRM, replace(PLAIN, guarantees=frozenset({"mortgage"})), TODAY).failed
    assert (guarantee.sentence_zh, guarantee.sentence_en) == (
        "需要抵押担保，企业可提供：无",
        "asks for mortgage; the firm can give none",
    )


def test_the_distance_is_what_is_missing_not_a_unit_more_or_less():
    draw, seen = random.Random(5), set()
    numeric = {one.id: one for one in ADMISSIONS if one.unit in ("money", "months", "share", "people", "days")}
    for turn in range(3_000):
        product = worlds.a_product(draw, turn)
        known = {**worlds.some_facts(draw), **asked_facts(worlds.a_demand(draw, turn))}
        for name, admission in numeric.items():
            number = admission.read(known, worlds.TODAY)
            if number is None or admission.passes(product, number) or admission.months:
                continue
            failed = fit_module._failed(admission, product, number, known, {})
            step = int(failed.distance * (1_000_000 if admission.unit == "share" else 1))
            way = 1 if failed.line > failed.value else -1
            assert step > 0
            assert admission.passes(product, number + way * step)
            assert not admission.passes(product, number + way * (step - 1))
            seen.add(name)
    assert seen == {name for name, one in numeric.items() if not one.months}


@settings(max_examples=300, deadline=None)
@given(st.dates(date(2015, 1, 1), TODAY), st.integers(1, 60))
def test_the_day_named_is_the_first_on_which_a_young_firm_passes(established, months):
    product, facts = replace(PLAIN, min_months_in_business=months), {"established_on": Fact(established, "x")}
    said = fit(WISH, facts, product, TODAY)
    if not said.passes:
        day = date.fromisoformat(said.failed[0].sentence_en.rpartition("from ")[2])
        assert day > TODAY
        assert fit(WISH, facts, product, day).passes
        assert not fit(WISH, facts, product, day - timedelta(days=1)).passes


def test_every_failed_criterion_is_named_and_none_invented():
    strict = replace(PLAIN, amount_max_fen=30_000_000, districts=frozenset({"410122"}), max_probability=Decimal("0.05"))
    facts = {"district": Fact("410105", "registration"), "probability": Fact(Decimal("0.04"), "estimate")}
    failed = fit(WISH, facts, strict, TODAY).failed
    assert [one.criterion for one in failed] == ["amount_max", "district"]


def test_a_missing_fact_fails_only_the_lines_that_need_it():
    assert fit(WISH, {}, PLAIN, TODAY).passes
    (failed,) = fit(WISH, {}, replace(PLAIN, min_employees=1), TODAY).failed
    assert (failed.criterion, failed.state, failed.value, failed.line) == ("employees", "missing", None, 1)
    assert failed.sentence_zh == "缺少参保人数，无法判断"
    assert failed.sentence_en == "not known, so it cannot be told: insured persons, latest month"


def test_a_firm_that_names_no_ceiling_on_the_rate_accepts_any():
    assert fit(replace(WISH, rate_ceiling=None), {}, PLAIN, TODAY).passes
    (failed,) = fit(replace(WISH, rate_ceiling=Decimal("0.025")), {}, PLAIN, TODAY).failed
    assert failed.criterion == "rate"
    assert failed.sentence_en == "its rate starts at 3%; the firm accepts at most 2.5%, 0.5 percentage points less"


def test_a_bank_that_refused_is_not_asked_again():
    (failed,) = fit(replace(WISH, excluded_banks=frozenset({10})), {}, PLAIN, TODAY).failed
    assert failed.criterion == "excluded_bank"


def test_products_come_in_order_of_how_nearly_they_fit():
    near, far = replace(PLAIN, id=2, min_employees=1), replace(PLAIN, id=3, min_employees=1, min_tax_grade="A")
    assert [one.product_id for one in fit_all(WISH, {}, [far, near, PLAIN], TODAY)] == [1, 2, 3]


@settings(max_examples=50, deadline=None)
@given(PRODUCTS, ASKED)
def test_products_and_wishes_survive_storage(products, asked):
    for product in products:
        assert from_json(Product, to_json(product)) == product
    assert from_json(Asked, to_json(asked)) == asked
