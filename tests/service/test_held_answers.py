"""Answers to many lines at once: held for a while, undone or given, counted from when they were confirmed."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.actions import hold_answers as acting
from service.actions.answer_push import answer_line
from service.actions.give_consent import withdraw_consent
from service.actions.hold_answers import Together, give_held, hold_answers, undo_held
from service.actions.push_lists import push_missing
from service.actions.run_cycle import run_cycle
from service.clock import instant_on
from service.domain.answering import AnswerForm
from service.domain.errors import Conflict, NotAllowed, NotFound
from service.jobs.tasks import do_held
from service.store import held_answers
from service.store.held_answers import Batch
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    rows_of,
)  # fmt: skip

LATER = NOW + timedelta(seconds=60)
KEY = "a" * 32


@pytest.fixture
def world(database):
    """Fang and Feng stand on the list of Bai's bank."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


def of(database, table: str, **where) -> list:
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, table, **where)


def lines(database) -> list[int]:
    return [line["id"] for line in of(database, "push_line")]


def states(database) -> list[str]:
    return [line["state"] for line in of(database, "push_line")]


def held(database, world, kind: str = "received", key: str = KEY, now=NOW, **other):
    """Bai answers both lines together."""
    who, today = bai(world.bank), now.astimezone(NOW.tzinfo).date()
    with database.transaction(who) as tx:
        return hold_answers(tx, who, Together(key, lines(database), kind, **other), today, now)


def given(database, now=LATER) -> int:
    with database.transaction(PLATFORM) as tx:
        return give_held(tx, now)


def test_a_held_answer_changes_nothing_until_its_time_is_over_and_then_counts_from_its_own(database, world) -> None:
    assert [one.error for one in held(database, world, "contacted")] == [None, None]
    assert given(database, LATER - timedelta(seconds=1)) == 0
    assert states(database) == ["pushed", "pushed"]
    assert given(database) == 2
    assert states(database) == ["contacted", "contacted"]
    answers = of(database, "answer")
    assert {(one["answered_at"], one["answered_on"], one["answered_by"]) for one in answers} == {(NOW, TODAY, 3)}
    assert {one["state"] for one in of(database, "held_answer")} == {"given"}
    entries = of(database, "trail", noun="push_line")
    verbs = [one["verb"] for one in entries if one["verb"] in ("held", "contacted")]
    assert sorted(verbs) == ["contacted", "contacted", "held", "held"]
    assert {one["uscc"] for one in entries if one["verb"] == "held"} == {None}  # no firm hears


def test_undone_it_was_never_given_and_leaves_one_entry_a_line(database, world) -> None:
    held(database, world, "refused", reasons=("industry",))
    who = bai(world.bank)
    first = lines(database)[0]
    for line_id, undone in ((first, 1), (None, 1), (None, 0)):
        with database.transaction(who) as tx:
            assert undo_held(tx, who, KEY, line_id, NOW) == undone
    assert given(database) == 0
    assert states(database) == ["pushed", "pushed"]
    assert of(database, "answer") == []
    assert sorted(one["noun_id"] for one in of(database, "trail", verb="undone")) == lines(database)
    assert [one for one in held(database, world, key="b" * 32) if one.error] == []  # and the lines are free again


def test_when_its_time_is_over_it_cannot_be_undone_though_nobody_gave_it_yet(database, world) -> None:
    held(database, world)
    who = bai(world.bank)
    with database.transaction(who) as tx:
        assert undo_held(tx, who, KEY, None, LATER) == 0
    assert given(database) == 2


def test_sent_twice_it_is_held_once_and_given_twice_it_is_given_once(database, world) -> None:
    held(database, world)
    assert held(database, world) == []
    assert len(of(database, "held_answer")) == len(of(database, "trail", verb="held")) == 2
    assert (given(database), given(database)) == (2, 0)
    assert held(database, world) == []  # an old page sent once more
    assert len(of(database, "answer")) == 2


def test_a_line_waits_for_one_answer_at_a_time(database, world) -> None:
    held(database, world)
    again = held(database, world, "contacted", key="b" * 32)
    assert {type(one.error) for one in again} == {Conflict}
    who, line = bai(world.bank), lines(database)[0]
    with pytest.raises(Conflict), database.transaction(who) as tx:
        answer_line(tx, who, AnswerForm(line, "contacted"), TODAY, NOW)
    twice = text("UPDATE held_answer SET line_id = :line, batch = id::text")
    with pytest.raises(IntegrityError, match="held_answer_one_a_line"), database.transaction(PLATFORM) as tx:
        tx.execute(twice, {"line": line})


def test_an_answer_confirmed_on_the_last_day_is_in_time_whoever_gives_it_and_when(database, world, settings) -> None:
    (due,) = {line["due_on"] for line in of(database, "push_line")}
    last_minute = instant_on(due, 23, 59) + timedelta(seconds=30)
    who = bai(world.bank)
    with database.transaction(who) as tx:
        hold_answers(tx, who, Together(KEY, lines(database), "contacted"), due, last_minute)
    after = due + timedelta(days=1)
    soon = run_cycle(settings, after, last_minute + timedelta(seconds=40))  # past midnight, and still undoable
    assert soon.steps["silence"] == "0 silent"
    assert states(database) == ["pushed", "pushed"]
    late = run_cycle(settings, after, instant_on(after, 6))
    assert (late.steps["held"], late.steps["silence"]) == ("2 answers given", "0 silent")
    assert states(database) == ["contacted", "contacted"]
    assert {one["answered_on"] for one in of(database, "answer")} == {due}


def test_what_no_line_will_have_any_more_is_kept_with_its_reason(database, world) -> None:
    held(database, world)
    with database.transaction(FANG_HERSELF) as tx:
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    assert given(database) == 1
    (lost,) = of(database, "held_answer", state="not_taken")
    assert "已撤回" in lost["refusal"]["message"]


def test_a_process_that_dies_while_giving_loses_and_doubles_nothing(database, world, settings, monkeypatch) -> None:
    held(database, world)

    def die(*_args) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(acting.held_answers, "end", die)
        with pytest.raises(SystemExit):
            given(database)
    assert states(database) == ["pushed", "pushed"]
    assert {one["state"] for one in of(database, "held_answer")} == {"held"}
    monkeypatch.setattr("service.jobs.tasks.Clock.now", lambda _self: LATER)
    assert do_held(settings) == 2
    assert len(of(database, "answer")) == 2


def test_others_neither_hold_nor_undo_nor_see(database, world) -> None:
    ids = lines(database)
    stranger = bo(world.other_bank)
    with database.transaction(stranger) as tx:
        tried = hold_answers(tx, stranger, Together(KEY, ids, "received"), TODAY, NOW)
    assert {type(one.error) for one in tried} == {NotFound}
    with pytest.raises(NotAllowed), database.transaction(CITY) as tx:
        hold_answers(tx, CITY, Together(KEY, ids, "received"), TODAY, NOW)
    held(database, world)
    with pytest.raises(NotFound), database.transaction(stranger) as tx:
        undo_held(tx, stranger, KEY, None, NOW)
    for who in (stranger, FANG_HERSELF, CITY):
        with database.transaction(who) as tx:
            assert rows_of(tx, "held_answer") == [], who
            assert held_answers.take_due(tx, LATER, None) == []
    forged = Batch("c" * 32, "refused", ("industry",), "", TODAY, NOW, LATER)
    with pytest.raises(Exception, match="row-level security") as refused, database.transaction(stranger) as tx:
        held_answers.hold(tx, bai(world.bank), forged, ids)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
