"""The district team's day: a work list that is paged and shared out, the ledger of obstacles, a colleague's absence."""

import io
from datetime import timedelta

import openpyxl
import pytest

from service.actions.keep_ledger import Found, enter_obstacle
from service.clock import Clock
from service.domain.people import Role, Who, the_platform
from tests.browser import Browser, Page, an_app, session_of
from tests.builders import (
    CITY,
    FANG,
    FENG,
    FENG_HIMSELF,
    GAO,
    NOW,
    OU,
    TODAY,
    ZHONGYUAN,
    a_demand,
    a_firm_with_records,
    a_record,
    a_small_world,
    rows_of,
    some_tools,
)  # fmt: skip

RED = "91410199MA0000031F"
SOON = TODAY + timedelta(days=3)
GE = Who(Role.DISTRICT, 21, "葛", district=ZHONGYUAN)


@pytest.fixture
def world(database):
    """In 中原区 a firm with an open listing is red; Gao has a colleague Ge; in 中牟县 there is Ou."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        a_firm_with_records(tx, RED, name="郑州红灯实业有限公司")
        listed = {"code": "dishonest", "party": "court"}
        a_record(tx, RED, "dishonesty_listing", "list|1", TODAY.replace(month=3), status="open", **listed)
        red = a_demand(tx, RED, (made.bank,), some_tools(tx))
        work = rows_of(tx, "follow_up", demand_id=red)[0]["id"]
    people = {}
    for who in (GAO, GE, OU):
        session_of(database, who, TODAY)
    with database.transaction(the_platform("test")) as tx:
        for row in rows_of(tx, "person"):
            people[row["name"]] = row["id"]
    return {"demand": red, "work": work, "people": people}


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def gao(app, database) -> Browser:
    return Browser(app, database, GAO)


def of(database, table: str, **where) -> list:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def test_the_work_list_is_filtered_sorted_and_taken_away_as_asked(gao) -> None:
    there = ("", "light=red", "owner=district", "q=红灯", "obstacle=serious_dishonesty", "sort=-owner", "only=nobodys")
    for query in there:
        page = gao.opens(f"/district?{query}")
        assert (page.status, "郑州红灯实业有限公司" in page.words) == (200, True), query
    for query in ("light=yellow", "only=mine", "q=方记", "obstacle=premises", "person=999", "only=overdue&page=9"):
        assert "郑州红灯实业有限公司" not in gao.opens(f"/district?{query}").words, query
    sheet = gao.client.get("/follow-ups.xlsx?light=red")
    rows = list(openpyxl.load_workbook(io.BytesIO(sheet.content)).worksheets[0].values)
    assert [row[:2] for row in rows[1:]] == [("郑州红灯实业有限公司", RED)]
    assert "企业严重失信" in rows[1]


def test_work_is_taken_given_on_and_the_row_says_by_whom(app, database, gao, world) -> None:
    gao.opens("/district")
    gao.sends("/follow-ups/assignment", follow_up=[world["work"]], person=world["people"]["高"])
    assert "郑州红灯实业有限公司" in gao.opens("/district?only=mine").words
    asked = gao.opens("/district").form("/follow-ups/assignment")["fields"]
    question = Page(gao.client.post("/follow-ups/assignment", data={**asked, "follow_up": str(world["work"])}))
    assert "葛" in question.words
    assert "欧" not in question.words
    gao.page = question
    gao.sends("/follow-ups/assignment", person=world["people"]["葛"])
    ge = Browser(app, database, GE)
    assert "葛 高 2026年6月30日" in ge.opens("/district?only=mine").words
    (row,) = of(database, "follow_up", id=world["work"])
    assert (row["owner_person_id"], row["assigned_by"]) == (world["people"]["葛"], world["people"]["高"])
    assert len(of(database, "trail", noun="follow_up", verb="assign")) == 2
    gao.page = question
    assert gao.sends("/follow-ups/assignment", person=world["people"]["欧"]).status == 422
    assert gao.sends("/follow-ups/assignment", person="x").status == 422


def test_a_mistake_on_a_follow_up_is_told_at_the_top_and_beside_its_field(gao, database, world) -> None:
    address = f"/follow-ups/{world['work']}"
    for form, said in (("notes", "请写明办理情况"), ("promise", "责任部门"), ("end", "请选择办理结果")):
        gao.opens(address)
        page = gao.sends(f"{address}/{form}", **({"department": "nonsense"} if form == "promise" else {}))
        assert (page.status, said in page.words) == (422, True), form
        assert "有几处需要修改" in page.words
        assert "<title>错误：" in page.html
    gao.opens(address)
    gao.sends(f"{address}/promise", department="court", promised_on=SOON)
    page = gao.opens(address)
    assert "人民法院执行局" in page.words
    assert len(of(database, "trail", noun="follow_up", verb="promised")) == 1


def test_what_would_remove_an_obstacle_and_who_must_move_are_read_in_english(gao, world) -> None:
    gao.client.cookies.set("language", "en")
    for address in (f"/follow-ups/{world['work']}", f"/demands/{world['demand']}"):
        page = gao.opens(address)
        assert "credit office" in page.words.lower(), address
        assert "信用管理部门" not in page.words, address


def test_the_ledger_holds_what_verdicts_found_and_what_teams_found_once_each(app, database, gao) -> None:
    gao.opens("/obstacles/new")
    entry = {"uscc": FANG, "kind": "mortgage_unreleased", "words": "已还清，登记未解除", "next_on": SOON}
    page = gao.sends("/obstacles", **entry, promised_on=SOON)
    assert "抵押未解除" in page.words
    assert "不动产登记中心" in page.words
    gao.opens("/obstacles/new")
    twice = gao.sends("/obstacles", **entry)
    assert twice.status == 422
    assert "已在台账里" in twice.words
    ledger = gao.opens("/obstacles")
    for said in ("郑州红灯实业有限公司", "列入严重失信名单", "系统研判", "抵押未解除", "专班发现"):
        assert said in ledger.words
    assert "郑州红灯" not in gao.opens("/obstacles?kind=mortgage_unreleased").words
    assert "郑州红灯" in gao.opens("/obstacles?department=credit_office&only=unpromised").words
    city = Browser(app, database, CITY)
    assert "抵押未解除" in city.opens("/obstacles?district=410102&only=promised").words
    taken = city.client.get("/obstacles.xlsx")
    assert len(list(openpyxl.load_workbook(io.BytesIO(taken.content)).worksheets[0].values)) == 3
    assert "郑州红灯" not in Browser(app, database, OU).opens("/obstacles").words


def test_an_obstacle_is_noted_promised_and_cleared_with_a_trail(database, gao) -> None:
    with database.transaction(GAO) as tx:
        key = enter_obstacle(tx, GAO, Found(FENG, "title_lacking", SOON, "厂房无证"), TODAY, NOW)
    address = f"/obstacles/{key}"
    gao.opens(address)
    gao.sends(f"{address}/notes", note="已约登记中心", next_on=SOON + timedelta(days=5))
    gao.opens(address)
    refused = gao.sends(f"{address}/promise", department="planning", promised_on=TODAY - timedelta(days=1))
    assert "承诺日期不能早于今天" in refused.words
    gao.opens(address)
    gao.sends(f"{address}/promise", department="planning", promised_on=SOON)
    gao.opens(address)
    gao.sends(f"{address}/end", outcome="resolved")
    assert "已销号" in gao.opens(address).words
    assert "厂房无证" in gao.opens(address).words
    verbs = [row["verb"] for row in of(database, "trail", noun="obstacle", noun_id=key)]
    assert verbs == ["open", "looked", "note", "promised", "close"]


def test_all_of_an_absent_colleagues_work_goes_over_in_one_act(app, database, gao, world) -> None:
    people = world["people"]
    who = Who(Role.DISTRICT, people["高"], "高", district=ZHONGYUAN)
    with database.transaction(who) as tx:
        enter_obstacle(tx, who, Found(FENG, "title_lacking", SOON), TODAY, NOW)
    gao.opens("/district")
    gao.sends("/follow-ups/assignment", follow_up=[world["work"]], person=people["高"])
    ge = Browser(app, database, GE)
    assert f"/colleagues/{people['高']}/handover" in ge.opens("/colleagues").links
    ge.opens(f"/colleagues/{people['高']}/handover")
    assert ge.sends(f"/colleagues/{people['高']}/handover").status == 422
    done = ge.sends(f"/colleagues/{people['高']}/handover", person=people["葛"])
    assert "已移交 2 项" in done.words
    assert of(database, "follow_up", id=world["work"])[0]["owner_person_id"] == people["葛"]
    assert [row["owner_person_id"] for row in of(database, "obstacle")] == [people["葛"]]
    assert Browser(app, database, OU).opens(f"/colleagues/{people['高']}/handover").status == 404


def the_visit(database, gao, uscc: str = FENG) -> int:
    """A plan made on the page for one firm; its visit."""
    gao.opens("/visit-plans/new?group=any&most=0")
    gao.sends(
        "/visit-plans", group="any", most="0", firms=uscc, area="建设路", planned_on=TODAY, person=gao.me, companions=""
    )
    return of(database, "visit", uscc=uscc)[0]["id"]


@pytest.fixture
def visitor(gao, world) -> Browser:
    gao.me = world["people"]["高"]
    return gao


def test_a_base_list_is_looked_at_planned_once_and_stands_on_the_phones_first_page(database, visitor) -> None:
    assert "郑州冯氏机械有限公司" in visitor.opens("/visit-plans/new?group=quiet&industry=F").words
    assert "郑州红灯" in visitor.opens("/visit-plans/new?group=red").words
    form = {"group": "quiet", "most": "5", "area": "建设路", "planned_on": SOON, "person": visitor.me}
    visitor.opens("/visit-plans/new")
    refused = visitor.sends("/visit-plans", **form | {"area": "", "planned_on": TODAY - timedelta(days=1)})
    assert (refused.status, "请填写片区" in refused.words) == (422, True)
    key = refused.form("/visit-plans")["fields"]["form_key"]
    visitor.sends("/visit-plans", **form)
    visitor.page = refused
    assert visitor.sends("/visit-plans", **form, form_key=key).status == 200
    assert len(of(database, "visit_plan")) == 1
    first = visitor.opens("/visits")
    assert "郑州冯氏机械有限公司" in first.words
    assert any(link.startswith("/visits/") for link in first.links)


def test_a_visit_is_recorded_in_one_page_and_the_firm_reads_who_looked(app, database, visitor) -> None:
    visit = the_visit(database, visitor)
    page = visitor.opens(f"/visits/{visit}")
    assert "/firm/demands/new" in page.words
    refused = visitor.sends(f"/visits/{visit}/record", met="owner", has_need="yes", promised="帮助对接担保公司")
    assert refused.status == 422
    assert "有融资需求时，请填写大约金额" in refused.words
    kinds = ["guarantee_lacking", "title_lacking"]
    said = {"met": "owner", "has_need": "yes", "amount_fen": "50", "obstacles": kinds, "promised": "帮助对接担保公司"}
    done = visitor.sends(f"/visits/{visit}/record", **said, next_on=SOON)
    assert "约 50.00 万元" in done.words
    assert "帮助对接担保公司" in done.words
    visitor.page = refused
    visitor.sends(f"/visits/{visit}/record", **said, next_on=SOON)
    assert of(database, "visit", id=visit)[0]["version"] == 1
    assert sorted(row["kind"] for row in of(database, "obstacle")) == ["guarantee_lacking", "title_lacking"]
    records = Browser(app, database, FENG_HIMSELF).opens("/firm/records").words
    assert "区县专班 查看" in records
    assert "记录走访" in records


def test_what_is_typed_is_kept_when_the_line_drops_and_a_correction_keeps_the_old_words(database, visitor) -> None:
    visit = the_visit(database, visitor)
    visitor.opens(f"/visits/{visit}")
    form = visitor.page.form(f"/visits/{visit}/record")["fields"]
    typed = {**form, "met": "finance", "amount_fen": "不知道", "note": "半途断线"}
    kept = visitor.client.post(f"/visits/{visit}/draft", data=typed, headers={"hx-request": "true"})
    assert kept.status_code == 204
    page = visitor.opens(f"/visits/{visit}")
    assert "还没有提交" in page.words
    assert "半途断线" in page.words
    visitor.sends(f"/visits/{visit}/record", met="finance", has_need="no", amount_fen="", note="第一次写的")
    assert of(database, "visit_draft") == []
    visitor.opens(f"/visits/{visit}?correct=yes")
    page = visitor.sends(f"/visits/{visit}/record", note="更正后的")
    assert "更正后的" in page.words
    assert "更正过 1 次" in page.words
    assert "第一次写的" in page.words


def test_a_base_list_goes_out_and_comes_back_tried_told_and_taken_once(database, visitor) -> None:
    visit = the_visit(database, visitor)
    plan = of(database, "visit_plan")[0]["id"]
    sheet = visitor.client.get(f"/visit-plans/{plan}.xlsx").content

    def filled(**cells: object) -> bytes:
        book = openpyxl.load_workbook(io.BytesIO(sheet))
        page = book.worksheets[0]
        heads = [cell.value for cell in page[1]]
        for head, value in cells.items():
            page.cell(2, heads.index(head) + 1, value)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def tries(content: bytes) -> Page:
        visitor.opens("/visit-plans/results")
        return visitor.uploads("/visit-plans/results", "sheet", ("a.xlsx", content, "application/octet-stream"))

    wrong = tries(filled(走访日期="2026-06-29", 见到了谁="实际经营者", 有没有融资需求="有"))
    assert "有融资需求时，请填写大约金额" in wrong.words
    copy = visitor.client.post(
        "/visit-plans/results/copy",
        data={name: values[0] for name, values in wrong.form("/visit-plans/results/copy")["fields"].items()},
    )
    book = openpyxl.load_workbook(io.BytesIO(copy.content))
    assert "大约金额" in next(cell.comment.text for row in book.worksheets[0].rows for cell in row if cell.comment)
    cells = {"走访日期": "2026-06-29", "见到了谁": "财务人员", "有没有融资需求": "有", "大约金额（万元）": 30}
    right = filled(**cells, 堵点一="缺少担保", 下次日期="2026-07-08", 备注="有")
    tried = tries(right)
    assert of(database, "visit", id=visit)[0]["state"] == "planned"
    visitor.page = tried
    assert "已记录 1 家的走访" in visitor.sends("/visit-plans/results/confirmation").words
    (row,) = of(database, "visit", id=visit)
    assert (row["met"], row["amount_fen"], row["obstacles"]) == ("finance", 30_000_000, ["guarantee_lacking"])
    assert row["note"] == "有"
    assert "没有可以记录的新结果" in tries(right).words
    late = tries(filled(**cells | {"大约金额（万元）": 31}))
    assert "已被更新" in late.words
    assert "不是从本平台下载" in tries(visitor.client.get("/follow-ups.xlsx").content).words
