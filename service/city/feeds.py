"""The city's rows as departments' files: history in one file per item, then what arrives while the demo runs.

Departments differ: CSV in UTF-8, CSV in GB18030 with Chinese words, spreadsheets, Parquet. Some rows are bad on
purpose, and one department corrects what it sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import xlsxwriter

from service.city.city import City
from service.city.rows import Rows, days, next_monday, words
from service.intake.catalogue import USCC, Item, load_catalogue

GB18030 = frozenset({"tax_grade", "permit", "court_enforcement", "abnormal_operation"})
SPREADSHEETS = frozenset({"honour", "environment_rating", "intellectual_property"})
PARQUET = frozenset({"utility", "social_insurance", "housing_fund", "loan_performance", "trade", "invoice"})
MONTHLY = frozenset(
    {"tax_payment", "social_insurance", "housing_fund", "utility", "trade", "invoice", "loan_performance"}
)
CORRECTED_ROWS = 40


@dataclass(frozen=True)
class FeedFile:
    """A file as its department hands it in."""

    path: Path
    item: str
    received_on: date
    is_history: bool
    rows: int


def write_feeds(city: City, folder: Path) -> list[FeedFile]:
    """Every file, in the order in which they come; the folder is made. The same city gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    usccs = pa.array(list(city.firms.uscc))
    files: list[FeedFile] = []
    for rows in city.rows:
        files += _files_of(rows, city, usccs, folder)
    files.append(_correction(city, usccs, folder))
    return sorted(
        files, key=lambda file: (file.received_on, not file.is_history, ORDER.index(file.item), file.path.name)
    )


ORDER = list(load_catalogue().items)
"""The registration first, so that later files speak of firms the city knows."""


def _files_of(rows: Rows, city: City, usccs: pa.Array, folder: Path) -> Iterator[FeedFile]:
    start, end = np.datetime64(city.when.start), np.datetime64(city.when.end)
    past = rows.where(rows.known_on < start)
    yield _write(past, city, usccs, folder, city.when.start - timedelta(days=1), is_history=True)
    live = rows.where((rows.known_on >= start) & (rows.known_on <= end))
    comes = live.known_on if rows.item in MONTHLY else next_monday(live.known_on)
    for day in np.unique(comes[comes <= end]):
        yield _write(live.where(comes == day), city, usccs, folder, day.item(), is_history=False)


def _write(rows: Rows, city: City, usccs: pa.Array, folder: Path, received: date, *, is_history: bool) -> FeedFile:
    item = load_catalogue().item(rows.item)
    columns = {USCC.name: usccs.take(pa.array(rows.firm)), **rows.fields}
    if is_history:
        columns["known_on"] = days(rows.known_on)
    bad = list(_bad_rows(item, columns, city)) if is_history or rows.item == "tax_payment" else []
    when = "history" if is_history else received.isoformat()
    path = _save(item, columns, bad, folder, f"{rows.item}__{when}")
    return FeedFile(path, rows.item, received, is_history, len(rows) + len(bad))


def _save(item: Item, columns: dict[str, pa.Array], bad: Sequence[str], folder: Path, stem: str) -> Path:
    if item.id in PARQUET:
        path = folder / f"{stem}.parquet"
        pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=True)
    elif item.id in SPREADSHEETS:
        path = folder / f"{stem}.xlsx"
        _save_sheet(columns, path)
    elif item.id in GB18030:
        path = folder / f"{stem}.csv"
        text = pa.BufferOutputStream()
        pa_csv.write_csv(_in_chinese(item, columns), text, pa_csv.WriteOptions(quoting_style="needed"))
        path.write_bytes(text.getvalue().to_pybytes().decode().encode("gb18030") + "".join(bad).encode("gb18030"))
    else:
        path = folder / f"{stem}.csv"
        with path.open("wb") as file:
            pa_csv.write_csv(pa.table(columns), file, pa_csv.WriteOptions(quoting_style="needed"))
            file.write("".join(bad).encode())
    return path


def _in_chinese(item: Item, columns: dict[str, pa.Array]) -> pa.Table:
    """Headers and coded values as the department's people write them."""
    named = {}
    for name, column in columns.items():
        field = item.field(name)
        codes = list(field.choices)
        said = [field.choices[code][0] for code in codes]
        named[field.zh] = words(said, pc.index_in(column, pa.array(codes))) if codes else column
    return pa.table(named)


def _save_sheet(columns: dict[str, pa.Array], path: Path) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": False}) as book:
        book.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001 - a file's stamp, fixed so that bytes repeat
        sheet = book.add_worksheet()
        for place, (name, column) in enumerate(columns.items()):
            sheet.write_string(0, place, name)
            for line, value in enumerate(column.cast(pa.string()).to_pylist(), start=1):
                if value is not None:
                    sheet.write_string(line, place, value)


def _bad_rows(item: Item, columns: dict[str, pa.Array], city: City) -> Iterator[str]:
    """Rows as careless hands write them, for CSV files: each has one fault that intake must name."""
    if item.id not in {"registration", "tax_payment", "penalty", "court_enforcement"} or not len(columns[USCC.name]):
        return
    good = ["" if column[0].as_py() is None else str(column.cast(pa.string())[0]) for column in columns.values()]
    names = list(columns)
    faults: list[dict[str, str]] = [
        {USCC.name: "12345"},
        {USCC.name: "91410100OISVZ00000"},
        {names[1]: ""},
        {_of_type(item, "choice"): "不知道"},
        {_of_type(item, "date", "month"): "去年三月"},
        {_of_type(item, "money"): "=1+1"},
        {_of_type(item, "text"): "长" * 300} if _of_type(item, "text") else {_of_type(item, "money"): "十万"},
    ]
    for fault in faults[: city.character.faults.bad_rows_per_file]:
        yield ",".join(fault.get(name, value) for name, value in zip(names, good, strict=True)) + "\n"
    yield ",".join(good) + ",多出一列,再多一列\n"


def _of_type(item: Item, *types: str) -> str:
    """The item's first field of a type, its own code and key excepted."""
    return next((field.name for field in item.fields[1:] if field.type in types and field.name != "known_on"), "")


def _correction(city: City, usccs: pa.Array, folder: Path) -> FeedFile:
    """A month into the demo the insurance office sends some of the last history month again, one person more each."""
    rows = next(rows for rows in city.rows if rows.item == "social_insurance")
    start = np.datetime64(city.when.start)
    last = rows.where((rows.known_on < start) & (rows.known_on >= start - 30))
    last = last.where(np.arange(len(last)) < CORRECTED_ROWS)
    fields = last.fields | {"insured": pc.add(last.fields["insured"], 1)}
    on = min(city.when.start + timedelta(days=3), city.when.end)
    path = _save(
        load_catalogue().item("social_insurance"),
        {USCC.name: usccs.take(pa.array(last.firm)), **fields},
        [],
        folder,
        f"social_insurance__{on.isoformat()}_correction",
    )
    return FeedFile(path, "social_insurance", on, is_history=False, rows=len(last))
