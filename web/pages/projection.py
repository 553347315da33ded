"""The city's figures on a meeting room's screen: few, large, no names, fresh by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.domain.figure import FigureKind
from service.doors import ACityOfficial, Now, TheHouse, Today, Tx
from service.store import pace, statistics
from service.store.pace import Pace
from service.store.statistics import Figures
from web.csrf import guard
from web.figure_words import days_of, definitions, period, universe
from web.pages.city import CityMap, city_map
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


@dataclass(frozen=True)
class ProjectionPage:
    since: date
    until: date
    sums: Figures
    pace: Pace
    map: CityMap
    meanings: Mapping[str, str]
    universe: str
    period: str
    at: datetime
    kinds: Sequence[str]


@router.get("/projection")
def show_projection(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now, house: TheHouse) -> Response:
    """How does the city do, to be read from the last row; no firm, person or bank is named."""
    since, until = days_of(request, today)
    cells = statistics.figures(tx, who, since, until)
    view = ProjectionPage(
        since=since,
        until=until,
        sums=cells[0] if cells else Figures(""),
        pace=pace.together(pace.of_banks(tx, since, until, today)),
        map=city_map(tx, who, (since, until, None), FigureKind.DRAWN, house.settings.map, "", for_all=True),
        meanings=definitions(),
        universe=universe(),
        period=period(),
        at=now,
        kinds=[kind.value for kind in FigureKind],
    )
    return page(request, "official/projection.html", view, part="screen")
