"""A firm registers itself in a browser without JavaScript: right, wrong, kept, away, too often, and never twice."""

import re

import pytest
from sqlalchemy import text

from service.clock import Clock, machine_now
from service.domain.people import the_platform
from service.settings import read_settings
from service.store import people
from tests.browser import Browser, an_app
from tests.builders import FANG, FANG_HERSELF, TODAY, a_firm, rows_of
from tests.registering import DAI, NEWS, PASSWORD, SHI, pages, walks
from web.main import build_app


@pytest.fixture
def app(database, settings):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def browser(app, database) -> Browser:
    return Browser(app, database)


def rows(database, table: str, **where):
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def test_a_firm_nobody_knows_registers_page_by_page_and_is_at_its_home(database, browser: Browser) -> None:
    assert "/register" in browser.opens("/sign-in").links
    assert "/register/firm" in browser.opens("/register").links
    check = walks(browser, until="check")
    assert check.address == "/register/check"
    assert SHI[1] not in check.html
    assert "后四位 1006" in check.words
    done = browser.sends("/register/check")
    assert done.address == "/register/done"
    assert "会随下一次报送到来" in done.words
    assert "郑州新芽商贸有限公司" in browser.opens("/firm").words
    (firm,) = rows(database, "firm", uscc=NEWS)
    assert (firm["status"], firm["kind"], firm["wrong_code"]) == ("unknown", "enterprise", False)
    (here,) = rows(database, "registered_firm")
    assert (here["registered_on"], here["real_named_on"]) == (TODAY, TODAY)


def test_who_registered_comes_in_again_with_the_name_and_password_chosen(app, database, browser: Browser) -> None:
    walks(browser)
    assert walks(browser, until="person", uscc=FANG).address == "/register/person"
    again = Browser(app, database)
    again.opens("/sign-in")
    assert again.sends("/sign-in", login="shiming", password=PASSWORD).address == "/firm"


def test_a_firm_known_from_the_feeds_is_joined_to_its_records_and_not_renamed(database, browser: Browser) -> None:
    with database.transaction(the_platform("test")) as tx:
        a_firm(tx, FANG)
    done = walks(browser, uscc=FANG, firm_name="方记")
    assert "平台已有政府部门报送的本企业数据" in done.words
    (firm,) = rows(database, "firm", uscc=FANG)
    assert (firm["name"], firm["status"]) == ("郑州方记商贸有限公司", "active")


def test_a_code_is_read_as_people_type_it_and_a_wrong_one_is_told_where(browser: Browser) -> None:
    wrong = {
        "91410199MA00000": "现在有 15 位",
        "9141O199MA0000015Q": "第 5 位“O”不会出现在这里，是不是“0”？",
        "91410199MA0000016Q": "第 9 到 17 位里有一位不对",
        "91410199MA0000015T": "前 8 位或最后一位里有一位不对",
    }
    browser.opens("/register/firm")
    for typed, said in wrong.items():
        page = browser.sends("/register/firm", uscc=typed, firm_name="方记", kind="enterprise")
        assert page.status == 422
        assert said in page.words
        assert f'value="{typed}"' in page.html
        assert re.search(r"<title>错误：", page.html)
    page = browser.sends("/register/firm", uscc="9141 0199ＭＡ0000015Ｑ", firm_name="方记", kind="enterprise")
    assert page.address == "/register/person"


def test_a_wrong_check_that_the_licence_has_is_let_in_with_a_flag_and_a_kind_must_fit_the_code(
    database, browser
) -> None:
    browser.opens("/register/firm")
    wrong = {"uscc": "91410199MA0000015T", "firm_name": "方记", "kind": "enterprise"}
    assert "执照上印的就是这个代码" in browser.sends("/register/firm", **wrong).words
    assert browser.sends("/register/firm", **wrong, as_printed="yes").address == "/register/person"
    browser.opens("/register/firm")
    page = browser.sends("/register/firm", uscc=FANG, firm_name="方记", kind="individual")
    assert "代码以 91 开头的是企业" in page.words


def test_a_step_cannot_be_skipped_and_what_was_typed_is_there_on_the_way_back(browser: Browser) -> None:
    assert browser.opens("/register/check").address == "/register/firm"
    walks(browser, until="identity")
    assert browser.opens("/register/account").address == "/register/identity"
    assert f'value="{NEWS}"' in browser.opens("/register/firm").html
    assert 'value="13800000001"' in browser.opens("/register/person").html
    assert "接着填" in browser.opens("/register").words


def test_a_person_who_is_not_confirmed_reads_why_and_goes_no_further(browser: Browser) -> None:
    refused = {
        ("梅伏", "410199199001011022"): "姓名和身份证号对不上",
        ("郝婷", "410199199001011030"): "手机号不是本人实名的",
        DAI: "您不是这家企业登记的法定代表人或经营者",
        (SHI[0], "410199199001011022"): "姓名和身份证号对不上",
    }
    walks(browser, until="person")
    for (name, number), said in refused.items():
        browser.opens("/register/person")
        browser.sends("/register/person", name=name, mobile="13800000001", capacity="representative")
        page = browser.sends("/register/identity", number=number, agrees="yes")
        assert page.status == 422
        assert said in page.words
        assert browser.opens("/register/account").address == "/register/identity"


def test_while_the_provider_is_away_nothing_is_lost_and_the_person_comes_back(database, browser: Browser) -> None:
    walks(browser, until="identity", name="邵侯")
    page = browser.sends("/register/identity", number="410199199001011049", agrees="yes")
    assert page.status == 503
    assert "不是您填错了" in page.words
    assert [row["outcome"] for row in rows(database, "real_name_check")] == ["unavailable"]
    browser.opens("/register/person")
    browser.sends("/register/person", name=SHI[0])
    page = browser.sends("/register/identity", number=SHI[1], agrees="yes")
    assert page.address == "/register/account"


def test_other_answers_than_those_that_were_checked_have_to_be_checked_anew(browser: Browser) -> None:
    walks(browser, until="check")
    browser.opens("/register/person")
    browser.sends("/register/person", name="戴伴")
    assert browser.opens("/register/check").address == "/register/identity"


def test_the_check_and_the_terms_each_need_their_own_tick_on_the_words_shown(database, browser: Browser) -> None:
    walks(browser, until="identity")
    assert "请阅读并勾选" in browser.sends("/register/identity", number=SHI[1]).words
    page = browser.sends("/register/identity", number=SHI[1], agrees="yes", shown="0" * 64)
    assert "文字刚刚更新过" in page.words
    assert rows(database, "real_name_check") == []
    browser.opens("/register/identity")
    browser.sends("/register/identity", number=SHI[1], agrees="yes")
    assert "请阅读并勾选" in browser.sends("/register/account", login="shiming", password=PASSWORD).words
    assert (
        "密码至少需要 8 个字符" in browser.sends("/register/account", login="shi", password="short", agrees="yes").words
    )


def test_neither_the_number_nor_the_password_stands_anywhere_in_the_database(database, browser: Browser) -> None:
    walks(browser)
    with database.transaction(the_platform("test")) as tx:
        tables = tx.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        kept = [str(tx.execute(text(f'SELECT to_jsonb(t) FROM "{name}" t')).scalars().all()) for name in tables
                if not name.startswith("alembic")]  # fmt: skip
    assert SHI[1] not in "".join(kept)
    assert PASSWORD not in "".join(kept)
    (one,) = rows(database, "registration")
    assert (one["answers"], one["password_hash"], one["identity_shown"]) == ({}, None, "**************1006")


def test_the_answer_is_the_same_for_a_firm_with_people_and_for_one_without(app, database) -> None:
    """A stranger learns from no page who is here already: every page, word for word, but for the code typed."""
    with database.transaction(the_platform("test")) as tx:
        a_firm(tx, FANG)
    Browser(app, database, FANG_HERSELF)
    seen = []
    for login, code in (("dai-a", FANG), ("dai-b", NEWS)):
        deputy = {"name": DAI[0], "number": DAI[1], "capacity": "deputy", "authority": "授权书", "login": login}
        walk = pages(Browser(app, database), uscc=code, firm_name="方记", **deputy)
        seen.append([page.words.replace(code, "").replace(login, "") for page in walk])
    assert len(seen[0]) == 6
    assert seen[0] == seen[1]


def test_sent_twice_is_sent_once(database, browser: Browser) -> None:
    check = walks(browser, until="check")
    form = {name: values[0] for name, values in check.form("/register/check")["fields"].items()}
    browser.client.post("/register/check", data=form)
    second = browser.client.post("/register/check", data=form)
    assert second.status_code in (200, 403)
    assert browser.opens("/register/check").address == "/register/done"
    assert "/register/done" in browser.opens("/register").links
    assert NEWS not in browser.opens("/register/firm").html
    assert (
        len(rows(database, "registration")) == len(rows(database, "membership")) == len(rows(database, "person")) == 1
    )


def test_the_sixth_check_of_one_person_in_a_day_is_refused_and_costs_the_provider_nothing(database, browser) -> None:
    walks(browser, until="identity", name="梅伏")
    for _ in range(5):
        browser.sends("/register/identity", number="410199199001011022", agrees="yes")
    page = browser.sends("/register/identity", number="410199199001011022", agrees="yes")
    assert "尝试次数过多" in page.words
    assert len(rows(database, "real_name_check")) == 5


def test_one_address_begins_sixty_registrations_an_hour(database, browser: Browser) -> None:
    with database.transaction(the_platform("test")) as tx:
        for _ in range(60):
            people.note_attempt(tx, "registration:testclient", machine_now(), succeeded=False)
    browser.opens("/register/firm")
    page = browser.sends("/register/firm", uscc=NEWS, firm_name="新芽", kind="enterprise")
    assert page.status == 403
    assert "尝试次数过多" in page.words
    assert rows(database, "registration") == []


def test_a_deputy_waits_until_somebody_of_the_firm_says_yes_on_the_page(app, database, browser: Browser) -> None:
    with database.transaction(the_platform("test")) as tx:
        a_firm(tx, FANG)
    fang = Browser(app, database, FANG_HERSELF)
    page = walks(browser, uscc=FANG, name=DAI[0], number=DAI[1], capacity="deputy", authority="方总签的授权书")
    assert "等待确认" in page.words
    browser.opens("/sign-in")
    assert "还在等待确认" in browser.sends("/sign-in", login="shiming", password=PASSWORD).words
    assert "戴伴说受本企业委托办事" in fang.opens("/firm/notices").words
    assert "方总签的授权书" in fang.opens("/firm/people").words
    (one,) = rows(database, "registration")
    assert "已确认" in fang.sends(f"/registrations/{one['id']}/admission").words
    assert "请用登录名 shiming 登录" in browser.opens("/register/done").words
    browser.opens("/sign-in")
    assert browser.sends("/sign-in", login="shiming", password=PASSWORD).address == "/firm"


def test_what_was_begun_is_this_browsers_alone_and_gone_when_it_says_so(app, database, browser: Browser) -> None:
    walks(browser, until="identity")
    assert "接着填" not in Browser(app, database).opens("/register").words
    browser.opens("/register/person")
    browser.sends("/register/removal")
    assert rows(database, "registration") == []
    assert browser.opens("/register/check").address == "/register/firm"


def test_only_the_demo_offers_people_to_try_and_without_a_provider_nobody_can_begin(
    database, settings, browser
) -> None:
    assert SHI[1] in browser.opens("/register").words
    closed = read_settings(home=settings.home, database_url=settings.database_url, secret=settings.secret, demo=False)
    page = Browser(build_app(closed, database, Clock()), database).opens("/register")
    assert "网上登记暂未开通" in page.words
    assert "/register/firm" not in page.links
    assert SHI[1] not in page.words
