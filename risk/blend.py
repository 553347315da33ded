"""A blend: the weighted mean of trees' and a scorecard's log-odds; what each feature adds is the same mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from risk.scorecard import Scorecard
    from risk.trees import Trees

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Blend:
    """`share` of the trees and the rest of the scorecard, on log-odds, so that contributions stay exact."""

    trees: Trees
    card: Scorecard
    share: float

    kind = "blend"

    def margin(self, matrix: Floats) -> Floats:
        """Log-odds before calibration."""
        return self.share * self.trees.margin(matrix) + (1 - self.share) * self.card.margin(matrix)

    def explained(self, matrix: Floats) -> tuple[Floats, float]:
        """Contributions and the baseline they are counted from; together they are the margin."""
        by_trees, trees_from = self.trees.explained(matrix)
        by_card, card_from = self.card.explained(matrix)
        rest = 1 - self.share
        return self.share * by_trees + rest * by_card, self.share * trees_from + rest * card_from
