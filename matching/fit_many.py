"""Every open demand against every product at once, by a bitmap index over the same admission criteria as `fit`.

Each criterion's number line is cut wherever some product's answer turns. Per stretch the scalar criterion is asked once
for every product and the answers stored as bits; a demand then costs, per criterion, the search of its stretch and one
AND. The missing value has a stretch of its own. Rows go in blocks, so that one instruction compares many with a cut.
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
from matching.judge_many import STATES, Bytes, FactColumns
from matching.terms import Ints, Product

Words64 = NDArray[np.uint64]
FEW_ROWS = 4_000
"""Below this, numpy answers sooner than compiled code is loaded."""

BLOCK = 2_048
"""Rows of a block: their stretches and masks stay in a core's cache."""

MISSING = STATES["missing"]

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_OF = np.argsort([(int(DE_BRUIJN) << bit) % 2**64 >> 58 for bit in range(64)]).astype(np.int32)
"""Which bit stands alone, by the six top bits of its product with a de Bruijn sequence (Leiserson and others, 1998)."""


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
    """The bitmap index of some products: per criterion its cuts and a column of masks per stretch, the last 'missing'.

    masks: words of 64 products × stretches of all criteria.
    """

    admissions: tuple[Admission, ...]
    cuts: Ints
    first_cut: Ints
    masks: Words64
    first_mask: Ints
    everyone: Words64


def build_index(products: Sequence[Product]) -> Index:
    """The index of these products, in their order; criteria no product sets are left out."""
    kept, cuts, first_cut, first_mask = [], [], [0], [0]
    masks = [np.zeros((0, len(products)), bool)]
    for admission in ADMISSIONS:
        setting = [place for place, product in enumerate(products) if admission.has_line(product)]
        if not setting:
            continue
        turns = sorted({cut for place in setting for cut in admission.cuts(products[place])})
        numbers: list[int | None] = [turns[0] - 1, *turns, None]
        answers = np.ones((len(numbers), len(products)), bool)
        for stretch, number in enumerate(numbers):
            answers[stretch, setting] = [admission.passes(products[place], number) for place in setting]
        kept.append(admission)
        cuts.extend(turns)
        first_cut.append(len(cuts))
        masks.append(answers)
        first_mask.append(first_mask[-1] + len(answers))
    return Index(
        admissions=tuple(kept),
        cuts=np.array(cuts, np.int64),
        first_cut=np.array(first_cut, np.int64),
        masks=_bits(np.concatenate(masks)),
        first_mask=np.array(first_mask, np.int64),
        everyone=_bits(np.ones((1, len(products)), bool))[:, 0],
    )


def _bits(answers: NDArray[np.bool_]) -> Words64:
    """Answers (rows × products) as bits (words × rows)."""
    rows, products = answers.shape
    words = (products + 63) // 64
    padded = np.zeros((rows, words * 64), np.uint8)
    padded[:, :products] = answers
    packed = np.packbits(padded, axis=1, bitorder="little").reshape(rows, words * 8)
    return np.ascontiguousarray(packed.view(np.uint64).T)


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
    numbers, states = _read(index, columns, today)
    masks = (_masks_numpy if columns.rows < FEW_ROWS else _masks_at_once)(index, columns.rows, numbers, states)
    if excluded is not None:
        _clear(masks, excluded, products)
    return _pairs(masks)


def _read(index: Index, columns: FactColumns, today: date) -> tuple[list[Ints], list[Bytes]]:
    """Per criterion every demand's number and the state of its fact."""
    numbers, states = [], []
    for admission in index.admissions:
        values, state = columns.known(admission.fact)
        numbers.append(whole_months(values, day_number(today)) if admission.months else values)
        states.append(state)
    return numbers, states


def _masks_numpy(index: Index, rows: int, numbers: list[Ints], states: list[Bytes]) -> Words64:
    answer = np.repeat(index.everyone[:, None], rows, axis=1)
    for one, (number, state) in enumerate(zip(numbers, states, strict=True)):
        cuts = index.cuts[index.first_cut[one] : index.first_cut[one + 1]]
        stretch = np.where(state == MISSING, len(cuts) + 1, np.searchsorted(cuts, number, side="right"))
        answer &= index.masks[:, index.first_mask[one] + stretch]
    return answer


def _masks_at_once(index: Index, rows: int, numbers: list[Ints], states: list[Bytes]) -> Words64:
    spare = len(ADMISSIONS) - len(index.admissions)
    return _masks_compiled(  # type: ignore[no-any-return]
        rows,
        tuple(np.ascontiguousarray(one) for one in numbers) + (np.zeros(0, np.int64),) * spare,
        tuple(np.ascontiguousarray(one) for one in states) + (np.zeros(0, np.int8),) * spare,
        index.cuts, index.first_cut, index.masks, index.first_mask, index.everyone,
    )  # fmt: skip


@nb.njit(cache=True, parallel=True)
def _masks_compiled(  # pragma: no cover  compiled
    rows: Any, numbers: Any, states: Any, cuts: Any, first_cut: Any, masks: Any, first_mask: Any, everyone: Any
) -> Any:
    answer = np.empty((len(everyone), rows), np.uint64)
    for block in nb.prange((rows + BLOCK - 1) // BLOCK):
        low, high = block * BLOCK, min(rows, (block + 1) * BLOCK)
        stretch = np.empty(high - low, np.int64)
        for word in range(len(everyone)):
            answer[word, low:high] = everyone[word]
        for one in range(len(first_mask) - 1):
            number, state = numbers[one][low:high], states[one][low:high]
            stretch[:] = first_mask[one]
            for place in range(first_cut[one], first_cut[one + 1]):
                cut = cuts[place]
                for row in range(high - low):
                    stretch[row] += cut <= number[row]
            for row in range(high - low):
                stretch[row] = first_mask[one + 1] - 1 if state[row] == MISSING else stretch[row]
            for word in range(len(everyone)):
                mine, allowed = answer[word, low:high], masks[word]
                for row in range(high - low):
                    mine[row] &= allowed[stretch[row]]
    return answer


def _clear(masks: Words64, excluded: tuple[Ints, Ints], products: Sequence[Product]) -> None:
    rows, banks = (np.asarray(one) for one in excluded)
    named, bank_of = np.unique(banks), np.array([product.bank_id for product in products])
    bank_bits = _bits(named[:, None] == bank_of)
    for place, bank in enumerate(named):
        masks[:, rows[banks == bank]] &= ~bank_bits[:, place, None]


def _pairs(masks: Words64) -> Pairs:
    rows = masks.shape[1]
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bitwise_count(masks).sum(axis=0, dtype=np.int64), out=offsets[1:])
    products = np.empty(offsets[-1], np.int32)
    if rows < FEW_ROWS:
        octets = np.ascontiguousarray(masks.T).view(np.uint8)
        products[:] = np.nonzero(np.unpackbits(octets, axis=1, bitorder="little"))[1]
    else:
        _fill(masks, offsets, products)
    return Pairs(offsets, products)


@nb.njit(cache=True, parallel=True)
def _fill(masks: Any, offsets: Any, products: Any) -> None:  # pragma: no cover  compiled
    for row in nb.prange(masks.shape[1]):
        place = offsets[row]
        for word in range(masks.shape[0]):
            bits = masks[word, row]
            while bits != 0:
                lowest = bits & (~bits + np.uint64(1))
                products[place] = 64 * word + BIT_OF[(lowest * DE_BRUIJN) >> np.uint64(58)]
                place += 1
                bits ^= lowest
