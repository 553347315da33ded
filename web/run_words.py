"""The platform's own work in words: tasks by name, and what a run says of its steps."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from service.jobs.timetable import TIMETABLE
from web import words
from web.language import SOURCE, Phrase, gettext, spoken
from web.language import lazy as _

COUNTED: Mapping[str, Phrase] = {
    "due dates": _("补算时限 %(n)s 项"),
    "judged": _("评判 %(n)s 笔"),
    "warned": _("提醒即将到期 %(n)s 笔"),
    "expired": _("到期 %(n)s 笔"),
    "offers lapsed": _("报价过期 %(n)s 份"),
    "answers given": _("生效反馈 %(n)s 项"),
    "silent": _("逾期未反馈 %(n)s 项"),
    "lists": _("清单 %(n)s 份"),
    "lines": _("推送 %(n)s 项"),
    "demands": _("涉及需求 %(n)s 笔"),
    "proposals": _("请企业授权 %(n)s 笔"),
    "without a bank": _("暂无银行 %(n)s 笔"),
    "reminded": _("提醒时限 %(n)s 项"),
    "counted": _("汇总用时 %(n)s 项"),
    "areas counted": _("汇总区域 %(n)s 个"),
    "withdrawn": _("撤下有误的记录 %(n)s 条"),
    "profiles": _("更新画像 %(n)s 户"),
    "scored": _("影子评分 %(n)s 笔"),
    "unreadable": _("读不出的模型 %(n)s 个"),
}
"""What a step counts, as the cycle writes it down."""
ENDED: Mapping[str, Phrase] = {
    "cancelled after": _("取消前完成到：%(said)s"),
    "interrupted after": _("中断前完成到：%(said)s"),
}


@dataclass(frozen=True)
class Shown:
    """A run as pages show it."""

    id: int
    name: str
    on: date | None
    started_at: datetime
    ended_at: datetime | None
    state: str
    done: int
    total: int
    message: str
    is_stopping: bool


_COUNT = re.compile(r"(\d+) ([a-z ]+)")


def task(name: str) -> str:
    """A task of the timetable in words; 'call x' is the timetable's hand that only queues x."""
    if name.startswith("call "):
        return gettext("按时间表排入：%(task)s") % {"task": task(name.removeprefix("call "))}
    for entry in TIMETABLE:
        if entry.task == name:
            return entry.words.zh if spoken() == SOURCE else entry.words.en
    return name


def shown(rows: Sequence[Row[Any]]) -> list[Shown]:
    """Runs in words: the day's work has one name, however it was begun."""
    return [
        Shown(
            row.id,
            gettext("每日流程") if row.name in ("cycle", "today") else task(row.name),
            row.on,
            row.started_at,
            row.ended_at,
            row.state,
            row.done,
            row.total,
            said(row.message) if row.message else "",
            row.cancel_asked and row.state == "running",
        )
        for row in rows
    ]


def said(message: str) -> str:
    """A run's message for people: counts in words, the names of steps too; what is not known stays as written."""
    ended, colon, rest = message.partition(": ")
    if colon and ended in ENDED:
        return str(ENDED[ended].with_(said=said(rest)))
    if colon and ended in words.GROUPS["cycle_step"]:
        return gettext("%(step)s：%(said)s") % {"step": words.of("cycle_step", ended), "said": said(rest)}
    if message in words.GROUPS["cycle_step"]:
        return words.of("cycle_step", message)
    parts = re.split(r"[;,] ", message)
    return gettext("，").join(_counted(part) for part in parts if not part.startswith("0 ")) or gettext("没有要做的事")


def _counted(part: str) -> str:
    match = _COUNT.fullmatch(part)
    if match is None or match[2] not in COUNTED:
        return part
    return str(COUNTED[match[2]].with_(n=f"{int(match[1]):,}"))
