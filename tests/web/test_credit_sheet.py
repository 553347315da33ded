"""Grants and drawdowns go out as a workbook and come back filled in: tried, told by row, taken once and exactly."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from sqlalchemy import text

from service.actions.answer_push import answer_line
from service.actions.choose_offer import accept_offer
from service.actions.give_consent import withdraw_consent
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.answering import AnswerForm, OfferForm
from service.domain.people import the_platform
from tests.browser import Browser, Page, an_app
from tests.builders import (
    FANG,
    FANG_HERSELF,
    FENG,
    FENG_HIMSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
)  # fmt: skip

GRANTS, DRAWDOWNS = 0, 1
RATE = Decimal("0.0435500")


@pytest.fixture
def world(database):
    """Fang and Feng have accepted Bai's offers of 400,000.01 yuan."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
        lines = rows_of(tx, "push_line")
    officer = bai(made.bank)
    for line in lines:
        with database.transaction(officer) as tx:
            form = AnswerForm(line["id"], "offered", offer=OfferForm(40_000_001, RATE, 12, "credit"))
            answer_line(tx, officer, form, TODAY, NOW)
        firm = FANG_HERSELF if line["uscc"] == FANG else FENG_HIMSELF
        with database.transaction(firm) as tx:
            offer = tx.execute(text("SELECT id FROM offer WHERE line_id = :id"), {"id": line["id"]}).scalar_one()
            accept_offer(tx, firm, offer, TODAY, NOW)
    return made


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def officer(app, database, world) -> Browser:
    return Browser(app, database, bai(world.bank))


def of(database, table: str) -> list:
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, table)


def book_of(officer: Browser) -> openpyxl.Workbook:
    answer = officer.client.get("/bank/credit.xlsx")
    assert answer.status_code == 200
    return openpyxl.load_workbook(io.BytesIO(answer.content))


def fills(book: openpyxl.Workbook, place: int, uscc: str, **cells: object) -> None:
    sheet = book.worksheets[place]
    at = {cell.value: cell.column for cell in sheet[1]}
    row = next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, at["统一社会信用代码"]).value == uscc)
    for head, value in cells.items():
        sheet.cell(row, next(at[name] for name in at if name and name.startswith(head))).value = value


def sends(officer: Browser, book: openpyxl.Workbook) -> Page:
    out = io.BytesIO()
    book.save(out)
    officer.opens("/bank/credit")
    return officer.uploads("/bank/credit/reports", "sheet", ("a.xlsx", out.getvalue(), "application/octet-stream"))


def test_it_goes_out_comes_back_is_told_by_row_and_is_taken_once(officer, database) -> None:
    assert "待报送授信" in officer.opens("/bank/credit").words
    book = book_of(officer)
    assert [sheet.title for sheet in book.worksheets[:2]] == ["待授信", "待放款"]
    fills(book, GRANTS, FANG, 授信日期=TODAY.isoformat(), 贷款类别="无还本续贷")
    fills(book, GRANTS, FENG, 授信日期="2027-01-01")
    tried = sends(officer, book)
    assert "将记录 1 行" in tried.words
    assert "授信日期不能晚于今天" in tried.words
    assert of(database, "credit_grant") == []
    fields = {name: values[0] for name, values in tried.form("/bank/credit/reports/copy")["fields"].items()}
    copy = openpyxl.load_workbook(io.BytesIO(officer.client.post("/bank/credit/reports/copy", data=fields).content))
    comments = [cell.comment.text for row in copy.worksheets[GRANTS].rows for cell in row if cell.comment]
    assert comments == ["授信日期不能晚于今天。"]
    assert "已报送 1 行" in officer.sends("/bank/credit/reports/confirmation").words
    (granted,) = of(database, "credit_grant")
    assert (granted["amount_fen"], granted["rate"], granted["is_renewal_without_repayment"]) == (40_000_001, RATE, True)
    again = sends(officer, book)
    assert "没有可以报送的新授信或放款" in again.words
    assert len(of(database, "credit_grant")) == 1

    fills(copy, GRANTS, FENG, 授信日期=TODAY, 授信金额=123456.79, 年利率=3.955, 期限=24, 担保方式="抵押")
    sends(officer, copy)
    officer.sends("/bank/credit/reports/confirmation")
    other = next(one for one in of(database, "credit_grant") if one["uscc"] == FENG)
    assert (other["amount_fen"], str(other["rate"])) == (12_345_679, "0.0395500")
    assert (other["term_months"], other["loan_type"]) == (24, "mortgage")

    book = book_of(officer)
    assert book.worksheets[GRANTS].max_row == 1
    fills(book, DRAWDOWNS, FANG, 借据号="0000123456789012345678", 放款金额=250000.01, 放款日期=TODAY)
    fills(book, DRAWDOWNS, FENG, 借据号="J2", 放款金额=123456.8, 放款日期=TODAY)
    tried = sends(officer, book)
    assert "放款合计不能超过授信金额" in tried.words
    officer.sends("/bank/credit/reports/confirmation")
    (drawn,) = of(database, "drawdown")
    assert (drawn["loan_number"], drawn["amount_fen"], drawn["rate"]) == ("0000123456789012345678", 25_000_001, RATE)
    assert drawn["matures_on"] == date(2027, 6, 30)
    assert "将记录 0 行" in sends(officer, book).words
    assert len(of(database, "drawdown")) == 1
    looks = [one for one in of(database, "trail") if one["noun"] == "credit_sheet"]
    assert len(looks) == 1


def test_what_cannot_be_read_rightly_is_told_in_its_row(officer, database) -> None:
    book = book_of(officer)
    fills(book, GRANTS, FANG, 授信日期="=TODAY()")
    fills(book, GRANTS, FENG, 授信金额=5, 担保方式="口头")
    words = sends(officer, book).words
    for sentence in ("单元格里是公式", "请填写授信日期", "请从给出的选项中选择：担保方式"):
        assert sentence in words
    assert "将记录 0 行" in words
    assert of(database, "credit_grant") == []


def test_a_loan_number_that_lost_digits_is_not_taken(officer, database) -> None:
    book = book_of(officer)
    fills(book, GRANTS, FANG, 授信日期=TODAY)
    sends(officer, book)
    officer.sends("/bank/credit/reports/confirmation")
    book = book_of(officer)
    fills(book, DRAWDOWNS, FANG, 借据号=12345678901234567890, 放款金额=1, 放款日期=TODAY)
    assert "数字超过 15 位" in sends(officer, book).words
    assert of(database, "drawdown") == []


def test_anothers_book_a_moved_row_and_what_is_no_such_book_are_refused(officer, app, database, world) -> None:
    book = book_of(officer)
    fills(book, GRANTS, FANG, 授信日期=TODAY)
    theirs = sends(Browser(app, database, bo(world.other_bank)), book)
    assert (theirs.status, "不是贵行下载的" in theirs.words) == (422, True)
    sheet = book.worksheets[GRANTS]
    sheet.cell(2, 1).value, sheet.cell(3, 1).value = sheet.cell(3, 1).value, sheet.cell(2, 1).value
    moved = sends(officer, book)
    assert (moved.status, "校验不符" in moved.words) == (422, True)
    officer.opens("/bank/credit")
    none = officer.uploads("/bank/credit/reports", "sheet", ("a.xlsx", b"PK no", "application/octet-stream"))
    assert (none.status, "Excel" in none.words) == (422, True)
    empty = sends(officer, book_of(officer))
    assert "没有填写任何授信或放款" in empty.words


def test_a_name_like_a_formula_stays_text_and_a_firm_without_consent_is_not_in_it(officer, database, world) -> None:
    with database.transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE firm SET name = '=1+1' WHERE uscc = :uscc"), {"uscc": FENG})
        tx.execute(text("UPDATE push_line SET firm_name = '=1+1' WHERE uscc = :uscc"), {"uscc": FENG})
    with database.transaction(FANG_HERSELF) as tx:
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    cells = [cell for sheet in book_of(officer).worksheets for row in sheet.iter_rows() for cell in row if cell.value]
    assert [cell.data_type for cell in cells if cell.value == "=1+1"] == ["s"]
    assert not [cell for cell in cells if FANG in str(cell.value) or "方记" in str(cell.value)]
