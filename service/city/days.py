"""One live day of the city: firms ask, districts look, banks answer, firms choose, money moves."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.answer_push import answer_each, give_papers_each
from service.actions.choose_offer import accept_offers, decline_offers
from service.actions.end_demand import withdraw_demand
from service.actions.follow_up import Progress, note_progress_each
from service.actions.give_consent import ConsentForm, withdraw_consent
from service.actions.report_credit import report_drawdowns_each, report_grants_each
from service.actions.report_demand import Naming, ReportForm, name_banks_each, report_demands
from service.actions.review_demand import Look, review_demands
from service.city import decisions
from service.city.banks import BANKS
from service.city.city import City
from service.city.decisions import Said, Seen, plan
from service.city.demands import Asked
from service.city.opening import ALL_CLASSES, CONSENT_HASH, CONSENT_WORDS, DEMO
from service.clock import day_of, instant_on
from service.domain.answering import AnswerForm
from service.domain.consent import Purpose
from service.domain.demand import UseOfLoan
from service.domain.errors import DomainError
from service.domain.people import Role, Who
from service.domain.reporting import DrawForm, GrantForm
from service.domain.standards.calendar import Calendar
from service.profiles.tools import Tools
from service.store import demo as looks

CONSENT_DAYS = 180
LOOKS_PER_DISTRICT = 3
"""Demands a district's team gets through on a working day, beyond the reviews that are due."""
FINDS_FIT = 0.85


@dataclass
class Life:
    """What the driver carries from day to day; everything else is in the database."""

    city: City
    bank_ids: list[int]
    calendar: Calendar
    asked: dict[date, list[Asked]]
    due: dict[date, list[tuple[int, int, Said]]] = field(default_factory=lambda: defaultdict(list))
    """Day → (bank's place, line, what it says)."""
    last_line: int = 0
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """What the platform would not take, by its sentence: shown at the end, so that nothing is lost unseen."""
    over_http: tuple[int, int] = (0, 0)
    """Lines the banks read and answers taken on the last day."""
    place_of: dict[str, int] = field(init=False)
    bank_of: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.place_of = {str(code): place for place, code in enumerate(self.city.firms.uscc)}
        self.bank_of = {key: place for place, key in enumerate(self.bank_ids)}

    def try_to(self, tx: Session, act: Callable[[], Any]) -> None:
        """An act that the platform may refuse for its own reasons: the refusal is counted, nothing of it stays."""
        try:
            with tx.begin_nested():
                act()
        except DomainError as refusal:
            self.refused[refusal.message] += 1

    def count(self, found: Iterable[DomainError | None]) -> int:
        """Of a batch: its refusals are counted, by their sentences; how many were taken."""
        taken = 0
        for refusal in found:
            taken += refusal is None
            if refusal is not None:
                self.refused[refusal.message] += 1
        return taken

    def officer(self, place: int) -> Who:
        """The bank's officer."""
        return Who(Role.OFFICER, name=BANKS[place].code, bank_id=self.bank_ids[place])


def firm_of(uscc: str) -> Who:
    """The firm's owner."""
    return Who(Role.FIRM, uscc=uscc)


def report(tx: Session, life: Life, tools: Tools, day: date) -> int:
    """The day's demands, with a separate consent for each bank named; how many."""
    forms = [_report_form(life, asked, day) for asked in life.asked.get(day, [])]
    if forms:
        report_demands(tx, DEMO, forms, tools, day, instant_on(day, 8))
    return len(forms)


def _report_form(life: Life, asked: Asked, day: date) -> ReportForm:
    uscc = str(life.city.firms.uscc[asked.firm])
    intended = tuple(life.bank_ids[place] for place in asked.intended)
    reserve = tuple(life.bank_ids[place] for place in asked.reserve)
    until = day + timedelta(days=CONSENT_DAYS)
    own = ConsentForm(uscc, None, Purpose.PROFILE, ALL_CLASSES, CONSENT_HASH, until, CONSENT_WORDS)
    return ReportForm(
        uscc=uscc,
        amount_fen=asked.amount_fen,
        term_months=asked.term_months,
        use=asked.use,
        use_text="" if asked.use is UseOfLoan.OTHER else "日常经营周转",
        rate_ceiling=asked.rate_ceiling,
        guarantees=asked.guarantees,
        intended=intended,
        reserve=reserve,
        consents=(own, *(_consent(uscc, bank, day) for bank in intended + reserve)),
        channel=asked.channel,
        wants_renewal_without_repayment=asked.wants_renewal,
    )


def _consent(uscc: str, bank_id: int, day: date) -> ConsentForm:
    until = day + timedelta(days=CONSENT_DAYS)
    return ConsentForm(uscc, bank_id, Purpose.CREDIT_REVIEW, ALL_CLASSES, CONSENT_HASH, until, CONSENT_WORDS)


def district_work(tx: Session, life: Life, tools: Tools, day: date) -> None:
    """On working days each team takes its reviews and a few that wait for a person; and its due follow-ups."""
    if not life.calendar.is_working_day(day):
        return
    now = instant_on(day, 9, 30)
    for district, said in _looks_of_districts(tx, life, day).items():
        who = Who(Role.DISTRICT, district=district)
        life.try_to(tx, partial(review_demands, tx, who, said, tools, day, now))
    later = day + timedelta(days=30)
    noted = [
        Progress(Who(Role.DISTRICT, district=row.district), row.id, "已联系企业，督促办理", later)
        for row in looks.due_follow_ups(tx, day)
    ]
    life.count(note_progress_each(tx, noted, day, now))


def _looks_of_districts(tx: Session, life: Life, day: date) -> dict[str, list[Look]]:
    """What each team will say of the demands it gets through today."""
    said: dict[str, list[Look]] = defaultdict(list)
    looked: dict[str, int] = defaultdict(int)
    for row in looks.waiting_for_district(tx, day):
        looked[row.district] += row.review_id is None
        if looked[row.district] > LOOKS_PER_DISTRICT or row.has_failed:
            continue
        if decisions.coin(life.city.seed, "review", row.id) < FINDS_FIT:
            said[row.district].append(Look(row.id, "recommended", "已实地核实，情况属实"))
        elif row.review_id is not None:
            said[row.district].append(Look(row.id, "returned", "材料不全，请企业补充"))
    return said


def read_lists(tx: Session, life: Life) -> int:
    """Every bank looks at its new lines and makes up its mind about them; how many are new."""
    rows = looks.new_lines(tx, life.last_line)
    for row in rows:
        life.last_line = max(life.last_line, row.id)
        place = life.bank_of[row.bank_id]
        for said in plan(BANKS[place], seen(life, row), life.calendar, life.city.seed, life.city.character.asking):
            life.due[said.on].append((place, row.id, said))
    return len(rows)


def seen(life: Life, row: Row[Any]) -> Seen:
    """The line as its bank sees it, with what a visit shows."""
    firm = life.place_of[row.uscc]
    month = min(life.city.when.first_live, life.city.health.shape[1] - 1)
    given = [mode for mode in row.loan_types if mode == "credit" or mode in row.guarantees]
    return Seen(
        line_id=row.id,
        demand_id=row.demand_id,
        amount_fen=row.amount_fen,
        term_months=row.term_months,
        industry=row.industry,
        pushed_on=row.pushed_on,
        rates=(row.rate_min, row.rate_max),
        loan_types=given or list(row.loan_types),
        most_fen=row.amount_max_fen,
        health=float(life.city.health[firm, month]),
        revenue_fen=int(life.city.firms.revenue_fen[firm]),
    )


def answer(tx: Session, life: Life, day: date) -> int:
    """What the banks have to say today, in batches that hold a demand once; how many answers were taken."""
    now, open_lines = instant_on(day, 15), looks.open_lines(tx)
    rounds: list[list[tuple[Who, AnswerForm]]] = []
    heard: dict[int, int] = defaultdict(int)
    for place, line, said in sorted(life.due.pop(day, []), key=lambda one: one[0]):
        if line not in open_lines:
            continue  # withdrawn, or the firm chose another: the bank sees it on its page
        form = AnswerForm(line, said.kind, said.reasons, said.text, said.papers, said.offer, channel="page")
        if heard[open_lines[line]] == len(rounds):
            rounds.append([])
        rounds[heard[open_lines[line]]].append((life.officer(place), form))
        heard[open_lines[line]] += 1
    return sum(life.count(one.error for one in answer_each(tx, batch, day, now)) for batch in rounds)


def firms_act(tx: Session, life: Life, day: date) -> None:
    """Papers, choices among offers, consents to proposals, second thoughts."""
    now = instant_on(day, 16)
    life.count(give_papers_each(tx, _papers_of_today(tx, life, day), day, now))
    taken, declined = _choices(tx, life, day)
    life.count(accept_offers(tx, taken, day, now))
    life.count(decline_offers(tx, declined, day, now))
    life.count(name_banks_each(tx, _namings(tx, life, day), day, now))
    for row in looks.in_the_middle(tx):
        if decisions.withdraws(row.id, day, life.city.seed, life.city.character.asking):
            _think_again(tx, life, row, day, now)


def _papers_of_today(tx: Session, life: Life, day: date) -> list[tuple[Who, int]]:
    """(firm, line) of the papers that are handed in today."""
    asking, seed = life.city.character.asking, life.city.seed
    return [
        (firm_of(row.uscc), row.id)
        for row in looks.asked_for_papers(tx)
        if decisions.papers_given_on(row.demand_id, row.id, row.papers_asked_on, seed, asking) == day
    ]


def _choices(tx: Session, life: Life, day: date) -> tuple[list[tuple[Who, int]], list[tuple[Who, int]]]:
    """(firm, offer) of the cheapest offers of the firms that choose today: those taken, those declined as too dear."""
    by_demand: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in looks.open_offers(tx):
        by_demand[row.demand_id].append(row)
    taken, declined = list[tuple[Who, int]](), list[tuple[Who, int]]()
    for demand_id, offers in by_demand.items():
        first = min(day_of(row.offered_at) for row in offers)
        if decisions.chooses_on(demand_id, first, life.city.seed) > day:
            continue
        best = offers[0]
        too_dear = best.rate_ceiling is not None and best.all_in_rate > best.rate_ceiling * Decimal("1.15")
        (declined if too_dear else taken).append((firm_of(best.uscc), best.id))
    return taken, declined


def _namings(tx: Session, life: Life, day: date) -> list[Naming]:
    """The consents firms give today to the banks that were proposed to them."""
    return [
        Naming(firm_of(row.uscc), row.demand_id, tuple(_consent(row.uscc, int(bank), day) for bank in row.banks))
        for row in looks.latest_proposals(tx, day)
        if row.banks
        and decisions.consents_to_proposal(row.demand_id, row.times, life.city.seed, life.city.character.asking)
    ]


def _think_again(tx: Session, life: Life, row: Row[Any], day: date, now: datetime) -> None:
    """Half give the demand up, half take back one bank's consent."""
    firm = life.place_of[row.uscc]
    banks = [
        life.bank_ids[place] for asked in life.asked.get(row.reported_on, []) if asked.firm == firm
        for place in asked.intended
    ]  # fmt: skip
    if banks and decisions.coin(life.city.seed, "ends", row.id) < 0.5:
        life.try_to(tx, partial(withdraw_consent, tx, firm_of(row.uscc), row.uscc, banks[0], day, now))
    else:
        life.try_to(tx, partial(withdraw_demand, tx, firm_of(row.uscc), row.id, day, now))


def lend(tx: Session, life: Life, day: date) -> tuple[int, int]:
    """Grants and drawdowns that are due, of each bank every other day; (grants, drawdowns) taken."""
    now = instant_on(day, 17)
    reporting = {key for key, place in life.bank_of.items() if (place + day.toordinal()) % 2 == 0}
    grants: list[tuple[Who, GrantForm]] = []
    for row in sorted(looks.accepted_lines(tx), key=lambda row: int(row.bank_id)):
        after = _drawing(life, row.line_id, row.decided_at)
        if after.granted_on <= day and row.bank_id in reporting:
            grants.append((life.officer(life.bank_of[row.bank_id]), _grant_form(row, day)))
    granted = life.count(one.error for one in report_grants_each(tx, grants, day, now))
    draws: list[tuple[Who, DrawForm]] = []
    for row in sorted(looks.undrawn_grants(tx), key=lambda row: int(row.bank_id)):
        after = _drawing(life, row.line_id, row.decided_at)
        if after.drawn_on is not None and after.drawn_on <= day and row.bank_id in reporting:
            draws.append((life.officer(life.bank_of[row.bank_id]), _draw_form(row, after.share, day)))
    return granted, life.count(one.error for one in report_drawdowns_each(tx, draws, day, now))


def _drawing(life: Life, line_id: int, accepted_at: datetime) -> decisions.Drawing:
    return decisions.drawing(line_id, day_of(accepted_at), life.calendar, life.city.seed, life.city.character.asking)


def _grant_form(row: Row[Any], day: date) -> GrantForm:
    renews = row.use == UseOfLoan.RENEWAL
    return GrantForm(
        line_id=row.line_id,
        amount_fen=row.amount_fen,
        rate=row.rate,
        term_months=row.term_months,
        loan_type=row.loan_type,
        granted_on=day,
        is_renewal=renews,
        is_renewal_without_repayment=renews and row.wants_renewal_without_repayment,
    )


def _draw_form(row: Row[Any], share: Decimal, day: date) -> DrawForm:
    wan = Decimal(row.amount_fen * share / 1_000_000).quantize(Decimal(1))
    return DrawForm(
        grant_id=row.id,
        loan_number=f"DEMO{row.id:09d}",
        amount_fen=max(1_000_000, min(int(wan) * 1_000_000, row.amount_fen)),
        rate=row.rate,
        drawn_on=day,
        matures_on=day + timedelta(days=round(row.term_months * 30.44)),
    )
