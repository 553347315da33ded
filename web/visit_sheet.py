"""A plan's base list (走访底册) as a workbook: what is known of each firm, locked, and open columns for what was heard.

It goes out and comes back the way a bank's push list does (web/push_sheet.py): the plan stands on a hidden sheet, each
row carries a check of its visit, firm and version, and every text is written as text.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from service.domain.errors import NotPossible
from service.domain.visit import MOST_FIRMS
from web import obstacle_words, words
from web.language import gettext
from web.language import lazy as _
from web.push_sheet import SheetColumn, open_returned, text_of, told
from web.takeaway import Book

VERSION = "1"
HIDDEN = "xindeng"
KIND = "visits"
FACTS = (
    SheetColumn("id", _("走访编号"), 11),
    SheetColumn("firm_name", _("企业名称"), 32),
    SheetColumn("uscc", _("统一社会信用代码"), 21),
    SheetColumn("industry", _("行业"), 18),
    SheetColumn("size_class", _("规模"), 9),
    SheetColumn("light", _("信灯"), 8),
    SheetColumn("demand", _("在办需求（元）"), 16),
    SheetColumn("known", _("已知堵点"), 28),
    SheetColumn("person", _("由谁走访"), 14),
)
HEARD = (
    SheetColumn("visited_on", _("走访日期"), 13, True, _("例如 2026-06-30；没有走访的行留空。")),
    SheetColumn("met", _("见到了谁"), 14, True, _("从下拉选项中选。")),
    SheetColumn("has_need", _("有没有融资需求"), 14, True),
    SheetColumn("amount_fen", _("大约金额（万元）"), 16, True, _("有需求时必填。")),
    SheetColumn("obstacle_1", _("堵点一"), 18, True, _("发现堵点时选，并填下次日期。")),
    SheetColumn("obstacle_2", _("堵点二"), 18, True),
    SheetColumn("obstacle_3", _("堵点三"), 18, True),
    SheetColumn("promised", _("约定的事项"), 28, True),
    SheetColumn("next_on", _("下次日期"), 13, True, _("须在今天之后。")),
    SheetColumn("note", _("备注"), 28, True),
)
CHECKS = (SheetColumn("version", _("版次"), 6), SheetColumn("check", _("校验"), 10))
COLUMNS = (*FACTS, *HEARD, *CHECKS)
AT = {column.key: place for place, column in enumerate(COLUMNS)}
GROUPS = {
    "met": "met",
    "has_need": "has_need",
    "obstacle_1": "obstacle_kind",
    "obstacle_2": "obstacle_kind",
    "obstacle_3": "obstacle_kind",
}
"""Open columns with a drop-down: the group of words it offers."""


@dataclass(frozen=True)
class Returned:
    """What came back: the plan it is of and, by visit, the version that was seen and the filled cells as text."""

    plan_id: int
    versions: Mapping[int, int]
    cells: Mapping[int, Mapping[str, str]]
    errors: Mapping[int, str] = field(default_factory=dict)


def write(
    plan: Any,
    visits: Sequence[Any],
    known: Mapping[str, Sequence[str]],
    mark: str,
    cells: Mapping[int, Mapping[str, str]] | None = None,
    errors: Mapping[int, str] | None = None,
) -> bytes:
    """The workbook of a plan. `known`: firm → what stands in its way; `cells` and `errors` fill a copy."""
    kept = Book()
    book = kept.file
    sheet = book.add_worksheet(gettext("走访底册"))
    ranges = _hidden(book, plan)
    line = {"border": 1, "border_color": "#D8D5CB", "valign": "top"}
    locked, open_cell = book.add_format({**line, "num_format": "@"}), book.add_format({**line, "locked": False})
    money = book.add_format({**line, "num_format": "#,##0.00"})
    wrong = book.add_format({**line, "locked": False, "bg_color": "#F6D9D5", "font_color": "#8F1D14"})
    asked = book.add_format({"bold": True, "bg_color": "#F9DFA5", "border": 1, "text_wrap": True})
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, column.width, None, {"hidden": column in CHECKS})
        sheet.write_string(0, place, str(column.head), asked if column.is_answer else kept.head)
    for place, visit in enumerate(visits, 1):
        for key, said in _facts(visit, known.get(visit.uscc, ())).items():
            sheet.write_string(place, AT[key], said, locked)
        if visit.demand_fen is not None:
            sheet.write_number(place, AT["demand"], Decimal(visit.demand_fen) / 100, money)
        filled = (cells or {}).get(visit.id) or heard(visit)
        for column in HEARD:
            sheet.write_string(place, AT[column.key], _worded(column.key, filled.get(column.key, "")), open_cell)
        if errors and visit.id in errors:
            sheet.write_string(place, AT["visited_on"], filled.get("visited_on", ""), wrong)
            sheet.write_comment(place, AT["visited_on"], errors[visit.id], {"x_scale": 2})
    last = max(len(visits), 1)
    for key, group in GROUPS.items():
        choice = {"validate": "list", "source": ranges[group], "ignore_blank": True}
        sheet.data_validation(1, AT[key], last, AT[key], choice)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
    sheet.protect("", {"sort": True, "autofilter": True, "format_columns": True, "format_rows": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    hints = [(str(column.head), str(column.hint)) for column in HEARD if column.hint is not None]
    kept.explain([(gettext("用途"), mark), (gettext("重复上传"), gettext("同一内容再次上传不会重复记录。")), *hints])
    return kept.content()


def read(file: BinaryIO) -> Returned:
    """What was heard, from a returned workbook. Errors: NotPossible with the sentence for whoever sent it."""
    book = open_returned(file)
    try:
        return _read(book)
    finally:
        book.close()


def heard(visit: Any) -> dict[str, str]:
    """What a visit's record says, as cells; empty before it was made."""
    if not visit.version:
        return {}
    found = {f"obstacle_{place}": kind for place, kind in enumerate(visit.obstacles[:3], 1)}
    return found | {
        "visited_on": visit.visited_on.isoformat(),
        "met": visit.met,
        "has_need": {True: "yes", False: "no", None: ""}[visit.has_need],
        "amount_fen": "" if visit.amount_fen is None else f"{Decimal(visit.amount_fen) / 1_000_000:f}",
        "promised": visit.promised,
        "next_on": _day(visit.next_on),
        "note": visit.note,
    }


def check_of(plan_id: int, visit_id: int, uscc: str, version: int) -> str:
    """What binds a row to its visit and firm, and to the version of the record it was taken from."""
    return hashlib.sha256(f"visit|{plan_id}|{visit_id}|{uscc}|{version}".encode()).hexdigest()[:8]


def _day(on: date | None) -> str:
    return "" if on is None else on.isoformat()


def _worded(key: str, code: str) -> str:
    group = GROUPS.get(key)
    return words.of(group, code) if group and code in words.GROUPS[group] else code


def _facts(visit: Any, known: Sequence[str]) -> dict[str, str]:
    return {
        "id": str(visit.id),
        "firm_name": visit.firm_name,
        "uscc": visit.uscc,
        "industry": words.industry(visit.industry) if visit.industry else "",
        "size_class": words.of("size_class", visit.size_class),
        "light": words.of("light", visit.light) if visit.light else "",
        "demand": "",
        "known": "、".join(dict.fromkeys(obstacle_words.in_ledger(code) for code in known)),
        "person": visit.person_name or "",
        "version": str(visit.version),
        "check": check_of(visit.plan_id, visit.id, visit.uscc, visit.version),
    }


def _hidden(book: Any, plan: Any) -> dict[str, str]:
    """The hidden sheet: what this workbook is, and the words of every drop-down with their codes."""
    sheet = book.add_worksheet(HIDDEN)
    heads = "\t".join(str(column.head) for column in COLUMNS)
    known = {"kind": KIND, "version": VERSION, "plan_id": str(plan.id), "heads": heads}
    for place, (name, value) in enumerate(known.items()):
        sheet.write_string(place, 0, name)
        sheet.write_string(place, 1, value)
    ranges, place = {}, 0
    for group in dict.fromkeys(GROUPS.values()):
        options = words.options(group)
        for offset, option in enumerate(options):
            sheet.write_string(place + offset, 2, option.label)
            sheet.write_string(place + offset, 3, option.value)
        ranges[group] = f"={HIDDEN}!$C${place + 1}:$C${place + len(options)}"
        place += len(options)
    sheet.hide()
    return ranges


def _read(book: Any) -> Returned:
    if HIDDEN not in book.sheetnames:
        raise NotPossible("这不是从本平台下载的走访底册，请先下载，填好后再上传。")
    known, codes = told(book[HIDDEN])
    rows = book[book.sheetnames[0]].iter_rows(max_col=len(COLUMNS))
    heads = [str(cell.value or "") for cell in next(rows, ())]
    is_ours = known.get("kind") == KIND and known.get("version") == VERSION and known.get("plan_id", "").isdigit()
    if not is_ours or heads != known.get("heads", "").split("\t"):
        raise NotPossible("底册的版本或表头不对，请重新下载后再填。")
    plan_id = int(known["plan_id"])
    versions, cells, errors = dict[int, int](), dict[int, Mapping[str, str]](), dict[int, str]()
    for place, row in enumerate(rows, 2):
        if place > MOST_FIRMS + 1:
            raise NotPossible("一个计划最多 {most} 家企业。", most=MOST_FIRMS)
        said = {
            column.key: text_of(row[AT[column.key]], codes if column.key in GROUPS else {})
            for column in HEARD
            if AT[column.key] < len(row)
        }
        if not any(said.values()):
            continue
        visit_id, uscc, version, check = (text_of(row[AT[key]], {}) for key in ("id", "uscc", "version", "check"))
        is_whole = visit_id.isdigit() and version.isdigit()
        if not is_whole or check_of(plan_id, int(visit_id), uscc, int(version)) != check:
            raise NotPossible("第 {row} 行的编号、代码与校验不符：行可能被移动过，请重新下载后再填。", row=place)
        if any(text.startswith("=") for text in said.values()):
            errors[int(visit_id)] = gettext("单元格里是公式，请直接填内容。")
        versions[int(visit_id)], cells[int(visit_id)] = int(version), said
    return Returned(plan_id, versions, cells, errors)


def obstacles_in(cells: Mapping[str, str]) -> tuple[str, ...]:
    """The kinds that stand in a row's three columns."""
    named = (cells.get(f"obstacle_{place}", "") for place in (1, 2, 3))
    return tuple(dict.fromkeys(kind for kind in named if kind))
