"""The firm's pages: see a demand's light and what comes next, choose among offers, repeat it or take it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.answer_push import dispute_contact, may_dispute
from service.actions.choose_offer import accept_offer, decline_offer
from service.actions.end_demand import ends_on, withdraw_demand
from service.actions.look_after_profiles import prospect_for, reasons_for
from service.actions.report_demand import EDITABLE, REPEATABLE, confirm_demand, name_banks, repeat_demand
from service.actions.review_demand import ask_for_a_person
from service.actions.settle_demand import find_cooling
from service.domain.demand import BEFORE_GRANT
from service.domain.people import Who
from service.domain.push_list import LineState
from service.doors import AFirm, Now, TheHouse, Today, Tx
from service.profiles.fits import find_fits
from service.profiles.tools import Tools, load_tools
from service.settings import Settings
from service.store import drafts, notices, overview
from web import clock_words, consent_words, match_words, notice_words
from web.consent_words import ConsentText
from web.csrf import guard
from web.explained import Explained, explain
from web.fit_words import Fits, tell_fits
from web.flash import redirect
from web.forms import Ask, Form, Typed, read
from web.language import gettext
from web.language import lazy as _
from web.live import unchanged
from web.notice_words import NoticeSaid
from web.render import page
from web.shell import Badge


def badge(request: Request, who: AFirm, tx: Tx) -> None:
    """The header says for which firm one acts."""
    firm = overview.get_firm(tx, who.uscc or "")
    request.state.badge = Badge(
        who.name, who.role, "" if firm.name == who.name else firm.name, {"notices": notices.count_unread(tx, who)}
    )


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class ConsentTicks(Form):
    """Which of the shown consents were ticked: 0 is the platform, else the bank. Nothing is ticked beforehand."""

    consent: Annotated[tuple[int, ...], Ask(_("授权"))] = ()


@dataclass(frozen=True)
class HomePage:
    firm: Row[Any]
    open: Sequence[Row[Any]]
    ended: Sequence[Row[Any]]
    notices: Sequence[NoticeSaid]
    draft: Row[Any] | None
    """A report that was begun and not sent."""

    @staticmethod
    def ends_on(demand: Row[Any]) -> date:
        """When a demand ends whose firm does not say that it is still needed."""
        return ends_on(demand.warned_on)


@dataclass(frozen=True)
class DemandPage:
    demand: Row[Any]
    explained: Explained
    lines: Sequence[Row[Any]]
    offers: Sequence[Row[Any]]
    answers: Sequence[Row[Any]]
    history: Sequence[Row[Any]]
    follow_ups: Sequence[Row[Any]]
    banks: Sequence[Row[Any]]
    proposals: Sequence[ConsentText]
    has_review: bool
    is_open: bool
    is_editable: bool
    is_repeatable: bool
    how_shared: str
    """The rule by which places are given, with the weights in force."""
    cooling: str
    """Why the light is held though it is judged better by now, and until when."""
    fits: Fits
    """How every product on offer stands to it; empty where that is no question any more, or not yet."""

    today: date

    @property
    def ends_on(self) -> date:
        """When it ends, if the firm does not say that it is still needed."""
        return ends_on(self.demand.warned_on)

    @property
    def waits_for_calendar(self) -> bool:
        """Whether a date of it, or of one of its open lines, lies beyond the published calendar."""
        return bool(self.demand.waits_for_calendar) or any(
            line.waits_for_calendar and line.closed_on is None for line in self.lines
        )

    def may_dispute(self, line: Row[Any]) -> bool:
        """Whether the firm can say that this bank never contacted it."""
        return may_dispute(line, self.today)

    @staticmethod
    def why(line: Row[Any]) -> list[str]:
        """Why this bank was chosen, a sentence for each reason."""
        return match_words.why_this_bank(line)


@router.get("/firm")
def home(request: Request, who: AFirm, tx: Tx) -> Response:
    """Where do my demands stand, and what can I do now?"""
    rows = overview.list_demands(tx, who)
    view = HomePage(
        firm=overview.get_firm(tx, who.uscc or ""),
        open=[row for row in rows if row.closed_on is None],
        ended=[row for row in rows if row.closed_on is not None],
        notices=[notice_words.said(who, row) for row in notices.list_to(tx, who, 5)],
        draft=drafts.find(tx, who.uscc or "", None),
    )
    return page(request, "firm/home.html", view)


@router.get("/firm/demands/{demand_id}")
def show_demand(request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, demand_id: int) -> Response:
    """The light, why, what would change it, what comes next, by whom and by when."""
    return unchanged(request, house, who, today, f"demand:{demand_id}") or page(
        request, "firm/demand.html", _demand_page(tx, who, demand_id, today, house.settings), part="live"
    )


@router.post("/firm/demands/{demand_id}/withdrawal")
def withdraw(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, demand_id: int) -> Response:
    withdraw_demand(tx, who, demand_id, today, now)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已撤回。需要时可以一步重新申报。"))


@router.post("/firm/demands/{demand_id}/confirmation")
def confirm(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, demand_id: int) -> Response:
    """Yes, it is still needed: the firm's silence is counted anew."""
    confirm_demand(tx, who, demand_id, today, now)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已确认仍需融资，平台继续为它寻找银行。"))


@router.post("/firm/demands/{demand_id}/repetition")
def repeat(request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, demand_id: int) -> Response:
    again = repeat_demand(tx, who, demand_id, load_tools(tx, house.settings, today), today, now)
    return redirect(request, f"/firm/demands/{again}", gettext("已重新申报。"))


@router.post("/firm/demands/{demand_id}/consents")
def consent_to_proposed(
    request: Request, who: AFirm, tx: Tx, today: Today, now: Now, demand_id: int, typed: Typed
) -> Response:
    """Consent to some of the banks the platform proposes: they join the demand's reserve banks."""
    ticked = set(read(ConsentTicks, typed).answers.consent)
    demand = overview.get_demand(tx, who, demand_id)
    proposed = [one for one in _proposals(tx, demand, today) if one.bank_id in ticked]
    if not proposed:
        return redirect(request, f"/firm/demands/{demand_id}", gettext("没有勾选银行，什么也没有改变。"), "info")
    forms = [one.form(demand.uscc) for one in proposed]
    name_banks(tx, who, demand_id, forms, today, now)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已授权，平台会把需求推给这些银行。"))


@router.post("/firm/demands/{demand_id}/review")
def ask_a_person(
    request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, demand_id: int
) -> Response:
    """A decision by machine alone may be refused: a person of the district team looks."""
    ask_for_a_person(tx, who, demand_id, load_tools(tx, house.settings, today), today, now)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已转给区县专班人工查看。"))


@router.post("/offers/{offer_id}/acceptance")
def accept(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, offer_id: int) -> Response:
    accept_offer(tx, who, offer_id, today, now)
    return redirect(request, "/firm", gettext("已接受这份报价，银行会联系您办理。"))


@router.post("/offers/{offer_id}/decline")
def decline(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, offer_id: int) -> Response:
    decline_offer(tx, who, offer_id, today, now)
    return redirect(request, "/firm", gettext("已谢绝这份报价。"))


@router.post("/push-lines/{line_id}/dispute")
def dispute(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, line_id: int) -> Response:
    dispute_contact(tx, who, line_id, today, now)
    return redirect(request, "/firm", gettext("已记录“没有银行联系我”，银行和主管部门都会看到。"))


def _demand_page(tx: Tx, who: Who, demand_id: int, today: date, settings: Settings) -> DemandPage:
    demand = overview.get_demand(tx, who, demand_id)
    verdict = overview.find_verdict(tx, demand.verdict_id)
    lines = overview.list_lines(tx, who, demand_id)
    tools = load_tools(tx, settings, today)
    return DemandPage(
        demand=demand,
        explained=_explained(tx, demand, verdict, tools, today),
        lines=lines,
        offers=sorted(
            (line for line in lines if line.state == LineState.OFFERED and line.offer_state == "open"),
            key=lambda line: line.all_in_rate,
        ),
        answers=overview.list_answers(tx, demand_id),
        history=overview.list_light_changes(tx, demand_id),
        follow_ups=[row for row in overview.list_follow_ups(tx, demand_id) if row.closed_on is None],
        banks=overview.list_wanted_banks(tx, demand_id, today),
        proposals=_proposals(tx, demand, today),
        has_review=overview.find_open_review(tx, demand_id) is not None,
        is_open=demand.state in BEFORE_GRANT,
        is_editable=demand.state in EDITABLE,
        is_repeatable=demand.state in REPEATABLE,
        how_shared=match_words.how_shared(tools.policy.on(today)) if lines else "",
        cooling=clock_words.cooling(find_cooling(tx, demand_id, today), demand.light, today),
        fits=tell_fits(find_fits(tx, who, demand, tools, today), overview.list_products(tx, today)),
        today=today,
    )


def _explained(tx: Tx, demand: Row[Any], verdict: Row[Any] | None, tools: Tools, today: date) -> Explained:
    """The verdict in words; while the demand can still be judged anew, with what would change its estimate."""
    if verdict is None:
        return explain(None)
    is_open = demand.state in BEFORE_GRANT
    prospect = prospect_for(verdict, tools, demand.district, today) if is_open else None
    return explain(verdict, reasons_for(tx, verdict, tools), prospect)


def _proposals(tx: Tx, demand: Row[Any], today: date) -> list[ConsentText]:
    """Banks that fit and that no live consent names yet, as the platform's latest proposal says."""
    return [
        consent_words.for_bank(demand.firm_name, bank.id, bank.name, today)
        for bank in overview.list_proposed_banks(tx, demand.id, today)
    ]
