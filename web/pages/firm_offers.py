"""Decided with open eyes: offers side by side, and before each act that ends something a page that says what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.choose_offer import compare_offers
from service.domain.cost import cost_fen
from service.domain.demand import BEFORE_GRANT
from service.domain.errors import Conflict, NotFound
from service.domain.push_list import OfferState, Repayment
from service.doors import AFirm, Now, Today, Tx
from service.store import answers, overview
from web.csrf import guard
from web.documents import printed
from web.language import gettext
from web.pages.firm import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
THE_PLATFORM = 0
"""What stands for the platform where a consent's recipient is named by its bank."""


@dataclass(frozen=True)
class Offered:
    """An offer, and what it costs the firm from the first day to the last, in fen."""

    offer: Row[Any]
    cost_fen: int


@dataclass(frozen=True)
class OffersPage:
    demand: Row[Any]
    open: Sequence[Offered]
    ended: Sequence[Row[Any]]


@dataclass(frozen=True)
class OffersPaper:
    """The open offers to print; they hold for the moment at which it was made."""

    title: str
    watermark: str
    shown: OffersPage
    made_at: datetime


@dataclass(frozen=True)
class AcceptancePage:
    offered: Offered
    others: Sequence[str]
    """Banks whose lines end with it."""


@dataclass(frozen=True)
class WithdrawalPage:
    demand: Row[Any]
    banks: Sequence[str]
    """Banks that still look at it."""


@dataclass(frozen=True)
class ConsentEndPage:
    bank_id: int
    recipient: str
    """The bank's name; empty for the platform."""
    demands: Sequence[Row[Any]]
    """Open demands that end, or that this bank loses."""


@router.get("/firm/demands/{demand_id}/offers")
def show_offers(request: Request, who: AFirm, tx: Tx, demand_id: int) -> Response:
    """The offers side by side, the lowest all-in rate first, to be read or printed."""
    return page(request, "firm/offers.html", _offers(tx, who, demand_id))


@router.get("/firm/demands/{demand_id}/offers.pdf")
def print_offers(who: AFirm, tx: Tx, now: Now, demand_id: int) -> Response:
    """The same on paper, to take to a bank or to whoever helps to decide."""
    shown = _offers(tx, who, demand_id)
    if not shown.open:
        raise NotFound("现在没有有效的报价。")
    paper = OffersPaper(gettext("报价比较（贷款明白纸）"), "", shown, now)
    return printed("documents/offers.html", paper, f"xindeng-offers-{shown.demand.number}")


def _offers(tx: Tx, who: AFirm, demand_id: int) -> OffersPage:
    demand = overview.get_demand(tx, who, demand_id)
    rows = compare_offers(tx, who, demand_id)
    return OffersPage(
        demand=demand,
        open=[_offered(row) for row in rows if row.state == OfferState.OPEN],
        ended=[row for row in rows if row.state != OfferState.OPEN],
    )


@router.get("/offers/{offer_id}/acceptance")
def ask_acceptance(request: Request, who: AFirm, tx: Tx, today: Today, offer_id: int) -> Response:
    """Take this offer? Its terms once more, and whose lines end."""
    found = answers.find_offer(tx, offer_id)
    if found is None:
        raise NotFound("没有这份报价。")
    rows = compare_offers(tx, who, found.demand_id)
    offer = next(row for row in rows if row.id == offer_id)
    if offer.state != OfferState.OPEN or offer.valid_until_on < today:
        raise Conflict("此报价已失效，请查看其他报价。")
    lines = overview.list_lines(tx, who, offer.demand_id)
    others = [line.bank_name for line in lines if line.closed_on is None and line.id != offer.line_id]
    return page(request, "firm/acceptance.html", AcceptancePage(_offered(offer), others))


@router.get("/firm/demands/{demand_id}/withdrawal")
def ask_withdrawal(request: Request, who: AFirm, tx: Tx, demand_id: int) -> Response:
    """Take the demand back? Which banks stop looking at it."""
    demand = overview.get_demand(tx, who, demand_id)
    if demand.state not in BEFORE_GRANT:
        raise Conflict("这笔需求已经办结，不能撤回。")
    lines = overview.list_lines(tx, who, demand_id)
    banks = [line.bank_name for line in lines if line.closed_on is None]
    return page(request, "firm/withdrawal.html", WithdrawalPage(demand, banks))


@router.get("/firm/consents/{bank_id}/withdrawal")
def ask_consent_end(request: Request, who: AFirm, tx: Tx, today: Today, bank_id: int) -> Response:
    """Withdraw the consent to this bank, or to the platform (0)? What ends with it."""
    rows = [row for row in overview.list_consents(tx, who.uscc or "") if (row.bank_id or THE_PLATFORM) == bank_id]
    live = [row for row in rows if row.withdrawn_on is None and row.until_on >= today]
    if not live:
        raise NotFound("没有可撤回的授权。")
    demands = [row for row in overview.list_demands(tx, who) if row.closed_on is None]
    if bank_id != THE_PLATFORM:
        demands = [row for row in demands if _looks(tx, who, row.id, bank_id)]
    return page(request, "firm/consent_end.html", ConsentEndPage(bank_id, live[0].bank_name or "", demands))


def _looks(tx: Tx, who: AFirm, demand_id: int, bank_id: int) -> bool:
    """Whether a line of the demand is open at the bank."""
    return any(line.bank_id == bank_id and line.closed_on is None for line in overview.list_lines(tx, who, demand_id))


def _offered(offer: Row[Any]) -> Offered:
    way = Repayment(offer.repayment)
    return Offered(offer, cost_fen(offer.amount_fen, offer.rate, offer.fees_fen, offer.term_months, way))
