"""Is the estimate good? Ranking, level and calibration with their intervals, by segment, and cross-validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.scale import log_odds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
SMALL_CELL = 10
"""A segment with fewer defaults or fewer non-defaults than this is not shown by figure."""


def auc(labels: Floats, estimate: Floats, weights: Floats | None = None) -> float:
    """Chance that a default is ranked above a non-default (ties count half); NaN with one class.

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    return _auc(_walk(labels, estimate, weights))


def ks(labels: Floats, estimate: Floats, weights: Floats | None = None) -> float:
    """Greatest distance between the cumulated shares of defaults and non-defaults (Kolmogorov–Smirnov)."""
    return _ks(_walk(labels, estimate, weights))


def average_precision(labels: Floats, estimate: Floats, weights: Floats | None = None) -> float:
    """Mean precision over the recalls gained, from the riskiest down; NaN without defaults."""
    return _average_precision(_walk(labels, estimate, weights))


@dataclass(frozen=True)
class _Walk:
    """From the safest estimate up, at the last row of each value: the weight of defaults and others so far."""

    bad: Floats
    good: Floats

    @property
    def one_sided(self) -> bool:
        return bool(self.bad[-1] == 0 or self.good[-1] == 0)


def _walk(labels: Floats, estimate: Floats, weights: Floats | None) -> _Walk:
    order = np.argsort(estimate, kind="stable")
    heavy = np.ones(len(labels)) if weights is None else weights[order]
    return _walked(labels[order], heavy, np.append(np.diff(estimate[order]) > 0, True))


def _walked(labels: Floats, heavy: Floats, last: NDArray[np.bool_]) -> _Walk:
    """The walk over rows that are in order."""
    bad = np.cumsum(labels * heavy)[last]
    return _Walk(bad, np.cumsum(heavy)[last] - bad)


def _auc(walk: _Walk) -> float:
    if walk.one_sided:
        return float("nan")
    gained = np.diff(walk.bad, prepend=0) * (walk.good + np.append(0, walk.good[:-1])) / 2
    return float(gained.sum() / (walk.bad[-1] * walk.good[-1]))


def _ks(walk: _Walk) -> float:
    if walk.one_sided:
        return float("nan")
    return float(np.abs(walk.bad / walk.bad[-1] - walk.good / walk.good[-1]).max())


def _average_precision(walk: _Walk) -> float:
    if walk.bad[-1] == 0:
        return float("nan")
    hits, misses = (part[-1] - np.append(0, part[:-1]) for part in (walk.bad, walk.good))
    shown = hits + misses > 0
    return float(np.sum((np.diff(walk.bad, prepend=0) / walk.bad[-1] * hits)[shown] / (hits + misses)[shown]))


def calibration_table(
    labels: Floats, probability: Floats, bins: int = BINS, weights: Floats | None = None
) -> list[dict[str, float]]:
    """Per quantile bin of the estimate: n, mean predicted, observed rate (bins of equal weight, ties in row order)."""
    order = np.argsort(probability, kind="stable")
    if weights is None:
        parts = np.array_split(order, bins)
    else:
        reached = np.cumsum(weights[order])
        parts = np.split(order, np.searchsorted(reached, reached[-1] * np.arange(1, bins) / bins, side="left"))
    return [
        {"n": len(part), "predicted": _mean(probability, weights, part), "observed": _mean(labels, weights, part)}
        for part in parts if len(part)
    ]  # fmt: skip


def _mean(values: Floats, weights: Floats | None, rows: NDArray[np.intp]) -> float:
    return float(np.average(values[rows], weights=None if weights is None else weights[rows]))


def slope(labels: Floats, probability: Floats, weights: Floats | None = None) -> float:
    """Calibration slope: logistic regression of the outcome on the estimate's log-odds (1: right; below: too sure)."""
    heavy = np.ones(len(labels)) if weights is None else weights / weights.mean()
    return _slope(labels, log_odds(probability), heavy)


def _slope(labels: Floats, margin: Floats, heavy: Floats) -> float:
    if not 0 < heavy @ labels < heavy.sum() or margin.std() == 0:
        return float("nan")
    level, tilt = 0.0, 1.0
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-np.clip(level + tilt * margin, -30, 30)))
        missed, spread = heavy * (labels - fitted), heavy * fitted * (1 - fitted)
        bent = spread * margin
        curvature = np.array([[spread.sum(), bent.sum()], [bent.sum(), bent @ margin]]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, np.array([missed.sum(), missed @ margin]))
        level, tilt = np.array([level, tilt]) + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-7:
            break
    return float(tilt)


def measures(labels: Floats, probability: Floats, weights: Floats | None = None) -> dict[str, float]:
    """AUC, KS, AP, Brier, Brier skill, log-loss, mean predicted, base rate, ECE over ten quantile bins, slope.

    `weights`: how many loans of the population each row stands for (default: one).
    """
    ranked = _Ranked.of(labels, probability)
    return ranked.measures(np.ones(len(labels)) if weights is None else weights)


@dataclass(frozen=True)
class _Ranked:
    """Outcomes and estimates in the estimate's order, so that many weightings of the rows are measured quickly."""

    order: NDArray[np.intp]
    labels: Floats
    probability: Floats
    odds: Floats
    last: NDArray[np.bool_]

    @classmethod
    def of(cls, labels: Floats, probability: Floats) -> _Ranked:
        order = np.argsort(probability, kind="stable")
        kept = probability[order]
        return cls(order, labels[order], kept, log_odds(kept), np.append(np.diff(kept) > 0, True))

    def measures(self, weights: Floats) -> dict[str, float]:
        """Every measure, each row counted with its weight (in the caller's order)."""
        heavy = weights[self.order]
        whole = heavy.sum()
        walk = _walked(self.labels, heavy, self.last)
        rate = float(heavy @ self.labels / whole)
        brier = float(heavy @ (self.probability - self.labels) ** 2 / whole)
        usual = rate * (1 - rate)
        return {
            "auc": _auc(walk),
            "ks": _ks(walk),
            "average_precision": _average_precision(walk),
            "brier": brier,
            "brier_skill": 1 - brier / usual if usual else float("nan"),
            "log_loss": float(heavy @ (np.logaddexp(0, self.odds) - self.labels * self.odds) / whole),
            "predicted": float(heavy @ self.probability / whole),
            "observed": rate,
            "ece": self._ece(heavy),
            "slope": _slope(self.labels, self.odds, heavy / whole * len(heavy)),
        }

    def _ece(self, heavy: Floats) -> float:
        """Expected calibration error: the distance of predicted from observed over ten bins of equal weight."""
        reached = np.cumsum(heavy)
        ends = np.searchsorted(reached, reached[-1] * np.arange(1, BINS) / BINS * (1 - 1e-12), side="left") + 1
        missed = np.append(0, np.cumsum(heavy * (self.probability - self.labels)))
        gaps = np.diff(missed[np.concatenate([[0], ends, [len(heavy)]])])
        return float(np.abs(gaps).sum() / reached[-1])


def intervals(
    labels: Floats, probability: Floats, groups: Sequence[Any] | None = None, *, repeats: int = 300, seed: int = 7
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals of the measures, whole groups (firms) drawn together."""
    drawn = redrawn(labels, {"": probability}, groups, repeats=repeats, seed=seed)[""]
    return {name: interval(values) for name, values in drawn.items()}


def redrawn(
    labels: Floats, estimates: Mapping[str, Floats], groups: Sequence[Any] | NDArray[Any] | None = None,
    weights: Floats | None = None, *, repeats: int = 300, seed: int = 7,
) -> dict[str, dict[str, Floats]]:  # fmt: skip
    """Every measure of every estimate on the same bootstrap draws, so that two estimates can be compared in pairs.

    Whole groups are drawn together; draws with one class only are left out. Returns name → measure → draws.
    """
    from threadpoolctl import threadpool_limits

    random = np.random.default_rng(seed)
    codes = np.arange(len(labels)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    count = int(codes.max()) + 1
    ranked = {name: _Ranked.of(labels, estimate) for name, estimate in estimates.items()}
    found: dict[str, dict[str, list[float]]] = {name: {} for name in estimates}
    with threadpool_limits(1):  # sums are short: threads would wait for each other longer than they work
        for _ in range(repeats):
            times = np.bincount(random.integers(0, count, count), minlength=count)[codes].astype(np.float64)
            if not 0 < times @ labels < times.sum():
                continue
            heavy = times if weights is None else times * weights
            for name, one in ranked.items():
                for measure, value in one.measures(heavy).items():
                    found[name].setdefault(measure, []).append(value)
    return {name: {one: np.asarray(values) for one, values in of.items()} for name, of in found.items()}


def interval(values: Floats) -> tuple[float, float]:
    """The middle 95 % of bootstrap draws."""
    return float(np.nanquantile(values, 0.025)), float(np.nanquantile(values, 0.975))


def by_segment(labels: Floats, probability: Floats, segment: Iterable[Any]) -> list[dict[str, Any]]:
    """Per segment n, defaults, AUC, mean predicted and observed rate; figures of small cells are withheld (None)."""
    named = np.asarray([str(one) for one in segment])
    rows: list[dict[str, Any]] = []
    for name in sorted(set(named)):
        inside = named == name
        bad = int(labels[inside].sum())
        row: dict[str, Any] = {"segment": name, "n": int(inside.sum())}
        if min(bad, row["n"] - bad) < SMALL_CELL:
            rows.append({**row, "suppressed": True, "auc": None, "predicted": None, "observed": None})
            continue
        rows.append({**row, "suppressed": False, "auc": auc(labels[inside], probability[inside]),
                     "predicted": float(probability[inside].mean()), "observed": bad / row["n"]})  # fmt: skip
    return rows
