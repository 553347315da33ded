"""What the bank granted, paid out and got back on a line, and the correction of what was reported in error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.report_credit import report_drawdowns, report_grants, report_repaid, void_drawdowns, void_grants
from service.domain.people import Who
from service.domain.product import LoanType
from service.domain.reporting import DrawForm, GrantForm, Reported
from service.doors import AnOfficer, Now, Today, Tx
from service.store import bank_desk, bank_line
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, money, percent, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.bank import badge
from web.refusals import said
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class GrantedForm(Form):
    amount_fen: Annotated[int, money("wan"), Ask(_("授信金额"), None, _("请填写授信金额"))]
    rate: Annotated[Decimal, percent(least=Decimal("0.0001"), places=4), Ask(_("年利率"), None, _("请填写年利率"))]
    term_months: Annotated[int, whole(least=1, most=360), Ask(_("期限"), None, _("请填写期限"))]
    loan_type: Annotated[LoanType, Ask(_("贷款方式"), None, _("请选择贷款方式"))]
    granted_on: Annotated[Day, Ask(_("授信日期"), None, _("请填写授信日期"))]
    first: Annotated[str, Ask(_("是不是首贷"), _("企业此前在任何银行都没有贷过款。不确定时让平台按已有记录判断。"))] = (
        ""
    )
    is_renewal: Annotated[bool, Ask(_("这是续贷"))] = False
    is_renewal_without_repayment: Annotated[bool, Ask(_("无还本续贷"))] = False
    corrects_id: Annotated[int | None, whole(), Ask(_("更正"))] = None


class DrawnForm(Form):
    loan_number: Annotated[
        str, wording(most=64), Ask(_("借据号"), _("贵行自己的借据号，每笔一个。"), _("请填写借据号"))
    ]
    amount_fen: Annotated[int, money("wan"), Ask(_("放款金额"), None, _("请填写放款金额"))]
    rate: Annotated[Decimal, percent(least=Decimal("0.0001"), places=4), Ask(_("年利率"), None, _("请填写年利率"))]
    drawn_on: Annotated[Day, Ask(_("放款日期"), None, _("请填写放款日期"))]
    matures_on: Annotated[Day, Ask(_("到期日期"), None, _("请填写到期日期"))]
    corrects_id: Annotated[int | None, whole(), Ask(_("更正"))] = None


class RepaidForm(Form):
    repaid_on: Annotated[Day, Ask(_("结清日期"), None, _("请填写结清日期"))]


@dataclass(frozen=True)
class CreditPage:
    line: Row[Any]
    form: Filled[Any]
    kind: str
    """grant, drawdown or repayment."""
    action: str
    corrects: Row[Any] | None = None
    about: Row[Any] | None = None
    """The grant that is drawn on, or the drawdown that is paid back."""


@router.get("/push-lines/{line_id}/grant")
def show_grant(request: Request, who: AnOfficer, tx: Tx, today: Today, line_id: int) -> Response:
    """Report the credit granted; it starts from what was offered, or from the grant that is corrected."""
    line = bank_desk.get_line(tx, who, line_id)
    old = _asked(request, bank_line.list_grants(tx, who, line_id))
    offer = next(iter(bank_line.list_offers(tx, who, line_id)), None)
    source = old if old is not None else offer
    first = blank(
        GrantedForm,
        amount_fen=_wan(source.amount_fen if source is not None else line.amount_fen),
        rate=percent_typed(source.rate) if source is not None else "",
        term_months=source.term_months if source is not None else (line.term_months or ""),
        loan_type=source.loan_type if source is not None else "",
        granted_on=old.granted_on.isoformat() if old is not None else today.isoformat(),
        **_marks(old),
    )
    return page(request, "bank/credit.html", _grant_page(line, first, old))


@router.post("/push-lines/{line_id}/grants")
def grant(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, line_id: int, typed: Typed) -> Response:
    line = bank_desk.get_line(tx, who, line_id)
    filled = read(GrantedForm, typed)
    old = _named(filled.said("corrects_id"), bank_line.list_grants(tx, who, line_id))
    if not filled.is_right:
        return page(request, "bank/credit.html", _grant_page(line, filled, old), status=422)
    given = filled.answers
    form = GrantForm(
        line_id=line_id,
        amount_fen=given.amount_fen,
        rate=given.rate,
        term_months=given.term_months,
        loan_type=str(given.loan_type),
        granted_on=given.granted_on,
        is_first_loan={"yes": True, "no": False}.get(given.first),
        is_renewal=given.is_renewal,
        is_renewal_without_repayment=given.is_renewal_without_repayment,
        corrects_id=given.corrects_id,
    )
    (result,) = report_grants(tx, who, [form], today, now)
    if result.error is not None:
        view = _grant_page(line, filled.refused(result.error), old)
        return page(request, "bank/credit.html", view, status=422)
    return redirect(request, f"/push-lines/{line_id}", gettext("已报送授信。"))


@router.get("/grants/{grant_id}/drawdown")
def show_drawdown(request: Request, who: AnOfficer, tx: Tx, today: Today, grant_id: int) -> Response:
    """Report money paid out under a grant."""
    line, granted = _grant_of(tx, who, grant_id)
    drawn = [one for one in bank_line.list_drawdowns(tx, who, line.id) if one.grant_id == grant_id]
    old = _asked(request, drawn)
    left = granted.amount_fen - sum(one.amount_fen for one in drawn if one.voided_at is None)
    source = old if old is not None else granted
    first = blank(
        DrawnForm,
        loan_number=old.loan_number if old is not None else "",
        amount_fen=_wan(old.amount_fen if old is not None else left) if old is not None or left > 0 else "",
        rate=percent_typed(source.rate),
        drawn_on=(old.drawn_on if old is not None else today).isoformat(),
        matures_on=(old.matures_on if old is not None else months_later(today, granted.term_months)).isoformat(),
    )
    return page(request, "bank/credit.html", _drawdown_page(line, granted, first, old))


@router.post("/grants/{grant_id}/drawdowns")
def draw(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, grant_id: int, typed: Typed) -> Response:
    line, granted = _grant_of(tx, who, grant_id)
    filled = read(DrawnForm, typed)
    old = _named(filled.said("corrects_id"), bank_line.list_drawdowns(tx, who, line.id))
    if not filled.is_right:
        return page(request, "bank/credit.html", _drawdown_page(line, granted, filled, old), status=422)
    form = DrawForm(grant_id=grant_id, **filled.answers.model_dump())
    (result,) = report_drawdowns(tx, who, [form], today, now)
    if result.error is not None:
        view = _drawdown_page(line, granted, filled.refused(result.error), old)
        return page(request, "bank/credit.html", view, status=422)
    return redirect(request, f"/push-lines/{line.id}", gettext("已报送放款。"))


@router.get("/drawdowns/{drawdown_id}/repayment")
def show_repayment(request: Request, who: AnOfficer, tx: Tx, today: Today, drawdown_id: int) -> Response:
    return _repayment_page(request, tx, who, drawdown_id, blank(RepaidForm, repaid_on=today.isoformat()))


@router.post("/drawdowns/{drawdown_id}/repayment")
def repay(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, drawdown_id: int, typed: Typed) -> Response:
    line_id = bank_line.line_of_drawdown(tx, who, drawdown_id)
    filled = read(RepaidForm, typed)
    if not filled.is_right:
        return _repayment_page(request, tx, who, drawdown_id, filled, 422)
    (result,) = report_repaid(tx, who, [drawdown_id], filled.answers.repaid_on, today, now)
    if result.error is not None:
        return _repayment_page(request, tx, who, drawdown_id, filled.refused(result.error), 422)
    return redirect(request, f"/push-lines/{line_id}", gettext("已报送结清。"))


@router.post("/grants/{grant_id}/voiding")
def void_grant(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, grant_id: int) -> Response:
    """A grant reported in error; figures are corrected by a second event."""
    line_id = bank_line.line_of_grant(tx, who, grant_id)
    return _voided(request, line_id, lambda: void_grants(tx, who, [grant_id], today, now))


@router.post("/drawdowns/{drawdown_id}/voiding")
def void_drawdown(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, drawdown_id: int) -> Response:
    line_id = bank_line.line_of_drawdown(tx, who, drawdown_id)
    return _voided(request, line_id, lambda: void_drawdowns(tx, who, [drawdown_id], today, now))


def _voided(request: Request, line_id: int, act: Callable[[], list[Reported]]) -> Response:
    (result,) = act()
    if result.error is not None:
        return redirect(request, f"/push-lines/{line_id}", said(result.error), "error")
    return redirect(request, f"/push-lines/{line_id}", gettext("已作废，统计按更正处理。"))


def _grant_of(tx: Tx, who: Who, grant_id: int) -> tuple[Row[Any], Row[Any]]:
    line_id = bank_line.line_of_grant(tx, who, grant_id)
    granted = next(one for one in bank_line.list_grants(tx, who, line_id) if one.id == grant_id)
    return bank_desk.get_line(tx, who, line_id), granted


def _grant_page(line: Row[Any], form: Filled[Any], old: Row[Any] | None) -> CreditPage:
    return CreditPage(line, form, "grant", f"/push-lines/{line.id}/grants", old)


def _drawdown_page(line: Row[Any], granted: Row[Any], form: Filled[Any], old: Row[Any] | None) -> CreditPage:
    return CreditPage(line, form, "drawdown", f"/grants/{granted.id}/drawdowns", old, granted)


def _repayment_page(
    request: Request, tx: Tx, who: Who, drawdown_id: int, form: Filled[RepaidForm], status: int = 200
) -> Response:
    line = bank_desk.get_line(tx, who, bank_line.line_of_drawdown(tx, who, drawdown_id))
    drawn = next(one for one in bank_line.list_drawdowns(tx, who, line.id) if one.id == drawdown_id)
    view = CreditPage(line, form, "repayment", f"/drawdowns/{drawdown_id}/repayment", about=drawn)
    return page(request, "bank/credit.html", view, status=status)


def _asked(request: Request, rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """The row the address says is to be corrected, where it still stands."""
    return _named(request.query_params.get("corrects", ""), rows)


def _named(key: str, rows: Sequence[Row[Any]]) -> Row[Any] | None:
    return next((one for one in rows if str(one.id) == key and one.voided_at is None), None)


def _marks(old: Row[Any] | None) -> dict[str, object]:
    if old is None:
        return {}
    ticked = [name for name in ("is_renewal", "is_renewal_without_repayment") if getattr(old, name)]
    return {"first": "yes" if old.is_first_loan else "no", **dict.fromkeys(ticked, "yes")}


def _wan(fen: int) -> str:
    return f"{Decimal(fen) / 1_000_000:f}".rstrip("0").rstrip(".") if fen % 1_000_000 else str(fen // 1_000_000)


def percent_typed(rate: Decimal) -> str:
    return f"{rate * 100:f}".rstrip("0").rstrip(".")


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = (date(day.year + year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(day.year + year, month + 1, min(day.day, last))
