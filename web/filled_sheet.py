"""Sheets that go out with facts in locked columns, to be filled in and to come back (web/returned_sheet.py).

A workbook says on a hidden sheet what it is; each row carries a check of what it is about; every text is written as
text, so that a firm's name can never become a formula.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from web import words
from web.language import Phrase, gettext
from web.language import lazy as _
from web.takeaway import Book

HIDDEN = "xindeng"
Fact = str | int | Decimal | date
"""What stands in a locked cell; a Decimal is money in yuan."""
FILLS = {"green": "#DDEFE3", "yellow": "#FBEBC8", "red": "#F6D9D5"}


@dataclass(frozen=True)
class SheetColumn:
    key: str
    head: Phrase
    width: int
    is_answer: bool = False
    hint: Phrase | None = None
    is_text: bool = False
    """An open column whose digits are no number: leading zeros and the last of many digits stay."""


CHECK = SheetColumn("check", _("校验"), 10)


@dataclass(frozen=True)
class Pattern:
    """One kind of sheet: what is known of a row (its `id` first), what is asked, and what binds it to its thing."""

    name: Phrase
    facts: tuple[SheetColumn, ...]
    asked: tuple[SheetColumn, ...]
    groups: Mapping[str, str]
    """Asked columns with a drop-down: the group of words it offers."""
    bound: tuple[str, ...] = ("uscc",)
    """The columns that go into the check beside the id."""
    unseen: tuple[SheetColumn, ...] = ()
    """Columns that are kept but hidden, before the check."""
    most: int = 2_000

    @cached_property
    def columns(self) -> tuple[SheetColumn, ...]:
        return (*self.facts, *self.asked, *self.unseen, CHECK)

    @cached_property
    def at(self) -> dict[str, int]:
        return {column.key: place for place, column in enumerate(self.columns)}

    @property
    def hints(self) -> list[tuple[str, str]]:
        return [(str(column.head), str(column.hint)) for column in self.asked if column.hint is not None]


@dataclass(frozen=True)
class SheetRow:
    """One row: what is known (also the unseen columns), what stands in the open cells, what is wrong with them."""

    key: int
    facts: dict[str, Fact]
    filled: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    light: str = ""
    """The colour behind the cell of the light."""


@dataclass(frozen=True)
class Sheet:
    """Rows of one pattern. `scope`: what they belong to, part of every check."""

    pattern: Pattern
    scope: str
    rows: Sequence[SheetRow]


def write(about: Mapping[str, str], sheets: Sequence[Sheet], mark: str, said: Sequence[tuple[str, str]]) -> bytes:
    """The workbook. `about`: what it is, for when it comes back; `mark` stands on each page; `said` is explained."""
    kept = Book()
    pages = [kept.file.add_worksheet(str(sheet.pattern.name)) for sheet in sheets]
    ranges = _hidden(kept.file, about, [sheet.pattern for sheet in sheets])
    looks = _looks(kept.file)
    for page, sheet in zip(pages, sheets, strict=True):
        _heads(page, looks, sheet.pattern)
        for place, row in enumerate(sheet.rows, 1):
            _row(page, looks, place, row, sheet)
        _finish(page, sheet, ranges, mark)
    usual = [(gettext("用途"), mark), (gettext("重复上传"), gettext("同一内容再次上传不会重复记录。"))]
    kept.explain([*usual, *said], gettext("说明"))
    return kept.content()


def check_of(scope: str, key: int | str, bound: Sequence[Fact]) -> str:
    """What binds a row to its thing: a row pasted over another does not fit any more."""
    return hashlib.sha256("|".join((scope, str(key), *map(str, bound))).encode()).hexdigest()[:8]


def worded(pattern: Pattern, key: str, code: str) -> str:
    """A code as the word of its drop-down."""
    group = pattern.groups.get(key)
    return words.of(group, code) if group and code in words.GROUPS[group] else code


def _hidden(book: Any, about: Mapping[str, str], patterns: Sequence[Pattern]) -> dict[str, str]:
    """The hidden sheet: what this workbook is, and the words of every drop-down with their codes."""
    sheet = book.add_worksheet(HIDDEN)
    heads = {
        f"heads_{place}": "\t".join(str(column.head) for column in one.columns) for place, one in enumerate(patterns)
    }
    for place, (name, value) in enumerate({**about, **heads}.items()):
        sheet.write_string(place, 0, name)
        sheet.write_string(place, 1, value)
    ranges, place = {}, 0
    for group in dict.fromkeys(group for one in patterns for group in one.groups.values()):
        options = words.options(group)
        for offset, option in enumerate(options):
            sheet.write_string(place + offset, 2, option.label)
            sheet.write_string(place + offset, 3, option.value)
        ranges[group] = f"={HIDDEN}!$C${place + 1}:$C${place + len(options)}"
        place += len(options)
    sheet.hide()
    return ranges


def _looks(book: Any) -> dict[str, Any]:
    line = {"border": 1, "border_color": "#D8D5CB", "valign": "top"}
    head = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "border_color": "#B7B2A3"}
    return {
        "locked": book.add_format({**line, "num_format": "@"}),
        "money": book.add_format({**line, "num_format": "#,##0.00"}),
        "whole": book.add_format({**line, "num_format": "0"}),
        "day": book.add_format({**line, "num_format": "yyyy-mm-dd"}),
        "open": book.add_format({**line, "locked": False, "bg_color": "#FFFDF4"}),
        "open text": book.add_format({**line, "locked": False, "bg_color": "#FFFDF4", "num_format": "@"}),
        "wrong": book.add_format({**line, "locked": False, "bg_color": "#F6D9D5", "font_color": "#8F1D14"}),
        "known": book.add_format({**head, "bg_color": "#E7EEF0"}),
        "asked": book.add_format({**head, "bg_color": "#F9DFA5"}),
        **{code: book.add_format({**line, "bg_color": fill}) for code, fill in FILLS.items()},
    }


def _heads(page: Any, looks: Mapping[str, Any], pattern: Pattern) -> None:
    unseen = (*pattern.unseen, CHECK)
    for place, column in enumerate(pattern.columns):
        page.set_column(place, place, column.width, None, {"hidden": column in unseen})
        page.write_string(0, place, str(column.head), looks["asked" if column.is_answer else "known"])
    page.set_row(0, 32)


def _row(page: Any, looks: Mapping[str, Any], place: int, row: SheetRow, sheet: Sheet) -> None:
    pattern = sheet.pattern
    bound = [row.facts.get(name, "") for name in pattern.bound]
    checked = {"id": str(row.key), "check": check_of(sheet.scope, row.key, bound)}
    for key, fact in (row.facts | checked).items():
        look = looks[row.light] if key == "light" and row.light else None
        _fact(page, looks, (place, pattern.at[key]), fact, look)
    for column in pattern.asked:
        text = worded(pattern, column.key, row.filled.get(column.key, ""))
        is_wrong = bool(row.error) and column is pattern.asked[0]
        look = looks["wrong" if is_wrong else "open text" if column.is_text else "open"]
        page.write_string(place, pattern.at[column.key], text, look)
        if is_wrong:
            page.write_comment(place, pattern.at[column.key], row.error, {"x_scale": 2})


def _fact(page: Any, looks: Mapping[str, Any], at: tuple[int, int], fact: Fact, look: Any) -> None:
    if isinstance(fact, Decimal):
        page.write_number(*at, fact, looks["money"])
    elif isinstance(fact, int):
        page.write_number(*at, fact, looks["whole"])
    elif isinstance(fact, date):
        page.write_datetime(*at, fact, looks["day"])
    else:
        page.write_string(*at, fact, look or looks["locked"])


def _finish(page: Any, sheet: Sheet, ranges: Mapping[str, str], mark: str) -> None:
    pattern, last = sheet.pattern, max(len(sheet.rows), 1)
    for key, group in pattern.groups.items():
        choice = {"validate": "list", "source": ranges[group], "ignore_blank": True}
        page.data_validation(1, pattern.at[key], last, pattern.at[key], choice)
    page.freeze_panes(1, 2)
    page.autofilter(0, 0, last, len(pattern.columns) - 2 - len(pattern.unseen))
    page.protect("", {"sort": True, "autofilter": True, "format_columns": True, "format_rows": True})
    page.set_landscape()
    page.set_paper(9)
    page.repeat_rows(0)
    page.fit_to_pages(1, 0)
    page.set_footer(f"&L{mark.replace('&', '&&')[:180]}&R&P / &N")
