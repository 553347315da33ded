"""The operator's hand on the platform's work: ask for the day's work now, retry, stop a run, pause the cycle."""

from datetime import datetime

from sqlmodel import Session

from service.domain.errors import Conflict, NotAllowed, NotFound
from service.domain.people import Role, Who
from service.store import health, job_list, queue, runs, trail
from service.store.trail import Act

MAY_BE_RETRIED = frozenset({"failed", "stalled"})


def ask_for_today(tx: Session, who: Who, now: datetime) -> bool:
    """Queue 'do what today still lacks'; False where it waits already, and nothing changes."""
    _must_be_operator(who)
    if runs.is_paused(tx):
        raise Conflict("每日流程已暂停，请先恢复。")
    if not queue.defer_in(tx, queue.TODAY, once=queue.TODAY):
        return False
    trail.append(tx, who, [Act("asked_for", "job", new=queue.TODAY)], now)
    return True


def retry_job(tx: Session, who: Who, job_id: int, silent_seconds: float, now: datetime) -> None:
    """Put a failed or stalled job back into the queue.

    Errors: NotFound where there is none; Conflict where it is neither, or where one of its kind waits already.
    """
    _must_be_operator(who)
    job = job_list.lock(tx, job_id, silent_seconds)
    if job is None:
        raise NotFound("没有这个任务。")
    if job.state not in MAY_BE_RETRIED:
        raise Conflict("这个任务没有失败，也没有中断，不需要重试。")
    if not job_list.retry(tx, job_id):
        raise Conflict("同样的任务已经在排队，不需要重试。")
    act = Act("retried", "job", job_id, old=job.state, new="todo", details={"task": job.task_name})
    trail.append(tx, who, [act], now)


def cancel_run(tx: Session, who: Who, run_id: int, now: datetime) -> None:
    """Ask a run to stop after its present step; what its steps have done stays.

    Errors: NotFound where there is none, Conflict where it has ended.
    """
    _must_be_operator(who)
    runs.get(tx, run_id)
    if not runs.ask_cancel(tx, run_id):
        raise Conflict("这次运行已经结束，不能取消。")
    trail.append(tx, who, [Act("stopped", "run", run_id, old="running")], now)


def pause_cycle(tx: Session, who: Who, now: datetime, *, paused: bool) -> bool:
    """Pause the daily cycle, or let it go on; False where it stood so already, and nothing changes."""
    _must_be_operator(who)
    if not health.set_paused(tx, paused=paused):
        return False
    trail.append(tx, who, [Act("paused" if paused else "resumed", "cycle")], now)
    return True


def _must_be_operator(who: Who) -> None:
    if who.role is not Role.OPERATOR:
        raise NotAllowed("只有运行人员可以办理。")
