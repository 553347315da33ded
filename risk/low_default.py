"""What is the rate where hardly anyone has defaulted? Pooled estimates and upper bounds, segment by segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.rates import CONFIDENCE, clopper_pearson, effective, jeffreys, upper_bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_STRENGTH, MOST_STRENGTH = 1.0, 1e5
"""How many rows the parent's rate may be worth in each of its segments."""

CYCLE_NODES = 64
"""Points of Gauss–Hermite quadrature over the state of the cycle."""


@dataclass(frozen=True)
class SegmentRate:
    """One segment: counts, rates as shares, 95 % intervals, and the upper bound meant for prudence."""

    segment: str
    parent: str
    n: int
    events: int
    predicted: float
    observed: float
    interval: tuple[float, float]  # Jeffreys
    exact: tuple[float, float]  # Clopper–Pearson
    pooled: float  # drawn towards the parent segment
    pooled_interval: tuple[float, float]
    upper: float  # one-sided, pooled with every riskier segment where the segments are ordered

    @property
    def zh(self) -> str:
        """The line as a Chinese sentence."""
        return (f"{self.segment}：{self.n} 条中 {self.events} 条违约，实际 {self.observed:.2%}"
                f"（95% 区间 {self.interval[0]:.2%}–{self.interval[1]:.2%}），向上级分组收缩后 {self.pooled:.2%}，"
                f"审慎上限 {self.upper:.2%}，预测 {self.predicted:.2%}。")  # fmt: skip

    @property
    def en(self) -> str:
        """The line as an English sentence."""
        return (f"{self.segment}: {self.events} defaults among {self.n}, observed {self.observed:.2%}"
                f" (95 % interval {self.interval[0]:.2%}–{self.interval[1]:.2%}),"
                f" pooled with its parent {self.pooled:.2%},"
                f" prudent upper bound {self.upper:.2%}, predicted {self.predicted:.2%}.")  # fmt: skip


def segment_rates(
    labels: Floats,
    predicted: Floats,
    segment: Iterable[Any],
    *,
    parent: Iterable[Any] | None = None,
    weights: Floats | None = None,
    confidence: float = CONFIDENCE,
    correlation: float = 0.0,
    ordered: bool = False,
) -> list[SegmentRate]:
    """The default rate of each segment, in the order of the mean predicted rate, safest first.

    `labels` 0 or 1, `predicted` probabilities, `segment` and `parent` names, all one per row; without `parent` all rows
    are the parent. `weights` turn into effective counts for every interval. `ordered`: the segments are grades, so a
    safer one cannot truly be riskier, and its upper bound counts all riskier ones in (Pluto and Tasche 2005, the most
    prudent estimate); otherwise each stands alone. `correlation`: asset correlation of one common factor in the upper
    bound (0: defaults are independent). Raises ValueError for unequal lengths, labels other than 0 and 1, a segment
    with two parents, and no rows.
    """
    names = np.asarray([str(one) for one in segment])
    above = np.full(len(names), "all") if parent is None else np.asarray([str(one) for one in parent])
    if not len(labels) or len({len(labels), len(predicted), len(names), len(above)}) > 1:
        raise ValueError(
            "Labels, predictions, segments and parents need one value for every row, and at least one row."
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("The outcome must be 0 or 1 in every row.")
    heavy = np.ones(len(labels)) if weights is None else weights
    members = {name: names == name for name in dict.fromkeys(names.tolist())}
    for name, inside in members.items():
        if len(set(above[inside].tolist())) > 1:
            raise ValueError(f"The segment {name} has two parents.")
    means = {name: float(np.average(predicted[inside], weights=heavy[inside])) for name, inside in members.items()}
    kept = sorted(members, key=lambda name: (means[name], name))
    counts = {
        name: effective(labels[members[name]], None if weights is None else heavy[members[name]]) for name in kept
    }
    parents = {name: str(above[members[name]][0]) for name in kept}
    pooled = partial_pool([counts[name] for name in kept], [parents[name] for name in kept], confidence)
    bounds = (most_prudent([counts[name] for name in kept], confidence, correlation) if ordered
              else [correlated_bound(*counts[name], confidence, correlation) for name in kept])  # fmt: skip
    return [
        SegmentRate(
            name, parents[name], int(members[name].sum()), int(labels[members[name]].sum()), means[name],
            float(np.average(labels[members[name]], weights=heavy[members[name]])),
            jeffreys(*counts[name], confidence), clopper_pearson(*counts[name], confidence), *pooled[place],
            bounds[place],
        )
        for place, name in enumerate(kept)
    ]  # fmt: skip


def most_prudent(
    counts: Sequence[tuple[float, float]], confidence: float = CONFIDENCE, correlation: float = 0.0
) -> list[float]:
    """Upper bounds of (events, n) per grade, safest first: each is bounded by itself and all riskier grades together.

    Pluto and Tasche 2005 (most prudent estimation). Where a riskier grade's bound would be the lower one, it takes the
    safer grade's.

    >>> [round(bound, 4) for bound in most_prudent([(0, 100), (0, 400), (0, 300)])]
    [0.0037, 0.0043, 0.0099]
    """
    bounds: list[float] = []
    for place in range(len(counts)):
        events, n = (sum(one[part] for one in counts[place:]) for part in (0, 1))
        bounds.append(correlated_bound(events, n, confidence, correlation))
    return [float(bound) for bound in np.maximum.accumulate(bounds)]


def correlated_bound(events: float, n: float, confidence: float = CONFIDENCE, correlation: float = 0.0) -> float:
    """The rate at which so few events, or fewer, have the chance 1 - confidence, when one common factor moves all.

    Vasicek's factor: given the state z of the cycle a firm defaults with Φ((Φ⁻¹(p) - √ρ·z) ÷ √(1 - ρ)). Without
    correlation this is Clopper–Pearson's bound. Raises ValueError for a correlation outside [0, 1).
    """
    if not 0 <= correlation < 1:
        raise ValueError(f"An asset correlation lies between 0 and 1, not at {correlation}.")
    if correlation == 0 or n == 0 or events >= n:
        return upper_bound(events, n, confidence)
    from scipy.optimize import brentq
    from scipy.special import betainc, ndtr, ndtri

    nodes, mass = np.polynomial.hermite_e.hermegauss(CYCLE_NODES)
    mass = mass / mass.sum()

    def excess(threshold: float) -> float:
        given = ndtr((threshold - np.sqrt(correlation) * nodes) / np.sqrt(1 - correlation))
        return float(mass @ (1 - betainc(events + 1, n - events, given))) - (1 - confidence)

    return float(ndtr(brentq(excess, float(ndtri(1e-12)), 8.0)))


def partial_pool(
    counts: Sequence[tuple[float, float]], parents: Sequence[str], confidence: float = CONFIDENCE
) -> list[tuple[float, tuple[float, float]]]:
    """Per segment the rate drawn towards its parent's, and its interval: beta-binomial empirical Bayes.

    A segment's rate is a draw of Beta(m·s, (1 - m)·s): m the parent's rate, s (how many rows the parent counts for) one
    for all, by maximum marginal likelihood. Segments that agree are pooled whole, segments that differ stand alone. The
    interval takes m and s as known, so with a handful of segments it is somewhat too narrow.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import betaln
    from scipy.stats import beta

    events, n = (np.array([one[part] for one in counts], dtype=np.float64) for part in (0, 1))
    codes = np.unique(parents, return_inverse=True)[1]
    mean = ((np.bincount(codes, events) + 0.5) / (np.bincount(codes, n) + 1))[codes]

    def lost(log_strength: float) -> float:
        strength = np.exp(log_strength)
        a, b = mean * strength, (1 - mean) * strength
        return -float(np.sum(betaln(events + a, n - events + b) - betaln(a, b)))

    found = minimize_scalar(lost, bounds=(np.log(LEAST_STRENGTH), np.log(MOST_STRENGTH)), method="bounded")
    strength = float(np.exp(found.x))
    a, b = events + mean * strength, n - events + (1 - mean) * strength
    low, high = beta.ppf((1 - confidence) / 2, a, b), beta.ppf((1 + confidence) / 2, a, b)
    return [(float(a[i] / (a[i] + b[i])), (float(low[i]), float(high[i]))) for i in range(len(counts))]
