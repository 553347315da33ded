"""For the city's own systems: figures with their definitions, and the events behind them."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from service.api.shapes import plain, row_out
from service.domain.definitions import DEFINITIONS, PERIOD, UNIVERSE
from service.domain.figure import FigureKind
from service.domain.standards.money import to_yuan
from service.doors import AnOfficial, Today, Tx
from service.store import figure_grid, statistics
from service.store.figure_grid import Cut, Only
from service.store.statistics import Amounts, By, Figures

router = APIRouter(prefix="/api/v1", tags=["officials"])
USUAL = timedelta(days=89)
SHARES = ("credit_loan_share", "first_loan_share", "renewal_without_repayment_share", "average_rate")
EVENT = (
    "id", "kind", "on", "recorded_on", "sign", "demand_id", "district", "bank_id", "product_id", "industry", "size",
    "amount_fen", "rate", "loan_type", "is_first_loan", "is_renewal_without_repayment", "is_new_household",
)  # fmt: skip


@router.get("/figures")
def show_figures(
    who: AnOfficial,
    tx: Tx,
    today: Today,
    since: date | None = None,
    until: date | None = None,
    by: By = "all",
    as_of: date | None = None,
) -> Any:
    """The figures of these days (the last ninety where none are named), cut `by`; a district team's are its own.

    `as_of`: as they stood at the end of that day.
    """
    until = until or as_of or today
    since = since or until - USUAL
    return {
        "since": since,
        "until": until,
        "by": by,
        "as_of": as_of,
        "universe": UNIVERSE.en,
        "period": PERIOD.en,
        "definitions": {name: said.en for name, said in DEFINITIONS.items()},
        "figures": [_figures(cell) for cell in statistics.figures(tx, who, since, until, by, as_of)],
    }


@router.get("/figures/events")
def show_events(
    who: AnOfficial,
    tx: Tx,
    since: date,
    until: date,
    kind: FigureKind | None = None,
    district: str | None = None,
    bank_id: int | None = None,
    product_id: int | None = None,
    industry: str | None = None,
    size: str | None = None,
    only: Only = "",
    as_of: date | None = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Any:
    """The events whose sum the figures are, the latest first. `only`: new (households), credit, first, renewal."""
    cut = Cut(since, until, kind.value if kind else None, district, bank_id, product_id, industry, size, as_of, only)
    rows, whole = figure_grid.list_events(tx, who, cut, limit, offset)
    sums = {"rows": whole.rows, "events": int(whole.events), "amount_yuan": to_yuan(int(whole.amount_fen))}
    return {**sums, "figure_events": [row_out(row, *EVENT) for row in rows]}


def _figures(cell: Figures) -> dict[str, Any]:
    funnel = {kind.value: _amounts(getattr(cell, kind.value)) for kind in FigureKind}
    shares = {name: plain(getattr(cell, name)) for name in SHARES}
    return {"key": cell.key, **funnel, "first_loans": cell.first_loans, **shares}


def _amounts(part: Amounts) -> dict[str, Any]:
    money = {"amount_yuan": to_yuan(part.amount_fen)}
    return {"households": part.households, "events": part.events, **money, "late_events": part.late_events}
