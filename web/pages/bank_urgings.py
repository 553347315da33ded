"""What the city urges this bank about: each with its lines, and the answer the bank gives once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.urge_bank import answer_urging, read_urging
from service.domain.errors import DomainError
from service.domain.people import Who
from service.domain.urging import MOST_WORDS, UNANSWERED
from service.doors import AnOfficer, Now, Today, Tx
from service.store import urgings
from web import urging_words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Listing, Wish
from web.pages.bank import badge
from web.pages.city_urgings import COLUMNS, MOST_SHOWN, PER_PAGE
from web.render import page
from web.urging_words import Standing, Step

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class AnswerForm(Form):
    done: Annotated[
        str,
        wording(most=MOST_WORDS, lines=True),
        Ask(_("已经做了什么"), _("逐项说明原因和办理情况；回复后不能再改。"), _("请写明已经做了什么")),
    ]
    promised_on: Annotated[Day, Ask(_("其余何时办结"), _("都已办结的，填今天。"), _("请填写办结日期"))]


@dataclass(frozen=True)
class UrgingsPage:
    listing: Listing[Row[Any]]
    standings: Mapping[int, Standing]
    about: Mapping[int, str]


@dataclass(frozen=True)
class UrgingPage:
    one: Row[Any]
    standing: Standing
    about: str
    way: Sequence[Step]
    lines: Sequence[Row[Any]]
    moved: int
    form: Filled[AnswerForm]
    is_awaited: bool
    today: date


@router.get("/bank/urgings")
def show_urgings(request: Request, who: AnOfficer, tx: Tx, today: Today) -> Response:
    """What does the city urge us about, and until when must we answer?"""
    wish = Wish.of(request, (), usual="")
    rows, total = urgings.list_of(tx, who, "all", today, PER_PAGE, wish.offset(PER_PAGE))
    view = UrgingsPage(
        listing=Listing(COLUMNS, rows, total, "/bank/urgings", wish, per_page=PER_PAGE),
        standings={row.id: urging_words.standing(row) for row in rows},
        about={row.id: urging_words.about(row) for row in rows},
    )
    return page(request, "bank/urgings.html", view)


@router.get("/bank/urgings/{urging_id}")
def show_urging(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, urging_id: int) -> Response:
    """What is it about, and what do we answer? The first look is noted, and the city sees it."""
    read_urging(tx, who, urging_id, now)
    return _urging_page(request, tx, who, urging_id, today, blank(AnswerForm))


@router.post("/bank/urgings/{urging_id}/answer")
def answer(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, urging_id: int, typed: Typed) -> Response:
    """What was done, and by when the rest."""
    urgings.get(tx, who, urging_id, today)
    filled = read(AnswerForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                answer_urging(tx, who, urging_id, filled.answers.done, filled.answers.promised_on, today, now)
            return redirect(request, f"/bank/urgings/{urging_id}", gettext("已回复，市级会看到。"))
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return _urging_page(request, tx, who, urging_id, today, filled, 422)


def _urging_page(
    request: Request, tx: Tx, who: Who, urging_id: int, today: date, form: Filled[AnswerForm], status: int = 200
) -> Response:
    one = urgings.get(tx, who, urging_id, today)
    lines = urgings.list_lines(tx, one)
    view = UrgingPage(
        one=one,
        standing=urging_words.standing(one),
        about=urging_words.about(one),
        way=urging_words.way(one),
        lines=lines[:MOST_SHOWN],
        moved=sum(line.has_moved for line in lines),
        form=form,
        is_awaited=one.state in UNANSWERED,
        today=today,
    )
    return page(request, "bank/urging.html", view, status=status)
