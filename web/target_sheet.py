"""The targets of a year as a workbook: a row for each area, filled with what is set, to be changed and sent back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO

from service.domain.errors import NotPossible
from service.domain.standards.regions import REGIONS
from service.domain.target import CITY_WIDE, TargetKind, stands
from web import filled_sheet, returned_sheet, target_words
from web.filled_sheet import Pattern, Sheet, SheetColumn, SheetRow
from web.language import gettext
from web.language import lazy as _

KIND, VERSION = "targets", "1"
AREAS = (CITY_WIDE, *REGIONS)
PATTERN = Pattern(
    _("年度目标"),
    (SheetColumn("id", _("序号"), 8), SheetColumn("area", _("区域"), 20)),
    (
        SheetColumn("registered", _("注册企业占比（%）"), 12, True, _("年底时，占本区域未注销企业的百分比，例如 85。")),
        SheetColumn("real_named", _("实名企业占比（%）"), 12, True),
        SheetColumn("demands", _("申报笔数"), 12, True, _("全年申报的融资需求。")),
        SheetColumn("granted", _("授信金额（万元）"), 16, True, _("全年合计，数字后可写单位，例如 1.2亿。")),
        SheetColumn("drawn", _("放款金额（万元）"), 16, True, _("全年合计。")),
        SheetColumn("in_time", _("按时联系（%）"), 12, True, _("全年每一天都应达到的百分比。")),
    ),
    {},
    bound=("area", "stood"),
    unseen=(SheetColumn("stood", _("下载时的目标"), 10),),
    most=len(AREAS),
)


@dataclass(frozen=True)
class Returned:
    """What came back: the year and, by row, the filled cells and how the area stood when the sheet went out."""

    year: int
    cells: Mapping[int, Mapping[str, str]]
    stood: Mapping[int, str]
    errors: Mapping[int, str]


def write(year: int, standing: Mapping[str, Mapping[str, Decimal]], mark: str, back: Returned | None = None) -> bytes:
    """The workbook of a year. `standing`: area → kind → value; `back`: what came back, for a copy with its errors."""
    rows = [_row(place, standing.get(area, {}), back) for place, area in enumerate(AREAS)]
    about = {"kind": KIND, "version": VERSION, "year": str(year)}
    return filled_sheet.write(about, [Sheet(PATTERN, _scope(year), rows)], mark, _said(year))


def read(file: BinaryIO, years: Sequence[int]) -> Returned:
    """What a returned workbook asks for. Errors: NotPossible with the sentence for whoever sent it."""
    book = returned_sheet.open_returned(file)
    try:
        known = returned_sheet.told(book, KIND, VERSION)
        found = {str(year): year for year in years}.get(known[0].get("year", ""))
        if found is None:
            raise NotPossible("只能设定去年到五年后的目标。")
        back = returned_sheet.read_sheet(book, 0, PATTERN, _scope(found), known)
        cells = {key: row for key, row in back.cells.items() if key < len(AREAS)}
        errors = {key: error for key, error in back.errors.items() if key in cells}
        return Returned(found, cells, {key: back.unseen[key]["stood"] for key in cells}, errors)
    finally:
        book.close()


def _row(place: int, values: Mapping[str, Decimal], back: Returned | None) -> SheetRow:
    area = target_words.area_name(AREAS[place])
    if back is not None and place in back.cells:
        return SheetRow(
            place, {"area": area, "stood": back.stood[place]}, back.cells[place], back.errors.get(place, "")
        )
    filled = {kind: target_words.typed(TargetKind(kind), value) for kind, value in values.items()}
    return SheetRow(place, {"area": area, "stood": stands(values)}, filled)


def _said(year: int) -> list[tuple[str, str]]:
    how = gettext("改右边的数；清空的格不再设这项目标，整行留空的区域不变。填好后在“用 Excel 设定目标”页上传。")
    return [(gettext("年度"), str(year)), (gettext("怎样填"), how), *PATTERN.hints]


def _scope(year: int) -> str:
    return f"targets|{year}"
