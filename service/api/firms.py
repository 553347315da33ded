"""For firms' own software and outlets: report a demand, read where it stands."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from service.actions.give_consent import ConsentForm
from service.actions.report_demand import ReportForm, report_demand
from service.api.once import IdempotencyKey, once
from service.api.shapes import ConsentIn, DemandIn, row_out
from service.domain.consent import Purpose
from service.domain.demand import Channel
from service.domain.standards.money import to_fen
from service.doors import AFirm, Now, TheHouse, Today, Tx
from service.profiles.tools import load_tools
from service.store import overview

router = APIRouter(prefix="/api/v1", tags=["firms"])

DEMAND = (
    "id", "number", "amount_fen", "term_months", "use", "state", "light", "light_since_on", "next_step", "next_by",
    "next_on", "waits_for_calendar", "reported_on", "recommended_on", "closed_on", "version",
)  # fmt: skip


@router.post("/demands")
def report(
    request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, body: DemandIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    """Report a demand; it is judged before the answer leaves."""

    def act() -> Any:
        tools = load_tools(tx, house.settings, today)
        demand_id = report_demand(tx, who, _form(who.uscc or "", body), tools, today, now)
        return row_out(overview.get_demand(tx, who, demand_id), *DEMAND)

    return once(tx, who, request, idempotency_key, body.model_dump(mode="json"), now, act)


@router.get("/demands")
def show_demands(who: AFirm, tx: Tx) -> Any:
    """The firm's demands, open ones first."""
    return {"demands": [row_out(row, *DEMAND) for row in overview.list_demands(tx, who)]}


@router.get("/demands/{demand_id}")
def show_demand(who: AFirm, tx: Tx, demand_id: int) -> Any:
    """Where one demand stands, and what was found."""
    row = overview.get_demand(tx, who, demand_id)
    verdict = overview.find_verdict(tx, row.verdict_id)
    return {**row_out(row, *DEMAND), "findings": [] if verdict is None else verdict.findings}


def _form(uscc: str, body: DemandIn) -> ReportForm:
    given = body.model_dump(exclude={"amount_yuan", "consents"})
    return ReportForm(
        uscc=uscc,
        amount_fen=to_fen(body.amount_yuan),
        consents=tuple(_consent(uscc, one) for one in body.consents),
        channel=Channel.API,
        **{**given, "rate_ceiling": body.rate_ceiling},
    )


def _consent(uscc: str, body: ConsentIn) -> ConsentForm:
    purpose = Purpose.PROFILE if body.bank_id is None else Purpose.CREDIT_REVIEW
    return ConsentForm(uscc, body.bank_id, purpose.value, body.data_classes, body.text_hash, body.until_on, body.words)
