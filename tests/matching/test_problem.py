"""What may stand in the tables of a day: anything else is refused in one sentence with its row and column."""

import time
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from matching.problem import ProblemError, input_hash, pose

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
        "demand_id": [1, 2, 3],
        "product_id": [7, 7, 8],
        "value": [0.5, 0.4, 0.3],
        "p_grant": [0.5, 0.5, 0.5],
        "intended": [False, True, False],
    },
    "banks": {"bank_id": [20], "places": [1]},
}


def posed(table=None, column=None, values=None, **more):
    tables = {name: dict(columns) for name, columns in TABLES.items()}
    if values is not None:
        tables[table][column] = values
    elif table is not None:
        del tables[table][column]
    return pose(*tables.values(), **more)


def refusal(*change):
    with pytest.raises(ProblemError) as fault:
        posed(*change)
    assert "\n" not in str(fault.value)
    return str(fault.value)


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in TABLES.items() for column in columns]
)
def test_a_column_that_is_missing_or_of_another_length_is_named(table, column):
    assert refusal(table, column) == f"{table}: the column '{column}' is missing"
    nested = [[1, 2]] * len(TABLES[table][column])
    assert refusal(table, column, nested) == f"{table}: the column '{column}' does not hold one value for each row"
    longer = refusal(table, column, [*TABLES[table][column], TABLES[table][column][0]])
    assert longer.startswith(f"{table}: ")
    assert "column" in longer or "repeats" in longer


WHOLE = [("demands", "demand_id"), ("demands", "amount_fen"), ("demands", "waited_days"), ("products", "product_id"),
         ("products", "bank_id"), ("products", "places"), ("products", "quota_fen"), ("products", "floor"),
         ("pairs", "demand_id"), ("pairs", "product_id"), ("banks", "bank_id"), ("banks", "places")]  # fmt: skip
NUMBERS = [*WHOLE, ("pairs", "value"), ("pairs", "p_grant")]
BUT_QUOTAS = [one for one in NUMBERS if one not in {("products", "quota_fen"), ("banks", "places")}]


def ending_in(table, column, value):
    values = np.empty(len(TABLES[table][column]), object)
    values[:] = TABLES[table][column]
    values[-1] = value
    return values


@pytest.mark.parametrize(("table", "column"), NUMBERS)
def test_what_is_no_number_is_told_with_its_row_whatever_its_type(table, column):
    size = len(TABLES[table][column])
    kind = "numbers" if column in ("value", "p_grant") else "whole numbers"
    begin = f"{table}: the column '{column}' does not hold {kind}: row "
    for value in ("much", "5", True, date(2026, 1, 1), {"a": 1}, b"5", [1]):
        told = refusal(table, column, ending_in(table, column, value))
        assert told == f"{begin}{size - 1} is {value!r}"
    for values in (["5"] * size, [True] * size, np.array(["2026-01-01"] * size, "datetime64[D]"), [1j] * size):
        assert refusal(table, column, values).startswith(f"{begin}0 is ")


@pytest.mark.parametrize(("table", "column"), BUT_QUOTAS)
def test_what_is_empty_or_endless_is_told_with_its_row(table, column):
    row = len(TABLES[table][column]) - 1
    for value in (None, float("nan"), pd.NA, pd.NaT, Decimal("NaN")):
        values = ending_in(table, column, value)
        assert (
            refusal(table, column, values) == f"{table}: row {row}, column '{column}' is empty or not a finite number"
        )
    told = refusal(table, column, ending_in(table, column, np.inf).astype(float))
    assert told == f"{table}: row {row}, column '{column}' is empty or not a finite number"
    for value in (Decimal("Infinity"), 10**400):
        values = ending_in(table, column, value)
        assert refusal(table, column, values).endswith(" is too large")


@pytest.mark.parametrize(("table", "column"), WHOLE)
def test_a_whole_number_is_whole_and_not_too_large(table, column):
    row = len(TABLES[table][column]) - 1
    for value, why in (
        (1.5, "is not a whole number"),
        (1e300, "is too large"),
        (Decimal("2.5"), "is not a whole number"),
    ):
        told = refusal(table, column, ending_in(table, column, value))
        assert told == f"{table}: row {row}, column '{column}': {value} {why}"
    huge = np.full(row + 1, 2**63 + 1, np.uint64)
    assert refusal(table, column, huge) == f"{table}: row 0, column '{column}': {2**63 + 1} is too large"


@pytest.mark.parametrize("column", ["amount_fen", "waited_days"])
def test_counts_are_not_below_zero_and_stay_where_sums_are_exact(column):
    assert refusal("demands", column, [0, -1, 0]) == f"demands: row 1, column '{column}': -1 is below zero"
    assert refusal("demands", column, [0, 0, 10**18]) == f"demands: row 2, column '{column}': {10**18} is too large"


def test_other_limits_are_told_with_their_row_too():
    assert refusal("products", "quota_fen", [-1, -2]) == "products: row 1, column 'quota_fen': -2 is below zero"
    assert refusal("banks", "places", [-2]) == "banks: row 0, column 'places': -2 is below zero"
    assert refusal("pairs", "p_grant", [0, 1, 1.01]) == "pairs: row 2, column 'p_grant': 1.01 is not between 0 and 1"
    assert refusal("pairs", "value", [0, 1e300, 1]) == "pairs: row 1, column 'value': 1e+300 is too large"
    for flags, row in (([True, "no", False], 1), ([0, 1, 2], 2), ([0.0, 1.0, 0.0], 0), (["True"] * 3, 0)):
        told = refusal("pairs", "intended", np.array(flags, object) if row == 1 else flags)
        assert told.startswith(f"pairs: the column 'intended' does not hold true or false: row {row} is ")
    assert refusal("pairs", "intended", [True, None, True]).startswith("pairs: row 1, column 'intended' is empty")


def test_ids_that_stand_twice_or_nowhere_are_told_with_their_rows():
    assert refusal("demands", "demand_id", [5, 6, 5]) == "demands: row 2 repeats the demand_id 5 of row 0"
    assert refusal("products", "product_id", [7, 7]) == "products: row 1 repeats the product_id 7 of row 0"
    assert refusal("banks", "bank_id", [20, 20]).startswith("banks: row 1 repeats the bank_id 20 of row 0")
    assert refusal("pairs", "demand_id", [1, 4, 3]) == "pairs: row 1, column 'demand_id': nobody knows the id 4"
    assert refusal("pairs", "product_id", [7, 7, 9]) == "pairs: row 2, column 'product_id': nobody knows the id 9"
    twice = "pairs: row 2 repeats the pair of row 0 (columns 'demand_id' and 'product_id')"
    with pytest.raises(ProblemError) as fault:
        pose(TABLES["demands"], TABLES["products"], TABLES["pairs"] | {"demand_id": [1, 2, 1], "product_id": [7, 7, 7]})
    assert str(fault.value) == twice


def test_a_repeated_id_among_very_many_is_told_at_once():
    many = 300_000
    ids = np.arange(many)
    ids[many // 2 :] = 7
    began = time.process_time()
    with pytest.raises(ProblemError, match=f"row {many // 2} repeats the demand_id 7 of row 7"):
        pose({"demand_id": ids, "amount_fen": ids, "waited_days": ids}, TABLES["products"], TABLES["pairs"])
    assert time.process_time() - began < 30  # each row beside each other would take hours


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint8, np.uint64, np.float32, np.float64, object])
def test_the_same_numbers_of_any_numeric_type_are_the_same_problem(kind):
    tables = {
        name: {
            column: np.array(values, kind) if None not in values and column not in ("value", "p_grant") else values
            for column, values in columns.items()
        }
        for name, columns in (TABLES | {"demands": TABLES["demands"] | {"amount_fen": [30, 30, 10]}}).items()
    }
    tables["pairs"]["intended"] = np.array(TABLES["pairs"]["intended"])
    plain = {**TABLES, "demands": {**TABLES["demands"], "amount_fen": [30, 30, 10]}}
    assert input_hash(pose(*tables.values())) == input_hash(pose(*plain.values()))


@pytest.mark.parametrize(
    "quotas", [[None, 400], [np.nan, 400.0], [-1, 400], pd.array([None, 400], "Int64"), [None, Decimal(400)]]
)
def test_a_product_without_a_money_line_may_say_so_in_several_ways(quotas):
    assert posed("products", "quota_fen", quotas).quota_fen.tolist() == [-1, 400]


def test_a_data_frame_will_do_and_so_will_ones_and_noughts_for_flags():
    frames = [pd.DataFrame(columns, index=range(5, 5 + len(columns["places" if "places" in columns else "demand_id"])))
              for columns in TABLES.values()]  # fmt: skip
    assert input_hash(pose(*frames)) == input_hash(posed())
    assert input_hash(posed("pairs", "intended", [0, 1, 0])) == input_hash(posed())


def test_banks_that_offer_nothing_today_are_passed_by():
    assert posed("banks", "bank_id", [99]).bank_places.tolist() == [-1, -1]


def test_empty_tables_are_an_empty_day():
    nothing = {name: {column: [] for column in columns} for name, columns in TABLES.items()}
    assert len(pose(*nothing.values()).value) == 0
    assert len(pose(TABLES["demands"], nothing["products"], nothing["pairs"]).value) == 0
    with pytest.raises(ProblemError, match="row 0, column 'demand_id': nobody knows the id 1"):
        pose(nothing["demands"], TABLES["products"], TABLES["pairs"])


@pytest.mark.parametrize(
    "asked", [{"max_banks": 0}, {"max_banks": 10**400}, {"max_banks": 1.5}, {"max_banks": True}, {"urgent_days": -1},
              {"urgent_days": "10"}],
)  # fmt: skip
def test_what_is_asked_for_beside_the_tables_is_checked_too(asked):
    (name,) = asked
    with pytest.raises(ProblemError, match=f"^{name}: .* is no whole number from "):
        posed(**asked)
