"""An officer's own filters and columns of the bank's list: kept under a name, shown as links, first if one likes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.arrange_list import (
    choose_columns,
    remove_filter,
    rename_filter,
    save_filter,
    set_default_filter,
)
from service.domain.errors import DomainError
from service.domain.people import Who
from service.doors import AnOfficer, Now, Tx
from service.store import list_views
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read
from web.language import gettext
from web.language import lazy as _
from web.pages.bank import CHOOSABLE, USUAL, NameForm, asked_of, back_of, badge, query_of
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
FILTERS = "/bank/filters"


class DefaultForm(Form):
    is_default: Annotated[bool, Ask(_("打开清单时先用它"))] = False


class ColumnsForm(Form):
    columns: Annotated[tuple[str, ...], Ask(_("清单上显示哪些列"), _("企业名称总是显示。"))] = ()


@dataclass(frozen=True)
class FiltersPage:
    """Both forms; `amiss` is the filter whose new name was not taken."""

    form: Filled[NameForm]
    filters: Sequence[Row[Any]]
    columns: Filled[ColumnsForm]
    options: Sequence[words.Option]
    amiss: int
    back: str
    query: str


@router.get("/bank/filters")
def show_filters(request: Request, who: AnOfficer, tx: Tx) -> Response:
    """What have I kept, and what does my list show?"""
    return _filters_page(request, tx, who, blank(NameForm))


@router.post("/bank/filters")
def add_filter(request: Request, who: AnOfficer, tx: Tx, now: Now, typed: Typed) -> Response:
    """Keep the list as one sees it; the wishes stand in the address."""
    filled = read(NameForm, typed)
    if not filled.is_right:
        return _filters_page(request, tx, who, filled, status=422)
    try:
        save_filter(tx, who, filled.answers.name, asked_of(request), now)
    except DomainError as refusal:
        return _filters_page(request, tx, who, filled.refused(refusal), status=422)
    said = gettext("已保存筛选“%(name)s”。") % {"name": filled.answers.name}
    return redirect(request, back_of(request), said)


@router.post("/bank/filters/{filter_id}/name")
def name_filter(request: Request, who: AnOfficer, tx: Tx, filter_id: int, typed: Typed) -> Response:
    filled = read(NameForm, typed)
    if filled.is_right:
        try:
            rename_filter(tx, who, filter_id, filled.answers.name)
        except DomainError as refusal:
            if refusal.code == "not_found":
                raise
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _filters_page(request, tx, who, filled, amiss=filter_id, status=422)
    return redirect(request, FILTERS, gettext("已改名。"))


@router.post("/bank/filters/{filter_id}/default")
def choose_default(request: Request, who: AnOfficer, tx: Tx, filter_id: int, typed: Typed) -> Response:
    """The list opens with this one from now on, or no longer."""
    is_default = read(DefaultForm, typed).answers.is_default
    set_default_filter(tx, who, filter_id, is_default=is_default)
    return redirect(request, FILTERS, gettext("打开清单时先用它。") if is_default else gettext("清单照常打开。"))


@router.post("/bank/filters/{filter_id}/removal")
def drop_filter(request: Request, who: AnOfficer, tx: Tx, filter_id: int) -> Response:
    remove_filter(tx, who, filter_id)
    return redirect(request, FILTERS, gettext("已删去这个筛选。"))


@router.post("/bank/columns")
def set_columns(request: Request, who: AnOfficer, tx: Tx, typed: Typed) -> Response:
    """Kept with the account: the same wherever one signs in."""
    chosen = read(ColumnsForm, typed).answers.columns
    choose_columns(tx, who, [column.key for column in CHOOSABLE if column.key in chosen])
    return redirect(request, back_of(request), gettext("清单的列已改。"))


def _filters_page(
    request: Request, tx: Tx, who: Who, form: Filled[NameForm], amiss: int = 0, status: int = 200
) -> Response:
    chosen = list_views.columns_of(tx, who)
    view = FiltersPage(
        form=form,
        filters=list_views.list_filters(tx, who),
        columns=blank(ColumnsForm, columns=list(USUAL if chosen is None else chosen)),
        options=[words.Option(column.key, str(column.label)) for column in CHOOSABLE],
        amiss=amiss,
        back=back_of(request),
        query=query_of(request),
    )
    return page(request, "bank/filters.html", view, status=status)
