"""A signed-in person registers for one more firm and switches: every page and every form is of the firm chosen."""

import pytest

from service.clock import Clock
from tests.browser import Browser, Page
from tests.builders import CITY, FANG, FANG_HERSELF, PLATFORM, TODAY, a_demand, a_firm, rows_of
from tests.registering import DAI, NEWS, SHI, walks
from web.main import build_app

FIRST = "郑州新芽商贸有限公司"


@pytest.fixture
def app(database, settings):
    with database.transaction(PLATFORM) as tx:
        a_firm(tx, FANG)
        a_demand(tx, FANG)
    return build_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def browser(app, database) -> Browser:
    """Shi, signed in for a firm of her own."""
    browser = Browser(app, database)
    walks(browser)
    return browser


def answers(browser: Browser, code: str = FANG, number: str = SHI[1], **person: str) -> Page:
    """One more firm, page by page; where it ends."""
    browser.opens("/identity")
    browser.sends("/register/another")
    browser.sends("/register/firm", uscc=code, firm_name="方记商贸", kind="enterprise")
    browser.sends("/register/person", **{"capacity": "representative"} | person)
    browser.sends("/register/identity", number=number, agrees="yes")
    browser.sends("/register/account", agrees="yes")
    return browser.sends("/register/check")


def switches(browser: Browser, database, code: str) -> Page:
    (role,) = of(database, "membership", uscc=code)
    page = browser.opens("/identity")
    form = next(one for one in page.forms if one["fields"].get("membership_id") == [str(role["id"])])
    data = {name: values[0] for name, values in form["fields"].items()}
    browser.page = Page(browser.client.post("/identity", data=data))
    return browser.page


def of(database, table: str, **where) -> list:
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, table, **where)


def test_one_more_firm_asks_nothing_that_is_known_and_each_firm_is_seen_alone(app, database, browser) -> None:
    (demand,) = of(database, "demand")
    assert browser.opens(f"/firm/demands/{demand['id']}").status == 404
    browser.opens("/identity")
    page = browser.sends("/register/another")
    assert (page.address, "用现在的账号 shiming 办理" in page.words) == ("/register/firm", True)
    assert "您已经能为这家企业办事" in browser.sends(
        "/register/firm", uscc=NEWS, firm_name=FIRST, kind="enterprise"
    ).words  # fmt: skip
    page = browser.sends("/register/firm", uscc=FANG, firm_name="方记商贸", kind="enterprise")
    assert ("办理人：石鸣（账号本人）" in page.words, 'value="13800000001"' in page.html) == (True, True)
    browser.sends(
        "/register/person", name=DAI[0], capacity="representative"
    )  # the name is the account's, whatever is sent
    assert "核验的是：石鸣" in browser.page.words
    assert "这不是账号本人的身份证号" in browser.sends("/register/identity", number=DAI[1], agrees="yes").words
    page = browser.sends("/register/identity", number=SHI[1], agrees="yes")
    assert 'name="password"' not in page.html
    browser.sends("/register/account", agrees="yes")
    page = browser.sends("/register/check")
    assert (page.address, "您现在以方记商贸的身份办事" in page.words) == ("/register/done", True)
    assert browser.opens(f"/firm/demands/{demand['id']}").status == 200
    page = switches(browser, database, NEWS)
    assert (page.address, FIRST in page.words) == ("/firm", True)
    assert browser.opens(f"/firm/demands/{demand['id']}").status == 404
    assert len(of(database, "person")) == 1


def test_a_form_opened_for_one_firm_does_nothing_for_another(app, database, browser) -> None:
    answers(browser)
    switches(browser, database, NEWS)
    old = browser.opens("/messages/preferences")
    switches(browser, database, FANG)
    browser.page = old
    assert browser.sends("/messages/preferences", language="en").status == 403
    assert of(database, "message_preference") == []
    browser.opens("/messages/preferences")
    assert browser.sends("/messages/preferences", language="en").status == 200


def test_the_link_of_an_sms_to_another_of_ones_firms_leads_to_where_one_switches(app, database, browser) -> None:
    answers(browser, FANG)
    switches(browser, database, NEWS)
    notice = next(one for one in of(database, "notice") if one["uscc"] == FANG)
    page = browser.opens(f"/n/{notice['id']}")
    assert (page.address, "请先切换企业" in page.words) == ("/identity", True)
    switches(browser, database, FANG)
    page = browser.opens(f"/n/{notice['id']}")
    assert (page.status, page.address.startswith("/firm/")) == (200, True)


def test_what_an_account_began_is_not_there_for_who_is_not_signed_in_to_it(app, database, browser) -> None:
    browser.opens("/identity")
    browser.sends("/register/another")
    browser.sends("/register/firm", uscc=FANG, firm_name="方记商贸", kind="enterprise")
    browser.opens("/firm")
    browser.sends("/sign-out")
    assert browser.opens("/register/person").address == "/sign-in"
    assert "接着填" not in browser.opens("/register").words
    other = Browser(app, database, FANG_HERSELF)
    other.client.cookies.set("registration", browser.client.cookies["registration"])
    assert other.opens("/register/person").address == "/register/firm"
    official = Browser(app, database, CITY)
    assert "/register/another" not in [form["action"] for form in official.opens("/identity").forms]


def test_a_firm_typed_before_signing_in_goes_along_and_a_deputy_waits_as_ever(app, database, browser) -> None:
    browser.opens("/firm")
    browser.sends("/sign-out")
    browser.opens("/register/firm")
    browser.sends("/register/firm", uscc=FANG, firm_name="方记商贸", kind="enterprise")
    browser.opens("/sign-in?back=/register")
    page = browser.sends("/sign-in", login="shiming", password="a quiet lantern")
    assert (page.address, "刚才填的企业会带过去" in page.words) == ("/register", True)
    page = browser.sends("/register/another")
    assert f'value="{FANG}"' in page.html
    page = answers(browser, capacity="deputy", authority="方总签的授权书")
    assert "这家企业出现在“切换企业”里" in page.words
    assert "方记" not in browser.opens("/identity").words
    assert browser.opens("/firm").status == 200
