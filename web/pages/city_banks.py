"""Which banks keep pace: what is overdue, who is silent, how soon each contacts and decides, and how sure that is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.doors import ACityOfficial, Now, Today, Tx
from service.store import pace, urgings
from service.store.pace import Pace
from web import takeaway, urging_words, words
from web.csrf import guard
from web.figure_words import days_of
from web.language import lazy as _
from web.league import MEANINGS, Standing, league_sheet, standings
from web.listing import Column, Listing, Wish
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
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
    Column("urging", _("督办")),
)


@dataclass(frozen=True)
class Urged:
    """One open urging, shown beside its bank."""

    address: str
    ground: str
    standing: urging_words.Standing


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
    urged: Mapping[int, Sequence[Urged]]
    """Bank → its open urgings."""


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
        whole=pace.together(banks),
        late=sorted(late, key=lambda bank: (-bank.overdue, -bank.silent, bank.name)),
        listing=Listing(LEAGUE, league, len(league), "/banks", wish, filters, per_page=max(1, len(league))),
        meanings={name: str(said) for name, said in MEANINGS.items()},
        query=f"since={since}&until={until}",
        urged=_urged(tx, today),
        made_on=max((bank.made_on for bank in banks if bank.made_on), default=None),
    )
    return page(request, "official/banks.html", view)


def _urged(tx: Tx, today: date) -> dict[int, list[Urged]]:
    return {
        bank: [
            Urged(f"/urgings/{one.id}", words.of("urging_ground", one.ground), urging_words.standing(one))
            for one in found
        ]
        for bank, found in urgings.open_of_banks(tx, today).items()
    }


@router.get("/banks.xlsx")
def download(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The same table as numbers, and what each column means."""
    since, until = days_of(request, today)
    league = sorted(standings(pace.of_banks(tx, since, until, today)), key=ORDERS["rank"])
    return takeaway.download(league_sheet(league, since, until, who.name, now), f"xindeng-banks-{since}-{until}.xlsx")
