"""Due dates follow the published working days and the operator's word over them; beyond the calendar they wait."""

from datetime import date

import pytest

from matching.policy import load_policy
from service.actions.push_lists import push_missing
from service.actions.set_calendar import recompute_waiting, set_days
from service.domain.clocks import Term, clock
from service.domain.errors import NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.domain.standards.calendar import Calendar
from service.store.calendar import calendar, list_days
from service.store.database import transaction
from tests.lending import CYCLE, NOW, TODAY, Lending, at, officer, row_of, rows_of

OTTO = Who(Role.OPERATOR, 3, "Otto")
FAR = date(2030, 3, 4)


def test_working_days_step_over_the_dragon_boat_festival() -> None:
    assert Term(3, "working_days").after(date(2026, 6, 17), Calendar()) == date(2026, 6, 23)
    assert Term(30, "calendar_days").after(date(2026, 6, 17), Calendar()) == date(2026, 7, 17)


def test_a_bank_may_promise_less_time_and_never_take_more() -> None:
    assert Term(3, "working_days").at_most(1).length == 1
    assert Term(3, "working_days").at_most(9).length == 3
    assert Term(3, "working_days").at_most(None).length == 3


def test_beyond_the_calendar_a_due_date_waits_and_calendar_days_do_not() -> None:
    assert Term(3, "working_days").after(FAR, Calendar()) is None
    assert Term(30, "calendar_days").after(FAR, Calendar()) == date(2030, 4, 3)
    assert clock("contact", FAR).surely_after(FAR, Calendar()) == date(2030, 3, 9)


def test_the_operator_s_word_moves_the_next_due_dates_and_leaves_a_trail(database) -> None:
    with transaction(OTTO) as tx:
        set_days(tx, OTTO, {date(2026, 6, 25): False, date(2026, 6, 27): True}, "暴雨停工", TODAY, NOW)
        assert Term(3, "working_days").after(TODAY, calendar(tx)) == date(2026, 6, 29)
        assert Term(2, "working_days").after(TODAY, calendar(tx)) == date(2026, 6, 27)
        assert [(row.on, row.is_working) for row in list_days(tx)] == [
            (date(2026, 6, 25), False),
            (date(2026, 6, 27), True),
        ]
    with transaction(CYCLE) as tx:
        (entry,) = rows_of(tx, "SELECT actor, noun, new, details FROM trail")
    assert tuple(entry) == ("operator", "calendar", "2026-06-25/2026-06-27", {"worked": 1, "free": 1})


def test_only_the_operator_sets_days(database) -> None:
    for who in (officer(1), Who(Role.CITY, 2, "Guo")):
        with transaction(who) as tx, pytest.raises(NotAllowed):
            set_days(tx, who, {TODAY: False}, "", TODAY, NOW)
    with transaction(OTTO) as tx, pytest.raises(NotPossible):
        set_days(tx, OTTO, {}, "", TODAY, NOW)


def test_lines_that_wait_get_their_due_date_as_soon_as_the_days_are_known(database) -> None:
    with transaction(CYCLE) as tx:
        city = Lending(tx)
        bank = city.bank()
        city.product(bank)
        uscc = city.firm()
        demand = city.demand(uscc)
        city.consent(uscc, bank, from_on=FAR, until_on=FAR)
        push_missing(tx, CYCLE, FAR, at(FAR), load_policy())
        (line,) = rows_of(tx, "SELECT * FROM push_line")
        assert (line.due_on, line.waits_for_calendar) == (None, True)
        assert recompute_waiting(tx, CYCLE, FAR, at(FAR)) == 0
    with transaction(OTTO) as tx:
        days = {date(2030, 3, day): True for day in range(5, 9)}
        assert set_days(tx, OTTO, days, "2030 年安排", FAR, at(FAR)) == 1
    with transaction(CYCLE) as tx:
        line, row = row_of(tx, "push_line", line.id), row_of(tx, "demand", demand)
    assert (line.due_on, line.contact_due_on, line.waits_for_calendar) == (date(2030, 3, 7), date(2030, 3, 7), False)
    assert (row.next_on, row.waits_for_calendar) == (date(2030, 3, 7), False)
