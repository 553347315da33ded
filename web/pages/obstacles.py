"""The obstacle ledger: which firms, since when, which department must move, promised by when, how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.keep_ledger import (
    LONGEST_WORDS,
    Found,
    assign_obstacles,
    clear_obstacle,
    enter_obstacle,
    note_obstacle,
    promise_obstacle,
)
from service.actions.look_at import LOOKED, look_at
from service.domain.obstacle import Department, ObstacleKind
from service.domain.people import Role, Who
from service.domain.standards.regions import REGIONS
from service.doors import AnOfficial, Now, Today, Tx
from service.store import obstacles
from service.store.obstacles import ONLY, Counts, Sought
from service.store.trail import Act
from web import takeaway, words, work_sheet
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, Uscc, blank, read, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.district import NOBODY, colleagues
from web.pages.follow_up import EndForm, NoteForm, PromiseForm, taken
from web.pages.official import Tab, badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
MOST_IN_A_SHEET = 20_000
FILTERS = {
    "open": _("未销号"),
    "unpromised": _("未定期限"),
    "promised": _("已承诺期限"),
    "broken": _("承诺逾期"),
    "cleared": _("已销号"),
}
COLUMNS = (
    Column("firm_name", _("企业"), sortable=True),
    Column("kind", _("堵点"), sortable=True),
    Column("department", _("责任部门"), sortable=True),
    Column("since_on", _("自"), sortable=True),
    Column("promised_on", _("承诺办结"), sortable=True),
    Column("state", _("状态")),
    Column("owner", _("经办人")),
)
OF_THE_CITY = Column("district", _("区县"), sortable=True)


class ObstacleForm(Form):
    uscc: Annotated[Uscc, Ask(_("企业的统一社会信用代码"), _("18 位。"), _("请填写企业的统一社会信用代码"))]
    kind: Annotated[ObstacleKind, Ask(_("堵点"), None, _("请选择是哪一类堵点"))]
    words: Annotated[
        str,
        wording(most=LONGEST_WORDS, lines=True),
        Ask(_("具体情况"), _("例如：厂房抵押已还清，登记未解除。"), _("请写明具体情况")),
    ]
    next_on: Annotated[Day, Ask(_("下次日期"), _("须在今天之后。"), _("请填写下次日期"))]
    department: Annotated[Department | None, Ask(_("责任部门"), _("不选时按堵点类别的通常部门。"))] = None
    promised_on: Annotated[Day | None, Ask(_("承诺办结日期"), _("对方答应的日期；还没有答应就留空。"))] = None


class PersonForm(Form):
    person: Annotated[str, wording(most=20), Ask(_("由谁经办"), None, _("请选择由谁经办"))]


@dataclass(frozen=True)
class LedgerPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    counts: Counts
    sought: Sought
    sheet: str
    is_city: bool
    today: date

    @property
    def is_narrowed(self) -> bool:
        return any(value for name, value in self.listing.filters.items() if name != "only")


@dataclass(frozen=True)
class EntryPage:
    form: Filled[ObstacleForm]


@dataclass(frozen=True)
class ObstaclePage:
    one: Row[Any]
    notes: Sequence[Row[Any]]
    note: Filled[NoteForm]
    promise: Filled[PromiseForm]
    end: Filled[EndForm]
    person: Filled[PersonForm]
    people: Sequence[words.Option]
    today: date


@router.get("/obstacles")
def show_ledger(request: Request, who: AnOfficial, tx: Tx, today: Today) -> Response:
    """What keeps firms from their loans, and who must move?"""
    columns = (COLUMNS[0], OF_THE_CITY, *COLUMNS[1:]) if who.role is Role.CITY else COLUMNS
    wish = Wish.of(request, columns, usual="since_on")
    sought = _sought(request, who, wish)
    rows, total = obstacles.find(tx, who, sought, today)
    kept = {
        "only": sought.only, "kind": sought.kind, "department": sought.department, "district": sought.district,
        "q": sought.query, "mine": "yes" if sought.person_id else "",
    }  # fmt: skip
    kept = {name: value for name, value in kept.items() if value}
    view = LedgerPage(
        listing=Listing(columns, rows, total, "/obstacles", wish, kept, PER_PAGE),
        tabs=[
            Tab(
                str(label),
                f"/obstacles?{urlencode(kept | {'only': key})}",
                key == sought.only,
                total if key == sought.only else None,
            )
            for key, label in FILTERS.items()
        ],
        counts=obstacles.count(tx, who, today, sought.district),
        sought=sought,
        sheet=f"/obstacles.xlsx?{urlencode(kept | {'sort': ('-' if wish.descending else '') + wish.sort})}",
        is_city=who.role is Role.CITY,
        today=today,
    )
    return page(request, "official/obstacles.html", view)


@router.get("/obstacles.xlsx")
def take_sheet(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """The rows that are asked for, as a workbook; who took it is noted once a day."""
    wish = Wish.of(request, (*COLUMNS, OF_THE_CITY), usual="since_on")
    sought = replace(_sought(request, who, wish), limit=MOST_IN_A_SHEET, offset=0)
    rows, _total = obstacles.find(tx, who, sought, today)
    look_at(tx, who, Act(LOOKED, "obstacle", district=who.district), now)
    return takeaway.download(work_sheet.ledger(rows, who, now), f"xindeng-obstacles-{today}.xlsx")


@router.get("/obstacles/new")
def show_entry(request: Request, _who: AnOfficial) -> Response:
    """What did we find ourselves? With a firm's code in the address that firm stands in the form."""
    return page(request, "official/obstacle_new.html", EntryPage(_first(request)))


@router.post("/obstacles")
def enter(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Enter it; one of a kind for a firm."""
    made: list[int] = []

    def act(one: ObstacleForm) -> None:
        department = one.department.value if one.department else ""
        found = Found(one.uscc, one.kind.value, one.next_on, one.words, department, one.promised_on)
        made.append(enter_obstacle(tx, who, found, today, now))

    filled = taken(tx, read(ObstacleForm, typed), act)
    if not filled.is_right:
        return page(request, "official/obstacle_new.html", EntryPage(filled), status=422)
    return redirect(request, f"/obstacles/{made[0]}", gettext("已记入台账。"))


@router.get("/obstacles/{obstacle_id}")
def show_obstacle(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, obstacle_id: int) -> Response:
    """One of them; the look is noted where the firm can read it."""
    one = obstacles.get(tx, who, obstacle_id)
    look_at(tx, who, Act(LOOKED, "obstacle", obstacle_id, uscc=one.uscc, district=one.district), now)
    return _obstacle_page(request, tx, who, today, obstacle_id)


@router.post("/obstacles/{obstacle_id}/notes")
def note(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, obstacle_id: int, typed: Typed) -> Response:
    """What was done, and when we look again."""
    obstacles.get(tx, who, obstacle_id)
    filled = read(NoteForm, typed)
    filled = taken(tx, filled, lambda one: note_obstacle(tx, who, obstacle_id, one.note, one.next_on, today, now))
    if not filled.is_right:
        return _obstacle_page(request, tx, who, today, obstacle_id, filled)
    return redirect(request, f"/obstacles/{obstacle_id}", gettext("已记录，下次日期已设定。"))


@router.post("/obstacles/{obstacle_id}/promise")
def promise(
    request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, obstacle_id: int, typed: Typed
) -> Response:
    """Which department must move, and by when it said it would."""
    obstacles.get(tx, who, obstacle_id)
    filled = taken(
        tx,
        read(PromiseForm, typed),
        lambda one: promise_obstacle(tx, who, obstacle_id, one.department.value, one.promised_on, today, now),
    )
    if not filled.is_right:
        return _obstacle_page(request, tx, who, today, obstacle_id, filled)
    return redirect(request, f"/obstacles/{obstacle_id}", gettext("责任部门和期限已记录。"))


@router.post("/obstacles/{obstacle_id}/owner")
def assign(
    request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, obstacle_id: int, typed: Typed
) -> Response:
    """Whose work it is from now on."""
    obstacles.get(tx, who, obstacle_id)
    filled = read(PersonForm, typed)
    chosen = filled.said("person")
    if filled.is_right and chosen != NOBODY and not (chosen.isascii() and chosen.isdigit()):
        filled = Filled(PersonForm, filled.typed, {"person": gettext("请选择由谁经办")})
    person = int(chosen) if filled.is_right and chosen != NOBODY else None
    filled = taken(tx, filled, lambda _: assign_obstacles(tx, who, [obstacle_id], person, today, now))
    if not filled.is_right:
        return _obstacle_page(request, tx, who, today, obstacle_id, filled)
    return redirect(request, f"/obstacles/{obstacle_id}", gettext("已改经办人。"))


@router.post("/obstacles/{obstacle_id}/end")
def end(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, obstacle_id: int, typed: Typed) -> Response:
    """It stands in the way no longer, or nothing more can be done."""
    obstacles.get(tx, who, obstacle_id)
    filled = read(EndForm, typed)
    filled = taken(tx, filled, lambda one: clear_obstacle(tx, who, obstacle_id, one.outcome, today, now))
    if not filled.is_right:
        return _obstacle_page(request, tx, who, today, obstacle_id, filled)
    return redirect(request, f"/obstacles/{obstacle_id}", gettext("已销号。"))


def _sought(request: Request, who: Who, wish: Wish) -> Sought:
    """What the address asks for; what it does not say rightly is not asked."""
    asked = request.query_params
    only, kind, department, district = (asked.get(name, "") for name in ("only", "kind", "department", "district"))
    return Sought(
        only=only if only in ONLY else "open",
        kind=kind if kind in frozenset(ObstacleKind) else "",
        department=department if department in frozenset(Department) else "",
        district=district if district in REGIONS and who.role is Role.CITY else "",
        person_id=who.person_id if asked.get("mine") == "yes" else None,
        query=asked.get("q", "").strip()[:60],
        sort=wish.sort,
        descending=wish.descending,
        limit=PER_PAGE,
        offset=wish.offset(PER_PAGE),
    )


def _first(request: Request) -> Filled[ObstacleForm]:
    return blank(ObstacleForm, uscc=request.query_params.get("uscc", "")[:18])


def _obstacle_page(
    request: Request, tx: Tx, who: Who, today: date, obstacle_id: int, wrong: Filled[Any] | None = None
) -> Response:
    one = obstacles.get(tx, who, obstacle_id)
    usual: tuple[Filled[Any], ...] = (
        blank(NoteForm),
        blank(PromiseForm, department=one.department, promised_on=one.promised_on or ""),
        blank(EndForm),
        blank(PersonForm, person=one.owner_person_id or NOBODY),
    )
    note, promise, end, person = (wrong if wrong is not None and wrong.form is each.form else each for each in usual)
    view = ObstaclePage(
        one=one,
        notes=obstacles.list_notes(tx, obstacle_id),
        note=note,
        promise=promise,
        end=end,
        person=person,
        people=[*colleagues(tx, one.district, today), words.Option(NOBODY, gettext("交回专班，谁都可以办"))],
        today=today,
    )
    return page(request, "official/obstacle.html", view, status=422 if wrong else 200)
