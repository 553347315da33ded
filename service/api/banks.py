"""For banks' own systems: lists, lines, answers, grants and drawdowns, one by one or in batches, safe to repeat."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from service.actions.answer_push import answer_lines
from service.actions.report_credit import report_drawdowns, report_grants
from service.api.once import IdempotencyKey, once
from service.api.shapes import AnswerIn, AnswersIn, DrawdownIn, DrawdownsIn, FeeIn, GrantIn, GrantsIn, OfferIn, row_out
from service.domain.answering import Answered, AnswerForm, OfferForm
from service.domain.fee import Fee
from service.domain.reporting import DrawForm, GrantForm, Reported
from service.domain.standards.money import to_fen
from service.doors import AnOfficer, Now, Today, Tx
from service.store import bank_desk, products
from service.store.bank_desk import Wanted

router = APIRouter(prefix="/api/v1", tags=["banks"])

LIST = ("id", "on", "number", "cause", "lines", "amount_fen", "content_hash", "published_at", "recalled_at")
LINE = (
    "id", "list_id", "listed_on", "list_number", "rank", "is_intended", "demand_id", "demand_number", "state",
    "due_step", "due_on", "waits_for_calendar", "uscc", "firm_name", "firm_kind", "district", "industry", "size_class",
    "amount_fen", "term_months", "use", "use_text", "rate_ceiling", "guarantees", "light", "product_id",
    "product_version", "product_name", "grade", "score", "probability", "as_of", "p_offer", "p_grant", "last_answer_id",
    "last_answer", "offer_id", "offer_state", "grant_id", "closed_on",
)  # fmt: skip
PRODUCT = (
    "id", "code", "version", "name", "amount_min_fen", "amount_max_fen", "rate_min", "rate_max", "places_per_day",
    "quota_fen", "reserved_fen", "granted_fen",
)  # fmt: skip


@router.get("/push-lists")
def show_lists(who: AnOfficer, tx: Tx, today: Today, since: date | None = None, until: date | None = None) -> Any:
    """The bank's lists; today's where no days are named."""
    rows = bank_desk.list_lists(tx, who, since or today, until or today)
    undecided = bank_desk.count_open(tx, who).undecided
    return {"push_lists": [row_out(row, *LIST) | {"waiting": undecided.get(row.id, 0)} for row in rows]}


@router.get("/push-lines")
def show_lines(
    who: AnOfficer,
    tx: Tx,
    today: Today,
    list_id: int | None = None,
    only: Literal["open", "waiting", "overdue", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Any:
    """The bank's lines in the order of their due dates."""
    rows, total = bank_desk.list_lines(tx, who, Wanted(only=only, list_id=list_id, limit=limit, offset=offset), today)
    return {"total": total, "push_lines": [row_out(row, *LINE) for row in rows]}


@router.get("/push-lines/{line_id}")
def show_line(who: AnOfficer, tx: Tx, line_id: int) -> Any:
    row = bank_desk.get_line(tx, who, line_id)
    return {**row_out(row, *LINE), "reasons": row.reasons}


@router.post("/push-lines/{line_id}/answer")
def answer_one(
    request: Request,
    who: AnOfficer,
    tx: Tx,
    today: Today,
    now: Now,
    line_id: int,
    body: AnswerIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Answer one line; what is wrong with it is a problem document."""
    named = body.model_copy(update={"line_id": line_id})

    def act() -> Any:
        answered = answer_lines(tx, who, [_answer(named)], today, now)[0]
        if answered.error is not None:
            raise answered.error
        return _answered(answered)

    return once(tx, who, request, idempotency_key, named.model_dump(mode="json"), now, act)


@router.post("/answers")
def answer_many(
    request: Request,
    who: AnOfficer,
    tx: Tx,
    today: Today,
    now: Now,
    body: AnswersIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Answer many lines; each is taken or refused on its own, and the reply says which."""

    def act() -> Any:
        answered = answer_lines(tx, who, [_answer(one) for one in body.answers], today, now)
        return {"answers": [_answered(one) for one in answered]}

    return once(tx, who, request, idempotency_key, body.model_dump(mode="json"), now, act)


@router.post("/grants")
def grant_many(
    request: Request,
    who: AnOfficer,
    tx: Tx,
    today: Today,
    now: Now,
    body: GrantsIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Report credit granted on accepted lines."""

    def act() -> Any:
        return {
            "grants": [
                _reported(one) for one in report_grants(tx, who, [_grant(one) for one in body.grants], today, now)
            ]
        }

    return once(tx, who, request, idempotency_key, body.model_dump(mode="json"), now, act)


@router.post("/drawdowns")
def draw_many(
    request: Request,
    who: AnOfficer,
    tx: Tx,
    today: Today,
    now: Now,
    body: DrawdownsIn,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Report money paid out under grants."""

    def act() -> Any:
        reported = report_drawdowns(tx, who, [_drawdown(one) for one in body.drawdowns], today, now)
        return {"drawdowns": [_reported(one) for one in reported]}

    return once(tx, who, request, idempotency_key, body.model_dump(mode="json"), now, act)


@router.get("/products")
def show_products(who: AnOfficer, tx: Tx, today: Today) -> Any:
    """The bank's own products with places and money."""
    return {"products": [row_out(row, *PRODUCT) for row in products.list_of_bank(tx, who.bank_id, today)]}


def _answer(body: AnswerIn) -> AnswerForm:
    offer = None if body.offer is None else _offer(body.offer)
    return AnswerForm(
        body.line_id, body.kind, body.reasons, body.text, body.papers, offer, body.corrects_id, channel="api"
    )


def _offer(body: OfferIn) -> OfferForm:
    return OfferForm(
        amount_fen=to_fen(body.amount_yuan),
        rate=body.rate,
        term_months=body.term_months,
        loan_type=body.loan_type,
        fees_fen=to_fen(body.fees_yuan),
        repayment=body.repayment,
        valid_until_on=body.valid_until_on,
        fees=tuple(_fee(one) for one in body.fees),
    )


def _fee(body: FeeIn) -> Fee:
    amount_fen = None if body.amount_yuan is None else to_fen(body.amount_yuan)
    return Fee(body.name.strip(), body.payee.value, body.due.value, amount_fen, body.rate)


def _grant(body: GrantIn) -> GrantForm:
    given = body.model_dump(exclude={"amount_yuan"})
    return GrantForm(amount_fen=to_fen(body.amount_yuan), **{**given, "rate": body.rate})


def _drawdown(body: DrawdownIn) -> DrawForm:
    given = body.model_dump(exclude={"amount_yuan"})
    return DrawForm(amount_fen=to_fen(body.amount_yuan), **{**given, "rate": body.rate})


def _answered(answered: Answered) -> dict[str, Any]:
    if answered.error is None:
        return {"line_id": answered.line_id, "answer_id": answered.answer_id}
    return {
        "line_id": answered.line_id,
        "error": answered.error.code,
        "detail": str(answered.error),
        "field": answered.error.field,
    }


def _reported(reported: Reported) -> dict[str, Any]:
    if reported.error is None:
        return {"id": reported.key}
    return {"error": reported.error.code, "detail": str(reported.error), "field": reported.error.field}
