"""Figures as a workbook: one sheet for each cut, numbers as numbers, the definitions on a sheet of their own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from service.store.statistics import Figures
from web import formats
from web.figure_words import definitions, period, universe
from web.language import Phrase, gettext
from web.language import lazy as _
from web.takeaway import Book

Cell = Callable[[Figures], Any]
COLUMNS: tuple[tuple[Phrase, str, Cell], ...] = (
    (_("申报户数"), "reported.households", lambda one: one.reported.households),
    (_("申报笔数"), "reported.events", lambda one: one.reported.events),
    (_("申报金额（元）"), "reported.amount_fen", lambda one: Decimal(one.reported.amount_fen) / 100),
    (_("推荐户数"), "recommended.households", lambda one: one.recommended.households),
    (_("推荐笔数"), "recommended.events", lambda one: one.recommended.events),
    (_("推荐金额（元）"), "recommended.amount_fen", lambda one: Decimal(one.recommended.amount_fen) / 100),
    (_("授信户数"), "granted.households", lambda one: one.granted.households),
    (_("授信笔数"), "granted.events", lambda one: one.granted.events),
    (_("授信金额（元）"), "granted.amount_fen", lambda one: Decimal(one.granted.amount_fen) / 100),
    (_("放款户数"), "drawn.households", lambda one: one.drawn.households),
    (_("放款笔数"), "drawn.events", lambda one: one.drawn.events),
    (_("放款金额（元）"), "drawn.amount_fen", lambda one: Decimal(one.drawn.amount_fen) / 100),
    (_("信用贷款占比"), "credit_loan_share", lambda one: one.credit_loan_share),
    (_("首贷占比"), "first_loan_share", lambda one: one.first_loan_share),
    (_("无还本续贷占比"), "renewal_without_repayment_share", lambda one: one.renewal_without_repayment_share),
    (_("平均年利率"), "average_rate", lambda one: one.average_rate),
)
SHARES = frozenset({"credit_loan_share", "first_loan_share", "renewal_without_repayment_share", "average_rate"})


def write(
    cuts: Mapping[str, Sequence[tuple[str, Figures]]],
    since: date,
    until: date,
    who: str,
    now: datetime,
    as_of: date | None = None,
) -> bytes:
    """The workbook: name of a cut → (name of the row, its figures), as they stood at the end of `as_of`."""
    book = Book()
    looks = {
        "head": book.head,
        "money": book.file.add_format({"num_format": "#,##0.00"}),
        "share": book.file.add_format({"num_format": "0.00%"}),
        "whole": book.file.add_format({"num_format": "#,##0"}),
    }
    for name, rows in cuts.items():
        _cut(book.file.add_worksheet(name[:31]), looks, name, rows)
    book.explain(_definitions(since, until, as_of, who, now))
    return book.content()


def _cut(sheet: Any, looks: Mapping[str, Any], name: str, rows: Sequence[tuple[str, Figures]]) -> None:
    sheet.write_string(0, 0, name, looks["head"])
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, len(COLUMNS), 15)
    for place, (head, _key, _cell) in enumerate(COLUMNS, 1):
        sheet.write_string(0, place, str(head), looks["head"])
    for row, (label, one) in enumerate(rows, 1):
        sheet.write_string(row, 0, label)
        for place, (_head, key, cell) in enumerate(COLUMNS, 1):
            value = cell(one)
            look = "share" if key in SHARES else "money" if key.endswith("_fen") else "whole"
            if value is not None:
                sheet.write_number(row, place, value, looks[look])
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)


def _definitions(since: date, until: date, as_of: date | None, who: str, now: datetime) -> list[tuple[str, str]]:
    meant = definitions()
    return [
        (gettext("期间"), f"{formats.day(since)} – {formats.day(until)}"),
        (gettext("截至"), formats.day(as_of) if as_of else formats.moment(now)),
        (gettext("范围"), universe()),
        (gettext("计日"), period()),
        (gettext("导出"), f"{who} {formats.moment(now)}"),
        *((str(head), meant[key]) for head, key, _cell in COLUMNS),
    ]
