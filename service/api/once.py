"""Idempotency-Key: the same key and body are answered as before, the same key with another body is refused."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.responses import JSONResponse
from sqlmodel import Session

from service.domain.errors import Conflict
from service.domain.people import Who
from service.store import idempotency
from service.store.idempotency import Claim

IdempotencyKey = Annotated[str | None, Header(min_length=8, max_length=255)]


def once(
    tx: Session, who: Who, request: Request, key: str | None, body: Any, now: datetime, act: Callable[[], Any]
) -> JSONResponse:
    """Run `act` and answer with what it returns; under a key already used, answer as then without running it.

    Errors: Conflict when the key was used for another request.
    """
    if key is None:
        return JSONResponse(act())
    claimed = Claim(_actor(who), f"{request.method} {request.url.path}", key)
    fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
    given = idempotency.claim(tx, claimed, fingerprint, now)
    if given is None:
        answer = act()
        idempotency.keep(tx, claimed, HTTPStatus.OK, json.dumps(answer, ensure_ascii=False))
        return JSONResponse(answer)
    if given.fingerprint != fingerprint:
        raise Conflict("这个 Idempotency-Key 已用于另一个请求，请换一个新的。")
    return JSONResponse(given.body, status_code=given.status, headers={"Idempotency-Replayed": "true"})


def _actor(who: Who) -> str:
    return f"{who.role}:{who.bank_id or who.uscc or who.district or ''}:{who.person_id or who.name}"[:96]
