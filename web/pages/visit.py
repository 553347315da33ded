"""One visit, written down on a phone in one page: whom one met, what is needed, what is in the way, what was agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.follow_visit import follow_visit
from service.actions.look_at import LOOKED, look_at
from service.actions.record_visits import Heard, record_visit
from service.domain.errors import DomainError
from service.domain.obstacle import ObstacleKind
from service.domain.people import Role, Who
from service.domain.visit import LONGEST_NOTE, LONGEST_WORDS, Met
from service.doors import ADistrictOfficial, AnOfficial, Now, Today, Tx, house_of
from service.store import visits
from service.store.trail import Act
from web import obstacle_words, visit_sheet, words
from web.csrf import guard
from web.documents import qr_svg
from web.flash import redirect
from web.forms import Ask, Day, Filled, Form, Typed, blank, money, read, whole, wording
from web.language import gettext
from web.language import lazy as _
from web.pages.follow_up import taken
from web.pages.official import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
FOUND_ON_VISITS = (
    ObstacleKind.MORTGAGE_UNRELEASED,
    ObstacleKind.TITLE_LACKING,
    ObstacleKind.PERMIT_LACKING,
    ObstacleKind.RECORD_WRONG,
    ObstacleKind.GUARANTEE_LACKING,
    ObstacleKind.ACCOUNTS_IRREGULAR,
    ObstacleKind.TAX_ARREARS,
    ObstacleKind.INSURANCE_ARREARS,
    ObstacleKind.ENFORCEMENT_OPEN,
    ObstacleKind.PENALTY_STANDING,
    ObstacleKind.ABNORMAL_OPERATION,
    ObstacleKind.PREMISES_UNPROVEN,
    ObstacleKind.OTHER,
)
"""What a person can see on the spot, those only a person can see first; the other kinds are the verdict's to find."""


class VisitForm(Form):
    version: Annotated[int, whole(), Ask(_("版次"))]
    visited_on: Annotated[Day, Ask(_("走访日期"), None, _("请填写走访日期"))]
    met: Annotated[Met, Ask(_("见到了谁"), None, _("请选择见到了谁"))]
    has_need: Annotated[Literal["yes", "no"] | None, Ask(_("有没有融资需求"), _("没有见到人时不选。"))] = None
    amount_fen: Annotated[int | None, money("wan"), Ask(_("大约金额"), _("有需求时必填。"))] = None
    obstacles: Annotated[tuple[ObstacleKind, ...], Ask(_("发现的堵点"), _("记入堵点台账；已在台账里的不会重复。"))] = ()
    promised: Annotated[
        str, wording(most=LONGEST_WORDS, lines=True), Ask(_("约定的事项"), _("谁答应了什么；写明后须定下次日期。"))
    ] = ""
    next_on: Annotated[Day | None, Ask(_("下次日期"), _("须在今天之后。"))] = None
    note: Annotated[str, wording(most=LONGEST_NOTE, lines=True), Ask(_("备注"), _("不写个人隐私；不记录位置。"))] = ""


@dataclass(frozen=True)
class VisitPage:
    one: Row[Any]
    form: Filled[VisitForm]
    is_open: bool
    """Whether the form stands open: nothing is written yet, it is being corrected, or something is amiss."""
    draft_at: Any
    """When what was typed was kept last; None without a draft."""
    known: Sequence[str]
    """What stands in the firm's way today, in words."""
    versions: Sequence[Row[Any]]
    kinds: Sequence[words.Option]
    invitation: str
    """Where the firm reports for itself: the team invites, and never reports in its name."""
    code: Markup
    may_record: bool
    today: date


@router.get("/visits/{visit_id}")
def show_visit(request: Request, who: AnOfficial, tx: Tx, today: Today, now: Now, visit_id: int) -> Response:
    """The firm, and the one page to fill in; the look is noted where the firm can read it."""
    one = visits.get(tx, who, visit_id)
    look_at(tx, who, Act(LOOKED, "visit", visit_id, uscc=one.uscc, district=one.district), now)
    return _visit_page(request, tx, who, today, visit_id)


@router.post("/visits/{visit_id}/record")
def record(
    request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now, visit_id: int, typed: Typed
) -> Response:
    """Write it down, or correct it; tapped twice it is written once."""
    visits.get(tx, who, visit_id)
    filled = taken(tx, read(VisitForm, typed), lambda one: record_visit(tx, who, heard_of(visit_id, one), today, now))
    if not filled.is_right:
        return _visit_page(request, tx, who, today, visit_id, filled)
    return redirect(request, f"/visits/{visit_id}", gettext("走访已记录。"))


@router.post("/visits/{visit_id}/draft")
def keep(request: Request, who: ADistrictOfficial, tx: Tx, now: Now, visit_id: int, typed: Typed) -> Response:
    """Keep what is typed so far, right or wrong: it stands in the form when the page is opened again."""
    one = visits.get(tx, who, visit_id)
    answers = {name: said for name, said in read(VisitForm, typed).typed.items() if name != "version"}
    visits.save_draft(tx, one, who.person_id or 0, {name: list(said) for name, said in answers.items()}, now)
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204)
    return redirect(request, f"/visits/{visit_id}", gettext("草稿已保存，可以从任何设备接着填。"))


@router.post("/visits/{visit_id}/follow-up")
def follow(request: Request, who: ADistrictOfficial, tx: Tx, today: Today, now: Now, visit_id: int) -> Response:
    """What was agreed becomes a follow-up of the firm's open demand."""
    visits.get(tx, who, visit_id)
    try:
        with tx.begin_nested():
            key = follow_visit(tx, who, visit_id, today, now)
    except DomainError as refusal:
        return _visit_page(request, tx, who, today, visit_id, blank(VisitForm).refused(refusal))
    return redirect(request, f"/follow-ups/{key}", gettext("已开始跟进。"))


def heard_of(visit_id: int, one: VisitForm) -> Heard:
    """The form's answers as the record says them."""
    return Heard(
        visit_id=visit_id,
        version=one.version,
        visited_on=one.visited_on,
        met=one.met.value,
        has_need=None if one.has_need is None else one.has_need == "yes",
        amount_fen=one.amount_fen,
        obstacles=tuple(kind.value for kind in one.obstacles),
        promised=one.promised,
        next_on=one.next_on,
        note=one.note,
    )


def _visit_page(
    request: Request, tx: Tx, who: Who, today: date, visit_id: int, wrong: Filled[VisitForm] | None = None
) -> Response:
    one = visits.get(tx, who, visit_id)
    draft = visits.find_draft(tx, visit_id, who.person_id)
    is_asked = request.query_params.get("correct") == "yes"
    invitation = f"{str(house_of(request).settings.public_url).rstrip('/')}/firm/demands/new"
    kinds = dict.fromkeys([*FOUND_ON_VISITS, *(ObstacleKind(kind) for kind in one.obstacles)])
    view = VisitPage(
        one=one,
        form=wrong
        if wrong is not None and wrong.typed
        else Filled(VisitForm, _stands(one, draft, today), wrong.errors if wrong else {}),
        is_open=not one.version or is_asked or draft is not None or (wrong is not None and bool(wrong.typed)),
        draft_at=draft.updated_at if draft is not None else None,
        known=list(
            dict.fromkeys(
                obstacle_words.in_ledger(code) for code in visits.obstacles_of(tx, [one.uscc]).get(one.uscc, ())
            )
        ),
        versions=visits.list_versions(tx, visit_id),
        kinds=words.options("obstacle_kind", kinds),
        invitation=invitation,
        code=qr_svg(invitation),
        may_record=who.role is Role.DISTRICT,
        today=today,
    )
    return page(request, "official/visit.html", view, status=422 if wrong else 200)


def _stands(one: Row[Any], draft: Row[Any] | None, today: date) -> dict[str, list[str]]:
    """What stands in the form: the draft, else the record, else today's date."""
    said: dict[str, list[str]]
    if draft is not None:
        said = dict(draft.answers)
    elif one.version:
        cells = visit_sheet.heard(one)
        said = {
            name: [cells[name]]
            for name in ("visited_on", "met", "has_need", "amount_fen", "promised", "next_on", "note")
        }
        said["obstacles"] = list(one.obstacles)
    else:
        said = {"visited_on": [today.isoformat()]}
    return said | {"version": [str(one.version)]}
