"""A base list comes back as the workbook it went out as: tried first, shown row by row, and only then written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from service.actions.record_visits import Heard, Recorded, record_visits, try_visits
from service.domain.errors import DomainError, NotPossible
from service.domain.people import Who
from service.doors import ADistrictOfficial, Now, Today, Tx
from service.store import visits
from web import takeaway, visit_sheet
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read
from web.language import lazy as _
from web.language import ngettext
from web.pages.official import badge
from web.pages.visit import VisitForm, heard_of
from web.pages.visits import mark_for
from web.refusals import said
from web.render import page
from web.tried_sheet import Seal, TriedPage, TriedRow, by_id, file_in, refused
from web.visit_sheet import Returned

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class SheetForm(Form):
    sheet: Annotated[Any, Ask(_("填好的走访底册"), _("从走访计划下载、填好的 Excel 文件（.xlsx）。"), _("请选择文件"))]


@dataclass(frozen=True)
class UploadPage:
    form: Filled[SheetForm]


@router.get("/visit-plans/results")
def show_upload(request: Request, _who: ADistrictOfficial) -> Response:
    return page(request, "official/visit_results.html", UploadPage(blank(SheetForm)))


@router.post("/visit-plans/results")
def try_sheet(request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Read the workbook and say row by row what would happen; nothing is written down yet."""
    filled = read(SheetForm, typed)
    if not filled.is_right:
        return page(request, "official/visit_results.html", UploadPage(filled), status=422)
    try:
        returned = visit_sheet.read(file_in(filled.answers.sheet))
        if not returned.cells:
            raise NotPossible("文件里没有填写任何走访结果。")
        visits.get_plan(tx, who, returned.plan_id)
    except DomainError as refusal:
        return page(request, "official/visit_results.html", UploadPage(refused(filled, refusal)), status=422)
    kept = {
        "plan": returned.plan_id, "versions": returned.versions, "cells": returned.cells, "errors": returned.errors,
    }  # fmt: skip
    rows = _rows(tx, who, today, now, returned)
    view = TriedPage(rows, _seal(request, who).close(kept), f"/visit-plans/{returned.plan_id}")
    return page(request, "official/visit_tried.html", view)


@router.post("/visit-plans/results/confirmation")
def write_down(request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Write down what was shown; each row is taken or not on its own. Sent twice it is written once."""
    returned = _checked(request, who, typed)
    forms, _errors = _heard(returned)
    done = record_visits(tx, who, forms, today, now)
    taken = sum(one.error is None and not one.is_repeat for one in done)
    message = ngettext("已记录 %(num)d 家的走访。", "已记录 %(num)d 家的走访。", taken)
    return redirect(request, f"/visit-plans/{returned.plan_id}", message % {"num": taken})


@router.post("/visit-plans/results/copy")
def error_copy(request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """The same workbook with a red comment on every row that would not be taken."""
    returned = _checked(request, who, typed)
    errors = {one.key: one.error for one in _rows(tx, who, today, now, returned) if one.error}
    plan, rows = visits.get_plan(tx, who, returned.plan_id), visits.list_of_plan(tx, who, returned.plan_id)
    known = visits.obstacles_of(tx, [row.uscc for row in rows])
    content = visit_sheet.write(plan, rows, known, mark_for(who, now), returned.cells, errors)
    return takeaway.download(content, f"xindeng-visits-{returned.plan_id}-errors.xlsx")


def _rows(tx: Tx, who: Who, today: date, now: datetime, returned: Returned) -> list[TriedRow]:
    forms, errors = _heard(returned)
    tried = {one.visit_id: one for one in try_visits(tx, who, forms, today, now)}
    names = {row.id: row.firm_name for row in visits.list_of_plan(tx, who, returned.plan_id)}
    return [
        TriedRow(
            key,
            names.get(key, ""),
            "",
            errors.get(key) or _error_of(tried.get(key)),
            key in tried and tried[key].is_repeat,
        )
        for key in returned.cells
    ]


def _error_of(tried: Recorded | None) -> str:
    return said(tried.error) if tried is not None and tried.error is not None else ""


def _heard(returned: Returned) -> tuple[list[Heard], dict[int, str]]:
    """The rows that can be read as the page's own form would be, and what is wrong with the others."""
    forms, errors = list[Heard](), dict(returned.errors)
    for key, cells in returned.cells.items():
        if key in errors:
            continue
        filled = read(VisitForm, _typed(cells, returned.versions[key]))
        if filled.is_right:
            forms.append(heard_of(key, filled.answers))
        else:
            errors[key] = "；".join(filled.errors.values())
    return forms, errors


def _typed(cells: Mapping[str, str], version: int) -> FormData:
    """The cells of a row as the page's own form would send them."""
    pairs = [(name, value) for name, value in cells.items() if not name.startswith("obstacle_") and value]
    pairs += [("obstacles", kind) for kind in visit_sheet.obstacles_in(cells)]
    return FormData([*pairs, ("version", str(version))])


def _checked(request: Request, who: Who, typed: Any) -> Returned:
    kept = _seal(request, who).opened(typed)
    versions, cells, errors = (by_id(kept[name]) for name in ("versions", "cells", "errors"))
    return Returned(kept["plan"], versions, cells, errors)


def _seal(request: Request, who: Who) -> Seal:
    return Seal(request, "visits", who.district)
