"""Whatever is done to the tables: they are solved and the certificate holds, or they are refused in one sentence."""

import json
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from matching.__main__ import app
from matching.files import LISTS

DEMANDS, PRODUCTS = 12, 4
GRID = [(demand, product) for demand in range(DEMANDS) for product in range(PRODUCTS) if (demand * product) % 3 < 2]
TABLES = {
    "demands": {
        "demand_id": pa.array(range(100, 100 + DEMANDS), pa.int64()),
        "amount_fen": pa.array([1_000_000 * (1 + row % 5) for row in range(DEMANDS)], pa.int64()),
        "waited_days": pa.array([row % 7 for row in range(DEMANDS)], pa.int32()),
    },
    "products": {
        "product_id": pa.array(range(7, 7 + PRODUCTS), pa.int64()),
        "bank_id": pa.array([20, 10, 20, 30], pa.int64()),
        "places": pa.array([3, 2, 4, 1], pa.int32()),
        "quota_fen": pa.array([None, 5_000_000, None, 3_000_000], pa.int64()),
        "floor": pa.array([0, 1, 0, 0], pa.int32()),
    },
    "pairs": {
        "demand_id": pa.array([100 + demand for demand, _ in GRID], pa.int64()),
        "product_id": pa.array([7 + product for _, product in GRID], pa.int64()),
        "value": pa.array([0.1 + (31 * at % 17) / 20 for at in range(len(GRID))], pa.float64()),
        "p_grant": pa.array([0.2 + (7 * at % 5) / 10 for at in range(len(GRID))], pa.float64()),
        "intended": pa.array([at % 9 == 0 for at in range(len(GRID))], pa.bool_()),
    },
    "banks": {"bank_id": pa.array([10, 20], pa.int64()), "places": pa.array([2, None], pa.int32())},
}
TYPES = (
    pa.int8(), pa.int16(), pa.uint8(), pa.uint32(), pa.uint64(), pa.int64(), pa.float16(), pa.float32(), pa.float64(),
    pa.bool_(), pa.string(), pa.large_string(), pa.binary(), pa.date32(), pa.timestamp("us"), pa.duration("s"),
    pa.decimal128(30, 4), pa.dictionary(pa.int32(), pa.string()), pa.list_(pa.int64()), pa.null(),
)  # fmt: skip
VALUES = (None, float("nan"), float("inf"), -float("inf"), -1, 0, 1, 2, 3.5, -0.0, 1e-320, 1e15, 1e18, 1e300, 2**31,
          2**62, 2**63, 2**64, Decimal("0.5"), True, "5", "", "much", b"\xff", [1], {"a": 1})  # fmt: skip

place = st.sampled_from([(table, column) for table, columns in TABLES.items() for column in columns])
change = st.one_of(
    st.tuples(st.just("drop column"), place),
    st.tuples(st.just("twice"), place),
    st.tuples(st.just("type"), place, st.sampled_from(TYPES)),
    st.tuples(st.just("value"), place, st.integers(0, 40), st.sampled_from(VALUES)),
    st.tuples(st.just("copy"), place, st.integers(0, 40), st.integers(0, 40)),
    st.tuples(st.just("empty"), st.sampled_from(list(TABLES))),
    st.tuples(st.just("index"), st.sampled_from(list(TABLES))),
    st.tuples(st.just("shuffle"), st.sampled_from(list(TABLES)), st.integers(0, 99)),
    st.tuples(st.just("extra"), st.sampled_from(list(TABLES)), st.sampled_from(TYPES)),
)


def changed(table, kind, what, *rest):
    """The table after one change; as it was where Arrow knows no such table."""
    name = what[1] if isinstance(what, tuple) else None
    if kind == "drop column":
        return table.drop_columns([name]) if name in table.column_names else table
    if kind == "empty":
        return table.slice(0, 0)
    if kind == "index":
        return pa.Table.from_pandas(table.to_pandas().set_index(pd.Index(range(5, 5 + len(table)), name=None)))
    if kind == "shuffle":
        return table.take(np.random.default_rng(rest[0]).permutation(len(table)))
    if kind == "extra":
        return table.append_column("more", pa.nulls(len(table), rest[0]))
    if name not in table.column_names:
        return table
    at, values = table.column_names.index(name), table.column(name).to_pylist()
    if kind == "twice":
        return table.append_column(name, table.column(at))
    if kind == "type":
        return table.set_column(at, name, _typed(table.column(at), rest[0]))
    if not values:
        return table
    row, *other = (one % len(values) if isinstance(one, int) and kind == "copy" else one for one in rest)
    values[row % len(values)] = values[other[0]] if kind == "copy" else other[0]
    return table.set_column(at, name, pa.array(values))


def _typed(column, kind):
    if pa.types.is_list(kind):
        return pa.array([[1]] * len(column), kind)
    if pa.types.is_null(kind):
        return pa.nulls(len(column))
    if pa.types.is_dictionary(kind):
        return column.cast(pa.string()).dictionary_encode()
    return column.cast(pa.int64()).cast(kind) if pa.types.is_temporal(kind) else column.cast(kind, safe=False)


def mangled(changes):
    tables = {name: pa.table(columns) for name, columns in TABLES.items()}
    for kind, what, *rest in changes:
        name = what[0] if isinstance(what, tuple) else what
        try:
            tables[name] = changed(tables[name], kind, what, *rest)
        except (pa.ArrowException, OverflowError, TypeError, ValueError, KeyError):
            continue
    return tables


def run(word, folder, *more):
    given = [part for name in TABLES for part in (f"--{name}", str(folder / f"{name}.parquet"))]
    ends = ["--certificate", str(folder / "certificate.json")]
    return CliRunner().invoke(app, [word, *given, *ends, *more])


def test_mangled_tables_are_solved_and_certified_or_refused_in_one_sentence():
    seen = Counter()

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.lists(change, min_size=1, max_size=3))
    def holds(changes):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for table, content in mangled(changes).items():
                pq.write_table(content, folder / f"{table}.parquet")
            answer = run("solve", folder, "--out", str(folder / "lists.parquet"))
            assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
            assert answer.exit_code in (0, 2), answer.output
            seen[answer.exit_code] += 1
            if answer.exit_code == 2:
                sentence = answer.stderr.removesuffix("\n")
                assert sentence
                assert "\n" not in sentence
                assert any(table in sentence for table in TABLES)
                assert "column" in sentence or "row" in sentence
                assert not (folder / "lists.parquet").exists()
                assert not (folder / "certificate.json").exists()
                return
            told = json.loads((folder / "certificate.json").read_text())
            assert told["breaches"] == []
            assert told["value"] <= told["bound"] + 1e-9
            again = run("certify", folder, "--lists", str(folder / "lists.parquet"))
            assert again.exit_code == 0, again.output

    holds()
    assert min(seen.values()) > 40, seen


JSON_VALUES = (None, True, -1, 0, 1.5, 10**400, 1e300, "x", [], {}, [1, 2, 3], {"product": 1})
listed = st.sampled_from(["demand_id", "product_id", "bank_id", "rank"])
list_change = st.one_of(
    st.tuples(st.just("drop column"), st.tuples(st.just("lists"), listed)),
    st.tuples(st.just("type"), st.tuples(st.just("lists"), listed), st.sampled_from(TYPES)),
    st.tuples(st.just("value"), st.tuples(st.just("lists"), listed), st.integers(0, 40), st.sampled_from(VALUES)),
    st.tuples(st.just("empty"), st.just("lists")),
)
edit = st.tuples(st.lists(st.integers(0, 40), max_size=4), st.sampled_from(JSON_VALUES))


def edited(node, path, value):
    """The certificate with one node replaced: the way there is taken by number, whatever stands on it."""
    if not path or not isinstance(node, dict | list) or not node:
        return value
    if isinstance(node, list):
        at = path[0] % len(node)
        return [*node[:at], edited(node[at], path[1:], value), *node[at + 1 :]]
    name = sorted(node)[path[0] % len(node)]
    return node | {name: edited(node[name], path[1:], value)}


def test_mangled_lists_and_certificates_are_told_not_thrown(tmp_path):
    for name, columns in TABLES.items():
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    assert run("solve", tmp_path, "--out", str(tmp_path / "lists.parquet")).exit_code == 0
    certificate, lists = (tmp_path / "certificate.json").read_text(), pq.read_table(tmp_path / "lists.parquet")
    seen = Counter()

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.one_of(st.just(None), list_change), st.one_of(st.just(None), edit))
    def holds(of_lists, of_certificate):
        told = json.loads(certificate)
        if of_certificate:
            told = edited(told, *of_certificate)
        (tmp_path / "certificate.json").write_text(json.dumps(told))
        try:
            content = changed(lists, *of_lists) if of_lists else lists
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            content = lists
        pq.write_table(content, tmp_path / "lists.parquet")
        answer = run("certify", tmp_path, "--lists", str(tmp_path / "lists.parquet"))
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        seen[answer.exit_code] += 1
        if answer.exit_code == 2:
            assert len(answer.stderr.splitlines()) == 1
        if content == lists and told == json.loads(certificate):
            assert answer.exit_code == 0

    holds()
    assert set(seen) == {0, 1, 2}


def test_a_file_that_could_not_be_written_is_refused_before_the_work(tmp_path):
    for name, columns in TABLES.items():
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    for out in (tmp_path, tmp_path / "nowhere" / "lists.parquet"):
        answer = run("solve", tmp_path, "--out", str(out))
        assert answer.exit_code == 2
        assert answer.stderr.startswith(f"{out}: nothing can be written there")
        assert not (tmp_path / "certificate.json").exists()


def test_what_is_asked_for_beside_the_tables_is_refused_too(tmp_path):
    for name, columns in TABLES.items():
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    out = ["--out", str(tmp_path / "lists.parquet")]
    for asked in (["--seed", "-1"], ["--start-from", str(tmp_path)], ["--max-banks", str(10**30)]):
        assert run("solve", tmp_path, *out, *asked).exit_code == 2


def test_a_line_given_back_on_a_day_without_products_is_refused(tmp_path):
    for name, columns in TABLES.items():
        pq.write_table(pa.table(columns).slice(0, 0), tmp_path / f"{name}.parquet")
    lists, refused = (tmp_path / f"{name}.parquet" for name in ("published", "refused"))
    pq.write_table(pa.table({name: pa.array([], pa.int64()) for name in LISTS}), lists)
    pq.write_table(pa.table({"demand_id": [1], "product_id": [2]}), refused)
    out = ["--out", str(tmp_path / "lists.parquet")]
    answer = run("solve", tmp_path, *out, "--published", str(lists), "--refused", str(refused))
    assert (answer.exit_code, len(answer.stderr.splitlines())) == (2, 1)
