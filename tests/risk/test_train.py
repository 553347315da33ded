"""Training: the same bytes twice, time respected, calibrated, and a card whose figures are true."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from risk import choice, evaluate, grow, scorecard
from risk.evaluate import auc
from risk.model import RiskModel
from risk.train import TrainingError, train
from tests.risk.worlds import learnable


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_trained_twice_whatever_the_order_of_the_rows_the_bytes_are_the_same(tmp_path, learnt):
    frame, labels = learnable(900)
    shuffled = np.random.default_rng(1).permutation(len(frame))
    one = train(frame, labels, learnt, tmp_path / "one")
    two = train(frame.iloc[shuffled], labels[shuffled], learnt, tmp_path / "two")
    assert files_of(one) == files_of(two)
    assert RiskModel.load(one).version == RiskModel.load(two).version


def test_trees_trained_twice_are_the_same_text(sample, learnt):
    frame, labels = sample
    names, ways = [one.name for one in learnt], [one.direction for one in learnt]
    rows = choice.Rows(frame[names].to_numpy(float), labels.astype(float), names, ways)
    pick = choice.Candidate("trees", rounds=40, growth=grow.SMALL)
    one, two = (choice.fit(pick, rows, 7).text for _ in range(2))
    assert one == two
    assert choice.fit(pick, rows, 8).text != one


def test_a_bag_is_one_model_whose_log_odds_and_contributions_are_the_mean_of_its_members(sample, learnt):
    frame, labels = sample
    names, ways = [one.name for one in learnt], [one.direction for one in learnt]
    matrix, outcome = frame[names].to_numpy(float), labels.astype(float)
    growth = replace(grow.SMALL, bag=3)
    bag = grow.fit(growth, matrix, outcome, names, ways, rounds=20, seed=7)
    alone = [grow.fit(growth, matrix, outcome, names, ways, rounds=20, seed=7 + 1000 * one, bag=1) for one in range(3)]
    assert bag.margin(matrix) == pytest.approx(np.mean([one.margin(matrix) for one in alone], axis=0), abs=1e-12)
    moved, start = bag.explained(matrix)
    assert moved == pytest.approx(np.mean([one.explained(matrix)[0] for one in alone], axis=0), abs=1e-9)
    assert moved.sum(axis=1) + start == pytest.approx(bag.margin(matrix), abs=1e-9)


def test_a_blends_contributions_and_baseline_are_its_log_odds(sample, learnt):
    frame, labels = sample
    names, ways = [one.name for one in learnt], [one.direction for one in learnt]
    rows = choice.Rows(frame[names].to_numpy(float), labels.astype(float), names, ways)
    blend = choice.fit(choice.Candidate("blend", 0.1, 20, grow.SMALL, 0.4), rows, 7)
    moved, start = blend.explained(rows.matrix)
    assert moved.sum(axis=1) + start == pytest.approx(blend.margin(rows.matrix), abs=1e-9)
    half = 0.4 * blend.trees.margin(rows.matrix) + 0.6 * blend.card.margin(rows.matrix)
    assert blend.margin(rows.matrix) == pytest.approx(half)


def test_a_row_of_weight_two_counts_as_two_rows(sample, learnt):
    frame, labels = sample
    names, ways = [one.name for one in learnt], [one.direction for one in learnt]
    matrix, outcome = frame[names].to_numpy(float), labels.astype(float)
    heavy = np.where(np.arange(len(labels)) % 2 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(labels)), heavy.astype(int))
    assert scorecard.fit(matrix, outcome, names, ways, 0.1, heavy).baseline == pytest.approx(
        scorecard.fit(matrix[twice], outcome[twice], names, ways, 0.1).baseline, abs=0.02
    )
    assert evaluate.measures(outcome, 0.3 + 0.4 * outcome, heavy)["observed"] == pytest.approx(outcome[twice].mean())


def test_another_seed_is_another_version(tmp_path, learnt):
    frame, labels = learnable(900)
    versions = {
        RiskModel.load(train(frame, labels, learnt, tmp_path / str(seed), seed=seed)).version for seed in (7, 8)
    }
    assert len(versions) == 2


def test_the_slices_follow_each_other_in_time_and_no_day_is_split(folders):
    slices = json.loads((folders["trees"] / "card.json").read_text())["slices"]
    assert slices["train"]["to"] < slices["calibrate"]["from"] <= slices["calibrate"]["to"] < slices["test"]["from"]
    assert sum(one["n"] for one in slices.values()) == 3000


def test_the_cards_figures_are_those_of_the_test_slice(model, sample):
    frame, labels = sample
    test = frame["as_of"].astype(str) >= model.card["slices"]["test"]["from"]
    probability = model.estimate(frame[test]).probability
    assert model.card["measures"]["auc"] == pytest.approx(auc(labels[test].astype(float), probability))
    assert model.card["measures"]["predicted"] == pytest.approx(probability.mean())
    low, high = model.card["intervals"]["auc"]
    assert low < model.card["measures"]["auc"] < high
    assert model.card["measures"]["auc"] > 0.7


def test_the_level_is_right_on_rows_from_the_same_world(model):
    frame, labels = learnable(4000, seed=99)
    probability = model.estimate(frame).probability
    assert probability.mean() == pytest.approx(labels.mean(), abs=0.05)


def test_more_of_a_riskier_feature_never_lowers_the_probability(model, sample, learnt):
    frame = sample[0].head(200)
    for feature in learnt:
        values = np.linspace(*np.nanquantile(sample[0][feature.name], [0, 1]), 40)
        path = np.array([model.estimate(frame.assign(**{feature.name: value})).probability for value in values])
        steps = np.diff(path, axis=0) * feature.direction
        assert steps.min() >= -1e-12
        assert np.abs(steps).max() > 0, f"{feature.name} has no say at all"


def test_without_dates_it_is_measured_by_cross_validation_and_says_so(tmp_path, learnt):
    frame, labels = learnable(200)
    model = RiskModel.load(train(frame, labels, learnt, tmp_path / "few", time=None, repeats=2))
    assert model.card["protocol"] == "cross_validated"
    assert model.card["spread"]["auc"] >= 0
    assert "nothing is claimed out of time" in (tmp_path / "few" / "card.md").read_text("utf-8")
    assert sum(model.card["chosen_in_folds"].values()) == 10


def test_too_few_defaults_for_three_slices_fall_back_to_cross_validation(tmp_path, learnt):
    frame, labels = learnable(150)
    model = RiskModel.load(train(frame, labels, learnt, tmp_path / "few", repeats=1))
    assert model.card["protocol"] == "cross_validated"


def test_the_simple_model_is_taken_unless_trees_are_clearly_ahead():
    card, trees = choice.Candidate("scorecard", ridge=0.1), choice.Candidate("trees", rounds=40, growth=grow.SMALL)
    noise = np.random.default_rng(0).normal(0, 1, 400)
    noise -= noise.mean()
    assert choice.best({card: noise * 0 + 0.5, trees: 0.5 - 0.01 + noise * 0.5}).kind == "scorecard"
    assert choice.best({card: noise * 0 + 0.5, trees: 0.4 + noise * 0.05}).kind == "trees"


def test_where_effects_interact_the_trees_win_on_their_merits(tmp_path, learnt):
    random = np.random.default_rng(5)
    frame = learnable(6000)[0].assign(revenue=random.normal(size=6000), tax_late=random.normal(size=6000))
    odds = np.where((frame["revenue"] < 0) & (frame["tax_late"] > 0), 1.5, -2.5)
    labels = (random.random(6000) < 1 / (1 + np.exp(-odds))).astype(int)
    model = RiskModel.load(train(frame, labels, learnt, tmp_path / "deep"))
    assert model.card["chosen"]["kind"] in ("trees", "blend")


def test_nothing_to_learn_from_is_said_in_one_sentence(tmp_path, learnt):
    frame, labels = learnable(100)
    with pytest.raises(TrainingError, match="at least ten of each kind"):
        train(frame, labels * 0, learnt, tmp_path / "none")
    with pytest.raises(TrainingError, match="99 labels"):
        train(frame, labels[:99], learnt, tmp_path / "none")
    with pytest.raises(TrainingError, match="lacks the features revenue"):
        train(frame.drop(columns="revenue"), labels, learnt, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_an_older_artifact_in_the_same_place_is_replaced_whole(tmp_path, learnt):
    frame, labels = learnable(300)
    folder = train(frame, labels, learnt, tmp_path / "model", time=None, repeats=1)
    (folder / "stray.txt").write_text("old")
    train(frame, 1 - labels, [one for one in learnt if one.name == "tax_late"], folder, time=None, repeats=1)
    assert not (folder / "stray.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert len(RiskModel.load(folder).inputs) == 1


def test_shuffled_labels_teach_nothing(tmp_path, learnt):
    frame, labels = learnable(1500)
    random = np.random.default_rng(3).permutation(labels)
    model = RiskModel.load(train(frame, random, learnt, tmp_path / "noise"))
    low, high = model.card["intervals"]["auc"]
    assert low - 0.02 < 0.5 < high + 0.02
    assert pd.Series(model.estimate(frame).probability).std() < 0.1
