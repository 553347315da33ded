"""The lists mended after a few refusals, in place of sharing the whole day out anew.

Everybody keeps the line they have but those refused. A demand that lost one bids for another at the prices of before,
whoever is outbid bids on, and so a chain of moves ends at a free place or at somebody for whom nothing is worth its
price (an auction whose holders stand in it from the beginning). Lines of intended pairs and of late demands' first turn
stay where they are. Where that would pass over somebody who comes first, the whole day is shared out anew.
"""

import numpy as np

from matching.allocate import allocate, fill_up, lines_of_pairs
from matching.market import market_of
from matching.rules import floor_breaches, priority_breaches
from matching.stages import REST, STAGES, dual_bound, line_stages, on_offer, pair_stages, remaining
from matching.terms import Allocation, Problem


def mend(problem: Problem, before: Allocation) -> Allocation:
    """The lists of `problem`, which has the pairs and limits `before` was made from, but a few more pairs excluded.

    The same bound as ever: from the prices of before, anew. Raises ValueError where a line of before has no pair here.
    """
    if len(before.pairs) and before.pairs[-1] >= len(problem.value):
        raise ValueError("the lists were made from other pairs")
    alive = on_offer(problem)[before.pairs]
    kept, lost = before.pairs[alive], np.unique(problem.pair_demand[before.pairs[~alive]])
    stage_of = pair_stages(problem)
    line_stage = line_stages(problem, kept, stage_of)
    fixed = kept[line_stage != REST]
    left = remaining(problem, fixed, REST, stage_of)
    market = market_of(problem, left)
    held = np.searchsorted(market.pairs, kept[line_stage == REST]).astype(np.int64)
    chosen, _ = market.run(lost, before.prices[REST], held)
    taken = np.sort(np.concatenate([fixed, fill_up(problem, left, chosen)]))
    line_stage = line_stages(problem, taken, stage_of)
    passed_over = priority_breaches(problem, taken, line_stage, stage_of) or floor_breaches(problem, taken, line_stage)
    if passed_over:
        return allocate(problem, warm_prices=before.prices)
    bounds = (
        dual_bound(problem, remaining(problem, taken[line_stage < stage], stage, stage_of), before.prices[stage])
        for stage in STAGES
    )
    return Allocation(
        pairs=taken,
        lines=lines_of_pairs(problem, taken),
        prices=before.prices,
        value=float(problem.value[taken].sum()),
        bound=float(sum(bounds)),
    )
