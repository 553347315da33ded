"""Banks beside each other: what is overdue, who is silent, how soon they contact; few lines are no rank."""

import io
from datetime import timedelta

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
from service.store.pace import Pace
from tests.browser import Browser
from tests.builders import (
    CITY,
    FANG,
    FENG,
    GAO,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    rows_of,
    some_tools,
)  # fmt: skip
from web.league import standings
from web.main import build_app

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
    return Browser(build_app(settings, database, Clock(demo_on=LATER)), database, CITY)


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
