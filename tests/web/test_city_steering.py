"""How the city steers: it urges a bank from its row, the bank answers, and the ledger tells the whole way."""

import io
from datetime import timedelta

import openpyxl
import pytest

from service.clock import Clock, instant_on
from service.domain.figure import FigureKind
from service.domain.people import Role, Who
from service.store.statistics import count
from tests.browser import Browser, an_app
from tests.lending import CYCLE, officer, rows_of
from tests.service.test_statistics import event
from tests.service.test_urge_bank import CITY, LATER, TODAY, a_silent_world

DAYS = f"since={TODAY}&until={LATER}"


@pytest.fixture
def world(database):
    with database.transaction(CYCLE) as tx:
        return a_silent_world(tx)


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=LATER))


@pytest.fixture
def city(app, database) -> Browser:
    return Browser(app, database, CITY)


def test_a_bank_is_urged_from_its_row_answers_and_the_city_ends_it(city, app, database, world) -> None:
    new = f"/banks/{world.bank}/urgings/new?{DAYS}"
    assert new in [link.replace("&amp;", "&") for link in city.opens(f"/banks?{DAYS}").links]
    form = city.opens(new)
    assert "沉默不反馈" in form.words and "2 项" in form.words
    wrong = city.sends(f"/banks/{world.bank}/urgings", words=" ", days="99")
    assert wrong.status == 422 and "<title>错误：" in wrong.html and "请写明要求" in wrong.words
    sent = city.sends(f"/banks/{world.bank}/urgings", ground="silent", words="请说明。", days="2")
    assert "已发给银行" in sent.words and "推送 2 项，沉默 2 项（100.0%）" in sent.words and "等银行回复" in sent.words
    again = city.opens(new)
    assert "还有没办结的督办" in again.words and 'value="late" checked' in again.html
    refused = city.sends(f"/banks/{world.bank}/urgings", ground="silent", words="请说明。")
    assert refused.status == 422 and "已有一件未办结的督办" in refused.words

    bank = Browser(app, database, officer(world.bank))
    told = bank.opens("/bank/notices")
    assert "市级督办：沉默不反馈，涉及 2 项" in told.words
    (address,) = [link for link in told.links if link.startswith("/bank/urgings/")]
    assert "已阅" in bank.opens(address).words and "银行已阅" in city.opens("/urgings").words
    wrong = bank.sends(f"{address}/answer", done="", promised_on="明天")
    assert wrong.status == 422 and "请写明已经做了什么" in wrong.words and "请填日期" in wrong.words
    said = bank.sends(f"{address}/answer", done="已联系两户。", promised_on=str(LATER + timedelta(days=3)))
    assert "已回复，市级会看到" in said.words
    assert "沉默不反馈" in bank.opens("/bank/urgings").words
    other = Browser(app, database, officer(world.other_bank, 51))
    assert other.opens(address).status == 404 and "市级没有督办过贵行" in other.opens("/bank/urgings").words

    key = address.rsplit("/", 1)[1]
    assert "银行已回复" in city.opens(f"/banks?{DAYS}").words
    city.opens(f"/urgings/{key}")
    wrong = city.sends(f"/urgings/{key}/end", words="")
    assert wrong.status == 422 and "请选择办结还是升级" in wrong.words
    ended = city.sends(f"/urgings/{key}/end", end="closed", words="可以。")
    assert "已办结" in ended.words and "已联系两户。" in ended.words
    assert f"/urgings/{key}/end" not in [form["action"] for form in ended.forms]
    assert "没有这样的督办" in city.opens("/urgings").words


def test_the_ledger_puts_what_is_overdue_first_and_goes_to_excel_and_paper_and_into_the_briefing(
    city, database, settings, world
) -> None:
    for bank in (world.bank, world.other_bank):
        city.opens(f"/banks/{bank}/urgings/new?{DAYS}")
        city.sends(f"/banks/{bank}/urgings", words="请说明。", days="1" if bank == world.other_bank else "9")
    after = Browser(an_app(settings, database, Clock(demo_on=LATER + timedelta(days=5))), database, CITY)
    page = after.opens("/urgings")
    assert page.words.index("第2银行") < page.words.index("第1银行") and "逾期未回复" in page.words
    assert "逾期 1" in page.words
    book = openpyxl.load_workbook(io.BytesIO(after.client.get("/urgings.xlsx").content)).worksheets[0]
    rows = list(book.iter_rows(min_row=2, values_only=True))
    assert [(row[1], row[9]) for row in rows] == [("第2银行", "逾期未回复"), ("第1银行", "已发出")]
    paper = after.client.get("/urgings.pdf?only=all")
    assert paper.status_code == 200 and paper.content.startswith(b"%PDF")
    briefing = after.opens(f"/briefings?on={LATER}").words
    assert "督办银行（件） 2 2" in briefing and "期末逾期未回复督办（件） 0 0" in briefing
    assert "期末逾期未回复督办（件） 1" in after.opens(f"/briefings?on={LATER + timedelta(days=4)}").words
    (late, *_rest) = [link for link in page.links if link.startswith("/urgings/")]
    after.opens(late)
    gone = after.sends(f"{late}/withdrawal", reason="发错了。")
    assert "已撤回，银行会看到理由" in gone.words and "发错了。" in gone.words
    with database.transaction(CYCLE) as tx:
        verbs = [row.verb for row in rows_of(tx, "SELECT verb FROM trail WHERE noun = 'urging' ORDER BY id")]
    assert verbs == ["urged", "urged", "urging_withdrawn"]


def test_targets_are_typed_checked_set_and_shown_against_the_year_on_the_dashboard(city, app, database) -> None:
    assert "还没有设定全市目标" in city.opens(f"/figures?{DAYS}").words or "没有数据" in city.page.words
    assert "还没有设定过这一年的目标" in city.opens("/targets").words
    wrong = city.sends("/targets", registered="120", granted="很多")
    assert wrong.status == 422 and "<title>错误：" in wrong.html and "请只填数字" in wrong.words
    check = city.sends("/targets", registered="85", demands="1000", granted="1.2亿", in_time="")
    assert "核对目标改动" in check.words and "85.0%" in check.words and "1.2 亿元" in check.words
    assert "未设" in city.opens("/targets").words  # nothing is set before it is saved
    city.sends("/targets", registered="85", demands="1000", granted="1.2亿", in_time="90")
    done = city.sends("/targets")
    assert "已设定 4 项目标" in done.words and "全市 · 授信金额：— → 1.2 亿元" in done.words
    city.opens("/targets")
    assert "没有改动" in city.sends("/targets").words
    district = city.opens("/targets?district=410105")
    assert "设定目标：金水区" in district.words
    city.sends("/targets", demands="2")
    assert "已设定 1 项目标" in city.sends("/targets").words
    book = openpyxl.load_workbook(io.BytesIO(city.client.get("/targets.xlsx").content)).worksheets[0]
    rows = list(book.iter_rows(min_row=2, values_only=True))
    assert ("全市", "授信金额", 120_000_000) in [row[:3] for row in rows] and len(rows) == 5
    with database.transaction(CYCLE) as tx:
        count(tx, [event(9, kind=FigureKind.REPORTED, on=LATER, bank_id=0)], LATER, instant_on(LATER))
    said = city.opens(f"/figures?{DAYS}").words
    assert "2026 年目标" in said and "申报笔数" in said and "慢于时间进度" in said
    team = Browser(app, database, Who(Role.DISTRICT, 5, "高", district="410105")).opens(f"/figures?{DAYS}").words
    assert "2026 年目标" in team and "授信金额 自年初" not in team and "1 50.0%" in team


def test_a_district_cannot_open_the_city_s_targets(app, database) -> None:
    team = Browser(app, database, Who(Role.DISTRICT, 5, "高", district="410105"))
    assert team.opens("/targets").status == 403 and team.opens("/urgings").status == 403
