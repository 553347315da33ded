"""The platform's work: jobs by state with a second try, runs with their progress, the day's work now, the pause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.look_after_jobs import MAY_BE_RETRIED, ask_for_today, cancel_run, pause_cycle, retry_job
from service.doors import AnOperator, Now, Tx
from service.jobs.tasks import SILENT_SECONDS
from service.store import job_list, runs
from web import run_words, words
from web.csrf import guard
from web.flash import redirect
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import Tab
from web.pages.operator import badge
from web.render import page
from web.run_words import Shown

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
RECENT_RUNS = 20
STATES = ("failed", "stalled", "doing", "todo", "succeeded")
COLUMNS = (
    Column("task", _("任务")),
    Column("state", _("状态")),
    Column("attempts", _("已试次数"), numeric=True),
    Column("changed_at", _("最近变化")),
    Column("act", _("办理")),
)
TONES = {"failed": "wrong", "stalled": "wrong", "doing": "", "todo": "wait", "succeeded": "done"}


@dataclass(frozen=True)
class JobsPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    state: str
    tones: Mapping[str, str]
    workers: int
    paused: bool
    runs: Sequence[Shown]

    @property
    def running(self) -> Shown | None:
        return next((run for run in self.runs if run.state == "running"), None)

    @staticmethod
    def task(name: str) -> str:
        return run_words.task(name)


@dataclass(frozen=True)
class RunPage:
    run: Shown


@router.get("/operator/jobs")
def show_jobs(request: Request, _who: AnOperator, tx: Tx) -> Response:
    """Is the work done, what failed, and what do I set going?"""
    counts = job_list.count_by_state(tx, SILENT_SECONDS)
    asked = request.query_params.get("state", "")
    state = asked if asked in STATES else ""
    wish = Wish.of(request, COLUMNS, usual="id")
    rows = job_list.list_jobs(tx, SILENT_SECONDS, state or None, offset=wish.offset(50))
    total = counts.get(state, 0) if state else sum(counts.values())
    tabs = [Tab(gettext("全部"), "/operator/jobs", not state, sum(counts.values()))]
    tabs += [
        Tab(words.of("job_status", one), f"/operator/jobs?state={one}", one == state, counts.get(one, 0))
        for one in STATES
    ]
    view = JobsPage(
        listing=Listing(COLUMNS, rows, total, "/operator/jobs", wish, {"state": state}),
        tabs=tabs,
        state=state,
        tones=TONES,
        workers=job_list.workers(tx, SILENT_SECONDS),
        paused=runs.is_paused(tx),
        runs=run_words.shown(runs.list_recent(tx, RECENT_RUNS)),
    )
    return page(request, "operator/jobs.html", view)


@router.post("/operator/runs")
def ask(request: Request, who: AnOperator, tx: Tx, now: Now) -> Response:
    """Do now what today still lacks; twice is once."""
    if not ask_for_today(tx, who, now):
        return redirect(request, "/operator/jobs", gettext("已经在排队，不必再要求一次。"), "info")
    return redirect(request, "/operator/jobs", gettext("已排队，任务进程会马上开始。"))


@router.get("/operator/runs/{run_id}")
def show_run(request: Request, _who: AnOperator, tx: Tx, run_id: int) -> Response:
    """How far a run is, or how it ended."""
    (run,) = run_words.shown([runs.get(tx, run_id)])
    return page(request, "operator/run.html", RunPage(run), part="progress")


@router.post("/operator/runs/{run_id}/cancellation")
def cancel(request: Request, who: AnOperator, tx: Tx, now: Now, run_id: int) -> Response:
    """Stop after the present step; nothing done is undone."""
    cancel_run(tx, who, run_id, now)
    return redirect(request, f"/operator/runs/{run_id}", gettext("已要求停止，做完当前一步就停。"))


@dataclass(frozen=True)
class JobPage:
    job: Row[Any]
    task: str
    tone: str
    events: Sequence[Row[Any]]
    faults: Sequence[Row[Any]]

    @property
    def may_be_retried(self) -> bool:
        return self.job.state in MAY_BE_RETRIED


@router.get("/operator/jobs/{job_id}")
def show_job(request: Request, _who: AnOperator, tx: Tx, job_id: int) -> Response:
    """What a job was given, what became of it, and what went wrong in each try."""
    job = job_list.get(tx, job_id, SILENT_SECONDS)
    events, faults = job_list.list_events(tx, job_id), job_list.list_faults(tx, job_id)
    view = JobPage(job, run_words.task(job.task_name), TONES.get(job.state, "off"), events, faults)
    return page(request, "operator/job.html", view)


@router.post("/operator/jobs/{job_id}/retry")
def retry(request: Request, who: AnOperator, tx: Tx, now: Now, job_id: int) -> Response:
    """Try a failed or stalled job again."""
    retry_job(tx, who, job_id, SILENT_SECONDS, now)
    return redirect(request, "/operator/jobs", gettext("已重新排队。"))


@router.get("/operator/cycle")
def show_pause(request: Request, _who: AnOperator, tx: Tx) -> Response:
    """What pausing means, before it is done."""
    return page(request, "operator/cycle.html", CyclePage(runs.is_paused(tx)))


@dataclass(frozen=True)
class CyclePage:
    paused: bool


@router.post("/operator/cycle/pause")
def pause(request: Request, who: AnOperator, tx: Tx, now: Now) -> Response:
    """From now on no run begins."""
    pause_cycle(tx, who, now, paused=True)
    return redirect(request, "/operator/jobs", gettext("已暂停每日流程。"), "warning")


@router.post("/operator/cycle/resumption")
def resume(request: Request, who: AnOperator, tx: Tx, now: Now) -> Response:
    """Runs begin again, with what was missed."""
    pause_cycle(tx, who, now, paused=False)
    return redirect(request, "/operator/jobs", gettext("已恢复每日流程，缺的工作会补做。"))
