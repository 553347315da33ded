"""Grants and drawdowns by workbook: what awaits them goes out, comes back filled in, is tried, shown, then reported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.look_at import LOOKED, look_at
from service.actions.try_credit import CreditForms, report_together, try_credit
from service.domain.errors import NotPossible
from service.domain.people import BANK_ROLES, Who
from service.domain.product import LoanType
from service.domain.reporting import DrawForm, GrantForm, Reported
from service.doors import AnOfficer, Now, Today, Tx
from service.store import bank_credit, banks
from service.store.trail import Act
from web import credit_sheet, formats, push_sheet, takeaway
from web.credit_sheet import MOST_ROWS, Returned, Rows
from web.csrf import guard
from web.forms import Ask, Day, Filled, Form, blank, money, percent, read, whole, wording
from web.language import gettext, ngettext
from web.language import lazy as _
from web.pages.bank import badge
from web.pages.bank_credit import months_later
from web.refusals import said
from web.render import page
from web.returned_sheet import SheetBack
from web.sheet_routes import Call, SheetDesk, add_sheet_routes, told_of
from web.tried_sheet import SheetForm, TriedRow, by_id

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
HERE = "/bank/credit"
LEAST_RATE = Decimal("0.0001")
LoanKind = Literal["first", "not_first", "renewal", "renewal_without_repayment"]
RENEWALS = frozenset({"renewal", "renewal_without_repayment"})


class ReportsForm(SheetForm):
    sheet: Annotated[Any, Ask(_("填好的报送表"), _("从本页下载、填好的 Excel 文件（.xlsx）。"), _("请选择文件"))]


class GrantRowForm(Form):
    """A row of grants; what it leaves open is as the firm accepted it."""

    granted_on: Annotated[Day, Ask(_("授信日期"), None, _("请填写授信日期"))]
    amount_fen: Annotated[int | None, money("yuan"), Ask(_("授信金额"))] = None
    rate: Annotated[Decimal | None, percent(least=LEAST_RATE), Ask(_("年利率"))] = None
    term_months: Annotated[int | None, whole(least=1, most=360), Ask(_("期限"))] = None
    loan_type: Annotated[LoanType | None, Ask(_("担保方式"))] = None
    loan_kind: Annotated[LoanKind | None, Ask(_("贷款类别"))] = None


class DrawRowForm(Form):
    """A row of drawdowns; what it leaves open is as it was granted."""

    loan_number: Annotated[str, wording(most=64), Ask(_("借据号"), None, _("请填写借据号"))]
    amount_fen: Annotated[int, money("yuan"), Ask(_("放款金额"), None, _("请填写放款金额"))]
    rate: Annotated[Decimal | None, percent(least=LEAST_RATE), Ask(_("年利率"))] = None
    drawn_on: Annotated[Day, Ask(_("放款日期"), None, _("请填写放款日期"))]
    matures_on: Annotated[Day | None, Ask(_("到期日期"))] = None


@dataclass(frozen=True)
class CreditSheetPage:
    form: Filled[ReportsForm]
    ungranted: Sequence[Row[Any]]
    undrawn: Sequence[Row[Any]]
    today: date

    @property
    def is_cut(self) -> bool:
        """Whether more awaits than one workbook takes."""
        return max(len(self.ungranted), len(self.undrawn)) >= MOST_ROWS

    @property
    def granted_fen(self) -> int:
        return sum(row.amount_fen for row in self.ungranted)

    @property
    def left_fen(self) -> int:
        return sum(row.left_fen for row in self.undrawn)


@dataclass(frozen=True)
class Read:
    """A returned workbook as forms with the rows they are of, and what is wrong with the other rows."""

    grants: Mapping[int, GrantForm]
    drawdowns: Mapping[int, DrawForm]
    wrong_grants: Mapping[int, str]
    wrong_drawdowns: Mapping[int, str]

    @property
    def forms(self) -> CreditForms:
        return CreditForms(list(self.grants.values()), list(self.drawdowns.values()))


@router.get("/bank/credit")
def show(request: Request, who: AnOfficer, tx: Tx, today: Today) -> Response:
    """What awaits a grant, what awaits drawdown, and the way to report both at once."""
    return _sheet_page(request, tx, who, today, blank(ReportsForm))


@router.get("/bank/credit.xlsx")
def download(who: AnOfficer, tx: Tx, today: Today, now: Now) -> Response:
    """The workbook to fill in; who took it is noted once a day."""
    rows = Rows(who.bank_id or 0, *_awaiting(tx, who, today))
    look_at(tx, who, Act(LOOKED, "credit_sheet", who.bank_id, bank_id=who.bank_id), now)
    return takeaway.download(credit_sheet.write(rows, _mark(tx, who, now)), f"xindeng-credit-{today}.xlsx")


def _ask(call: Call, form: Filled[Any], status: int) -> Response:
    return _sheet_page(call.request, call.tx, call.who, call.today, form, status)


def _take_in(call: Call, file: BinaryIO) -> Returned:
    returned = credit_sheet.read(file, call.who.bank_id or 0)
    if returned.is_empty:
        raise NotPossible("文件里没有填写任何授信或放款。")
    return returned


def _report(call: Call, returned: Returned) -> Response:
    results = report_together(call.tx, call.who, _read(call.tx, call.who, returned).forms, call.today, call.now)
    refusals = sum(one.error is not None for one in (*results.grants, *results.drawdowns))
    message = ngettext("已报送 %(num)d 行。", "已报送 %(num)d 行。", results.fresh) % {"num": results.fresh}
    return told_of(call, HERE, message, refusals)


def _copy(call: Call, returned: Returned) -> Response:
    tx, who = call.tx, call.who
    grants, drawdowns = ({row.key: row.error for row in part if row.error} for part in _tried(call, returned))
    lines, granted = bank_credit.lines_of(tx, who, list(grants)), bank_credit.grants_of(tx, who, list(drawdowns))
    wrong = Returned(SheetBack(returned.grants.cells, {}, grants), SheetBack(returned.drawdowns.cells, {}, drawdowns))
    rows = Rows(who.bank_id or 0, list(lines.values()), list(granted.values()))
    content = credit_sheet.write(rows, _mark(tx, who, call.now), wrong)
    return takeaway.download(content, f"xindeng-credit-{call.today}-errors.xlsx")


def _sheet_page(
    request: Request, tx: Tx, who: Who, today: date, form: Filled[ReportsForm], status: int = 200
) -> Response:
    return page(
        request, "bank/credit_sheet.html", CreditSheetPage(form, *_awaiting(tx, who, today), today), status=status
    )


def _awaiting(tx: Tx, who: Who, today: date) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    return bank_credit.list_ungranted(tx, who, MOST_ROWS), bank_credit.list_undrawn(tx, who, today, MOST_ROWS)


def _mark(tx: Tx, who: Who, now: datetime) -> str:
    return push_sheet.mark_for(banks.get(tx, who.bank_id).name, who.name, now)


def _read(tx: Tx, who: Who, returned: Returned) -> Read:
    """The rows that can be read as reports: what a row leaves open is what was offered, or granted."""
    lines = bank_credit.lines_of(tx, who, list(returned.grants.cells))
    granted = bank_credit.grants_of(tx, who, list(returned.drawdowns.cells))
    grants, wrong_grants = _forms(returned.grants, lines, _grant)
    drawdowns, wrong_drawdowns = _forms(returned.drawdowns, granted, _draw)
    return Read(grants, drawdowns, wrong_grants, wrong_drawdowns)


def _forms(
    back: SheetBack, known: Mapping[int, Row[Any]], form_of: Callable[[Row[Any], Mapping[str, str]], Any]
) -> tuple[dict[int, Any], dict[int, str]]:
    forms, wrong = dict[int, Any](), dict(back.errors)
    for key, cells in back.cells.items():
        if key in wrong:
            continue
        if key not in known:
            wrong[key] = gettext("贵行没有这一项。")
            continue
        form = form_of(known[key], cells)
        if isinstance(form, Filled):
            wrong[key] = "；".join(form.errors.values())
        else:
            forms[key] = form
    return forms, wrong


def _grant(line: Row[Any], cells: Mapping[str, str]) -> GrantForm | Filled[Any]:
    filled = read(GrantRowForm, cells)
    if not filled.is_right:
        return filled
    given = filled.answers
    return GrantForm(
        line_id=line.id,
        amount_fen=given.amount_fen or line.amount_fen,
        rate=given.rate or line.rate,
        term_months=given.term_months or line.term_months,
        loan_type=str(given.loan_type or line.loan_type),
        granted_on=given.granted_on,
        is_first_loan=None if given.loan_kind is None else given.loan_kind == "first",
        is_renewal=given.loan_kind in RENEWALS,
        is_renewal_without_repayment=given.loan_kind == "renewal_without_repayment",
    )


def _draw(granted: Row[Any], cells: Mapping[str, str]) -> DrawForm | Filled[Any]:
    filled = read(DrawRowForm, cells)
    if not filled.is_right:
        return filled
    given = filled.answers
    return DrawForm(
        grant_id=granted.id,
        loan_number=given.loan_number,
        amount_fen=given.amount_fen,
        rate=given.rate or granted.rate,
        drawn_on=given.drawn_on,
        matures_on=given.matures_on or months_later(given.drawn_on, granted.term_months),
    )


def _tried(call: Call, returned: Returned) -> tuple[list[TriedRow], list[TriedRow]]:
    """Each filled row as it would go: the grants, the drawdowns."""
    tx, who = call.tx, call.who
    found = _read(tx, who, returned)
    results = try_credit(tx, who, found.forms, call.today, call.now)
    grants = dict(zip(found.grants, results.grants, strict=True))
    drawdowns = dict(zip(found.drawdowns, results.drawdowns, strict=True))
    lines = bank_credit.lines_of(tx, who, list(returned.grants.cells))
    granted = bank_credit.grants_of(tx, who, list(returned.drawdowns.cells))
    return (
        [
            _row(key, lines, found.wrong_grants, grants, _granted(found.grants.get(key)))
            for key in returned.grants.cells
        ],
        [
            _row(key, granted, found.wrong_drawdowns, drawdowns, _drawn(found.drawdowns.get(key)))
            for key in returned.drawdowns.cells
        ],
    )


def _row(
    key: int, known: Mapping[int, Row[Any]], wrong: Mapping[int, str], tried: Mapping[int, Reported], what: str
) -> TriedRow:
    result, name = tried.get(key), known[key].firm_name if key in known else ""
    refusal = said(result.error) if result is not None and result.error is not None else ""
    return TriedRow(key, name or "", what, wrong.get(key) or refusal, result is not None and result.is_repeat)


def _granted(form: GrantForm | None) -> str:
    if form is None:
        return gettext("授信")
    said = {
        "amount": formats.yuan(form.amount_fen),
        "rate": formats.percent(form.rate),
        "day": formats.short_day(form.granted_on),
    }
    return gettext("授信 %(amount)s，%(rate)s，%(day)s") % said


def _drawn(form: DrawForm | None) -> str:
    if form is None:
        return gettext("放款")
    said = {
        "amount": formats.yuan(form.amount_fen),
        "number": form.loan_number,
        "day": formats.short_day(form.drawn_on),
    }
    return gettext("放款 %(amount)s，借据 %(number)s，%(day)s") % said


def _kept(back: SheetBack) -> dict[str, Any]:
    return {"cells": back.cells, "errors": back.errors}


def _pack(returned: Returned) -> dict[str, Any]:
    return {"grants": _kept(returned.grants), "drawdowns": _kept(returned.drawdowns)}


def _unpack(kept: Mapping[str, Any]) -> Returned:
    grants, drawdowns = (
        SheetBack(by_id(part["cells"]), {}, by_id(part["errors"])) for part in (kept["grants"], kept["drawdowns"])
    )
    return Returned(grants, drawdowns)


DESK = SheetDesk(
    address="/bank/credit/reports",
    roles=BANK_ROLES,
    form=ReportsForm,
    tried="bank/credit_tried.html",
    whose=lambda who: who.bank_id,
    ask=_ask,
    read=_take_in,
    rows=lambda call, returned: [row for part in _tried(call, returned) for row in part],
    pack=_pack,
    unpack=_unpack,
    take=_report,
    copy=_copy,
)
add_sheet_routes(router, DESK)
