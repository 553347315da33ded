"""Boosted trees: LightGBM held to the promised directions, kept as its own text, explained by its own contributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from risk.fast import Forest

    Floats = NDArray[np.float64]

MANY_ROWS = 50_000
FAST_FROM = 500
"""From so many rows on, reading the trees into risk.fast's table is worth it."""


@dataclass(frozen=True)
class Trees:
    """A LightGBM model as text; its log-odds are the raw score."""

    names: tuple[str, ...]
    text: str = field(repr=False)

    kind = "trees"

    @cached_property
    def _booster(self) -> Any:
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    @cached_property
    def _forest(self) -> Forest | None:
        from risk import fast

        return fast.read(self.text)

    def margin(self, matrix: Floats) -> Floats:
        """Log-odds before calibration: LightGBM's own for a few rows, risk.fast's for more; they are the same sums."""
        threads = 2 if len(matrix) > MANY_ROWS else 1
        if len(matrix) >= FAST_FROM and self._forest is not None:
            return self._forest.margin(matrix, threads)
        margin: Floats = self._booster.predict(matrix, raw_score=True, num_threads=threads)
        return margin

    def explained(self, matrix: Floats) -> tuple[Floats, float]:
        """Contributions (TreeSHAP, LightGBM's own) and the baseline they are counted from."""
        found: Floats = self._booster.predict(matrix, pred_contrib=True, num_threads=1 if len(matrix) < 8 else 2)
        return found[:, :-1], float(found[0, -1]) if len(found) else 0.0
