"""An officer arranges the bank's list for themselves: named filters, one of them first, and the columns shown.

What one likes to see is no act on anybody's matter: it leaves no entry in the trail.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.list_view import LONGEST_NAME, MOST_FILTERS
from service.domain.people import Who
from service.store import list_views


def save_filter(tx: Session, who: Who, name: str, query: Mapping[str, str], now: datetime) -> None:
    """Keep the list's wishes under a name; a name one has already takes the new wishes."""
    _its_officer(who)
    there = list_views.list_filters(tx, who)
    if len(there) >= MOST_FILTERS and name not in {one.name for one in there}:
        raise Conflict("最多保存 {most} 个筛选，请先删去一个。", field="name", most=MOST_FILTERS)
    list_views.save(tx, who, _named(name), query, now)


def rename_filter(tx: Session, who: Who, filter_id: int, name: str) -> None:
    """Give one's filter another name."""
    _own(tx, who, filter_id)
    if not list_views.rename(tx, who, filter_id, _named(name)):
        raise Conflict("您已有一个叫“{name}”的筛选。", field="name", name=name)


def set_default_filter(tx: Session, who: Who, filter_id: int, *, is_default: bool) -> None:
    """Let the list open with this filter, or with none."""
    _own(tx, who, filter_id)
    list_views.set_default(tx, who, filter_id, is_default=is_default)


def remove_filter(tx: Session, who: Who, filter_id: int) -> None:
    """Forget one's filter."""
    _own(tx, who, filter_id)
    list_views.remove(tx, who, filter_id)


def choose_columns(tx: Session, who: Who, columns: Sequence[str]) -> None:
    """Show these columns wherever one signs in."""
    _its_officer(who)
    list_views.set_columns(tx, who, columns)


def _its_officer(who: Who) -> None:
    if not who.is_bank or who.person_id is None:
        raise NotAllowed("只有银行的经办人可以设置清单。")


def _own(tx: Session, who: Who, filter_id: int) -> Row[Any]:
    _its_officer(who)
    for one in list_views.list_filters(tx, who):
        if one.id == filter_id:
            return one
    raise NotFound("没有找到这个筛选。")


def _named(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME:
        raise NotPossible("名称为 1 至 {most} 个字。", field="name", most=LONGEST_NAME)
    return name
