"""What firms, banks and districts were told, latest first: one page, in the reader's own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.domain.people import Who
from service.doors import ADistrictOfficial, AFirm, AnOfficer, Now, Tx
from service.store import notices
from web import notice_words
from web.csrf import guard
from web.listing import Listing, Wish
from web.notice_words import NoticeSaid
from web.pages import bank, firm, official
from web.render import page

firm_router = APIRouter(dependencies=[Depends(guard), Depends(firm.badge)])
bank_router = APIRouter(dependencies=[Depends(guard), Depends(bank.badge)])
district_router = APIRouter(dependencies=[Depends(guard), Depends(official.badge)])
PER_PAGE = 50


@dataclass(frozen=True)
class NoticesPage:
    notices: Sequence[NoticeSaid]
    listing: Listing[Row[Any]]
    home: str
    is_shared: bool
    """Whether colleagues read the same messages."""


@firm_router.get("/firm/notices")
def show_firms(request: Request, who: AFirm, tx: Tx, now: Now) -> Response:
    return _notices_page(request, who, tx, now, "/firm/notices", "/firm")


@bank_router.get("/bank/notices")
def show_banks(request: Request, who: AnOfficer, tx: Tx, now: Now) -> Response:
    return _notices_page(request, who, tx, now, "/bank/notices", "/push-lists")


@district_router.get("/district/notices")
def show_districts(request: Request, who: ADistrictOfficial, tx: Tx, now: Now) -> Response:
    return _notices_page(request, who, tx, now, "/district/notices", "/district")


def _notices_page(request: Request, who: Who, tx: Tx, now: Now, address: str, home: str) -> Response:
    """What was new stays marked on this page, and is read from the next one on."""
    wish = Wish.of(request, (), usual="")
    rows = notices.list_to(tx, who, PER_PAGE, wish.offset(PER_PAGE))
    listing = Listing((), rows, notices.count_to(tx, who), address, wish, per_page=PER_PAGE)
    view = NoticesPage([notice_words.said(who, row) for row in rows], listing, home, is_shared=not who.uscc)
    notices.mark_read(tx, who, now)
    return page(request, "notices.html", view)
