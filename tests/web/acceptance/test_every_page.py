"""Every sixteenth page, at one width and shown in one way: the sample of C-1, C-3 and C-12 that every test run takes.

The widths and ways go round; all of them on all pages take the tests marked `soak` beside this one.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import faults_of, served
from tests.web.acceptance.looks import SHOWN, WIDTHS, signed_in, visited
from tests.web.acceptance.measures import on_paper, sideways
from tests.web.acceptance.pages import PAGES
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


EVERY = 16
"""A run opens so many times fewer pages than there are: the whole suite ends within its eight minutes."""


def a_round(town: Town, chromium: Any) -> Iterator[tuple[str, str, int, Any]]:
    """Every sixteenth page, each shown in another way than the one before it."""
    ways, pages = list(SHOWN), list(PAGES)[::EVERY]
    for place, how in enumerate(ways):
        names = [name for number, name in enumerate(pages) if number % len(ways) == place]
        for number, (name, page) in enumerate(visited(chromium, town, SHOWN[how], names)):
            yield name, how, WIDTHS[number % len(WIDTHS)], page


def test_no_page_has_a_fault_in_the_way_it_is_shown_this_time(town: Town, chromium) -> None:
    found = []
    for name, how, width, page in a_round(town, chromium):
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{name}, {how}, {width}: {fault}" for fault in faults_of(page)]
        found += [f"{name}, {how}: {fault}" for fault in (sideways(page) if how != "elder" else [])]
        found += [f"{name}: {fault}" for fault in on_paper(page)]
    assert found == []


def test_a_form_that_comes_back_with_mistakes_has_no_fault_and_its_summary_has_the_focus(town: Town, chromium) -> None:
    with served(town.app) as address, signed_in(chromium, address, town, "city") as page:
        page.set_viewport_size({"width": 360, "height": 900})
        page.goto(f"{address}/rehearsals")
        page.get_by_role("button", name="开始预演").click()
        page.wait_for_load_state()
        assert page.title().startswith("错误：")
        assert page.evaluate("document.activeElement.className") == "error-summary"
        page.locator(".error-summary a").first.press("Enter")
        assert page.evaluate("document.activeElement.name") == "policy"
        assert faults_of(page) == []
