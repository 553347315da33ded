"""Boosted trees: LightGBM held to the promised directions, kept as its own text, explained by its own contributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SMALL: Mapping[str, Any] = {"num_leaves": 4, "learning_rate": 0.1, "min_data_in_leaf": 8, "lambda_l2": 5.0,
                            "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1}  # fmt: skip
LARGE: Mapping[str, Any] = {"num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 40, "lambda_l2": 5.0,
                            "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1}  # fmt: skip
MANY_ROWS = 50_000


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

    def margin(self, matrix: Floats) -> Floats:
        """Log-odds before calibration."""
        threads = 2 if len(matrix) > MANY_ROWS else 1
        margin: Floats = self._booster.predict(matrix, raw_score=True, num_threads=threads)
        return margin

    def explained(self, matrix: Floats) -> tuple[Floats, float]:
        """Contributions (TreeSHAP, LightGBM's own) and the baseline they are counted from."""
        found: Floats = self._booster.predict(matrix, pred_contrib=True, num_threads=1 if len(matrix) < 8 else 2)
        return found[:, :-1], float(found[0, -1]) if len(found) else 0.0


def fit(
    matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], settings: Mapping[str, Any],
    rounds: int, seed: int,
) -> Trees:  # fmt: skip
    """Grow `rounds` trees; the same rows and seed give the same text on one machine and version."""
    import lightgbm

    fixed = {"objective": "binary", "seed": seed, "deterministic": True, "force_row_wise": True, "verbosity": -1,
             "num_threads": 2 if len(matrix) > MANY_ROWS else 1, "monotone_constraints": list(directions),
             "monotone_constraints_method": "basic"}  # fmt: skip
    data = lightgbm.Dataset(matrix, labels, feature_name=list(names), free_raw_data=True)
    booster = lightgbm.train({**fixed, **settings}, data, num_boost_round=rounds)
    return Trees(tuple(names), booster.model_to_string(num_iteration=-1))


def staged(trees: Trees, matrix: Floats, steps: Sequence[int]) -> list[Floats]:
    """Log-odds after each number of rounds in `steps`, from one growth of the longest."""
    return [trees._booster.predict(matrix, raw_score=True, num_iteration=step, num_threads=1) for step in steps]  # noqa: SLF001
