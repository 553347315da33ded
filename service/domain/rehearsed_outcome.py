"""What lists may be expected to bring, before and after: grants, amounts, average rate, with intervals; small cells.

A demand's chance of a grant is the sum of P(grant) over its lines, at most 1: it is granted once, and P(grant) has in
it that the firm may choose another bank (`matching.outlook`). Its rate is the mean of its lines' lowest rates, weighted
by P(grant). Days before offer and grant were told apart have the chance of an offer stored, and read high. Intervals
are the middle 95 % of seeded draws; before and after share their draws, so that a difference is not blurred by luck.
They hold chance alone, not the doubt about p itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.terms import Floats, Ints

DRAWS = 400
SEED = np.uint64(20260630)
LEAST_FIRMS = 5
"""A cell of fewer firms is not shown by itself: it is counted in the rest."""
REST = "rest"


@dataclass(frozen=True)
class Expected:
    """One demand in one sharing out: who and where, what it asks, chance of a grant and rate by old and new lines."""

    place: int
    """Its own number, made of demand and sharing out: with it goes its luck, the same in every rehearsal."""
    uscc: str
    district: str
    industry: str
    amount_fen: int
    old_chance: float
    old_rate: float
    new_chance: float
    new_rate: float


def chance_of(p_grant: Sequence[float], rates: Sequence[float]) -> tuple[float, float]:
    """The chance that one of the lines ends in a grant, and the rate to expect; 0, 0 without lines."""
    p, rate = np.asarray(p_grant, np.float64), np.asarray(rates, np.float64)
    whole = float(p.sum())
    return (min(whole, 1.0), float((p * rate).sum() / whole)) if whole > 0 else (0.0, 0.0)


@dataclass(frozen=True)
class Cell:
    """A district, an industry, or all: firms and demands judged, how many lights turned, what may be expected."""

    key: str
    firms: int
    demands: int
    turned: int
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    change: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(vars(self))


def cells_of(
    expected: Sequence[Expected], judged: Sequence[tuple[str, str, bool]], keys_of_expected: Sequence[str]
) -> list[Cell]:
    """One cell for each key, the largest first; those of fewer than LEAST_FIRMS firms together as the last, `rest`.

    `judged`: key, firm and whether the light turned, for each demand. A rest that is itself too small takes the next
    smallest cell in, so that nobody can subtract it from the whole; where all of it is too small nothing is left.
    """
    firms: dict[str, set[str]] = defaultdict(set)
    for key, uscc, _ in judged:
        firms[key].add(uscc)
    for key, one in zip(keys_of_expected, expected, strict=True):
        firms[key].add(one.uscc)
    home = _homes(firms)
    draws = _draw(expected)
    shown = sorted(set(home.values()) - {""}, key=lambda key: (key == REST, -len(_firms_at(firms, home, key)), key))
    found = []
    for key in shown:
        rows = np.array([n for n, one in enumerate(keys_of_expected) if home[one] == key], np.int64)
        mine = [one for one in judged if home[one[0]] == key]
        told = draws.sums(rows)
        turned = sum(turned for _, _, turned in mine)
        found.append(Cell(key, len(_firms_at(firms, home, key)), len(mine), turned, **told))
    return found


def _firms_at(firms: Mapping[str, set[str]], home: Mapping[str, str], key: str) -> set[str]:
    return set().union(*(mine for one, mine in firms.items() if home[one] == key))


def _homes(firms: Mapping[str, set[str]]) -> dict[str, str]:
    """Key → the cell it is shown in: itself, `rest`, or '' where even the rest is too small."""
    small = {key for key, mine in firms.items() if len(mine) < LEAST_FIRMS}
    large = sorted(set(firms) - small, key=lambda key: (len(firms[key]), key))
    while small and large and len(set().union(*(firms[key] for key in small))) < LEAST_FIRMS:
        small.add(large.pop(0))
    rest = REST if len(set().union(*(firms[key] for key in small))) >= LEAST_FIRMS else ""
    return {key: rest if key in small else key for key in firms}


@dataclass(frozen=True)
class _Draws:
    """Chances of n demands beside their money and rates, and for each of DRAWS worlds who is granted."""

    chance: tuple[Floats, Floats]
    rate: tuple[Floats, Floats]
    amount: Ints
    luck: Floats

    def sums(self, rows: Ints) -> dict[str, dict[str, Any]]:
        """Old, new and change: grants, amount and rate, each with its interval."""
        worlds = [self._worlds(side, rows) for side in (0, 1)]
        means = [self._means(side, rows) for side in (0, 1)]
        old, new = (_told(mean, world) for mean, world in zip(means, worlds, strict=True))
        apart = [after - before for before, after in zip(worlds[0], worlds[1], strict=True)]
        change = _told(tuple(after - before for before, after in zip(means[0], means[1], strict=True)), apart)
        return {"old": old, "new": new, "change": change}

    def _means(self, side: int, rows: Ints) -> tuple[float, ...]:
        chance, asked = self.chance[side][rows], self.amount[rows].astype(np.float64)
        granted = float((chance * asked).sum())
        rate = float((chance * asked * self.rate[side][rows]).sum() / granted) if granted > 0 else float("nan")
        return float(chance.sum()), granted, rate

    def _worlds(self, side: int, rows: Ints) -> list[Floats]:
        granted = (self.luck[rows] < self.chance[side][rows][:, None]).astype(np.float64)
        amount = self.amount[rows].astype(np.float64)
        paid = amount @ granted
        interest = (amount * self.rate[side][rows]) @ granted
        with np.errstate(invalid="ignore", divide="ignore"):
            return [granted.sum(axis=0), paid, np.where(paid > 0, interest / paid, np.nan)]


def _draw(expected: Sequence[Expected]) -> _Draws:
    column = {name: np.array([getattr(one, name) for one in expected], np.float64) for name in
              ("old_chance", "new_chance", "old_rate", "new_rate")}  # fmt: skip
    return _Draws(
        (column["old_chance"], column["new_chance"]),
        (column["old_rate"], column["new_rate"]),
        np.array([one.amount_fen for one in expected], np.int64),
        _luck(np.array([one.place for one in expected], np.uint64)),
    )


def _luck(places: NDArray[np.uint64]) -> Floats:
    """For each place DRAWS numbers between 0 and 1: splitmix64 (Steele, Lea, Flood 2014) of place and draw."""
    state = places[:, None] * np.uint64(0x9E3779B97F4A7C15) + np.arange(1, DRAWS + 1, dtype=np.uint64) * SEED
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    luck: Floats = (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return luck


def _told(means: Sequence[float], worlds: Sequence[Floats]) -> dict[str, Any]:
    """Each figure as mean, low, high: grants to a hundredth, money in fen, the rate as text; None where nobody is."""
    grants, amount, rate = (
        [mean, *(np.nanpercentile(world, (2.5, 97.5)).tolist() if not np.isnan(world).all() else (mean, mean))]
        for mean, world in zip(means, worlds, strict=True)
    )
    no_rate = any(np.isnan(one) for one in rate)
    return {
        "grants": [round(one, 2) for one in grants],
        "amount_fen": [round(one) for one in amount],
        "rate": None if no_rate else [f"{one:.6f}" for one in rate],
    }
