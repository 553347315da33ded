"""Long lists as Excel: short ones at once, long ones by the worker, with how far they are, and one's own of late."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import FileResponse, Response

from service.actions.make_export import About, Kind, ask_export, cancel_export, note_export
from service.domain.errors import NotAllowed, NotFound
from service.domain.export import LONGEST_QUERY, MOST_AT_ONCE, UNDER_WAY, ExportKind, ExportState, Wish
from service.domain.people import BANK_ROLES, OFFICIAL_ROLES, Role, Who
from service.doors import Now, TheHouse, Today, Tx, only
from service.store import exports
from web import takeaway
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Form, Typed, read, wording
from web.language import gettext, spoken
from web.language import lazy as _
from web.pages import bank, official, operator
from web.pages.entry import HOME
from web.pages.export_kinds import KINDS, MAY
from web.render import page, wants_part

AnExporter = Annotated[Who, Depends(only(*BANK_ROLES, *OFFICIAL_ROLES, Role.OPERATOR))]


def badge(request: Request, who: AnExporter, tx: Tx, today: Today) -> None:
    """The header as on the list one came from."""
    if who.is_bank:
        bank.badge(request, who, tx, today)
    elif who.is_official:
        official.badge(request, who, tx, today)
    else:
        operator.badge(request, who, tx, today)


router = APIRouter(dependencies=[Depends(guard), Depends(badge)])


class ExportForm(Form):
    kind: Annotated[ExportKind, Ask(_("导出什么"), None, _("请在清单页上点“导出 Excel”"))]
    query: Annotated[str, wording(most=LONGEST_QUERY), Ask(_("条件"))] = ""


@dataclass(frozen=True)
class ExportsPage:
    rows: Sequence[Row[Any]]
    home: str


@dataclass(frozen=True)
class ExportPage:
    one: Row[Any]
    is_part: bool
    """Whether htmx asked for the progress alone."""
    seconds_left: int | None

    @property
    def is_under_way(self) -> bool:
        return self.one.state in UNDER_WAY


@router.get("/exports")
def show_exports(request: Request, who: AnExporter, tx: Tx) -> Response:
    """What one exported of late, and what can still be fetched."""
    return page(request, "exports.html", ExportsPage(exports.list_latest(tx), HOME[who.role]))


@router.post("/exports")
def make(request: Request, who: AnExporter, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """The whole list as it is filtered: at once where it is short, else by the worker; never cut."""
    filled = read(ExportForm, typed)
    if not filled.is_right:
        return redirect(request, "/exports", gettext("请在清单页上点“导出 Excel”。"), "warning")
    wish = Wish(filled.answers.kind, filled.answers.query, spoken())
    if who.role not in MAY[wish.kind]:
        raise NotAllowed("您的身份不能导出这份清单。")
    kind = KINDS[wish.kind.value]
    keys = kind.find(tx, who, wish.query, today)
    if len(keys) <= MOST_AT_ONCE:
        note_export(tx, who, wish, len(keys), now)
        content = _at_once(kind, tx, who, keys, now)
        return takeaway.download(content, f"xindeng-{wish.kind.value}-{today}.xlsx")
    key = ask_export(tx, who, wish, len(keys), today, now)
    return redirect(request, f"/exports/{key}", gettext("行数较多，已交给后台做。做好后在这里下载。"), "info")


@router.get("/exports/{export_id}.xlsx")
def download(_who: AnExporter, tx: Tx, house: TheHouse, export_id: int) -> Response:
    """The finished workbook, for its maker alone, until its last day."""
    one = exports.get(tx, export_id)
    place = exports.file_of(house.settings.uploads, export_id)
    if one.state != ExportState.DONE or not place.is_file():
        raise NotFound("这份导出没有文件：还没有做完，或已过期。")
    name = f"xindeng-{one.kind}-{one.asked_on}-{one.id}.xlsx"
    return FileResponse(place, media_type=takeaway.XLSX, filename=name, headers={"Cache-Control": "no-store"})


@router.get("/exports/{export_id}")
def show_export(request: Request, _who: AnExporter, tx: Tx, now: Now, export_id: int) -> Response:
    """How far it is; where it is done, the file."""
    one = exports.get(tx, export_id)
    return page(request, "export.html", ExportPage(one, wants_part(request), _seconds_left(one, now)), part="progress")


@router.post("/exports/{export_id}/cancellation")
def cancel(request: Request, who: AnExporter, tx: Tx, now: Now, export_id: int) -> Response:
    """Stop it after its present batch."""
    cancel_export(tx, who, export_id, now)
    return redirect(request, f"/exports/{export_id}", gettext("已要求停止，做完当前一批就停。"))


def _at_once(kind: Kind, tx: Tx, who: Who, keys: Sequence[int], now: datetime) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.xlsx"
        kind.write(file, [kind.read(tx, who, keys)], About(who, spoken(), now))
        return file.read_bytes()


def _seconds_left(one: Row[Any], now: datetime) -> int | None:
    """By the pace of the rows so far; None before there is one."""
    if one.state != ExportState.RUNNING or not one.done or one.started_at is None:
        return None
    left: float = (now - one.started_at).total_seconds() / one.done * (one.total - one.done)
    return ceil(left)
