"""A long list as Excel: short at once, long by the worker with its progress on a page, fetched by its maker alone."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import openpyxl
import pytest
from sqlalchemy import text

from service.actions.give_consent import withdraw_consent
from service.actions.make_export import make_waiting
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.people import Role, Who, the_platform
from service.store import exports
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    GAO,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
)
from web.pages import bank_sheet
from web.pages import exports as pages
from web.pages.export_kinds import KINDS

OPERATOR = Who(Role.OPERATOR, 10, "运")
FORMULA = '=HYPERLINK("http://x")'


@pytest.fixture
def world(database):
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        tx.execute(text("UPDATE firm SET name = :name WHERE uscc = :uscc"), {"name": FORMULA, "uscc": FENG})
        a_demand(tx, FANG, (made.bank,), made.tools)
        a_demand(tx, FENG, (made.bank, made.other_bank), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


def sheet(content: bytes) -> list[Sequence[object]]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))


def export(browser: Browser, address: str):
    """Press the button under the list at this address; the last answer."""
    page = browser.opens(address)
    fields = {name: values[0] for name, values in page.form("/exports")["fields"].items()}
    return browser.client.post("/exports", data=fields)


@pytest.fixture
def by_the_worker(monkeypatch) -> None:
    """Two rows are many."""
    monkeypatch.setattr(pages, "MOST_AT_ONCE", 1)


def test_a_short_list_is_there_at_once_as_it_is_filtered_and_a_name_is_no_formula(app, database, world) -> None:
    officer = Browser(app, database, bai(world.bank))
    answer = export(officer, "/push-lists?only=all&sort=firm_name")
    assert answer.headers["content-disposition"].startswith("attachment")
    head, *rows = sheet(answer.content)
    assert head[2] == "企业名称"
    assert [row[2] for row in rows] == [FORMULA, "郑州方记商贸有限公司"]
    assert [row[2] for row in sheet(export(officer, f"/push-lists?only=all&q={FANG}").content)[1:]] == [rows[1][2]]
    with database.transaction(the_platform("test")) as tx:
        assert [entry["details"]["rows"] for entry in rows_of(tx, "trail", verb="exported")] == [2, 1]
        assert rows_of(tx, "export") == []


def test_every_list_with_a_button_gives_all_its_rows(app, database, world) -> None:
    officer = Browser(app, database, bai(world.bank))
    with database.transaction(the_platform("test")) as tx:
        (one, *_rest) = rows_of(tx, "push_list", bank_id=world.bank)
        follow_up = (
            "INSERT INTO follow_up (demand_id, uscc, district, obstacle, office, measure, owner, next_on, opened_on)"
        )
        values = "SELECT id, uscc, district, 'premises', '专班', '补证照', 'district', :day, :day FROM demand"
        tx.execute(text(f"{follow_up} {values}"), {"day": TODAY})
    for browser, address, rows in (
        (officer, f"/push-lists/{one['id']}", one["lines"]),
        (Browser(app, database, CITY), "/demands?only=all", 2),
        (Browser(app, database, CITY), "/figures/events", 4),
        (Browser(app, database, GAO), "/district", 2),
        (Browser(app, database, OPERATOR), "/operator/trail", None),
    ):
        said = re.search(r"导出 Excel（(\d+) 行）", browser.opens(address).html)
        assert said, address
        assert rows is None or int(said[1]) == rows, address
        assert len(sheet(export(browser, address).content)) == int(said[1]) + 1, address


def test_a_long_list_is_made_by_the_worker_while_the_page_says_how_far_it_is(
    app, database, settings, world, by_the_worker
) -> None:
    officer = Browser(app, database, bai(world.bank))
    assert "还没有后台导出" in officer.opens("/exports").words
    answer = export(officer, "/push-lists?only=all")
    address = answer.url.path
    assert re.fullmatch(r"/exports/\d+", address)
    assert officer.opens(address).words.count("在排队") == 1
    with database.transaction(the_platform("test")) as tx:
        half = "UPDATE export SET state = 'running', done = 1, started_at = :at"
        tx.execute(text(half), {"at": Clock(TODAY).now()})
    running = officer.opens(address)
    assert "1 / 2，50%" in running.words
    assert "约剩" in running.words
    assert 'aria-live="polite"' in running.html
    assert address in running.links  # without JavaScript: look again
    part = officer.client.get(address, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div class="progress-box"')
    assert officer.opens(f"{address}.xlsx").status == 404
    assert make_waiting(settings, KINDS) == 1
    done = officer.opens(address)
    assert "共 2 行，一行不少" in done.words
    got = officer.client.get(f"{address}.xlsx")
    assert len(sheet(got.content)) == 3
    assert "no-store" in got.headers["cache-control"]
    assert "可以下载" in officer.opens("/exports").words
    assert "导出已完成：推送项，共 2 行" in officer.opens("/bank/notices").words


def test_an_export_is_its_makers_alone_and_read_with_the_makers_eyes(
    app, database, settings, world, by_the_worker
) -> None:
    address = export(Browser(app, database, bai(world.bank)), "/push-lists?only=all").url.path
    make_waiting(settings, KINDS)
    colleague = replace(bai(world.bank), person_id=33, name="柏")
    for who in (colleague, bo(world.other_bank), CITY, OU, OPERATOR):
        stranger = Browser(app, database, who)
        assert [stranger.opens(one).status for one in (address, f"{address}.xlsx")] == [404, 404], who
        assert "推送项 #" not in stranger.opens("/exports").words
    assert Browser(app, database, FANG_HERSELF).opens("/exports").status == 403
    assert Browser(app, database).opens("/exports").address == "/sign-in"


def test_what_a_consent_closed_meanwhile_is_not_in_the_file(app, database, settings, world, by_the_worker) -> None:
    officer = Browser(app, database, bai(world.bank))
    address = export(officer, "/push-lists?only=all").url.path
    with database.transaction(FANG_HERSELF) as tx:
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    make_waiting(settings, KINDS)
    rows = sheet(officer.client.get(f"{address}.xlsx").content)[1:]
    assert {row[2] for row in rows} == {FORMULA, "企业已撤回授权"}
    assert not any(FANG in [str(cell) for cell in row] for row in rows)


def test_it_is_stopped_from_its_page_and_asked_for_anew_as_it_was(
    app, database, settings, world, by_the_worker
) -> None:
    officer = Browser(app, database, bai(world.bank))
    address = export(officer, "/push-lists?only=all").url.path
    officer.opens(address)
    assert "没有留下文件" in officer.sends(f"{address}/cancellation").words
    assert make_waiting(settings, KINDS) == 0
    assert officer.sends("/exports").address not in (address, "/exports")
    with database.transaction(the_platform("test")) as tx:
        stopped, anew = rows_of(tx, "export")
    assert (stopped["state"], anew["state"]) == ("cancelled", "waiting")
    assert (stopped["kind"], stopped["query"]) == (anew["kind"], anew["query"])


def test_a_role_exports_its_own_lists_only_and_nonsense_leads_back(app, database, world) -> None:
    officer = Browser(app, database, bai(world.bank))
    officer.opens("/push-lists?only=all")
    assert officer.sends("/exports", kind="trail").status == 403
    officer.opens("/push-lists?only=all")
    assert "请在清单页上点" in officer.sends("/exports", kind="everything").words


def test_a_list_too_long_for_the_answer_sheet_is_not_cut_but_exported(app, database, world, monkeypatch) -> None:
    officer = Browser(app, database, bai(world.bank))
    with database.transaction(the_platform("test")) as tx:
        (one, *_rest) = rows_of(tx, "push_list", bank_id=world.bank)
    monkeypatch.setattr(bank_sheet, "MOST_ROWS", 0)
    page = officer.opens(f"/push-lists/{one['id']}.xlsx")
    assert page.address == f"/push-lists/{one['id']}"
    assert "请用“导出 Excel”取全部" in page.words


def test_a_file_that_vanished_reads_as_not_there(app, database, settings, world, by_the_worker) -> None:
    officer = Browser(app, database, bai(world.bank))
    address = export(officer, "/push-lists?only=all").url.path
    make_waiting(settings, KINDS)
    exports.file_of(settings.uploads, int(address.rpartition("/")[2])).unlink()
    assert officer.opens(f"{address}.xlsx").status == 404
