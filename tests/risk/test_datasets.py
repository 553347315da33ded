"""Data sets: a spec and a query become rows; time is respected; bad input is one sentence with file, row and column."""

import json

import numpy as np
import pandas as pd
import pytest

from risk import choice, contest, dataset, encode, spec, splits
from risk.figures import figures
from risk.spec import DatasetError
from tests.risk.by_command import run

SPEC = """
title = "Loans of a made-up bank"

[tables]
loans = "loans.parquet"

[test]
table = "loans"
some_of = ["amount", "debt"]

[columns]
outcome = "bad"
time = "year"
group = "client"
weight = "heavy"

[protocol]
kind = "expanding"
tests = [2004, 2005]
inner = 2

[checks]
"loans.amount" = "amount"
"loans.granted" = "date"
"loans.industry" = "closed"

[leaks]
term = "it is rewritten when a loan is charged off"

[features]
log_amount = "number"
debt = "number +"
industry = "category"

[rates.bank]
key = ["bank"]
half_life = 2
prior = 20

[model]
ridges = [0.03, 0.3]
shares = [0.5]
[[model.growths]]
name = "few"
steps = [20]
bag = 2
[model.growths.settings]
num_leaves = 4
learning_rate = 0.1
min_data_in_leaf = 20

[segments]
industry = "industry"
"""
QUERY = "SELECT *, ln(amount) AS log_amount FROM loans ORDER BY loan"


def loans(years=range(2000, 2006), each=300, seed=3):
    random = np.random.default_rng(seed)
    count = each * len(years)
    frame = pd.DataFrame({
        "loan": np.arange(count), "year": np.repeat(list(years), each), "client": random.integers(0, count // 2, count),
        "amount": np.exp(random.normal(11, 1, count)), "debt": random.normal(size=count),
        "industry": random.choice(["trade", "building", "catering"], count), "bank": random.integers(0, 20, count),
        "heavy": random.choice([1.0, 3.0], count), "term": 12,
    })  # fmt: skip
    frame["granted"] = pd.to_datetime(frame["year"].astype(str) + "-03-01")
    odds = -1.5 + 0.9 * frame["debt"] + 0.8 * (frame["industry"] == "building") + 0.15 * (frame["bank"] - 10)
    frame["bad"] = (random.random(count) < 1 / (1 + np.exp(-odds))).astype(int)
    return frame


@pytest.fixture
def folder(tmp_path):
    loans().to_parquet(tmp_path / "loans.parquet")
    (tmp_path / "bank.toml").write_text(SPEC)
    (tmp_path / "bank.sql").write_text(QUERY)
    return tmp_path


@pytest.fixture
def told(folder):
    return spec.load(str(folder / "bank.toml"))


def test_every_spec_of_the_house_is_read_and_names_no_leak_as_a_feature():
    assert {"sba", "datarisk", "slovak", "us_bankruptcy", "polish", "cumcm", "platform"} <= set(spec.names())
    for name in spec.names():
        one = spec.load(name)
        assert one.protocol.kind in spec.PROTOCOLS, name
        assert not {wanted.pattern for wanted in one.wanted} & set(one.leaks), name


def test_only_the_columns_the_spec_names_are_used(told, folder):
    data = dataset.read(told, folder, "")
    assert data.names == ("log_amount", "debt", "industry_0", "industry_1", "industry_2")
    assert data.directions == (0, 1, 0, 0, 0)
    assert data.weights is not None
    assert data.groups is not None


def test_each_year_is_tested_by_what_came_before_it_and_chosen_on_the_years_before(told, folder):
    data = dataset.read(told, folder, "")
    for split, year in zip(splits.splits(told, data, 7), (2004, 2005), strict=True):
        assert set(data.time[split.test]) == {year}
        assert data.time[split.train].max() == year - 1
        assert [set(data.time[split.train][kept]) for _, kept in split.folds] == [{year - 2}, {year - 1}]
        for fitted, kept in split.folds:
            assert data.time[split.train][fitted].max() < data.time[split.train][kept].min()


def test_an_outcome_that_was_not_known_yet_teaches_nothing(told, folder):
    late = spec.Spec("bank", {**told.told, "columns": {**told.told["columns"], "known": "known"}}, told.query)
    frame = loans().assign(known=lambda rows: rows["year"] + 1)
    frame.to_parquet(folder / "loans.parquet")
    data = dataset.read(late, folder, "")
    for split in splits.splits(late, data, 7):
        start = data.time[split.test].min()
        assert data.time[split.train].max() == start - 2


def test_a_rate_of_a_category_knows_earlier_periods_only_and_fades_with_their_age():
    codes = np.array([0, 0, 0, 0, 1])
    periods = np.array([2000, 2000, 2002, 2003, 2003])
    labels = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    every = np.ones(5, dtype=bool)
    told = encode.by_period(codes, periods, labels, np.ones(5), every, half_life=2, prior=1)
    assert told.rate[:2].tolist() == [0.0, 0.0]
    base = (1 + 1) / (1 + 2)  # two defaults at half weight are one of one
    rate = (1 + base) / (1 + 1)
    assert told.rate[2] == pytest.approx(np.log(rate / (1 - rate)) - np.log(base / (1 - base)), abs=1e-9)
    assert told.volume[2] == pytest.approx(np.log(2))
    changed = encode.by_period(
        codes, periods, np.append(labels[:3], [0.0, 1.0]), np.ones(5), every, half_life=2, prior=1
    )
    assert changed.rate.tolist() == told.rate.tolist()
    assert told.rate[4] == pytest.approx(0)


def test_a_rate_out_of_folds_never_sees_its_own_row():
    random = np.random.default_rng(0)
    codes, labels = np.arange(400), (random.random(400) < 0.3).astype(float)
    told = encode.by_fold(codes, labels, np.ones(400), np.arange(300), 7, prior=5)
    assert np.allclose(told.rate[:300], 0)  # every category has one row: others say nothing of it
    assert np.allclose(told.rate[300:], 0)


def test_ours_and_every_peer_that_is_here_are_measured_on_the_same_rows_with_intervals(told, folder):
    held = contest.held(told, dataset.read(told, folder, ""))
    found = figures(held, repeats=50)
    assert [one["slice"] for one in found["slices"]] == ["2004", "2005"]
    for one in found["slices"]:
        assert {contest.OURS, "logistic regression", "hist. gradient boosting"} <= set(one["models"])
        ours = one["models"][contest.OURS]
        low, high = ours["intervals"]["auc"]
        assert low < ours["measures"]["auc"] < high
        assert ours["measures"]["auc"] > 0.65
        assert abs(ours["measures"]["predicted"] - one["base_rate"]) < 0.08
        groups = one["segments"]["industry"]["groups"]
        assert {group["group"] for group in groups} == {"trade", "building", "catering"}
        assert sum(group["n"] for group in groups) == one["n"]
        sparse = one["segments"]["industry"]["low_default"]
        assert all(row["observed"] < row["upper"] <= 1 for row in sparse)
        for paired in one["paired"].values():
            assert paired["auc"]["low"] <= paired["auc"]["difference"] <= paired["auc"]["high"]
    assert json.loads(json.dumps(found, allow_nan=False))["mean"][contest.OURS]["auc"] > 0.65


def test_the_same_seed_gives_the_same_estimates(told, folder):
    data = dataset.read(told, folder, "")
    one, two = (contest.held(told, data, with_peers=False).tested for _ in range(2))
    assert [part.estimates[contest.OURS].tolist() for part in one] == [
        part.estimates[contest.OURS].tolist() for part in two
    ]


def test_a_file_is_tested_by_all_of_the_folder_that_precedes_it_and_its_outcomes_teach_nothing(told, folder):
    later = loans(range(2006, 2008), seed=5)
    later.to_parquet(folder / "later.parquet")
    later.assign(bad=1 - later["bad"]).to_parquet(folder / "turned.parquet")
    estimates = []
    for name in ("later.parquet", "turned.parquet"):
        data = dataset.read(told, folder, "", folder / name)
        assert data.test.sum() == 600
        (tested,) = contest.held(told, data, with_peers=False).tested
        estimates.append(tested.estimates[contest.OURS].tolist())
    assert estimates[0] == estimates[1]


def test_a_planted_leak_is_told_before_training(told, folder):
    frame = loans()
    frame.assign(debt=frame["bad"] * 5 + frame["debt"] * 0.1).to_parquet(folder / "loans.parquet")
    held = contest.held(told, dataset.read(told, folder, ""), with_peers=False)
    assert [(one.kind, one.column) for one in held.leaks] == [("too_good", "debt")]


def test_copies_of_a_row_on_both_sides_of_a_random_split_are_told_unless_a_group_keeps_them_together(told, folder):
    frame = pd.concat([loans(), loans()], ignore_index=True).assign(copy=lambda rows: rows["loan"])
    frame.to_parquet(folder / "loans.parquet")
    found = []
    for columns in ({"outcome": "bad"}, {"outcome": "bad", "group": "copy"}):
        given = {**told.told, "columns": columns, "protocol": {"kind": "folds", "folds": 5, "inner": 3}}
        crossed = spec.Spec("bank", given, QUERY)
        data = dataset.read(crossed, folder, "")
        found.append([one.kind for one in contest.guarded(crossed, data, splits.splits(crossed, data, 7)[0])])
    assert found == [["duplicates"], []]


def bad(folder, what):
    path = folder / f"{what}.parquet"
    BAD[what][0](loans(range(2006, 2007), seed=9)).to_parquet(path)
    return path


BAD = {
    "a column missing": (lambda rows: rows.drop(columns="amount"), "there is no column amount"),
    "a category never seen": (
        lambda rows: rows.assign(industry=rows["industry"].where(rows.index != 4, "mining")),
        "row 5, column industry: 'mining' was never seen",
    ),
    "a row that is all missing": (
        lambda rows: rows.assign(**{name: rows[name].where(rows.index != 6) for name in ("amount", "debt")}),
        "row 7: every feature is missing",
    ),
    "an infinite value": (
        lambda rows: rows.assign(debt=rows["debt"].where(rows.index != 2, np.inf)),
        "row 3, column debt: the value is infinite",
    ),
    "a negative amount": (
        lambda rows: rows.assign(amount=rows["amount"].where(rows.index != 1, -5.0)),
        "row 2, column amount: the amount is negative",
    ),
    "a date in 2106": (
        lambda rows: rows.assign(granted=rows["granted"].where(rows.index != 3, pd.Timestamp("2106-01-01"))),
        "row 4, column granted: this is no date between 1900 and 2100",
    ),
    "no rows": (lambda rows: rows.iloc[:0], "there are no rows"),
    "one outcome only": (lambda rows: rows.assign(bad=0), "one outcome only"),
    "an outcome that is neither": (lambda rows: rows.assign(bad=7), "neither good nor bad"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_sentence_that_names_it(told, folder, what):
    path = bad(folder, what)
    with pytest.raises(DatasetError, match=BAD[what][1]) as fault:
        contest.held(told, dataset.read(told, folder, "", path), with_peers=False)
    assert "\n" not in str(fault.value)


def test_on_the_command_line_bad_input_ends_with_code_two_and_no_traceback(folder):
    asked = [
        (("evaluate", folder / "bank.toml", "--data", folder, "--test", bad(folder, what)), BAD[what][1])
        for what in ("an infinite value", "no rows")
    ]
    (folder / "wrong.toml").write_text(SPEC.replace("debt =", "wealth ="))
    for name in ("wrong", "bare", "blind"):
        (folder / f"{name}.sql").write_text(QUERY)
    (folder / "bare.toml").write_text('title = "x"\n[columns]\noutcome = "bad"\n[protocol]\nkind = "folds"\n')
    (folder / "blind.toml").write_text(SPEC.replace('outcome = "bad"\n', ""))
    asked += [
        (("evaluate", folder / "wrong.toml", "--data", folder), "names the column wealth"),
        (("evaluate", "platform", "--data", folder, "--test", folder / "loans.parquet"), "takes no file"),
        (("evaluate", folder / "bare.toml", "--data", folder), "bare.toml lacks tables, test"),
        (("evaluate", folder / "blind.toml", "--data", folder), "does not say which column is the outcome"),
        (("evaluate", "nothing", "--data", folder), "There is no data set nothing"),
        (("evaluate", "sba", "--data", folder), "there is no such file"),
    ]
    for words, sentence in asked:
        answer = run(*words)
        assert answer.returncode == 2, answer.stderr
        assert sentence in answer.stderr
        assert "Traceback" not in answer.stderr


def test_evaluate_prints_the_table_writes_json_and_counts_the_looks(folder):
    words = (
        "evaluate",
        folder / "bank.toml",
        "--data",
        folder,
        "--no-peers",
        "--repeats",
        50,
        "--json",
        folder / "a.json",
    )
    for _ in range(2):
        answer = run(*words, "--looks", folder / "looks.csv")
        assert answer.returncode == 0, answer.stderr
    assert "base rate" in answer.stdout
    assert "xindeng" in answer.stdout
    told = json.loads((folder / "a.json").read_text())
    assert [one["slice"] for one in told["parts"][0]["slices"]] == ["2004", "2005"]
    assert len((folder / "looks.csv").read_text().splitlines()) == 3


def test_settings_are_sought_in_the_first_training_window_and_told_as_lines_for_the_spec(folder):
    made = [run("tune", folder / "bank.toml", "--data", folder, "--trials", 3).stdout for _ in range(2)]
    assert made[0] == made[1]
    assert "[[model.growths]]" in made[0]
    assert "loss" in made[0]


def test_the_alarms_of_a_history_ring_after_the_level_rose_and_not_before(folder):
    random = np.random.default_rng(11)
    frame = loans(range(1998, 2006), each=600)
    rose = (frame["year"] == 2005) & (random.random(len(frame)) < 0.45)
    frame["bad"] = np.where(rose, 1, frame["bad"])
    frame["granted"] += pd.to_timedelta(random.integers(0, 180, len(frame)), "D")
    lost = frame["granted"] + pd.to_timedelta(random.integers(60, 500, len(frame)), "D")
    frame["lost_on"] = lost.where(frame["bad"] == 1)
    frame.to_parquet(folder / "loans.parquet")
    watched = '\n[watch]\nscored_on = "granted"\nknown_on = "lost_on"\nthrough = 2007-12-31\n'
    (folder / "bank.toml").write_text(SPEC + watched)
    answer = run("watch", folder / "bank.toml", "--data", folder, "--json", folder / "alarms.json")
    assert answer.returncode == 0, answer.stderr
    alarms = json.loads((folder / "alarms.json").read_text())["alarms"]
    worse = {one["scope"]: one["rang_on"] for one in alarms if one["side"] == "worse" and one["kind"] == "evidence"}
    assert worse["FY2005"] is not None
    assert "2005-04" < worse["FY2005"] < "2006-12"
    assert worse["FY2004"] is None or worse["FY2004"] > worse["FY2005"]


def test_a_spec_that_does_not_say_how_to_watch_says_so(folder):
    answer = run("watch", folder / "bank.toml", "--data", folder)
    assert answer.returncode == 2
    assert "has no [watch]" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_column_of_many_kinds_is_left_to_the_trees_and_spread_for_the_scorecard_whose_contributions_stay_exact(
    folder,
):
    (folder / "bank.toml").write_text(SPEC.replace('industry = "category"', 'industry = "category"\nbank = "kinds"'))
    many = spec.load(str(folder / "bank.toml"))
    data = dataset.read(many, folder, "")
    rows, _ = contest.rows_of(many, data, splits.splits(many, data, 7)[0], 7)
    assert [rows.names[place] for place in rows.kinds] == ["bank"]
    blend = choice.fit(choice.Candidate("blend", 0.1, 20, many.menu.growths[0], 0.5), rows, 7)
    moved, start = blend.explained(rows.matrix)
    assert moved.shape == rows.matrix.shape
    assert np.allclose(moved.sum(axis=1) + start, blend.margin(rows.matrix), atol=1e-9)
    unseen = rows.matrix.copy()
    unseen[:, rows.kinds[0]] = 99
    assert np.isfinite(blend.margin(unseen)).all()
    held = contest.held(many, data)
    assert all(np.isfinite(one).all() for tested in held.tested for one in tested.estimates.values())
