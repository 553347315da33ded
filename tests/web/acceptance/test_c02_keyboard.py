"""C-2: twelve main journeys by keyboard alone; on every page every stop of the focus is seen, and none is a trap."""

import re
from collections.abc import Callable

import pytest

from tests.builders import TODAY
from tests.chromium import served
from tests.web.acceptance.keyboard import MOST_STOPS, Keyboard
from tests.web.acceptance.looks import signed_in, visited
from tests.web.acceptance.pages import PAGES
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]


def reports_a_demand(keys: Keyboard, town: Town) -> str:
    keys.types("[name=amount_fen]", "30")
    keys.enters()
    keys.types("[name=term_months]", "12")
    keys.enters()
    keys.types("[name=use_text]", "采购原材料")
    keys.enters("text=保存并继续")
    assert "错误：" in keys.page.title(), "the use was not chosen yet"
    keys.chooses("[name=use]", "trade")
    for _question in ("use", "rate", "guarantees"):
        keys.enters("text=保存并继续")
    keys.selects("[name=first_bank]", str(town.things["bank"]))
    keys.enters("text=保存并继续")
    for number in range(1, keys.page.locator("main input[name=consent]").count() + 1):
        keys.ticks(f"#consent{f'-{number}' if number > 1 else ''}")
    keys.enters("text=提交融资需求")
    return r"/firm/demands/\d+"


def accepts_an_offer(keys: Keyboard, town: Town) -> str:
    keys.enters("text=接受这份报价")
    keys.enters("text=接受这份报价")
    return r"/firm(/demands/\d+)?"


def withdraws_a_consent(keys: Keyboard, town: Town) -> str:
    keys.enters("main a[href$='/withdrawal']")
    keys.enters("text=撤回")
    return "/firm/consents"


def hands_in_papers(keys: Keyboard, town: Town) -> str:
    for paper in ("近一年流水", "营业执照"):
        keys.chooses("[name=asked]", paper)
        keys.types("[name=words]", "已在贵行开户时交过")
        keys.enters("text=上传")
    keys.enters("text=交给银行")
    return r"/firm/demands/\d+|/push-lines/\d+/papers"


def answers_by_single_keys(keys: Keyboard, town: Town) -> str:
    keys.press("ArrowDown")
    keys.press("x")
    with keys.page.expect_navigation():
        keys.press("a")
    return "/push-lists"


def answers_several_at_once(keys: Keyboard, town: Town) -> str:
    keys.ticks("[data-tick-all=line]")
    keys.enters("text=已联系企业")
    return "/push-lists|/push-lines/answers"


def records_a_grant(keys: Keyboard, town: Town) -> str:
    keys.types("[name=amount_fen]", "40")
    keys.types("[name=rate]", "4.35")
    keys.types("[name=term_months]", "12")
    keys.chooses("[name=loan_type]", "credit")
    keys.dates("[name=granted_on]", TODAY.isoformat())
    keys.enters("text=报送授信")
    return r"/push-lines/\d+"


def edits_a_product(keys: Keyboard, town: Town) -> str:
    keys.types("[name=places_per_day]", "9")
    keys.enters("text=保存产品")
    return "/bank/products"


def follows_up(keys: Keyboard, town: Town) -> str:
    keys.enters("a[href^='/follow-ups/']")
    keys.types("[name=note]", "已电话联系，补办中。")
    keys.dates("[name=next_on]", TODAY.replace(year=TODAY.year + 1).isoformat())
    keys.enters("text=记录")
    return r"/follow-ups/\d+"


def reads_what_a_figure_is_made_of(keys: Keyboard, town: Town) -> str:
    keys.enters("main a[href^='/figures/events']")
    return "/figures/events"


def reads_a_certificate(keys: Keyboard, town: Town) -> str:
    keys.enters("main a[href^='/certificates/']")
    return r"/certificates/\d+"


def retries_a_job_and_sets_a_day(keys: Keyboard, town: Town) -> str:
    keys.enters("text=重试")
    keys.page.goto(keys.page.url.replace("/jobs", "/calendar"))
    keys.ticks("[name=day]")
    keys.chooses("[name=works]", "free")
    keys.types("[name=note]", "地方放假")
    keys.enters("text=设置")
    return "/operator/calendar"


JOURNEYS: dict[str, tuple[str, str, Callable[[Keyboard, Town], str]]] = {
    "a firm reports a demand": ("new firm", "/firm/reports/amount", reports_a_demand),
    "a firm accepts an offer": ("fang", "/firm/demands/{fangs}", accepts_an_offer),
    "a firm withdraws a consent": ("red firm", "/firm/consents", withdraws_a_consent),
    "a firm hands in papers": ("firm that lacks papers", "/push-lines/{lacking}/papers", hands_in_papers),
    "a bank answers by single keys": ("officer", "/push-lists", answers_by_single_keys),
    "a bank answers several at once": ("bo", "/push-lists", answers_several_at_once),
    "a bank records a grant": ("bo", "/push-lines/{offered}/grant", records_a_grant),
    "a bank edits a product": ("bank admin", "/bank/products/{product}", edits_a_product),
    "a district follows up": ("district", "/district", follows_up),
    "the city reads what a figure is made of": ("city", "/figures", reads_what_a_figure_is_made_of),
    "the city reads a certificate": ("city", "/certificates", reads_a_certificate),
    "an operator retries a job and sets a day": ("operator", "/operator/jobs", retries_a_job_and_sets_a_day),
}
"""Journey → who, from where, how."""


# First the pages as the town has them: the journeys change what stands on some.
@pytest.mark.parametrize("width", [390, 1280])
def test_every_stop_of_the_focus_is_seen_and_no_page_is_a_trap(town: Town, chromium, width, record_property) -> None:
    faults, stops = [], 0
    for name, page in visited(chromium, town, viewport={"width": width, "height": 800}):
        keys = Keyboard(page)
        for _ in range(MOST_STOPS):
            stop = keys.tab()
            if stop is None or stop["again"]:
                break
            stops += 1
        else:
            faults.append(f"{name}: no end after {MOST_STOPS} stops")
        faults += [f"{name}: {fault}" for fault in keys.faults]
    record_property("C-2", f"at {width} px: {stops} stops on {len(PAGES)} pages, {len(faults)} unseen or trapped")
    assert faults == []


def test_twelve_journeys_are_walked_by_keyboard_alone(town: Town, chromium, record_property) -> None:
    faults, walked, pressed = [], [], 0
    with served(town.app) as address:
        for name, (who, start, walk) in JOURNEYS.items():
            with signed_in(chromium, address, town, who, viewport={"width": 1280, "height": 800}) as page:
                page.goto(address + start.format(**town.things))
                keys = Keyboard(page)
                end = walk(keys, town)
                arrived = page.url.removeprefix(address).split("?")[0]
                assert re.fullmatch(end, arrived), (name, arrived)
                assert "错误：" not in page.title(), (name, page.locator("main").inner_text()[:400])
                faults += [f"{name}: {fault}" for fault in (*keys.faults, *page.complaints) if "422" not in fault]
                walked.append(name)
                pressed += keys.keys
    record_property("C-2", f"{len(walked)} of {len(JOURNEYS)} journeys, {pressed} keys, {len(faults)} at fault")
    assert faults == []
