"""The pages of a forgotten password: from the sign-in page to the new password, and the same words for a stranger."""

import re

import pytest

from service import security
from service.clock import Clock
from service.domain.people import Membership, Person
from service.settings import read_settings
from service.store import people
from tests.browser import Browser, Page
from tests.builders import NOW, PLATFORM, TODAY, a_firm, rows_of
from web.main import build_app

OLD, NEW = "long enough 1", "longer than before 2"
CODE = re.compile(r"验证码会是 (\d{6})")


@pytest.fixture
def app(database, settings):
    with database.transaction(PLATFORM) as tx:
        uscc = a_firm(tx)
        person = Person(
            login="fang", name="方", phone="13800000001", password_hash=security.hash_password(OLD), created_at=NOW
        )
        people.add_person(tx, person, Membership(person_id=0, role="firm", uscc=uscc, since_on=TODAY))
    return build_app(settings, database, Clock(demo_on=TODAY))


def asks(browser: Browser, named: str) -> Page:
    browser.opens("/forgotten-password")
    return browser.sends("/forgotten-password", named=named)


def sets(browser: Browser, code: str, new: str = NEW, again: str = NEW) -> Page:
    browser.opens("/forgotten-password/code")
    return browser.sends("/forgotten-password/code", code=code, new=new, again=again)


def test_from_the_sign_in_page_to_a_new_password_and_the_firm_reads_of_it(app, database) -> None:
    browser = Browser(app, database)
    assert "/forgotten-password" in browser.opens("/sign-in").links
    page = asks(browser, "138 0000-0001")
    assert page.address == "/forgotten-password/code"
    (code,) = CODE.findall(page.words)
    for given, sentence in (
        (("12", NEW, NEW), "请填 6 位数字的验证码"),
        ((code, NEW, OLD), "两次填的新密码不一样"),
        ((code, "short", "short"), "密码至少需要 8 个字符"),
        (("000000" if code != "000000" else "000001", NEW, NEW), "验证码不对"),
    ):
        page = sets(browser, *given)
        assert (page.status, sentence in page.words) == (422, True), sentence
        assert NEW not in page.html
    page = sets(browser, code)
    assert (page.address, "请用登录名 fang 和新密码登录" in page.words) == ("/sign-in", True)
    assert "已经用过" in sets(browser, code, OLD, OLD).words
    browser.opens("/sign-in")
    assert browser.sends("/sign-in", login="fang", password=NEW).address == "/firm"
    assert "方凭短信验证码重设了登录密码" in browser.opens("/firm/notices").words


def test_a_stranger_reads_the_same_words_for_who_is_here_and_who_is_not(app, database) -> None:
    seen = []
    for named in ("fang", "nobody"):
        browser = Browser(app, database)
        pages = [asks(browser, named), sets(browser, "123456"), *(sets(browser, "123456") for _ in range(5))]
        seen.append([(page.status, page.address, CODE.sub("", page.words)) for page in pages])
    assert seen[0] == seen[1]
    assert "验证码已失效" in seen[0][-1][2]
    assert [row["person_id"] is None for row in rows(database, "password_code")] == [False, True]


def rows(database, table: str) -> list:
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, table)


def test_without_an_sms_provider_the_page_says_who_helps_and_asks_for_nothing(database, settings) -> None:
    closed = read_settings(home=settings.home, database_url=settings.database_url, secret=settings.secret, demo=False)
    page = Browser(build_app(closed, database, Clock()), database).opens("/forgotten-password")
    assert "网上重设暂未开通" in page.words
    assert "请找本行管理员" in page.words
    assert not any(form["action"] == "/forgotten-password" for form in page.forms)
