"""The briefings that go upwards: of a day or a week, as it closed, with later corrections shown as such."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.doors import ACityOfficial, Now, Today, Tx
from web import briefing, formats, takeaway
from web.briefing import KINDS, Briefing, Kind, brief
from web.csrf import guard
from web.documents import printed
from web.figure_words import period, universe
from web.listing import day_in
from web.pages.official import Tab, badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


@dataclass(frozen=True)
class BriefingPage:
    briefing: Briefing
    name: str
    tabs: Sequence[Tab]
    earlier: str
    later: str
    """Addresses of the periods beside this one; '' for one that has not begun."""
    workbook: str
    paper: str
    universe: str
    period: str


@dataclass(frozen=True)
class BriefingPaper:
    """The briefing to print."""

    title: str
    watermark: str
    briefing: Briefing
    universe: str
    period: str
    made_by: str
    made_at: datetime


@router.get("/briefings")
def show_briefing(request: Request, who: ACityOfficial, tx: Tx, today: Today) -> Response:
    """What do we report for this day or week, and what has been corrected since?"""
    kind, on = _asked(request, today)
    found = brief(tx, who, kind, on, today)
    after = found.until + timedelta(days=1)
    view = BriefingPage(
        briefing=found,
        name=str(KINDS[kind]),
        tabs=[Tab(str(label), _address(one, on), one == kind) for one, label in KINDS.items()],
        earlier=_address(kind, found.since - timedelta(days=1)),
        later=_address(kind, after) if after <= today else "",
        workbook=_address(kind, on, ".xlsx"),
        paper=_address(kind, on, ".pdf"),
        universe=universe(),
        period=period(),
    )
    return page(request, "official/briefing.html", view)


@router.get("/briefings.xlsx")
def download(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The same as a form to hand on."""
    kind, on = _asked(request, today)
    found = brief(tx, who, kind, on, today)
    content = briefing.workbook(found, who.name, now)
    return takeaway.download(content, f"xindeng-briefing-{kind}-{found.since}.xlsx")


@router.get("/briefings.pdf")
def print_briefing(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The same on paper."""
    kind, on = _asked(request, today)
    found = brief(tx, who, kind, on, today)
    days = " – ".join(dict.fromkeys((formats.day(found.since), formats.day(found.until))))
    paper = BriefingPaper(f"{KINDS[kind]} {days}", "", found, universe(), period(), who.name, now)
    return printed("documents/briefing.html", paper, f"xindeng-briefing-{kind}-{found.since}")


def _asked(request: Request, today: date) -> tuple[Kind, date]:
    """`?kind=week&on=…`; yesterday, the last day that is closed, where nothing readable or a day to come is said."""
    kind: Kind = "week" if request.query_params.get("kind") == "week" else "day"
    on = day_in(request.query_params.get("on"))
    return kind, on if on is not None and date(2000, 1, 1) < on <= today else today - timedelta(days=1)


def _address(kind: Kind, on: date, form: str = "") -> str:
    return f"/briefings{form}?kind={kind}&on={on}"
