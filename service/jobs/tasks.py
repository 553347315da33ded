"""What the worker can do: each task opens its own transactions, can be repeated, and leaves a row that shows it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Status

from service.actions.hold_answers import give_held
from service.actions.make_export import Kinds, forget_expired, make_waiting
from service.actions.promote_model import expire_promotions
from service.actions.rehearse_policy import rehearse_waiting
from service.actions.run_cycle import Ran, run_cycle
from service.actions.send_messages import Sending, send_messages
from service.actions.shadow_models import AT_ONCE as SCORED_AT_ONCE
from service.actions.shadow_models import count_unscored, score_unscored
from service.actions.train_model import register_kept
from service.clock import Clock
from service.domain.outgoing import Compose
from service.domain.people import the_platform
from service.jobs.forgetting import forget_old_codes, forget_old_enquiries, forget_old_messages
from service.jobs.timetable import TIMETABLE
from service.message_providers import providers_of
from service.settings import Settings
from service.store import drafts, job_list, registrations, runs
from service.store.database import transaction
from service.store.queue import EXPORT, HELD, MESSAGES, REHEARSE, SHADOW, TODAY

MOST_ATTEMPTS = 3
"""A job that ended its worker so often is not tried again: it waits as failed for the operator."""
SILENT_SECONDS = 20
KEPT_HOURS = 7 * 24
MODELS = the_platform("models")
log = structlog.get_logger("jobs")
Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Handed:
    """What the pages, which stand above this floor, hand to the worker: their words."""

    exports: Kinds = field(default_factory=dict)
    """What can be exported, by kind."""
    compose: Compose | None = None
    """Who writes the messages that leave; None: none leave."""


def make_app(settings: Settings, conninfo: str, handed: Handed | None = None) -> procrastinate.App:
    """The queue's tasks on a connection pool of their own, as the platform's role."""
    handed = handed or Handed()
    connector = procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=4)
    app = procrastinate.App(connector=connector)

    async def sweep() -> None:
        await sweep_stalled(app)

    async def tidy() -> None:
        await asyncio.to_thread(forget_old_enquiries, settings)
        await app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, include_failed=False)
        await asyncio.to_thread(forget_drafts, settings)
        await asyncio.to_thread(forget_expired, settings)
        await asyncio.to_thread(forget_old_messages, settings)
        await asyncio.to_thread(forget_old_codes)

    one_by_one: dict[str, Work] = {
        TODAY: _in_a_thread(do_today, settings),
        SHADOW: _in_a_thread(do_shadows, settings),
        REHEARSE: _in_a_thread(rehearse_waiting, settings),
        EXPORT: _in_a_thread(make_waiting, settings, handed.exports),
        HELD: _in_a_thread(do_held, settings),
        MESSAGES: _in_a_thread(do_messages, settings, handed.compose),
    }
    work: dict[str, Work] = {**one_by_one, "sweep": sweep, "tidy": tidy}
    for name, act in work.items():
        lock = name if name in one_by_one else None
        app.task(name=name, lock=lock, queueing_lock=name, pass_context=True)(_with_faults_kept(act, settings))
    for entry in TIMETABLE:
        app.periodic(cron=entry.cron, periodic_id=entry.task)(_caller(app, entry.task))
    return app


def _in_a_thread(act: Callable[..., object], *given: object) -> Work:
    """The platform's own work waits for the database; the queue's loop does not."""

    async def work() -> None:
        await asyncio.to_thread(act, *given)

    return work


def _with_faults_kept(act: Work, settings: Settings) -> Callable[[procrastinate.JobContext], Awaitable[None]]:
    """What a try fails with is kept for the operator, and raised all the same."""

    async def tried(context: procrastinate.JobContext) -> None:
        try:
            await act()
        except Exception as fault:
            await asyncio.to_thread(_keep_fault, context, fault, settings)
            raise

    return tried


def _keep_fault(context: procrastinate.JobContext, fault: Exception, settings: Settings) -> None:
    with transaction(the_platform("jobs")) as tx:
        job_list.add_fault(tx, int(context.job.id or 0), context.job.attempts + 1, fault, Clock(settings.demo_on).now())


def _caller(app: procrastinate.App, task: str) -> procrastinate.tasks.Task:  # type: ignore[type-arg]
    """The timetable's hand: it only puts the task into the queue, once."""

    @app.task(name=f"call {task}", queueing_lock=f"call {task}")
    async def call(timestamp: int) -> None:
        await put(app, task)
        log.debug("called", task=task, timestamp=timestamp)

    return call


async def put(app: procrastinate.App, task: str) -> None:
    """Queue the task unless it waits there already."""
    try:
        await app.tasks[task].defer_async()
    except AlreadyEnqueued:
        log.debug("waits already", task=task)


def do_today(settings: Settings) -> Ran:
    """Run the day's steps for the present day of the platform's clock."""
    clock = Clock(settings.demo_on)
    ran = run_cycle(settings, clock.today(), clock.now(), name=TODAY)
    log.info("today", state=ran.state, **ran.steps)
    return ran


def do_held(settings: Settings) -> int:
    """Give the answers of banks that can no longer be taken back; how many."""
    with transaction(the_platform(HELD)) as tx:
        return give_held(tx, Clock(settings.demo_on).now())


def do_messages(settings: Settings, compose: Compose | None) -> None:
    """Send what may leave now; without anybody who writes the words, nothing."""
    if compose is None:
        return
    ended = send_messages(Sending(settings, providers_of(settings), compose), Clock(settings.demo_on))
    if ended:
        log.info(MESSAGES, **ended)


def forget_drafts(settings: Settings) -> int:
    """Remove what firms filled in and left for too long, at home or at the door, and what went wrong in jobs that are
    gone; how many drafts."""
    now = Clock(settings.demo_on).now()
    with transaction(the_platform("tidy")) as tx:
        job_list.forget_faults(tx)
        return drafts.remove_stale(tx, now) + registrations.remove_stale(tx, now)


def do_shadows(settings: Settings, most: int = SCORED_AT_ONCE) -> int:
    """Score what the shadow models lack, batch by batch; how many.

    First models in the folder that nobody entered are entered, and proposals nobody confirmed in time end.
    """
    clock = Clock(settings.demo_on)
    today, now = clock.today(), clock.now()
    with transaction(MODELS) as tx:
        register_kept(tx, MODELS, settings, now)
        expire_promotions(tx, MODELS, today, now)
        lacking = count_unscored(tx, today)
        if not lacking:
            return 0
        run_id = runs.start(tx, SHADOW, today, -(-lacking // most), now)
    scored, unreadable, state = 0, 0, "done"
    try:
        while True:
            with transaction(MODELS) as tx:
                batch = score_unscored(tx, MODELS, settings.models, today, now, most)
                scored, unreadable = scored + batch.scored, batch.unreadable
                if not batch.scored:
                    break
                if runs.step(tx, run_id, f"{scored} scored"):
                    state = "cancelled"
                    break
    except Exception as fault:
        _end_run(run_id, "failed", str(fault), settings)
        raise
    _end_run(run_id, state, f"{scored} scored; {unreadable} unreadable", settings)
    log.info(SHADOW, scored=scored, unreadable=unreadable)
    return scored


def _end_run(run_id: int, state: str, message: str, settings: Settings) -> None:
    with transaction(MODELS) as tx:
        runs.end(tx, run_id, state, message, Clock(settings.demo_on).now())


async def sweep_stalled(app: procrastinate.App, silent_seconds: float = SILENT_SECONDS) -> int:
    """Jobs whose worker fell silent go back into the queue; those that did it too often fail. How many were found."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_seconds))
    for job in stalled:
        if job.attempts >= MOST_ATTEMPTS:
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
            log.error("given up", job=job.id, task=job.task_name, attempts=job.attempts)
        else:
            await app.job_manager.retry_job(job)
            log.warning("taken up again", job=job.id, task=job.task_name, attempts=job.attempts)
    return len(stalled)
