"""Reading a department's file: CSV (UTF-8 with or without mark, UTF-16, GB18030), XLSX or Parquet, as batches of text.

Whatever the file is, what comes out is the same: the header as written, then batches whose columns are all strings and
whose lines are counted as a spreadsheet shows them (the header is line 1). Only the file as a whole is judged here.
"""

import codecs
import csv
import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from service.domain.errors import NotPossible

BLOCK = 8 << 20
XLSX_BATCH = 20_000
XLSX_UNPACKED_LIMIT = 2 << 30
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass
class Batch:
    """Rows as text: `columns` in the header's order, with the line each row stood on."""

    columns: list[pa.Array]
    lines: npt.NDArray[np.int32]
    broken: list[tuple[int, str]] = field(default_factory=list)
    """Lines with another number of columns than the header, as they stood there."""


@dataclass
class Sheet:
    """An open file: its header, its encoding ('' where the format has none) and its rows, to be read once."""

    header: list[str]
    encoding: str
    batches: Iterator[Batch]


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def open_sheet(path: Path) -> Iterator[Sheet]:
    """Open a feed by its extension. NotPossible says in one sentence what is wrong with the file as a whole."""
    openers = {".csv": _csv, ".txt": _csv, ".xlsx": _xlsx, ".parquet": _parquet}
    opener = openers.get(path.suffix.lower())
    if opener is None:
        raise NotPossible("不支持“{suffix}”格式，请报送 CSV、XLSX 或 Parquet 文件", suffix=path.suffix)
    if path.stat().st_size == 0:
        raise NotPossible("文件是空的，没有任何内容")
    with opener(path) as sheet:
        yield sheet


def encoding_of(path: Path) -> str:
    """utf-8-sig, utf-16, utf-8 or gb18030, tried on the whole file; NotPossible where none of them reads it.

    GB18030 accepts almost any bytes, so a UTF-8 file with a few damaged characters would pass for it and come out as
    nonsense: where most of the file's Chinese is good UTF-8, it is called damaged instead.
    """
    with path.open("rb") as file:
        start = file.read(4)
        for mark, name in MARKS:
            if start.startswith(mark):
                if not _reads_as(path, name):
                    raise NotPossible("文件编码无法识别或文件已损坏，请另存为 UTF-8 或 GB18030 编码后重新报送")
                return name
    if _reads_as(path, "utf-8"):
        return "utf-8"
    if not _looks_like_damaged_utf8(path) and _reads_as(path, "gb18030"):
        return "gb18030"
    raise NotPossible("文件编码无法识别或文件已损坏，请另存为 UTF-8 或 GB18030 编码后重新报送")


def _reads_as(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK):
                if "\0" in decoder.decode(block):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _looks_like_damaged_utf8(path: Path) -> bool:
    with path.open("rb") as file:
        text = file.read(BLOCK).decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    good = sum(1 for letter in text if letter > "\x7f") - damaged
    return good > 4 * damaged


@contextmanager
def _csv(path: Path) -> Iterator[Sheet]:
    encoding = encoding_of(path)
    with tempfile.TemporaryFile() as plain, path.open("rb") as raw:
        file: IO[bytes] = raw
        if encoding in {"gb18030", "utf-16"}:
            shutil.copyfileobj(codecs.EncodedFile(raw, "utf-8", encoding), plain, BLOCK)
            file = plain
        header, delimiter = _csv_header(file)
        file.seek(0)
        yield Sheet(header, encoding.removesuffix("-sig"), _csv_batches(file, len(header), delimiter))


def _csv_header(file: IO[bytes]) -> tuple[list[str], str]:
    file.seek(0)
    first = file.read(64 << 10).decode("utf-8-sig", "ignore")
    line = first.splitlines()[0] if first.strip() else ""
    delimiter = max(",\t;", key=line.count)
    header = [name.strip() for name in next(csv.reader(io.StringIO(first), delimiter=delimiter), [])]
    if not any(header):
        raise NotPossible("文件第一行应是列名，现在是空行")
    return header, delimiter


def _csv_batches(file: IO[bytes], width: int, delimiter: str) -> Iterator[Batch]:
    names = [str(place) for place in range(width)]
    broken: list[tuple[int, str]] = []

    def set_aside(row: pa_csv.InvalidRow) -> str:
        broken.append((row.number, row.text))
        return "skip"

    try:
        reader = pa_csv.open_csv(
            file,
            pa_csv.ReadOptions(block_size=BLOCK, use_threads=False, column_names=names, skip_rows=1),
            pa_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
        line = 2
        for batch in reader:
            lines, line = _lines_around(line, batch.num_rows, {number for number, _ in broken})
            yield Batch(batch.columns, lines, _taken(broken))
        if broken:
            yield Batch([pa.array([], pa.string())] * width, np.empty(0, np.int32), _taken(broken))
    except pa.ArrowInvalid as wrong:
        if "Empty CSV" in str(wrong):
            return
        raise NotPossible("文件不是完整的 CSV：可能有引号没有成对，请检查后重新报送") from wrong


def _lines_around(first: int, count: int, broken: set[int]) -> tuple[npt.NDArray[np.int32], int]:
    """The lines of `count` good rows from `first` on, leaving out the broken ones; and the line after them."""
    lines = np.arange(first, first + count + len(broken), dtype=np.int32)
    good = lines[~np.isin(lines, list(broken))] if broken else lines
    good = good[:count]
    return good, int(good[-1]) + 1 if count else first


def _taken(broken: list[tuple[int, str]]) -> list[tuple[int, str]]:
    rows = [(number, text) for number, text in broken if text.strip()]
    broken.clear()
    return rows


@contextmanager
def _xlsx(path: Path) -> Iterator[Sheet]:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > XLSX_UNPACKED_LIMIT:
                raise NotPossible("XLSX 文件解压后过大，请改用 CSV 报送")
        book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as wrong:
        raise NotPossible("文件不是有效的 XLSX，可能已损坏或只是改了扩展名") from wrong
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        header = [_cell(value).strip() for value in next(rows, ())]
        while header and not header[-1]:
            header.pop()
        if not header:
            raise NotPossible("文件第一行应是列名，现在是空行")
        yield Sheet(header, "", _xlsx_batches(rows, len(header)))
    finally:
        book.close()


def _xlsx_batches(rows: Iterator[tuple[Any, ...]], width: int) -> Iterator[Batch]:
    kept: list[list[str]] = []
    lines: list[int] = []
    broken: list[tuple[int, str]] = []
    for line, row in enumerate(rows, start=2):
        cells = [_cell(value) for value in row]
        if any(cells[width:]):
            broken.append((line, ",".join(cells)))
        elif any(cells):
            kept.append((cells + [""] * width)[:width])
            lines.append(line)
        if len(kept) + len(broken) >= XLSX_BATCH:
            yield _batch_of(kept, lines, broken, width)
            kept, lines, broken = [], [], []
    if kept or broken:
        yield _batch_of(kept, lines, broken, width)


def _batch_of(kept: list[list[str]], lines: list[int], broken: list[tuple[int, str]], width: int) -> Batch:
    columns = [pa.array([row[place] for row in kept], pa.string()) for place in range(width)]
    return Batch(columns, np.array(lines, np.int32), broken)


def _cell(value: object) -> str:
    """A cell as a person would type it; a formula is its text, never its result."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return str(int(value))
    return str(value)


@contextmanager
def _parquet(path: Path) -> Iterator[Sheet]:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as wrong:
        raise NotPossible("文件不是有效的 Parquet，可能已损坏或只是改了扩展名") from wrong
    with file:
        yield Sheet([name.strip() for name in file.schema_arrow.names], "", _parquet_batches(file))


def _parquet_batches(file: Any) -> Iterator[Batch]:
    line = 2
    for batch in file.iter_batches(batch_size=131_072):
        lines = np.arange(line, line + batch.num_rows, dtype=np.int32)
        line += batch.num_rows
        yield Batch([_as_text(column) for column in batch.columns], lines)


def _as_text(column: pa.Array) -> pa.Array:
    """A column as a CSV would have written it; money that was stored as a float comes out in its shortest digits."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.date32(), safe=False)
    if pa.types.is_floating(column.type):
        column = _float_text(column.cast(pa.float64()))
    try:
        return pc.fill_null(column.cast(pa.string()), "")
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as wrong:
        raise NotPossible("Parquet 文件中有无法按文本读取的列（{type}）", type=str(column.type)) from wrong


def _float_text(column: pa.Array) -> pa.Array:
    """Plain digits, no exponent: 1e7 is '10000000'."""
    values = np.asarray(column.fill_null(np.nan), dtype=np.float64)
    texts = pc.if_else(pc.is_nan(column), None, column.cast(pa.string()))
    odd = np.flatnonzero(np.asarray(pc.fill_null(pc.match_substring(texts, "e"), False)))
    if not len(odd):
        return texts
    plain = texts.to_pylist()
    for place in odd:
        plain[place] = np.format_float_positional(values[place], trim="-")
    return pa.array(plain, pa.string())
