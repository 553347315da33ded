"""What departments deliver: files taken or not, bad rows with their reasons, the error file back, how well they do."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import Row
from starlette.datastructures import UploadFile
from starlette.responses import Response

from service.actions.look_at import LOOKED, look_at
from service.actions.take_feed import Delivery, Taken, error_lines, take_feed
from service.domain.errors import DomainError, NotPossible
from service.domain.people import Who, the_platform
from service.domain.record import Feed, FeedState
from service.doors import AnOperator, House, Now, TheHouse, Today, Tx
from service.intake.catalogue import load_catalogue
from service.store import feed_search, feeds
from service.store.feeds import Delivered
from service.store.trail import Act
from web import record_words, takeaway, words
from web.csrf import guard
from web.figure_words import days_of
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, read
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.operator import badge
from web.refusals import said
from web.render import page

SHOWN = 50
STATES = ("taken", "failed", "quarantined")
COLUMNS = (
    Column("file", _("文件")),
    Column("item", _("目录项和部门")),
    Column("received_on", _("收到")),
    Column("state", _("结果")),
    Column("received", _("行数"), numeric=True, sortable=True),
    Column("valid", _("采用"), numeric=True),
    Column("duplicates", _("重复"), numeric=True),
    Column("quarantined", _("退回"), numeric=True, sortable=True),
    Column("wrong_codes", _("错码"), numeric=True, sortable=True),
    Column("on_time", _("按期"), numeric=True),
)


def no_flood(request: Request, house: TheHouse) -> None:
    """A request many times the allowed size is refused before it is read; a little too large is said on the page."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > 4 * (house.settings.upload_limit_mb << 20):
        raise HTTPException(413)


router = APIRouter(dependencies=[Depends(no_flood), Depends(guard), Depends(badge)])


class FeedForm(Form):
    file: Annotated[Any, Ask(_("报送文件"), _("CSV、XLSX 或 Parquet，第一行是列名。"), _("请选择文件"))]
    item: Annotated[str, Ask(_("目录项"), _("文件名以目录项编号开头时不用选，例如 tax_payment__2026-06.csv。"))] = ""
    is_history: Annotated[bool, Ask(_("这是历史数据"), _("每行自带“归集日期”，按那一天计入。"))] = False


@dataclass(frozen=True)
class FeedsPage:
    form: Filled[FeedForm]
    listing: Listing[Row[Any]]
    items: Sequence[words.Option]
    names: Mapping[str, tuple[str, str]]
    """Item → its name and its department."""
    item: str
    state: str
    most_mb: int
    failed: int | None = None
    """The feed whose file could not be read just now."""

    @property
    def states(self) -> list[words.Option]:
        return [*words.options("feed_state"), words.Option("quarantined", gettext("有退回的行"))]


@dataclass(frozen=True)
class FeedPage:
    feed: Feed
    name: str
    department: str
    failure: str
    reasons: Sequence[Row[Any]]
    rows: Sequence[Row[Any]]
    labels: Mapping[str, str]

    def field(self, name: str) -> str:
        """The catalogue's word for a field; the name itself where the catalogue knows none."""
        return self.labels.get(name, name)


@dataclass(frozen=True)
class DepartmentMonth:
    """One department's feeds in one month, item by item."""

    department: str
    month: date
    items: Sequence[tuple[str, Delivered]]


@dataclass(frozen=True)
class DepartmentsPage:
    since: date
    until: date
    months: Sequence[DepartmentMonth]


@router.get("/operator/feeds")
def show_feeds(request: Request, _who: AnOperator, tx: Tx, house: TheHouse) -> Response:
    """What came in, and was it good?"""
    return _feeds_page(request, tx, house, blank(FeedForm))


@router.post("/operator/feeds")
def upload(
    request: Request, who: AnOperator, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed
) -> Response:
    """Take a file now; what could not be taken is counted and comes back as a file."""
    filled = read(FeedForm, typed)
    if not filled.is_right:
        return _feeds_page(request, tx, house, filled, 422)
    given = filled.answers
    try:
        if not isinstance(given.file, UploadFile):
            raise NotPossible("请选择文件", field="file")
        taken = _take(house, who, given, Delivery(today, Path(given.file.filename or "").name, given.is_history, now))
    except DomainError as refusal:
        wrong = replace(filled, errors={refusal.field or "file": said(refusal)}, values=None)
        return _feeds_page(request, tx, house, wrong, 422)
    if taken.failure is not None:
        wrong = replace(filled, errors={"file": said(taken.failure)}, values=None)
        return _feeds_page(request, tx, house, wrong, 422, taken.feed.id)
    return _told(request, taken)


@router.get("/operator/feeds/departments")
def show_departments(request: Request, _who: AnOperator, tx: Tx, today: Today) -> Response:
    """How well each department delivers, month by month: received, valid, on time, repeated, wrong codes."""
    since, until = days_of(request, today)
    grouped: dict[tuple[date, str], list[tuple[str, Delivered]]] = {}
    names, departments = _names(), _departments()
    for row in feeds.delivered(tx, since, until):
        item = names.get(row.item, (row.item, ""))[0]
        grouped.setdefault((row.month, row.department), []).append((item, row))
    order = sorted(grouped, key=lambda key: (-key[0].toordinal(), key[1]))
    months = [DepartmentMonth(departments.get(key[1], key[1]), key[0], grouped[key]) for key in order]
    return page(request, "operator/departments.html", DepartmentsPage(since, until, months))


@router.get("/operator/feeds/{feed_id}/errors.csv")
def download_errors(who: AnOperator, tx: Tx, now: Now, feed_id: int) -> Response:
    """The bad rows as they came, each with its reasons, for whoever sent them."""
    feed = feeds.get(tx, feed_id)
    look_at(tx, who, Act(LOOKED, "feed", feed_id), now)
    content = "".join(error_lines(tx, feed))
    return takeaway.download(content, f"{feed.item}-{feed_id}-errors.csv", "text/csv; charset=utf-8")


@router.get("/operator/feeds/{feed_id}")
def show_feed(request: Request, who: AnOperator, tx: Tx, now: Now, feed_id: int) -> Response:
    """One feed's counts and its first bad rows; looking at rows leaves a trace."""
    feed = feeds.get(tx, feed_id)
    rows = feed_search.list_quarantined(tx, feed_id, SHOWN)
    if rows:
        look_at(tx, who, Act(LOOKED, "feed", feed_id), now)
    failure = ""
    if feed.state == FeedState.FAILED:
        failure = said(NotPossible(feed.failure, **(feed.failure_values or {})))
    name, department = _names().get(feed.item, (feed.item, feed.department))
    item = load_catalogue().items.get(feed.item)
    view = FeedPage(
        feed=feed,
        name=name,
        department=department,
        failure=failure,
        reasons=feed_search.list_reasons(tx, feed_id),
        rows=rows,
        labels={field.name: record_words.named(field) for field in item.fields} if item else {},
    )
    return page(request, "operator/feed.html", view)


def _take(house: House, who: Who, given: FeedForm, delivery: Delivery) -> Taken:
    """Intake works as the platform (COPY is closed where row security holds); the trail names who brought the file."""
    most = house.settings.upload_limit_mb
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"feed{Path(delivery.name or '').suffix[:10]}"
        with path.open("wb") as kept:
            while block := given.file.file.read(1 << 20):
                kept.write(block)
                if kept.tell() > most << 20:
                    raise NotPossible("文件超过 {most} MB。请在服务器上用 xindeng intake 接收。", most=most)
        with house.database.transaction(the_platform("intake")) as tx:
            return take_feed(tx, who, path, given.item or None, delivery=delivery, mirror=house.settings.mirror)


def _told(request: Request, taken: Taken) -> Response:
    address, feed = f"/operator/feeds/{taken.feed.id}", taken.feed
    if taken.is_repeat:
        return redirect(request, address, gettext("同一份文件已经接收过，没有任何改变。"), "info")
    counts = {"received": feed.received, "valid": feed.valid, "repeated": feed.duplicates, "bad": feed.quarantined}
    message = gettext("共 %(received)s 行：采用 %(valid)s 行，重复 %(repeated)s 行，退回 %(bad)s 行。") % counts
    return redirect(request, address, message, "warning" if feed.quarantined else "success")


def _feeds_page(
    request: Request,
    tx: Tx,
    house: House,
    form: Filled[FeedForm],
    status: int = 200,
    failed: int | None = None,
) -> Response:
    names = _names()
    asked, state = request.query_params.get("item", ""), request.query_params.get("state", "")
    item, state = asked if asked in names else "", state if state in STATES else ""
    wish = Wish.of(request, COLUMNS, usual="-id")
    order = ("-" if wish.descending else "") + wish.sort
    rows, total = feed_search.find(tx, item or None, state or None, order, SHOWN, wish.offset(SHOWN))
    if not form.typed and item:
        form = blank(FeedForm, item=item)
    view = FeedsPage(
        form=form,
        listing=Listing(COLUMNS, rows, total, "/operator/feeds", wish, {"item": item, "state": state}, SHOWN),
        items=[words.Option(one, f"{name}（{one}）") for one, (name, _department) in names.items()],
        names=names,
        item=item,
        state=state,
        most_mb=house.settings.upload_limit_mb,
        failed=failed,
    )
    return page(request, "operator/feeds.html", view, status=status)


def _names() -> dict[str, tuple[str, str]]:
    return {one.id: (record_words.named(one), record_words.department(one)) for one in load_catalogue().items.values()}


def _departments() -> dict[str, str]:
    return {one.department.id: record_words.department(one) for one in load_catalogue().items.values()}
