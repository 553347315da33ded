"""Urging a bank from its row of the league; the ledger of urgings, and each one's way to its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.urge_bank import UrgingForm, end_urging, urge_bank
from service.domain.errors import DomainError
from service.domain.people import Who
from service.domain.urging import MOST_DAYS, MOST_WORDS, OPEN, UrgingGround, UrgingState
from service.doors import ACityOfficial, Now, Today, Tx
from service.store import banks, urgings
from service.store.urgings import WANTED, Only
from web import takeaway, urging_words, words
from web.csrf import guard
from web.documents import printed
from web.figure_words import days_of
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read, whole, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import Tab, badge
from web.render import page
from web.urging_words import Standing, Step

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
MOST_PRINTED = 1000
MOST_SHOWN = 100
USUAL_DAYS = 3
TABS: Mapping[Only, object] = {
    "open": _("未办结"),
    "overdue": _("逾期"),
    "answered": _("已回复，待办结"),
    "all": _("全部"),
}
COLUMNS = (
    Column("bank", _("银行和事由")),
    Column("state", _("状态")),
    Column("about", _("依据")),
    Column("sent_on", _("发出")),
    Column("due_on", _("最迟回复")),
    Column("done", _("银行的回复")),
)


class UrgeForm(Form):
    ground: Annotated[UrgingGround, Ask(_("事由"), None, _("请选择督办的事由"))]
    days: Annotated[int, whole(least=1, most=MOST_DAYS), Ask(_("几个工作日内回复"), _("从明天起算。"))]
    words: Annotated[
        str,
        wording(most=MOST_WORDS, lines=True),
        Ask(_("要求"), _("银行会看到这段话、这些数字和涉及的推送项。"), _("请写明要求")),
    ]
    since_on: Annotated[Day, Ask(_("自"))]
    until_on: Annotated[Day, Ask(_("至"))]


class EndForm(Form):
    end: Annotated[Literal["closed", "escalated"], Ask(_("怎样结束"), None, _("请选择办结还是升级"))]
    words: Annotated[str, wording(most=MOST_WORDS, lines=True), Ask(_("理由"), _("银行会看到。"), _("请写明理由"))]


class WithdrawalForm(Form):
    reason: Annotated[
        str, wording(most=MOST_WORDS, lines=True), Ask(_("撤回的理由"), _("银行会看到。"), _("请写明撤回的理由"))
    ]


@dataclass(frozen=True)
class NewPage:
    bank: Row[Any]
    form: Filled[UrgeForm]
    grounds: Sequence[words.Option]
    since: date
    until: date
    open: Sequence[Row[Any]]
    standings: Mapping[int, Standing]


@dataclass(frozen=True)
class LedgerPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    standings: Mapping[int, Standing]
    about: Mapping[int, str]
    query: str


@dataclass(frozen=True)
class LedgerPaper:
    """The ledger to print."""

    title: str
    watermark: str
    rows: Sequence[Row[Any]]
    standings: Mapping[int, Standing]
    about: Mapping[int, str]
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class UrgingPage:
    one: Row[Any]
    standing: Standing
    about: str
    way: Sequence[Step]
    lines: Sequence[Row[Any]]
    moved: int
    form: Filled[EndForm]
    withdrawal: Filled[WithdrawalForm]
    is_open: bool
    today: date

    @property
    def beyond(self) -> int:
        """Lines it is about that are not listed."""
        return int(self.one.figures["about"]) - len(self.lines)


@router.get("/urgings")
def show_ledger(request: Request, who: ACityOfficial, tx: Tx, today: Today) -> Response:
    """Whom have we urged, who has not answered, and what was promised?"""
    only, wish = _only(request), Wish.of(request, (), usual="")
    rows, total = urgings.list_of(tx, who, only, today, PER_PAGE, wish.offset(PER_PAGE))
    view = LedgerPage(
        listing=Listing(COLUMNS, rows, total, "/urgings", wish, {"only": only}, PER_PAGE),
        tabs=[
            Tab(str(label), f"/urgings?only={key}", key == only, urgings.list_of(tx, who, key, today, 0)[1])
            for key, label in TABS.items()
        ],
        standings={row.id: urging_words.standing(row) for row in rows},
        about={row.id: urging_words.about(row) for row in rows},
        query=f"only={only}",
    )
    return page(request, "official/urgings.html", view)


@router.get("/urgings.xlsx")
def download(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The ledger as a workbook."""
    rows, _total = urgings.list_of(tx, who, _only(request), today, MOST_PRINTED)
    return takeaway.download(urging_words.ledger_sheet(rows, who.name, now), f"xindeng-urgings-{today}.xlsx")


@router.get("/urgings.pdf")
def print_ledger(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The ledger on paper."""
    only = _only(request)
    rows, _total = urgings.list_of(tx, who, only, today, MOST_PRINTED)
    paper = LedgerPaper(
        title=gettext("督办台账：%(which)s") % {"which": TABS[only]},
        watermark="",
        rows=rows,
        standings={row.id: urging_words.standing(row) for row in rows},
        about={row.id: urging_words.about(row) for row in rows},
        made_by=who.name,
        made_at=now,
    )
    return printed("documents/urgings.html", paper, f"xindeng-urgings-{today}")


@router.get("/banks/{bank_id}/urgings/new")
def ask_new(request: Request, _who: ACityOfficial, tx: Tx, today: Today, bank_id: int) -> Response:
    """What is this bank urged about, until when, in which words?"""
    days = days_of(request, today)
    counted = _counted(tx, bank_id, days, today)
    asked = request.query_params.get("ground", "")
    taken = {row.ground for row in urgings.open_of_banks(tx, today).get(bank_id, ())}
    free = (ground for ground, lines in counted.items() if lines and ground not in taken)
    first = asked if counted.get(asked) else next(free, "")
    form = blank(
        UrgeForm,
        ground=first,
        days=USUAL_DAYS,
        words=gettext("请逐项查明原因，尽快联系企业并反馈。回复时写明已经做了什么、其余何时办结。"),
        since_on=days[0].isoformat(),
        until_on=days[1].isoformat(),
    )
    return _new_page(request, tx, bank_id, form, today)


@router.post("/banks/{bank_id}/urgings")
def urge(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now, bank_id: int, typed: Typed) -> Response:
    """Send it; the bank has it in its notices at once."""
    banks.get(tx, bank_id)
    filled = read(UrgeForm, typed)
    if filled.is_right:
        said = filled.answers
        wish = UrgingForm(bank_id, said.ground, said.since_on, said.until_on, said.days, said.words)
        try:
            with tx.begin_nested():
                key = urge_bank(tx, who, wish, today, now)
            return redirect(request, f"/urgings/{key}", gettext("已发给银行。"))
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return _new_page(request, tx, bank_id, filled, today, 422)


@router.get("/urgings/{urging_id}")
def show_urging(request: Request, who: ACityOfficial, tx: Tx, today: Today, urging_id: int) -> Response:
    """Has the bank read it, what does it say, and has anything moved since?"""
    return _urging_page(request, tx, who, urging_id, today)


@router.post("/urgings/{urging_id}/end")
def end(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now, urging_id: int, typed: Typed) -> Response:
    """The answer is good enough, or the matter goes higher."""
    urgings.get(tx, who, urging_id, today)
    filled = read(EndForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                how = UrgingState(filled.answers.end)
                end_urging(tx, who, urging_id, how, filled.answers.words, today, now)
            return redirect(request, f"/urgings/{urging_id}", words.of("urging_state", how.value))
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return _urging_page(request, tx, who, urging_id, today, form=filled)


@router.post("/urgings/{urging_id}/withdrawal")
def withdraw(
    request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now, urging_id: int, typed: Typed
) -> Response:
    """It was sent in error, or is not needed any more."""
    urgings.get(tx, who, urging_id, today)
    filled = read(WithdrawalForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                end_urging(tx, who, urging_id, UrgingState.WITHDRAWN, filled.answers.reason, today, now)
            return redirect(request, f"/urgings/{urging_id}", gettext("已撤回，银行会看到理由。"))
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return _urging_page(request, tx, who, urging_id, today, withdrawal=filled)


def _only(request: Request) -> Only:
    asked = request.query_params.get("only", "")
    return cast("Only", asked) if asked in WANTED else "open"


def _counted(tx: Tx, bank_id: int, days: tuple[date, date], today: date) -> dict[str, int]:
    """Ground → the lines that speak for it."""
    banks.get(tx, bank_id)
    return {ground.value: len(urgings.evidence(tx, ground, bank_id, days, today)) for ground in UrgingGround}


def _new_page(
    request: Request, tx: Tx, bank_id: int, form: Filled[UrgeForm], today: date, status: int = 200
) -> Response:
    days = _days(form, today)
    open_ones = urgings.open_of_banks(tx, today).get(bank_id, [])
    taken = {row.ground for row in open_ones}
    view = NewPage(
        bank=banks.get(tx, bank_id),
        form=form,
        grounds=[
            words.Option(ground, words.of("urging_ground", ground), _hint(lines, ground in taken))
            for ground, lines in _counted(tx, bank_id, days, today).items()
        ],
        since=days[0],
        until=days[1],
        open=open_ones,
        standings={row.id: urging_words.standing(row) for row in open_ones},
    )
    return page(request, "official/urging_new.html", view, status=status)


def _hint(lines: int, is_open: bool) -> str:
    said = ngettext("%(num)d 项", "%(num)d 项", lines) % {"num": lines}
    return said + (gettext("，已有一件未办结的督办") if is_open else "")


def _days(form: Filled[UrgeForm], today: date) -> tuple[date, date]:
    """The days of push the form is about; the usual ones where someone has bent it."""
    try:
        return date.fromisoformat(form.said("since_on")), date.fromisoformat(form.said("until_on"))
    except ValueError:
        return today, today


def _urging_page(
    request: Request,
    tx: Tx,
    who: Who,
    urging_id: int,
    today: date,
    *,
    form: Filled[EndForm] | None = None,
    withdrawal: Filled[WithdrawalForm] | None = None,
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
        form=form or blank(EndForm),
        withdrawal=withdrawal or blank(WithdrawalForm),
        is_open=one.state in OPEN,
        today=today,
    )
    return page(request, "official/urging.html", view, status=422 if form or withdrawal else 200)
