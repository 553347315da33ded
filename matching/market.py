"""One stage as the compiled code sees it: its possible pairs as columns, an auction over them, a polish of prices."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from matching import auction, polish
from matching.stages import Stage, possible
from matching.terms import Floats, Ints, Prices, Problem

FINENESS, BIG = 1e-3, 500_000
COARSE, LIMITED = 5e-2, 5e-3
"""The auction's step as a share of the mean value on offer, coarser from so many pairs on, less so where money or
banks' places are limited: the gap is at most that per line, and was seen to be a hundredth of it."""

MOST_BIDS_PER_PAIR = 200


@dataclass(frozen=True, eq=False)
class Market:
    """The possible pairs of a stage (positions in the problem), demand by demand, with every limit beside them."""

    pairs: Ints
    offsets: Ints
    owner: NDArray[np.int32]
    product: NDArray[np.int32]
    value: Floats
    amount: Ints
    lines: Ints
    product_bank: Ints
    places: Ints
    quota: Ints
    bank_places: Ints
    fineness: float

    def run(self, order: Ints, start: Prices) -> tuple[Ints, Prices]:
        """An auction in this order of bidding, from these least prices: the chosen pairs (positions) and the prices."""
        banks, products = len(self.bank_places), len(self.places)
        bank_products = np.argsort(self.product_bank, kind="stable")
        bank_first = np.searchsorted(self.product_bank[bank_products], np.arange(banks + 1))
        heap_first = np.zeros(products + 1, np.int64)
        suitors = np.bincount(self.product, minlength=products)
        np.cumsum(np.minimum(self.places, suitors) + 1, out=heap_first[1:])
        mean = float(self.value.sum()) / max(len(self.value), 1)
        chosen, price, money, bank_price, _ = auction.run(
            self.offsets, self.product, self.value, self.amount, self.lines, self.product_bank, self.places, self.quota,
            self.bank_places, bank_first, bank_products, heap_first, order, start.product, start.quota,
            self.fineness * mean, MOST_BIDS_PER_PAIR * len(self.value) + 10_000,
        )  # fmt: skip
        return self.pairs[chosen], Prices(price, money, bank_price)

    def polished(self, prices: Prices, sweeps: int) -> Prices:
        """The same prices made tighter by so many rounds of coordinate descent."""
        price, money, bank_price = prices.product.copy(), prices.quota.copy(), prices.bank.copy()
        for _ in range(sweeps):
            polish.sweep(
                self.offsets, self.owner, self.product, self.value, self.amount, self.lines, self.product_bank,
                self.places, self.quota, self.bank_places, *self._suitors, price, money, bank_price,
            )  # fmt: skip
        return Prices(price, money, bank_price)

    @cached_property
    def _suitors(self) -> tuple[Ints, Ints, Ints, Ints]:
        """The pairs of each product, and of each bank, one group after the other, and where each group begins."""
        bank = self.product_bank[self.product]
        by_product, by_bank = (np.argsort(one, kind="stable") for one in (self.product, bank))
        product_first = np.searchsorted(self.product[by_product], np.arange(len(self.places) + 1))
        return by_product, product_first, by_bank, np.searchsorted(bank[by_bank], np.arange(len(self.bank_places) + 1))

    def is_cheap(self) -> bool:
        """Small and without a money line that could bind: one auction comes as near the optimum as its step allows."""
        return not self.is_big() and not bool((self.quota >= 0).any())

    def is_limited(self) -> bool:
        """Whether money or banks' places could bind, for which bids alone find the prices less well."""
        return bool((self.quota >= 0).any() or (self.bank_places >= 0).any())

    def is_big(self) -> bool:
        """So many pairs that a sample is worth its time."""
        return len(self.pairs) >= BIG

    def sample(self, one_in: int) -> "Market":
        """Every so many-th demand, as large a part of every limit (one place at least), and what is possible there."""
        places, bank_places = (np.where(one > 0, np.maximum(one // one_in, 1), one)
                               for one in (self.places, self.bank_places))  # fmt: skip
        quota = np.where(self.quota < 0, self.quota, self.quota // one_in)
        count = np.diff(self.offsets)[::one_in]
        start = np.cumsum(count) - count
        kept = np.repeat(self.offsets[:-1:one_in] - start, count) + np.arange(count.sum())
        owner, product = self.owner[kept], self.product[kept]
        fits = (quota[product] < 0) | (self.amount[owner] <= quota[product])
        kept, owner, product = kept[fits], owner[fits], product[fits]
        return replace(
            self,
            pairs=self.pairs[kept],
            offsets=np.searchsorted(owner, np.arange(len(self.amount) + 1)),
            owner=owner,
            product=product,
            value=self.value[kept],
            places=places,
            quota=quota,
            bank_places=bank_places,
        )


def market_of(problem: Problem, left: Stage) -> Market:
    """The market of a stage. A money line that all suitors together cannot reach is left out."""
    pairs, owner, product, value, offsets, asked = pack(
        possible(problem, left), problem.pair_demand, problem.pair_product, problem.value, problem.amount_fen,
        len(problem.product_id),
    )  # fmt: skip
    quota = np.where((left.quota >= 0) & (asked <= left.quota), -1, left.quota)
    market = Market(
        pairs=pairs,
        offsets=offsets,
        owner=owner,
        product=product,
        value=value,
        amount=problem.amount_fen,
        lines=left.lines,
        product_bank=problem.product_bank,
        places=left.places,
        quota=quota,
        bank_places=left.bank_places,
        fineness=FINENESS,
    )
    if not market.is_big():
        return market
    return replace(market, fineness=LIMITED if market.is_limited() else COARSE)


@nb.njit(cache=True)
def pack(  # pragma: no cover  one pass, compiled
    kept: Any, pair_demand: Any, pair_product: Any, value: Any, amount: Any, products: Any
) -> Any:
    """The kept pairs as columns, where each demand's begin, and the fen all suitors of a product ask together."""
    count = kept.sum()
    pairs, owner, product = np.empty(count, np.int64), np.empty(count, np.int32), np.empty(count, np.int32)
    worth, offsets, asked = np.empty(count), np.zeros(len(amount) + 1, np.int64), np.zeros(products, np.int64)
    place = 0
    for pair in range(len(kept)):
        if kept[pair]:
            demand = pair_demand[pair]
            pairs[place], owner[place], product[place] = pair, demand, pair_product[pair]
            worth[place] = value[pair]
            asked[pair_product[pair]] += amount[demand]
            offsets[demand + 1] += 1
            place += 1
    for demand in range(len(amount)):
        offsets[demand + 1] += offsets[demand]
    return pairs, owner, product, worth, offsets, asked
