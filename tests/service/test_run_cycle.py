"""A day's steps in order, each whole: run twice nothing changes, stopped or failed it can be taken up again."""

from datetime import date, timedelta

import pytest

from service.actions import run_cycle as cycle
from service.actions.run_cycle import STEPS, run_cycle
from service.domain.errors import Unavailable
from service.store import runs
from service.store.database import transaction
from tests.lending import CYCLE, NOW, TODAY, Lending, at, row_of, rows_of

COUNTS = ("trail", "notice", "push_list", "push_line", "light_change", "certificate", "figure_event", "verdict")


class Cast:
    """One demand to push, one whose bank has been silent."""

    def __init__(self) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            bank, other = city.bank(), city.bank()
            city.product(bank)
            late = city.product(other)
            self.fang = city.demand(consents=(bank,))
            self.silent = city.line(city.demand(), late, due_on=TODAY - timedelta(days=1))

    def counts(self) -> dict[str, int]:
        with transaction(CYCLE) as tx:
            return {table: rows_of(tx, f"SELECT count(*) AS n FROM {table}")[0].n for table in COUNTS}


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


def test_a_day_is_done_in_steps_that_tell_what_they_did(cast: Cast, settings) -> None:
    heard = []
    ran = run_cycle(settings, TODAY, NOW, told=lambda step, text: heard.append((step, text)))
    assert ran.state == "done"
    assert [step for step, _ in heard] == [step for step, _ in STEPS]
    assert ran.steps["silence"] == "1 silent"
    assert ran.steps["push"].startswith("1 lists, 1 lines, 1 demands")
    with transaction(CYCLE) as tx:
        run = runs.find_latest(tx, "cycle")
    assert (run.state, run.done, run.total, run.on) == ("done", len(STEPS), len(STEPS), TODAY)


def test_the_second_run_of_a_day_changes_nothing(cast: Cast, settings) -> None:
    run_cycle(settings, TODAY, NOW)
    before = cast.counts()
    ran = run_cycle(settings, TODAY, at(TODAY, 15))
    assert (ran.state, cast.counts()) == ("done", before)
    with transaction(CYCLE) as tx:
        assert len(runs.list_recent(tx)) == 1


def test_a_run_stops_where_it_was_asked_to_and_keeps_what_it_did(cast: Cast, settings) -> None:
    def stop(step: str, _text: str) -> None:
        if step == "held":
            with transaction(CYCLE) as tx:
                assert runs.ask_cancel(tx, runs.find_latest(tx, "cycle").id)

    ran = run_cycle(settings, TODAY, NOW, told=stop)
    assert ran.state == "cancelled"
    assert list(ran.steps) == ["calendar", "objections", "judge", "expire", "lapse", "held", "silence"]
    with transaction(CYCLE) as tx:
        assert row_of(tx, "push_line", cast.silent).state == "silent"
        assert rows_of(tx, "SELECT count(*) AS n FROM push_list WHERE certificate_id > 1")[0].n == 0
        assert not runs.ask_cancel(tx, ran.run_id)
    assert run_cycle(settings, TODAY, NOW).state == "done"


def test_a_step_that_fails_is_written_down_and_the_next_run_goes_on(cast: Cast, settings, monkeypatch) -> None:
    def break_down(*_given: object) -> str:
        raise Unavailable("磁盘已满")

    steps = tuple((name, break_down if name == "push" else act) for name, act in STEPS)
    with monkeypatch.context() as patch, pytest.raises(Unavailable):
        patch.setattr(cycle, "STEPS", steps)
        run_cycle(settings, TODAY, NOW)
    with transaction(CYCLE) as tx:
        run = runs.find_latest(tx, "cycle")
    assert (run.state, run.message, run.done) == ("failed", "push: 磁盘已满", 7)
    assert run_cycle(settings, TODAY, NOW).steps["push"].startswith("1 lists")


def test_a_day_without_a_calendar_is_named_and_done_all_the_same(cast: Cast, settings) -> None:
    ran = run_cycle(settings, date(2031, 1, 6), at(date(2031, 1, 6)))
    assert ran.state == "done"
    assert ran.message.startswith("2031 年的节假日安排尚未公布")
    with transaction(CYCLE) as tx:
        kept = runs.find_latest(tx, "cycle")  # what the operator reads
    assert (kept.state, kept.message, kept.done) == ("done", ran.message, len(STEPS))


def test_a_paused_cycle_does_nothing(cast: Cast, settings) -> None:
    with transaction(CYCLE) as tx:
        rows_of(tx, "INSERT INTO platform_state (id, cycle_paused) VALUES (1, true) RETURNING id")
    before = cast.counts()
    assert run_cycle(settings, TODAY, NOW).state == "paused"
    assert cast.counts() == before


def test_a_run_that_was_killed_is_shown_as_interrupted_by_the_next(cast: Cast, settings) -> None:
    with transaction(CYCLE) as tx:
        killed = runs.start(tx, "cycle", TODAY, 7, at(TODAY, 1))
    run_cycle(settings, TODAY, at(TODAY, 9))
    with transaction(CYCLE) as tx:
        latest = runs.find_latest(tx, "cycle")
        assert (latest.id, latest.state) == (killed, "done")
