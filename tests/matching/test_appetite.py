"""Appetite learns from answers, borrows where it has none, and says how sure it is."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.appetite import REASONS, Answer, Appetite, Traits, amount_band
from matching.policy import load_policy
from matching.value import Weights, preference, weights_of, worth

RESTAURANT = Traits("H", "micro", "green", "a1", "no", "410105")
SHOP = replace(RESTAURANT, section="F")


def answers(traits, granted, count, bank=7, reasons=()):
    return [Answer(bank, "state", traits, granted, reasons)] * count


ONE_ANSWER = st.builds(
    Answer,
    bank_id=st.integers(1, 3),
    bank_kind=st.just("state"),
    traits=st.builds(
        Traits,
        section=st.sampled_from("FHC"),
        size=st.sampled_from(["micro", "small"]),
        light=st.sampled_from(["green", "yellow"]),
        amount_band=st.sampled_from(["a0", "a2"]),
        guarantee=st.sampled_from(["yes", "no"]),
        district=st.sampled_from(["410105", "410122"]),
    ),
    granted=st.booleans(),
    reasons=st.lists(st.sampled_from(sorted(REASONS)), max_size=4, unique=True).map(tuple),
)


def test_a_bank_that_refuses_two_restaurants_for_industry_sees_fewer_restaurants_and_hardly_fewer_shops():
    before = Appetite().learn(answers(SHOP, True, 10) + answers(RESTAURANT, True, 4))
    coded = before.learn(answers(RESTAURANT, False, 2, reasons=("industry",)))

    def left(state, traits):
        return state.estimate(7, "state", traits).p / before.estimate(7, "state", traits).p

    assert left(coded, RESTAURANT) < 0.85
    assert left(coded, SHOP) > 0.93


def test_a_reason_that_names_a_trait_reaches_all_demands_of_that_trait():
    larger = replace(RESTAURANT, size="small", light="yellow")
    before = Appetite().learn(answers(SHOP, True, 10))
    coded = before.learn(answers(RESTAURANT, False, 4, reasons=("industry",)))
    unsaid = before.learn(answers(RESTAURANT, False, 4))
    assert coded.estimate(7, "state", larger).p < 0.7 * unsaid.estimate(7, "state", larger).p


def test_a_bank_without_history_speaks_with_its_kinds_voice_and_a_wide_interval():
    state = Appetite().learn(answers(SHOP, True, 200, bank=1) + answers(SHOP, False, 50, bank=1))
    known, fresh = state.estimate(1, "state", SHOP), state.estimate(2, "state", SHOP)
    assert fresh.answers == 0
    assert abs(fresh.p - known.p) < 0.1
    assert fresh.high - fresh.low > 2 * (known.high - known.low)
    two_kinds = state.learn(answers(SHOP, False, 200, bank=5)).learn(
        [replace(one, bank_kind="village") for one in answers(SHOP, True, 90, bank=6)]
    )
    assert two_kinds.estimate(8, "village", SHOP).p > two_kinds.estimate(9, "state", SHOP).p


def test_before_any_answer_the_chance_is_the_stated_prior():
    chance = Appetite().estimate(1, "state", SHOP)
    assert 0.3 < chance.p < 0.4
    assert chance.low < chance.p < chance.high
    assert chance.clears(0.15)
    assert not chance.clears(0.5)


def test_many_answers_overrule_every_prior():
    chance = Appetite().learn(answers(SHOP, True, 2000) + answers(SHOP, False, 6000)).estimate(7, "state", SHOP)
    assert abs(chance.p - 0.25) < 0.01
    assert chance.low < 0.25 < chance.high
    assert chance.answers == chance.like == 8000


@settings(max_examples=60, deadline=None)
@given(st.lists(ONE_ANSWER, max_size=40), st.randoms())
def test_the_order_of_answers_and_of_days_changes_nothing(many, shuffle):
    whole = Appetite().learn(many)
    mixed = list(many)
    shuffle.shuffle(mixed)
    half = len(mixed) // 2
    assert Appetite().learn(mixed[:half]).learn(mixed[half:]).to_json() == whole.to_json()
    assert Appetite.from_json(whole.to_json()) == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(ONE_ANSWER, max_size=40), ONE_ANSWER)
def test_a_chance_is_a_chance_and_a_grant_never_lowers_it(many, one):
    state = Appetite().learn(many)
    chance = state.estimate(one.bank_id, one.bank_kind, one.traits)
    assert 0 <= chance.low <= chance.p <= chance.high <= 1
    better = state.learn([replace(one, granted=True, reasons=())]).estimate(one.bank_id, one.bank_kind, one.traits)
    assert better.p >= chance.p


@settings(max_examples=40, deadline=None)
@given(st.lists(ONE_ANSWER, min_size=1, max_size=40))
def test_many_pairs_are_estimated_as_single_ones_are(many):
    state = Appetite().learn(many[::2])
    demands = {name: [getattr(one.traits, name) for one in many] for name in Traits.__annotations__}
    banks, kinds = np.array([1, 2, 3]), {1: "state", 2: "city", 3: "state"}
    rows, at = (side.ravel() for side in np.meshgrid(np.arange(len(many)), np.arange(3)))
    p = state.estimate_many(demands, banks, kinds, rows, at)
    singly = [
        state.estimate(int(banks[b]), kinds[int(banks[b])], many[row].traits).p for row, b in zip(rows, at, strict=True)
    ]
    assert np.allclose(p, singly, rtol=1e-12)


def test_an_unknown_reason_is_refused_by_name():
    with pytest.raises(ValueError, match="'weather' is no reason"):
        Appetite().learn(answers(SHOP, False, 1, reasons=("weather",)))
    with pytest.raises(ValueError, match="version 9"):
        Appetite.from_json({"version": 9, "counts": {}})


def test_bands_of_amounts_are_cut_where_they_say():
    assert [amount_band(fen) for fen in (0, 9_999_999, 10_000_000, 99_999_999, 10**9)] == ["a0", "a0", "a1", "a2", "a5"]


def test_a_lower_rate_a_faster_answer_and_more_cover_are_worth_more():
    weights = weights_of(load_policy().on(date(2026, 6, 1)))
    assert weights == Weights(0.5, 0.3, 0.2)
    base, cheap, fast, short = preference(
        np.array([0.06, 0.03, 0.06, 0.06]),
        np.array([10, 10, 3, 10]),
        np.array([100, 100, 100, 50]),
        np.full(4, 100),
        weights,
    )
    assert cheap > base > short
    assert fast > base
    assert base == pytest.approx(0.5 * 0.6 + 0.3 * (2 / 3) + 0.2)
    assert worth(np.array([0.5]), np.array([base]))[0] == pytest.approx(base / 2)
