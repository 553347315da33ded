"""From a frozen view to a page: templates, their filters and words, whole pages or the one part htmx asks for."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from web import csrf, flash, formats, obstacle_words, record_words, words
from web.assets import asset
from web.fact_words import source_name
from web.forms import Filled
from web.language import gettext, ngettext
from web.shell import shell_of

TEMPLATES = Path(__file__).with_name("templates")
A_YEAR = 365 * 24 * 3600
VARY = "HX-Request, Cookie, Accept-Language"


@cache
def environment() -> Environment:
    """The one environment: everything escaped, nothing undefined passes, macros known everywhere as `ui.…`."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    _install_words(made)
    made.filters.update(formats.FILTERS)
    made.globals.update(
        asset=asset,
        words=words,
        record_words=record_words,
        source_name=source_name,
        obstacle_words=obstacle_words,
        money_parts=formats.money_parts,
        form_field=csrf.FIELD,
    )
    made.globals["ui"] = _macros(made)
    return made


def _install_words(made: Environment) -> None:
    install: Callable[..., None] = made.install_gettext_callables  # type: ignore[attr-defined]  # added by the extension
    install(gettext, ngettext, newstyle=True)


def _macros(made: Environment) -> SimpleNamespace:
    """Every macro of templates/parts, in one namespace; they find each other there too."""
    ui = SimpleNamespace()
    made.globals["ui"] = ui
    for path in sorted((TEMPLATES / "parts").glob("*.html")):
        module = made.get_template(f"parts/{path.name}").module
        for name, macro in vars(module).items():
            if not name.startswith("_"):
                if hasattr(ui, name):
                    raise ValueError(f"Two macros are called {name}")
                setattr(ui, name, macro)
    return ui


def page(request: Request, template: str, view: object, *, part: str | None = None, status: int = 200) -> Response:
    """The page of a view; or, when htmx asks and `part` names a block of the template, that block alone.

    `view` is a frozen dataclass. A part answered to GET carries an ETag, and 304 when the browser has it already.
    """
    if not is_frozen(view):
        raise TypeError(f"A view is a frozen dataclass, not {type(view).__name__}")
    seed = csrf.seed_of(request)
    used_seed = seed or csrf.fresh_seed()
    is_part = part is not None and wants_part(request)
    said = None if is_part else flash.read(request)
    context = {
        "request": request,
        "view": view,
        "shell": shell_of(request, said),
        "csrf": csrf.expected(request, used_seed),
        "mistaken": mistaken(view),
    }
    body = render(template, context, part if is_part else None)
    answer = _tagged(request, body) if is_part and status == 200 else HTMLResponse(body, status)
    answer.headers["Vary"] = VARY
    if seed is None:
        is_https = request.app.state.dress.settings.is_https
        answer.set_cookie(csrf.SEED_COOKIE, used_seed, max_age=A_YEAR, httponly=True, samesite="lax", secure=is_https)
    if said is not None:
        flash.forget(answer)
    return answer


def mistaken(view: object) -> list[Filled[Any]]:
    """The forms of a page that came back with mistakes: the title and the summaries stand above all that it shows."""
    shown = [one for part in vars(view).values() for one in (part.values() if isinstance(part, Mapping) else (part,))]
    return [one for one in shown if isinstance(one, Filled) and one.errors]


def is_frozen(view: object) -> bool:
    """Whether the view is a frozen dataclass: what a page shows is computed before the template runs."""
    params = getattr(type(view), "__dataclass_params__", None)
    return params is not None and bool(params.frozen)


def wants_part(request: Request) -> bool:
    """Whether htmx asks for a piece; a page restored from history, or a boosted link, wants the whole."""
    told = request.headers
    return (
        told.get("hx-request") == "true"
        and told.get("hx-boosted") != "true"
        and told.get("hx-history-restore-request") != "true"
    )


def render(template: str, context: Mapping[str, Any], part: str | None = None) -> str:
    """The text of a template, or of one of its blocks."""
    found = environment().get_template(template)
    return found.render(context) if part is None else _block(found, part, context)


def _block(template: Template, part: str, context: Mapping[str, Any]) -> str:
    if part not in template.blocks:
        raise KeyError(f"{template.name} has no block {part}")
    return "".join(template.blocks[part](template.new_context(dict(context))))


def _tagged(request: Request, body: str) -> Response:
    """By content; where `web.live` knows the version this was made of, its mark stands behind a dot."""
    content = f'W/"{hashlib.sha256(body.encode()).hexdigest()[:20]}'
    mark = getattr(request.state, "live_mark", "")
    tag = f'{content}.{mark}"' if mark else f'{content}"'
    if request.method == "GET" and content in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    return HTMLResponse(body, headers={"ETag": tag})
