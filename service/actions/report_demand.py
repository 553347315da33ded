"""A firm reports what it needs, with its consents; edits it, adds banks, says it still wants it, repeats it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from matching.policy import PolicyDay
from service.actions.act_together import raise_refusal, refusals, settling_each
from service.actions.answer_enquiry import join_enquiries
from service.actions.end_demand import lock_own, own_demand, own_of
from service.actions.give_consent import ConsentForm, check_consent, enter_consents, give_consents
from service.actions.judge_demand import judge_demands
from service.actions.settle_demand import settle_demands
from service.domain.demand import (
    BEFORE_GRANT,
    ENDED_STATES,
    Actor,
    Channel,
    DemandState,
    UseOfLoan,
)
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.figure import FigureKind
from service.domain.people import Role, Who
from service.domain.product import LoanType
from service.domain.standards.money import to_yuan
from service.profiles.tools import Tools
from service.store import consents, demands, notices, statistics, trail
from service.store.notices import Message
from service.store.statistics import Event
from service.store.trail import Act

S = DemandState
SECURITIES = frozenset(LoanType) - {LoanType.CREDIT}
LONGEST_TEXT = 500
MOST_BANKS = 200
EDITABLE = frozenset({S.REPORTED, S.RECOMMENDED})
REPEATABLE = ENDED_STATES | {S.GRANTED, S.DRAWN}


@dataclass(frozen=True)
class ReportForm:
    """What the firm asks for. `intended` (up to three) and `reserve` are banks' keys; each needs its own live consent.

    `rate_ceiling` is a yearly share (0.06), `guarantees` the security the firm can give, `consents` those ticked on
    this very form, the platform's own (purpose profile) among them where it is not live yet.
    """

    uscc: str
    amount_fen: int
    term_months: int
    use: str
    use_text: str = ""
    rate_ceiling: Decimal | None = None
    guarantees: tuple[str, ...] = ()
    intended: tuple[int, ...] = ()
    reserve: tuple[int, ...] = ()
    consents: tuple[ConsentForm, ...] = field(default=(), repr=False)
    channel: str = Channel.WEB
    wants_renewal_without_repayment: bool = False

    @property
    def banks(self) -> tuple[int, ...]:
        """Every bank named, intended ones first."""
        return self.intended + self.reserve


@dataclass(frozen=True)
class Reported:
    """What became of one form of a batch: the demand's key, or what was wrong."""

    demand_id: int | None
    error: DomainError | None


@dataclass(frozen=True)
class Naming:
    """Who names the banks of these consents for which demand."""

    who: Who
    demand_id: int
    ticked: tuple[ConsentForm, ...]


@dataclass(frozen=True)
class _Ground:
    """What the forms of a batch are checked against, read once, after nobody else can report for these firms."""

    firms: Mapping[str, Row[Any]]
    open: Mapping[tuple[str, str], tuple[int, str]]
    live: Mapping[str, Mapping[int, int]]
    profiles: frozenset[str]
    partners: frozenset[int]
    policy: PolicyDay
    today: date


def report_demand(tx: Session, who: Who, form: ReportForm, tools: Tools, today: date, now: datetime) -> int:
    """One demand, judged at once; its key."""
    return report_demands(tx, who, [form], tools, today, now)[0]


def report_demands(
    tx: Session, who: Who, forms: Sequence[ReportForm], tools: Tools, today: date, now: datetime
) -> list[int]:
    """Report and judge these demands, all of them or none; their keys, in order.

    Conflict where the firm has an open demand for the same use: `values` name it (demand_id, number), to be edited.
    """
    ground = _ground(tx, forms, tools, today)
    for fault in _faults(who, forms, ground):
        if fault is not None:
            raise fault
    return _take(tx, who, forms, ground, tools, today, now)


def report_each(
    tx: Session, who: Who, forms: Sequence[ReportForm], tools: Tools, today: date, now: datetime
) -> list[Reported]:
    """Report and judge those that are in order, and say of each of the others what is wrong with it."""
    ground = _ground(tx, forms, tools, today)
    faults = _faults(who, forms, ground)
    good = [form for form, fault in zip(forms, faults, strict=True) if fault is None]
    keys = iter(_take(tx, who, good, ground, tools, today, now) if good else ())
    return [Reported(None, fault) if fault else Reported(next(keys), None) for fault in faults]


def _take(
    tx: Session, who: Who, forms: Sequence[ReportForm], ground: _Ground, tools: Tools, today: date, now: datetime
) -> list[int]:
    """Enter forms that are in order."""
    ticked = [consent for form in forms for consent in form.consents]
    give_consents(tx, who, ticked, today, now)
    ids = demands.add(tx, today, [_row(form, ground.firms[form.uscc], who, today, now) for form in forms])
    named = list(zip(ids, forms, strict=True))
    demands.add_wanted(tx, [row for key, form in named for row in _wanted(key, form)])
    statistics.count(tx, [_event(key, form, ground.firms[form.uscc], today) for key, form in named], today, now)
    notices.add(tx, [_receipt(key, form, today) for key, form in named], today, now)
    acts = [_act("report", key, form.uscc, ground.firms[form.uscc].district, None, S.REPORTED) for key, form in named]
    trail.append(tx, who, acts, now)
    join_enquiries(tx, who, [form.uscc for form in forms], today, now)
    _judge(tx, ids, "reported", tools, who, today, now)
    return ids


def edit_demand(
    tx: Session, who: Who, demand_id: int, form: ReportForm, version: int, tools: Tools, today: date, now: datetime
) -> None:
    """Change a demand no bank has been sent yet, and judge it again. `version` is the one the person saw."""
    row = own_demand(tx, who, demand_id)
    if row.state not in EDITABLE:
        raise Conflict("这笔需求已推送银行，不能再修改；可撤回后重新申报。", state=row.state)
    if row.version != version:
        raise Conflict("这笔需求刚刚被修改过，请刷新后再改。", version=row.version)
    form = replace(form, uscc=row.uscc)
    ground = _ground(tx, [form], tools, today)
    _check(who, form, replace(ground, open={wish: one for wish, one in ground.open.items() if one[0] != row.id}))
    give_consents(tx, who, form.consents, today, now)
    demands.change(tx, [_wish(form) | {"id": row.id, "version": version + 1} | _seen(today)])
    demands.set_wanted(tx, row.id, _wanted(row.id, form))
    trail.append(tx, who, [_act("edit", row.id, row.uscc, row.district, details={"version": version + 1})], now)
    _judge(tx, [row.id], "edited", tools, who, today, now)


def name_banks(
    tx: Session, who: Who, demand_id: int, ticked: Sequence[ConsentForm], today: date, now: datetime
) -> None:
    """Add the banks of these consents to an open demand: the firm's answer to 'these banks fit you'."""
    raise_refusal(name_banks_each(tx, [Naming(who, demand_id, tuple(ticked))], today, now))


def name_banks_each(tx: Session, namings: Sequence[Naming], today: date, now: datetime) -> list[DomainError | None]:
    """Many firms' answers to what was proposed to them in one go: for each None, or why it was not taken."""
    if not namings:
        return []
    there = lock_own(tx, [(one.who, one.demand_id) for one in namings])
    named = _Named(demands.wanted(tx, list(there)), demands.partner_banks(tx, today))
    found = refusals(namings, lambda one: named.add(one, own_of(there, one.who, one.demand_id), today))
    if named.taken:
        _write_named(tx, named, there, today, now)
    return found


class _Named:
    """The banks that the demands of a batch name, growing with each answer that is taken."""

    def __init__(self, there: Sequence[Row[Any]], partners: Collection[int]) -> None:
        self.partners = partners
        self.banks: dict[int, set[int]] = defaultdict(set)
        self.last: dict[int, int] = defaultdict(int)
        for one in there:
            self.banks[one.demand_id].add(one.bank_id)
            self.last[one.demand_id] = max(self.last[one.demand_id], one.rank)
        self.taken: list[tuple[Naming, list[int]]] = []
        """Each answer taken, with the banks that are new by it."""
        self.wanted: list[dict[str, Any]] = []

    def add(self, naming: Naming, row: Row[Any], today: date) -> None:
        """Take the answer, or raise what is wrong with it."""
        fresh = [bank for bank in self._ticked(naming, row, today) if bank not in self.banks[row.id]]
        last = self.last[row.id]
        if last + len(fresh) > MOST_BANKS:
            raise NotPossible("最多可指定 {most} 家银行。", most=MOST_BANKS)
        self.wanted += [_wanted_row(row.id, bank, last + place, intended=False) for place, bank in enumerate(fresh, 1)]
        self.banks[row.id].update(fresh)
        self.last[row.id] += len(fresh)
        self.taken.append((naming, fresh))

    def _ticked(self, naming: Naming, row: Row[Any], today: date) -> list[int]:
        """The banks of the consents, each once."""
        if row.state not in BEFORE_GRANT:
            raise Conflict("这笔需求已结束，不能再增加银行。", state=row.state)
        banks = [form.bank_id for form in naming.ticked if form.bank_id is not None]
        if any(form.uscc != row.uscc for form in naming.ticked) or len(banks) != len(naming.ticked):
            raise NotPossible("授权须逐家银行作出，不能一次授权所有银行。", field="bank_id")
        for form in naming.ticked:
            check_consent(form, naming.who, self.partners, today)
        return list(dict.fromkeys(banks))


def _write_named(tx: Session, named: _Named, there: Mapping[int, Row[Any]], today: date, now: datetime) -> None:
    """Consents, banks, demands, trail of the answers taken."""
    enter_consents(tx, [(one.who, form) for one, _ in named.taken for form in one.ticked], today, now)
    demands.add_wanted(tx, named.wanted)
    whose = {one.demand_id: one.who for one, _ in named.taken}
    demands.change(tx, [{"id": key} | _seen(today) for key in whose])
    said = [(one.who, _act_of_naming(there[one.demand_id], banks)) for one, banks in named.taken]
    trail.append_each(tx, said + settling_each(tx, whose, today, now, "banks_named"), now)


def _act_of_naming(row: Row[Any], banks: Sequence[int]) -> Act:
    return _act("name_banks", row.id, row.uscc, row.district, details={"banks": list(banks)})


def confirm_demand(tx: Session, who: Who, demand_id: int, today: date, now: datetime) -> None:
    """The firm says it still wants it: its silence is counted anew."""
    row = own_demand(tx, who, demand_id)
    if row.state not in BEFORE_GRANT:
        raise Conflict("这笔需求已结束。", state=row.state)
    if row.firm_seen_on == today and row.warned_on is None:
        return
    demands.change(tx, [{"id": row.id} | _seen(today)])
    trail.append(tx, who, [_act("confirm", row.id, row.uscc, row.district)], now)


def repeat_demand(tx: Session, who: Who, demand_id: int, tools: Tools, today: date, now: datetime) -> int:
    """Report once more what has ended, in one step; banks whose consent is no longer live are left out."""
    row = own_demand(tx, who, demand_id)
    if row.state not in REPEATABLE:
        raise Conflict("这笔需求仍在办理，无需重复申报。", demand_id=row.id, number=row.number)
    live = consents.live(tx, [row.uscc], today).get(row.uscc, {})
    banks = [one for one in demands.wanted(tx, [row.id]) if one.bank_id in live]
    form = ReportForm(
        uscc=row.uscc,
        amount_fen=row.amount_fen,
        term_months=row.term_months,
        use=row.use,
        use_text=row.use_text,
        rate_ceiling=row.rate_ceiling,
        guarantees=tuple(row.guarantees),
        intended=tuple(one.bank_id for one in banks if one.is_intended),
        reserve=tuple(one.bank_id for one in banks if not one.is_intended),
        channel=row.channel,
        wants_renewal_without_repayment=row.wants_renewal_without_repayment,
    )
    return report_demand(tx, who, form, tools, today, now)


def _judge(tx: Session, ids: Sequence[int], cause: str, tools: Tools, who: Who, today: date, now: datetime) -> None:
    """At once where the one who reports may let the platform look; a district's visit leaves it to the next run."""
    if who.role in (Role.FIRM, Role.SYSTEM):
        judge_demands(tx, who, ids, cause, tools, today, now)
    else:
        settle_demands(tx, who, ids, today, now, cause)


def _ground(tx: Session, forms: Sequence[ReportForm], tools: Tools, today: date) -> _Ground:
    usccs = sorted({form.uscc for form in forms})
    demands.queue_for(tx, usccs)
    return _Ground(
        firms=demands.firms(tx, usccs),
        open=demands.open_by_use(tx, usccs),
        live=consents.live(tx, usccs, today),
        profiles=frozenset(consents.with_profile(tx, usccs, today)),
        partners=frozenset(demands.partner_banks(tx, today)),
        policy=tools.policy.on(today),
        today=today,
    )


def _faults(who: Who, forms: Sequence[ReportForm], ground: _Ground) -> list[DomainError | None]:
    """What is wrong with each form; None where it is in order. Of two alike in one batch the second is a duplicate."""
    found: list[DomainError | None] = []
    seen: set[tuple[str, str]] = set()
    for form in forms:
        try:
            _check(who, form, ground)
            if (form.uscc, form.use) in seen:
                raise Conflict("同一批中有两笔相同用途的需求。", field="use", uscc=form.uscc)
            seen.add((form.uscc, form.use))
            found.append(None)
        except DomainError as fault:
            found.append(fault)
    return found


def _check(who: Who, form: ReportForm, ground: _Ground) -> None:
    _check_scope(who, form, ground.firms.get(form.uscc))
    _check_wish(form, ground.policy)
    if (form.uscc, form.use) in ground.open:
        raise _duplicate(form, *ground.open[form.uscc, form.use])
    _check_consents(who, form, ground)


def _check_scope(who: Who, form: ReportForm, firm: Row[Any] | None) -> None:
    if who.role not in (Role.FIRM, Role.DISTRICT, Role.SYSTEM):
        raise NotAllowed("融资需求由企业申报，或由区县专班走访时代为申报。")
    elsewhere = firm is None or (who.role is Role.DISTRICT and firm.district != who.district)
    if elsewhere or (who.role is Role.FIRM and who.uscc != form.uscc):
        raise NotFound("没有这家企业。", field="uscc", uscc=form.uscc)


def _check_wish(form: ReportForm, policy: PolicyDay) -> None:
    least, most = int(policy.number("least_amount_yuan")) * 100, int(policy.number("most_amount_yuan")) * 100
    if not least <= form.amount_fen <= most:
        raise NotPossible(
            "申请金额须在 {least} 元至 {most} 元之间。",
            field="amount", least=to_yuan(least), most=to_yuan(most),
        )  # fmt: skip
    longest = int(policy.number("longest_term_months"))
    if not 1 <= form.term_months <= longest:
        raise NotPossible("期限须在 1 至 {longest} 个月之间。", field="term_months", longest=longest)
    if form.use not in frozenset(UseOfLoan):
        raise NotPossible("请选择贷款用途。", field="use")
    if len(form.use_text) > LONGEST_TEXT:
        raise NotPossible("用途说明不能超过 {most} 个字。", field="use_text", most=LONGEST_TEXT)
    if form.rate_ceiling is not None and not 0 < form.rate_ceiling < 1:
        raise NotPossible("可接受的最高年利率须在 0 与 100% 之间。", field="rate_ceiling")
    if not SECURITIES.issuperset(form.guarantees):
        raise NotPossible("担保方式不明。", field="guarantees")
    if form.channel not in frozenset(Channel):
        raise NotPossible("申报渠道不明。", field="channel")
    _check_banks(form, int(policy.number("max_intended_banks")))


def _check_banks(form: ReportForm, most: int) -> None:
    if len(form.intended) > most:
        raise NotPossible("意向银行最多 {most} 家。", field="intended", most=most)
    if len(set(form.banks)) != len(form.banks):
        raise NotPossible("同一家银行只能填写一次。", field="intended")
    if len(form.banks) > MOST_BANKS:
        raise NotPossible("最多可指定 {most} 家银行。", field="reserve", most=MOST_BANKS)
    if any(consent.uscc != form.uscc for consent in form.consents):
        raise NotPossible("授权须由申报企业自己作出。", field="consents")


def _duplicate(form: ReportForm, demand_id: int, number: str) -> Conflict:
    return Conflict(
        "这一用途已有在办需求 {number}，可直接修改，无需重复申报。",
        field="use", number=number, demand_id=demand_id, uscc=form.uscc,
    )  # fmt: skip


def _check_consents(who: Who, form: ReportForm, ground: _Ground) -> None:
    """The platform's profile and every named bank, each with a consent that is live today or ticked on this form."""
    for consent in form.consents:
        check_consent(consent, who, ground.partners, ground.today)
    if who.role is Role.DISTRICT:
        if form.banks:
            raise NotAllowed("走访代报时不能代企业指定银行，请企业本人授权。", field="intended")
        return
    ticked = {consent.bank_id for consent in form.consents}
    if form.uscc not in ground.profiles and None not in ticked:
        raise NotPossible("请先授权平台查询本企业的公共数据，授权过期的请重新授权。", field="profile_consent")
    for bank in form.banks:
        if bank not in ground.partners:
            raise NotPossible("没有这家合作银行。", field="intended", bank_id=bank)
        if bank not in ground.live.get(form.uscc, {}) and bank not in ticked:
            raise NotPossible(
                "指定的银行还没有有效授权（未授权、已撤回或已到期），请逐家授权。", field="consents", bank_id=bank
            )


def _wish(form: ReportForm) -> dict[str, Any]:
    return {
        "amount_fen": form.amount_fen,
        "term_months": form.term_months,
        "use": form.use,
        "use_text": _printable(form.use_text),
        "rate_ceiling": form.rate_ceiling,
        "guarantees": sorted(form.guarantees),
        "wants_renewal_without_repayment": form.wants_renewal_without_repayment,
    }


def _printable(text: str) -> str:
    """Without control characters, which no keyboard makes and no database takes."""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n").strip()


def _row(form: ReportForm, firm: Row[Any], who: Who, today: date, now: datetime) -> dict[str, Any]:
    return _wish(form) | {
        "uscc": form.uscc,
        "district": firm.district,
        "channel": form.channel,
        "reported_on": today,
        "reported_at": now,
        "reported_by": who.person_id,
        "version": 1,
        "state": S.REPORTED,
        "next_step": "judge",
        "next_by": Actor.PLATFORM,
        "next_on": today,
        "waits_for_calendar": False,
        "firm_seen_on": today,
    }


def _seen(today: date) -> dict[str, Any]:
    return {"firm_seen_on": today, "warned_on": None}


def _wanted(demand_id: int, form: ReportForm) -> list[dict[str, Any]]:
    return [
        _wanted_row(demand_id, bank, rank, intended=bank in form.intended) for rank, bank in enumerate(form.banks, 1)
    ]


def _wanted_row(demand_id: int, bank_id: int, rank: int, *, intended: bool) -> dict[str, Any]:
    return {"demand_id": demand_id, "bank_id": bank_id, "is_intended": intended, "rank": rank}


def _event(key: int, form: ReportForm, firm: Row[Any], today: date) -> Event:
    return Event(
        FigureKind.REPORTED, today, key, key, form.uscc, firm.district, form.amount_fen,
        industry=firm.industry[:1], size=firm.size_class,
    )  # fmt: skip


def _receipt(key: int, form: ReportForm, today: date) -> Message:
    return Message("demand_reported", uscc=form.uscc, demand_id=key, values={"number": demands.number_of(today, key)})


def _act(
    verb: str, key: int, uscc: str, district: str, old: str | None = None, new: str | None = None,
    details: dict[str, Any] | None = None,
) -> Act:  # fmt: skip
    return Act(
        verb, "demand", key, demand_id=key, uscc=uscc, district=district, old=old, new=new, details=details or {}
    )
