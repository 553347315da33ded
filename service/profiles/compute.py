"""From records to what is known of firms on a day: the model's features, the policy's facts, the sources' days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from risk.build import Recipe
from risk.facts import FACTS
from risk.features import FEATURES
from risk.records import BY_FEED, COLUMNS, Records
from risk.terms import FactSpec, Feature
from service.store import firm_days

if TYPE_CHECKING:
    import pandas as pd

OF_THE_DEMAND = "demand"
"""The group of features that speak of the demand, not of the firm: worked out for each demand."""

MANY = 500
"""From so many firms on, the Parquet mirror is read instead of the database, where there is one."""

Known = int | Decimal | str | date | None
SourceDays = Mapping[str, tuple[date, date]]


@dataclass(frozen=True)
class FirmKnown:
    """One firm on one day: features (None: nobody knows), facts by the policy's names, how far each source speaks."""

    uscc: str
    as_of: date
    features: Mapping[str, float | None]
    facts: Mapping[str, Known]
    vintage: Mapping[str, date | None]


class Profiler:
    """The features and facts of one model and policy, written for DuckDB once and kept warm for every later firm.

    Writing takes about two seconds, a firm then about 0.3 s, a hundred firms hardly more. Safe among threads.
    """

    def __init__(
        self, features: Sequence[Feature] = FEATURES, facts: Sequence[FactSpec] = FACTS, mirror: Path | None = None
    ) -> None:
        self.features, self.facts, self.mirror = tuple(features), tuple(facts), mirror
        self._lock = Lock()

    def compute(self, tx: Session, usccs: Sequence[str], today: date) -> dict[str, FirmKnown]:
        """What is known of the firms on the day, from the records this transaction may see."""
        if not usccs:
            return {}
        sources = firm_days.source_days(tx)
        came = {item: days for item, days in sources.items() if days[0] <= today}
        if self.mirror is not None and len(usccs) >= MANY:
            frame = self._from_mirror.build(_cohort(usccs, today), came)
        else:
            frame = self._from_rows(firm_days.records_csv(tx, usccs, today), _cohort(usccs, today), came)
        return self._known(frame, usccs, today, sources)

    def warm_up(self) -> None:
        """Write the queries now, so that nobody's first request has to wait for it."""
        self._from_rows(b"", _cohort([""], date(2000, 1, 1)), {})

    @cached_property
    def _from_mirror(self) -> Recipe:
        from risk.records import mirror

        assert self.mirror is not None
        return Recipe(mirror(self.mirror), self.features, self.facts)

    @cached_property
    def _desk(self) -> tuple[Any, Recipe]:
        """A table in memory that holds the records of the firms in question, and the recipe over it."""
        import ibis

        engine = ibis.duckdb.connect(threads=1)  # a few thousand rows: more threads only wait for each other
        table = engine.create_table("records_at_hand", schema=ibis.schema(COLUMNS), temp=True)
        return engine, Recipe(Records.of_few(table), self.features, self.facts)

    def _from_rows(self, csv: bytes, cohort: "pd.DataFrame", came: SourceDays) -> "pd.DataFrame":
        with self._lock:
            engine, recipe = self._desk
            engine.con.execute("DELETE FROM records_at_hand")
            if csv:
                engine.con.register("come_in", _arrow(csv))
                engine.con.execute(f"INSERT INTO records_at_hand SELECT {', '.join(COLUMNS)} FROM come_in")  # noqa: S608
                engine.con.unregister("come_in")
            return recipe.build(cohort, came)

    def _known(
        self, frame: "pd.DataFrame", usccs: Sequence[str], today: date, sources: SourceDays
    ) -> dict[str, FirmKnown]:
        rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
        own = [feature for feature in self.features if feature.group != OF_THE_DEMAND]
        return {
            uscc: FirmKnown(
                uscc,
                today,
                {feature.name: _number(row[feature.name]) for feature in own},
                {fact.name: _fact(row[f"fact.{fact.name}"]) for fact in self.facts},
                _vintage(row, sources, today),
            )
            for uscc, row in zip(usccs, rows, strict=True)
        }


def _cohort(usccs: Sequence[str], today: date) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"uscc": list(usccs), "as_of": [today] * len(usccs)})


def _arrow(csv: bytes) -> Any:
    import pyarrow as pa
    from pyarrow import csv as reader

    kinds = {"string": pa.string(), "date": pa.date32(), "int64": pa.int64(), "float64": pa.float64()}
    options = reader.ConvertOptions(
        column_types={name: kinds[kind] for name, kind in COLUMNS.items()}, strings_can_be_null=True,
        quoted_strings_can_be_null=False, null_values=[""],
    )  # fmt: skip
    parsing = reader.ParseOptions(newlines_in_values=True)
    return reader.read_csv(
        BytesIO(csv), reader.ReadOptions(column_names=list(COLUMNS)), parse_options=parsing, convert_options=options
    )


def _number(value: float) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124  NaN


def _fact(value: Any) -> Known:
    """Shares as exact decimals; everything else is plain already."""
    return Decimal(str(value)) if isinstance(value, float) else value


def _vintage(row: Mapping[str, Any], sources: SourceDays, today: date) -> dict[str, date | None]:
    """The firm's own latest record, or the source's latest feed where silence of a living feed says something too."""
    spoken: dict[str, date | None] = {}
    for column, value in row.items():
        if not column.startswith("known_on."):
            continue
        item = column.removeprefix("known_on.")
        own = None if value != value else value.date()  # noqa: PLR0124  NaT
        feed = sources[item][1] if item in sources and sources[item][1] <= today else None
        if feed is not None and item in BY_FEED and (own is not None or item != "registration"):
            own = max(feed, own or feed)
        spoken[item] = own
    return spoken
