"""The firms of the city: what each is, drawn once from a seed; everything else follows from this and their health."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from service.city.character import DISTRICTS, KINDS, TRADES, Character
from service.city.names import addresses, firm_names, person_names
from service.domain.standards import uscc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Days = npt.NDArray[Any]  # datetime64[D]; numpy's own types do not add days to days

KIND_NAMES = tuple(KINDS)
ENTERPRISE, INDIVIDUAL = KIND_NAMES.index("enterprise"), KIND_NAMES.index("individual")
SCALE_OF_KIND = {"enterprise": 1.0, "individual": 0.16, "cooperative": 0.7, "village": 1.5}
YUAN = 100
WAN = 10_000 * YUAN


@dataclass(frozen=True)
class Timeline:
    """The demo's days and the months of the city's memory; months are numbered from 0."""

    start: date
    end: date
    months: Days
    """Every month of records, first to last, the last one wholly before `end`."""

    @property
    def first_live(self) -> int:
        """The number of the month in which the live days begin; records of it come while the demo runs."""
        return int((np.datetime64(self.start, "M") - self.months[0]).astype(int))

    @property
    def month_ends(self) -> Days:
        """The last day of each month."""
        return (self.months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")


def timeline(start: date, end: date, character: Character) -> Timeline:
    """History long enough for the features of the oldest loan."""
    back = character.lending.months + character.history_months
    first = np.datetime64(start, "M") - back
    last = np.datetime64(end, "M") - 1
    return Timeline(start, end, np.arange(first, max(last, np.datetime64(start, "M") - 1) + 1))


@dataclass(frozen=True)
class Firms:
    """One array per property, one place per firm."""

    uscc: Any
    name: list[str]
    kind: Ints
    district: Any
    trade: Ints
    established: Days
    registered: Days
    """When the city learned of it: newly registered firms appear during the live days."""
    capital_fen: Ints
    address: list[str]
    premises: Any
    person: list[str]
    employees: Ints
    revenue_fen: Ints
    """Of a year in average health."""

    def __len__(self) -> int:
        return len(self.uscc)

    @property
    def industry(self) -> Any:
        """GB/T 4754 codes."""
        return np.array([trade.code for trade in TRADES])[self.trade]


def draw_firms(rng: np.random.Generator, count: int, when: Timeline, character: Character) -> Firms:
    """`count` firms; a small share of them is registered during the live days."""
    weights = np.array(list(DISTRICTS.values()))
    district = np.array(list(DISTRICTS))[rng.choice(len(weights), count, p=weights / weights.sum())]
    kind = rng.choice(len(KIND_NAMES), count, p=list(KINDS.values()))
    trade = _trades(rng, kind)
    revenue, employees = _scale(rng, kind, trade)
    established, registered = _ages(rng, count, when, character)
    words = [TRADES[place].word for place in trade]
    return Firms(
        uscc=_codes(rng, kind, character),
        name=firm_names(rng, [KIND_NAMES[place] for place in kind], words),
        kind=kind,
        district=district,
        trade=trade,
        established=established,
        registered=registered,
        capital_fen=np.maximum(1, np.round(revenue / WAN * rng.lognormal(-1.2, 0.8, count))).astype(np.int64) * WAN,
        address=addresses(rng, list(district)),
        premises=_premises(rng, kind),
        person=person_names(rng, count),
        employees=employees,
        revenue_fen=revenue,
    )


def _trades(rng: np.random.Generator, kind: Ints) -> Ints:
    """Individuals trade, cook and repair; cooperatives and villages farm; enterprises do everything."""
    base = np.array([trade.weight for trade in TRADES])
    small = base * np.array([4.0 if trade.code[0] in "FHO" else 0.25 for trade in TRADES])
    farm = base * np.array([30.0 if trade.code[0] == "A" else 0.4 for trade in TRADES])
    chosen = np.empty(len(kind), np.int64)
    for place, weights in enumerate((base, small, farm, farm)):
        mine = np.flatnonzero(kind == place)
        chosen[mine] = rng.choice(len(TRADES), len(mine), p=weights / weights.sum())
    return chosen


def _scale(rng: np.random.Generator, kind: Ints, trade: Ints) -> tuple[Ints, Ints]:
    """Yearly revenue, lognormal about the trade's median, and the people that go with it."""
    median = np.array([one.revenue for one in TRADES])[trade]
    median = median * np.array([SCALE_OF_KIND[name] for name in KIND_NAMES])[kind]
    wan = np.clip(median * rng.lognormal(0, 1.15, len(kind)), 2, 60_000)
    per_head = np.array([one.per_head for one in TRADES])[trade] * rng.lognormal(0, 0.45, len(kind))
    return np.round(wan * WAN).astype(np.int64), np.maximum(1, np.round(wan / per_head)).astype(np.int64)


def _ages(rng: np.random.Generator, count: int, when: Timeline, character: Character) -> tuple[Days, Days]:
    """Days of establishment: many young, few old; the newest come into the register during the live days."""
    days = np.clip(rng.gamma(1.4, 1500, count), 20, 11_000).astype(np.int64)
    established = np.datetime64(when.start) - days
    live = (when.end - when.start).days + 1
    new = rng.random(count) < character.new_firms_per_week * live / 7
    fresh = np.datetime64(when.start) + rng.integers(0, max(1, live - 7), count)
    established = np.where(new, fresh, established)
    return established, np.minimum(established + rng.integers(1, 9, count), np.datetime64(when.end))


def _premises(rng: np.random.Generator, kind: Ints) -> Any:
    words = np.array(["owned", "rented", "online", "none"])
    firm = rng.choice(4, len(kind), p=[0.20, 0.765, 0.03, 0.005])
    individual = rng.choice(4, len(kind), p=[0.12, 0.76, 0.09, 0.03])
    return words[np.where(kind == INDIVIDUAL, individual, firm)]


def _codes(rng: np.random.Generator, kind: Ints, character: Character) -> Any:
    """Synthetic codes; a few end in a wrong check character, as a few real ones do."""
    codes = [uscc.synthetic(KIND_NAMES[place], number) for number, place in enumerate(kind)]
    wrong = max(character.faults.wrong_codes_least, round(len(codes) * character.faults.wrong_codes_per_firm))
    for place in rng.choice(len(codes), min(wrong, len(codes)), replace=False):
        right = uscc.ALPHABET.index(codes[place][17])
        codes[place] = codes[place][:17] + uscc.ALPHABET[(right + 7) % len(uscc.ALPHABET)]
    return np.array(codes)
