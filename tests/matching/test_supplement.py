"""After refusals published lines stand, and whoever looks for a bank gets what is free, by the morning's rules."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocate import allocate
from matching.problem import pose
from matching.supplement import what_is_left
from tests.matching.days import URGENT_DAYS, Ledger, certified, days

worlds = settings(max_examples=300, deadline=None)


def supplemented(problem, published, refused):
    """The lines that stand, and those that come."""
    standing = np.setdiff1d(published, refused)
    allocation, certificate = certified(what_is_left(problem, published, refused))
    assert certificate.breaches == ()
    return _named(problem, standing), list(allocation.lines.rows()), certificate


def _named(problem, pairs):
    there = set(pairs.tolist())
    return [line for line in _all_lines(problem) if line[1] in there]


def _all_lines(problem):
    ends = zip(problem.demand_id[problem.pair_demand], problem.product_id[problem.pair_product], strict=True)
    return [((int(demand), int(product)), pair) for pair, (demand, product) in enumerate(ends)]


class Pair:
    """A line by its two ends, as the ledger reads it."""

    def __init__(self, demand_id, product_id):
        self.demand_id, self.product_id = demand_id, product_id


def ledger_of(tables, standing, coming):
    return Ledger(tables, [*(Pair(*ends) for ends, _ in standing), *coming])


@worlds
@given(days(), st.randoms())
def test_after_any_refusals_every_limit_holds_and_nothing_free_is_left_out(tables, chance):
    problem = pose(*tables, urgent_days=URGENT_DAYS)
    published = allocate(problem).pairs
    refused = np.array([pair for pair in published.tolist() if chance.random() < 0.5], np.int64)
    standing, coming, _ = supplemented(problem, published, refused)
    whole = ledger_of(tables, standing, coming)
    assert whole.is_kept()
    closed = {(demand, whole.bank(product)) for (demand, product), _ in _named(problem, refused)}
    assert not [line for line in coming if (line.demand_id, line.bank_id) in closed]
    free = [pair for pair in whole.pairs if whole.is_alive(pair) and whole.has_room(*pair)]
    assert not [pair for pair in free if (pair[0], whole.bank(pair[1])) not in closed]


@worlds
@given(days())
def test_where_nobody_refused_there_is_nothing_left_to_share(tables):
    problem = pose(*tables, urgent_days=URGENT_DAYS)
    left = what_is_left(problem, allocate(problem).pairs, np.zeros(0, np.int64))
    assert len(left.value) == 0


def one_place(named=(), waited=(0, 0, 0)):
    """Product 7 of bank 1 has one place, product 8 of bank 2 none; demands 1, 2 and 3 are worth 3, 2 and 1 there."""
    return pose(
        {"demand_id": [1, 2, 3], "amount_fen": [5] * 3, "waited_days": waited},
        {"product_id": [7, 8], "bank_id": [1, 2], "places": [1, 1], "quota_fen": [None, None], "floor": [1, 1]},
        {"demand_id": [1, 2, 3, 1], "product_id": [7, 7, 7, 8], "value": [0.3, 0.2, 0.1, 0.2], "p_grant": [0.5] * 4,
         "intended": [demand in named for demand in (1, 2, 3)] + [False]},
        urgent_days=URGENT_DAYS,
    )  # fmt: skip


def comes(problem, refused=(1, 7)):
    """Who gets something after this one line was given back."""
    published = allocate(problem).pairs
    pairs = dict(_all_lines(problem))
    _, coming, certificate = supplemented(problem, published, np.array([pairs[refused]]))
    return [(line.demand_id, line.product_id, line.rank) for line in coming], certificate


def test_a_place_given_back_goes_to_the_most_valuable_of_those_who_wait():
    assert comes(one_place())[0] == [(2, 7, 1)]


def test_a_place_given_back_goes_to_those_who_named_the_bank_before_anyone_else():
    lines, certificate = comes(one_place(named=(1, 3)))
    assert lines == [(3, 7, 1)]
    assert (certificate.intended_placed, certificate.intended_wanted) == (1, 1)


def test_a_place_given_back_goes_to_whoever_waited_too_long_before_the_rest():
    lines, _ = comes(one_place(waited=(URGENT_DAYS, 0, URGENT_DAYS)))
    assert lines == [(3, 7, 1)]


def test_a_bank_that_refused_a_demand_is_not_asked_again_for_it_under_another_product():
    problem = pose(
        {"demand_id": [1], "amount_fen": [5], "waited_days": [0]},
        {"product_id": [7, 8], "bank_id": [1, 1], "places": [1, 1], "quota_fen": [None] * 2, "floor": [0, 0]},
        {"demand_id": [1, 1], "product_id": [7, 8], "value": [0.3, 0.2], "p_grant": [0.5] * 2, "intended": [False] * 2},
    )
    assert comes(problem)[0] == []
