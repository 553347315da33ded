"""A long list as a workbook, row by row in constant memory: columns with their looks, and what the file is for."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from service.actions.make_export import About, Batches
from web import formats
from web.language import Phrase, gettext, speaking
from web.takeaway import NAME, Book

MOST_ROWS = 1_000_000
"""Of one sheet, its head included: Excel ends at 1,048,576."""
Look = Literal["text", "money", "whole", "day", "share"]
SHAPES: dict[Look, str] = {"text": "@", "money": "#,##0.00", "whole": "0", "day": "yyyy-mm-dd", "share": "0.00%"}


@dataclass(frozen=True)
class Column:
    """One column: its head, its width in letters, its value (fen for money, shares as shares), and how it looks."""

    head: Phrase
    width: int
    of: Callable[[Any], Any]
    look: Look = "text"


def write(file: Path, name: str, columns: Sequence[Column], batches: Batches, about: About) -> None:
    """Write all rows of all batches into `file`; a sheet that is full goes on in the next."""
    with speaking(about.language), _room(file) as folder:
        book = Book(folder)
        looks = {look: book.file.add_format({"num_format": shape}) for look, shape in SHAPES.items()}
        sheet, row = _sheet(book, name, columns, 1), 0
        for one in chain.from_iterable(batches):
            row += 1
            if row == MOST_ROWS:
                sheet, row = _sheet(book, name, columns, len(book.file.worksheets()) + 1), 1
            for place, column in enumerate(columns):
                _cell(sheet, row, place, column.of(one), column.look, looks)
        said = {"who": about.who.name, "at": formats.moment(about.at)}
        explained = [
            (gettext("内容"), name),
            (gettext("谁导出"), gettext("%(who)s，%(at)s") % said),
            (gettext("用途"), gettext("仅供本职工作使用，不得转交他人；导出已经留痕。")),
        ]
        book.explain(explained)
        book.file.close()
        (folder / NAME).replace(file)


@contextmanager
def _room(file: Path) -> Iterator[Path]:
    """A folder beside the file for what grows; what a killed worker left in it goes first."""
    folder = file.with_suffix(".rows")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sheet(book: Book, name: str, columns: Sequence[Column], number: int) -> Any:
    sheet = book.file.add_worksheet(f"{name} {number}" if number > 1 else name)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, str(column.head), book.head)
    sheet.freeze_panes(1, 1)
    return sheet


def _cell(sheet: Any, row: int, place: int, value: Any, look: Look, looks: dict[Look, Any]) -> None:
    if value is None or value == "":
        return
    if look == "text":
        sheet.write_string(row, place, str(value), looks[look])
    elif look == "day":
        sheet.write_datetime(row, place, value, looks[look])
    else:
        sheet.write_number(row, place, Decimal(value) / 100 if look == "money" else value, looks[look])
