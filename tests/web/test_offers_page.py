"""Offers stand side by side, the cheapest first; before something ends a page says what ends with it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.answering import AnswerForm, OfferForm
from service.domain.cost import cost_fen
from service.domain.people import the_platform
from service.domain.push_list import Repayment
from tests.browser import Browser, an_app
from tests.builders import (
    FANG,
    FANG_HERSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)
from tests.paper import words_of


@pytest.fixture
def world(database):
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        tools = some_tools(tx)
        a_demand(tx, FANG, (made.bank, made.other_bank), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    return made


@pytest.fixture
def demand(database, world) -> int:
    """Bai's bank asks less interest and many fees; Bo's bank asks more interest and none."""
    with database.transaction(the_platform("test")) as tx:
        lines = {row["bank_id"]: row["id"] for row in rows_of(tx, "push_line")}
        (row,) = rows_of(tx, "demand")
    offers = ((bai(world.bank), "0.0400", 2_000_000), (bo(world.other_bank), "0.0450", 0))
    for officer, rate, fees in offers:
        with database.transaction(officer) as tx:
            offer = OfferForm(40_000_000, Decimal(rate), 12, "credit", fees_fen=fees)
            answer_line(tx, officer, AnswerForm(lines[officer.bank_id], "offered", offer=offer), TODAY, NOW)
    return int(row["id"])


def a_browser(database, settings, on=TODAY) -> Browser:
    return Browser(an_app(settings, database, Clock(demo_on=on)), database, FANG_HERSELF)


@pytest.fixture
def fang(database, settings, world) -> Browser:
    return a_browser(database, settings)


def test_the_lowest_all_in_rate_stands_first_though_its_interest_is_higher(fang, demand) -> None:
    page = fang.opens(f"/firm/demands/{demand}/offers")
    assert page.words.index("BO银行") < page.words.index("BAI银行")
    assert "总成本" in page.words
    shown = fang.opens(f"/firm/demands/{demand}")
    assert f"/firm/demands/{demand}/offers" in shown.links
    choices = [link for link in shown.links if link.endswith("/acceptance")]
    assert choices == [link for link in page.links if link.endswith("/acceptance")]


def test_the_paper_says_what_the_page_says_and_there_is_none_without_an_offer(fang, demand, database) -> None:
    said = words_of(fang.client.get(f"/firm/demands/{demand}/offers.pdf").content)
    assert said.index("BO银行") < said.index("BAI银行")
    with database.transaction(the_platform("test")) as tx:
        tx.execute(text("UPDATE offer SET state = 'lapsed'"))
    assert fang.client.get(f"/firm/demands/{demand}/offers.pdf").status_code == 404


def test_before_an_offer_is_taken_its_terms_stand_once_more_with_who_else_ends(fang, demand, database) -> None:
    page = fang.opens(f"/firm/demands/{demand}/offers")
    choice = next(link for link in page.links if link.endswith("/acceptance"))
    asked = fang.opens(choice)
    assert "接受BO银行的报价吗" in asked.words
    assert "随之结束：BAI银行" in asked.words
    with database.transaction(the_platform("test")) as tx:
        assert {row["state"] for row in rows_of(tx, "offer")} == {"open"}
    fang.sends(choice)
    with database.transaction(the_platform("test")) as tx:
        assert sorted(row["state"] for row in rows_of(tx, "offer")) != ["open", "open"]
        assert [row["bank_id"] for row in rows_of(tx, "offer", state="accepted")] != []
    assert fang.opens(choice).status == 409


def test_an_offer_past_its_last_day_is_not_asked_about(database, settings, demand, world) -> None:
    with database.transaction(the_platform("test")) as tx:
        offer = rows_of(tx, "offer")[0]
    late = a_browser(database, settings, offer["valid_until_on"] + timedelta(days=1))
    assert late.opens(f"/offers/{offer['id']}/acceptance").status == 409


def test_before_a_demand_is_taken_back_the_banks_that_stop_are_named(fang, demand) -> None:
    assert f"/firm/demands/{demand}/withdrawal" in fang.opens(f"/firm/demands/{demand}").links
    asked = fang.opens(f"/firm/demands/{demand}/withdrawal")
    assert "停止办理，已有的报价失效：" in asked.words
    assert "BAI银行" in asked.words
    assert "BO银行" in asked.words
    assert "已撤回" in fang.sends(f"/firm/demands/{demand}/withdrawal").words
    assert fang.opens(f"/firm/demands/{demand}/withdrawal").status == 409


def test_before_a_consent_ends_the_page_says_what_it_takes_along(fang, demand, database, world) -> None:
    with database.transaction(the_platform("test")) as tx:
        (row,) = rows_of(tx, "demand")
    of_platform = fang.opens("/firm/consents/0/withdrawal")
    assert "在办的需求全部结束" in of_platform.words
    assert row["number"] in of_platform.words
    asked = fang.opens(f"/firm/consents/{world.bank}/withdrawal")
    assert "BAI银行从现在起不能再查看您的资料" in asked.words
    assert row["number"] in asked.words
    fang.sends(f"/firm/consents/{world.bank}/withdrawal")
    assert fang.opens(f"/firm/consents/{world.bank}/withdrawal").status == 404


def test_the_firm_may_say_that_nobody_called_once_the_day_for_it_is_over(database, settings, world) -> None:
    with database.transaction(the_platform("test")) as tx:
        line = rows_of(tx, "push_line", bank_id=world.bank)[0]
    address, act = f"/firm/demands/{line['demand_id']}", f"/push-lines/{line['id']}/dispute"
    on_time = a_browser(database, settings, line["due_on"])
    assert act not in [form["action"] for form in on_time.opens(address).forms]
    late = a_browser(database, settings, line["due_on"] + timedelta(days=1))
    late.opens(address)
    late.sends(act)
    assert "反映没有联系" in late.opens(address).words
    with database.transaction(the_platform("test")) as tx:
        notices = rows_of(tx, "notice", kind="contact_disputed")
    assert {bool(row["bank_id"]) for row in notices} == {True, False}


@pytest.mark.parametrize(
    ("repayment", "fen"),
    [
        (Repayment.MONTHLY_INTEREST, 600_000),
        (Repayment.AT_MATURITY, 600_000),
        (Repayment.EQUAL_INSTALMENTS, 327_972),
    ],
)
def test_a_years_loan_of_100_000_yuan_at_6_percent_costs_its_interest_and_fees(repayment, fen) -> None:
    assert cost_fen(10_000_000, Decimal("0.06"), 0, 12, repayment) == fen
    assert cost_fen(10_000_000, Decimal("0.06"), 5_000, 12, repayment) == fen + 5_000


def test_every_fee_is_read_with_who_collects_it_on_the_page_on_paper_and_before_the_choice(
    database, fang, demand, world
) -> None:
    with database.transaction(the_platform("test")) as tx:
        lines = {row["bank_id"]: row["id"] for row in rows_of(tx, "push_line")}
    officer = Browser(fang.client.app, database, bo(world.other_bank))
    with database.transaction(the_platform("test")) as tx:
        last = next(row["id"] for row in rows_of(tx, "answer") if row["bank_id"] == world.other_bank)
    officer.opens(f"/push-lines/{lines[world.other_bank]}?answer=offered&corrects={last}")
    address = f"/push-lines/{lines[world.other_bank]}/answer"
    terms = {"amount_fen": "40", "rate": "4.5", "term_months": "12", "loan_type": "credit", "repayment": "at_maturity"}
    half = officer.sends(address, **terms, fee1_name="担保费", fee1_worth="0.5%")
    assert half.status == 422
    assert "第 1 项费用没有填完" in half.words
    rows = {"fee1_payee": "guarantor", "fee1_due": "yearly", "fee2_name": "公证费", "fee2_worth": "400元"}
    assert officer.sends(address, **terms, fee1_name="担保费", fee1_worth="0.5%", **rows, fee2_payee="notary",
                         fee2_due="start").status == 200  # fmt: skip
    shown = fang.opens(f"/firm/demands/{demand}/offers")
    assert "担保费 2,000 元 贷款金额的 0.50% · 每年年初 · 担保机构收取" in shown.words
    assert "公证费 400 元" in shown.words
    assert "银行只报了合计，没有列明细" in shown.words  # Bai's, whose offer is an older one
    paper = words_of(fang.client.get(f"/firm/demands/{demand}/offers.pdf").content)
    assert "担保机构收取" in paper
    choices = [link for link in shown.links if link.endswith("/acceptance")]
    assert any("公证处收取" in fang.opens(choice).words for choice in choices)
