"""A firm reads which products fit its demand and what it misses for the others; no bank's secret is told."""

from datetime import timedelta

import pytest

from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.answering import AnswerForm
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG_HIMSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_product,
    a_small_world,
    bai,
    rows_of,
    some_tools,
)

NEAR, FAR = {"min_months_in_business": 120}, {"min_months_in_business": 150, "min_employees": 50}
RISK_LINE = {"max_probability": "0.0137"}


@pytest.fixture
def world(database):
    """Beside the two products that fit: one that misses by one criterion, one by two, one by the bank's risk line."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        a_product(tx, made.other_bank, "FAR", name="远贷", criteria=FAR)
        a_product(tx, made.bank, "NEAR", name="近贷", criteria=NEAR)
        a_product(tx, made.bank, "RISK", name="稳贷", criteria=RISK_LINE)
        a_product(tx, made.bank, "GONE", name="旧贷", criteria=NEAR, until_on=(TODAY - timedelta(days=1)).isoformat())
        return made


@pytest.fixture
def demand(database, world) -> int:
    with database.transaction(PLATFORM) as tx:
        return a_demand(tx, FANG, (world.bank,), some_tools(tx))


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def fang(app, database) -> Browser:
    return Browser(app, database, FANG_HERSELF)


def told(browser: Browser, demand: int) -> str:
    """The part of the demand's page about products."""
    said = browser.opens(f"/firm/demands/{demand}").words
    return said[said.index("哪些产品适合") :]


def test_a_demand_without_a_list_reads_what_fits_first_and_then_the_nearest(fang, demand) -> None:
    said = told(fang, demand)
    places = [said.index(one) for one in ("适合的产品（2 个）", "还差一点的产品（3 个）", "近贷", "远贷")]
    assert places == sorted(places)
    assert "差 1 项" in said
    assert "差 2 项" in said


def test_each_criterion_that_fails_is_told_with_its_value_its_line_and_from_when(fang, demand) -> None:
    near = told(fang, demand).partition("近贷")[2].partition("远贷")[0]
    assert "120个月" in near
    assert "99个月" in near, "in business since March 2018"
    assert "2028" in near


def test_what_is_no_longer_on_offer_is_not_compared(fang, demand) -> None:
    assert "旧贷" not in told(fang, demand)


def test_a_bank_s_line_on_risk_is_its_own_affair(fang, demand) -> None:
    page = fang.opens(f"/firm/demands/{demand}")
    assert "风险评估没有达到这家银行的风险线" in page.words
    assert "1.37%" not in page.html
    assert "0.0137" not in page.html


def test_without_an_estimate_the_line_on_risk_is_not_told_either(fang, database, world) -> None:
    with database.transaction(PLATFORM) as tx:
        demand = a_demand(tx, FANG, (world.bank,), some_tools(tx, trained=False))
    page = fang.opens(f"/firm/demands/{demand}")
    assert "还没有风险评估，无法与这家银行的风险线比较" in page.words
    assert "1.37%" not in page.html


def test_areas_and_industries_are_called_by_their_names(fang, database, world) -> None:
    with database.transaction(PLATFORM) as tx:
        a_product(tx, world.bank, "AREA", name="区贷", criteria={"districts": ["410105"], "industries": ["C"]})
        demand = a_demand(tx, FANG, (world.bank,), some_tools(tx))
    said = told(fang, demand)
    assert "金水区" in said
    assert "制造业" in said
    assert "410105" not in said


def test_a_bank_that_refused_is_among_those_that_do_not_fit(fang, demand, database, world) -> None:
    with database.transaction(PLATFORM) as tx:
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        (line,) = rows_of(tx, "push_line")
    officer = bai(world.bank)
    with database.transaction(officer) as tx:
        answer_line(tx, officer, AnswerForm(line["id"], "refused", reasons=("industry",)), TODAY, NOW)
    said = told(fang, demand)
    assert "适合的产品（1 个）" in said
    assert "该银行已" in said.partition("还差一点")[2]


def test_nobody_compares_a_demand_that_is_over_or_another_firm_s(fang, app, demand, database) -> None:
    fang.opens(f"/firm/demands/{demand}/withdrawal")
    fang.sends(f"/firm/demands/{demand}/withdrawal")
    assert "哪些产品适合" not in fang.opens(f"/firm/demands/{demand}").words
    assert "适合这笔需求吗" not in fang.opens("/products").words
    assert Browser(app, database, FENG_HIMSELF).opens(f"/firm/demands/{demand}").status == 404


def test_the_products_stand_beside_the_firm_s_latest_demand_and_no_one_else_s(fang, app, demand, database) -> None:
    page = fang.opens("/products")
    assert page.words.count("适合这笔需求吗") == 1
    assert f"/firm/demands/{demand}#products" in page.links
    assert page.words.count("差 1 项") == 2
    for other in (FENG_HIMSELF, CITY):
        assert "适合这笔需求吗" not in Browser(app, database, other).opens("/products").words


def test_the_list_is_narrowed_by_what_fits_by_bank_kind_and_rate_and_comes_a_page_at_a_time(
    fang, demand, database, world
) -> None:
    secured = {"loan_types": ["mortgage"], "rate_min": "0.0510"}
    with database.transaction(PLATFORM) as tx:
        for number in range(25):
            a_product(tx, world.other_bank, f"M{number}", name=f"抵押{number}号贷", **secured)
    first = fang.opens("/products")
    assert first.words.count("号贷") == 15 and "第 1–20 条，共 30 条" in first.words  # the world's five come first
    assert fang.opens("/products?page=2").words.count("号贷") == 10
    assert "共 28 条" in fang.opens("/products?fits=near").words and "近贷" in fang.page.words
    assert "共 2 条" in fang.opens("/products?fits=yes").words and "近贷" not in fang.page.words
    assert "共 3 条" in fang.opens(f"/products?bank={world.bank}").words
    assert "共 5 条" in fang.opens("/products?loan_type=credit&rate=0.035").words
    following = fang.opens("/products?loan_type=mortgage").links
    assert "/products?loan_type=mortgage&page=2" in following
    assert "没有符合条件的产品" in fang.opens("/products?bank_kind=village").words
    assert fang.opens("/products?fits=x&bank=１&bank_kind=';--&loan_type=y&rate=9&page=zz").status == 200


def test_in_english_too(fang, demand) -> None:
    fang.client.headers["accept-language"] = "en"
    said = fang.opens(f"/firm/demands/{demand}").words
    assert "Products that fit (2)" in said
    assert "1 criterion not met" in said
    assert "2 criteria not met" in said
    assert "the risk estimate does not meet the bank's own risk line" in said
