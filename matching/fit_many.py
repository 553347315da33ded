"""Every open demand against every product at once, by a bitmap index over the same admission criteria as `fit`.

Each criterion's number line is cut wherever some product's answer turns. Per stretch the scalar criterion is asked once
for every product and the answers stored as bits; a demand then costs one binary search and one AND per criterion. The
missing value has a stretch of its own. Method and measurements: reference 'eligibility and ranking'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from matching.admission import ADMISSIONS, Admission
from matching.criteria import day_number, whole_months
from matching.judge_many import STATES, FactColumns
from matching.terms import Ints, Product

Words64 = NDArray[np.uint64]
FEW_ROWS = 4_000
"""Below this, numpy answers sooner than compiled code is loaded."""


@dataclass(frozen=True)
class Pairs:
    """Fitting pairs, demand by demand: row i has products[offsets[i]:offsets[i + 1]] (positions, ascending)."""

    offsets: Ints
    products: NDArray[np.int32]

    def demands(self) -> NDArray[np.int32]:
        """The demand's row of every pair."""
        rows = np.arange(len(self.offsets) - 1, dtype=np.int32)
        return np.repeat(rows, np.diff(self.offsets))

    def __len__(self) -> int:
        return len(self.products)


@dataclass(frozen=True)
class Index:
    """The bitmap index of some products: per criterion its cuts and a mask per stretch, the last for 'missing'."""

    admissions: tuple[Admission, ...]
    cuts: Ints
    first_cut: Ints
    masks: Words64
    first_mask: Ints
    everyone: Words64
    size: int


def build_index(products: Sequence[Product]) -> Index:
    """The index of these products, in their order; criteria no product sets are left out."""
    words = (len(products) + 63) // 64
    kept, cuts, first_cut, first_mask = [], [], [0], [0]
    masks: list[Words64] = []
    for admission in ADMISSIONS:
        setting = [product for product in products if admission.has_line(product)]
        if not setting:
            continue
        turns = sorted({cut for product in setting for cut in admission.cuts(product)})
        numbers: list[int | None] = [turns[0] - 1, *turns, None]
        kept.append(admission)
        cuts.extend(turns)
        first_cut.append(len(cuts))
        masks.extend(_bits([admission.passes(product, number) for product in products], words) for number in numbers)
        first_mask.append(len(masks))
    return Index(
        admissions=tuple(kept),
        cuts=np.array(cuts, np.int64),
        first_cut=np.array(first_cut, np.int64),
        masks=np.array(masks, np.uint64).reshape(-1, words),
        first_mask=np.array(first_mask, np.int64),
        everyone=_bits([True] * len(products), words),
        size=len(products),
    )


def _bits(answers: list[bool], words: int) -> Words64:
    padded = np.zeros(words * 64, np.uint8)
    padded[: len(answers)] = answers
    return np.packbits(padded, bitorder="little").view(np.uint64)


def fit_many(
    columns: FactColumns, products: Sequence[Product], today: date, excluded: tuple[Ints, Ints] | None = None,
    index: Index | None = None,
) -> Pairs:  # fmt: skip
    """All fitting pairs of demands (rows) and products (positions), equal to `fit` row by row.

    `index`: that of these very products where the caller keeps it; building it takes longer than a single demand.

    `excluded`: rows and bank ids, side by side, that may not meet (the bank refused). Raises nothing on missing facts:
    they fail the lines that need them.
    """
    index = build_index(products) if index is None else index
    numbers, missing = _numbers(index, columns, today)
    answer = _masks_numpy if columns.rows < FEW_ROWS else _masks_compiled
    masks = answer(numbers, missing, index.cuts, index.first_cut, index.masks, index.first_mask, index.everyone)
    if excluded is not None:
        _clear(masks, excluded, products)
    return _pairs(masks)


def _numbers(index: Index, columns: FactColumns, today: date) -> tuple[Ints, NDArray[np.bool_]]:
    numbers = np.zeros((len(index.admissions), columns.rows), np.int64)
    missing = np.zeros((len(index.admissions), columns.rows), bool)
    for row, admission in enumerate(index.admissions):
        values, states = columns.known(admission.fact)
        missing[row] = states == STATES["missing"]
        numbers[row] = whole_months(values, day_number(today)) if admission.months else values
    return numbers, missing


def _masks_numpy(
    numbers: Ints, missing: NDArray[np.bool_], cuts: Ints, first_cut: Ints, masks: Words64, first_mask: Ints,
    everyone: Words64,
) -> Words64:  # fmt: skip
    answer = np.repeat(everyone[None, :], numbers.shape[1], axis=0)
    for one in range(len(numbers)):
        stretch = np.searchsorted(cuts[first_cut[one] : first_cut[one + 1]], numbers[one], side="right")
        stretch = np.where(missing[one], first_cut[one + 1] - first_cut[one] + 1, stretch)
        answer &= masks[first_mask[one] + stretch]
    return answer


@nb.njit(cache=True, parallel=True)
def _masks_compiled(  # pragma: no cover  compiled
    numbers: Any, missing: Any, cuts: Any, first_cut: Any, masks: Any, first_mask: Any, everyone: Any
) -> Any:
    rows, words = numbers.shape[1], len(everyone)
    answer = np.empty((rows, words), np.uint64)
    for row in nb.prange(rows):
        answer[row] = everyone
        for one in range(numbers.shape[0]):
            low, high = first_cut[one], first_cut[one + 1]
            if missing[one, row]:
                stretch = high - low + 1
            else:
                number = numbers[one, row]
                while low < high:
                    middle = (low + high) // 2
                    if cuts[middle] <= number:
                        low = middle + 1
                    else:
                        high = middle
                stretch = low - first_cut[one]
            for word in range(words):
                answer[row, word] &= masks[first_mask[one] + stretch, word]
    return answer


def _clear(masks: Words64, excluded: tuple[Ints, Ints], products: Sequence[Product]) -> None:
    rows, banks = excluded
    words = masks.shape[1]
    bank_bits = {
        int(bank): _bits([product.bank_id == bank for product in products], words) for bank in np.unique(banks)
    }
    for bank, bits in bank_bits.items():
        masks[np.asarray(rows)[np.asarray(banks) == bank]] &= ~bits


def _pairs(masks: Words64) -> Pairs:
    counts = np.bitwise_count(masks).sum(axis=1, dtype=np.int64)
    offsets = np.zeros(len(masks) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    products = np.empty(offsets[-1], np.int32)
    if len(masks) < FEW_ROWS:
        products[:] = np.nonzero(np.unpackbits(masks.view(np.uint8), axis=1, bitorder="little"))[1]
    else:
        _fill(masks, offsets, products)
    return Pairs(offsets, products)


@nb.njit(cache=True, parallel=True)
def _fill(masks: Any, offsets: Any, products: Any) -> None:  # pragma: no cover  compiled
    for row in nb.prange(masks.shape[0]):
        place = offsets[row]
        for word in range(masks.shape[1]):
            bits = masks[row, word]
            number = 64 * word
            while bits != 0:
                if bits & np.uint64(1):
                    products[place] = number
                    place += 1
                bits >>= np.uint64(1)
                number += 1
