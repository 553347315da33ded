"""A bank reports what it granted, paid out and got back; corrections are rows beside the first, and late ones show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from sqlmodel import Session

from service.actions.settle_demand import settling
from service.domain import line_clock
from service.domain.demand import DemandState, may_become
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.figure import FigureKind
from service.domain.people import Who
from service.domain.push_list import LINE_MAY_BECOME, LineState
from service.domain.reporting import DrawForm, GrantForm, Reported, fault_of_draw, fault_of_grant
from service.store import calendar, credit, notices, products, push_lists, statistics, trail
from service.store.bulk import change_rows
from service.store.notices import Message
from service.store.statistics import Event
from service.store.trail import Act

L = LineState
F = TypeVar("F")
ENDED_LINE = {"due_step": "none", "due_on": None, "waits_for_calendar": False}


@dataclass
class Report:
    """What a batch gathers on its way and writes once at its end."""

    who: Who
    today: date
    now: datetime
    acts: list[Act] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    demands: set[int] = field(default_factory=set)

    @property
    def bank_id(self) -> int:
        return self.who.bank_id or 0

    def whose(self, row: Any) -> dict[str, Any]:
        """The scope of an act about this row."""
        return {"demand_id": row.demand_id, "uscc": row.uscc, "bank_id": row.bank_id, "district": row.district}


def report_grants(tx: Session, who: Who, forms: Sequence[GrantForm], today: date, now: datetime) -> list[Reported]:
    """Credit granted on accepted lines: the amount granted takes the place of the money reserved, within the quota."""
    return _each(tx, who, forms, _grant, today, now)


def report_drawdowns(tx: Session, who: Who, forms: Sequence[DrawForm], today: date, now: datetime) -> list[Reported]:
    """Money paid out under grants: never more than granted, each loan number once."""
    return _each(tx, who, forms, _draw, today, now)


def report_repaid(
    tx: Session, who: Who, drawdown_ids: Sequence[int], on: date, today: date, now: datetime
) -> list[Reported]:
    """Loans paid back; a demand whose loans are all paid back has come to its end."""
    return _each(tx, who, drawdown_ids, lambda tx, key, report: _repay(tx, key, on, report), today, now)


def void_grants(tx: Session, who: Who, grant_ids: Sequence[int], today: date, now: datetime) -> list[Reported]:
    """Grants reported in error: the line is accepted again and holds its money; not while anything is drawn on it."""
    return _each(tx, who, grant_ids, _void_grant, today, now)


def void_drawdowns(tx: Session, who: Who, drawdown_ids: Sequence[int], today: date, now: datetime) -> list[Reported]:
    """Drawdowns reported in error."""
    return _each(tx, who, drawdown_ids, _void_drawdown, today, now)


def _each(
    tx: Session, who: Who, forms: Sequence[F], take: Callable[[Session, F, Report], int], today: date, now: datetime
) -> list[Reported]:
    """Take each form behind a savepoint of its own, then settle, count, tell and record once for all."""
    if not who.is_bank:
        raise NotAllowed("只有银行可以报送授信与放款。")
    report = Report(who, today, now)
    results = []
    for form in forms:
        heard = len(report.acts), len(report.events), len(report.messages)
        try:
            with tx.begin_nested():
                results.append(Reported(take(tx, form, report)))
        except DomainError as fault:
            acts, events, messages = heard
            del report.acts[acts:], report.events[events:], report.messages[messages:]
            results.append(Reported(error=fault))
    report.acts += settling(tx, who, sorted(report.demands), today, now, "credit_reported")
    statistics.count(tx, report.events, today, now)
    notices.add(tx, report.messages, today, now)
    trail.append(tx, who, report.acts, now)
    return results


def _grant(tx: Session, form: GrantForm, report: Report) -> int:
    fault = fault_of_grant(form, report.today)
    if fault is not None:
        raise fault
    lines = push_lists.lock_lines_of_bank(tx, report.who, [form.line_id])
    if not lines:
        raise NotFound("没有这条推送项。")
    line = lines[0]
    if form.granted_on < line.pushed_on:
        raise NotPossible("授信日期不能早于推送日期 {on}。", field="granted_on", on=line.pushed_on)
    old = credit.lock_live_grant(tx, line.id)
    if old is not None and form.corrects_id is None and _says_the_same(form, old):
        return int(old.id)
    _check_grant(tx, form, line, old)
    spent = old.amount_fen if old is not None else 0
    products.move_money(tx, {line.product_id: -line.reserved_fen}, {line.product_id: form.amount_fen - spent})
    if old is not None:
        credit.void(tx, "credit_grant", old.id, report.now)
        report.events.append(_granted(old, _firm_of(tx, line.uscc), sign=-1))
    row = _grant_row(tx, form, line, old, report)
    key = credit.add(tx, "credit_grant", row)
    if old is not None:
        _carry_over(tx, old, _Row({**row, "id": key}), _firm_of(tx, line.uscc), report)
    else:
        _move_line(tx, line, L.GRANTED, report, {**ENDED_LINE, "reserved_fen": 0, "closed_on": report.today})
    _note_grant(report, key, row, old, line)
    report.events.append(_granted(_Row({**row, "id": key}), _firm_of(tx, line.uscc)))
    return key


def _carry_over(tx: Session, old: Any, new: Any, firm: Any, report: Report) -> None:
    """Drawdowns go over to the grant that replaces theirs; where its kind changed, they are counted anew as rows."""
    kinds = ("loan_type", "is_first_loan", "is_renewal_without_repayment")
    for drawdown in credit.list_live_drawdowns(tx, old.id):
        if all(getattr(old, kind) == getattr(new, kind) for kind in kinds):
            continue
        credit.void(tx, "drawdown", drawdown.id, report.now)
        report.events.append(_paid(drawdown, _with_firm(old, firm), sign=-1))
        again = {name: value for name, value in drawdown._mapping.items() if name not in ("id", "voided_at")}  # noqa: SLF001
        again |= {"recorded_on": report.today, "recorded_at": report.now, "replaces_id": drawdown.id}
        key = credit.add(tx, "drawdown", again)
        report.events.append(_paid(_Row({**again, "id": key}), _with_firm(new, firm)))
        report.acts.append(
            Act("drawdown_corrected", "drawdown", key, details={"replaces": drawdown.id}, **report.whose(new))
        )
    credit.move_drawdowns(tx, old.id, new.id)


def _check_grant(tx: Session, form: GrantForm, line: Any, old: Any | None) -> None:
    if form.corrects_id is None:
        if old is not None:
            raise Conflict("此项已报送授信；如有错误，请更正。")
        if line.state != L.ACCEPTED:
            raise Conflict("企业尚未接受贵行的报价，不能报送授信。", state=line.state)
        return
    if old is None or old.id != form.corrects_id:
        raise Conflict("只能更正当前有效的授信；它已有更新，请刷新。")
    if credit.drawn_under(tx, old.id) > form.amount_fen:
        raise NotPossible("授信金额不能小于已放款金额。", field="amount_fen")


def _says_the_same(form: GrantForm, old: Any) -> bool:
    names = ("amount_fen", "rate", "term_months", "loan_type", "granted_on")
    return all(getattr(form, name) == getattr(old, name) for name in names)


def _grant_row(tx: Session, form: GrantForm, line: Any, old: Any | None, report: Report) -> dict[str, Any]:
    first = form.is_first_loan
    if first is None:
        first = old.is_first_loan if old is not None else line.uscc not in credit.with_loans(tx, [line.uscc])
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
        "recorded_by": report.who.person_id,
        "replaces_id": form.corrects_id,
    }


def _note_grant(report: Report, key: int, row: dict[str, Any], old: Any | None, line: Any) -> None:
    verb = "granted" if old is None else "corrected"
    details: dict[str, Any] = {"amount_fen": row["amount_fen"], "late": row["granted_on"] < report.today}
    if old is not None:
        details["replaces"] = old.id
    report.acts.append(Act(verb, "credit_grant", key, details=details, **report.whose(line)))
    values = {"bank_id": line.bank_id, "amount_fen": row["amount_fen"], "rate": str(row["rate"])}
    report.messages.append(
        Message(f"line_{verb}", uscc=line.uscc, demand_id=line.demand_id, line_id=line.id, values=values)
    )
    report.demands.add(line.demand_id)


def _draw(tx: Session, form: DrawForm, report: Report) -> int:
    fault = fault_of_draw(form, report.today)
    if fault is not None:
        raise fault
    grant, line = _lock_grant(tx, form.grant_id, report)
    same = credit.find_by_number(tx, report.bank_id, form.loan_number.strip())
    old = None
    if form.corrects_id is not None:
        old = credit.lock_drawdown(tx, form.corrects_id, report.bank_id)
        if old is None or old.voided_at is not None or old.grant_id != grant.id:
            raise Conflict("只能更正当前有效的放款；它已有更新，请刷新。")
        if same is not None and same.id != old.id:
            raise Conflict("借据号 {number} 已用于另一笔放款。", field="loan_number", number=form.loan_number)
    elif same is not None:
        if same.grant_id == grant.id and (same.amount_fen, same.drawn_on) == (form.amount_fen, form.drawn_on):
            return int(same.id)
        raise Conflict("借据号 {number} 已报送；如有错误，请更正。", field="loan_number", number=form.loan_number)
    _check_draw(tx, form, grant, old)
    if old is not None:
        credit.void(tx, "drawdown", old.id, report.now)
        report.events.append(_paid(old, grant, sign=-1))
    row = _draw_row(form, grant, report)
    key = credit.add(tx, "drawdown", row)
    if line.state == L.GRANTED:
        _move_line(tx, line, L.DRAWN, report, {})
    report.events.append(_paid(_Row({**row, "id": key}), grant))
    verb = "drawn" if old is None else "drawdown_corrected"
    details = {"amount_fen": form.amount_fen, "late": form.drawn_on < report.today, "replaces": form.corrects_id}
    report.acts.append(Act(verb, "drawdown", key, details=details, **report.whose(grant)))
    report.demands.add(grant.demand_id)
    return key


def _check_draw(tx: Session, form: DrawForm, grant: Any, old: Any | None) -> None:
    if form.drawn_on < grant.granted_on:
        raise NotPossible("放款日期不能早于授信日期 {on}。", field="drawn_on", on=grant.granted_on)
    others = credit.drawn_under(tx, grant.id) - (old.amount_fen if old is not None else 0)
    if others + form.amount_fen > grant.amount_fen:
        raise NotPossible("放款合计不能超过授信金额。", field="amount_fen", left_fen=grant.amount_fen - others)


def _draw_row(form: DrawForm, grant: Any, report: Report) -> dict[str, Any]:
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
        "recorded_by": report.who.person_id,
        "replaces_id": form.corrects_id,
    }


def _repay(tx: Session, key: int, on: date, report: Report) -> int:
    grant, drawdown = _lock_drawn(tx, key, report)
    if drawdown.repaid_on is not None:
        return key
    if not drawdown.drawn_on <= on <= report.today:
        raise NotPossible("结清日期须在放款日与今天之间。", field="repaid_on")
    credit.mark_repaid(tx, key, on)
    report.acts.append(Act("repaid", "drawdown", key, **report.whose(grant)))
    drawn_out = credit.drawn_under(tx, grant.id) > 0 and credit.count_unrepaid(tx, grant.demand_id) == 0
    if drawn_out and may_become(DemandState.DRAWN, DemandState.REPAID, report.who.role):
        credit.end_demand(tx, grant.demand_id, DemandState.REPAID.value, report.today)
        old, new = DemandState.DRAWN.value, DemandState.REPAID.value
        report.acts.append(Act("repaid", "demand", grant.demand_id, old=old, new=new, **report.whose(grant)))
    report.demands.add(grant.demand_id)
    return key


def _void_grant(tx: Session, key: int, report: Report) -> int:
    grant, line = _lock_grant(tx, key, report)
    if credit.drawn_under(tx, grant.id):
        raise NotPossible("已有放款的授信不能作废，请先作废放款。")
    credit.void(tx, "credit_grant", key, report.now)
    products.move_money(tx, {line.product_id: line.amount_fen}, {line.product_id: -grant.amount_fen})
    clock = line_clock.from_acceptance(report.today, calendar.calendar(tx))
    _move_line(tx, line, L.ACCEPTED, report, {**clock, "reserved_fen": line.amount_fen, "closed_on": None})
    report.events.append(_granted(grant, grant, sign=-1))
    report.acts.append(Act("grant_voided", "credit_grant", key, **report.whose(grant)))
    report.demands.add(grant.demand_id)
    return key


def _void_drawdown(tx: Session, key: int, report: Report) -> int:
    grant, drawdown = _lock_drawn(tx, key, report)
    if drawdown.repaid_on is not None:
        raise NotPossible("已结清的放款不能作废。")
    credit.void(tx, "drawdown", key, report.now)
    if not credit.drawn_under(tx, grant.id):
        (line,) = push_lists.lock_lines_of_bank(tx, report.who, [grant.line_id])
        _move_line(tx, line, L.GRANTED, report, {})
    report.events.append(_paid(drawdown, grant, sign=-1))
    report.acts.append(Act("drawdown_voided", "drawdown", key, **report.whose(grant)))
    report.demands.add(grant.demand_id)
    return key


def _lock_grant(tx: Session, grant_id: int, report: Report) -> tuple[Any, Any]:
    """A grant of this bank that stands, and its line: demand, line, grant are locked in this order."""
    found = credit.find_grant(tx, grant_id)
    lines = push_lists.lock_lines_of_bank(tx, report.who, [found.line_id]) if found else []
    grant = credit.lock_grant(tx, grant_id, report.bank_id) if lines else None
    if grant is None:
        raise NotFound("没有这笔授信。")
    if grant.voided_at is not None:
        raise Conflict("此授信已被更正或作废，请刷新。")
    return grant, lines[0]


def _lock_drawn(tx: Session, drawdown_id: int, report: Report) -> tuple[Any, Any]:
    """A drawdown of this bank that stands, and its grant."""
    found = credit.find_drawdown(tx, drawdown_id)
    if found is None:
        raise NotFound("没有这笔放款。")
    grant, _ = _lock_grant(tx, found.grant_id, report)
    drawdown = credit.lock_drawdown(tx, drawdown_id, report.bank_id)
    if drawdown is None or drawdown.voided_at is not None:
        raise Conflict("此放款已被更正或作废，请刷新。")
    return grant, drawdown


def _move_line(tx: Session, line: Any, state: LineState, report: Report, columns: dict[str, Any]) -> None:
    if L(line.state) not in LINE_MAY_BECOME[state]:
        raise Conflict("推送项不能由“{old}”变为“{new}”", old=line.state, new=state.value)
    change_rows(tx, "push_line", "id", [{"id": line.id, "state": state.value, "state_at": report.now, **columns}])
    report.acts.append(
        Act("credit_reported", "push_line", line.id, old=line.state, new=state.value, **report.whose(line))
    )


class _Row:
    """A row about to be written, read like one that was."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.__dict__.update(columns)


def _firm_of(tx: Session, uscc: str) -> Any:
    return credit.facts_of(tx, [uscc]).get(uscc) or _Row({"industry": "", "size_class": ""})


def _with_firm(grant: Any, firm: Any) -> Any:
    names = ("loan_type", "is_first_loan", "is_renewal_without_repayment")
    kind = {name: getattr(grant, name) for name in names}
    return _Row({**kind, "industry": firm.industry, "size_class": firm.size_class})


def _granted(grant: Any, firm: Any, sign: int = 1) -> Event:
    return Event(
        FigureKind.GRANTED,
        grant.granted_on,
        grant.id,
        grant.demand_id,
        grant.uscc,
        grant.district,
        grant.amount_fen,
        bank_id=grant.bank_id,
        industry=firm.industry[:1],
        size=firm.size_class,
        rate=grant.rate,
        loan_type=grant.loan_type,
        is_first_loan=grant.is_first_loan,
        is_renewal_without_repayment=grant.is_renewal_without_repayment,
        sign=sign,
    )


def _paid(drawdown: Any, grant: Any, sign: int = 1) -> Event:
    return Event(
        FigureKind.DRAWN,
        drawdown.drawn_on,
        drawdown.id,
        drawdown.demand_id,
        drawdown.uscc,
        drawdown.district,
        drawdown.amount_fen,
        bank_id=drawdown.bank_id,
        industry=grant.industry[:1],
        size=grant.size_class,
        rate=drawdown.rate,
        loan_type=grant.loan_type,
        is_first_loan=grant.is_first_loan,
        is_renewal_without_repayment=grant.is_renewal_without_repayment,
        sign=sign,
    )
