"""Why a line is due when it is: which clock runs, from when, how long, what moved it, and what its end brings."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from service.actions.settle_demand import Cooling
from service.domain.clocks import WORKING_DAYS, Term, clock
from service.domain.push_list import LineState
from web import words
from web.formats import day, percent
from web.language import gettext, ngettext
from web.language import lazy as _

SILENCE = _(
    "%(day)s 过后仍无反馈，即记为沉默（与拒绝分开统计），当天重新匹配：有授权的直接推送，没有的征求企业授权；"
    "预计接受率低于 %(floor)s 的银行不再推送，改为有日期的计划。"
)
ENDS = {
    "contact": SILENCE,
    "decision": SILENCE,
    "grant": SILENCE,
    "papers": _("%(day)s 过后不再等资料，该行的决定时限继续走。"),
    "offer": _("%(day)s 过后报价失效，该行不再列入这笔需求的匹配。"),
}
"""What the end of each clock brings."""


def why(line: Any, terms: Any, *, own: bool = True) -> str:
    """One or two sentences on the running clock of a line (`bank_desk` row) with its terms (`bank_line` row).

    `own`: said to the bank itself; else to whoever looks after the platform.
    """
    if line.closed_on is not None:
        return _ended(line, terms)
    return "".join(_sentences(line, terms, own=own))


def _ended(line: Any, terms: Any) -> str:
    """How the last clock ended: with an answer, past its day in silence, or with its list, which was a mistake."""
    if line.state == LineState.RECALLED:
        recalled = gettext("平台已于 %(day)s 召回这份清单：此项不用反馈，不算沉默，不再计时。")
        return recalled % {"day": day(line.closed_on)}
    if line.state != LineState.SILENT:
        return gettext("此项已于 %(day)s 办结，不再计时。") % {"day": day(line.closed_on)}
    due = terms.decision_due_on or terms.contact_due_on
    kind = gettext("决定时限") if terms.decision_due_on else gettext("联系时限")
    said = {"kind": kind, "due": day(due), "day": day(line.closed_on)}
    return gettext("%(kind)s %(due)s 过后没有反馈，%(day)s 记为沉默，不再计时。") % said


def then(line: Any, floor: Decimal) -> str:
    """What happens when the running clock of a line runs out; `floor`: the least predicted acceptance of a push."""
    if line.closed_on is not None or line.due_step not in ENDS:
        return ""
    said = {"day": day(line.due_on) if line.due_on else gettext("到期日"), "floor": percent(floor, 0)}
    return str(ENDS[line.due_step]) % said


def reminder(line: Any, today: date) -> str:
    """Who was or will be reminded of the running clock, and when."""
    if line.closed_on is not None or line.due_on is None:
        return ""
    if line.reminded_of == line.due_on:
        return gettext("已提醒。")
    if line.due_on < today:
        return gettext("没有来得及提醒。")
    return gettext("到期前 %(length)s提醒。") % {"length": length(clock("bank_reminder", today))}


def cooling(held: Cooling | None, light: str | None, today: date) -> str:
    """Why a light is still what it is though it is judged better by now, and until when; empty where none is held."""
    if held is None or light is None:
        return ""
    return gettext(
        "最近一次评判是%(better)s，但背后没有新的事实（只是模型、口径或日子变了）。灯色变差后有 %(length)s的冷却期："
        "这期间保持%(now)s，%(day)s 自动重新评判；有新的事实会马上重新评判。"
    ) % {
        "better": words.of("light", held.light),
        "now": words.of("light", light),
        "length": length(clock("rejudge_cooldown", today)),
        "day": day(held.until),
    }


def length(term: Term) -> str:
    """'3 个工作日' or '30 个自然日'."""
    if term.unit == WORKING_DAYS:
        said = ngettext("%(num)s 个工作日", "%(num)s 个工作日", term.length)
    else:
        said = ngettext("%(num)s 个自然日", "%(num)s 个自然日", term.length)
    return said % {"num": term.length}


def _sentences(line: Any, terms: Any, *, own: bool) -> Iterator[str]:
    yield _start(line, terms, own=own)
    if terms.paused_days:
        yield gettext("等待企业补资料的 %(n)s 天不计在内。") % {"n": terms.paused_days}
    if terms.extended_on is not None:
        yield gettext("已于 %(day)s 延期一次。") % {"day": day(terms.extended_on)}
    if line.waits_for_calendar:
        yield gettext("工作日历尚未公布到那一天，公布后自动算出日期。")


def _start(line: Any, terms: Any, *, own: bool) -> str:
    said = {
        "start": day(line.pushed_on),
        "length": length(clock("contact", line.pushed_on).at_most(terms.contact_days)),
    }
    if line.due_step == "contact":
        return gettext("自推送日 %(start)s 起 %(length)s内与企业联系。") % said
    if line.due_step == "decision":
        started = terms.file_complete_on
        promise = Term(terms.decide_days, WORKING_DAYS) if terms.decide_days else None
        said = {"start": day(started), "length": length(clock("decision", started))}
        promises = (
            gettext("贵行承诺 %(length)s，以先到者为准。") if own else gettext("该行承诺 %(length)s，以先到者为准。")
        )
        promised = promises % {"length": length(promise)} if promise else ""
        return gettext("自资料齐备日 %(start)s 起 %(length)s内作出决定。") % said + promised
    if line.due_step == "papers":
        asked = day(terms.papers_asked_on or line.pushed_on)
        paused = gettext("贵行的时限自 %(start)s 起暂停，等待企业补资料。")
        return (paused if own else gettext("该行的时限自 %(start)s 起暂停，等待企业补资料。")) % {"start": asked}
    if line.due_step == "offer":
        return gettext("报价有效期内由企业答复。")
    if line.due_step == "grant":
        return gettext("企业接受报价后 %(length)s内办理授信。") % {"length": length(clock("grant", line.pushed_on))}
    return gettext("目前没有计时。")
