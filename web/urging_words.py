"""Urgings in words: the way each has come, what it is about, where it stands; and the ledger as a workbook."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from web import formats, words
from web.language import gettext
from web.language import lazy as _
from web.takeaway import Book


@dataclass(frozen=True)
class Step:
    """One step of an urging's way (`ui.timeline`)."""

    what: str
    when: str
    who: str
    tense: str
    note: str


@dataclass(frozen=True)
class Standing:
    """Where an urging stands, in a word with its tone."""

    word: str
    tone: str


def standing(one: Row[Any]) -> Standing:
    """The state's word; what is late or broken says so."""
    if one.is_late:
        return Standing(gettext("逾期未回复"), "wrong")
    if one.is_broken:
        return Standing(gettext("承诺日期已过"), "wrong")
    tones = {"answered": "wait", "closed": "done", "escalated": "wrong", "withdrawn": "off"}
    return Standing(words.of("urging_state", one.state), tones.get(one.state, ""))


def about(one: Row[Any]) -> str:
    """The figures it rests on, as they stood when it was sent."""
    kept = one.figures
    said = {
        "overdue": _("逾期 %(about)s 项"),
        "silent": _("推送 %(lines)s 项，沉默 %(about)s 项（%(share)s）"),
        "late": _("已到联系时限 %(due)s 项，按时 %(in_time)s 项，超时 %(about)s 项"),
        "disputed": _("企业说未联系 %(about)s 项"),
    }[one.ground]
    share = kept["about"] / kept["lines"] if kept["lines"] else None
    return str(
        said.with_(
            about=formats.count(kept["about"]),
            lines=formats.count(kept["lines"]),
            share=formats.percent(share, 1),
            due=formats.count(kept["contact_due"]),
            in_time=formats.count(kept["in_time"]),
        )
    )


def way(one: Row[Any]) -> list[Step]:
    """Sent, read, answered, ended: what has happened, and what comes next."""
    steps = [_step(words.of("urging_state", "sent"), one.sent_at, one.sender, one.words)]
    if one.read_at:
        steps.append(_step(words.of("urging_state", "read"), one.read_at, one.reader))
    if one.answered_at:
        promised = gettext("%(day)s 前办结。") % {"day": formats.day(one.promised_on)}
        steps.append(
            _step(words.of("urging_state", "answered"), one.answered_at, one.answerer, f"{one.done} {promised}")
        )
    if one.ended_at:
        steps.append(_step(words.of("urging_state", one.state), one.ended_at, one.ender, one.end_words))
        return steps
    if one.answered_at:
        steps.append(Step(gettext("等市级办结"), "", "", "now", ""))
    else:
        by = gettext("最迟 %(day)s") % {"day": formats.day(one.due_on)}
        steps.append(Step(gettext("等银行回复"), by, "", "now", ""))
    return steps


def _step(what: str, at: datetime, who: str | None, note: str = "") -> Step:
    return Step(what, formats.moment(at), who or "", "done", note)


LEDGER: tuple[tuple[object, Callable[[Any], Any]], ...] = (
    (_("编号"), lambda one: one.id),
    (_("银行"), lambda one: one.bank_name),
    (_("事由"), lambda one: words.of("urging_ground", one.ground)),
    (_("依据"), about),
    (_("要求"), lambda one: one.words),
    (_("发出日"), lambda one: one.sent_on),
    (_("发出人"), lambda one: one.sender),
    (_("时限（工作日）"), lambda one: one.due_days),
    (_("最迟回复"), lambda one: one.due_on),
    (_("状态"), lambda one: standing(one).word),
    (_("回复日"), lambda one: one.answered_on),
    (_("已做的事"), lambda one: one.done),
    (_("承诺办结"), lambda one: one.promised_on),
    (_("结束日"), lambda one: one.ended_on),
    (_("结束理由"), lambda one: one.end_words),
)


def ledger_sheet(rows: Sequence[Row[Any]], who: str, now: datetime) -> bytes:
    """The ledger (督办台账): dates as dates, numbers as numbers, in the order of the page."""
    book = Book()
    day = book.file.add_format({"num_format": "yyyy-mm-dd"})
    wrap = book.file.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.file.add_worksheet(gettext("督办台账"))
    for place, (name, cell) in enumerate(LEDGER):
        sheet.write_string(0, place, str(name), book.head)
        for row, one in enumerate(rows, 1):
            value = cell(one)
            if isinstance(value, str):
                sheet.write_string(row, place, value, wrap)
            elif isinstance(value, int):
                sheet.write_number(row, place, value)
            elif value is not None:
                sheet.write_datetime(row, place, value, day)
    sheet.set_column(0, len(LEDGER), 14)
    for place in (3, 4, 11, 14):
        sheet.set_column(place, place, 32)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(rows), len(LEDGER) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    book.explain(
        [
            (gettext("导出"), f"{who} {formats.moment(now)}"),
            (gettext("依据"), gettext("发出时的数字，之后不变；口径同“银行”页的各列。")),
            (gettext("逾期未回复"), gettext("过了最迟回复日，银行仍没有回复。")),
            (gettext("承诺日期已过"), gettext("银行回复了，但承诺的办结日期已过，市级还没有办结。")),
        ]
    )
    return book.content()
