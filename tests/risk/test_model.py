"""The model at work: what it loads, what it answers, what it refuses."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from risk import artifact, scale
from risk.calibration import Calibration, isotonic, platt
from risk.model import ArtifactError, RiskModel


@pytest.mark.parametrize(
    "name", ["calibration.json", "features.json", "card.json", "card.md", "scorecard.json", "manifest.json"]
)
def test_a_changed_file_is_refused(tmp_path, folders, name):
    shutil.copytree(folders["scorecard"], tmp_path / "model")
    path = tmp_path / "model" / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1", b"2", 1))
    assert path.read_bytes() != content
    with pytest.raises(ArtifactError):
        RiskModel.load(tmp_path / "model")


def test_a_missing_file_and_an_unexpected_version_are_refused(tmp_path, folders):
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        RiskModel.load(tmp_path)
    with pytest.raises(ArtifactError, match="not 0000"):
        RiskModel.load(folders["trees"], expect_version="0000")
    shutil.copytree(folders["trees"], tmp_path / "model")
    (tmp_path / "model" / "model.txt").unlink()
    with pytest.raises(ArtifactError, match=r"model\.txt is missing"):
        RiskModel.load(tmp_path / "model")


def test_a_manifest_cannot_point_outside_its_folder(tmp_path):
    (tmp_path / "secret").write_text("x")
    folder = artifact.save({"card.md": "x"}, tmp_path / "model")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {"../secret": manifest["files"]["card.md"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="missing"):
        artifact.opened(folder)


def test_no_file_of_an_artifact_is_anything_but_text(folders):
    for folder in folders.values():
        for path in folder.iterdir():
            path.read_text("utf-8")
            assert path.suffix in {".html", ".json", ".md", ".txt"}


def test_loaded_from_files_it_answers_as_it_did_when_it_was_made(model, sample):
    found, base = model.contributions(sample[0])
    margin = model.scorer.margin(model.matrix(sample[0]))
    np.testing.assert_allclose(found.sum(axis=1) + base, margin, atol=1e-9)
    np.testing.assert_allclose(model.calibration.probability(margin), model.estimate(sample[0]).probability)


def test_score_and_grade_follow_the_probability(model, sample):
    answer = model.estimate(sample[0])
    order = np.argsort(answer.probability)
    assert (np.diff(answer.score[order]) <= 0).all()
    names = [name for name, _ in scale.GRADES]
    places = [names.index(grade) for grade in answer.grade[order]]
    assert places == sorted(places)
    assert answer.version == model.version
    assert len(list(answer)) == len(answer) == 3000


def test_twice_the_odds_are_forty_points():
    odds = np.log(np.array([30.0, 60.0, 120.0]))
    assert scale.score(scale.probability_of(-odds)).tolist() == [600, 640, 680]
    assert scale.score(np.array([0.0, 1.0])).tolist() == [scale.HIGHEST, scale.LOWEST]


def test_infinite_values_count_as_unknown_and_all_unknown_still_gets_an_answer(model, sample):
    nothing = sample[0].head(3).assign(months_in_business=np.nan, tax_late=np.nan, revenue=np.nan)
    endless = sample[0].head(3).assign(months_in_business=np.inf, tax_late=-np.inf, revenue=np.inf)
    np.testing.assert_array_equal(model.estimate(nothing).probability, model.estimate(endless).probability)
    assert (model.estimate(nothing).probability > 0).all()


def test_missing_and_stale_sources_are_named_firm_by_firm(model, sample):
    day = pd.Timestamp("2026-06-01")
    frame = sample[0].head(3).assign(as_of=day, **{
        "known_on.tax_payment": [day, day - pd.Timedelta(days=76), pd.NaT],
        "known_on.registration": [day] * 3, "known_on.annual_report": [day] * 3,
    })  # fmt: skip
    gaps = model.estimate(frame).gaps
    assert gaps[0] == ()
    assert [(gap.item, gap.state, str(gap.known_on)) for gap in gaps[1]] == [("tax_payment", "stale", "2026-03-17")]
    assert [(gap.item, gap.state, gap.known_on) for gap in gaps[2]] == [("tax_payment", "missing", None)]
    assert model.estimate(frame, fresh_days={"tax_payment": 80}).gaps[1] == ()


def test_without_dates_a_source_whose_inputs_are_all_unknown_is_missing(model, sample):
    frame = sample[0].head(1).drop(columns="as_of").assign(revenue=np.nan)
    assert [(gap.item, gap.state) for gap in model.estimate(frame).gaps[0]] == [("annual_report", "missing")]


def test_a_missing_input_column_is_named(model, sample):
    with pytest.raises(ArtifactError, match="revenue"):
        model.estimate(sample[0].drop(columns="revenue"))


def test_a_shift_of_the_base_rate_moves_the_level_and_keeps_the_order(model, sample):
    usual = model.estimate(sample[0]).probability
    shifted = model.estimate(sample[0], base_rate=min(0.9, 2 * model.calibration.base_rate)).probability
    assert (shifted > usual).all()
    np.testing.assert_array_equal(np.argsort(usual, kind="stable"), np.argsort(shifted, kind="stable"))
    same = model.estimate(sample[0], base_rate=model.calibration.base_rate).probability
    np.testing.assert_allclose(same, usual)


@pytest.mark.parametrize("way", [platt, isotonic])
def test_a_calibration_rises_and_survives_its_file(way):
    random = np.random.default_rng(2)
    margin = random.normal(size=3000)
    labels = (random.random(3000) < 1 / (1 + np.exp(-(2 * margin - 1)))).astype(float)
    made = way(margin, labels)
    line = np.linspace(-5, 5, 200)
    again = Calibration.from_json(json.loads(json.dumps(made.to_json())))
    np.testing.assert_array_equal(again.probability(line), made.probability(line))
    assert (np.diff(made.probability(line)) >= 0).all()
    truth = 1 / (1 + np.exp(-(2 * margin - 1)))
    assert np.abs(made.probability(margin) - truth).mean() < 0.03


def test_platt_never_turns_the_order_round():
    margin = np.linspace(-2, 2, 100)
    assert platt(margin, (margin < 0).astype(float)).knots[0] > 0
