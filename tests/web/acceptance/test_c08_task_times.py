"""C-8: how many steps three tasks take by what the screen says alone. A script walked them: no person has tried.

The seconds are the machine's, with the server on the same machine; what a person adds is reading and deciding.
"""

import time
from datetime import timedelta

import pytest

from service.actions.hold_answers import give_held
from service.clock import Clock
from service.doors import cookie_name
from tests.browser import Browser, an_app, session_of
from tests.builders import FANG_HERSELF, PLATFORM, TODAY, a_small_world, bai
from tests.chromium import served
from tests.web.acceptance.fifty import MANY, a_list_of_fifty, answers_of, filled_in, returned, workbook
from tests.web.acceptance.keyboard import Keyboard

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(900)]
MOST_INPUTS = 40
REFUSED = 10
A_KEY_S = 1.0
"""What a person is given for each key of a triage: the bar of 10 minutes then leaves the rest for reading."""


def opened(chromium, app, address: str, database, who):
    context = chromium.new_context(locale="zh-CN")
    name = cookie_name(app.state.house.settings)
    context.add_cookies([{"name": name, "value": session_of(database, who, TODAY), "url": address}])
    return context.new_page()


def test_a_firm_reports_a_demand_with_few_inputs(database, settings, chromium, record_property) -> None:
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
    app = an_app(settings, database, Clock(demo_on=TODAY))
    with served(app) as address:
        page = opened(chromium, app, address, database, FANG_HERSELF)
        begun, inputs = time.monotonic(), 0
        page.goto(f"{address}/firm")
        page.locator("main a[href='/firm/demands/new']").first.click()
        inputs += 1
        while page.locator("main input[name=consent]").count() == 0:
            for name, value in {"amount_fen": "50", "term_months": "12", "use_text": "采购原材料"}.items():
                field = page.locator(f"main [name={name}]")
                if field.count() and field.input_value() != value:
                    field.fill(value)
                    inputs += 1
            if page.locator("main [name=use]").count():
                page.locator("label[for='use']").click()
                inputs += 1
            if page.locator("main [name=first_bank]").count():
                page.select_option("main [name=first_bank]", str(made.bank))
                inputs += 1
            page.get_by_role("button", name="保存并继续").click()
            inputs += 1
            page.wait_for_load_state()
            assert "错误：" not in page.title(), page.url
        for tick in page.locator("main input[name=consent]").all():
            page.locator(f"label[for='{tick.get_attribute('id')}']").click()
            inputs += 1
        page.get_by_role("button", name="提交融资需求").click()
        inputs += 1
        page.wait_for_url("**/firm/demands/*")
        seconds = time.monotonic() - begun
    record_property("C-8", f"a report: {inputs} inputs (at most {MOST_INPUTS}), {seconds:.1f} s of the machine")
    assert inputs <= MOST_INPUTS


def test_fifty_rows_are_triaged_by_keys(database, settings, chromium, record_property) -> None:
    made = a_list_of_fifty(database)
    app = an_app(settings, database, Clock(demo_on=TODAY))
    with served(app) as address:
        page = opened(chromium, app, address, database, bai(made.bank))
        page.goto(f"{address}/push-lists")
        keys, begun = Keyboard(page), time.monotonic()
        for number in range(MANY):
            keys.press("ArrowDown")
            if number >= REFUSED:
                keys.press("x")
        with page.expect_navigation():
            keys.press("a")
        keys.enters("text=确认反馈")
        for _ in range(MANY):
            keys.press("ArrowDown")
            if page.evaluate("document.activeElement.closest('tr').innerText.includes('待接收')"):
                keys.press("x")
        keys.press("r")
        keys.press("Space")  # the first reason
        keys.enters("text=不予通过")
        keys.enters("text=确认反馈")
        seconds = time.monotonic() - begun
    with database.transaction(PLATFORM) as tx:
        give_held(tx, app.state.house.clock.now() + timedelta(minutes=2))  # they could be taken back for a minute
    kinds = [row["kind"] for row in answers_of(database)]
    assert (kinds.count("received"), kinds.count("refused")) == (MANY - REFUSED, REFUSED)
    estimated = keys.keys * A_KEY_S / 60
    record_property(
        "C-8",
        f"{MANY} rows by keys: {keys.keys} keys, {seconds:.1f} s of the machine, {estimated:.1f} min at a key a second",
    )
    assert estimated <= 10


def test_fifty_rows_are_answered_by_excel(database, settings, record_property) -> None:
    made = a_list_of_fifty(database)
    officer = Browser(an_app(settings, database, Clock(demo_on=TODAY)), database, bai(made.bank))
    begun = time.monotonic()
    returned(officer, filled_in(workbook(officer, database)))
    officer.sends("/push-lists/answers/confirmation")
    seconds = time.monotonic() - begun
    record_property(
        "C-8",
        f"{MANY} rows by Excel: {len(answers_of(database))} answers, {seconds:.1f} s of the machine without filling in",
    )
    assert len(answers_of(database)) == MANY
    assert seconds <= 60
