"""Figures in words: what each one means (口径), and the days a page of figures is about."""

from collections.abc import Mapping
from datetime import date, timedelta

from starlette.requests import Request

from service.domain.definitions import DEFINITIONS, PERIOD, UNIVERSE
from web.language import SOURCE, spoken
from web.listing import day_in

USUAL = timedelta(days=89)


def definitions() -> Mapping[str, str]:
    """Figure → its definition in the language of the page."""
    is_source = spoken() == SOURCE
    return {name: (said.zh if is_source else said.en) for name, said in DEFINITIONS.items()}


def universe() -> str:
    """What is counted here, and what is never added to it."""
    return UNIVERSE.zh if spoken() == SOURCE else UNIVERSE.en


def period() -> str:
    """How days are counted."""
    return PERIOD.zh if spoken() == SOURCE else PERIOD.en


def days_of(request: Request, today: date) -> tuple[date, date]:
    """`?since=…&until=…`; ninety days up to today where nothing readable is said, in the right order."""
    until = day_in(request.query_params.get("until", "")) or today
    since = day_in(request.query_params.get("since", "")) or until - USUAL
    return min(since, until), max(since, until)


def as_of(request: Request, today: date) -> date | None:
    """`?as_of=…`: a past day as whose figures are asked for; None for today's."""
    day = day_in(request.query_params.get("as_of", ""))
    return day if day is not None and day < today else None
