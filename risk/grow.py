"""Growing boosted trees: ways to grow, promised directions, sample weights, a bag of seeds written as one model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from risk.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Growth:
    """A way to grow trees: LightGBM's settings, numbers of rounds to try, how many seeds, from how many rows on."""

    name: str
    settings: tuple[tuple[str, Any], ...]
    steps: tuple[int, ...]
    bag: int = 1
    least_rows: int = 0

    @classmethod
    def of(
        cls, name: str, settings: Mapping[str, Any], steps: Sequence[int], bag: int = 1, least_rows: int = 0
    ) -> Growth:
        """From plain values, as a data set's spec holds them."""
        return cls(name, tuple(sorted(settings.items())), tuple(steps), bag, least_rows)


SMALL = Growth.of(
    "small",
    {"num_leaves": 4, "learning_rate": 0.1, "min_data_in_leaf": 8, "lambda_l2": 5.0,
     "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1},
    (20, 40, 70, 100),
)  # fmt: skip
LARGE = Growth.of(
    "large",
    {"num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 40, "lambda_l2": 5.0,
     "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1},
    (60, 120, 200, 300, 400), least_rows=2_000,
)  # fmt: skip
"""Below so many rows large trees are not tried: they could not fill their leaves."""

VERY_MANY_ROWS = 500_000
"""Below so many rows two threads gain little, and wait for each other long where the cores are shared."""

FIXED: Mapping[str, Any] = {
    "objective": "binary", "deterministic": True, "force_row_wise": True, "verbosity": -1,
    "monotone_constraints_method": "basic",
}  # fmt: skip


def fit(
    growth: Growth, matrix: Floats, labels: Floats, names: Sequence[str], directions: Sequence[int], *,
    rounds: int, seed: int, weights: Floats | None = None, bag: int | None = None,
    kinds: Sequence[int] = (),
) -> Trees:  # fmt: skip
    """Grow `rounds` trees for each seed of the bag; same rows and seed, same text on one machine and version.

    `matrix`: rows × features (NaN: unknown). `directions`: per feature 1 (riskier), -1 (safer), 0. `weights`: per row.
    `kinds`: places of columns that hold codes. A bag is one model: the mean of its members' log-odds.
    """
    import lightgbm

    threads = 2 if len(matrix) > VERY_MANY_ROWS else 1
    held = {"monotone_constraints": list(directions)} if any(directions) else {}
    binned = {"verbosity": -1, "max_bin": dict(growth.settings).get("max_bin", 255)}
    even = None if weights is None else weights / weights.mean()
    data = lightgbm.Dataset(
        matrix, labels, weight=even, feature_name=list(names), categorical_feature=list(kinds), params=binned,
        free_raw_data=False,
    )  # fmt: skip
    texts = [
        lightgbm.train(
            {**FIXED, **held, **dict(growth.settings), "seed": seed + 1000 * member, "num_threads": threads},
            data, num_boost_round=rounds,
        ).model_to_string(num_iteration=-1)
        for member in range(growth.bag if bag is None else bag)
    ]  # fmt: skip
    return Trees(tuple(names), averaged(texts))


def staged(trees: Trees, matrix: Floats, steps: Sequence[int]) -> list[Floats]:
    """Log-odds after each number of rounds in `steps`, from one growth of the longest (one seed)."""
    return [trees._booster.predict(matrix, raw_score=True, num_iteration=step, num_threads=1) for step in steps]  # noqa: SLF001


_TREE = re.compile(r"^Tree=\d+\n.*?(?=^Tree=|^end of trees)", re.MULTILINE | re.DOTALL)
_SCALED = re.compile(r"^(leaf_value|internal_value)=(.*)$", re.MULTILINE)


def averaged(texts: Sequence[str]) -> str:
    """One LightGBM text whose log-odds are the mean of those of the given texts.

    Log-odds are sums over trees, so a mean of models is one model of all their trees, each leaf divided by their
    number; contributions are divided alike. The models must have the same features.
    """
    if len(texts) == 1:
        return texts[0]
    share = 1 / len(texts)
    trees = [tree for text in texts for tree in _TREE.findall(text)]
    lowered = [_SCALED.sub(lambda line: f"{line[1]}={_times(line[2], share)}", tree) for tree in trees]
    numbered = "".join(re.sub(r"^Tree=\d+", f"Tree={place}", tree) for place, tree in enumerate(lowered))
    first = texts[0]
    head, tail = first[: first.index("Tree=0\n")], first[first.index("end of trees") :]
    return re.sub(r"^tree_sizes=.*\n", "", head, flags=re.MULTILINE) + numbered + tail


def _times(numbers: str, factor: float) -> str:
    return " ".join(repr(float(number) * factor) for number in numbers.split())
