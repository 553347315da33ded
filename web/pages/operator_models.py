"""The models: which estimates, which score beside it, which is to be next, and who has said so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.promote_model import VALID_DAYS, confirm_promotion, propose_model, withdraw_promotion
from service.actions.shadow_models import start_shadow, stop_shadow
from service.domain.errors import DomainError, NotFound
from service.doors import AnOperator, Now, TheHouse, Today, Tx
from service.store import models
from web.csrf import guard
from web.flash import redirect
from web.formats import day
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.model_words import figures_of, side_by_side
from web.pages.official import Tab
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class ProposalForm(Form):
    sentence: Annotated[
        str,
        wording(most=500),
        Ask(_("为什么换用它"), _("一句话；第二个人据此判断，留痕长期保存。"), _("请用一句话写明理由")),
    ]


class ShadowForm(Form):
    since: Annotated[Day | None, Ask(_("从哪天的需求起"), _("须晚于它学过的数据；不填就从今天起。"))] = None


@dataclass(frozen=True)
class Known:
    """A model as the list shows it: its row, its figures as people read them."""

    row: Row[Any]
    figures: "Sequence[str]"

    @property
    def since(self) -> date | None:
        """Since when it is what it is."""
        return self.row.shadow_from if self.row.state == "shadow" else None


@dataclass(frozen=True)
class ModelsPage:
    models: Sequence[Known]
    waiting: Row[Any] | None
    ended: Sequence[Row[Any]]
    me: int | None
    today: date


@dataclass(frozen=True)
class PromotionPage:
    model: Row[Any]
    in_use: Row[Any] | None
    rows: Sequence[tuple[str, str, str]]
    """Measure, the model in use, this one."""
    waiting: Row[Any] | None
    ended: Sequence[Row[Any]]
    form: Filled[ProposalForm]
    tabs: Sequence[Tab]
    me: int | None
    days: int = VALID_DAYS


@router.get("/operator/models")
def show_models(request: Request, who: AnOperator, tx: Tx, today: Today) -> Response:
    """Which model estimates, which are to follow, and what waits for a second person?"""
    known = [Known(row, figures_of(row)) for row in models.list_all(tx)]
    ended = [row for row in models.list_promotions(tx) if row.state != "waiting"]
    view = ModelsPage(known, _waiting(tx, today), ended, who.person_id, today)
    return page(request, "operator/models.html", view)


@router.get("/operator/models/{version}/promotion")
def show_promotion(request: Request, who: AnOperator, tx: Tx, today: Today, version: str) -> Response:
    """This model beside the one in use, and the two words it takes to change them."""
    return _promotion_page(request, tx, who.person_id, today, version, blank(ProposalForm))


@router.post("/operator/models/{version}/promotion")
def propose(
    request: Request, who: AnOperator, tx: Tx, house: TheHouse, today: Today, now: Now, version: str, typed: Typed
) -> Response:
    """Propose it; another operator confirms."""
    filled = read(ProposalForm, typed)
    if not filled.is_right:
        return _promotion_page(request, tx, who.person_id, today, version, filled, 422)
    models.lock(tx, version)
    try:
        with tx.begin_nested():
            done = propose_model(tx, who, house.settings.models, version, filled.answers.sentence, today, now)
    except DomainError as refusal:
        return _promotion_page(request, tx, who.person_id, today, version, filled.refused(refusal), 422)
    said = gettext("已提议。请另一名运行人员最迟于 %(day)s 确认。") % {"day": day(done.until_on)}
    return redirect(request, "/operator/models", said)


@router.post("/operator/promotions/{promotion_id}/confirmation")
def confirm(
    request: Request, who: AnOperator, tx: Tx, house: TheHouse, today: Today, now: Now, promotion_id: int
) -> Response:
    """The second person's word: the model is in use from now on."""
    version = confirm_promotion(tx, who, house.settings.models, promotion_id, today, now)
    return redirect(
        request, "/operator/models", gettext("已确认，平台从现在起用模型 %(version)s。") % {"version": version}
    )


@router.post("/operator/promotions/{promotion_id}/withdrawal")
def withdraw(request: Request, who: AnOperator, tx: Tx, now: Now, promotion_id: int) -> Response:
    """Nothing changes after all."""
    withdraw_promotion(tx, who, promotion_id, now)
    return redirect(request, "/operator/models", gettext("已撤回，在用的模型没有变。"))


@router.post("/operator/models/{version}/shadow")
def begin_shadow(
    request: Request, who: AnOperator, tx: Tx, house: TheHouse, today: Today, now: Now, version: str, typed: Typed
) -> Response:
    """Let it score beside the one in use."""
    address, filled = f"/operator/models/{version}/shadow", read(ShadowForm, typed)
    models.lock(tx, version)
    if not filled.is_right:
        return redirect(request, address, next(iter(filled.errors.values())), "error")
    try:
        with tx.begin_nested():
            first = start_shadow(tx, who, house.settings.models, version, filled.answers.since, today, now)
    except DomainError as refusal:
        return redirect(request, address, next(iter(filled.refused(refusal).errors.values())), "error")
    return redirect(request, address, gettext("已作影子：%(day)s 起评判的需求会另行评分。") % {"day": day(first)})


@router.post("/operator/models/{version}/shadow/end")
def end_shadow(request: Request, who: AnOperator, tx: Tx, now: Now, version: str) -> Response:
    """It scores no more; what it scored stays."""
    stop_shadow(tx, who, version, now)
    return redirect(request, f"/operator/models/{version}/shadow", gettext("已停止影子评分，评过的都保留。"))


def tabs_of(version: str, current: str) -> list[Tab]:
    """The pages of one model."""
    home = f"/operator/models/{version}"
    pages = (
        ("card", gettext("卡片"), home),
        ("drift", gettext("漂移"), f"{home}/drift"),
        ("shadow", gettext("影子评分"), f"{home}/shadow"),
        ("promotion", gettext("启用"), f"{home}/promotion"),
    )
    return [Tab(label, address, name == current) for name, label, address in pages]


def model_named(tx: Tx, version: str) -> Row[Any]:
    """The model of a page's address, or NotFound."""
    row = models.find(tx, version)
    if row is None:
        raise NotFound("没有版本为 {version} 的模型。", version=version)
    return row


def _waiting(tx: Tx, today: date) -> Row[Any] | None:
    """The proposal that can still be confirmed."""
    found = models.find_waiting(tx)
    return found if found is not None and found.expires_on >= today else None


def _promotion_page(
    request: Request,
    tx: Tx,
    me: int | None,
    today: date,
    version: str,
    form: Filled[ProposalForm],
    status: int = 200,
) -> Response:
    row, in_use = model_named(tx, version), models.find_in_use(tx)
    view = PromotionPage(
        model=row,
        in_use=in_use,
        rows=side_by_side(in_use, row),
        waiting=_waiting(tx, today),
        ended=[one for one in models.list_promotions(tx, version) if one.state != "waiting"],
        form=form,
        tabs=tabs_of(version, "promotion"),
        me=me,
    )
    return page(request, "operator/promotion.html", view, status=status)
