"""Columns of many kinds for models that only know numbers: one flag per kind, and contributions summed back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from risk.scorecard import Scorecard

    Floats = NDArray[np.float64]

LEAST = 20
"""A kind of fewer training rows gets no flag of its own."""


@dataclass(frozen=True)
class Spread:
    """Which columns are codes of kinds, and the kinds that get a flag."""

    columns: int
    kinds: tuple[tuple[int, tuple[float, ...]], ...]

    @classmethod
    def of(cls, matrix: Floats, places: Sequence[int]) -> Self:
        """From training rows: the columns at `places` hold codes."""
        told = []
        for place in places:
            codes, count = np.unique(matrix[:, place], return_counts=True)
            told.append((place, tuple(float(code) for code in codes[count >= LEAST])))
        return cls(matrix.shape[1], tuple(told))

    @property
    def _plain(self) -> list[int]:
        coded = {place for place, _ in self.kinds}
        return [place for place in range(self.columns) if place not in coded]

    def __call__(self, matrix: Floats) -> Floats:
        """Rows × (plain columns, then the flags)."""
        flags = [matrix[:, place] == code for place, codes in self.kinds for code in codes]
        spread: Floats = np.column_stack([matrix[:, self._plain], *(flag.astype(np.float64) for flag in flags)])
        return spread

    def each(self, values: Sequence[int | str], blank: int | str) -> list[int | str]:
        """One value per spread column: the plain columns' own, `blank` for every flag."""
        return [*(values[place] for place in self._plain), *(blank for _, codes in self.kinds for _ in codes)]

    def folded(self, contributions: Floats) -> Floats:
        """Contributions of the spread columns, summed back to the columns they came from."""
        whole = np.zeros((len(contributions), self.columns))
        plain = self._plain
        whole[:, plain] = contributions[:, : len(plain)]
        start = len(plain)
        for place, codes in self.kinds:
            whole[:, place] = contributions[:, start : start + len(codes)].sum(axis=1)
            start += len(codes)
        return whole


@dataclass(frozen=True)
class SpreadCard:
    """A scorecard on spread columns; to the outside it has the columns that were spread."""

    spread: Spread
    card: Scorecard

    kind = "scorecard"

    def margin(self, matrix: Floats) -> Floats:
        """Log-odds before calibration."""
        return self.card.margin(self.spread(matrix))

    def explained(self, matrix: Floats) -> tuple[Floats, float]:
        """Contributions and the baseline they are counted from."""
        found, start = self.card.explained(self.spread(matrix))
        return self.spread.folded(found), start
