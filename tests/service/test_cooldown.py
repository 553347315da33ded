"""A light does not get worse and better from day to day without a fact behind it: it cools down first."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.actions.judge_demand import judge_changed, judge_demands
from service.actions.override_light import override_light
from service.clock import instant_on
from service.domain.clocks import clock
from tests.builders import (
    FANG,
    GAO,
    NOW,
    PLATFORM,
    TODAY,
    a_changed_fact,
    a_demand,
    a_model,
    a_small_world,
    row_of,
    rows_of,
    some_tools,
)

COOLED = TODAY + timedelta(days=8)
"""The light worsens a day after the report, and seven days later it has cooled down."""
LOW, HIGH = 0.05, 0.08


@pytest.fixture
def demand(tx: Session) -> int:
    small = a_small_world(tx)
    return a_demand(tx, FANG, (small.bank,), some_tools(tx, model=a_model(LOW)))


def judged(tx: Session, demand: int, day: date, probability: float) -> str:
    """The light after a judgement of that day by a model that says so much."""
    tools = some_tools(tx, day, a_model(probability))
    judge_demands(tx, PLATFORM, [demand], "cycle", tools, day, instant_on(day))
    return row_of(tx, "demand", demand)["light"]


def test_a_light_worsens_at_once_and_gets_better_without_a_fact_only_when_cooled_down(tx: Session, demand: int) -> None:
    assert judged(tx, demand, TODAY + timedelta(days=1), HIGH) == "yellow"
    assert judged(tx, demand, TODAY + timedelta(days=2), LOW) == "yellow"
    row = row_of(tx, "demand", demand)
    assert (row["next_step"], row["next_by"], row["next_on"]) == ("judge", "platform", COOLED)
    assert judged(tx, demand, COOLED - timedelta(days=1), LOW) == "yellow"
    assert judged(tx, demand, COOLED, LOW) == "green"


def test_a_model_that_wavers_about_the_line_turns_the_light_once_a_week_at_most(tx: Session, demand: int) -> None:
    lights = [judged(tx, demand, TODAY + timedelta(days=n), HIGH if n % 2 else LOW) for n in range(1, 22)]
    changed = [row["changed_on"] for row in rows_of(tx, "light_change", demand_id=demand)]
    better = [row["changed_on"] for row in rows_of(tx, "light_change", demand_id=demand, new="green")][1:]
    assert lights[:7] == ["yellow"] * 7
    assert len(changed) <= 1 + 2 * 3
    gaps = [(after - before).days for before, after in pairwise(better)]
    assert all(gap >= clock("rejudge_cooldown", TODAY).length for gap in gaps)


def test_what_the_cooled_light_waits_for_is_done_on_its_day_by_the_daily_round(tx: Session, demand: int) -> None:
    judged(tx, demand, TODAY + timedelta(days=1), HIGH)
    judged(tx, demand, TODAY + timedelta(days=2), LOW)
    early = COOLED - timedelta(days=1)
    assert judge_changed(tx, PLATFORM, some_tools(tx, early, a_model(LOW)), early, instant_on(early)) == 0
    assert judge_changed(tx, PLATFORM, some_tools(tx, COOLED, a_model(LOW)), COOLED, instant_on(COOLED)) == 1
    assert row_of(tx, "demand", demand)["light"] == "green"


def test_a_fact_turns_the_light_at_once(tx: Session, demand: int) -> None:
    day = TODAY
    a_changed_fact(tx, FANG, item="abnormal_operation", key="A-1", happened_on=date(2026, 6, 1), code="address")
    tools = some_tools(tx, day, a_model(LOW))
    judge_changed(tx, PLATFORM, tools, day, instant_on(day))
    assert row_of(tx, "demand", demand)["light"] == "red"
    tx.execute(text("UPDATE record SET withdrawn_on = :day WHERE item = 'abnormal_operation'"), {"day": day})
    tx.execute(text("INSERT INTO firm_stale (uscc, marked_at, reason) VALUES (:u, now(), 'repair')"), {"u": FANG})
    judge_changed(tx, PLATFORM, tools, day, instant_on(day))
    assert row_of(tx, "demand", demand)["light"] == "green"


def test_a_person_s_word_needs_no_cooling_and_ends_on_its_day(tx: Session, demand: int) -> None:
    day = TODAY + timedelta(days=1)
    judged(tx, demand, day, HIGH)
    row = row_of(tx, "demand", demand)
    team = type(GAO)(GAO.role, GAO.person_id, GAO.name, district=row["district"])
    override_light(tx, team, demand, "green", "现场核实，经营正常。", COOLED + timedelta(days=3), day, NOW)
    assert row_of(tx, "demand", demand)["light"] == "green"
    after = COOLED + timedelta(days=4)
    assert judge_changed(tx, PLATFORM, some_tools(tx, after, a_model(HIGH)), after, instant_on(after)) == 1
    assert row_of(tx, "demand", demand)["light"] == "yellow"
