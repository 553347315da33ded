"""Random days to share out, drawn by hypothesis or from a seed, and the true optimum of the small ones."""

from collections import Counter

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from matching.allocate import allocate
from matching.certificate import certify
from matching.problem import pose

URGENT_DAYS = 5


@st.composite
def days(draw, plain=False):
    """The four tables of a small day; values in tenths, so that ties are common. Plain: no intended pairs, nothing
    waits too long, no floors: only limits, so that one sum is the whole aim.
    """
    demands, products, banks = draw(st.integers(1, 8)), draw(st.integers(1, 5)), draw(st.integers(1, 4))

    def column(values, count):
        return draw(st.lists(values, min_size=count, max_size=count))

    kinds = column(st.sampled_from(["none", "none", "fits", "fits", "excluded", *(() if plain else ("intended",))]),
                   demands * products)  # fmt: skip
    grid = [(demand, product) for demand in range(demands) for product in range(products)]
    pairs = [(*pair, kind) for pair, kind in zip(grid, kinds, strict=True) if kind != "none"]
    return (
        {
            "demand_id": [3 * one + 11 for one in range(demands)],
            "amount_fen": column(st.integers(1, 9), demands),
            "waited_days": [0] * demands if plain else column(st.integers(0, 9), demands),
            "open_lines": column(st.integers(0, 2), demands),
        },
        {
            "product_id": [7 * one + 100 for one in range(products)],
            "bank_id": column(st.integers(1, banks), products),
            "places": column(st.integers(0, 4), products),
            "quota_fen": column(st.none() | st.integers(0, 20), products),
            "floor": [0] * products if plain else column(st.integers(0, 2), products),
        },
        {
            "demand_id": [3 * demand + 11 for demand, _, _ in pairs],
            "product_id": [7 * product + 100 for _, product, _ in pairs],
            "value": [tenths / 10 for tenths in column(st.integers(-1, 9), len(pairs))],
            "p_grant": [0.5] * len(pairs),
            "intended": [kind == "intended" for *_, kind in pairs],
            "excluded": [kind == "excluded" for *_, kind in pairs],
        },
        {"bank_id": list(range(1, banks + 1)), "places": column(st.none() | st.integers(0, 6), banks)},
    )


def day_of(seed, demands=30, products=6, banks=4, plain=False):
    """A random day of any size. Plain: no intended pairs, money lines, floors, waiting rule or bank places."""
    draw = np.random.default_rng(seed)
    grid = [(d, p) for d in range(demands) for p in range(products) if draw.random() < 0.5]
    grid = grid or [(0, 0)]
    demand, product = np.array(grid).T
    amount = draw.integers(1, 40, demands) * 1_000_000
    rich = draw.random(products) < 0.5
    return (
        {
            "demand_id": np.arange(demands) * 3 + 11,
            "amount_fen": amount,
            "waited_days": draw.integers(0, 9, demands),
            "open_lines": np.zeros(demands, int) if plain else draw.integers(0, 3, demands),
        },
        {
            "product_id": np.arange(products) * 7 + 100,
            "bank_id": draw.integers(0, banks, products) + 1,
            "places": draw.integers(0, 9, products),
            "quota_fen": np.where(rich | plain, -1, draw.integers(0, 150, products) * 1_000_000),
            "floor": np.zeros(products, int) if plain else draw.integers(0, 4, products),
        },
        {
            "demand_id": demand * 3 + 11,
            "product_id": product * 7 + 100,
            "value": np.round(draw.random(len(grid)) - 0.05, 3),
            "p_grant": draw.random(len(grid)),
            "intended": (draw.random(len(grid)) < 0.15) & (not plain),
            "excluded": (draw.random(len(grid)) < 0.1) & (not plain),
        },
        None if plain else {"bank_id": [1, 2], "places": draw.integers(0, 10, 2)},
    )


def posed(seed, urgent_days=None, **shape):
    return pose(*day_of(seed, **shape), urgent_days=urgent_days)


def certified(problem, **how):
    allocation = allocate(problem, **how)
    return allocation, certify(problem, allocation.lines, allocation.prices)


def crowded_day():
    """Places and money short together at half of the products, as on a day when every bank is nearly full."""
    draw = np.random.default_rng(4)
    demands, products = 600, 12
    grid = np.argwhere(draw.random((demands, products)) < 0.45)
    return pose(
        {"demand_id": np.arange(demands), "amount_fen": draw.integers(10, 300, demands) * 10**6,
         "waited_days": np.zeros(demands, int)},
        {"product_id": np.arange(products), "bank_id": np.arange(products) % 6, "places": np.full(products, 60),
         "quota_fen": np.where(np.arange(products) % 2, 60 * 10**8, -1), "floor": np.zeros(products, int)},
        {"demand_id": grid[:, 0], "product_id": grid[:, 1], "value": draw.random(len(grid)),
         "p_grant": np.full(len(grid), 0.5), "intended": np.zeros(len(grid), bool)},
    )  # fmt: skip


def exact(problem):
    """The true optimum of a plain day by integer programming: the referee of small worlds."""
    if not len(problem.value):
        return 0.0
    alive = ~problem.excluded & (problem.value > 0)
    rows, limits = [], []
    bank = problem.product_bank[problem.pair_product]
    for who in range(len(problem.demand_id)):
        rows.append(problem.pair_demand == who)
        limits.append(problem.lines_left[who])
        for at in np.unique(bank):
            rows.append((problem.pair_demand == who) & (bank == at))
            limits.append(1)
    for product in range(len(problem.product_id)):
        rows.append(problem.pair_product == product)
        limits.append(problem.places[product])
        if problem.quota_fen[product] >= 0:
            rows.append((problem.pair_product == product) * problem.amount_fen[problem.pair_demand])
            limits.append(problem.quota_fen[product])
    for at in range(len(problem.bank_id)):
        if problem.bank_places[at] >= 0:
            rows.append(bank == at)
            limits.append(problem.bank_places[at])
    value = np.where(alive, problem.value, -1.0)
    answer = milp(
        -value,
        constraints=LinearConstraint(np.array(rows, float), ub=np.array(limits, float)),
        integrality=np.ones(len(value)),
        bounds=(0, 1),
        options={"mip_rel_gap": 0},
    )
    return -answer.fun


class Ledger:
    """What some lines of a day use, counted line by line in plain Python, apart from solver and referee."""

    def __init__(self, tables, lines):
        self.demands, self.products, self.pairs, self.banks = ({}, {}, {}, {})
        demands, products, pairs, banks = tables
        for index in range(len(demands["demand_id"])):
            row = {name: column[index] for name, column in demands.items()}
            self.demands[row["demand_id"]] = row
        for index in range(len(products["product_id"])):
            row = {name: column[index] for name, column in products.items()}
            self.products[row["product_id"]] = row
        for index in range(len(pairs["demand_id"])):
            row = {name: column[index] for name, column in pairs.items()}
            self.pairs[row["demand_id"], row["product_id"]] = row
        self.banks = dict(zip(banks["bank_id"], banks["places"], strict=True))
        self.lines = [(line.demand_id, line.product_id) for line in lines]
        self.of_demand = Counter(demand for demand, _ in self.lines)
        self.of_product = Counter(product for _, product in self.lines)
        self.of_bank = Counter(self.bank(product) for _, product in self.lines)
        self.money = Counter()
        for demand, product in self.lines:
            self.money[product] += self.demands[demand]["amount_fen"]
        self.met = {(demand, self.bank(product)) for demand, product in self.lines}

    def bank(self, product):
        return self.products[product]["bank_id"]

    def lines_of(self, demand):
        return 3 - self.demands[demand]["open_lines"]

    def is_alive(self, pair):
        return pair in self.pairs and self.pairs[pair]["value"] > 0 and not self.pairs[pair]["excluded"]

    def is_kept(self):
        """Every line alive and once, banks distinct, no limit passed."""
        return (
            all(self.is_alive(line) for line in self.lines)
            and len(set(self.lines)) == len(self.lines) == len(self.met)
            and all(count <= self.lines_of(demand) for demand, count in self.of_demand.items())
            and all(count <= self.products[product]["places"] for product, count in self.of_product.items())
            and all(self.banks[bank] is None or count <= self.banks[bank] for bank, count in self.of_bank.items())
            and all(self._quota(product) is None or fen <= self._quota(product) for product, fen in self.money.items())
        )

    def has_room(self, demand, product):
        """Whether this pair could be added to the lines."""
        bank, quota = self.bank(product), self._quota(product)
        return (
            (demand, bank) not in self.met
            and self.of_demand[demand] < self.lines_of(demand)
            and self.of_product[product] < self.products[product]["places"]
            and (self.banks[bank] is None or self.of_bank[bank] < self.banks[bank])
            and (quota is None or self.money[product] + self.demands[demand]["amount_fen"] <= quota)
        )

    def _quota(self, product):
        return self.products[product]["quota_fen"]
