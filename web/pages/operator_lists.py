"""The day's push lists, what became of each line, and the recall of a list that was a mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.look_at import LOOKED, look_at
from service.actions.recall_list import MOST_WORDS, RecallForm, recall_list
from service.domain.errors import DomainError
from service.doors import AnOperator, Now, Today, Tx
from service.store import recalls
from service.store.trail import Act
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish, day_in
from web.pages.official import Tab
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
MOST_NAMED = 20
"""Lines that stand are named one by one up to here; the rest by their number."""
LISTS = (
    Column("list", _("银行和清单")),
    Column("cause", _("来由")),
    Column("published_at", _("发布时间")),
    Column("lines", _("项数"), numeric=True),
    Column("to_recall", _("还没反馈"), numeric=True),
    Column("over", _("已办结"), numeric=True),
    Column("amount_fen", _("金额（万元）"), numeric=True),
    Column("recall", _("召回")),
)
LINES = (
    Column("line", _("推送项")),
    Column("product", _("产品")),
    Column("amount_fen", _("金额（万元）"), numeric=True),
    Column("state", _("进展")),
    Column("then", _("召回会怎样")),
)
FILTERS = {"all": _("全部"), "unanswered": _("还没反馈"), "stands": _("已反馈或已办结"), "recalled": _("已召回")}


class Recall(Form):
    """Why, and whether the bank gets these demands again today."""

    reason: Annotated[
        str,
        wording(most=MOST_WORDS, lines=True),
        Ask(_("召回的理由"), _("银行会看到，并留痕。请不要写企业名称。"), _("请写明召回的理由")),
    ]
    keeps_away: Annotated[
        bool,
        Ask(_("这些需求今天不再推给这家银行"), _("产品或准入条件有误、一时改不好时勾选；明天起照常匹配。")),
    ] = False


@dataclass(frozen=True)
class DayPage:
    listing: Listing[Row[Any]]
    day: date
    earlier: date | None
    later: date | None
    today: date


@dataclass(frozen=True)
class ListPage:
    one: Row[Any]
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]


@dataclass(frozen=True)
class RecallPage:
    one: Row[Any]
    standing: Sequence[Row[Any]]
    """The first of the lines that stand."""
    stands: int
    form: Filled[Recall]


@router.get("/operator/lists")
def show_day(request: Request, _who: AnOperator, tx: Tx, today: Today) -> Response:
    """Which lists went out that day, and is one of them wrong?"""
    day = day_in(request.query_params.get("on")) or today
    wish = Wish.of(request, (), usual="")
    rows, total = recalls.list_of_day(tx, day, PER_PAGE, wish.offset(PER_PAGE))
    filters = {"on": day.isoformat()} if day != today else {}
    earlier, later = recalls.days_beside(tx, day)
    listing = Listing(LISTS, rows, total, "/operator/lists", wish, filters, PER_PAGE)
    return page(request, "operator/lists.html", DayPage(listing, day, earlier, later, today))


@router.get("/operator/lists/{list_id}")
def show_list(request: Request, who: AnOperator, tx: Tx, now: Now, list_id: int) -> Response:
    """What became of each line, and what would a recall do with it? The look is on the trail."""
    one = recalls.get_list(tx, list_id)
    asked = request.query_params.get("only", "")
    only = asked if asked in FILTERS else "all"
    wish = Wish.of(request, (), usual="")
    rows, total = recalls.list_lines(tx, list_id, only, PER_PAGE, wish.offset(PER_PAGE))
    address = f"/operator/lists/{list_id}"
    view = ListPage(
        one=one,
        listing=Listing(LINES, rows, total, address, wish, {"only": only} if only != "all" else {}, PER_PAGE),
        tabs=[
            Tab(str(label), f"{address}?only={key}", key == only, total if key == only else None)
            for key, label in FILTERS.items()
            if key != "recalled" or one.recalled_at is not None
        ],
    )
    look_at(tx, who, Act(LOOKED, "push_list", list_id, bank_id=one.bank_id), now)
    return page(request, "operator/list.html", view)


@router.get("/operator/lists/{list_id}/recall")
def ask_recall(request: Request, _who: AnOperator, tx: Tx, list_id: int) -> Response:
    """What does a recall end, what stands, and why is it done?"""
    return _recall_page(request, tx, list_id, blank(Recall))


@router.post("/operator/lists/{list_id}/recall")
def recall(request: Request, who: AnOperator, tx: Tx, today: Today, now: Now, list_id: int, typed: Typed) -> Response:
    """Recall it: the bank and the firms are told, the demands go out by the next supplement."""
    recalls.get_list(tx, list_id)
    filled = read(Recall, typed)
    if not filled.is_right:
        return _recall_page(request, tx, list_id, filled, 422)
    given = filled.answers
    try:
        with tx.begin_nested():
            lines = recall_list(tx, who, RecallForm(list_id, given.reason, given.keeps_away), today, now)
    except DomainError as refusal:
        return _recall_page(request, tx, list_id, filled.refused(refusal), 422)
    said = ngettext("已召回 %(num)d 项，银行和企业已收到通知。", "已召回 %(num)d 项，银行和企业已收到通知。", lines)
    again = gettext("这份清单之前已经召回。")
    return redirect(request, f"/operator/lists/{list_id}", said % {"num": lines} if lines else again)


def _recall_page(request: Request, tx: Tx, list_id: int, form: Filled[Recall], status: int = 200) -> Response:
    one = recalls.get_list(tx, list_id)
    standing, stands = recalls.list_lines(tx, list_id, "stands", MOST_NAMED)
    return page(request, "operator/list_recall.html", RecallPage(one, standing, stands, form), status=status)
