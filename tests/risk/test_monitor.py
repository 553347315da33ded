"""A moved population is told from chance; a source gone stale is seen."""

import numpy as np
import pandas as pd
import pytest

from risk import monitor


def test_the_index_is_the_sum_by_hand():
    kept = {"edges": [0.0], "shares": [0.5, 0.5, 0.0], "mean": 0.0, "n": 1000.0}
    column = np.array([-1.0] * 300 + [1.0] * 700)
    assert monitor.psi(kept, column) == pytest.approx(-0.2 * np.log(0.6) + 0.2 * np.log(1.4))
    assert monitor.noise_line(kept, column, chance=0.05) == pytest.approx(3.841 * (1 / 1000 + 1 / 1000), abs=1e-5)


@pytest.mark.parametrize("size", [200, 1000])
def test_two_samples_of_one_population_cross_the_noise_line_as_often_as_it_says(size):
    random = np.random.default_rng(1)
    kept = monitor.reference(random.normal(size=4000))
    found = [monitor.chance_of(kept, random.normal(size=size)) for _ in range(400)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(np.array(found) < 0.5) == pytest.approx(0.5, abs=0.12)


def test_a_handful_of_rows_moves_nothing_whatever_the_usual_lines_say():
    random = np.random.default_rng(2)
    kept = monitor.reference(random.normal(size=4000))
    few = [monitor.moved("x", kept, random.normal(size=25)) for _ in range(200)]
    assert np.mean([line.psi >= monitor.MOVED for line in few]) > 0.5
    assert np.mean([line.state != "stable" for line in few]) < 0.05


def test_a_true_move_is_seen_and_said_in_both_languages():
    random = np.random.default_rng(3)
    kept = monitor.reference(random.normal(size=4000))
    line = monitor.moved("revenue", kept, random.normal(0.8, 1, 500))
    assert line.state == "moved"
    assert line.chance < 1e-6
    assert "已变化" in line.zh
    assert "chance alone reaches" in line.en


def test_a_reference_of_unknown_size_keeps_the_usual_lines():
    kept = monitor.reference(np.arange(1000.0))
    del kept["n"]
    line = monitor.moved("x", kept, np.arange(500.0))
    assert (line.state, line.chance, line.noise) == ("moved", None, None)


def test_weights_stand_for_copies_of_rows_but_not_for_certainty():
    random = np.random.default_rng(4)
    column, weights = random.normal(size=600), random.integers(1, 6, 600).astype(float)
    kept = monitor.reference(random.normal(size=3000))
    copies = np.repeat(column, weights.astype(int))
    assert monitor.csi(kept, column, np.arange(11.0), weights) == pytest.approx(
        monitor.csi(kept, copies, np.arange(11.0))
    )
    assert monitor.noise_line(kept, column, weights) > monitor.noise_line(kept, column)
    assert monitor.reference(column, weights)["mean"] == pytest.approx(copies.mean())


def test_the_characteristic_shift_is_the_move_of_the_mean_points():
    kept = {"edges": [0.0], "shares": [0.5, 0.3, 0.2], "mean": 0.0, "n": 10.0}
    column = np.array([-1.0, 1.0, 1.0, 1.0, np.nan])
    assert monitor.csi(kept, column, np.array([10.0, 30.0, 0.0])) == pytest.approx(-0.3 * 10 + 0.3 * 30)
    with pytest.raises(ValueError, match="3 bins with 'missing', but 2 points"):
        monitor.csi(kept, column, np.array([1.0, 2.0]))


def sources(size, missing, stale, seed=0):
    random = np.random.default_rng(seed)
    as_of = pd.Timestamp("2026-06-30")
    known = pd.Series(pd.Timestamp("2026-06-01"), index=range(size))
    known[random.random(size) < stale] = pd.Timestamp("2020-01-01")
    known[random.random(size) < missing] = pd.NaT
    return pd.DataFrame({"as_of": as_of, "known_on.tax_payment": known, "known_on.utility": pd.Timestamp("2026-06-01")})


def test_a_source_gone_missing_or_stale_is_told_from_one_as_it_was():
    kept = monitor.freshness(sources(2000, 0.05, 0.05))
    assert kept["utility"] == {"n": 2000.0, "missing": 0.0, "stale": 0.0}
    first, second = monitor.freshness_drift(kept, sources(500, 0.05, 0.3, seed=1))
    assert (first.item, first.state, second.state) == ("tax_payment", "worse", "as_then")
    assert first.stale_now == pytest.approx(0.3, abs=0.05)
    assert "比训练时差" in first.zh
    assert "as in training" in second.en
    assert [one.state for one in monitor.freshness_drift(kept, sources(500, 0.06, 0.05, seed=2))] == ["as_then"] * 2


def test_a_source_that_is_gone_altogether_is_missing_for_all():
    kept = monitor.freshness(sources(300, 0.0, 0.0))
    gone = monitor.freshness_drift(kept, sources(300, 0.0, 0.0).drop(columns="known_on.utility"))[0]
    assert (gone.item, gone.missing_now, gone.state) == ("utility", 1.0, "worse")


def test_the_days_after_which_a_source_is_stale_can_be_told():
    frame = sources(100, 0.0, 0.0)
    assert monitor.freshness(frame, {"utility": 10})["utility"]["stale"] == 1.0
    with pytest.raises(ValueError, match="as_of"):
        monitor.freshness(frame.drop(columns="as_of"))
