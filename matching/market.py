"""One stage as the compiled code sees it: its possible pairs as columns, an auction over them, a polish of prices."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matching import auction, polish
from matching.stages import Stage, possible
from matching.terms import Floats, Ints, Prices, Problem

FINENESS, BIG_FINENESS, BIG = 1e-3, 2e-2, 500_000
"""The auction's step as a share of the mean value on offer, coarser from so many pairs on: the gap is at most that per
line, and was seen to be a hundredth of it."""

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
        chosen, price, money, bank_price, _ = auction.run(
            self.offsets, self.product, self.value, self.amount, self.lines, self.product_bank, self.places, self.quota,
            self.bank_places, bank_first, bank_products, heap_first, order, start.product, start.quota,
            self.fineness * float(self.value.mean()), MOST_BIDS_PER_PAIR * len(self.value) + 10_000,
        )  # fmt: skip
        return self.pairs[chosen], Prices(price, money, bank_price)

    def polished(self, prices: Prices, sweeps: int) -> Prices:
        """The same prices made tighter by so many rounds of coordinate descent."""
        price, money, bank_price = prices.product.copy(), prices.quota.copy(), prices.bank.copy()
        by_product = np.argsort(self.product, kind="stable")
        product_first = np.searchsorted(self.product[by_product], np.arange(len(self.places) + 1))
        bank = self.product_bank[self.product]
        by_bank = np.argsort(bank, kind="stable")
        bank_first = np.searchsorted(bank[by_bank], np.arange(len(self.bank_places) + 1))
        for _ in range(sweeps):
            polish.sweep(
                self.offsets, self.owner, self.product, self.value, self.amount, self.lines, self.product_bank,
                self.places, self.quota, self.bank_places, by_product, product_first, by_bank, bank_first,
                price, money, bank_price,
            )  # fmt: skip
        return Prices(price, money, bank_price)

    def is_cheap(self) -> bool:
        """Small and without a money line that could bind: one auction comes as near the optimum as its step allows."""
        return not self.is_big() and not bool((self.quota >= 0).any())

    def is_big(self) -> bool:
        """So many pairs that a sample is worth its time."""
        return len(self.pairs) >= BIG

    def sample(self, one_in: int) -> "Market":
        """Every so many-th demand, with as large a part of every limit."""
        kept = self.owner % one_in == 0
        owner = self.owner[kept]
        return replace(
            self,
            pairs=self.pairs[kept],
            offsets=np.searchsorted(owner, np.arange(len(self.amount) + 1)),
            owner=owner,
            product=self.product[kept],
            value=self.value[kept],
            places=self.places // one_in,
            quota=np.where(self.quota < 0, self.quota, self.quota // one_in),
            bank_places=np.where(self.bank_places < 0, self.bank_places, self.bank_places // one_in),
        )


def market_of(problem: Problem, left: Stage) -> Market:
    """The market of a stage. A money line that all suitors together cannot reach is left out."""
    pairs = np.flatnonzero(possible(problem, left))
    owner, product = problem.pair_demand[pairs], problem.pair_product[pairs]
    asked = np.zeros(len(problem.product_id), np.int64)
    np.add.at(asked, product, problem.amount_fen[owner])
    return Market(
        pairs=pairs,
        offsets=np.searchsorted(owner, np.arange(len(problem.demand_id) + 1)),
        owner=owner.astype(np.int32),
        product=product.astype(np.int32),
        value=problem.value[pairs],
        amount=problem.amount_fen,
        lines=left.lines,
        product_bank=problem.product_bank,
        places=left.places,
        quota=np.where((left.quota >= 0) & (asked <= left.quota), -1, left.quota),
        bank_places=left.bank_places,
        fineness=FINENESS if len(pairs) < BIG else BIG_FINENESS,
    )
