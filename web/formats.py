"""How values are written for people: money in yuan, 万元 or 亿元, rates in percent, days and moments of the city."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from service.clock import CITY
from web.language import SOURCE, spoken

WAN = 1_000_000  # fen
YI = 10_000_000_000
MILLION = 100_000_000
BILLION = 100_000_000_000
NOTHING = "—"


def _chinese() -> bool:
    return spoken() == SOURCE


def _number(value: Decimal, places: int, *, trim: bool = False) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if trim and "." in text else text


def yuan(fen: int | None, places: int = 2) -> str:
    """The exact amount: 1,234,567.00 元."""
    if fen is None:
        return NOTHING
    text = _number(Decimal(fen) / 100, places)
    return f"{text} 元" if _chinese() else f"CNY {text}"


def money_parts(fen: int) -> tuple[str, str]:
    """Number and unit, as large as reads well: ('50', '万元'), ('3.43', '亿元'); in English million and billion."""
    steps = ((YI, "亿元"), (WAN, "万元")) if _chinese() else ((BILLION, "billion CNY"), (MILLION, "million CNY"))
    for size, unit in steps:
        if abs(fen) >= size:
            return _number(Decimal(fen) / size, 2, trim=True), unit
    return _number(Decimal(fen) / 100, 2, trim=True), "元" if _chinese() else "CNY"


def money(fen: int | None) -> str:
    """The amount in the unit that reads well, rounded to two places; `yuan` is the exact one."""
    return NOTHING if fen is None else " ".join(money_parts(fen))


def wan(fen: int | None, places: int = 2) -> str:
    """The bare number of 万元, for columns whose head names the unit."""
    return NOTHING if fen is None else _number(Decimal(fen) / WAN, places)


def percent(share: Decimal | float | None, places: int = 2) -> str:
    """A share as percent: Decimal('0.0343') → 3.43%."""
    return NOTHING if share is None else _number(Decimal(str(share)) * 100, places) + "%"


def count(number: int | None) -> str:
    """A whole number with thousands separated."""
    return NOTHING if number is None else f"{number:,}"


def day(on: date | None) -> str:
    """A calendar day: 2026年6月30日, or 30 Jun 2026."""
    if on is None:
        return NOTHING
    return f"{on.year}年{on.month}月{on.day}日" if _chinese() else f"{on.day} {on:%b %Y}"


def short_day(on: date | None) -> str:
    """A day for a dense column: 2026-06-30."""
    return NOTHING if on is None else on.isoformat()


def masked(number: str) -> str:
    """A telephone number in a list: enough to tell two apart, too little to call."""
    return f"{number[:3]}****{number[-4:]}" if len(number) > 7 else "****"


def moment(at: datetime | None) -> str:
    """An instant as the city's clocks show it."""
    if at is None:
        return NOTHING
    local = at.astimezone(CITY)
    return f"{day(local.date())} {local:%H:%M}" if _chinese() else f"{day(local.date())}, {local:%H:%M}"


def weekday(on: date) -> str:
    """周一 … 周日."""
    return "周" + "一二三四五六日"[on.weekday()] if _chinese() else f"{on:%A}"


FILTERS: Mapping[str, Callable[..., str]] = {
    filter_.__name__: filter_ for filter_ in (yuan, money, wan, percent, count, day, short_day, moment, weekday, masked)
}
