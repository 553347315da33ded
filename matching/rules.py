"""The rules a day's lists must keep, each broken one told as a sentence."""

import numpy as np

from matching.stages import (
    INTENDED,
    REST,
    STAGES,
    URGENT,
    Stage,
    Stages,
    late_demands,
    on_offer,
    possible,
    remaining,
    reserved,
)
from matching.terms import Flags, Ints, Lines, Prices, Problem

WHY = {INTENDED: "it named this bank", URGENT: "it has waited too long"}


def pairs_of(problem: Problem, lines: Lines) -> tuple[Ints, list[str]]:
    """Positions of the lines' pairs, and a sentence for each line that has none or may not be."""
    demand, known_demand = _find(problem.demand_id, lines.demand_id)
    product, known_product = _find(problem.product_id, lines.product_id)
    key = problem.pair_demand * len(problem.product_id) + problem.pair_product
    place, real = _find(key, demand * len(problem.product_id) + product)
    known = known_demand & known_product
    real &= known
    owner = problem.bank_id[problem.product_bank[product]] if len(problem.product_id) else lines.bank_id
    excluded = problem.excluded[place] if len(key) else np.zeros(len(lines), bool)
    breaches = _told(lines, ~known, "nobody knows this demand or this product")
    breaches += _told(lines, known & (owner != lines.bank_id), "the product does not belong to this bank")
    breaches += _told(lines, known & ~real, "the demand does not fit the product, or the pair was never alive")
    breaches += _told(lines, real & excluded, "the pair is excluded")
    worthless = problem.value[place] <= 0 if len(key) else np.zeros(len(lines), bool)
    breaches += _told(lines, real & ~excluded & worthless, "the pair is worth nothing")
    pairs = np.sort(place[real & ~excluded & ~worthless])
    twice = np.flatnonzero(pairs[1:] == pairs[:-1])
    breaches += [f"{_pair(problem, int(pairs[one]))}: the line stands there twice" for one in twice]
    return pairs, breaches


def _find(known: Ints, wanted: Ints) -> tuple[Ints, Flags]:
    """Position of each wanted number among sorted known ones, and whether it is really there."""
    if not len(known):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1).astype(np.int64)
    return place, known[place] == wanted


def _told(lines: Lines, wrong: Flags, why: str) -> list[str]:
    return [
        f"demand {lines.demand_id[row]} at product {lines.product_id[row]} of bank {lines.bank_id[row]}: {why}"
        for row in np.flatnonzero(wrong)
    ]


def _pair(problem: Problem, pair: int) -> str:
    product = problem.pair_product[pair]
    return f"demand {problem.demand_id[problem.pair_demand[pair]]} at product {problem.product_id[product]}"


def real_prices(problem: Problem, prices: tuple[Prices, ...]) -> tuple[tuple[Prices, ...], list[str]]:
    """Prices of each stage to prove a bound by, nothing where a set is no finite number for each product and bank."""
    lengths = (len(problem.product_id), len(problem.product_id), len(problem.bank_id))
    nothing = Prices(*(np.zeros(length) for length in lengths))
    found, breaches = [], []
    for stage in STAGES:
        one = prices[stage] if stage < len(prices) else None
        parts = () if one is None else (one.product, one.quota, one.bank)
        is_real = [len(part) for part in parts] == list(lengths) and all(np.isfinite(part).all() for part in parts)
        found.append(one if one is not None and is_real else nothing)
        if not is_real:
            breaches.append(f"the prices of stage {stage} are not one finite number for each product and bank")
    return tuple(found), breaches


def rank_breaches(lines: Lines) -> list[str]:
    """A demand's lines are ranked 1, 2, … without gap."""
    order = np.lexsort((lines.rank, lines.demand_id))
    demand, rank = lines.demand_id[order], lines.rank[order]
    first = np.ones(len(demand), bool)
    first[1:] = demand[1:] != demand[:-1]
    start = np.maximum.accumulate(np.where(first, np.arange(len(demand)), 0))
    wrong = np.unique(demand[rank != np.arange(len(demand)) - start + 1])
    return [f"demand {one}: its lines are not ranked 1, 2, …" for one in wrong]


def order_breaches(problem: Problem, lines: Lines, pairs: Ints) -> list[str]:
    """A demand's lines stand in order of falling value, ties by product; for lines that broke no rule so far."""
    stated = np.lexsort((lines.rank, lines.demand_id))
    best_first = pairs[np.lexsort((problem.pair_product[pairs], -problem.value[pairs], problem.pair_demand[pairs]))]
    expected = problem.product_id[problem.pair_product[best_first]]
    wrong = np.unique(lines.demand_id[stated][lines.product_id[stated] != expected])
    return [f"demand {one}: its lines do not stand in order of their value" for one in wrong]


def limit_breaches(problem: Problem, pairs: Ints) -> list[str]:
    """Lines per demand, distinct banks, places of products and banks, money."""
    demand, product = problem.pair_demand[pairs], problem.pair_product[pairs]
    bank = problem.product_bank[product]
    per_demand = np.bincount(demand, minlength=len(problem.demand_id))
    per_product = np.bincount(product, minlength=len(problem.places))
    per_bank = np.bincount(bank, minlength=len(problem.bank_id))
    spent = reserved(problem, pairs)
    key = np.sort(demand * len(problem.bank_id) + bank)
    met_twice = [divmod(int(one), len(problem.bank_id)) for one in np.unique(key[1:][key[1:] == key[:-1]])]
    return [
        *(
            f"demand {problem.demand_id[one]} has {per_demand[one]} lines, but {problem.lines_left[one]} are left to it"
            for one in np.flatnonzero(per_demand > problem.lines_left)
        ),
        *(f"demand {problem.demand_id[who]} stands twice at bank {problem.bank_id[at]}" for who, at in met_twice),
        *(
            f"product {problem.product_id[one]} has {per_product[one]} lines on {problem.places[one]} places"
            for one in np.flatnonzero(per_product > problem.places)
        ),
        *(
            f"bank {problem.bank_id[one]} has {per_bank[one]} lines on {problem.bank_places[one]} places"
            for one in np.flatnonzero((problem.bank_places >= 0) & (per_bank > problem.bank_places))
        ),
        *(
            f"product {problem.product_id[one]} reserves {spent[one]} fen of a quota of {problem.quota_fen[one]}"
            for one in np.flatnonzero((problem.quota_fen >= 0) & (spent > problem.quota_fen))
        ),
    ]


def priority_breaches(problem: Problem, pairs: Ints, line_stage: Stages, stage_of: Stages) -> list[str]:
    """Who comes first is not left out while somebody later holds the place.

    No intended pair could join the intended lines; no late demand without a line could join these and late ones' own.
    """
    breaches = []
    late = late_demands(problem)[problem.pair_demand[pairs]]
    kept = {INTENDED: line_stage == INTENDED, URGENT: (line_stage == INTENDED) | late}
    for stage, why in WHY.items():
        left = remaining(problem, pairs[kept[stage]], stage, stage_of)
        breaches += [
            f"{_pair(problem, int(one))}: {why}, yet is left out while a later line, or nobody, holds the place"
            for one in np.flatnonzero(possible(problem, left))
        ]
    return breaches


def floor_breaches(problem: Problem, pairs: Ints, line_stage: Stages) -> list[str]:
    """No product stays under its floor while a demand could go or move there (intended and late ones do not move)."""
    count = np.bincount(problem.pair_product[pairs], minlength=len(problem.places))
    short = np.flatnonzero(count < np.minimum(problem.floor, problem.places))
    if not len(short):
        return []
    spare = (count > problem.floor)[problem.pair_product[pairs]]
    late = late_demands(problem)[problem.pair_demand[pairs]]
    movable = pairs[(line_stage != INTENDED) & ~late & spare]
    left = remaining(problem, pairs, REST, np.zeros(len(problem.value), np.int8))
    free = possible(problem, left)
    helped = ((int(one), _helper(problem, pairs, movable, left, free, int(one))) for one in short)
    return [
        f"product {problem.product_id[one]} has {count[one]} lines under its floor of {problem.floor[one]}, "
        f"though demand {problem.demand_id[who]} could go there"
        for one, who in helped
        if who is not None
    ]


def _helper(problem: Problem, pairs: Ints, movable: Ints, left: Stage, free: Flags, at: int) -> int | None:
    """A demand that could take one more line at this product, or move one there; None where there is none."""
    bank, quota = int(problem.product_bank[at]), int(left.quota[at])
    pair_bank = problem.product_bank[problem.pair_product]
    for pair in np.flatnonzero((problem.pair_product == at) & on_offer(problem)):
        who = int(problem.pair_demand[pair])
        if free[pair]:
            return who
        if left.places[at] == 0 or (quota >= 0 and problem.amount_fen[who] > quota):
            continue
        mine = pairs[problem.pair_demand[pairs] == who]
        if pair in mine:
            continue
        meets = bool((pair_bank[mine] == bank).any())
        for line in movable[problem.pair_demand[movable] == who]:
            if pair_bank[line] == bank or (not meets and left.bank_places[bank] != 0):
                return who
    return None
