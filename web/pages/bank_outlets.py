"""A bank's outlets: which there are, who belongs to each, and whose the new lines of a district are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.keep_outlets import end_outlet, open_outlet, place_person, set_intake
from service.domain.errors import DomainError
from service.domain.outlet import LONGEST_NAME
from service.domain.people import Who
from service.doors import ABankAdmin, Now, Today, Tx
from service.store import accounts, outlets
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, District, Filled, Form, Typed, blank, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.bank import badge
from web.pages.bank_assignment import outlet_said
from web.refusals import said
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
HERE = "/bank/outlets"


class OutletForm(Form):
    name: Annotated[
        str, wording(most=LONGEST_NAME, least=2), Ask(_("网点名称"), _("例如：金水支行。"), _("请填写网点名称"))
    ]
    district: Annotated[District, Ask(_("所在区县"), None, _("请选择区县"))]


class PlaceForm(Form):
    person: Annotated[int, whole(), Ask(_("同事"), None, _("请选择同事"))]
    outlet: Annotated[int | None, whole(), Ask(_("网点"), _("不选表示不属于任何网点。"))] = None


class IntakeForm(Form):
    takes: Annotated[bool, Ask(_("接收本区县的新推送项"))] = False


@dataclass(frozen=True)
class Place:
    """An outlet with its people."""

    outlet: Row[Any]
    people: Sequence[str]


@dataclass(frozen=True)
class OutletsPage:
    places: Sequence[Place]
    unplaced: int
    """How many colleagues belong to none."""
    form: Filled[OutletForm]
    place_form: Filled[PlaceForm]
    people: Sequence[words.Option]
    outlets: Sequence[words.Option]


@router.get("/bank/outlets")
def show_outlets(request: Request, who: ABankAdmin, tx: Tx, today: Today) -> Response:
    return _outlets_page(request, tx, who, today)


@router.post("/bank/outlets")
def open_one(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """A new outlet; its rule for new lines is off."""
    filled = read(OutletForm, typed)
    if not filled.is_right:
        return _outlets_page(request, tx, who, today, form=filled)
    try:
        with tx.begin_nested():
            open_outlet(tx, who, filled.answers.name, filled.answers.district, today, now)
    except DomainError as refusal:
        return _outlets_page(request, tx, who, today, form=filled.refused(refusal))
    return redirect(request, HERE, gettext("已新设%(name)s。") % {"name": filled.answers.name})


@router.post("/bank/outlets/people")
def place(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """A colleague belongs to an outlet, or to none."""
    filled = read(PlaceForm, typed)
    if not filled.is_right:
        return _outlets_page(request, tx, who, today, place_form=filled)
    place_person(tx, who, filled.answers.person, filled.answers.outlet, today, now)
    return redirect(request, HERE, gettext("已保存。"))


@router.post("/bank/outlets/{outlet_id}/intake")
def intake(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, outlet_id: int, typed: Typed) -> Response:
    """Whether new lines of its district are the outlet's."""
    takes = read(IntakeForm, typed).answers.takes
    try:
        with tx.begin_nested():
            set_intake(tx, who, outlet_id, takes, today, now)
    except DomainError as refusal:
        if refusal.code != "conflict":
            raise
        return redirect(request, HERE, said(refusal), "error")
    return redirect(request, HERE, gettext("已保存，从今天推送的起算。") if takes else gettext("已关掉。"))


@router.post("/bank/outlets/{outlet_id}/end")
def end(request: Request, who: ABankAdmin, tx: Tx, today: Today, now: Now, outlet_id: int) -> Response:
    """The outlet is no more; nobody loses a line by it."""
    end_outlet(tx, who, outlet_id, today, now)
    return redirect(request, HERE, gettext("已撤销网点；人员和推送项不变。"))


def _outlets_page(
    request: Request,
    tx: Tx,
    who: Who,
    today: date,
    form: Filled[OutletForm] | None = None,
    place_form: Filled[PlaceForm] | None = None,
) -> Response:
    rows, members = outlets.list_outlets(tx, who), outlets.list_members(tx, who)
    names = accounts.names_of_bank(tx, who, today)
    placed = {row.person_id: row for row in members}
    view = OutletsPage(
        places=[Place(one, [row.person_name for row in members if row.outlet_id == one.id]) for one in rows],
        unplaced=sum(key not in placed for key in names),
        form=form or blank(OutletForm),
        place_form=place_form or blank(PlaceForm),
        people=[
            words.Option(str(key), f"{name}{outlet_said(placed[key].outlet_name)}" if key in placed else name)
            for key, name in names.items()
        ],
        outlets=[words.Option(str(one.id), one.name) for one in rows],
    )
    return page(request, "bank/outlets.html", view, status=422 if form or place_form else 200)
