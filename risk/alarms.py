"""Is the model still right? Alarms on the level of default that may be looked at every day, and when each first rang.

Two alarms a side ('worse' and 'better' than predicted), both on batches of risk.maturation, both without hindsight:
`evidence` grows with every batch that prediction explains badly, and wrongly rings at most once in `1 / chance` lives,
however often one looks (Ville 1939); `cusum` forgets good times at once, so it sees a late change, and wrongly rings at
most once in `between` on average. A population alarm stands beside them: it needs no outcomes at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import monitor
from risk.alarm_words import as_lines, sentences
from risk.maturation import Batch, Maturation, batches, by_quarter, maturation, summed, vintages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Alarm", "Lines", "as_lines", "cusum", "evidence", "level_alarms", "population_alarms", "replay",
           "shock_of", "watch"]  # fmt: skip

WORSE, BETTER, SIDES = "worse", "better", ("worse", "better")
WHOLE = "all"
"""The scope of every loan together."""

STRENGTHS = np.geomspace(1.1, 4.0, 8)
"""Multiples of the tolerated rate that the evidence is spread over in equal parts."""

HIGHEST = 700.0
"""Logarithms of evidence are kept below this, so that evidence stays finite."""

LEAST_ROWS = 100
"""A population of fewer rows is not compared with its reference."""


@dataclass(frozen=True)
class Lines:
    """What an alarm tolerates and how seldom it may be wrong."""

    chance: float = 0.01  # evidence, population: of ever ringing while nothing is wrong, per scope and side
    between: float = 600.0  # cusum: batches between false alarms, on average, at least
    odds: float = 1.5  # cusum: the multiple of the rate it is made for (better: its inverse)
    tolerance: float = 1.1  # a rate off by up to this factor is no alarm
    shock: float = 0.0  # variance of a common factor of mean one on each batch's rate; 0: loans are independent
    least: float = 10.0  # expected defaults before an alarm may ring: with fewer, early is hardly told from many
    weight_ratio: float = 1.0  # samples drawn by outcome: weight of the others ÷ weight of defaults


@dataclass(frozen=True)
class Alarm:
    """One alarm: the day it first rang (None: it has not), its evidence then (or at most) and the line it crossed."""

    kind: str  # 'evidence' | 'cusum' | 'population'
    side: str  # 'worse' | 'better' | 'moved'
    scope: str
    rang_on: date | None
    evidence: float
    line: float
    since: date | None  # the end of the first batch that counts in observed and expected
    observed: float
    expected: float
    zh: str = ""
    en: str = ""

    @property
    def ratio(self) -> float:
        """Observed ÷ expected since `since`."""
        return self.observed / self.expected if self.expected > 0 else float("nan")


def evidence(found: Sequence[Batch], side: str, lines: Lines | None = None) -> Floats:
    """The evidence after each batch: how many times better a changed rate explains all of them than a tolerated one.

    A mixture over STRENGTHS of likelihood ratios (Robbins 1970; an e-process, Ramdas et al. 2023). Counts are Poisson
    around the expected, which is on the safe side of independent loans of any probabilities, or negative binomial with
    lines.shock. While the rate stays within the tolerance, the chance of ever passing 1/c is at most c.
    """
    told = lines or Lines()
    factors = STRENGTHS if side == WORSE else 1 / STRENGTHS
    grown = np.cumsum([_log_ratios(found, side, factor, told) for factor in factors], axis=1)
    mixed: Floats = np.exp(np.minimum(grown, HIGHEST)).mean(axis=0)
    return mixed


def cusum(found: Sequence[Batch], side: str, lines: Lines | None = None) -> Floats:
    """Log-likelihood ratio of lines.odds times the tolerated rate, since the best moment to have begun, batch by batch.

    Page 1954 for risk-adjusted counts (Steiner et al. 2000). Where the tolerated rate holds, batches until log(c) is
    passed number c or more on average (Lorden 1971; e-detectors, Shin, Ramdas, Rinaldo 2024).
    """
    told = lines or Lines()
    factor = told.odds if side == WORSE else 1 / told.odds
    height, heights = 0.0, []
    for step in _log_ratios(found, side, factor, told):
        height = max(height, 0.0) + step
        heights.append(height)
    return np.array(heights)


def shock_of(found: Sequence[Batch]) -> float:
    """The variance of a common factor on batches of a calm time, for Lines.shock; 0 where chance explains their spread.

    Moments of the negative binomial around the mean level: Σ (D - r·E)² - Σ r·E over Σ (r·E)², r = Σ D ÷ Σ E.
    """
    count, mean = (np.array([getattr(one, name) for one in found]) for name in ("observed", "expected"))
    if mean.sum() <= 0 or count.sum() <= 0:
        return 0.0
    level = mean * count.sum() / mean.sum()
    return max(0.0, float((np.sum((count - level) ** 2) - level.sum()) / np.sum(level**2)))


def level_alarms(found: Sequence[Batch], scope: str = WHOLE, lines: Lines | None = None) -> list[Alarm]:
    """The four alarms on the level of default in one series of batches, rung or silent."""
    told = lines or Lines()
    alarms = []
    for side in SIDES:
        alarms.append(_alarm("evidence", side, scope, found, evidence(found, side, told), 1 / told.chance, told))
        grown = np.exp(np.minimum(cusum(found, side, told), HIGHEST))
        alarms.append(_alarm("cusum", side, scope, found, grown, told.between, told))
    return alarms


def replay(
    frame: pd.DataFrame,
    matures: Mapping[str, Maturation] | Maturation | int,
    *,
    through: date,
    lines: Lines | None = None,
    references: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    quarterly: bool = False,
) -> list[Alarm]:
    """Walk the calendar to `through` and tell when each alarm would have rung: all loans together, then each vintage.

    `frame`: risk.maturation.COLUMNS (and the features of `references`). `matures` as in risk.maturation.batches, or one
    curve per vintage. `references`: per vintage and feature what risk.monitor.reference keeps of the rows its model was
    trained on. On no day is anything used that became known later. Raises ValueError as `batches` does, and for a
    vintage without a curve.
    """
    told = lines or Lines()
    names = vintages(frame)
    parts: dict[str, list[Batch]] = {}
    for name in sorted(set(names.tolist())):
        curve = matures.get(name) if not isinstance(matures, (Maturation, int)) else matures
        if curve is None:
            raise ValueError(f"There is no course of defaults for the vintage {name}.")
        months = batches(frame[names == name], curve, through=through, weight_ratio=told.weight_ratio)
        parts[name] = by_quarter(months) if quarterly else months
    alarms = level_alarms(summed(list(parts.values())), WHOLE, told)
    for name, part in parts.items():
        alarms += level_alarms(part, name, told)
        if references is not None and name in references:
            alarms += population_alarms(frame[names == name], references[name], name, through=through, lines=told)
    return alarms


def watch(
    frame: pd.DataFrame,
    *,
    through: date,
    history: pd.DataFrame | None = None,
    window_months: int | None = None,
    lines: Lines | None = None,
    references: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
) -> list[Alarm]:
    """`replay` of scored loans with courses of defaults fitted on the way, each before its vintage's first month.

    `history`: earlier loans (scored_on, outcome, known_on) beside those of `frame` itself. With `window_months` no
    course is needed: outcomes are those of a window of that length. `references` as in `replay`. Raises ValueError as
    `replay` does, and where too few defaults were known before a vintage began.
    """
    import pandas as pd

    if window_months is not None:
        return replay(frame, window_months, through=through, lines=lines, references=references)
    needed = ["scored_on", "outcome", "known_on"]
    every = frame[needed] if history is None else pd.concat([history[needed], frame[needed]], ignore_index=True)
    names = vintages(frame)
    first = {name: pd.Timestamp(frame["scored_on"][names == name].min()).date() for name in set(names.tolist())}
    curves = {name: maturation(every, began) for name, began in first.items()}
    return replay(frame, curves, through=through, lines=lines, references=references)


def population_alarms(
    frame: pd.DataFrame,
    kept: Mapping[str, Mapping[str, Any]],
    scope: str,
    *,
    through: date,
    lines: Lines | None = None,
) -> list[Alarm]:
    """For each feature the end of the month by which the rows scored so far had moved away from `kept` (PSI).

    A month rings where the index is at least risk.monitor.MOVED and chance shows it less often than lines.chance
    ÷ (k·(k + 1)) at the k-th look, so that all looks together stay within the chance. Observed and expected are the
    shares of missing values. Looks begin with LEAST_ROWS rows.
    """
    import pandas as pd

    told = lines or Lines()
    scored = pd.to_datetime(frame["scored_on"])
    ends = [end.date() for end in pd.date_range(scored.min(), pd.Timestamp(through) + pd.Timedelta(days=1), freq="ME")]
    looks = [(end, (scored < pd.Timestamp(end) + pd.Timedelta(days=1)).to_numpy()) for end in ends if end <= through]
    looks = [(end, rows) for end, rows in looks if rows.sum() >= LEAST_ROWS]
    alarms = []
    for name, one in kept.items():
        column = frame[name].to_numpy(dtype="float64", na_value=np.nan)
        alarms.append(_population(f"{scope} {name}", one, column, looks, told))
    return alarms


def _log_ratios(found: Sequence[Batch], side: str, factor: float, lines: Lines) -> Floats:
    """Log-likelihood ratio of each batch: `factor` times the tolerated rate against the tolerated rate."""
    mean = np.array([one.expected for one in found]) * (lines.tolerance if side == WORSE else 1 / lines.tolerance)
    count = np.array([one.observed for one in found])
    ratios: Floats = count * np.log(factor) - mean * (factor - 1)
    if lines.shock > 0:
        size = 1 / lines.shock
        ratios = count * np.log(factor) - (count + size) * np.log((size + factor * mean) / (size + mean))
    return ratios


def _alarm(kind: str, side: str, scope: str, found: Sequence[Batch], grown: Floats, line: float, lines: Lines) -> Alarm:
    """The first batch at which the evidence passes the line, and what it was about; silent: all of it."""
    enough = np.cumsum([one.expected for one in found]) >= lines.least
    passed = np.flatnonzero((grown >= line) & enough)
    start, place = 0, len(found) - 1
    if len(passed):
        place = int(passed[0])
        if kind == "cusum":
            start = int(np.flatnonzero(np.append(1.0, grown[:place]) <= 1)[-1])
    part = found[start : place + 1]
    alarm = Alarm(
        kind, side, scope, found[place].ends_on if len(passed) else None,
        float(grown[place] if len(passed) else grown.max(initial=0)), line, part[0].ends_on if part else None,
        sum(one.observed for one in part), sum(one.expected for one in part),
    )  # fmt: skip
    return _worded(alarm, lines)


def _population(
    scope: str,
    kept: Mapping[str, Any],
    column: Floats,
    looks: Sequence[tuple[date, NDArray[np.bool_]]],
    lines: Lines,
) -> Alarm:
    """The alarm of one feature over the growing rows of one vintage."""
    most, missing_then = 0.0, float(kept["shares"][-1])
    missing = 0.0
    for count, (end, rows) in enumerate(looks, 1):
        index, chance = monitor.psi(kept, column[rows]), monitor.chance_of(kept, column[rows])
        most, missing = max(most, index), float(np.isnan(column[rows]).mean())
        if index >= monitor.MOVED and (chance is None or chance < lines.chance / (count * (count + 1))):
            rang = Alarm("population", "moved", scope, end, index, monitor.MOVED, looks[0][0], missing, missing_then)
            return _worded(rang, lines)
    since = looks[0][0] if looks else None
    return _worded(Alarm("population", "moved", scope, None, most, monitor.MOVED, since, missing, missing_then), lines)


def _worded(alarm: Alarm, lines: Lines) -> Alarm:
    """The alarm with its sentences."""
    zh, en = sentences(alarm, lines)
    return replace(alarm, zh=zh, en=en)
