"""The bank's list: whom must I answer today, with what facts, by when; answers to many lines at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.answer_push import answer_lines
from service.domain.answering import Answered, AnswerForm
from service.domain.demand import LightWord
from service.domain.people import Who
from service.domain.push_list import ANSWERABLE, RefusalReason
from service.domain.standards.regions import REGIONS
from service.doors import AnOfficer, Now, Today, Tx
from service.store import bank_desk, bank_line, banks, certificates, notices, products, urgings
from service.store.bank_desk import Wanted
from service.store.enquiries import count_due as count_enquiries
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.refusals import said
from web.render import page
from web.shell import Badge

RECENT = timedelta(days=14)
PER_PAGE = 50
FILTERS = {"open": _("未办结"), "waiting": _("待接收和联系"), "overdue": _("已逾期"), "all": _("全部")}
COLUMNS = (
    Column("tick", _("选")),
    Column("firm_name", _("企业"), sortable=True),
    Column("light", _("信灯")),
    Column("amount_fen", _("金额（万元）"), numeric=True, sortable=True),
    Column("term", _("期限"), numeric=True),
    Column("product", _("产品")),
    Column("grade", _("评级"), sortable=True),
    Column("state", _("进展"), sortable=True),
    Column("due_on", _("最迟"), sortable=True),
)


def badge(request: Request, who: AnOfficer, tx: Tx, today: Today) -> None:
    """The header says for which bank one acts, and how many lines wait for its first word."""
    bank = banks.get(tx, who.bank_id)
    tallies = {
        "due": bank_desk.count_due(tx, who, today),
        "notices": notices.count_unread(tx, who),
        "urgings": urgings.count_for(tx, who, today),
        "enquiries": count_enquiries(tx, who, today),
    }
    request.state.badge = Badge(who.name, who.role, bank.name, tallies)


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


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
    marks: Mapping[int, bool]
    form: Filled[BulkForm]
    reasons: Sequence[words.Option]
    today: date
    query: str
    only: str
    wanted: Wanted
    products: Sequence[words.Option]
    one: Row[Any] | None = None
    """The one list shown, where it is one."""

    @property
    def answerable(self) -> frozenset[str]:
        return frozenset(ANSWERABLE)

    @property
    def waiting(self) -> int:
        return sum(int(row.waiting) for row in self.lists)

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


@router.get("/push-lists")
def show_lists(request: Request, who: AnOfficer, tx: Tx, today: Today) -> Response:
    """Whom must I answer today?"""
    return _lists_page(request, tx, who, today, blank(BulkForm))


@router.post("/push-lines/answers")
def answer_many(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Answer the ticked lines; each is taken or not on its own, and the page says which were not, and why."""
    filled = read(BulkForm, typed)
    if filled.is_right and filled.answers.kind == "refused" and not filled.answers.reasons:
        filled = Filled(BulkForm, filled.typed, {"reasons": gettext("请选择 1 至 4 个拒绝原因")})
    if not filled.is_right:
        return _lists_page(request, tx, who, today, filled, status=422)
    answers = filled.answers
    reasons = tuple(str(reason) for reason in answers.reasons) if answers.kind == "refused" else ()
    words_said = answers.text if answers.kind == "refused" else ""
    forms = [AnswerForm(line, answers.kind, reasons, words_said) for line in answers.line]
    return answered(request, tx, who, answer_lines(tx, who, forms, today, now))


@router.get("/push-lists/{list_id}")
def show_list(request: Request, who: AnOfficer, tx: Tx, today: Today, list_id: int) -> Response:
    """One list as it was published, with what has become of its lines."""
    return _lists_page(request, tx, who, today, blank(BulkForm), one=bank_line.get_list(tx, who, list_id))


def answered(request: Request, tx: Tx, who: Who, results: Sequence[Answered]) -> Response:
    """All taken: back to the list. Otherwise a page with those that were not."""
    wrong = [one for one in results if one.error is not None]
    taken = len(results) - len(wrong)
    if not wrong:
        message = ngettext("已反馈 %(num)d 项。", "已反馈 %(num)d 项。", taken)
        return redirect(request, "/push-lists", message % {"num": taken})
    names = bank_line.names_of(tx, who, [one.line_id for one in wrong])
    view = AnsweredPage(
        taken, [Outcome(one.line_id, names.get(one.line_id, ""), said(one.error)) for one in wrong if one.error]
    )
    return page(request, "bank/answered.html", view)


def _lists_page(
    request: Request,
    tx: Tx,
    who: Who,
    today: date,
    form: Filled[BulkForm],
    status: int = 200,
    one: Row[Any] | None = None,
) -> Response:
    wish = Wish.of(request, COLUMNS, usual="due_on")
    wanted = wanted_of(request, wish, one.id if one else None)
    kept = {name: value for name, value in _filters(wanted).items() if value}
    rows, total = bank_desk.list_lines(tx, who, wanted, today)
    address = f"/push-lists/{one.id}" if one else "/push-lists"
    lists = bank_desk.list_lists(tx, who, today - RECENT, today)
    view = ListsPage(
        listing=Listing(COLUMNS, rows, total, address, wish, kept, PER_PAGE),
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
        marks=certificates.marks_of(tx, [row.id for row in lists]),
        form=form,
        reasons=words.options("refusal_reason"),
        today=today,
        query=wanted.query,
        only=wanted.only,
        wanted=wanted,
        products=[words.Option(str(row.id), row.name) for row in products.list_of_bank(tx, who.bank_id, today)],
        one=one,
    )
    return page(request, "bank/lists.html", view, part="rows", status=status)


def wanted_of(request: Request, wish: Wish, list_id: int | None) -> Wanted:
    """What the address asks for, of one list or of all; what it does not say rightly is not asked."""
    asked = request.query_params
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
        "intended": "yes" if wanted.is_intended else "",
    }
