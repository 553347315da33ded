"""The operator's pages: is the data fresh, are the jobs done, is the model still right, and what do I do now?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from matching.policy import Policy, kept_policy
from service.accelerator import Status
from service.domain.outgoing import MessageState
from service.doors import AnOperator, Now, TheHouse, Today, Tx
from service.intake.catalogue import Item, load_catalogue
from service.jobs.tasks import SILENT_SECONDS
from service.store import firm_days, health, job_list, models, objections, outgoing, runs
from web import run_words
from web.csrf import guard
from web.language import gettext, ngettext
from web.render import page
from web.run_words import Shown
from web.shell import Badge

RECENT_RUNS = 6
NEEDS_A_HAND = (MessageState.FAILED, MessageState.UNKNOWN)


def badge(request: Request, who: AnOperator, tx: Tx, today: Today) -> None:
    """The header says who looks after the platform, how many jobs failed and how many objections are due."""
    failed = job_list.count_by_state(tx, SILENT_SECONDS).get("failed", 0)
    tallies = {"failed": failed, "objections": objections.count_due(tx, who, today)}
    request.state.badge = Badge(who.name, who.role, gettext("平台"), tallies)


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


@dataclass(frozen=True)
class Task:
    """Something that wants a hand, and where."""

    label: str
    state: str
    tone: str
    address: str
    hint: str = ""


@dataclass(frozen=True)
class Source:
    """How fresh one item of the catalogue is. `age` is None where nothing ever came."""

    item: Item
    latest_on: date | None
    age: int | None

    @property
    def state(self) -> str:
        if self.age is None:
            return "missing"
        return "stale" if self.age > self.item.freshness_days else "fresh"


@dataclass(frozen=True)
class HomePage:
    tasks: Sequence[Task]
    database: Row[Any]
    kind: str
    size: str
    accelerator: Status
    runs: Sequence[Shown]
    jobs: Mapping[str, int]
    workers: int
    sources: Sequence[Source]
    catalogue: str
    model: str | None
    policy: Policy
    now: datetime
    today: date
    is_demo: bool
    paused: bool
    waiting_lines: int

    @property
    def running(self) -> Shown | None:
        return next((run for run in self.runs if run.state == "running"), None)

    @property
    def redis(self) -> str:
        """'redis', 'process' (none is wanted) or 'away' (wanted, and it does not answer)."""
        return "away" if self.accelerator.is_wanted and self.accelerator.kind == "process" else self.accelerator.kind


@router.get("/operator")
def show_health(request: Request, _who: AnOperator, tx: Tx, house: TheHouse, today: Today, now: Now) -> Response:
    """Does everything run, and what wants a hand?"""
    switch = health.find_switch(tx)
    paused = bool(switch and switch.cycle_paused)
    jobs = job_list.count_by_state(tx, SILENT_SECONDS)
    workers = job_list.workers(tx, SILENT_SECONDS)
    recent, sources = runs.list_recent(tx, RECENT_RUNS), freshness(tx, today)
    waiting, stands_on = health.count_waiting_lines(tx), health.database(tx)
    model = switch.model_version if switch else None
    tasks = [*_work_tasks(jobs, workers, recent, paused=paused), *_data_tasks(sources, waiting)]
    tasks += _message_tasks(outgoing.count_by_state(tx, NEEDS_A_HAND))
    tasks += _model_tasks(model, models.find_waiting(tx), today)
    view = HomePage(
        tasks=tasks,
        database=stands_on,
        kind=house.database.address.kind,
        size=_size(stands_on.size),
        accelerator=house.accelerator.status(),
        runs=run_words.shown(recent),
        jobs=jobs,
        workers=workers,
        sources=sources,
        catalogue=load_catalogue().version,
        model=model,
        policy=kept_policy(house.settings.policy),
        now=now,
        today=today,
        is_demo=house.settings.demo,
        paused=paused,
        waiting_lines=waiting,
    )
    return page(request, "operator/home.html", view, part="live")


def freshness(tx: Tx, today: date) -> list[Source]:
    """Every item of the catalogue with its source's last day, those that want a hand first."""
    came = firm_days.source_days(tx)
    found = []
    for item in load_catalogue().items.values():
        latest = came[item.id][1] if item.id in came else None
        found.append(Source(item, latest, (today - latest).days if latest else None))
    order = {"stale": 0, "missing": 1, "fresh": 2}
    return sorted(found, key=lambda one: order[one.state])


def _work_tasks(jobs: Mapping[str, int], workers: int, recent: Sequence[Row[Any]], *, paused: bool) -> list[Task]:
    found = []
    if paused:
        found.append(
            _task(
                gettext("每日流程已暂停"),
                gettext("暂停"),
                "wait",
                "/operator/jobs",
                gettext("恢复之前不评判、不推送。"),
            )
        )
    if not workers:
        hint = gettext("请在服务器上运行 xindeng work，否则任务只排队、不执行。")
        found.append(_task(gettext("没有在工作的任务进程"), gettext("停"), "wrong", "/operator/jobs", hint))
    for state, label in (("failed", gettext("失败的任务")), ("stalled", gettext("中断的任务"))):
        if jobs.get(state):
            tally = ngettext("%(num)d 个", "%(num)d 个", jobs[state]) % {"num": jobs[state]}
            found.append(_task(label, tally, "wrong", f"/operator/jobs?state={state}"))
    last = next((run for run in recent if run.name in ("today", "cycle")), None)
    if last is not None and last.state == "failed":
        hint = run_words.said(last.message)
        found.append(
            _task(gettext("最近一次每日流程失败"), gettext("失败"), "wrong", f"/operator/runs/{last.id}", hint)
        )
    return found


def _data_tasks(sources: Sequence[Source], waiting: int) -> list[Task]:
    found = []
    for state, label in (("stale", gettext("数据过期的目录项")), ("missing", gettext("从未收到的目录项"))):
        if late := [one for one in sources if one.state == state]:
            tally = ngettext("%(num)d 项", "%(num)d 项", len(late)) % {"num": len(late)}
            found.append(_task(label, tally, "wait", "/operator/feeds#upload", gettext("请催报，或在这里上传。")))
    if waiting:
        tally = ngettext("%(num)d 项", "%(num)d 项", waiting) % {"num": waiting}
        found.append(_task(gettext("时限等待日历公布"), tally, "wait", "/operator/calendar"))
    return found


def _message_tasks(messages: Mapping[str, int]) -> list[Task]:
    found = []
    for state, label in (("failed", gettext("没有发出的消息")), ("unknown", gettext("去向不明的消息"))):
        if messages.get(state):
            tally = ngettext("%(num)d 条", "%(num)d 条", messages[state]) % {"num": messages[state]}
            found.append(_task(label, tally, "wrong", f"/operator/outbox?state={state}"))
    return found


def _model_tasks(model: str | None, proposed: Row[Any] | None, today: date) -> list[Task]:
    found = []
    if model is None:
        hint = gettext("请在服务器上运行 xindeng train；在此之前，评估一律写明“未知”。")
        found.append(_task(gettext("还没有启用模型"), gettext("缺"), "wait", "/operator/models", hint))
    if proposed is not None and proposed.expires_on >= today:
        hint = gettext("%(who)s 提议，须由另一名运行人员确认。") % {"who": proposed.proposed_by_name}
        found.append(_task(gettext("启用模型的提议"), gettext("待确认"), "wait", "/operator/models", hint))
    return found


def _task(label: str, state: str, tone: str, address: str, hint: str = "") -> Task:
    return Task(label, state, tone, address, hint)


def _size(octets: int) -> str:
    """Bytes as people count a disk."""
    return f"{octets / (1 << 30):.1f} GB" if octets >= 1 << 30 else f"{octets / (1 << 20):.0f} MB"
