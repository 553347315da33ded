"""Papers anyone in charge may ask for: the policy in words, and the certificates of the lists."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from sqlalchemy import Row
from starlette.responses import Response

from matching.certificate import Certificate
from matching.policy import InWords, Review, Series
from matching.terms import Words
from service.domain.people import Role
from service.doors import ACityOfficial, Anyone, TheHouse, Today, Tx
from service.profiles.tools import load_tools
from service.store import banks, certificates
from web import formats, match_words, words
from web.csrf import guard
from web.documents import printed, qr_svg
from web.language import SOURCE, gettext, spoken
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard)])
city_router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
MOST_SHORT = 50
FEN_IN_A_MILLION = 100_000_000
PLACE = re.compile(r"\{\w+\}")
COLUMNS = (
    Column("on", _("日期")),
    Column("run", _("轮次")),
    Column("valid", _("核验")),
    Column("lists", _("清单"), numeric=True),
    Column("lines", _("推送项"), numeric=True),
    Column("amount", _("金额（万元）"), numeric=True),
    Column("gap", _("与最优的差距"), numeric=True),
)


@dataclass(frozen=True)
class Term:
    """A clock or a number of the policy, in words."""

    name: str
    value: str
    basis: str


@dataclass(frozen=True)
class PolicyPage:
    version: str
    hash: str
    name: str
    today: date
    district: str
    groups: Sequence[tuple[str, Sequence[InWords]]]
    clocks: Sequence[Term]
    numbers: Sequence[Term]
    reviews: Sequence[tuple[str, Review]]
    not_judged: Sequence[tuple[str, str]]
    is_source: bool


@dataclass(frozen=True)
class CertificatesPage:
    listing: Listing[Row[Any]]
    bodies: Mapping[int, Certificate]

    @staticmethod
    def round_of(row: Row[Any]) -> str:
        """The morning, or which supplement."""
        return match_words.round_of(row.run)


@dataclass(frozen=True)
class Scarce:
    """A product whose places or money bound: what one more place, or a million yuan more, could add to the value."""

    product: Row[Any]
    place: float
    million: float
    lines_worth: float
    """The dearer of the two in lines of average value."""


@dataclass(frozen=True)
class CertificatePage:
    one: Row[Any]
    round: str
    body: Certificate
    lists: Sequence[Row[Any]]
    starved: Sequence[str]
    short: Sequence[Scarce]


@dataclass(frozen=True)
class CertificatePaper:
    """The certificate to print, with the way back to its page."""

    title: str
    watermark: str
    shown: CertificatePage
    address: str
    code: Markup


@router.get("/policy")
def show_policy(request: Request, who: Anyone, tx: Tx, house: TheHouse, today: Today) -> Response:
    """The rules as they hold today: what is asked, the lines, the legal basis, the clocks."""
    if who.role in (Role.DISTRICT, Role.CITY):
        badge(request, who, tx, today)
    asked = request.query_params.get("district", who.district or "")
    policy = load_tools(tx, house.settings, today).policy
    on = policy.on(today, asked or None)
    is_source = spoken() == SOURCE
    by_group: dict[str, list[InWords]] = {}
    for one in on.in_words():
        by_group.setdefault(_said(one.group), []).append(replace(one, repair=_without_places(one.repair)))
    view = PolicyPage(
        version=policy.version,
        hash=policy.hash,
        name=_said(policy.name),
        today=today,
        district=asked if asked in {one.value for one in words.districts()} else "",
        groups=list(by_group.items()),
        clocks=[_clock(one, today) for one in policy.clocks.values()],
        numbers=[_number(one, today) for one in policy.numbers.values()],
        reviews=[(one.label, policy.on(today, one.value).review) for one in words.districts()],
        not_judged=[_unjudged(one, is_source=is_source) for one in policy.not_judged_here],
        is_source=is_source,
    )
    return page(request, "official/policy.html", view)


@city_router.get("/certificates")
def show_certificates(request: Request, _who: ACityOfficial, tx: Tx) -> Response:
    """Was every day's sharing out sound, and how near to the best possible?"""
    wish = Wish.of(request, COLUMNS, usual="on")
    rows = certificates.list_latest(tx, PER_PAGE, wish.offset(PER_PAGE))
    listing = Listing(COLUMNS, rows, certificates.count(tx), "/certificates", wish, per_page=PER_PAGE)
    bodies = {row.id: _body(row) for row in rows}
    return page(request, "official/certificates.html", CertificatesPage(listing, bodies))


@city_router.get("/certificates/{certificate_id}.pdf")
def print_certificate(_who: ACityOfficial, tx: Tx, house: TheHouse, certificate_id: int) -> Response:
    """The same on paper, for a file or a meeting."""
    shown = _certificate(tx, certificate_id)
    address = f"{str(house.settings.public_url).rstrip('/')}/certificates/{certificate_id}"
    title = gettext("匹配凭证 %(day)s") % {"day": formats.day(shown.one.on)}
    paper = CertificatePaper(title, "", shown, address, qr_svg(address))
    return printed("documents/certificate.html", paper, f"xindeng-certificate-{shown.one.on}-{certificate_id}")


@city_router.get("/certificates/{certificate_id}")
def show_certificate(request: Request, _who: ACityOfficial, tx: Tx, certificate_id: int) -> Response:
    return page(request, "official/certificate.html", _certificate(tx, certificate_id))


def _certificate(tx: Tx, certificate_id: int) -> CertificatePage:
    one = certificates.get(tx, certificate_id)
    body = _body(one)
    names = {bank.id: bank.name for bank in banks.list_all(tx)}
    starved = [names.get(bank, str(bank)) for bank in body.starved_banks]
    lists = certificates.list_lists(tx, certificate_id)
    return CertificatePage(one, match_words.round_of(one.run), body, lists, starved, _short(tx, one, body))


def _short(tx: Tx, one: Row[Any], body: Certificate) -> list[Scarce]:
    """Where places are short: products with a price, the dearest first."""
    priced = {int(key) for prices in (body.prices, body.money_prices) for key, price in prices.items() if price > 0}
    average = body.value / body.placed if body.placed else 0.0
    found = []
    for key, product in certificates.products_of(tx, one.id, sorted(priced)).items():
        place, million = body.prices.get(str(key), 0.0), body.money_prices.get(str(key), 0.0) * FEN_IN_A_MILLION
        found.append(Scarce(product, place, million, max(place, million) / average if average else 0.0))
    return sorted(found, key=lambda scarce: (-scarce.lines_worth, scarce.product.id))[:MOST_SHORT]


def _without_places(both: Words) -> Words:
    """A sentence made for one firm, as it reads for all: its places are left open."""
    return Words(PLACE.sub("…", both.zh), PLACE.sub("…", both.en))


def _said(both: Words) -> str:
    return both.zh if spoken() == SOURCE else both.en


def _clock(one: Series, today: date) -> Term:
    unit = _("%(n)s 个工作日") if one.unit == "working_days" else _("%(n)s 个自然日")
    return Term(_said(one.name), str(unit.with_(n=int(one.on(today)))), _said(one.basis))


def _number(one: Series, today: date) -> Term:
    return Term(_said(one.name), f"{one.on(today).normalize():f}", _said(one.basis))


def _unjudged(one: Any, *, is_source: bool) -> tuple[str, str]:
    return (one.name_zh, one.reason_zh) if is_source else (one.name_en, one.reason_en)


def _body(row: Row[Any]) -> Certificate:
    return Certificate.from_json(json.dumps(row.body))
