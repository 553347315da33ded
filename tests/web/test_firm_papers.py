"""A firm reads which papers its bank wants, puts each there, and hands them in; only then the bank has them."""

import shutil
from io import BytesIO

import pytest
from PIL import Image

from service.actions.answer_push import answer_line
from service.actions.hand_in_papers import folder_of
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.answering import AnswerForm
from service.domain.errors import NotPossible
from service.domain.people import the_platform
from service.store import consents, files
from tests.browser import Browser, an_app
from tests.builders import (
    FANG,
    FANG_HERSELF,
    FENG_HIMSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
STATEMENT, LICENCE = "近一年流水", "营业执照"


def a_picture(kind: str, size: tuple[int, int] = (30, 20), mode: str = "RGB", **more) -> bytes:
    drawn = BytesIO()
    Image.new(mode, size, "white").save(drawn, kind, **more)
    return drawn.getvalue()


@pytest.fixture
def world(database):
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
    officer = bai(world.bank)
    with database.transaction(officer) as tx:
        asked = AnswerForm(row["id"], "needs_papers", papers=(STATEMENT, LICENCE), text="盖章")
        answer_line(tx, officer, asked, TODAY, NOW)
    return int(row["id"])


@pytest.fixture(autouse=True)
def no_files_yet(settings) -> None:
    shutil.rmtree(settings.uploads, ignore_errors=True)


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def fang(app, database) -> Browser:
    return Browser(app, database, FANG_HERSELF)


def puts(browser: Browser, line: int, asked: str, content: bytes, name: str = "流水.pdf"):
    browser.opens(f"/push-lines/{line}/papers")
    file = (name, content, "application/octet-stream")
    return browser.uploads(f"/push-lines/{line}/papers/files", "file", file, asked=asked)


def files_in(settings, line: int) -> list[str]:
    return [path.name for path in folder_of(settings.uploads, line).glob("*")]


def test_the_firm_is_told_which_papers_and_by_when(fang, line) -> None:
    (demand,) = [
        link for link in fang.opens("/firm").links if link.startswith("/firm/demands/") and link[-1].isdigit()
    ][:1]
    assert f"/push-lines/{line}/papers" in fang.opens(demand).links
    page = fang.opens(f"/push-lines/{line}/papers")
    assert STATEMENT in page.words
    assert LICENCE in page.words
    assert "银行的说明：盖章" in page.words
    assert "还差 2 份" in page.words


def test_papers_reach_the_bank_when_they_are_handed_in_and_its_look_is_seen(app, database, fang, world, line) -> None:
    puts(fang, line, STATEMENT, PDF)
    fang.opens(f"/push-lines/{line}/papers")
    fang.sends(f"/push-lines/{line}/papers/files", asked=LICENCE, words="已在贵行开户时交过")
    officer = Browser(app, database, bai(world.bank))
    assert "企业交来的资料" not in officer.opens(f"/push-lines/{line}").words
    with database.transaction(the_platform("test")) as tx:
        paper = next(row for row in rows_of(tx, "paper") if row["kind"] == "pdf")
    assert officer.opens(f"/papers/{paper['id']}").status == 404
    fang.opens(f"/push-lines/{line}/papers")
    fang.sends(f"/push-lines/{line}/papers")
    read = officer.opens(f"/push-lines/{line}")
    assert "流水.pdf" in read.words
    assert "已在贵行开户时交过" in read.words
    got = officer.client.get(f"/papers/{paper['id']}")
    assert got.content == PDF
    assert got.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in got.headers["content-security-policy"]
    with database.transaction(the_platform("test")) as tx:
        assert [row["uscc"] for row in rows_of(tx, "trail", verb="looked", noun="paper")] == [FANG]
    assert Browser(app, database, bo(world.other_bank)).opens(f"/papers/{paper['id']}").status == 404
    assert Browser(app, database, FENG_HIMSELF).opens(f"/papers/{paper['id']}").status == 404


def test_nothing_is_handed_in_while_a_paper_is_missing(database, fang, line) -> None:
    puts(fang, line, STATEMENT, PDF)
    fang.opens(f"/push-lines/{line}/papers")
    refused = fang.sends(f"/push-lines/{line}/papers")
    assert refused.status == 422
    assert f"还差：{LICENCE}" in refused.words
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "push_line")[0]["state"] == "needs_papers"
        assert [row["handed_at"] for row in rows_of(tx, "paper")] == [None]


def test_a_paper_taken_away_before_is_gone_and_one_handed_in_stays(database, settings, fang, line) -> None:
    puts(fang, line, STATEMENT, PDF)
    with database.transaction(the_platform("test")) as tx:
        (paper,) = rows_of(tx, "paper")
    assert files_in(settings, line) == [paper["sha256"]]
    fang.opens(f"/push-lines/{line}/papers")
    fang.sends(f"/papers/{paper['id']}/removal")
    assert files_in(settings, line) == []
    assert fang.opens(f"/papers/{paper['id']}").status == 404
    puts(fang, line, STATEMENT, PDF)
    fang.opens(f"/push-lines/{line}/papers")
    fang.sends(f"/push-lines/{line}/papers/files", asked=LICENCE, words="没有")
    fang.opens(f"/push-lines/{line}/papers")
    fang.sends(f"/push-lines/{line}/papers")
    assert "已经交给银行" in fang.opens(f"/push-lines/{line}/papers").words
    assert files_in(settings, line) == [paper["sha256"]]


def test_a_withdrawn_consent_closes_the_papers_too(app, database, fang, world, line) -> None:
    puts(fang, line, STATEMENT, PDF)
    fang.opens(f"/push-lines/{line}/papers")
    fang.sends(f"/push-lines/{line}/papers/files", asked=LICENCE, words="没有")
    fang.opens(f"/push-lines/{line}/papers")
    fang.sends(f"/push-lines/{line}/papers")
    with database.transaction(the_platform("test")) as tx:
        paper = next(row for row in rows_of(tx, "paper") if row["kind"] == "pdf")
        consents.close_view(tx, FANG, world.bank)
    assert Browser(app, database, bai(world.bank)).opens(f"/papers/{paper['id']}").status == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ\x90\x00 a program", "只接收 PDF、JPG 和 PNG"),
        (b"<html><script>1</script></html>", "只接收 PDF、JPG 和 PNG"),
        (b"%PDF-1.7 cut off", "只接收 PDF、JPG 和 PNG"),
        (b"\xff\xd8\xff\xe0 no picture", "这张图片打不开"),
        (a_picture("PNG")[:40], "这张图片打不开"),
        (a_picture("PNG", (9_000, 7_000), mode="1"), "像素太多"),
        (PDF + b"0" * files.MOST_BYTES, "超过 10 MB"),
    ],
)
def test_what_is_no_paper_is_refused_beside_its_field(settings, fang, line, content, said) -> None:
    refused = puts(fang, line, STATEMENT, content)
    assert refused.status == 422
    assert said in refused.words
    assert files_in(settings, line) == []


def test_a_name_is_a_name_and_no_way_to_a_folder(database, fang, line) -> None:
    puts(fang, line, STATEMENT, PDF, "../../etc/流 水\u202e.pdf")
    with database.transaction(the_platform("test")) as tx:
        (paper,) = rows_of(tx, "paper")
    assert paper["file_name"].startswith("流")
    assert "/" not in paper["file_name"]


def test_a_picture_keeps_no_place_and_no_camera(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    kept = files.keep(tmp_path, a_picture("JPEG", (5_000, 200), exif=exif))
    drawn = Image.open(BytesIO(files.read(tmp_path, kept.sha256)))
    assert (kept.kind, drawn.width, dict(drawn.getexif())) == ("jpg", 4_000, {})


def test_neither_a_file_nor_a_reason_is_asked_for_again(fang, line) -> None:
    fang.opens(f"/push-lines/{line}/papers")
    refused = fang.sends(f"/push-lines/{line}/papers/files", asked=STATEMENT)
    assert refused.status == 422
    assert "请选择文件，或写明" in refused.words


def test_a_paper_nobody_asked_for_is_refused(fang, line) -> None:
    assert "请选择银行要的一份资料" in puts(fang, line, "别的", PDF).words


def test_a_file_that_is_no_longer_kept_reads_as_not_there(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        files.read(tmp_path, "0" * 64)
    with pytest.raises(NotPossible):
        files.keep(tmp_path, b"")
