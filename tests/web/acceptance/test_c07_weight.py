"""C-7: what first loads weigh and how soon they stand on a slow phone: 4 × slower, 1.6 Mbit/s, 150 ms away."""

from typing import Any

import pytest

from tests.chromium import served
from tests.web.acceptance.looks import signed_in
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(900)]
FIRM, DASHBOARD = 150_000, 450_000
FIRST_LOADS = {
    "sign-in": ("nobody", "/sign-in", FIRM), "first question of a report": ("new firm", "/firm/reports/amount", FIRM),
    "check of a report": ("feng", "/firm/reports/check", FIRM), "home of a firm": ("fang", "/firm", FIRM),
    "list of a bank": ("officer", "/push-lists", FIRM), "dashboard": ("city", "/figures", DASHBOARD),
    "banks": ("city", "/banks", DASHBOARD),
}  # fmt: skip
MBIT = 1_000_000 / 8
SEEN = """
window.shifts = 0; window.largest = 0;
const told = (note) => new PerformanceObserver((list) => list.getEntries().forEach(note));
const watch = (type, note) => told(note).observe({ type, buffered: true });
watch("layout-shift", (one) => { if (!one.hadRecentInput) window.shifts += one.value; });
watch("largest-contentful-paint", (one) => { window.largest = Math.max(window.largest, one.startTime); });
"""


def first_load(page: Any, address: str) -> dict[str, float]:
    """kB over the line, largest paint in ms and layout shift of one load with nothing kept from before."""
    line = page.context.new_cdp_session(page)
    received: list[float] = []
    line.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    slow = {"offline": False, "latency": 150, "downloadThroughput": 1.6 * MBIT, "uploadThroughput": 0.75 * MBIT}
    line.send("Network.emulateNetworkConditions", slow)
    line.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(SEEN)
    page.goto(address, wait_until="networkidle")
    page.wait_for_timeout(500)
    seen = page.evaluate("({ largest_ms: window.largest, shift: window.shifts })")
    return {"bytes": sum(received), **seen}


@pytest.mark.parametrize("name", FIRST_LOADS)
def test_a_first_load_is_light_soon_there_and_still(town: Town, chromium, name: str, record_property) -> None:
    who, path, most = FIRST_LOADS[name]
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with served(town.app) as address:
        with signed_in(chromium, address, town, who, **phone) as page:
            page.goto(address + path)  # the server's own first time is not the line's
        with signed_in(chromium, address, town, who, **phone) as page:
            found = first_load(page, address + path)
    kilobytes, seconds = found["bytes"] / 1000, found["largest_ms"] / 1000
    figure = f"{name}: {kilobytes:.0f} kB, largest paint {seconds:.2f} s, shift {found['shift']:.3f}"
    record_property("C-7", figure)
    assert found["bytes"] <= most, figure
    assert found["largest_ms"] <= 2500, figure
    assert found["shift"] <= 0.1, figure
