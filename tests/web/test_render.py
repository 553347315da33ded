"""The shell: whole pages and parts, display switches, messages said once, languages, error pages, headers."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from service.domain import people
from web import formats, words
from web.display import own_address
from web.language import preferred, speaking
from web.listing import Column, Listing, Wish
from web.render import environment, page


def token_on(page_text: str) -> str:
    return re.search(r'name="form_token" value="([0-9a-f]{64})"', page_text).group(1)


def test_a_page_is_whole_for_people_and_a_part_for_htmx(browser):
    whole = browser.get("/names")
    part = browser.get("/names", headers={"hx-request": "true"})
    assert whole.text.startswith("<!doctype html>")
    assert part.text.strip().startswith("<p>")
    assert "绿灯" in part.text
    assert "<html" not in part.text


@pytest.mark.parametrize("header", ["hx-boosted", "hx-history-restore-request"])
def test_htmx_gets_the_whole_page_when_it_replaces_the_whole_page(browser, header):
    assert "<html" in browser.get("/names", headers={"hx-request": "true", header: "true"}).text


def test_an_unchanged_part_is_not_sent_again(browser):
    first = browser.get("/names", headers={"hx-request": "true"})
    again = browser.get("/names", headers={"hx-request": "true", "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")


def test_a_view_that_can_change_is_refused(app):
    from starlette.requests import Request

    @dataclass
    class Loose:
        name: str = "x"

    with pytest.raises(TypeError, match="frozen"):
        page(Request({"type": "http", "app": app, "headers": []}), "error.html", Loose())


def test_what_people_typed_is_escaped_and_kept_with_its_error(browser):
    token = token_on(browser.get("/names").text)
    answer = browser.post("/names", data={"form_token": token, "name": "<script>alert(1)</script>"})
    assert answer.status_code == 422
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    assert "<title>错误：样页" in answer.text
    assert answer.text.count("最多 8 个字，现在有 25 个") == 2
    assert 'href="#name"' in answer.text
    assert 'aria-describedby="name-error" aria-invalid="true"' in answer.text


def test_a_message_is_said_once(browser):
    token = token_on(browser.get("/names").text)
    told = browser.post("/names", data={"form_token": token, "name": "芳华"})
    assert "已保存 芳华" in told.text
    assert "已保存 芳华" not in browser.get("/names").text


def test_a_message_that_is_not_ours_is_not_shown(browser):
    browser.cookies.set("message", "WyJzdWNjZXNzIiwieCJd.aaaa.bbbb")
    assert browser.get("/names").status_code == 200


def test_people_choose_size_contrast_and_language_and_come_back_to_their_page(browser):
    token = token_on(browser.get("/names?x=1").text)
    for choice in ({"size": "24"}, {"contrast": "high"}, {"language": "en"}):
        answer = browser.post("/display", data={"form_token": token, "back": "/names?x=1", **choice})
        assert answer.url.path == "/names"
    assert '<html lang="en" data-size="24" data-contrast="high">' in answer.text
    assert "Skip to main content" in answer.text


def test_a_display_value_nobody_offered_changes_nothing(browser):
    token = token_on(browser.get("/names").text)
    answer = browser.post("/display", data={"form_token": token, "back": "/names", "size": "9999"})
    assert 'data-size="16"' in answer.text


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb"]
)
def test_the_way_back_never_leads_to_another_site(address):
    assert own_address(address) == "/"


def test_the_browsers_language_is_followed_unless_one_was_chosen():
    assert preferred(None, "en-GB,en;q=0.9,zh;q=0.8", "zh_Hans_CN") == "en"
    assert preferred(None, "fr,zh-TW;q=0.5,en;q=0.3", "en") == "zh_Hans_CN"
    assert preferred("en", "zh-CN", "zh_Hans_CN") == "en"
    assert preferred(None, "fr;q=x", "zh_Hans_CN") == "zh_Hans_CN"


@pytest.mark.parametrize(
    ("how", "status", "words_said"),
    [
        ("conflict", 409, "“&lt;b&gt;x&lt;/b&gt;”目录中没有这些列：y"),
        ("missing", 404, "没有这家企业。"),
        ("busy", 429, "操作太频繁"),
        ("fault", 500, "系统出了问题"),
    ],
)
def test_every_failure_has_a_page_with_one_way_on(browser, how, status, words_said):
    answer = browser.get(f"/failing/{how}")
    assert answer.status_code == status
    assert words_said in answer.text
    assert answer.text.count("btn btn-primary") == 1
    assert "a secret detail" not in answer.text
    assert "content-security-policy" in answer.headers


def test_an_error_page_speaks_english_too(browser):
    answer = browser.get("/failing/missing", headers={"accept-language": "en"})
    assert "There is no such firm." in answer.text
    assert answer.text.count("Page not found") == 2


def test_a_machine_gets_no_page(browser):
    answer = browser.get("/failing/fault", headers={"accept": "application/json"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_stranger_is_sent_to_the_door_and_will_come_back(browser):
    answer = browser.get("/failing/stranger?a=1", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?back=%2Ffailing%2Fstranger%3Fa%3D1"


def test_every_answer_carries_the_strict_headers(browser):
    for address in ("/names", "/static/nothing.js", "/nowhere"):
        told = browser.get(address).headers
        assert "script-src 'self'" in told["content-security-policy"]
        assert "unsafe" not in told["content-security-policy"]
        assert told["x-content-type-options"] == "nosniff"
    assert browser.get("/names").headers["cache-control"] == "no-store"


def test_the_demo_says_which_day_it_is_and_real_life_does_not(browser, app, house):
    assert "今天是 <strong>2026年6月30日</strong>" in browser.get("/names").text
    real = house.model_copy(update={"demo": False})
    app.state.dress = replace(app.state.dress, settings=real)
    assert "demo-time" not in browser.get("/names").text


def test_the_foot_shows_what_is_configured_and_nothing_else(browser):
    page_text = browser.get("/names").text
    assert "联系方式：12345" in page_text
    assert "备案号" not in page_text


def test_the_style_guide_shows_every_macro(browser):
    from web.render import TEMPLATES

    shown = (TEMPLATES / "styleguide.html").read_text("utf-8")
    indirectly = {"error_summary", "pager", "definition", "form_token", "hidden", "password", "number", "empty"}
    macros = {name for name in vars(environment().globals["ui"]) if name not in indirectly}
    assert {name for name in macros if f"ui.{name}(" not in shown} == set()


def test_the_style_guide_is_clean_in_both_languages(browser):
    for language in ("zh-CN", "en"):
        answer = browser.get("/styleguide?wrong=yes", headers={"accept-language": language})
        assert answer.status_code == 200
        assert "style=" not in answer.text
        assert not re.search(r"<[^>]* on\w+=", answer.text)
        assert re.search(r"<script(?! src=)", answer.text) is None
        ids = re.findall(r'\bid="([^"]+)"', answer.text)
        assert len(ids) == len(set(ids))


def test_every_post_form_of_every_template_carries_the_token():
    from web.render import TEMPLATES

    for path in TEMPLATES.rglob("*.html"):
        for form in re.findall(r'<form method="post".*?</form>', path.read_text("utf-8"), re.DOTALL):
            assert "form_field" in form, path.name


def test_the_menu_marks_the_entry_with_the_longest_address():
    from web.menu import FIRM, current

    assert current(FIRM, "/firm/consents/3").address == "/firm/consents"
    assert current(FIRM, "/firm/demands/3").address == "/firm"
    assert current(FIRM, "/elsewhere") is None


def test_money_rates_and_days_are_written_for_people():
    assert formats.yuan(123456789) == "1,234,567.89 元"
    assert formats.money(50_000_000) == "50 万元"
    assert formats.money(34_310_000_000_000) == "3,431 亿元"
    assert formats.money(99_999) == "999.99 元"
    assert formats.money(-50_000_000) == "-50 万元"
    assert formats.percent(Decimal("0.0343")) == "3.43%"
    assert formats.day(date(2026, 6, 30)) == "2026年6月30日"
    assert formats.moment(datetime(2026, 6, 30, 17, 5, tzinfo=UTC)) == "2026年7月1日 01:05"
    assert formats.yuan(None) == "—"
    with speaking("en"):
        assert formats.money(34_310_000_000_000) == "343.1 billion CNY"
        assert formats.day(date(2026, 6, 30)) == "30 Jun 2026"


def test_every_role_has_a_menu():
    from web.menu import MENUS

    assert set(MENUS) == {role for role in people.Role if role not in {people.Role.SYSTEM, people.Role.DOOR}}


COLUMNS = (
    Column("name", "名称", sortable=True),
    Column("amount", "金额", numeric=True, sortable=True),
    Column("why", "因"),
)


def wish_of(query: str) -> Wish:
    from starlette.requests import Request

    return Wish.of(Request({"type": "http", "query_string": query.encode(), "headers": []}), COLUMNS, "-amount")


@pytest.mark.parametrize(
    "query", ["sort=why", "sort=password;drop", "page=-3", "page=１", "page=99999999999", "page=x"]
)
def test_a_list_asked_for_nonsense_shows_its_usual_first_page(query):
    assert wish_of(query) == Wish("amount", descending=True, page=1)


def test_a_lists_links_keep_filters_and_turn_the_order_round():
    listing = Listing(COLUMNS, [("x",)] * 50, 286, "/lists", wish_of("sort=amount&page=3"), {"q": "芳 华", "none": ""})
    assert (listing.first, listing.last, listing.pages) == (101, 150, 6)
    assert listing.sorted_by(COLUMNS[1]) == "/lists?q=%E8%8A%B3+%E5%8D%8E&sort=-amount"
    assert listing.on_page(4) == "/lists?q=%E8%8A%B3+%E5%8D%8E&sort=amount&page=4"
    assert listing.numbers == [1, 2, 3, 4, None, 6]


def test_an_unknown_code_shows_as_itself_and_is_told_to_the_operator():
    with capture_logs() as told:
        assert words.of("demand_state", "never_heard_of") == "never_heard_of"
    assert told == [
        {"event": "word_missing", "group": "demand_state", "code": "never_heard_of", "log_level": "warning"}
    ]
    assert words.district("410105") == "金水区"
    assert words.district("ZDXQ") == "郑东新区"
    with speaking("en"):
        assert words.industry("F5211") == words.industry("F52")
        assert words.of("light", "red") == "Red"
