"""Is the estimate good? Ranking, level and calibration with their intervals, by segment, and cross-validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from risk.scale import log_odds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
SMALL_CELL = 10
"""A segment with fewer defaults or fewer non-defaults than this is not shown by figure."""


def auc(labels: Floats, estimate: Floats) -> float:
    """Chance that a default is ranked above a non-default (ties count half); NaN with one class.

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    bad = labels.sum()
    good = len(labels) - bad
    if bad == 0 or good == 0:
        return float("nan")
    return float((_ranks(estimate)[labels > 0].sum() - bad * (bad + 1) / 2) / (bad * good))


def ks(labels: Floats, estimate: Floats) -> float:
    """Greatest distance between the cumulated shares of defaults and non-defaults (Kolmogorov–Smirnov)."""
    bad = labels.sum()
    good = len(labels) - bad
    if bad == 0 or good == 0:
        return float("nan")
    order = np.argsort(estimate, kind="stable")
    gap = np.cumsum(labels[order]) / bad - np.cumsum(1 - labels[order]) / good
    last = np.append(np.diff(estimate[order]) > 0, True)
    return float(np.abs(gap[last]).max())


def average_precision(labels: Floats, estimate: Floats) -> float:
    """Mean precision over the recalls gained, from the riskiest down; NaN without defaults."""
    if labels.sum() == 0:
        return float("nan")
    order = np.argsort(-estimate, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.append(np.diff(estimate[order]) < 0, True)
    precision = (hits / np.arange(1, len(labels) + 1))[last]
    return float(np.sum(np.diff(hits[last] / labels.sum(), prepend=0) * precision))


def calibration_table(labels: Floats, probability: Floats, bins: int = BINS) -> list[dict[str, float]]:
    """Per quantile bin of the estimate: n, mean predicted, observed rate (bins of equal size, ties broken by order)."""
    order = np.argsort(probability, kind="stable")
    return [
        {"n": len(part), "predicted": float(probability[part].mean()), "observed": float(labels[part].mean())}
        for part in np.array_split(order, bins) if len(part)
    ]  # fmt: skip


def slope(labels: Floats, probability: Floats) -> float:
    """Calibration slope: logistic regression of the outcome on the estimate's log-odds (1: right; below: too sure)."""
    margin = log_odds(probability)
    if labels.min() == labels.max() or margin.std() == 0:
        return float("nan")
    design = np.column_stack([np.ones(len(margin)), margin])
    weights = np.array([0.0, 1.0])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curvature = design.T @ (design * (fitted * (1 - fitted))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (labels - fitted))
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[1])


def measures(labels: Floats, probability: Floats) -> dict[str, float]:
    """AUC, KS, AP, Brier, Brier skill, log-loss, mean predicted, base rate, ECE over ten quantile bins, slope."""
    rate = float(labels.mean())
    brier = float(np.mean((probability - labels) ** 2))
    odds = log_odds(probability)
    usual = rate * (1 - rate)
    table = calibration_table(labels, probability)
    return {
        "auc": auc(labels, probability),
        "ks": ks(labels, probability),
        "average_precision": average_precision(labels, probability),
        "brier": brier,
        "brier_skill": 1 - brier / usual if usual else float("nan"),
        "log_loss": float(np.mean(np.logaddexp(0, odds) - labels * odds)),
        "predicted": float(probability.mean()),
        "observed": rate,
        "ece": float(sum(one["n"] * abs(one["predicted"] - one["observed"]) for one in table) / len(labels)),
        "slope": slope(labels, probability),
    }


def intervals(
    labels: Floats, probability: Floats, groups: Sequence[Any] | None = None, *, repeats: int = 300, seed: int = 7
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals of the measures, whole groups (firms) drawn together."""
    random = np.random.default_rng(seed)
    codes = np.arange(len(labels)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    drawn: dict[str, list[float]] = {}
    for _ in range(repeats):
        rows = np.concatenate([members[place] for place in random.integers(0, len(members), len(members))])
        if labels[rows].min() == labels[rows].max():
            continue
        for name, value in measures(labels[rows], probability[rows]).items():
            drawn.setdefault(name, []).append(value)
    return {name: (float(np.nanquantile(values, 0.025)), float(np.nanquantile(values, 0.975)))
            for name, values in drawn.items()}  # fmt: skip


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


def _ranks(values: Floats) -> Floats:
    """Ranks from one, ties sharing their mean."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    shared: Floats = (ends - (count - 1) / 2)[place]
    return shared
