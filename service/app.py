"""create_app(): the JSON service, whole without pages; `web.main` hangs the pages on from above."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import anyio
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.accelerator import Accelerator
from service.clock import Clock
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible, Unavailable
from service.doors import House, MustChangePassword, NotSignedIn, seat
from service.pace import TooFast, paced
from service.settings import Settings
from service.store.database import Database, use
from service.telemetry import log, watch

STATUS_OF: dict[type[DomainError], HTTPStatus] = {
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    MustChangePassword: HTTPStatus.FORBIDDEN,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    NotPossible: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TooFast: HTTPStatus.TOO_MANY_REQUESTS,
}
"""The one table from what can be wrong to HTTP."""


def create_app(settings: Settings, database: Database, clock: Clock, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """The service over an open database, on a clock. `routers` are hung on as they are (the API's, the pages')."""

    accelerator = database.accelerator = Accelerator.of(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        database.dispose()
        accelerator.close()

    app = FastAPI(
        title="Xindeng 信灯",
        version="1",
        lifespan=lifespan,
        dependencies=[Depends(paced), Depends(seat, scope="function")],
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    use(database)
    app.state.house = House(settings, database, clock, anyio.CapacityLimiter(database.pool_size), accelerator)
    for router in routers:
        app.include_router(router)
    watch(app)
    app.add_exception_handler(DomainError, domain_problem)
    app.add_exception_handler(RequestValidationError, form_problem)
    app.add_exception_handler(DataError, unstorable)
    app.add_exception_handler(OperationalError, no_database)
    app.add_exception_handler(PoolTimeout, no_database)
    return app


def status_of(error: DomainError) -> HTTPStatus:
    """The HTTP status of a refusal."""
    return next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)


def problem(status: HTTPStatus, code: str, detail: str, **more: object) -> JSONResponse:
    """Problem details for HTTP APIs (RFC 9457)."""
    return JSONResponse(
        {"type": f"urn:xindeng:{code}", "title": status.phrase, "status": status.value, "detail": detail, **more},
        status_code=status.value,
        media_type="application/problem+json",
    )


def domain_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError)
    more = {"field": error.field} if error.field else {}
    answer = problem(status_of(error), error.code, str(error), **more)
    if isinstance(error, TooFast):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def form_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [
        {"field": ".".join(str(part) for part in wrong["loc"][1:]), "message": wrong["msg"]} for wrong in error.errors()
    ]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "malformed", "请求的内容不完整或格式不对。", errors=fields)


def unstorable(_: Request, error: Exception) -> JSONResponse:
    """A character or a number that no column takes: the sender's mistake, told to the operator all the same."""
    assert isinstance(error, DataError)
    log.warning("the database does not take a value", reason=str(error.orig).partition("\n")[0])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "malformed", "内容里有无法识别的字符，或过大的数字。")


def no_database(_: Request, __: Exception) -> JSONResponse:
    sentence = "数据库暂时连接不上，请稍后再试；您的内容没有保存。"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "database_away", sentence)
