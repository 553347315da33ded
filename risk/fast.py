"""Many rows through many trees at once: LightGBM's own sums to the last bit, in a small part of its time.

For each cut of an input the table holds, tree by tree, a mask of the leaves a row can still reach; the masks of a row's
inputs are laid over one another, and the lowest leaf that is left is the one the row ends in (QuickScorer: Lucchese et
al., SIGIR 2015; vectorised as by Ye et al., RapidScorer, KDD 2018). Leaves are added in the order of the trees.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WIDTH = 64
"""Trees whose masks are laid over one another at a time: their part of the table stays near the processor."""
ROWS = 64
"""Rows taken together, for the same reason."""
LARGEST, WIDEST = 1 << 28, 512
"""Bytes a table may take, and bytes of masks a row may read for each tree; beyond that it would be no faster."""
ALMOST_ZERO = float(np.float32(1e-35))
"""LightGBM takes values this near to zero for zero (kZeroThreshold)."""
BELOW_ZERO = float(np.nextafter(-ALMOST_ZERO, -np.inf))
CATEGORICAL, DEFAULT_LEFT, ZERO_IS_MISSING, NAN_IS_MISSING = 1, 2, 1, 2
"""Bits of a split's decision_type; the two bits above them name what counts as missing."""

_lowest_bit: Any = trailing_zeros


@dataclass(frozen=True)
class Forest:
    """A model's trees as flat arrays.

    `used`: the inputs that the trees split by. `table`: blocks of trees × codes × trees. A used input's codes stand
    from its `starts` on: the interval a value lies in, at last 'not a number', two more than the input has `cuts` (its
    thresholds, rising, one input after the other). `leaves`: blocks of trees × trees × leaves, log-odds.
    """

    inputs: int
    used: NDArray[np.int64]
    cuts: Floats
    starts: NDArray[np.int64]
    table: NDArray[Any]
    leaves: Floats

    def margin(self, matrix: Floats, threads: int = 1) -> Floats:
        """Log-odds of rows × inputs (NaN: unknown); the same number that LightGBM's predict gives, to the last bit."""
        if matrix.ndim != 2 or matrix.shape[1] != self.inputs:
            raise ValueError(f"The trees take {self.inputs} inputs, not a matrix of shape {matrix.shape}.")
        rows, margin = np.ascontiguousarray(matrix, np.float64), np.zeros(len(matrix))
        edges = np.linspace(0, len(rows), threads + 1).astype(int)
        parts = [(rows[start:end], margin[start:end]) for start, end in pairwise(edges)]
        if threads == 1:
            self._add(*parts[0])
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda part: self._add(*part), parts))
        return margin

    def _add(self, rows: Floats, margin: Floats) -> None:
        _add_leaves(rows, self.used, self.cuts, self.starts, self.table, self.leaves, margin)


def read(text: str) -> Forest | None:
    """The trees of LightGBM's text; None where it holds what only LightGBM can answer.

    That is: splits by category, linear leaves, several classes, averaged trees, more than 64 leaves; or a table so
    large that it would be no faster.
    """
    head, *trees = [_fields(part) for part in text.split("\nend of trees", maxsplit=1)[0].split("\nTree=")]
    grown = [tree for tree in trees if int(tree["num_leaves"]) > 1]
    most = max((int(tree["num_leaves"]) for tree in trees), default=1)
    decisions = [_numbers(tree, "decision_type", np.int64) for tree in grown]
    if (
        head["num_tree_per_iteration"] != "1" or "average_output" in head or most > 64
        or any(tree.get("is_linear", "0") != "0" for tree in trees)
        or any((found & CATEGORICAL).any() for found in decisions)
    ):  # fmt: skip
        return None
    cuts = _cuts(grown, decisions)
    starts = np.concatenate([[0], np.cumsum([len(one) + 2 for one in cuts.values()])])
    bits = 16 if most <= 16 else 32 if most <= 32 else 64
    blocks = max(1, -(-len(trees) // WIDTH))
    if int(starts[-1]) * blocks * WIDTH * bits // 8 > LARGEST or len(cuts) * bits // 8 > WIDEST:
        return None
    table = np.full((blocks, int(starts[-1]), WIDTH), (1 << bits) - 1, f"uint{bits}")
    leaves = np.zeros((blocks, WIDTH, most))
    for place, tree in enumerate(trees):
        block, column = divmod(place, WIDTH)
        values = _numbers(tree, "leaf_value", np.float64)
        leaves[block, column, : len(values)] = values
        if len(values) > 1:
            _mark(tree, cuts, starts, table[block, :, column], leaves[block, column])
    inputs, used = int(head["max_feature_idx"]) + 1, np.array(list(cuts), np.int64)
    return Forest(inputs, used, np.concatenate(list(cuts.values())), starts, table, leaves)


def _fields(part: str) -> dict[str, str]:
    """One 'name=value' a line; a line without a value is a name alone."""
    return {name: value for name, _, value in (line.partition("=") for line in part.splitlines())}


def _numbers(tree: Mapping[str, str], name: str, kind: type) -> NDArray[Any]:
    return np.array(tree[name].split(), kind)


def _cuts(trees: Sequence[Mapping[str, str]], decisions: Sequence[NDArray[np.int64]]) -> dict[int, Floats]:
    """Each used input's thresholds, rising; where a split takes zero for missing, zero is an interval of its own.

    Of trees without any split the first input counts as used.
    """
    found: dict[int, set[float]] = {}
    for tree, decided in zip(trees, decisions, strict=True):
        splits = _numbers(tree, "split_feature", np.int64).tolist()
        for feature, threshold, bits in zip(
            splits, _numbers(tree, "threshold", np.float64).tolist(), decided.tolist(), strict=True
        ):
            found.setdefault(feature, set()).add(threshold)
            if bits >> 2 == ZERO_IS_MISSING:
                found[feature].update((BELOW_ZERO, ALMOST_ZERO))
    return {feature: np.array(sorted(found[feature]), np.float64) for feature in sorted(found)} or {0: np.empty(0)}


def _mark(
    tree: Mapping[str, str], cuts: Mapping[int, Floats], starts: NDArray[np.int64], masks: NDArray[Any], values: Floats
) -> None:
    """Write one tree into its column: at each code that goes right at a split, the leaves left of it are out of reach.

    The leaves are numbered anew from left to right, and `values` with them.
    """
    features = _numbers(tree, "split_feature", np.int64).tolist()
    thresholds, place = _numbers(tree, "threshold", np.float64), {feature: at for at, feature in enumerate(cuts)}
    decided = _numbers(tree, "decision_type", np.int64)
    left, right = _numbers(tree, "left_child", np.int64).tolist(), _numbers(tree, "right_child", np.int64).tolist()
    order: list[int] = []
    waiting: list[tuple[int, int]] = [(0, -1)]
    while waiting:
        node, since = waiting.pop()
        if node < 0:
            order.append(~node)
        elif since < 0:  # first the left side, then this split again, knowing where its left leaves began
            waiting += [(right[node], -1), (node, len(order)), (left[node], -1)]
        else:
            at = place[features[node]]
            codes = masks[starts[at] : starts[at + 1]]
            goes_right = ~_goes_left(cuts[features[node]], thresholds[node], int(decided[node]))
            gone = (1 << len(order)) - (1 << since)
            codes[goes_right] &= ~masks.dtype.type(gone)
    values[: len(order)] = values[order]


def _goes_left(cuts: Floats, threshold: float, bits: int) -> NDArray[np.bool_]:
    """LightGBM's NumericalDecision for one value of each code: the intervals up to each cut, beyond, not a number."""
    values, missing = np.concatenate([cuts, [np.inf, np.nan]]), bits >> 2
    if missing != NAN_IS_MISSING:
        values[-1] = 0.0
    unknown = np.isnan(values) if missing == NAN_IS_MISSING else np.abs(values) <= ALMOST_ZERO
    left: NDArray[np.bool_] = values <= threshold
    if missing:
        left[unknown] = bool(bits & DEFAULT_LEFT)
    return left


@nb.njit(cache=True, nogil=True)
def _add_leaves(
    rows: Floats, used: NDArray[np.int64], cuts: Floats, starts: NDArray[np.int64], table: NDArray[Any], leaves: Floats,
    margin: Floats,
) -> None:  # fmt: skip
    """Add every tree's leaf to every row's margin, ROWS rows and WIDTH trees at a time."""
    codes = np.zeros((len(used), ROWS), np.int64)
    masks, totals = np.zeros((ROWS, WIDTH), table.dtype), np.zeros(ROWS)
    for first in range(0, len(rows), ROWS):
        taken = min(ROWS, len(rows) - first)
        _find_codes(rows[first : first + taken], used, cuts, starts, codes)
        totals[:] = 0.0
        for block in range(len(table)):
            _find_masks(codes, table[block], masks)
            for tree in range(WIDTH):
                for row in range(ROWS):
                    totals[row] += leaves[block, tree, _lowest_bit(masks[row, tree])]
        margin[first : first + taken] = totals[:taken]


@nb.njit(cache=True, nogil=True)
def _find_codes(
    rows: Floats, used: NDArray[np.int64], cuts: Floats, starts: NDArray[np.int64], codes: NDArray[np.int64]
) -> None:
    """Each value's place in the table: how many of its input's cuts are below it, or the last one: not a number.

    Counting them all, eight rows at a time, takes the processor less than a search that must guess its way.
    """
    values = np.zeros(ROWS)
    for place in range(len(used)):
        begin, end = starts[place], starts[place + 1]
        code = codes[place]
        for row in range(len(rows)):
            value = rows[row, used[place]]
            values[row] = 0.0 if abs(value) <= ALMOST_ZERO else value
        code[:] = begin
        for cut in cuts[begin - 2 * place : end - 2 * (place + 1)]:
            for row in range(ROWS):
                code[row] += cut < values[row]
        for row in range(ROWS):
            if np.isnan(values[row]):
                code[row] = end - 1


@nb.njit(cache=True, nogil=True)
def _find_masks(codes: NDArray[np.int64], table: NDArray[Any], masks: NDArray[Any]) -> None:
    """For each row and tree the leaves that no split has put out of reach."""
    for row in range(ROWS):
        code = codes[0, row]
        for tree in range(WIDTH):
            masks[row, tree] = table[code, tree]
        for place in range(1, len(codes)):
            code = codes[place, row]
            for tree in range(WIDTH):
                masks[row, tree] &= table[code, tree]
