"""The city's papers and objections on the last days: what firms handed in to banks, and which records they contest."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import Row
from sqlmodel import Session

from service.actions.decide_objection import ask_department, decide_objection, note_objection
from service.actions.hand_in_papers import add_file, folder_of, say_there_is_none
from service.actions.raise_objection import ObjectionForm, raise_objection
from service.clock import instant_on
from service.domain.people import Role, Who
from service.store import demo as looks
from service.store import files, papers

HANDED_IN = 12
"""Lines whose last papers lie in the folder: enough to look at, and no load on it."""
AWAITED = 6
SAID = {
    "penalty": ("settled", "罚款已按期缴清，缴款凭证见附件。"),
    "abnormal_operation": ("expired", "已补报年报并申请移出，现仍显示列入。"),
    "court_enforcement": ("settled", "案款已全部履行，法院出具了结案证明。"),
    "dishonesty_listing": ("not_ours", "名称相近，不是本企业的案件。"),
}
"""Item → what a firm says is wrong with a record of it."""


def add(tx: Session, uploads: Path, today: date) -> None:
    """Papers beside the lines that asked for them, and objections at every stage."""
    sheet = _sheet()
    for line in looks.handed_in(tx, HANDED_IN):
        _hand_in(tx, line, uploads, sheet)
    for place, line in enumerate(looks.asked_for_papers(tx)[:AWAITED]):
        _begin(tx, line, uploads, sheet, today, place)
    _contest(tx, looks.contestable(tx, today, list(SAID)), uploads, sheet, today)


def _hand_in(tx: Session, line: Row[Any], uploads: Path, sheet: bytes) -> None:
    """One file for each paper asked for, as handed in when the firm gave them."""
    kept = files.keep(folder_of(uploads, line.line_id), sheet)
    whose = {"line_id": line.line_id, "answer_id": line.id, "demand_id": line.demand_id, "uscc": line.uscc}
    what = {"kind": kept.kind, "sha256": kept.sha256, "size": kept.size, "words": "", "bank_id": line.bank_id}
    for asked in line.papers:
        there = {"asked": asked, "file_name": f"{asked}.png", "added_at": line.given_at, "handed_at": line.given_at}
        papers.add(tx, whose | what | there)


def _begin(tx: Session, line: Row[Any], uploads: Path, sheet: bytes, today: date, place: int) -> None:
    """Some of what a bank still waits for is there: a file, or the reason why there is none; nothing in every third."""
    answer = papers.asked_on(tx, line.id)
    if answer is None or place % 3 == 2:
        return
    who, now = Who(Role.FIRM, uscc=line.uscc), instant_on(today, 17, 30)
    first, *others = answer.papers
    add_file(tx, who, line.id, first, f"{first}.png", sheet, uploads, now)
    if others and place % 3 == 1:
        say_there_is_none(tx, who, line.id, others[0], "上月刚换会计，正在补办，月底前可以提供。", now)


def _contest(tx: Session, found: Sequence[Row[Any]], uploads: Path, sheet: bytes, today: date) -> None:
    """In each district one objection that is overdue or new, one put to the department, one refused."""
    by_district = defaultdict[str, list[Row[Any]]](list)
    for row in found:
        by_district[row.district].append(row)
    for number, (district, rows) in enumerate(sorted(by_district.items())):
        team = Who(Role.DISTRICT, district=district)
        for stage, row in enumerate(rows):
            ago = (7, 4, 9)[stage] if (number + stage) % 2 else (1, 2, 8)[stage]
            on = today - timedelta(days=ago)
            key = _raise(tx, row, uploads, sheet, on)
            if stage == 1:
                ask_department(tx, team, key, "已函请来源部门核对原始凭证。", on, instant_on(on, 15))
            if stage == 2:
                later = on + timedelta(days=2)
                note_objection(tx, team, key, "来源部门回复：文书尚未执行完毕。", instant_on(later, 10))
                said = "经来源部门核查，文书尚未执行完毕，记录无误。履行完毕后可申请信用修复。"
                decide_objection(tx, team, key, "refused", said, later, instant_on(later, 11))


def _raise(tx: Session, row: Row[Any], uploads: Path, sheet: bytes, on: date) -> int:
    wrong, right_is = SAID[row.item]
    form = ObjectionForm(wrong, right_is, "凭证.png", sheet)
    return raise_objection(tx, Who(Role.FIRM, uscc=row.uscc), row.id, form, uploads, on, instant_on(on, 10))


def _sheet() -> bytes:
    """A page with lines instead of words: nobody mistakes it for a real paper."""
    page = Image.new("RGB", (620, 877), "white")
    pen = ImageDraw.Draw(page)
    pen.rectangle((30, 30, 590, 847), outline="#8a8a8a", width=2)
    for line in range(12):
        pen.line((80, 140 + 50 * line, 540 - 60 * (line % 3), 140 + 50 * line), fill="#c8c8c8", width=10)
    kept = BytesIO()
    page.save(kept, "PNG")
    return kept.getvalue()
