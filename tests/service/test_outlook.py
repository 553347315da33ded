"""Stored lines become answers, what stood around them, and what came of their offers."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from matching.appetite import WHOLE
from matching.calibration import Around
from service.domain.appetite import answers_of, around_of, outlook_of

MONDAY = date(2026, 6, 1)


def a_line(number: int, state: str, *, day: int = 0, demand: int = 0, offered: bool = False, **more: Any) -> Any:
    """A row as `push_lists.list_answered` gives it: pushed on MONDAY + day, answered a week later."""
    pushed = MONDAY + timedelta(days=day)
    row = {
        "id": number, "demand_id": demand or number, "bank_id": 1, "bank_kind": "state", "industry": "F52",
        "size_class": "micro", "verdict_light": "green", "amount_fen": 10**7, "district": "410105", "guarantees": [],
        "state": state, "reasons": None, "had_offer": offered, "probability": 0.015, "pushed_on": pushed,
        "answered_on": pushed + timedelta(days=7),
    }  # fmt: skip
    return SimpleNamespace(**row | more)


@pytest.mark.parametrize(
    ("state", "had_offer", "says_yes"),
    [("offered", True, True), ("passed_over", True, True), ("silent", True, True), ("silent", False, False),
     ("refused", False, False), ("refused", True, False)],
)  # fmt: skip
def test_a_bank_said_yes_where_it_made_an_offer_and_did_not_take_it_back(state, had_offer, says_yes) -> None:
    (answer,) = answers_of([a_line(1, state, offered=had_offer)])
    assert answer.granted is says_yes


def test_what_came_of_offers_is_counted_and_open_ones_say_nothing() -> None:
    lines = [a_line(n, state, offered=True) for n, state in enumerate(("drawn", "granted", "accepted", "offered"), 1)]
    lines += [a_line(n, state, offered=True) for n, state in enumerate(("passed_over", "withdrawn", "silent"), 5)]
    late = SimpleNamespace(bank_id=1, bank_kind="state", p_offer=0.5)
    known = outlook_of([*lines, a_line(9, "refused")], [late], MONDAY + timedelta(days=30))
    assert known.appetite.counts["kept/b:1"] == (6 * WHOLE + WHOLE // 2, 3 * WHOLE)
    assert known.appetite.counts["all/b:1"] == (8 * WHOLE, 0)
    assert known.calibration.scored == 8


def test_lines_that_ended_badly_before_a_push_stand_behind_it_and_later_ones_do_not() -> None:
    refusals = [a_line(n, "refused", demand=n, reasons=["cash_flow"]) for n in range(1, 41)]
    first, same_day = (
        [a_line(100 + n, "silent", demand=n, day=day, bank_id=2) for n in range(1, 41)] for day in (10, 0)
    )
    assert "before/firm" in outlook_of([*refusals, *first], (), MONDAY + timedelta(days=60)).calibration.shifts
    assert "before/firm" not in outlook_of([*refusals, *same_day], (), MONDAY + timedelta(days=60)).calibration.shifts


def test_an_open_demand_has_the_grade_of_its_estimate_and_what_banks_said() -> None:
    asked = [SimpleNamespace(id=one, probability=p) for one, p in ((1, 0.001), (2, None), (3, 0.5))]
    declined = {2: [SimpleNamespace(reasons=None)], 3: [SimpleNamespace(reasons=["industry"])]}
    assert around_of(asked, declined) == [Around("A1"), Around("", "silent"), Around("E", "bank")]
