"""Looking at every page in a real browser, as each of the town's people, shown as somebody may have it shown."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from service.doors import cookie_name
from tests.browser import session_of
from tests.builders import TODAY
from tests.chromium import served
from tests.web.acceptance.pages import EXPECTED, PAGES
from tests.web.acceptance.town import Town

WIDTHS = (360, 768, 1280)
SHOWN: dict[str, Mapping[str, str]] = {
    "normal": {}, "large": {"size": "18"}, "elder": {"size": "24"}, "high contrast": {"contrast": "high"},
    "English": {"language": "en"},
}  # fmt: skip
"""How a person may have the pages shown: by cookie."""
HEARD = """addEventListener("securitypolicyviolation", (event) => {
  window.told(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});"""


@contextmanager
def signed_in(
    chromium: Any, address: str, town: Town, who: str, shown: Mapping[str, str] = {}, **context: Any
) -> Iterator[Any]:
    """A page of one of the town's people; `page.complaints` has what console and content policy complain of."""
    person = town.people[who]
    opened = chromium.new_context(**{"locale": "zh-CN", **context})
    opened.set_default_timeout(60_000)
    cookies = {**town.cookies.get(who, {}), **shown}
    if person is not None:
        cookies[cookie_name(town.app.state.house.settings)] = session_of(town.database, person, TODAY)
    opened.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    complaints: list[str] = []
    opened.expose_function("told", lambda said: complaints.append(f"content policy: {said}"))
    opened.add_init_script(HEARD)
    page = opened.new_page()
    page.complaints = complaints
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    yield page
    opened.close()


def by_person(names: Iterable[str]) -> dict[str, list[str]]:
    """The pages of each person, so that each signs in once."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(PAGES[name][0], []).append(name)
    return found


def visited(
    chromium: Any, town: Town, shown: Mapping[str, str] = {}, names: Iterable[str] = PAGES, **context: Any
) -> Iterator[tuple[str, Any]]:
    """Each page in turn, open, whatever is folded on it unfolded; a complaint of the browser fails the visit."""
    with served(town.app) as address:
        for who, theirs in by_person(names).items():
            with signed_in(chromium, address, town, who, shown, **context) as page:
                for name in theirs:
                    status = EXPECTED.get(name, 200)
                    assert page.goto(address + town.page(name)[1]).status == status, name
                    page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
                    yield name, page
                    complaints = [said for said in page.complaints if status == 200 or str(status) not in said]
                    assert complaints == [], name
                    page.complaints.clear()
