"""A bank officer works through the list without a mouse: single keys move, tick, answer and open; they can be off."""

from typing import Any

import pytest

from service.actions.push_lists import push_missing
from service.clock import Clock
from service.doors import cookie_name
from tests.browser import an_app, session_of
from tests.builders import FANG, FENG, NOW, PLATFORM, TODAY, a_demand, a_small_world, bai, rows_of
from tests.chromium import faults_of, served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def world(database) -> Any:
    """Two firms on the bank's list of the morning."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


def states_of(database) -> list[str]:
    with database.transaction(PLATFORM) as tx:
        return sorted(line["state"] for line in rows_of(tx, "push_line"))


def focused(page: Any) -> str:
    return page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name")


def ticked(page: Any) -> int:
    return page.locator("input[name=line]:checked").count()


def test_the_list_is_answered_by_keys_alone(chromium, database, settings, world) -> None:
    app = an_app(settings, database, Clock(demo_on=TODAY))
    with served(app) as address:
        context = chromium.new_context(locale="zh-CN")
        token = session_of(database, bai(world.bank), TODAY)
        context.add_cookies([{"name": cookie_name(settings), "value": token, "url": address}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        page.goto(f"{address}/push-lists")
        press = page.keyboard.press

        press("ArrowDown")
        first = focused(page)
        press("ArrowDown")
        second = focused(page)
        assert {first, second} == {"郑州方记商贸有限公司", "郑州冯氏机械有限公司"}
        press("ArrowDown")
        assert focused(page) == second  # the last one stays
        press("ArrowUp")
        assert focused(page) == first

        press("x")
        assert ticked(page) == 1
        press("x")
        assert ticked(page) == 0

        press("r")
        assert page.locator("details:has(input[name=reasons])").get_attribute("open") is not None
        assert focused(page) == "reasons"
        assert states_of(database) == ["pushed", "pushed"]  # reasons first

        page.goto(f"{address}/push-lists")
        press("?")
        assert page.locator("dialog[open]").count() == 1
        assert faults_of(page) == []
        press("a")
        assert states_of(database) == ["pushed", "pushed"]  # nothing is answered behind the help
        press("Escape")
        assert page.locator("dialog[open]").count() == 0

        page.locator("#q").focus()
        page.keyboard.type("ax?r")
        assert page.locator("#q").input_value() == "ax?r"
        assert ticked(page) == 0

        page.goto(f"{address}/push-lists")
        press("ArrowDown")
        with page.expect_navigation():
            press("a")
        assert states_of(database) == ["pushed", "received"]

        press("ArrowDown")
        with page.expect_navigation():
            press("Enter")
        assert "/push-lines/" in page.url

        page.goto(f"{address}/push-lists")
        press("?")
        with page.expect_navigation():
            page.get_by_role("button", name="不用键盘操作").press("Enter")
        assert page.url == f"{address}/push-lists"
        press("ArrowDown")
        press("a")
        press("?")
        assert page.locator("dialog").count() == 0
        assert states_of(database) == ["pushed", "received"]
        assert complaints == []
        context.close()
