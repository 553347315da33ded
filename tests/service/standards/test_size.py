"""Size classes: the standard's boundary cases."""

from datetime import date

import pytest

from service.domain.standards import industries
from service.domain.standards.size import WAN_FEN, SizeClass, sector_of, size_class

ON = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("industry", "employees", "revenue", "expected"),
    [
        ("C34", 300, 2000, "medium"),
        ("C34", 300, 1999, "small"),
        ("C34", 299, 2000, "small"),
        ("C34", 1000, 39999, "medium"),
        ("C34", 1000, 40000, "large"),
        ("C34", 20, 299, "micro"),
        ("C34", 20, 300, "small"),
        ("F52", 10, 100, "small"),
        ("F52", 9, 100, "micro"),
        ("F51", 20, 5000, "medium"),
        ("F5211", 50, 500, "medium"),
        ("O80", 9, None, "micro"),
        ("O80", 10, None, "small"),
        ("A01", None, 50, "small"),
        ("I65", 10, 50, "small"),
        ("K7020", 100, 500, "small"),
    ],
)
def test_a_firm_on_the_line_is_on_the_upper_side_of_it(
    industry: str, employees: int | None, revenue: int | None, expected: str
) -> None:
    fen = None if revenue is None else revenue * WAN_FEN
    assert size_class(industry, employees, fen, None, ON) == expected


def test_one_fen_below_the_line_is_below_it() -> None:
    assert size_class("F52", 10, 100 * WAN_FEN - 1, None, ON) is SizeClass.MICRO


@pytest.mark.parametrize(
    ("industry", "revenue", "assets", "expected"),
    [("E47", 80000, 80000, "large"), ("E47", 80000, 79999, "medium"), ("E47", 300, 299, "micro"),
     ("K7010", 1000, 5000, "medium"), ("K7010", 200000, 9999, "medium")],
)  # fmt: skip
def test_builders_and_developers_are_measured_by_revenue_and_assets(
    industry: str, revenue: int, assets: int, expected: str
) -> None:
    assert size_class(industry, None, revenue * WAN_FEN, assets * WAN_FEN, ON) == expected


def test_leasing_is_measured_by_people_and_assets() -> None:
    assert size_class("L71", 100, None, 8000 * WAN_FEN, ON) is SizeClass.MEDIUM
    assert size_class("L71", 100, None, 7999 * WAN_FEN, ON) is SizeClass.SMALL


@pytest.mark.parametrize(("employees", "revenue"), [(None, 500), (50, None), (None, None)])
def test_a_missing_figure_leaves_a_firm_unclassified_and_never_micro(
    employees: int | None, revenue: int | None
) -> None:
    fen = None if revenue is None else revenue * WAN_FEN
    assert size_class("F52", employees, fen, None, ON) is SizeClass.UNCLASSIFIED


@pytest.mark.parametrize("industry", ["J66", "P83", "Q84", "S92", "T97", "G53"])
def test_finance_education_health_rail_and_public_bodies_are_outside_the_standard(industry: str) -> None:
    assert size_class(industry, 500, WAN_FEN, WAN_FEN, ON) is SizeClass.OUTSIDE


def test_real_estate_without_its_class_is_unclassified() -> None:
    assert size_class("K70", 500, WAN_FEN, WAN_FEN, ON) is SizeClass.UNCLASSIFIED


def test_before_the_standards_day_there_is_no_standard() -> None:
    assert sector_of("F52", date(2011, 6, 17)) is None
    assert sector_of("F52", date(2011, 6, 18)) is not None


def test_every_division_is_either_in_one_sector_or_known_to_be_outside() -> None:
    outside = {code for code in industries.DIVISIONS if sector_of(code, ON) is None}
    assert outside == {
        "G53",
        "J66",
        "J67",
        "J68",
        "J69",
        "K70",
        "P83",
        "Q84",
        "S91",
        "S92",
        "S93",
        "S94",
        "S95",
        "S96",
        "T97",
    }
