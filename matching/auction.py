"""The auction: demands bid for places, prices rise, and the prices prove how good the result is (compiled).

One stage is: share out places so that the sum of values is as large as possible; a demand takes at most so many lines,
at distinct banks; a product and a bank have places; a product may have a money line. Demands bid in turn (Bertsekas's
auction for the transportation problem): a demand short of a line bids for its best bank at today's prices, up to the
profit of the best bank it would otherwise do without, plus eps; the lowest bid gives way. Banks under a limit
of lines are gross substitutes: rising prices lead to within (lines × eps) of the optimum where no money line binds.
A money line evicts by bid per fen, and its price per fen only rises. A product with room has price zero.
"""

from typing import Any

import numba as nb
import numpy as np

NO_LIMIT = -1


@nb.njit(cache=True)
def _sift_up(heap_bid: Any, heap_pair: Any, first: Any, place: Any) -> None:  # pragma: no cover  compiled
    bid, pair = heap_bid[first + place], heap_pair[first + place]
    while place > 0:
        parent = (place - 1) // 2
        above, over = heap_bid[first + parent], heap_pair[first + parent]
        if above < bid or (above == bid and over > pair):
            break
        heap_bid[first + place], heap_pair[first + place] = above, over
        place = parent
    heap_bid[first + place], heap_pair[first + place] = bid, pair


@nb.njit(cache=True)
def _sift_down(heap_bid: Any, heap_pair: Any, first: Any, size: Any, place: Any) -> None:  # pragma: no cover  compiled
    bid, pair = heap_bid[first + place], heap_pair[first + place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        right = child + 1
        if right < size:
            left_bid, right_bid = heap_bid[first + child], heap_bid[first + right]
            if right_bid < left_bid or (right_bid == left_bid and heap_pair[first + right] > heap_pair[first + child]):
                child = right
        low, under = heap_bid[first + child], heap_pair[first + child]
        if low > bid or (low == bid and under < pair):
            break
        heap_bid[first + place], heap_pair[first + place] = low, under
        place = child
    heap_bid[first + place], heap_pair[first + place] = bid, pair


@nb.njit(cache=True)
def _survey(  # noqa: C901, PLR0912  pragma: no cover  compiled
    first: Any, last: Any, pair_product: Any, value: Any, cost: Any, money: Any, asked: Any, product_bank: Any,
    chosen: Any, held: Any, my_bank: Any, best_profit: Any, best_bank: Any, best_pair: Any, wanted: Any,
) -> Any:  # fmt: skip
    """A demand's most profitable pair at each of its `wanted` best banks, best first; a held bank by the pair held."""
    mine = 0
    if held > 0:
        for pair in range(first, last):
            if chosen[pair]:
                my_bank[mine] = product_bank[pair_product[pair]]
                mine += 1
    found = 0
    for pair in range(first, last):
        product = pair_product[pair]
        profit = value[pair] - cost[product] - money[product] * asked
        if found == wanted and profit <= best_profit[found - 1]:
            continue
        bank = product_bank[product]
        if mine > 0 and not chosen[pair]:
            closed = False
            for other in range(mine):
                closed = closed or my_bank[other] == bank
            if closed:
                continue
        place = found
        for other in range(found):
            if best_bank[other] == bank:
                place = other
                break
        if place < found:
            if profit <= best_profit[place]:
                continue
        elif found < wanted:
            found += 1
        else:
            place = found - 1
        while place > 0 and best_profit[place - 1] < profit:
            best_profit[place] = best_profit[place - 1]
            best_bank[place] = best_bank[place - 1]
            best_pair[place] = best_pair[place - 1]
            place -= 1
        best_profit[place], best_bank[place], best_pair[place] = profit, bank, pair
    return found


@nb.njit(cache=True)
def _sibling(  # pragma: no cover  compiled
    first: Any, last: Any, pair: Any, pair_product: Any, value: Any, cost: Any, money: Any, asked: Any,
    product_bank: Any,
) -> Any:  # fmt: skip
    """The best profit at another product of the same bank, at least 0."""
    best, bank = 0.0, product_bank[pair_product[pair]]
    for other in range(first, last):
        product = pair_product[other]
        if other != pair and product_bank[product] == bank:
            best = max(best, value[other] - cost[product] - money[product] * asked)
    return best


@nb.njit(cache=True)
def _leave(  # pragma: no cover  compiled
    product: Any, place: Any, heap_bid: Any, heap_pair: Any, heap_first: Any, used: Any, bank_used: Any, spent: Any,
    product_bank: Any, owner: Any, amount: Any,
) -> Any:  # fmt: skip
    """Take the holder at a place out of a product's heap; the caller restores the heap's order. Returns its pair."""
    first = heap_first[product]
    pair = heap_pair[first + place]
    used[product] -= 1
    bank_used[product_bank[product]] -= 1
    spent[product] -= amount[owner[pair]]
    heap_bid[first + place] = heap_bid[first + used[product]]
    heap_pair[first + place] = heap_pair[first + used[product]]
    return pair


@nb.njit(cache=True)
def _thinnest(  # pragma: no cover  compiled
    heap_bid: Any, heap_pair: Any, first: Any, size: Any, owner: Any, amount: Any, reserve: Any
) -> Any:
    """The holder with the lowest bid per fen beyond the price of the place, and that bid."""
    weakest, least = 0, np.inf
    for place in range(size):
        density = (heap_bid[first + place] - reserve) / max(amount[owner[heap_pair[first + place]]], 1)
        if density < least:
            weakest, least = place, density
    return weakest, max(least, 0.0)


@nb.njit(cache=True)
def _weakest_product(  # pragma: no cover  compiled
    bank: Any, bank_first: Any, bank_products: Any, used: Any, heap_bid: Any, heap_first: Any
) -> Any:
    """The product of a bank with the lowest bid among its holders, -1 where nobody holds."""
    weakest = -1
    for position in range(bank_first[bank], bank_first[bank + 1]):
        product = bank_products[position]
        if used[product] > 0 and (weakest < 0 or heap_bid[heap_first[product]] < heap_bid[heap_first[weakest]]):
            weakest = product
    return weakest


@nb.njit(cache=True)
def _reprice(  # pragma: no cover  compiled
    bank: Any, bank_first: Any, bank_products: Any, used: Any, places: Any, bank_used: Any, bank_places: Any,
    heap_bid: Any, heap_first: Any, reserve: Any, cost: Any,
) -> None:  # fmt: skip
    """What a place costs now at each product of a bank, money apart: the lowest bid of a full product, or full bank."""
    floor = 0.0
    if bank_places[bank] >= 0 and bank_used[bank] >= bank_places[bank]:
        weakest = _weakest_product(bank, bank_first, bank_products, used, heap_bid, heap_first)
        floor = heap_bid[heap_first[weakest]] if weakest >= 0 else 0.0
    for position in range(bank_first[bank], bank_first[bank + 1]):
        product = bank_products[position]
        full = used[product] >= places[product] and used[product] > 0
        least = max(reserve[product], floor)
        cost[product] = max(heap_bid[heap_first[product]], least) if full else least


@nb.njit(cache=True)
def run(  # noqa: C901, PLR0912, PLR0915  pragma: no cover  one loop, compiled
    offsets: Any, pair_product: Any, value: Any, amount: Any, lines: Any, product_bank: Any, places: Any, quota: Any,
    bank_places: Any, bank_first: Any, bank_products: Any, heap_first: Any, order: Any, price_from: Any,
    money_from: Any, eps: float, most_bids: int,
) -> Any:  # fmt: skip
    """Run one stage to its end, on pairs that are possible (see `stages.possible`).

    offsets[n+1], pair_product[k], value[k], amount[n] fen, lines[n]; product_bank[m], places[m], quota[m] fen (-1:
    none), bank_places[b] (-1: none); bank_products[bank_first[b]:bank_first[b+1]]; heap_first[m+1] leaves room for each
    product's holders and one more; order in which demands bid; price_from[m] and money_from[m] least prices per place
    and per fen. Returns chosen[k] (bool), price[m] per place, money[m] per fen, bank_price[b], bids made.
    """
    demands, products, banks = len(offsets) - 1, len(places), len(bank_places)
    chosen, owner = np.zeros(len(value), np.bool_), np.empty(len(value), np.int32)
    heap_bid, heap_pair = np.zeros(heap_first[products]), np.empty(heap_first[products], np.int64)
    used, bank_used, spent = np.zeros(products, np.int64), np.zeros(banks, np.int64), np.zeros(products, np.int64)
    reserve, money, held = price_from.copy(), money_from.copy(), np.zeros(demands, np.int64)
    cost = reserve.copy()
    top = lines.max() + 1
    best_profit, best_bank, best_pair = np.empty(top), np.empty(top, np.int64), np.empty(top, np.int64)
    my_bank, out = np.empty(top, np.int64), np.empty(1, np.int64)
    queue, waiting = np.empty(demands, np.int64), np.zeros(demands, np.bool_)
    head, length, bids = 0, 0, 0
    for demand in range(demands):
        owner[offsets[demand] : offsets[demand + 1]] = demand
    for position in range(len(order)):
        demand = order[position]
        if lines[demand] > 0 and offsets[demand + 1] > offsets[demand]:
            queue[length] = demand
            waiting[demand] = True
            length += 1
    while length > 0 and bids < most_bids:
        demand = queue[head]
        head = head + 1 if head + 1 < demands else 0
        length -= 1
        waiting[demand] = False
        first, last, asked = offsets[demand], offsets[demand + 1], amount[demand]
        while held[demand] < lines[demand] and bids < most_bids:
            wanted = lines[demand] + 1
            found = _survey(
                first, last, pair_product, value, cost, money, asked, product_bank, chosen, held[demand], my_bank,
                best_profit, best_bank, best_pair, wanted,
            )  # fmt: skip
            target = 0
            while target < found and chosen[best_pair[target]]:
                target += 1
            if target == found or best_profit[target] <= 0.0:
                break
            pair, bank = best_pair[target], best_bank[target]
            product = int(pair_product[pair])
            rival = max(best_profit[wanted - 1], 0.0) if found == wanted else 0.0
            if bank_first[bank + 1] - bank_first[bank] > 1:
                rival = max(rival, _sibling(first, last, pair, pair_product, value, cost, money, asked, product_bank))
            bid = value[pair] - money[product] * asked - min(rival, best_profit[target]) + eps
            bids += 1
            start = heap_first[product]
            losers = 0
            if used[product] >= places[product]:
                out[0], losers = heap_pair[start], 1
                heap_bid[start], heap_pair[start] = bid, pair
                _sift_down(heap_bid, heap_pair, start, used[product], 0)
                used[product] -= 1
                bank_used[bank] -= 1
                spent[product] -= amount[owner[out[0]]]
            else:
                if bank_places[bank] >= 0 and bank_used[bank] >= bank_places[bank]:
                    weakest = _weakest_product(bank, bank_first, bank_products, used, heap_bid, heap_first)
                    out[0] = _leave(
                        weakest, 0, heap_bid, heap_pair, heap_first, used, bank_used, spent, product_bank, owner, amount
                    )
                    losers = 1
                    _sift_down(heap_bid, heap_pair, heap_first[weakest], used[weakest], 0)
                heap_bid[start + used[product]], heap_pair[start + used[product]] = bid, pair
                _sift_up(heap_bid, heap_pair, start, used[product])
            used[product] += 1
            bank_used[bank] += 1
            spent[product] += asked
            chosen[pair] = True
            held[demand] += 1
            while losers > 0 or (quota[product] >= 0 and spent[product] > quota[product]):
                if losers == 0:
                    # Too much money: the lowest bid per fen gives way, and the price per fen rises by it.
                    if used[product] >= places[product]:
                        reserve[product] = max(reserve[product], heap_bid[start])
                    weak, rise = _thinnest(heap_bid, heap_pair, start, used[product], owner, amount, reserve[product])
                    out[0] = _leave(
                        product,
                        weak,
                        heap_bid,
                        heap_pair,
                        heap_first,
                        used,
                        bank_used,
                        spent,
                        product_bank,
                        owner,
                        amount,
                    )
                    money[product] += rise
                    for place in range(used[product]):
                        heap_bid[start + place] -= rise * amount[owner[heap_pair[start + place]]]
                    for place in range(used[product] // 2 - 1, -1, -1):
                        _sift_down(heap_bid, heap_pair, start, used[product], place)
                losers = 0
                loser = owner[out[0]]
                chosen[out[0]] = False
                held[loser] -= 1
                if not waiting[loser] and loser != demand:
                    position = head + length
                    queue[position - demands if position >= demands else position] = loser
                    waiting[loser] = True
                    length += 1
            _reprice(
                bank,
                bank_first,
                bank_products,
                used,
                places,
                bank_used,
                bank_places,
                heap_bid,
                heap_first,
                reserve,
                cost,
            )
    price, bank_price = np.zeros(products), np.zeros(banks)
    for bank in range(banks):
        if bank_places[bank] >= 0 and bank_used[bank] >= bank_places[bank]:
            weakest = _weakest_product(bank, bank_first, bank_products, used, heap_bid, heap_first)
            bank_price[bank] = max(heap_bid[heap_first[weakest]], 0.0) if weakest >= 0 else 0.0
    for product in range(products):
        price[product] = reserve[product]
        if used[product] >= places[product] and used[product] > 0:
            price[product] = max(heap_bid[heap_first[product]] - bank_price[product_bank[product]], 0.0)
    return chosen, price, money, bank_price, bids
