"""Why a line is due when it is: which clock runs, from when, how long, and what moved it."""

from collections.abc import Iterator
from typing import Any

from service.domain.clocks import WORKING_DAYS, Term, clock
from web.formats import day
from web.language import gettext


def why(line: Any, terms: Any) -> str:
    """One or two sentences on the running clock of a line (`bank_desk` row) with its terms (`bank_line` row)."""
    if line.closed_on is not None:
        return gettext("此项已于 %(day)s 办结，不再计时。") % {"day": day(line.closed_on)}
    return "".join(_sentences(line, terms))


def length(term: Term) -> str:
    """'3 个工作日' or '30 个自然日'."""
    said = gettext("%(n)s 个工作日") if term.unit == WORKING_DAYS else gettext("%(n)s 个自然日")
    return said % {"n": term.length}


def _sentences(line: Any, terms: Any) -> Iterator[str]:
    yield _start(line, terms)
    if terms.paused_days:
        yield gettext("等待企业补资料的 %(n)s 天不计在内。") % {"n": terms.paused_days}
    if terms.extended_on is not None:
        yield gettext("已于 %(day)s 延期一次。") % {"day": day(terms.extended_on)}
    if line.waits_for_calendar:
        yield gettext("工作日历尚未公布到那一天，公布后自动算出日期。")


def _start(line: Any, terms: Any) -> str:
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
        promised = gettext("贵行承诺 %(length)s，以先到者为准。") % {"length": length(promise)} if promise else ""
        return gettext("自资料齐备日 %(start)s 起 %(length)s内作出决定。") % said + promised
    if line.due_step == "papers":
        asked = day(terms.papers_asked_on or line.pushed_on)
        return gettext("贵行的时限自 %(start)s 起暂停，等待企业补资料。") % {"start": asked}
    if line.due_step == "offer":
        return gettext("报价有效期内由企业答复。")
    if line.due_step == "grant":
        return gettext("企业接受报价后 %(length)s内办理授信。") % {"length": length(clock("grant", line.pushed_on))}
    return gettext("目前没有计时。")
