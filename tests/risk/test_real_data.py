"""Data sets nobody here wrote: specs fit them, histories know nothing later, a file is tested by what precedes it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from risk import contest, dataset, pricing, spec, splits

pytestmark = pytest.mark.shared_data


@pytest.mark.parametrize(
    ("name", "part", "rows", "events"),
    [
        ("sba", "", 78_071, 30_665),
        ("slovak", "", 35_628, 211),
        ("us_bankruptcy", "w3", 3_528, 428),
        ("polish", "1year", 7_027, 271),
        ("cumcm", "", 123, 27),
        ("german", "", 1_000, 300),
        ("hmeq", "", 5_960, 1_189),
    ],
)
def test_a_spec_makes_one_row_of_every_observation(shared_data: Path, name: str, part: str, rows: int, events: int):
    data = dataset.read(spec.load(name), shared_data, part)
    assert (len(data.labels), int(data.labels.sum())) == (rows, events)
    assert not np.isinf(data.matrix).any()


@pytest.mark.parametrize(("name", "part"), [("slovak", ""), ("us_bankruptcy", "w5"), ("cumcm", ""), ("german", "")])
def test_every_test_of_a_protocol_has_rows_of_both_outcomes_to_learn_from(shared_data: Path, name: str, part: str):
    data = dataset.read(spec.load(name), shared_data, part)
    assert all(
        len(split.test) > 0 and data.labels[split.train].sum() > 0 for split in splits.splits(spec.load(name), data, 7)
    )


def test_each_year_of_sba_is_tested_by_earlier_years_only_and_no_leak_is_left(shared_data: Path):
    told = spec.load("sba")
    data = dataset.read(told, shared_data, "")
    made = splits.splits(told, data, 7)
    assert [split.slice for split in made] == [str(year) for year in range(2001, 2008)]
    for split in made:
        assert data.time[split.train].max() < data.time[split.test].min()
        assert data.scored[split.test].all()
    assert contest.guarded(told, data, made[0]) == []
    assert not {"Term", "ChgOffDate", "fiscal_year", "charged_off_on"} & set(data.names)


def test_an_invoices_history_is_the_same_when_the_later_world_is_taken_away(shared_data: Path):
    told, day = spec.load("datarisk"), pd.Timestamp("2020-03-02")
    folder = shared_data / "datarisk_b2b"
    tables = {name: pd.read_parquet(folder / file) for name, file in told.tables("").items()}
    some = np.sort(tables["pagamentos"]["ID_CLIENTE"].unique())[::12]
    tables["pagamentos"] = tables["pagamentos"][tables["pagamentos"]["ID_CLIENTE"].isin(some)].reset_index(drop=True)
    then = tables["pagamentos"][tables["pagamentos"]["DATA_EMISSAO_DOCUMENTO"] < day].copy()
    then.loc[then["DATA_PAGAMENTO"] >= day, "DATA_PAGAMENTO"] = pd.Timestamp("2035-01-01")
    sources = dict.fromkeys(tables, folder)
    whole = dataset.of_tables(told, "", tables, sources)
    before = dataset.of_tables(told, "", {**tables, "pagamentos": then}, sources)
    earlier = (whole.frame["iss"] < day).to_numpy()
    order = ["client", "iss", "due", "k_both", "amt"]
    one = whole.frame[earlier].assign(row=np.flatnonzero(earlier)).sort_values(order)["row"].to_numpy()
    two = before.frame.reset_index(drop=True).sort_values(order).index.to_numpy()
    assert len(one) == len(two) > 1_000
    assert np.allclose(whole.matrix[one], before.matrix[two], equal_nan=True)


def test_a_file_of_windows_shows_its_length_and_is_tested_by_both_earlier_files(shared_data: Path, tmp_path: Path):
    told = spec.load("us_bankruptcy")
    later = pd.read_parquet(shared_data / "us_bankruptcy" / "us_w4_validation.parquet")
    later.assign(fyear=later["fyear"] + 3).to_parquet(tmp_path / "later.parquet")
    assert dataset.part_of(told, tmp_path / "later.parquet") == "w4"
    data = dataset.read(told, shared_data, "w4", tmp_path / "later.parquet")
    (split,) = splits.splits(told, data, 7)
    assert len(split.test) == 545
    assert len(split.train) == 2_454 + 545
    assert data.time[split.train].max() < data.time[split.test].min()


def test_the_budget_is_kept_nobody_rated_d_is_lent_to_and_estimates_earn_more_than_equal_shares(shared_data: Path):
    found = pricing.priced(spec.load("cumcm"), shared_data, budget=50_000_000, repeats=2)
    assert found.profits["estimates"].mean() > found.profits["equal split"].mean()
    lent = [one for one in found.plan if one[2] > 0]
    assert sum(one[2] for one in lent) <= 50_000_000
    assert all(100_000 <= one[2] <= 1_000_000 for one in lent)
    assert all(0.04 <= one[3] <= 0.15 for one in lent)
    assert len(found.plan) == 302
