"""Measures of quality agree with scikit-learn, intervals respect groups, small cells stay hidden, drift is seen."""

import numpy as np
import pytest
from sklearn import metrics

from risk import evaluate, monitor


def some(seed, size=500):
    random = np.random.default_rng(seed)
    probability = np.round(random.random(size), 2)
    return (random.random(size) < probability).astype(float), np.clip(probability, 0.01, 0.99)


@pytest.mark.parametrize("seed", range(5))
def test_the_measures_are_those_of_scikit_learn_also_with_ties(seed):
    labels, probability = some(seed)
    found = evaluate.measures(labels, probability)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(labels, probability))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(labels, probability))
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(labels, probability))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(labels, probability))
    fpr, tpr, _ = metrics.roc_curve(labels, probability)
    assert found["ks"] == pytest.approx((tpr - fpr).max())


def test_a_true_probability_has_slope_one_and_an_overconfident_one_less():
    random = np.random.default_rng(0)
    odds = random.normal(size=20000)
    labels = (random.random(20000) < 1 / (1 + np.exp(-odds))).astype(float)
    assert evaluate.slope(labels, 1 / (1 + np.exp(-odds))) == pytest.approx(1, abs=0.05)
    assert evaluate.slope(labels, 1 / (1 + np.exp(-2 * odds))) == pytest.approx(0.5, abs=0.03)


def test_one_class_has_no_ranking():
    assert np.isnan(evaluate.auc(np.zeros(5), np.arange(5.0)))


def test_intervals_widen_where_rows_come_in_groups():
    labels, probability = some(1, 200)
    alone = evaluate.intervals(np.repeat(labels, 5), np.repeat(probability, 5), repeats=200)["auc"]
    grouped = evaluate.intervals(
        np.repeat(labels, 5), np.repeat(probability, 5), np.repeat(np.arange(200), 5), repeats=200
    )["auc"]
    assert grouped[1] - grouped[0] > 1.5 * (alone[1] - alone[0])


def test_small_cells_show_their_size_and_nothing_else():
    labels, probability = some(2, 400)
    segment = np.where(np.arange(400) < 12, "small", "large")
    rows = {row["segment"]: row for row in evaluate.by_segment(labels, probability, segment)}
    assert rows["small"] == {
        "segment": "small",
        "n": 12,
        "suppressed": True,
        "auc": None,
        "predicted": None,
        "observed": None,
    }
    assert rows["large"]["auc"] == pytest.approx(evaluate.auc(labels[12:], probability[12:]))


def test_psi_is_zero_for_the_same_rows_and_grows_with_the_move():
    random = np.random.default_rng(4)
    column = random.normal(size=5000)
    column[:500] = np.nan
    kept = monitor.reference(column)
    assert monitor.psi(kept, column) == pytest.approx(0, abs=1e-12)
    assert 0.1 < monitor.psi(kept, column + 0.5) < monitor.psi(kept, column + 1)
    assert monitor.psi(kept, np.where(np.arange(5000) % 2 == 0, np.nan, column)) > monitor.MOVED


def test_the_drift_table_names_what_moved_first(model, sample):
    moved = sample[0].assign(tax_late=sample[0]["tax_late"] + 2)
    first = monitor.drift(model, moved)[0]
    assert (first.name, first.state) == ("tax_late", "moved")
    calm = {line.name: line.state for line in monitor.drift(model, sample[0])}
    assert set(calm) == {"months_in_business", "tax_late", "revenue", "score"}
    assert set(calm.values()) == {"stable"}
