"""What is shared out when, and the bound on it: the three stages of a day, and the dual bound of each from its prices.

First intended pairs; then the first line of demands that waited too long (where the problem has such a rule); then
everything else. Each stage is measured against what the earlier ones left. The bound is weak duality: for any prices
≥ 0, Σ over demands of their best lines' profit + Σ prices × what is on offer is at least any feasible stage's value.
"""

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from matching.problem import NO_LIMIT
from matching.terms import Flags, Ints, Prices, Problem

Stages = NDArray[np.int8]

INTENDED, URGENT, REST = 0, 1, 2
STAGES = (INTENDED, URGENT, REST)


@dataclass(frozen=True, eq=False)
class Stage:
    """What one stage shares out: pairs on offer, lines each demand may still take, and what is left of every limit."""

    open: Flags
    lines: Ints
    places: Ints
    quota: Ints
    bank_places: Ints


def on_offer(problem: Problem) -> Flags:
    """Pairs that may carry a line at all: not excluded, and worth something."""
    return ~problem.excluded & (problem.value > 0)


def late_demands(problem: Problem) -> Flags:
    """Demands that waited so long without a list that they come before the rest; none where there is no such rule."""
    if problem.urgent_days is None:
        return np.zeros(len(problem.demand_id), bool)
    late: Flags = problem.waited_days >= problem.urgent_days
    return late


def pair_stages(problem: Problem) -> Stages:
    """The first stage in which each pair may be chosen."""
    stages = np.full(len(problem.value), REST, np.int8)
    stages[late_demands(problem)[problem.pair_demand]] = URGENT
    stages[problem.intended] = INTENDED
    return stages


def line_stages(problem: Problem, pairs: Ints, stage_of: Stages) -> Stages:
    """The stage each line belongs to: a late demand's best line is its urgent one, unless it has an intended one."""
    stages = stage_of[pairs].copy()
    demand = problem.pair_demand[pairs]
    settled = np.zeros(len(problem.demand_id), bool)
    settled[demand[stages == INTENDED]] = True
    late = np.flatnonzero(stages == URGENT)
    late = late[np.lexsort((pairs[late], -problem.value[pairs[late]], demand[late]))]
    first = np.ones(len(late), bool)
    first[1:] = demand[late][1:] != demand[late][:-1]
    stages[late[~first | settled[demand[late]]]] = REST
    return stages


def remaining(problem: Problem, taken: Ints, stage: int, stage_of: Stages) -> Stage:
    """A stage's own problem, given the pairs the stages before it took."""
    demand, product = problem.pair_demand[taken], problem.pair_product[taken]
    bank = problem.product_bank[product]
    lines = problem.lines_left - np.bincount(demand, minlength=len(problem.demand_id))
    if stage == URGENT:
        lines = np.where(lines == problem.lines_left, np.minimum(lines, 1), 0)
    open_pairs = on_offer(problem) & (stage_of <= stage if stage == REST else stage_of == stage)
    return Stage(
        open=open_pairs & ~met_before(problem, taken),
        lines=np.maximum(lines, 0),
        places=np.maximum(problem.places - np.bincount(product, minlength=len(problem.places)), 0),
        quota=np.where(problem.quota_fen < 0, NO_LIMIT, np.maximum(problem.quota_fen - reserved(problem, taken), 0)),
        bank_places=np.where(
            problem.bank_places < 0,
            NO_LIMIT,
            np.maximum(problem.bank_places - np.bincount(bank, minlength=len(problem.bank_id)), 0),
        ),
    )


def reserved(problem: Problem, pairs: Ints) -> Ints:
    """Fen each product's lines reserve: a push reserves the amount asked."""
    demand, product = problem.pair_demand[pairs], problem.pair_product[pairs]
    spent: Ints = sum_by(product, demand, problem.amount_fen, len(problem.product_id))
    return spent


@nb.njit(cache=True)
def sum_by(group: Any, row: Any, amount: Any, groups: Any) -> Any:  # pragma: no cover  one pass, compiled
    """Whole-number sums of amount[row[i]] over the groups group[i]."""
    total = np.zeros(groups, np.int64)
    for one in range(len(group)):
        total[group[one]] += amount[row[one]]
    return total


def met_before(problem: Problem, pairs: Ints) -> Flags:
    """Pairs whose demand already has a line at the same bank."""
    if not len(pairs):
        return np.zeros(len(problem.value), bool)
    pairs = np.sort(pairs)
    first = np.zeros(len(problem.demand_id) + 1, np.int64)
    np.cumsum(np.bincount(problem.pair_demand[pairs], minlength=len(problem.demand_id)), out=first[1:])
    bank = problem.product_bank[problem.pair_product[pairs]]
    met: Flags = met_banks(problem.pair_demand, problem.pair_product, problem.product_bank, first, bank)
    return met


@nb.njit(cache=True)
def met_banks(  # pragma: no cover  one pass, compiled
    pair_demand: Any, pair_product: Any, product_bank: Any, first: Any, bank: Any
) -> Any:
    """Whether each pair's bank stands among bank[first[d]:first[d + 1]], those its demand d has."""
    met = np.zeros(len(pair_demand), np.bool_)
    for pair in range(len(pair_demand)):
        demand = pair_demand[pair]
        for one in range(first[demand], first[demand + 1]):
            if bank[one] == product_bank[pair_product[pair]]:
                met[pair] = True
    return met


def possible(problem: Problem, stage: Stage) -> Flags:
    """Open pairs for which there is room at all: a line left, a place at product and bank, and money enough."""
    flags: Flags = has_room(
        stage.open, problem.pair_demand, problem.pair_product, problem.product_bank, problem.amount_fen, stage.lines,
        stage.places, stage.quota, stage.bank_places,
    )  # fmt: skip
    return flags


@nb.njit(cache=True)
def has_room(  # pragma: no cover  one pass, compiled
    open_pairs: Any, pair_demand: Any, pair_product: Any, product_bank: Any, amount: Any, lines: Any, places: Any,
    quota: Any, bank_places: Any,
) -> Any:  # fmt: skip
    """Of each pair; quota[m] and bank_places[b] below 0 mean none."""
    room = open_pairs.copy()
    for pair in range(len(room)):
        if room[pair]:
            demand, product = pair_demand[pair], pair_product[pair]
            money = quota[product] < 0 or amount[demand] <= quota[product]
            at_bank = bank_places[product_bank[product]] != 0
            room[pair] = lines[demand] > 0 and places[product] > 0 and at_bank and money
    return room


def dual_bound(problem: Problem, stage: Stage, prices: Prices) -> float:
    """Upper bound on the stage's value from any prices (negative ones count as 0). Floors only lower the optimum."""
    product, quota, bank = (np.maximum(one, 0.0) for one in (prices.product, prices.quota, prices.bank))
    quota = np.where(stage.quota < 0, 0.0, quota)
    bank = np.where(stage.bank_places < 0, 0.0, bank)
    profits = best_profits(
        problem.pair_demand, problem.pair_product, problem.value, possible(problem, stage), problem.amount_fen,
        stage.lines, problem.product_bank, product, quota, bank, int(stage.lines.max(initial=0)),
    )  # fmt: skip
    on_sale = float(product @ stage.places) + float(bank @ np.maximum(stage.bank_places, 0))
    return float(profits) + on_sale + float(quota @ np.maximum(stage.quota, 0))


@nb.njit(cache=True)
def best_profits(  # noqa: C901, PLR0912  pragma: no cover  one pass, compiled
    pair_demand: Any, pair_product: Any, value: Any, open_pairs: Any, amount: Any, lines: Any,
    product_bank: Any, price: Any, money: Any, bank_price: Any, most: Any,
) -> float:  # fmt: skip
    """Σ over demands of the best profits at distinct banks, as many as the demand has lines. Pairs stand by demand."""
    best, banks = np.zeros(most + 1), np.full(most + 1, -1)
    total, found, now = 0.0, 0, -1
    for pair in range(len(value)):
        if not open_pairs[pair]:
            continue
        demand, product = pair_demand[pair], pair_product[pair]
        if demand != now:
            for place in range(found):
                total += best[place]
            found, now = 0, demand
        bank = product_bank[product]
        profit = value[pair] - price[product] - bank_price[bank] - money[product] * amount[demand]
        if profit <= 0.0:
            continue
        place = found
        for other in range(found):
            if banks[other] == bank:
                place = other
        if place < found:
            if profit <= best[place]:
                continue
        elif found < lines[demand]:
            found += 1
        elif profit > best[found - 1]:
            place = found - 1
        else:
            continue
        while place > 0 and best[place - 1] < profit:
            best[place], banks[place] = best[place - 1], banks[place - 1]
            place -= 1
        best[place], banks[place] = profit, bank
    for place in range(found):
        total += best[place]
    return total
