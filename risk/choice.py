"""Which kind of model: tried on rows it has not seen, inside the training rows only; chosen by loss, never by name."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import scorecard, trees

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from risk.scorecard import Scorecard
    from risk.trees import Trees

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    Folds = Sequence[tuple[Places, Places]]

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0)
FEW_STEPS, MANY_STEPS = (20, 40, 70, 100), (60, 120, 200, 300, 400)
FEW_ROWS = 2_000
"""Below this only small trees are tried: large ones could not fill their leaves."""


@dataclass(frozen=True)
class Candidate:
    """One way to make a model: a scorecard with a ridge, or trees with settings and a number of rounds."""

    kind: str
    ridge: float = 0.0
    rounds: int = 0
    small: bool = True

    @property
    def told(self) -> dict[str, Any]:
        """For the card."""
        if self.kind == "scorecard":
            return {"kind": self.kind, "ridge": self.ridge}
        return {"kind": self.kind, "rounds": self.rounds, "settings": dict(_settings(self))}


def _settings(candidate: Candidate) -> Mapping[str, Any]:
    return trees.SMALL if candidate.small else trees.LARGE


def fit(
    candidate: Candidate, matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], seed: int
) -> Scorecard | Trees:
    """Make the candidate's model of these rows."""
    if candidate.kind == "scorecard":
        return scorecard.fit(matrix, labels, names, directions, candidate.ridge)
    return trees.fit(matrix, labels, names, directions, _settings(candidate), candidate.rounds, seed)


def tried(
    matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], folds: Folds, seed: int
) -> dict[Candidate, Floats]:
    """Log-loss of every candidate on every row the folds left unseen, fold after fold."""
    losses: dict[Candidate, list[Floats]] = {}
    for fitted, kept in folds:
        for candidate, margin in _margins(matrix, labels, names, directions, fitted, kept, seed).items():
            losses.setdefault(candidate, []).append(np.logaddexp(0, margin) - labels[kept] * margin)
    return {candidate: np.concatenate(parts) for candidate, parts in losses.items()}


def _margins(
    matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], fitted: Places, kept: Places,
    seed: int,
) -> dict[Candidate, Floats]:  # fmt: skip
    """Every candidate's log-odds on one fold's unseen rows; trees of several lengths from one growth."""
    rows, outcomes, unseen = matrix[fitted], labels[fitted], matrix[kept]
    cards = scorecard.fit_each(rows, outcomes, names, directions, RIDGES)
    margins = {
        Candidate("scorecard", ridge=ridge): card.margin(unseen) for ridge, card in zip(RIDGES, cards, strict=True)
    }
    for small, steps in ((True, FEW_STEPS), (False, MANY_STEPS)):
        if small or len(fitted) >= FEW_ROWS:
            longest = Candidate("trees", rounds=max(steps), small=small)
            grown = trees.fit(rows, outcomes, names, directions, _settings(longest), longest.rounds, seed)
            for step, margin in zip(steps, trees.staged(grown, unseen, steps), strict=True):
                margins[Candidate("trees", rounds=step, small=small)] = margin
    return margins


def best(losses: Mapping[Candidate, Floats]) -> Candidate:
    """The simplest candidate that is as good as the best.

    Trees are taken only where they beat the best scorecard by more than one standard error of the paired difference
    (the one-standard-error rule of Breiman et al. 1984): with few rows, a lucky fold is no evidence.
    """
    least = {kind: min((one for one in losses if one.kind == kind), key=lambda one: float(losses[one].mean()))
             for kind in ("scorecard", "trees")}  # fmt: skip
    ahead = losses[least["scorecard"]] - losses[least["trees"]]
    return least["trees"] if ahead.mean() > ahead.std() / np.sqrt(len(ahead)) else least["scorecard"]


def random_folds(labels: Floats, count: int, seed: int) -> Folds:
    """Stratified folds without regard to time, for rows without dates."""
    from sklearn.model_selection import StratifiedKFold

    cut = StratifiedKFold(count, shuffle=True, random_state=seed)
    return [(fitted, kept) for fitted, kept in cut.split(labels.reshape(-1, 1), labels)]


def forward_folds(days: NDArray[np.datetime64], labels: Floats, count: int = 3) -> Folds:
    """Expanding windows in time: fitted on earlier days, tried on the next stretch; days are never split."""
    lines = np.quantile(days.astype("int64"), np.linspace(0.4, 1, count + 1), method="nearest")
    whole = days.astype("int64")
    folds = [
        (np.flatnonzero(whole <= start), np.flatnonzero((whole > start) & (whole <= end)))
        for start, end in pairwise(lines)
    ]
    return [(fitted, kept) for fitted, kept in folds if len(kept) and 0 < labels[fitted].sum() < len(fitted)]


def cross_validated(
    matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], *, repeats: int, seed: int
) -> tuple[list[Floats], list[Candidate]]:
    """Nested, repeated, stratified five-fold cross-validation: out-of-fold log-odds per repeat, and what was chosen.

    The choice of candidate is made anew inside each training part, so no row has a word in how it is estimated.
    """
    margins, chosen = [], []
    for repeat in range(repeats):
        margin = np.zeros(len(labels))
        for fitted, kept in random_folds(labels, 5, seed + repeat):
            inner = random_folds(labels[fitted], 5, seed + repeat)
            pick = best(tried(matrix[fitted], labels[fitted], names, directions, inner, seed))
            made = fit(pick, matrix[fitted], labels[fitted], names, directions, seed)
            margin[kept] = made.margin(matrix[kept])
            chosen.append(pick)
        margins.append(margin)
    return margins, chosen
