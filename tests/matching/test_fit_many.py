"""One definition of the criteria, two evaluations: columns answer as single demands do, in 100,000 random cases."""

import random

import numpy as np
import pytest

from matching import fit_many as columnwise
from matching.admission import ADMISSIONS
from matching.fit import asked_facts, fit_all
from matching.fit_many import build_index, fit_many
from matching.judge_many import columns_of
from tests.matching.worlds import TODAY, a_demand, a_product, some_facts

DEMANDS = 100
PRODUCTS = (1, 63, 64, 65, 100, 128, 129, 140, 150, 163)


@pytest.fixture(scope="module")
def worlds():
    """Each with its demands as columns, who may not meet, products, and every single answer."""
    found = []
    for seed, count in enumerate(PRODUCTS):
        draw = random.Random(seed)
        products = [a_product(draw, key) for key in draw.sample(range(10_000), count)]
        cases = [(a_demand(draw, key), some_facts(draw)) for key in range(DEMANDS)]
        columns = columns_of([{**facts, **asked_facts(asked)} for asked, facts in cases])
        refused = [(row, bank) for row, (asked, _) in enumerate(cases) for bank in asked.excluded_banks]
        answers = [one_by_one(*case, products) for case in cases]
        found.append((columns, np.array(refused).T, products, answers))
    return found


def one_by_one(asked, facts, products):
    found = {one.product_id: one for one in fit_all(asked, facts, products, TODAY)}
    return [found[product.id] for product in products]


@pytest.mark.parametrize("few_rows", [0, 10**9], ids=["compiled", "numpy"])
def test_columns_answer_as_single_demands_do(worlds, few_rows, monkeypatch):
    monkeypatch.setattr(columnwise, "FEW_ROWS", few_rows)
    for columns, refused, products, answers in worlds:
        pairs = fit_many(columns, products, TODAY, excluded=tuple(refused))
        many = np.zeros((columns.rows, len(products)), bool)
        many[pairs.demands(), pairs.products] = True
        assert many.tolist() == [[one.passes for one in row] for row in answers]
        assert all(np.all(np.diff(row) > 0) for row in np.split(pairs.products, pairs.offsets[1:-1]))


def test_the_cases_are_many_and_meet_every_criterion_on_both_sides(worlds):
    answers = [one for *_, rows in worlds for row in rows for one in row]
    assert len(answers) >= 100_000
    assert 0.005 < np.mean([one.passes for one in answers]) < 0.5
    failed = {failed.criterion for one in answers for failed in one.failed}
    alone = {one.failed[0].criterion for one in answers if len(one.failed) == 1}
    assert failed == alone == {"excluded_bank", *(admission.id for admission in ADMISSIONS)}
    unknown = {failed.criterion for one in answers for failed in one.failed if failed.state == "missing"}
    assert len(unknown) >= 13
    assert {admission.id for *_, products, _ in worlds for admission in build_index(products).admissions} == {
        admission.id for admission in ADMISSIONS
    }


@pytest.mark.parametrize("rows", [0, 1, 5, 10_000])
def test_a_city_without_products_or_without_demands_has_no_pairs(rows):
    columns = columns_of([asked_facts(a_demand(random.Random(1), 1))] * rows)
    assert fit_many(columns, [], TODAY).offsets.tolist() == [0] * (rows + 1)
    assert len(fit_many(columns_of([]), [a_product(random.Random(1), 1)], TODAY)) == 0
