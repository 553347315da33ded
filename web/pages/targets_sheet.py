"""A year's targets by workbook: what is set goes out, comes back changed, is tried, shown by area, then set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.actions.set_targets_together import AreaTargets, set_together, try_together
from service.domain.errors import NotPossible
from service.domain.people import Role
from service.doors import ACityOfficial, Now, Today, Tx
from service.store import targets
from web import formats, takeaway, target_sheet, target_words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, blank, read
from web.language import gettext, ngettext
from web.language import lazy as _
from web.pages.city_targets import TargetsForm, asked_of, changes_of, years_of
from web.pages.official import badge
from web.refusals import said
from web.render import page
from web.sheet_routes import Call, SheetDesk, add_sheet_routes, told_of
from web.target_sheet import AREAS, Returned
from web.tried_sheet import SheetForm, TriedRow, by_id

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class FilledForm(SheetForm):
    sheet: Annotated[Any, Ask(_("填好的目标表"), _("从本页下载、填好的 Excel 文件（.xlsx）。"), _("请选择文件"))]


@dataclass(frozen=True)
class SheetPage:
    form: Filled[FilledForm]
    year: int
    years: Sequence[int]


@router.get("/targets/sheet")
def show(request: Request, _who: ACityOfficial, today: Today) -> Response:
    """Take the year's targets out, bring them back."""
    return _sheet_page(request, today.year, list(years_of(today)), blank(FilledForm), 200)


@router.get("/targets/sheet.xlsx")
def download(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The workbook to change: every area, with what is set."""
    year, _district = asked_of(request, today)
    content = target_sheet.write(year, targets.by_area(tx, year), f"{who.name} {formats.moment(now)}")
    return takeaway.download(content, f"xindeng-targets-{year}-to-fill.xlsx")


def _sheet_page(request: Request, usual: int, years: Sequence[int], form: Filled[Any], status: int) -> Response:
    known = {str(year): year for year in years}
    year = known.get(request.query_params.get("year", ""), usual)
    return page(request, "official/targets_sheet.html", SheetPage(form, year, years), status=status)


def _ask(call: Call, form: Filled[Any], status: int) -> Response:
    return _sheet_page(call.request, call.today.year, list(years_of(call.today)), form, status)


def _read(call: Call, file: BinaryIO) -> Returned:
    returned = target_sheet.read(file, list(years_of(call.today)))
    if not returned.cells:
        raise NotPossible("文件里没有填写任何目标。")
    return returned


def _rows(call: Call, returned: Returned) -> list[TriedRow]:
    wanted, errors = _wanted(returned)
    tried = try_together(call.tx, call.who, returned.year, list(wanted.values()), call.today, call.now)
    results = dict(zip(wanted, tried, strict=True))
    stands = targets.by_area(call.tx, returned.year)
    rows = []
    for key in returned.cells:
        one, result = wanted.get(key), results.get(key)
        changes = changes_of(stands.get(AREAS[key], {}), one.wanted) if one else []
        what = "；".join(f"{change.name} {change.old} → {change.new}" for change in changes)
        error = errors.get(key) or (said(result.error) if result is not None and result.error is not None else "")
        name = target_words.area_name(AREAS[key])
        rows.append(TriedRow(key, name, what, error, result is not None and result.is_repeat))
    return rows


def _wanted(returned: Returned) -> tuple[dict[int, AreaTargets], dict[int, str]]:
    """The rows that read as the page's own form would, and what is wrong with the others."""
    wanted, errors = dict[int, AreaTargets](), dict(returned.errors)
    for key, cells in returned.cells.items():
        if key in errors:
            continue
        filled = read(TargetsForm, cells)
        if filled.is_right:
            wanted[key] = AreaTargets(AREAS[key], returned.stood[key], filled.answers.wanted)
        else:
            errors[key] = "；".join(f"{filled.ask(name).label}：{error}" for name, error in filled.errors.items())
    return wanted, errors


def _set(call: Call, returned: Returned) -> Response:
    wanted, _errors = _wanted(returned)
    done = set_together(call.tx, call.who, returned.year, list(wanted.values()), call.today, call.now)
    changed, refusals = sum(one.changed for one in done), sum(one.error is not None for one in done)
    message = ngettext("已设定 %(num)d 项目标。", "已设定 %(num)d 项目标。", changed) % {"num": changed}
    here = f"/targets?year={returned.year}"
    if not changed and not refusals:
        return redirect(call.request, here, gettext("没有改动。"), "info")
    return told_of(call, here, message, refusals)


def _copy(call: Call, returned: Returned) -> Response:
    wrong = replace(returned, errors=DESK.errors(call, returned))
    standing = targets.by_area(call.tx, returned.year)
    content = target_sheet.write(returned.year, standing, f"{call.who.name} {formats.moment(call.now)}", wrong)
    return takeaway.download(content, f"xindeng-targets-{returned.year}-errors.xlsx")


def _pack(returned: Returned) -> dict[str, Any]:
    return {
        "year": returned.year, "cells": returned.cells, "stood": returned.stood, "errors": returned.errors,
    }  # fmt: skip


def _unpack(kept: Mapping[str, Any]) -> Returned:
    cells, stood, errors = (by_id(kept[name]) for name in ("cells", "stood", "errors"))
    return Returned(kept["year"], cells, stood, errors)


DESK = SheetDesk(
    address="/targets/sheet",
    roles=(Role.CITY,),
    form=FilledForm,
    tried="official/targets_tried.html",
    whose=lambda who: who.person_id,
    ask=_ask,
    read=_read,
    rows=_rows,
    pack=_pack,
    unpack=_unpack,
    take=_set,
    copy=_copy,
    home=lambda returned: f"/targets?year={returned.year}",
)
add_sheet_routes(router, DESK)
