"""The sharing out of a day: all open demands together, intended banks first, under places, money and floors.

Three stages (see `stages`), each an auction with prices (see `auction`), each then filled up so that nothing that could
still be placed is left out; at the end products under their exposure floor are helped by moving later lines there.
"""

import time

import numpy as np

from matching import auction
from matching.floors import keep_floors
from matching.stages import STAGES, Stage, Stages, dual_bound, pair_stages, possible, remaining
from matching.terms import Allocation, Floats, Ints, Lines, Prices, Problem

FINENESS, BIG_FINENESS, BIG = 1e-3, 2e-2, 500_000
"""The auction's step as a share of the mean value on offer, coarser from so many pairs on: the gap is at most that per
line, and was seen to be a hundredth of it."""

MOST_BIDS_PER_PAIR = 200


def allocate(problem: Problem, seed: int = 0, warm_prices: tuple[Prices, ...] | None = None) -> Allocation:
    """The lists of a day. Deterministic: the same problem and seed give the same lists, in whatever order rows came.

    `seed` 0 lets demands bid in order of id, any other draws an order. `warm_prices`: yesterday's, tried as a proof: a
    stage whose bound they make tighter keeps them.
    """
    order = _order(len(problem.demand_id), seed)
    stage_of = pair_stages(problem)
    taken = np.zeros(0, np.int64)
    prices, bounds, seconds = [], [], {}
    for stage in STAGES:
        began = time.perf_counter()
        left = remaining(problem, taken, stage, stage_of)
        chosen, found = _share_out(problem, left, order)
        chosen = _fill_up(problem, np.concatenate([taken, chosen]), stage, stage_of)
        tried = [found] if warm_prices is None else [found, warm_prices[stage]]
        bound, best = min(
            ((dual_bound(problem, left, one), place) for place, one in enumerate(tried)),
        )
        prices.append(tried[best])
        bounds.append(bound)
        taken = chosen
        seconds[f"stage {stage}"] = time.perf_counter() - began
    taken = keep_floors(problem, taken)
    return Allocation(
        pairs=taken,
        lines=_lines(problem, taken),
        prices=tuple(prices),
        value=float(problem.value[taken].sum()),
        bound=float(sum(bounds)),
        seconds=seconds,
    )


def _order(demands: int, seed: int) -> Ints:
    return np.arange(demands) if seed == 0 else np.random.default_rng(seed).permutation(demands)


def _share_out(problem: Problem, left: Stage, order: Ints) -> tuple[Ints, Prices]:
    """The auction of one stage; positions of the chosen pairs, ascending, and the prices."""
    open_pairs = np.flatnonzero(possible(problem, left))
    banks, products = len(problem.bank_id), len(problem.product_id)
    if not len(open_pairs):
        return open_pairs, Prices(np.zeros(products), np.zeros(products), np.zeros(banks))
    value = problem.value[open_pairs]
    offsets = np.searchsorted(problem.pair_demand[open_pairs], np.arange(len(problem.demand_id) + 1))
    pair_product = problem.pair_product[open_pairs].astype(np.int32)
    suitors = np.bincount(pair_product, minlength=products)
    bank_products = np.argsort(problem.product_bank, kind="stable")
    bank_first = np.searchsorted(problem.product_bank[bank_products], np.arange(banks + 1))
    heap_first = np.zeros(products + 1, np.int64)
    np.cumsum(np.minimum(left.places, suitors) + 1, out=heap_first[1:])
    chosen, price, money, bank_price, _ = auction.run(
        offsets, pair_product, value, problem.amount_fen, left.lines, problem.product_bank, left.places,
        _binding_quota(problem, left, open_pairs), left.bank_places, bank_first, bank_products, heap_first, order,
        _step(value), MOST_BIDS_PER_PAIR * len(value) + 10_000,
    )  # fmt: skip
    return open_pairs[chosen], Prices(price, money, bank_price)


def _step(value: Floats) -> float:
    return (FINENESS if len(value) < BIG else BIG_FINENESS) * float(value.mean())


def _binding_quota(problem: Problem, left: Stage, open_pairs: Ints) -> Ints:
    """The money lines that could bind; -1 for one that all its suitors together cannot reach."""
    asked = np.zeros(len(problem.product_id), np.int64)
    np.add.at(asked, problem.pair_product[open_pairs], problem.amount_fen[problem.pair_demand[open_pairs]])
    return np.where((left.quota >= 0) & (asked <= left.quota), -1, left.quota)


def _fill_up(problem: Problem, taken: Ints, stage: int, stage_of: Stages) -> Ints:
    """Add, best value first, every pair of the stage for which there is still room."""
    left = remaining(problem, taken, stage, stage_of)
    candidates = np.flatnonzero(possible(problem, left))
    candidates = candidates[np.argsort(-problem.value[candidates], kind="stable")]
    return np.sort(np.concatenate([taken, np.array(_add(problem, left, candidates), np.int64)]))


def _add(problem: Problem, left: Stage, candidates: Ints) -> list[int]:
    lines, places, quota, bank_places = (one.copy() for one in (left.lines, left.places, left.quota, left.bank_places))
    met: set[tuple[int, int]] = set()
    added = []
    for pair in candidates.tolist():
        demand, product = int(problem.pair_demand[pair]), int(problem.pair_product[pair])
        bank, amount = int(problem.product_bank[product]), int(problem.amount_fen[demand])
        money = quota[product] < 0 or amount <= quota[product]
        if lines[demand] and places[product] and bank_places[bank] and money and (demand, bank) not in met:
            met.add((demand, bank))
            lines[demand] -= 1
            places[product] -= 1
            bank_places[bank] -= bank_places[bank] > 0
            quota[product] -= amount if quota[product] >= 0 else 0
            added.append(pair)
    return added


def _lines(problem: Problem, pairs: Ints) -> Lines:
    """The lines with their ranks: a demand's lines by value, ties by product."""
    order = pairs[np.lexsort((pairs, -problem.value[pairs], problem.pair_demand[pairs]))]
    demand, product = problem.pair_demand[order], problem.pair_product[order]
    first = np.ones(len(order), bool)
    first[1:] = demand[1:] != demand[:-1]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    return Lines(
        demand_id=problem.demand_id[demand],
        product_id=problem.product_id[product],
        bank_id=problem.bank_id[problem.product_bank[product]],
        rank=(np.arange(len(order)) - start + 1).astype(np.int64),
    )
