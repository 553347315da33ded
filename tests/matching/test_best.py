"""The five best products of a demand: at once for columns, and one by one from the same chances and wishes."""

import random
from dataclasses import replace

import numpy as np
import pytest

from matching import best as ranking
from matching.appetite import REASONS, Answer, Appetite, Traits, amount_band
from matching.best import NONE, best_of, chances_of, traits_of_columns
from matching.facts import SIZES
from matching.fit import asked_facts, fit
from matching.fit_many import fit_many
from matching.judge_many import columns_of
from matching.terms import Light
from matching.value import Weights, preference, worth
from tests.matching.worlds import DISTRICTS, INDUSTRIES, TODAY, a_demand, a_product, some_facts

KINDS = {1: "state", 2: "state", 3: "city", 4: "rural", 5: "rural", 6: "village"}
WEIGHTS = Weights(0.5, 0.2, 0.3)


def traits_of(asked, facts, light):
    known = {name: fact.value for name, fact in facts.items() if fact.state != "missing"}
    return Traits(
        section=known.get("industry", "")[:1],
        size=known.get("size", ""),
        light=light.word,
        amount_band=amount_band(asked.amount_fen),
        guarantee="yes" if asked.guarantees else "no",
        district=known.get("district", ""),
    )


def an_answer(draw):
    bank = draw.choice(list(KINDS))
    traits = Traits(
        draw.choice(INDUSTRIES)[0], draw.choice(SIZES), draw.choice(("green", "yellow")), f"a{draw.randint(0, 5)}",
        draw.choice(("yes", "no")), draw.choice(DISTRICTS),
    )  # fmt: skip
    return Answer(bank, KINDS[bank], traits, draw.random() < 0.5, tuple(draw.sample(list(REASONS), 1)))


@pytest.fixture(scope="module")
def cities():
    found = []
    for seed in range(6):
        draw = random.Random(seed)
        products = [easier(a_product(draw, key)) for key in draw.sample(range(1000), 40)]
        twins = [replace(draw.choice(products), id=key) for key in draw.sample(range(1000, 3000), 30)]
        cases = [(a_demand(draw, key), some_facts(draw), Light(draw.randint(0, 2))) for key in range(150)]
        found.append((products + twins, cases, Appetite().learn(an_answer(draw) for _ in range(400))))
    return found


def easier(product):
    """So that more than five fit now and then."""
    return replace(
        product, guarantees=frozenset({"credit"}), sizes=frozenset(), firm_kinds=frozenset(), amount_min_fen=0,
        term_min_months=1, max_probability=None, min_tax_grade=None,
    )  # fmt: skip


def one_by_one(asked, facts, light, products, appetite):
    """The plain way: single fits, single estimates, a sort."""
    worths = []
    for place, product in enumerate(products):
        if not fit(asked, facts, product, TODAY).passes:
            continue
        p = appetite.estimate(product.bank_id, KINDS[product.bank_id], traits_of(asked, facts, light)).p
        wish = (float(product.rate_min), product.decision_days, product.amount_max_fen, asked.amount_fen)
        value = float(worth(p, preference(*(np.array([one]) for one in wish), WEIGHTS))[0])
        worths.append((-value, product.id, place))
    return [(place, -value) for value, _, place in sorted(worths)[:5]]


def at_once(products, cases, appetite, most=5):
    columns = columns_of([{**facts, **asked_facts(asked)} for asked, facts, _ in cases])
    refused = [(row, bank) for row, (asked, *_) in enumerate(cases) for bank in asked.excluded_banks]
    pairs = fit_many(columns, products, TODAY, excluded=tuple(np.array(refused, np.int64).reshape(-1, 2).T))
    traits = traits_of_columns(columns, np.array([light for *_, light in cases], np.int8))
    chances = chances_of(appetite, traits, products, KINDS)
    return best_of(pairs, products, chances, columns.values["amount_fen"], WEIGHTS, most)


@pytest.mark.parametrize("few_rows", [0, 10**9], ids=["compiled", "numpy"])
def test_the_best_five_are_those_of_the_plain_way_ties_by_id(cities, few_rows, monkeypatch):
    monkeypatch.setattr(ranking, "FEW_ROWS", few_rows)
    tied = more = 0
    for products, cases, appetite in cities:
        best = at_once(products, cases, appetite)
        for row, case in enumerate(cases):
            singly = one_by_one(*case, products, appetite)
            gap = 5 - len(singly)
            assert best.products[row].tolist() == [place for place, _ in singly] + [NONE] * gap
            assert best.value[row].tolist() == [value for _, value in singly] + [0.0] * gap
            tied += len({value for _, value in singly}) < len(singly)
            more += not gap
    assert tied > 50
    assert more > 50


def test_both_ways_agree_to_the_last_bit_however_few_are_wanted(cities, monkeypatch):
    for most in (1, 2, 7):
        found = []
        for few_rows in (0, 10**9):
            monkeypatch.setattr(ranking, "FEW_ROWS", few_rows)
            found.append([at_once(*city, most) for city in cities])
        for compiled, plain in zip(*found, strict=True):
            assert np.array_equal(compiled.products, plain.products)
            assert np.array_equal(compiled.value, plain.value)
            assert compiled.products.shape[1] == most


def test_the_order_in_which_products_stand_changes_nothing(cities):
    products, cases, appetite = cities[0]
    turned = products[::-1]
    straight, reverse = at_once(products, cases, appetite), at_once(turned, cases, appetite)

    def ids(best, shelf):
        return [[shelf[place].id for place in row if place != NONE] for row in best.products.tolist()]

    assert ids(straight, products) == ids(reverse, turned)
    assert np.array_equal(straight.value, reverse.value)
