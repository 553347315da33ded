"""Has the population moved? PSI of inputs and score against the training rows, as a first table of drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from risk.model import RiskModel

    Floats = NDArray[np.float64]

WATCH, MOVED = 0.10, 0.25
"""Usual lines of the population stability index (Siddiqi 2006): below 0.10 stable, from 0.25 moved."""

LEAST_SHARE = 1e-4
"""Empty bins count as this much, so that the index stays finite."""


@dataclass(frozen=True)
class Drift:
    """One line of the drift table: an input, or 'score' for the model's log-odds."""

    name: str
    psi: float
    missing_then: float
    missing_now: float
    mean_then: float | None
    mean_now: float | None
    state: str  # 'stable' | 'watch' | 'moved'


def reference(column: Floats) -> dict[str, Any]:
    """What the artifact keeps of a column: inner decile edges, shares of their bins, missing share, mean."""
    seen = column[~np.isnan(column)]
    edges = np.unique(np.quantile(seen, np.linspace(0.1, 0.9, 9), method="nearest")) if len(seen) else np.array([])
    return {"edges": [float(edge) for edge in edges], "shares": [float(share) for share in _shares(column, edges)],
            "mean": float(seen.mean()) if len(seen) else None}  # fmt: skip


def psi(kept: Mapping[str, Any], column: Floats) -> float:
    """Population stability index: Σ (now - then)·ln(now ÷ then) over the bins and 'missing'; 0 is no change."""
    then = np.maximum(np.array(kept["shares"]), LEAST_SHARE)
    now = np.maximum(_shares(column, np.array(kept["edges"])), LEAST_SHARE)
    return float(np.sum((now - then) * np.log(now / then)))


def drift(model: RiskModel, frame: pd.DataFrame) -> list[Drift]:
    """The drift table of a features frame against the model's training rows, the most moved first."""
    matrix = model.matrix(frame)
    columns = {one.name: matrix[:, place] for place, one in enumerate(model.inputs)}
    columns["score"] = model.scorer.margin(matrix)
    lines = [_line(name, kept, columns[name]) for name, kept in model.reference.items()]
    return sorted(lines, key=lambda line: -line.psi)


def _line(name: str, kept: Mapping[str, Any], column: Floats) -> Drift:
    index = psi(kept, column)
    seen = column[~np.isnan(column)]
    state = "moved" if index >= MOVED else "watch" if index >= WATCH else "stable"
    return Drift(name, index, kept["shares"][-1], 1 - len(seen) / max(len(column), 1), kept["mean"],
                 float(seen.mean()) if len(seen) else None, state)  # fmt: skip


def _shares(column: Floats, edges: Floats) -> Floats:
    """Share of the rows in each bin, the last one for missing."""
    seen = column[~np.isnan(column)]
    count = np.bincount(np.searchsorted(edges, seen, side="right"), minlength=len(edges) + 1)
    return np.append(count, len(column) - len(seen)) / max(len(column), 1)
