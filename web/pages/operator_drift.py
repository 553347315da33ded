"""Has the population moved away from what a model learnt? Its inputs and its score, lately against training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from risk.explain import shown
from risk.model import RiskModel
from risk.monitor import MOVED, WATCH, Drift
from service.domain.errors import NotPossible
from service.doors import AnOperator, TheHouse, Today, Tx
from service.profiles.drift import LEAST, SCORE, Drifted, drift_of
from service.profiles.model_files import open_model
from web.csrf import guard
from web.fact_words import source_name
from web.formats import NOTHING
from web.language import SOURCE, gettext, spoken
from web.pages.official import Tab
from web.pages.operator import badge
from web.pages.operator_models import model_named, tabs_of
from web.refusals import said
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
SPANS = (30, 90)


@dataclass(frozen=True)
class Moved:
    """One input as people read it; the score stands first."""

    name: str
    source: str
    psi: float
    state: str
    missing: tuple[float, float]
    mean: tuple[str, str]


@dataclass(frozen=True)
class DriftPage:
    model: Row[Any]
    tabs: Sequence[Tab]
    spans: Sequence[Tab]
    trouble: str = ""
    drifted: Drifted | None = None
    lines: Sequence[Moved] = ()
    absent: Sequence[str] = ()
    least: int = LEAST
    watch: float = WATCH
    moved: float = MOVED

    @property
    def states(self) -> dict[str, int]:
        """State → inputs in it."""
        return {state: sum(one.state == state for one in self.lines) for state in ("moved", "watch", "stable")}


@router.get("/operator/models/{version}/drift")
def show_drift(request: Request, _who: AnOperator, tx: Tx, house: TheHouse, today: Today, version: str) -> Response:
    """Are today's firms still like those it was trained on?"""
    row, tabs = model_named(tx, version), tabs_of(version, "drift")
    asked = request.query_params.get("days", "")
    days = int(asked) if asked in map(str, SPANS) else SPANS[0]
    address = f"/operator/models/{version}/drift"
    spans = [Tab(gettext("最近 %(n)s 天") % {"n": one}, f"{address}?days={one}", one == days) for one in SPANS]
    try:
        model = open_model(house.settings.models, version)
    except NotPossible as wrong:
        return page(request, "operator/drift.html", DriftPage(row, tabs, spans, said(wrong)))
    drifted = drift_of(tx, model, today, days)
    names = {one.name: one.zh if spoken() == SOURCE else one.en for one in model.inputs}
    lines = sorted(drifted.lines, key=lambda line: (line.name != SCORE, -line.psi))
    view = DriftPage(
        model=row,
        tabs=tabs,
        spans=spans,
        drifted=drifted,
        lines=[_moved(model, line, names) for line in lines],
        absent=[names[one] for one in drifted.absent],
    )
    return page(request, "operator/drift.html", view)


def _moved(model: RiskModel, line: Drift, names: dict[str, str]) -> Moved:
    one = next((found for found in model.inputs if found.name == line.name), None)
    unit, source = (one.unit, source_name(one.item)) if one is not None else ("log_odds", gettext("模型的对数优势"))
    means = tuple(_mean(value, unit) for value in (line.mean_then, line.mean_now))
    name = names.get(line.name, gettext("模型分数"))
    return Moved(name, source, line.psi, line.state, (line.missing_then, line.missing_now), (means[0], means[1]))


def _mean(value: float | None, unit: str) -> str:
    """A mean with its unit; counts keep one decimal, for a mean is seldom whole."""
    if value is None:
        return NOTHING
    if unit in ("yuan", "share", "change"):
        zh, en = shown(value, unit)
        return zh if spoken() == SOURCE else en
    return f"{value:,.2f}"
