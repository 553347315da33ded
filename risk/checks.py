"""What a file of a data set must not hold: each fault is one sentence that names the file, the row and the column."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from risk.spec import DatasetError, Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

FIRST, LAST = 1900, 2100
"""Years a date may lie in."""


def checked(
    spec: Spec, tables: Mapping[str, pd.DataFrame], sources: Mapping[str, Path],
    given: pd.DataFrame | None, test: Path | None,
) -> None:  # fmt: skip
    """Look at every file; raises DatasetError at the first fault (rows count from 1).

    Infinite values are refused everywhere; the spec's checks say which columns are amounts (not negative), dates
    (between 1900 and 2100) and closed lists (a test file brings no value that the folder's does not have).
    """
    told = [(table, sources[name], name) for name, table in tables.items()]
    if given is not None and test is not None:
        told.append((given, test, spec.test_table))
    for table, path, name in told:
        _finite(table, path)
        for column, kind in _of(spec, name):
            if column in table.columns:
                _check(table[column], path, kind)
    if given is not None and test is not None:
        _nothing_known(given, tables[spec.test_table], test, spec.some_of)
        for column, kind in _of(spec, spec.test_table):
            if kind == "closed":
                _closed(given[column], tables[spec.test_table][column], test)


def _of(spec: Spec, table: str) -> Iterable[tuple[str, str]]:
    for name, kind in spec.checks.items():
        of, _, column = name.partition(".")
        if of == table:
            yield column, kind


def _finite(table: pd.DataFrame, path: Path) -> None:
    import numpy as np
    import pandas as pd

    for column in (name for name in table.columns if pd.api.types.is_float_dtype(table[name])):
        wrong = np.isinf(table[column].to_numpy(dtype="float64", na_value=np.nan))
        if wrong.any():
            raise DatasetError(f"{path}: row {int(wrong.argmax()) + 1}, column {column}: the value is infinite.")


def _check(column: pd.Series[Any], path: Path, kind: str) -> None:
    import pandas as pd

    if kind == "amount":
        wrong = (pd.to_numeric(column, errors="coerce") < 0).to_numpy(dtype=bool)
        said = "the amount is negative"
    elif kind == "date":
        years = pd.to_datetime(column, errors="coerce").dt.year
        wrong = ((years < FIRST) | (years > LAST) | (years.isna() & column.notna())).to_numpy(dtype=bool)
        said = f"this is no date between {FIRST} and {LAST}"
    else:
        return
    if wrong.any():
        place = int(wrong.argmax())
        raise DatasetError(f"{path}: row {place + 1}, column {column.name}: {said} ({column.iloc[place]}).")


def _closed(column: pd.Series[Any], usual: pd.Series[Any], path: Path) -> None:
    wrong = (column.notna() & ~column.astype("string").isin(usual.astype("string").unique())).to_numpy(dtype=bool)
    if wrong.any():
        place = int(wrong.argmax())
        raise DatasetError(
            f"{path}: row {place + 1}, column {column.name}: {column.iloc[place]!r} was never seen in training."
        )


def _nothing_known(given: pd.DataFrame, usual: pd.DataFrame, path: Path, patterns: Iterable[str]) -> None:
    """A row of nothing but gaps is refused, unless the folder's own rows hold such too: then it is estimated so."""
    columns = [name for name in given.columns if any(fnmatchcase(name, pattern) for pattern in patterns)]
    if not columns or usual[columns].isna().all(axis=1).any():
        return
    empty = given[columns].isna().all(axis=1).to_numpy(dtype=bool)
    if empty.any():
        raise DatasetError(f"{path}: row {int(empty.argmax()) + 1}: every feature is missing.")
