"""Is the estimate equally right for every group? Rates, calibration and errors by group, small cells withheld.

A group is shown only with enough defaults and enough others. Since totals are published, one withheld group could be
worked out from the rest; so the withheld groups must be at least two, and together be large enough themselves: the
smallest shown groups are withheld too until they are (complementary suppression; Hundepool et al. 2012, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.evaluate import SMALL_CELL, auc
from risk.rates import effective, holm, jeffreys, tail_chance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CHANCE = 0.05
TOTAL, UNKNOWN = "all", "unknown"
"""All rows; the group of the rows that name none."""


@dataclass(frozen=True)
class Group:
    """One group; every figure but its name is None where the cell is withheld. Rates are shares of the group."""

    group: str
    n: int | None = None
    events: int | None = None
    green: float | None = None  # share of estimates below the line
    predicted: float | None = None
    observed: float | None = None
    ratio: float | None = None  # observed ÷ predicted
    ratio_interval: tuple[float, float] | None = None
    false_positive: float | None = None  # share of the non-defaults that are not below the line
    false_negative: float | None = None  # share of the defaults that are below the line
    auc: float | None = None
    chance: float | None = None  # Holm-adjusted: of such a gap between observed and predicted
    zh: str = ""  # a sentence where the group is miscalibrated beyond chance
    en: str = ""

    @property
    def withheld(self) -> bool:
        """Whether the cell is suppressed."""
        return self.n is None


@dataclass(frozen=True)
class Fairness:
    """The table of one division of the rows: all of them, then each group by name."""

    division: str
    line: float
    total: Group
    groups: tuple[Group, ...]

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """What there is to say (zh, en): the miscalibrated groups, and how many are withheld."""
        said = [(one.zh, one.en) for one in self.groups if one.zh]
        if hidden := sum(one.withheld for one in self.groups):
            zh = f"“{self.division}”有 {hidden} 个分组因样本少（或为保护它们）不显示。"
            said.append((zh, f"{self.division}: {hidden} groups withheld, being small or protecting those that are."))
        return said


def fairness(
    labels: Floats,
    probability: Floats,
    group: Iterable[Any],
    *,
    line: float,
    division: str,
    weights: Floats | None = None,
    least: int = SMALL_CELL,
) -> Fairness:
    """Rates, calibration and errors of each group of one division (district, size, kind, industry).

    `labels` 0 or 1, `probability` and `group` (empty: 'unknown') one per row. `line`: estimates below it are green, so
    a false positive is a good firm not below it, a false negative a default below it. `least`: defaults and others that
    a cell must hold, the total too. `weights` weigh every figure but the counts; intervals rest on effective counts. A
    group is miscalibrated where its Jeffreys interval, Holm-corrected over the groups shown, does not hold the mean
    prediction. Raises ValueError for unequal lengths, a line outside (0, 1) and no rows.
    """
    names = np.array([_named(one) for one in group], dtype=object)
    if not len(labels) or len({len(labels), len(probability), len(names)}) > 1:
        raise ValueError("Labels, probabilities and groups need one value for every row, and at least one row.")
    if not 0 < line < 1:
        raise ValueError(f"The green line lies between 0 and 1, not at {line}.")
    heavy = np.ones(len(labels)) if weights is None else weights
    members = {name: names == name for name in sorted(set(names.tolist()))}
    counts = {name: (int(labels[one].sum()), int((1 - labels[one]).sum())) for name, one in members.items()}
    shown = [name for name in members if name not in withheld(counts, least)]
    rows = {name: _group(name, labels[members[name]], probability[members[name]], heavy[members[name]], line)
            for name in shown}  # fmt: skip
    for name, adjusted in zip(shown, holm([_gap(rows[name], labels[members[name]], heavy[members[name]])
                                           for name in shown]), strict=True):  # fmt: skip
        rows[name] = _judged(rows[name], adjusted, division)
    enough = min(labels.sum(), (1 - labels).sum()) >= least
    total = _group(TOTAL, labels, probability, heavy, line) if enough else Group(TOTAL)
    return Fairness(division, line, total, tuple(rows.get(name, Group(name)) for name in members))


def withheld(counts: Mapping[str, tuple[int, int]], least: int = SMALL_CELL) -> set[str]:
    """The cells to withhold, given (defaults, others) of each: those too small, and those that would give them away.

    >>> sorted(withheld({"a": (3, 90), "b": (40, 400), "c": (15, 200), "d": (90, 900)}))
    ['a', 'c']
    """
    hidden = {name for name, (bad, good) in counts.items() if min(bad, good) < least}
    rest = sorted(set(counts) - hidden, key=lambda name: (min(counts[name]), sum(counts[name]), name))
    while hidden and rest:
        bad, good = (sum(counts[name][part] for name in hidden) for part in (0, 1))
        if len(hidden) > 1 and min(bad, good) >= least:
            break
        hidden.add(rest.pop(0))
    return hidden


def as_lines(table: Fairness) -> list[str]:
    """The table as Markdown, heads in both languages; withheld cells are dashes."""
    heads = (table.division, "n", "违约 / defaults", f"绿灯 / below {table.line:.1%}",
             "预测 / predicted", "实际 / observed", "实际÷预测 / ratio",
             "误拒 / false positive", "误放 / false negative", "AUC")  # fmt: skip
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|",
            *(_line(one) for one in (table.total, *table.groups))]  # fmt: skip


def _line(one: Group) -> str:
    if one.ratio_interval is None:
        ratio = "–"
    else:
        ratio = f"{one.ratio:.2f} ({one.ratio_interval[0]:.2f}–{one.ratio_interval[1]:.2f})"
    cells = [one.group, _count(one.n), _count(one.events), _share(one.green), _share(one.predicted),
             _share(one.observed), ratio, _share(one.false_positive), _share(one.false_negative),
             "–" if one.auc is None else f"{one.auc:.3f}"]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _count(value: int | None) -> str:
    return "–" if value is None else str(value)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _group(name: str, labels: Floats, probability: Floats, heavy: Floats, line: float) -> Group:
    """The figures of one cell that may be shown."""
    bad, green = labels > 0, probability < line
    predicted = float(np.average(probability, weights=heavy))
    observed = float(np.average(labels, weights=heavy))
    low, high = jeffreys(*effective(labels, heavy))
    return Group(
        name, len(labels), int(bad.sum()), float(np.average(green, weights=heavy)), predicted, observed,
        observed / predicted, (low / predicted, high / predicted), _part(~green, ~bad, heavy), _part(green, bad, heavy),
        auc(labels, probability, heavy) if 0 < bad.sum() < len(labels) else None,
    )  # fmt: skip


def _part(what: NDArray[np.bool_], among: NDArray[np.bool_], heavy: Floats) -> float | None:
    return float(np.average(what[among], weights=heavy[among])) if among.any() else None


def _gap(one: Group, labels: Floats, heavy: Floats) -> float:
    return tail_chance(*effective(labels, heavy), float(one.predicted or 0))


def _judged(one: Group, adjusted: float, division: str) -> Group:
    """The group with its adjusted chance, and a sentence where it is miscalibrated."""
    if adjusted >= CHANCE or one.ratio is None:
        return replace(one, chance=adjusted)
    way_zh, way_en = ("高于", "more") if one.ratio > 1 else ("低于", "less")
    zh = f"{division}“{one.group}”：实际违约 {one.observed:.1%}，{way_zh}预测的 {one.predicted:.1%}，超出抽样误差。"
    en = f"{division} {one.group}: defaults {way_en} than predicted, {one.observed:.1%} against {one.predicted:.1%},"
    return replace(one, chance=adjusted, zh=zh, en=f"{en} beyond chance.")


def _named(one: Any) -> str:
    said = str(one)
    return UNKNOWN if said in ("", "None", "nan", "<NA>", "NaT") else said
