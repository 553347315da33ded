"""The score scale and the grades: what a probability of default is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASE_SCORE, BASE_ODDS, DOUBLING = 600, 30, 40
"""600 points stand for 30 good loans to one bad (3.2 %); every 40 points double the odds."""

LOWEST, HIGHEST = 300, 900

GRADES: tuple[tuple[str, float], ...] = (
    ("A1", 0.005), ("A2", 0.01), ("B1", 0.02), ("B2", 0.04), ("C1", 0.07), ("C2", 0.12), ("D", 0.25), ("E", 1.0),
)  # fmt: skip
"""Master scale: a grade with the probability below which it is given (the last one takes the rest)."""

FLOOR = 1e-6
"""Probabilities are kept this far from 0 and 1, so that odds exist."""


def log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of p / (1 - p)."""
    kept = np.clip(probability, FLOOR, 1 - FLOOR)
    return np.log(kept / (1 - kept))


def probability_of(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of a log-odds."""
    return 1 / (1 + np.exp(-np.clip(odds, -30, 30)))


def score(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    """Points: 600 + 40·log2(odds of good ÷ 30), whole, between 300 and 900.

    >>> score(np.array([1 / 31, 1 / 61, 0.5])).tolist()
    [600, 640, 404]
    """
    points = BASE_SCORE + DOUBLING * (-log_odds(probability) / np.log(2) - np.log2(BASE_ODDS))
    whole: NDArray[np.int64] = np.clip(np.rint(points), LOWEST, HIGHEST).astype(np.int64)
    return whole


def grade(probability: NDArray[np.float64]) -> NDArray[np.str_]:
    """Grade of the master scale.

    >>> grade(np.array([0.001, 0.005, 0.03, 0.9])).tolist()
    ['A1', 'A2', 'B2', 'E']
    """
    lines = np.array([below for _, below in GRADES[:-1]])
    return np.array([name for name, _ in GRADES])[np.searchsorted(lines, probability, side="right")]
