"""What the operator sees of a running process: a log line a request, identifiers masked, and Prometheus' numbers."""

import logging
import re
import secrets
import sys
import time
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, FastAPI, Header
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import security
from service.domain.people import THE_DOOR
from service.doors import TheHouse
from service.settings import Settings, shared_metrics

MASKED = re.compile(
    r"xdk_[0-9a-z]+_[\w-]+|whsec_[\w+/=]+"  # keys of machines
    r"|\b[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}\b"  # credit codes, GB 32100
    r"|\b\d{17}[\dXx]\b"  # identity cards
    r"|\b1[3-9]\d{9}\b"  # telephones
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # passwords in addresses
    r"|[\w.+-]+@[\w-]+\.[\w.]+"
)
SECONDS = Histogram(
    "xindeng_request_seconds",
    "Time to answer, by route",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10, 30),
)
REQUEST_ID = "X-Request-ID"
log = structlog.get_logger("xindeng")
router = APIRouter()


def mask(words: str) -> str:
    """The words without credit codes, identity numbers, telephones, mail addresses, keys and passwords."""
    return MASKED.sub("***", words)


class MaskingFormatter(structlog.stdlib.ProcessorFormatter):
    """Masks the finished line: whatever a library wrote into it, and wherever."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def set_up_logging(settings: Settings) -> None:
    """One stream, one form, for our own lines and the libraries': JSON, or plain lines for people."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    form: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not settings.log_json:
        form = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, form]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter(foreign_pre_chain=shared, processors=last))
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)


def watch(app: FastAPI) -> None:
    """Hang the log line, the request's number, /health and /metrics on an application."""
    app.include_router(router)
    app.add_middleware(Watched)


class Watched:
    """Gives each request a number, which the answer carries too, times it, and writes one line about it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, status, started = secrets.token_hex(8), 500, time.perf_counter()

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = number
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=number):
            try:
                await self.app(scope, receive, send_numbered)
            except Exception:
                log.exception("request failed", route=_route(scope))
                raise
            finally:
                _note(scope, status, time.perf_counter() - started)


def _note(scope: Scope, status: int, seconds: float) -> None:
    """The route's pattern is told, never the address itself: it may name a firm."""
    method, route = scope["method"], _route(scope)
    SECONDS.labels(method, route, str(status)).observe(seconds)
    log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "other"))


@router.get("/health", include_in_schema=False)
def health(house: TheHouse) -> JSONResponse:
    """200 when this process reaches its database; the application's error table says 503 otherwise."""
    with house.database.transaction(THE_DOOR) as tx:
        tx.connection()  # really asks: the transaction tells PostgreSQL who acts
    return JSONResponse({"status": "ok"})


@router.get("/metrics", include_in_schema=False)
def metrics(house: TheHouse, authorization: Annotated[str, Header()] = "") -> Response:
    """Numbers for Prometheus: open in the demo, otherwise only with the token of XINDENG_METRICS_TOKEN."""
    token = house.settings.metrics_token
    is_known = token is not None and security.same(authorization, f"Bearer {token.get_secret_value()}")
    if not (house.settings.demo or is_known):
        return Response(status_code=404)
    return Response(generate_latest(_counted()), media_type=CONTENT_TYPE_LATEST)


def _counted() -> CollectorRegistry:
    """This process's numbers, or those of all page processes of this machine together."""
    folder = shared_metrics()
    if folder is None:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together, str(folder))  # type: ignore[no-untyped-call]
    return together
