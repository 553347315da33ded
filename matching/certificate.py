"""The referee: re-checks a day's lists from the problem alone and says how good they are; it knows no solver.

A list is pushed only with a certificate without breaches. Stages, bound and rules are those of `stages` and `rules`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from matching.problem import input_hash, lines_of, output_hash
from matching.rules import (
    floor_breaches,
    limit_breaches,
    order_breaches,
    pairs_of,
    priority_breaches,
    rank_breaches,
    real_prices,
)
from matching.stages import (
    STAGES,
    dual_bound,
    late_demands,
    line_stages,
    met_before,
    on_offer,
    pair_stages,
    remaining,
    reserved,
)
from matching.terms import Flags, Floats, Ints, Line, Lines, Prices, Problem

VERSION = "certificate 2"


@dataclass(frozen=True)
class Certificate:
    """What can be said of a day's lists. With a breach they may not be pushed; the rest are findings, not faults.

    `gap` = (bound - value) / bound, under the rule that intended pairs come first (and late demands second).
    `blocking_pairs`: pairs left out though both sides would, by value, take them for a line they have; lists of most
    value have some. `starved_banks`: banks with fitting demands and places, and no line. `unlisted`: demands without a
    line, new or open, though something fits them; `longest_wait`: the most days one of them waited; `late_unlisted`:
    those of them that waited past the problem's limit. Had there been room for one, it would be a breach.
    """

    version: str
    value: float
    bound: float
    gap: float
    placed: int
    demands_placed: int
    amount_fen: int
    intended_placed: int
    intended_wanted: int
    breaches: tuple[str, ...]
    blocking_pairs: int
    starved_banks: tuple[int, ...]
    short_of_floor: tuple[int, ...]
    unlisted: int
    longest_wait: int
    stage_values: tuple[float, ...]
    stage_bounds: tuple[float, ...]
    prices: dict[str, float]
    money_prices: dict[str, float]
    bank_prices: dict[str, float]
    input_hash: str
    output_hash: str
    late_unlisted: int = 0
    """Last and with a default: certificates of version 1 do not say."""

    def to_json(self) -> bytes:
        """Stable bytes: the same lists always give the same."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def from_json(cls, content: bytes | str) -> "Certificate":
        """A certificate back from its bytes; ValueError where they are none."""
        try:
            node: dict[str, Any] = json.loads(content)
            values: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in node.items()
            }
            return cls(**values)
        except (TypeError, AttributeError, json.JSONDecodeError) as fault:
            raise ValueError(f"these bytes are no certificate: {fault}") from fault


def certify(problem: Problem, lines: Lines | Iterable[Line], prices: tuple[Prices, ...]) -> Certificate:
    """Check every rule; value, bound, gap and findings anew. `prices`: one set per stage, any ≥ 0 prove a bound."""
    table = lines if isinstance(lines, Lines) else lines_of(lines)
    pairs, breaches = pairs_of(problem, table)
    prices, unreal = real_prices(problem, prices)
    stage_of = pair_stages(problem)
    line_stage = line_stages(problem, pairs, stage_of)
    breaches += unreal + rank_breaches(table) + limit_breaches(problem, pairs)
    if not breaches:
        breaches += order_breaches(problem, table, pairs)
        breaches += priority_breaches(problem, pairs, line_stage, stage_of) + floor_breaches(problem, pairs, line_stage)
    values = tuple(float(problem.value[pairs[line_stage == stage]].sum()) for stage in STAGES)
    bounds = tuple(
        dual_bound(problem, remaining(problem, pairs[line_stage < stage], stage, stage_of), one)
        for stage, one in zip(STAGES, prices, strict=True)
    )
    value, bound = float(sum(values)), float(sum(bounds))
    listed = np.bincount(problem.pair_demand[pairs], minlength=len(problem.demand_id)) > 0
    alive = on_offer(problem) & (problem.lines_left > 0)[problem.pair_demand]
    left_out = np.zeros(len(listed), bool)
    left_out[problem.pair_demand[alive]] = True
    left_out &= ~listed & (problem.lines_left == problem.max_banks)
    count = np.bincount(problem.pair_product[pairs], minlength=len(problem.places))
    return Certificate(
        version=VERSION,
        value=value,
        bound=bound,
        gap=max(0.0, (bound - value) / bound) if bound > 0 else 0.0,
        placed=len(table),
        demands_placed=int(listed.sum()),
        amount_fen=int(problem.amount_fen[problem.pair_demand[pairs]].sum()),
        intended_placed=int(problem.intended[pairs].sum()),
        intended_wanted=int((problem.intended & alive).sum()),
        breaches=tuple(breaches),
        blocking_pairs=_blocking(problem, pairs, alive),
        starved_banks=_starved(problem, pairs, alive),
        short_of_floor=tuple(problem.product_id[count < problem.floor].tolist()),
        unlisted=int(left_out.sum()),
        longest_wait=int(problem.waited_days[left_out].max(initial=0)),
        stage_values=values,
        stage_bounds=bounds,
        prices=_named(problem.product_id, _highest(prices, "product")),
        money_prices=_named(problem.product_id, _highest(prices, "quota")),
        bank_prices=_named(problem.bank_id, _highest(prices, "bank")),
        input_hash=input_hash(problem),
        output_hash=output_hash(table),
        late_unlisted=int((left_out & late_demands(problem)).sum()),
    )


def _blocking(problem: Problem, pairs: Ints, alive: Flags) -> int:
    """Pairs both sides would take, by value, for room they have or for the line they value least."""
    demand, product = problem.pair_demand, problem.pair_product
    bank = problem.product_bank
    worst = np.full(len(problem.demand_id), np.inf)
    np.minimum.at(worst, demand[pairs], problem.value[pairs])
    worst[np.bincount(demand[pairs], minlength=len(worst)) < problem.lines_left] = 0.0
    least = np.full(len(problem.product_id), np.inf)
    np.minimum.at(least, product[pairs], problem.value[pairs])
    bank_used = np.bincount(bank[product[pairs]], minlength=len(problem.bank_id))
    bank_room = (problem.bank_places < 0) | (bank_used < problem.bank_places)
    room = (np.bincount(product[pairs], minlength=len(least)) < problem.places) & bank_room[bank]
    money_left = problem.quota_fen - reserved(problem, pairs)
    affordable = (problem.quota_fen[product] < 0) | (problem.amount_fen[demand] <= money_left[product])
    wanted = problem.value > worst[demand]
    taken = affordable & (room[product] | (problem.value > least[product]))
    return int((alive & ~met_before(problem, pairs) & wanted & taken).sum())


def _starved(problem: Problem, pairs: Ints, alive: Flags) -> tuple[int, ...]:
    bank = problem.product_bank
    willing = (problem.places > 0) & (problem.bank_places != 0)[bank]
    fitting = np.unique(bank[problem.pair_product[alive & willing[problem.pair_product]]])
    starved = np.setdiff1d(fitting, bank[problem.pair_product[pairs]])
    return tuple(problem.bank_id[starved].tolist())


def _highest(prices: tuple[Prices, ...], part: str) -> Floats:
    highest: Floats = np.max([getattr(one, part) for one in prices], axis=0)
    return highest


def _named(ids: Ints, prices: Floats) -> dict[str, float]:
    return {str(one): float(price) for one, price in zip(ids.tolist(), prices.tolist(), strict=True)}
