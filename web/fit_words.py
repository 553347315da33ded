"""Which products take a demand and what the others miss, as its firm reads it: by bank, the nearest first.

The line a bank draws on the risk estimate is its own affair: the firm reads that it is not met, never the number.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matching.fit import Failed, Fit
from web.language import SOURCE, gettext, spoken

SECRET = frozenset({"probability"})
"""Criteria whose line a bank does not publish."""


@dataclass(frozen=True)
class Offer:
    """One product (an `overview.list_products` row) and what the demand misses for it; nothing where it fits."""

    product: Any
    missing: tuple[str, ...]


@dataclass(frozen=True)
class OfBank:
    """One bank's products that fit, or that do not."""

    bank: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Fits:
    """All products on offer; banks stand in the order of their nearest product."""

    fitting: tuple[OfBank, ...]
    near: tuple[OfBank, ...]

    @property
    def fitting_count(self) -> int:
        """How many products take the demand."""
        return sum(len(one.offers) for one in self.fitting)

    @property
    def near_count(self) -> int:
        """How many do not."""
        return sum(len(one.offers) for one in self.near)

    @property
    def count(self) -> int:
        """How many products are on offer; 0 where nothing was compared."""
        return self.fitting_count + self.near_count


def tell_fits(fits: Sequence[Fit], products: Iterable[Any]) -> Fits:
    """`fits`: as `fit_all` orders them; `products`: rows with id, name, bank_name and rate_min."""
    by_id = {one.id: one for one in products}
    offers = [
        (one.passes, Offer(by_id[one.product_id], tuple(missing(failed) for failed in one.failed)))
        for one in fits
        if one.product_id in by_id
    ]
    return Fits(
        _by_bank(offer for passes, offer in offers if passes), _by_bank(offer for passes, offer in offers if not passes)
    )


def missing(failed: Failed) -> str:
    """One failed criterion in a sentence."""
    if failed.criterion in SECRET:
        if failed.state == "known":
            return gettext("风险评估没有达到这家银行的风险线")
        return gettext("还没有风险评估，无法与这家银行的风险线比较")
    return failed.sentence_zh if spoken() == SOURCE else failed.sentence_en


def _by_bank(offers: Iterable[Offer]) -> tuple[OfBank, ...]:
    banks: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        banks[offer.product.bank_name].append(offer)
    return tuple(OfBank(bank, tuple(mine)) for bank, mine in banks.items())
