"""What came out of the demo beside what Zhengzhou and Henan have published; nothing is fitted to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.table import Table
from sqlalchemy import Row


@dataclass(frozen=True)
class Ratio:
    """One figure of the funnel; `published` as quoted, with its source in the project's facts."""

    name: str
    zh: str
    en: str
    value: float | None
    published: str
    definition: str


def ratios(rows: Sequence[Row[Any]]) -> list[Ratio]:
    """The funnel's ratios from the sums of its events (`store.demo.funnel`)."""
    sums = {row.kind: row for row in rows}

    def of(kind: str, column: str) -> int:
        return int(getattr(sums[kind], column) or 0) if kind in sums else 0

    paid = of("drawn", "amount_fen")
    return [
        Ratio("recommended_to_reported", "推荐户/申报户", "recommended ÷ reported",
              _share(of("recommended", "households"), of("reported", "households")), "82.8 %", "户"),
        Ratio("granted_to_recommended", "授信户/推荐户", "granted ÷ recommended",
              _share(of("granted", "households"), of("recommended", "households")), "93.8 %", "户"),
        Ratio("paid_to_granted", "放款额/授信额", "paid ÷ granted",
              _share(paid, of("granted", "amount_fen")), "82.3 %", "金额"),
        Ratio("credit_loans", "信用贷款/放款额", "credit loans ÷ paid",
              _share(of("drawn", "credit_fen"), paid), "49.0 %", "金额"),
        Ratio("renewal_without_repayment", "无还本续贷/放款额", "renewals without repayment ÷ paid",
              _share(of("drawn", "renewal_fen"), paid), "15.9 %", "金额"),
        Ratio("first_loans", "首贷/放款额", "first loans ÷ paid", _share(of("drawn", "first_fen"), paid), "–", "金额"),
        Ratio("average_rate", "加权平均利率", "average rate by amount paid",
              _rate(sums.get("drawn")), "3.43 %", "放款额加权"),
    ]  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _rate(drawn: Row[Any] | None) -> float | None:
    if drawn is None or not drawn.amount_fen or drawn.rate_times_fen is None:
        return None
    average = Decimal(drawn.rate_times_fen) / drawn.amount_fen
    return float(average)


def sums_of(rows: Sequence[Row[Any]]) -> dict[str, dict[str, Any]]:
    """The sums themselves, for the JSON summary: households, events, exact fen."""
    return {
        row.kind: {"households": row.households, "events": row.events, "amount_fen": row.amount_fen} for row in rows
    }


def table_of(found: Sequence[Ratio], sums: Mapping[str, Mapping[str, Any]]) -> Table:
    """Both side by side. The published ones are the mechanism's (another universe): a comparison, never a target."""
    table = Table(
        title="漏斗与公布比例 The funnel beside the published ratios", caption="公布值为全市机制口径，仅作对照"
    )
    for column in ("", "", "本演示 demo", "公布 published", "口径 by"):
        table.add_column(column)
    for kind, sum_ in sums.items():
        yi = sum_["amount_fen"] / 1e10
        table.add_row(kind, "", f"{sum_['households']:,} 户 · {yi:.2f} 亿元", "", "")
    table.add_section()
    for one in found:
        shown = "–" if one.value is None else f"{100 * one.value:.2f} %"
        table.add_row(one.zh, one.en, shown, one.published, one.definition)
    return table
