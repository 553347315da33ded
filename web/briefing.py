"""The daily and the weekly briefing in the reporting form's fields: as the period closed, as it stands, the difference.

A period closes at the end of its last day. What is reported or corrected later never changes the closed figure; it
stands beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from service.domain.people import Who
from service.doors import Tx
from service.store import statistics, urgings
from service.store.statistics import Figures
from web import formats
from web.figure_words import definitions, period, universe
from web.language import Phrase, gettext
from web.language import lazy as _
from web.takeaway import Book

Kind = Literal["day", "week"]
KINDS: dict[Kind, Phrase] = {"day": _("日报"), "week": _("周报")}
Look = Literal["count", "money", "share", "rate"]
FIELDS: tuple[tuple[Phrase, str, Look, Callable[[Figures], Any]], ...] = (
    (_("申报户数"), "reported.households", "count", lambda one: one.reported.households),
    (_("申报金额"), "reported.amount_fen", "money", lambda one: one.reported.amount_fen),
    (_("推荐户数"), "recommended.households", "count", lambda one: one.recommended.households),
    (_("授信户数"), "granted.households", "count", lambda one: one.granted.households),
    (_("新增授信金额"), "granted.amount_fen", "money", lambda one: one.granted.amount_fen),
    (_("放款户数"), "drawn.households", "count", lambda one: one.drawn.households),
    (_("新发放贷款金额"), "drawn.amount_fen", "money", lambda one: one.drawn.amount_fen),
    (_("首贷占比"), "first_loan_share", "share", lambda one: one.first_loan_share),
    (_("无还本续贷占比"), "renewal_without_repayment_share", "share", lambda one: one.renewal_without_repayment_share),
    (_("信用贷款占比"), "credit_loan_share", "share", lambda one: one.credit_loan_share),
    (_("平均年利率"), "average_rate", "rate", lambda one: one.average_rate),
)
"""The fields that are reported upwards, in their order: name, figure, how it reads. Shares are of money paid out."""
URGINGS: tuple[tuple[Phrase, Phrase, str], ...] = (
    (_("督办银行（件）"), _("期间发给银行的督办件数"), "sent"),
    (_("银行回复督办（件）"), _("期间银行回复的督办件数"), "answered"),
    (_("期末未办结督办（件）"), _("期末还没有办结、升级或撤回的督办"), "open"),
    (_("期末逾期未回复督办（件）"), _("期末已过最迟回复日、银行还没有回复的督办"), "overdue"),
)
"""What was urged, beside the reported fields: name, definition, count. Acts have one date: none is corrected later."""
SAY: dict[Look, Callable[[Any], str]] = {
    "count": formats.count,
    "money": formats.money,
    "share": formats.percent,
    "rate": formats.percent,
}


@dataclass(frozen=True)
class Field:
    """One field of the form; numbers as counted: firms, fen, shares. None where nothing was paid out."""

    label: str
    meaning: str
    look: Look
    closed: Any
    now: Any

    @property
    def is_corrected(self) -> bool:
        return bool(self.closed != self.now)

    @property
    def closed_said(self) -> str:
        return SAY[self.look](self.closed)

    @property
    def now_said(self) -> str:
        return SAY[self.look](self.now)


@dataclass(frozen=True)
class Briefing:
    kind: Kind
    since: date
    until: date
    is_closed: bool
    """Whether the period's last day is over; until then there is one figure, and it still moves."""
    fields: Sequence[Field]

    @property
    def corrected(self) -> int:
        return sum(field.is_corrected for field in self.fields)


def days_of(kind: Kind, on: date) -> tuple[date, date]:
    """The first and last day of the period that holds `on`: the day itself, or Monday to Sunday."""
    if kind == "day":
        return on, on
    monday = on - timedelta(days=on.weekday())
    return monday, monday + timedelta(days=6)


def brief(tx: Tx, who: Who, kind: Kind, on: date, today: date) -> Briefing:
    """The briefing of the period that holds `on`."""
    since, until = days_of(kind, on)
    now = _whole(statistics.figures(tx, who, since, until))
    is_closed = until < today
    closed = _whole(statistics.figures(tx, who, since, until, as_of=until)) if is_closed else now
    meant = definitions()
    fields = [Field(str(label), meant[key], look, cell(closed), cell(now)) for label, key, look, cell in FIELDS]
    urged = urgings.counts(tx, since, min(until, today))
    fields += [
        Field(str(label), str(meaning), "count", getattr(urged, name), getattr(urged, name))
        for label, meaning, name in URGINGS
    ]
    return Briefing(kind, since, until, is_closed, fields)


def _whole(cells: Sequence[Figures]) -> Figures:
    return cells[0] if cells else Figures("")


def workbook(briefing: Briefing, who: str, now: datetime) -> bytes:
    """The briefing as a form of one sheet, numbers as numbers (money in yuan), ready to print."""
    kept = Book()
    book, head = kept.file, kept.head
    plain = {"count": "#,##0", "money": "#,##0.00", "share": "0.00%", "rate": "0.00%"}
    looks = {look: book.add_format({"num_format": shape, "border": 1}) for look, shape in plain.items()}
    cell = book.add_format({"border": 1, "text_wrap": True})
    sheet = book.add_worksheet(str(KINDS[briefing.kind]))
    for place, width in enumerate((22, 18, 18, 18, 60)):
        sheet.set_column(place, place, width)
    sheet.write_string(0, 0, f"{KINDS[briefing.kind]} {formats.day(briefing.since)} – {formats.day(briefing.until)}")
    heads = (_("指标"), _("结日时"), _("现在"), _("结日后更正"), _("口径（金额单位：元）"))
    for place, name in enumerate(heads):
        sheet.write_string(2, place, str(name), head)
    for row, field in enumerate(briefing.fields, 3):
        sheet.write_string(row, 0, field.label, cell)
        for place, value in enumerate(_numbers(field), 1):
            if value is None:
                sheet.write_blank(row, place, None, cell)
            else:
                sheet.write_number(row, place, value, looks[field.look])
        sheet.write_string(row, 4, field.meaning, cell)
    notes = [universe(), period(), "" if briefing.is_closed else gettext("期间还没有结束，数字还会变。")]
    for row, note in enumerate([*filter(None, notes), f"{who} {formats.moment(now)}"], 4 + len(briefing.fields)):
        sheet.write_string(row, 0, note)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    return kept.content()


def _numbers(field: Field) -> tuple[Any, Any, Any]:
    unit = 100 if field.look == "money" else 1
    closed, now = (None if one is None else Decimal(one) / unit for one in (field.closed, field.now))
    return closed, now, None if closed is None or now is None else now - closed
