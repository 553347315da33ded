"""Compiling ahead meets every loop that is called from Python, so that no later day waits for one."""

from matching import auction, fit_many, polish, stages
from matching.warm import warm_up

LOOPS = (auction.run, polish.sweep, stages.best_profits, fit_many._masks_compiled, fit_many._fill)


def test_after_the_warm_up_every_loop_is_compiled():
    warm_up()
    assert [loop.py_func.__name__ for loop in LOOPS if not loop.signatures] == []
