"""The firm reports a demand or changes it: the form, its answers checked, each consent ticked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.report_demand import ReportForm as Reported
from service.actions.report_demand import edit_demand, report_demand
from service.domain.errors import Conflict
from service.domain.people import Who
from service.domain.product import LoanType
from service.doors import AFirm, Now, TheHouse, Today, Tx
from service.profiles.tools import load_tools
from service.store import consents, overview
from web import consent_words, words
from web.consent_words import ConsentText
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, money, percent, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.firm import ConsentTicks, badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])

LawfulUse = Literal["working_capital", "equipment", "premises", "trade", "research", "agriculture", "renewal", "other"]
"""The uses a firm may choose; the others of UseOfLoan are what the fifth criterion refuses."""
SMALLEST, LARGEST = (
    1_000_000,
    10_000_000_000,
)  # fen: 1 wan to 1 yi, the form's own bounds; policy draws its lines inside


class DemandForm(Form):
    amount_fen: Annotated[
        int, money("wan", least=SMALLEST, most=LARGEST), Ask(_("想借多少"), _("填万元，例如 50"), _("请填写想借的金额"))
    ]
    term_months: Annotated[int, whole(least=1, most=360), Ask(_("借多久"), _("填月数，例如 12"), _("请填写期限"))]
    use: Annotated[LawfulUse, Ask(_("用来做什么"), None, _("请选择用途"))]
    use_text: Annotated[
        str, wording(most=500, lines=True), Ask(_("用途说明"), _("一两句话，例如：采购下半年的原材料。"))
    ] = ""
    rate_ceiling: Annotated[
        Decimal | None, percent(most=Decimal("0.24"), places=2), Ask(_("能接受的最高年利率"), _("不填表示不限"))
    ] = None
    guarantees: Annotated[tuple[LoanType, ...], Ask(_("能提供哪些担保"), _("都没有就不选；信用贷款不需要担保。"))] = ()
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


class Seen(Form):
    """Which version of the demand the person had in front of them."""

    version: Annotated[int, whole(), Ask(_("版本"))] = 0


@dataclass(frozen=True)
class FormPage:
    form: Filled[DemandForm]
    banks: Sequence[words.Option]
    action: str
    known: Mapping[str, str]
    """What the city knows already and is not asked again."""
    version: int = 0


@dataclass(frozen=True)
class CheckPage:
    form: Filled[DemandForm]
    answers: Sequence["Said"]
    consents: Sequence[ConsentText]
    action: str
    carried: Sequence[tuple[str, str]]
    version: int = 0


@dataclass(frozen=True)
class Said:
    """One row of the check-answers page."""

    question: str
    said: str
    change: str


@router.get("/firm/demands/new")
def show_form(request: Request, who: AFirm, tx: Tx, today: Today) -> Response:
    return _form_page(request, tx, who, today, blank(DemandForm, term_months=12), "/firm/demands/new")


@router.post("/firm/demands/new")
def check(request: Request, who: AFirm, tx: Tx, today: Today, typed: Typed) -> Response:
    """Read the form; when it is right, show the answers once more with each consent it needs."""
    filled = read(DemandForm, typed)
    if not filled.is_right or "back" in typed:
        return _form_page(request, tx, who, today, filled, "/firm/demands/new", 200 if "back" in typed else 422)
    return _check_page(request, tx, who, today, filled, "/firm/demands")


@router.post("/firm/demands")
def report(request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed) -> Response:
    """Report the demand: it is judged at once, and the browser goes to its light."""
    filled = read(DemandForm, typed)
    if not filled.is_right:
        return _form_page(request, tx, who, today, filled, "/firm/demands/new", 422)
    shown = _consents_for(tx, who, filled.answers, today)
    ticked = set(read(ConsentTicks, typed).answers.consent)
    missing = [one for one in shown if (one.bank_id or 0) not in ticked]
    if missing:
        refused = filled.refused(Conflict("请逐项勾选授权，或返回去掉不授权的银行。", field="first_bank"))
        return _check_page(request, tx, who, today, refused, "/firm/demands", 422)
    tools = load_tools(tx, house.settings, today)
    demand_id = report_demand(tx, who, _reported(who, filled.answers, shown), tools, today, now)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已申报，并已评判。"))


@router.get("/firm/demands/{demand_id}/edit")
def show_edit(request: Request, who: AFirm, tx: Tx, today: Today, demand_id: int) -> Response:
    demand = overview.get_demand(tx, who, demand_id)
    wanted = overview.list_wanted_banks(tx, demand_id, today)
    filled = blank(DemandForm, **_first_answers(demand, wanted))
    return _form_page(request, tx, who, today, filled, f"/firm/demands/{demand_id}/edit", version=demand.version)


@router.post("/firm/demands/{demand_id}/edit")
def edit(
    request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, demand_id: int, typed: Typed
) -> Response:
    """Change what is asked; it is judged again. New banks need their own consents first."""
    address = f"/firm/demands/{demand_id}/edit"
    filled, version = read(DemandForm, typed), read(Seen, typed).answers.version
    if not filled.is_right or "back" in typed:
        return _form_page(request, tx, who, today, filled, address, 200 if "back" in typed else 422, version)
    shown = _consents_for(tx, who, filled.answers, today)
    ticked = set(read(ConsentTicks, typed).answers.consent)
    if any((one.bank_id or 0) not in ticked for one in shown):
        return _check_page(request, tx, who, today, filled, address, version=version)
    tools = load_tools(tx, house.settings, today)
    edit_demand(tx, who, demand_id, _reported(who, filled.answers, shown), version, tools, today, now)
    return redirect(request, f"/firm/demands/{demand_id}", gettext("已修改，并重新评判。"))


def _form_page(
    request: Request,
    tx: Tx,
    who: Who,
    today: date,
    form: Filled[DemandForm],
    action: str,
    status: int = 200,
    version: int = 0,
) -> Response:
    firm = overview.get_firm(tx, who.uscc or "")
    known = {
        gettext("企业"): firm.name,
        gettext("统一社会信用代码"): firm.uscc,
        gettext("所在区县"): words.district(firm.district),
        gettext("行业"): words.industry(firm.industry),
    }
    banks = [words.Option(str(bank.id), bank.name) for bank in overview.list_banks(tx, today)]
    return page(request, "firm/report.html", FormPage(form, banks, action, known, version), status=status)


def _check_page(
    request: Request,
    tx: Tx,
    who: Who,
    today: date,
    form: Filled[DemandForm],
    action: str,
    status: int = 200,
    version: int = 0,
) -> Response:
    answers = read(DemandForm, _flat(form.typed)).answers if form.values is None else form.answers
    view = CheckPage(
        form=form,
        answers=list(_said(tx, answers, today)),
        consents=_consents_for(tx, who, answers, today),
        action=action,
        carried=[(name, value) for name, values in form.typed.items() for value in values],
        version=version,
    )
    return page(request, "firm/check.html", view, status=status)


def _flat(typed: Mapping[str, Sequence[str]]) -> Any:
    from starlette.datastructures import FormData

    return FormData([(name, value) for name, values in typed.items() for value in values])


def _said(tx: Tx, answers: DemandForm, today: date) -> Iterable[Said]:
    from web.formats import money as said_money
    from web.formats import percent as said_percent

    names = {bank.id: bank.name for bank in overview.list_banks(tx, today)}
    nothing = gettext("未填写")
    yield Said(gettext("想借多少"), said_money(answers.amount_fen), "#amount_fen")
    yield Said(gettext("借多久"), gettext("%(n)s 个月") % {"n": answers.term_months}, "#term_months")
    yield Said(gettext("用来做什么"), words.of("use_of_loan", answers.use), "#use")
    yield Said(gettext("用途说明"), answers.use_text or nothing, "#use_text")
    ceiling = nothing if answers.rate_ceiling is None else said_percent(answers.rate_ceiling)
    yield Said(gettext("能接受的最高年利率"), ceiling, "#rate_ceiling")
    modes = "、".join(words.of("loan_type", mode) for mode in answers.guarantees)
    yield Said(gettext("能提供哪些担保"), modes or nothing, "#guarantees")
    yield Said(
        gettext("意向银行"), "、".join(names.get(bank, "") for bank in answers.intended) or nothing, "#first_bank"
    )
    yield Said(gettext("备选银行"), "、".join(names.get(bank, "") for bank in answers.others) or nothing, "#reserve")


def _consents_for(tx: Tx, who: Who, answers: DemandForm, today: date) -> list[ConsentText]:
    """The consents this demand still needs: the platform's own, and one for each bank named."""
    firm = overview.get_firm(tx, who.uscc or "")
    names = {bank.id: bank.name for bank in overview.list_banks(tx, today)}
    live = {row.bank_id for row in consents.list_live(tx, [firm.uscc], today)}
    needed = [] if None in live else [consent_words.for_platform(firm.name, today)]
    asked = [bank for bank in (*answers.intended, *answers.others) if bank in names and bank not in live]
    return needed + [consent_words.for_bank(firm.name, bank, names[bank], today) for bank in asked]


def _reported(who: Who, answers: DemandForm, shown: Sequence[ConsentText]) -> Reported:
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
    )


def _first_answers(demand: Row[Any], wanted: Sequence[Row[Any]]) -> dict[str, object]:
    intended = [row.bank_id for row in wanted if row.is_intended]
    named = dict(zip(("first_bank", "second_bank", "third_bank"), intended, strict=False))
    ceiling = (
        {}
        if demand.rate_ceiling is None
        else {"rate_ceiling": f"{demand.rate_ceiling * 100:f}".rstrip("0").rstrip(".")}
    )
    return {
        "amount_fen": f"{Decimal(demand.amount_fen) / 1_000_000:f}".rstrip("0").rstrip("."),
        "term_months": demand.term_months,
        "use": demand.use,
        "use_text": demand.use_text,
        "guarantees": list(demand.guarantees),
        "reserve": [row.bank_id for row in wanted if not row.is_intended],
        **named,
        **ceiling,
    }
