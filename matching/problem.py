"""Poses a day's sharing out: checks the columns, says in a sentence which row and column is wrong, sorts all by id.

The order by id makes every later answer independent of the order in which rows came.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.terms import Flags, Floats, Ints, Line, Lines, Problem

NO_LIMIT = -1

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
    """
    demand_id = _ids(demands, "demands", "demand_id")
    product_id = _ids(products, "products", "product_id")
    product_bank = _whole(products, "products", "bank_id")
    bank_id, bank_places = _banks(banks, product_bank)
    order, row = np.argsort(demand_id, kind="stable"), np.argsort(product_id, kind="stable")
    open_lines = _counts(demands, "demands", "open_lines") if "open_lines" in demands else np.zeros_like(demand_id)
    pair_demand, pair_product = _ends(pairs, demand_id[order], product_id[row])
    by_pair = _by_pair(pair_demand, pair_product, len(product_id))
    pair_demand, pair_product = pair_demand[by_pair], pair_product[by_pair]
    _no_double_pair(pair_demand, pair_product, by_pair)
    excluded = _flags(pairs, "excluded") if "excluded" in pairs else np.zeros(len(by_pair), bool)
    return Problem(
        demand_id=demand_id[order],
        amount_fen=_counts(demands, "demands", "amount_fen")[order],
        waited_days=_counts(demands, "demands", "waited_days")[order],
        lines_left=np.maximum(max_banks - open_lines[order], 0),
        product_id=product_id[row],
        product_bank=np.searchsorted(bank_id, product_bank[row]).astype(np.int64),
        places=_counts(products, "products", "places")[row],
        quota_fen=_limits(products, "products", "quota_fen")[row],
        floor=_counts(products, "products", "floor")[row],
        bank_id=bank_id,
        bank_places=bank_places,
        pair_demand=pair_demand,
        pair_product=pair_product,
        value=_reals(pairs, "value")[by_pair],
        p_grant=_shares(pairs, "p_grant")[by_pair],
        intended=_flags(pairs, "intended")[by_pair],
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


def _ids(table: Columns, name: str, column: str) -> Ints:
    ids = _whole(table, name, column)
    first, counts = np.unique(ids, return_index=True)[1], len(ids)
    if len(first) != counts:
        again = next(row for row in range(counts) if row not in set(first.tolist()))
        raise ProblemError(f"{name}: row {again} repeats the {column} {ids[again]}")
    return ids


def _column(table: Columns, name: str, column: str) -> NDArray[Any]:
    if column not in table:
        raise ProblemError(f"{name}: the column '{column}' is missing")
    return np.asarray(table[column])


def _whole(table: Columns, name: str, column: str) -> Ints:
    values = _column(table, name, column)
    _no_gap(values, name, column)
    try:
        whole = values.astype(np.int64)
    except (TypeError, ValueError, OverflowError) as fault:
        raise ProblemError(f"{name}: the column '{column}' does not hold whole numbers ({fault})") from fault
    wrong = np.flatnonzero(whole != values)
    if len(wrong):
        raise ProblemError(f"{name}: row {wrong[0]}, column '{column}': {values[wrong[0]]} is not a whole number")
    return whole


def _no_gap(values: NDArray[Any], name: str, column: str) -> None:
    if values.dtype == object:
        gaps = np.array([value is None or value != value for value in values], bool)  # noqa: PLR0124  NaN
    else:
        gaps = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    if gaps.any():
        raise ProblemError(f"{name}: row {np.flatnonzero(gaps)[0]}, column '{column}' is empty or not a finite number")


def _counts(table: Columns, name: str, column: str) -> Ints:
    counts = _whole(table, name, column)
    wrong = np.flatnonzero(counts < 0)
    if len(wrong):
        raise ProblemError(f"{name}: row {wrong[0]}, column '{column}': {counts[wrong[0]]} is below zero")
    return counts


def _limits(table: Columns, name: str, column: str) -> Ints:
    values = _column(table, name, column)
    missing = np.array([value is None or value != value for value in values.tolist()], bool)  # noqa: PLR0124  NaN
    filled = np.where(missing, NO_LIMIT, values)
    limits = _whole({column: filled}, name, column)
    wrong = np.flatnonzero(limits < NO_LIMIT)
    if len(wrong):
        raise ProblemError(f"{name}: row {wrong[0]}, column '{column}': {limits[wrong[0]]} is below zero")
    return limits


def _banks(banks: Columns | None, product_bank: Ints) -> tuple[Ints, Ints]:
    bank_id = np.unique(product_bank)
    places = np.full(len(bank_id), NO_LIMIT, np.int64)
    if banks is not None:
        named, limits = _ids(banks, "banks", "bank_id"), _limits(banks, "banks", "places")
        known = np.isin(named, bank_id)
        places[np.searchsorted(bank_id, named[known])] = limits[known]
    return bank_id, places


def _ends(pairs: Columns, demand_id: Ints, product_id: Ints) -> tuple[Ints, Ints]:
    return (
        _positions(_whole(pairs, "pairs", "demand_id"), demand_id, "demand_id"),
        _positions(_whole(pairs, "pairs", "product_id"), product_id, "product_id"),
    )


def _positions(named: Ints, known: Ints, column: str) -> Ints:
    places = np.minimum(np.searchsorted(known, named), max(len(known) - 1, 0)).astype(np.int64)
    wrong = np.flatnonzero(known[places] != named) if len(known) else np.arange(len(named))
    if len(wrong):
        raise ProblemError(f"pairs: row {wrong[0]}, column '{column}': nobody knows the id {named[wrong[0]]}")
    return places


def _by_pair(demand: Ints, product: Ints, products: int) -> Ints:
    key = demand * products + product
    if np.all(key[1:] >= key[:-1]):
        return np.arange(len(key))
    return np.argsort(key, kind="stable")


def _no_double_pair(demand: Ints, product: Ints, rows: Ints) -> None:
    same = np.flatnonzero((demand[1:] == demand[:-1]) & (product[1:] == product[:-1]))
    if len(same):
        raise ProblemError(f"pairs: row {rows[same[0] + 1]} repeats the pair of row {rows[same[0]]}")


def _reals(pairs: Columns, column: str) -> Floats:
    values = _column(pairs, "pairs", column)
    _no_gap(values, "pairs", column)
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as fault:
        raise ProblemError(f"pairs: the column '{column}' does not hold numbers ({fault})") from fault


def _shares(pairs: Columns, column: str) -> Floats:
    shares = _reals(pairs, column)
    wrong = np.flatnonzero((shares < 0) | (shares > 1))
    if len(wrong):
        raise ProblemError(f"pairs: row {wrong[0]}, column '{column}': {shares[wrong[0]]} is not between 0 and 1")
    return shares


def _flags(pairs: Columns, column: str) -> Flags:
    values = _column(pairs, "pairs", column)
    _no_gap(values, "pairs", column)
    return values.astype(bool)
