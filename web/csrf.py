"""No act without a form of ours: a token bound to browser and session; requests from other sites are refused."""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SEED_COOKIE = "form_seed"
ACTING_COOKIE = "acting"
"""Which role the person chose last: a form that was opened for another firm is an old form."""
FIELD = "form_token"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SEED_LENGTH = 32


def seed_of(request: Request) -> str | None:
    """The random name this browser got with its first page."""
    seed = request.cookies.get(SEED_COOKIE, "")
    return seed if len(seed) == SEED_LENGTH and seed.isascii() and seed.isalnum() else None


def fresh_seed() -> str:
    """A name for a browser that has none yet."""
    return secrets.token_hex(SEED_LENGTH // 2)


def token(key: str, seed: str, session: str) -> str:
    """What the form carries: good for this browser and this sign-in, for nothing else."""
    return hmac.new(key.encode(), f"{seed}|{session}".encode(), hashlib.sha256).hexdigest()


def expected(request: Request, seed: str) -> str:
    """The token this request's forms must carry."""
    dress = request.app.state.dress
    session, acting = request.cookies.get(dress.session_cookie, ""), request.cookies.get(ACTING_COOKIE, "")
    return token(dress.key, seed, f"{session}|{acting}" if acting else session)


async def guard(request: Request) -> None:
    """Dependency of every page router: an unsafe method needs the token, before anything else is looked at."""
    if request.method in SAFE:
        return
    if request.headers.get("content-type", "").split(";")[0].strip().lower() not in FORMS:
        raise HTTPException(403, "form_token")
    seed = seed_of(request)
    given = (await request.form()).get(FIELD)
    if (
        seed is None
        or not isinstance(given, str)
        or not hmac.compare_digest(given.encode(), expected(request, seed).encode())
    ):
        raise HTTPException(403, "form_token")


def comes_from_elsewhere(method: str, headers: Headers) -> bool:
    """Whether a browser says that another site made this unsafe request. Machines say nothing and are no browsers."""
    if method in SAFE:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


class OwnSiteOnly:
    """ASGI layer: unsafe requests from other sites end here, whatever their address (the API too)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and comes_from_elsewhere(scope["method"], Headers(scope=scope)):
            refusal: Response = PlainTextResponse(
                "请求来自其他网站，已拒绝。 / Refused: made by another site.", status_code=403
            )
            return await refusal(scope, receive, send)
        return await self.app(scope, receive, send)
