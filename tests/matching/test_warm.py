"""Compiling ahead meets every loop, so that no later day waits for one."""

from numba.core.dispatcher import Dispatcher

from matching import auction, fit_many, polish, stages
from matching.warm import warm_up


def test_after_the_warm_up_every_loop_is_compiled():
    warm_up()
    modules = (auction, fit_many, polish, stages)
    loops = [one for module in modules for one in vars(module).values() if isinstance(one, Dispatcher)]
    assert len(loops) >= 15
    assert [loop.py_func.__name__ for loop in loops if not loop.signatures] == []
