"""The officials' pages: what to decide, where demands stick and on what evidence; figures that equal their events."""

import io
from decimal import Decimal

import openpyxl
import pytest
from sqlalchemy import text

from service.actions.answer_push import answer_line
from service.actions.choose_offer import accept_offer
from service.actions.push_lists import push_missing
from service.actions.report_credit import report_drawdowns, report_grants
from service.actions.review_demand import ask_for_a_person
from service.clock import Clock
from service.domain.answering import AnswerForm, OfferForm
from service.domain.people import Role, Who, the_platform
from service.domain.reporting import DrawForm, GrantForm
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    GAO,
    JINSHUI,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    a_demand,
    a_firm_with_records,
    a_record,
    a_small_world,
    bai,
    row_of,
    rows_of,
    some_tools,
)  # fmt: skip

OPERATOR = Who(Role.OPERATOR, 10, "运")
RED = "91410199MA0000031F"
QUERIES = (
    "", "only=all&light=red", "only=overdue", "next_by=bank&sort=-amount_fen", "only=ended", "q=方记&light=x&sort=;--",
)  # fmt: skip
OFFICIAL = ("/district", "/demands", "/figures", "/figures.xlsx", "/figures/events", "/certificates")


@pytest.fixture
def world(database):
    """Fang's demand in 中原区 is pushed and asks for a person's look; a firm with an open enforcement is red."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        fangs = a_demand(tx, FANG, (made.bank,), made.tools)
        a_firm_with_records(tx, RED, name="郑州红灯实业有限公司")
        listed = {"code": "dishonest", "party": "court"}
        a_record(tx, RED, "dishonesty_listing", "list|1", TODAY.replace(month=3), status="open", **listed)
        red = a_demand(tx, RED, (made.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
        ask_for_a_person(tx, FANG_HERSELF, fangs, made.tools, TODAY, NOW)
    return {"fang": fangs, "red": red, "made": made}


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def gao(app, database) -> Browser:
    return Browser(app, database, GAO)


@pytest.fixture
def city(app, database) -> Browser:
    return Browser(app, database, CITY)


def lend(database, world) -> None:
    """Fang gets 400,000 yuan at 4.35 % and draws 300,000."""
    made = world["made"]
    officer = bai(made.bank)
    with database.transaction(the_platform("test")) as tx:
        line = rows_of(tx, "push_line", demand_id=world["fang"])[0]["id"]
    with database.transaction(officer) as tx:
        offer = OfferForm(40_000_000, Decimal("0.0435"), 12, "credit")
        answer_line(tx, officer, AnswerForm(line, "offered", offer=offer), TODAY, NOW)
    with database.transaction(FANG_HERSELF) as tx:
        accept_offer(tx, FANG_HERSELF, rows_of(tx, "offer")[0]["id"], TODAY, NOW)
    with database.transaction(officer) as tx:
        form = GrantForm(line, 40_000_000, Decimal("0.0435"), 12, "credit", TODAY, is_first_loan=True)
        (granted,) = report_grants(tx, officer, [form], TODAY, NOW)
        drawn = DrawForm(granted.key, "HT-1", 30_000_000, Decimal("0.0435"), TODAY, TODAY.replace(year=2027))
        assert report_drawdowns(tx, officer, [drawn], TODAY, NOW)[0].error is None


def test_the_team_sees_what_waits_and_decides_it_with_a_sentence(gao, database, world) -> None:
    page = gao.opens("/district")
    assert page.status == 200
    assert "企业申请人工复核" in page.words
    refused = gao.sends("/reviews/decisions", demand=[world["fang"]], decision="noted")
    assert refused.status == 422
    assert "请写一句复核意见" in refused.words
    assert str(world["fang"]) in refused.form("/reviews/decisions")["fields"]["demand"]
    done = gao.sends("/reviews/decisions", demand=[world["fang"]], decision="noted", sentence="已电话核实")
    assert "已复核 1 笔" in done.words
    with database.transaction(the_platform("test")) as tx:
        (review,) = rows_of(tx, "review", demand_id=world["fang"])
    assert (review["decision"], review["sentence"]) == ("noted", "已电话核实")


def test_another_districts_team_finds_nothing_of_it(app, database, world) -> None:
    ou = Browser(app, database, OU)
    follow_up = rows_in(database, "follow_up", demand_id=world["red"])[0]["id"]
    assert "方记" not in ou.opens("/district").html
    assert "方记" not in ou.opens("/demands?only=all").html
    for address in (f"/demands/{world['fang']}", f"/follow-ups/{follow_up}"):
        assert ou.opens(address).status == 404, address
    ou.opens("/district")
    ou.page.forms.append(
        {
            "action": "/reviews/decisions",
            "method": "post",
            "fields": {"form_token": ou.page.forms[0]["fields"]["form_token"]},
        }
    )
    page = ou.sends("/reviews/decisions", demand=[world["fang"]], decision="noted", sentence="不是我们的")
    assert page.status in (404, 422)
    assert rows_in(database, "review", demand_id=world["fang"])[0]["decision"] is None


def rows_in(database, table, **where):
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def test_a_red_demand_has_a_follow_up_that_is_noted_and_dated(gao, database, world) -> None:
    follow_up = rows_in(database, "follow_up", demand_id=world["red"])[0]["id"]
    gao.opens(f"/follow-ups/{follow_up}")
    late = gao.sends(f"/follow-ups/{follow_up}/notes", note="已与法院联系", next_on=TODAY.isoformat())
    assert late.status == 422
    assert "已与法院联系" in late.html
    assert "须在今天之后" in late.words
    done = gao.sends(f"/follow-ups/{follow_up}/notes", note="已与法院联系", next_on="2026-07-20")
    assert "已与法院联系" in done.words
    gao.opens(f"/follow-ups/{follow_up}")
    still_red = gao.sends(f"/follow-ups/{follow_up}/end", outcome="resolved")
    assert still_red.status == 422
    assert "仍为红灯" in still_red.words
    gao.opens(f"/follow-ups/{follow_up}")
    gao.sends(f"/follow-ups/{follow_up}/owner", owner="firm")
    assert rows_in(database, "follow_up", id=follow_up)[0]["owner"] == "firm"


def test_the_demands_page_carries_its_evidence_and_leaves_a_trace(gao, database, world) -> None:
    page = gao.opens(f"/demands/{world['fang']}")
    (verdict,) = rows_in(database, "verdict", demand_id=world["fang"])[-1:]
    for word in (verdict["policy_hash"], verdict["content_hash"], verdict["policy_version"], "BAI银行", "留痕"):
        assert word in page.words, word
    assert len(rows_in(database, "trail", noun="demand", noun_id=world["fang"], verb="looked")) == 1


def test_an_override_stands_beside_the_verdict_with_a_name_and_an_end(gao, database, world) -> None:
    address = f"/demands/{world['red']}"
    gao.opens(f"{address}?act=override")
    wrong = gao.sends(f"{address}/override", light="yellow", sentence="已实地走访，执行案已和解")
    assert wrong.status == 422
    assert "已实地走访" in wrong.html
    done = gao.sends(f"{address}/override", light="yellow", sentence="已实地走访，执行案已和解", until_on="2026-08-31")
    assert "高" in done.words
    assert "系统的评判原样保留" in done.words
    with database.transaction(the_platform("test")) as tx:
        assert row_of(tx, "demand", world["red"])["light"] == "yellow"
        assert rows_of(tx, "verdict", demand_id=world["red"])[-1]["light"] == "red"


def test_a_failed_criterion_is_not_lifted_by_a_recommendation(gao, world) -> None:
    gao.opens(f"/demands/{world['red']}?act=review")
    page = gao.sends(f"/demands/{world['red']}/review", decision="recommended", sentence="看着不错")
    assert page.status == 422
    assert "看着不错" in page.html


def test_demands_are_filtered_and_sorted(city) -> None:
    for query in QUERIES:
        assert city.opens(f"/demands?{query}").status == 200, query


def test_the_city_sees_every_district_and_a_district_only_its_own(city, gao, database, world) -> None:
    with database.transaction(the_platform("test")) as tx:
        made = world["made"]
        tx.execute(text("UPDATE firm SET district = :d WHERE uscc = :u"), {"d": JINSHUI, "u": FENG})
        a_demand(tx, FENG, (made.bank,), made.tools)
    assert "冯氏" in city.opens("/demands?only=all").words
    assert "冯氏" not in gao.opens("/demands?only=all").words


def test_figures_show_shares_of_the_money_paid_with_their_definitions(city, database, world) -> None:
    lend(database, world)
    page = city.opens("/figures")
    assert page.status == 200
    for word in (
        "4.35%",
        "100.0%",
        "信用贷款放款金额 ÷ 放款金额",
        "Σ（年利率 × 放款金额）÷ Σ 放款金额",
        "30 万元",
        "40 万元",
        "平台渠道",
    ):
        assert word in page.words, word


def test_figures_are_cut_every_way(city, database, world) -> None:
    lend(database, world)
    for by in ("day", "month", "district", "bank", "industry", "size", "nonsense"):
        assert city.opens(f"/figures?by={by}").status == 200, by


def test_a_figure_leads_to_the_events_it_is_the_sum_of(city, database, world) -> None:
    lend(database, world)
    page = city.opens("/figures/events?kind=drawn&since=2026-06-01&until=2026-06-30")
    assert "300,000.00 元" in page.words
    events = rows_in(database, "figure_event", kind="drawn")
    assert sum(row["sign"] * row["amount_fen"] for row in events) == 30_000_000


def test_the_figures_come_as_a_workbook_and_as_json(city, database, world) -> None:
    lend(database, world)
    answer = city.client.get("/figures.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert "口径" in book.sheetnames
    assert len(book.sheetnames) == 9
    body = city.client.get("/api/v1/figures").json()
    (cell,) = body["figures"]
    assert cell["drawn"]["amount_yuan"] == "300000.00"
    assert Decimal(cell["average_rate"]) == Decimal("0.0435")
    assert set(body["definitions"]) >= {"average_rate", "drawn.amount_fen"}


def test_figures_of_a_district_team_are_its_own(app, database, world) -> None:
    lend(database, world)
    ou = Browser(app, database, OU)
    assert "没有数据" in ou.opens("/figures").words
    assert ou.client.get("/api/v1/figures").json()["figures"] == []
    assert "300,000.00" not in ou.opens(f"/figures/events?district={GAO.district}").words


def test_no_data_says_what_to_do(city) -> None:
    page = city.opens("/figures?since=2020-01-01&until=2020-01-02")
    assert "没有数据" in page.words
    assert "/figures" in page.links


def test_the_policy_is_read_in_words_by_whoever_is_signed_in(app, database, gao) -> None:
    page = gao.opens("/policy")
    assert "个工作日" in page.words
    assert "怎样会变" in page.words
    assert "{gap}" not in page.words
    assert Browser(app, database, FANG_HERSELF).opens("/policy").status == 200
    assert Browser(app, database).opens("/policy").address == "/sign-in"


def test_a_certificate_is_listed_and_read(city, gao, database, world) -> None:
    page = city.opens("/certificates")
    assert "全部通过" in page.words
    (certificate,) = rows_in(database, "certificate")
    one = city.opens(f"/certificates/{certificate['id']}")
    assert certificate["body"]["input_hash"] in one.words
    assert gao.opens("/certificates").status == 403
    assert city.opens("/certificates/999").status == 404


def test_others_do_not_open_the_officials_pages(app, database, world) -> None:
    for who in (FANG_HERSELF, bai(world["made"].bank), OPERATOR):
        browser = Browser(app, database, who)
        for address in OFFICIAL:
            assert browser.opens(address).status == 403, (who.role, address)
