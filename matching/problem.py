"""Poses a day's sharing out: checks the columns, says in a sentence which row and column is wrong, sorts all by id.

The order by id makes every later answer independent of the order in which rows came.
"""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matching.facts import MOST_FEN
from matching.terms import Flags, Floats, Ints, Line, Lines, Problem

NO_LIMIT = -1
MOST, MOST_COUNT, EXACT = 2**63 - 1, 2**31 - 1, 2**53
"""The largest whole number, the largest count, the largest number that is still exact as a float."""

MOST_BANKS = 1_000
NUMBERS = (int, float, Decimal, np.integer, np.floating)
FLAGS = (bool, int, np.bool_, np.integer)
Columns = Mapping[str, Any]


class ProblemError(ValueError):
    """Input no list can be made from; the message names table, column and row (counted from 0)."""


def pose(
    demands: Columns,
    products: Columns,
    pairs: Columns,
    banks: Columns | None = None,
    *,
    max_banks: int = 3,
    urgent_days: int | None = None,
) -> Problem:
    """A checked problem from columns (arrays or lists; a data frame will do).

    demands: demand_id, amount_fen, waited_days, optional open_lines (lines already open, default 0).
    products: product_id, bank_id, places, quota_fen (None, NaN or -1: no money line), floor. banks: bank_id, places.
    pairs: demand_id, product_id, value, p_grant, intended, optional excluded (refused earlier, consent gone, already
    open with that bank). `urgent_days`: demands that waited so long without a list come before the rest; None: no rule.

    Ids are whole numbers of 64 bits, amounts up to MOST_FEN, counts of 31 bits, flags true/false or 1/0; words that
    look like numbers are none. A bank without a product is passed by. ProblemError on anything else.
    """
    _within("max_banks", max_banks, 1, MOST_BANKS)
    if urgent_days is not None:
        _within("urgent_days", urgent_days, 0, MOST_COUNT)
    rows = Table("demands", demands, "demand_id")
    shelf = Table("products", products, "product_id")
    ends = Table("pairs", pairs, "demand_id")
    demand_id, product_id, product_bank = rows.ids("demand_id"), shelf.ids("product_id"), shelf.whole("bank_id")
    bank_id, bank_places = _banks(banks, product_bank)
    order, row = np.argsort(demand_id, kind="stable"), np.argsort(product_id, kind="stable")
    open_lines = rows.counts("open_lines") if "open_lines" in demands else np.zeros_like(demand_id)
    pair_demand = ends.positions("demand_id", demand_id[order])
    pair_product = ends.positions("product_id", product_id[row])
    by_pair = _by_pair(pair_demand, pair_product, len(product_id))
    pair_demand, pair_product = pair_demand[by_pair], pair_product[by_pair]
    _no_double_pair(pair_demand, pair_product, by_pair)
    excluded = ends.flags("excluded") if "excluded" in pairs else np.zeros(len(by_pair), bool)
    return Problem(
        demand_id=demand_id[order],
        amount_fen=rows.counts("amount_fen", MOST_FEN)[order],
        waited_days=rows.counts("waited_days")[order],
        lines_left=np.maximum(max_banks - open_lines[order], 0),
        product_id=product_id[row],
        product_bank=np.searchsorted(bank_id, product_bank[row]).astype(np.int64),
        places=shelf.counts("places")[row],
        quota_fen=shelf.limits("quota_fen")[row],
        floor=shelf.counts("floor")[row],
        bank_id=bank_id,
        bank_places=bank_places,
        pair_demand=pair_demand,
        pair_product=pair_product,
        value=ends.reals("value")[by_pair],
        p_grant=ends.shares("p_grant")[by_pair],
        intended=ends.flags("intended")[by_pair],
        excluded=excluded[by_pair],
        max_banks=max_banks,
        urgent_days=urgent_days,
    )


def input_hash(problem: Problem) -> str:
    """SHA-256 over the problem's columns in their order by id: the same rows in any order give the same hash."""
    digest = hashlib.sha256(f"problem 1 {problem.max_banks} {problem.urgent_days}".encode())
    for name in (
        "demand_id", "amount_fen", "waited_days", "lines_left", "product_id", "product_bank", "places", "quota_fen",
        "floor", "bank_id", "bank_places", "pair_demand", "pair_product", "value", "p_grant", "intended", "excluded",
    ):  # fmt: skip
        column = np.ascontiguousarray(getattr(problem, name))
        digest.update(f"{name} {len(column)} ".encode() + column.astype(column.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def output_hash(lines: Lines) -> str:
    """SHA-256 over the lists, in order of demand and rank."""
    order = np.lexsort((lines.product_id, lines.rank, lines.demand_id))
    columns = (lines.demand_id, lines.rank, lines.product_id, lines.bank_id)
    table = np.stack([column[order] for column in columns]).astype("<i8")
    return hashlib.sha256(b"lists 1 " + table.tobytes()).hexdigest()


def lines_of(lines: Iterable[Line]) -> Lines:
    """Columns from single lines."""
    rows = [(line.demand_id, line.product_id, line.bank_id, line.rank) for line in lines]
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Lines(*(np.ascontiguousarray(column) for column in table.T))


def _within(name: str, number: int, least: int, most: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or not least <= number <= most:
        raise ProblemError(f"{name}: {number!r:.60} is no whole number from {least} to {most}")


class Table:
    """One table's columns, each read as what it must hold; ProblemError names the row and the column that do not."""

    def __init__(self, name: str, columns: Columns, first: str) -> None:
        self.name, self.columns = name, columns
        self.rows = len(self.column(first, None))

    def column(self, column: str, rows: int | None) -> NDArray[Any]:
        """As it came, a value for each row; `rows` None: however many."""
        if column not in self.columns:
            raise ProblemError(f"{self.name}: the column '{column}' is missing")
        try:
            values = np.asarray(self.columns[column])
        except ValueError:  # lists of different lengths
            values = np.empty((0, 0))
        if values.ndim == 1 and not len(values):
            values = np.zeros(0, np.int64)
        if values.ndim != 1:
            raise ProblemError(f"{self.name}: the column '{column}' does not hold one value for each row")
        if rows is not None and len(values) != rows:
            raise ProblemError(f"{self.name}: the column '{column}' has {len(values)} rows, the table {rows}")
        return values

    def ids(self, column: str) -> Ints:
        ids = self.whole(column)
        known, first = np.unique(ids, return_index=True)
        if len(known) < len(ids):
            repeated = np.ones(len(ids), bool)
            repeated[first] = False
            again = int(np.flatnonzero(repeated)[0])
            before = int(first[np.searchsorted(known, ids[again])])
            raise ProblemError(f"{self.name}: row {again} repeats the {column} {ids[again]} of row {before}")
        return ids

    def positions(self, column: str, known: Ints) -> Ints:
        """Where each id stands among the known ones, which ascend."""
        named = self.whole(column)
        places = np.minimum(np.searchsorted(known, named), max(len(known) - 1, 0)).astype(np.int64)
        wrong = known[places] != named if len(known) else np.ones(len(named), bool)
        self._none(wrong, column, named, ": nobody knows the id {}")
        return places

    def counts(self, column: str, most: int = MOST_COUNT) -> Ints:
        counts = self.whole(column)
        self._none(counts < 0, column, counts, ": {} is below zero")
        self._none(counts > most, column, counts, ": {} is too large")
        return counts

    def limits(self, column: str) -> Ints:
        """Counts, NO_LIMIT where there is none."""
        values = self.column(column, self.rows)
        none = np.asarray(pd.isna(values), bool)
        if none.any():
            values = values.copy()
            values[none] = NO_LIMIT
        limits = self._whole(column, values)
        self._none(limits < NO_LIMIT, column, limits, ": {} is below zero")
        return limits

    def whole(self, column: str) -> Ints:
        return self._whole(column, self.column(column, self.rows))

    def _whole(self, column: str, values: NDArray[Any]) -> Ints:
        values = self._numbers(column, values, "whole numbers")
        if values.dtype.kind != "i":
            largest = EXACT if values.dtype.kind == "f" else MOST
            self._none((values > largest) | (values < -largest), column, values, ": {} is too large")
            self._none(values != values // 1, column, values, ": {} is not a whole number")
        return values.astype(np.int64, copy=False)

    def reals(self, column: str) -> Floats:
        values = self._numbers(column, self.column(column, self.rows), "numbers")
        self._none((values > EXACT) | (values < -EXACT), column, values, ": {} is too large")
        return values.astype(np.float64, copy=False)

    def shares(self, column: str) -> Floats:
        shares = self.reals(column)
        self._none((shares < 0) | (shares > 1), column, shares, ": {} is not between 0 and 1")
        return shares

    def flags(self, column: str) -> Flags:
        values = self.column(column, self.rows)
        self._no_gap(column, values)
        if values.dtype.kind != "b":
            fine = [isinstance(one, FLAGS) and one in (0, 1) for one in values.tolist()]
            self._all(fine, column, values, "true or false")
        return values.astype(bool, copy=False)

    def _numbers(self, column: str, values: NDArray[Any], what: str) -> NDArray[Any]:
        """The same, if nothing is empty and all are finite numbers; words that look like numbers are none."""
        self._no_gap(column, values)
        if values.dtype.kind == "O":
            fine = [isinstance(one, NUMBERS) and not isinstance(one, bool) for one in values.tolist()]
            self._all(fine, column, values, what)
        else:
            self._all([values.dtype.kind in "iuf"], column, values, what)
        return values.astype(np.float64, copy=False) if values.dtype.kind == "f" else values

    def _no_gap(self, column: str, values: NDArray[Any]) -> None:
        gaps = np.isinf(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
        self._none(gaps | pd.isna(values), column, values, " is empty or not a finite number")

    def _none(self, wrong: NDArray[Any], column: str, values: NDArray[Any], sentence: str) -> None:
        """No row is wrong in this way; `sentence` may hold the value."""
        rows = np.flatnonzero(wrong)
        if len(rows):
            said = sentence.format(values[rows[0]])
            raise ProblemError(f"{self.name}: row {rows[0]}, column '{column}'{said}")

    def _all(self, fine: list[bool], column: str, values: NDArray[Any], what: str) -> None:
        """Every value is of the kind that is wanted."""
        if not all(fine):
            row = fine.index(False)
            said = f"row {row} is {values[row : row + 1].tolist()[0]!r:.60}"
            raise ProblemError(f"{self.name}: the column '{column}' does not hold {what}: {said}")


def _banks(banks: Columns | None, product_bank: Ints) -> tuple[Ints, Ints]:
    bank_id = np.unique(product_bank)
    places = np.full(len(bank_id), NO_LIMIT, np.int64)
    if banks is not None:
        table = Table("banks", banks, "bank_id")
        named, limits = table.ids("bank_id"), table.limits("places")
        known = np.isin(named, bank_id)
        places[np.searchsorted(bank_id, named[known])] = limits[known]
    return bank_id, places


def _by_pair(demand: Ints, product: Ints, products: int) -> Ints:
    key = demand * products + product
    if np.all(key[1:] >= key[:-1]):
        return np.arange(len(key))
    return np.argsort(key, kind="stable")


def _no_double_pair(demand: Ints, product: Ints, rows: Ints) -> None:
    same = np.flatnonzero((demand[1:] == demand[:-1]) & (product[1:] == product[:-1]))
    if len(same):
        again, before = rows[same[0] + 1], rows[same[0]]
        columns = "columns 'demand_id' and 'product_id'"
        raise ProblemError(f"pairs: row {again} repeats the pair of row {before} ({columns})")
