"""Why these banks, why this firm, what is thought of my appetite, and where places are short: said where one asks."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.clock import Clock, instant_on
from service.domain.answering import AnswerForm
from service.domain.people import the_platform
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    GAO,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)  # fmt: skip
from tests.paper import words_of

TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def world(database):
    """Fang named Bai's bank; Bai refused her; the next morning Feng's demand went to Bai and to Bo."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        fangs = a_demand(tx, FANG, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
        (line,) = rows_of(tx, "push_line")
    officer = bai(made.bank)
    with database.transaction(officer) as tx:
        answer_line(tx, officer, AnswerForm(line["id"], "refused", reasons=("industry",)), TODAY, NOW)
    with database.transaction(the_platform("test")) as tx:
        a_demand(tx, FENG, (made.bank, made.other_bank), some_tools(tx))
        push_missing(tx, PLATFORM, TOMORROW, instant_on(TOMORROW), some_tools(tx))
    return made, fangs


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TOMORROW))


def lines_of(database, bank_id: int) -> list[dict]:
    with database.transaction(the_platform("test")) as tx:
        return sorted(rows_of(tx, "push_line", bank_id=bank_id), key=lambda line: line["id"])


def test_a_firm_reads_why_each_bank_and_by_which_rule(app, database, world) -> None:
    said = Browser(app, database, FANG_HERSELF).opens(f"/firm/demands/{world[1]}").words
    assert "为什么是这些银行" in said
    assert "全部准入条件" in said
    assert "利率占 50%、速度占 30%、额度占 20%" in said
    assert "最多同时推给 3 家" in said


def test_a_bank_reads_why_this_firm_with_chance_interval_and_sample(app, database, world) -> None:
    made, _fangs = world
    line = lines_of(database, made.bank)[-1]
    said = Browser(app, database, bai(made.bank)).opens(f"/push-lines/{line['id']}").words
    assert "为什么推给贵行" in said
    assert f"预计接受率 {line['p_offer']:.0%}（90% 区间" in said
    assert "贵行 1 次反馈" in said


def test_a_bank_reads_its_own_appetite_and_only_its_own(app, database, world) -> None:
    made, _fangs = world
    own = Browser(app, database, bai(made.bank)).opens("/bank/appetite").words
    assert "贵行愿意接受怎样的需求" in own
    assert "90% 区间" in own
    assert "1 次" in own
    others = Browser(app, database, bo(made.other_bank)).opens("/bank/appetite").words
    assert "0 次" in others
    assert "按同类银行和全市的水平估计" in others
    assert Browser(app, database, bai(made.bank)).opens("/appetite").status == 403


def test_the_city_reads_any_bank_s_appetite_and_a_district_does_not(app, database, world) -> None:
    made, _fangs = world
    city = Browser(app, database, CITY)
    assert "1 次" in city.opens(f"/appetite?bank={made.bank}").words
    assert "0 次" in city.opens(f"/appetite?bank={made.other_bank}").words
    assert city.opens("/appetite?bank=nonsense").status == 200
    assert Browser(app, database, GAO).opens("/appetite").status == 403


def test_before_the_first_list_an_appetite_says_so(database, settings) -> None:
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
    browser = Browser(an_app(settings, database, Clock(demo_on=TODAY)), database, bai(made.bank))
    assert "还没有发布过清单" in browser.opens("/bank/appetite").words


def test_the_certificate_says_where_places_are_short(database, settings) -> None:
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        for product, places in ((made.product, 1), (made.other_product, 50)):
            tx.execute(text("UPDATE product SET places_per_day = :n WHERE id = :id"), {"n": places, "id": product})
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (made.bank, made.other_bank), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        (certificate,) = rows_of(tx, "certificate")
        (short,) = (row for row in rows_of(tx, "product") if row["id"] == made.product)
    priced = {key for key, price in certificate["body"]["prices"].items() if price > 0}
    assert priced == {str(made.product)}
    city = Browser(an_app(settings, database, Clock(demo_on=TODAY)), database, CITY)
    paper = words_of(city.client.get(f"/certificates/{certificate['id']}.pdf").content)
    assert certificate["body"]["input_hash"] in paper
    assert "哪里名额紧张" in paper
    said = city.opens(f"/certificates/{certificate['id']}").words
    table = said[said.index("哪里名额紧张") : said.index("据此发布的清单")]
    assert short["name"] in table
    assert f"{certificate['body']['prices'][str(made.product)]:.4f}" in table
