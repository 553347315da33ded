"""The best few of the products that fit each demand, by what a line there is worth (see `value`); ties by product id.

P(grant) comes as a table: a row for each word of each part of the appetite, a column for each bank. A demand picks its
rows, a product its column, and the product of what stands there is the chance, as `Appetite.estimate_many` has it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matching.appetite import BANDS_FEN, PARTS, Appetite
from matching.facts import CODE_LETTERS, SIZES, code_of
from matching.fit_many import BLOCK, FEW_ROWS, Pairs
from matching.judge_many import STATES, Bytes, FactColumns
from matching.terms import Floats, Ints, Light, Product
from matching.value import LEAST_LIKED, Weights, preference, worth

MOST = 5
NONE = -1
UNKNOWN = ""
"""The word of a trait nobody knows: a bank has no leaf for it and speaks with its general voice."""

Positions = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Best:
    """Row i's best products, best first: positions (NONE past the last one that fits) and what a line there is worth.

    Both have a column for each rank; the worth past the last one is 0.
    """

    products: Positions
    value: Floats


@dataclass(frozen=True, eq=False)
class Chances:
    """P(grant) of demand i at product j = Π over parts of table[row_of[part, i], bank_of[j]]."""

    row_of: Positions
    table: Floats
    bank_of: Positions

    def of(self, demand: NDArray[Any], product: NDArray[Any]) -> Floats:
        """The chances of pairs, given as rows of demands and positions of products."""
        p, bank = np.ones(len(demand)), self.bank_of[product]
        for rows in self.row_of:
            p *= self.table[rows[demand], bank]
        return p


@dataclass(frozen=True, eq=False)
class Trait:
    """One trait of every demand: its words, each once, and for each demand the position of its own."""

    words: tuple[str, ...]
    position: NDArray[Any]


def traits_of_columns(columns: FactColumns, lights: Bytes) -> dict[str, Trait]:
    """The traits of `matching.appetite` by part, read from columns of facts; `lights` as `judge_many` gives them."""
    first_letter = 8 * (CODE_LETTERS - 1)
    industry, size, district = (_known(columns, name) for name in ("industry", "size", "district"))
    amount, guarantees = _known(columns, "amount_fen"), _known(columns, "guarantees")
    traits = {
        "section": _trait(industry >> first_letter, chr),
        "size": _trait(size, lambda place: SIZES[place]),
        "light": _trait(lights, lambda light: Light(light).word),
        "amount_band": _trait(np.searchsorted(BANDS_FEN, amount, side="right"), lambda band: f"a{band}"),
        "guarantee": _trait(guarantees > 0, lambda given: "yes" if given else "no"),
        "district": _trait(district, code_of),
    }
    return traits | {"rest": _cells(traits["section"], traits["size"], traits["light"])}


def _known(columns: FactColumns, name: str) -> Ints:
    """The numbers of a fact, below zero where it is missing."""
    values, states = columns.known(name)
    return np.where(states == STATES["missing"], NONE, values)


def _trait(numbers: NDArray[Any], say: Callable[[int], str]) -> Trait:
    position, kinds = pd.factorize(numbers)
    return Trait(tuple(say(int(kind)) if kind >= 0 else UNKNOWN for kind in kinds), position)


def _cells(*traits: Trait) -> Trait:
    """The traits together, their words joined."""
    sizes = tuple(len(trait.words) for trait in traits)
    position, kinds = pd.factorize(np.ravel_multi_index(tuple(trait.position for trait in traits), sizes))
    words = [
        "|".join(trait.words[place] for trait, place in zip(traits, places, strict=True))
        for places in zip(*np.unravel_index(kinds, sizes), strict=True)
    ]
    return Trait(tuple(words), position)


def chances_of(
    appetite: Appetite, traits: Mapping[str, Trait], products: Sequence[Product], bank_kind: Mapping[int, str]
) -> Chances:
    """The chances of these demands at these products, as the banks' answers say."""
    banks, bank_of = np.unique([product.bank_id for product in products], return_inverse=True)
    tables = [appetite.factors(part, traits[part].words, banks, bank_kind) for part in PARTS]
    first = np.cumsum([0, *(len(table) for table in tables[:-1])])
    rows = [start + traits[part].position for start, part in zip(first, PARTS, strict=True)]
    return Chances(np.stack(rows).astype(np.int32), np.concatenate(tables), bank_of.astype(np.int32))


def best_of(
    pairs: Pairs, products: Sequence[Product], chances: Chances, asked_fen: Ints, weights: Weights, most: int = MOST
) -> Best:
    """The best `most` of each demand's fitting products; `asked_fen` as long as there are demands."""
    terms = _terms(products)
    rank = _ranked_numpy if len(asked_fen) < FEW_ROWS else _ranked_at_once
    return rank(pairs, terms, chances, np.asarray(asked_fen, np.int64), weights, most)


@dataclass(frozen=True, eq=False)
class _Terms:
    """What a firm gets from each product, and the place of its id among all."""

    rate: Floats
    days: Ints
    amount_max_fen: Ints
    place_by_id: Ints


def _terms(products: Sequence[Product]) -> _Terms:
    return _Terms(
        rate=np.array([float(product.rate_min) for product in products]),
        days=np.array([product.decision_days for product in products], np.int64),
        amount_max_fen=np.array([product.amount_max_fen for product in products], np.int64),
        place_by_id=np.argsort(np.argsort([product.id for product in products], kind="stable")),
    )


def _ranked_numpy(pairs: Pairs, terms: _Terms, chances: Chances, asked_fen: Ints, weights: Weights, most: int) -> Best:
    demand, product = pairs.demands(), pairs.products
    liked = preference(
        terms.rate[product], terms.days[product], terms.amount_max_fen[product], asked_fen[demand], weights
    )
    value = worth(chances.of(demand, product), liked)
    order = np.lexsort((terms.place_by_id[product], -value, demand))
    rank = np.arange(len(order)) - pairs.offsets[demand[order]]
    order, rank = order[rank < most], rank[rank < most]
    best = _nothing(len(asked_fen), most)
    best.products[demand[order], rank] = product[order]
    best.value[demand[order], rank] = value[order]
    return best


def _ranked_at_once(
    pairs: Pairs, terms: _Terms, chances: Chances, asked_fen: Ints, weights: Weights, most: int
) -> Best:
    best, count = _nothing(len(asked_fen), most), len(terms.rate)
    without_cover = preference(terms.rate, terms.days, np.zeros(count, np.int64), np.ones(count, np.int64), weights)
    _rank(
        pairs.offsets, pairs.products, chances.row_of, chances.table, chances.bank_of, without_cover, weights.cover,
        terms.amount_max_fen, asked_fen, terms.place_by_id, best.products, best.value,
    )  # fmt: skip
    return best


def _nothing(rows: int, most: int) -> Best:
    return Best(np.full((rows, most), NONE, np.int32), np.zeros((rows, most)))


@nb.njit(cache=True, parallel=True)
def _rank(  # pragma: no cover  compiled
    offsets: Any, products: Any, row_of: Any, table: Any, bank_of: Any, without_cover: Any, cover_weight: Any,
    amount_max: Any, asked: Any, place_by_id: Any, best: Any, best_value: Any,
) -> None:  # fmt: skip
    """The same in one pass: a row's chances at every bank, each pair's worth, its place among the best by insertion."""
    rows, most = best.shape
    for block in nb.prange((rows + BLOCK - 1) // BLOCK):
        chance = np.empty(table.shape[1])
        for row in range(block * BLOCK, min(rows, (block + 1) * BLOCK)):
            chance[:] = table[row_of[0, row]]
            for part in range(1, len(row_of)):
                factor = table[row_of[part, row]]
                for bank in range(len(chance)):
                    chance[bank] *= factor[bank]
            found = 0
            for pair in range(offsets[row], offsets[row + 1]):
                product = products[pair]
                place = place_by_id[product]
                cover = min(1.0, amount_max[product] / max(asked[row], 1))
                value = chance[bank_of[product]] * max(without_cover[product] + cover_weight * cover, LEAST_LIKED)
                last = most - 1
                if found == most and not _ahead(value, place, best_value[row, last], place_by_id[best[row, last]]):
                    continue
                spot = min(found, last)
                found = spot + 1
                while spot > 0 and _ahead(value, place, best_value[row, spot - 1], place_by_id[best[row, spot - 1]]):
                    best[row, spot], best_value[row, spot] = best[row, spot - 1], best_value[row, spot - 1]
                    spot -= 1
                best[row, spot], best_value[row, spot] = product, value


@nb.njit(cache=True, inline="always")
def _ahead(value: Any, place: Any, other_value: Any, other_place: Any) -> Any:  # pragma: no cover  compiled
    return value > other_value or (value == other_value and place < other_place)
