"""The guide: every page of the platform is in it, with its two pictures, in both languages."""

import re

from docs.take_pictures import GUIDE, LARGEST, PICTURES, SIZES, pages
from docs.write_guide import written
from tests.web.test_role_table import WHO_MAY

NO_PAGE = re.compile(r"\.(pdf|xlsx|zip|csv|png|svg)$|^/api/|^/health$|^/metrics$|/files/")
"""Addresses that answer with a file or to a machine."""
ELSEWHERE = {
    "/": "leads on to one's home",
    "/styleguide": "for those who build pages",
    "/firm/reports/{step}": "in the guide by the address that begins a report",
    "/firm/demands/{demand_id}/edit": "the report's pages again, filled in",
    "/firm/demands/{demand_id}/edit/{step}": "the report's pages again, filled in",
    "/firm/reports/use": "one of the report's pages",
    "/papers/{paper_id}": "a file",
    "/n/{notice_id}": "the short link of a message, which leads on",
    "/objections/{objection_id}/paper": "a file",
    "/register/{step}": "in the guide by the address a registration begins at",
    "/register/done": "the end of a registration",
    "/s/{key}/receipts/{receipt}": "what answers the form behind a scan code",
    "/verify/{token}": "reached from a printed report only",
    "/exports/{export_id}": "one of the exports of /exports, while it is made",
}


def pages_of_the_platform() -> set[str]:
    asked = {route.removeprefix("GET ") for route in WHO_MAY if route.startswith("GET ")}
    return {route for route in asked if not NO_PAGE.search(route)} - set(ELSEWHERE)


def test_every_page_of_the_platform_is_in_the_guide() -> None:
    told = {page.route for page in pages()}
    assert pages_of_the_platform() - told == set()
    assert told - pages_of_the_platform() - set(ELSEWHERE) == set()


def test_every_page_of_the_guide_has_its_pictures_and_no_picture_is_left_over() -> None:
    wanted = {f"{page.name}-{size}.webp" for page in pages() for size in SIZES}
    there = {file.name for file in PICTURES.iterdir()}
    assert wanted - there == set()
    assert there - wanted == set()
    assert [file.name for file in PICTURES.iterdir() if file.stat().st_size > LARGEST] == []


def test_the_guide_says_what_its_files_say() -> None:
    stale = [path.name for path, text in written().items() if path.read_text(encoding="utf-8") != text]
    assert stale == []
    assert {path.name for path in GUIDE.glob("*.md")} == {path.name for path in written()}


def test_every_page_is_told_in_both_languages() -> None:
    for page in pages():
        assert all(re.search("[\u4e00-\u9fff]", words) for words in page.zh), page.name
        assert not any(re.search("[\u4e00-\u9fff]", words) for words in page.en), page.name
        assert len(page.zh[1]) > 10, page.name
