"""A list goes out as a workbook and comes back with answers: tried first, shown, and only then given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from service.actions.answer_push import answer_lines
from service.actions.look_at import LOOKED, look_at
from service.actions.try_answers import Tried, try_answers
from service.domain.answering import AnswerForm
from service.domain.errors import NotPossible
from service.domain.people import BANK_ROLES, Who
from service.domain.push_list import AnswerKind
from service.doors import AnOfficer, Now, Today, Tx
from service.store import bank_desk, bank_line, banks
from service.store.bank_desk import Wanted
from service.store.trail import Act
from web import formats, push_sheet, takeaway, words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, blank, read
from web.language import gettext
from web.language import lazy as _
from web.pages.bank import answered, badge
from web.pages.bank_line import FORMS, PlainForm, answer_form
from web.push_sheet import MOST_ROWS, Returned
from web.refusals import said
from web.render import page
from web.sheet_routes import Call, SheetDesk, add_sheet_routes
from web.tried_sheet import SheetForm, TriedRow, by_id

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class AnswersForm(SheetForm):
    sheet: Annotated[Any, Ask(_("填好的清单"), _("从本平台下载、填好反馈列的 Excel 文件（.xlsx）。"), _("请选择文件"))]


@dataclass(frozen=True)
class UploadPage:
    form: Filled[AnswersForm]


@router.get("/push-lists/answers")
def show_upload(request: Request, _who: AnOfficer) -> Response:
    return page(request, "bank/upload.html", UploadPage(blank(AnswersForm)))


@router.get("/push-lists/{list_id}.xlsx")
def download(request: Request, who: AnOfficer, tx: Tx, today: Today, now: Now, list_id: int) -> Response:
    """The list as a workbook to fill in; who took it is noted once a day. A longer one is exported, never cut."""
    lines = bank_line.get_list(tx, who, list_id).lines
    if lines > MOST_ROWS:
        said = gettext("这份清单有 %(n)s 项，反馈表一次最多 %(most)s 项：请用“导出 Excel”取全部，或按条件分批反馈。")
        values = {"n": formats.count(lines), "most": formats.count(MOST_ROWS)}
        return redirect(request, f"/push-lists/{list_id}", said % values, "warning")
    content = _workbook(tx, who, today, now, list_id)
    look_at(tx, who, Act(LOOKED, "push_list", list_id, bank_id=who.bank_id), now)
    return takeaway.download(content, f"xindeng-list-{list_id}.xlsx")


def _ask(call: Call, form: Filled[Any], status: int) -> Response:
    return page(call.request, "bank/upload.html", UploadPage(form), status=status)


def _read(call: Call, file: BinaryIO) -> Returned:
    returned = push_sheet.read(file)
    if not returned.cells:
        raise NotPossible("文件里没有填写任何反馈。")
    bank_line.get_list(call.tx, call.who, returned.list_id)
    return returned


def _give(call: Call, returned: Returned) -> Response:
    forms, _errors = _forms(returned)
    return answered(call.request, call.tx, call.who, answer_lines(call.tx, call.who, forms, call.today, call.now))


def _copy(call: Call, returned: Returned) -> Response:
    errors = DESK.errors(call, returned)
    content = _workbook(call.tx, call.who, call.today, call.now, returned.list_id, returned.cells, errors)
    return takeaway.download(content, f"xindeng-list-{returned.list_id}-errors.xlsx")


def _rows(call: Call, returned: Returned) -> list[TriedRow]:
    forms, errors = _forms(returned)
    tried = {one.answered.line_id: one for one in try_answers(call.tx, call.who, forms, call.today, call.now)}
    names = bank_line.names_of(call.tx, call.who, list(returned.cells))
    return [
        TriedRow(
            line_id,
            names.get(line_id, ""),
            words.of("answer_kind", cells["answer"]) if cells["answer"] in frozenset(AnswerKind) else cells["answer"],
            errors.get(line_id) or _error_of(tried.get(line_id)),
            line_id in tried and tried[line_id].is_repeat,
        )
        for line_id, cells in returned.cells.items()
    ]


def _error_of(tried: Tried | None) -> str:
    return said(tried.answered.error) if tried is not None and tried.answered.error is not None else ""


def _forms(returned: Returned) -> tuple[list[AnswerForm], dict[int, str]]:
    """The rows that can be read as answers, and what is wrong with the others."""
    forms, errors = [], dict(returned.errors)
    for line_id, cells in returned.cells.items():
        if line_id in errors:
            continue
        kind = cells.get("answer", "")
        if kind not in frozenset(AnswerKind):
            errors[line_id] = gettext("请在“反馈”列从下拉选项中选择。")
            continue
        filled = read(FORMS.get(kind, PlainForm), _typed(cells))
        if filled.is_right:
            forms.append(answer_form(line_id, kind, filled.answers, None))
        else:
            errors[line_id] = "；".join(filled.errors.values())
    return forms, errors


def _typed(cells: Mapping[str, str]) -> FormData:
    """The cells of a row as the page's own form would send them: amounts stand in yuan here."""
    pairs = [(key, value) for key, value in cells.items() if not key.startswith("reason_") and value]
    pairs += [("reasons", value) for key, value in cells.items() if key.startswith("reason_") and value]
    yuan = {"amount_fen", "fees_fen"}
    split = str.maketrans({"；": "\n", ";": "\n"})
    said = [(key, f"{value.removesuffix('元')}元" if key in yuan else value) for key, value in pairs]
    return FormData([(key, value.translate(split) if key == "papers" else value) for key, value in said])


def _pack(returned: Returned) -> dict[str, Any]:
    return {"list": returned.list_id, "cells": returned.cells, "errors": returned.errors}


def _unpack(kept: Mapping[str, Any]) -> Returned:
    return Returned(kept["list"], by_id(kept["cells"]), by_id(kept["errors"]))


def _workbook(
    tx: Tx,
    who: Who,
    today: date,
    now: datetime,
    list_id: int,
    cells: Mapping[int, Mapping[str, str]] | None = None,
    errors: Mapping[int, str] | None = None,
) -> bytes:
    one = bank_line.get_list(tx, who, list_id)
    lines, _total = bank_desk.list_lines(
        tx, who, Wanted(only="all", list_id=list_id, sort="rank", limit=MOST_ROWS), today
    )
    mark = push_sheet.mark_for(banks.get(tx, who.bank_id).name, who.name, now)
    return push_sheet.write(one, lines, mark, cells, errors)


DESK = SheetDesk(
    address="/push-lists/answers",
    roles=BANK_ROLES,
    form=AnswersForm,
    tried="bank/tried.html",
    whose=lambda who: who.bank_id,
    ask=_ask,
    read=_read,
    rows=_rows,
    pack=_pack,
    unpack=_unpack,
    take=_give,
    copy=_copy,
)
add_sheet_routes(router, DESK)
