"""C-11: words longer than Chinese or English fit on every page. That none is missing is seen by `test_locale.py`."""

import pytest

from tests.web.acceptance.looks import visited
from tests.web.acceptance.measures import sideways
from tests.web.acceptance.pages import PAGES
from tests.web.acceptance.town import Town
from web import language

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]
LONGER = 1.4
"""English is about as long as other languages get when they are 40 % longer than it."""
OPEN, CLOSE = "⟦", "⟧"


class Stretched:
    """The English catalogue, each message in brackets and two fifths longer; its places stay what they are."""

    def __init__(self, told: object) -> None:
        self.told = told

    def gettext(self, message: str) -> str:
        return stretched(self.told.gettext(message))

    def ngettext(self, one: str, many: str, count: int) -> str:
        return stretched(self.told.ngettext(one, many, count))


def stretched(message: str) -> str:
    longer = " ".join("~" * 6 for _ in range(max(1, int(len(message) * (LONGER - 1)) // 7)))
    return f"{OPEN}{message} {longer}{CLOSE}"


def test_words_that_are_longer_than_english_fit_on_every_page(
    town: Town, chromium, monkeypatch, record_property
) -> None:
    catalogue = Stretched(language._catalogue("en"))
    monkeypatch.setattr(language, "_catalogue", lambda _language: catalogue)
    found, silent = [], []
    for name, page in visited(chromium, town, {"language": "en"}):
        silent += [name] if OPEN not in page.locator("body").inner_text() else []
        found += [f"{name} at {width}: {fault}" for width in (360, 1280) for fault in sideways(page, width)]
    record_property("C-11", f"{len(PAGES)} pages with words {LONGER:.0%} as long as English, {len(found)} overflow")
    assert (found, silent) == ([], [])
