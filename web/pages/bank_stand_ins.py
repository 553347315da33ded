"""Who stands in for whom while away: named for days, seen by both, ended by itself or taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.stand_in import end_stand_in, name_stand_in
from service.domain.errors import DomainError
from service.domain.people import Role, Who
from service.doors import AnOfficer, Now, Today, Tx
from service.store import accounts, outlets
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, whole
from web.language import gettext
from web.language import lazy as _
from web.pages.bank import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
HERE = "/bank/stand-ins"


class StandInForm(Form):
    absent: Annotated[int | None, whole(), Ask(_("谁不在"), None, _("请选择谁不在"))] = None
    deputy: Annotated[int, whole(), Ask(_("由谁代办"), _("对方的“我经办的”里会有这些推送项。"), _("请选择由谁代办"))]
    from_on: Annotated[Day, Ask(_("从哪天"), None, _("请填写开始日期"))]
    until_on: Annotated[Day, Ask(_("到哪天"), _("含这一天，之后自动结束。"), _("请填写结束日期"))]


@dataclass(frozen=True)
class StandInsPage:
    rows: Sequence[Row[Any]]
    form: Filled[StandInForm]
    people: Sequence[words.Option]
    deputies: Sequence[words.Option]
    is_admin: bool
    me: int | None
    today: date


@router.get("/bank/stand-ins")
def show_stand_ins(request: Request, who: AnOfficer, tx: Tx, today: Today) -> Response:
    return _stand_ins_page(request, tx, who, today, blank(StandInForm, from_on=today.isoformat()))


@router.post("/bank/stand-ins")
def name_one(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """An officer names who stands in for them; an admin for anyone."""
    filled = read(StandInForm, typed)
    if not filled.is_right:
        return _stand_ins_page(request, tx, who, today, filled, 422)
    given = filled.answers
    absent = given.absent if who.role is Role.BANK_ADMIN and given.absent is not None else who.person_id
    try:
        with tx.begin_nested():
            name_stand_in(tx, who, absent or 0, given.deputy, (given.from_on, given.until_on), today, now)
    except DomainError as refusal:
        return _stand_ins_page(request, tx, who, today, filled.refused(refusal), 422)
    return redirect(request, HERE, gettext("已安排代办，双方都能看到。"))


@router.post("/bank/stand-ins/{stand_in_id}/end")
def end_one(request: Request, who: AnOfficer, tx: Tx, now: Now, stand_in_id: int) -> Response:
    """Taken back before its time."""
    end_stand_in(tx, who, stand_in_id, now)
    return redirect(request, HERE, gettext("已撤销代办安排。"))


def _stand_ins_page(
    request: Request, tx: Tx, who: Who, today: date, form: Filled[StandInForm], status: int = 200
) -> Response:
    people = [words.Option(str(key), name) for key, name in accounts.colleagues_of(tx, who, today).items()]
    is_admin = who.role is Role.BANK_ADMIN
    view = StandInsPage(
        rows=outlets.list_stand_ins(tx, who, today),
        form=form,
        people=people,
        deputies=people if is_admin else [one for one in people if one.value != str(who.person_id)],
        is_admin=is_admin,
        me=who.person_id,
        today=today,
    )
    return page(request, "bank/stand_ins.html", view, status=status)
