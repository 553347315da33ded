"""The model in use, by its card: what it was made of, how good it is, what it must not be taken for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from risk.card import LIMITS
from risk.model import ArtifactError, RiskModel
from service.domain.errors import NotFound
from service.doors import AnOperator, TheHouse, Tx
from service.store import health
from web import words
from web.csrf import guard
from web.formats import percent
from web.language import SOURCE, gettext, spoken
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
SHARES = frozenset({"predicted", "observed"})


@dataclass(frozen=True)
class Measure:
    """One figure of the test: its value, where it lies with 95 %, what it means."""

    name: str
    value: str
    between: str
    meaning: str


@dataclass(frozen=True)
class Driver:
    """A group of inputs, by how much it moves the log-odds on average; `share` of the strongest one."""

    names: str
    weight: float
    share: float


@dataclass(frozen=True)
class ModelPage:
    version: str | None
    card: Mapping[str, Any] | None
    trouble: str
    measures: Sequence[Measure]
    drivers: Sequence[Driver]
    limits: Sequence[str]
    inputs: int


@router.get("/operator/model")
def show_model(request: Request, _who: AnOperator, tx: Tx, house: TheHouse) -> Response:
    """Is the model still right, and what is it made of?"""
    switch = health.find_switch(tx)
    version = switch.model_version if switch else None
    if version is None:
        return page(request, "operator/model.html", ModelPage(None, None, "", (), (), (), 0))
    try:
        model = _model(house.settings.models / version, version)
    except (ArtifactError, OSError) as wrong:
        return page(request, "operator/model.html", ModelPage(version, None, str(wrong), (), (), (), 0))
    view = ModelPage(
        version=version,
        card=model.card,
        trouble="",
        measures=_measures(model.card),
        drivers=_drivers(model),
        limits=[zh if spoken() == SOURCE else en for zh, en in LIMITS[model.card["protocol"]]],
        inputs=len(model.inputs),
    )
    return page(request, "operator/model.html", view)


@router.get("/operator/model/card.md")
def download_card(_who: AnOperator, tx: Tx, house: TheHouse) -> Response:
    """The whole card as it was written when the model was trained."""
    switch = health.find_switch(tx)
    path = house.settings.models / switch.model_version / "card.md" if switch and switch.model_version else None
    if path is None or not path.is_file():
        raise NotFound("没有模型卡片。")
    name = f"model-{path.parent.name[:16]}.md"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(path.read_text("utf-8"), media_type="text/markdown; charset=utf-8", headers=headers)


def _measures(card: Mapping[str, Any]) -> list[Measure]:
    found = []
    for name in words.GROUPS["measure"]:
        if name not in card["measures"]:
            continue
        low, high = card["intervals"].get(name) or (None, None)
        between = f"{_figure(name, low)} – {_figure(name, high)}" if low is not None else "—"
        found.append(
            Measure(
                words.of("measure", name),
                _figure(name, card["measures"][name]),
                between,
                words.of("measure_meaning", name),
            )
        )
    return found


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "—"
    return percent(value) if name in SHARES else f"{value:.3f}"


def _drivers(model: RiskModel) -> list[Driver]:
    """The groups that move the estimate at all, each by the names of its inputs."""
    names: dict[str, list[str]] = {}
    for one in model.inputs:
        names.setdefault(one.group, []).append(one.zh if spoken() == SOURCE else one.en)
    told = [(one["group"], float(one["mean_abs_log_odds"])) for one in model.card["drivers"]]
    strongest = max((weight for _group, weight in told), default=0.0) or 1.0
    join = gettext("、")
    return [
        Driver(join.join(names.get(group, [group])), weight, weight / strongest) for group, weight in told if weight > 0
    ]


@lru_cache(maxsize=2)
def _model(path: Path, version: str) -> RiskModel:
    return RiskModel.load(path, expect_version=version)
