"""The recalibration rule leaves noise alone, acts in time, and takes the mildest remedy that helps."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from risk.alarms import Alarm, level_alarms
from risk.evaluate import slope
from risk.maturation import Batch
from risk.recalibration import decide, standing
from risk.scale import log_odds, probability_of

PER_MONTH = 250


def matured(seed, n, move=0.0, tilt=1.0, blur=0.0):
    """Outcomes of loans whose log-odds are `tilt`·told + move; with blur, the estimate has lost part of the order."""
    random = np.random.default_rng(seed)
    true = random.normal(-3, 1, n)
    labels = (random.random(n) < probability_of(move + tilt * (true + 3) - 3)).astype(float)
    told = true if not blur else (1 - blur) * true - 3 * blur + np.sqrt(1 - (1 - blur) ** 2) * random.normal(0, 1, n)
    return labels, probability_of(told)


def rung(side, observed, expected, kind="evidence"):
    return Alarm(kind, side, "all", date(2026, 1, 31), 500.0, 100.0, date(2025, 1, 31), observed, expected)


def cycle(seed, months, move):
    """Watch month after month and act as the rule says: (month, action, log-odds) of each act, the last shift in all.

    `move` by month is what the log-odds of default are truly off.
    """
    random = np.random.default_rng(seed)
    added, acts = 0.0, []
    found, labels, told = [], [], []
    for month, off in enumerate(np.broadcast_to(move, months)):
        margin = random.normal(-3, 1, PER_MONTH)
        shown = probability_of(margin + added)
        bad = (random.random(PER_MONTH) < probability_of(margin + off)).astype(float)
        labels.append(bad)
        told.append(shown)
        end = (pd.Timestamp("2010-01-31") + pd.offsets.MonthEnd(month)).date()
        found.append(Batch(end, float(shown.sum()), float(bad.sum()), PER_MONTH))
        alarms = level_alarms(found)
        if not any(one.rang_on for one in alarms) and month % 6:
            continue
        chosen = decide(alarms, standing(np.concatenate(labels), np.concatenate(told)), auc_then=0.76)
        if chosen.action != "keep":
            acts.append((month, chosen.action, chosen.intercept))
            added += chosen.intercept if chosen.action == "shift" else 0.0
            found, labels, told = [], [], []
    return acts, added


def test_under_stability_the_rule_keeps_the_model():
    acted = [bool(cycle(seed, 60, 0.0)[0]) for seed in range(80)]
    assert np.mean(acted) <= 0.05


def test_a_level_off_within_the_tolerance_is_left_alone():
    acted = [bool(cycle(seed, 60, np.log(1.07))[0]) for seed in range(40)]
    assert np.mean(acted) <= 0.10


def test_doubled_odds_are_acted_on_within_eight_months_and_nearly_made_good():
    for seed in range(40):
        acts, added = cycle(seed, 60, np.where(np.arange(60) < 24, 0.0, np.log(2)))
        late = [one for one in acts if one[0] >= 24]
        assert late[0][0] < 32
        assert late[0][1] in ("shift", "platt")
        assert added == pytest.approx(np.log(2), abs=0.35)


def test_the_way_back_down_is_followed_too():
    move = np.where((np.arange(96) >= 24) & (np.arange(96) < 60), np.log(2), 0.0)
    ends = [cycle(seed, 96, move) for seed in range(25)]
    assert np.mean([abs(added) < 0.35 for _, added in ends]) >= 0.9
    assert np.mean([len(acts) for acts, _ in ends]) < 5


def test_the_standing_finds_the_move_the_tilt_and_the_ranking():
    labels, told = matured(1, 40000, move=0.5)
    found = standing(labels, told)
    assert found.shift == pytest.approx(0.5, abs=3 * found.shift_error)
    assert found.slope == pytest.approx(slope(labels, told))
    assert abs(found.slope - 1) < 3 * found.slope_error
    moved = probability_of(log_odds(told) + found.shift)
    assert moved.sum() == pytest.approx(labels.sum())
    tilted = standing(*matured(2, 40000, tilt=0.6))
    assert tilted.slope == pytest.approx(0.6, abs=3 * tilted.slope_error)


def test_the_errors_are_those_seen_over_many_samples():
    found = [standing(*matured(seed, 3000)) for seed in range(200)]
    for figure in ("shift", "slope", "auc"):
        seen = np.std([getattr(one, figure) for one in found])
        assert np.mean([getattr(one, f"{figure}_error") for one in found]) == pytest.approx(seen, rel=0.2)


def test_equal_weights_change_nothing():
    labels, told = matured(3, 2000, move=0.3)
    plain, weighed = standing(labels, told), standing(labels, told, np.full(2000, 9.0))
    assert plain.shift_error == pytest.approx(weighed.shift_error)
    assert plain.auc_error == pytest.approx(weighed.auc_error)
    with pytest.raises(ValueError, match="some defaults and some others"):
        standing(np.zeros(3), told[:3])


def test_without_an_alarm_only_a_slope_far_off_is_mended():
    assert decide([], standing(*matured(4, 3000))).action == "keep"
    chosen = decide([], standing(*matured(5, 20000, tilt=0.6)))
    assert chosen.action == "platt"
    labels, told = matured(6, 20000, tilt=0.6)
    assert slope(labels, chosen.probability(told)) == pytest.approx(1, abs=0.1)
    assert chosen.probability(told).mean() == pytest.approx(labels.mean(), rel=0.1)


def test_before_loans_mature_the_alarm_itself_says_how_far():
    chosen = decide([rung("worse", 60, 30)])
    assert chosen.action == "shift"
    assert chosen.intercept == pytest.approx(np.log(70 / 40))
    assert "乘以 1.75" in chosen.zh
    assert "multiply all odds of default by 1.75" in chosen.en
    assert decide([rung("better", 20, 60)]).intercept == pytest.approx(np.log(30 / 70))


def test_matured_loans_that_agree_with_the_alarm_say_it_better():
    now = standing(*matured(7, 4000, move=0.6))
    assert decide([rung("worse", 60, 30)], now).intercept == now.shift
    before = standing(*matured(8, 4000))
    assert decide([rung("worse", 60, 30)], before).intercept == pytest.approx(np.log(70 / 40))


def test_the_latest_alarm_counts_and_too_few_defaults_wait():
    later = Alarm("cusum", "better", "all", date(2026, 6, 30), 900.0, 600.0, date(2026, 1, 31), 20, 60)
    assert decide([later, rung("worse", 60, 30)]).intercept < 0
    few = decide([rung("worse", 14, 4)])
    assert (few.action, few.intercept) == ("keep", 0.0)
    assert "too few defaults" in few.en
    moved = Alarm("population", "moved", "x", date(2026, 1, 31), 0.4, 0.25, None, 0.0, 0.0)
    assert decide([moved]).action == "keep"


def test_a_lost_ranking_asks_for_training_and_shifts_the_level_meanwhile():
    labels, told = matured(9, 20000, move=0.7, blur=0.5)
    now = standing(labels, told)
    chosen = decide([rung("worse", 60, 30)], now, auc_then=0.78)
    assert chosen.action == "retrain"
    assert (chosen.slope, chosen.intercept) == (1.0, now.shift)
    assert "重新训练" in chosen.zh
    few = standing(*matured(9, 2000, move=0.7, blur=0.5))
    assert few.events < 300
    assert decide([rung("worse", 60, 30)], few, auc_then=0.78).action != "retrain"


def test_keeping_changes_no_probability():
    told = np.array([0.01, 0.2, 0.7])
    assert decide([]).probability(told) == pytest.approx(told)
