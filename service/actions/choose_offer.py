"""The firm compares offers and takes one; the others close; an offer lapses on its day, or its bank takes it back."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.answer_push import answer_line
from service.actions.settle_demand import closing, settling
from service.domain import line_clock
from service.domain.answering import AnswerForm
from service.domain.errors import Conflict, NotAllowed, NotFound
from service.domain.people import Role, Who
from service.domain.push_list import AnswerKind, LineState, OfferState
from service.store import answers, calendar, notices, push_lists, queue, standing, trail
from service.store.bulk import change_rows
from service.store.notices import Message
from service.store.trail import Act


def compare_offers(tx: Session, who: Who, demand_id: int) -> Sequence[Row[Any]]:
    """The offers on the firm's own demand: open ones first, the lowest all-in rate on top."""
    if who.role is Role.FIRM and not any(row.uscc == who.uscc for row in standing.find(tx, demand_id)):
        raise NotFound("没有这笔融资需求。")
    return answers.list_of_demand(tx, demand_id)


def accept_offer(tx: Session, who: Who, offer_id: int, today: date, now: datetime) -> None:
    """Take this offer; every other open line of the demand closes with 'the firm chose another'. Twice is once."""
    offer, line = _lock(tx, who, offer_id)
    if offer.state == OfferState.ACCEPTED:
        return
    if offer.state != OfferState.OPEN or line.state != LineState.OFFERED or offer.valid_until_on < today:
        raise Conflict("此报价已失效，请查看其他报价。")
    others = [
        one.line_id for one in standing.lines_of(tx, [offer.demand_id])[offer.demand_id] if one.line_id != line.id
    ]
    acts, messages, _ = closing(tx, others, LineState.PASSED_OVER, today, now, "chose_another")
    answers.accept(tx, offer_id, now)
    clock = line_clock.from_acceptance(today, calendar.calendar(tx))
    change_rows(tx, "push_line", "id", [{"id": line.id, "state": LineState.ACCEPTED.value, "state_at": now, **clock}])
    acts.append(_act("accepted", line, LineState.ACCEPTED, offer_id))
    acts += settling(tx, who, [offer.demand_id], today, now, "accepted")
    messages.append(Message("offer_accepted", bank_id=line.bank_id, demand_id=line.demand_id, line_id=line.id))
    notices.add(tx, messages, today, now)
    trail.append(tx, who, acts, now)


def decline_offer(tx: Session, who: Who, offer_id: int, today: date, now: datetime) -> None:
    """Say no to this offer; the demand goes on with other banks. Twice is once."""
    offer, line = _lock(tx, who, offer_id)
    if offer.state != OfferState.OPEN:
        if line.state == LineState.WITHDRAWN:
            return
        raise Conflict("此报价已失效，请查看其他报价。")
    acts, messages, demands = closing(tx, [line.id], LineState.WITHDRAWN, today, now, "offer_declined")
    acts += settling(tx, who, demands, today, now, "offer_declined")
    notices.add(tx, messages, today, now)
    trail.append(tx, who, acts, now)
    queue.defer_in(tx, queue.TODAY, once=queue.TODAY)


def take_back_offer(
    tx: Session, who: Who, offer_id: int, reasons: Sequence[str], text: str, today: date, now: datetime
) -> None:
    """The bank takes its offer back, open or accepted: a refusal with its coded reasons."""
    offer = answers.find_offer(tx, offer_id)
    if offer is None or offer.bank_id != who.bank_id:
        raise NotFound("没有这份报价。")
    if offer.state not in (OfferState.OPEN, OfferState.ACCEPTED):
        raise Conflict("此报价已失效。")
    form = AnswerForm(offer.line_id, AnswerKind.REFUSED, reasons=tuple(reasons), text=text)
    answer_line(tx, who, form, today, now)


def lapse_offers(tx: Session, who: Who, today: date, now: datetime) -> int:
    """Offers whose last day is over lapse and free their money; how many did."""
    lapsed = answers.lines_with_lapsed_offers(tx, today)
    if not lapsed:
        return 0
    acts, messages, demands = closing(tx, lapsed, LineState.WITHDRAWN, today, now, "offer_lapsed")
    acts += settling(tx, who, demands, today, now, "offer_lapsed")
    firm = [
        Message(
            "offer_lapsed", uscc=act.uscc, demand_id=act.demand_id, line_id=act.noun_id, values={"bank_id": act.bank_id}
        )
        for act in acts
        if act.noun == "push_line"
    ]
    notices.add(tx, [*messages, *firm], today, now)
    trail.append(tx, who, acts, now)
    return len(lapsed)


def _lock(tx: Session, who: Who, offer_id: int) -> tuple[Row[Any], Row[Any]]:
    """The offer and its line, locked after their demand; only the demand's own firm gets this far."""
    if who.role is not Role.FIRM:
        raise NotAllowed("只有企业本人可以选择报价。")
    found = answers.find_offer(tx, offer_id)
    lines = push_lists.lock_lines(tx, [found.line_id]) if found else []
    if not lines or lines[0].uscc != who.uscc:
        raise NotFound("没有这份报价。")
    offer = answers.lock_offer(tx, offer_id)
    assert offer is not None
    return offer, lines[0]


def _act(verb: str, line: Any, state: LineState, offer_id: int) -> Act:
    return Act(
        verb,
        "push_line",
        line.id,
        demand_id=line.demand_id,
        uscc=line.uscc,
        bank_id=line.bank_id,
        district=line.district,
        old=line.state,
        new=state.value,
        details={"offer": offer_id},
    )
