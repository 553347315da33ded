"""How a made-up bank decides and when it says so; how a made-up firm reacts. The same seed always says the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from service.city.banks import HABITS, CityBank, Habit
from service.city.character import Asking
from service.domain.answering import OfferForm
from service.domain.fee import Fee, FeeDue, Payee
from service.domain.push_list import AnswerKind, RefusalReason
from service.domain.standards.calendar import Calendar

WAN_FEN = 1_000_000
SECURED_BY = {
    "guarantee": ("担保费", Payee.GUARANTOR),
    "mortgage": ("抵押物评估费", Payee.APPRAISER),
    "pledge": ("质押登记费", Payee.STATE),
}
PAPERS = ("近六个月银行流水", "近两年财务报表", "购销合同", "经营场所租赁合同", "纳税申报表")


@dataclass(frozen=True)
class Seen:
    """What a bank has before it when it decides: the line, and what its own visit to the firm shows."""

    line_id: int
    demand_id: int
    amount_fen: int
    term_months: int
    industry: str
    pushed_on: date
    rates: tuple[Decimal, Decimal]
    loan_types: Sequence[str]
    most_fen: int
    health: float
    revenue_fen: int


@dataclass(frozen=True)
class Said:
    """One answer and its day."""

    on: date
    kind: AnswerKind
    reasons: tuple[str, ...] = ()
    text: str = ""
    papers: tuple[str, ...] = ()
    offer: OfferForm | None = None


def plan(bank: CityBank, seen: Seen, calendar: Calendar, seed: int, asking: Asking) -> list[Said]:
    """All the bank will ever say of this line, in order; empty for silence."""
    habit, chance = HABITS[bank.habit], Random(f"{seed}/{bank.code}/{seen.demand_id}/{seen.pushed_on}")  # noqa: S311
    if chance.random() >= habit.answers:
        return []
    contacted = _later(calendar, seen.pushed_on, chance.randint(*habit.contact))
    said = [Said(contacted, AnswerKind.CONTACTED)]
    start: date | None = contacted
    if chance.random() < habit.needs_papers:
        asked = _later(calendar, contacted, 1)
        papers = tuple(chance.sample(PAPERS, chance.randint(1, 3)))
        said.append(Said(asked, AnswerKind.NEEDS_PAPERS, papers=papers))
        start = papers_given_on(seen.demand_id, seen.line_id, asked, seed, asking)
    if start is None:
        return said
    return said + _decided(bank, habit, seen, calendar, start, chance)


def _decided(bank: CityBank, habit: Habit, seen: Seen, calendar: Calendar, start: date, chance: Random) -> list[Said]:
    decided = _later(calendar, start, max(1, chance.randint(*habit.decide) - 1))
    said = []
    if chance.random() < habit.extends:
        said.append(Said(decided, AnswerKind.EXTENSION, text="需上级行复核"))
        decided = _later(calendar, decided, chance.randint(2, 6))
    view = seen.health + chance.gauss(0, 0.8 * (1 - bank.sight))
    load = math.log(seen.amount_fen / (0.12 * seen.revenue_fen + 1))
    odds = bank.appetite + 1.25 * view - 0.7 * max(0.0, load) + _taste(bank, seen.industry)
    odds += 0.9 * any(mode != "credit" for mode in seen.loan_types)
    if chance.random() < 1 / (1 + math.exp(-odds)):
        return [*said, Said(decided, AnswerKind.OFFERED, offer=_offer(seen, view, chance))]
    return [*said, Said(decided, AnswerKind.REFUSED, reasons=_reasons(bank, seen, view, load, chance))]


def _taste(bank: CityBank, industry: str) -> float:
    return 0.7 * (industry[0] in bank.favours) - 1.4 * (industry[0] in bank.avoids)


def _offer(seen: Seen, view: float, chance: Random) -> OfferForm:
    """The better the firm looks, the nearer the lowest rate and the full amount."""
    low, high = seen.rates
    place = min(1.0, max(0.0, 0.5 - 0.22 * view + chance.gauss(0, 0.12)))
    share = 1.0 if chance.random() < 0.62 else chance.uniform(0.5, 0.95)
    amount = max(WAN_FEN, int(min(seen.amount_fen, seen.most_fen) * share) // WAN_FEN * WAN_FEN)
    fees_fen = 0 if chance.random() < 0.8 else amount // 400
    return OfferForm(
        amount_fen=min(amount, seen.amount_fen),
        rate=(low + (high - low) * Decimal(f"{place:.3f}")).quantize(Decimal("0.0001")),
        term_months=seen.term_months,
        loan_type=seen.loan_types[0],
        fees=_fees(seen.loan_types[0], fees_fen),
    )


def _fees(loan_type: str, fees_fen: int) -> tuple[Fee, ...]:
    """What is paid at the start, by what secures the loan: to whoever guarantees or appraises, the rest to a notary."""
    if not fees_fen:
        return ()
    name, payee = SECURED_BY.get(loan_type, ("账户管理费", Payee.BANK))
    small = fees_fen // 5
    first = Fee(name, payee, FeeDue.START, fees_fen - small)
    return (first, Fee("公证费", Payee.NOTARY, FeeDue.START, small)) if small else (first,)


def _reasons(bank: CityBank, seen: Seen, view: float, load: float, chance: Random) -> tuple[str, ...]:
    """One to four of the things that spoke against it, the heaviest first."""
    against = {
        RefusalReason.INDUSTRY: 1.4 * (seen.industry[0] in bank.avoids),
        RefusalReason.AMOUNT_TOO_HIGH: 0.7 * max(0.0, load),
        RefusalReason.CASH_FLOW: max(0.0, -view),
        RefusalReason.DEBT_TOO_HIGH: max(0.0, -0.6 * view - 0.2),
        RefusalReason.SECURITY_LACKING: 0.3 * ("credit" in seen.loan_types) * chance.random(),
        RefusalReason.FIRM_NOT_INTERESTED: 0.25 * chance.random(),
    }
    ordered = sorted(against, key=lambda reason: (-against[reason], reason))
    heavy = [reason for reason in ordered if against[reason] > 0.3][:3]
    return tuple(reason.value for reason in heavy or ordered[:1])


def papers_given_on(demand_id: int, line_id: int, asked_on: date, seed: int, asking: Asking) -> date | None:
    """The day the firm hands in what was asked for; None for a firm that never does."""
    chance = Random(f"{seed}/papers/{demand_id}/{line_id}")  # noqa: S311
    return asked_on + timedelta(days=chance.randint(1, 8)) if chance.random() < asking.uploads_papers else None


def consents_to_proposal(demand_id: int, times: int, seed: int, asking: Asking) -> bool:
    """Whether the firm lets the proposed banks see it; it is asked again each time, and tires."""
    chance = Random(f"{seed}/proposal/{demand_id}/{times}")  # noqa: S311
    return chance.random() < asking.consents_to_proposal / (1 + times)


@dataclass(frozen=True)
class Drawing:
    """What follows an accepted offer: granted after so many days, drawn (or not) after so many more, how much of it."""

    granted_on: date
    drawn_on: date | None
    share: Decimal


def drawing(line_id: int, accepted_on: date, calendar: Calendar, seed: int, asking: Asking) -> Drawing:
    """Grant in one to four working days, drawdown within two weeks."""
    chance = Random(f"{seed}/drawing/{line_id}")  # noqa: S311
    granted = _later(calendar, accepted_on, chance.randint(1, 4))
    drawn = granted + timedelta(days=chance.randint(0, 12)) if chance.random() < asking.draws_at_all else None
    return Drawing(granted, drawn, Decimal(f"{chance.uniform(*asking.draws_share):.2f}"))


def chooses_on(demand_id: int, first_offer_on: date, seed: int) -> date:
    """The firm waits a little for further offers, then takes the cheapest."""
    chance = Random(f"{seed}/chooses/{demand_id}")  # noqa: S311
    return first_offer_on + timedelta(days=chance.randint(0, 4))


def withdraws(demand_id: int, day: date, seed: int, asking: Asking) -> bool:
    """Whether the firm gives its demand up on this day."""
    return Random(f"{seed}/withdraws/{demand_id}/{day}").random() < asking.withdraws  # noqa: S311


def coin(seed: int, what: str, number: int) -> float:
    """Evenly between 0 and 1, always the same for the same thing."""
    return Random(f"{seed}/{what}/{number}").random()  # noqa: S311


def _later(calendar: Calendar, day: date, working_days: int) -> date:
    """The so-manieth working day after; the day itself for none; calendar days where the calendar has ended."""
    if working_days < 1:
        return day
    return calendar.due_on(day, working_days, "working_days") or day + timedelta(days=working_days)
