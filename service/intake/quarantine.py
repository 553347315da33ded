"""Rows that could not be taken: kept as they came, with coded reasons; and the error file for their sender."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO

import orjson

from service.domain.record import Reason

WORDS: dict[Reason, tuple[str, str]] = {
    Reason.MISSING_REQUIRED: ("必填项为空", "a required field is empty"),
    Reason.BAD_TYPE: ("不是数字，或格式不符", "not a number, or not in the form asked for"),
    Reason.BAD_DATE: ("日期无法识别", "not a date"),
    Reason.FUTURE_DATE: ("日期晚于收到之日", "dated later than the day it was received"),
    Reason.BAD_AMOUNT: ("金额无法识别（元，最多两位小数）", "not an amount in yuan with at most two decimals"),
    Reason.OUT_OF_RANGE: ("数值或日期超出合理范围", "out of range"),
    Reason.UNKNOWN_CHOICE: ("不在目录规定的取值之内", "not one of the catalogue's values"),
    Reason.BAD_USCC_FORMAT: (
        "统一社会信用代码格式不正确（应为 18 位）",
        "not an 18-character unified social credit code",
    ),
    Reason.TOO_LONG: ("内容过长", "too long"),
    Reason.WRONG_COLUMN_COUNT: ("列数与表头不一致", "another number of columns than the header"),
    Reason.DUPLICATE_IN_FILE: (
        "同一文件中同一事项出现两次且内容不同，先出现的已采用",
        "the same fact stands twice in this file with different content; the first was taken",
    ),
}
RAW = "原文 raw"
"""The one column of a row that could not be cut into columns."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


class SetAside:
    """Bad rows on their way into quarantine: spooled as CSV for COPY, because the staging COPY is still running."""

    def __init__(self, feed_id: int, item: str, spool: IO[bytes]) -> None:
        self._feed_id, self._item, self._spool = feed_id, item, spool
        self.count = 0

    def add(self, line: int, row: dict[str, str], faults: Sequence[tuple[str, str, Reason]], uscc: str = "") -> None:
        """One row; a fault is (the file's column, the catalogue's field, the reason), the first is the one shown."""
        told = [{"column": column, "field": field, "reason": reason.value} for column, field, reason in faults]
        out = io.StringIO()
        kept = {name: value.replace("\0", "\ufffd") for name, value in row.items()}
        csv.writer(out).writerow(
            (
                self._feed_id,
                self._item,
                line,
                uscc[:64].replace("\0", "\ufffd"),
                told[0]["field"],
                told[0]["reason"],
                orjson.dumps(told).decode(),
                orjson.dumps(kept).decode(),
            )
        )
        self._spool.write(out.getvalue().encode())
        self.count += 1

    def add_broken(self, line: int, text: str) -> None:
        """A row with another number of columns than the header: its text is all there is."""
        self.add(line, {RAW: text}, [("", "", Reason.WRONG_COLUMN_COUNT)])

    def blocks(self) -> Iterator[bytes]:
        """Everything that was added, for COPY."""
        self._spool.seek(0)
        while block := self._spool.read(1 << 20):
            yield block


def error_file(
    header: Sequence[str], rows: Iterator[tuple[int, list[dict[str, str]], dict[str, str | None]]]
) -> Iterator[str]:
    """The error file as CSV text: line, reasons in both languages, then the row under its own header.

    It opens in spreadsheets, so a cell that could be read as a formula is written with an apostrophe in front.
    """
    yield "\ufeff" + _line(["行号 line", "原因", "reason", *header])
    for line, faults, row in rows:
        zh, en = (_told(faults, language) for language in (0, 1))
        cells = [row[RAW] or ""] if RAW in row else [row.get(name) or "" for name in header]
        yield _line([str(line), zh, en, *cells])


def _told(faults: list[dict[str, str]], language: int) -> str:
    said = (f"{fault['column']}: {WORDS[Reason(fault['reason'])][language]}".removeprefix(": ") for fault in faults)
    return "; ".join(said)


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: str) -> str:
    if not cell.startswith(_DANGEROUS):
        return cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell
    return cell
