"""Which kind of model: tried on rows it has not seen, inside the training rows only; chosen by loss, never by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import calibration, grow, scorecard
from risk.blend import Blend
from risk.spread import Spread, SpreadCard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from risk.grow import Growth
    from risk.model import Scorer

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    Folds = Sequence[tuple[Places, Places]]


@dataclass(frozen=True)
class Menu:
    """What is tried: scorecards by ridge, ways to grow trees, and shares of the trees in a blend with the scorecard."""

    ridges: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)
    growths: tuple[Growth, ...] = (grow.SMALL, grow.LARGE)
    shares: tuple[float, ...] = (0.5,)


MENU = Menu()


@dataclass(frozen=True)
class Rows:
    """Rows to learn from: matrix (rows × features, NaN: unknown), labels, names, directions, weights (or None)."""

    matrix: Floats
    labels: Floats
    names: Sequence[str]
    directions: Sequence[int]
    weights: Floats | None = None
    kinds: tuple[int, ...] = ()  # places of columns that hold codes of many kinds
    fair: Floats | None = None  # weights that calibrate, where they are not those that teach

    def at(self, places: Places) -> Rows:
        """Some of the rows."""
        heavy, fair = (None if one is None else one[places] for one in (self.weights, self.fair))
        return replace(self, matrix=self.matrix[places], labels=self.labels[places], weights=heavy, fair=fair)

    def cards(self, ridges: Sequence[float]) -> list[Scorer]:
        """A scorecard of these rows for each ridge."""
        if not self.kinds:
            return list(scorecard.fit_each(self.matrix, self.labels, self.names, self.directions, ridges, self.weights))
        spread = Spread.of(self.matrix, self.kinds)
        ready = spread(self.matrix)
        names = [str(name) for name in spread.each(self.names, "")]
        ways = [int(way) for way in spread.each(self.directions, 0)]
        cards = scorecard.fit_each(ready, self.labels, names, ways, ridges, self.weights)
        return [SpreadCard(spread, card) for card in cards]


@dataclass(frozen=True)
class Candidate:
    """One way to make a model: a scorecard with a ridge, trees of a growth and length, or a blend of the two."""

    kind: str
    ridge: float = 0.0
    rounds: int = 0
    growth: Growth | None = None
    share: float = 0.0

    @property
    def told(self) -> dict[str, Any]:
        """For the card."""
        card = {"ridge": self.ridge} if self.kind != "trees" else {}
        if self.growth is None:
            return {"kind": self.kind, **card}
        grown = {"rounds": self.rounds, "bag": self.growth.bag, "settings": dict(self.growth.settings)}
        return {"kind": self.kind, **card, **grown, **({"share": self.share} if self.kind == "blend" else {})}


@dataclass(frozen=True)
class Tried:
    """Every candidate's log-odds on every row the folds left unseen, fold after fold (`places`: which rows)."""

    places: Places
    folds: Places
    labels: Floats
    weights: Floats | None
    fair: Floats | None
    margins: Mapping[Candidate, Floats]

    def loss(self, candidate: Candidate) -> Floats:
        """Log-loss row by row, weighted to a mean weight of one.

        Each candidate is first put on its own Platt line, because every model is calibrated before it is used: what
        counts is how well it tells firms apart, not the level of the years it was fitted on.
        """
        line = calibration.platt(self.margins[candidate], self.labels, self.weights)
        odds = line.knots[0] * self.margins[candidate] + line.knots[1]
        lost = np.logaddexp(0, odds) - self.labels * odds
        return lost if self.weights is None else lost * self.weights / self.weights.mean()

    @cached_property
    def losses(self) -> dict[Candidate, Floats]:
        """Log-loss of every candidate."""
        return {candidate: self.loss(candidate) for candidate in self.margins}


def fit(candidate: Candidate, rows: Rows, seed: int) -> Scorer:
    """Make the candidate's model of these rows."""

    def card() -> Any:
        return rows.cards((candidate.ridge,))[0]

    def trees() -> Any:
        assert candidate.growth is not None
        return grow.fit(candidate.growth, rows.matrix, rows.labels, rows.names, rows.directions,
                        rounds=candidate.rounds, seed=seed, weights=rows.weights, kinds=rows.kinds)  # fmt: skip

    if candidate.kind == "blend":
        return Blend(trees(), card(), candidate.share)
    made: Scorer = card() if candidate.kind == "scorecard" else trees()
    return made


def out_of_fold(candidate: Candidate, rows: Rows, folds: Folds, seed: int) -> Floats:
    """Log-odds of every row by the candidate's model of the other folds, one seed each."""
    lean = candidate if candidate.growth is None else replace(candidate, growth=replace(candidate.growth, bag=1))
    margin = np.zeros(len(rows.labels))
    for fitted, kept in folds:
        margin[kept] = fit(lean, rows.at(fitted), seed).margin(rows.matrix[kept])
    return margin


def tried(rows: Rows, folds: Folds, seed: int, menu: Menu | None = None) -> Tried:
    """Every candidate of the menu on every row the folds left unseen; blends are of the best of each kind."""
    menu = menu or MENU
    parts: dict[Candidate, list[Floats]] = {}
    for fitted, kept in folds:
        for candidate, margin in _margins(rows.at(fitted), rows.matrix[kept], seed, menu):
            parts.setdefault(candidate, []).append(margin)
    places = np.concatenate([kept for _, kept in folds])
    number = np.concatenate([np.full(len(kept), place) for place, (_, kept) in enumerate(folds)])
    whole = {one: np.concatenate(margins) for one, margins in parts.items() if len(margins) == len(folds)}
    seen = rows.at(places)
    fair = seen.weights if seen.fair is None else seen.fair
    plain = Tried(places, number, seen.labels, seen.weights, fair, whole)
    return replace(plain, margins={**whole, **dict(_blends(plain, menu))})


def _margins(rows: Rows, unseen: Floats, seed: int, menu: Menu) -> Iterator[tuple[Candidate, Floats]]:
    """Every plain candidate's log-odds on one fold's unseen rows; trees of several lengths from one growth."""
    for ridge, card in zip(menu.ridges, rows.cards(menu.ridges), strict=True):
        yield Candidate("scorecard", ridge=ridge), card.margin(unseen)
    for growth in menu.growths:
        if len(rows.labels) < growth.least_rows:
            continue
        grown = grow.fit(growth, rows.matrix, rows.labels, rows.names, rows.directions,
                         rounds=max(growth.steps), seed=seed, weights=rows.weights, kinds=rows.kinds,
                         bag=1)  # fmt: skip
        for step, margin in zip(growth.steps, grow.staged(grown, unseen, growth.steps), strict=True):
            yield Candidate("trees", rounds=step, growth=growth), margin


def _blends(plain: Tried, menu: Menu) -> Iterator[tuple[Candidate, Floats]]:
    """The best trees with the best scorecard, in each share."""
    least = _least(plain.losses)
    if len(least) < 2:
        return
    card, trees = least["scorecard"], least["trees"]
    for share in menu.shares:
        margin = share * plain.margins[trees] + (1 - share) * plain.margins[card]
        yield Candidate("blend", card.ridge, trees.rounds, trees.growth, share), margin


def _least(losses: Mapping[Candidate, Floats]) -> dict[str, Candidate]:
    """The best candidate of each kind."""
    kinds = dict.fromkeys(one.kind for one in losses)
    return {kind: min((one for one in losses if one.kind == kind), key=lambda one: float(losses[one].mean()))
            for kind in kinds}  # fmt: skip


def best(losses: Mapping[Candidate, Floats]) -> Candidate:
    """The simplest candidate that is as good as the best.

    Trees, alone or blended with a scorecard, are taken only where they beat the best scorecard by more than one
    standard error of the paired difference (the one-standard-error rule of Breiman et al. 1984): with few rows, a lucky
    fold is no evidence.
    """
    least = _least(losses)
    rivals = [candidate for kind, candidate in least.items() if kind != "scorecard"]
    if not rivals or "scorecard" not in least:
        return (rivals or [least["scorecard"]])[0]
    rival = min(rivals, key=lambda one: float(losses[one].mean()))
    ahead = losses[least["scorecard"]] - losses[rival]
    return rival if ahead.mean() > ahead.std() / np.sqrt(len(ahead)) else least["scorecard"]


def random_folds(labels: Floats, count: int, seed: int, groups: NDArray[Any] | None = None) -> Folds:
    """Stratified folds without regard to time, for rows without dates; rows of one group stay together."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    nothing = labels.reshape(-1, 1)
    if groups is not None and len(np.unique(groups)) < len(groups):
        return list(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(nothing, labels, groups))
    return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(nothing, labels))


def forward_folds(days: NDArray[Any], labels: Floats, count: int = 3) -> Folds:
    """Expanding windows in time: fitted on earlier days, tried on the next stretch; days are never split."""
    whole = days.astype("int64")
    lines = np.quantile(whole, np.linspace(0.4, 1, count + 1), method="nearest")
    folds = [
        (np.flatnonzero(whole <= start), np.flatnonzero((whole > start) & (whole <= end)))
        for start, end in pairwise(lines)
    ]
    return [(fitted, kept) for fitted, kept in folds if len(kept) and 0 < labels[fitted].sum() < len(fitted)]


def cross_validated(
    rows: Rows, *, repeats: int, seed: int, menu: Menu | None = None
) -> tuple[list[Floats], list[Candidate]]:
    """Nested, repeated, stratified five-fold cross-validation: out-of-fold log-odds per repeat, and what was chosen.

    The choice of candidate is made anew inside each training part, so no row has a word in how it is estimated.
    """
    margins, chosen = [], []
    for repeat in range(repeats):
        margin = np.zeros(len(rows.labels))
        for fitted, kept in random_folds(rows.labels, 5, seed + repeat):
            part = rows.at(fitted)
            pick = best(tried(part, random_folds(part.labels, 5, seed + repeat), seed, menu).losses)
            margin[kept] = fit(pick, part, seed).margin(rows.matrix[kept])
            chosen.append(pick)
        margins.append(margin)
    return margins, chosen
