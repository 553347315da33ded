"""C-5: the journeys of C-2 in a browser whose JavaScript is off, single keys apart; and every page says as much."""

import re

import pytest

from tests.chromium import served
from tests.web.acceptance.keyboard import Keyboard
from tests.web.acceptance.looks import signed_in, visited
from tests.web.acceptance.pages import PAGES
from tests.web.acceptance.test_c02_keyboard import JOURNEYS
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]
ONLY_WITH = {"a bank answers by single keys", "a bank answers several at once"}
"""Single keys and 'all of this page' are made of JavaScript; the boxes and buttons they press are there without it."""


# First the pages as the town has them: the journeys after it change what stands on some.
def test_every_page_says_the_same_without_javascript(town: Town, chromium, record_property) -> None:
    said = {}
    for enabled in (True, False):
        for name, page in visited(chromium, town, java_script_enabled=enabled):
            said[name, enabled] = (
                page.locator("main h1").first.inner_text(),
                page.locator("main :is(a, button)").count(),
            )
    less = [
        name
        for name in PAGES
        if said[name, True][0] != said[name, False][0] or (said[name, True][1] and not said[name, False][1])
    ]
    record_property("C-5", f"{len(PAGES)} pages have their heading and acts without JavaScript, {len(less)} do not")
    assert less == []


def test_the_journeys_are_walked_without_javascript(town: Town, chromium, record_property) -> None:
    walked = []
    with served(town.app) as address:
        for name, (who, start, walk) in JOURNEYS.items():
            if name in ONLY_WITH:
                continue
            with signed_in(chromium, address, town, who, java_script_enabled=False) as page:
                page.goto(address + start.format(**town.things))
                end = walk(Keyboard(page), town)
                arrived = page.url.removeprefix(address).split("?")[0]
                assert re.fullmatch(end, arrived), (name, arrived)
                assert "错误：" not in page.title(), name
                walked.append(name)
    record_property(
        "C-5", f"{len(walked)} journeys without JavaScript, {len(ONLY_WITH)} not walked (they are keys themselves)"
    )
