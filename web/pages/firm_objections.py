"""'This is wrong': a firm contests one of its records, follows what becomes of it, and may take it back."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.datastructures import UploadFile
from starlette.responses import Response

from service.actions.look_at import LOOKED, look_at
from service.actions.raise_objection import ObjectionForm, folder_of, raise_objection, withdraw_objection
from service.domain.errors import DomainError, NotFound
from service.domain.objection import LONGEST_TEXT, ObjectionState, Terms, Wrong, terms_on
from service.domain.people import OFFICIAL_ROLES, Role, Who
from service.doors import AFirm, Now, TheHouse, Today, Tx, only
from service.intake.catalogue import Item
from service.profiles.profile import Fact, fact_of
from service.store import files, objections, records
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
ItsReaders = Annotated[Who, Depends(only(Role.FIRM, *OFFICIAL_ROLES, Role.OPERATOR))]


class WrongForm(Form):
    wrong: Annotated[Wrong, Ask(_("哪里不对"), None, _("请选择哪里不对"))]
    right_is: Annotated[
        str,
        wording(most=LONGEST_TEXT, lines=True),
        Ask(_("正确的情况是什么"), _("写明事实，例如：罚款已于 2026 年 3 月 5 日缴清。"), _("请写明正确的情况")),
    ]
    file: Annotated[Any, Ask(_("证明材料"), _("PDF、JPG 或 PNG，不超过 10 MB；可以用手机拍照。有材料会更快。"))] = None


@dataclass(frozen=True)
class WrongPage:
    record_id: int
    item: Item
    fact: Fact
    form: Filled[WrongForm]
    terms: Terms

    @property
    def options(self) -> list[words.Option]:
        return words.options("wrong")


@dataclass(frozen=True)
class ObjectionPage:
    one: Row[Any]
    item: Item
    fact: Fact
    is_open: bool
    today: date


@router.get("/firm/records/{record_id}/objection")
def ask_what_is_wrong(request: Request, who: AFirm, tx: Tx, today: Today, record_id: int) -> Response:
    """What is wrong with this record, and what would be right?"""
    record = records.get_own(tx, who, record_id, today)
    there = objections.find_open(tx, record.uscc, record.item, record.key)
    if there is not None:
        return redirect(request, f"/firm/objections/{there.id}", gettext("这条记录已经在异议处理中。"), "info")
    return page(
        request, "firm/objection_form.html", WrongPage(record_id, *fact_of(record), blank(WrongForm), terms_on(today))
    )


@router.post("/firm/records/{record_id}/objection")
def raise_it(
    request: Request, who: AFirm, tx: Tx, house: TheHouse, today: Today, now: Now, record_id: int, typed: Typed
) -> Response:
    """The record is marked from now on, and somebody answers by a day."""
    record = records.get_own(tx, who, record_id, today)
    filled = read(WrongForm, typed)
    if filled.is_right:
        try:
            with tx.begin_nested():
                form = _form(filled.answers)
                key = raise_objection(tx, who, record_id, form, house.settings.uploads, today, now)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        view = WrongPage(record_id, *fact_of(record), filled, terms_on(today))
        return page(request, "firm/objection_form.html", view, status=422)
    return redirect(request, f"/firm/objections/{key}", gettext("异议已提交。这条记录从现在起标明“异议处理中”。"))


@router.get("/firm/objections/{objection_id}")
def show_objection(request: Request, who: AFirm, tx: Tx, today: Today, objection_id: int) -> Response:
    """Where it stands: who looks into it, by when, and how it ended."""
    one = objections.get(tx, who, objection_id)
    item, fact = fact_of(records.get(tx, one.record_id))
    return page(request, "firm/objection.html", ObjectionPage(one, item, fact, one.state == ObjectionState.OPEN, today))


@router.post("/firm/objections/{objection_id}/withdrawal")
def take_back(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, objection_id: int) -> Response:
    withdraw_objection(tx, who, objection_id, today, now)
    return redirect(request, f"/firm/objections/{objection_id}", gettext("异议已撤回。"))


@file_router.get("/objections/{objection_id}/paper")
def download(who: ItsReaders, tx: Tx, house: TheHouse, now: Now, objection_id: int) -> Response:
    """The paper that shows it, to be saved and not opened here; an official's look is noted where the firm reads it."""
    one = objections.get(tx, who, objection_id)
    try:
        content = files.read(folder_of(house.settings.uploads, one.uscc), one.sha256 or "none")
    except OSError as gone:
        raise NotFound("没有这份资料。") from gone
    if who.role is not Role.FIRM:
        whose = {"uscc": one.uscc, "district": one.district}
        look_at(tx, who, Act(LOOKED, "objection", objection_id, **whose), now)
    return uploads.handed_out(content, one.file_kind, one.file_name)


def _form(said: WrongForm) -> ObjectionForm:
    if not isinstance(said.file, UploadFile):
        return ObjectionForm(said.wrong, said.right_is)
    content = said.file.file.read(files.MOST_BYTES + 1)
    return ObjectionForm(said.wrong, said.right_is, uploads.name_of(said.file), content)
