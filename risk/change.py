"""What would change it: the smallest realistic change of what a firm can act on that moves its grade."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.acts import act_of, told
from risk.scale import GRADES, grade

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from risk.model import RiskModel
    from risk.terms import Input

    Floats = NDArray[np.float64]

HORIZON_MONTHS = 12
"""What takes longer to show is not proposed."""
TOGETHER = 3
"""Groups that may move in one proposal; more would be no advice."""
STEPS = 4
"""Ways between where a firm stands and the best that is realistic."""
COMMON = 0.25
"""Nothing is asked that fewer than this share of the training rows had reached."""
EFFORT = 0.05
"""What moving one feature costs beside the distance, so that few moves are preferred to many small ones."""
AT_ONCE = 512

WHOLE_UNITS = {"months", "days", "times", "count", "persons", "parties", "invoices", "flag"}
OWED_UNITS = WHOLE_UNITS | {"yuan"}
"""Of these, what is riskier can be settled to nothing; of others (shares), only to what is common."""
MOST_OF_A_SHARE = 0.5
"""A share of something (the amount asked, of revenue) is lowered to no less than this part of what it is."""
DIGITS = {"yuan": -2}


@dataclass(frozen=True, slots=True)
class Change:
    """One feature moved towards its safer side; `months` says how long it takes until the records show it."""

    feature: str
    group: str
    before: float
    after: float
    unit: str
    item: str
    months: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would change an estimate; no changes where none is needed (`reached`) or none realistic suffices."""

    reached: bool
    changes: tuple[Change, ...]
    probability: float  # with the changes
    grade: str
    zh: str
    en: str


@dataclass(frozen=True)
class _Lever:
    """A group that can move: the places of its inputs, and for each step their values and what they cost."""

    places: tuple[int, ...]
    values: Floats  # steps × places
    costs: Floats


def what_would_change(
    model: RiskModel, row: Floats, below: float | None = None, *, base_rate: float | None = None
) -> Prospect:
    """The cheapest change of at most three groups that takes a row of inputs to the next better grade, or under a line.

    `below`: the probability to get under, instead of the next grade's. Only actionable inputs whose value is known
    move, each towards its safer side: what is owed at most to nothing, the rest at most to what a quarter of the
    training rows had reached, a grade by one. Inputs of one group move together. The cost is the distance in training
    quantiles. The answer is estimated anew, so it holds whether or not the model is monotone; same row, same answer.
    """
    now = float(_probabilities(model, row[None, :], base_rate)[0])
    line, goal = _goal(now, below)
    here = str(grade(np.array([now]))[0])
    if line is None or now < line:
        return Prospect(True, (), now, here, *_nothing_needed(here, below))
    levers = _levers(model, row)
    found = None if not levers else _cheapest(model, row, levers, line, base_rate)
    if found is None:
        return Prospect(False, (), now, here, *_nothing_suffices(goal, some=bool(levers)))
    changed, probability = found
    there = str(grade(np.array([probability]))[0])
    changes = tuple(_change(one, float(old), float(new))
                    for one, old, new in zip(model.inputs, row, changed, strict=True)
                    if not (old == new or np.isnan(old)))  # fmt: skip
    return Prospect(True, changes, probability, there, *_would(here, there, below))


def _goal(now: float, below: float | None) -> tuple[float | None, str]:
    """The line to get under, and what lies there (a grade, or a probability); no line for the best grade."""
    if below is not None:
        return below, f"{below:.1%}"
    place = int(np.searchsorted([top for _, top in GRADES[:-1]], now, side="right"))
    return (GRADES[place - 1][1], GRADES[place - 1][0]) if place else (None, GRADES[0][0])


def _probabilities(model: RiskModel, rows: Floats, base_rate: float | None) -> Floats:
    return model.calibration.probability(model.scorer.margin(rows), base_rate)


def _levers(model: RiskModel, row: Floats) -> list[_Lever]:
    """The groups that can move, in the order of the inputs."""
    ladders: dict[str, dict[int, list[float]]] = {}
    for place, one in enumerate(model.inputs):
        steps = _ladder(one, float(row[place]), model.reference.get(one.name, {}))
        if steps:
            ladders.setdefault(one.group, {})[place] = steps
    return [_lever(model, row, steps) for steps in ladders.values()]


def _ladder(one: Input, value: float, kept: Mapping[str, Any]) -> list[float]:
    """The values one input can take, from where it is to the best that is realistic; none where it cannot move."""
    if not one.actionable or not one.direction or np.isnan(value) or act_of(one).months > HORIZON_MONTHS:
        return []
    best = _best(one, value, kept)
    if best is None or not np.isfinite(best) or (value - best) * one.direction <= 0:
        return []
    if one.unit == "grade":
        return [value + 1] if value + 1 <= best else []
    between = np.linspace(value, best, STEPS + 1)[1:]
    if one.unit in WHOLE_UNITS:
        rounded = np.floor(between) if one.direction > 0 else np.ceil(between)
        return list(dict.fromkeys(float(step) for step in rounded[rounded != value]))
    steps = [round(float(step), DIGITS.get(one.unit, 2)) for step in between[:-1]]
    inside = [step for step in steps if min(value, best) < step < max(value, best)]
    return [*dict.fromkeys(inside), best]


def _best(one: Input, value: float, kept: Mapping[str, Any]) -> float | None:
    """The best that is realistic: nothing owed, or the decile edge that a quarter of the training rows had reached."""
    if one.direction > 0 and one.unit in OWED_UNITS:
        return 0.0
    edges = np.array(kept.get("edges", ()))
    if not len(edges):
        return None
    under = np.cumsum(kept["shares"][:-1])[:-1] / max(sum(kept["shares"][:-1]), 1e-9)  # of the known, below each edge
    if one.direction < 0:
        return float(edges[1 - under >= COMMON].max(initial=-np.inf))
    return max(float(edges[under >= COMMON].min(initial=np.inf)), value * MOST_OF_A_SHARE)


def _lever(model: RiskModel, row: Floats, ladders: Mapping[int, Sequence[float]]) -> _Lever:
    """Steps of a group: its inputs go their ways at one pace and arrive together."""
    places = tuple(ladders)
    steps = max(len(ladder) for ladder in ladders.values())
    values = np.array(
        [[ladders[place][-(-len(ladders[place]) * step // steps) - 1] for place in places]
         for step in range(1, steps + 1)]
    )  # fmt: skip
    costs = np.zeros(steps)
    for column, place in enumerate(places):
        kept = model.reference.get(model.inputs[place].name, {})
        ranks = _ranks(kept, np.append(values[:, column], row[place]))
        costs += np.abs(ranks[:-1] - ranks[-1]) + EFFORT * (1 + np.arange(1, steps + 1) / steps) / 2
    return _Lever(places, values, costs)


def _ranks(kept: Mapping[str, Any], values: Floats) -> Floats:
    """Where values stand among the training rows, 0 to 1: the middle of their bins."""
    shares = np.array(kept.get("shares", (1.0, 0.0))[:-1])
    upper = np.cumsum(shares) / max(shares.sum(), 1e-9)
    middle = upper - shares / max(shares.sum(), 1e-9) / 2
    ranks: Floats = middle[np.searchsorted(np.array(kept.get("edges", ())), values, side="right")]
    return ranks


def _cheapest(
    model: RiskModel, row: Floats, levers: Sequence[_Lever], line: float, base_rate: float | None
) -> tuple[Floats, float] | None:
    """The row with the cheapest change that gets under the line, and its probability.

    Sets of levers that do not get there at their last steps are left out; of the others all steps are tried, the
    cheapest first.
    """
    sets = [some for size in range(1, TOGETHER + 1) for some in combinations(range(len(levers)), size)]
    fully = np.array([[len(levers[place].costs) - 1 if place in some else -1 for place in range(len(levers))]
                      for some in sets])  # fmt: skip
    there = _probabilities(model, _moved(row, levers, fully), base_rate) < line
    if not there.any():
        return None
    dearest = min(_cost(levers, fully[there]))
    tried = np.concatenate([_steps(levers, some) for some, gets in zip(sets, there, strict=True) if gets])
    costs = _cost(levers, tried)
    tried, costs = tried[costs <= dearest], costs[costs <= dearest]
    for some in _cheapest_first(tried, costs):
        rows = _moved(row, levers, some)
        probability = _probabilities(model, rows, base_rate)
        if (probability < line).any():
            first = int(np.argmax(probability < line))
            return rows[first], float(probability[first])
    return None


def _steps(levers: Sequence[_Lever], some: Sequence[int]) -> NDArray[np.int64]:
    """Every way to set some levers: ways × levers, the step each takes (-1: it stays)."""
    ways = np.indices([len(levers[place].costs) for place in some]).reshape(len(some), -1).T
    steps = np.full((len(ways), len(levers)), -1)
    steps[:, some] = ways
    return steps


def _cost(levers: Sequence[_Lever], steps: NDArray[np.int64]) -> Floats:
    """What each way costs, in quantiles."""
    costs = [np.append(lever.costs, 0.0)[steps[:, place]] for place, lever in enumerate(levers)]
    total: Floats = np.sum(costs, axis=0)
    return total


def _cheapest_first(steps: NDArray[np.int64], costs: Floats) -> Iterator[NDArray[np.int64]]:
    order = np.argsort(costs, kind="stable")
    return (steps[order[start : start + AT_ONCE]] for start in range(0, len(order), AT_ONCE))


def _moved(row: Floats, levers: Sequence[_Lever], steps: NDArray[np.int64]) -> Floats:
    """The row once for each way, with its levers set."""
    rows = np.repeat(row[None, :], len(steps), axis=0)
    for place, lever in enumerate(levers):
        stays = np.append(lever.values, row[list(lever.places)][None, :], axis=0)
        rows[:, lever.places] = stays[steps[:, place]]
    return rows


def _change(one: Input, before: float, after: float) -> Change:
    zh, en = told(one, before, after)
    return Change(one.name, one.group, before, after, one.unit, one.item, act_of(one).months, zh, en)


def _would(here: str, there: str, below: float | None) -> tuple[str, str]:
    if below is not None:
        zh = f"做到以下各项，评估的违约概率预计降到{below:.1%}以下"
        return zh, f"With the following, the estimated probability of default should fall below {below:.1%}"
    zh = f"做到以下各项，评估等级预计由{here}升为{there}"
    return zh, f"With the following, the grade should go from {here} to {there}"


def _nothing_needed(here: str, below: float | None) -> tuple[str, str]:
    if below is not None:
        zh = f"评估的违约概率已在{below:.1%}以下"
        return zh, f"The estimated probability of default is already below {below:.1%}"
    return f"评估等级{here}已是最好的一级", f"{here} is already the best grade"


def _nothing_suffices(goal: str, *, some: bool) -> tuple[str, str]:
    if some:
        zh = f"只靠一年内做得到的改变，评估还到不了{goal}"
        return zh, f"What can realistically change within a year would not take the estimate to {goal}"
    zh = f"一年内能够改变的项目都已处在较好的水平，评估要到{goal}还要看其他情况"
    return zh, f"What can change within a year already stands well; other facts keep the estimate from {goal}"
