"""Behind a scanned code: a light form without an account, its receipt; who calls; the poster it is scanned from."""

import re

import numpy as np
import pypdfium2
import pytest
import segno

from service.actions.issue_code import CodeForm, issue_code, withdraw_code
from service.clock import Clock
from service.domain.people import Membership, Person, the_platform
from service.domain.scan_code import CodeKind
from service.store import intake_codes, people
from tests.browser import Browser
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    GAO,
    NOW,
    OU,
    TODAY,
    ZHONGYUAN,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
)
from tests.paper import needs_pango, words_of
from web.main import build_app

SAID = {
    "firm_name": "方记商贸", "contact_name": "方女士", "mobile": "138 0013 8000", "amount_fen": "30万",
    "use": "working_capital", "uscc": FANG, "consent": "yes",
}  # fmt: skip
LIGHT = 150_000  # bytes
HOTLINE = "0371-12345"


@pytest.fixture
def world(database):
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        for name, role, scope in (
            ("高", "district", {"district": ZHONGYUAN}),
            ("白", "officer", {"bank_id": made.bank}),
        ):
            person = Person(login=name, name=name, password_hash="x", created_at=NOW)
            people.add_person(tx, person, Membership(person_id=0, role=role, since_on=TODAY, **scope))
    return made


@pytest.fixture
def app(database, settings, world):
    return build_app(settings.model_copy(update={"hotline": HOTLINE}), database, Clock(demo_on=TODAY))


def a_code(database, who, kind: CodeKind, **other) -> tuple[int, str]:
    with database.transaction(the_platform("test")) as tx:
        person = next((row["id"] for row in rows_of(tx, "person", name=who.name)), None)
        who = type(who)(who.role, person, who.name, bank_id=who.bank_id, district=who.district)
        code_id = issue_code(tx, who, CodeForm(kind, "走进市场", TODAY, **other), TODAY, NOW)
        return code_id, intake_codes.get(tx, who, code_id).key


@pytest.fixture
def officers(database, world) -> str:
    return f"/s/{a_code(database, bai(world.bank), CodeKind.OFFICER, district=ZHONGYUAN)[1]}"


def scans(app, database, address: str, **other):
    phone = Browser(app, database)
    phone.opens(address)
    return phone, phone.sends(address, **SAID | other)


def test_a_firm_leaves_its_number_on_one_page_and_reads_who_calls_by_when(app, database, officers) -> None:
    phone, receipt = scans(app, database, officers)
    assert re.search(r"S20260630-\d{4}", receipt.words)
    for word in ("BAI银行 白", "中原区融资服务专班", "2026年7月2日"):
        assert word in receipt.words
    with database.transaction(the_platform("test")) as tx:
        (row,) = rows_of(tx, "enquiry")
        (code,) = rows_of(tx, "intake_code")
    assert (row["mobile"], row["amount_fen"], row["uscc"], code["scans"]) == ("13800138000", 30_000_000, FANG, 1)
    assert "/register" in phone.page.links


def test_a_double_tap_ends_on_the_same_receipt_and_is_one_enquiry(app, database, officers) -> None:
    phone = Browser(app, database)
    form = phone.opens(officers).form(officers)["fields"]
    sent = {name: values[0] for name, values in form.items()} | SAID
    first, second = (phone.client.post(officers, data=sent, follow_redirects=False) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    with database.transaction(the_platform("test")) as tx:
        assert len(rows_of(tx, "enquiry")) == 1


def test_mistakes_come_back_by_field_with_what_was_typed_and_the_consent_names_who_calls(
    app, database, officers
) -> None:
    phone, again = scans(app, database, officers, mobile="12", amount_fen="", uscc="123")
    assert again.status == 422
    assert "<title>错误：" in again.html
    for words in ("请填手机号", "请填写想借的金额", "18 位统一社会信用代码", "融资服务专班和BAI银行"):
        assert words in again.words
    assert phone.page.form(officers)["fields"]["firm_name"] == ["方记商贸"]
    without = {name: value for name, value in SAID.items() if name != "consent"}
    phone.opens(officers)
    assert "请勾选同意" in phone.sends(officers, **without).words
    phone.opens(officers)
    assert "同意书的内容已有变化" in phone.sends(officers, **SAID, shown="0" * 64).words
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "enquiry") == []


def test_a_code_of_the_whole_city_asks_where_the_firm_works(app, database) -> None:
    address = f"/s/{a_code(database, CITY, CodeKind.CITY)[1]}"
    phone, again = scans(app, database, address, uscc="")
    assert "请选择区县" in again.words
    assert phone.sends(address, **SAID | {"uscc": "", "district": ZHONGYUAN}).status == 200


def test_a_code_that_ended_or_never_was_says_so_and_gives_the_hotline(app, database) -> None:
    code, key = a_code(database, GAO, CodeKind.DISTRICT)
    with database.transaction(the_platform("test")) as tx:
        withdraw_code(tx, GAO, code, TODAY, NOW)
    phone = Browser(app, database)
    for address, status, word in (
        (f"/s/{key}", 410, "已经停用它"),
        (f"/s/{'a' * 16}", 404, "再扫一次"),
        ("/s/x", 404, ""),
    ):
        page = phone.opens(address)
        assert (page.status, word in page.words, f"tel:{HOTLINE.replace('-', '')}" in page.links) == (
            status,
            True,
            True,
        )


def test_the_sender_takes_it_back_and_nothing_of_the_person_is_left(app, database, officers) -> None:
    phone, receipt = scans(app, database, officers)
    gone = phone.sends(f"{receipt.address}/withdrawal")
    assert "已撤回并删除" in gone.words
    with database.transaction(the_platform("test")) as tx:
        (row,) = rows_of(tx, "enquiry")
        assert len(rows_of(tx, "trail", verb="took_back")) == 1
    assert (row["mobile"], row["firm_name"], row["uscc"], row["close_reason"]) == ("", "", None, "withdrawn")
    gao = Browser(app, database, GAO)
    assert "个人信息已删除" in gao.opens(f"/enquiries/{row['id']}").words


def test_the_page_is_light_on_any_network(app, database, officers) -> None:
    phone = Browser(app, database)
    page = phone.client.get(officers)
    linked = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert any(name.endswith(".css") for name in linked)
    heavy = [phone.client.get(name) for name in linked]
    assert sum(answer.num_bytes_downloaded for answer in (page, *heavy)) < LIGHT


def test_the_district_calls_and_the_codes_bank_sees_it_too_and_lists_hide_the_number(
    app, database, world, officers
) -> None:
    scans(app, database, officers)
    gao = Browser(app, database, GAO)
    listed = gao.opens("/enquiries")
    assert "138****8000" in listed.words
    assert "13800138000" not in listed.html
    (one,) = {link for link in listed.links if re.fullmatch(r"/enquiries/\d+", link)}
    assert "tel:13800138000" in gao.opens(one).links
    refused = gao.sends(f"{one}/calls", reached="no")
    assert "请填写哪天再联系" in refused.words
    assert "已记录" in gao.sends(f"{one}/calls", reached="no", again_on="2026-07-01", note="占线").words
    officer = Browser(app, database, bai(world.bank))
    assert "占线" in officer.opens(one).words
    for stranger in (OU, bo(world.other_bank)):
        assert Browser(app, database, stranger).opens(one).status == 404
    with database.transaction(the_platform("test")) as tx:
        assert [row["actor"] for row in rows_of(tx, "trail", verb="looked", noun="enquiry")] == ["district", "officer"]
    assert "查看" in gao.opens(one).words
    assert "已办结" in gao.sends(f"{one}/end", reason="not_wanted").words


def test_what_was_said_behind_the_code_stands_in_the_firms_report_and_its_demand_ends_the_enquiry(
    app, database, world, officers
) -> None:
    scans(app, database, officers)
    fang = Browser(app, database, FANG_HERSELF)
    fang.opens("/firm/reports/amount")
    assert fang.page.form("/firm/reports/amount")["fields"]["amount_fen"] == ["30"]
    fang.sends("/firm/reports/amount")
    for step, said in (("term", {}), ("use", {}), ("rate", {}), ("guarantees", {})):
        assert fang.page.address == f"/firm/reports/{step}"
        fang.sends(f"/firm/reports/{step}", **said)
    assert f'<option value="{world.bank}" selected>' in fang.page.html
    with database.transaction(the_platform("test")) as tx:
        demand = a_demand(tx, FANG, now=Clock(demo_on=TODAY).now())
    gao = Browser(app, database, GAO)
    (one,) = {link for link in gao.opens("/enquiries?only=helped").links if re.fullmatch(r"/enquiries/\d+", link)}
    assert f"/demands/{demand}" in gao.opens(one).links
    assert "走进市场" in Browser(app, database, bai(world.bank)).opens("/enquiries/codes").words


def test_a_code_is_made_printed_and_withdrawn_on_pages(app, database, world) -> None:
    gao = Browser(app, database, GAO)
    assert "还没有二维码" in gao.opens("/enquiries/codes").words
    gao.opens("/enquiries/codes/new")
    assert "请填写活动名称" in gao.sends("/enquiries/codes", kind="district").words
    made = gao.sends("/enquiries/codes", kind="district", campaign="走进市场", from_on="2026-06-30")
    assert "有效" in made.words
    assert gao.client.get(f"{made.address}.png").content.startswith(b"\x89PNG")
    assert b"<svg" in gao.client.get(f"{made.address}.svg").content
    assert Browser(app, database, OU).opens(f"{made.address}/poster.pdf").status == 404
    gao.opens(made.address)
    assert "已停用" in gao.sends(f"{made.address}/withdrawal").words
    admin = Browser(app, database, bai(world.bank))
    admin.opens("/enquiries/codes/new")
    assert "请填写网点名称" in admin.sends("/enquiries/codes", kind="outlet", campaign="大堂", district=ZHONGYUAN).words


@pytest.mark.parametrize(("size", "width_mm"), [("a4", 210), ("a3", 297)])
def test_a_poster_is_one_page_whose_printed_code_carries_the_address(app, database, settings, size, width_mm) -> None:
    needs_pango()
    code, key = a_code(database, GAO, CodeKind.DISTRICT)
    answer = Browser(app, database, GAO).client.get(f"/enquiries/codes/{code}/poster.pdf?size={size}")
    assert answer.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    assert (len(document), round(document[0].get_width() / 72 * 25.4)) == (1, width_mm)
    address = f"{str(settings.public_url).rstrip('/')}/s/{key}"
    said = words_of(answer.content)
    for words in (address, "中原区融资服务专班", "走进市场", HOTLINE):
        assert words in said
    assert modules_on(document[0]) == [
        list(map(bool, row)) for row in segno.make(address, error="q", micro=False).matrix
    ]


def modules_on(page: pypdfium2.PdfPage) -> list[list[bool]]:
    """The code's modules as they are printed: nothing else on the poster is wholly black."""
    pixels = page.render(scale=3).to_numpy()
    black = (pixels[..., :3] == 0).all(axis=2)
    rows, columns = np.flatnonzero(black.sum(axis=1) > 20), np.flatnonzero(black.sum(axis=0) > 20)
    top, left, height, width = rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1
    assert abs(height - width) <= 2
    dark = (pixels[..., :3].mean(axis=2) < 128)[top : top + height, left : left + width]
    side = sides_of(dark)
    middles = (
        ((np.arange(side) + 0.5) * height / side).astype(int),
        ((np.arange(side) + 0.5) * width / side).astype(int),
    )
    return [[bool(dark[y, x]) for x in middles[1]] for y in middles[0]]


def sides_of(dark: np.ndarray) -> int:
    """How many modules a side has: the corner pattern's upper edge is seven wide."""
    edge = int(np.argmin(dark[dark.shape[0] // 200 + 1]))
    return round(dark.shape[1] / edge * 7)
