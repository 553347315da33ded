"""Admission: one definition, two evaluations; and a firm that does not fit hears by how much and from when."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import fit_many as columnwise
from matching.evidence import from_json, to_json
from matching.facts import FIRM_KINDS, GUARANTEES, SIZES, TAX_GRADES, USES
from matching.fit import asked_facts, fit, fit_all
from matching.fit_many import fit_many
from matching.judge_many import columns_of
from matching.terms import Asked, Fact, Product

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

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(ASKED, FACTS), min_size=1, max_size=25), PRODUCTS)
    def agree(demands, products):
        columns = columns_of([{**facts, **asked_facts(asked)} for asked, facts in demands])
        refused = [(row, bank) for row, (asked, _) in enumerate(demands) for bank in asked.excluded_banks]
        rows, banks = np.array(refused, np.int64).reshape(-1, 2).T
        pairs = fit_many(columns, products, TODAY, excluded=(rows, banks))
        singly = [[fit(asked, facts, product, TODAY).passes for product in products] for asked, facts in demands]
        assert answers(pairs, len(demands), products) == singly

    agree()


def test_a_young_firm_hears_how_many_months_are_missing_and_from_when():
    facts = {"established_on": Fact(date(2024, 11, 1), "registration")}
    (failed,) = fit(WISH, facts, replace(PLAIN, min_months_in_business=24), TODAY).failed
    assert (failed.criterion, failed.value, failed.line, failed.distance) == ("months_in_business", 19, 24, 5)
    assert failed.sentence_en == "needs a time in business of at least 24 months, has 19 months: from 2026-11-01"
    assert failed.sentence_zh == "要求经营时间不低于24个月，现为19个月，自2026-11-01起满足"


def test_every_failed_criterion_is_named_and_none_invented():
    strict = replace(PLAIN, amount_max_fen=30_000_000, districts=frozenset({"410122"}), max_probability=Decimal("0.05"))
    facts = {"district": Fact("410105", "registration"), "probability": Fact(Decimal("0.04"), "estimate")}
    failed = fit(WISH, facts, strict, TODAY).failed
    assert [one.criterion for one in failed] == ["amount_max", "district"]
    assert failed[0].sentence_en == "needs an amount of at most CNY 300,000.00, has CNY 500,000.00"
    assert failed[1].sentence_en == "not offered in the firm's reporting area (410105)"


def test_a_missing_fact_fails_only_the_lines_that_need_it():
    assert fit(WISH, {}, PLAIN, TODAY).passes
    (failed,) = fit(WISH, {}, replace(PLAIN, min_employees=1), TODAY).failed
    assert (failed.criterion, failed.state) == ("employees", "missing")


def test_a_firm_that_names_no_ceiling_on_the_rate_accepts_any():
    assert fit(replace(WISH, rate_ceiling=None), {}, PLAIN, TODAY).passes
    (failed,) = fit(replace(WISH, rate_ceiling=Decimal("0.025")), {}, PLAIN, TODAY).failed
    assert failed.criterion == "rate"
    assert failed.sentence_en == "its lowest rate 3% is above the firm's ceiling 2.5%"


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
