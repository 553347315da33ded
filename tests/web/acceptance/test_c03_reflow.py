"""C-3: nothing is lost at 200 % and 400 %, with text spaced wide, with less motion, or in the system's own colours."""

import pytest

from tests.web.acceptance.looks import visited
from tests.web.acceptance.measures import bare_controls, clipped_when_spaced, moving, sideways
from tests.web.acceptance.pages import PAGES
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]
MEASURES = {
    "at 320 px, which is 400 % of 1280": lambda page: sideways(page, 320),
    "at 640 px, which is 200 %": lambda page: sideways(page, 640),
    "with wide spacing": clipped_when_spaced,
    "with less motion": moving,
    "in forced colours": bare_controls,
}


def test_no_page_loses_anything_when_it_is_shown_otherwise(town: Town, chromium, record_property) -> None:
    found = []
    for name, page in visited(chromium, town):
        found += [f"{name} {how}: {fault}" for how, measure in MEASURES.items() for fault in measure(page)]
    record_property("C-3", f"{len(PAGES)} pages × {len(MEASURES)} ways ({'; '.join(MEASURES)}), {len(found)} at fault")
    assert found == []
