"""The referee: every planted breach is caught, no price makes the bound too low, and every finding is counted."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocate import allocate
from matching.certificate import Certificate, certify
from matching.problem import input_hash, lines_of, pose
from matching.terms import Line
from tests.matching.days import URGENT_DAYS, certified, days, exact, posed

BANK = {1: 10, 2: 10, 3: 20, 4: 30, 5: 40}


def small(dead=(), intended=(), excluded=(), banks=None, urgent_days=None, value=None, **products):
    """Two banks; product 1 and 2 at bank 10, product 3 at bank 20, product 4 at bank 30, product 5 at bank 40."""
    columns = {
        "product_id": [1, 2, 3, 4, 5],
        "bank_id": [10, 10, 20, 30, 40],
        "places": [2, 2, 2, 2, 2],
        "quota_fen": [-1, -1, 500, -1, -1],
        "floor": [0, 0, 0, 0, 0],
    } | products
    demands = {"demand_id": [1, 2, 3], "amount_fen": [300, 300, 100], "waited_days": [1, 2, 9]}
    grid = [(d, p) for d in (1, 2, 3) for p in (1, 2, 3, 4, 5) if (d, p) not in dead]
    pairs = {
        "demand_id": [d for d, _ in grid],
        "product_id": [p for _, p in grid],
        "value": value or [1 / (d + p) for d, p in grid],
        "p_grant": [0.5] * len(grid),
        "intended": [pair in intended for pair in grid],
        "excluded": [pair in excluded for pair in grid],
    }
    return pose(demands, columns, pairs, banks, urgent_days=urgent_days)


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
    "a worthless pair": (small(value=[0.0] * 15), listed((1, 1)), "the pair is worth nothing"),
    "an unknown product": (small(), listed((1, 9)), "nobody knows this demand or this product"),
    "an unknown demand": (small(), listed((8, 1)), "nobody knows this demand or this product"),
    "another bank's product": (small(), [Line(1, 1, 20, 1)], "the product does not belong to this bank"),
    "a ranking from two": (small(), [Line(1, 1, 10, 2)], "demand 1: its lines are not ranked 1, 2"),
    "a ranking with a gap": (
        small(), [Line(1, 1, 10, 1), Line(1, 3, 20, 3)], "demand 1: its lines are not ranked 1, 2",
    ),
    "two firsts": (small(), [Line(1, 1, 10, 1), Line(1, 3, 20, 1)], "demand 1: its lines are not ranked 1, 2"),
    "a ranking against value": (
        small(), listed((1, 3), (1, 1)), "demand 1: its lines do not stand in order of their value",
    ),
    "an intended pair passed over": (
        small(intended=[(3, 1)]), listed((1, 1), (2, 1)), "demand 3 at product 1: it named this bank, yet is left out",
    ),
    "an intended pair passed over though its demand has lines elsewhere": (
        small(intended=[(3, 1)]), listed((1, 1), (2, 1), (3, 3), (3, 4), (3, 5)), "demand 3 at product 1: it named",
    ),
    "an intended pair passed over for a full bank": (
        small(intended=[(3, 2)], banks={"bank_id": [10], "places": [1]}), listed((1, 1)), "demand 3 at product 2: it",
    ),
    "a late demand passed over": (
        small(urgent_days=5), listed((1, 1), (2, 1)), "demand 3 at product 1: it has waited too long, yet is left out",
    ),
    "a late demand passed over for money": (
        small(urgent_days=9, places=[0, 0, 2, 0, 0]), listed((1, 3)), "demand 3 at product 3: it has waited too long",
    ),
    "a product left under its floor": (
        small(floor=[0, 0, 0, 0, 1]), listed((1, 1)), "product 5 has 0 lines under its floor of 1",
    ),
    "a floor that only a move could keep": (
        small(dead=[(2, 5), (3, 5)], places=[2, 0, 2, 2, 2], floor=[0, 0, 0, 0, 1]),
        listed((1, 1), (1, 3), (1, 4)),
        "product 5 has 0 lines under its floor of 1, though demand 1 could go there",
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


# --- mutations of certified lists ------------------------------------------------------------------------------------

ONE_MORE = {
    "a line more": lambda rows, problem: [*rows, _stranger(problem, rows)],
    "a line twice": lambda rows, _: [*rows, rows[0]],
    "another bank": lambda rows, _: [replace(rows[0], bank_id=rows[0].bank_id + 1000), *rows[1:]],
    "another product": lambda rows, _: [replace(rows[0], product_id=1), *rows[1:]],
    "another demand": lambda rows, _: [replace(rows[0], demand_id=1), *rows[1:]],
    "another rank": lambda rows, _: [replace(rows[0], rank=rows[0].rank + 3), *rows[1:]],
}


def _stranger(problem, rows):
    """A pair that is on nobody's list, at its demand's next rank."""
    there = {(row.demand_id, row.product_id) for row in rows}
    for pair in range(len(problem.value)):
        demand = int(problem.demand_id[problem.pair_demand[pair]])
        product = int(problem.product_id[problem.pair_product[pair]])
        if (demand, product) not in there:
            bank = int(problem.bank_id[problem.product_bank[problem.pair_product[pair]]])
            return Line(demand, product, bank, 1 + sum(row.demand_id == demand for row in rows))
    return rows[0]


@pytest.mark.parametrize("mutation", ONE_MORE)
@settings(max_examples=60, deadline=None)
@given(days())
def test_whatever_is_changed_in_a_certified_list_is_a_breach(mutation, tables):
    problem = pose(*tables, urgent_days=URGENT_DAYS)
    allocation, certificate = certified(problem)
    rows = list(allocation.lines.rows())
    if rows:
        tampered = certify(problem, ONE_MORE[mutation](rows, problem), allocation.prices)
        assert tampered.breaches
        assert tampered.output_hash != certificate.output_hash
        assert tampered.input_hash == certificate.input_hash


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_line_taken_off_a_certified_list_changes_its_hash_and_its_value(seed, which):
    problem = posed(seed % 500)
    allocation, certificate = certified(problem)
    rows = list(allocation.lines.rows())
    if rows:
        rows.pop(which % len(rows))
        tampered = certify(problem, rows, allocation.prices)
        assert tampered.output_hash != certificate.output_hash
        assert tampered.value < certificate.value


COLUMNS = [one.name for one in fields(posed(1))]


@pytest.mark.parametrize("name", COLUMNS)
def test_whatever_is_changed_in_the_problem_changes_its_hash(name):
    problem = posed(4, URGENT_DAYS)
    column = getattr(problem, name)
    if isinstance(column, np.ndarray):
        changed = column.copy()
        changed[-1] = not changed[-1] if column.dtype == bool else changed[-1] + 1
    else:
        changed = column + 1
    assert input_hash(replace(problem, **{name: changed})) != input_hash(problem)


# --- prices ----------------------------------------------------------------------------------------------------------

UNREAL = {
    "no number": lambda one: replace(one, product=one.product * np.nan),
    "without end": lambda one: replace(one, quota=one.quota + np.inf),
    "endlessly below nothing": lambda one: replace(one, bank=one.bank - np.inf),
    "too few": lambda one: replace(one, product=one.product[:-1]),
    "too many": lambda one: replace(one, bank=np.append(one.bank, 1.0)),
}
LOW = {
    "nothing": lambda one: replace(one, product=one.product * 0, quota=one.quota * 0, bank=one.bank * 0),
    "below nothing": lambda one: replace(one, product=-one.product - 1, quota=-one.quota - 1, bank=-one.bank - 1),
    "half": lambda one: replace(one, product=one.product / 2, quota=one.quota / 2, bank=one.bank / 2),
    "a hundred times": lambda one: replace(one, product=100 * one.product, quota=100 * one.quota, bank=100 * one.bank),
    "in another order": lambda one: replace(one, product=one.product[::-1], quota=one.quota[::-1], bank=one.bank[::-1]),
}


@pytest.mark.parametrize("how", LOW)
@settings(max_examples=40, deadline=None)
@given(tables=days(plain=True))
def test_prices_made_up_cannot_make_the_bound_too_low(how, tables):
    problem = pose(*tables)
    allocation = allocate(problem)
    fake = tuple(LOW[how](one) for one in allocation.prices)
    assert certify(problem, allocation.lines, fake).bound >= exact(problem) - 1e-6


@pytest.mark.parametrize("how", UNREAL)
@pytest.mark.parametrize("stage", range(3))
def test_prices_that_are_no_prices_are_a_breach_and_prove_nothing(how, stage):
    problem = posed(3, URGENT_DAYS)
    allocation, certificate = certified(problem)
    fake = [*allocation.prices]
    fake[stage] = UNREAL[how](fake[stage])
    told = certify(problem, allocation.lines, tuple(fake))
    assert told.breaches == (f"the prices of stage {stage} are not one finite number for each product and bank",)
    assert np.isfinite(told.bound)
    assert told.bound >= certificate.bound - 1e-9
    assert Certificate.from_json(told.to_json()) == told


def test_a_stage_without_prices_is_a_breach():
    problem = posed(3, URGENT_DAYS)
    allocation = allocate(problem)
    assert "the prices of stage 2 are not" in certify(problem, allocation.lines, allocation.prices[:2]).breaches[0]


# --- findings --------------------------------------------------------------------------------------------------------


def test_a_certificate_survives_storage_and_one_of_the_first_version_is_read():
    _, certificate = certified(posed(8, demands=40))
    assert Certificate.from_json(certificate.to_json()) == certificate
    old = certificate.to_json().replace(f',"late_unlisted":{certificate.late_unlisted}'.encode(), b"")
    assert Certificate.from_json(old) == replace(certificate, late_unlisted=0)
    with pytest.raises(ValueError, match="no certificate"):
        Certificate.from_json(b'{"value": 1}')


def test_a_bank_takes_those_who_named_it_first_and_among_them_the_most_valuable():
    problem = small(places=[1, 0, 0, 0, 0], intended=[(2, 1), (3, 1)])
    allocation, certificate = certified(problem)
    assert [(line.demand_id, line.product_id) for line in allocation.lines.rows()] == [(2, 1)]
    assert (certificate.intended_placed, certificate.intended_wanted) == (1, 2)


def test_a_late_demand_gets_a_line_before_more_valuable_ones():
    problem = small(places=[1, 0, 0, 0, 0], urgent_days=9)
    assert [line.demand_id for line in allocate(problem).lines.rows()] == [3]


def test_a_floor_moves_the_line_that_loses_least():
    problem = small(places=[2, 0, 2, 2, 2], floor=[0, 0, 0, 0, 1])
    assert any(line.product_id == 5 for line in allocate(problem).lines.rows())


def test_starved_banks_are_those_that_have_places_and_fitting_demands_and_no_line():
    def starved(problem, *pairs):
        return certify(problem, listed(*pairs), allocate(problem).prices).starved_banks

    assert starved(small()) == (10, 20, 30, 40)
    assert starved(small(), (1, 2), (2, 3)) == (30, 40)
    assert starved(small(places=[0, 0, 2, 2, 2])) == (20, 30, 40), "no place, no wish"
    assert starved(small(banks={"bank_id": [10], "places": [0]})) == (20, 30, 40)
    assert starved(small(dead=[(1, 5), (2, 5)], excluded=[(3, 5)])) == (10, 20, 30), "nobody fits"


@settings(max_examples=150, deadline=None)
@given(days(), st.integers(1, 3))
def test_with_a_floor_a_bank_starves_only_where_nobody_could_go_there_or_move_there(tables, floor):
    demands, products, pairs, banks = tables
    problem = pose(demands, products | {"floor": [floor] * len(products["floor"])}, pairs, banks)
    allocation, certificate = certified(problem)
    assert certificate.breaches == ()
    for bank in certificate.starved_banks:
        at = np.flatnonzero(problem.bank_id[problem.product_bank] == bank)
        assert set(problem.product_id[at[problem.places[at] > 0]]) <= set(certificate.short_of_floor)
        for pair in np.flatnonzero(np.isin(problem.pair_product, at)):
            with_it = [*allocation.lines.rows(), _line(problem, pair, allocation.lines.rows())]
            assert certify(problem, with_it, allocation.prices).breaches, "one more line there would be free"


def _line(problem, pair, rows):
    demand, product = problem.demand_id[problem.pair_demand[pair]], problem.product_id[problem.pair_product[pair]]
    bank = problem.bank_id[problem.product_bank[problem.pair_product[pair]]]
    return Line(int(demand), int(product), int(bank), 1 + sum(row.demand_id == demand for row in rows))


def test_the_longest_wait_and_the_late_are_counted_among_those_without_any_line():
    problem = small(urgent_days=2, places=[1, 0, 0, 0, 0])
    _, certificate = certified(problem)
    assert (certificate.unlisted, certificate.late_unlisted, certificate.longest_wait) == (2, 1, 9)
    listed_late = certify(problem, listed((3, 1)), allocate(problem).prices)
    assert (listed_late.unlisted, listed_late.late_unlisted, listed_late.longest_wait) == (2, 1, 2)
    nobody_fits = small(urgent_days=2, places=[1, 0, 0, 0, 0], dead=[(3, p) for p in BANK])
    _, certificate = certified(nobody_fits)
    assert (certificate.unlisted, certificate.late_unlisted, certificate.longest_wait) == (1, 0, 1)


def test_a_demand_with_open_lines_is_not_among_those_without_any():
    demands = {"demand_id": [1, 2], "amount_fen": [5, 5], "waited_days": [7, 3], "open_lines": [2, 0]}
    problem = pose(
        demands,
        {"product_id": [1], "bank_id": [1], "places": [0], "quota_fen": [None], "floor": [0]},
        {"demand_id": [1, 2], "product_id": [1, 1], "value": [0.5] * 2, "p_grant": [0.5] * 2, "intended": [False] * 2},
        urgent_days=3,
    )
    certificate = certify(problem, lines_of([]), allocate(problem).prices)
    assert (certificate.unlisted, certificate.late_unlisted, certificate.longest_wait) == (1, 1, 3)


@settings(max_examples=200, deadline=None)
@given(days())
def test_nobody_eligible_waits_past_the_limit_unlisted_while_a_place_could_be_had(tables):
    problem = pose(*tables, urgent_days=URGENT_DAYS)
    allocation, certificate = certified(problem)
    if certificate.late_unlisted:
        assert certificate.longest_wait >= URGENT_DAYS
    rows = [line for line in allocation.lines.rows() if not _is_late(problem, line.demand_id)]
    without_them = certify(problem, rows, allocation.prices)
    served = certificate.placed - len(rows)
    assert bool(served) == any("it has waited too long" in one or "it named" in one for one in without_them.breaches)


def _is_late(problem, demand_id):
    return problem.waited_days[problem.demand_id == demand_id][0] >= URGENT_DAYS
