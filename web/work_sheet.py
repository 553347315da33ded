"""A team's lists as workbooks: its follow-ups, and the obstacle ledger, with who took them and when."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from service.domain.people import Who
from web import formats, obstacle_words, words
from web.language import Phrase, gettext
from web.language import lazy as _
from web.takeaway import Book

Cell = Callable[[Any], str | date | int | None]
FOLLOW_UPS: tuple[tuple[Phrase, int, Cell], ...] = (
    (_("企业"), 32, lambda row: row.firm_name),
    (_("统一社会信用代码"), 21, lambda row: row.uscc),
    (_("需求编号"), 18, lambda row: row.number),
    (_("信灯"), 8, lambda row: words.of("light", row.light) if row.light else ""),
    (_("金额（元）"), 16, lambda row: row.amount_fen),
    (_("堵点"), 22, lambda row: obstacle_words.name(row.obstacle)),
    (_("责任部门"), 22, obstacle_words.office),
    (_("由谁办"), 14, lambda row: words.of("actor", row.owner)),
    (_("经办人"), 16, lambda row: row.person_name or ""),
    (_("开始"), 12, lambda row: row.opened_on),
    (_("下次日期"), 12, lambda row: row.next_on),
    (_("承诺办结日期"), 14, lambda row: row.promised_on),
)
LEDGER: tuple[tuple[Phrase, int, Cell], ...] = (
    (_("企业"), 32, lambda row: row.firm_name),
    (_("统一社会信用代码"), 21, lambda row: row.uscc),
    (_("区县"), 12, lambda row: words.district(row.district)),
    (_("堵点"), 22, lambda row: words.of("obstacle_kind", row.kind)),
    (_("来源"), 12, lambda row: words.of("ledger_source", row.source)),
    (_("责任部门"), 22, lambda row: words.of("department", row.department)),
    (_("经办人"), 16, lambda row: row.person_name or ""),
    (_("自"), 12, lambda row: row.since_on),
    (_("承诺办结日期"), 14, lambda row: row.promised_on),
    (_("下次日期"), 12, lambda row: None if row.cleared_on else row.next_on),
    (_("销号日期"), 12, lambda row: row.cleared_on),
    (_("办理结果"), 18, lambda row: words.of("outcome", row.outcome) if row.outcome else ""),
)


def follow_ups(rows: Sequence[Any], who: Who, now: datetime) -> bytes:
    """The work list."""
    return _sheet(gettext("跟进"), FOLLOW_UPS, rows, who, now)


def ledger(rows: Sequence[Any], who: Who, now: datetime) -> bytes:
    """The obstacle ledger."""
    return _sheet(gettext("堵点台账"), LEDGER, rows, who, now)


def _sheet(
    name: str, columns: Sequence[tuple[Phrase, int, Cell]], rows: Sequence[Any], who: Who, now: datetime
) -> bytes:
    book = Book()
    sheet = book.file.add_worksheet(name)
    dated = book.file.add_format({"num_format": "yyyy-mm-dd"})
    money = book.file.add_format({"num_format": "#,##0.00"})
    for place, (head, width, cell) in enumerate(columns):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, str(head), book.head)
        for line, row in enumerate(rows, 1):
            value = cell(row)
            if isinstance(value, date):
                sheet.write_datetime(line, place, value, dated)
            elif isinstance(value, int):
                sheet.write_number(line, place, value / 100, money)
            elif value:
                sheet.write_string(line, place, value)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    book.explain(
        [
            (gettext("导出"), f"{who.name} {formats.moment(now)}"),
            (gettext("用途"), gettext("仅供本专班办理，不得转交他人。")),
        ]
    )
    return book.content()
