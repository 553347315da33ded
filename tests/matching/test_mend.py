"""After a refusal the lists are mended: nobody loses a line for nothing, every rule holds, and the proof is as good."""

from dataclasses import replace

import numpy as np
import pytest

from matching import market
from matching.allocate import allocate
from matching.certificate import certify
from matching.mend import mend
from matching.problem import pose


def day(seed, demands=80, products=8, ruled=True):
    draw = np.random.default_rng(seed)
    grid = np.argwhere(draw.random((demands, products)) < 0.6)
    count = len(grid)
    return pose(
        {"demand_id": np.arange(demands) * 2 + 1, "amount_fen": draw.integers(1, 30, demands) * 10**6,
         "waited_days": draw.integers(0, 12, demands)},
        {"product_id": np.arange(products) + 50, "bank_id": np.arange(products) % 5,
         "places": draw.integers(1, 14, products),
         "quota_fen": np.where((np.arange(products) % 2 == 0) & ruled, 90 * 10**6, -1),
         "floor": np.full(products, 2 * ruled)},
        {"demand_id": grid[:, 0] * 2 + 1, "product_id": grid[:, 1] + 50, "value": draw.random(count),
         "p_grant": draw.random(count), "intended": (draw.random(count) < 0.1) & ruled},
        {"bank_id": [1, 2], "places": [6, 9]} if ruled else None,
        max_banks=3 if ruled else 1,
        urgent_days=9 if ruled else None,
    )  # fmt: skip


def refused(problem, pair):
    excluded = problem.excluded.copy()
    excluded[pair] = True
    return replace(problem, excluded=excluded)


@pytest.mark.parametrize("seed", range(30))
def test_refusal_after_refusal_the_mended_lists_break_no_rule_and_prove_themselves(seed):
    problem = day(seed)
    lists = allocate(problem)
    for turn in range(6):
        gone = lists.pairs[(7 * turn + seed) % len(lists.pairs)]
        problem = refused(problem, gone)
        lists = mend(problem, lists)
        certificate = certify(problem, lists.lines, lists.prices)
        assert certificate.breaches == ()
        assert gone not in lists.pairs
        assert abs(certificate.value - lists.value) < 1e-9
        assert abs(certificate.bound - lists.bound) < 1e-9
        assert certificate.value <= certificate.bound + 1e-9


@pytest.mark.parametrize("seed", range(30))
def test_mended_lists_are_nearly_as_good_as_the_day_shared_out_anew(seed):
    problem = day(seed, demands=200, ruled=False)
    lists = allocate(problem)
    problem = refused(problem, lists.pairs[seed])
    mended, anew = mend(problem, lists), allocate(problem)
    assert mended.value >= 0.995 * anew.value
    assert len(mended.pairs) == len(anew.pairs)


@pytest.mark.parametrize("seed", range(20))
def test_one_refusal_moves_few_lines(seed):
    problem = day(seed, demands=200, ruled=False)
    lists = allocate(problem)
    mended = mend(refused(problem, lists.pairs[seed]), lists)
    assert len(np.setxor1d(mended.pairs, lists.pairs)) <= 24


def test_nothing_refused_changes_nothing():
    problem = day(3)
    lists = allocate(problem)
    again = mend(problem, lists)
    assert again.pairs.tolist() == lists.pairs.tolist()
    assert again.value == lists.value


def test_lists_of_another_day_are_refused():
    lists = allocate(day(3, demands=200))
    with pytest.raises(ValueError, match="made from other pairs"):
        mend(day(3, demands=20), lists)


@pytest.mark.parametrize("seed", range(60))
def test_a_big_market_with_a_few_places_at_each_product_is_learned_from_a_sample_as_well(seed, monkeypatch):
    monkeypatch.setattr(market, "BIG", 1)
    problem = day(seed, ruled=bool(seed % 2))
    lists = allocate(problem)
    certificate = certify(problem, lists.lines, lists.prices)
    assert certificate.breaches == ()
    assert certificate.placed > 0
