"""A light that is held by the cool-down says so, and until when: to the firm and to officials."""

from datetime import timedelta

import pytest

from service.actions.judge_demand import judge_demands
from service.clock import Clock, instant_on
from tests.browser import Browser, an_app
from tests.builders import (
    FANG,
    FANG_HERSELF,
    GAO,
    PLATFORM,
    TODAY,
    a_demand,
    a_model,
    a_small_world,
    some_tools,
)

WORSE, BETTER = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
LOW, HIGH = 0.05, 0.08


@pytest.fixture
def demand(database) -> int:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        return a_demand(tx, FANG, (small.bank,), some_tools(tx, model=a_model(LOW)))


def judged(database, demand: int, day, probability: float) -> None:
    with database.transaction(PLATFORM) as tx:
        judge_demands(tx, PLATFORM, [demand], "cycle", some_tools(tx, day, a_model(probability)), day, instant_on(day))


def test_firm_and_district_read_why_a_light_is_held_and_until_when(database, settings, demand) -> None:
    judged(database, demand, WORSE, HIGH)
    app = an_app(settings, database, Clock(demo_on=BETTER))
    assert "冷却期" not in Browser(app, database, FANG_HERSELF).opens(f"/firm/demands/{demand}").words
    judged(database, demand, BETTER, LOW)
    for who, address in ((FANG_HERSELF, f"/firm/demands/{demand}"), (GAO, f"/demands/{demand}")):
        said = Browser(app, database, who).opens(address).words
        assert "最近一次评判是绿灯" in said
        assert "7 个自然日的冷却期" in said
        assert "保持黄灯，2026年7月8日 自动重新评判" in said


def test_a_light_that_nothing_holds_says_nothing(database, settings, demand) -> None:
    app = an_app(settings, database, Clock(demo_on=TODAY))
    for who, address in ((FANG_HERSELF, f"/firm/demands/{demand}"), (GAO, f"/demands/{demand}")):
        assert "冷却期" not in Browser(app, database, who).opens(address).words


def test_in_english_too(database, settings, demand) -> None:
    judged(database, demand, WORSE, HIGH)
    judged(database, demand, BETTER, LOW)
    browser = Browser(an_app(settings, database, Clock(demo_on=BETTER)), database, FANG_HERSELF)
    browser.client.headers["accept-language"] = "en"
    said = browser.opens(f"/firm/demands/{demand}").words
    assert "it stays Yellow, and on 8 Jul 2026 it is judged again" in said
    assert "7 calendar days" in said
