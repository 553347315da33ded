"""The briefing of a closed day never changes; what came later stands beside it and is called a correction."""

import io
from datetime import date, timedelta

import openpyxl
import pytest

from service.clock import Clock
from service.domain.people import the_platform
from service.store.statistics import count
from tests.browser import Browser, an_app
from tests.builders import CITY, GAO, NOW, TODAY
from tests.lending import at
from tests.paper import words_of
from tests.service.test_statistics import event
from web.briefing import days_of

LATER = TODAY + timedelta(days=2)


@pytest.fixture
def city(database, settings) -> Browser:
    """100 wan drawn and told on its day; another 100 of the same day told two days later."""
    with database.transaction(the_platform("test")) as tx:
        count(tx, [event(1, on=TODAY)], TODAY, NOW)
        count(tx, [event(2, on=TODAY, is_first_loan=True)], LATER, at(LATER))
    return Browser(an_app(settings, database, Clock(demo_on=LATER)), database, CITY)


def test_a_corrected_closed_day_shows_both_numbers(city) -> None:
    page = city.opens(f"/briefings?kind=day&on={TODAY}")
    assert "新发放贷款金额 100 万元 200 万元 已更正" in page.words
    assert "首贷占比 0.00% 50.00% 已更正" in page.words
    assert "申报户数 0 0 " in page.words


def test_a_week_that_goes_on_has_one_number_and_says_that_it_moves(city) -> None:
    page = city.opens(f"/briefings?kind=week&on={LATER}")
    assert "期间还没有结束" in page.words
    assert "新发放贷款金额 200 万元 放款金额合计" in page.words
    assert "已更正" not in page.words


def test_the_workbook_is_the_page_with_the_difference(city) -> None:
    answer = city.client.get(f"/briefings.xlsx?kind=day&on={TODAY}")
    assert f"briefing-day-{TODAY}" in answer.headers["content-disposition"]
    (sheet,) = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets
    rows = {row[0].value: [cell.value for cell in row[1:4]] for row in sheet.iter_rows(min_row=4)}
    assert rows["新发放贷款金额"] == [1_000_000, 2_000_000, 1_000_000]
    assert rows["授信户数"] == [0, 0, 0]


def test_the_paper_is_the_page(city) -> None:
    answer = city.client.get(f"/briefings.pdf?kind=day&on={TODAY}")
    said = words_of(answer.content)
    assert answer.headers["content-disposition"] == f'attachment; filename="xindeng-briefing-day-{TODAY}.pdf"'
    assert "首贷占比" in said
    assert "200万元(已更正)" in said


def test_the_last_closed_day_is_shown_first_and_nonsense_is_read_as_it(city) -> None:
    for query in ("", "?kind=x&on=nonsense", "?on=9999-12-31", "?on=0001-01-01"):
        assert "2026年7月1日" in city.opens(f"/briefings{query}").words, query


def test_a_day_leads_to_those_beside_it_and_not_beyond_today(city) -> None:
    links = city.opens(f"/briefings?kind=day&on={LATER}").links
    assert f"/briefings?kind=day&on={LATER - timedelta(days=1)}" in links
    assert f"/briefings?kind=day&on={LATER + timedelta(days=1)}" not in links


def test_a_week_is_monday_to_sunday() -> None:
    assert days_of("week", date(2026, 7, 1)) == (date(2026, 6, 29), date(2026, 7, 5))
    assert days_of("day", date(2026, 7, 1)) == (date(2026, 7, 1), date(2026, 7, 1))


def test_a_district_does_not_open_the_citys_briefing(city, database) -> None:
    assert Browser(city.client.app, database, GAO).opens("/briefings").status == 403
