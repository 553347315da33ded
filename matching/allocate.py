"""The sharing out of a day: all open demands together, intended banks first, under places, money and floors.

Three stages (see `stages`), each an auction with prices (see `auction`), each then filled up so that nothing that could
still be placed is left out; at the end products under their exposure floor are helped by moving later lines there.
"""

import time

import numpy as np

from matching.floors import keep_floors
from matching.market import Market, market_of
from matching.stages import STAGES, Stage, dual_bound, met_before, pair_stages, possible, remaining, reserved
from matching.terms import Allocation, Ints, Lines, Prices, Problem

ROUNDS, SWEEPS, GOOD_ENOUGH = 3, 3, 1e-3
"""Auctions tried at most, each from the prices the last one taught, sweeps of polish between, until the gap is so."""

SHY, SHY_OF_SAMPLE, ONE_IN = 0.97, 0.9, 10
"""The share of known prices a next auction starts from, since it can only raise them; of a sample's; its size."""


def allocate(problem: Problem, seed: int = 0, warm_prices: tuple[Prices, ...] | None = None) -> Allocation:
    """The lists of a day. Deterministic: the same problem and seed give the same lists, in whatever order rows came.

    `seed` 0 lets demands bid in order of id, any other draws an order. `warm_prices`: yesterday's, per stage, for the
    same products and banks; they spare the rounds that find the prices per fen, and serve as one more proof.
    """
    order = _order(len(problem.demand_id), seed)
    stage_of = pair_stages(problem)
    taken = np.zeros(0, np.int64)
    prices, bounds, seconds = [], [], {}
    for stage in STAGES:
        began = time.perf_counter()
        left = remaining(problem, taken, stage, stage_of)
        warm = None if warm_prices is None else warm_prices[stage]
        taken, proofs = _share_out(problem, left, taken, order, warm)
        bound, best = min((dual_bound(problem, left, one), place) for place, one in enumerate(proofs))
        prices.append(proofs[best])
        bounds.append(bound)
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


def _share_out(
    problem: Problem, left: Stage, taken: Ints, order: Ints, warm: Prices | None
) -> tuple[Ints, list[Prices]]:
    """One stage: the best of its auctions, filled up, added to what was taken; and every set of prices found."""
    market = market_of(problem, left)
    nothing = Prices(*(np.zeros(len(ids)) for ids in (problem.product_id, problem.product_id, problem.bank_id)))
    proofs = [nothing] if warm is None else [nothing, warm]
    if not len(market.pairs):
        return taken, proofs
    start, best = _start(market, order, nothing, warm), np.zeros(0, np.int64)
    for _ in range(ROUNDS):
        chosen, found = market.run(order, start)
        filled = _fill_up(problem, left, chosen)
        if problem.value[filled].sum() > problem.value[best].sum():
            best = filled
        proofs.append(found)
        if market.is_cheap() or _good_enough(problem, left, best, proofs):
            break
        proofs.append(market.polished(found, SWEEPS))
        if _good_enough(problem, left, best, proofs):
            break
        start = _shy(market, proofs[-1], SHY)
    return np.sort(np.concatenate([taken, best])), proofs


def _good_enough(problem: Problem, left: Stage, chosen: Ints, proofs: list[Prices]) -> bool:
    bound = min(dual_bound(problem, left, one) for one in proofs)
    return bool(bound - problem.value[chosen].sum() <= GOOD_ENOUGH * bound)


def _start(market: Market, order: Ints, nothing: Prices, warm: Prices | None) -> Prices:
    """Where bidding starts: below yesterday's prices, or those of a sample of a big market, or at nothing."""
    if warm is not None:
        return _shy(market, warm, SHY)
    if not market.is_big():
        return nothing
    sample = market.sample(ONE_IN)
    return _shy(market, sample.polished(sample.run(order, nothing)[1], SWEEPS), SHY_OF_SAMPLE)


def _shy(market: Market, prices: Prices, share: float) -> Prices:
    """A little less than these prices: where money binds, or in a big market; nothing elsewhere."""
    bound = (market.quota >= 0) | market.is_big()
    return Prices(np.where(bound, share * prices.product, 0.0), np.where(bound, share * prices.quota, 0.0), prices.bank)


def _fill_up(problem: Problem, left: Stage, chosen: Ints) -> Ints:
    """The chosen pairs of a stage and, best value first, every other one for which there is still room."""
    rest = _after(problem, left, chosen)
    candidates = np.flatnonzero(possible(problem, rest))
    candidates = candidates[np.argsort(-problem.value[candidates], kind="stable")]
    return np.concatenate([chosen, np.array(_add(problem, rest, candidates), np.int64)])


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
