"""The bank's list: whom must I answer today, with what facts, by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import ceil
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.hold_answers import give_held
from service.domain.answering import Answered
from service.domain.demand import LightWord
from service.domain.list_view import LONGEST_NAME
from service.domain.people import Who
from service.domain.push_list import ANSWERABLE, RefusalReason
from service.domain.standards.regions import REGIONS
from service.doors import AnOfficer, Now, Today, Tx
from service.store import bank_desk, bank_line, banks, certificates, list_views, notices, outlets, products, urgings
from service.store.bank_desk import Wanted
from service.store.enquiries import count_due as count_enquiries
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, blank, wording
from web.held_words import Held, held_of
from web.language import lazy as _
from web.language import ngettext
from web.listing import Column, Listing, Wish
from web.refusals import said
from web.render import page
from web.shell import Badge

RECENT = timedelta(days=14)
KEPT = ("only", "q", "light", "product", "district", "mine", "outlet", "intended", "sort", "page")
LONGEST_KEPT = 60
PER_PAGE = 50
FILTERS = {"open": _("未办结"), "waiting": _("待接收和联系"), "overdue": _("已逾期"), "all": _("全部")}
ALWAYS = (Column("tick", _("选")), Column("firm_name", _("企业"), sortable=True))
CHOOSABLE = (
    Column("light", _("信灯")),
    Column("amount_fen", _("金额（万元）"), numeric=True, sortable=True),
    Column("term", _("期限"), numeric=True),
    Column("product", _("产品")),
    Column("grade", _("评级"), sortable=True),
    Column("district", _("区县")),
    Column("pushed_on", _("推送日")),
    Column("state", _("进展"), sortable=True),
    Column("due_on", _("最迟"), sortable=True),
)
"""What an officer may show or leave out."""
COLUMNS = (*ALWAYS, *CHOOSABLE)
USUAL = frozenset({"light", "amount_fen", "term", "product", "grade", "state", "due_on"})


def badge(request: Request, who: AnOfficer, tx: Tx, today: Today) -> None:
    """The header says for which bank one acts, and how many lines wait for its first word."""
    bank = banks.get(tx, who.bank_id)
    request.state.open_lines = bank_desk.count_open(tx, who)
    tallies = {
        "due": request.state.open_lines.unanswered,
        "notices": notices.count_unread(tx, who),
        "urgings": urgings.count_for(tx, who, today),
        "enquiries": count_enquiries(tx, who, today),
    }
    request.state.badge = Badge(who.name, who.role, bank.name, tallies)


def catch_up(request: Request, who: Who, tx: Tx, now: datetime) -> None:
    """Give what was answered together and can no longer be undone; the header counts anew where anything was."""
    if give_held(tx, now, who.bank_id):
        request.state.open_lines = bank_desk.count_open(tx, who)
        request.state.badge.tallies["due"] = request.state.open_lines.unanswered


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class NameForm(Form):
    """The list as it is narrowed and ordered now, under a name."""

    name: Annotated[
        str, wording(most=LONGEST_NAME), Ask(_("筛选的名称"), _("例如：金水区黄灯。"), _("请给筛选起个名字"))
    ]


class BulkForm(Form):
    """Several lines, one answer."""

    line: Annotated[tuple[int, ...], Ask(_("推送项"), None, _("请先勾选要反馈的企业"))]
    kind: Annotated[Literal["received", "contacted", "refused"], Ask(_("反馈"), None, _("请选择怎样反馈"))]
    reasons: Annotated[
        tuple[RefusalReason, ...], Ask(_("拒绝原因"), _("选 1 至 4 个；企业会看到，也会影响下一次匹配。"))
    ] = ()
    text: Annotated[str, wording(most=500, lines=True), Ask(_("说明"), _("选择“其他”时必填。"))] = ""


@dataclass(frozen=True)
class Tab:
    label: str
    address: str
    is_current: bool
    tally: int | None = None


@dataclass(frozen=True)
class ListsPage:
    """Today's lines, the tabs over them, the lists of recent days."""

    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    lists: Sequence[Row[Any]]
    undecided: Mapping[int, int]
    """How many lines of a list wait for the bank's offer or refusal."""
    marks: Mapping[int, bool]
    form: Filled[BulkForm]
    reasons: Sequence[words.Option]
    today: date
    only: str
    wanted: Wanted
    held: Held
    kept: Sequence[Tab]
    """The officer's own filters."""
    name_form: Filled[NameForm]
    products: Sequence[words.Option]
    my_outlet: str = ""
    """The outlet one belongs to."""
    me: int | None = None
    stand_ins: Sequence[Row[Any]] = ()
    """Whom one stands in for today, and who stands in for oneself."""
    one: Row[Any] | None = None
    """The one list shown, where it is one."""

    @property
    def answerable(self) -> frozenset[str]:
        return frozenset(ANSWERABLE)

    @property
    def query(self) -> str:
        """What an act on this list carries, so that one comes back to the list as it was."""
        here = self.listing.on_page(self.listing.wish.page).partition("?")[2]
        return f"?{here}{f'&list={self.one.id}' if self.one else ''}"

    @property
    def is_narrowed(self) -> bool:
        """Whether more than the tab narrows the list."""
        return any(value for name, value in self.listing.filters.items() if name != "only")


@dataclass(frozen=True)
class Outcome:
    """What became of one line of a batch."""

    line_id: int
    name: str
    error: str


@dataclass(frozen=True)
class AnsweredPage:
    taken: int
    refused: Sequence[Outcome]
    back: str
    is_held: bool
    """Whether the others wait for a minute yet."""


@router.get("/push-lists")
def show_lists(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now) -> Response:
    """Whom must I answer today? What was answered together and can no longer be undone is given first."""
    catch_up(request, who, tx, now)
    filters = list_views.list_filters(tx, who)
    if set(request.query_params) <= {"filter"}:
        kept = _kept_filter(request, filters)
        if kept is not None:
            return redirect(request, f"/push-lists?{urlencode(kept.query)}")
    return lists_page(request, tx, who, today, now, blank(BulkForm), filters)


@router.get("/push-lists/{list_id}")
def show_list(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, list_id: int) -> Response:
    """One list as it was published, with what has become of its lines."""
    catch_up(request, who, tx, now)
    one = bank_line.get_list(tx, who, list_id)
    return lists_page(request, tx, who, today, now, blank(BulkForm), list_views.list_filters(tx, who), one=one)


def answered(
    request: Request,
    tx: Tx,
    who: Who,
    results: Sequence[Answered],
    back: str = "/push-lists",
    *,
    is_held: bool = False,
) -> Response:
    """All taken: back to the list. Otherwise a page with those that were not."""
    wrong = [one for one in results if one.error is not None]
    taken = len(results) - len(wrong)
    if not wrong:
        message = ngettext("已反馈 %(num)d 项。", "已反馈 %(num)d 项。", taken)
        return redirect(request, back, message % {"num": taken})
    names = bank_line.names_of(tx, who, [one.line_id for one in wrong])
    view = AnsweredPage(
        taken,
        [Outcome(one.line_id, names.get(one.line_id, ""), said(one.error)) for one in wrong if one.error],
        back,
        is_held,
    )
    return page(request, "bank/answered.html", view)


def back_of(request: Request) -> str:
    """The list one came from, as one saw it: an act on the list carries the list's own query in its address."""
    asked = request.query_params
    number = asked.get("list", "")
    address = f"/push-lists/{number}" if number.isascii() and number.isdigit() and len(number) < 19 else "/push-lists"
    kept = {name: asked[name] for name in KEPT if asked.get(name) and len(asked[name]) <= LONGEST_KEPT}
    return f"{address}?{urlencode(kept)}" if kept else address


def query_of(request: Request) -> str:
    """The list's query to be carried on, with its '?'; empty where there is none."""
    return f"?{request.url.query}" if request.url.query else ""


def list_one_came_from(request: Request, tx: Tx, who: Who) -> Row[Any] | None:
    """The one list an act was done on; None for the list of all."""
    number = request.query_params.get("list", "")
    return bank_line.get_list(tx, who, int(number)) if number.isascii() and number.isdigit() else None


def lists_page(
    request: Request,
    tx: Tx,
    who: Who,
    today: date,
    now: datetime,
    form: Filled[BulkForm],
    filters: Sequence[Row[Any]],
    status: int = 200,
    one: Row[Any] | None = None,
) -> Response:
    """The list, with a form that may have come back; `filters`: the officer's own."""
    wish = Wish.of(request, COLUMNS, usual="due_on")
    wanted = _wanted(request.query_params, wish, one.id if one else None)
    kept = {name: value for name, value in _filters(wanted).items() if value}
    opened: bank_desk.OpenLines = request.state.open_lines
    rows, total = bank_desk.list_lines(tx, who, wanted, today, opened)
    if not rows and 0 < total <= wanted.offset:  # what was answered has left the page one stood on
        wish = replace(wish, page=ceil(total / PER_PAGE))
        wanted = replace(wanted, offset=wish.offset(PER_PAGE))
        rows, total = bank_desk.list_lines(tx, who, wanted, today, opened)
    address = f"/push-lists/{one.id}" if one else "/push-lists"
    chosen = list_views.columns_of(tx, who)
    shown = [
        replace(column, label=str(column.label))  # in words once, not again for each row
        for column in CHOOSABLE
        if column.key in (USUAL if chosen is None else chosen)
    ]
    lists = bank_desk.list_lists(tx, who, today - RECENT, today)
    view = ListsPage(
        listing=Listing((*ALWAYS, *shown), rows, total, address, wish, kept, PER_PAGE),
        tabs=[
            Tab(
                str(label),
                f"{address}?{urlencode(kept | {'only': key})}",
                key == wanted.only,
                total if key == wanted.only else None,
            )
            for key, label in FILTERS.items()
        ],
        lists=lists,
        undecided=opened.undecided,
        marks=certificates.marks_of(tx, [row.id for row in lists]),
        form=form,
        reasons=words.options("refusal_reason"),
        today=today,
        only=wanted.only,
        wanted=wanted,
        held=held_of(tx, who, now),
        kept=_kept_tabs(tx, who, today, filters, kept | {"sort": ("-" if wish.descending else "") + wish.sort}),
        name_form=blank(NameForm),
        products=[words.Option(str(row.id), row.name) for row in products.list_of_bank(tx, who.bank_id, today)],
        my_outlet=next(
            (row.outlet_name for row in outlets.list_members(tx, who) if row.person_id == who.person_id), ""
        ),
        me=who.person_id,
        stand_ins=[
            row
            for row in outlets.stand_ins_on(tx, who, today).values()
            if who.person_id in (row.absent_id, row.deputy_id)
        ],
        one=one,
    )
    return page(request, "bank/lists.html", view, part="rows", status=status)


def wanted_of(request: Request, wish: Wish, list_id: int | None) -> Wanted:
    """What the address asks for, of one list or of all."""
    return _wanted(request.query_params, wish, list_id)


def asked_of(request: Request) -> dict[str, str]:
    """The wishes of the list in this address, as far as the list knows them: what a filter keeps."""
    wish = Wish.of(request, COLUMNS, usual="due_on")
    wanted = _wanted(request.query_params, wish, None)
    known = {name: value for name, value in _filters(wanted).items() if value}
    return known | {"sort": ("-" if wish.descending else "") + wish.sort}


def _kept_filter(request: Request, kept: Sequence[Row[Any]]) -> Row[Any] | None:
    """The filter an address names, or the one the list opens with."""
    number = request.query_params.get("filter")
    return next((one for one in kept if (str(one.id) == number if number else one.is_default)), None)


def _kept_tabs(
    tx: Tx, who: Who, today: date, filters: Sequence[Row[Any]], now_asked: Mapping[str, str]
) -> Sequence[Tab]:
    """The officer's own filters as links, each with how many lines it finds."""
    wish = Wish("due_on", descending=False, page=1)
    counts = bank_desk.count_each(tx, who, [_wanted(one.query, wish, None) for one in filters], today)
    return [
        Tab(one.name, f"/push-lists?{urlencode(one.query)}", one.query == now_asked, count)
        for one, count in zip(filters, counts, strict=True)
    ]


def _wanted(asked: Mapping[str, str], wish: Wish, list_id: int | None) -> Wanted:
    """What an address asks for; what it does not say rightly is not asked."""
    only, light, product = asked.get("only", ""), asked.get("light", ""), asked.get("product", "")
    district = asked.get("district", "")
    return Wanted(
        only=only if only in FILTERS else "all" if list_id else "open",
        list_id=list_id,
        query=asked.get("q", "").strip()[:60],
        light=light if light in frozenset(LightWord) else "",
        product_id=int(product) if product.isascii() and product.isdigit() and len(product) < 19 else None,
        district=district if district in REGIONS else "",
        is_mine=asked.get("mine") == "yes",
        is_of_my_outlet=asked.get("outlet") == "mine",
        is_intended=asked.get("intended") == "yes",
        sort=wish.sort,
        descending=wish.descending,
        limit=PER_PAGE,
        offset=wish.offset(PER_PAGE),
    )


def _filters(wanted: Wanted) -> dict[str, str]:
    """The same as it stands in an address."""
    return {
        "only": wanted.only,
        "q": wanted.query,
        "light": wanted.light,
        "product": str(wanted.product_id or ""),
        "district": wanted.district,
        "mine": "yes" if wanted.is_mine else "",
        "outlet": "mine" if wanted.is_of_my_outlet else "",
        "intended": "yes" if wanted.is_intended else "",
    }
