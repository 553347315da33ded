"""Reasons: the model's own contributions, grouped, signed, said in two languages; and whether a refit says the same."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from risk.terms import Input, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from risk.model import Scorer

    Floats = NDArray[np.float64]

MOST_ADVERSE, MOST_FAVOURABLE = 4, 3
LEAST = 0.02
"""Groups that move the log-odds by less than this are no reason (about half a percent of a 30 % risk)."""

COUNTED_UNITS = {"months": ("个月", "month", "months"), "days": ("天", "day", "days"), "times": ("次", "time", "times"),
                "persons": ("人", "person", "people")}  # fmt: skip
MEASURE_WORDS = {"count": "项", "parties": "家", "invoices": "张"}


def reasons(
    contributions: Floats, values: Floats, inputs: Sequence[Input], known_on: Mapping[str, date | None]
) -> tuple[Reason, ...]:
    """One firm's reasons: at most four adverse and three favourable groups, strongest first.

    `contributions` and `values` have one entry per input. A group's contribution is the sum over its features (two
    features that tell one story count once); it is told by the feature that moves most in the group's direction.
    """
    totals: dict[str, float] = {}
    for one, moved in zip(inputs, contributions, strict=True):
        totals[one.group] = totals.get(one.group, 0.0) + float(moved)
    adverse = sorted((group for group in totals if totals[group] >= LEAST), key=lambda group: -totals[group])
    favourable = sorted((group for group in totals if totals[group] <= -LEAST), key=lambda group: totals[group])
    chosen = [*adverse[:MOST_ADVERSE], *favourable[:MOST_FAVOURABLE]]
    return tuple(_reason(group, totals[group], contributions, values, inputs, known_on) for group in chosen)


def grouped(contributions: Floats, inputs: Sequence[Input]) -> tuple[tuple[str, ...], Floats]:
    """The groups in the order of the inputs, and rows × groups: the sums over each group's features."""
    groups = tuple(dict.fromkeys(one.group for one in inputs))
    belongs = np.array([[one.group == group for group in groups] for one in inputs], dtype=np.float64)
    return groups, contributions @ belongs


def overlap(refits: Sequence[Floats], inputs: Sequence[Input]) -> float | None:
    """Overlap@4: the mean share of adverse reasons in common, over all pairs of models and all firms with any.

    `refits`: for each of at least two models its contributions for the same firms (rows × inputs). A firm's share is
    the number of groups that both models name among their (at most four) adverse reasons, over the longer of the two
    lists. None where no model names any. Raises ValueError for fewer than two models.
    """
    if len(refits) < 2:
        raise ValueError("Overlap needs the contributions of two models at least.")
    named = [_adverse(grouped(one, inputs)[1]) for one in refits]
    shares = [_shared(one, other) for one, other in combinations(named, 2)]
    found = np.concatenate(shares)
    return float(found.mean()) if len(found) else None


def overlap_of_refits(
    fit: Callable[[Floats, Floats, int], Scorer], matrix: Floats, labels: Floats, shown: Floats,
    inputs: Sequence[Input], *, refits: int = 5, seed: int = 7,
) -> float | None:  # fmt: skip
    """Overlap@4 for the rows of `shown` between models fitted anew on bootstrap samples, each by a new seed.

    `fit` takes matrix, labels and seed.
    """
    found = []
    for number in range(refits):
        drawn = np.random.default_rng([seed, number]).integers(0, len(labels), len(labels))
        found.append(fit(matrix[drawn], labels[drawn], seed + number).explained(shown)[0])
    return overlap(found, inputs)


def _adverse(sums: Floats) -> NDArray[np.bool_]:
    """Rows × groups: which groups are among a row's adverse reasons."""
    places = np.argsort(-sums, axis=1, kind="stable")[:, :MOST_ADVERSE]
    named = np.zeros(sums.shape, dtype=np.bool_)
    np.put_along_axis(named, places, np.take_along_axis(sums, places, axis=1) >= LEAST, axis=1)
    return named


def _shared(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> Floats:
    """For each row with a reason in either: the share in common."""
    longer = np.maximum(one.sum(axis=1), other.sum(axis=1))
    some = longer > 0
    shares: Floats = (one & other).sum(axis=1)[some] / longer[some]
    return shares


def _reason(
    group: str, total: float, contributions: Floats, values: Floats, inputs: Sequence[Input],
    known_on: Mapping[str, date | None],
) -> Reason:  # fmt: skip
    """The sentence of one group, told by its strongest feature."""
    members = [place for place, one in enumerate(inputs) if one.group == group]
    place = max(members, key=lambda member: contributions[member] * (1 if total > 0 else -1))
    told, value = inputs[place], float(values[place])
    zh, en = sentence(told, value, adverse=total > 0)
    return Reason(
        kind="adverse" if total > 0 else "favourable", group=group, feature=told.name, contribution=total,
        value=None if np.isnan(value) else value, unit=told.unit, item=told.item, known_on=known_on.get(told.item),
        zh=zh, en=en, actionable=told.actionable,
    )  # fmt: skip


def sentence(told: Input, value: float, *, adverse: bool) -> tuple[str, str]:
    """The sentence in Chinese and English; a plain one where the written one would not be true of this value."""
    effect_zh, effect_en = (
        ("提高了评估的风险", "raises the risk") if adverse else ("降低了评估的风险", "lowers the risk")
    )
    if np.isnan(value):
        return f"没有{told.zh}的数据，{effect_zh}", f"There is no data on {told.en}; this {effect_en}"
    zh, en = (told.adverse_zh, told.adverse_en) if adverse else (told.favourable_zh, told.favourable_en)
    shown_zh, shown_en = shown(value, told.unit)
    if not _holds(told, value, zh, adverse=adverse):
        return f"{told.zh}（{shown_zh}）{effect_zh}", f"{_capital(told.en)} ({shown_en}) {effect_en}"
    return zh.replace("{value}", shown_zh), en.replace("{value}", shown_en)


def _holds(told: Input, value: float, words: str, *, adverse: bool) -> bool:
    """Whether a written sentence is true: 'has three' not of zero, 'has none' not of three."""
    if told.direction > 0:
        return value > 0 if adverse else (value == 0 or "{value}" in words)
    if told.direction < 0 and not adverse:
        return value > 0 or told.unit in {"change", "grade"}
    return True


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def shown(value: float, unit: str) -> tuple[str, str]:
    """A value with its unit, in Chinese and English.

    >>> shown(123456.0, "yuan")
    ('12.3万元', '123,456 yuan')
    >>> shown(-0.125, "change")
    ('下降12.5%', 'down 12.5%')
    """
    if unit in MEASURE_WORDS:
        return f"{value:,.0f}{MEASURE_WORDS[unit]}", f"{value:,.0f}"
    formats = {"yuan": _yuan, "share": _share, "change": _change, "flag": _flag}
    if unit in COUNTED_UNITS:
        return _counted(value, *COUNTED_UNITS[unit])
    return formats.get(unit, _plain)(value)


def _counted(value: float, zh: str, en: str, many: str) -> tuple[str, str]:
    number = f"{value:,.0f}"
    return f"{number}{zh}", f"{number} {en if number == '1' else many}"


def _share(value: float) -> tuple[str, str]:
    return f"{value:.1%}", f"{value:.1%}"


def _change(value: float) -> tuple[str, str]:
    size = f"{abs(value):.1%}"
    return ("增长" if value >= 0 else "下降") + size, ("up " if value >= 0 else "down ") + size


def _flag(value: float) -> tuple[str, str]:
    return ("是", "yes") if value else ("否", "no")


def _plain(value: float) -> tuple[str, str]:
    return f"{value:.2f}", f"{value:.2f}"


def _yuan(value: float) -> tuple[str, str]:
    en = f"{value:,.0f} yuan"
    if abs(value) >= 1e8:
        return f"{value / 1e8:,.2f}亿元", en
    return (f"{value / 1e4:,.1f}万元" if abs(value) >= 1e4 else f"{value:,.0f}元"), en
