"""Which language a person reads: Chinese is what we write (the message ids), English the complete translation."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from babel.support import NullTranslations, Translations
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

SOURCE = "zh_Hans_CN"
LANGUAGES = {SOURCE: "zh-CN", "en": "en"}  # ours → the html lang attribute
LANGUAGE_COOKIE = "language"
LOCALE = Path(__file__).with_name("locale")
DOMAIN = "xindeng"

_spoken: ContextVar[str] = ContextVar("spoken", default=SOURCE)


def spoken() -> str:
    """The language of the page being made."""
    return _spoken.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything said inside is said in this language."""
    before = _spoken.set(language if language in LANGUAGES else SOURCE)
    try:
        yield
    finally:
        _spoken.reset(before)


@cache
def _catalogue(language: str) -> NullTranslations:
    return NullTranslations() if language == SOURCE else Translations.load(LOCALE, [language], DOMAIN)


def gettext(message: str) -> str:
    """The message in the language of the page."""
    return _catalogue(spoken()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The message for a number of things; Chinese has one form, English two."""
    return _catalogue(spoken()).ngettext(one, many, count)


@dataclass(frozen=True)
class Phrase:
    """A message written down once and said later, in the language of the page that shows it."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        said = gettext(self.message)
        return said % self.values if self.values else said

    def with_(self, **values: object) -> "Phrase":
        """The same message with its named places filled."""
        return Phrase(self.message, values)


def lazy(message: str) -> Phrase:
    """Mark a message for translation where it is written, before any page is made."""
    return Phrase(message)


def preferred(cookie: str | None, accepted: str, fallback: str) -> str:
    """The language a person chose; else the first of the browser's that we speak; else the installation's."""
    if cookie in LANGUAGES:
        return cookie
    for tag in sorted(accepted.lower().split(","), key=_weight, reverse=True):
        name = tag.split(";")[0].strip()
        if name.startswith("zh"):
            return SOURCE
        if name.startswith("en"):
            return "en"
    return fallback


def _weight(tag: str) -> float:
    _, _, weight = tag.partition(";q=")
    try:
        return float(weight or 1)
    except ValueError:
        return 0


class Speaks:
    """ASGI layer: each request is answered in its person's language, in the thread that makes the page too."""

    def __init__(self, app: ASGIApp, fallback: str = SOURCE) -> None:
        self.app = app
        self.fallback = fallback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        chosen = preferred(_cookie(headers), headers.get("accept-language", ""), self.fallback)
        with speaking(chosen):
            return await self.app(scope, receive, send)


def _cookie(headers: Headers) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(LANGUAGE_COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None
