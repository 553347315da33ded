"""A year's targets go out as a workbook and come back: tried, told by area, set once and never over a colleague's."""

import io
from decimal import Decimal

import openpyxl
import pytest

from service.actions.set_targets import set_targets
from service.clock import Clock
from service.domain.people import Role, Who
from service.domain.target import CITY_WIDE, TargetKind
from service.store import targets
from tests.browser import Browser, Page
from tests.lending import CYCLE, NOW, TODAY, rows_of
from web.main import build_app

CITY = Who(Role.CITY, 7, "程")
YEAR = TODAY.year
WHERE = "/targets/sheet"


@pytest.fixture
def app(database, settings):
    with database.transaction(CITY) as tx:
        set_targets(tx, CITY, YEAR, "410105", {TargetKind.DEMANDS: Decimal(120), TargetKind.IN_TIME: Decimal("0.955")},
                    TODAY, NOW)  # fmt: skip
    return build_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def city(app, database) -> Browser:
    return Browser(app, database, CITY)


def book_of(city: Browser) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(city.client.get(f"{WHERE}.xlsx?year={YEAR}").content))


def cell(book: openpyxl.Workbook, area: str, head: str):
    sheet = book.worksheets[0]
    at = next(one.column for one in sheet[1] if one.value.startswith(head))
    row = next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, 2).value == area)
    return sheet.cell(row, at)


def sends(city: Browser, book: openpyxl.Workbook) -> Page:
    out = io.BytesIO()
    book.save(out)
    city.opens(WHERE)
    return city.uploads(WHERE, "sheet", ("a.xlsx", out.getvalue(), "application/octet-stream"))


def set_now(database) -> dict[tuple[str, str], Decimal]:
    with database.transaction(CITY) as tx:
        found = targets.by_area(tx, YEAR)
    return {(area, kind): value for area, values in found.items() for kind, value in values.items()}


def test_it_goes_out_as_set_comes_back_is_told_by_area_and_is_set_once(city, database) -> None:
    book = book_of(city)
    assert [cell(book, "金水区", head).value for head in ("申报笔数", "按时联系", "授信金额")] == ["120", "95.5", ""]
    before = set_now(database)
    assert "没有可以设定的改动" in sends(city, book).words
    cell(book, "金水区", "申报笔数").value = 150
    cell(book, "金水区", "按时联系").value = None
    cell(book, "全市", "授信金额").value = "1.2亿"
    cell(book, "全市", "注册企业占比").value = 0.85
    cell(book, "全市", "注册企业占比").number_format = "0%"
    cell(book, "二七区", "实名企业占比").value = 130
    tried = sends(city, book)
    assert (
        "确认记录 2 行" in tried.words
        and "申报笔数 120 → 150" in tried.words
        and "授信金额 — → 1.2 亿元" in tried.words
    )
    assert "实名企业占比：应在" in tried.words and set_now(database) == before
    fields = {name: values[0] for name, values in tried.form(f"{WHERE}/copy")["fields"].items()}
    copy = openpyxl.load_workbook(io.BytesIO(city.client.post(f"{WHERE}/copy", data=fields).content))
    comments = [one.comment.text for row in copy.worksheets[0].rows for one in row if one.comment]
    assert len(comments) == 1 and "应在" in comments[0] and cell(copy, "二七区", "实名").value == "130"
    assert "已设定 4 项目标" in city.sends(f"{WHERE}/confirmation").words
    assert set_now(database) == {
        ("410105", "demands"): 150, (CITY_WIDE, "granted"): 12_000_000_000, (CITY_WIDE, "registered"): Decimal("0.85"),
    }  # fmt: skip
    assert "没有可以设定的改动" in sends(city, book).words  # the same file again
    assert "没有改动" in city.client.post(f"{WHERE}/confirmation", data=fields).text  # and the same confirmation
    with database.transaction(CYCLE) as tx:
        assert len(rows_of(tx, "SELECT * FROM trail WHERE noun = 'target'")) == 2 + 4


def test_what_a_colleague_set_meanwhile_is_not_overwritten_and_what_is_no_such_sheet_is_refused(city, database) -> None:
    book = book_of(city)
    cell(book, "金水区", "申报笔数").value = 150
    with database.transaction(CITY) as tx:
        set_targets(tx, CITY, YEAR, "410105", {TargetKind.DEMANDS: Decimal(200)}, TODAY, NOW)
    tried = sends(city, book)
    assert "这一区域的目标在下载以后改过" in tried.words and "确认记录" not in tried.words
    assert set_now(database)["410105", "demands"] == 200
    cell(book, "金水区", "区域").value = "二七区"
    assert "与校验不符" in sends(city, book).words
    wrong = city.uploads(WHERE, "sheet", ("a.xlsx", b"nothing", "application/octet-stream"))
    assert wrong.status == 422 and "这不是 Excel 文件" in wrong.words


def test_nobody_but_the_city_takes_it_out_or_brings_it_back(app, database) -> None:
    team = Browser(app, database, Who(Role.DISTRICT, 5, "高", district="410105"))
    assert team.client.get(WHERE).status_code == 403 and team.client.get(f"{WHERE}.xlsx").status_code == 403
