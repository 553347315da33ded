"""Targets in words: how a value reads, what each means, how far it is against the year; and all of it as a workbook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.domain.target import CITY_WIDE, MONEY, SHARES, Progress, TargetKind
from web import formats, words
from web.language import gettext
from web.language import lazy as _
from web.takeaway import Book

HEADS = (_("区域"), _("目标"), _("目标值"), _("现在"), _("完成"), _("时间已过"), _("进度"))
TONES = {"reached": "done", "ahead": "done", "in_step": "", "behind": "wait", "short": "wrong", "unknown": "off"}


@dataclass(frozen=True)
class ToldProgress:
    """One target of an area as it is read; `done` and `elapsed` are shares for a bar, 0 to 1."""

    kind: str
    name: str
    meaning: str
    target: str
    value: str
    done: Decimal | None
    elapsed: Decimal
    standing: str
    tone: str


def area_name(district: str) -> str:
    """The whole city, or the area's name."""
    return words.district(district) if district != CITY_WIDE else gettext("全市")


def value_said(kind: TargetKind, value: Decimal | None) -> str:
    """A share, an amount of money or a count."""
    if value is None:
        return formats.NOTHING
    if kind in SHARES:
        return formats.percent(value, 1)
    return formats.money(int(value)) if kind in MONEY else formats.count(int(value))


def typed(kind: TargetKind, value: Decimal) -> str:
    """A value as a person would type it into the form: a percentage, 万元, or a count."""
    unit = Decimal("0.01") if kind in SHARES else Decimal(1_000_000) if kind in MONEY else Decimal(1)
    said = f"{value / unit:f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def tell(one: Progress) -> ToldProgress:
    """How it stands, in words beside the numbers."""
    return ToldProgress(
        kind=one.kind.value,
        name=words.of("target_kind", one.kind.value),
        meaning=words.of("target_meaning", one.kind.value),
        target=value_said(one.kind, one.target),
        value=value_said(one.kind, one.value),
        done=None if one.done is None else min(max(one.done, Decimal(0)), Decimal(1)),
        elapsed=one.elapsed,
        standing=words.of("target_standing", one.standing.value),
        tone=TONES[one.standing.value],
    )


def of_area(found: Mapping[tuple[str, TargetKind], Progress], district: str) -> list[ToldProgress]:
    """An area's targets in the order of their kinds."""
    return [tell(found[district, kind]) for kind in TargetKind if (district, kind) in found]


def sheet(
    found: Mapping[tuple[str, TargetKind], Progress], areas: Sequence[str], year: int, who: str, now: datetime
) -> bytes:
    """One row for each target of each area: numbers as numbers (money in yuan, shares as shares)."""
    book = Book()
    share, money = book.file.add_format({"num_format": "0.0%"}), book.file.add_format({"num_format": "#,##0.00"})
    page = book.file.add_worksheet(gettext("%(year)s 年目标") % {"year": year})
    for place, head in enumerate(HEADS):
        page.write_string(0, place, str(head), book.head)
    rows = [(area, found[area, kind]) for area in areas for kind in TargetKind if (area, kind) in found]
    for row, (area, one) in enumerate(rows, 1):
        look = share if one.kind in SHARES else money if one.kind in MONEY else None
        unit = 100 if one.kind in MONEY else 1
        page.write_string(row, 0, area_name(area))
        page.write_string(row, 1, words.of("target_kind", one.kind.value))
        for place, value, shown in (
            (2, one.target / unit, look),
            (3, None if one.value is None else one.value / unit, look),
            (4, one.done, share),
            (5, one.elapsed, share),
        ):
            if value is not None:
                page.write_number(row, place, value, shown)
        page.write_string(row, 6, words.of("target_standing", one.standing.value))
    page.set_column(0, len(HEADS), 16)
    page.freeze_panes(1, 2)
    meant = [(words.of("target_kind", kind.value), words.of("target_meaning", kind.value)) for kind in TargetKind]
    book.explain([*meant, (gettext("导出"), f"{who} {formats.moment(now)}")])
    return book.content()
