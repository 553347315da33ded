"""The sharing out keeps every rule in random worlds, proves how good it is, and does not mind the order of rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from matching.allocate import allocate
from matching.certificate import Certificate, certify
from matching.problem import ProblemError, lines_of, pose
from matching.terms import Line


def world(seed, demands=30, products=6, banks=4, plain=False):
    """A random day. Plain: no intended pairs, money lines, floors, waiting rule or bank places."""
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
    demands, products, pairs, banks = world(seed, **shape)
    return pose(demands, products, pairs, banks, urgent_days=urgent_days)


def certified(problem, **how):
    allocation = allocate(problem, **how)
    return allocation, certify(problem, allocation.lines, allocation.prices)


@pytest.mark.parametrize("hundred", range(20))
def test_two_thousand_random_days_break_no_rule(hundred):
    for seed in range(100 * hundred, 100 * hundred + 100):
        shape = {"demands": 1 + seed % 37, "products": 1 + seed % 9, "banks": 1 + seed % 5}
        problem = posed(seed, urgent_days=(None, 5)[seed % 2], **shape)
        allocation, certificate = certified(problem, seed=seed % 3)
        assert certificate.breaches == (), seed
        assert certificate.value <= certificate.bound + 1e-9
        assert abs(certificate.value - allocation.value) < 1e-9


def exact(problem):
    """The true optimum of a plain day by integer programming: the referee of small worlds."""
    alive = ~problem.excluded & (problem.value > 0)
    rows = []
    limits = []
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
    )
    return -answer.fun


@pytest.mark.parametrize("seed", range(60))
def test_a_plain_day_is_within_its_gap_of_the_true_optimum(seed):
    problem = posed(seed, plain=True, demands=25, products=5, banks=3)
    _, certificate = certified(problem)
    best = exact(problem)
    assert best <= certificate.bound + 1e-6
    assert certificate.value >= best * (1 - 0.001) - 1e-9
    assert certificate.gap <= 0.002


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_holds_against_the_true_optimum_with_money_and_bank_places(seed):
    demands, products, pairs, banks = world(seed, demands=14, products=4, banks=3)
    pairs["intended"] = np.zeros(len(pairs["intended"]), bool)
    products["floor"] = np.zeros(4, int)
    problem = pose(demands, products, pairs, banks)
    _, certificate = certified(problem)
    best = exact(problem)
    assert certificate.value <= best + 1e-6 <= certificate.bound + 2e-6


@pytest.mark.parametrize("seed", range(60))
def test_one_more_place_never_costs_more_than_the_certified_gap(seed):
    demands, products, pairs, banks = world(seed, plain=True, demands=20, products=4)
    _, before = certified(pose(demands, products, pairs, banks))
    products["places"] = products["places"] + (np.arange(4) == seed % 4)
    _, after = certified(pose(demands, products, pairs, banks))
    assert after.value >= before.value - (after.bound - after.value) - 1e-9


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.randoms())
def test_the_order_of_rows_changes_nothing(seed, shuffle):
    demands, products, pairs, banks = world(seed, demands=25)

    def mixed(table):
        rows = list(range(len(next(iter(table.values())))))
        shuffle.shuffle(rows)
        return {name: np.asarray(column)[rows] for name, column in table.items()}

    first = certified(pose(demands, products, pairs, banks))
    second = certified(pose(mixed(demands), mixed(products), mixed(pairs), banks))
    assert first[0].lines.rows() == second[0].lines.rows()
    assert first[1].to_json() == second[1].to_json()


def test_the_same_seed_gives_the_same_lists_and_bytes():
    problem = posed(5, demands=60, products=8)
    for seed in (0, 7):
        first, second = certified(problem, seed=seed), certified(problem, seed=seed)
        assert first[0].lines.rows() == second[0].lines.rows()
        assert first[1].to_json() == second[1].to_json()


def test_a_certificate_survives_storage():
    _, certificate = certified(posed(8, demands=40))
    assert Certificate.from_json(certificate.to_json()) == certificate
    with pytest.raises(ValueError, match="no certificate"):
        Certificate.from_json(b'{"value": 1}')


# --- one planted breach each ----------------------------------------------------------------------------------------


def small(**changes):
    """Two banks; product 1 and 2 at bank 10, product 3 at bank 20, product 4 at bank 30, product 5 at bank 40."""
    products = {
        "product_id": [1, 2, 3, 4, 5],
        "bank_id": [10, 10, 20, 30, 40],
        "places": [2, 2, 2, 2, 2],
        "quota_fen": [-1, -1, 500, -1, -1],
        "floor": [0, 0, 0, 0, 0],
    } | changes.pop("products", {})
    demands = {"demand_id": [1, 2, 3], "amount_fen": [300, 300, 100], "waited_days": [1, 2, 9]}
    grid = [(d, p) for d in (1, 2, 3) for p in (1, 2, 3, 4, 5) if (d, p) not in changes.pop("dead", [])]
    pairs = {
        "demand_id": [d for d, _ in grid],
        "product_id": [p for _, p in grid],
        "value": [1 / (d + p) for d, p in grid],
        "p_grant": [0.5] * len(grid),
        "intended": [pair in changes.get("intended", []) for pair in grid],
        "excluded": [pair in changes.get("excluded", []) for pair in grid],
    }
    return pose(demands, products, pairs, changes.get("banks"), urgent_days=changes.get("urgent_days"))


BANK = {1: 10, 2: 10, 3: 20, 4: 30, 5: 40}


def listed(*pairs):
    ranks = {}
    lines = []
    for demand, product in pairs:
        ranks[demand] = ranks.get(demand, 0) + 1
        lines.append(Line(demand, product, BANK.get(product, 10), ranks[demand]))
    return lines


def breaches(problem, lines):
    return certify(problem, lines, allocate(problem).prices).breaches


BREACHES = {
    "over places": (small(), listed((1, 1), (2, 1), (3, 1)), "product 1 has 3 lines on 2 places"),
    "over the bank's places": (
        small(banks={"bank_id": [10], "places": [1]}), listed((1, 1), (2, 2)), "bank 10 has 2 lines on 1 places",
    ),
    "over quota": (small(), listed((1, 3), (2, 3)), "product 3 reserves 600 fen of a quota of 500"),
    "a fourth bank": (small(), listed((1, 1), (1, 3), (1, 4), (1, 5)), "demand 1 has 4 lines, but 3 are left to it"),
    "the same bank twice": (small(), listed((1, 1), (1, 2)), "demand 1 stands twice at bank 10"),
    "the same line twice": (small(), listed((1, 1), (1, 1)), "the line stands there twice"),
    "a dead pair": (small(dead=[(1, 1)]), listed((1, 1)), "the demand does not fit the product"),
    "an excluded pair": (small(excluded=[(1, 1)]), listed((1, 1)), "the pair is excluded"),
    "an unknown product": (small(), listed((1, 9)), "nobody knows this demand or this product"),
    "another bank's product": (small(), [Line(1, 1, 20, 1)], "the product does not belong to this bank"),
    "a broken ranking": (small(), [Line(1, 1, 10, 2)], "demand 1: its lines are not ranked 1, 2"),
    "an intended pair passed over": (
        small(intended=[(3, 1)]), listed((1, 1), (2, 1)), "demand 3 at product 1: it named this bank, yet is left out",
    ),
    "a late demand passed over": (
        small(urgent_days=5), listed((1, 1), (2, 1)), "demand 3 at product 1: it has waited too long, yet is left out",
    ),
    "a product left under its floor": (
        small(products={"floor": [0, 0, 0, 0, 1]}), listed((1, 1)), "product 5 has 0 lines under its floor of 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("breach", BREACHES)
def test_the_certificate_catches(breach):
    problem, lines, sentence = BREACHES[breach]
    assert any(sentence in one for one in breaches(problem, lines)), breaches(problem, lines)


@pytest.mark.parametrize("breach", BREACHES)
def test_our_own_lists_of_the_same_day_have_no_breach(breach):
    problem = BREACHES[breach][0]
    assert breaches(problem, allocate(problem).lines) == ()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_line_moved_out_of_a_certified_list_changes_its_hash(seed, which):
    problem = posed(seed % 500)
    allocation, certificate = certified(problem)
    rows = list(allocation.lines.rows())
    if rows:
        rows.pop(which % len(rows))
        tampered = certify(problem, rows, allocation.prices)
        assert tampered.output_hash != certificate.output_hash
        assert tampered.input_hash == certificate.input_hash
        assert tampered.value < certificate.value


def test_prices_made_up_cannot_make_the_bound_too_low():
    problem = posed(3, plain=True, demands=20, products=4, banks=3)
    allocation = allocate(problem)
    best = exact(problem)
    draw = np.random.default_rng(0)
    for _ in range(50):
        fake = tuple(
            replace(one, product=draw.random(len(one.product)) * 2 - 0.5, bank=draw.random(len(one.bank)))
            for one in allocation.prices
        )
        assert certify(problem, allocation.lines, fake).bound >= best - 1e-9


# --- what the lists mean --------------------------------------------------------------------------------------------


def test_a_bank_takes_those_who_named_it_first_and_among_them_the_most_valuable():
    problem = small(products={"places": [1, 0, 0, 0, 0]}, intended=[(2, 1), (3, 1)])
    assert [(line.demand_id, line.product_id) for line in allocate(problem).lines.rows()] == [(2, 1)]


def test_a_late_demand_gets_a_line_before_more_valuable_ones():
    problem = small(products={"places": [1, 0, 0, 0, 0]}, urgent_days=9)
    assert [line.demand_id for line in allocate(problem).lines.rows()] == [3]


def test_a_floor_moves_the_line_that_loses_least():
    problem = small(products={"places": [2, 0, 2, 2, 2], "floor": [0, 0, 0, 0, 1]})
    lines = allocate(problem).lines.rows()
    assert any(line.product_id == 5 for line in lines)


def test_an_empty_day_has_empty_lists_and_a_certificate():
    problem = pose(
        {"demand_id": [1], "amount_fen": [5], "waited_days": [4]},
        {"product_id": [1], "bank_id": [1], "places": [0], "quota_fen": [None], "floor": [0]},
        {"demand_id": [1], "product_id": [1], "value": [0.5], "p_grant": [0.5], "intended": [False]},
    )
    _, certificate = certified(problem)
    assert (certificate.placed, certificate.value, certificate.gap, certificate.breaches) == (0, 0.0, 0.0, ())
    assert (certificate.unlisted, certificate.longest_wait) == (1, 4)


def test_starved_banks_are_named():
    certificate = certify(small(), lines_of([]), allocate(small()).prices)
    assert certificate.starved_banks == (10, 20, 30, 40)


FAULTS = {
    "a missing column": ("pairs", "value", None, "pairs: the column 'value' is missing"),
    "an empty value": ("pairs", "value", [0.5, float("nan")], "pairs: row 1, column 'value' is empty"),
    "an unknown demand": ("pairs", "demand_id", [1, 99], "pairs: row 1, column 'demand_id': nobody knows the id 99"),
    "an unknown product": ("pairs", "product_id", [8, 1], "pairs: row 0, column 'product_id': nobody knows the id 8"),
    "a pair twice": ("pairs", "demand_id", [1, 1], "pairs: row 1 repeats the pair of row 0"),
    "a probability of two": (
        "pairs",
        "p_grant",
        [0.1, 2],
        "pairs: row 1, column 'p_grant': 2.0 is not between 0 and 1",
    ),
    "negative places": ("products", "places", [-1], "products: row 0, column 'places': -1 is below zero"),
    "half a place": ("products", "places", [0.5], "products: row 0, column 'places': 0.5 is not a whole number"),
    "a demand twice": ("demands", "demand_id", [1, 1], "demands: row 1 repeats the demand_id 1"),
    "a word for an amount": ("demands", "amount_fen", ["much", "5"], "demands: the column 'amount_fen' does not hold"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_input_is_refused_with_row_and_column(fault):
    table, column, value, sentence = FAULTS[fault]
    tables = {
        "demands": {"demand_id": [1, 2], "amount_fen": [5, 6], "waited_days": [0, 0]},
        "products": {"product_id": [1], "bank_id": [1], "places": [1], "quota_fen": [None], "floor": [0]},
        "pairs": {"demand_id": [1, 2], "product_id": [1, 1], "value": [0.5, 0.5], "p_grant": [0.5, 0.5],
                  "intended": [False, False]},
    }  # fmt: skip
    if value is None:
        del tables[table][column]
    else:
        tables[table][column] = value
    with pytest.raises(ProblemError) as refusal:
        pose(tables["demands"], tables["products"], tables["pairs"])
    assert sentence in str(refusal.value)


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


def test_where_places_and_money_are_short_together_the_gap_stays_under_half_a_percent():
    _, certificate = certified(crowded_day())
    assert certificate.breaches == ()
    assert max(certificate.money_prices.values()) > 0
    assert max(certificate.prices.values()) > 0
    assert certificate.gap <= 0.005


def test_yesterdays_prices_never_loosen_the_proof_and_keep_every_rule():
    problem = crowded_day()
    cold = allocate(problem)
    warm = allocate(problem, warm_prices=cold.prices)
    certificate = certify(problem, warm.lines, warm.prices)
    assert certificate.breaches == ()
    assert warm.bound <= cold.bound + 1e-9
    assert warm.gap <= 0.005
