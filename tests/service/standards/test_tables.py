"""Areas, industries, money and the calendar of working days."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import Unavailable
from service.domain.standards import industries, money, regions
from service.domain.standards.calendar import PUBLISHED_UNTIL, Calendar, CalendarNotPublished


def test_the_city_has_twelve_divisions_and_four_functional_areas() -> None:
    kinds = [region.kind for region in regions.REGIONS.values()]
    assert (len(kinds), kinds.count("district"), kinds.count("functional")) == (16, 6, 4)
    assert regions.find("金水区") == regions.find("410105")
    assert regions.find("410107") is None


def test_zhengdong_is_a_reporting_area_without_a_division_code() -> None:
    area = regions.find("zdxq")
    assert area is not None
    assert area.zh == "郑东新区"


def test_the_industry_standard_has_twenty_sections_and_ninety_seven_divisions() -> None:
    assert (len(industries.SECTIONS), len(industries.DIVISIONS)) == (20, 97)
    assert sorted(code[1:] for code in industries.DIVISIONS) == [f"{number:02d}" for number in range(1, 98)]
    assert all(industry.zh and industry.en for industry in industries.DIVISIONS.values())


def test_an_industry_is_found_with_or_without_its_letter() -> None:
    assert industries.find("5211") == industries.find(" f5211") == "F5211"
    assert industries.division_of("F5211").zh == "零售业"
    assert industries.section_of("F5211").zh == "批发和零售业"
    assert industries.find("C52") is None
    assert industries.find("F98") is None


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_fen_survive_the_way_to_yuan_and_back(fen: int) -> None:
    assert money.to_fen(money.to_yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [("12", 1200), ("12.3", 1230), ("12.340", 1234), ("-0.01", -1), ("1,234.56", 123456), (" 7 ", 700),
     (Decimal("0.10"), 10), (3, 300)],
)  # fmt: skip
def test_yuan_become_exact_fen(text: str, fen: int) -> None:
    assert money.to_fen(text) == fen


@pytest.mark.parametrize("text", ["1.005", "", "abc", "1e5", "1,23", "10000000000000000", "--1", "NaN", "=1+1"])
def test_what_is_no_amount_in_yuan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Not an amount"):
        money.to_fen(text)


@pytest.mark.parametrize("amount", [0.1, True])
def test_a_float_is_not_money(amount: float) -> None:
    with pytest.raises(TypeError):
        money.to_fen(amount)
    with pytest.raises(TypeError):
        money.to_yuan(amount)  # type: ignore[arg-type]


def test_the_day_after_counts_as_the_first_working_day() -> None:
    thursday = date(2026, 6, 11)
    assert Calendar().add_working_days(thursday, 1) == date(2026, 6, 12)
    assert Calendar().add_working_days(thursday, 2) == date(2026, 6, 15)


def test_holidays_are_skipped_and_worked_weekends_count() -> None:
    calendar = Calendar()
    assert calendar.add_working_days(date(2026, 6, 18), 1) == date(2026, 6, 22)  # Dragon Boat, 19 to 21 June
    assert calendar.is_working_day(date(2026, 2, 14))  # a Saturday worked for the Spring Festival
    assert not calendar.is_working_day(date(2026, 2, 16))


def test_the_operators_day_wins_over_the_published_calendar() -> None:
    friday, saturday = date(2026, 6, 12), date(2026, 6, 13)
    calendar = Calendar({friday: False, saturday: True})
    assert calendar.add_working_days(date(2026, 6, 11), 1) == saturday


def test_beyond_the_published_year_nothing_is_guessed() -> None:
    calendar = Calendar()
    with pytest.raises(CalendarNotPublished, match=str(PUBLISHED_UNTIL.year + 1)) as refusal:
        calendar.add_working_days(PUBLISHED_UNTIL, 1)
    assert isinstance(refusal.value, Unavailable)
    assert calendar.due_on(PUBLISHED_UNTIL, 1, "working_days") is None
    assert calendar.due_on(PUBLISHED_UNTIL, 1, "calendar_days") == PUBLISHED_UNTIL + timedelta(days=1)


def test_the_operator_may_publish_days_before_the_state_does() -> None:
    first = PUBLISHED_UNTIL + timedelta(days=4)
    days = {PUBLISHED_UNTIL + timedelta(days=ahead): ahead == 4 for ahead in range(1, 5)}
    assert Calendar(days).due_on(PUBLISHED_UNTIL, 1, "working_days") == first


@given(st.dates(date(2025, 1, 1), date(2025, 12, 1)), st.integers(1, 30))
def test_adding_working_days_and_counting_them_agree(start: date, count: int) -> None:
    calendar = Calendar()
    end = calendar.add_working_days(start, count)
    assert calendar.working_days_between(start, end) == count
    assert calendar.is_working_day(end)
