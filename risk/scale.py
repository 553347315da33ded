"""The score scale and the grades: what a probability of default is called."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from risk.rates import effective, jeffreys

if TYPE_CHECKING:
    from collections.abc import Sequence

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


@dataclass(frozen=True)
class GradeLine:
    """One grade of the master scale against what happened; rates are shares, None where nobody has the grade."""

    grade: str
    below: float
    n: int
    events: int
    predicted: float | None
    observed: float | None
    interval: tuple[float, float] | None  # Jeffreys, 95 %
    zh: str = ""  # a sentence where the interval does not hold the mean predicted rate
    en: str = ""


def by_grade(
    labels: NDArray[np.float64], probability: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> list[GradeLine]:
    """The master scale, safest grade first: n, events, mean predicted, observed rate with its Jeffreys interval.

    `labels` 0 or 1 and `probability`, one per row; `weights` weigh the rates and shrink the counts behind the interval
    (risk.rates.effective). Each interval is a 95 % one by itself: of eight true grades one in three tables shows one
    outside. Raises ValueError for unequal lengths.
    """
    if len(labels) != len(probability):
        raise ValueError("Every row needs an outcome and a probability.")
    given = grade(probability)
    lines = []
    for name, below in GRADES:
        inside = given == name
        if not inside.any():
            lines.append(GradeLine(name, below, 0, 0, None, None, None))
            continue
        heavy = None if weights is None else weights[inside]
        predicted = float(np.average(probability[inside], weights=heavy))
        observed = float(np.average(labels[inside], weights=heavy))
        low, high = jeffreys(*effective(labels[inside], heavy))
        zh, en = _outside(name, predicted, observed, (low, high))
        lines.append(GradeLine(name, below, int(inside.sum()), int(labels[inside].sum()), predicted, observed,
                               (low, high), zh, en))  # fmt: skip
    return lines


def turned(lines: Sequence[GradeLine], chance: float = 0.05) -> list[tuple[str, str]]:
    """Monotonicity of the master scale: a sentence (zh, en) for each grade that defaulted less than the safer one.

    Only where chance alone would not show it: Fisher's exact one-sided test of neighbouring grades that hold anybody,
    Holm-corrected over all neighbours. Counts are those of rows: use on unweighted or equally weighted tables.
    """
    from scipy.stats import fisher_exact

    from risk.rates import holm

    held = [line for line in lines if line.n]
    pairs = list(pairwise(held))
    found = [float(fisher_exact([[safe.events, safe.n - safe.events], [risky.events, risky.n - risky.events]],
                                alternative="greater").pvalue) for safe, risky in pairs]  # fmt: skip
    return [_turn(safe, risky) for (safe, risky), one in zip(pairs, holm(found), strict=True) if one < chance]


def _turn(safe: GradeLine, risky: GradeLine) -> tuple[str, str]:
    zh = f"{risky.grade} 级违约率 {risky.observed:.2%}，低于更好的 {safe.grade} 级（{safe.observed:.2%}）：次序颠倒。"
    en = f"Grade {risky.grade} defaulted less ({risky.observed:.2%}) than the safer {safe.grade} ({safe.observed:.2%})."
    return zh, en


def _outside(name: str, predicted: float, observed: float, interval: tuple[float, float]) -> tuple[str, str]:
    """The sentence for a grade whose observed rate does not agree with its prediction."""
    low, high = interval
    if low <= predicted <= high:
        return "", ""
    way_zh, way_en = ("高于", "more") if predicted < low else ("低于", "less")
    span = f"{low:.2%}–{high:.2%}"
    zh = f"{name} 级实际违约率 {observed:.2%}（95% 区间 {span}）{way_zh}预测的 {predicted:.2%}。"
    en = (
        f"Grade {name} defaults {way_en} than predicted: {observed:.2%} (95 % interval {span}) against {predicted:.2%}."
    )
    return zh, en
