"""Money paid out under grants: never more than granted, each loan number once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlmodel import Session

from service.actions.note_credit import Report, paid
from service.domain.errors import Conflict, DomainError, NotFound, NotPossible
from service.domain.people import Who
from service.domain.push_list import LineState
from service.domain.reporting import DrawForm, Reported, fault_of_draw
from service.store import credit

SAID = ("amount_fen", "rate", "drawn_on", "matures_on")


@dataclass(frozen=True)
class Drawn:
    """A drawdown that will be written: who reports it, its grant and line as they were."""

    who: Who
    form: DrawForm
    grant: Any
    line: Any


@dataclass(frozen=True)
class Desk:
    """What is known when the forms are looked at; grants and lines are locked."""

    grants: Mapping[int, Any]
    lines: Mapping[int, Any]
    drawn: Mapping[int, int]
    """Grant → what has been paid out under it, in fen."""
    numbered: Mapping[tuple[int, str], Any]
    """(Bank, loan number) → the drawdown that stands under it."""


def take_drawdowns(tx: Session, said: Sequence[tuple[Who, DrawForm]], report: Report) -> list[Reported]:
    """First reports, each under a grant of its own and a number of its own, as if one after the other."""
    desk = _desk(tx, said)
    looked_at = [_look(who, form, desk, report) for who, form in said]
    keys = iter(_write(tx, [one for one in looked_at if isinstance(one, Drawn)], report))
    return [Reported(next(keys)) if isinstance(one, Drawn) else one for one in looked_at]


def _desk(tx: Session, said: Sequence[tuple[Who, DrawForm]]) -> Desk:
    grants, lines = credit.lock_grants(tx, [who for who, _ in said], [form.grant_id for _, form in said])
    numbers = credit.find_by_numbers(tx, [number_of(who, form) for who, form in said])
    return Desk(grants, lines, credit.drawn_under(tx, list(grants)), numbers)


def number_of(who: Who, form: DrawForm) -> tuple[int, str]:
    """(Bank, loan number): what names a loan."""
    return who.bank_id or 0, form.loan_number.strip()


def _look(who: Who, form: DrawForm, desk: Desk, report: Report) -> Drawn | Reported:
    try:
        return _take(who, form, desk, report)
    except DomainError as fault:
        return Reported(error=fault)


def _take(who: Who, form: DrawForm, desk: Desk, report: Report) -> Drawn | Reported:
    """The drawdown as it will be written, or the key of the same one reported before."""
    grant = _grant_of(who, form, desk, report)
    same = desk.numbered.get(number_of(who, form))
    if same is not None:
        if same.grant_id == grant.id and all(getattr(form, name) == getattr(same, name) for name in SAID):
            return Reported(same.id, is_repeat=True)
        raise Conflict("借据号 {number} 已报送；如有错误，请更正。", field="loan_number", number=form.loan_number)
    _check_amount(form, grant, desk.drawn[grant.id])
    return Drawn(who, form, grant, desk.lines[grant.line_id])


def _grant_of(who: Who, form: DrawForm, desk: Desk, report: Report) -> Any:
    fault = fault_of_draw(form, report.today)
    if fault is not None:
        raise fault
    return standing_grant(who, form.grant_id, desk.grants)


def standing_grant(who: Who, grant_id: int, grants: Mapping[int, Any]) -> Any:
    """The bank's own grant, if it stands."""
    grant = grants.get(grant_id)
    if grant is None or grant.bank_id != who.bank_id:
        raise NotFound("没有这笔授信。")
    if grant.voided_at is not None:
        raise Conflict("此授信已被更正或作废，请刷新。")
    return grant


def _check_amount(form: DrawForm, grant: Any, others_fen: int) -> None:
    if form.drawn_on < grant.granted_on:
        raise NotPossible("放款日期不能早于授信日期 {on}。", field="drawn_on", on=grant.granted_on)
    if others_fen + form.amount_fen > grant.amount_fen:
        left = grant.amount_fen - others_fen
        raise NotPossible("放款合计不能超过授信金额。", field="amount_fen", left_fen=left)


def _write(tx: Session, taken: Sequence[Drawn], report: Report) -> list[int]:
    """Drawdowns and lines: the whole batch in a handful of statements."""
    if not taken:
        return []
    keys = credit.add(tx, "drawdown", [_columns(one, report) for one in taken])
    first = [one for one in taken if one.line.state == LineState.GRANTED]
    for key, one in zip(keys, taken, strict=True):
        if one.line.state == LineState.GRANTED:
            report.move_line(one.who, one.line, LineState.DRAWN)
        _note(report, key, one)
    report.write_moves(tx, [one.line for one in first], LineState.DRAWN, {})
    return keys


def correct_drawdown(tx: Session, who: Who, form: DrawForm, report: Report) -> int:
    """The drawdown that replaces another one under its grant."""
    desk = _desk(tx, [(who, form)])
    grant = _grant_of(who, form, desk, report)
    old = credit.lock_drawdown(tx, form.corrects_id or 0, who.bank_id or 0)
    if old is None or old.voided_at is not None or old.grant_id != grant.id:
        raise Conflict("只能更正当前有效的放款；它已有更新，请刷新。")
    same = desk.numbered.get(number_of(who, form))
    if same is not None and same.id != old.id:
        raise Conflict("借据号 {number} 已用于另一笔放款。", field="loan_number", number=form.loan_number)
    _check_amount(form, grant, desk.drawn[grant.id] - old.amount_fen)
    credit.void(tx, "drawdown", old.id, report.now)
    report.events.append(paid(old, grant, grant, sign=-1))
    (key,) = _write(tx, [Drawn(who, form, grant, desk.lines[grant.line_id])], report)
    return key


def _columns(one: Drawn, report: Report) -> dict[str, Any]:
    form, grant = one.form, one.grant
    return {
        "grant_id": grant.id,
        "demand_id": grant.demand_id,
        "bank_id": grant.bank_id,
        "uscc": grant.uscc,
        "district": grant.district,
        "loan_number": form.loan_number.strip(),
        "amount_fen": form.amount_fen,
        "rate": form.rate,
        "drawn_on": form.drawn_on,
        "matures_on": form.matures_on,
        "recorded_on": report.today,
        "recorded_at": report.now,
        "recorded_by": one.who.person_id,
        "replaces_id": form.corrects_id,
    }


def _note(report: Report, key: int, one: Drawn) -> None:
    """Trail, figures, the demand to be settled."""
    form, grant = one.form, one.grant
    report.events.append(paid(SimpleNamespace(id=key, **_columns(one, report)), grant, grant))
    verb = "drawn" if form.corrects_id is None else "drawdown_corrected"
    details = {"amount_fen": form.amount_fen, "late": form.drawn_on < report.today, "replaces": form.corrects_id}
    report.note(one.who, verb, "drawdown", key, grant, details=details)
    report.demands[grant.demand_id] = one.who


def lock_drawn(tx: Session, who: Who, drawdown_id: int) -> tuple[Any, Any, Any]:
    """A drawdown of this bank that stands, its grant and its line."""
    found = credit.find_drawdown(tx, drawdown_id)
    if found is None:
        raise NotFound("没有这笔放款。")
    grants, lines = credit.lock_grants(tx, [who], [found.grant_id])
    grant = standing_grant(who, found.grant_id, grants)
    drawdown = credit.lock_drawdown(tx, drawdown_id, grant.bank_id)
    if drawdown is None or drawdown.voided_at is not None:
        raise Conflict("此放款已被更正或作废，请刷新。")
    return drawdown, grant, lines[grant.line_id]
