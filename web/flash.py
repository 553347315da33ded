"""A message that survives one redirect: signed, in a cookie, shown once."""

from dataclasses import dataclass
from typing import Literal, cast

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

Kind = Literal["success", "warning", "error", "info"]
COOKIE = "message"
SHOWN_WITHIN = 120  # seconds
LONGEST = 500


@dataclass(frozen=True)
class Flash:
    """What is said, and in which tone."""

    kind: Kind
    message: str


def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(request.app.state.dress.key, salt="message")


def redirect(request: Request, address: str, message: object = "", kind: Kind = "success") -> Response:
    """303 to another page, which says the message once. htmx is told to go there as a whole page."""
    if request.headers.get("hx-request") == "true":
        answer: Response = Response(status_code=204, headers={"HX-Redirect": address})
    else:
        answer = RedirectResponse(address, status_code=303)
    if said := str(message)[:LONGEST]:
        sealed = _signer(request).dumps([kind, said])
        is_https = request.app.state.dress.settings.is_https
        answer.set_cookie(COOKIE, sealed, max_age=SHOWN_WITHIN, httponly=True, samesite="lax", secure=is_https)
    return answer


def read(request: Request) -> Flash | None:
    """The message this browser carries, if it is ours and fresh."""
    sealed = request.cookies.get(COOKIE)
    if not sealed:
        return None
    try:
        kind, message = _signer(request).loads(sealed, max_age=SHOWN_WITHIN)
    except (BadSignature, ValueError):
        return None
    return Flash(cast("Kind", kind), message)


def forget(answer: Response) -> None:
    """Said is said."""
    answer.delete_cookie(COOKIE)
