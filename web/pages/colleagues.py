"""The team: who has what on the table, and all of an absent colleague's work handed over in one act."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.hand_over import Handed, hand_over
from service.domain.errors import NotFound
from service.domain.people import Who
from service.doors import ADistrictOfficial, Now, Today, Tx
from service.store import accounts, teams
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.district import NOBODY
from web.pages.follow_up import taken
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class HandoverForm(Form):
    person: Annotated[
        str,
        wording(most=20),
        Ask(_("交给谁"), _("未办结的跟进、堵点和待走访的企业全部转给对方。"), _("请选择交给哪位同事")),
    ]


@dataclass(frozen=True)
class Colleague:
    """One of the team (id 0: nobody's yet), with what is open in their hands; `is_gone` where they left it."""

    id: int
    name: str
    follow_ups: int
    obstacles: int
    visits: int
    late: int
    is_gone: bool = False

    @property
    def total(self) -> int:
        return self.follow_ups + self.obstacles + self.visits


@dataclass(frozen=True)
class TeamPage:
    people: Sequence[Colleague]
    me: int


@dataclass(frozen=True)
class HandoverPage:
    one: Colleague
    form: Filled[HandoverForm]
    people: Sequence[words.Option]


@router.get("/colleagues")
def show_team(request: Request, who: ADistrictOfficial, tx: Tx, today: Today) -> Response:
    """Who has what?"""
    return page(request, "official/colleagues.html", TeamPage(_team(tx, who, today), who.person_id or 0))


@router.get("/colleagues/{person_id}/handover")
def show_handover(request: Request, who: ADistrictOfficial, tx: Tx, today: Today, person_id: int) -> Response:
    """What would change hands, and to whom?"""
    return _handover_page(request, tx, who, today, person_id, blank(HandoverForm))


@router.post("/colleagues/{person_id}/handover")
def give(
    request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now, person_id: int, typed: Typed
) -> Response:
    """All of it in one act."""
    _colleague(tx, who, today, person_id)
    filled, handed = read(HandoverForm, typed), list[Handed]()
    chosen = filled.said("person")
    if filled.is_right and chosen != NOBODY and not (chosen.isascii() and chosen.isdigit()):
        filled = Filled(HandoverForm, filled.typed, {"person": gettext("请选择交给哪位同事")})
    taker = int(chosen) if filled.is_right and chosen != NOBODY else None
    filled = taken(tx, filled, lambda _: handed.append(hand_over(tx, who, person_id, taker, today, now)))
    if not filled.is_right:
        return _handover_page(request, tx, who, today, person_id, filled)
    return redirect(request, "/colleagues", gettext("已移交 %(num)d 项。") % {"num": handed[0].total})


def _handover_page(
    request: Request, tx: Tx, who: Who, today: date, person_id: int, form: Filled[HandoverForm]
) -> Response:
    names = accounts.names_of_district(tx, who.district or "", today)
    people = [words.Option(str(key), name) for key, name in names.items() if key != person_id]
    view = HandoverPage(
        one=_colleague(tx, who, today, person_id),
        form=form,
        people=[*people, words.Option(NOBODY, gettext("交回专班，谁都可以办"))],
    )
    return page(request, "official/handover.html", view, status=422 if form.errors else 200)


def _colleague(tx: Tx, who: Who, today: date, person_id: int) -> Colleague:
    found = next((one for one in _team(tx, who, today) if one.id == person_id and person_id), None)
    if found is None:
        raise NotFound("本专班没有这位同事。")
    return found


def _team(tx: Tx, who: Who, today: date) -> list[Colleague]:
    """The team by name, then those who left with work in their hands, then what is nobody's."""
    district = who.district or ""
    held = {row.person_id: row for row in teams.held(tx, district, today)}
    names = accounts.names_of_district(tx, district, today)
    gone = accounts.names_of(tx, [key for key in held if key is not None and key not in names])
    people = [_row(key, name, held.get(key)) for key, name in names.items()]
    people += [_row(key, name, held.get(key), is_gone=True) for key, name in gone.items()]
    return [*people, _row(0, "", held.get(None))] if None in held else people


def _row(key: int, name: str, held: Row[Any] | None, *, is_gone: bool = False) -> Colleague:
    if held is None:
        return Colleague(key, name, 0, 0, 0, 0)
    return Colleague(key, name, int(held.follow_ups), int(held.obstacles), int(held.visits), int(held.late), is_gone)
