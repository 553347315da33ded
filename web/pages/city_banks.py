"""Which banks keep pace: what is overdue, who is silent, how soon each contacts and decides, and how sure that is."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.domain.pace import LEAST_RANKED, wilson
from service.doors import ACityOfficial, Now, Today, Tx
from service.store import pace
from service.store.pace import Pace
from web import formats, words
from web.csrf import guard
from web.figure_words import days_of
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_DISTRICTS = 2
LEAGUE = (
    Column("rank", _("名次"), numeric=True, sortable=True),
    Column("name", _("银行和区县构成"), sortable=True),
    Column("lines", _("推送项"), numeric=True, sortable=True),
    Column("in_time", _("按时联系"), numeric=True, sortable=True),
    Column("interval", _("95% 区间"), numeric=True),
    Column("days_to_contact", _("首次联系（天）"), numeric=True, sortable=True),
    Column("days_to_decision", _("作出决定（天）"), numeric=True, sortable=True),
    Column("silent", _("沉默"), numeric=True, sortable=True),
    Column("refused", _("不予通过"), numeric=True, sortable=True),
    Column("granted", _("授信"), numeric=True, sortable=True),
    Column("disputed", _("企业说未联系"), numeric=True, sortable=True),
)
MEANINGS: Mapping[str, object] = {
    "in_time": _("首次联系不晚于联系时限的推送项 ÷ 已到联系时限的推送项。已收到和延期不算联系。"),
    "days_to_contact": _("从推送日到首次联系日的自然日平均；没有联系过的不计入。"),
    "days_to_decision": _("从推送日到首次报价或不予通过的自然日平均；没有作出决定的不计入。"),
    "overdue": _("现在开着、时限已过、该由银行办的推送项。下一次每日流程会把它们记为沉默。"),
    "silent": _("过了时限没有办、已转其他银行的推送项；与不予通过分开统计。"),
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


@dataclass(frozen=True)
class BanksPage:
    since: date
    until: date
    whole: Pace
    late: Sequence[Pace]
    listing: Listing[Standing]
    meanings: Mapping[str, str]
    query: str
    made_on: date | None


def _lowest_first(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0


ORDERS: Mapping[str, Callable[[Standing], Any]] = {
    "rank": lambda one: _lowest_first(one.rank),
    "name": lambda one: one.pace.name,
    "lines": lambda one: one.pace.lines,
    "in_time": lambda one: _lowest_first(one.pace.share_in_time),
    "days_to_contact": lambda one: _lowest_first(one.pace.days_to_contact),
    "days_to_decision": lambda one: _lowest_first(one.pace.days_to_decision),
    "silent": lambda one: one.pace.silent,
    "refused": lambda one: one.pace.refused,
    "granted": lambda one: one.pace.granted,
    "disputed": lambda one: one.pace.disputed,
}


@router.get("/banks")
def show_banks(request: Request, _who: ACityOfficial, tx: Tx, today: Today) -> Response:
    """Who must be urged today, and how do banks compare, fairly?"""
    since, until = days_of(request, today)
    banks = pace.of_banks(tx, since, until, today)
    wish = Wish.of(request, LEAGUE, usual="rank")
    league = sorted(standings(banks), key=ORDERS[wish.sort], reverse=wish.descending)
    filters = {"since": since.isoformat(), "until": until.isoformat()}
    late = [bank for bank in banks if bank.overdue or bank.silent]
    view = BanksPage(
        since=since,
        until=until,
        whole=whole_of(banks),
        late=sorted(late, key=lambda bank: (-bank.overdue, -bank.silent, bank.name)),
        listing=Listing(LEAGUE, league, len(league), "/banks", wish, filters, per_page=max(1, len(league))),
        meanings={name: str(said) for name, said in MEANINGS.items()},
        query=f"since={since}&until={until}",
        made_on=max((bank.made_on for bank in banks if bank.made_on), default=None),
    )
    return page(request, "official/banks.html", view)


@router.get("/banks.xlsx")
def download(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The same table as numbers, and what each column means."""
    since, until = days_of(request, today)
    league = sorted(standings(pace.of_banks(tx, since, until, today)), key=ORDERS["rank"])
    headers = {"Content-Disposition": f'attachment; filename="xindeng-banks-{since}-{until}.xlsx"'}
    content = _workbook(league, since, until, who.name, now)
    return Response(content, media_type=XLSX, headers={**headers, "Cache-Control": "no-store"})


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


def whole_of(banks: Sequence[Pace]) -> Pace:
    """All banks' lines as if they were one bank's."""
    return Pace(
        0,
        "",
        lines=sum(bank.lines for bank in banks),
        contact_due=sum(bank.contact_due for bank in banks),
        in_time=sum(bank.in_time for bank in banks),
        contacted=sum(bank.contacted for bank in banks),
        contact_days=sum(bank.contact_days for bank in banks),
        decided=sum(bank.decided for bank in banks),
        decision_days=sum(bank.decision_days for bank in banks),
        silent=sum(bank.silent for bank in banks),
        overdue=sum(bank.overdue for bank in banks),
    )


def _workbook(league: Sequence[Standing], since: date, until: date, who: str, now: datetime) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bg_color": "#E7EEF0", "border": 1, "text_wrap": True})
    share, tenth = book.add_format({"num_format": "0.0%"}), book.add_format({"num_format": "0.0"})
    sheet = book.add_worksheet(gettext("各行办理"))
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
        sheet.write_string(0, place, str(name), head)
        for row, one in enumerate(league, 1):
            value = cell(one)
            if value is not None:
                sheet.write(row, place, value, look)
    sheet.set_column(0, len(columns), 14)
    sheet.freeze_panes(1, 2)
    meant = book.add_worksheet(gettext("口径"))
    meant.set_column(1, 1, 90)
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
    for row, (name, text) in enumerate(said):
        meant.write_string(row, 0, name, head)
        meant.write_string(row, 1, text)
    book.close()
    return out.getvalue()
