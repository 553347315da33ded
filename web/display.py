"""How a person likes to read and work: size of letters, contrast, language, single keys; in cookies for a year."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from web.csrf import guard
from web.language import LANGUAGE_COOKIE, LANGUAGES
from web.shell import CONTRAST_COOKIE, KEYS_COOKIE, SIZE_COOKIE, SIZES

router = APIRouter(dependencies=[Depends(guard)])
A_YEAR = 365 * 24 * 3600
CHOICES = {
    SIZE_COOKIE: set(SIZES),
    CONTRAST_COOKIE: {"normal", "high"},
    LANGUAGE_COOKIE: set(LANGUAGES),
    KEYS_COOKIE: {"on", "off"},
}


def own_address(address: str) -> str:
    """The address if it lies on this site, else the front door: a form must not lead people away."""
    parts = urlsplit(address)
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc
    return address if is_ours and address.isprintable() else "/"


@router.post("/display")
def set_display(
    request: Request,
    size: Annotated[str | None, Form()] = None,
    contrast: Annotated[str | None, Form()] = None,
    language: Annotated[str | None, Form()] = None,
    keys: Annotated[str | None, Form()] = None,
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Remember what was chosen and go back to the same page; unknown values change nothing."""
    answer = RedirectResponse(own_address(back), status_code=303)
    is_https = request.app.state.dress.settings.is_https
    chosen = {SIZE_COOKIE: size, CONTRAST_COOKIE: contrast, LANGUAGE_COOKIE: language, KEYS_COOKIE: keys}
    for name, value in chosen.items():
        if value in CHOICES[name]:
            answer.set_cookie(name, value, max_age=A_YEAR, httponly=True, samesite="lax", secure=is_https)
    return answer
