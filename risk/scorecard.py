"""A scorecard: a regularised logistic model on quantile-normal features, its signs held to the promised directions."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KNOTS = 21
RARE = 0.005
"""A missing share below this, or above one less it, tells nothing that could be fitted."""


@dataclass(frozen=True)
class Curve:
    """One feature's way to log-odds: piecewise linear in its quantiles, with a value of its own for missing."""

    values: tuple[float, ...]
    points: tuple[float, ...]
    missing: float

    def __call__(self, column: Floats) -> Floats:
        """Log-odds contributed, for each value; flat outside the values seen in training."""
        unknown = np.isnan(column)
        seen = (
            np.interp(np.where(unknown, 0, column), self.values, self.points) if self.values else np.zeros(len(column))
        )
        return np.where(unknown, self.missing, seen)


@dataclass(frozen=True)
class Scorecard:
    """Log-odds = baseline + the sum of one curve per feature; contributions are exact by construction."""

    names: tuple[str, ...]
    baseline: float
    curves: tuple[Curve, ...]

    kind = "scorecard"

    def contributions(self, matrix: Floats) -> Floats:
        """Rows × features: what each feature adds to the log-odds."""
        return np.column_stack([curve(matrix[:, place]) for place, curve in enumerate(self.curves)])

    def margin(self, matrix: Floats) -> Floats:
        """Log-odds before calibration."""
        margin: Floats = self.baseline + self.contributions(matrix).sum(axis=1)
        return margin

    def explained(self, matrix: Floats) -> tuple[Floats, float]:
        """Contributions and the baseline they are counted from."""
        return self.contributions(matrix), self.baseline

    def to_json(self) -> dict[str, Any]:
        """Plain values for scorecard.json; the curves are a list, because their order is the inputs' order."""
        curves = [{"name": name, "values": curve.values, "points": curve.points, "missing": curve.missing}
                  for name, curve in zip(self.names, self.curves, strict=True)]  # fmt: skip
        return {"kind": self.kind, "baseline": self.baseline, "curves": curves}

    @classmethod
    def from_json(cls, told: dict[str, Any], names: tuple[str, ...]) -> Self:
        """Read what to_json wrote; raises ValueError where its inputs are not these, in this order."""
        if tuple(curve["name"] for curve in told["curves"]) != names:
            raise ValueError("the scorecard's inputs are not those of features.json")
        curves = tuple(Curve(tuple(one["values"]), tuple(one["points"]), one["missing"]) for one in told["curves"])
        return cls(names, told["baseline"], curves)


def fit(
    matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], ridge: float,
    weights: Floats | None = None,
) -> Scorecard:  # fmt: skip
    """Fit by penalised maximum likelihood.

    Each feature becomes its normal score (quantile-normal, centred), missing an indicator of its own; the ridge penalty
    is per observation; coefficients of a promised direction are bounded at zero on the wrong side (L-BFGS-B).
    `weights`: per row, only their ratios count.
    """
    return fit_each(matrix, labels, names, directions, (ridge,), weights)[0]


def fit_each(
    matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], ridges: Sequence[float],
    weights: Floats | None = None,
) -> list[Scorecard]:  # fmt: skip
    """One scorecard per ridge, from one preparation of the rows; on one thread, so that sums keep their order."""
    from threadpoolctl import threadpool_limits

    shapes = [_shape(column) for column in matrix.T]
    design = np.column_stack(
        [part for shape, column in zip(shapes, matrix.T, strict=True) for part in _parts(shape, column)]
    )
    centre = design.mean(axis=0)
    ready = np.column_stack([np.ones(len(design)), design - centre])
    bounds = [(None, None), *(bound for way in directions for bound in (_bound(way), (None, None)))]
    heavy = np.ones(len(labels)) if weights is None else weights / weights.mean()
    with threadpool_limits(1):
        fitted = [_minimise(ready, labels, heavy, ridge, bounds) for ridge in ridges]
    return [Scorecard(tuple(names), float(found[0]), _curves(shapes, found[1:], centre)) for found in fitted]


def _curves(shapes: Sequence[Shape], weights: Floats, centre: Floats) -> tuple[Curve, ...]:
    """Each feature's curve, counted from the average training row."""
    curves = []
    for place, (values, normal, usual) in enumerate(shapes):
        slope, absent = weights[2 * place], weights[2 * place + 1]
        shift = slope * centre[2 * place] + absent * centre[2 * place + 1]
        points = tuple(float(point) for point in slope * np.asarray(normal) - shift)
        curves.append(Curve(values, points, float(absent - shift) if usual else 0.0))
    return tuple(curves)


Shape = tuple[tuple[float, ...], tuple[float, ...], bool]


def _shape(column: Floats) -> Shape:
    """Knots, their normal scores, and whether missing is common enough to be fitted."""
    seen = np.sort(column[~np.isnan(column)])
    absent = 1 - len(seen) / max(len(column), 1)
    usual = RARE < absent < 1 - RARE
    if len(seen) == 0 or seen[0] == seen[-1]:
        return (), (), usual
    values = np.unique(np.quantile(seen, np.linspace(0, 1, KNOTS), method="nearest"))
    ranks = (np.searchsorted(seen, values, "left") + np.searchsorted(seen, values, "right")) / 2 / len(seen)
    edge = 0.5 / len(seen)
    normal = [NormalDist().inv_cdf(rank) for rank in np.clip(ranks, edge, 1 - edge)]
    return tuple(float(value) for value in values), tuple(normal), usual


def _parts(shape: Shape, column: Floats) -> tuple[Floats, Floats]:
    """The two design columns of one feature: normal score (0 where missing) and missing indicator."""
    values, normal, usual = shape
    unknown = np.isnan(column)
    scored = np.interp(np.where(unknown, 0, column), values, normal) if values else np.zeros(len(column))
    return np.where(unknown, 0, scored), (unknown & usual).astype(np.float64)


def _bound(way: int) -> tuple[float | None, float | None]:
    """Bounds of a coefficient whose feature has a promised direction."""
    return (0.0 if way > 0 else None, 0.0 if way < 0 else None)


def _minimise(
    design: Floats, labels: Floats, heavy: Floats, ridge: float, bounds: Sequence[tuple[float | None, float | None]]
) -> Floats:
    """Weights of least penalised log-loss; the intercept is not penalised, `heavy` says how much each row counts."""
    from scipy.optimize import minimize

    rows = len(design)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = design @ weights
        value = np.mean(heavy * (np.logaddexp(0, margin) - labels * margin)) + ridge / 2 * np.sum(weights[1:] ** 2)
        slope = design.T @ (heavy * (1 / (1 + np.exp(-np.clip(margin, -700, 700))) - labels)) / rows
        slope[1:] += ridge * weights[1:]
        return float(value), slope

    share = np.clip(np.mean(heavy * labels), 1 / (rows + 2), 1 - 1 / (rows + 2))
    start = np.zeros(design.shape[1])
    start[0] = np.log(share / (1 - share))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-11})
    weights: Floats = found.x
    return weights
