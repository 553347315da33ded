"""A service without a database in the dress of the pages: enough for everything the shell does by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from starlette.testclient import TestClient

from service.clock import Clock
from service.domain.errors import Conflict, NotFound
from service.doors import NotSignedIn
from service.settings import Settings, read_settings
from tests.chromium import chromium_open
from web import flash
from web.csrf import guard
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import lazy
from web.main import dress
from web.render import page

BROWSER = {"accept": "text/html,application/xhtml+xml", "sec-fetch-site": "same-origin"}
DAY = date(2026, 6, 30)


class NameForm(Form):
    name: Annotated[str, wording(most=8), Ask(lazy("企业名称"))]


@dataclass(frozen=True)
class NamePage:
    form: Filled[NameForm]


def sample_pages(kept: list[str]) -> APIRouter:
    """A form that is kept, an act that is told once, and every way to fail."""
    router = APIRouter(dependencies=[Depends(guard)])

    @router.get("/names")
    def show(request: Request):
        return page(request, "sample.html", NamePage(blank(NameForm)), part="piece")

    @router.post("/names")
    def keep(request: Request, typed: Typed):
        filled = read(NameForm, typed)
        if not filled.is_right:
            return page(request, "sample.html", NamePage(filled), status=422)
        kept.append(filled.answers.name)
        return flash.redirect(request, "/names", f"已保存 {filled.answers.name}")

    @router.get("/failing/{how}")
    def fail(how: str):
        raise {
            "conflict": Conflict(
                "“{item}”目录中没有这些列：{columns}；目录以外的数据不得归集", item="<b>x</b>", columns="y"
            ),
            "missing": NotFound("没有这家企业。"),
            "stranger": NotSignedIn("请先登录。"),
            "busy": HTTPException(429),
            "fault": RuntimeError("a secret detail"),
        }[how]

    return router


SAMPLE = """{% extends "base.html" %}{% block title %}样页{% endblock %}{% block content %}<h1>样页</h1>
{% call ui.form("/names", csrf) %}{{ ui.text(view.form, "name") }}{{ ui.button("保存") }}{% endcall %}
<div id="piece">{% block piece %}<p>{{ ui.light("green") }}</p>{% endblock %}</div>{% endblock %}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's chromium, driven by Playwright."""
    with chromium_open() as browser:
        yield browser


@pytest.fixture
def kept() -> list[str]:
    """What the sample form stored."""
    return []


@pytest.fixture
def house(tmp_path) -> Settings:
    return read_settings(home=tmp_path, demo=True, secret="a secret of at least thirty-two characters", contact="12345")


@pytest.fixture
def app(house, kept, monkeypatch) -> FastAPI:
    from jinja2 import ChoiceLoader, DictLoader

    from web import render

    environment = render.environment()
    monkeypatch.setattr(environment, "loader", ChoiceLoader([DictLoader({"sample.html": SAMPLE}), environment.loader]))
    app = FastAPI()
    app.include_router(sample_pages(kept))
    return dress(app, house, Clock(DAY))


@pytest.fixture
def browser(app) -> Iterator[TestClient]:
    """A browser that follows redirects and keeps cookies."""
    with TestClient(app, headers=BROWSER) as client:
        yield client
