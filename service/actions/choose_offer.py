"""The firm compares offers and takes one; the others close; an offer lapses on its day, or its bank takes it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.act_together import raise_refusal, refusals, said_by, settling_each
from service.actions.answer_push import answer_line
from service.actions.settle_demand import closing, settling
from service.domain import line_clock
from service.domain.answering import AnswerForm
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from service.domain.people import Role, Who
from service.domain.push_list import AnswerKind, LineState, OfferState
from service.store import answers, calendar, notices, push_lists, queue, standing, trail
from service.store.bulk import change_rows
from service.store.notices import Message
from service.store.trail import Act


@dataclass(frozen=True)
class Choice:
    """Who chooses, and the offer with its line as they stand under lock."""

    who: Who
    offer: Row[Any]
    line: Row[Any]


def compare_offers(tx: Session, who: Who, demand_id: int) -> Sequence[Row[Any]]:
    """The offers on the firm's own demand: open ones first, the lowest all-in rate on top."""
    if who.role is Role.FIRM and not any(row.uscc == who.uscc for row in standing.find(tx, demand_id)):
        raise NotFound("没有这笔融资需求。")
    return answers.list_of_demand(tx, demand_id)


def accept_offer(tx: Session, who: Who, offer_id: int, today: date, now: datetime) -> None:
    """Take this offer; every other open line of the demand closes with 'the firm chose another'. Twice is once."""
    raise_refusal(accept_offers(tx, [(who, offer_id)], today, now))


def accept_offers(
    tx: Session, choices: Sequence[tuple[Who, int]], today: date, now: datetime
) -> list[DomainError | None]:
    """Many firms' choices (who, offer) in one go: for each None, or why it was not taken.

    They are judged one after the other: of two offers of one demand the second comes too late.
    """
    there, taken = _lock(tx, choices), dict[int, Choice]()
    found = refusals(choices, lambda choice: _take(_own(there, *choice), taken, today))
    _write_accepted(tx, taken, today, now)
    return found


def decline_offer(tx: Session, who: Who, offer_id: int, today: date, now: datetime) -> None:
    """Say no to this offer; the demand goes on with other banks. Twice is once."""
    raise_refusal(decline_offers(tx, [(who, offer_id)], today, now))


def decline_offers(
    tx: Session, choices: Sequence[tuple[Who, int]], today: date, now: datetime
) -> list[DomainError | None]:
    """Many firms' refusals of offers (who, offer) in one go: for each None, or why it was not taken."""
    there, declined = _lock(tx, choices), dict[int, Choice]()
    found = refusals(choices, lambda choice: _turn_down(_own(there, *choice), declined))
    _write_declined(tx, declined, today, now)
    return found


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


def _lock(tx: Session, choices: Sequence[tuple[Who, int]]) -> dict[int, tuple[Row[Any], Row[Any]]]:
    """Offer → itself and its line, locked after their demands."""
    found = answers.find_offers(tx, [offer_id for who, offer_id in choices if who.role is Role.FIRM])
    if not found:
        return {}
    lines = {line.id: line for line in push_lists.lock_lines(tx, [offer.line_id for offer in found])}
    offers = answers.lock_offers(tx, [offer.id for offer in found if offer.line_id in lines])
    return {offer.id: (offer, lines[offer.line_id]) for offer in offers}


def _own(there: Mapping[int, tuple[Row[Any], Row[Any]]], who: Who, offer_id: int) -> Choice:
    """The choice, if it is the demand's own firm that makes it."""
    if who.role is not Role.FIRM:
        raise NotAllowed("只有企业本人可以选择报价。")
    if offer_id not in there or there[offer_id][1].uscc != who.uscc:
        raise NotFound("没有这份报价。")
    return Choice(who, *there[offer_id])


def _take(choice: Choice, taken: dict[int, Choice], today: date) -> None:
    """Put the choice among those `taken` (demand → choice), unless it is there or was made before."""
    offer, line = choice.offer, choice.line
    before = taken.get(line.demand_id)
    if offer.state == OfferState.ACCEPTED or (before is not None and before.offer.id == offer.id):
        return
    stands = offer.state == OfferState.OPEN and line.state == LineState.OFFERED and offer.valid_until_on >= today
    if before is not None or not stands:
        raise Conflict("此报价已失效，请查看其他报价。")
    taken[line.demand_id] = choice


def _turn_down(choice: Choice, declined: dict[int, Choice]) -> None:
    """Put the choice among those `declined` (line → choice), unless it was declined before."""
    if choice.offer.state == OfferState.OPEN:
        declined.setdefault(choice.line.id, choice)
    elif choice.line.state != LineState.WITHDRAWN:
        raise Conflict("此报价已失效，请查看其他报价。")


def _write_accepted(tx: Session, taken: Mapping[int, Choice], today: date, now: datetime) -> None:
    """Offers, lines, money, clocks, notices, trail of the offers taken (demand → choice)."""
    if not taken:
        return
    chosen, whose = list(taken.values()), {demand_id: choice.who for demand_id, choice in taken.items()}
    acts, messages, _ = closing(tx, _others(tx, taken), LineState.PASSED_OVER, today, now, "chose_another")
    answers.accept(tx, [choice.offer.id for choice in chosen], now)
    clock = line_clock.from_acceptance(today, calendar.calendar(tx))
    new = {"state": LineState.ACCEPTED.value, "state_at": now, **clock}
    change_rows(tx, "push_line", "id", [{"id": choice.line.id, **new} for choice in chosen])
    acts += [_act("accepted", choice.line, LineState.ACCEPTED, choice.offer.id) for choice in chosen]
    said = said_by(whose, acts) + settling_each(tx, whose, today, now, "accepted")
    messages += [_accepted(choice.line) for choice in chosen]
    notices.add(tx, messages, today, now)
    trail.append_each(tx, said, now)


def _others(tx: Session, taken: Mapping[int, Choice]) -> list[int]:
    """The demands' lines with other banks."""
    of_demand = standing.lines_of(tx, list(taken))
    return [one.line_id for key, choice in taken.items() for one in of_demand[key] if one.line_id != choice.line.id]


def _write_declined(tx: Session, declined: Mapping[int, Choice], today: date, now: datetime) -> None:
    """Lines, money, notices, trail of the offers declined (line → choice); the demands look for banks again today."""
    if not declined:
        return
    whose = {choice.line.demand_id: choice.who for choice in declined.values()}
    acts, messages, _ = closing(tx, list(declined), LineState.WITHDRAWN, today, now, "offer_declined")
    said = [(declined[act.noun_id or 0].who, act) for act in acts]
    said += settling_each(tx, whose, today, now, "offer_declined")
    notices.add(tx, messages, today, now)
    trail.append_each(tx, said, now)
    queue.defer_in(tx, queue.TODAY, once=queue.TODAY)


def _accepted(line: Any) -> Message:
    return Message("offer_accepted", bank_id=line.bank_id, demand_id=line.demand_id, line_id=line.id)


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
