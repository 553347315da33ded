"""Who works on which lines: one question over the lines that were ticked, or over one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.actions.assign_line import assign_lines
from service.domain.errors import DomainError
from service.domain.people import Who
from service.doors import AnOfficer, Now, Today, Tx
from service.store import accounts, bank_line, outlets
from web import words
from web.csrf import guard
from web.flash import redirect
from web.formats import day
from web.forms import Ask, Filled, Form, Typed, read, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.pages.bank import back_of, badge, query_of
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
NOBODY = "nobody"


class AssignmentForm(Form):
    line: Annotated[tuple[int, ...], Ask(_("推送项"), None, _("请先勾选推送项"))]
    person: Annotated[
        str,
        wording(most=20),
        Ask(_("由谁经办"), _("对方能在自己的清单里按“我经办的”找到。"), _("请选择由谁经办")),
    ]


@dataclass(frozen=True)
class AssignmentPage:
    form: Filled[AssignmentForm]
    lines: Sequence[tuple[int, str]]
    """Line → its firm's name, '' where the bank may no longer see it."""
    people: Sequence[words.Option]
    back: str
    query: str


@router.post("/push-lines/assignment")
def assign(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Without a person yet: the question, with the lines kept. With one: the lines change hands."""
    filled = read(AssignmentForm, typed)
    if not filled.said("person"):
        amiss = {name: error for name, error in filled.errors.items() if name != "person"}
        first = Filled(AssignmentForm, filled.typed, amiss)
        return _assignment_page(request, tx, who, today, first, 422 if amiss else 200)
    if not filled.is_right:
        return _assignment_page(request, tx, who, today, filled, 422)
    chosen = filled.answers.person
    if chosen != NOBODY and not chosen.isdecimal():
        wrong = Filled(AssignmentForm, filled.typed, {"person": gettext("请选择由谁经办")})
        return _assignment_page(request, tx, who, today, wrong, 422)
    try:
        with tx.begin_nested():
            moved = assign_lines(tx, who, filled.answers.line, None if chosen == NOBODY else int(chosen), today, now)
    except DomainError as refusal:
        return _assignment_page(request, tx, who, today, filled.refused(refusal), 422)
    lines = filled.answers.line
    came_from_line = not request.url.query and len(lines) == 1
    address = f"/push-lines/{lines[0]}" if came_from_line else back_of(request)
    message = ngettext("已改经办人 %(num)d 项。", "已改经办人 %(num)d 项。", moved) % {"num": moved}
    return redirect(request, address, f"{message}{_stand_in_of(tx, who, chosen, today)}")


def _assignment_page(
    request: Request, tx: Tx, who: Who, today: date, form: Filled[AssignmentForm], status: int = 200
) -> Response:
    ids = [int(one) for one in form.typed.get("line", ()) if one.isdecimal() and len(one) < 19]
    people = [words.Option(key, name) for key, name in _people(tx, who, today).items()]
    view = AssignmentPage(
        form=form,
        lines=list(bank_line.names_of(tx, who, ids).items()),
        people=[*people, words.Option(NOBODY, gettext("不指定，谁都可以办"))],
        back=back_of(request),
        query=query_of(request),
    )
    return page(request, "bank/assignment.html", view, status=status)


def _people(tx: Tx, who: Who, today: date) -> dict[str, str]:
    """Whom lines may be given to: name, outlet, and who stands in for them."""
    places = {row.person_id: row.outlet_name for row in outlets.list_members(tx, who)}
    said = {}
    for key, name in accounts.names_of_bank(tx, who, today).items():
        place = outlet_said(places[key]) if key in places else ""
        said[str(key)] = f"{name}{place}{_stand_in_of(tx, who, str(key), today)}"
    return said


def _stand_in_of(tx: Tx, who: Who, chosen: str, today: date) -> str:
    """That the colleague is away and who stands in for them; empty otherwise."""
    row = outlets.stand_ins_on(tx, who, today).get(int(chosen)) if chosen.isdecimal() else None
    if row is None:
        return ""
    values = {"absent": row.absent_name, "deputy": row.deputy_name, "day": day(row.until_on)}
    return gettext("%(absent)s 不在，由 %(deputy)s 代办至 %(day)s。") % values


def outlet_said(name: str) -> str:
    """An outlet behind the name of one of its people."""
    return gettext("（%(outlet)s）") % {"outlet": name}
