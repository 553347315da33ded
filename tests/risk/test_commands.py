"""The commands: what they print, and one sentence where a person can mend it."""

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from risk.features import FEATURES
from risk.model import RiskModel
from tests.risk.by_command import run
from tests.risk.worlds import arrow, random_world

FIRMS = [f"91410199MA{number:07d}X" for number in range(60)]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    rows = random_world(3, FIRMS)
    for item in {one["item"] for one in rows}:
        (folder / f"item={item}" / "month=2026-01").mkdir(parents=True)
        pq.write_table(
            arrow(one for one in rows if one["item"] == item), folder / f"item={item}" / "month=2026-01" / "a.parquet"
        )
    return folder


def test_train_card_measure_and_drift_work_on_a_mirror(mirror, tmp_path):
    made = run("train", "--mirror", mirror, "--out", tmp_path / "model", "--as-of", "2026-06-15")
    assert made.returncode == 0, made.stderr
    assert "AUC" in made.stdout
    model = RiskModel.load(tmp_path / "model")
    assert [one.name for one in model.inputs] == [one.name for one in FEATURES]
    assert model.card["about"]["loans"]["labelled"] == model.card["n"] > 40
    assert model.card["about"]["default"][0]["days_overdue"] == 90
    assert "模型卡片" in run("card", "--model", tmp_path / "model").stdout
    told = run(
        "measure",
        "--mirror",
        mirror,
        "--model",
        tmp_path / "model",
        "--as-of",
        "2026-06-15",
        "--json",
        tmp_path / "told.json",
    )
    assert told.returncode == 0, told.stderr
    assert 0 <= json.loads((tmp_path / "told.json").read_text())["measures"]["auc"] <= 1
    own = run("evaluate", "platform", "--data", mirror, "--no-peers", "--repeats", 50, "--json", tmp_path / "own.json")
    assert own.returncode == 0, own.stderr
    (one,) = json.loads((tmp_path / "own.json").read_text())["parts"][0]["slices"]
    assert one["slice"] == "the latest 20%"
    assert "tax_late" in run("drift", "--mirror", mirror, "--model", tmp_path / "model", "--as-of", "2026-06-15").stdout


def test_a_missing_mirror_and_a_missing_model_are_one_sentence_and_exit_code_two(tmp_path):
    for words in (
        ("train", "--mirror", tmp_path / "no", "--out", tmp_path / "m", "--as-of", "2026-06-15"),
        ("card", "--model", tmp_path),
        ("leaks", tmp_path / "no.parquet", "--outcome", "end"),
    ):
        answer = run(*words)
        assert answer.returncode == 2
        assert "Traceback" not in answer.stderr
        assert str(tmp_path) in answer.stderr


def test_the_commands_are_a_program_of_their_own(tmp_path):
    asked = [sys.executable, "-m", "risk", "card", "--model", str(tmp_path)]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (answer.returncode, "Traceback" in answer.stderr, str(tmp_path) in answer.stderr) == (2, False, True)
