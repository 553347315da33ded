"""Compiling ahead meets every loop that is called from Python, so that no later day waits for one."""

from matching import allocate, auction, best, fit_many, market, polish, stages
from matching.warm import warm_up

LOOPS = (
    allocate.add_best, allocate.ranked, auction.run, best._rank, fit_many._fill, fit_many._masks_compiled, market.pack,
    polish.sweep, stages.best_profits, stages.has_room, stages.met_banks, stages.sum_by,
)  # fmt: skip


def test_after_the_warm_up_every_loop_is_compiled():
    warm_up()
    assert [loop.py_func.__name__ for loop in LOOPS if not loop.signatures] == []
