"""Banks beside each other: what is overdue, who is silent, how soon they contact; few lines are no rank."""

import io
import random
from datetime import date, timedelta

import openpyxl
import pytest

from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.actions.rematch import count_silence
from service.clock import Clock, instant_on
from service.domain.answering import AnswerForm
from service.domain.pace import wilson
from service.domain.people import the_platform
from service.store import pace
from service.store.bulk import add_rows
from service.store.pace import Pace
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FENG,
    GAO,
    NOW,
    PLATFORM,
    TODAY,
    a_bank,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)  # fmt: skip
from web.league import standings

LATER = TODAY + timedelta(days=30)


@pytest.fixture
def world(database):
    """Bai contacts one of its two firms the next day and lets the other wait; Bo never answers."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        tools = some_tools(tx)
        a_demand(tx, FANG, (made.bank, made.other_bank), tools)
        a_demand(tx, FENG, (made.bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
        first = rows_of(tx, "push_line", bank_id=made.bank)[0]["id"]
    tomorrow = TODAY + timedelta(days=1)
    with database.transaction(bai(made.bank)) as tx:
        answer_line(tx, bai(made.bank), AnswerForm(first, "contacted"), tomorrow, instant_on(tomorrow))
    return made


@pytest.fixture
def later(database, world):
    """A month on the cycle has counted silence and rolled up."""
    with database.transaction(the_platform("test")) as tx:
        count_silence(tx, PLATFORM, LATER, instant_on(LATER))
        pace.roll_up(tx, LATER)
    return world


@pytest.fixture
def city(database, settings, world) -> Browser:
    return Browser(an_app(settings, database, Clock(demo_on=LATER)), database, CITY)


def test_the_roll_up_is_the_lines_and_counting_again_changes_nothing(database, later) -> None:
    with database.transaction(the_platform("test")) as tx:
        first = pace.of_banks(tx, TODAY, LATER, LATER)
        pace.roll_up(tx, LATER)
        again = pace.of_banks(tx, TODAY, LATER, LATER)
        lines = {bank: rows_of(tx, "push_line", bank_id=bank) for bank in (later.bank, later.other_bank)}
    assert first == again
    for bank in first:
        assert bank.lines == len(lines[bank.bank_id])
        assert bank.silent == sum(line["state"] == "silent" for line in lines[bank.bank_id])
    by_id = {bank.bank_id: bank for bank in first}
    assert (by_id[later.bank].contacted, by_id[later.bank].in_time, by_id[later.bank].contact_days) == (1, 1, 1)
    assert by_id[later.other_bank].contacted == 0 and by_id[later.other_bank].share_in_time == 0


def test_whole_months_are_read_from_their_sums_and_give_what_the_days_give(database) -> None:
    start = TODAY - timedelta(days=140)
    chance = random.Random(7)
    with database.transaction(PLATFORM) as tx:
        banks = [a_bank(tx, code) for code in ("BAI", "BO")]
        for day in range(150):
            on = start + timedelta(days=day)
            cells = [
                {"pushed_on": on, "district": district, "bank_id": bank, "made_on": on, "answered_on": None}
                | {name: chance.randrange(5) for name in pace.COUNTS}
                for bank in banks
                for district in ("410102", "410105")
                if chance.random() < 0.8
            ]
            add_rows(tx, "pace_day", cells)
        pace.sum_months(tx, start)
        days = rows_of(tx, "pace_day")
        for _example in range(40):
            since, until = sorted(start + timedelta(days=chance.randrange(-5, 155)) for _end in range(2))
            for bank in pace.of_banks(tx, since, until, until):
                mine = [day for day in days if day["bank_id"] == bank.bank_id and since <= day["pushed_on"] <= until]
                assert {name: getattr(bank, name) for name in pace.COUNTS} == {
                    name: sum(day[name] for day in mine) for name in pace.COUNTS
                }, (since, until)
                assert dict(bank.districts) == {
                    district: sum(day["lines"] for day in mine if day["district"] == district)
                    for district in {day["district"] for day in mine}
                }


@pytest.mark.parametrize(
    ("since", "until", "whole"),
    [
        ("2026-01-01", "2026-03-31", ("2026-01-01", "2026-04-01")),
        ("2026-01-02", "2026-03-30", ("2026-02-01", "2026-03-01")),
        ("2026-01-02", "2026-02-27", None),
        ("2026-01-31", "2026-02-28", ("2026-02-01", "2026-03-01")),
        ("2026-06-30", "2026-06-30", None),
    ],
)
def test_a_month_is_whole_when_all_its_days_are_asked_for(since, until, whole) -> None:
    found = pace.whole_months(date.fromisoformat(since), date.fromisoformat(until))
    assert found == tuple(map(date.fromisoformat, whole or (since, since)))


def test_an_answer_to_an_old_line_moves_the_sum_of_its_month(database, world) -> None:
    whole = TODAY.replace(day=1), TODAY
    with database.transaction(PLATFORM) as tx:
        pace.roll_up(tx, TODAY)
        before = {bank.bank_id: bank for bank in pace.of_banks(tx, *whole, LATER)}
        line = rows_of(tx, "push_line", bank_id=world.other_bank)[0]["id"]
    late = TODAY + timedelta(days=5)
    with database.transaction(bo(world.other_bank)) as tx:
        answer_line(tx, bo(world.other_bank), AnswerForm(line, "contacted"), late, instant_on(late))
    with database.transaction(PLATFORM) as tx:
        pace.roll_up(tx, late)
        after = {bank.bank_id: bank for bank in pace.of_banks(tx, *whole, late)}
        (month,) = [row for row in rows_of(tx, "pace_month") if row["bank_id"] == world.other_bank]
    assert before[world.other_bank].contacted == 0
    assert (after[world.other_bank].contacted, after[world.other_bank].contact_days) == (1, 5)
    assert (month["contacted"], month["made_on"]) == (1, late)


def test_what_is_overdue_is_overdue_before_the_cycle_counts_it_silent(database, world, city) -> None:
    said = city.opens(f"/banks?since={TODAY}&until={LATER}")
    with database.transaction(CITY) as tx:
        late = {bank.bank_id: bank.overdue for bank in pace.of_banks(tx, TODAY, LATER, LATER)}
    assert late == {world.bank: 1, world.other_bank: 1}
    assert "现在逾期" in said.words


def test_few_lines_have_no_rank_and_the_table_says_how_sure_it_is(city, later) -> None:
    said = city.opens(f"/banks?since={TODAY}&until={LATER}&sort=-silent").words
    assert "不排名" in said
    assert "沉默" in said and "95% 区间" in said and "银行和区县构成" in said and "100%" in said


@pytest.mark.parametrize("sort", ["rank", "-name", "lines", "-days_to_decision", "in_time", "nothing';--"])
def test_it_can_be_sorted_by_every_column_that_says_so(city, later, sort) -> None:
    assert city.opens(f"/banks?since={TODAY}&until={LATER}&sort={sort}").status == 200


def test_equal_shares_share_a_rank_and_the_next_is_the_third() -> None:
    banks = [Pace(n, f"B{n}", lines=10, contact_due=10, in_time=hits) for n, hits in enumerate((9, 9, 5))]
    few = Pace(9, "few", lines=4, contact_due=4, in_time=4)
    assert [one.rank for one in standings([*banks, few])] == [1, 1, 3, None]


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert wilson(0, 1)[0] == 0


def test_the_workbook_says_the_same(city, later) -> None:
    answer = city.client.get(f"/banks.xlsx?since={TODAY}&until={LATER}")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert {row[1] for row in rows} == {bank.name for bank in _banks(city, later)}


def _banks(city, later) -> list[Pace]:
    with city.client.app.state.house.database.transaction(CITY) as tx:
        return pace.of_banks(tx, TODAY, LATER, LATER)


def test_a_bank_and_a_district_see_only_their_own_cells(database, later) -> None:
    for who in (bai(later.bank), GAO):
        with database.transaction(who) as tx:
            cells = rows_of(tx, "pace_day")
        assert cells
        key = ("bank_id", who.bank_id) if who.bank_id else ("district", who.district)
        assert {cell[key[0]] for cell in cells} == {key[1]}
