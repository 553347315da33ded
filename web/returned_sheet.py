"""Sheets that come back filled in: read as people typed them, no formulas, and each row only if it fits its check."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from service.domain.errors import NotPossible
from web.filled_sheet import CHECK, HIDDEN, Pattern, check_of
from web.language import gettext

MOST_BYTES = 5 << 20
MOST_UNPACKED = 60 << 20
LONGEST_ID = 18
EXACT_BELOW = 10**15
"""A spreadsheet keeps fifteen digits of a number: a longer one has lost some."""
Told = tuple[Mapping[str, str], Mapping[str, str]]
"""What a workbook says it is, and the codes of its words."""


@dataclass(frozen=True)
class SheetBack:
    """What came back, by row: the filled cells as text, the unseen ones, and what is wrong with the row itself."""

    cells: dict[int, dict[str, str]] = field(default_factory=dict)
    unseen: dict[int, dict[str, str]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


def open_returned(file: BinaryIO) -> Any:
    """A workbook that someone sent, to be read and closed. Errors: NotPossible for what is too large, or is none."""
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise NotPossible("文件超过 {most} MB，请只上传从本平台下载的清单。", most=MOST_BYTES >> 20)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise NotPossible("文件展开后过大，请只上传从本平台下载的清单。")
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as broken:
        raise NotPossible("这不是 Excel 文件（.xlsx），或文件已损坏。") from broken


def told(book: Any, kind: str, version: str) -> Told:
    """What a returned workbook says it is, and the codes of its words. Errors: NotPossible for another or older one."""
    if HIDDEN not in book.sheetnames:
        raise NotPossible("这不是从本平台下载的表，请先下载，填好后再上传。")
    known: dict[str, str] = {}
    codes: dict[str, str] = {}
    for row in book[HIDDEN].iter_rows(max_row=200, max_col=4, values_only=True):
        name, value, word, code = (*row, None, None, None, None)[:4]
        if name:
            known[str(name)] = str(value or "")
        if word and code:
            codes[str(word)] = str(code)
    if (known.get("kind"), known.get("version")) != (kind, version):
        raise NotPossible("这不是这里要的表，或版本已旧，请重新下载后再填。")
    return known, codes


def read_sheet(book: Any, place: int, pattern: Pattern, scope: str, known: Told) -> SheetBack:
    """The filled rows of one sheet. Errors: NotPossible where columns or rows were moved, or are too many."""
    said, codes = known
    if place >= len(book.sheetnames):
        raise NotPossible("表里少了一页，请重新下载后再填。")
    rows = book[book.sheetnames[place]].iter_rows(max_col=len(pattern.columns))
    if [str(cell.value or "") for cell in next(rows, ())] != said.get(f"heads_{place}", "").split("\t"):
        raise NotPossible("表的列被改动过，请重新下载，只填右边的反馈列。")
    back = SheetBack()
    for number, row in enumerate(rows, 2):
        if number > pattern.most + 1:
            raise NotPossible("一次最多 {most} 行。", most=pattern.most)
        filled = {
            column.key: text_of(row[pattern.at[column.key]], codes if column.key in pattern.groups else {})
            for column in pattern.asked
            if pattern.at[column.key] < len(row)
        }
        if any(filled.values()):
            _take(back, pattern, scope, number, row, filled)
    return back


def text_of(cell: Any, codes: Mapping[str, str]) -> str:
    """A cell as a person would type it; a word of a drop-down as its code."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        number = Decimal(repr(value)) * (100 if "%" in (cell.number_format or "") else 1)
        return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
    text = str(value).strip()[:2000]
    return codes.get(text, text)


def _take(
    back: SheetBack, pattern: Pattern, scope: str, number: int, row: Sequence[Any], filled: dict[str, str]
) -> None:
    """One filled row, if it still is about what it was about."""
    kept = {name: text_of(row[pattern.at[name]], {}) for name in ("id", *pattern.bound, CHECK.key)}
    fits = check_of(scope, kept["id"], [kept[name] for name in pattern.bound]) == kept["check"]
    if not fits or not kept["id"].isdecimal() or len(kept["id"]) > LONGEST_ID:
        raise NotPossible("第 {row} 行的编号、代码与校验不符：行可能被移动过，请重新下载后再填。", row=number)
    key = int(kept["id"])
    if key in back.cells:
        back.errors[key] = gettext("同一编号有不止一行，请分次上传。")
    elif any(text.startswith("=") for text in filled.values()):
        back.errors[key] = gettext("单元格里是公式，请直接填内容。")
    elif any(_is_cut(row[pattern.at[name]]) for name in filled):
        back.errors[key] = gettext("数字超过 15 位，Excel 已经丢了末尾几位：请把单元格设为文本后重填。")
    back.cells[key] = filled
    back.unseen[key] = {column.key: text_of(row[pattern.at[column.key]], {}) for column in pattern.unseen}


def _is_cut(cell: Any) -> bool:
    return isinstance(cell.value, int | float) and abs(cell.value) >= EXACT_BELOW
