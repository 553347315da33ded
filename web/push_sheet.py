"""A push list as a workbook: what the bank may know in locked columns, its answers in open ones; and back again.

The workbook names its list and version on a hidden sheet, each row carries a check of its line and firm, and every text
is written as text: a firm's name can never become a formula.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from service.domain.errors import NotPossible
from service.domain.push_list import AnswerKind
from web import formats, words
from web.language import Phrase, gettext
from web.language import lazy as _
from web.takeaway import Book

VERSION = "1"
HIDDEN = "xindeng"
MOST_ROWS = 2_000
MOST_BYTES = 5 << 20
MOST_UNPACKED = 60 << 20
KINDS = tuple(AnswerKind)
GROUPS = {
    "answer": "answer_kind",
    "reason_1": "refusal_reason",
    "reason_2": "refusal_reason",
    "reason_3": "refusal_reason",
    "reason_4": "refusal_reason",
    "loan_type": "loan_type",
    "repayment": "repayment",
}
"""Answer columns with a drop-down: the group of words it offers."""


@dataclass(frozen=True)
class SheetColumn:
    key: str
    head: Phrase
    width: int
    is_answer: bool = False
    hint: Phrase | None = None


FACTS = (
    SheetColumn("id", _("推送项编号"), 11),
    SheetColumn("firm_name", _("企业名称"), 32),
    SheetColumn("uscc", _("统一社会信用代码"), 21),
    SheetColumn("district", _("区县"), 11),
    SheetColumn("industry", _("行业"), 16),
    SheetColumn("light", _("信灯"), 8),
    SheetColumn("amount", _("申请金额（元）"), 16),
    SheetColumn("term", _("期限（月）"), 10),
    SheetColumn("use", _("用途"), 16),
    SheetColumn("product", _("推荐产品"), 18),
    SheetColumn("grade", _("评级"), 7),
    SheetColumn("intended", _("点名贵行"), 10),
    SheetColumn("state", _("进展"), 12),
    SheetColumn("due_step", _("时限事项"), 12),
    SheetColumn("due_on", _("最迟日期"), 12),
)
ANSWERS = (
    SheetColumn("answer", _("反馈"), 14, True, _("从下拉选项中选；不反馈的行留空。")),
    SheetColumn("reason_1", _("拒绝原因一"), 18, True, _("不予通过时至少选一个。")),
    SheetColumn("reason_2", _("拒绝原因二"), 18, True),
    SheetColumn("reason_3", _("拒绝原因三"), 18, True),
    SheetColumn("reason_4", _("拒绝原因四"), 18, True),
    SheetColumn("text", _("说明"), 24, True, _("选“其他”原因或申请延期时必填。")),
    SheetColumn("papers", _("需补资料"), 24, True, _("多份用分号隔开。")),
    SheetColumn("amount_fen", _("报价金额（元）"), 16, True),
    SheetColumn("rate", _("年利率（%）"), 11, True, _("例如 3.45。")),
    SheetColumn("fees_fen", _("费用合计（元）"), 14, True, _("没有费用填 0。")),
    SheetColumn("term_months", _("报价期限（月）"), 14, True),
    SheetColumn("loan_type", _("贷款方式"), 11, True),
    SheetColumn("repayment", _("还款方式"), 20, True),
    SheetColumn("valid_until_on", _("报价有效至"), 13, True, _("例如 2026-07-15；不填按规定的有效期。")),
)
CHECK = SheetColumn("check", _("校验"), 10)
COLUMNS = (*FACTS, *ANSWERS, CHECK)
AT = {column.key: place for place, column in enumerate(COLUMNS)}


@dataclass(frozen=True)
class Returned:
    """What came back: the list it answers and, by line, the filled answer cells as text."""

    list_id: int
    cells: Mapping[int, Mapping[str, str]]
    errors: Mapping[int, str] = field(default_factory=dict)
    """Lines whose row itself is wrong."""


def write(
    one: Any,
    lines: Sequence[Any],
    mark: str,
    cells: Mapping[int, Mapping[str, str]] | None = None,
    errors: Mapping[int, str] | None = None,
) -> bytes:
    """The workbook of a list. `mark`: for whom and what for, on each page; `cells` and `errors` fill a copy."""
    kept = Book()
    book = kept.file
    sheet = book.add_worksheet(gettext("推送清单"))
    ranges = _hidden(book, one)
    _explain(book, mark)
    _heads(book, sheet)
    looks = _looks(book)
    for place, line in enumerate(lines, 1):
        _facts(sheet, looks, place, line)
        sheet.write_string(place, AT["check"], check_of(one.id, line.id, line.uscc), looks["locked"])
        for column in ANSWERS:
            sheet.write_string(place, AT[column.key], (cells or {}).get(line.id, {}).get(column.key, ""), looks["open"])
        if errors and line.id in errors:
            sheet.write_string(place, AT["answer"], (cells or {}).get(line.id, {}).get("answer", ""), looks["wrong"])
            sheet.write_comment(place, AT["answer"], errors[line.id], {"x_scale": 2})
    _finish(sheet, len(lines), ranges, mark)
    return kept.content()


def check_of(list_id: int, line_id: int, uscc: str | None) -> str:
    """What binds a row to its line and firm: a row pasted over another does not fit any more."""
    return hashlib.sha256(f"{list_id}|{line_id}|{uscc or ''}".encode()).hexdigest()[:8]


def read(file: BinaryIO) -> Returned:
    """The answers in a returned workbook. Errors: NotPossible with the sentence for whoever sent it."""
    book = open_returned(file)
    try:
        return _read(book)
    finally:
        book.close()


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


def _read(book: Any) -> Returned:
    if HIDDEN not in book.sheetnames:
        raise NotPossible("这不是从本平台下载的清单，请先下载清单，填好后再上传。")
    known, codes = told(book[HIDDEN])
    if known.get("version") != VERSION or not known.get("list_id", "").isdigit():
        raise NotPossible("清单的版本不对，请重新下载后再填。")
    list_id = int(known["list_id"])
    rows = book[book.sheetnames[0]].iter_rows(max_col=len(COLUMNS))
    heads = [str(cell.value or "") for cell in next(rows, ())]
    if heads != known.get("heads", "").split("\t"):
        raise NotPossible("清单的列被改动过，请重新下载，只填右边的反馈列。")
    cells: dict[int, Mapping[str, str]] = {}
    errors: dict[int, str] = {}
    for place, row in enumerate(rows, 1):
        if place > MOST_ROWS:
            raise NotPossible("一次最多 {most} 行。", most=MOST_ROWS)
        said = {column.key: text_of(row[AT[column.key]], codes) for column in ANSWERS if AT[column.key] < len(row)}
        if not any(said.values()):
            continue
        line_id, uscc, check = (text_of(row[AT[key]], {}) for key in ("id", "uscc", "check"))
        if not line_id.isdigit() or check_of(list_id, int(line_id), uscc) != check:
            raise NotPossible("第 {row} 行的编号、代码与校验不符：行可能被移动过，请重新下载后再填。", row=place + 1)
        if any(text.startswith("=") for text in said.values()):
            errors[int(line_id)] = gettext("单元格里是公式，请直接填内容。")
        cells[int(line_id)] = said
    return Returned(list_id, cells, errors)


def told(sheet: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Name → value, and word → code, as the workbook itself carries them."""
    known: dict[str, str] = {}
    codes: dict[str, str] = {}
    for row in sheet.iter_rows(max_row=200, max_col=4, values_only=True):
        name, value, word, code = (*row, None, None, None, None)[:4]
        if name:
            known[str(name)] = str(value or "")
        if word and code:
            codes[str(word)] = str(code)
    return known, codes


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


def _hidden(book: Any, one: Any) -> dict[str, str]:
    """The hidden sheet: which list, which version, and the words of every drop-down with their codes."""
    sheet = book.add_worksheet(HIDDEN)
    heads = "\t".join(str(column.head) for column in COLUMNS)
    told = {"version": VERSION, "list_id": str(one.id), "content_hash": one.content_hash, "heads": heads}
    for place, (name, value) in enumerate(told.items()):
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


def _explain(book: Any, mark: str) -> None:
    sheet = book.add_worksheet(gettext("说明"))
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 90)
    said: list[tuple[str, str]] = [
        (gettext("用途"), mark),
        (gettext("怎样填"), gettext("只填右边的反馈列，其余各列已锁定。填好后在“今日清单”页上传，先核对再确认。")),
        (gettext("重复上传"), gettext("同一内容再次上传不会重复记录。")),
        *((str(column.head), str(column.hint)) for column in ANSWERS if column.hint is not None),
    ]
    for place, (name, value) in enumerate(said):
        sheet.write_string(place, 0, name)
        sheet.write_string(place, 1, value)


def _looks(book: Any) -> dict[str, Any]:
    line = {"border": 1, "border_color": "#D8D5CB", "valign": "top"}
    fills = {"green": "#DDEFE3", "yellow": "#FBEBC8", "red": "#F6D9D5"}
    return {
        "locked": book.add_format({**line, "num_format": "@"}),
        "money": book.add_format({**line, "num_format": "#,##0.00"}),
        "whole": book.add_format({**line, "num_format": "0"}),
        "day": book.add_format({**line, "num_format": "yyyy-mm-dd"}),
        "open": book.add_format({**line, "locked": False, "bg_color": "#FFFDF4"}),
        "wrong": book.add_format({**line, "locked": False, "bg_color": "#F6D9D5", "font_color": "#8F1D14"}),
        **{f"light_{code}": book.add_format({**line, "bg_color": fill}) for code, fill in fills.items()},
    }


def _heads(book: Any, sheet: Any) -> None:
    plain = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "border_color": "#B7B2A3"}
    known, asked = book.add_format({**plain, "bg_color": "#E7EEF0"}), book.add_format({**plain, "bg_color": "#F9DFA5"})
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, column.width, None, {"hidden": column is CHECK})
        sheet.write_string(0, place, str(column.head), asked if column.is_answer else known)
    sheet.set_row(0, 32)


def _facts(sheet: Any, looks: Mapping[str, Any], place: int, line: Any) -> None:
    for key, said in _said(line):
        look = looks[f"light_{line.light}"] if key == "light" and line.light else looks["locked"]
        sheet.write_string(place, AT[key], said, look)
    sheet.write_number(place, AT["amount"], Decimal(line.amount_fen) / 100, looks["money"])
    if line.term_months:
        sheet.write_number(place, AT["term"], line.term_months, looks["whole"])
    if line.due_on:
        sheet.write_datetime(place, AT["due_on"], line.due_on, looks["day"])


def _said(line: Any) -> Iterator[tuple[str, str]]:
    """The text cells of a line; where the consent is gone, the firm is not in them."""
    yield "id", str(line.id)
    yield "firm_name", line.firm_name or gettext("企业已撤回授权")
    yield "uscc", line.uscc or ""
    yield "district", words.district(line.district)
    yield "industry", words.industry(line.industry) if line.industry else ""
    yield "light", words.of("light", line.light) if line.light else ""
    yield "use", words.of("use_of_loan", line.use) if line.use else ""
    yield "product", line.product_name
    yield "grade", line.grade or ""
    yield "intended", gettext("是") if line.is_intended else ""
    yield "state", words.of("line_state", line.state)
    yield "due_step", "" if line.closed_on else words.of("due_step", line.due_step)


def _finish(sheet: Any, rows: int, ranges: Mapping[str, str], mark: str) -> None:
    last = max(rows, 1)
    for key, group in GROUPS.items():
        sheet.data_validation(
            1, AT[key], last, AT[key], {"validate": "list", "source": ranges[group], "ignore_blank": True}
        )
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, last, len(COLUMNS) - 2)
    sheet.protect("", {"sort": True, "autofilter": True, "format_columns": True, "format_rows": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{mark.replace('&', '&&')[:180]}&R&P / &N")


def mark_for(bank: str, person: str, at: datetime) -> str:
    """The line that says what the file is for: on each printed page and the explaining sheet."""
    said = {"bank": bank, "person": person, "at": formats.moment(at)}
    return gettext("仅供%(bank)s审查贷款使用，不得转交他人。%(person)s，%(at)s 导出。") % said
