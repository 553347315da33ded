"""A firm reports a demand, or changes one, a question a page: each answer is kept, all are checked, then it is sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from service.actions.report_demand import EDITABLE, edit_demand, report_demand
from service.actions.report_demand import ReportForm as Reported
from service.domain.demand import BEFORE_GRANT, Channel
from service.domain.errors import Conflict, DomainError, NotFound
from service.domain.people import Who
from service.domain.product import LoanType
from service.doors import AFirm, Now, TheHouse, Today, Tx
from service.profiles.tools import load_tools
from service.store import consents, drafts, enquiries, overview
from service.store.drafts import Answers, Kept
from web import consent_words, words
from web.consent_words import ConsentText
from web.csrf import guard
from web.flash import redirect
from web.formats import WAN
from web.formats import money as said_money
from web.formats import percent as said_percent
from web.forms import Ask, Filled, Form, Typed, blank, money, percent, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.firm import ConsentTicks, badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])

LawfulUse = Literal["working_capital", "equipment", "premises", "trade", "research", "agriculture", "renewal", "other"]
"""The uses a firm may choose; the others of UseOfLoan are what the fifth criterion refuses."""
SMALLEST, LARGEST = 1_000_000, 10_000_000_000
"""Fen, 1 wan to 1 yi: the form's own bounds; policy draws its lines inside."""


class AmountForm(Form):
    amount_fen: Annotated[
        int, money("wan", least=SMALLEST, most=LARGEST), Ask(_("想借多少"), _("填万元，例如 50"), _("请填写想借的金额"))
    ]


class TermForm(Form):
    term_months: Annotated[int, whole(least=1, most=360), Ask(_("借多久"), _("填月数，例如 12"), _("请填写期限"))]


class UseForm(Form):
    use: Annotated[LawfulUse, Ask(_("用来做什么"), None, _("请选择用途"))]
    wants_renewal_without_repayment: Annotated[
        bool, Ask(_("续贷时，希望不先还本"), _("只有用途是续贷时才看这一项。"))
    ] = False
    use_text: Annotated[
        str, wording(most=500, lines=True), Ask(_("用途说明"), _("一两句话，例如：采购下半年的原材料。"))
    ] = ""


class RateForm(Form):
    rate_ceiling: Annotated[
        Decimal | None, percent(most=Decimal("0.24"), places=2), Ask(_("能接受的最高年利率"), _("不填表示不限"))
    ] = None


class GuaranteeForm(Form):
    guarantees: Annotated[tuple[LoanType, ...], Ask(_("能提供哪些担保"), _("都没有就不选；信用贷款不需要担保。"))] = ()


class BanksForm(Form):
    first_bank: Annotated[int | None, whole(), Ask(_("意向银行一"), _("先推给您点名的银行。"))] = None
    second_bank: Annotated[int | None, whole(), Ask(_("意向银行二"))] = None
    third_bank: Annotated[int | None, whole(), Ask(_("意向银行三"))] = None
    reserve: Annotated[tuple[int, ...], Ask(_("备选银行"), _("意向银行没有接手时再推，可选多家，也可不选。"))] = ()

    @property
    def intended(self) -> tuple[int, ...]:
        """The intended banks in their order, each once."""
        named = (self.first_bank, self.second_bank, self.third_bank)
        return tuple(dict.fromkeys(bank for bank in named if bank is not None))

    @property
    def others(self) -> tuple[int, ...]:
        """Reserve banks that are not intended ones already."""
        return tuple(bank for bank in dict.fromkeys(self.reserve) if bank not in self.intended)


class DemandForm(AmountForm, TermForm, UseForm, RateForm, GuaranteeForm, BanksForm):
    """All answers together."""


STEPS: dict[str, type[Form]] = {
    "amount": AmountForm,
    "term": TermForm,
    "use": UseForm,
    "rate": RateForm,
    "guarantees": GuaranteeForm,
    "banks": BanksForm,
}
CHECK = "check"
PATH = (*STEPS, CHECK)
FIRST_TERM = "12"


class ReadAndTicked(ConsentTicks):
    """With the consents that were ticked, the hashes of the words that were shown, and of which version of a demand."""

    shown: Annotated[tuple[str, ...], Ask(_("授权书"))] = ()
    version: Annotated[int, whole(), Ask(_("版本"))] = 0


def _sent(*typed: Mapping[str, Sequence[str]]) -> FormData:
    """What was kept, as if it were sent again."""
    return FormData([(name, value) for one in typed for name, values in one.items() for value in values])


@dataclass(frozen=True)
class Filling:
    """What is being filled in: a new demand, or a change to the one with this key, as of this version."""

    uscc: str
    demand_id: int | None = None
    version: int = 0
    answers: Answers = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Where its steps lie."""
        return "/firm/reports" if self.demand_id is None else f"/firm/demands/{self.demand_id}/edit"

    @property
    def sent_to(self) -> str:
        return "/firm/demands" if self.demand_id is None else self.base

    @property
    def next_step(self) -> str:
        """The first step without a right answer; the check of all where there is none."""
        return next((step for step in STEPS if not self._is_answered(step)), CHECK)

    @property
    def demand(self) -> Filled[DemandForm]:
        """All answers given so far, as one form."""
        return read(DemandForm, _sent(*self.answers.values()))

    def _is_answered(self, step: str) -> bool:
        return step in self.answers and read(STEPS[step], _sent(self.answers[step])).is_right

    def with_answer(self, step: str, typed: Mapping[str, Sequence[str]]) -> "Filling":
        said = {name: list(values) for name, values in typed.items()}
        return replace(self, answers={**self.answers, step: said})

    def is_open(self, step: str) -> bool:
        """Whether every step before it is answered."""
        return PATH.index(step) <= PATH.index(self.next_step)

    def before(self, step: str) -> str:
        """Where 'back' leads: to the check where this is a change to it, to the step before else."""
        place = PATH.index(step)
        if step != CHECK and self.next_step == CHECK:
            return f"{self.base}/{CHECK}"
        return f"{self.base}/{PATH[place - 1]}" if place else self.home

    @property
    def home(self) -> str:
        return "/firm" if self.demand_id is None else f"/firm/demands/{self.demand_id}"

    @property
    def kept(self) -> Kept:
        return Kept(self.uscc, self.demand_id, self.version, self.answers)


@dataclass(frozen=True)
class StepPage:
    form: Filled[Any]
    step: str
    place: int
    places: int
    action: str
    back: str
    is_change: bool
    known: Mapping[str, str]
    """What the city knows already and is not asked again; said on the first page."""
    banks: Sequence[words.Option]
    from_code: bool
    """Whether the first bank stands there because the firm scanned its code."""


@dataclass(frozen=True)
class Said:
    """One row of the check-answers page."""

    question: str
    said: str
    change: str


@dataclass(frozen=True)
class CheckPage:
    form: Filled[ReadAndTicked]
    filling: Filling
    answers: Sequence[Said]
    consents: Sequence[ConsentText]
    there: Row[Any] | None
    """The open demand for the same use, which a new one cannot stand beside."""
    is_editable: bool
    places: int = len(PATH)


@router.get("/firm/demands/new")
def begin(who: AFirm, tx: Tx) -> Response:
    """To the first question, or to where the firm left off."""
    return _next(_filling(tx, who, None))


@router.get("/firm/reports/{step}")
def show_step(request: Request, who: AFirm, tx: Tx, today: Today, step: str) -> Response:
    return _show(request, tx, who, _filling(tx, who, None), step, today)


@router.post("/firm/reports/{step}")
def answer_step(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, step: str, typed: Typed) -> Response:
    """Keep the answer of one page; then the next question, or the check where all are answered."""
    return _answer(request, tx, _filling(tx, who, None), step, typed, today, now)


@router.post("/firm/draft/removal")
def forget(request: Request, who: AFirm, tx: Tx) -> Response:
    drafts.remove(tx, who.uscc or "", None)
    return redirect(request, "/firm", gettext("没填完的申报已删除。"), "info")


@router.post("/firm/demands")
def report(request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    """Report the demand: it is judged at once, and the browser goes to its light. A second click finds it sent."""
    held = drafts.take(tx, who.uscc or "", None)
    if held is None:
        return redirect(request, "/firm", gettext("没有待提交的申报。如果刚刚提交过，它就在下面。"), "info")
    filling = _filling(tx, who, None)
    if filling.next_step != CHECK:
        return _next(filling)
    ticks, shown = _ticked(tx, who, filling, typed, today)
    if not ticks.is_right:
        return _check_page(request, tx, who, filling, ticks, today, 422)
    try:
        tools = load_tools(tx, house.settings, today)
        channel = Channel.QR if enquiries.find_wish(tx) else Channel.WEB
        demand_id = report_demand(tx, who, _reported(who, filling.demand.answers, shown, channel), tools, today, now)
    except DomainError as refusal:
        return _check_page(request, tx, who, filling, ticks.refused(refusal), today, _status(refusal))
    drafts.remove(tx, filling.uscc, None)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已申报，并已评判。"))


@router.get("/firm/demands/{demand_id}/edit")
def begin_edit(who: AFirm, tx: Tx, today: Today, demand_id: int) -> Response:
    """To the answers as they stand, each to be changed."""
    return _next(_filling(tx, who, demand_id, today))


@router.get("/firm/demands/{demand_id}/edit/{step}")
def show_edit_step(request: Request, who: AFirm, tx: Tx, today: Today, demand_id: int, step: str) -> Response:
    return _show(request, tx, who, _filling(tx, who, demand_id, today), step, today)


@router.post("/firm/demands/{demand_id}/edit/{step}")
def answer_edit_step(
    request: Request, who: AFirm, tx: Tx, today: Today, now: Now, demand_id: int, step: str, typed: Typed
) -> Response:
    return _answer(request, tx, _filling(tx, who, demand_id, today), step, typed, today, now)


@router.post("/firm/demands/{demand_id}/draft")
def take_over(request: Request, who: AFirm, tx: Tx, now: Now, demand_id: int) -> Response:
    """What was filled in for a new demand becomes a change to the one that is there for the same use."""
    demand = overview.get_demand(tx, who, demand_id)
    filled = _filling(tx, who, None)
    if demand.state not in EDITABLE or not filled.answers:
        return redirect(request, f"/firm/demands/{demand_id}")
    change = replace(filled, demand_id=demand_id, version=demand.version)
    drafts.save(tx, change.kept, now)
    drafts.remove(tx, filled.uscc, None)
    return redirect(request, f"{change.base}/{change.next_step}")


@router.post("/firm/demands/{demand_id}/edit")
def edit(
    request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, demand_id: int, typed: Typed
) -> Response:
    """Change what is asked; it is judged again. New banks need their own consents first."""
    filling = _filling(tx, who, demand_id, today)
    if filling.next_step != CHECK:
        return _next(filling)
    ticks, shown = _ticked(tx, who, filling, typed, today)
    if not ticks.is_right:
        return _check_page(request, tx, who, filling, ticks, today, 422)
    try:
        tools = load_tools(tx, house.settings, today)
        asked = _reported(who, filling.demand.answers, shown)
        edit_demand(tx, who, demand_id, asked, ticks.answers.version, tools, today, now)
    except DomainError as refusal:
        return _check_page(request, tx, who, filling, ticks.refused(refusal), today, _status(refusal))
    drafts.remove(tx, filling.uscc, demand_id)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已修改，并重新评判。"))


def _filling(tx: Tx, who: Who, demand_id: int | None, today: date | None = None) -> Filling:
    """Where the firm left off; for a change that was not begun on this version, the demand as it stands."""
    uscc = who.uscc or ""
    demand = None if demand_id is None else overview.get_demand(tx, who, demand_id)
    draft = drafts.find(tx, uscc, demand_id)
    if demand is None or today is None:
        return Filling(uscc, answers=draft.answers if draft else {})
    if draft is not None and draft.version == demand.version:
        return Filling(uscc, demand.id, draft.version, draft.answers)
    wanted = overview.list_wanted_banks(tx, demand.id, today)
    return Filling(uscc, demand.id, demand.version, _answers_of(demand, wanted))


def _next(filling: Filling) -> Response:
    return RedirectResponse(f"{filling.base}/{filling.next_step}", status_code=303)


def _show(request: Request, tx: Tx, who: Who, filling: Filling, step: str, today: date) -> Response:
    """A step's page; steps whose turn has not come lead to the one whose has."""
    _known_step(step)
    if not filling.is_open(step):
        return _next(filling)
    if step == CHECK:
        return _check_page(request, tx, who, filling, blank(ReadAndTicked), today)
    typed = filling.answers.get(step) or _first_answer(tx, filling, step)
    return _step_page(request, tx, filling, step, blank(STEPS[step], **typed), today)


def _first_answer(tx: Tx, filling: Filling, step: str) -> Mapping[str, Sequence[str]]:
    """What stands there at first: what the firm said behind a scanned code. Nothing is consented to by it."""
    if step == "term":
        return {"term_months": [FIRST_TERM]}
    wish = enquiries.find_wish(tx) if filling.demand_id is None and step in ("amount", "use", "banks") else None
    if wish is None:
        return {}
    if step == "banks":
        return {"first_bank": [str(wish.bank_id)]} if wish.bank_id else {}
    return {"use": [wish.use]} if step == "use" else {"amount_fen": [f"{Decimal(wish.amount_fen) / WAN:f}"]}


def _answer(
    request: Request, tx: Tx, filling: Filling, step: str, typed: Typed, today: date, now: datetime
) -> Response:
    _known_step(step)
    if step == CHECK or not filling.is_open(step):
        return _next(filling)
    filled = read(STEPS[step], typed)
    if not filled.is_right:
        return _step_page(request, tx, filling, step, filled, today, 422)
    answered = filling.with_answer(step, filled.typed)
    drafts.save(tx, answered.kept, now)
    return _next(answered)


def _known_step(step: str) -> None:
    if step not in PATH:
        raise NotFound("没有这一页。")


def _status(refusal: DomainError) -> int:
    return 409 if isinstance(refusal, Conflict) else 422


def _step_page(
    request: Request, tx: Tx, filling: Filling, step: str, form: Filled[Any], today: date, status: int = 200
) -> Response:
    firm = overview.get_firm(tx, filling.uscc)
    known = {
        gettext("企业"): firm.name,
        gettext("统一社会信用代码"): firm.uscc,
        gettext("所在区县"): words.district(firm.district),
        gettext("行业"): words.industry(firm.industry),
    }
    banks = [words.Option(str(bank.id), bank.name) for bank in overview.list_banks(tx, today)]
    view = StepPage(
        form=form,
        step=step,
        place=PATH.index(step) + 1,
        places=len(PATH),
        action=f"{filling.base}/{step}",
        back=filling.before(step),
        is_change=filling.next_step == CHECK,
        known={question: said for question, said in known.items() if said},
        banks=banks,
        from_code=step == "banks" and form.said("first_bank") in _first_answer(tx, filling, step).get("first_bank", ()),
    )
    return page(request, "firm/report/step.html", view, status=status)


def _check_page(
    request: Request, tx: Tx, who: Who, filling: Filling, form: Filled[ReadAndTicked], today: date, status: int = 200
) -> Response:
    answers = filling.demand.answers
    there = None if filling.demand_id else _open_for(tx, who, answers.use)
    view = CheckPage(
        form=form,
        filling=filling,
        answers=list(_said(tx, filling, answers, today)),
        consents=_consents_for(tx, who, answers, today),
        there=there,
        is_editable=there is not None and there.state in EDITABLE,
    )
    return page(request, "firm/report/check.html", view, status=status)


def _open_for(tx: Tx, who: Who, use: str) -> Row[Any] | None:
    rows = overview.list_demands(tx, who)
    return next((row for row in rows if row.use == use and row.state in BEFORE_GRANT), None)


def _said(tx: Tx, filling: Filling, answers: DemandForm, today: date) -> Iterable[Said]:
    """Each answer in words, with the address of its question."""
    names = {bank.id: bank.name for bank in overview.list_banks(tx, today)}
    ceiling = "" if answers.rate_ceiling is None else said_percent(answers.rate_ceiling)
    use = [words.of("use_of_loan", answers.use)]
    if answers.use == "renewal" and answers.wants_renewal_without_repayment:
        use.append(gettext("希望不先还本"))
    rows = (
        ("amount", gettext("想借多少"), said_money(answers.amount_fen)),
        ("term", gettext("借多久"), gettext("%(n)s 个月") % {"n": answers.term_months}),
        ("use", gettext("用来做什么"), gettext("，").join(use)),
        ("use", gettext("用途说明"), answers.use_text),
        ("rate", gettext("能接受的最高年利率"), ceiling),
        ("guarantees", gettext("能提供哪些担保"), _listed(words.of("loan_type", one) for one in answers.guarantees)),
        ("banks", gettext("意向银行"), _listed(names.get(bank, "") for bank in answers.intended)),
        ("banks", gettext("备选银行"), _listed(names.get(bank, "") for bank in answers.others)),
    )
    for step, question, said in rows:
        yield Said(question, said, f"{filling.base}/{step}")


def _listed(names: Iterable[str]) -> str:
    return gettext("、").join(name for name in names if name)


def _ticked(
    tx: Tx, who: Who, filling: Filling, typed: Typed, today: date
) -> tuple[Filled[ReadAndTicked], list[ConsentText]]:
    """The consents needed, and what was ticked: an error where one is not, or where other words were shown."""
    needed = _consents_for(tx, who, filling.demand.answers, today)
    ticks = read(ReadAndTicked, typed)
    given = ticks.answers
    if any(one.text_hash not in given.shown for one in needed):
        changed = Conflict("授权书的内容已有变化，请重新阅读后再勾选。", field="consent")
        return replace(ticks, typed={}).refused(changed), needed
    if any((one.bank_id or 0) not in given.consent for one in needed):
        return ticks.refused(Conflict("请逐项勾选授权；不想授权的银行，请点“修改”去掉。", field="consent")), needed
    return ticks, needed


def _consents_for(tx: Tx, who: Who, answers: DemandForm, today: date) -> list[ConsentText]:
    """The consents this demand still needs: the platform's own, and one for each bank named."""
    firm = overview.get_firm(tx, who.uscc or "")
    names = {bank.id: bank.name for bank in overview.list_banks(tx, today)}
    live = {row.bank_id for row in consents.list_live(tx, [firm.uscc], today)}
    needed = [] if None in live else [consent_words.for_platform(firm.name, today)]
    asked = [bank for bank in (*answers.intended, *answers.others) if bank in names and bank not in live]
    return needed + [consent_words.for_bank(firm.name, bank, names[bank], today) for bank in asked]


def _reported(who: Who, answers: DemandForm, shown: Sequence[ConsentText], channel: Channel = Channel.WEB) -> Reported:
    return Reported(
        uscc=who.uscc or "",
        amount_fen=answers.amount_fen,
        term_months=answers.term_months,
        use=answers.use,
        use_text=answers.use_text,
        rate_ceiling=answers.rate_ceiling,
        guarantees=tuple(str(mode) for mode in answers.guarantees),
        intended=answers.intended,
        reserve=answers.others,
        consents=tuple(one.form(who.uscc or "") for one in shown),
        channel=channel,
        wants_renewal_without_repayment=answers.use == "renewal" and answers.wants_renewal_without_repayment,
    )


def _answers_of(demand: Row[Any], wanted: Sequence[Row[Any]]) -> Answers:
    """A demand as its own form would have been filled in."""
    intended = [row.bank_id for row in wanted if row.is_intended]
    use: dict[str, object] = {"use": demand.use, "use_text": demand.use_text}
    if demand.wants_renewal_without_repayment:
        use["wants_renewal_without_repayment"] = "yes"
    first: dict[str, dict[str, object]] = {
        "amount": {"amount_fen": _bare(Decimal(demand.amount_fen) / 1_000_000)},
        "term": {"term_months": demand.term_months},
        "use": use,
        "rate": {} if demand.rate_ceiling is None else {"rate_ceiling": _bare(demand.rate_ceiling * 100)},
        "guarantees": {"guarantees": list(demand.guarantees)},
        "banks": {
            **dict(zip(("first_bank", "second_bank", "third_bank"), intended, strict=False)),
            "reserve": [row.bank_id for row in wanted if not row.is_intended],
        },
    }
    return {step: _typed(STEPS[step], said) for step, said in first.items()}


def _typed(form: type[Form], said: Mapping[str, object]) -> dict[str, list[str]]:
    return {name: list(values) for name, values in blank(form, **said).typed.items()}


def _bare(number: Decimal) -> str:
    """A number as a person types it."""
    return f"{number:f}".rstrip("0").rstrip(".") if number % 1 else f"{number:.0f}"
