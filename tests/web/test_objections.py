"""A record is wrong: raised with a paper, marked wherever it is shown, answered by the district, told back."""

import shutil
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import orjson
import pytest

from service.actions.decide_objection import follow_in_mirror
from service.actions.judge_demand import judge_changed
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.people import Role, Who, the_platform
from tests.browser import Browser, an_app
from tests.builders import (
    FANG,
    FANG_HERSELF,
    GAO,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    a_demand,
    a_record,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)  # fmt: skip

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
OPERATOR = Who(Role.OPERATOR, 10, "运")


@pytest.fixture
def world(database, settings):
    """Fang's demand is with Bai's bank; one of Fang's penalties is wrong."""
    shutil.rmtree(settings.uploads, ignore_errors=True)
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        penalty = {"code": "minor", "status": "open", "amount_fen": 500_000}
        record = a_record(tx, FANG, "penalty", "P1", TODAY - timedelta(days=40), **penalty)
        a_demand(tx, FANG, (made.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
    return made, record


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def fang(app, database) -> Browser:
    return Browser(app, database, FANG_HERSELF)


def raises(fang: Browser, record: int, file=("缴款书.pdf", PDF, "application/pdf"), **said: object):
    fang.opens("/firm/records")
    fang.opens(f"/firm/records/{record}/objection")
    fields = {"wrong": "settled", "right_is": "五月已缴清"} | said
    return fang.uploads(f"/firm/records/{record}/objection", "file", file, **fields)


def test_the_firm_says_what_is_wrong_and_reads_who_answers_by_when(fang, world) -> None:
    _made, record = world
    assert f"/firm/records/{record}/objection" in fang.opens("/firm/records").links
    page = raises(fang, record)
    assert page.address.startswith("/firm/objections/")
    assert "2026年7月3日" in page.words
    assert "缴款书.pdf" in page.words
    listed = fang.opens("/firm/records")
    assert "我提出的异议" in listed.words
    assert f"/firm/records/{record}/objection" not in listed.links
    assert fang.opens(f"/firm/records/{record}/objection").address == page.address


def test_what_is_missing_stands_beside_its_question_and_nothing_typed_is_lost(fang, world) -> None:
    _made, record = world
    fang.opens(f"/firm/records/{record}/objection")
    page = fang.sends(f"/firm/records/{record}/objection", right_is="五月已缴清")
    assert page.status == 422
    assert "请选择哪里不对" in page.words
    assert "五月已缴清" in page.words
    assert "<title>错误：" in page.html
    broken = raises(fang, record, ("x.pdf", b"MZ a program", "application/pdf"))
    assert broken.status == 422
    assert "只接收 PDF、JPG 和 PNG" in broken.words


def test_bank_official_and_what_is_taken_away_show_the_mark_until_it_is_decided(app, database, fang, world) -> None:
    made, record = world
    raises(fang, record)
    with database.transaction(PLATFORM) as tx:
        (line,), (demand,) = rows_of(tx, "push_line"), rows_of(tx, "demand")
    pages = ((bai(made.bank), f"/push-lines/{line['id']}"), (GAO, f"/demands/{demand['id']}"))
    for who, address in pages:
        assert "记录有异议" in Browser(app, database, who).opens(address).words, address
    kept = orjson.loads(ZipFile(BytesIO(fang.client.get("/firm/records.zip").content)).read("records.json"))
    told = {one["item"]: one["records"] for one in kept["sources"]}
    assert [one["under_objection"] for one in told["penalty"]] == [True]
    assert not any(one["under_objection"] for one in told["tax_grade"])
    with database.transaction(bo(made.other_bank)) as tx:
        assert rows_of(tx, "objection") == []
    gao = Browser(app, database, GAO)
    (key,) = [link.rsplit("/", 1)[1] for link in gao.opens("/objections").links if link.startswith("/objections/")]
    gao.opens(f"/objections/{key}")
    gao.sends(f"/objections/{key}/decision", decision="refused", answer="缴款书与处罚不是同一件")
    for who, address in pages:
        assert "记录有异议" not in Browser(app, database, who).opens(address).words, address
    page = fang.opens(f"/firm/objections/{key}")
    assert "缴款书与处罚不是同一件" in page.words
    assert "还可以找谁" in page.words


def test_the_district_works_it_to_the_end_and_the_firm_is_told(app, database, settings, fang, world) -> None:
    made, record = world
    key = raises(fang, record).address.rsplit("/", 1)[1]
    gao = Browser(app, database, GAO)
    assert "提出异议" in gao.opens("/district/notices").words
    assert "郑州方记商贸有限公司" in gao.opens("/objections").words
    assert "没有这样的异议" in gao.opens("/objections?only=overdue").words
    assert gao.opens(f"/objections/{key}/paper").status == 200
    gao.opens(f"/objections/{key}")
    assert "请写明请部门核查什么" in gao.sends(f"/objections/{key}/inquiry").words
    assert "2026年7月9日" in gao.sends(f"/objections/{key}/inquiry", inquiry="函请市场监管局核对").words
    gao.sends(f"/objections/{key}/notes", note="已回函")
    done = gao.sends(f"/objections/{key}/decision", decision="upheld", answer="部门确认已缴清")
    assert "异议成立" in done.words
    assert done.status == 200
    assert "异议成立，这条记录已撤下" in fang.opens(f"/firm/objections/{key}").words
    assert "对“行政处罚”记录的异议成立" in fang.opens("/firm/notices").words
    assert f"/firm/records/{record}/objection" not in fang.opens("/firm/records").links
    with database.transaction(PLATFORM) as tx:
        follow_in_mirror(tx, PLATFORM, settings.mirror, NOW)
        assert judge_changed(tx, PLATFORM, made.tools, TODAY, NOW) == 1
        looked = rows_of(tx, "trail", verb="looked", noun="objection")
    assert {row["uscc"] for row in looked} == {FANG}


def test_another_districts_team_sees_nothing_of_it_and_the_operator_may_answer(app, database, fang, world) -> None:
    _made, record = world
    key = raises(fang, record, None).address.rsplit("/", 1)[1]
    ou = Browser(app, database, OU)
    assert "没有待答复的异议" in ou.opens("/objections").words
    assert ou.opens(f"/objections/{key}").status == 404
    operator = Browser(app, database, OPERATOR)
    assert "没有上传" in operator.opens(f"/objections/{key}").words
    assert operator.opens(f"/objections/{key}/paper").status == 404
    operator.opens(f"/objections/{key}")
    assert operator.sends(f"/objections/{key}/decision", decision="upheld", answer="部门已更正").status == 200


def test_the_firm_takes_it_back(fang, world) -> None:
    _made, record = world
    address = raises(fang, record).address
    assert "企业已撤回异议" in fang.sends(f"{address}/withdrawal").words
    assert f"/firm/records/{record}/objection" in fang.opens("/firm/records").links
