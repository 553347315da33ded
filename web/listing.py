"""A page of a long list: its columns, the order and page a person asked for, and the addresses of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from web.language import Phrase

Row = TypeVar("Row")
DEEPEST_PAGE = 100_000


def day_in(text: str | None) -> date | None:
    """The day an address names (`2026-06-30`), or None where it names none."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


@dataclass(frozen=True)
class Column:
    """One column: `numeric` stands right, `sortable` has a link in its head."""

    key: str
    label: str | Phrase
    numeric: bool = False
    sortable: bool = False


@dataclass(frozen=True)
class Wish:
    """What the address asks of a list: order and page; an unknown column falls back to the usual order."""

    sort: str
    descending: bool
    page: int

    @classmethod
    def of(cls, request: Request, columns: Sequence[Column], usual: str) -> "Wish":
        """Read `?sort=-due_on&page=3`; `usual` is written the same way."""
        known = {column.key for column in columns if column.sortable} | {usual.removeprefix("-")}
        asked = request.query_params.get("sort", usual)
        asked = asked if asked.removeprefix("-") in known else usual
        page = request.query_params.get("page", "1")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
        return cls(asked.removeprefix("-"), asked.startswith("-"), min(max(1, number), DEEPEST_PAGE))

    def offset(self, per_page: int) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * per_page


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """The rows of one page, in their columns."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    total: int
    address: str
    wish: Wish = field(default_factory=lambda: Wish("", descending=False, page=1))
    filters: Mapping[str, str] = field(default_factory=dict)
    per_page: int = 50

    @property
    def pages(self) -> int:
        return max(1, ceil(self.total / self.per_page))

    @property
    def first(self) -> int:
        return min(self.total, (self.wish.page - 1) * self.per_page + 1)

    @property
    def last(self) -> int:
        return min(self.total, self.first + len(self.rows) - 1) if self.rows else self.first

    def _at(self, *, sort: str, page: int) -> str:
        asked = {**{key: value for key, value in self.filters.items() if value}, "sort": sort}
        if page > 1:
            asked["page"] = str(page)
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"{self.address}?{query}" if query else self.address

    def sorted_by(self, column: Column) -> str:
        """The address of the list ordered by this column; a second click turns it round."""
        turned = self.wish.sort == column.key and not self.wish.descending
        return self._at(sort=("-" if turned else "") + column.key, page=1)

    @property
    def query(self) -> str:
        """The filters and the order as they stand in an address: what an export of the whole list repeats."""
        sort = ("-" if self.wish.descending else "") + self.wish.sort
        return urlencode({key: value for key, value in {**self.filters, "sort": sort}.items() if value})

    def on_page(self, number: int) -> str:
        """The address of another page in the same order."""
        return self._at(sort=("-" if self.wish.descending else "") + self.wish.sort, page=number)

    @property
    def numbers(self) -> list[int | None]:
        """Page numbers worth a link; None is a gap."""
        near = {1, self.pages, *range(self.wish.page - 1, self.wish.page + 2)}
        shown: list[int | None] = []
        for number in sorted(number for number in near if 1 <= number <= self.pages):
            if shown and number - (shown[-1] or 0) > 1:
                shown.append(None)
            shown.append(number)
        return shown
