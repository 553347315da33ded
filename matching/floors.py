"""Exposure floors: products with too few lines get one more demand, or one that gives up a later line elsewhere.

The cheapest help comes first (least value lost). Lines of intended pairs and of late demands never move, nor does a
product fall under its own floor to help another.
"""

import numpy as np

from matching.stages import REST, late_demands, on_offer, remaining
from matching.terms import Flags, Ints, Problem

ALL_STAGES_OPEN = np.int8(0)


def keep_floors(problem: Problem, taken: Ints) -> Ints:
    """The chosen pairs after every product under its floor was helped as far as anyone can; ascending."""
    changed = True
    while changed:
        changed = False
        for product in _short(problem, taken):
            while (swap := _cheapest_help(problem, taken, product)) is not None:
                comes, goes = swap
                taken = np.sort(np.append(taken[taken != goes], comes))
                changed = True
                if product not in _short(problem, taken):
                    break
    return taken


def _short(problem: Problem, taken: Ints) -> list[int]:
    count = np.bincount(problem.pair_product[taken], minlength=len(problem.places))
    short: list[int] = np.flatnonzero(count < np.minimum(problem.floor, problem.places)).tolist()
    return short


def _cheapest_help(problem: Problem, taken: Ints, product: int) -> tuple[int, int] | None:
    """The pair to add and the one to give up for it (-1: none), of least loss, ties by position; None: no help."""
    left = remaining(problem, taken, REST, np.full(len(problem.value), ALL_STAGES_OPEN))
    suitors = np.flatnonzero((problem.pair_product == product) & on_offer(problem) & ~problem.intended)
    suitors = np.setdiff1d(suitors, taken)
    amount, quota = problem.amount_fen[problem.pair_demand[suitors]], left.quota[product]
    suitors = suitors[(quota < 0) | (amount <= quota)]
    if not left.places[product] or not len(suitors):
        return None
    bank = problem.product_bank[product]
    bank_room = bool(left.bank_places[bank] != 0)
    free = suitors[left.open[suitors] & (left.lines[problem.pair_demand[suitors]] > 0) & bank_room]
    helps = [(-float(problem.value[one]), int(one), -1) for one in free]
    movable = taken[_movable(problem, taken)]
    at_bank = problem.product_bank[problem.pair_product] == bank
    meets = np.zeros(len(problem.demand_id), bool)
    meets[problem.pair_demand[taken[at_bank[taken]]]] = True
    for one in suitors:
        who = problem.pair_demand[one]
        mine = movable[_of(problem, movable, int(who))]
        mine = mine[at_bank[mine] | (not meets[who] and bank_room)]
        helps += [(float(problem.value[line] - problem.value[one]), int(one), int(line)) for line in mine]
    return min(helps)[1:] if helps else None


def _movable(problem: Problem, taken: Ints) -> Flags:
    count = np.bincount(problem.pair_product[taken], minlength=len(problem.places))
    spare: Flags = (count > problem.floor)[problem.pair_product[taken]]
    return spare & ~problem.intended[taken] & ~late_demands(problem)[problem.pair_demand[taken]]


def _of(problem: Problem, pairs: Ints, who: int) -> slice:
    """Where a demand's pairs stand among ascending ones."""
    first, last = np.searchsorted(problem.pair_demand[pairs], [who, who + 1])
    return slice(int(first), int(last))
