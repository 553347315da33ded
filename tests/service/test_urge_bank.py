"""The city urges a silent bank: one at a time on a ground, answered once, ended by the city with its reason."""

import threading
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlmodel import Session

from service.actions.urge_bank import UrgingForm, answer_urging, end_urging, read_urging, urge_bank
from service.clock import instant_on
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.domain.urging import UrgingGround, UrgingState
from service.store import notices, pace, urgings
from tests.lending import CYCLE, TODAY, Lending, officer, owner, row_of, rows_of

CITY = Who(Role.CITY, 7, "市")
GAO = Who(Role.DISTRICT, 5, "高", district="410105")
LATER = TODAY + timedelta(days=30)
THEN = instant_on(LATER)
TRAIL = "SELECT * FROM trail WHERE noun = 'urging' ORDER BY id"


@dataclass(frozen=True)
class World:
    bank: int
    other_bank: int


def a_silent_world(tx: Session) -> World:
    """Two lines were pushed to Bai's bank and one to Bo's; all three fell silent, and the cycle has counted them."""
    made = Lending(tx)
    banks = made.bank(), made.bank()
    products = [made.product(bank) for bank in banks]
    silent = {"state": "silent", "closed_on": TODAY + timedelta(days=6), "due_step": "none", "reserved_fen": 0}
    for place in (0, 0, 1):
        made.line(made.demand(), products[place], **silent)
    pace.roll_up(tx, LATER)
    return World(*banks)


@pytest.fixture
def world(database) -> World:
    with database.transaction(CYCLE) as tx:
        return a_silent_world(tx)


def a_form(bank_id: int, **other) -> UrgingForm:
    said = {"ground": UrgingGround.SILENT, "since_on": TODAY, "until_on": LATER, "days": 3, "words": "请逐项回复。"}
    return UrgingForm(bank_id, **said | other)


def urged(database, bank_id: int, **other) -> int:
    with database.transaction(CITY) as tx:
        return urge_bank(tx, CITY, a_form(bank_id, **other), LATER, THEN)


def test_an_urging_keeps_its_lines_and_figures_and_counts_working_days_and_the_bank_hears_of_it(database, world):
    key = urged(database, world.bank)
    with database.transaction(officer(world.bank)) as tx:
        one = urgings.get(tx, officer(world.bank), key, LATER)
        (told, *_rest) = notices.list_to(tx, officer(world.bank))
        lines = urgings.list_lines(tx, one)
    assert (one.figures["lines"], one.figures["silent"], one.figures["about"]) == (2, 2, 2)
    assert [line.state for line in lines] == ["silent", "silent"] and not any(line.has_moved for line in lines)
    assert date(2026, 7, 24) == LATER and one.due_on == date(2026, 7, 29)  # Friday; Monday, Tuesday, Wednesday
    assert (told.kind, told.told["urging_id"]) == ("urging_sent", key)
    with database.transaction(CYCLE) as tx:
        (entry,) = rows_of(tx, TRAIL)
    assert (entry.verb, entry.new, entry.bank_id) == ("urged", "sent", world.bank)
    assert "请" not in str(entry.details)


def test_a_bank_sees_and_answers_only_its_own_and_nobody_else_urges(database, world):
    key = urged(database, world.bank)
    with database.transaction(officer(world.other_bank)) as tx:
        assert rows_of(tx, "SELECT * FROM urging") == []
        for act in (
            lambda: urgings.get(tx, officer(world.other_bank), key, LATER),
            lambda: answer_urging(tx, officer(world.other_bank), key, "已办", LATER, LATER, THEN),
        ):
            with pytest.raises(NotFound):
                act()
    for who in (officer(world.bank), GAO, owner("91410199MA0000001X")):
        with database.transaction(who) as tx, pytest.raises(NotAllowed):
            urge_bank(tx, who, a_form(world.bank), LATER, THEN)
    with database.transaction(officer(world.bank)) as tx, pytest.raises(NotAllowed):
        end_urging(tx, officer(world.bank), key, UrgingState.CLOSED, "好了", LATER, THEN)
    with database.transaction(CITY) as tx, pytest.raises(NotAllowed):
        answer_urging(tx, CITY, key, "替银行回复", LATER, LATER, THEN)
    with pytest.raises(Exception, match="row-level security"), database.transaction(officer(world.bank)) as tx:
        urgings.change(tx, key, {"state": "closed", "ended_at": THEN})


def test_only_one_is_open_for_a_bank_and_a_ground_though_two_send_at_once(database, world):
    barrier, found = threading.Barrier(2), []

    def send() -> None:
        barrier.wait()
        try:
            found.append(urged(database, world.bank))
        except Conflict as refusal:
            found.append(refusal.field)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in found) == ["int", "str"] and "ground" in found
    urged(database, world.bank, ground=UrgingGround.LATE)  # another ground is another matter
    urged(database, world.other_bank)  # and so is another bank


def test_without_a_line_that_speaks_for_it_or_with_a_wrong_form_nothing_is_sent(database, world):
    for other, field in (
        ({"ground": UrgingGround.DISPUTED}, "ground"),
        ({"ground": UrgingGround.OVERDUE}, "ground"),
        ({"days": 0}, "days"),
        ({"days": 31}, "days"),
        ({"words": "  "}, "words"),
        ({"words": "字" * 1001}, "words"),
    ):
        with pytest.raises(NotPossible) as refusal:
            urged(database, world.bank, **other)
        assert refusal.value.field == field
    with pytest.raises(NotFound):
        urged(database, 999_999)
    with database.transaction(CITY) as tx:
        assert rows_of(tx, "SELECT * FROM urging") == []


def test_sent_read_answered_closed_each_once_and_each_on_the_trail(database, world):
    key, who = urged(database, world.bank), officer(world.bank)
    with database.transaction(who) as tx:
        read_urging(tx, who, key, THEN)
        read_urging(tx, who, key, THEN)
        with pytest.raises(NotPossible):
            answer_urging(tx, who, key, "已联系", LATER - timedelta(days=1), LATER, THEN)
        answer_urging(tx, who, key, "已联系两户。", LATER + timedelta(days=2), LATER, THEN)
        with pytest.raises(Conflict):
            answer_urging(tx, who, key, "再说一遍", LATER, LATER, THEN)
    with database.transaction(CITY) as tx:
        end_urging(tx, CITY, key, UrgingState.CLOSED, "可以。", LATER, THEN)
        with pytest.raises(Conflict):
            end_urging(tx, CITY, key, UrgingState.WITHDRAWN, "又撤回", LATER, THEN)
    with database.transaction(CYCLE) as tx:
        way = [(row.verb, row.old, row.new) for row in rows_of(tx, TRAIL)]
        one = row_of(tx, "urging", key)
        told = [row.kind for row in rows_of(tx, "SELECT kind FROM notice WHERE kind LIKE 'urging%' ORDER BY id")]
    assert way == [
        ("urged", None, "sent"),
        ("urging_read", "sent", "read"),
        ("urging_answered", "read", "answered"),
        ("urging_closed", "answered", "closed"),
    ]
    assert (one.read_by, one.done, one.end_words) == (who.person_id, "已联系两户。", "可以。")
    assert told == ["urging_sent", "urging_closed"]
    urged(database, world.bank)  # the ground is free again


def test_what_nobody_answered_cannot_be_closed_but_goes_higher_or_is_taken_back(database, world):
    first, second = urged(database, world.bank), urged(database, world.other_bank)
    with database.transaction(CITY) as tx:
        with pytest.raises(NotPossible):
            end_urging(tx, CITY, first, UrgingState.CLOSED, "算了", LATER, THEN)
        with pytest.raises(NotPossible):
            end_urging(tx, CITY, first, UrgingState.ESCALATED, " ", LATER, THEN)
        end_urging(tx, CITY, first, UrgingState.ESCALATED, "转监管部门。", LATER, THEN)
        end_urging(tx, CITY, second, UrgingState.WITHDRAWN, "发错了银行。", LATER, THEN)
    with database.transaction(officer(world.other_bank)) as tx, pytest.raises(Conflict):
        answer_urging(tx, officer(world.other_bank), second, "已办", LATER, LATER, THEN)


def test_what_is_overdue_stands_first_and_the_counts_of_a_day_stay_what_they_were(database, world):
    late, promised = urged(database, world.other_bank), urged(database, world.bank)
    with database.transaction(officer(world.bank)) as tx:
        answer_urging(tx, officer(world.bank), promised, "已联系", LATER + timedelta(days=1), LATER, THEN)
    fresh = urged(database, world.bank, ground=UrgingGround.LATE, days=20)
    day = LATER + timedelta(days=10)
    with database.transaction(CITY) as tx:
        rows, total = urgings.list_of(tx, CITY, "open", day)
        assert ([row.id for row in rows], total) == ([late, promised, fresh], 3)
        assert [row.is_late for row in rows] == [True, False, False] and rows[1].is_broken
        assert urgings.list_of(tx, CITY, "overdue", day)[1] == 2
        assert (urgings.count_for(tx, CITY, day), urgings.count_for(tx, officer(world.bank), day)) == (2, 1)
        before = urgings.counts(tx, LATER, LATER)
        end_urging(tx, CITY, late, UrgingState.ESCALATED, "转监管部门。", day, instant_on(day))
        assert urgings.counts(tx, LATER, LATER) == before == (3, 1, 3, 0)
        assert urgings.counts(tx, day, day) == (0, 0, 2, 0)
        assert urgings.counts(tx, day - timedelta(days=1), day - timedelta(days=1)).overdue == 1
