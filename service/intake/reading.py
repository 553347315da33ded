"""One file going by, batch after batch: checked, bad rows set aside, good ones handed to staging and mirror."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from service.domain.record import Feed, Reason
from service.intake import feed as files
from service.intake.canonical import canonical
from service.intake.catalogue import Item
from service.intake.checks import Checked, check, columns_of
from service.intake.mirror import Draft
from service.intake.quarantine import SetAside


class Reading:
    """What is gathered about a file while its rows go by. Bounded memory: only a number a row is kept."""

    def __init__(self, item: Item, feed: Feed, sheet: files.Sheet, spool: IO[bytes], draft: Draft | None) -> None:
        assert feed.id is not None
        feed.header, feed.encoding = sheet.header, sheet.encoding
        self.item, self.feed = item, feed
        self.columns = columns_of(item, sheet.header, is_history=feed.is_history)
        self.received = 0
        self.wrong_codes: set[str] = set()
        self.set_aside = SetAside(feed.id, item.id, spool)
        self._sheet, self._draft = sheet, draft
        self._prints: list[npt.NDArray[np.uint64]] = []
        self._lines: list[npt.NDArray[np.int32]] = []
        self._engine = _engine().cursor()

    def blocks(self) -> Iterator[bytes]:
        """The good rows as CSV blocks for the staging table, each made while the one before is on its way."""
        return _one_ahead(self._blocks())

    def suspect_lines(self) -> list[int]:
        """Lines whose fact comes more than once in the file, judged by a 64-bit print of it: rarely one too many."""
        if not self._prints:
            return []
        prints, lines = np.concatenate(self._prints), np.concatenate(self._lines)
        order = np.argsort(prints, kind="stable")
        same = prints[order][1:] == prints[order][:-1]
        twice = np.zeros(len(prints), bool)
        twice[order[1:][same]] = True
        twice[order[:-1][same]] = True
        return sorted(lines[twice].tolist())

    def set_aside_again(self, path: Path, wanted: set[int], reason: Reason) -> None:
        """Good rows that turned out not to be: read once more, because only their values were kept."""
        key = self.item.key[0]
        with files.open_sheet(path) as sheet:
            for batch in sheet.batches:
                for place in np.flatnonzero(np.isin(batch.lines, list(wanted))).tolist():
                    row = _row(sheet.header, batch.columns, place)
                    told = [(self._column_of(key), key, reason)]
                    self.set_aside.add(int(batch.lines[place]), row, told, row.get(self._column_of("uscc"), ""))

    def _blocks(self) -> Iterator[bytes]:
        with self._engine:
            for batch in self._sheet.batches:
                if rows := self._take(batch):
                    yield rows

    def _take(self, batch: files.Batch) -> bytes | None:
        for line, text in batch.broken:
            self.set_aside.add_broken(line, text)
        columns, lines = _without_blank_rows([_trimmed(column) for column in batch.columns], batch.lines)
        self.received += len(lines) + len(batch.broken)
        if not len(lines):
            return None
        named = {field.name: column for field, column in zip(self.columns, columns, strict=True) if field}
        checked = check(self.item, named, self.feed.received_on)
        faulty = checked.faulty(len(lines))
        if faulty.any():
            self._set_aside(columns, lines, checked)
            good = pa.array(~faulty)
            lines = lines[~faulty]
            checked.values = {name: values.filter(good) for name, values in checked.values.items()}
        self.wrong_codes |= checked.wrong_codes
        return self._hand_on(canonical(self.item, checked.values, lines)) if len(lines) else None

    def _set_aside(self, columns: Sequence[pa.Array], lines: npt.NDArray[np.int32], checked: Checked) -> None:
        told: dict[int, list[tuple[str, str, Reason]]] = {}
        for fault in checked.faults:
            for row in fault.rows.tolist():
                told.setdefault(row, []).append((self._column_of(fault.field.name), fault.field.name, fault.reason))
        for place in sorted(told):
            row = _row(self._sheet.header, columns, place)
            self.set_aside.add(int(lines[place]), row, told[place], row.get(self._column_of("uscc"), ""))

    def _hand_on(self, rows: pa.Table) -> bytes:
        coming = self._engine.from_arrow(rows)
        self._prints.append(np.asarray(coming.project("hash(uscc, key) AS print").fetchnumpy()["print"], np.uint64))
        self._lines.append(np.asarray(rows["line"]))
        earliest: date = pc.min(rows["known_on"]).as_py()
        self.feed.known_from = min(self.feed.known_from or earliest, earliest)
        if self._draft:
            self._draft.add(rows)
        out = BytesIO()
        pa_csv.write_csv(rows, out, pa_csv.WriteOptions(include_header=False, batch_size=65_536))
        return out.getvalue()

    def _column_of(self, name: str) -> str:
        """The file's own word for a field; the field's where the file has no such column."""
        for field, word in zip(self.columns, self._sheet.header, strict=True):
            if field and field.name == name:
                return word
        return self.item.field(name).zh


@lru_cache(maxsize=1)
def _engine() -> duckdb.DuckDBPyConnection:
    """One for the process: to open one takes longer than to read a small file. A file's work is done by a cursor."""
    return duckdb.connect()


def _one_ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, the next one always in the making by another thread; what goes wrong there is raised here."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = maker.submit(next, blocks, None)
            yield block


def _trimmed(column: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(column)


def _without_blank_rows(
    columns: list[pa.Array], lines: npt.NDArray[np.int32]
) -> tuple[list[pa.Array], npt.NDArray[np.int32]]:
    """A row without a single letter is the end of a sheet, not a record."""
    blank = np.ones(len(lines), bool)
    for column in columns:
        blank &= np.asarray(pc.equal(pc.binary_length(column), 0))
        if not blank.any():
            return columns, lines
    return [column.filter(pa.array(~blank)) for column in columns], lines[~blank]


def _row(header: Sequence[str], columns: Sequence[pa.Array], place: int) -> dict[str, str]:
    return {name: column[place].as_py() for name, column in zip(header, columns, strict=True)}
