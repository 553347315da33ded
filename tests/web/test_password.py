"""One's own password for the old one, and a one-time one for a colleague: old sessions end, and strangers give none."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.add_account import NewAccount, add_account
from service.actions.sign_in import TRIES_PER_LOGIN
from service.clock import Clock
from service.domain.people import Membership
from tests.browser import Browser, an_app
from tests.builders import NOW, PLATFORM, TODAY, a_bank, rows_of

OLD, NEW = "long enough 1", "longer than before 2"
ONE_TIME = re.compile(r"[2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4}")


@pytest.fixture
def world(database):
    """Lin and the admin Zong at Bai's bank, Zhao at Bo's, and an operator."""
    with database.transaction(PLATFORM) as tx:
        a_bank(tx, "BAI")
        a_bank(tx, "BO")
        for login, role, bank in (
            ("lin", "officer", "BAI"), ("zong", "bank_admin", "BAI"), ("zhao", "officer", "BO"),
            ("yun", "operator", None),
        ):  # fmt: skip
            add_account(tx, PLATFORM, NewAccount(login, login, role, OLD, bank=bank), NOW)


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


def enters(app, database, login: str, password: str = OLD) -> Browser:
    browser = Browser(app, database)
    browser.opens("/sign-in")
    browser.sends("/sign-in", login=login, password=password)
    return browser


def is_in(browser: Browser, address: str = "/push-lists") -> bool:
    page = browser.opens(address)
    return (page.status, page.address) == (200, address)


def of(database, table: str, **where) -> list:
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, table, **where)


def role_of(database, login: str) -> int:
    (person,) = of(database, "person", login=login)
    return of(database, "membership", person_id=person["id"])[0]["id"]


def changes(browser: Browser, old: str, new: str, again: str | None = None):
    browser.opens("/account/password")
    return browser.sends("/account/password", old=old, new=new, again=new if again is None else again)


def given_by(browser: Browser, address: str) -> str:
    browser.opens(address)
    found = ONE_TIME.search(browser.sends(address).words)
    assert found
    return found[0]


def test_ones_own_password_is_changed_for_the_old_one_and_other_sessions_end(app, database) -> None:
    here, elsewhere, zong = (enters(app, database, login) for login in ("lin", "lin", "zong"))
    assert "密码已修改" in changes(here, OLD, NEW).words
    assert [is_in(one) for one in (here, elsewhere, zong)] == [True, False, True]
    assert not is_in(enters(app, database, "lin"))
    assert is_in(enters(app, database, "lin", NEW))
    (entry,) = of(database, "trail", verb="password_changed")
    (lin,) = of(database, "person", login="lin")
    assert (entry["noun"], entry["noun_id"]) == ("person", lin["id"])
    assert NEW not in str(entry)


def test_what_is_wrong_stands_beside_its_field_and_no_password_is_written_back(app, database) -> None:
    lin = enters(app, database, "lin")
    for given, sentence in (
        ((NEW, NEW), "原密码不对"),
        ((OLD, "short"), "密码至少需要 8 个字符"),
        ((OLD, "password1"), "这个密码太常见"),
        ((OLD, OLD), "新密码不能和原密码相同"),
        ((OLD, NEW, "another one 3"), "两次填的新密码不一样"),
    ):
        page = changes(lin, *given)
        assert (page.status, sentence in page.words) == (422, True), sentence
        assert not any(typed in page.html for typed in (OLD, NEW, "another one 3"))
    assert is_in(enters(app, database, "lin"))
    assert of(database, "trail", verb="password_changed") == []


def test_guesses_at_the_old_password_are_counted_with_those_at_the_door(app, database) -> None:
    lin = enters(app, database, "lin")
    for _ in range(TRIES_PER_LOGIN):
        changes(lin, "wrong wrong", NEW)
    assert "尝试次数过多" in changes(lin, OLD, NEW).words
    assert not is_in(enters(app, database, "lin"))


def test_a_one_time_password_opens_nothing_but_the_page_where_it_is_changed(app, database) -> None:
    lin, zong = enters(app, database, "lin"), enters(app, database, "zong")
    address = f"/bank/people/{role_of(database, 'lin')}/password"
    assert "给lin一个一次性密码" in zong.opens(address).words
    password = given_by(zong, address)
    assert not is_in(lin)
    assert not is_in(enters(app, database, "lin"))
    lin = enters(app, database, "lin", password)
    for page in ("/push-lists", "/bank/products", "/exports"):
        assert lin.opens(page).address == "/account/password"
    assert lin.client.get("/api/v1/push-lines", headers={"accept": "application/json"}).status_code == 403
    changes(lin, password, NEW)
    assert is_in(lin)
    assert is_in(enters(app, database, "lin", NEW))
    (entry,) = of(database, "trail", verb="password_given")
    assert password not in str(entry)
    assert password not in zong.opens(address).html


def test_a_one_time_password_ends_by_itself_and_the_next_one_ends_the_last(app, database) -> None:
    zong = enters(app, database, "zong")
    address = f"/bank/people/{role_of(database, 'lin')}/password"
    first, second = given_by(zong, address), given_by(zong, address)
    assert enters(app, database, "lin", first).page.status == 422
    with database.transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE person SET one_time_until_at = now() - interval '1 second' WHERE login = 'lin'"))
    late = enters(app, database, "lin", second)
    assert "已过期" in late.page.words
    assert not is_in(late)


def test_only_the_operator_and_the_own_banks_admin_give_one_and_nobody_to_themselves(app, database) -> None:
    zong, lin, yun = (enters(app, database, login) for login in ("zong", "lin", "yun"))
    zhao, own, hers = role_of(database, "zhao"), role_of(database, "zong"), role_of(database, "lin")
    assert zong.opens(f"/bank/people/{zhao}/password").status == 404
    assert zong.opens(f"/bank/people/{own}/password").status == 422
    assert lin.opens(f"/bank/people/{own}/password").status == 403
    assert yun.opens(f"/operator/people/{role_of(database, 'yun')}/password").status == 422
    assert is_in(enters(app, database, "zhao", given_by(yun, f"/operator/people/{zhao}/password")), "/account/password")
    (person,) = of(database, "person", login="lin")
    with database.transaction(PLATFORM) as tx:
        tx.add(Membership(person_id=person["id"], role="city", since_on=TODAY - timedelta(days=1)))
    refused = zong.opens(f"/bank/people/{hers}/password")
    assert (refused.status, "本行以外的身份" in refused.words) == (403, True)
    assert is_in(lin)
