"""The sharing out of a day: all open demands together, intended banks first, under places, money and floors.

Three stages (see `stages`), each an auction with prices (see `auction`), each then filled up so that nothing that could
still be placed is left out; at the end products under their exposure floor are helped by moving later lines there, and
what those leave free is filled again.
"""

import platform
import time
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np

from matching.floors import keep_floors
from matching.market import Market, market_of
from matching.stages import (
    REST,
    STAGES,
    Stage,
    Stages,
    dual_bound,
    met_before,
    pair_stages,
    possible,
    remaining,
    reserved,
)
from matching.terms import Allocation, Ints, Lines, Prices, Problem

SOLVER = "auction 1"
"""Raised whenever the same problem could get other lists; the hashes beside it in test_allocate.py notice."""

ROUNDS, SWEEPS, GOOD_ENOUGH, GOOD_FOR_BIG = 3, 3, 1e-3, 4e-3
"""Auctions tried at most, each from the prices the last one taught, sweeps of polish between, until the gap is so (the
second where a market is big and money or banks' places are limited: a sweep over millions of pairs takes seconds)."""

SHY = 0.97
"""The share of known prices a next auction starts from, since it can only raise them."""

ONE_IN, SHY_OF_SAMPLE = 10, 0.9
ONE_IN_MANY, SHY_OF_FEW = 30, 0.8
"""A sample's size, and the share of its prices an auction starts from; where only places are limited, fewer will do."""


def solver_version() -> str:
    """Under these same words the same problem gets the same lists, to the byte."""
    return f"{SOLVER}, numba {nb.__version__}, numpy {np.__version__}, {platform.machine()}"


def allocate(problem: Problem, seed: int = 0, warm_prices: tuple[Prices, ...] | None = None) -> Allocation:
    """The lists of a day. Deterministic: the same problem and seed give the same lists, in whatever order rows came.

    `seed` 0 lets demands bid in order of id, any other draws an order. `warm_prices`: another day's, per stage, for the
    same products and banks: bidding starts below them, and they serve as one more proof (docs/decisions/0013).
    """
    order = _order(len(problem.demand_id), seed)
    stage_of = pair_stages(problem)
    taken = np.zeros(0, np.int64)
    proofs, seconds = [], {}
    for stage in STAGES:
        began = time.perf_counter()
        left = remaining(problem, taken, stage, stage_of)
        warm = None if warm_prices is None else warm_prices[stage]
        taken, proof = _share_out(problem, left, taken, order, warm)
        proofs.append(proof)
        seconds[f"stage {stage}"] = time.perf_counter() - began
    taken = _with_floors(problem, taken, stage_of)
    return Allocation(
        pairs=taken,
        lines=lines_of_pairs(problem, taken),
        prices=tuple(one.prices for one in proofs),
        value=float(problem.value[taken].sum()),
        bound=float(sum(one.bound for one in proofs)),
        seconds=seconds,
    )


def _with_floors(problem: Problem, taken: Ints, stage_of: Stages) -> Ints:
    """Floors kept, and what a moved line left free given away, until there is nothing to move."""
    while (kept := keep_floors(problem, taken)) is not taken:
        left = remaining(problem, kept, REST, stage_of)
        taken = np.sort(np.concatenate([kept, fill_up(problem, left, kept[:0])]))
    return taken


def _order(demands: int, seed: int) -> Ints:
    return np.arange(demands) if seed == 0 else np.random.default_rng(seed).permutation(demands)


@dataclass(frozen=True)
class Proof:
    """Prices of a stage, and the bound they prove."""

    bound: float
    prices: Prices


def _share_out(problem: Problem, left: Stage, taken: Ints, order: Ints, warm: Prices | None) -> tuple[Ints, Proof]:
    """One stage: the best of its auctions, filled up, added to what was taken; and the tightest of its proofs."""
    market = market_of(problem, left)
    nothing = Prices(*(np.zeros(len(ids)) for ids in (problem.product_id, problem.product_id, problem.bank_id)))
    if not len(market.pairs):
        return taken, Proof(0.0, nothing)

    def tighter(proof: Proof, prices: Prices) -> Proof:
        bound = dual_bound(problem, left, prices)
        return proof if proof.bound <= bound else Proof(bound, prices)

    proof = Proof(np.inf, nothing)
    for known in (None if market.is_big() else nothing, warm):
        proof = proof if known is None else tighter(proof, known)
    start, best = _start(market, order, nothing, warm), np.zeros(0, np.int64)
    for _ in range(ROUNDS):
        chosen, found = market.run(order, start)
        filled = fill_up(problem, left, chosen)
        if problem.value[filled].sum() > problem.value[best].sum():
            best = filled
        proof = tighter(proof, found)
        if market.is_cheap():
            break
        for _ in range(SWEEPS):
            if _good_enough(problem, market, best, proof):
                break
            found = market.polished(found, 1)
            proof = tighter(proof, found)
        if _good_enough(problem, market, best, proof):
            break
        start = _shy(market, found, SHY)
    return np.sort(np.concatenate([taken, best])), proof


def _good_enough(problem: Problem, market: Market, chosen: Ints, proof: Proof) -> bool:
    gap = GOOD_FOR_BIG if market.is_big() and market.is_limited() else GOOD_ENOUGH
    return bool(proof.bound - problem.value[chosen].sum() <= gap * proof.bound)


def _start(market: Market, order: Ints, nothing: Prices, warm: Prices | None) -> Prices:
    """Where bidding starts: below yesterday's prices, or those of a sample of a big market, or at nothing."""
    if warm is not None:
        return _shy(market, warm, SHY_OF_SAMPLE if market.is_big() else SHY)
    if not market.is_big():
        return nothing
    if not market.is_limited():
        return _shy(market, market.sample(ONE_IN_MANY).run(order, nothing)[1], SHY_OF_FEW)
    sample = market.sample(ONE_IN)
    return _shy(market, sample.polished(sample.run(order, nothing)[1], SWEEPS), SHY_OF_SAMPLE)


def _shy(market: Market, prices: Prices, share: float) -> Prices:
    """A little less than these prices: where money binds, or in a big market; nothing elsewhere."""
    bound = (market.quota >= 0) | market.is_big()
    return Prices(np.where(bound, share * prices.product, 0.0), np.where(bound, share * prices.quota, 0.0), prices.bank)


def fill_up(problem: Problem, left: Stage, chosen: Ints) -> Ints:
    """The chosen pairs of a stage and, best value first, every other one for which there is still room."""
    rest = _after(problem, left, chosen)
    candidates = np.flatnonzero(possible(problem, rest))
    candidates = candidates[np.argsort(-problem.value[candidates], kind="stable")]
    added = add_best(
        candidates, problem.pair_demand, problem.pair_product, problem.product_bank, problem.amount_fen,
        rest.lines.copy(), rest.places.copy(), rest.quota.copy(), rest.bank_places.copy(),
    )  # fmt: skip
    return np.concatenate([chosen, candidates[added]])


def _after(problem: Problem, left: Stage, chosen: Ints) -> Stage:
    """What a stage has left once these pairs are taken."""
    demand, product = problem.pair_demand[chosen], problem.pair_product[chosen]
    bank = problem.product_bank[product]
    bank_used = np.bincount(bank, minlength=len(problem.bank_id))
    return Stage(
        open=left.open & ~met_before(problem, chosen),
        lines=left.lines - np.bincount(demand, minlength=len(left.lines)),
        places=left.places - np.bincount(product, minlength=len(left.places)),
        quota=np.where(left.quota < 0, left.quota, left.quota - reserved(problem, chosen)),
        bank_places=np.where(left.bank_places < 0, left.bank_places, left.bank_places - bank_used),
    )


@nb.njit(cache=True)
def add_best(  # pragma: no cover  one pass, compiled
    candidates: Any, pair_demand: Any, pair_product: Any, product_bank: Any, amount: Any, lines: Any, places: Any,
    quota: Any, bank_places: Any,
) -> Any:  # fmt: skip
    """Which candidates, taken in this order, still find room; changes lines, places, quota and bank_places in place."""
    added, last, before = np.zeros(len(candidates), np.bool_), np.full(len(lines), -1), np.full(len(candidates), -1)
    for place in range(len(candidates)):
        demand, product = pair_demand[candidates[place]], pair_product[candidates[place]]
        bank = product_bank[product]
        money = quota[product] < 0 or amount[demand] <= quota[product]
        if lines[demand] <= 0 or places[product] <= 0 or bank_places[bank] == 0 or not money:
            continue
        own = last[demand]
        while own >= 0 and product_bank[pair_product[candidates[own]]] != bank:
            own = before[own]
        if own >= 0:
            continue
        added[place], before[place], last[demand] = True, last[demand], place
        lines[demand] -= 1
        places[product] -= 1
        bank_places[bank] -= bank_places[bank] > 0
        quota[product] -= amount[demand] if quota[product] >= 0 else 0
    return added


def lines_of_pairs(problem: Problem, pairs: Ints) -> Lines:
    """The lines of ascending pairs with their ranks: a demand's lines by value, ties by product."""
    order, rank = ranked(pairs, problem.pair_demand, problem.value)
    demand, product = problem.pair_demand[order], problem.pair_product[order]
    return Lines(
        demand_id=problem.demand_id[demand],
        product_id=problem.product_id[product],
        bank_id=problem.bank_id[problem.product_bank[product]],
        rank=rank,
    )


@nb.njit(cache=True)
def ranked(pairs: Any, pair_demand: Any, value: Any) -> Any:  # pragma: no cover  one pass, compiled
    """Ascending pairs, each demand's put in order of falling value (an insertion sort of a few), and their ranks."""
    order, rank = pairs.copy(), np.ones(len(pairs), np.int64)
    for place in range(1, len(order)):
        pair = order[place]
        demand = pair_demand[pair]
        if pair_demand[order[place - 1]] == demand:
            rank[place] = rank[place - 1] + 1
        spot = place
        while spot > 0 and pair_demand[order[spot - 1]] == demand and value[order[spot - 1]] < value[pair]:
            order[spot] = order[spot - 1]
            spot -= 1
        order[spot] = pair
    return order, rank
