"""How sure is an observed rate? Intervals for a share, effective counts under weights, and many tests at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95


def jeffreys(events: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Jeffreys interval of a rate: quantiles of Beta(events + ½, n - events + ½), closed at 0 and 1 (Brown 2001).

    Counts may be fractional (effective counts under weights); no rows give (0, 1). Raises ValueError for impossible
    counts.

    >>> [round(end, 4) for end in jeffreys(2, 100)]
    [0.0042, 0.0626]
    """
    from scipy.stats import beta

    _possible(events, n)
    low, high = beta.ppf([(1 - confidence) / 2, (1 + confidence) / 2], events + 0.5, n - events + 0.5)
    return 0.0 if events == 0 else float(low), 1.0 if events == n else float(high)


def clopper_pearson(events: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper–Pearson interval (1934): never covers less than it says; no rows give (0, 1).

    Raises ValueError for impossible counts.

    >>> [round(end, 4) for end in clopper_pearson(0, 100)]
    [0.0, 0.0362]
    """
    from scipy.stats import beta

    _possible(events, n)
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else float(beta.ppf(tail, events, n - events + 1))
    return low, 1.0 if events == n else float(beta.ppf(1 - tail, events + 1, n - events))


def upper_bound(events: float, n: float, confidence: float = CONFIDENCE) -> float:
    """One-sided Clopper–Pearson bound: a greater rate would show so few events with a chance below 1 - confidence.

    >>> round(upper_bound(0, 800), 4)
    0.0037
    """
    return clopper_pearson(events, n, 2 * confidence - 1)[1]


def tail_chance(events: float, n: float, rate: float) -> float:
    """Two-sided chance that goes with the Jeffreys interval: below 5 % exactly where `rate` lies outside its 95 %."""
    from scipy.stats import beta

    _possible(events, n)
    below = float(beta.cdf(rate, events + 0.5, n - events + 0.5))
    above = 1 - below
    if events == 0:
        return min(1.0, 2 * above)
    return min(1.0, 2 * (below if events == n else min(below, above)))


def effective(labels: Floats, weights: Floats | None = None) -> tuple[float, float]:
    """Events and n of an unweighted sample that knows the weighted rate as well as this one does (Korn, Graubard 1998).

    n is r·(1 - r) ÷ Var(r) with the linearised variance Σ w²(y - r)² ÷ (Σ w)²; Kish's (Σ w)² ÷ Σ w² where all outcomes
    agree; never more than the rows there are. With equal weights: the plain counts. No rows: (0, 0).
    """
    if weights is None or not len(labels):
        return float(labels.sum()), float(len(labels))
    total = weights.sum()
    rate = float(np.sum(weights * labels) / total)
    variance = float(np.sum(weights**2 * (labels - rate) ** 2) / total**2)
    n = rate * (1 - rate) / variance if 0 < rate < 1 else float(total**2 / np.sum(weights**2))
    n = min(n, float(len(labels)))
    return rate * n, n


def holm(chances: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (1979): those below 5 % are found with at most 5 % chance of any false one.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(chances, kind="stable")
    adjusted = [0.0] * len(chances)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(chances) - rank) * chances[place]))
        adjusted[place] = worst
    return adjusted


def _possible(events: float, n: float) -> None:
    if not 0 <= events <= n:
        raise ValueError(f"There cannot be {events} events among {n} rows.")
