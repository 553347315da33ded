"""The same judgement for columns of facts: 330,000 demands in a second or two, equal to `judge` row by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from matching.criteria import day_number
from matching.evidence import value_from_json
from matching.facts import FACTS, MOST_FEN, SHARE_PLACES, FactMeaning, code_of, encode
from matching.policy import Policy, Rule
from matching.terms import Facts, FactState, Ints, Light

Bytes = NDArray[np.int8]

STATES: dict[FactState, int] = {"known": 0, "missing": 1, "stale": 2}
NOT_STORED = {"state": "missing", "value": None}


@dataclass(frozen=True)
class FactColumns:
    """Facts of n demands: per fact its encoded whole numbers (int64) and states (int8: 0 known, 1 missing, 2 stale)."""

    rows: int
    values: Mapping[str, Ints]
    states: Mapping[str, Bytes]

    def known(self, name: str) -> tuple[Ints, Bytes]:
        """Values and states of one fact; a fact without a column is missing everywhere."""
        if name in self.values:
            return self.values[name], self.states[name]
        return np.zeros(self.rows, np.int64), np.full(self.rows, STATES["missing"], np.int8)


@dataclass(frozen=True)
class ManyVerdicts:
    """Verdicts of n demands. Per criterion: light (int8), measured whole number (10^-places units), state (int8).

    `skipped` marks, per optional criterion, the rows where it was not judged; those rows count for nothing.
    """

    light: Bytes
    recommended: NDArray[np.bool_]
    lights: Mapping[str, Bytes]
    numbers: Mapping[str, Ints]
    states: Mapping[str, Bytes]
    skipped: Mapping[str, NDArray[np.bool_]]

    def value(self, criterion: str, row: int, places: int) -> Decimal | None:
        """One measured value as a decimal, None where unknown."""
        if self.states[criterion][row]:
            return None
        return Decimal(int(self.numbers[criterion][row])).scaleb(-places)


def columns_of(many: Iterable[Facts]) -> FactColumns:
    """Columns from facts of single demands, exactly as `judge` would read each."""
    rows = list(many)
    values: dict[str, Ints] = {}
    states: dict[str, Bytes] = {}
    for name in sorted({name for facts in rows for name in facts}):
        values[name] = np.zeros(len(rows), np.int64)
        states[name] = np.full(len(rows), STATES["missing"], np.int8)
        for row, facts in enumerate(rows):
            fact = facts.get(name)
            if fact is not None:
                states[name][row] = STATES[fact.state]
                values[name][row] = encode(name, fact.value) if fact.value is not None else 0
    return FactColumns(len(rows), values, states)


def columns_from_json(contents: Iterable[bytes | str]) -> FactColumns:
    """Columns from facts as stored (`evidence.facts_to_json`), equal to `columns_of` over them read back one by one."""
    documents = [orjson.loads(content) for content in contents]
    values: dict[str, Ints] = {}
    states: dict[str, Bytes] = {}
    for name in sorted({name for document in documents for name in document}):
        nodes = [document.get(name, NOT_STORED) for document in documents]
        states[name] = np.fromiter((STATES[node["state"]] for node in nodes), np.int8, len(nodes))
        values[name] = _encoded(name, [node["value"] for node in nodes])
    return FactColumns(len(documents), values, states)


def _encoded(name: str, stored: Sequence[Any]) -> Ints:
    """Stored values of one fact as whole numbers; each different one is read once."""
    numbers: dict[Any, int] = {None: 0}
    for value in stored:
        if value not in numbers:
            numbers[value] = encode(name, value_from_json(name, value))
    return np.fromiter((numbers[value] for value in stored), np.int64, len(stored))


def columns_from(arrays: Mapping[str, Any], stale: Mapping[str, Any] | None = None) -> FactColumns:
    """Columns from plain arrays by fact name: money and counts as numbers, shares as floats of six decimals,
    dates as datetime64, choices and codes as texts. None, NaN and NaT are missing; `stale` marks rows past their date.
    """
    if not arrays:
        raise ValueError("no column of facts was given")
    values, states = {}, {}
    for name, array in arrays.items():
        if name not in FACTS:
            raise ValueError(f"'{name}' is not a fact the judgement knows")
        values[name], missing = _column(FACTS[name], np.asarray(array))
        states[name] = np.where(missing, np.int8(STATES["missing"]), np.int8(0))
        if stale and name in stale:
            late = np.asarray(stale[name], bool) & ~missing
            states[name] = np.where(late, np.int8(STATES["stale"]), states[name])
    lengths = {len(column) for column in values.values()}
    if len(lengths) != 1:
        raise ValueError(f"the columns of facts have different lengths: {sorted(lengths)}")
    return FactColumns(lengths.pop(), values, states)


def _column(meaning: FactMeaning, array: NDArray[Any]) -> tuple[Ints, NDArray[np.bool_]]:
    if meaning.kind == "date":
        days = array.astype("datetime64[D]")
        missing = np.isnat(days)
        return _date_numbers(np.where(missing, np.datetime64("1970-01-01"), days)), missing
    if meaning.kind in ("choice", "code"):
        return _texts(meaning, array)
    missing = _nothing(array)
    if meaning.kind == "share":
        scaled = np.where(missing, 0, array).astype(np.float64) * 10**SHARE_PLACES
        return np.rint(scaled).astype(np.int64), missing
    whole = np.where(missing, 0, array).astype(np.int64)
    return np.clip(whole, -MOST_FEN, MOST_FEN), missing


def _nothing(array: NDArray[Any]) -> NDArray[np.bool_]:
    if array.dtype == object:
        return np.array([value is None or value != value for value in array], bool)  # noqa: PLR0124  NaN
    return np.isnan(array) if array.dtype.kind == "f" else np.zeros(len(array), bool)


def _date_numbers(days: NDArray[np.datetime64]) -> Ints:
    months = days.astype("datetime64[M]")
    number = months.astype(np.int64)
    day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    dates: Ints = (1970 + number // 12) * 10_000 + (number % 12 + 1) * 100 + day
    return dates


def _texts(meaning: FactMeaning, array: NDArray[Any]) -> tuple[Ints, NDArray[np.bool_]]:
    missing = _nothing(array)
    texts = np.where(missing, "", array).astype(str)
    kinds, position = np.unique(texts, return_inverse=True)
    numbers = np.array([encode(meaning.name, str(kind)) if kind else 0 for kind in kinds], np.int64)
    return numbers[position], missing | (texts == "")


def judge_many(columns: FactColumns, policy: Policy, today: date) -> ManyVerdicts:
    """Every row's light, as `judge` gives it: one pass of each measure over whole columns."""
    places, position = _districts(columns)
    by_district = [policy.on(today, place).rules for place in places]
    light = np.zeros(columns.rows, np.int8)
    recommended = np.ones(columns.rows, bool)
    lights, numbers, states, skipped = {}, {}, {}, {}
    for column, rule in enumerate(by_district[0]):
        name = rule.criterion.id
        green, yellow = (
            np.array([getattr(rules[column].step, line) for rules in by_district], np.int64)[position]
            for line in ("green_number", "yellow_number")
        )
        numbers[name], states[name] = _measure(rule, columns, today)
        lights[name] = _lights(rule, numbers[name], states[name], green, yellow)
        if rule.criterion.optional:
            skipped[name] = states[name] == STATES["missing"]
            lights[name] = np.where(skipped[name], np.int8(Light.GREEN), lights[name])
        light = np.maximum(light, lights[name])
        if rule.criterion.one_of_five:
            unknown = (states[name] != 0) & ~skipped.get(name, np.zeros(columns.rows, bool))
            recommended &= (lights[name] < Light.RED) & ~unknown
    return ManyVerdicts(light, recommended, lights, numbers, states, skipped)


def _districts(columns: FactColumns) -> tuple[list[str | None], Ints]:
    numbers, states = columns.known("district")
    kinds, position = np.unique(np.where(states == STATES["missing"], 0, numbers), return_inverse=True)
    names = [code_of(int(kind)) or None for kind in kinds]
    return names, position.astype(np.int64)


def _measure(rule: Rule, columns: FactColumns, today: date) -> tuple[Ints, Bytes]:
    measure = rule.criterion.measure
    needed = [columns.known(need) for need in measure.needs]
    gaps = np.stack([state for _, state in needed])
    missing, stale = (gaps == STATES["missing"]).any(axis=0), (gaps == STATES["stale"]).any(axis=0)
    state = np.where(missing, np.int8(1), np.where(stale, np.int8(2), np.int8(0)))
    number = np.asarray(measure.of(day_number(today), *(values for values, _ in needed)), np.int64)
    return np.where(state == 0, number, 0), state


def _lights(rule: Rule, number: Ints, state: Bytes, green: Ints, yellow: Ints) -> Bytes:
    sign = -1 if rule.criterion.more_is_better else 1
    place = 1 * (sign * number > sign * green) + 1 * (sign * number > sign * yellow)
    known = np.minimum(place, int(rule.criterion.worst))
    return np.where(state == 0, known, int(Light.YELLOW)).astype(np.int8)
