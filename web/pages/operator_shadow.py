"""What a shadow says of the same demands as the model in use, and which of the two the outcomes bear out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.doors import AnOperator, Today, Tx
from service.profiles.shadow import LEAST_OF_A_KIND, Comparison, Measured, compare
from service.store import models
from web import words
from web.csrf import guard
from web.forms import Filled, blank
from web.model_words import figure
from web.pages.official import Tab
from web.pages.operator import badge
from web.pages.operator_models import ShadowForm, model_named, tabs_of
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
MORE_IS_BETTER = frozenset({"auc"})


@dataclass(frozen=True)
class Outcome:
    """One measure of both on the same ended loans. `verdict`: better, worse, or even where chance could explain it."""

    name: str
    champion: str
    challenger: str
    difference: str
    between: str
    verdict: str


@dataclass(frozen=True)
class ShadowPage:
    model: Row[Any]
    tabs: Sequence[Tab]
    form: Filled[ShadowForm]
    waiting: int
    against: Sequence[Tab]
    found: Comparison | None
    outcomes: Sequence[Outcome]
    least: int = LEAST_OF_A_KIND

    @property
    def moved_share(self) -> float:
        """Share of the demands whose grade is another one."""
        return self.found.moved / self.found.demands if self.found and self.found.demands else 0.0


@router.get("/operator/models/{version}/shadow")
def show_shadow(request: Request, _who: AnOperator, tx: Tx, today: Today, version: str) -> Response:
    """Would it have judged otherwise, and would it have been right?"""
    row = model_named(tx, version)
    others = [one.version for one in models.list_against(tx, row.id)]
    asked = request.query_params.get("against", "")
    chosen = asked if asked in others else next(iter(others), None)
    address = f"/operator/models/{version}/shadow"
    found = compare(tx, row.id, chosen, today) if chosen is not None else None
    view = ShadowPage(
        model=row,
        tabs=tabs_of(version, "shadow"),
        form=blank(ShadowForm),
        waiting=models.count_unscored(tx, row, today) if row.state == "shadow" else 0,
        against=[Tab(one[:16], f"{address}?against={one}", one == chosen) for one in others],
        found=found,
        outcomes=[_outcome(one) for one in found.outcomes.measures] if found is not None else (),
    )
    return page(request, "operator/shadow.html", view)


def _outcome(one: Measured) -> Outcome:
    gains = one.name in MORE_IS_BETTER
    better = one.low > 0 if gains else one.high < 0
    worse = one.high < 0 if gains else one.low > 0
    return Outcome(
        words.of("measure", one.name),
        figure(one.name, one.champion),
        figure(one.name, one.challenger),
        f"{one.difference:+.3f}",
        f"{one.low:+.3f} – {one.high:+.3f}",
        "better" if better else "worse" if worse else "even",
    )
