"""Compile the loops of risk.fast ahead of the first batch (`python -m risk.warm`): seconds once, kept by numba."""

import numpy as np

from risk.fast import WIDTH, Forest


def warm_up() -> None:
    """Score a made-up firm by trees of each size that the table knows; nothing is kept."""
    for kind in (np.uint16, np.uint32, np.uint64):
        table, leaves = np.ones((1, 2, WIDTH), kind), np.zeros((1, WIDTH, 1))
        Forest(1, np.zeros(1, np.int64), np.empty(0), np.array([0, 2]), table, leaves).margin(np.zeros((1, 1)))


if __name__ == "__main__":
    warm_up()
