"""Credit granted on accepted lines: the amount granted takes the place of the money reserved, within the quota."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlmodel import Session

from service.actions.note_credit import Report, granted, paid
from service.domain.errors import Conflict, DomainError, NotFound, NotPossible
from service.domain.people import Who
from service.domain.push_list import LineState
from service.domain.reporting import GrantForm, Reported, fault_of_grant
from service.store import credit, products, push_lists
from service.store.notices import Message
from service.store.products import Purse

ENDED_LINE = {"due_step": "none", "due_on": None, "waits_for_calendar": False, "reserved_fen": 0}
KINDS = ("loan_type", "is_first_loan", "is_renewal_without_repayment")
"""What a grant says of the loans under it: they are counted by it."""
SAID = (
    "amount_fen", "rate", "term_months", "loan_type", "granted_on", "is_renewal", "is_renewal_without_repayment",
)  # fmt: skip


@dataclass(frozen=True)
class Granted:
    """A grant that will be written: who reports it, its line as it was, its columns."""

    who: Who
    line: Any
    columns: dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """What is known when the forms are looked at, all of it locked: what one form takes is gone for the next."""

    lines: Mapping[int, Any]
    live: Mapping[int, Any]
    """Line → the grant that stands on it."""
    purse: Purse
    had_loans: set[str]


def take_grants(tx: Session, said: Sequence[tuple[Who, GrantForm]], report: Report) -> list[Reported]:
    """First reports, each on a line of its own, as if one after the other."""
    desk = _desk(tx, said)
    looked_at = [_look(who, form, desk, report) for who, form in said]
    keys = iter(_write(tx, [one for one in looked_at if isinstance(one, Granted)], desk.purse, report))
    return [Reported(next(keys)) if isinstance(one, Granted) else one for one in looked_at]


def _desk(tx: Session, said: Sequence[tuple[Who, GrantForm]]) -> Desk:
    found = push_lists.lock_lines_of_banks(tx, [who for who, _ in said], [form.line_id for _, form in said])
    lines = {line.id: line for line in found}
    unsaid = [lines[form.line_id].uscc for _, form in said if form.is_first_loan is None and form.line_id in lines]
    return Desk(
        lines,
        credit.lock_live_grants(tx, list(lines)),
        products.lock_purse(tx, [line.product_id for line in found]),
        credit.with_loans(tx, unsaid),
    )


def _look(who: Who, form: GrantForm, desk: Desk, report: Report) -> Granted | Reported:
    try:
        return _take(who, form, desk, report)
    except DomainError as fault:
        return Reported(error=fault)


def _take(who: Who, form: GrantForm, desk: Desk, report: Report) -> Granted | Reported:
    """The grant as it will be written, or the key of the same one reported before."""
    line = _line_of(who, form, desk.lines, report.today)
    old = desk.live.get(line.id)
    if old is not None:
        if _is_same(form, old):
            return Reported(old.id, is_repeat=True)
        raise Conflict("此项已报送授信；如有错误，请更正。")
    if line.state != LineState.ACCEPTED:
        raise Conflict("企业尚未接受贵行的报价，不能报送授信。", state=line.state)
    desk.purse.move(line.product_id, reserved=-line.reserved_fen, granted=form.amount_fen)
    first = form.is_first_loan if form.is_first_loan is not None else line.uscc not in desk.had_loans
    desk.had_loans.add(line.uscc)
    return Granted(who, line, _columns(who, form, line, first, report))


def _is_same(form: GrantForm, old: Any) -> bool:
    """Whether the form says what stands there; one that leaves open whether it is a first loan says nothing of it."""
    first = form.is_first_loan in (None, old.is_first_loan)
    return first and all(getattr(form, name) == getattr(old, name) for name in SAID)


def _line_of(who: Who, form: GrantForm, lines: Mapping[int, Any], today: date) -> Any:
    """The form's line; what is wrong with the form, whatever stands on the line, is raised."""
    fault = fault_of_grant(form, today)
    if fault is not None:
        raise fault
    line = lines.get(form.line_id)
    if line is None or line.bank_id != who.bank_id:
        raise NotFound("没有这条推送项。")
    if form.granted_on < line.pushed_on:
        raise NotPossible("授信日期不能早于推送日期 {on}。", field="granted_on", on=line.pushed_on)
    return line


def _write(tx: Session, taken: Sequence[Granted], purse: Purse, report: Report) -> list[int]:
    """Grants, lines, money: the whole batch in a handful of statements."""
    if not taken:
        return []
    keys = credit.add(tx, "credit_grant", [one.columns for one in taken])
    lines = [one.line for one in taken]
    firms = credit.facts_of(tx, [line.uscc for line in lines])
    for key, one in zip(keys, taken, strict=True):
        report.move_line(one.who, one.line, LineState.GRANTED)
        _note(report, one.who, key, one.columns, None)
        report.events.append(granted(SimpleNamespace(id=key, **one.columns), _firm(firms, one.line)))
    report.write_moves(tx, lines, LineState.GRANTED, {**ENDED_LINE, "closed_on": report.today})
    products.move_money(tx, purse.reserved, purse.granted)
    return keys


def correct_grant(tx: Session, who: Who, form: GrantForm, report: Report) -> int:
    """The grant that replaces another one on its line, and takes over what is drawn under it."""
    locked = push_lists.lock_lines_of_banks(tx, [who], [form.line_id])
    line = _line_of(who, form, {line.id: line for line in locked}, report.today)
    old = credit.lock_live_grants(tx, [line.id]).get(line.id)
    if old is None or old.id != form.corrects_id:
        raise Conflict("只能更正当前有效的授信；它已有更新，请刷新。")
    if credit.drawn_under(tx, [old.id])[old.id] > form.amount_fen:
        raise NotPossible("授信金额不能小于已放款金额。", field="amount_fen")
    products.move_money(tx, {line.product_id: -line.reserved_fen}, {line.product_id: form.amount_fen - old.amount_fen})
    credit.void(tx, "credit_grant", old.id, report.now)
    firm = _firm(credit.facts_of(tx, [line.uscc]), line)
    report.events.append(granted(old, firm, sign=-1))
    first = form.is_first_loan if form.is_first_loan is not None else old.is_first_loan
    columns = _columns(who, form, line, first, report)
    (key,) = credit.add(tx, "credit_grant", [columns])
    new = SimpleNamespace(id=key, **columns)
    _carry_over(tx, who, old, new, firm, report)
    _note(report, who, key, columns, old)
    report.events.append(granted(new, firm))
    return key


def _carry_over(tx: Session, who: Who, old: Any, new: Any, firm: Any, report: Report) -> None:
    """Drawdowns go over to the grant that replaces theirs; where its kind changed, they are counted anew as rows."""
    for drawdown in credit.list_live_drawdowns(tx, old.id):
        if all(getattr(old, kind) == getattr(new, kind) for kind in KINDS):
            continue
        credit.void(tx, "drawdown", drawdown.id, report.now)
        report.events.append(paid(drawdown, old, firm, sign=-1))
        again = {name: value for name, value in drawdown._mapping.items() if name not in ("id", "voided_at")}  # noqa: SLF001
        again |= {"recorded_on": report.today, "recorded_at": report.now, "replaces_id": drawdown.id}
        (key,) = credit.add(tx, "drawdown", [again])
        report.events.append(paid(SimpleNamespace(id=key, **again), new, firm))
        report.note(who, "drawdown_corrected", "drawdown", key, new, details={"replaces": drawdown.id})
    credit.move_drawdowns(tx, old.id, new.id)


def _columns(who: Who, form: GrantForm, line: Any, first: bool, report: Report) -> dict[str, Any]:
    return {
        "line_id": line.id,
        "demand_id": line.demand_id,
        "bank_id": line.bank_id,
        "product_id": line.product_id,
        "uscc": line.uscc,
        "district": line.district,
        "amount_fen": form.amount_fen,
        "rate": form.rate,
        "term_months": form.term_months,
        "loan_type": str(form.loan_type),
        "is_first_loan": first and not form.is_renewal,
        "is_renewal": form.is_renewal,
        "is_renewal_without_repayment": form.is_renewal_without_repayment,
        "granted_on": form.granted_on,
        "recorded_on": report.today,
        "recorded_at": report.now,
        "recorded_by": who.person_id,
        "replaces_id": form.corrects_id,
    }


def _note(report: Report, who: Who, key: int, columns: Mapping[str, Any], old: Any | None) -> None:
    """Trail, the firm's notice, the demand to be settled."""
    grant = SimpleNamespace(**columns)
    verb = "granted" if old is None else "corrected"
    details: dict[str, Any] = {"amount_fen": grant.amount_fen, "late": grant.granted_on < report.today}
    if old is not None:
        details["replaces"] = old.id
    report.note(who, verb, "credit_grant", key, grant, details=details)
    values = {"bank_id": grant.bank_id, "amount_fen": grant.amount_fen, "rate": str(grant.rate)}
    report.messages.append(
        Message(f"line_{verb}", uscc=grant.uscc, demand_id=grant.demand_id, line_id=grant.line_id, values=values)
    )
    report.demands[grant.demand_id] = who


def _firm(firms: Mapping[str, Any], line: Any) -> Any:
    """Industry and size as far as the transaction sees the firm."""
    return firms.get(line.uscc) or SimpleNamespace(industry="", size_class="")
