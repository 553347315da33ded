"""What the card's pictures are drawn from: curves and counts, thin enough for the card and for a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from risk import evaluate, scale
from risk.monitor import MOVED, WATCH, psi, reference
from risk.rates import jeffreys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Days = NDArray[np.datetime64]

MOST_POINTS = 200
"""A ROC curve is kept by this many points at most; the eye sees no more."""

MOST_QUARTERS = 12
"""A longer stretch than this is told by years."""

SCORE_STEP = 20


def drawn(labels: Floats, probability: Floats, days: Days | None = None) -> dict[str, Any]:
    """Card entries for the pictures of one test: roc, histogram, grades, and with `days` (of the loans) vintages."""
    told = {
        "roc": roc(labels, probability),
        "histogram": histogram(labels, probability),
        "grade_table": by_grade(labels, probability),
        "grades_turned": [list(pair) for pair in scale.turned(scale.by_grade(labels, probability))],
    }
    return told if days is None else {**told, "vintages": by_vintage(labels, probability, days)}


def roc(labels: Floats, probability: Floats) -> dict[str, Any]:
    """AUC, KS, the point where KS is reached, and points (share of good, share of bad) from the riskiest down."""
    order = np.argsort(-probability, kind="stable")
    ends = np.append(np.diff(probability[order]) < 0, True)
    bad = np.append(0.0, np.cumsum(labels[order])[ends] / labels.sum())
    good = np.append(0.0, np.cumsum(1 - labels[order])[ends] / (len(labels) - labels.sum()))
    widest = int(np.argmax(np.abs(bad - good)))
    kept = np.unique(np.append(np.rint(np.linspace(0, len(bad) - 1, MOST_POINTS - 1)).astype(int), widest))
    return {
        "auc": evaluate.auc(labels, probability), "ks": evaluate.ks(labels, probability),
        "ks_at": [float(good[widest]), float(bad[widest])],
        "points": [[float(good[place]), float(bad[place])] for place in kept],
    }  # fmt: skip


def histogram(labels: Floats, probability: Floats) -> dict[str, Any]:
    """How many good and bad loans lie in each step of twenty points of the score."""
    points = scale.score(probability)
    first, last = int(points.min()) // SCORE_STEP, int(points.max()) // SCORE_STEP
    place, width = points // SCORE_STEP - first, last - first + 1
    return {
        "edges": [step * SCORE_STEP for step in range(first, last + 2)],
        "good": np.bincount(place[labels == 0], minlength=width).tolist(),
        "bad": np.bincount(place[labels > 0], minlength=width).tolist(),
    }


def by_grade(labels: Floats, probability: Floats) -> list[dict[str, Any]]:
    """Per grade n, defaults, mean predicted, observed with its Jeffreys interval, and a sentence where they disagree.

    Figures and sentence of small cells are None.
    """
    return [
        {"grade": line.grade, "below": line.below, "zh": line.zh, "en": line.en, "n": line.n, "events": line.events,
         "predicted": line.predicted, "observed": line.observed, "low": line.interval[0], "high": line.interval[1]}
        if line.interval is not None and line.n >= evaluate.SMALL_CELL
        else {"grade": line.grade, "below": line.below, "zh": None, "en": None, **_withheld(line.n)}
        for line in scale.by_grade(labels, probability)
    ]  # fmt: skip


def by_vintage(labels: Floats, probability: Floats, days: Days) -> list[dict[str, Any]]:
    """n, defaults, predicted, observed and its interval by quarter of the loans' days; by year of a long stretch."""
    months = days.astype("datetime64[M]").astype("int64")
    quarters = months // 3
    yearly = quarters.max() - quarters.min() >= MOST_QUARTERS
    period = months // 12 if yearly else quarters
    rows = []
    for one in np.unique(period):
        inside = period == one
        name = f"{1970 + one}" if yearly else f"{1970 + one // 4}Q{one % 4 + 1}"
        rows.append({"period": name, **_rate(labels[inside], probability[inside])})
    return rows


def moved(then: Floats, now: Floats, names: Sequence[str]) -> list[dict[str, Any]]:
    """PSI of each column (in the order of `names`) between two sets of rows, the most moved first."""
    found = {name: psi(reference(then[:, place]), now[:, place]) for place, name in enumerate(names)}
    return [{"name": name, "psi": found[name], "state": _state(found[name])}
            for name in sorted(found, key=lambda name: (-found[name], name))]  # fmt: skip


def _state(index: float) -> str:
    return "moved" if index >= MOVED else "watch" if index >= WATCH else "stable"


def _rate(labels: Floats, probability: Floats) -> dict[str, Any]:
    """One cell's figures, or only its n where fewer rows than a small cell lie in it."""
    n, bad = len(labels), int(labels.sum())
    if n < evaluate.SMALL_CELL:
        return _withheld(n)
    low, high = jeffreys(bad, n)
    return {"n": n, "events": bad, "predicted": float(probability.mean()), "observed": bad / n,
            "low": low, "high": high}  # fmt: skip


def _withheld(n: int) -> dict[str, Any]:
    return {"n": n, "events": None, "predicted": None, "observed": None, "low": None, "high": None}
