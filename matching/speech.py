"""How a measured value is said in the two languages: months, days, counts, shares, money, and named kinds."""

from collections.abc import Mapping
from decimal import Decimal

from matching.terms import Words

UNITS = ("months", "days", "count", "share", "money", "kind")
UNIT_WORDS = {"months": Words("个月", " months"), "days": Words("天", " days"), "count": Words("条", " entries")}


def say(value: Decimal, unit: str, names: Mapping[Decimal, Words]) -> Words:
    """A value in words; a value with a name of its own is called by it."""
    named = names.get(value)
    if named is not None:
        return named
    if unit == "share":
        text = f"{plain(value * 100)}%"
        return Words(text, text)
    if unit == "money":
        yuan = f"{value / 100:,.2f}"
        return Words(f"{yuan}元", f"CNY {yuan}")
    text = plain(value)
    return Words(text, text)


def plain(value: Decimal) -> str:
    """A decimal without trailing zeros or exponent: 0.0600 → 0.06, 1E+1 → 10."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
