"""Jobs are rows: there only if their transaction committed, done once, taken up again when their worker is gone."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import procrastinate
import pytest
from sqlalchemy import text

from service.jobs.tasks import MOST_ATTEMPTS, do_today, forget_drafts, make_app, put, sweep_stalled
from service.jobs.timetable import TIMETABLE
from service.jobs.worker import run
from service.store import job_list
from service.store.database import Database, transaction
from service.store.queue import TODAY as TODAYS_WORK
from service.store.queue import defer_in
from tests.lending import CYCLE, Lending, officer, rows_of


def jobs() -> list[tuple]:
    with transaction(CYCLE) as tx:
        return [
            tuple(row)
            for row in rows_of(tx, "SELECT task_name, status::text, attempts FROM procrastinate_jobs ORDER BY id")
        ]


def with_app(database: Database, settings: Any, act: Callable[[procrastinate.App], Coroutine[Any, Any, Any]]) -> Any:
    async def inside() -> Any:
        app = make_app(settings, database.address.cycle_url)
        async with app.open_async():
            return await act(app)

    return asyncio.run(inside())


def test_a_job_handed_over_in_a_transaction_that_fails_was_never_there(database) -> None:
    with pytest.raises(ValueError, match="too late"), transaction(officer(1)) as tx:
        assert defer_in(tx, TODAYS_WORK, once=TODAYS_WORK)
        raise ValueError("too late")
    assert jobs() == []


def test_a_job_handed_over_in_a_transaction_that_commits_is_done(database, settings) -> None:
    with transaction(officer(1)) as tx:
        assert defer_in(tx, TODAYS_WORK, once=TODAYS_WORK)
    asyncio.run(run(settings, wait=False, install_signal_handlers=False))
    assert jobs()[0] == (TODAYS_WORK, "succeeded", 1)  # the timetable may have called for more after it
    with transaction(CYCLE) as tx:
        assert [row.state for row in rows_of(tx, "SELECT state FROM run")] == ["done"]


def test_one_waiting_job_is_enough_and_a_second_call_takes_nothing_else_with_it(database) -> None:
    for number in range(2):
        with transaction(CYCLE) as tx:
            Lending(tx, banks=number).bank()
            assert defer_in(tx, TODAYS_WORK, once=TODAYS_WORK) == (number == 0)
    assert len(jobs()) == 1
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM bank")[0].n == 2


def test_two_days_works_never_run_side_by_side(database, settings) -> None:
    with transaction(officer(1)) as tx:
        defer_in(tx, TODAYS_WORK, once=TODAYS_WORK)
        rows_of(tx, "UPDATE procrastinate_jobs SET status = 'doing' RETURNING id")
    with_app(database, settings, lambda app: put(app, TODAYS_WORK))
    with transaction(CYCLE) as tx:
        fetch = "SELECT id FROM procrastinate_fetch_job_v2(NULL, NULL) WHERE id IS NOT NULL"
        assert rows_of(tx, fetch) == []
        rows_of(tx, "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'doing' RETURNING id")
        assert len(rows_of(tx, fetch)) == 1


def test_a_worker_does_at_its_start_what_the_day_lacks(database, settings) -> None:
    asyncio.run(run(settings, wait=False, install_signal_handlers=False))
    assert (TODAYS_WORK, "succeeded", 1) in jobs()


def test_a_job_whose_worker_is_gone_is_taken_up_again_but_not_for_ever(database, settings) -> None:
    async def put_it(app: procrastinate.App) -> None:
        await put(app, TODAYS_WORK)
        await put(app, TODAYS_WORK)

    with_app(database, settings, put_it)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        with transaction(CYCLE) as tx:
            tx.execute(
                text("UPDATE procrastinate_jobs SET status = 'doing', attempts = :n, worker_id = NULL"), {"n": attempt}
            )
        assert with_app(database, settings, sweep_stalled) == 1
        assert jobs()[0][1] == ("todo" if attempt < MOST_ATTEMPTS else "failed")


def test_what_a_job_fails_with_is_kept_with_its_places_and_goes_with_the_job(database, settings, monkeypatch) -> None:
    def breaks(_settings: Any) -> None:
        raise ValueError("no room left\nDETAIL: a firm's own words")

    monkeypatch.setattr("service.jobs.tasks.do_today", breaks)
    asyncio.run(run(settings, wait=False, install_signal_handlers=False))
    assert (TODAYS_WORK, "failed", 1) in jobs()
    with transaction(CYCLE) as tx:
        job, *_ = rows_of(tx, f"SELECT id FROM procrastinate_jobs WHERE task_name = '{TODAYS_WORK}' ORDER BY id")
        (fault,) = job_list.list_faults(tx, job.id)
    assert (fault.attempt, fault.what) == (1, "ValueError: no room left")
    assert "test_jobs.py" in fault.places[-1]
    assert "a firm's own words" not in str(fault)
    with transaction(officer(1)) as tx:
        assert job_list.list_faults(tx, job.id) == []
    with transaction(CYCLE) as tx:
        tx.execute(text("DELETE FROM procrastinate_jobs"))
    forget_drafts(settings)
    with transaction(CYCLE) as tx:
        assert job_list.list_faults(tx, job.id) == []


def test_every_line_of_the_timetable_names_a_task_and_calls_it_once(database, settings) -> None:
    async def call(app: procrastinate.App) -> list[str]:
        for entry in TIMETABLE:
            await app.tasks[f"call {entry.task}"](timestamp=0)
            await app.tasks[f"call {entry.task}"](timestamp=0)
        return sorted(app.tasks)

    names = with_app(database, settings, call)
    assert {entry.task for entry in TIMETABLE} <= set(names)
    assert sorted(job[0] for job in jobs()) == sorted(entry.task for entry in TIMETABLE)


def test_the_day_s_work_follows_the_platform_s_own_clock(database, settings) -> None:
    do_today(settings)
    with transaction(CYCLE) as tx:
        (row,) = rows_of(tx, 'SELECT name, "on" FROM run')
    assert (row.name, row.on) == ("today", settings.demo_on)
