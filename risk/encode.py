"""A category told by its past: the default rate of its earlier rows, decayed by age and shrunk to everybody's.

With sums over the rows of one category that lie strictly before a row's period (or in other folds), weights w, outcomes
y, ages a in periods and d = 0.5 ** (a / half-life), the rate is (Σ w·d·y + prior·base) / (Σ w·d + prior), where `base`
is the same quotient over all categories (Micci-Barreca 2001, with decay). It is told as log-odds less the base's, so
that a category keeps its meaning when the level of all defaults moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.scale import log_odds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

LEAST = 1e-3
"""Rates are kept this far from 0 and 1 before their log-odds are taken."""


@dataclass(frozen=True)
class Told:
    """Per row: log-odds of the category's rate less the base's, and the log of one plus the weight behind it."""

    rate: Floats
    volume: Floats


def by_period(
    codes: Places, periods: NDArray[np.int64], labels: Floats, weights: Floats, usable: NDArray[np.bool_],
    *, half_life: float, prior: float,
) -> Told:  # fmt: skip
    """Each row by the usable rows of strictly earlier periods; a category without any is at the base.

    All arrays have one entry per row; `codes` count from 0.
    """
    count = int(codes.max()) + 1 if len(codes) else 0
    seen: Floats = np.zeros(count)
    bad: Floats = np.zeros(count)
    rate, volume = np.zeros(len(codes)), np.zeros(len(codes))
    before: int | None = None
    for period in np.unique(periods):
        if before is not None:
            fade = 0.5 ** ((int(period) - before) / half_life)
            seen, bad = seen * fade, bad * fade
        here = np.flatnonzero(periods == period)
        base = (bad.sum() + 1) / (seen.sum() + 2)
        rate[here] = _relative(seen[codes[here]], bad[codes[here]], base, prior)
        volume[here] = np.log1p(seen[codes[here]])
        learnt = here[usable[here]]
        seen += np.bincount(codes[learnt], weights[learnt], count)
        bad += np.bincount(codes[learnt], weights[learnt] * labels[learnt], count)
        before = int(period)
    return Told(rate, volume)


def by_fold(
    codes: Places, labels: Floats, weights: Floats, fitted: Places, seed: int, *, prior: float, folds: int = 5
) -> Told:
    """Rows of `fitted` each by the other folds of it, all other rows by the whole of `fitted`."""
    from risk.choice import random_folds

    count = int(codes.max()) + 1
    rate, volume = np.zeros(len(codes)), np.zeros(len(codes))

    def tell(learnt: Places, told: Places) -> None:
        seen: Floats = np.bincount(codes[learnt], weights[learnt], count).astype(np.float64)
        bad: Floats = np.bincount(codes[learnt], weights[learnt] * labels[learnt], count).astype(np.float64)
        base = (bad.sum() + 1) / (seen.sum() + 2)
        rate[told] = _relative(seen[codes[told]], bad[codes[told]], base, prior)
        volume[told] = np.log1p(seen[codes[told]])

    others = np.ones(len(codes), dtype=bool)
    others[fitted] = False
    tell(fitted, np.flatnonzero(others))
    for inner, kept in random_folds(labels[fitted], folds, seed):
        tell(fitted[inner], fitted[kept])
    return Told(rate, volume)


def codes_of(columns: list[NDArray[Any]]) -> Places:
    """One code per combination of values; missing is a value."""
    import pandas as pd

    key = pd.MultiIndex.from_arrays([pd.Series(one).astype("string").fillna("") for one in columns])
    codes: Places = key.factorize()[0].astype(np.intp)
    return codes


def _relative(seen: Floats, bad: Floats, base: float, prior: float) -> Floats:
    rate = np.clip((bad + prior * base) / (seen + prior), LEAST, 1 - LEAST)
    relative: Floats = log_odds(rate) - log_odds(np.array([np.clip(base, LEAST, 1 - LEAST)]))[0]
    return relative
