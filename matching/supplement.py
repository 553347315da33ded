"""The supplement: lists that are out stand, and whoever still looks for a bank bids for what is free.

After a refusal nothing is shared out anew. What is left of the day (a place given back, money freed, the demand that
lost its line, everybody who found no room) is a problem like any other, smaller: solved and certified as one.
"""

from dataclasses import replace

import numpy as np

from matching.stages import REST, met_before, possible, remaining
from matching.terms import Ints, Problem

ANY_STAGE = np.int8(0)


def what_is_left(problem: Problem, published: Ints, refused: Ints) -> Problem:
    """The day without its published lines; `published`, `refused` are positions of pairs, the latter among the former.

    A bank that refused a demand is not asked again for it. Floors are the morning's; who has a line waits no longer.
    """
    standing = published[~np.isin(published, refused)]
    left = remaining(problem, standing, REST, np.full(len(problem.value), ANY_STAGE))
    pairs = np.flatnonzero(possible(problem, left) & ~met_before(problem, refused))
    demand, owner = np.unique(problem.pair_demand[pairs], return_inverse=True)
    is_listed = np.isin(demand, problem.pair_demand[standing])
    return replace(
        problem,
        demand_id=problem.demand_id[demand],
        amount_fen=problem.amount_fen[demand],
        waited_days=np.where(is_listed, 0, problem.waited_days[demand]),
        lines_left=left.lines[demand],
        places=left.places,
        quota_fen=left.quota,
        floor=np.zeros_like(problem.floor),
        bank_places=left.bank_places,
        pair_demand=owner.astype(np.int64),
        pair_product=problem.pair_product[pairs],
        value=problem.value[pairs],
        p_grant=problem.p_grant[pairs],
        intended=problem.intended[pairs],
        excluded=np.zeros(len(pairs), bool),
    )
