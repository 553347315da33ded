"""One line of a bank's list: the firm as far as its consent reaches, the clock, and every way to answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from matching.outlook import Prospect
from service.actions.answer_push import answer_line
from service.actions.choose_offer import take_back_offer
from service.actions.look_after_profiles import reasons_for
from service.actions.look_at import LOOKED, look_at
from service.actions.tell_appetite import chance_of_line
from service.domain.answering import AnswerForm, OfferForm
from service.domain.errors import DomainError
from service.domain.people import Who
from service.domain.product import LoanType
from service.domain.push_list import ANSWERABLE, AnswerKind, LineState, RefusalReason, Repayment
from service.doors import AnOfficer, Now, TheHouse, Today, Tx, house_of
from service.profiles.profile import LateSource, late_sources
from service.profiles.tools import load_tools
from service.settings import Settings
from service.store import bank_desk, bank_line, outlets, overview, papers
from service.store.trail import Act
from web import clock_words, fact_words, words
from web.csrf import guard
from web.explained import Explained, explain
from web.fact_words import FactSaid, contested_items
from web.fees import fees_of, filled_rows, with_fees
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, money, percent, read, whole, wording
from web.held_words import BatchSaid, waiting_on
from web.language import gettext
from web.language import lazy as _
from web.pages.bank import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
L, K = LineState, AnswerKind
TAKE_BACK = "take_back"


class PlainForm(Form):
    """Received or contacted: the word alone."""


class PapersForm(Form):
    papers: Annotated[
        str,
        wording(most=1700, lines=True),
        Ask(_("需要哪些资料"), _("一行一份，最多 20 份。企业补齐前，贵行的时限暂停。"), _("请列出需要的资料")),
    ]
    text: Annotated[str, wording(most=500, lines=True), Ask(_("给企业的说明"))] = ""


class ExtensionForm(Form):
    text: Annotated[str, wording(most=500, lines=True), Ask(_("延期的理由"), _("每项只能延期一次。"), _("请写明理由"))]


class TermsForm(Form):
    amount_fen: Annotated[int, money("wan"), Ask(_("报价金额"), None, _("请填写金额"))]
    rate: Annotated[Decimal, percent(least=Decimal("0.0001"), places=4), Ask(_("年利率"), None, _("请填写年利率"))]
    term_months: Annotated[int, whole(least=1, most=360), Ask(_("期限"), None, _("请填写期限"))]
    fees_fen: Annotated[
        int, money("yuan", least=0), Ask(_("费用合计"), _("担保费、评估费等企业要付的一切费用；没有填 0。"))
    ] = 0
    """The sum alone, as the workbook gives it; the page asks item by item."""
    loan_type: Annotated[LoanType, Ask(_("贷款方式"), None, _("请选择贷款方式"))]
    repayment: Annotated[Repayment, Ask(_("还款方式"), None, _("请选择还款方式"))]
    valid_until_on: Annotated[Day | None, Ask(_("报价有效至"), _("不填按政策规定的有效期。"))] = None


OfferedForm = with_fees(TermsForm)


class RefusedForm(Form):
    reasons: Annotated[
        tuple[RefusalReason, ...],
        Ask(_("原因"), _("选 1 至 4 个；企业会看到，也会影响下一次匹配。"), _("请选择 1 至 4 个原因")),
    ]
    text: Annotated[str, wording(most=500, lines=True), Ask(_("说明"), _("选择“其他”时必填。"))] = ""


class WhichForm(Form):
    """Which answer, and which earlier one it corrects."""

    kind: Annotated[str, Ask(_("反馈"))] = ""
    corrects: Annotated[int | None, whole(), Ask(_("更正"))] = None


FORMS: Mapping[str, type[Form]] = {
    K.RECEIVED: PlainForm,
    K.CONTACTED: PlainForm,
    K.NEEDS_PAPERS: PapersForm,
    K.EXTENSION: ExtensionForm,
    K.OFFERED: OfferedForm,
    K.REFUSED: RefusedForm,
    TAKE_BACK: RefusedForm,
}
TITLES = {
    K.NEEDS_PAPERS: _("请企业补资料"),
    K.EXTENSION: _("申请延期"),
    K.OFFERED: _("给出报价"),
    K.REFUSED: _("不予通过"),
    TAKE_BACK: _("撤回报价"),
}


@dataclass(frozen=True)
class Choice:
    """One way to answer: a button where nothing more is asked, else a link to its form."""

    kind: str
    label: str
    address: str
    is_current: bool

    @property
    def is_plain(self) -> bool:
        return FORMS[self.kind] is PlainForm


@dataclass(frozen=True)
class LinePage:
    line: Row[Any]
    terms: Row[Any]
    why: str
    today: date
    explained: Explained
    chance: Prospect | None
    """What the appetite of the morning it was pushed says of this bank and a demand like this."""
    facts: Sequence[FactSaid]
    unknown: Sequence[FactSaid]
    """Facts no source has told."""
    answers: Sequence[Row[Any]]
    offers: Sequence[Row[Any]]
    grants: Sequence[Row[Any]]
    drawdowns: Sequence[Row[Any]]
    papers: Sequence[Row[Any]]
    """What the firm has handed in."""
    late: Sequence[LateSource]
    """Sources whose delivery is late: what they say of the firm is old."""
    contested: Mapping[str, Row[Any]]
    """Item → the firm's open objection to a record of it."""
    choices: Sequence[Choice]
    outlet: str | None
    """Where the line is worked on."""
    stand_in: Row[Any] | None
    """Who stands in today for whoever works on the line."""
    held: BatchSaid | None
    """The answer somebody of the bank has confirmed and can still undo."""
    kind: str
    """The answer whose form is open; '' for none."""
    form: Filled[Any]
    corrects: Row[Any] | None = None
    """The answer that is being corrected."""

    @property
    def title(self) -> str:
        return str(TITLES.get(self.kind, ""))

    @property
    def fee_rows(self) -> int:
        """How many rows of fees stand open in the offer's form."""
        return filled_rows(self.form)

    @property
    def is_open(self) -> bool:
        return self.line.closed_on is None

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.line.due_on is not None and self.line.due_on < self.today

    @property
    def may_print(self) -> bool:
        """Whether the consent the page rests on still lives."""
        until = self.terms.consent_until_on
        ended = self.line.view_closed or self.terms.consent_withdrawn_on is not None
        return not ended and until is not None and until >= self.today

    @property
    def live_grant(self) -> Row[Any] | None:
        return next((one for one in self.grants if one.voided_at is None), None)


@router.get("/push-lines/{line_id}")
def show_line(
    request: Request, who: AnOfficer, tx: Tx, house: TheHouse, today: Today, now: Now, line_id: int
) -> Response:
    """The firm, the clock, and how to answer; the look is noted where the firm can read it."""
    kind, corrects = request.query_params.get("answer", ""), request.query_params.get("corrects", "")
    view = line_page(
        tx, who, line_id, today, house.settings, kind=kind, corrects=int(corrects) if corrects.isdigit() else None
    )
    if view.line.uscc is not None:
        whose = {"demand_id": view.line.demand_id, "uscc": view.line.uscc, "district": view.line.district}
        look_at(tx, who, Act(LOOKED, "push_line", line_id, bank_id=who.bank_id, **whose), now)
    return page(request, "bank/line.html", view)


@router.post("/push-lines/{line_id}/answer")
def answer(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, line_id: int, typed: Typed) -> Response:
    """One answer; what is wrong with it stands beside its field, and nothing typed is lost."""
    bank_line.get_terms(tx, who, line_id)
    asked = read(WhichForm, typed).answers
    kind = asked.kind if asked.kind in frozenset(K) else ""
    filled = read(FORMS.get(kind, PlainForm), typed)
    if not filled.is_right or not kind:
        return _again(request, tx, who, line_id, today, filled, kind, asked.corrects)
    try:
        with tx.begin_nested():
            answer_line(tx, who, answer_form(line_id, kind, filled.answers, asked.corrects), today, now)
    except DomainError as refusal:
        return _again(request, tx, who, line_id, today, filled.refused(refusal), kind, asked.corrects)
    word = words.of("answer_kind", kind)
    return redirect(request, f"/push-lines/{line_id}", gettext("已反馈：%(what)s。") % {"what": word})


@router.post("/offers/{offer_id}/withdrawal")
def take_back(
    request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, offer_id: int, typed: Typed
) -> Response:
    """Take an offer back: a refusal with its reasons."""
    line_id = bank_line.line_of_offer(tx, who, offer_id)
    filled = read(RefusedForm, typed)
    if not filled.is_right:
        return _again(request, tx, who, line_id, today, filled, TAKE_BACK, None)
    reasons = [str(reason) for reason in filled.answers.reasons]
    try:
        with tx.begin_nested():
            take_back_offer(tx, who, offer_id, reasons, filled.answers.text, today, now)
    except DomainError as refusal:
        return _again(request, tx, who, line_id, today, filled.refused(refusal), TAKE_BACK, None)
    return redirect(request, f"/push-lines/{line_id}", gettext("已撤回报价，企业会收到通知。"))


def line_page(
    tx: Tx,
    who: Who,
    line_id: int,
    today: date,
    settings: Settings,
    *,
    kind: str = "",
    corrects: int | None = None,
    form: Filled[Any] | None = None,
) -> LinePage:
    """Everything the page of a line says, with the form of one answer open."""
    line = bank_desk.get_line(tx, who, line_id)
    terms = bank_line.get_terms(tx, who, line_id)
    answers = bank_line.list_answers(tx, who, line_id)
    last = answers[0] if answers else None
    corrected = last if last is not None and last.id == corrects else None
    kind = kind if kind in _kinds(line, is_correction=corrected is not None) else ""
    verdict = None if line.view_closed else overview.find_verdict(tx, line.verdict_id)
    facts = fact_words.said(verdict.facts) if verdict is not None else ()
    reasons = None if verdict is None else reasons_for(tx, verdict, load_tools(tx, settings, today))
    return LinePage(
        line=line,
        terms=terms,
        why=clock_words.why(line, terms),
        today=today,
        explained=explain(verdict, reasons),
        chance=None if line.view_closed or verdict is None else chance_of_line(tx, who, line, verdict.light),
        facts=fact_words.known(facts),
        unknown=fact_words.missing(facts),
        answers=answers,
        offers=bank_line.list_offers(tx, who, line_id),
        grants=bank_line.list_grants(tx, who, line_id),
        drawdowns=bank_line.list_drawdowns(tx, who, line_id),
        papers=() if line.view_closed else papers.list_of_line(tx, who, line_id),
        late=() if line.view_closed else late_sources(tx, today),
        contested={} if line.view_closed else contested_items(tx, line.uscc),
        choices=_choices(line, kind, corrected),
        outlet=outlets.find_of_line(tx, who, line),
        stand_in=outlets.stand_ins_on(tx, who, today).get(line.assigned_to),
        held=waiting_on(tx, who, line_id),
        kind=kind,
        form=form or _blank(line, kind),
        corrects=corrected,
    )


def _again(
    request: Request,
    tx: Tx,
    who: Who,
    line_id: int,
    today: date,
    filled: Filled[Any],
    kind: str,
    corrects: int | None,
) -> Response:
    view = line_page(tx, who, line_id, today, house_of(request).settings, kind=kind, corrects=corrects, form=filled)
    return page(request, "bank/line.html", view, status=422)


def _kinds(line: Row[Any], *, is_correction: bool) -> tuple[str, ...]:
    """What may be said now."""
    if line.view_closed:
        return ()
    if is_correction:
        return (K.CONTACTED, K.NEEDS_PAPERS, K.OFFERED, K.REFUSED)
    if line.closed_on is not None:
        return ()
    if line.state == L.ACCEPTED:
        return (TAKE_BACK,)
    if line.state not in ANSWERABLE:
        return ()
    state = L(line.state)
    said: list[str] = [K.RECEIVED] if state is L.PUSHED else []
    said += [K.CONTACTED] if state in {L.PUSHED, L.RECEIVED, L.NEEDS_PAPERS} else []
    said += [K.OFFERED]
    said += [K.NEEDS_PAPERS] if state in {L.PUSHED, L.RECEIVED, L.CONTACTED} else []
    said += [K.EXTENSION] if line.due_step in {"contact", "decision"} else []
    return (*said, TAKE_BACK if state is L.OFFERED else K.REFUSED)


def _choices(line: Row[Any], kind: str, corrected: Row[Any] | None) -> list[Choice]:
    more = f"&corrects={corrected.id}" if corrected is not None else ""
    return [
        Choice(one, _label(one), f"/push-lines/{line.id}?answer={one}{more}#answer", one == kind)
        for one in _kinds(line, is_correction=corrected is not None)
    ]


def _label(kind: str) -> str:
    return str(TITLES[kind]) if kind in TITLES else words.of("answer_kind", kind)


def _blank(line: Row[Any], kind: str) -> Filled[Any]:
    """An offer starts from what the firm asked for."""
    if kind != K.OFFERED:
        return blank(FORMS.get(kind, PlainForm))
    asked = f"{Decimal(line.amount_fen) / 1_000_000:f}".rstrip("0").rstrip(".")
    return blank(OfferedForm, amount_fen=asked, term_months=line.term_months or "")


def answer_form(line_id: int, kind: str, answers: Any, corrects: int | None) -> AnswerForm:
    """The action's form from the page's."""
    return AnswerForm(line_id, kind, corrects_id=corrects, **SAYS.get(kind, lambda _answers: {})(answers))


def _offer(answers: TermsForm) -> dict[str, Any]:
    given = answers.model_dump(include=set(TermsForm.model_fields))
    coded = {"loan_type": str(answers.loan_type), "repayment": str(answers.repayment)}
    return {"offer": OfferForm(**given | coded, fees=fees_of(answers))}


SAYS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    K.NEEDS_PAPERS: lambda said: {
        "papers": tuple(line.strip() for line in said.papers.splitlines() if line.strip()),
        "text": said.text,
    },
    K.EXTENSION: lambda said: {"text": said.text},
    K.OFFERED: _offer,
    K.REFUSED: lambda said: {"reasons": tuple(str(reason) for reason in said.reasons), "text": said.text},
}
