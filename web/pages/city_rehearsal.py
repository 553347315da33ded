"""A policy tried on history: ask, watch, stop; then which lights turn, which lists change, what may be expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.datastructures import UploadFile
from starlette.responses import Response

from matching.policy import load_policy
from service.actions.rehearse_policy import Wish as ToRehearse
from service.actions.rehearse_policy import cancel_rehearsal, queue_rehearsal, reproduces
from service.domain.errors import DomainError, NotPossible
from service.domain.rehearsal import UNDER_WAY
from service.domain.rehearsed_outcome import LEAST_FIRMS
from service.doors import ACityOfficial, Now, TheHouse, Today, Tx
from service.profiles.tools import load_tools
from service.store import banks, rehearsals
from web import words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import Tab, badge
from web.policy_words import criterion_name
from web.rehearsal_words import ListChange, Shown, changed_lists, how_to_read, most_changed, shown
from web.render import page, wants_part

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
TURNED = (
    Column("number", _("需求编号")),
    Column("firm", _("企业")),
    Column("district", _("区县")),
    Column("amount", _("金额（万元）"), numeric=True),
    Column("old", _("当时")),
    Column("new", _("新口径")),
    Column("criteria", _("因为")),
)
MOST_LISTED = 50
USUAL_SPAN = timedelta(days=29)
NONE_FOUND: Mapping[str, Any] = {}


class RehearsalForm(Form):
    policy: Annotated[
        Any,
        Ask(
            _("政策文件"),
            _("与 policy.yaml 同样格式的文件；可以用 based_on: policy.yaml 只写改动的部分。"),
            _("请选择文件"),
        ),
    ]
    from_on: Annotated[Day, Ask(_("从哪一天"))]
    to_on: Annotated[Day, Ask(_("到哪一天"), _("最多 400 天。"))]
    held_on: Annotated[
        Day | None,
        Ask(_("采用哪一天的口径"), _("新口径从以后才生效时，填它生效的日子；不填则每天用文件里当天的口径。")),
    ] = None


@dataclass(frozen=True)
class RehearsalsPage:
    form: Filled[RehearsalForm]
    rows: Sequence[Row[Any]]


@dataclass(frozen=True)
class RehearsalPage:
    one: Row[Any]
    is_under_way: bool
    is_part: bool
    """Asked for by the page itself, while it waits for the end."""
    found: Mapping[str, Any] = field(default_factory=dict)
    how_to_read: Sequence[str] = ()
    reproduced: bool = True
    turns: Sequence[Tab] = ()
    criteria: Sequence[tuple[str, int]] = ()
    whole: Shown | None = None
    cuts: Sequence[tuple[str, Sequence[Shown]]] = ()
    banks: Sequence[ListChange] = ()
    """Those with a list that grows or shrinks."""
    lists: Sequence[ListChange] = ()
    least: int = LEAST_FIRMS

    @property
    def turned(self) -> int:
        """Demands whose light is another one."""
        return sum(count for old, new, count in self.found.get("lights", ()) if old != new)


@dataclass(frozen=True)
class TurnedPage:
    one: Row[Any]
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]

    @staticmethod
    def reason(criteria: Sequence[str]) -> str:
        """The criteria that moved, by name."""
        return "、".join(criterion_name(one) for one in criteria)


@router.get("/rehearsals")
def show_rehearsals(request: Request, _who: ACityOfficial, tx: Tx, today: Today) -> Response:
    """What would have happened under other lines?"""
    form = blank(RehearsalForm, from_on=today - USUAL_SPAN, to_on=today)
    return page(request, "official/rehearsals.html", RehearsalsPage(form, rehearsals.list_latest(tx)))


@router.post("/rehearsals")
def ask(
    request: Request, who: ACityOfficial, tx: Tx, house: TheHouse, today: Today, now: Now, typed: Typed
) -> Response:
    """Queue a rehearsal; the same one under way is asked for once."""
    filled = read(RehearsalForm, typed)
    if filled.is_right:
        try:
            key = queue_rehearsal(tx, who, _wished(filled.answers), load_policy(house.settings.policy), today, now)
            return redirect(request, f"/rehearsals/{key}", gettext("已排队，任务进程会马上开始。"))
        except DomainError as refusal:
            filled = filled.refused(refusal)
    return page(request, "official/rehearsals.html", RehearsalsPage(filled, rehearsals.list_latest(tx)), status=422)


def _wished(form: RehearsalForm) -> ToRehearse:
    if not isinstance(form.policy, UploadFile):
        raise NotPossible("请选择文件", field="policy")
    name = (form.policy.filename or "policy.yaml").replace("\\", "/").rpartition("/")[2]
    return ToRehearse(name, form.policy.file.read(), form.from_on, form.to_on, form.held_on)


@router.get("/rehearsals/{rehearsal_id}")
def show_rehearsal(
    request: Request, _who: ACityOfficial, tx: Tx, house: TheHouse, today: Today, rehearsal_id: int
) -> Response:
    """How far it is, or what it found."""
    one = rehearsals.get(tx, rehearsal_id)
    is_under_way, is_part = one.state in UNDER_WAY, wants_part(request)
    if one.found is None:
        return page(request, "official/rehearsal.html", RehearsalPage(one, is_under_way, is_part), part="progress")
    names = {bank.id: bank.name for bank in banks.list_all(tx)}
    view = RehearsalPage(
        one=one,
        is_under_way=is_under_way,
        is_part=is_part,
        found=one.found,
        how_to_read=how_to_read(load_tools(tx, house.settings, today).policy),
        reproduced=reproduces(one.found),
        turns=_turns(one),
        criteria=[(criterion_name(name), count) for name, count in one.found["criteria"]],
        whole=shown(one.found["whole"], lambda _key: gettext("全部")) if one.found["whole"] else None,
        cuts=[
            (gettext("区县"), [shown(cell, words.district) for cell in one.found["district"]]),
            (gettext("行业"), [shown(cell, words.industry) for cell in one.found["industry"]]),
        ],
        banks=changed_lists(one.found["lists"], names),
        lists=most_changed(one.found["lists"], names, MOST_LISTED),
    )
    return page(request, "official/rehearsal.html", view, part="progress")


@router.get("/rehearsals/{rehearsal_id}/demands")
def show_turned(request: Request, _who: ACityOfficial, tx: Tx, rehearsal_id: int) -> Response:
    """The demands whose light would be another one, and which criteria make it so."""
    one = rehearsals.get(tx, rehearsal_id)
    wish = Wish.of(request, TURNED, usual="")
    asked = {name: request.query_params.get(name, "") for name in ("old", "new")}
    old, new = (asked["old"], asked["new"]) if all(one in words.GROUPS["light"] for one in asked.values()) else ("", "")
    rows, total = rehearsals.list_lights(tx, one.id, old or None, new or None, PER_PAGE, wish.offset(PER_PAGE))
    address = f"/rehearsals/{one.id}/demands"
    listing = Listing(TURNED, rows, total, address, wish, {"old": old, "new": new}, PER_PAGE)
    turns = _turns(one, f"{old}>{new}")
    tabs = [Tab(gettext("全部"), address, not old, sum(turn.tally or 0 for turn in turns)), *turns]
    return page(request, "official/rehearsed.html", TurnedPage(one, listing, tabs))


@router.post("/rehearsals/{rehearsal_id}/cancellation")
def cancel(request: Request, who: ACityOfficial, tx: Tx, now: Now, rehearsal_id: int) -> Response:
    """Stop after the present day; nothing is kept."""
    cancel_rehearsal(tx, who, rehearsal_id, now)
    return redirect(request, f"/rehearsals/{rehearsal_id}", gettext("已要求停止，做完当前一天就停。"))


def _turns(one: Row[Any], chosen: str = "") -> list[Tab]:
    """From which light to which, how many; each leads to its demands."""
    return [
        Tab(
            gettext("%(old)s变%(new)s") % {"old": words.of("light", old), "new": words.of("light", new)},
            f"/rehearsals/{one.id}/demands?old={old}&new={new}",
            chosen == f"{old}>{new}",
            count,
        )
        for old, new, count in (one.found or NONE_FOUND).get("lights", ())
        if old != new
    ]
