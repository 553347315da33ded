"""The records as the model may see them: one shape, one rule of visibility, one place that opens the mirror."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ADVERSE = frozenset({"penalty", "court_enforcement", "dishonesty_listing", "abnormal_operation"})
"""Items that leave sight when their publication window ends."""

EVENTS = ADVERSE | {"honour", "intellectual_property", "contract", "real_estate", "permit", "trade", "loan",
                    "loan_performance", "people"}  # fmt: skip
"""Items where no record of a firm, while the feed lives, means 'none'; for all others it means 'unknown'."""

BY_FEED = EVENTS | {"registration", "tax_grade", "environment_rating"}
"""Items whose freshness is that of the source's last feed, not of the firm's own last record (catalogue: fresh_by)."""

COLUMNS: dict[str, str] = {
    "item": "string", "uscc": "string", "key": "string", "happened_on": "date", "ends_on": "date", "known_on": "date",
    "amount_fen": "int64", "quantity": "float64", "code": "string", "status": "string", "party": "string",
    "details": "string", "superseded_on": "date", "withdrawn_on": "date",
}  # fmt: skip
"""The canonical record, as far as the model reads it (name → Ibis type)."""

FRESH_DAYS: dict[str, int] = {
    "registration": 45, "annual_report": 560, "people": 45, "tax_grade": 460, "tax_payment": 75, "social_insurance": 75,
    "housing_fund": 75, "utility": 75, "real_estate": 45, "permit": 45, "penalty": 45, "court_enforcement": 45,
    "dishonesty_listing": 45, "abnormal_operation": 45, "honour": 400, "intellectual_property": 100, "contract": 100,
    "trade": 75, "invoice": 75, "loan": 45, "loan_performance": 75, "environment_rating": 460,
}  # fmt: skip
"""Days after which a source counts as stale where the caller gives no limits of its own (catalogue: freshness_days)."""


class RecordsError(ValueError):
    """The records cannot be read: one sentence that names the file, column or item."""


@dataclass(frozen=True)
class Records:
    """Where records come from: a function from catalogue item to an Ibis table (None: the item was never delivered).

    `at_hand` holds all items in one table, where that is small enough to be looked through once for all of them.
    """

    item: Callable[[str], Any]
    at_hand: Any = None

    @classmethod
    def of(cls, table: Any) -> Self:
        """Read any Ibis table in the canonical shape.

        Raises RecordsError naming the columns that are not there.
        """
        if missing := sorted(set(COLUMNS) - set(table.columns)):
            raise RecordsError(f"The records lack the columns {', '.join(missing)}.")
        return cls(lambda item: table.filter(table.item == item))

    @classmethod
    def of_few(cls, table: Any) -> Self:
        """The same for a few hundred firms: a third of the time, where most of it goes into setting up each item."""
        return replace(cls.of(table), at_hand=table)


def mirror(folder: str | Path) -> Records:
    """Open a Parquet mirror laid out as <folder>/item=<item>/month=<YYYY-MM>/*.parquet through DuckDB."""
    import ibis

    root = Path(folder)
    if not root.is_dir():
        raise RecordsError(f"There is no mirror at {root}.")
    con = ibis.duckdb.connect()
    opened: dict[str, Any] = {}

    def table(item: str) -> Any:
        if item not in opened and next(root.glob(f"item={item}/**/*.parquet"), None) is not None:
            files = con.read_parquet(str(root / f"item={item}" / "**" / "*.parquet"), hive_partitioning=False)
            opened[item] = _shaped(files, item)  # a view over the pattern: later files are seen by later questions
        return opened.get(item)

    return Records(table)


def opened(records: Records | str | Path | Any) -> Records:
    """Take a mirror folder, an Ibis table or Records, and return Records."""
    if isinstance(records, Records):
        return records
    return mirror(records) if isinstance(records, str | Path) else Records.of(records)


def nothing(cohort: Any) -> Any:
    """The records of an item that was never delivered: the canonical columns, no row."""
    import ibis

    return cohort.filter(ibis.literal(value=False)).select(
        **{name: ibis.null(kind) if name != "uscc" else cohort.uscc for name, kind in COLUMNS.items()}
    )


def visible(table: Any, cohort: Any) -> Any:
    """Return the rows each cohort row may see on its as-of day, with `row`, `as_of` and `age` in days.

    Point in time (DOMAIN.md, rules that bind): known and happened by that day, not superseded, not withdrawn by then,
    and for adverse items still inside the publication window.
    """
    rows = table.join(cohort, "uscc")
    published = ~rows.item.isin(sorted(ADVERSE)) | rows.ends_on.isnull() | (rows.ends_on > rows.as_of)
    return rows.filter(seen(rows, rows.as_of) & published).mutate(age=days_between(rows.happened_on, rows.as_of))


def seen(rows: Any, day: Any) -> Any:
    """Known and happened by a day, and neither superseded nor withdrawn by then."""
    known = (rows.known_on <= day) & (rows.happened_on <= day)
    known &= rows.superseded_on.isnull() | (rows.superseded_on > day)
    return known & (rows.withdrawn_on.isnull() | (rows.withdrawn_on > day))


def days_between(start: Any, end: Any) -> Any:
    """Whole days from one date column to another, in the words both DuckDB and Spark know."""
    return end.epoch_days() - start.epoch_days()


def _shaped(table: Any, item: str) -> Any:
    """Cast one item's files to the canonical types, so that an all-empty column does no harm."""
    import ibis

    wanted: Sequence[str] = [name for name in COLUMNS if name != "item"]
    if missing := sorted(set(wanted) - set(table.columns)):
        raise RecordsError(f"The mirror of {item} lacks the columns {', '.join(missing)}.")
    return table.select(item=ibis.literal(item), **{name: table[name].cast(COLUMNS[name]) for name in wanted})
