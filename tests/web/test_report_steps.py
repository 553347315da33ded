"""A report a question a page: few pages, each kept, resumed anywhere, checked with a way back to every answer."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.clock import Clock
from service.domain.people import Role, Who, the_platform
from service.jobs.tasks import forget_drafts
from service.store import drafts
from tests.browser import Browser, an_app
from tests.builders import FANG, FANG_HERSELF, FENG, FENG_HIMSELF, NOW, TODAY, a_demand, a_small_world, rows_of
from tests.reports import STEPS, fills_in

MOST_PAGES = 7


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


def wish(world, **other):
    return {"amount_fen": "50", "term_months": "12", "use": "trade", "first_bank": world.bank} | other


def title_of(page) -> str:
    return re.search(r"<title>(.*?)</title>", page.html, re.DOTALL)[1]


def test_a_report_is_at_most_seven_pages_each_with_its_own_title_and_a_way_back(fang, world) -> None:
    page = fang.opens("/firm/demands/new")
    seen, before = {}, "/firm"
    while page.address != "/firm/reports/check":
        assert page.address not in seen
        assert before in page.links
        assert f"第 {len(seen) + 1} 步，共 7 步" in page.words
        seen[page.address], before = title_of(page), page.address
        step = page.address.rsplit("/", 1)[1]
        page = fang.sends(page.address, **{name: wish(world)[name] for name in STEPS[step] if name in wish(world)})
    seen[page.address] = title_of(page)
    assert before in page.links
    assert len(seen) == len(set(seen.values())) == MOST_PAGES


def test_a_mistake_is_said_in_the_title_and_beside_its_question(fang) -> None:
    fang.opens("/firm/demands/new")
    page = fang.sends("/firm/reports/amount", amount_fen="")
    assert page.status == 422
    assert title_of(page).startswith("错误：")
    assert "#amount_fen" in page.links
    assert page.words.count("请填写想借的金额") == 2


def test_what_was_begun_is_carried_on_in_another_browser(app, database, fang) -> None:
    fang.opens("/firm/demands/new")
    fang.sends("/firm/reports/amount", amount_fen="50")
    fang.sends("/firm/reports/term", term_months="24")
    elsewhere = Browser(app, database, FANG_HERSELF)
    assert "有一份没填完的申报" in elsewhere.opens("/firm").words
    assert elsewhere.opens("/firm/demands/new").address == "/firm/reports/use"
    assert 'value="24"' in elsewhere.opens("/firm/reports/term").html
    assert elsewhere.opens("/firm/reports/check").address == "/firm/reports/use"


def test_a_draft_is_the_firms_alone_and_is_forgotten_when_it_says_so(app, database, fang) -> None:
    fang.opens("/firm/demands/new")
    fang.sends("/firm/reports/amount", amount_fen="50")
    feng = Browser(app, database, FENG_HIMSELF)
    assert "没填完" not in feng.opens("/firm").words
    assert feng.opens("/firm/demands/new").address == "/firm/reports/amount"
    for who in (FENG_HIMSELF, Who(Role.CITY, name="市"), Who(Role.OPERATOR, name="运")):
        with database.transaction(who) as tx:
            assert tx.execute(text("SELECT count(*) FROM draft")).scalar_one() == 0
    fang.opens("/firm")
    assert "已删除" in fang.sends("/firm/draft/removal").words
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "draft") == []


def test_a_draft_left_for_thirty_days_is_removed_by_the_nightly_job(database, settings, world) -> None:
    now = Clock(settings.demo_on).now()
    with database.transaction(the_platform("test")) as tx:
        drafts.save(tx, drafts.Kept(FANG, answers={"amount": {"amount_fen": ["50"]}}), now - timedelta(days=29))
        drafts.save(tx, drafts.Kept(FENG), now - timedelta(days=31))
    assert forget_drafts(settings) == 1
    with database.transaction(the_platform("test")) as tx:
        assert [row["uscc"] for row in rows_of(tx, "draft")] == [FANG]


def test_every_answer_of_the_check_leads_back_to_its_question_and_from_there_to_the_check(fang, world) -> None:
    checked = fills_in(fang, **wish(world))
    assert {f"/firm/reports/{step}" for step in STEPS} <= set(checked.links)
    page = fang.opens("/firm/reports/rate")
    assert "/firm/reports/check" in page.links
    again = fang.sends("/firm/reports/rate", rate_ceiling="4.5")
    assert again.address == "/firm/reports/check"
    assert "4.50%" in again.words


@pytest.mark.parametrize(("use", "wanted"), [("renewal", True), ("trade", False)])
def test_a_renewal_without_repayment_is_asked_for_renewals_only(fang, world, database, use, wanted) -> None:
    checked = fills_in(fang, **wish(world, use=use, wants_renewal_without_repayment="yes"))
    assert ("希望不先还本" in checked.words) is wanted
    fang.sends("/firm/demands", consent=[0, world.bank])
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "demand", uscc=FANG)[0]["wants_renewal_without_repayment"] is wanted


def test_words_of_a_consent_that_are_not_todays_any_more_are_read_again(fang, world, database) -> None:
    fills_in(fang, **wish(world))
    page = fang.sends("/firm/demands", consent=[0, world.bank], shown=["0" * 64])
    assert page.status == 422
    assert "授权书的内容已有变化" in page.words
    assert "consent" not in page.form("/firm/demands")["fields"]
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "demand") == rows_of(tx, "consent") == []


def test_a_demand_is_changed_from_its_answers_and_a_new_bank_needs_its_own_tick(fang, world, database) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand = a_demand(tx, FANG, (world.bank,), world.tools, use="trade")
    base = f"/firm/demands/{demand}/edit"
    assert fang.opens(base).address == f"{base}/check"
    fang.opens(f"{base}/banks")
    checked = fang.sends(f"{base}/banks", first_bank=world.bank, second_bank=world.other_bank)
    assert "BO银行" in checked.words
    refused = fang.sends(base)
    assert refused.status == 422
    assert "请逐项勾选授权" in refused.words
    assert fang.sends(base, consent=[world.other_bank]).address == f"/firm/demands/{demand}"
    with database.transaction(the_platform("test")) as tx:
        assert {row["bank_id"] for row in rows_of(tx, "wanted_bank")} == {world.bank, world.other_bank}
        assert rows_of(tx, "draft") == []


def test_of_two_who_change_a_demand_the_second_is_told_and_changes_nothing(app, fang, world, database) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand = a_demand(tx, FANG, (world.bank,), world.tools, use="trade")
    base, other = f"/firm/demands/{demand}/edit", Browser(app, database, FANG_HERSELF)
    other.opens(base)
    fang.opens(f"{base}/amount")
    fang.sends(f"{base}/amount", amount_fen="60")
    assert fang.sends(base).status == 200
    late = other.sends(base)
    assert late.status == 409
    assert "这笔需求刚刚被修改过" in late.words
    assert "60 万元" in late.words
    with database.transaction(the_platform("test")) as tx:
        (row,) = rows_of(tx, "demand")
    assert (row["amount_fen"], row["version"]) == (60_000_000, 2)


def test_a_change_begun_on_an_older_version_is_begun_anew(fang, world, database) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand = a_demand(tx, FANG, (world.bank,), world.tools, use="trade")
        drafts.save(tx, drafts.Kept(FANG, demand, 9, {"amount": {"amount_fen": ["99"]}}), NOW)
    assert "99 万元" not in fang.opens(f"/firm/demands/{demand}/edit").words


def test_a_step_that_is_none_is_simply_not_there(fang) -> None:
    assert fang.opens("/firm/reports/elsewhere").status == 404
