"""How right chances and their intervals were: by what banks answered, and by what the city keeps hidden."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import betabinom

from matching.appetite import Chance, Traits
from matching.outlook import Outlook

Array = np.ndarray[Any, Any]
EVERY = 20
"""Days between two mornings on which all is written down; the answers until the next are held against it."""
TAILS = (0.05, 0.95)
BINS = 3
FEWEST_ANSWERS, FEWEST_LIKE = 5, 5


@dataclass(frozen=True)
class Told:
    """What was thought of the banks on a morning: of each as a whole, and of cells it had answers of."""

    day: int
    whole: tuple[Chance, ...]
    cells: tuple[tuple[int, str, Chance], ...]


def write_down(day: int, outlook: Outlook, kinds: list[str]) -> Told:
    """All chances of a morning."""
    cells = []
    for place in outlook.appetite.counts:
        if place.startswith("all/b:") and place.count("/") > 1:
            bank, cell = place.removeprefix("all/b:").split("/")
            section, size, light = cell.split("|")
            traits = Traits(section, size, light, "", "", "")
            cells.append((int(bank), cell, outlook.of_line(int(bank), kinds[int(bank)], traits).offer))
    return Told(day, tuple(outlook.of_bank(bank, kind).offer for bank, kind in enumerate(kinds)), tuple(cells))


def error_by_bank(p: Array, offered: Array, bank: Array) -> float:
    """Expected calibration error, points: each bank's lines in BINS of rising chance, chance against offers."""
    off = 0.0
    for one in np.unique(bank):
        rows = np.flatnonzero(bank == one)
        for part in np.array_split(rows[np.argsort(p[rows], kind="stable")], BINS):
            off += abs(float((p[part] - offered[part]).sum()))
    return 100 * off / max(len(p), 1)


def cover_banks(told: list[Told], answered_on: Array, offered: Array) -> dict[str, float]:
    """How often a bank's share of offers until the next morning lay in the 90 % interval, and how wide those were.

    The number of offers has a Beta-binomial; half of what is as likely as what came counts to either side.
    """
    inside, width = [], []
    for one in told:
        now = (answered_on >= one.day) & (answered_on < one.day + EVERY)
        for bank, chance in enumerate(one.whole):
            n, k = int(now[:, bank].sum()), int((now & offered)[:, bank].sum())
            if n >= FEWEST_ANSWERS and chance.answers >= FEWEST_ANSWERS:
                shape = n, chance.p * chance.weight, (1 - chance.p) * chance.weight
                place = betabinom.cdf(k, *shape) - betabinom.pmf(k, *shape) / 2
                inside.append(TAILS[0] < place < TAILS[1])
                width.append(chance.high - chance.low)
    return {"cover_banks": float(np.mean(inside)), "width_banks": float(np.mean(width))} if inside else {}


def cover_cells(told: list[Told], city: Any, silent: Array) -> dict[str, float]:
    """How often the hidden share of offers among a cell's demands lay in the 90 % interval, and how wide those were.

    The hidden share: the mean over all demands of the cell that fit the bank, health and mood known, silence taken off.
    """
    words = (city.traits[name] for name in ("section", "size", "light"))
    cells, of = np.unique(["|".join(one) for one in zip(*words, strict=True)], return_inverse=True)
    fits = city.fits[:, ::2] | city.fits[:, 1::2]
    like = np.stack([np.bincount(of, fits[:, bank], len(cells)) for bank in range(fits.shape[1])], axis=1)
    inside, width = [], []
    for one in told:
        would = fits * expit(city.open_to + city.mood[one.day])
        sums = np.stack([np.bincount(of, would[:, bank], len(cells)) for bank in range(fits.shape[1])], axis=1)
        for bank, cell, chance in one.cells:
            at = int(np.searchsorted(cells, cell))
            if like[at, bank] >= FEWEST_LIKE:
                truth = sums[at, bank] / like[at, bank] * (1 - silent[bank])
                inside.append(chance.low <= truth <= chance.high)
                width.append(chance.high - chance.low)
    return {"cover_cells": float(np.mean(inside)), "width_cells": float(np.mean(width))} if inside else {}
