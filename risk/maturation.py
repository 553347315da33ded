"""How much of what will go wrong should have shown by now? Outcomes as they became known, month by month.

A default is known on its day, a good end often years later or never with a date. Counting 'outcomes known so far' would
see the bad ones first. So each month asks of every loan not yet known to be bad: how likely was it to become known as
bad in this very month, had the estimate and the usual course of defaults been right? Observed and expected of a month
can be compared as soon as the month is over, and nothing later than the month is looked at. What it cannot tell apart
in a vintage's first months is more defaults from earlier ones, or from a wave of booking them; risk.alarms.Lines
(least, tolerance, shock) says how much of that is no alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Months = NDArray[np.int64]

COLUMNS = ("scored_on", "probability", "outcome", "known_on")
"""What a frame of loans holds: the day it was scored, the probability told then, the outcome in the end (1: default, 0:
none, or none so far), the day the default became known (read for defaults only). Also read where there: `vintage` (a
name; otherwise the year of scoring), `weight` (known when scored)."""

LEAST_DEFAULTS = 30
"""The course is told up to the age that so many defaults of old enough loans stand behind."""

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Maturation:
    """The usual course: share of the eventual defaults known by each age in whole months, the last one 1."""

    shares: tuple[float, ...]
    defaults: int
    as_of: date | None

    def by(self, months: int) -> float:
        """Share known by this age; nothing before the loan, all at the end of the curve.

        >>> Maturation((0.0, 0.25, 1.0), 4, None).by(1)
        0.25
        """
        return 0.0 if months < 0 else self.shares[min(months, len(self.shares) - 1)]


@dataclass(frozen=True)
class Batch:
    """One month (or quarter): defaults expected and observed among the loans still open to a surprise.

    Under weights both are in effective counts: divided by the mean weight of the expected defaults.
    """

    ends_on: date
    expected: float
    observed: float
    at_risk: int


def maturation(frame: pd.DataFrame, as_of: date) -> Maturation:
    """The course of the defaults known in the whole months before `as_of`, young loans counted only for their age.

    Reverse-time hazards (Kalbfleisch and Lawless 1989; the chain ladder of insurers): among defaults of loans at least
    `a` months old and known by age `a`, the share known at exactly `a`. `frame` holds scored_on, outcome, known_on.
    Raises ValueError where fewer than LEAST_DEFAULTS defaults are known.
    """
    scored, known = _months(frame["scored_on"]), _known(frame)
    last = _month(as_of) - 1
    inside = (known <= last) & (scored <= last)
    ages, limits = (known - scored)[inside], (last - scored)[inside]
    if len(ages) < LEAST_DEFAULTS:
        raise ValueError(
            f"Only {len(ages)} defaults are known before {as_of}: a course needs at least {LEAST_DEFAULTS}."
        )
    size = int(limits.max()) + 1
    at = np.bincount(ages, minlength=size)
    entered = np.cumsum(at)
    left = np.cumsum(np.bincount(limits, minlength=size))
    behind = entered - np.append(0, left[:-1])
    oldest = int(np.flatnonzero(behind >= LEAST_DEFAULTS)[-1])
    shares = np.ones(oldest + 1)
    for age in range(oldest, 0, -1):
        shares[age - 1] = shares[age] * (1 - at[age] / behind[age]) if behind[age] else shares[age]
    return Maturation(tuple(float(one) for one in shares), len(ages), as_of)


def as_sampled(probability: Floats, weight_ratio: float) -> Floats:
    """Probability within a sample drawn by outcome: odds times (weight of the others ÷ weight of defaults).

    A loan in such a sample is an independent draw with this probability, so that no weight is needed any more. SBA:
    22.7046 ÷ 5.078 = 4.471.

    >>> round(float(as_sampled(np.array([0.2]), 4.0)[0]), 3)
    0.5
    """
    odds = probability / (1 - probability) * weight_ratio
    return odds / (1 + odds)


def batches(frame: pd.DataFrame, matures: Maturation | int, *, through: date, weight_ratio: float = 1.0) -> list[Batch]:
    """Every whole month from the first scoring to `through`, expected against observed with what was known then.

    `frame`: COLUMNS. `matures` a curve: a loan with probability p that was not known to be bad before has the chance
    p·(F(a) - F(a-1)) ÷ (1 - p·F(a-1)) in the month of age a, paid back or not; beyond the curve nothing counts. A whole
    number: outcomes are those of a window of so many months, and a loan counts once, when its window has closed: early
    defaults do not come before their good fellows. Raises ValueError, naming the row, for a column that is not
    there, a probability outside (0, 1), a default without its day or known before the loan was scored.
    """
    _checked(frame)
    scored, known = _months(frame["scored_on"]), _known(frame)
    probability = as_sampled(frame["probability"].to_numpy(dtype=np.float64), weight_ratio)
    weight = frame["weight"].to_numpy(dtype=np.float64) if "weight" in frame.columns else np.ones(len(frame))
    last = _month(through) - (0 if _month_end(_month(through)) == through else 1)
    if isinstance(matures, int):
        known = np.where(known <= scored + matures, scored + matures, NEVER)
        first, steps, before = scored + matures, np.array([1.0]), np.array([0.0])
    else:
        shares = np.array(matures.shares)
        first, before = scored, np.append(0.0, shares[:-1])
        steps = shares - before
    found = []
    for month in range(int(first.min(initial=last + 1)), last + 1):
        age = month - first
        risky = (age >= 0) & (age < len(steps)) & (known >= month)
        p, w, ages = probability[risky], weight[risky], age[risky]
        chance = p * steps[ages] / (1 - p * before[ages])
        expected = float(np.sum(w * chance))
        unit = float(np.sum(w**2 * chance)) / expected if expected > 0 else 1.0
        observed = float(np.sum(w[known[risky] == month]))
        found.append(Batch(_month_end(month), expected / unit, observed / unit, int(risky.sum())))
    return found


def summed(parts: Sequence[Sequence[Batch]]) -> list[Batch]:
    """Several series of batches as one: those that end on the same day are added."""
    every = sorted((batch for part in parts for batch in part), key=lambda batch: batch.ends_on)
    days = [list(same) for _, same in groupby(every, key=lambda batch: batch.ends_on)]
    return [_joined(same, sum(one.at_risk for one in same)) for same in days]


def by_quarter(months: Sequence[Batch]) -> list[Batch]:
    """Monthly batches joined to calendar quarters; the last one is left out until its quarter is over."""
    quarters = [
        list(same) for _, same in groupby(months, key=lambda one: (one.ends_on.year, (one.ends_on.month - 1) // 3))
    ]
    return [_joined(same, max(one.at_risk for one in same)) for same in quarters if same[-1].ends_on.month % 3 == 0]


def vintages(frame: pd.DataFrame) -> NDArray[np.str_]:
    """The vintage of each row: its `vintage` by name, otherwise the calendar year it was scored in."""
    if "vintage" in frame.columns:
        return np.asarray([str(one) for one in frame["vintage"]])
    return np.asarray([str(1970 + month // 12) for month in _months(frame["scored_on"])])


def _joined(same: list[Batch], at_risk: int) -> Batch:
    return Batch(same[-1].ends_on, sum(one.expected for one in same), sum(one.observed for one in same), at_risk)


def _checked(frame: pd.DataFrame) -> None:
    if missing := [name for name in COLUMNS if name not in frame.columns]:
        raise ValueError(f"There is no column {', '.join(missing)}.")
    probability, bad = frame["probability"].to_numpy(dtype=np.float64), frame["outcome"].to_numpy(dtype=np.float64)
    if (place := _first(frame["scored_on"].isna().to_numpy())) is not None:
        raise ValueError(f"Row {place}: a loan without the day it was scored.")
    if (place := _first(~((probability > 0) & (probability < 1)))) is not None:
        raise ValueError(f"Row {place}: a probability lies between 0 and 1, not at {probability[place]}.")
    if (place := _first(~np.isin(bad, (0, 1)))) is not None:
        raise ValueError(f"Row {place}: the outcome must be 0 or 1, not {bad[place]}.")
    if (place := _first((bad > 0) & frame["known_on"].isna().to_numpy())) is not None:
        raise ValueError(f"Row {place}: a default without the day it became known.")
    if (place := _first(_known(frame) < _months(frame["scored_on"]))) is not None:
        raise ValueError(f"Row {place}: the default was known before the loan was scored.")


def _first(wrong: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None


def _known(frame: pd.DataFrame) -> Months:
    """The month each default became known in; never for the others, whatever day they carry."""
    bad = (frame["outcome"].to_numpy(dtype=np.float64) > 0) & frame["known_on"].notna().to_numpy()
    known: Months = np.where(bad, _months(frame["known_on"]), NEVER)
    return known


def _months(days: pd.Series[Any]) -> Months:
    """Whole months since January 1970."""
    return days.to_numpy().astype("datetime64[M]").astype(np.int64)


def _month(day: date) -> int:
    return (day.year - 1970) * 12 + day.month - 1


def _month_end(month: int) -> date:
    """The last day of a month counted since January 1970."""
    last: date = (np.datetime64(month + 1, "M").astype("datetime64[D]") - np.timedelta64(1, "D")).item()
    return last
