"""A firm takes its data away: every record with its source and day, and who looked."""

import json
import zipfile
from io import BytesIO

import pytest
from openpyxl import load_workbook

from service.clock import Clock
from service.domain.people import the_platform
from service.profiles.profile import profile_on
from tests.browser import Browser, an_app
from tests.builders import FANG, FANG_HERSELF, FENG, TODAY, a_demand, a_small_world


@pytest.fixture
def taken(database, settings) -> dict[str, bytes]:
    with database.transaction(the_platform("test")) as tx:
        world = a_small_world(tx)
        a_demand(tx, FANG, (world.bank,), world.tools)
    fang = Browser(an_app(settings, database, Clock(demo_on=TODAY)), database, FANG_HERSELF)
    assert "/firm/records.zip" in fang.opens("/firm/records").links
    answer = fang.client.get("/firm/records.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(BytesIO(answer.content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_machines_read_every_record_with_its_source_and_day(taken, database) -> None:
    told = json.loads(taken["records.json"])
    with database.transaction(FANG_HERSELF) as tx:
        profile = profile_on(tx, FANG, TODAY)
    assert told["firm"]["uscc"] == FANG
    assert {one["item"]: len(one["records"]) for one in told["sources"] if one["records"]} == {
        section.item.id: len(section.facts) for section in profile.held
    }
    assert all(record["known_on"] for one in told["sources"] for record in one["records"])
    assert all(one["department"] for one in told["sources"])
    assert len(told["looks"]) > 0
    assert FENG not in taken["records.json"].decode()


def test_people_read_the_same_in_a_workbook(taken) -> None:
    told = json.loads(taken["records.json"])
    book = load_workbook(BytesIO(taken["records.xlsx"]))
    held = [one for one in told["sources"] if one["records"]]
    assert len(book.sheetnames) == len(held) + 1
    for sheet, source in zip(book.worksheets, held, strict=False):
        assert sheet.max_row == len(source["records"]) + 1
        assert source["department"] in [cell.value for cell in sheet[2]]
    assert book.worksheets[-1].max_row == len(told["looks"]) + 1
