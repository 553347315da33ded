"""Makes dual prices tighter, one product or bank at a time (compiled): coordinate descent on the bound of one stage.

With all other prices fixed, a product's own part of the bound is λ·places + ρ·quota + Σ max(0, s - λ - ρ·amount) over
its suitors, s being what the product is worth to a suitor beyond its best alternative. For a given ρ the best λ is the
places-th largest of s - ρ·amount (or 0); the whole is convex in ρ, so a golden-section search finds the best pair.
"""

from typing import Any

import numba as nb
import numpy as np

GOLDEN = 0.6180339887498949
SEARCHES, FEW_SEARCHES = 40, 10
"""Steps of a search over all prices, and over those near the one it starts from: to one in 10⁸, and in a hundred."""


@nb.njit(cache=True)
def _surplus(  # noqa: C901, PLR0912  pragma: no cover  compiled
    pair: Any, whole_bank: Any, demand: Any, offsets: Any, pair_product: Any, value: Any, amount: Any, lines: Any,
    product_bank: Any, price: Any, money: Any, bank_price: Any, best: Any, banks: Any,
) -> Any:  # fmt: skip
    """What a pair (or its whole bank) is worth to its demand beyond the best alternative, own price left out."""
    bank, wanted = product_bank[pair_product[pair]], lines[demand]
    found, sibling, own = 0, 0.0, 0.0
    for other in range(offsets[demand], offsets[demand + 1]):
        product = pair_product[other]
        there = product_bank[product]
        profit = value[other] - price[product] - money[product] * amount[demand]
        if there == bank:
            if whole_bank:
                own = max(own, profit)
            elif other != pair:
                sibling = max(sibling, profit - bank_price[bank])
            continue
        profit -= bank_price[there]
        if profit <= 0.0:
            continue
        place = found
        for known in range(found):
            if banks[known] == there:
                place = known
        if place < found:
            if profit <= best[place]:
                continue
        elif found < wanted:
            found += 1
        elif profit > best[found - 1]:
            place = found - 1
        else:
            continue
        while place > 0 and best[place - 1] < profit:
            best[place], banks[place] = best[place - 1], banks[place - 1]
            place -= 1
        best[place], banks[place] = profit, there
    rival = best[wanted - 1] if found >= wanted else 0.0
    if whole_bank:
        return own - rival
    return value[pair] - bank_price[bank] - max(rival, sibling)


@nb.njit(cache=True)
def _best_price(surplus: Any, places: Any) -> Any:  # pragma: no cover  compiled
    """The price at which just as many suitors as there are places have something to gain; reorders `surplus`.

    Hoare's selection of the (places + 1)-th largest, written out because numpy's own takes long to compile.
    """
    if len(surplus) <= places:
        return 0.0
    low, high = 0, len(surplus) - 1
    while low < high:
        pivot = surplus[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while surplus[left] > pivot:
                left += 1
            while surplus[right] < pivot:
                right -= 1
            if left <= right:
                surplus[left], surplus[right] = surplus[right], surplus[left]
                left += 1
                right -= 1
        if places <= right:
            high = right
        elif places >= left:
            low = left
        else:
            break
    return max(surplus[places], 0.0)


@nb.njit(cache=True)
def _part(surplus: Any, asked: Any, rho: Any, places: Any, quota: Any, net: Any) -> Any:  # pragma: no cover  compiled
    """A product's part of the bound at a price per fen, with the best price per place; both. `net` is scratch."""
    for place in range(len(surplus)):
        net[place] = surplus[place] - rho * asked[place]
    price = _best_price(net, places)
    total = price * places + rho * quota
    for place in range(len(net)):
        total += max(net[place] - price, 0.0)
    return total, price


@nb.njit(cache=True)
def _best_money(surplus: Any, asked: Any, places: Any, quota: Any, start: Any) -> Any:  # pragma: no cover  compiled
    """Golden-section search for the price per fen, around the one it starts from; never worse than that one."""
    net = np.empty(len(surplus))
    low, high = 0.0, 0.0
    for place in range(len(surplus)):
        high = max(high, surplus[place] / max(asked[place], 1.0))
    best, least = start, _part(surplus, asked, start, places, quota, net)[0]
    if start > 0.0:
        # The whole is convex: between two prices that are worse than the one in the middle lies the best.
        step = 0.5 * start
        while start - step > 0.0 and _part(surplus, asked, start - step, places, quota, net)[0] < least:
            step *= 2.0
        low = max(start - step, 0.0)
        step = 0.5 * start
        while start + step < high and _part(surplus, asked, start + step, places, quota, net)[0] < least:
            step *= 2.0
        high = min(start + step, high)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = (
        _part(surplus, asked, left, places, quota, net)[0],
        _part(surplus, asked, right, places, quota, net)[0],
    )
    for _ in range(FEW_SEARCHES if start > 0.0 else SEARCHES):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = _part(surplus, asked, left, places, quota, net)[0]
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = _part(surplus, asked, right, places, quota, net)[0]
    for rho in (0.0, left, right):
        total = _part(surplus, asked, rho, places, quota, net)[0]
        if total < least:
            best, least = rho, total
    return best


@nb.njit(cache=True)
def sweep(  # pragma: no cover  compiled
    offsets: Any, owner: Any, pair_product: Any, value: Any, amount: Any, lines: Any, product_bank: Any, places: Any,
    quota: Any, bank_places: Any, by_product: Any, product_first: Any, by_bank: Any, bank_first: Any, price: Any,
    money: Any, bank_price: Any,
) -> None:  # fmt: skip
    """One round over all products and banks, changing price, money and bank_price in place; the bound never grows.

    Pairs as in `auction.run`; owner[k] their demand; by_product[product_first[p]:…] and by_bank[bank_first[b]:…] list
    the pairs of each, those of a bank in order of demand.
    """
    most = max(lines.max(), 1)
    best, banks = np.empty(most + 1), np.empty(most + 1, np.int64)
    for product in range(len(places)):
        first, last = product_first[product], product_first[product + 1]
        surplus, asked = np.empty(last - first), np.empty(last - first)
        for position in range(first, last):
            pair = by_product[position]
            asked[position - first] = amount[owner[pair]]
            surplus[position - first] = _surplus(
                pair, False, owner[pair], offsets, pair_product, value, amount, lines, product_bank, price, money,
                bank_price, best, banks,
            )  # fmt: skip
        if last > first:
            if quota[product] >= 0:
                money[product] = _best_money(surplus, asked, places[product], float(quota[product]), money[product])
            price[product] = _part(surplus, asked, money[product], places[product], 0.0, asked.copy())[1]
    for bank in range(len(bank_places)):
        first, last = bank_first[bank], bank_first[bank + 1]
        if bank_places[bank] < 0 or last == first:
            continue
        surplus = np.empty(last - first)
        found, before = 0, -1
        for position in range(first, last):
            pair = by_bank[position]
            if owner[pair] != before:
                before = owner[pair]
                surplus[found] = _surplus(
                    pair, True, before, offsets, pair_product, value, amount, lines, product_bank, price, money,
                    bank_price, best, banks,
                )  # fmt: skip
                found += 1
        bank_price[bank] = _best_price(surplus[:found], bank_places[bank])
