"""A bank answers the lines of its list, one or many at once; a firm hands in papers or disputes a contact."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from service.actions.act_together import raise_refusal, refusals, settling_each
from service.domain import line_clock
from service.domain.answering import STATE_AFTER, Answered, AnswerForm, OfferForm, fault_of
from service.domain.clocks import clock, number
from service.domain.demand import IN_MATCHING, DemandState
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.domain.push_list import ANSWERABLE, LINE_MAY_BECOME, AnswerKind, LineState, OfferState
from service.domain.standards.calendar import Calendar
from service.store import answers, calendar, held_answers, notices, products, push_lists, queue, standing, trail
from service.store.bulk import change_rows, next_ids
from service.store.notices import Message
from service.store.trail import Act

L, K = LineState, AnswerKind
TOLD_TO_FIRM = {
    K.CONTACTED: "line_contacted",
    K.NEEDS_PAPERS: "line_needs_papers",
    K.EXTENSION: "line_extension",
    K.OFFERED: "line_offered",
    K.REFUSED: "line_refused",
}


@dataclass(frozen=True)
class Taken:
    """An answer that will be written: its line as it was, and the line's new columns."""

    who: Who
    form: AnswerForm
    line: Any
    state: LineState
    columns: Mapping[str, Any]
    reopens: bool = False


@dataclass(frozen=True)
class Desk:
    """What is known when the answers are looked at: the day, the calendar, the banks' last answers, the open offers,
    and the demands of lines whose answers are corrected."""

    today: date
    calendar: Calendar
    last: Mapping[int, Any]
    offers: Mapping[int, Any]
    demands: Mapping[int, Any]
    held: frozenset[int]
    """Lines whose answer somebody of the bank has confirmed and may still take back."""
    reopened: list[Any] = field(default_factory=list)
    """Lines that are open again by an answer of this batch."""


def answer_lines(tx: Session, who: Who, forms: Sequence[AnswerForm], today: date, now: datetime) -> list[Answered]:
    """Take each answer that can be taken and say of the others why not; results in the order of the forms."""
    if not who.is_bank:
        raise NotAllowed("只有银行可以反馈推送项。")
    return answer_each(tx, [(who, form) for form in forms], today, now)


def answer_each(tx: Session, said: Sequence[tuple[Who, AnswerForm]], today: date, now: datetime) -> list[Answered]:
    """The same for the answers of several banks (who, form); a demand they share is settled once, after all of them."""
    results: dict[int, Answered] = {}
    asked: set[tuple[int | None, int]] = set()
    good: dict[int, tuple[Who, AnswerForm]] = {}
    for place, (who, form) in enumerate(said):
        fault = fault_of(form, today)
        if fault is not None:
            results[place] = Answered(form.line_id, error=fault)
        elif (who.bank_id, form.line_id) in asked:
            results[place] = Answered(form.line_id, error=Conflict("同一推送项在一批中只能反馈一次。"))
        else:
            good[place] = (who, form)
            asked.add((who.bank_id, form.line_id))
    forms = [form for _, form in good.values()]
    lines = {line.id: line for line in push_lists.lock_lines(tx, [form.line_id for form in forms])} if forms else {}
    desk = _desk(tx, lines, forms, today)
    taken: dict[int, Taken] = {}
    for place, (who, form) in good.items():
        try:
            found = _take(tx, who, form, lines.get(form.line_id), desk)
        except DomainError as fault:
            results[place] = Answered(form.line_id, error=fault)
            continue
        if isinstance(found, Taken):
            taken[place] = found
        else:
            results[place] = Answered(form.line_id, found)
    ids = _write(tx, list(taken.values()), today, now)
    results |= {place: Answered(taken[place].form.line_id, key) for place, key in zip(taken, ids, strict=True)}
    return [results[place] for place in range(len(said))]


def answer_line(tx: Session, who: Who, form: AnswerForm, today: date, now: datetime) -> int:
    """One answer; its key. Raises what is wrong with it."""
    (result,) = answer_lines(tx, who, [form], today, now)
    if result.error is not None:
        raise result.error
    assert result.answer_id is not None
    return result.answer_id


def _desk(tx: Session, lines: Mapping[int, Any], forms: Sequence[AnswerForm], today: date) -> Desk:
    ids = list(lines)
    corrected = {lines[form.line_id].demand_id for form in forms if form.corrects_id and form.line_id in lines}
    return Desk(
        today,
        calendar.calendar(tx),
        answers.last_of(tx, ids),
        answers.open_offers_of(tx, ids),
        {row.id: row for row in standing.read(tx, sorted(corrected), today)} if corrected else {},
        held_answers.waiting_among(tx, ids),
    )


def _take(tx: Session, who: Who, form: AnswerForm, line: Any | None, desk: Desk) -> Taken | int:
    """The answer as it will be written, or the key of the same one given before."""
    if line is None or line.bank_id != who.bank_id:
        raise NotFound("没有这条推送项。")
    if line.view_closed:
        raise NotPossible("企业已撤回对贵行的授权，此项不能再反馈。")
    if line.id in desk.held:
        raise Conflict("此项有一条还可以撤销的反馈；请先撤销它，或等它生效。")
    if line.state == L.RECALLED:
        raise Conflict("平台已于 {on} 召回这份清单，此项不用反馈。", on=line.closed_on, state=line.state)
    last = desk.last.get(line.id)
    if form.corrects_id is None and last is not None and _is_same(form, last, desk.offers.get(line.id)):
        return int(last.id)
    corrects = form.corrects_id is not None
    if corrects:
        _check_correction(form, line, last, desk)
    elif line.closed_on is not None:
        raise Conflict("此项已于 {on} 关闭，不能再反馈。", on=line.closed_on, state=line.state)
    state = STATE_AFTER[K(form.kind)] or L(line.state)
    if not corrects and state != line.state and L(line.state) not in LINE_MAY_BECOME[state]:
        raise Conflict("此项已是“{old}”，不能再反馈为“{new}”。", old=line.state, new=state.value)
    reopens = line.closed_on is not None and state is not L.REFUSED
    columns = CLOCK_AFTER[K(form.kind)](form, line, desk)
    if reopens:
        with tx.begin_nested():
            _reopen(tx, line, desk)
    return Taken(who, form, line, state, columns, reopens)


def _is_same(form: AnswerForm, last: Any, offer: Any | None) -> bool:
    """A double click: the last answer said exactly this."""
    said = (last.kind, tuple(last.reasons), last.text, tuple(last.papers))
    if said != (form.kind, form.reasons, form.text, form.papers):
        return False
    if form.offer is None:
        return True
    names = ("amount_fen", "rate", "term_months", "loan_type", "repayment")
    if offer is None or any(getattr(offer, name) != getattr(form.offer, name) for name in names):
        return False
    return bool((offer.fees_fen, offer.fee_items) == (form.offer.total_fees_fen, _items_of(form.offer)))


def _check_correction(form: AnswerForm, line: Any, last: Any | None, desk: Desk) -> None:
    if last is None or last.id != form.corrects_id:
        raise Conflict("只能更正本行对此项的最近一次反馈；它已有更新，请刷新。")
    until = clock("correction", last.answered_on).surely_after(last.answered_on, desk.calendar)
    if desk.today > until:
        raise Conflict("更正期已于 {until} 结束。", until=until)
    if line.state not in ANSWERABLE | {L.REFUSED}:
        raise Conflict("此项已是“{old}”，反馈不能再更正。", old=line.state)


def _reopen(tx: Session, line: Any, desk: Desk) -> None:
    """A refusal said in error: the line holds its money again, if the demand still wants it and there is money left."""
    demand = desk.demands.get(line.demand_id)
    if demand is None or DemandState(demand.state) not in IN_MATCHING:
        raise Conflict("此需求已不在撮合中，不能恢复。")
    again = [one.bank_id for one in desk.reopened if one.demand_id == line.demand_id]
    open_lines = [one for one in standing.lines_of(tx, [line.demand_id])[line.demand_id] if one.is_open]
    if len(open_lines) + len(again) >= number("max_open_lines", desk.today):
        raise Conflict("此需求已另推送给其他银行，不能恢复。")
    if line.bank_id in again or push_lists.has_open_line(tx, line.demand_id, line.bank_id):
        raise Conflict("此需求已重新推送给贵行，请在新的推送项上反馈。")
    products.move_money(tx, {line.product_id: line.amount_fen}, {})
    if line.pushed_on == desk.today:
        products.take_places(tx, {line.product_id: 1}, desk.today)
    desk.reopened.append(line)


def _after_received(_form: AnswerForm, line: Any, desk: Desk) -> Mapping[str, Any]:
    if line.due_step == "contact":
        return {}
    return line_clock.from_push(desk.today, line.contact_days, desk.calendar)


def _after_contact(_form: AnswerForm, line: Any, desk: Desk) -> Mapping[str, Any]:
    if line.due_step == "papers":
        return line_clock.resumed(line, desk.today, line.decide_days, desk.calendar)
    return line_clock.from_complete_file(desk.today, line.decide_days, desk.calendar)


def _after_papers_asked(_form: AnswerForm, line: Any, desk: Desk) -> Mapping[str, Any]:
    paused = line_clock.paused_for_papers(line, desk.today, desk.calendar)
    if paused is None:
        raise NotPossible("此项补件暂停的天数已用完，请在时限内给出决定。")
    return paused


def _after_extension(_form: AnswerForm, line: Any, desk: Desk) -> Mapping[str, Any]:
    extended = None if line.extended_on else line_clock.extended(line, desk.today, desk.calendar)
    if extended is None:
        raise Conflict("每项只能在时限内延期一次。")
    return extended


def _after_offer(form: AnswerForm, _line: Any, desk: Desk) -> Mapping[str, Any]:
    assert form.offer is not None
    return line_clock.waits_for_firm(_valid_until(form.offer, desk))


CLOCK_AFTER: dict[AnswerKind, Callable[[AnswerForm, Any, Desk], Mapping[str, Any]]] = {
    K.RECEIVED: _after_received,
    K.CONTACTED: _after_contact,
    K.NEEDS_PAPERS: _after_papers_asked,
    K.EXTENSION: _after_extension,
    K.OFFERED: _after_offer,
    K.REFUSED: lambda _form, _line, _desk: {},
}


def _valid_until(offer: OfferForm, desk: Desk) -> date:
    return offer.valid_until_on or clock("offer_valid", desk.today).surely_after(desk.today, desk.calendar)


def _write(tx: Session, taken: Sequence[Taken], today: date, now: datetime) -> list[int]:
    """Answers, lines, offers, money, notices, trail: the whole batch in a handful of statements."""
    if not taken:
        return []
    ids = next_ids(tx, "answer", len(taken))
    answers.add(tx, [_answer_row(key, one, today, now) for key, one in zip(ids, taken, strict=True)])
    _write_lines(tx, taken, now)
    ended = [one.line for one in taken if one.state is L.REFUSED and one.line.closed_on is None]
    push_lists.end_lines(tx, ended, L.REFUSED.value, OfferState.TAKEN_BACK.value, today, now)
    _write_offers(tx, list(zip(ids, taken, strict=True)), now)
    said = [(one.who, _act(key, one)) for key, one in zip(ids, taken, strict=True)]
    said += settling_each(tx, {one.line.demand_id: one.who for one in taken}, today, now, "answered")
    notices.add(tx, [_message(one) for one in taken if K(one.form.kind) in TOLD_TO_FIRM], today, now)
    trail.append_each(tx, said, now)
    if ended:
        queue.defer_in(tx, queue.TODAY, once=queue.TODAY)
    return ids


def _write_lines(tx: Session, taken: Sequence[Taken], now: datetime) -> None:
    """New states and clocks, grouped by the columns they touch; refusals are closed apart."""
    by_shape: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for one in taken:
        if one.state is L.REFUSED:
            continue
        row = {"id": one.line.id, **one.columns}
        if one.state != one.line.state:
            row |= {"state": one.state.value, "state_at": now}
        if one.reopens:
            row |= {"closed_on": None, "reserved_fen": one.line.amount_fen}
        by_shape[tuple(row)].append(row)
    for shape, rows in by_shape.items():
        if len(shape) > 1:
            change_rows(tx, "push_line", "id", rows)


def _write_offers(tx: Session, taken: Sequence[tuple[int, Taken]], now: datetime) -> None:
    made = [(key, one) for key, one in taken if one.form.offer is not None and one.state is L.OFFERED]
    taken_back = [
        one.line.id for _, one in taken if one.line.state == L.OFFERED and one.state not in (L.OFFERED, L.REFUSED)
    ]
    answers.end_offers(tx, taken_back, OfferState.TAKEN_BACK.value, now)
    answers.end_offers(tx, [one.line.id for _, one in made], OfferState.REPLACED.value, now)
    answers.add_offers(tx, [_offer_row(key, one, one.form.offer, now) for key, one in made if one.form.offer])


def _answer_row(key: int, one: Taken, today: date, now: datetime) -> dict[str, Any]:
    form = one.form
    return {
        "id": key,
        "line_id": one.line.id,
        "bank_id": one.line.bank_id,
        "kind": form.kind,
        "reasons": list(form.reasons),
        "text": form.text,
        "papers": list(form.papers),
        "channel": form.channel[:12],
        "answered_on": today,
        "answered_at": form.said_at or now,
        "answered_by": one.who.person_id,
        "corrects_id": form.corrects_id,
    }


def _items_of(offer: OfferForm) -> list[dict[str, Any]]:
    """The fees as they are kept; none where only their sum was told."""
    return [fee.told(offer.amount_fen, offer.term_months) for fee in offer.fees]


def _offer_row(key: int, one: Taken, offer: OfferForm, now: datetime) -> dict[str, Any]:
    return {
        "line_id": one.line.id,
        "answer_id": key,
        "bank_id": one.line.bank_id,
        "demand_id": one.line.demand_id,
        "amount_fen": offer.amount_fen,
        "rate": offer.rate,
        "fees_fen": offer.total_fees_fen,
        "fee_items": _items_of(offer),
        "repayment": str(offer.repayment),
        "all_in_rate": offer.all_in_rate,
        "term_months": offer.term_months,
        "loan_type": str(offer.loan_type),
        "valid_until_on": one.columns["due_on"],
        "state": OfferState.OPEN.value,
        "offered_at": now,
    }


def _act(key: int, one: Taken) -> Act:
    details: dict[str, Any] = {"answer": key}
    if one.form.reasons:
        details["reasons"] = list(one.form.reasons)
    if one.form.corrects_id is not None:
        details["corrects"] = one.form.corrects_id
    return Act(
        one.form.kind if one.form.corrects_id is None else "corrected",
        "push_line",
        one.line.id,
        old=one.line.state,
        new=one.state.value,
        details=details | {"kind": one.form.kind},
        **_whose(one.line),
    )


def _whose(line: Any) -> dict[str, Any]:
    return {"demand_id": line.demand_id, "uscc": line.uscc, "bank_id": line.bank_id, "district": line.district}


def _message(one: Taken) -> Message:
    form = one.form
    values: dict[str, Any] = {"bank_id": one.line.bank_id}
    if form.reasons:
        values["reasons"] = list(form.reasons)
    if form.papers:
        values["papers"] = list(form.papers)
    if form.offer is not None:
        values |= {"amount_fen": form.offer.amount_fen, "rate": str(form.offer.rate)}
    return Message(
        TOLD_TO_FIRM[K(form.kind)], uscc=one.line.uscc, demand_id=one.line.demand_id, line_id=one.line.id, values=values
    )


def give_papers(tx: Session, who: Who, line_id: int, today: date, now: datetime) -> None:
    """The firm has handed in what was asked: the file is with the bank again and its clock goes on."""
    raise_refusal(give_papers_each(tx, [(who, line_id)], today, now))


def give_papers_each(
    tx: Session, given: Sequence[tuple[Who, int]], today: date, now: datetime
) -> list[DomainError | None]:
    """Many firms' papers (who, line) in one go: for each None, or why they were not awaited."""
    there, complete = _lines_of_firms(tx, given), dict[int, tuple[Who, Any]]()
    found = refusals(given, lambda one: _complete(one[0], _own_line(there, *one), complete))
    _write_papers(tx, complete, today, now)
    return found


def _complete(who: Who, line: Any, complete: dict[int, tuple[Who, Any]]) -> None:
    """Put the line among those that are `complete` now (line → who, line)."""
    if line.state != L.NEEDS_PAPERS or line.id in complete:
        raise Conflict("银行没有在等待补件。")
    complete[line.id] = (who, line)


def _write_papers(tx: Session, complete: Mapping[int, tuple[Who, Any]], today: date, now: datetime) -> None:
    if not complete:
        return
    days, lines = calendar.calendar(tx), [line for _, line in complete.values()]
    new = {"state": L.CONTACTED.value, "state_at": now}
    rows = [{"id": line.id, **new, **line_clock.resumed(line, today, line.decide_days, days)} for line in lines]
    change_rows(tx, "push_line", "id", rows)
    said = [(who, _papers_given(line)) for who, line in complete.values()]
    said += settling_each(tx, {line.demand_id: who for who, line in complete.values()}, today, now, "papers_given")
    told = [Message("papers_given", bank_id=one.bank_id, demand_id=one.demand_id, line_id=one.id) for one in lines]
    notices.add(tx, told, today, now)
    trail.append_each(tx, said, now)


def _papers_given(line: Any) -> Act:
    return Act("papers_given", "push_line", line.id, old=line.state, new=L.CONTACTED.value, **_whose(line))


def dispute_contact(tx: Session, who: Who, line_id: int, today: date, now: datetime) -> None:
    """The firm says that nobody contacted it, whether the bank says it did or let the day pass: kept once, and marked
    for the bank, the district and the figures."""
    line = _own_line(_lines_of_firms(tx, [(who, line_id)]), who, line_id)
    if line.contact_disputed_on is not None:
        return
    if not may_dispute(line, today):
        raise Conflict("银行还没有说已联系贵企业，联系的期限也没有过。")
    change_rows(tx, "push_line", "id", [{"id": line.id, "contact_disputed_on": today}])
    told = {"demand_id": line.demand_id, "line_id": line.id, "values": {"bank_id": line.bank_id}}
    notices.add(
        tx,
        [
            Message("contact_disputed", bank_id=line.bank_id, **told),
            Message("contact_disputed", district=line.district, **told),
        ],
        today,
        now,
    )
    trail.append(tx, who, [Act("contact_disputed", "push_line", line.id, **_whose(line))], now)


def may_dispute(line: Any, today: date) -> bool:
    """Whether the firm can say that nobody contacted it: the bank says it did, or its day for it is over."""
    if line.state in (L.PUSHED, L.RECEIVED):
        return line.due_step == "contact" and line.due_on is not None and line.due_on < today
    return line.state in (L.CONTACTED, L.NEEDS_PAPERS, L.REFUSED, L.SILENT)


def _lines_of_firms(tx: Session, asked: Sequence[tuple[Who, int]]) -> dict[int, Any]:
    """Line → itself, locked after its demand."""
    ids = [line_id for who, line_id in asked if who.role is Role.FIRM]
    return {line.id: line for line in push_lists.lock_lines(tx, ids)} if ids else {}


def _own_line(there: Mapping[int, Any], who: Who, line_id: int) -> Any:
    if who.role is not Role.FIRM:
        raise NotAllowed("只有企业本人可以这样做。")
    if line_id not in there or there[line_id].uscc != who.uscc:
        raise NotFound("没有这条推送项。")
    return there[line_id]
