"""The bank's pages: its own list, every answer, the workbook out and back, its products, people and keys."""

import io

import openpyxl
import pytest
from sqlalchemy import text

from service.actions.choose_offer import accept_offer
from service.actions.give_consent import withdraw_consent
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.people import Role, Who, the_platform
from tests.browser import Browser, Page, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    row_of,
    rows_of,
)  # fmt: skip


@pytest.fixture
def world(database):
    """Fang named Bai's bank, Feng named both; the morning's lists are out."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        a_demand(tx, FANG, (made.bank,), made.tools)
        a_demand(tx, FENG, (made.bank, made.other_bank), made.tools, amount_fen=80_000_000)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def officer(app, database, world) -> Browser:
    return Browser(app, database, bai(world.bank))


@pytest.fixture
def admin(app, database, world) -> Browser:
    return Browser(app, database, Who(Role.BANK_ADMIN, 8, "白总", bank_id=world.bank))


def lines_of(database, **where) -> list:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, "push_line", **where)


def line_of(database, world, uscc: str) -> int:
    return lines_of(database, bank_id=world.bank, uscc=uscc)[0]["id"]


def test_an_officer_sees_whom_to_answer_today(officer) -> None:
    page = officer.opens("/push-lists")
    assert page.status == 200
    assert "郑州方记商贸有限公司" in page.words
    assert "郑州冯氏机械有限公司" in page.words
    assert "已核验" in page.words


def test_the_list_is_filtered_sorted_and_paged(officer) -> None:
    there = {
        "only=waiting": True,
        "only=overdue": False,
        "only=all&q=方记": True,
        "q=没有这家": False,
        "sort=-amount_fen&page=9": True,
        "sort=;--&only=x&page=-1": True,
    }
    for query, is_there in there.items():
        page = officer.opens(f"/push-lists?{query}")
        assert page.status == 200, query
        assert ("郑州方记商贸有限公司" in page.words) is is_there, query


def test_the_list_is_narrowed_by_light_product_district_and_who_works_on_it(officer, database, world) -> None:
    fangs, fengs = line_of(database, world, FANG), line_of(database, world, FENG)
    with database.transaction(the_platform("test")) as tx:
        change = "UPDATE push_line SET is_intended = false, district = '410185' WHERE id = :id"
        tx.execute(text(change), {"id": fengs})
    product = lines_of(database, id=fangs)[0]["product_id"]
    officer.opens("/push-lists")
    officer.sends("/push-lines/answers", line=[fengs], kind="received")
    both, only_fang, only_feng, nobody = {"方记", "冯氏"}, {"方记"}, {"冯氏"}, set()
    for query, there in {
        "light=green": both,
        "light=red": nobody,
        "light=blue": both,
        f"product={product}": both,
        "product=999999": nobody,
        "product=x": both,
        "district=410185": only_feng,
        "district=x": both,
        "intended=yes": only_fang,
        "mine=yes": only_feng,
        "mine=yes&intended=yes": nobody,
        f"light=green&product={product}&district=410185&mine=yes&sort=-grade": only_feng,
    }.items():
        page = officer.opens(f"/push-lists?only=all&{query}")
        assert page.status == 200, query
        assert {name for name in both if name in page.words} == there, query
        assert f"共 {len(there)} 条" in page.words if there else "没有符合这些条件的推送项" in page.words, query


def test_another_banks_list_and_line_are_simply_not_there(app, database, world) -> None:
    fangs, own_list = line_of(database, world, FANG), lines_of(database, bank_id=world.bank)[0]["list_id"]
    other = Browser(app, database, bo(world.other_bank))
    for address in (
        f"/push-lines/{fangs}",
        f"/push-lists/{own_list}",
        f"/push-lists/{own_list}.xlsx",
        f"/push-lines/{fangs}/grant",
    ):
        assert other.opens(address).status == 404, address
    other.opens("/push-lists")
    assert "郑州方记" not in other.page.words
    assert "郑州冯氏" in other.page.words


def test_a_firm_an_official_and_nobody_do_not_open_the_banks_list(app, database) -> None:
    assert Browser(app, database, FANG_HERSELF).opens("/push-lists").status == 403
    assert Browser(app, database, CITY).opens("/push-lists").status == 403
    assert Browser(app, database).opens("/push-lists").address == "/sign-in"


def test_one_ticked_line_is_answered_at_once(officer, database, world) -> None:
    ids = [line["id"] for line in lines_of(database, bank_id=world.bank)]
    officer.opens("/push-lists")
    page = officer.sends("/push-lines/answers", line=ids[:1], kind="received")
    assert "已反馈 1 项" in page.words
    assert [line["state"] for line in lines_of(database, bank_id=world.bank)] == ["received", "pushed"]


def test_a_refusal_without_a_reason_comes_back_with_the_ticks_kept(officer, database, world) -> None:
    line = line_of(database, world, FANG)
    officer.opens("/push-lists")
    page = officer.sends("/push-lines/answers", line=[line], kind="refused", text="看过了")
    assert page.status == 422
    assert "请选择 1 至 4 个拒绝原因" in page.words
    assert str(line) in page.form("/push-lines/answers")["fields"]["line"]
    assert "看过了" in page.html


def test_nothing_ticked_is_said_plainly(officer) -> None:
    officer.opens("/push-lists")
    page = officer.sends("/push-lines/answers", kind="received")
    assert page.status == 422
    assert "请先勾选要反馈的企业" in page.words


def test_the_line_shows_the_firm_why_the_clock_runs_and_leaves_a_trace(officer, database, world) -> None:
    line = line_of(database, world, FANG)
    page = officer.opens(f"/push-lines/{line}")
    officer.opens(f"/push-lines/{line}")
    assert page.status == 200
    for word in (FANG, "自推送日", "个工作日内与企业联系", "参保人数", "日常经营周转"):
        assert word in page.words, word
    with database.transaction(the_platform("test")) as tx:
        looks = rows_of(tx, "trail", noun="push_line", noun_id=line, verb="looked")
    assert [look["uscc"] for look in looks] == [FANG]


@pytest.mark.parametrize(
    ("kind", "fields", "state"),
    [
        ("received", {}, "received"),
        ("contacted", {}, "contacted"),
        ("needs_papers", {"papers": "近一年流水\n场地合同"}, "needs_papers"),
        ("extension", {"text": "企业负责人出差"}, "pushed"),
        ("refused", {"reasons": ["cash_flow", "industry"]}, "refused"),
    ],
)
def test_every_answer_can_be_given_on_the_lines_page(officer, database, world, kind, fields, state) -> None:
    line = line_of(database, world, FANG)
    officer.opens(f"/push-lines/{line}?answer={kind}")
    page = officer.sends(f"/push-lines/{line}/answer", **{"kind": kind} | fields)
    assert page.status == 200
    assert "已反馈" in page.words
    with database.transaction(the_platform("test")) as tx:
        assert row_of(tx, "push_line", line)["state"] == state


OFFER = {
    "kind": "offered", "amount_fen": "40", "rate": "4.35", "term_months": "12",
    "fee1_name": "担保费", "fee1_worth": "0.5%", "fee1_payee": "guarantor", "fee1_due": "yearly",
    "loan_type": "credit", "repayment": "monthly_interest",
}  # fmt: skip


def test_an_offer_becomes_a_grant_and_a_drawdown_and_is_paid_back(officer, database, world) -> None:
    line = line_of(database, world, FANG)
    officer.opens(f"/push-lines/{line}?answer=offered")
    assert "综合年化" in officer.sends(f"/push-lines/{line}/answer", **OFFER).words
    with database.transaction(FANG_HERSELF) as tx:
        accept_offer(tx, FANG_HERSELF, rows_of(tx, "offer", line_id=line)[0]["id"], TODAY, NOW)
    officer.opens(f"/push-lines/{line}/grant")
    page = officer.sends(f"/push-lines/{line}/grants", loan_type="credit", first="yes")
    assert "已报送授信" in page.words
    grant = next(link for link in page.links if "/drawdown" in link).split("/")[2]
    officer.opens(f"/grants/{grant}/drawdown")
    page = officer.sends(f"/grants/{grant}/drawdowns", loan_number="HT-1")
    assert "HT-1" in page.words
    with database.transaction(the_platform("test")) as tx:
        (drawn,) = rows_of(tx, "drawdown", loan_number="HT-1")
    assert drawn["amount_fen"] == 40_000_000
    officer.opens(f"/drawdowns/{drawn['id']}/repayment")
    assert "结清" in officer.sends(f"/drawdowns/{drawn['id']}/repayment").words
    other = Browser(officer.client.app, database, bo(world.other_bank))
    for address in (f"/grants/{grant}/drawdown", f"/drawdowns/{drawn['id']}/repayment"):
        assert other.opens(address).status == 404, address


def test_an_offer_with_a_mistake_keeps_what_was_typed(officer, database, world) -> None:
    line = line_of(database, world, FANG)
    officer.opens(f"/push-lines/{line}?answer=offered")
    page = officer.sends(f"/push-lines/{line}/answer", **OFFER | {"rate": "很低", "fee1_worth": "321"})
    assert page.status == 422
    assert 'value="321"' in page.html
    assert lines_of(database, id=line)[0]["state"] == "pushed"


def test_the_reason_other_needs_words(officer, database, world) -> None:
    line = line_of(database, world, FANG)
    officer.opens(f"/push-lines/{line}?answer=refused")
    page = officer.sends(f"/push-lines/{line}/answer", kind="refused", reasons=["other"])
    assert page.status == 422
    assert "请说明原因" in page.words


def test_the_last_answer_is_corrected_and_both_stay_on_the_page(officer, database, world) -> None:
    line = line_of(database, world, FANG)
    officer.opens(f"/push-lines/{line}?answer=refused")
    officer.sends(f"/push-lines/{line}/answer", kind="refused", reasons=["industry"])
    with database.transaction(the_platform("test")) as tx:
        (answer,) = rows_of(tx, "answer", line_id=line)
    officer.opens(f"/push-lines/{line}?corrects={answer['id']}")
    page = officer.sends(f"/push-lines/{line}/answer", kind="contacted", corrects=answer["id"])
    assert "更正" in page.words
    assert lines_of(database, id=line)[0]["state"] == "contacted"


def test_when_the_consent_is_gone_the_firm_is_gone_from_the_page(officer, database, world) -> None:
    line = line_of(database, world, FANG)
    with database.transaction(FANG_HERSELF) as tx:
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    page = officer.opens(f"/push-lines/{line}")
    assert page.status == 200
    assert "企业已撤回" in page.words
    for canary in (FANG, "方记"):
        assert canary not in page.html
        assert canary not in officer.opens("/push-lists?only=all").html


def workbook(officer, database, world) -> tuple[openpyxl.Workbook, dict[str, int]]:
    number = lines_of(database, bank_id=world.bank)[0]["list_id"]
    answer = officer.client.get(f"/push-lists/{number}.xlsx")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    return book, {cell.value: cell.column for cell in book.worksheets[0][1]}


def returned(officer, book):
    out = io.BytesIO()
    book.save(out)
    token = officer.opens("/push-lists/answers").form("/push-lists/answers")["fields"]["form_token"][0]
    files = {"sheet": ("list.xlsx", out.getvalue())}
    officer.page = Page(officer.client.post("/push-lists/answers", data={"form_token": token}, files=files))
    return officer.page


def row_with(sheet, uscc: str) -> int:
    return next(row for row in range(2, sheet.max_row + 1) if any(cell.value == uscc for cell in sheet[row]))


def test_the_workbook_keeps_codes_as_text_and_locks_what_is_not_asked(officer, database, world) -> None:
    book, at = workbook(officer, database, world)
    sheet = book.worksheets[0]
    row = row_with(sheet, FANG)
    assert sheet.freeze_panes == "C2"
    assert sheet.protection.sheet
    assert sheet.cell(row, at["推送项编号"]).protection.locked
    assert not sheet.cell(row, at["反馈"]).protection.locked
    assert sheet.cell(row, at["申请金额（元）"]).value == 500_000
    assert book["xindeng"].sheet_state == "hidden"
    assert len(sheet.data_validations.dataValidation) == 7


def test_a_firm_named_like_a_formula_stays_text(officer, database, world) -> None:
    with database.transaction(the_platform("test")) as tx:
        tx.execute(text("UPDATE firm SET name = '=1+1' WHERE uscc = :uscc"), {"uscc": FANG})
    book, _at = workbook(officer, database, world)
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == "=1+1"]
    assert [cell.data_type for cell in cells] == ["s"]


def test_the_workbook_comes_back_is_tried_and_then_given_once(officer, database, world) -> None:
    book, at = workbook(officer, database, world)
    sheet = book.worksheets[0]
    fang, feng = row_with(sheet, FANG), row_with(sheet, FENG)
    sheet.cell(fang, at["反馈"]).value = "报价"
    for head, value in {
        "报价金额（元）": 400000,
        "年利率（%）": 4.35,
        "报价期限（月）": 12,
        "贷款方式": "信用",
        "还款方式": "等额本息",
    }.items():
        sheet.cell(fang, at[head]).value = value
    sheet.cell(feng, at["反馈"]).value = "不予通过"
    page = returned(officer, book)
    assert "将记录 1 行" in page.words
    assert "请选择 1 至 4 个原因" in page.words
    assert {line["state"] for line in lines_of(database, bank_id=world.bank)} == {"pushed"}
    checked = page.form("/push-lists/answers/confirmation")["fields"]
    copy = officer.client.post("/push-lists/answers/copy", data={name: values[0] for name, values in checked.items()})
    commented = openpyxl.load_workbook(io.BytesIO(copy.content)).worksheets[0]
    assert "请选择" in commented.cell(row_with(commented, FENG), at["反馈"]).comment.text
    officer.sends("/push-lists/answers/confirmation")
    with database.transaction(the_platform("test")) as tx:
        (offer,) = rows_of(tx, "offer")
        assert (offer["amount_fen"], str(offer["rate"])) == (40_000_000, "0.0435000")
    again = returned(officer, book)
    assert "没有可以记录的新反馈" in again.words
    with database.transaction(the_platform("test")) as tx:
        assert len(rows_of(tx, "answer")) == 1


def test_what_is_no_workbook_is_refused_with_a_sentence(officer) -> None:
    token = officer.opens("/push-lists/answers").form("/push-lists/answers")["fields"]["form_token"][0]
    for content in (b"", b"not a workbook", b"PK\x03\x04broken"):
        files = {"sheet": ("list.xlsx", content)}
        page = Page(officer.client.post("/push-lists/answers", data={"form_token": token}, files=files))
        assert page.status == 422, content
        assert "Excel" in page.words


def test_a_row_moved_to_another_firm_is_noticed(officer, database, world) -> None:
    book, at = workbook(officer, database, world)
    sheet = book.worksheets[0]
    fang, feng = row_with(sheet, FANG), row_with(sheet, FENG)
    column = at["推送项编号"]
    one, other = sheet.cell(fang, column).value, sheet.cell(feng, column).value
    sheet.cell(fang, column).value, sheet.cell(feng, column).value = other, one
    sheet.cell(fang, at["反馈"]).value = "已接收"
    page = returned(officer, book)
    assert page.status == 422
    assert "校验不符" in page.words


def test_another_banks_workbook_is_not_taken(officer, app, database, world) -> None:
    book, at = workbook(officer, database, world)
    sheet = book.worksheets[0]
    sheet.cell(row_with(sheet, FANG), at["反馈"]).value = "已接收"
    page = returned(Browser(app, database, bo(world.other_bank)), book)
    assert page.status == 422
    assert "没有找到这份推送清单" in page.words


def test_the_admin_changes_a_product_and_it_is_a_new_version(admin, database, world) -> None:
    admin.opens(f"/bank/products/{world.product}")
    page = admin.sends(
        "/bank/products", loan_types=["credit", "mortgage"], min_months_in_business="24", districts=["410102", "410105"]
    )
    assert "已保存" in page.words
    with database.transaction(the_platform("test")) as tx:
        product = row_of(tx, "product", world.product)
    assert product["version"] == 2
    assert product["criteria"] == {"min_months_in_business": 24, "districts": ["410102", "410105"]}


def test_a_product_with_its_bounds_crossed_comes_back(admin, world) -> None:
    admin.opens(f"/bank/products/{world.product}")
    page = admin.sends("/bank/products", loan_types=["credit"], amount_min_fen="900", amount_max_fen="100")
    assert page.status == 422
    assert 'value="900"' in page.html


def test_an_officer_reads_products_and_does_not_change_them(officer, world) -> None:
    assert officer.opens("/bank/products").status == 200
    assert officer.opens("/bank/products/new").status == 403
    assert officer.opens("/bank/people").status == 403
    assert officer.opens("/bank/figures").status == 200


def test_another_banks_product_is_simply_not_there(admin, world) -> None:
    assert admin.opens(f"/bank/products/{world.other_product}").status == 404


def test_the_admin_lets_a_colleague_in_and_out_again(admin, database, world) -> None:
    admin.opens("/bank/people")
    page = admin.sends("/bank/people", login="bailing", name="白玲", role="officer", password="a long enough word")
    assert "白玲" in page.words
    again = admin.sends("/bank/people", login="bailing", name="白玲", role="officer", password="a long enough word")
    assert again.status == 422
    assert "已有人使用" in again.words
    with database.transaction(the_platform("test")) as tx:
        (person,) = rows_of(tx, "person", login="bailing")
        (membership,) = rows_of(tx, "membership", person_id=person["id"])
    assert membership["bank_id"] == world.bank
    admin.opens("/bank/people")
    assert "已停用" in admin.sends(f"/bank/people/{membership['id']}/end").words


def test_a_login_taken_at_another_bank_is_refused_without_saying_whose(admin, app, database, world) -> None:
    other = Browser(app, database, Who(Role.BANK_ADMIN, 9, "薄总", bank_id=world.other_bank))
    other.opens("/bank/people")
    other.sends("/bank/people", login="shared", name="薄玲", role="officer", password="a long enough word")
    admin.opens("/bank/people")
    page = admin.sends("/bank/people", login="shared", name="白玲", role="officer", password="a long enough word")
    assert page.status == 422
    assert "薄玲" not in page.html


def test_a_key_is_shown_once_opens_the_api_and_is_revoked(admin, app, database, world) -> None:
    admin.opens("/bank/people")
    page = admin.sends("/bank/keys", system="信贷系统")
    secret = next(word for word in page.words.split() if word.startswith("xdk_"))
    machine = {"Authorization": f"Bearer {secret}", "accept": "application/json"}
    fresh = Browser(app, database).client
    assert fresh.get("/api/v1/push-lists", headers=machine).status_code == 200
    assert secret not in admin.opens("/bank/people").html
    with database.transaction(the_platform("test")) as tx:
        (key,) = rows_of(tx, "api_key")
    admin.sends(f"/bank/keys/{key['id']}/revocation")
    assert fresh.get("/api/v1/push-lists", headers=machine).status_code == 401
