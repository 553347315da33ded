"""The exchange format: lists and certificate from Parquet files, checked again, and bad files refused in a sentence."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from matching.__main__ import app

TABLES = {
    "demands": {"demand_id": [1, 2, 3], "amount_fen": [300, 300, 100], "waited_days": [1, 2, 9]},
    "products": {
        "product_id": [7, 8],
        "bank_id": [10, 20],
        "places": [1, 2],
        "quota_fen": [None, 400],
        "floor": [0, 0],
    },
    "pairs": {
        "demand_id": [1, 2, 3, 1, 2, 3],
        "product_id": [7, 7, 7, 8, 8, 8],
        "value": [0.5, 0.4, 0.3, 0.2, 0.3, 0.4],
        "p_grant": [0.5] * 6,
        "intended": [False, True, False, False, False, False],
    },
    "banks": {"bank_id": [20], "places": [1]},
}


def written(folder, **changes):
    arguments = []
    for name, table in TABLES.items():
        path = folder / f"{name}.parquet"
        pq.write_table(pa.table({**table, **changes.get(name, {})}), path)
        arguments += [f"--{name}", str(path)]
    return arguments


def solved(folder, *more, **changes):
    ends = ["--out", str(folder / "lists.parquet"), "--certificate", str(folder / "certificate.json")]
    return CliRunner().invoke(app, ["solve", *written(folder, **changes), *ends, *more])


def rechecked(folder):
    ends = ["--lists", str(folder / "lists.parquet"), "--certificate", str(folder / "certificate.json")]
    inputs = [word for name in TABLES for word in (f"--{name}", str(folder / f"{name}.parquet"))]
    return CliRunner().invoke(app, ["certify", *inputs, *ends])


def test_files_are_solved_and_the_certificate_holds(tmp_path):
    answer = solved(tmp_path)
    assert answer.exit_code == 0, answer.output
    lists = pq.read_table(tmp_path / "lists.parquet")
    assert [str(field.type) for field in lists.schema] == ["int64", "int64", "int64", "int32"]
    assert lists.to_pylist() == [
        {"demand_id": 2, "product_id": 7, "bank_id": 10, "rank": 1},
        {"demand_id": 3, "product_id": 8, "bank_id": 20, "rank": 1},
    ]
    told = json.loads((tmp_path / "certificate.json").read_text())
    for name in ("value", "bound", "gap", "placed", "breaches", "starved_banks", "blocking_pairs", "prices", "seconds",
                 "peak_rss_mb", "versions", "input_hash", "output_hash"):  # fmt: skip
        assert name in told
    assert (told["placed"], told["breaches"], set(told["prices"])) == (2, [], {"7", "8"})
    again = rechecked(tmp_path)
    assert again.exit_code == 0, again.output
    assert "The certificate holds." in again.output


def test_solving_twice_writes_the_same_lists(tmp_path):
    solved(tmp_path, "--seed", "3")
    first = (tmp_path / "lists.parquet").read_bytes()
    solved(tmp_path, "--seed", "3")
    assert (tmp_path / "lists.parquet").read_bytes() == first


def test_a_changed_list_is_caught(tmp_path):
    solved(tmp_path)
    lists = pq.read_table(tmp_path / "lists.parquet").to_pylist()
    lists[0]["demand_id"] = 1
    pq.write_table(pa.Table.from_pylist(lists), tmp_path / "lists.parquet")
    again = rechecked(tmp_path)
    assert again.exit_code == 1
    assert "it named this bank" in again.output
    assert "does not agree: output_hash" in again.output


def test_a_changed_input_is_caught(tmp_path):
    solved(tmp_path)
    written(tmp_path, demands={"amount_fen": [300, 300, 101]})
    again = rechecked(tmp_path)
    assert again.exit_code == 1
    assert "does not agree: input_hash" in again.output


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pairs": {"value": [0.5, np.nan, 0.3, 0.2, 0.3, 0.4]}}, "pairs: row 1, column 'value' is empty"),
        (
            {"pairs": {"intended": [False, None, False, False, False, False]}},
            "pairs: row 1, column 'intended' is empty",
        ),
        ({"products": {"places": [1, -2]}}, "products: row 1, column 'places': -2 is below zero"),
        ({"pairs": {"product_id": [7, 7, 7, 8, 8, 9]}}, "pairs: row 5, column 'product_id': nobody knows the id 9"),
        ({"pairs": {"product_id": [7, 7, 7, 7, 8, 8]}}, "pairs: row 3 repeats the pair of row 0"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(changes, sentence, tmp_path):
    answer = solved(tmp_path, **changes)
    assert answer.exit_code == 2
    assert sentence in answer.output
    assert not (tmp_path / "lists.parquet").exists()


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    written(tmp_path)
    (tmp_path / "pairs.parquet").write_text("demand_id,product_id\n1,2\n")
    ends = ["--out", str(tmp_path / "lists.parquet"), "--certificate", str(tmp_path / "certificate.json")]
    inputs = [word for name in TABLES for word in (f"--{name}", str(tmp_path / f"{name}.parquet"))]
    answer = CliRunner().invoke(app, ["solve", *inputs, *ends])
    assert answer.exit_code == 2
    assert "no Parquet file" in answer.output
