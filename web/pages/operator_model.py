"""One model by its card: what it was made of, how good it is, what it must not be taken for; and the card as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from risk.card import LIMITS
from risk.model import RiskModel
from service.domain.errors import NotFound, NotPossible
from service.doors import AnOperator, TheHouse, Tx
from service.profiles.model_files import find_file, open_model
from web import takeaway, words
from web.csrf import guard
from web.language import SOURCE, gettext, spoken
from web.model_words import between, figure
from web.pages.official import Tab
from web.pages.operator import badge
from web.pages.operator_models import model_named, tabs_of
from web.refusals import said
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
FILES = {"card.md": "text/markdown; charset=utf-8", "card.html": "text/html; charset=utf-8"}


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
    model: Row[Any]
    tabs: Sequence[Tab]
    trouble: str = ""
    card: Mapping[str, Any] | None = None
    measures: Sequence[Measure] = ()
    drivers: Sequence[Driver] = ()
    limits: Sequence[str] = ()
    inputs: int = 0
    files: Sequence[str] = ()


@router.get("/operator/models/{version}")
def show_model(request: Request, _who: AnOperator, tx: Tx, house: TheHouse, version: str) -> Response:
    """Is this model right, and what is it made of?"""
    row, tabs = model_named(tx, version), tabs_of(version, "card")
    try:
        model = open_model(house.settings.models, version)
    except NotPossible as wrong:
        return page(request, "operator/model.html", ModelPage(row, tabs, said(wrong)))
    view = ModelPage(
        model=row,
        tabs=tabs,
        card=model.card,
        measures=_measures(model.card),
        drivers=_drivers(model),
        limits=[zh if spoken() == SOURCE else en for zh, en in LIMITS[model.card["protocol"]]],
        inputs=len(model.inputs),
        files=[name for name in FILES if find_file(house.settings.models, version, name) is not None],
    )
    return page(request, "operator/model.html", view)


@router.get("/operator/models/{version}/files/{name}")
def download_card(_who: AnOperator, tx: Tx, house: TheHouse, version: str, name: str) -> Response:
    """The whole card as it was written when the model was trained, its hash checked; never opened inside our pages."""
    model_named(tx, version)
    content = find_file(house.settings.models, version, name) if name in FILES else None
    if content is None:
        raise NotFound("没有模型卡片。")
    return takeaway.download(content, f"model-{version[:16]}.{name.partition('.')[2]}", FILES[name])


def _measures(card: Mapping[str, Any]) -> list[Measure]:
    found = []
    for name in words.GROUPS["measure"]:
        if name in card["measures"]:
            value, pair = card["measures"][name], card["intervals"].get(name)
            meaning = words.of("measure_meaning", name)
            found.append(Measure(words.of("measure", name), figure(name, value), between(name, pair), meaning))
    return found


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
