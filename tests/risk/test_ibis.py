"""Ibis, DuckDB and sqlglot fit together: newer ones break at run time while pip stays silent."""

import ibis
import pandas as pd


def test_a_table_can_be_made_listed_and_asked_for_one_number():
    con = ibis.duckdb.connect()
    made = con.create_table("firms", pd.DataFrame({"n": [1, 2, 3]}))
    assert con.list_tables() == ["firms"]
    assert made.n.sum().cast("int64").execute() == 6
    assert con.execute(made.count()) == 3


def test_a_sum_of_whole_numbers_stays_whole_when_cast():
    con = ibis.duckdb.connect()
    made = con.create_table("money", schema=ibis.schema({"fen": "int64"}))
    con.raw_sql("INSERT INTO money VALUES (9007199254740993), (1)")
    answer = made.agg(total=made.fen.sum().cast("int64")).to_pyarrow()
    assert answer["total"].to_pylist() == [9007199254740994]


def test_tables_go_to_batches_and_to_parquet(tmp_path):
    made = ibis.duckdb.connect().create_table("firms", pd.DataFrame({"n": [1, 2, 3]}))
    assert sum(batch.num_rows for batch in made.to_pyarrow_batches()) == 3
    made.to_parquet(tmp_path / "firms.parquet")
    assert len(pd.read_parquet(tmp_path / "firms.parquet")) == 3
