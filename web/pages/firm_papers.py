"""The papers a bank asked for: the firm puts them there one by one and hands them in; the bank reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.datastructures import UploadFile
from starlette.responses import Response

from service.actions.hand_in_papers import (
    add_file,
    folder_of,
    hand_in_papers,
    missing_of,
    remove_paper,
    say_there_is_none,
)
from service.actions.look_at import LOOKED, look_at
from service.domain.errors import DomainError, NotFound, NotPossible
from service.domain.paper import LONGEST_EXCUSE
from service.domain.people import BANK_ROLES, Role, Who
from service.domain.push_list import LineState
from service.doors import AFirm, Now, TheHouse, Today, Tx, only
from service.store import files, papers
from service.store.trail import Act
from web import uploads, words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.firm import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
file_router = APIRouter(dependencies=[Depends(guard)])
FirmOrBank = Annotated[Who, Depends(only(Role.FIRM, *BANK_ROLES))]


class PaperForm(Form):
    asked: Annotated[str, Ask(_("哪一份资料"), None, _("请选择是哪一份资料"))]
    file: Annotated[
        Any, Ask(_("文件"), _("PDF、JPG 或 PNG，不超过 10 MB；可以用手机拍照。一份资料有多页时，可以逐页上传。"))
    ] = None
    words: Annotated[
        str,
        wording(most=LONGEST_EXCUSE, lines=True),
        Ask(_("没有这份资料的原因"), _("没有时不用上传，在这里写明，银行会看到。")),
    ] = ""


@dataclass(frozen=True)
class Asked:
    """One paper the bank asked for, and what the firm has put there."""

    name: str
    there: Sequence[Row[Any]]


@dataclass(frozen=True)
class PapersPage:
    line: Row[Any]
    text: str
    """What the bank said beside the list."""
    asked: Sequence[Asked]
    missing: Sequence[str]
    form: Filled[PaperForm]
    is_awaited: bool
    """Whether the bank still waits, so that papers may come and go."""

    @property
    def options(self) -> list[words.Option]:
        return [words.Option(one.name, one.name) for one in self.asked]


@router.get("/push-lines/{line_id}/papers")
def show_papers(request: Request, who: AFirm, tx: Tx, line_id: int) -> Response:
    """What the bank asked for, what is there already, and the form for the next one."""
    return page(request, "firm/papers.html", _papers_page(tx, who, line_id))


@router.post("/push-lines/{line_id}/papers/files")
def upload(request: Request, who: AFirm, tx: Tx, house: TheHouse, now: Now, line_id: int, typed: Typed) -> Response:
    """One file, or the reason why there is none."""
    papers.get_line(tx, who, line_id)
    filled = read(PaperForm, typed)
    if not filled.is_right:
        return _again(request, tx, who, line_id, filled)
    try:
        with tx.begin_nested():
            _take(tx, who, line_id, filled.answers, house.settings.uploads, now)
    except DomainError as refusal:
        return _again(request, tx, who, line_id, filled.refused(refusal))
    said = gettext("已记下“%(what)s”。全部备齐后，请点“交给银行”。") % {"what": filled.answers.asked}
    return redirect(request, f"/push-lines/{line_id}/papers", said)


@router.post("/push-lines/{line_id}/papers")
def hand_in(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, line_id: int) -> Response:
    """All of it goes to the bank, whose clock goes on."""
    line = papers.get_line(tx, who, line_id)
    try:
        with tx.begin_nested():
            hand_in_papers(tx, who, line_id, today, now)
    except NotPossible as refusal:
        return _again(request, tx, who, line_id, blank(PaperForm).refused(refusal))
    return redirect(request, f"/firm/demands/{line.demand_id}", gettext("资料已交给银行，银行的时限继续计算。"))


@router.post("/papers/{paper_id}/removal")
def remove(request: Request, who: AFirm, tx: Tx, house: TheHouse, now: Now, paper_id: int) -> Response:
    line_id = remove_paper(tx, who, paper_id, house.settings.uploads, now)
    return redirect(request, f"/push-lines/{line_id}/papers", gettext("已删除。"))


@file_router.get("/papers/{paper_id}")
def download(who: FirmOrBank, tx: Tx, house: TheHouse, now: Now, paper_id: int) -> Response:
    """The file, to be saved and not opened here; a bank's look is noted where the firm can read it."""
    paper = papers.get(tx, who, paper_id)
    try:
        content = files.read(folder_of(house.settings.uploads, paper.line_id), paper.sha256)
    except OSError as gone:
        raise NotFound("没有这份资料。") from gone
    if who.role is not Role.FIRM:
        whose = {"demand_id": paper.demand_id, "uscc": paper.uscc, "bank_id": paper.bank_id}
        look_at(tx, who, Act(LOOKED, "paper", paper_id, **whose), now)
    return uploads.handed_out(content, paper.kind, paper.file_name)


def _take(tx: Tx, who: Who, line_id: int, said: PaperForm, folder: Any, now: Any) -> None:
    if isinstance(said.file, UploadFile):
        content = said.file.file.read(files.MOST_BYTES + 1)
        add_file(tx, who, line_id, said.asked, uploads.name_of(said.file), content, folder, now)
    else:
        say_there_is_none(tx, who, line_id, said.asked, said.words, now)


def _again(request: Request, tx: Tx, who: Who, line_id: int, filled: Filled[PaperForm]) -> Response:
    return page(request, "firm/papers.html", _papers_page(tx, who, line_id, filled), status=422)


def _papers_page(tx: Tx, who: Who, line_id: int, form: Filled[PaperForm] | None = None) -> PapersPage:
    line = papers.get_line(tx, who, line_id)
    answer = papers.asked_on(tx, line_id)
    if answer is None:
        raise NotFound("银行没有要求补充资料。")
    there = papers.list_of_answer(tx, answer.id)
    missing = missing_of(answer, there)
    return PapersPage(
        line=line,
        text=answer.text or "",
        asked=[Asked(name, [one for one in there if one.asked == name]) for name in answer.papers],
        missing=missing,
        form=form or blank(PaperForm, asked=missing[0] if missing else ""),
        is_awaited=line.state == LineState.NEEDS_PAPERS,
    )
