"""A policy tried on history: ask, watch, stop; then which lights turn, which lists change, what may be expected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
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
from service.domain.rehearsed_outcome import LEAST_FIRMS, REST
from service.doors import ACityOfficial, Now, TheHouse, Today, Tx
from service.store import banks, rehearsals
from web import formats, words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, read
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.official import Tab, badge
from web.policy_words import criterion_name
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
SIDES = {"old": _("当时"), "new": _("新口径"), "change": _("变化")}
MOST_LISTED = 50
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
class Figure:
    """One side of a cell: grants, money, rate, each as mean and interval."""

    side: str
    grants: str
    amount: str
    rate: str


@dataclass(frozen=True)
class Shown:
    """A cell in words."""

    name: str
    firms: int
    demands: int
    turned: int
    figures: Sequence[Figure]


@dataclass(frozen=True)
class ListChange:
    """A bank's lines over all days, or one list: before, after."""

    name: str
    before: int
    after: int
    grew: int = 0
    shrank: int = 0


@dataclass(frozen=True)
class RehearsalPage:
    one: Row[Any]
    is_under_way: bool
    is_part: bool
    """Asked for by the page itself, while it waits for the end."""
    found: Mapping[str, Any] = field(default_factory=dict)
    reproduced: bool = True
    turns: Sequence[Tab] = ()
    criteria: Sequence[tuple[str, int]] = ()
    whole: Shown | None = None
    cuts: Sequence[tuple[str, Sequence[Shown]]] = ()
    banks: Sequence[ListChange] = ()
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
def show_rehearsals(request: Request, _who: ACityOfficial, tx: Tx) -> Response:
    """What would have happened under other lines?"""
    return page(request, "official/rehearsals.html", RehearsalsPage(blank(RehearsalForm), rehearsals.list_latest(tx)))


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
def show_rehearsal(request: Request, _who: ACityOfficial, tx: Tx, rehearsal_id: int) -> Response:
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
        reproduced=reproduces(one.found),
        turns=_turns(one),
        criteria=[(criterion_name(name), count) for name, count in one.found["criteria"]],
        whole=_shown(one.found["whole"], lambda _key: gettext("全部")) if one.found["whole"] else None,
        cuts=[
            (gettext("区县"), [_shown(cell, words.district) for cell in one.found["district"]]),
            (gettext("行业"), [_shown(cell, words.industry) for cell in one.found["industry"]]),
        ],
        banks=[ListChange(names.get(bank, str(bank)), *rest) for bank, *rest in one.found["lists"]["banks"]],
        lists=[
            ListChange(
                gettext("%(day)s 第 %(run)s 轮，%(bank)s") % {"day": day, "run": run, "bank": names.get(bank, bank)},
                before,
                after,
            )
            for day, run, bank, before, after in one.found["lists"]["most"][:MOST_LISTED]
        ],
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
    every = Tab(gettext("全部"), address, not old)
    tabs = [every, *_turns(one, f"{old}>{new}")]
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


def _shown(cell: Mapping[str, Any], name_of: Callable[[str], str]) -> Shown:
    name = gettext("其他（户数少，合并）") if cell["key"] == REST else name_of(cell["key"]) or gettext("未登记")
    figures = [
        Figure(
            str(label),
            _between([f"{one:,.1f}" for one in cell[side]["grants"]]),
            _between([formats.wan(fen, 0) for fen in cell[side]["amount_fen"]]),
            _between([formats.percent(Decimal(share)) for share in cell[side]["rate"]]) if cell[side]["rate"] else "—",
        )
        for side, label in SIDES.items()
    ]
    return Shown(name, cell["firms"], cell["demands"], cell["turned"], figures)


def _between(told: Sequence[str]) -> str:
    mean, low, high = told
    return gettext("%(mean)s（%(low)s 到 %(high)s）") % {"mean": mean, "low": low, "high": high}
