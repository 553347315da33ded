"""From records to a frame: features, facts and the dates of their sources, for each cohort row as of its day."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from risk.measures import VIEWS, OfItem, as_they_are
from risk.records import BY_FEED, EVENTS, Records, RecordsError, nothing, opened, visible

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from risk.measures import Measures, View
    from risk.terms import FactSpec, Feature

COHORT = ("uscc", "as_of", "amount_fen", "term_months")


def build(
    records: Records | str | Path | Any,
    cohort: pd.DataFrame,
    features: Sequence[Feature] | None = None,
    *,
    facts: Sequence[FactSpec] = (),
    feeds: Mapping[str, Sequence[date]] | None = None,
) -> pd.DataFrame:
    """Compute features and facts of a cohort, point in time: a Recipe used once (see there)."""
    return Recipe(records, features, facts).build(cohort, feeds)


class Recipe:
    """Features and facts over one source of records, written into the engine's words once and run for many cohorts.

    Writing takes about two seconds, running a small cohort a fraction of one, so whoever asks every day keeps it.
    """

    def __init__(
        self,
        records: Records | str | Path | Any,
        features: Sequence[Feature] | None = None,
        facts: Sequence[FactSpec] = (),
    ) -> None:
        """Take the records (mirror folder, Ibis table or Records), the features (default: FEATURES) and the facts."""
        if features is None:
            from risk.features import FEATURES

            features = FEATURES
        self.source = opened(records)
        self.features, self.facts = tuple(features), tuple(facts)
        self.items = _items([*self.features, *self.facts])
        self._name = f"cohort_{uuid4().hex}"
        self._written: tuple[frozenset[str], Any, str, str | None] | None = None
        self._lock = Lock()

    def build(self, cohort: pd.DataFrame, feeds: Mapping[str, Sequence[date]] | None = None) -> pd.DataFrame:
        """Compute one cohort.

        `cohort` has uscc, as_of and, where a demand is in question, amount_fen and term_months. Returns its rows in its
        order: those four columns, one float64 column per feature (NaN: unknown), one object column `fact.<name>` per
        fact (None: unknown), and `known_on.<item>`, the day up to which that source speaks about the firm (NaT:
        missing). `feeds` gives per item all days its feed came, also empty ones; without it they are read off the
        records, which is right only where these are a whole city's.
        Raises RecordsError when cohort or records lack a column.
        """
        with self._lock:
            engine, wanted, feed_days = self._words()
            came = _feed_days(engine, feed_days, self.items, feeds)
            frame = _cohort(cohort)
            live = {f"live_{item}": _live(frame, days) for item, days in came.items()}
            _put(engine, self._name, _arrow(frame.assign(**live)))
            found = _answer(engine, wanted).sort_values("row", ignore_index=True)
            _drop(engine, self._name)
        return _dressed(frame, found, self.features, self.facts, came, self.items)

    def _words(self) -> tuple[Any, str, str | None]:
        """The engine and the two queries in its words; written anew when an item appears that was not there before."""
        if self._written is not None and self.source.at_hand is not None:
            return self._written[1:]  # one table holds every item there is
        tables = {item: self.source.item(item) for item in self.items}
        present = frozenset(item for item, table in tables.items() if table is not None)
        if self._written is None or self._written[0] != present:
            engine = _engine(tables)
            at_hand = self.source.at_hand
            wide = _wide(self._name, tables, at_hand, self._needed(_wide(self._name, tables, at_hand).schema()))
            feed_days = _feed_question(tables)
            self._written = (present, engine, str(engine.compile(wide.select("row", **self._asked(wide)))),
                             None if feed_days is None else str(engine.compile(feed_days)))  # fmt: skip
        return self._written[1:]

    def _asked(self, wide: Any) -> dict[str, Any]:
        """Every column of the answer, as an expression over the measures."""
        asked = {feature.name: feature.value(wide).cast("float64") for feature in self.features}
        asked |= {f"fact.{fact.name}": fact.value(wide) for fact in self.facts}
        return asked | {f"known_on.{item}": wide[f"known_{item}"] for item in self.items}

    def _needed(self, measures: Any) -> set[str]:
        """The measures that features and facts really read; what nobody reads is not worked out."""
        import ibis
        from ibis.expr.operations import Field

        any_table = ibis.table(measures, name="any_table")
        return {field.name for value in self._asked(any_table).values() for field in value.op().find(Field)}


def _cohort(cohort: pd.DataFrame) -> pd.DataFrame:
    """The cohort with its four columns, typed, and a row number."""
    import numpy as np
    import pandas as pd

    if missing := sorted({"uscc", "as_of"} - set(cohort.columns)):
        raise RecordsError(f"The cohort lacks the columns {', '.join(missing)}.")
    size = len(cohort)
    empty = pd.Series([pd.NA] * size, dtype="Int64")
    frame = pd.DataFrame({"row": np.arange(size, dtype="int64")})
    frame["uscc"] = cohort["uscc"].astype(str).to_numpy()
    frame["as_of"] = pd.to_datetime(cohort["as_of"]).to_numpy().astype("datetime64[s]")
    for column in ("amount_fen", "term_months"):
        known = column in cohort.columns
        frame[column] = cohort[column].astype("Int64").to_numpy() if known else empty.to_numpy()
        frame[column] = frame[column].astype("Int64")
    return frame


def _items(asked: Iterable[Feature | FactSpec]) -> list[str]:
    """Catalogue items needed, in the order first named."""
    known = {view.item for view in VIEWS.values()}
    named = dict.fromkeys(item for one in asked for item in (one.item, *one.also))
    return [item for item in named if item in known]


def _feed_question(tables: Mapping[str, Any]) -> Any | None:
    """Which item's feed brought anything on which day, for items that speak through their feed."""
    import ibis

    days = [table.select(item=ibis.literal(item), known_on=table.known_on).distinct()
            for item, table in tables.items() if table is not None and item in BY_FEED]  # fmt: skip
    return None if not days else days[0] if len(days) == 1 else ibis.union(*days)


def _feed_days(
    engine: Any, question: str | None, items: Sequence[str], told: Mapping[str, Sequence[date]] | None
) -> dict[str, np.ndarray]:
    """Per item the days on which its feed came, ascending: as told, or else read off the records."""
    import numpy as np

    days: dict[str, np.ndarray] = {item: np.array([], "datetime64[D]") for item in items}
    if told is not None:
        return days | {item: np.unique(np.array(came, "datetime64[D]")) for item, came in told.items() if item in days}
    if question is not None:
        for item, group in _answer(engine, question).groupby("item"):
            days[str(item)] = np.sort(group["known_on"].to_numpy().astype("datetime64[D]"))
    return days


def _wide(cohort: str, tables: Mapping[str, Any], at_hand: Any, needed: Container[str] | None = None) -> Any:
    """One row per cohort row with the measures needed (default: all of the items asked), `known_<item>`, `live_<item>`.

    One chain of joins and one selection over it: nested ones pass the depth a SQL writer can walk.
    """
    import ibis

    live = {f"live_{item}": "boolean" for item in tables}
    firms = ibis.table({"row": "int64", "uscc": "string", "as_of": "date", "amount_fen": "int64",
                        "term_months": "int64", **live}, name=cohort)  # fmt: skip
    days = firms.select("row", "uscc", "as_of")
    joined, columns = firms, {name: firms[name] for name in firms.columns}
    for place, (item_of, measured) in enumerate(_found(tables, at_hand, days, needed)):
        found = measured.rename({f"row_{place}": "row"})
        joined = joined.left_join(found, firms.row == found[f"row_{place}"])
        columns |= {column: _zeroed(found[column], item, firms) for column, item in item_of.items()}
    return joined.select(**columns)


def _found(
    tables: Mapping[str, Any], at_hand: Any, days: Any, needed: Container[str] | None
) -> Iterator[tuple[dict[str, str], Any]]:
    """Measures by cohort row, group by group, each group with the item of every measure in it."""
    in_sight = None if at_hand is None else visible(at_hand, days)
    together: dict[str, Any] = {}
    item_of: dict[str, str] = {}
    for view, measures in _views(tables, needed):
        if in_sight is not None and view.rows is as_they_are:
            together |= {measure: of(OfItem(in_sight, view.item)) for measure, of in measures.items()}
            item_of |= dict.fromkeys(measures, view.item)
            continue
        if in_sight is not None:
            rows = in_sight.filter(in_sight.item == view.item)
        else:
            table = tables[view.item]
            rows = visible(nothing(days) if table is None else table, days)
        rows = view.rows(rows)
        asked = {measure: of(rows) for measure, of in measures.items()}
        yield dict.fromkeys(measures, view.item), rows.group_by("row").agg(**asked)
    if in_sight is not None:
        yield item_of, in_sight.group_by("row").agg(**together)


def _views(tables: Mapping[str, Any], needed: Container[str] | None) -> Iterator[tuple[View, Measures]]:
    """The views of the items asked with their measures needed; an item's first also tells its firm's latest record."""
    told = set[str]()
    for view in VIEWS.values():
        if view.item not in tables:
            continue
        measures: Measures = {one: of for one, of in view.measures.items() if needed is None or one in needed}
        if view.item not in told:
            measures[f"known_{view.item}"] = lambda t: t.known_on.max()
        told.add(view.item)
        if measures:
            yield view, measures


def _live(frame: pd.DataFrame, days: np.ndarray) -> Any:
    """Whether the feed had come at all by the as-of day."""
    import numpy as np

    as_of = frame["as_of"].to_numpy().astype("datetime64[D]")
    return as_of >= days[0] if len(days) else np.zeros(len(frame), dtype=bool)


def _zeroed(column: Any, item: str, firms: Any) -> Any:
    """A number of an event item: zero where its feed lives and names no record of the firm."""
    import ibis

    if item not in EVENTS or not column.type().is_numeric():
        return column
    return ibis.coalesce(column, ibis.ifelse(firms[f"live_{item}"], 0, ibis.null("int64")))


def _arrow(frame: pd.DataFrame) -> Any:
    """The cohort as Arrow, its dates as date32."""
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table.set_column(table.schema.get_field_index("as_of"), "as_of", table["as_of"].cast(pa.date32()))


def _engine(tables: Mapping[str, Any]) -> Any:
    """The engine the records live in; DuckDB where there is none."""
    import ibis

    present = next((table for table in tables.values() if table is not None), None)
    return ibis.duckdb.connect() if present is None else present.get_backend()


def _put(engine: Any, name: str, table: Any) -> None:
    """The cohort as a table of this session; Spark has temporary views only, and DuckDB is quicker asked itself."""
    import ibis

    if engine.name == "pyspark":
        engine.create_view(name, ibis.memtable(table), overwrite=True)
    elif engine.name == "duckdb":
        engine.con.register(f"{name}_given", table)
        engine.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}_given")
        engine.con.unregister(f"{name}_given")
    else:
        engine.create_table(name, table, temp=True, overwrite=True)


def _drop(engine: Any, name: str) -> None:
    """The cohort is gone with its answer."""
    if engine.name == "pyspark":
        engine.drop_view(name, force=True)
    else:
        engine.drop_table(name, force=True)


def _answer(engine: Any, words: str) -> pd.DataFrame:
    """What the engine answers, through Arrow, whole numbers staying whole where some are unknown.

    Not by `engine.sql`, which would take the long query apart again at every run.
    """
    import pandas as pd
    import pyarrow as pa

    answer = engine.raw_sql(words)
    table = answer.toArrow() if hasattr(answer, "toArrow") else answer.to_arrow_table()
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get, date_as_object=False)
    return frame


def _dressed(
    frame: pd.DataFrame, found: pd.DataFrame, features: Sequence[Feature], facts: Sequence[FactSpec],
    feeds: Mapping[str, np.ndarray], items: Sequence[str],
) -> pd.DataFrame:  # fmt: skip
    """The answer in the cohort's order: features rounded to six places, so that summing order cannot show."""
    import numpy as np
    import pandas as pd

    columns: dict[str, Any] = {name: frame[name] for name in COHORT}
    for feature in features:
        columns[feature.name] = np.round(found[feature.name].to_numpy(dtype="float64", na_value=np.nan), 6)
    for fact in facts:
        columns[f"fact.{fact.name}"] = pd.Series(_objects(found[f"fact.{fact.name}"], fact.unit), dtype=object)
    as_of = frame["as_of"].to_numpy().astype("datetime64[D]")
    for item in items:
        own = pd.to_datetime(found[f"known_on.{item}"]).to_numpy().astype("datetime64[D]")
        columns[f"known_on.{item}"] = _speaks_until(item, own, as_of, feeds[item]).astype("datetime64[s]")
    return pd.DataFrame(columns)


def _objects(column: pd.Series[Any], unit: str) -> np.ndarray:
    """A fact's column as plain Python values, None where unknown."""
    import numpy as np

    if unit == "date":
        return column.to_numpy().astype("datetime64[D]").astype(object)
    unknown = column.isna().to_numpy()
    if unit == "code":
        values = column.to_numpy(dtype=object).copy()
    elif unit == "share":
        values = np.round(column.to_numpy(dtype="float64", na_value=np.nan), 6).astype(object)
    else:
        values = column.fillna(0).to_numpy(dtype="int64").astype(object)
    values[unknown] = None
    return values


def _speaks_until(item: str, own: np.ndarray, as_of: np.ndarray, feed: np.ndarray) -> np.ndarray:
    """The firm's own latest record, or the latest feed for items that speak through their feed."""
    import numpy as np

    if item not in BY_FEED or not len(feed):
        return own
    place = np.searchsorted(feed, as_of, side="right") - 1
    latest = np.where(place >= 0, feed[np.maximum(place, 0)], np.datetime64("NaT"))
    return latest if item in EVENTS else np.where(np.isnat(own), own, latest)
