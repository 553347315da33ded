"""Calibration: from a model's log-odds to a probability that happens as often as it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from risk.scale import log_odds, probability_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ISOTONIC_EVENTS = 150
"""Fewer defaults than this cannot carry an isotonic map's steps."""


@dataclass(frozen=True)
class Calibration:
    """A rising map of log-odds: Platt's line, or isotonic steps joined by lines; and the base rate it was fitted at."""

    method: str  # 'platt' | 'isotonic'
    base_rate: float
    knots: tuple[float, ...]  # platt: slope, intercept; isotonic: log-odds of the model
    values: tuple[float, ...] = ()  # isotonic: probabilities at the knots

    def probability(self, margin: Floats, base_rate: float | None = None) -> Floats:
        """Calibrated probability; with `base_rate`, shifted to a population where that share defaults.

        Prior shift (Saerens, Latinne, Decaestecker 2002): the odds are multiplied by the ratio of the prior odds.
        """
        if self.method == "platt":
            odds = self.knots[0] * margin + self.knots[1]
        else:
            odds = log_odds(np.interp(margin, self.knots, self.values))
        if base_rate is not None:
            odds = odds + log_odds(np.array([base_rate]))[0] - log_odds(np.array([self.base_rate]))[0]
        return probability_of(odds)

    def to_json(self) -> dict[str, Any]:
        """Plain values for calibration.json."""
        return {"method": self.method, "base_rate": self.base_rate, "knots": self.knots, "values": self.values}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """Read what to_json wrote."""
        return cls(told["method"], told["base_rate"], tuple(told["knots"]), tuple(told["values"]))


def as_it_is(base_rate: float) -> Calibration:
    """The model's log-odds unchanged."""
    return Calibration("platt", base_rate, (1.0, 0.0))


def platt(margin: Floats, labels: Floats, weights: Floats | None = None) -> Calibration:
    """Platt's line (1999), with his smoothed targets, its slope kept above zero so that order never turns."""
    from scipy.optimize import minimize

    bad, good = labels.sum(), (1 - labels).sum()
    heavy = np.ones(len(labels)) if weights is None else weights / weights.mean()
    target = np.where(labels > 0, (bad + 1) / (bad + 2), 1 / (good + 2))

    def loss(line: Floats) -> tuple[float, Floats]:
        odds = line[0] * margin + line[1]
        slope = heavy * (probability_of(odds) - target)
        return float(np.mean(heavy * (np.logaddexp(0, odds) - target * odds))), np.array(
            [np.mean(slope * margin), np.mean(slope)]
        )

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.01, None), (None, None)])
    return Calibration("platt", float(np.average(labels, weights=weights)), (float(found.x[0]), float(found.x[1])))


def isotonic(margin: Floats, labels: Floats) -> Calibration:
    """Isotonic regression, its probabilities kept off 0 and 1 by half a default."""
    from sklearn.isotonic import IsotonicRegression

    edge = 0.5 / (len(labels) + 1)
    map_ = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(margin, labels)
    return Calibration(
        "isotonic", float(labels.mean()),
        tuple(float(knot) for knot in map_.X_thresholds_), tuple(float(value) for value in map_.y_thresholds_),
    )  # fmt: skip


def chosen(margin: Floats, labels: Floats, seed: int) -> Calibration:
    """Platt or isotonic, whichever loses less by five-fold cross-validation on this slice; Platt with few defaults."""
    if min(labels.sum(), (1 - labels).sum()) < ISOTONIC_EVENTS:
        return platt(margin, labels)
    from sklearn.model_selection import StratifiedKFold

    losses = {platt: 0.0, isotonic: 0.0}
    for fitted, kept in StratifiedKFold(5, shuffle=True, random_state=seed).split(margin.reshape(-1, 1), labels):
        for way in losses:
            odds = log_odds(way(margin[fitted], labels[fitted]).probability(margin[kept]))
            losses[way] += float(np.sum(np.logaddexp(0, odds) - labels[kept] * odds))
    return min(losses, key=lambda way: losses[way])(margin, labels)
