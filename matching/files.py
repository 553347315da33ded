"""The tables of the exchange format as Parquet files, read and written; what cannot be is told in one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matching.problem import Columns, ProblemError, Table
from matching.terms import Ints, Lines

LISTS = ("demand_id", "product_id", "bank_id", "rank")


def read_columns(path: Path, name: str) -> Columns:
    """A table's columns by name, `name` its own; ProblemError where this is no Parquet file, or ambiguous."""
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
        columns = {column: _values(table.column(at)) for at, column in enumerate(table.column_names)}
    except (OSError, pa.ArrowException) as fault:
        said = " ".join(str(fault).split())
        raise ProblemError(f"{name}: {path} is no Parquet file that can be read ({said:.200})") from fault
    twice = [column for column in columns if table.column_names.count(column) > 1]
    if twice:
        raise ProblemError(f"{name}: the column '{twice[0]}' stands there twice")
    return columns


def _values(column: pa.ChunkedArray) -> NDArray[Any]:
    """Whole numbers with gaps stay whole numbers, which floats could not hold; nothing where numpy has no such type."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type) and column.null_count:
        return np.array(column.to_pylist(), object)
    try:
        return np.asarray(column.to_numpy())
    except pa.ArrowException:
        return np.empty((0, 0))


def read_whole(path: Path, name: str, wanted: tuple[str, ...]) -> list[Ints]:
    """These columns of a table, all whole numbers."""
    table = Table(name, read_columns(path, name), wanted[0])
    return [table.whole(column) for column in wanted]


def read_lists(path: Path) -> Lines:
    """The lists of a day as `write_lists` wrote them."""
    return Lines(*read_whole(path, "lists", LISTS))


def write_lists(lines: Lines, path: Path) -> None:
    """lists(demand_id int64, product_id int64, bank_id int64, rank int32), in order of demand and rank."""
    types = (pa.int64(), pa.int64(), pa.int64(), pa.int32())
    columns = {name: pa.array(getattr(lines, name), kind) for name, kind in zip(LISTS, types, strict=True)}
    pq.write_table(pa.table(columns), path)


def find_room(*paths: Path) -> None:
    """Before the work: ProblemError where a file could not be written."""
    for path in paths:
        if path.is_dir() or not path.parent.is_dir():
            raise ProblemError(f"{path}: nothing can be written there, it is a folder or there is none to hold it")
