"""A firm puts the papers its bank asked for there, one by one, and hands them in: only then the bank sees them."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, event
from sqlmodel import Session

from service.actions.answer_push import give_papers
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.paper import MOST_FILES, PaperKind
from service.domain.people import Role, Who
from service.domain.push_list import LineState
from service.store import files, papers, push_lists, trail
from service.store.trail import Act


def add_file(
    tx: Session, who: Who, line_id: int, asked: str, name: str, content: bytes, uploads: Path, now: datetime
) -> int:
    """Put a file there for one of the papers asked for; its key.

    `uploads` is the folder of all files. A file whose row is not committed stays unread until the same comes again.
    """
    line, answer = _awaited(tx, who, line_id, asked)
    there = [one for one in papers.list_of_answer(tx, answer.id) if one.asked == asked]
    if len(there) >= MOST_FILES:
        raise NotPossible("每份资料最多 {most} 个文件。", field="file", most=MOST_FILES)
    kept = files.keep(folder_of(uploads, line_id), content)
    if any(one.sha256 == kept.sha256 for one in there):
        raise NotPossible("这个文件已经上传过了。", field="file")
    what = {"kind": kept.kind, "file_name": name, "sha256": kept.sha256, "size": kept.size, "words": ""}
    return _enter(tx, who, line, answer, asked, what, now)


def say_there_is_none(tx: Session, who: Who, line_id: int, asked: str, words: str, now: datetime) -> int:
    """Say why one of the papers asked for cannot be given; the bank reads it in its place."""
    line, answer = _awaited(tx, who, line_id, asked)
    if not words:
        raise NotPossible("请选择文件，或写明为什么没有这份资料。", field="file")
    what = {"kind": PaperKind.NONE.value, "file_name": "", "sha256": "", "size": 0, "words": words}
    return _enter(tx, who, line, answer, asked, what, now)


def remove_paper(tx: Session, who: Who, paper_id: int, uploads: Path, now: datetime) -> int:
    """Take a paper away that the bank has not been given yet; its line. The file goes with the commit."""
    paper = papers.get(tx, who, paper_id)
    if who.role is not Role.FIRM:
        raise NotAllowed("只有企业本人可以这样做。")
    if paper.handed_at is not None:
        raise Conflict("已经交给银行的资料不能再删除。")
    papers.mark_removed(tx, paper_id, now)
    trail.append(tx, who, [_act("paper_removed", paper, paper.line_id)], now)
    if paper.sha256 and not papers.is_used(tx, paper.line_id, paper.sha256):
        folder = folder_of(uploads, paper.line_id)
        event.listen(tx, "after_commit", lambda _tx: files.remove(folder, paper.sha256), once=True)
    return int(paper.line_id)


def hand_in_papers(tx: Session, who: Who, line_id: int, today: date, now: datetime) -> None:
    """Hand in what was put there: the bank sees it and its clock goes on.

    Errors: NotPossible while a paper that was asked for has neither a file nor a reason.
    """
    give_papers(tx, who, line_id, today, now)
    answer = papers.asked_on(tx, line_id)
    if answer is None:
        return
    missing = missing_of(answer, papers.list_of_answer(tx, answer.id))
    if missing:
        raise NotPossible("还差：{papers}。请上传，或写明为什么没有。", field="asked", papers="、".join(missing))
    papers.mark_handed(tx, answer.id, now)


def missing_of(answer: Row[Any], there: list[Row[Any]] | Any) -> list[str]:
    """The papers asked for that have neither a file nor a reason yet."""
    given = {one.asked for one in there}
    return [asked for asked in answer.papers if asked not in given]


def folder_of(uploads: Path, line_id: int) -> Path:
    """Where the files of a line lie."""
    return uploads / "papers" / str(line_id)


def _awaited(tx: Session, who: Who, line_id: int, asked: str) -> tuple[Row[Any], Row[Any]]:
    """The line, locked, and the answer that asks for this paper."""
    if who.role is not Role.FIRM:
        raise NotAllowed("只有企业本人可以这样做。")
    papers.get_line(tx, who, line_id)
    (line,) = push_lists.lock_lines(tx, [line_id])
    answer = papers.asked_on(tx, line_id)
    if line.state != LineState.NEEDS_PAPERS or answer is None:
        raise Conflict("银行没有在等待补件。")
    if asked not in answer.papers:
        raise NotPossible("请选择银行要的一份资料。", field="asked")
    return line, answer


def _enter(
    tx: Session, who: Who, line: Row[Any], answer: Row[Any], asked: str, what: dict[str, Any], now: datetime
) -> int:
    whose = {"line_id": line.id, "demand_id": line.demand_id, "uscc": line.uscc, "bank_id": line.bank_id}
    key = papers.add(tx, {**whose, "answer_id": answer.id, "asked": asked, **what, "added_at": now})
    trail.append(tx, who, [_act("paper_added", line, line.id, {"paper": key, "sha256": what["sha256"]})], now)
    return key


def _act(verb: str, whose: Row[Any], line_id: int, details: dict[str, Any] | None = None) -> Act:
    known = {"demand_id": whose.demand_id, "uscc": whose.uscc, "bank_id": whose.bank_id}
    return Act(verb, "push_line", line_id, **known, details=details or {})
