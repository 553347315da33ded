"""C-6: what is pressed is large enough for a thumb, lines stand far enough apart. Contrast is axe's part in C-1."""

import pytest

from tests.web.acceptance.looks import SHOWN, visited
from tests.web.acceptance.measures import low_lines, small_targets
from tests.web.acceptance.pages import FIRM, PAGES
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]
FIRMS = [*FIRM, "sign-in", "not found", "not yours"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALLEST = {"everywhere": (24, "normal", PAGES), "for firms": (44, "normal", FIRMS), "for elders": (60, "elder", FIRMS)}


@pytest.mark.parametrize("where", SMALLEST)
def test_no_target_is_too_small_and_no_line_too_low(town: Town, chromium, where: str, record_property) -> None:
    least, how, names = SMALLEST[where]
    found = []
    for name, page in visited(chromium, town, SHOWN[how], names, **PHONE):
        found += [f"{name}: {fault}" for fault in (*small_targets(page, least), *low_lines(page))]
    figure = f"{where}: {len(names)} pages, targets ≥ {least} px, lines ≥ 1.3, {len(found)} at fault"
    record_property("C-6", figure)
    assert found == []
