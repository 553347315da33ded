"""No act without a form of ours: every way around it ends at 403 and stores nothing."""

import re

import pytest
from starlette.datastructures import Headers

from web.csrf import FIELD, comes_from_elsewhere


def token_on(page: str) -> str:
    return re.search(rf'name="{FIELD}" value="([0-9a-f]{{64}})"', page).group(1)


def test_a_form_of_ours_is_taken(browser, kept):
    token = token_on(browser.get("/names").text)
    answer = browser.post("/names", data={FIELD: token, "name": "芳华"})
    assert answer.status_code == 200
    assert kept == ["芳华"]


def test_a_form_without_its_token_is_refused_and_says_what_to_do(browser, kept):
    browser.get("/names")
    answer = browser.post("/names", data={"name": "芳华"})
    assert answer.status_code == 403
    assert "这张表单已经失效" in answer.text
    assert kept == []


def test_a_token_of_another_browser_is_refused(app, browser, kept):
    from starlette.testclient import TestClient

    with TestClient(app) as other:
        token = token_on(other.get("/names").text)
    browser.get("/names")
    assert browser.post("/names", data={FIELD: token, "name": "x"}).status_code == 403
    assert kept == []


def test_a_token_from_before_signing_in_is_refused(browser, kept):
    token = token_on(browser.get("/names").text)
    browser.cookies.set("xindeng", "a-new-session")
    assert browser.post("/names", data={FIELD: token, "name": "x"}).status_code == 403
    assert kept == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_a_request_made_by_another_site_is_refused_even_with_the_token(browser, kept, site):
    token = token_on(browser.get("/names").text)
    answer = browser.post("/names", data={FIELD: token, "name": "x"}, headers={"sec-fetch-site": site})
    assert answer.status_code == 403
    assert kept == []


def test_an_old_browser_is_judged_by_its_origin():
    def asked(**told: str) -> bool:
        return comes_from_elsewhere("POST", Headers({"host": "xindeng.example", **told}))

    assert asked(origin="https://evil.example")
    assert asked(origin="null")
    assert not asked(origin="https://xindeng.example")
    assert not asked()
    assert not comes_from_elsewhere("GET", Headers({"host": "a", "origin": "https://b"}))


@pytest.mark.parametrize("kind", ["text/plain", "application/json", ""])
def test_what_is_no_form_is_refused(browser, kept, kind):
    browser.get("/names")
    assert browser.post("/names", content=b'{"name":"x"}', headers={"content-type": kind}).status_code == 403
    assert kept == []


def test_the_display_switches_are_forms_too(browser):
    assert browser.post("/display", data={"size": "24"}).status_code == 403
