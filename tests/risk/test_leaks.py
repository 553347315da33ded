"""The leak guard: every kind of planted leak is found and said, and rows without one are left in peace."""

import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from risk.__main__ import app
from risk.leaks import find_leaks

SBA = Path(os.environ.get("XINDENG_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "sba"


@pytest.fixture
def honest():
    """4,000 loans to 600 firms of 500 trades: a real driver, a term, a date, an amount; outcome and frame."""
    draw = np.random.default_rng(11)
    size = 4_000
    driver = draw.normal(size=size)
    outcome = (draw.random(size) < 1 / (1 + np.exp(1.2 - driver))).astype(int)
    frame = pd.DataFrame(
        {
            "firm": draw.integers(0, 600, size),
            "scored_on": pd.Timestamp(date(2024, 1, 1)) + pd.to_timedelta(draw.integers(0, 700, size), unit="D"),
            "driver": driver,
            "term_months": np.where(
                draw.random(size) < 0.6, 12 * draw.integers(1, 11, size), draw.integers(1, 121, size)
            ),
            "amount": draw.lognormal(12, 1, size),
            "trade": draw.zipf(1.5, size).clip(1, 2_000),
            "founded_on": pd.Timestamp(date(2015, 1, 1)) + pd.to_timedelta(draw.integers(0, 3_000, size), unit="D"),
        }
    )
    return frame, outcome


def kinds(frame, outcome, **other):
    return {(leak.kind, leak.column) for leak in find_leaks(frame, outcome, **other)}


def test_rows_without_a_leak_are_left_in_peace(honest):
    frame, outcome = honest
    folds = frame["firm"].to_numpy() % 5
    assert kinds(frame, outcome, as_of="scored_on", groups="firm", folds=folds) == set()


def test_a_term_rewritten_after_the_outcome_is_found_by_its_whole_years(honest):
    frame, outcome = honest
    draw = np.random.default_rng(3)
    frame["how_long"] = np.where(outcome == 1, draw.integers(1, 120, len(frame)), frame["term_months"])
    (leak,) = find_leaks(frame, outcome, columns=["driver", "term_months", "how_long"])
    assert (leak.kind, leak.column) == ("whole_years", "how_long")
    assert "must not be used" in leak.en
    assert "不能使用" in leak.zh


@pytest.mark.parametrize("disguise", ["number", "missing", "word"])
def test_the_outcome_in_disguise_is_found(honest, disguise):
    frame, outcome = honest
    draw = np.random.default_rng(4)
    frame["later"] = {
        "number": outcome + draw.normal(0, 0.2, len(frame)),
        "missing": np.where(outcome == 1, draw.random(len(frame)), np.nan),
        "word": np.where(outcome == 1, "written off", "paid"),
    }[disguise]
    assert kinds(frame, outcome, columns=["driver", "later"]) == {("too_good", "later")}


def test_a_date_after_the_day_of_the_estimate_is_found(honest):
    frame, outcome = honest
    frame.loc[:9, "founded_on"] = pd.Timestamp(date(2106, 1, 1))
    (leak,) = find_leaks(frame, outcome, as_of="scored_on", groups="firm")
    assert (leak.kind, leak.column) == ("future_date", "founded_on")
    assert "10 rows" in leak.en


def test_an_encoding_that_has_seen_its_own_row_is_found_and_one_made_inside_the_folds_is_not(honest):
    frame, outcome = honest
    seen = pd.Series(outcome).groupby(frame["trade"]).mean()
    folds = np.arange(len(frame)) % 5
    fair = np.full(len(frame), outcome.mean())
    for fold in range(5):
        known = folds != fold
        rates = pd.Series(outcome[known]).groupby(frame["trade"].to_numpy()[known]).agg(["sum", "count"])
        smooth = (rates["sum"] + 10 * outcome.mean()) / (rates["count"] + 10)
        fair[~known] = frame["trade"][~known].map(smooth).fillna(outcome.mean())
    frame["fair"], frame["seen"] = fair, frame["trade"].map(seen)
    columns = ["driver", "trade", "fair", "seen"]
    assert kinds(frame, outcome, columns=columns) == {("encoding", "seen")}


def test_copies_and_clients_on_both_sides_of_a_split_are_counted(honest):
    frame, outcome = honest
    folds = frame["firm"].to_numpy() % 5
    twice = pd.concat([frame, frame[:7].assign(firm=9_999)], ignore_index=True)
    told = find_leaks(
        twice, [*outcome, *outcome[:7]], columns=["driver", "amount"], groups="firm", folds=[*folds, *(folds[:7] + 5)]
    )
    assert {leak.kind: leak.en.split()[0] for leak in told} == {"duplicates": "14", "groups": "1"}


def test_what_cannot_be_looked_at_is_said_by_name(honest):
    frame, outcome = honest
    with pytest.raises(ValueError, match="no column colour"):
        find_leaks(frame, outcome, columns=["colour"])
    with pytest.raises(ValueError, match="some of both"):
        find_leaks(frame, np.zeros(len(frame)))


def test_the_command_tells_each_leak_and_ends_with_one(honest, tmp_path):
    frame, outcome = honest
    file = tmp_path / "loans.parquet"
    frame.assign(end=np.where(outcome == 1, "bad", "good"), note=np.where(outcome == 1, "x", "y")).to_parquet(file)
    asked = ["leaks", str(file), "--outcome", "end", "--bad", "bad"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 1
    assert "note alone reaches an AUC of 1.000" in told.output
    clean = CliRunner().invoke(app, [*asked, "--leave-out", "note"])
    assert (clean.exit_code, "No leak was found" in clean.output) == (0, True)


@pytest.mark.skipif(not SBA.is_dir(), reason=f"no real data at {SBA}: set XINDENG_SHARED_DATA to the folder")
def test_the_rewritten_term_of_real_loans_is_found_without_being_named():
    loans = pd.read_parquet(SBA / "sba_casecontrol.parquet")
    outcome = (loans["MIS_Status"] == "CHGOFF").to_numpy(dtype="int64")
    known = ["Term", "NoEmp", "CreateJob", "GrAppv", "SBA_Appv", "NAICS", "Zip", "Bank", "State", "UrbanRural"]
    assert kinds(loans, outcome, columns=known) == {("whole_years", "Term")}
