"""What banks offer here today: narrowed by what fits one's demand, by bank, kind and rate; a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.domain.bank import BankKind
from service.domain.people import Role, Who
from service.domain.product import LoanType
from service.doors import Anyone, TheHouse, Today, Tx
from service.profiles.fits import find_fits
from service.profiles.tools import load_tools
from service.settings import Settings
from service.store import overview
from web import formats, words
from web.csrf import guard
from web.language import gettext
from web.language import lazy as _
from web.listing import Listing, Wish
from web.render import page

router = APIRouter(dependencies=[Depends(guard)])
PER_PAGE = 20
RATES = ("0.035", "0.04", "0.05", "0.06")
"""Ceilings a person may choose: the lowest rate of the product is at most this."""
FITS: Mapping[str, object] = {"yes": _("适合"), "near": _("差 1 至 2 项")}
NEAR = 2


@dataclass(frozen=True)
class Choice:
    """What the address asks for; '' is anything."""

    fits: str
    bank: str
    bank_kind: str
    loan_type: str
    rate: str

    @classmethod
    def of(cls, request: Request) -> "Choice":
        """Read `?fits=yes&bank=3&bank_kind=city&loan_type=credit&rate=0.04`; what is not known is not asked."""

        def asked(name: str, known: Any) -> str:
            said = request.query_params.get(name, "")
            return said if said in known else ""

        bank = request.query_params.get("bank", "")
        return cls(
            fits=asked("fits", FITS),
            bank=bank if bank.isascii() and bank.isdecimal() else "",
            bank_kind=asked("bank_kind", frozenset(BankKind)),
            loan_type=asked("loan_type", frozenset(LoanType)),
            rate=asked("rate", RATES),
        )

    def takes(self, product: Row[Any], missing: int | None) -> bool:
        """Whether this product is among those asked for; `missing`: criteria the demand does not meet, None unknown."""
        most = {"": None, "yes": 0, "near": NEAR}[self.fits]
        return (
            (most is None or (missing is not None and min(most, 1) <= missing <= most))
            and self.bank in ("", str(product.bank_id))
            and self.bank_kind in ("", product.bank_kind)
            and (not self.loan_type or self.loan_type in product.loan_types)
            and (not self.rate or product.rate_min <= Decimal(self.rate))
        )


@dataclass(frozen=True)
class Filter:
    """One question over the list, with its answers and the one taken."""

    name: str
    label: str
    options: Sequence[words.Option]
    taken: str


@dataclass(frozen=True)
class ProductsPage:
    listing: Listing[Row[Any]]
    demand: Row[Any] | None
    """The firm's latest demand that still looks for a bank."""
    missing: Mapping[int, int]
    """By product, how many of its criteria that demand does not meet."""
    filters: Sequence[Filter]
    offered: int
    """How many there are, whatever is asked for."""


@router.get("/products")
def show_products(request: Request, who: Anyone, tx: Tx, house: TheHouse, today: Today) -> Response:
    """The products banks offer here today, the lowest rate first; for a firm, beside its latest demand."""
    products = overview.list_products(tx, today)
    demand, missing = _latest(tx, who, house.settings, today)
    choice, wish = Choice.of(request), Wish.of(request, (), usual="")
    taken = [one for one in products if choice.takes(one, missing.get(one.id))]
    start = wish.offset(PER_PAGE)
    view = ProductsPage(
        listing=Listing((), taken[start : start + PER_PAGE], len(taken), "/products", wish, vars(choice), PER_PAGE),
        demand=demand,
        missing=missing,
        filters=_filters(choice, products, has_demand=demand is not None),
        offered=len(products),
    )
    return page(request, "firm/products.html", view)


def _latest(tx: Tx, who: Who, settings: Settings, today: date) -> tuple[Row[Any] | None, dict[int, int]]:
    """The firm's latest demand that still looks for a bank, and what it misses for each product."""
    for one in overview.list_demands(tx, who) if who.role is Role.FIRM else ():
        if fits := find_fits(tx, who, one, load_tools(tx, settings, today), today):
            return one, {fit.product_id: len(fit.failed) for fit in fits}
    return None, {}


def _filters(choice: Choice, products: Sequence[Row[Any]], *, has_demand: bool) -> list[Filter]:
    banks = dict(sorted({str(one.bank_id): one.bank_name for one in products}.items(), key=lambda pair: pair[1]))
    at_most = gettext("%(rate)s 以内")
    found = [
        Filter("bank", gettext("银行"), [words.Option(*pair) for pair in banks.items()], choice.bank),
        Filter("bank_kind", gettext("银行类型"), words.options("bank_kind"), choice.bank_kind),
        Filter("loan_type", gettext("方式"), words.options("loan_type"), choice.loan_type),
        Filter(
            "rate",
            gettext("最低年利率"),
            [words.Option(rate, at_most % {"rate": formats.percent(Decimal(rate), 1)}) for rate in RATES],
            choice.rate,
        ),
    ]
    if has_demand:
        fits = [words.Option(name, str(label)) for name, label in FITS.items()]
        found.insert(0, Filter("fits", gettext("适合这笔需求吗"), fits, choice.fits))
    return found
