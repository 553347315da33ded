"""Figures for officials: the funnel, what was paid and at what rate; each with its definition and its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.domain.figure import FigureKind
from service.domain.people import Role, Who
from service.domain.target import CITY_WIDE
from service.doors import AnOfficial, Now, TheHouse, Today, Tx
from service.store import banks, figure_grid, products, statistics, targets
from service.store.figure_grid import ONLY, Cut, Only
from service.store.statistics import By, Figures, without_small_cells
from web import figure_sheet, formats, takeaway, target_words, tiles, words
from web.csrf import guard
from web.figure_words import as_of, days_of, definitions, period, universe
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import Tab, badge
from web.render import page
from web.target_words import ToldProgress

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
CUTS: Mapping[By, object] = {
    "day": _("按日"),
    "month": _("按月"),
    "district": _("区县"),
    "bank": _("银行"),
    "product": _("产品"),
    "industry": _("行业"),
    "size": _("规模"),
}
MOST_BANKS = 12
"""Columns of the district × bank chart: the banks with most money; the workbook has them all."""
MOST_DAYS = 120
NOT_REGISTERED = "-"
"""How an address names the empty industry or size."""
EVENTS = (
    Column("demand", _("需求编号")),
    Column("kind", _("事项")),
    Column("on", _("发生日")),
    Column("recorded_on", _("报送日")),
    Column("district", _("区县")),
    Column("bank", _("银行")),
    Column("amount", _("金额（元）"), numeric=True),
    Column("rate", _("年利率"), numeric=True),
    Column("marks", _("性质")),
)


@dataclass(frozen=True)
class Value:
    """A cell of a chart's table."""

    value: float | int | None
    text: str
    address: str = ""
    """Where the events behind it are."""


@dataclass(frozen=True)
class Bar:
    name: str
    cells: Sequence[Value]


@dataclass(frozen=True)
class CutRow:
    """One row of a cut, and where its events are."""

    key: str
    name: str
    figures: Figures
    address: str


@dataclass(frozen=True)
class CityMap:
    """The city drawn with one figure on each area; the same numbers as a table are `rows`, the most first."""

    title: str
    kind: str
    drawing: tiles.Ground
    areas: Sequence[tiles.Area]
    rows: Sequence[tiles.Area]
    tabs: Sequence[Tab]
    key: str
    events: str
    """Where the events of an area are, before its code; '' on a screen that leads nowhere."""


@dataclass(frozen=True)
class FiguresPage:
    since: date
    until: date
    as_of: date | None
    map: CityMap | None
    sums: Figures
    meanings: Mapping[str, str]
    universe: str
    period: str
    tabs: Sequence[Tab]
    by: By
    by_name: str
    rows: Sequence[CutRow]
    trend: Sequence[Bar]
    grid_heads: Sequence[str]
    grid: Sequence[Bar]
    query: str
    is_city: bool
    districts: Sequence[words.Option]
    today: date
    targets: Sequence[ToldProgress]
    """Of the year the page's last day is in: the city's own, or the district's."""
    target_year: int

    @property
    def late(self) -> int:
        one = self.sums
        return sum(part.late_events for part in (one.reported, one.recommended, one.granted, one.drawn))


@dataclass(frozen=True)
class EventsPage:
    listing: Listing[Row[Any]]
    whole: Row[Any]
    cut: Cut
    kinds: Sequence[words.Option]
    banks: Sequence[words.Option]
    is_city: bool
    universe: str
    only: str
    parts: Sequence[words.Option]
    hidden: Mapping[str, str]
    back: str
    """The page of figures of the same days, as of the same day."""


@router.get("/figures")
def show_figures(request: Request, who: AnOfficial, tx: Tx, today: Today, house: TheHouse) -> Response:
    """What came of it all, where, with which banks, and is it fair? `?as_of=DAY`: as it stood then."""
    then = as_of(request, today)
    since, until = days_of(request, then or today)
    until = min(until, then or until)
    asked = request.query_params.get("by", "district" if who.role is Role.CITY else "bank")
    by = cast("By", asked if asked in CUTS else "district")
    cells = statistics.figures(tx, who, since, until, as_of=then)
    names = _names(tx)
    query = _query((since, until, then))
    heads, grid = _grid(tx, who, Cut(since, until, kind=FigureKind.DRAWN.value, as_of=then), names["bank"])
    shown = request.query_params.get("map", "")
    kind = FigureKind(shown) if shown in frozenset(FigureKind) else FigureKind.DRAWN
    is_city = who.role is Role.CITY
    view = FiguresPage(
        since=since,
        until=until,
        as_of=then,
        map=city_map(tx, who, (since, until, then), kind, house.settings.map, f"by={by}&{query}") if is_city else None,
        sums=cells[0] if cells else Figures(""),
        meanings=definitions(),
        universe=universe(),
        period=period(),
        tabs=[
            Tab(str(name), f"/figures?by={key}&map={kind.value}&{query}#cut", key == by) for key, name in CUTS.items()
        ],
        by=by,
        by_name=str(CUTS[by]),
        rows=_rows(tx, who, (since, until, then), by, names),
        trend=_trend(tx, who, since, until, then),
        grid_heads=heads,
        grid=grid,
        query=query,
        is_city=is_city,
        districts=words.districts(),
        today=today,
        targets=_targets(tx, who, until.year, today, then),
        target_year=until.year,
    )
    return page(request, "official/figures.html", view)


@router.get("/figures.xlsx")
def download(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """Every cut of the same days, one sheet each, and the definitions."""
    then = as_of(request, today)
    since, until = days_of(request, then or today)
    until = min(until, then or until)
    names = _names(tx)
    whole = statistics.figures(tx, who, since, until, as_of=then)
    cuts = {gettext("合计"): [(gettext("合计"), one) for one in whole]}
    for by, name in CUTS.items():
        cuts[str(name)] = [(row.name, row.figures) for row in _rows(tx, who, (since, until, then), by, names)]
    content = figure_sheet.write(cuts, since, until, who.name, now, then)
    stood = f"-as-of-{then}" if then else ""
    return takeaway.download(content, f"xindeng-figures-{since}-{until}{stood}.xlsx")


@router.get("/figures/events")
def show_events(request: Request, who: AnOfficial, tx: Tx, today: Today) -> Response:
    """The events behind a figure; their sum is the figure."""
    asked, cut = request.query_params, cut_of(request, who, today)
    then, since, until = cut.as_of, cut.since, cut.until
    wish = Wish.of(request, EVENTS, usual="on")
    rows, whole = figure_grid.list_events(tx, who, cut, offset=wish.offset(50))
    given = {
        "since": since, "until": until, "kind": cut.kind, "district": cut.district, "bank": cut.bank_id,
        "product": cut.product_id, "industry": asked.get("industry"), "size": asked.get("size"),
        "only": cut.only, "as_of": then,
    }  # fmt: skip
    filters = {name: "" if value is None else str(value) for name, value in given.items()}
    view = EventsPage(
        listing=Listing(EVENTS, rows, whole.rows, "/figures/events", wish, filters),
        whole=whole,
        cut=cut,
        kinds=words.options("figure_kind"),
        banks=[words.Option(str(one.id), one.name) for one in banks.list_all(tx)],
        is_city=who.role is Role.CITY,
        universe=universe(),
        only=_said_of(cut, _names(tx)),
        parts=words.options("figure_part"),
        hidden={name: filters[name] for name in ("product", "industry", "size", "as_of") if filters[name]},
        back=f"/figures?{_query((since, until, then))}",
    )
    return page(request, "official/events.html", view)


def cut_of(request: Request, who: Who, today: date) -> Cut:
    """Which events the address asks for; what it does not say rightly is not asked."""
    asked = request.query_params
    then = as_of(request, today)
    since, until = days_of(request, then or today)
    return Cut(
        since,
        until,
        kind=asked.get("kind") if asked.get("kind") in frozenset(FigureKind) else None,
        district=(asked.get("district") or None) if who.role is Role.CITY else who.district,
        bank_id=_number(asked.get("bank", "")),
        product_id=_number(asked.get("product", "")),
        industry=_part(asked.get("industry", "")),
        size=_part(asked.get("size", "")),
        as_of=then,
        only=cast("Only", asked.get("only", "") if asked.get("only") in ONLY else ""),
    )


Days = tuple[date, date, date | None]
"""From, to, and as of which day."""
Names = Mapping[By, Mapping[str, str]]
"""What banks and products are called, by their keys."""


def _part(asked: str) -> str | None:
    return "" if asked == NOT_REGISTERED else asked[:12] or None


def _number(asked: str) -> int | None:
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None


def _query(days: Days) -> str:
    """The days of a page, and as of which day, as every link from it carries them."""
    since, until, then = days
    return f"since={since}&until={until}" + (f"&as_of={then}" if then else "")


def _said_of(cut: Cut, names: Names) -> str:
    """The product, industry and size the events are of, in words."""
    said = [] if cut.product_id is None else [_name("product", str(cut.product_id), names)]
    said += [] if cut.industry is None else [_name("industry", cut.industry, names)]
    if cut.size is not None and cut.size in ("", *words.GROUPS["size_class"]):
        said.append(_name("size", cut.size, names))
    return gettext("、").join(said)


def city_map(
    tx: Tx, who: Who, days: Days, kind: FigureKind, file: Path | None, query: str, *, for_all: bool = False
) -> CityMap:
    """Money of one kind by area, on the schematic tiles or the owner's map; `for_all` leaves small cells out."""
    since, until, then = days
    found = statistics.figures(tx, who, since, until, "district", then)
    shown_to_all = without_small_cells(found) if for_all else found
    cells = {
        cell.key: getattr(cell, kind.value) for cell, shown in zip(found, shown_to_all, strict=True) if cell == shown
    }
    values = {code: part.amount_fen for code, part in cells.items()}
    drawing = tiles.ground(file)
    shown = {code: formats.wan(fen, 0) for code, fen in values.items()}
    areas = tiles.areas(drawing, values, shown, formats.NOTHING)
    name = words.of("figure_kind", kind.value)
    return CityMap(
        title=gettext("%(kind)s金额（万元）：各区域") % {"kind": name},
        kind=kind.value,
        drawing=drawing,
        areas=areas,
        rows=sorted(areas, key=lambda area: -values.get(area.shape.code, 0)),
        tabs=[
            Tab(words.of("figure_kind", one.value), f"/figures?map={one.value}&{query}#map", one is kind)
            for one in FigureKind
        ],
        events="" if for_all else f"/figures/events?{_query(days)}&kind={kind.value}&district=",
        key=gettext("有金额的区域按从低到高分四组：空白、点、斜线、网格，越密金额越高；每块上的数字是金额。"),
    )


def _targets(tx: Tx, who: Who, year: int, today: date, then: date | None) -> list[ToldProgress]:
    return target_words.of_area(targets.progress_of_year(tx, who, year, today, then), who.district or CITY_WIDE)


def _rows(tx: Tx, who: Who, days: Days, by: By, names: Names) -> list[CutRow]:
    since, until, then = days
    cells = statistics.figures(tx, who, since, until, by, then)
    rows = [CutRow(cell.key, _name(by, cell.key, names), cell, _events(by, cell.key, days)) for cell in cells]
    if by in ("district", "bank", "product", "industry", "size"):
        rows.sort(key=lambda row: (-row.figures.drawn.amount_fen, -row.figures.reported.amount_fen, row.name))
    return rows


def _names(tx: Tx) -> Names:
    offered = {str(row.id): f"{row.bank_name} · {row.name}" for row in products.list_named(tx)}
    return {"bank": {str(bank.id): bank.name for bank in banks.list_all(tx)}, "product": offered}


def _name(by: By, key: str, names: Names) -> str:
    if by in ("bank", "product"):
        return gettext("尚未到银行") if key == "0" else names[by].get(key, key)
    if by == "size":
        return words.of("size_class", key) if key else gettext("未划型")
    said = {"district": words.district, "industry": words.industry, "day": _day}.get(by, str)
    return said(key) if key else gettext("未登记")


def _day(key: str) -> str:
    return formats.day(date.fromisoformat(key))


def _events(by: By, key: str, days: Days) -> str:
    """Where the events of one row of a cut are."""
    since, until, then = days
    if by == "day":
        since = until = date.fromisoformat(key)
    if by == "month":
        first = date.fromisoformat(f"{key}-01")
        since, until = max(since, first), min(until, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    asked = {"since": str(since), "until": str(until)}
    if then is not None:
        asked["as_of"] = str(then)
    if by in ("district", "bank", "product", "industry", "size"):
        asked[by] = key or NOT_REGISTERED
    return f"/figures/events?{urlencode(asked)}"


def _trend(tx: Tx, who: Who, since: date, until: date, then: date | None) -> list[Bar]:
    """Money reported, granted and paid by day; by month where the days are many."""
    by: Literal["day", "month"] = "day" if (until - since).days <= MOST_DAYS else "month"
    return [
        Bar(
            cell.key[5:] if by == "day" else cell.key,
            [
                _money(
                    part.amount_fen, f"{_events(by, cell.key, (since, until, then))}&kind={kind}" if part.events else ""
                )
                for kind, part in (("reported", cell.reported), ("granted", cell.granted), ("drawn", cell.drawn))
            ],
        )
        for cell in statistics.figures(tx, who, since, until, by, then)
    ]


def _money(fen: int, address: str = "") -> Value:
    return Value(float(round(Decimal(fen) / 1_000_000, 2)), formats.wan(fen, 0), address)


def _grid(tx: Tx, who: Who, cut: Cut, names: Mapping[str, str]) -> tuple[list[str], list[Bar]]:
    """Money paid by district and bank: where nothing was paid the cell is empty."""
    cells = figure_grid.grid(tx, who, cut)
    paid: dict[int, int] = {}
    for cell in cells:
        paid[cell.bank_id] = paid.get(cell.bank_id, 0) + int(cell.amount_fen)
    shown = sorted(paid, key=lambda bank: -paid[bank])[:MOST_BANKS]
    events = f"/figures/events?{_query((cut.since, cut.until, cut.as_of))}&kind={cut.kind}"
    by_place = {(cell.district, cell.bank_id): int(cell.amount_fen) for cell in cells}
    rows = [
        Bar(
            words.district(district),
            [
                _money(by_place[district, bank], f"{events}&district={district}&bank={bank}")
                if (district, bank) in by_place
                else Value(None, formats.NOTHING)
                for bank in shown
            ],
        )
        for district in sorted({cell.district for cell in cells})
    ]
    return [gettext("区县"), *(names.get(str(bank), str(bank)) for bank in shown)], rows
