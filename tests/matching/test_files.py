"""The exchange format: lists and certificate from Parquet files, checked again, and bad files refused in a sentence."""

import json
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from matching.__main__ import app
from matching.allocate import solver_version
from matching.certificate import Certificate

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


def rechecked(folder, *more):
    ends = ["--lists", str(folder / "lists.parquet"), "--certificate", str(folder / "certificate.json")]
    inputs = [word for name in TABLES for word in (f"--{name}", str(folder / f"{name}.parquet"))]
    return CliRunner().invoke(app, ["certify", *inputs, *ends, *more])


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


TOUCHED = {
    "value": 2.5, "bound": 0.1, "gap": 0.5, "placed": 3, "demands_placed": 1, "amount_fen": 1, "intended_placed": 0,
    "intended_wanted": 2, "blocking_pairs": 7, "starved_banks": [10], "short_of_floor": [7], "unlisted": 0,
    "late_unlisted": 4, "longest_wait": 99, "stage_values": [1, 1, 1], "stage_bounds": [1, 1, 1],
    "prices": {"7": 9.0, "8": 0.0}, "money_prices": {}, "bank_prices": {"10": 1.0}, "input_hash": "0" * 64,
    "output_hash": "0" * 64, "breaches": ["all is well"], "version": "certificate 99",
}  # fmt: skip


@pytest.mark.parametrize("name", TOUCHED)
def test_whatever_is_touched_in_a_certificate_is_found(name, tmp_path):
    solved(tmp_path)
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: TOUCHED[name]}))
    again = rechecked(tmp_path)
    assert again.exit_code == 1
    assert f"does not agree: {name} is" in again.output


def test_every_figure_of_a_certificate_is_among_those_touched():
    assert {one.name for one in fields(Certificate)} == set(TOUCHED)


def test_prices_too_low_for_their_bound_and_limits_that_were_not_asked_are_found(tmp_path):
    solved(tmp_path)
    path = tmp_path / "certificate.json"
    told = json.loads(path.read_text())
    free = [{part: dict.fromkeys(prices, 0.0) for part, prices in stage.items()} for stage in told["stage_prices"]]
    for changed, name in (
        ({"stage_prices": free}, "bound"),
        ({"asked": told["asked"] | {"max_banks": 1}}, "input_hash"),
        ({"asked": told["asked"] | {"urgent_days": 1}}, "input_hash"),
    ):
        path.write_text(json.dumps(told | changed))
        again = rechecked(tmp_path)
        assert again.exit_code == 1
        assert f"does not agree: {name}" in again.output
    without_end = json.dumps(told).replace(json.dumps(told["stage_prices"][2]["bank"]), '{"10": NaN, "20": Infinity}')
    path.write_text(without_end)
    again = rechecked(tmp_path)
    assert again.exit_code == 1
    assert "not one finite number" in again.output


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"asked": {"max_banks": 3, "urgent_days": null}}', "{1}"])
def test_a_file_that_is_no_certificate_is_refused(content, tmp_path):
    solved(tmp_path)
    (tmp_path / "certificate.json").write_text(content)
    again = rechecked(tmp_path)
    assert again.exit_code == 2
    assert "this is no certificate of ours" in again.output


def test_the_certificate_names_the_solver_and_its_libraries(tmp_path):
    solved(tmp_path)
    told = json.loads((tmp_path / "certificate.json").read_text())
    assert told["versions"]["solver"] == solver_version()


def test_bidding_up_from_another_day_s_prices_gives_lists_that_hold(tmp_path):
    solved(tmp_path)
    (tmp_path / "certificate.json").rename(tmp_path / "yesterday.json")
    answer = solved(tmp_path, "--start-from", str(tmp_path / "yesterday.json"))
    assert answer.exit_code == 0, answer.output
    assert rechecked(tmp_path).exit_code == 0


# --- a supplement ----------------------------------------------------------------------------------------------------


def supplemented(folder, refused):
    """The lists of `solved` are out; these lines were given back."""
    solved(folder)
    (folder / "lists.parquet").rename(folder / "published.parquet")
    pq.write_table(pa.Table.from_pylist(refused), folder / "refused.parquet")
    words = ["--published", str(folder / "published.parquet"), "--refused", str(folder / "refused.parquet")]
    return solved(folder, *words), words


def test_after_a_refusal_the_supplement_is_solved_and_certified_beside_the_published_lists(tmp_path):
    answer, words = supplemented(tmp_path, [{"demand_id": 2, "product_id": 7}])
    assert answer.exit_code == 0, answer.output
    assert pq.read_table(tmp_path / "lists.parquet").to_pylist() == [
        {"demand_id": 1, "product_id": 7, "bank_id": 10, "rank": 1}
    ]
    again = rechecked(tmp_path, *words)
    assert again.exit_code == 0, again.output
    assert rechecked(tmp_path).exit_code == 1, "without the published lists it is another problem"


def test_a_refusal_of_a_line_that_was_not_published_is_refused(tmp_path):
    answer, _ = supplemented(tmp_path, [{"demand_id": 1, "product_id": 7}])
    assert answer.exit_code == 2
    assert "demand 1 at product 7 is no line of" in answer.output


def test_a_refusal_of_a_pair_nobody_knows_is_refused(tmp_path):
    answer, _ = supplemented(tmp_path, [{"demand_id": 1, "product_id": 99}])
    assert answer.exit_code == 2
    assert "nobody knows this demand or this product" in answer.output


def test_refusals_without_the_lists_they_belong_to_are_refused(tmp_path):
    pq.write_table(pa.table({"demand_id": [2], "product_id": [7]}), tmp_path / "refused.parquet")
    answer = solved(tmp_path, "--refused", str(tmp_path / "refused.parquet"))
    assert answer.exit_code == 2
    assert "name both" in answer.output


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
