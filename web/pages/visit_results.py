"""A base list comes back as the workbook it went out as: tried first, shown row by row, and only then written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from service.actions.record_visits import Heard, Recorded, record_visits, try_visits
from service.domain.errors import NotPossible
from service.domain.people import Role
from service.doors import ADistrictOfficial
from service.store import visits
from web import takeaway, visit_sheet
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, blank, read
from web.language import lazy as _
from web.language import ngettext
from web.pages.official import badge
from web.pages.visit import VisitForm, heard_of
from web.pages.visits import mark_for
from web.refusals import said
from web.render import page
from web.sheet_routes import Call, SheetDesk, add_sheet_routes
from web.tried_sheet import SheetForm, TriedRow, by_id
from web.visit_sheet import Returned

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class ResultsForm(SheetForm):
    sheet: Annotated[Any, Ask(_("填好的走访底册"), _("从走访计划下载、填好的 Excel 文件（.xlsx）。"), _("请选择文件"))]


@dataclass(frozen=True)
class UploadPage:
    form: Filled[ResultsForm]


@router.get("/visit-plans/results")
def show_upload(request: Request, _who: ADistrictOfficial) -> Response:
    return page(request, "official/visit_results.html", UploadPage(blank(ResultsForm)))


def _ask(call: Call, form: Filled[Any], status: int) -> Response:
    return page(call.request, "official/visit_results.html", UploadPage(form), status=status)


def _read(call: Call, file: BinaryIO) -> Returned:
    returned = visit_sheet.read(file)
    if not returned.cells:
        raise NotPossible("文件里没有填写任何走访结果。")
    visits.get_plan(call.tx, call.who, returned.plan_id)
    return returned


def _write_down(call: Call, returned: Returned) -> Response:
    forms, _errors = _heard(returned)
    done = record_visits(call.tx, call.who, forms, call.today, call.now)
    taken = sum(one.error is None and not one.is_repeat for one in done)
    message = ngettext("已记录 %(num)d 家的走访。", "已记录 %(num)d 家的走访。", taken)
    return redirect(call.request, _plan_of(returned), message % {"num": taken})


def _copy(call: Call, returned: Returned) -> Response:
    tx, who, errors = call.tx, call.who, DESK.errors(call, returned)
    plan, rows = visits.get_plan(tx, who, returned.plan_id), visits.list_of_plan(tx, who, returned.plan_id)
    known = visits.obstacles_of(tx, [row.uscc for row in rows])
    content = visit_sheet.write(plan, rows, known, mark_for(who, call.now), returned.cells, errors)
    return takeaway.download(content, f"xindeng-visits-{returned.plan_id}-errors.xlsx")


def _plan_of(returned: Returned) -> str:
    return f"/visit-plans/{returned.plan_id}"


def _rows(call: Call, returned: Returned) -> list[TriedRow]:
    forms, errors = _heard(returned)
    tried = {one.visit_id: one for one in try_visits(call.tx, call.who, forms, call.today, call.now)}
    names = {row.id: row.firm_name for row in visits.list_of_plan(call.tx, call.who, returned.plan_id)}
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


def _pack(returned: Returned) -> dict[str, Any]:
    return {
        "plan": returned.plan_id, "versions": returned.versions, "cells": returned.cells, "errors": returned.errors,
    }  # fmt: skip


def _unpack(kept: Mapping[str, Any]) -> Returned:
    versions, cells, errors = (by_id(kept[name]) for name in ("versions", "cells", "errors"))
    return Returned(kept["plan"], versions, cells, errors)


DESK = SheetDesk(
    address="/visit-plans/results",
    roles=(Role.DISTRICT,),
    form=ResultsForm,
    tried="official/visit_tried.html",
    whose=lambda who: who.district,
    ask=_ask,
    read=_read,
    rows=_rows,
    pack=_pack,
    unpack=_unpack,
    take=_write_down,
    copy=_copy,
    home=_plan_of,
)
add_sheet_routes(router, DESK)
