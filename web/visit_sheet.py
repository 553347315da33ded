"""A plan's base list (走访底册) as a workbook: what is known of each firm, and open columns for what was heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from service.domain.errors import NotPossible
from service.domain.visit import MOST_FIRMS
from web import filled_sheet, obstacle_words, returned_sheet, words
from web.filled_sheet import Fact, Pattern, Sheet, SheetColumn, SheetRow
from web.language import lazy as _

KIND, VERSION = "visits", "2"
FACTS = (
    SheetColumn("id", _("走访编号"), 11),
    SheetColumn("firm_name", _("企业名称"), 32),
    SheetColumn("uscc", _("统一社会信用代码"), 21),
    SheetColumn("industry", _("行业"), 18),
    SheetColumn("size_class", _("规模"), 9),
    SheetColumn("light", _("信灯"), 8),
    SheetColumn("demand", _("在办需求（元）"), 16),
    SheetColumn("known", _("已知堵点"), 28),
    SheetColumn("person", _("由谁走访"), 14),
)
HEARD = (
    SheetColumn("visited_on", _("走访日期"), 13, True, _("例如 2026-06-30；没有走访的行留空。")),
    SheetColumn("met", _("见到了谁"), 14, True, _("从下拉选项中选。")),
    SheetColumn("has_need", _("有没有融资需求"), 14, True),
    SheetColumn("amount_fen", _("大约金额（万元）"), 16, True, _("有需求时必填。")),
    SheetColumn("obstacle_1", _("堵点一"), 18, True, _("发现堵点时选，并填下次日期。")),
    SheetColumn("obstacle_2", _("堵点二"), 18, True),
    SheetColumn("obstacle_3", _("堵点三"), 18, True),
    SheetColumn("promised", _("约定的事项"), 28, True),
    SheetColumn("next_on", _("下次日期"), 13, True, _("须在今天之后。")),
    SheetColumn("note", _("备注"), 28, True),
)
PATTERN = Pattern(
    _("走访底册"),
    FACTS,
    HEARD,
    {
        "met": "met",
        "has_need": "has_need",
        **{f"obstacle_{place}": "obstacle_kind" for place in (1, 2, 3)},
    },
    bound=("uscc", "version"),
    unseen=(SheetColumn("version", _("版次"), 6),),
    most=MOST_FIRMS,
)


@dataclass(frozen=True)
class Returned:
    """What came back: the plan it is of and, by visit, the version that was seen and the filled cells as text."""

    plan_id: int
    versions: Mapping[int, int]
    cells: Mapping[int, Mapping[str, str]]
    errors: Mapping[int, str] = field(default_factory=dict)


def write(
    plan: Any,
    visits: Sequence[Any],
    known: Mapping[str, Sequence[str]],
    mark: str,
    cells: Mapping[int, Mapping[str, str]] | None = None,
    errors: Mapping[int, str] | None = None,
) -> bytes:
    """The workbook of a plan. `known`: firm → what stands in its way; `cells` and `errors` fill a copy."""
    rows = [
        SheetRow(
            visit.id,
            _facts(visit, known.get(visit.uscc, ())),
            (cells or {}).get(visit.id) or heard(visit),
            (errors or {}).get(visit.id, ""),
            visit.light or "",
        )
        for visit in visits
    ]
    about = {"kind": KIND, "version": VERSION, "plan_id": str(plan.id)}
    return filled_sheet.write(about, [Sheet(PATTERN, f"visit|{plan.id}", rows)], mark, PATTERN.hints)


def read(file: BinaryIO) -> Returned:
    """What was heard, from a returned workbook. Errors: NotPossible with the sentence for whoever sent it."""
    book = returned_sheet.open_returned(file)
    try:
        known = returned_sheet.told(book, KIND, VERSION)
        plan_id = known[0].get("plan_id", "")
        if not plan_id.isdecimal():
            raise NotPossible("底册的版本或表头不对，请重新下载后再填。")
        back = returned_sheet.read_sheet(book, 0, PATTERN, f"visit|{plan_id}", known)
        versions = {key: int(unseen["version"]) for key, unseen in back.unseen.items()}
        return Returned(int(plan_id), versions, back.cells, back.errors)
    finally:
        book.close()


def heard(visit: Any) -> dict[str, str]:
    """What a visit's record says, as cells; empty before it was made."""
    if not visit.version:
        return {}
    found = {f"obstacle_{place}": kind for place, kind in enumerate(visit.obstacles[:3], 1)}
    return found | {
        "visited_on": visit.visited_on.isoformat(),
        "met": visit.met,
        "has_need": {True: "yes", False: "no", None: ""}[visit.has_need],
        "amount_fen": "" if visit.amount_fen is None else f"{Decimal(visit.amount_fen) / 1_000_000:f}",
        "promised": visit.promised,
        "next_on": _day(visit.next_on),
        "note": visit.note,
    }


def _day(on: date | None) -> str:
    return "" if on is None else on.isoformat()


def _facts(visit: Any, known: Sequence[str]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "firm_name": visit.firm_name,
        "uscc": visit.uscc,
        "industry": words.industry(visit.industry) if visit.industry else "",
        "size_class": words.of("size_class", visit.size_class),
        "light": words.of("light", visit.light) if visit.light else "",
        "known": "、".join(dict.fromkeys(obstacle_words.in_ledger(code) for code in known)),
        "person": visit.person_name or "",
        "version": str(visit.version),
    }
    return facts if visit.demand_fen is None else facts | {"demand": Decimal(visit.demand_fen) / 100}


def obstacles_in(cells: Mapping[str, str]) -> tuple[str, ...]:
    """The kinds that stand in a row's three columns."""
    named = (cells.get(f"obstacle_{place}", "") for place in (1, 2, 3))
    return tuple(dict.fromkeys(kind for kind in named if kind))
