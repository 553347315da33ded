"""A firm's own data to take away: a zip of every record with source and day, and who looked, as JSON and Excel."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Row

from service.profiles.profile import Fact, Profile, Section
from web import formats, record_words, words
from web.language import gettext
from web.takeaway import Book

LONGEST_SHEET_NAME = 31
"""Excel's own limit, in letters."""


Contested = frozenset[tuple[str, str]]
"""Facts (item, key) under objection: marked wherever they are told."""


def pack(firm: Row[Any], profile: Profile, looks: Sequence[Row[Any]], contested: Contested) -> bytes:
    """The zip: records.json for machines, records.xlsx for people in the language of the page."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("records.json", as_json(firm, profile, looks, contested))
        file.writestr("records.xlsx", as_workbook(profile, looks, contested))
    return out.getvalue()


def as_json(firm: Row[Any], profile: Profile, looks: Sequence[Row[Any]], contested: Contested) -> bytes:
    """Everything under the catalogue's own names: money in fen, shares as shares, days as ISO dates."""
    told = {
        "firm": {"uscc": firm.uscc, "name": firm.name, "district": firm.district, "industry": firm.industry},
        "as_of": profile.as_of,
        "sources": [_source(section, contested) for section in profile.sections],
        "looks": [
            {"at": one.at, "by": one.actor, "bank": one.bank_name, "did": one.verb, "with": one.noun} for one in looks
        ],
    }
    return orjson.dumps(told, option=orjson.OPT_INDENT_2, default=str)


def as_workbook(profile: Profile, looks: Sequence[Row[Any]], contested: Contested) -> bytes:
    """A sheet for each source that knows the firm, and one of who looked; every cell is text as on the page."""
    book = Book()
    for section in profile.held:
        _write(book, record_words.named(section.item), _rows_of(section, contested))
    _write(book, gettext("谁用过我的资料"), _rows_of_looks(looks))
    return book.content()


def who_looked(look: Row[Any]) -> str:
    """The bank, the role, or the platform."""
    return look.bank_name or (words.of("role", look.actor) if look.actor in words.GROUPS["role"] else gettext("平台"))


def _source(section: Section, contested: Contested) -> dict[str, Any]:
    return {
        "item": section.item.id,
        "name": section.item.zh,
        "department": section.item.department.zh,
        "known_on": section.known_on,
        "freshness": section.freshness.value,
        "records": [
            {
                "known_on": fact.record.known_on,
                "under_objection": about(fact) in contested,
                **{field.name: value for field, value in fact.values},
            }
            for fact in section.facts
        ],
    }


def about(fact: Fact) -> tuple[str, str]:
    """Which fact it is, whatever its version: item and key."""
    return fact.record.item, fact.record.key


def _rows_of(section: Section, contested: Contested) -> list[list[str]]:
    fields = list(dict.fromkeys(field.name for fact in section.facts for field, _value in fact.values))
    named = {field.name: field for fact in section.facts for field, _value in fact.values}
    titles = [record_words.named(named[name]) for name in fields]
    rows = [[*titles, gettext("归集日期"), gettext("来源"), gettext("异议")]]
    for fact in section.facts:
        have = fact.values_by_name
        cells = [record_words.said(named[name], have[name]) if name in have else "" for name in fields]
        mark = gettext("异议处理中") if about(fact) in contested else ""
        rows.append([*cells, fact.record.known_on.isoformat(), record_words.department(section.item), mark])
    return rows


def _rows_of_looks(looks: Sequence[Row[Any]]) -> list[list[str]]:
    rows = [[gettext("时间"), gettext("谁"), gettext("做了什么")]]
    return rows + [[formats.moment(one.at), who_looked(one), words.of("verb", one.verb)] for one in looks]


def _write(book: Book, title: str, rows: Sequence[Sequence[str]]) -> None:
    sheet = book.file.add_worksheet(_free_name(book.file, title))
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(rows[0]) - 1, 20)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text, book.head if number == 0 else None)


def _free_name(book: Any, title: str) -> str:
    """The title as a sheet's name: without the signs Excel forbids, short enough, and not taken."""
    plain = "".join(letter for letter in title if letter not in "[]:*?/\\")[:LONGEST_SHEET_NAME]
    taken = {sheet.get_name().lower() for sheet in book.worksheets()}
    number = 2
    name = plain
    while name.lower() in taken:
        name = f"{plain[: LONGEST_SHEET_NAME - 3]} {number}"
        number += 1
    return name
