"""Feed files for the tests: a cast of firms, the rows of a tax feed, and the writing of files."""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

from service.actions.take_feed import Taken
from service.domain.standards import uscc

FANG, FENG, OU = (uscc.synthetic("enterprise", number) for number in (1, 2, 3))
TAX = ["uscc", "period", "tax", "amount", "days_late", "status"]
DAY = date(2026, 6, 15)

Take = Callable[..., Taken]


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8") -> Path:
    """A CSV file, as a department would write it."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def tax(
    firm: str = FANG, period: str = "2026-03", amount: object = "100.50", tax: str = "vat", **other: object
) -> list[object]:
    """A good row of a tax_payment feed."""
    return [firm, period, tax, amount, other.get("days_late", 0), other.get("status", "on_time")]
