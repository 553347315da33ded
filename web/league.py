"""Banks compared by how soon they contact and decide: ranks with their intervals, and the workbook of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from service.domain.pace import LEAST_RANKED, wilson
from service.store.pace import Pace
from web import formats, words
from web.language import gettext
from web.language import lazy as _
from web.takeaway import Book

MOST_DISTRICTS = 2
MEANINGS: Mapping[str, object] = {
    "in_time": _("首次联系不晚于联系时限的推送项 ÷ 已到联系时限的推送项。已收到和延期不算联系。"),
    "days_to_contact": _("从推送日到首次联系日的自然日平均；没有联系过的不计入。"),
    "days_to_decision": _("从推送日到首次报价或不予通过的自然日平均；没有作出决定的不计入。"),
    "overdue": _("现在开着、时限已过、该由银行办的推送项。下一次每日流程会把它们记为沉默。"),
    "silent": _("过了时限没有办、已转其他银行的推送项；与不予通过分开统计。平台召回的推送项不计入任何一项。"),
    "rank": _("按时联系比例从高到低，相同的并列。已到联系时限的不足 5 项的不排名。区间重叠的两家，先后不说明差别。"),
}


@dataclass(frozen=True)
class Standing:
    """A bank in the league: `rank` is empty below five lines."""

    pace: Pace
    rank: int | None
    low: float | None
    high: float | None
    mix: str


def standings(banks: Sequence[Pace]) -> list[Standing]:
    """The banks in order of their share in time; equal shares share a rank, few lines have none."""
    shares = [bank.share_in_time or 0 for bank in banks if bank.contact_due >= LEAST_RANKED]
    return [_standing(bank, shares) for bank in banks]


def _standing(bank: Pace, shares: Sequence[float]) -> Standing:
    share, mix = bank.share_in_time, _mix(bank)
    if share is None:
        return Standing(bank, None, None, None, mix)
    low, high = wilson(bank.in_time, bank.contact_due)
    rank = 1 + sum(other > share for other in shares) if bank.contact_due >= LEAST_RANKED else None
    return Standing(bank, rank, low, high, mix)


def _mix(bank: Pace) -> str:
    said = [
        f"{words.district(district)} {formats.percent(lines / bank.lines, 0)}"
        for district, lines in bank.districts[:MOST_DISTRICTS]
    ]
    return gettext("、").join(said)


def league_sheet(league: Sequence[Standing], since: date, until: date, who: str, now: datetime) -> bytes:
    """The table as numbers, and what each column means."""
    book = Book()
    share, tenth = book.file.add_format({"num_format": "0.0%"}), book.file.add_format({"num_format": "0.0"})
    sheet = book.file.add_worksheet(gettext("各行办理"))
    columns: Sequence[tuple[object, Callable[[Standing], Any], Any]] = (
        (_("名次"), lambda one: one.rank, None),
        (_("银行"), lambda one: one.pace.name, None),
        (_("推送项"), lambda one: one.pace.lines, None),
        (_("已到联系时限"), lambda one: one.pace.contact_due, None),
        (_("按时联系"), lambda one: one.pace.share_in_time, share),
        (_("区间下限"), lambda one: one.low, share),
        (_("区间上限"), lambda one: one.high, share),
        (_("首次联系（天）"), lambda one: one.pace.days_to_contact, tenth),
        (_("作出决定（天）"), lambda one: one.pace.days_to_decision, tenth),
        (_("逾期"), lambda one: one.pace.overdue, None),
        (_("沉默"), lambda one: one.pace.silent, None),
        (_("不予通过"), lambda one: one.pace.refused, None),
        (_("授信"), lambda one: one.pace.granted, None),
        (_("企业说未联系"), lambda one: one.pace.disputed, None),
        (_("区县构成"), lambda one: one.mix, None),
    )
    for place, (name, cell, look) in enumerate(columns):
        sheet.write_string(0, place, str(name), book.head)
        for row, one in enumerate(league, 1):
            value = cell(one)
            if value is not None:
                sheet.write(row, place, value, look)
    sheet.set_column(0, len(columns), 14)
    sheet.freeze_panes(1, 2)
    said = [
        (gettext("期间"), f"{formats.day(since)} – {formats.day(until)}"),
        (gettext("导出"), f"{who} {formats.moment(now)}"),
        (gettext("按时联系"), str(MEANINGS["in_time"])),
        (gettext("首次联系（天）"), str(MEANINGS["days_to_contact"])),
        (gettext("作出决定（天）"), str(MEANINGS["days_to_decision"])),
        (gettext("逾期"), str(MEANINGS["overdue"])),
        (gettext("沉默"), str(MEANINGS["silent"])),
        (gettext("名次"), str(MEANINGS["rank"])),
    ]
    book.explain(said)
    return book.content()
