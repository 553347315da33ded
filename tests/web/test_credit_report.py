"""The credit report on paper: under a live consent, numbered, entered, seen by the firm; and anyone can check it."""

import re
from dataclasses import replace
from datetime import timedelta

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import segno
from PIL import Image

from service.actions.give_consent import withdraw_consent
from service.actions.push_lists import push_missing
from service.actions.raise_objection import ObjectionForm, raise_objection
from service.clock import Clock
from service.domain.consent import DataClass
from service.domain.issued_report import masked
from service.domain.people import the_platform
from service.profiles.profile import profile_on
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG_HIMSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_record,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)
from tests.paper import needs_pango, words_of
from web import documents
from web.credit_report import recorded

MOST_BYTES = 400_000


@pytest.fixture
def world(database):
    needs_pango()
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        tools = some_tools(tx)
        a_demand(tx, FANG, (made.bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    return made


@pytest.fixture
def line(database, world) -> int:
    with database.transaction(the_platform("test")) as tx:
        (row,) = rows_of(tx, "push_line")
    return int(row["id"])


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def officer(app, database, world) -> Browser:
    return Browser(app, database, bai(world.bank))


def printed(browser: Browser, line: int) -> bytes:
    answer = browser.client.get(f"/push-lines/{line}/report.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text[:300]
    return answer.content


def reports(database) -> list:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, "issued_report")


def code_on(made: bytes) -> Image.Image:
    """The QR code in the upper right corner of the first page, as it is printed, without its quiet zone."""
    page = pypdfium2.PdfDocument(made)[0].render(scale=6).to_pil().convert("L")
    corner = page.crop((page.width // 2, 0, page.width, page.height // 4))
    return corner.crop(corner.point(lambda grey: 255 if grey < 60 else 0).getbbox())


def is_code_of(made: bytes, address: str) -> bool:
    """Whether the dark squares on the first page are the code of this address, module by module."""
    wanted = [list(row) for row in segno.make(address, error="q", micro=False).matrix]
    code = code_on(made)
    side = len(wanted)
    step = code.width / side
    read = [
        [code.getpixel((int((x + 0.5) * step), int((y + 0.5) * step))) < 128 for x in range(side)] for y in range(side)
    ]
    return read == [[bool(module) for module in row] for row in wanted]


def test_a_report_says_everything_in_words_on_numbered_pages_with_its_mark_on_each(
    officer, database, world, line
) -> None:
    made = printed(officer, line)
    (report,) = reports(database)
    said = words_of(made)
    with database.transaction(the_platform("test")) as tx:
        (demand,) = rows_of(tx, "demand")
        (estimate,) = rows_of(tx, "estimate")
    for words in (
        f"报告编号{report['number']}", "郑州方记商贸有限公司", FANG, demand["number"], "500,000.00元", "12个月",
        "进货", "绿灯", f"模型版本{estimate['model_version'][:12]}", f"分数{estimate['score']}", "BAI银行",
        "可随时撤回", "不得转交他人", "异议", "数据截至", "纳税", "归集日期",
    ):  # fmt: skip
        assert words in said, words
    pages = pypdfium2.PdfDocument(made)
    each = ["".join(page.get_textpage().get_text_range().split()) for page in pages]
    assert len(each) == report["pages"] > 1
    for number, text in enumerate(each, 1):
        assert f"{number}/{len(each)}" in text
        assert "BAI银行白·2026年6月30日" in text
    assert len(made) == report["size"] <= MOST_BYTES


def test_its_fonts_are_inside_and_its_code_leads_to_the_page_that_proves_it(officer, database, settings, line) -> None:
    made = printed(officer, line)
    fonts = [
        pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(one))
        for page in pypdfium2.PdfDocument(made)
        for one in page.get_objects()
        if one.type == pdfium.FPDF_PAGEOBJ_TEXT
    ]
    assert fonts
    assert set(fonts) == {1}
    (report,) = reports(database)
    address = f"{str(settings.public_url).rstrip('/')}/verify/{report['token']}"
    assert is_code_of(made, address)
    assert not is_code_of(made, f"{address}x")


def test_printed_again_on_the_same_day_it_is_the_same_paper_and_the_firm_reads_of_it_once(
    app, officer, database, line
) -> None:
    first, second = printed(officer, line), printed(officer, line)
    assert first == second
    assert len(reports(database)) == 1
    with database.transaction(the_platform("test")) as tx:
        (entry,) = rows_of(tx, "trail", verb="printed")
    assert (entry["noun"], entry["noun_id"], entry["uscc"]) == ("push_line", line, FANG)
    assert Browser(app, database, FANG_HERSELF).opens("/firm/records").words.count("打印信用报告") == 1


def test_another_state_or_another_officer_gets_a_paper_of_its_own_and_the_older_state_is_told(
    app, officer, database, world, line
) -> None:
    printed(officer, line)
    printed(Browser(app, database, replace(bai(world.bank), person_id=33, name="柏")), line)
    first, second = reports(database)
    assert first["state_hash"] == second["state_hash"]
    anyone = Browser(app, database)
    assert "没有更新的报告" in anyone.opens(f"/verify/{first['token']}").words
    with database.transaction(the_platform("test")) as tx:
        a_record(tx, FANG, "honour", "2026", TODAY - timedelta(days=40), known_on=TODAY, code="specialised")
    printed(officer, line)
    assert len(reports(database)) == 3
    assert "又出具了内容更新的报告" in anyone.opens(f"/verify/{first['token']}").words


def test_a_record_the_firm_contests_is_marked_and_the_paper_before_is_no_longer_the_latest(
    app, officer, database, settings, line
) -> None:
    before = printed(officer, line)
    assert "异议处理中" not in words_of(before)
    with database.transaction(FANG_HERSELF) as tx:
        record = next(row for row in rows_of(tx, "record", uscc=FANG) if row["item"] == "annual_report")
        said = ObjectionForm("amount", "营业收入应为 600 万元")
        raise_objection(tx, FANG_HERSELF, record["id"], said, settings.uploads, TODAY, NOW)
    assert words_of(printed(officer, line)).count("异议处理中") == 1
    first, _second = reports(database)
    assert "又出具了内容更新的报告" in Browser(app, database).opens(f"/verify/{first['token']}").words


def test_without_a_live_consent_nothing_is_printed(officer, database, world, line) -> None:
    with database.transaction(FANG_HERSELF) as tx:
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    refused = officer.opens(f"/push-lines/{line}/report.pdf")
    assert refused.status == 403
    assert "授权已撤回或已到期，不能打印信用报告" in refused.words
    assert f"/push-lines/{line}/report.pdf" not in officer.opens(f"/push-lines/{line}").links
    assert reports(database) == []


def test_a_report_belongs_to_its_bank(app, database, world, line, officer) -> None:
    printed(officer, line)
    assert Browser(app, database, bo(world.other_bank)).opens(f"/push-lines/{line}/report.pdf").status == 404
    assert Browser(app, database, FANG_HERSELF).opens(f"/push-lines/{line}/report.pdf").status == 403
    for who, seen in ((bai(world.bank), 1), (bo(world.other_bank), 0), (FANG_HERSELF, 1), (FENG_HIMSELF, 0), (CITY, 1)):
        with database.transaction(who) as tx:
            assert len(rows_of(tx, "issued_report")) == seen, who


def test_only_the_latest_records_of_the_classes_consented_to_are_printed(database, line) -> None:
    with database.transaction(the_platform("test")) as tx:
        profile = profile_on(tx, FANG, TODAY)
    whole, short = recorded(profile, tuple(DataClass)), recorded(profile, tuple(DataClass), most=5)
    assert whole.shown == whole.total == short.total > short.shown == 5
    newest = sorted((one.happened_on for source in whole.sources for one in source.records), reverse=True)[:5]
    assert sorted((one.happened_on for source in short.sources for one in source.records), reverse=True) == newest
    public = recorded(profile, (DataClass.PUBLIC,))
    assert 0 < public.total < whole.total
    assert "纳税记录" in {source.name for source in whole.sources}
    assert "纳税记录" not in {source.name for source in public.sources} | set(public.silent)


def test_anyone_reads_whether_a_paper_is_ours_and_nobody_learns_whose_it_is(
    app, officer, database, world, line
) -> None:
    made = printed(officer, line)
    (report,) = reports(database)
    anyone = Browser(app, database)
    told = anyone.opens(f"/verify/{report['token']}")
    assert told.status == 200
    for words in (report["number"], "BAI银行", report["sha256"], "真实、有效", "郑州＊＊＊＊有限公司", FANG[-4:]):
        assert words in told.words, words
    assert "方记" not in told.html
    assert FANG not in told.html
    address = f"/verify/{report['token']}"
    for name, file, field, says in (
        ("report.pdf", made, "", "一致，没有被改动"),
        ("report.pdf", made[:-2], "", "不一致"),
        ("", b"", report["sha256"].upper(), "一致，没有被改动"),
        ("", b"", "0" * 64, "不一致"),
    ):
        anyone.opens(address)
        sent = (
            anyone.uploads(address, "paper", (name, file, "application/pdf")) if name else
            anyone.sends(address, sha256=field)
        )  # fmt: skip
        assert sent.status == 200
        assert says in sent.words, says
    anyone.opens(address)
    wrong = anyone.sends(address, sha256="not a hash")
    assert (wrong.status, "64 个" in wrong.words) == (422, True)
    with database.transaction(FANG_HERSELF) as tx:
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    assert "撤回授权，不应再使用" in anyone.opens(address).words


def test_an_unknown_code_has_a_page_of_the_same_shape_and_guessing_is_slowed_down(app, officer, database, line) -> None:
    printed(officer, line)
    anyone = Browser(app, database)
    known = anyone.opens(f"/verify/{reports(database)[0]['token']}")
    unknown = anyone.opens("/verify/nothing-of-ours")
    heads = re.compile(r"<(?:dt|h1|h2)[^>]*>.*?</")
    assert unknown.status == 404
    assert "没有出具过" in unknown.words
    assert heads.findall(known.html) == heads.findall(unknown.html)
    seen = {anyone.opens(f"/verify/guess-{number}").status for number in range(40)}
    assert seen == {404, 429}


def test_a_consent_that_has_run_out_prints_nothing_and_the_older_paper_says_so(
    database, settings, officer, world, line
) -> None:
    printed(officer, line)
    later = an_app(settings, database, Clock(demo_on=TODAY + timedelta(days=400)))
    assert Browser(later, database, bai(world.bank)).opens(f"/push-lines/{line}/report.pdf").status == 403
    assert "已于 2027年6月30日 到期" in Browser(later, database).opens(f"/verify/{reports(database)[0]['token']}").words


@pytest.mark.parametrize("missing", ["font", "pango"])
def test_a_machine_that_cannot_draw_says_so_in_one_sentence(officer, database, line, monkeypatch, missing) -> None:
    def absent(*_: object) -> None:
        raise OSError("cannot load library 'libpango-1.0-0'")

    if missing == "font":
        monkeypatch.setattr(documents, "can_write_chinese", lambda: False)
    else:
        monkeypatch.setattr(documents, "import_module", absent)
    page = officer.opens(f"/push-lines/{line}/report.pdf")
    assert page.status == 503
    assert ("缺少中文字体" if missing == "font" else "现在不能生成 PDF") in page.words
    assert reports(database) == []


def test_a_masked_name_shows_its_place_and_form_only() -> None:
    assert masked("郑州方记商贸有限公司") == "郑州＊＊＊＊有限公司"
    assert masked("方记面馆") == "方＊＊＊"
    assert masked("方") == "方"
