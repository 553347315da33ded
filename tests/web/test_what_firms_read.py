"""What a firm reads of its own: a consent in the words it was shown, 'still needed?', and which data are old."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.actions.give_consent import give_consent
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.errors import NotPossible
from service.domain.people import the_platform
from service.store import consents
from tests.browser import Browser, an_app
from tests.builders import (
    FANG,
    FANG_HERSELF,
    FENG_HIMSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_consent,
    a_demand,
    a_small_world,
    bai,
    bo,
    row_of,
    rows_of,
    some_tools,
)  # fmt: skip
from web import consent_words


@pytest.fixture
def world(database):
    with database.transaction(the_platform("test")) as tx:
        return a_small_world(tx)


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def fang(app, database) -> Browser:
    return Browser(app, database, FANG_HERSELF)


@pytest.fixture
def shown(world):
    return consent_words.for_bank("郑州方记商贸有限公司", world.bank, "BAI银行", TODAY)


def gives(database, form) -> int:
    with database.transaction(FANG_HERSELF) as tx:
        return give_consent(tx, FANG_HERSELF, form, TODAY, NOW - timedelta(days=1))


def test_a_consent_is_read_again_in_exactly_the_words_that_were_shown_with_who_looked(
    app, database, fang, world, shown
) -> None:
    key = gives(database, shown.form(FANG))
    assert gives(database, shown.form(FANG)) == key
    with database.transaction(PLATFORM) as tx:
        a_demand(tx, FANG, (world.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        (line,) = rows_of(tx, "push_line")
        assert [row["words"] for row in rows_of(tx, "consent_text")] == [shown.words]
    Browser(app, database, bai(world.bank)).opens(f"/push-lines/{line['id']}")
    assert f"/consents/{key}" in fang.opens("/firm/consents").links
    page = fang.opens(f"/consents/{key}")
    assert shown.words in page.words
    assert "BAI银行 · 查看推送项" in page.words
    assert shown.text_hash in page.words
    assert Browser(app, database, FENG_HIMSELF).opens(f"/consents/{key}").status == 404
    for who in (FENG_HIMSELF, bo(world.other_bank)):
        with database.transaction(who) as tx:
            assert rows_of(tx, "consent_text") == [], who


def test_an_older_consent_is_read_again_where_the_words_still_give_its_hash_and_else_says_so(
    database, fang, world, shown
) -> None:
    hash_alone = gives(database, a_consent(FANG, world.bank, text_hash=shown.text_hash, until_on=shown.until_on))
    assert shown.words in fang.opens(f"/consents/{hash_alone}").words
    elsewhere = gives(database, a_consent(FANG, world.other_bank))
    assert "只留有原文的校验码" in fang.opens(f"/consents/{elsewhere}").words


def test_words_that_do_not_give_the_hash_are_no_consent_and_no_row(database, world, shown) -> None:
    with pytest.raises(NotPossible):
        gives(database, a_consent(FANG, world.bank, text_hash=shown.text_hash, words="别的话"))
    with database.transaction(FANG_HERSELF) as tx, pytest.raises(IntegrityError):
        consents.keep_words(tx, {"0" * 64: "别的话"}, NOW)


def test_a_silent_firm_is_asked_whether_it_still_needs_the_loan_and_says_yes_once(database, fang, world) -> None:
    with database.transaction(PLATFORM) as tx:
        demand = a_demand(tx, FANG, (), some_tools(tx))
        silent = {"id": demand, "seen": TODAY - timedelta(days=24), "warned": TODAY - timedelta(days=1)}
        tx.execute(text("UPDATE demand SET firm_seen_on = :seen, warned_on = :warned WHERE id = :id"), silent)
    for address in ("/firm", f"/firm/demands/{demand}"):
        page = fang.opens(address)
        assert "这笔融资还需要吗？" in page.words
        assert "请在 2026年7月6日 之前回答" in page.words
        assert f"/firm/demands/{demand}/withdrawal" in page.links
    address = f"/firm/demands/{demand}/confirmation"
    assert "已确认仍需融资" in fang.sends(address).words
    assert "这笔融资还需要吗？" not in fang.opens("/firm").words
    with database.transaction(PLATFORM) as tx:
        row = row_of(tx, "demand", demand)
        assert (row["firm_seen_on"], row["warned_on"]) == (TODAY, None)
        assert len(rows_of(tx, "trail", verb="confirm")) == 1


def test_a_demand_that_waits_for_a_bank_is_not_asked_about(database, fang, world) -> None:
    with database.transaction(PLATFORM) as tx:
        a_demand(tx, FANG, (world.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        tx.execute(text("UPDATE demand SET warned_on = :on"), {"on": TODAY - timedelta(days=1)})
    assert "这笔融资还需要吗？" not in fang.opens("/firm").words


def test_firm_and_bank_read_which_source_is_late_since_when_and_what_that_means(app, database, fang, world) -> None:
    with database.transaction(PLATFORM) as tx:
        a_demand(tx, FANG, (world.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        (line,) = rows_of(tx, "push_line")
    officer = Browser(app, database, bai(world.bank))
    readers = ((fang, "/firm/records"), (officer, f"/push-lines/{line['id']}"))
    assert not any("部分数据更新晚了" in reader.opens(address).words for reader, address in readers)
    with database.transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE source_day SET latest_on = '2026-03-01' WHERE item = 'tax_payment'"))
    for reader, address in readers:
        page = reader.opens(address)
        assert "部分数据更新晚了" in page.words
        assert "数据截至 2026年3月1日" in page.words


def test_a_due_date_beyond_the_calendar_says_that_it_waits_and_nothing_stops(app, database, fang, world) -> None:
    with database.transaction(PLATFORM) as tx:
        demand = a_demand(tx, FANG, (world.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        (line,) = rows_of(tx, "push_line")
        tx.execute(text("UPDATE push_line SET due_on = NULL, waits_for_calendar = true"))
    for reader, address in (
        (fang, f"/firm/demands/{demand}"),
        (Browser(app, database, bai(world.bank)), f"/push-lines/{line['id']}"),
    ):
        assert "办理照常进行" in reader.opens(address).words


def test_each_question_of_a_report_is_said_once(fang) -> None:
    page = fang.opens("/firm/reports/amount")
    assert page.words.count("您想借多少钱？") == 1
    assert "想借多少 " not in page.words
    assert '<h1><label for="amount_fen">' in page.html
