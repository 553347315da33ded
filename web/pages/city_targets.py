"""What the year is to bring: targets of the city and its districts, how far each is, and the form that sets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.set_targets import YEARS_AHEAD, YEARS_BACK, set_targets
from service.domain.errors import DomainError
from service.domain.people import Who
from service.domain.standards.regions import REGIONS
from service.domain.target import CITY_WIDE, TargetKind, elapsed
from service.doors import ACityOfficial, Now, Today, Tx
from service.store import targets
from web import takeaway, target_words, words
from web.csrf import guard
from web.flash import redirect
from web.forms import Ask, Filled, Form, Typed, blank, money, percent, read, whole
from web.language import gettext, ngettext
from web.language import lazy as _
from web.pages.official import badge
from web.render import page
from web.target_words import ToldProgress

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
AREAS = (CITY_WIDE, *REGIONS)
SET = "set"
LARGEST = 10**15


class TargetsForm(Form):
    """One area's targets; an empty one is not asked for."""

    registered: Annotated[
        Decimal | None, percent(places=2), Ask(_("注册企业占比"), _("年底时，占本区域未注销企业的百分比。"))
    ] = None
    real_named: Annotated[Decimal | None, percent(places=2), Ask(_("实名企业占比"))] = None
    demands: Annotated[int | None, whole(least=1), Ask(_("申报笔数"), _("全年申报的融资需求。"))] = None
    granted: Annotated[int | None, money("wan", most=LARGEST), Ask(_("授信金额"), _("全年合计，数字后可写单位。"))] = (
        None
    )
    drawn: Annotated[int | None, money("wan", most=LARGEST), Ask(_("放款金额"), _("全年合计。"))] = None
    in_time: Annotated[Decimal | None, percent(places=2), Ask(_("按时联系"), _("全年每一天都应达到的百分比。"))] = None

    @property
    def wanted(self) -> dict[TargetKind, Decimal | None]:
        """Kind → the value, None for none."""
        found = {kind: getattr(self, kind.value) for kind in TargetKind}
        return {kind: None if value is None else Decimal(value) for kind, value in found.items()}


@dataclass(frozen=True)
class AreaRow:
    """An area with its targets by kind."""

    district: str
    name: str
    told: Mapping[str, ToldProgress]


@dataclass(frozen=True)
class Change:
    """One target that is to change, or has."""

    name: str
    old: str
    new: str
    area: str = ""
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class TargetsPage:
    year: int
    years: Sequence[int]
    district: str
    name: str
    areas: Sequence[words.Option]
    rows: Sequence[AreaRow]
    kinds: Sequence[words.Option]
    elapsed: Decimal
    form: Filled[TargetsForm]
    history: Sequence[Change]
    today: date


@dataclass(frozen=True)
class CheckPage:
    """What will change, before it does."""

    year: int
    district: str
    name: str
    changes: Sequence[Change]
    typed: Mapping[str, str]


@router.get("/targets")
def show_targets(request: Request, who: ACityOfficial, tx: Tx, today: Today) -> Response:
    """What does the city want of this year, and which areas are behind?"""
    year, district = asked_of(request, today)
    return _targets_page(request, tx, who, year, district, _stands(tx, year, district), today)


@router.get("/targets.xlsx")
def download(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now) -> Response:
    """All areas' targets and how far each is."""
    year, _district = asked_of(request, today)
    found = targets.progress_of_year(tx, who, year, today)
    return takeaway.download(target_words.sheet(found, AREAS, year, who.name, now), f"xindeng-targets-{year}.xlsx")


@router.post("/targets")
def change(request: Request, who: ACityOfficial, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """First what will change, to be looked over; then it is set."""
    year, district = asked_of(request, today)
    filled = read(TargetsForm, typed)
    if filled.is_right and typed.get("step") == SET:
        try:
            with tx.begin_nested():
                changed = set_targets(tx, who, year, district, filled.answers.wanted, today, now)
            said = ngettext("已设定 %(num)d 项目标。", "已设定 %(num)d 项目标。", changed) % {"num": changed}
            return redirect(request, _address(year, district), said)
        except DomainError as refusal:
            filled = filled.refused(refusal)
    if not filled.is_right:
        return _targets_page(request, tx, who, year, district, filled, today, 422)
    changes = _changes(tx, year, district, filled.answers)
    if not changes:
        return redirect(request, _address(year, district), gettext("没有改动。"), "info")
    kept = {name: filled.said(name) for name in TargetsForm.model_fields}
    view = CheckPage(year, district, target_words.area_name(district), changes, kept)
    return page(request, "official/targets_check.html", view)


def asked_of(request: Request, today: date) -> tuple[int, str]:
    """`?year=2026&district=410105`; this year and the whole city where nothing known is said."""
    year, district = request.query_params.get("year", ""), request.query_params.get("district", CITY_WIDE)
    known = {str(one): one for one in years_of(today)}
    return known.get(year, today.year), district if district in AREAS else CITY_WIDE


def years_of(today: date) -> range:
    """The years targets may be set for."""
    return range(today.year - YEARS_BACK, today.year + YEARS_AHEAD + 1)


def _address(year: int, district: str) -> str:
    return f"/targets?year={year}&district={district}"


def _stands(tx: Tx, year: int, district: str) -> Filled[TargetsForm]:
    """The form with what is set, as a person would type it."""
    return blank(
        TargetsForm,
        **{
            row.kind: target_words.typed(TargetKind(row.kind), row.value)
            for row in targets.list_of_year(tx, year, district)
        },
    )


def _changes(tx: Tx, year: int, district: str, given: TargetsForm) -> list[Change]:
    return changes_of(targets.by_area(tx, year).get(district, {}), given.wanted)


def changes_of(before: Mapping[str, Decimal], wanted: Mapping[TargetKind, Decimal | None]) -> list[Change]:
    """What is not as it should be: kind by kind, the old and the new."""
    return [
        Change(
            words.of("target_kind", kind.value),
            target_words.value_said(kind, before.get(kind.value)),
            target_words.value_said(kind, value),
        )
        for kind, value in wanted.items()
        if before.get(kind.value) != value
    ]


def _targets_page(
    request: Request, tx: Tx, who: Who, year: int, district: str, form: Filled[TargetsForm], today: date,
    status: int = 200,
) -> Response:  # fmt: skip
    found = targets.progress_of_year(tx, who, year, today)
    view = TargetsPage(
        year=year,
        years=list(years_of(today)),
        district=district,
        name=target_words.area_name(district),
        areas=[words.Option(area, target_words.area_name(area)) for area in AREAS],
        rows=[
            AreaRow(area, target_words.area_name(area), {one.kind: one for one in target_words.of_area(found, area)})
            for area in AREAS
        ],
        kinds=[
            words.Option(kind.value, words.of("target_kind", kind.value), words.of("target_meaning", kind.value))
            for kind in TargetKind
        ],
        elapsed=elapsed(year, today),
        form=form,
        history=[_told(row) for row in targets.list_changes(tx, year)],
        today=today,
    )
    return page(request, "official/targets.html", view, status=status)


def _told(row: Row[Any]) -> Change:
    """A change as the trail keeps it."""
    kind = TargetKind(row.details["kind"])
    old, new = (None if one is None else Decimal(one) for one in (row.old, row.new))
    return Change(
        words.of("target_kind", kind.value),
        target_words.value_said(kind, old),
        target_words.value_said(kind, new),
        target_words.area_name(row.district or CITY_WIDE),
        row.person_name or "",
        row.at,
    )
