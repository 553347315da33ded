"""Intervals cover what they promise, sparse segments are bounded and pooled, the master scale meets what happened."""

import numpy as np
import pytest
from scipy import stats

from risk import low_default, rates, scale
from risk.low_default import segment_rates


def drawn(seed, n, rate):
    return (np.random.default_rng(seed).random(n) < rate).astype(float)


def test_the_intervals_are_those_of_the_books():
    assert rates.jeffreys(0, 20) == pytest.approx((0.0, stats.beta.ppf(0.975, 0.5, 20.5)))
    assert rates.clopper_pearson(3, 20) == pytest.approx(tuple(stats.binomtest(3, 20).proportion_ci(method="exact")))
    assert rates.clopper_pearson(20, 20)[1] == 1.0
    assert rates.upper_bound(0, 300, 0.9) == pytest.approx(1 - 0.1 ** (1 / 300))


def test_no_rows_say_nothing_and_impossible_counts_are_refused():
    assert rates.jeffreys(0, 0) == (0.0, 1.0)
    assert rates.clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="cannot be 3 events among 2 rows"):
        rates.jeffreys(3, 2)


def test_jeffreys_covers_about_and_clopper_pearson_at_least_what_it_says():
    chances = stats.binom.pmf(np.arange(201), 200, 0.03)
    covered = {
        way: sum(chance for k, chance in enumerate(chances) if way(k, 200)[0] <= 0.03 <= way(k, 200)[1])
        for way in (rates.jeffreys, rates.clopper_pearson)
    }
    assert covered[rates.jeffreys] == pytest.approx(0.95, abs=0.03)
    assert covered[rates.clopper_pearson] >= 0.95


@pytest.mark.parametrize("events", [0, 1, 5, 39, 40])
def test_the_chance_is_below_five_percent_exactly_outside_the_interval(events):
    low, high = rates.jeffreys(events, 40)
    for rate in np.linspace(0.001, 0.999, 333):
        assert (rates.tail_chance(events, 40, rate) < 0.05) == (not low <= rate <= high)


def test_weights_shrink_the_counts_and_equal_weights_do_not():
    labels = drawn(0, 400, 0.2)
    assert rates.effective(labels, np.full(400, 7.0)) == pytest.approx((labels.sum(), 400))
    events, n = rates.effective(labels, np.where(np.arange(400) % 2, 9.0, 1.0))
    assert n < 300
    assert events / n == pytest.approx(np.average(labels, weights=np.where(np.arange(400) % 2, 9.0, 1.0)))


def test_holm_multiplies_the_smallest_most_and_keeps_the_order():
    assert rates.holm([0.2, 0.01, 0.02, 0.9]) == pytest.approx([0.4, 0.04, 0.06, 0.9])
    assert rates.holm([]) == []


@pytest.mark.parametrize(
    ("confidence", "bounds"), [(0.5, (0.09, 0.10, 0.23)), (0.9, (0.29, 0.33, 0.76)), (0.99, (0.57, 0.66, 1.52))]
)
def test_the_most_prudent_bounds_without_defaults_are_those_of_pluto_and_tasche(confidence, bounds):
    found = low_default.most_prudent([(0, 100), (0, 400), (0, 300)], confidence)
    assert [100 * one for one in found] == pytest.approx(bounds, abs=0.006)


def test_with_a_common_factor_the_bounds_are_higher_and_those_of_pluto_and_tasche():
    found = low_default.most_prudent([(0, 100), (0, 400), (0, 300)], 0.95, correlation=0.12)
    assert 100 * found[0] == pytest.approx(1.31, abs=0.01)
    assert 100 * found[2] == pytest.approx(2.78, abs=0.01)
    with pytest.raises(ValueError, match="between 0 and 1"):
        low_default.correlated_bound(0, 10, correlation=1.0)


def test_a_riskier_grade_is_never_bounded_below_a_safer_one():
    found = low_default.most_prudent([(9, 100), (0, 400), (0, 300)])
    assert found == sorted(found)
    assert found[2] >= rates.upper_bound(0, 300)


def test_segments_come_safest_first_with_their_own_bounds_or_those_of_ordered_grades():
    labels = np.repeat([0.0, 1, 0, 1, 0], [100, 2, 398, 1, 299])
    names = np.repeat(["A", "B", "C"], [100, 400, 300])
    predicted = np.repeat([0.001, 0.004, 0.01], [100, 400, 300])
    alone = segment_rates(labels, predicted, names)
    assert [line.segment for line in alone] == ["A", "B", "C"]
    assert [line.events for line in alone] == [0, 2, 1]
    assert alone[0].upper == pytest.approx(1 - 0.05 ** (1 / 100))
    grades = segment_rates(labels, predicted, names, ordered=True)
    assert 100 * grades[0].upper == pytest.approx(0.97, abs=0.01)
    assert 100 * grades[2].upper == pytest.approx(1.57, abs=0.01)
    assert "审慎上限 0.97%" in grades[0].zh
    assert "prudent upper bound 0.97%" in grades[0].en


def test_segments_that_agree_are_pooled_and_segments_that_differ_stand_alone():
    alike = low_default.partial_pool([(20, 1000)] * 6 + [(0, 20)], ["all"] * 7)
    assert alike[-1][0] == pytest.approx(0.02, abs=0.002)
    apart = low_default.partial_pool([(10, 1000), (300, 1000), (100, 1000), (600, 1000), (0, 20)], ["all"] * 5)
    assert apart[0][0] == pytest.approx(0.01, abs=0.003)
    assert 0.005 < apart[-1][0] < 0.1


def test_a_segment_is_drawn_towards_its_own_parent():
    counts = [(10, 1000)] * 4 + [(200, 1000)] * 4 + [(0, 15), (0, 15)]
    found = low_default.partial_pool(counts, ["low"] * 4 + ["high"] * 4 + ["low", "high"])
    assert found[-2][0] == pytest.approx(0.01, abs=0.004)
    assert found[-1][0] > 0.15


def test_pooling_loses_less_than_every_segment_for_itself():
    random = np.random.default_rng(3)
    lost = np.zeros(2)
    for _ in range(40):
        true = random.beta(2, 48, 30)
        n = random.integers(15, 120, 30)
        events = random.binomial(n, true)
        pooled = np.array([one[0] for one in low_default.partial_pool(list(zip(events, n, strict=True)), ["all"] * 30)])
        lost += [np.sum((pooled - true) ** 2), np.sum((events / n - true) ** 2)]
    assert lost[0] < 0.6 * lost[1]


def test_what_cannot_be_a_table_of_segments_is_refused():
    one = np.array([1.0, 0.0])
    with pytest.raises(ValueError, match="at least one row"):
        segment_rates(one, one, ["a"])
    with pytest.raises(ValueError, match="0 or 1"):
        segment_rates(2 * one, one, ["a", "a"])
    with pytest.raises(ValueError, match="a has two parents"):
        segment_rates(one, one, ["a", "a"], parent=["x", "y"])


def test_the_master_scale_shows_each_grade_and_says_where_it_does_not_hold():
    random = np.random.default_rng(5)
    probability = random.choice([0.003, 0.03, 0.2], 6000)
    true = np.where(probability == 0.03, 0.06, probability)
    lines = {one.grade: one for one in scale.by_grade((random.random(6000) < true).astype(float), probability)}
    assert list(lines) == [name for name, _ in scale.GRADES]
    assert (lines["A2"].n, lines["A2"].observed, lines["A2"].interval) == (0, None, None)
    assert lines["A1"].zh == lines["D"].en == ""
    assert "高于预测的 3.00%" in lines["B2"].zh
    assert "defaults more than predicted" in lines["B2"].en
    assert sum(one.n for one in lines.values()) == 6000


def test_weights_move_the_observed_rate_of_a_grade():
    labels = np.array([1.0] * 50 + [0.0] * 50)
    weights = np.array([1.0] * 50 + [9.0] * 50)
    line = next(one for one in scale.by_grade(labels, np.full(100, 0.1), weights) if one.n)
    assert line.observed == pytest.approx(0.1)
    assert line.en == ""
    with pytest.raises(ValueError, match="outcome and a probability"):
        scale.by_grade(labels, np.full(99, 0.1))


def test_a_turned_order_is_told_only_where_chance_would_not_show_it():
    probability = np.repeat([0.003, 0.03, 0.2], 1000)
    turned = np.concatenate([drawn(1, 1000, 0.003), drawn(2, 1000, 0.2), drawn(3, 1000, 0.03)])
    (zh, en) = scale.turned(scale.by_grade(turned, probability))[0]
    assert "D 级违约率" in zh
    assert en.startswith("Grade D defaulted less")
    noise = np.concatenate([np.repeat([1.0, 0.0], [3, 997]), np.repeat([1.0, 0.0], [2, 998]), drawn(3, 1000, 0.2)])
    assert scale.turned(scale.by_grade(noise, probability)) == []
