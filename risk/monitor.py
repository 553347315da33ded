"""Has the population moved? PSI of inputs and score with its sampling error, and the freshness of their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.records import FRESH_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from risk.model import RiskModel

    Floats = NDArray[np.float64]

WATCH, MOVED = 0.10, 0.25
"""Usual lines of the population stability index (Siddiqi 2006): below 0.10 stable, from 0.25 moved."""

LEAST_SHARE = 1e-4
"""Empty bins count as this much, or as half a row where that is more, so that the index stays finite."""

NOISE = 0.01
"""An index that chance alone reaches more often than this moves nothing, whatever the usual lines say."""

WORSE_BY = 0.05
"""A source that is missing or stale for so many more rows than then has changed, if chance alone would not show it."""

USUAL_FRESH_DAYS = 400
"""A source of which nothing is said is stale after this many days (as in risk.model)."""


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
    chance: float | None = None  # how often chance alone shows such an index; None where the reference tells no size
    noise: float | None = None  # the index that chance alone exceeds in one sample of a hundred

    @property
    def zh(self) -> str:
        """The line as a Chinese sentence."""
        said = {"stable": "稳定", "watch": "需关注", "moved": "已变化"}[self.state]
        beside = "" if self.noise is None else f"，抽样误差线 {self.noise:.3f}"
        return f"{self.name}：PSI {self.psi:.3f}（常用线 {WATCH}、{MOVED}{beside}），{said}。"

    @property
    def en(self) -> str:
        """The line as an English sentence."""
        beside = "" if self.noise is None else f"; chance alone reaches {self.noise:.3f}"
        return f"{self.name}: PSI {self.psi:.3f} (usual lines {WATCH} and {MOVED}{beside}), {self.state}."


@dataclass(frozen=True)
class Freshness:
    """One source: the share of rows for which it is missing or stale, in the training rows and now."""

    item: str
    missing_then: float
    missing_now: float
    stale_then: float
    stale_now: float
    chance: float  # one-sided: of a share of usable rows as low as now's, if nothing had changed
    state: str  # 'as_then' | 'worse'

    @property
    def zh(self) -> str:
        """The line as a Chinese sentence."""
        return (f"来源“{self.item}”：缺失 {self.missing_then:.1%} → {self.missing_now:.1%}，"
                f"过期 {self.stale_then:.1%} → {self.stale_now:.1%}"
                f"{'，比训练时差' if self.state == 'worse' else '，与训练时相当'}。")  # fmt: skip

    @property
    def en(self) -> str:
        """The line as an English sentence."""
        return (f"Source {self.item}: missing {self.missing_then:.1%} → {self.missing_now:.1%},"
                f" stale {self.stale_then:.1%} → {self.stale_now:.1%},"
                f" {'worse than in training' if self.state == 'worse' else 'as in training'}.")  # fmt: skip


def reference(column: Floats, weights: Floats | None = None) -> dict[str, Any]:
    """What the artifact keeps of a column: inner decile edges, shares of their bins, missing share, mean, size.

    The size is the effective one under weights (Kish: (Σ w)² ÷ Σ w²).
    """
    known = ~np.isnan(column)
    seen = column[known]
    edges = np.unique(np.quantile(seen, np.linspace(0.1, 0.9, 9), method="nearest")) if len(seen) else np.array([])
    mean = None if not len(seen) else float(np.average(seen, weights=None if weights is None else weights[known]))
    return {"edges": [float(edge) for edge in edges],
            "shares": [float(share) for share in _shares(column, edges, weights)],
            "mean": mean, "n": _size(column, weights)}  # fmt: skip


def psi(kept: Mapping[str, Any], column: Floats, weights: Floats | None = None) -> float:
    """Population stability index: Σ (now - then)·ln(now ÷ then) over the bins and 'missing'; 0 is no change."""
    size = _size(column, weights)
    then = np.maximum(np.array(kept["shares"]), _least(kept.get("n")))
    now = np.maximum(_shares(column, np.array(kept["edges"]), weights), _least(size))
    return float(np.sum((now - then) * np.log(now / then)))


def chance_of(kept: Mapping[str, Any], column: Floats, weights: Floats | None = None) -> float | None:
    """How often two samples of one population differ by so great an index; None where the reference tells no size.

    PSI ÷ (1/n + 1/m) is about chi-square with one degree of freedom less than there are bins (Yurdakul 2018; the index
    is the symmetric form of the likelihood ratio). Bins empty in both samples do not count.
    """
    from scipy.stats import chi2

    spread = _spread(kept, column, weights)
    return None if spread is None else float(chi2.sf(psi(kept, column, weights) / spread[1], spread[0]))


def noise_line(
    kept: Mapping[str, Any], column: Floats, weights: Floats | None = None, chance: float = NOISE
) -> float | None:
    """The index that two samples of one population of these sizes exceed with this chance; None as in chance_of."""
    from scipy.stats import chi2

    spread = _spread(kept, column, weights)
    return None if spread is None else float(chi2.isf(chance, spread[0]) * spread[1])


def csi(kept: Mapping[str, Any], column: Floats, points: Floats, weights: Floats | None = None) -> float:
    """Characteristic stability: Σ (now - then)·points over the bins and 'missing' (Siddiqi 2006), in those points.

    How far the move of one input has pushed the mean score. `points` holds one value per inner bin and one for missing.
    Raises ValueError where their number differs from the bins.
    """
    then = np.array(kept["shares"])
    if len(points) != len(then):
        raise ValueError(f"There are {len(then)} bins with 'missing', but {len(points)} points.")
    return float(np.sum((_shares(column, np.array(kept["edges"]), weights) - then) * points))


def drift(model: RiskModel, frame: pd.DataFrame, weights: Floats | None = None) -> list[Drift]:
    """The drift table of a features frame against the model's training rows, the most moved first."""
    matrix = model.matrix(frame)
    columns = {one.name: matrix[:, place] for place, one in enumerate(model.inputs)}
    columns["score"] = model.scorer.margin(matrix)
    lines = [moved(name, kept, columns[name], weights) for name, kept in model.reference.items()]
    return sorted(lines, key=lambda line: -line.psi)


def moved(name: str, kept: Mapping[str, Any], column: Floats, weights: Floats | None = None) -> Drift:
    """One line of the drift table: a state other than 'stable' needs the usual line and more than chance."""
    index, chance = psi(kept, column, weights), chance_of(kept, column, weights)
    known = ~np.isnan(column)
    mean = (
        float(np.average(column[known], weights=None if weights is None else weights[known])) if known.any() else None
    )
    state = "moved" if index >= MOVED else "watch" if index >= WATCH else "stable"
    if chance is not None and chance >= NOISE:
        state = "stable"
    missing = float(_shares(column, np.array(kept["edges"]), weights)[-1])
    return Drift(name, index, kept["shares"][-1], missing, kept["mean"], mean, state, chance,
                 noise_line(kept, column, weights))  # fmt: skip


def freshness(frame: pd.DataFrame, fresh_days: Mapping[str, int] | None = None) -> dict[str, dict[str, float]]:
    """Per source the rows and the shares for which it is missing or stale: what to keep of the training rows.

    Reads `as_of` and every column `known_on.<item>` (the day the source speaks until; empty: missing). `fresh_days`
    replaces the days after which an item is stale (risk.records.FRESH_DAYS). Raises ValueError without `as_of`.
    """
    import pandas as pd

    if "as_of" not in frame.columns:
        raise ValueError("Freshness needs the day each row is scored on, in a column as_of.")
    limits = {**FRESH_DAYS, **(fresh_days or {})}
    as_of = pd.to_datetime(frame["as_of"])
    found = {}
    for column in [name for name in frame.columns if str(name).startswith("known_on.")]:
        item = str(column).removeprefix("known_on.")
        age = (as_of - pd.to_datetime(frame[column])).dt.days
        stale = age > limits.get(item, USUAL_FRESH_DAYS)
        found[item] = {"n": float(len(frame)), "missing": float(age.isna().mean()), "stale": float(stale.mean())}
    return found


def freshness_drift(
    kept: Mapping[str, Mapping[str, float]], frame: pd.DataFrame, fresh_days: Mapping[str, int] | None = None
) -> list[Freshness]:
    """The sources now against what `freshness` kept of the training rows, the most worsened first.

    'Worse' needs WORSE_BY more rows missing or stale, and a one-sided test of two shares (pooled z) below NOISE divided
    by the number of sources. A source gone altogether counts as missing for all rows.
    """
    now = freshness(frame, fresh_days)
    lines = [_fresh_line(item, then, now.get(item, {"n": float(len(frame)), "missing": 1.0, "stale": 0.0}), len(kept))
             for item, then in kept.items()]  # fmt: skip
    return sorted(lines, key=lambda line: line.missing_then + line.stale_then - line.missing_now - line.stale_now)


def _fresh_line(item: str, then: Mapping[str, float], now: Mapping[str, float], sources: int) -> Freshness:
    from scipy.stats import norm

    before, after = then["missing"] + then["stale"], now["missing"] + now["stale"]
    both = (before * then["n"] + after * now["n"]) / max(then["n"] + now["n"], 1)
    error = np.sqrt(both * (1 - both) * (1 / max(then["n"], 1) + 1 / max(now["n"], 1)))
    chance = float(norm.sf((after - before) / error)) if error > 0 else 1.0
    state = "worse" if after - before >= WORSE_BY and chance < NOISE / sources else "as_then"
    return Freshness(item, then["missing"], now["missing"], then["stale"], now["stale"], chance, state)


def _spread(kept: Mapping[str, Any], column: Floats, weights: Floats | None) -> tuple[int, float] | None:
    """Degrees of freedom of the index and the unit of its chi-square."""
    size = _size(column, weights)
    if not kept.get("n") or not size:
        return None
    used = (np.array(kept["shares"]) > 0) | (_shares(column, np.array(kept["edges"]), weights) > 0)
    return max(int(used.sum()) - 1, 1), 1 / float(kept["n"]) + 1 / size


def _least(size: float | None) -> float:
    return max(LEAST_SHARE, 0.5 / size) if size else LEAST_SHARE


def _size(column: Floats, weights: Floats | None) -> float:
    if weights is None or not len(column):
        return float(len(column))
    return float(weights.sum() ** 2 / np.sum(weights**2))


def _shares(column: Floats, edges: Floats, weights: Floats | None = None) -> Floats:
    """Share of the rows in each bin, the last one for missing."""
    place = np.where(np.isnan(column), len(edges) + 1, np.searchsorted(edges, column, side="right"))
    count = np.bincount(place, weights, minlength=len(edges) + 2).astype(np.float64)
    shares: Floats = count / max(count.sum(), 1e-300)
    return shares
