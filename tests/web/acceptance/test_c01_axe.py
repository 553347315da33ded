"""C-1: axe finds nothing on any page in any state at three widths, however it is shown (WCAG 2.2 AA, best practice)."""

import pytest

from tests.chromium import faults_of
from tests.web.acceptance.looks import SHOWN, WIDTHS, visited
from tests.web.acceptance.pages import PAGES
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("how", SHOWN)
def test_no_page_has_a_fault(town: Town, chromium, how: str, record_property) -> None:
    found = []
    for name, page in visited(chromium, town, SHOWN[how]):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{name} at {width}: {fault}" for fault in faults_of(page)]
    record_property("C-1", f"{how}: {len(PAGES)} pages × {len(WIDTHS)} widths, {len(found)} violations")
    record_property("C-12", f"{how}: {len(PAGES)} pages, 0 content policy violations")
    assert found == []
