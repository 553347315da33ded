"""Rows of one catalogue item before they are written: which firm, when the city learned of it, and the fields."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from service.city.firms import Days, Firms, Floats, Ints, Timeline


@dataclass(frozen=True)
class Rows:
    """`fields` are the catalogue's, in its order, as Arrow arrays; all columns have one length."""

    item: str
    firm: Ints
    known_on: Days
    fields: dict[str, Any]

    def __len__(self) -> int:
        return len(self.firm)

    def where(self, chosen: Any) -> "Rows":
        """Those of the rows that are chosen (a mask or places)."""
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        fields = {name: column.take(pa.array(places)) for name, column in self.fields.items()}
        return Rows(self.item, self.firm[places], self.known_on[places], fields)


@dataclass(frozen=True)
class Panel:
    """Firm-months flattened: where in firms × months each row stands."""

    firm: Ints
    month: Ints

    def where(self, mask: Any) -> "Panel":
        return Panel(self.firm[mask], self.month[mask])

    def of(self, matrix: Floats) -> Floats:
        """The value of each row in a firms × months matrix."""
        return matrix[self.firm, self.month]


@dataclass(frozen=True)
class World:
    """What all makers of rows look at."""

    firms: Firms
    when: Timeline
    health: Floats
    open_from: Ints
    """Per firm, the first month of its monthly records."""
    open_until: Ints
    """Per firm, the month after its last one: beyond the end for those that go on."""
    born: Ints
    """Per firm, its first whole month in business, 0 where that is before the city's memory."""

    def panel(self) -> Panel:
        """Every firm-month of a firm in business."""
        months = np.arange(len(self.when.months))
        inside = (months >= self.open_from[:, None]) & (months < self.open_until[:, None])
        firm, month = np.nonzero(inside)
        return Panel(firm, month)

    def happenings(self, rng: np.random.Generator, chance: npt.NDArray[Any]) -> Panel:
        """The firm-months in which something with this chance (firms × months) happens to a firm in business."""
        months = np.arange(len(self.when.months))
        alive = (months >= self.born[:, None]) & (months < self.open_until[:, None])
        firm, month = np.nonzero(alive & (rng.random(chance.shape) < chance))
        return Panel(firm, month)


def concatenate(parts: list[Rows]) -> Rows:
    """Rows of one item, one part after the other."""
    names = parts[0].fields
    columns = {name: pa.concat_arrays([part.fields[name] for part in parts]) for name in names}
    return Rows(
        parts[0].item,
        np.concatenate([part.firm for part in parts]),
        np.concatenate([part.known_on for part in parts]),
        columns,
    )


def yuan(fen: Any) -> pa.Array:
    """Whole fen as exact decimals of yuan."""
    low = np.asarray(fen, np.int64)
    wide = np.empty((len(low), 2), np.int64)
    wide[:, 0], wide[:, 1] = low, low >> 63
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(low), [None, pa.py_buffer(wide.tobytes())])


def days(values: Any) -> pa.Array:
    """Dates; NaT is empty."""
    return pa.array(np.asarray(values, "datetime64[D]"), pa.date32(), from_pandas=True)


def words(choices: list[str], places: Any) -> pa.Array:
    """One of the choices per row."""
    return pa.array(choices).take(pa.array(np.asarray(places, np.int64)))


def numbered(prefix: str, count: int, width: int = 6) -> pa.Array:
    """prefix000001, prefix000002 …"""
    return pa.array([f"{prefix}{number:0{width}d}" for number in range(1, count + 1)], pa.string())


def month_words(when: Timeline, month: Ints) -> pa.Array:
    """'2026-03' per row."""
    return words([str(one) for one in when.months], month)


def after(when: Timeline, month: Ints, day: int, late: Any) -> Days:
    """The day of the following month on which a department delivers; late rows come three weeks after the others."""
    first = (when.months[month] + 1).astype("datetime64[D]")
    return first + (day - 1) + np.where(late, 21, 0)


def next_monday(day: Days) -> Days:
    """The day itself, or the first Monday after it: events are sent once a week."""
    weekday = (day.astype("datetime64[D]").astype(int) + 3) % 7
    monday: Days = day + (7 - weekday) % 7
    return monday


def within(when: Timeline, month: Ints, rng: np.random.Generator) -> Days:
    """Some day of the month."""
    first = when.months[month].astype("datetime64[D]")
    return first + rng.integers(0, 28, len(month))


def fen_of(value: Any) -> Ints:
    """Rounded to whole fen."""
    rounded: Ints = np.round(value).astype(np.int64)
    return rounded


def day_of(value: Any) -> date:
    """One numpy day as a date."""
    day: date = value.astype("datetime64[D]").item()
    return day
