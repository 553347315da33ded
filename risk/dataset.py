"""From the files of a data set to rows with features, outcome, time, groups and weights, as its spec says.

The files are read as they are, checked, and given to the spec's DuckDB query, which makes one row per observation.
Every table the query sees has a column `_test`: true in the rows of a --test FILE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import encode
from risk.checks import checked
from risk.spec import DatasetError, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from risk.choice import Rows

    Floats = NDArray[np.float64]

MOST_KINDS = 40
"""A category of more kinds than this is no closed list; it is told by its rate."""


@dataclass(frozen=True)
class Data:
    """One part of a data set, row by row.

    `frame` holds every column of the query; `matrix` (rows × names, NaN: unknown) those meant as features, with one
    flag per kind of a category; `time`, `known` whole numbers (days, or the periods of the data), `groups` codes.
    """

    part: str
    frame: pd.DataFrame = field(repr=False)
    matrix: Floats = field(repr=False)
    names: tuple[str, ...]
    directions: tuple[int, ...]
    labels: Floats = field(repr=False)
    weights: Floats | None = field(repr=False)
    time: NDArray[np.int64] | None = field(repr=False)
    known: NDArray[np.int64] | None = field(repr=False)
    groups: NDArray[Any] | None = field(repr=False)
    scored: NDArray[np.bool_] = field(repr=False)
    test: NDArray[np.bool_] = field(repr=False)
    kinds: tuple[int, ...] = ()  # places of columns that hold codes of many kinds
    train_weights: Floats | None = field(default=None, repr=False)
    rate_weights: Floats | None = field(default=None, repr=False)

    def rows(self, rates: Rates) -> Rows:
        """Rows to learn from, the rates of their categories beside their features."""
        from risk.choice import Rows

        teach = self.weights if self.train_weights is None else self.train_weights
        return Rows(
            np.column_stack([self.matrix, rates.columns]), self.labels, (*self.names, *rates.names),
            (*self.directions, *rates.directions), teach, self.kinds, self.weights,
        )  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """Categories told by their past, as further columns (rows × names)."""

    columns: Floats
    names: tuple[str, ...] = ()
    directions: tuple[int, ...] = ()


def read(spec: Spec, folder: Path, part: str, test: Path | None = None) -> Data:
    """Read one part; with `test`, its rows follow those of the folder.

    Raises DatasetError, naming file, row and column, for what cannot be used.
    """
    if spec.is_records:
        from risk.records_data import read_records

        if test is not None:
            raise DatasetError(f"{test}: {spec.name} is measured on its own records and takes no file.")
        return read_records(spec, folder)
    root = folder / spec.folder if (folder / spec.folder).is_dir() else folder
    tables = {name: table(root / file) for name, file in spec.tables(part).items()}
    sources = {name: root / file for name, file in spec.tables(part).items()}
    given = None if test is None else table(test)
    if given is not None:
        usual = tables[spec.test_table]
        wanted = [name for name in usual.columns if name not in spec.optional and _is_used(spec, name)]
        if missing := [name for name in wanted if name not in given.columns]:
            raise DatasetError(f"{test}: there is no column {', '.join(missing)}.")
        if given.empty:
            raise DatasetError(f"{test}: there are no rows.")
    checked(spec, tables, sources, given, test)
    if given is not None:
        usual = tables[spec.test_table]
        tables[spec.test_table] = _joined(usual, given)
    return of_tables(spec, part, tables, sources)


def of_tables(spec: Spec, part: str, tables: Mapping[str, pd.DataFrame], sources: Mapping[str, Path]) -> Data:
    """The rows that the spec's query makes of these tables; `sources` name them where something is wrong."""
    return _data(spec, part, _asked(spec, tables, sources), sources)


def part_of(spec: Spec, test: Path) -> str:
    """Which part a --test FILE belongs to: by the query `part` of the spec's [test], else the only part there is."""
    question = spec.told.get("test", {}).get("part")
    if question is None:
        return spec.parts[0]
    import duckdb

    file = table(test)
    try:
        with duckdb.connect() as engine:
            engine.register("file", file)
            found = engine.execute(str(question)).fetchone()
    except duckdb.Error as fault:
        raise DatasetError(f"{test}: it does not show which part it belongs to ({_sentence(fault)}).") from fault
    part = str(found[0]) if found else ""
    if part not in spec.parts:
        raise DatasetError(f"{test}: this is part {part!r} of {spec.name}; there are {', '.join(spec.parts)}.")
    return part


def table(path: Path) -> pd.DataFrame:
    """A table from Parquet or CSV."""
    import pandas as pd

    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file.")
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as fault:
        raise DatasetError(f"{path}: this cannot be read as a table ({_sentence(fault)}).") from fault


def _is_used(spec: Spec, column: str) -> bool:
    """Whether the query names a column."""
    return re.search(rf"\b{re.escape(column)}\b", spec.query) is not None


def _joined(usual: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """The file's rows after the folder's, in the folder's columns; `_test` says which is which."""
    import pandas as pd

    common = given.reindex(columns=usual.columns)
    for name in usual.columns:
        if common[name].dtype != usual[name].dtype:
            common[name] = _as(common[name], usual[name].dtype)
    return pd.concat([usual.assign(_test=False), common.assign(_test=True)], ignore_index=True)


def _as(column: pd.Series[Any], kind: Any) -> pd.Series[Any]:
    """The column as the folder holds it, or as it is where that cannot be."""
    try:
        return column.astype(kind)
    except (TypeError, ValueError):
        return column


def _asked(spec: Spec, tables: Mapping[str, pd.DataFrame], sources: Mapping[str, Path]) -> pd.DataFrame:
    """The query's rows; one thread, so that sums keep their order."""
    import duckdb

    try:
        with duckdb.connect(config={"threads": "1"}) as engine:
            for name, rows in tables.items():
                engine.register(name, rows if "_test" in rows.columns else rows.assign(_test=False))
            return engine.execute(spec.query).df()
    except duckdb.BinderException as fault:
        missing = re.search(r'column "?([\w.]+)"? not found', str(fault))
        named = ", ".join(str(path) for path in sources.values())
        if missing:
            raise DatasetError(f"{named}: there is no column {missing[1]}, which {spec.name}.sql needs.") from fault
        raise DatasetError(f"{named}: {spec.name}.sql does not fit these files ({_sentence(fault)}).") from fault
    except duckdb.Error as fault:
        named = ", ".join(str(path) for path in sources.values())
        raise DatasetError(f"{named}: {spec.name}.sql cannot be run on these files ({_sentence(fault)}).") from fault


def _sentence(fault: Exception) -> str:
    return str(fault).strip().splitlines()[0].rstrip(".")


def _data(spec: Spec, part: str, frame: pd.DataFrame, sources: Mapping[str, Path]) -> Data:
    """The query's rows as arrays."""
    named = ", ".join(str(path) for path in sources.values())
    if frame.empty:
        raise DatasetError(f"{named}: there are no rows.")
    roles = ("outcome", "weight", "train_weight", "rate_weight", "group", "time", "known", "scored")
    for column in [spec.column(role) for role in roles] + [one for rate in spec.rates for one in rate.key]:
        if column is not None and column not in frame.columns:
            raise DatasetError(f"{spec.name}.toml names the column {column}, which {spec.name}.sql does not make.")
    labels = frame[spec.column("outcome")].to_numpy(dtype="float64", na_value=np.nan)
    if wrong := int(np.sum(~np.isin(labels, (0.0, 1.0)))):
        raise DatasetError(f"{named}: {wrong} rows have no outcome, or one that is neither good nor bad.")
    test = frame["_test"].to_numpy(dtype=bool) if "_test" in frame.columns else np.zeros(len(frame), dtype=bool)
    matrix, names, directions, kinds = _matrix(spec, frame)
    scored = spec.column("scored")

    def weights(role: str) -> Floats | None:
        column = spec.column(role)
        return None if column is None else frame[column].to_numpy(dtype="float64")

    return Data(
        part=part, frame=frame, matrix=matrix, names=tuple(names), directions=tuple(directions), labels=labels,
        weights=weights("weight"), train_weights=weights("train_weight"), rate_weights=weights("rate_weight"),
        kinds=kinds,
        time=_whole(frame, spec.column("time")), known=_whole(frame, spec.column("known")),
        groups=None if spec.column("group") is None else encode.codes_of([frame[spec.column("group")].to_numpy()]),
        scored=np.ones(len(frame), dtype=bool) if scored is None else frame[scored].to_numpy(dtype=bool),
        test=test,
    )  # fmt: skip


def _matrix(spec: Spec, frame: pd.DataFrame) -> tuple[Floats, list[str], list[int], tuple[int, ...]]:
    """Features as numbers; infinite is unknown, a category is one flag per kind, kinds are codes."""
    columns: list[Floats] = []
    names: list[str] = []
    directions: list[int] = []
    kinds_at: list[int] = []
    for name, wanted in spec.features(frame.columns.tolist()):
        if wanted.kind == "category":
            text = frame[name].astype("string").fillna("")
            kinds = sorted(text.unique())
            if len(kinds) > MOST_KINDS:
                raise DatasetError(f"{spec.name}.toml: {name} has {len(kinds)} kinds; tell it by its rate instead.")
            for place, kind in enumerate(kinds):
                columns.append((text == kind).to_numpy(dtype="float64"))
                names.append(f"{name}_{place}")
                directions.append(0)
            continue
        if wanted.kind == "kinds":
            kinds_at.append(len(columns))
            columns.append(_codes(frame[name]))
            names.append(name)
            directions.append(0)
            continue
        try:
            columns.append(frame[name].to_numpy(dtype="float64", na_value=np.nan))
        except (TypeError, ValueError) as fault:
            raise DatasetError(f"{spec.name}.toml: {name} is no number ({_sentence(fault)}).") from fault
        names.append(name)
        directions.append(wanted.direction)
    matrix = np.column_stack(columns)
    return np.where(np.isfinite(matrix), matrix, np.nan), names, directions, tuple(kinds_at)


def _codes(column: pd.Series[Any]) -> Floats:
    """The place of each value among the sorted values; missing is a value."""
    text = column.astype("string").fillna("").to_numpy(dtype=str)
    places: Floats = np.unique(text, return_inverse=True)[1].astype(np.float64)
    return places


def days_of(column: pd.Series[Any]) -> NDArray[np.int64]:
    """Dates as whole days; a day that never came is the last there can be."""
    import pandas as pd

    days = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.iinfo(np.int64).max, days.astype("int64"))


def _whole(frame: pd.DataFrame, column: str | None) -> NDArray[np.int64] | None:
    """A column of days or periods as whole numbers."""
    import pandas as pd

    if column is None:
        return None
    if pd.api.types.is_datetime64_any_dtype(frame[column]):
        return days_of(frame[column])
    return frame[column].to_numpy(dtype="int64")
