"""Every address that shows a page is in the list the acceptance tests walk, or argued there."""

import re

from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from service.clock import Clock
from tests.browser import an_app
from tests.builders import TODAY
from tests.web.acceptance.pages import FILES, NO_PAGES, PAGES
from web.render import TEMPLATES


def paths_read(app) -> list[str]:
    """What is answered to GET, in the order in which an address is looked for; machines' doors and files apart."""
    found = [
        one.path
        for one in iter_route_contexts(app.routes)
        if not isinstance(one.original_route, Mount) and "GET" in (one.methods or {"GET"})
    ]
    return [path for path in found if not path.startswith("/api/") and not path.endswith(FILES)]


def shows(path: str, address: str) -> bool:
    """Whether an address is one of this route."""
    pattern = "[^/]+".join(map(re.escape, re.split(r"\{[^}]+\}", path)))
    return re.fullmatch(pattern, re.sub(r"\{[^}]+\}", "1", address.split("?", maxsplit=1)[0])) is not None


def test_every_address_that_shows_a_page_is_listed_or_argued(database, settings) -> None:
    paths = paths_read(an_app(settings, database, Clock(demo_on=TODAY)))
    opened = {next((path for path in paths if shows(path, address)), None) for _who, address in PAGES.values()}
    unnamed = [path for path in paths if path not in opened and path not in NO_PAGES]
    assert unnamed == [], "add each to tests/web/acceptance/pages.py, or say there why it shows no page"
    assert set(NO_PAGES) - set(paths) == set()


def test_only_the_sheet_itself_lists_mistakes_so_that_they_stand_above_everything_once() -> None:
    own = [path.name for path in TEMPLATES.rglob("*.html") if "ui.error_summary(" in path.read_text("utf-8")]
    assert own == ["base.html"]
