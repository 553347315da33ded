"""One strategy in one made-up city, day after day: officers decide, silence falls, firms choose, lists are pushed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _loop_city import City
from _loop_sureness import Told, cover_banks, cover_cells, error_by_bank

from matching.appetite import Answer, Ended, Traits
from matching.calibration import Around, before_of
from matching.outlook import Heard

Array = np.ndarray[Any, Any]
NOT_ASKED, OPEN, OFFERED, REFUSED, SILENT, LAPSED = range(6)


@dataclass(eq=False)
class World:
    """What a platform can see on a day, and nothing hidden: who asks, what was pushed, what was answered."""

    city: City
    day: int = 0
    state: Array = field(default_factory=lambda: np.zeros(0))  # [n, b]
    pushed_on: Array = field(default_factory=lambda: np.zeros(0))  # [n, b]
    answered_on: Array = field(default_factory=lambda: np.zeros(0))  # [n, b] -1: never; silence on its last day
    product: Array = field(default_factory=lambda: np.zeros(0))  # [n, b]
    second: Array = field(default_factory=lambda: np.zeros(0))  # [n, b] pushed after a decline
    predicted: Array = field(default_factory=lambda: np.zeros(0))  # [n, b] chance of an offer when pushed
    offered_on: Array = field(default_factory=lambda: np.zeros(0))  # [n] first offer, -1: none
    granted_on: Array = field(default_factory=lambda: np.zeros(0))  # [n] -1: none
    chosen: Array = field(default_factory=lambda: np.zeros(0))  # [n] product taken, -1: none
    balance: Array = field(default_factory=lambda: np.zeros(0))  # [b] officers' hours of today; below 0: owed
    hours: float = 0.0
    around: dict[tuple[int, int], Around] = field(default_factory=dict)
    """What stood around each line when it was pushed."""
    answers: list[Heard] = field(default_factory=list)
    """Those of today."""
    ended: list[Ended] = field(default_factory=list)
    """What came of offers today, and of lines whose bank was too late."""
    told: list[Told] = field(default_factory=list)
    """What a strategy with chances wrote down now and then, to be held against what came."""

    def __post_init__(self) -> None:
        shape = self.city.fits.shape[0], len(self.city.kind)
        self.state, self.pushed_on, self.product = (np.zeros(shape, np.int64) for _ in range(3))
        self.second, self.predicted = np.zeros(shape, bool), np.full(shape, np.nan)
        self.offered_on, self.granted_on, self.chosen = (np.full(shape[0], -1) for _ in range(3))
        self.answered_on, self.balance = np.full(shape, -1), np.zeros(shape[1])

    def asking(self) -> Array:
        """Demands that wait for lines today: reported, not given up, without an offer."""
        c = self.city
        return np.flatnonzero((c.asked_on <= self.day) & (self.day < c.ends_on) & (self.offered_on < 0))

    def open_lines(self, demands: Array) -> Array:
        return (self.state[demands] == OPEN).sum(axis=1)

    def declined(self, demands: Array) -> Array:
        return np.isin(self.state[demands], (REFUSED, SILENT)).sum(axis=1)

    def surroundings(self, demands: Array) -> list[Around]:
        """What stands around each of these demands now: the estimate's grade, and what earlier banks said."""
        found = []
        for n in demands.tolist():
            refused = [(str(self.city.reason[n, b]),) for b in np.flatnonzero(self.state[n] == REFUSED)]
            silent = int((self.state[n] == SILENT).sum())
            found.append(Around(str(self.city.grade[n]), before_of([*refused, *[()] * silent])))
        return found

    def may(self, demands: Array) -> Array:
        """[demands, m] whether a product may still be asked: it fits, and its bank has not had its turn."""
        return self.city.fits[demands] & (self.state[demands][:, self.city.product_bank] == NOT_ASKED)


@dataclass(frozen=True)
class Push:
    """Lines of a day: demands, products, and, where the strategy has one, the chance it saw."""

    demand: Array
    product: Array
    p_offer: Array | None = None


Strategy = Callable[[World], Push]


def live(city: City, strategy: Strategy) -> World:
    """The whole time, and as long after the last push as answers may come."""
    world = World(city)
    days = city.parameters["run"]["days"]
    for day in range(days + city.parameters["banks"]["clock"] + 5):
        world.day, world.answers, world.ended = day, [], []
        _decide(world)
        _fall_silent(world)
        _choose(world)
        if day < days:
            _push(world, strategy(world))
    return world


def _decide(world: World) -> None:
    """Officers take the lines in the order in which they fall to them, as far as their hours go."""
    city, banks = world.city, world.city.parameters["banks"]
    world.balance = np.minimum(world.balance, 0) + city.hours[world.day]
    due = world.pushed_on + city.looks_after
    demand, bank = np.nonzero((world.state == OPEN) & (due <= world.day) & city.speaks)
    order = np.lexsort((demand, due[demand, bank]))
    for n, b in zip(demand[order].tolist(), bank[order].tolist(), strict=True):
        if world.balance[b] <= 0:
            continue
        grants = city.open_to[n, b] + city.mood[world.day, b] > city.luck[n, b]
        cost = banks["hours_to_grant"] if grants else banks["hours_to_refuse"]
        world.balance[b] -= cost
        world.hours += cost
        world.state[n, b], world.answered_on[n, b] = OFFERED if grants else REFUSED, world.day
        if grants and world.offered_on[n] < 0:
            world.offered_on[n] = world.day
        reasons = () if grants else (city.reason[n, b],)
        world.answers.append(_answer(world, n, b, granted=bool(grants), reasons=reasons))


def _fall_silent(world: World) -> None:
    late = (world.state == OPEN) & (world.pushed_on + world.city.parameters["banks"]["clock"] <= world.day)
    world.state[late], world.answered_on[late] = SILENT, world.day
    for n, b in zip(*(side.tolist() for side in np.nonzero(late)), strict=True):
        world.answers.append(_answer(world, n, b, granted=False, reasons=()))


def _choose(world: World) -> None:
    """A firm takes the cheapest offer some days after the first; the others lapse, as do those of firms that end."""
    city = world.city
    waits = city.parameters["demands"]["chooses_after"]
    ready = (world.offered_on >= 0) & (world.granted_on < 0) & (world.offered_on + waits <= world.day)
    for n in np.flatnonzero(ready).tolist():
        offers = np.flatnonzero(world.state[n] == OFFERED)
        products = world.product[n, offers]
        world.chosen[n] = products[np.lexsort((products, city.rate[products]))[0]]
        world.granted_on[n] = world.day
        taken = city.product_bank[world.chosen[n]]
        world.ended += [Ended(b, city.kind[b], bool(b == taken)) for b in offers.tolist()]
    over = (world.granted_on >= 0) | ((city.ends_on <= world.day) & (world.offered_on < 0))
    late = over[:, None] & (world.state == OPEN)
    world.state[late] = LAPSED
    for n, b in zip(*(side.tolist() for side in np.nonzero(late & ~np.isnan(world.predicted))), strict=True):
        world.ended.append(Ended(b, city.kind[b], granted=False, offer=float(world.predicted[n, b])))


def _push(world: World, push: Push) -> None:
    bank = world.city.product_bank[push.product]
    assert np.all(world.state[push.demand, bank] == NOT_ASKED), "a bank is asked twice"
    assert np.all(world.city.fits[push.demand, push.product]), "a product that does not fit is asked"
    pairs = zip(push.demand.tolist(), bank.tolist(), strict=True)
    world.around.update(zip(pairs, world.surroundings(push.demand), strict=True))
    world.second[push.demand, bank] = world.declined(push.demand) > 0
    world.state[push.demand, bank] = OPEN
    world.pushed_on[push.demand, bank] = world.day
    world.product[push.demand, bank] = push.product
    if push.p_offer is not None:
        world.predicted[push.demand, bank] = push.p_offer


def _answer(world: World, n: int, b: int, *, granted: bool, reasons: tuple[Any, ...]) -> Heard:
    city = world.city
    traits = Traits(**{name: str(column[n]) for name, column in city.traits.items()})
    return Heard(Answer(b, city.kind[b], traits, granted, tuple(str(one) for one in reasons)), world.around[n, b])


def measure(world: World) -> dict[str, float]:
    """The measures of a whole run; a second push is one made after a bank declined, in words or by silence."""
    city, granted = world.city, world.granted_on >= 0
    pushed, declined = world.state != NOT_ASKED, np.isin(world.state, (REFUSED, SILENT))
    decided = declined | (world.state == OFFERED)
    lines, households = int(pushed.sum()), int(granted.sum())
    again = world.second & decided
    amount = np.minimum(city.amount_fen[granted], city.amount_max_fen[world.chosen[granted]]).astype(float)
    took_second = world.second[granted, city.product_bank[world.chosen[granted]]].sum()
    per_place = pushed.sum(axis=0) / city.places
    found = {
        "asked": len(granted),
        "lines": lines,
        "granted": households,
        "grants_per_push": households / max(lines, 1),
        "days_to_grant": float((world.granted_on - city.asked_on)[granted].mean()),
        "double_declines": int(((declined.sum(axis=1) >= 2) & ~granted).sum()),
        "double_declines_per_granted": int(((declined.sum(axis=1) >= 2) & ~granted).sum()) / max(households, 1),
        "declines_per_household": float(declined.sum() / len(granted)),
        "rate": float(100 * city.rate[world.chosen[granted]] @ amount / amount.sum()),
        "hours_per_grant": world.hours / max(households, 1),
        "granted_per_100_hours": 100 * households / world.hours,
        "gini": gini(per_place),
        "second_match": float(took_second / max(again.any(axis=1).sum(), 1)),
        "next_acceptance": float((world.state == OFFERED)[again].mean()) if again.any() else 0.0,
        "silent_share": float((world.state == SILENT)[decided].mean()),
    }
    known = decided & ~np.isnan(world.predicted)
    if known.any():
        off = np.where(known, world.predicted - (world.state == OFFERED), 0.0).sum(axis=0)
        found["calibration_off"] = float(100 * np.abs(off).sum() / known.sum())
        found["brier"] = float(((world.predicted - (world.state == OFFERED))[known] ** 2).mean())
        bank = np.nonzero(known)[1]
        found["error_by_bank"] = error_by_bank(world.predicted[known], (world.state == OFFERED)[known], bank)
        found |= cover_banks(world.told, world.answered_on, world.state == OFFERED)
        silent = (world.state == SILENT).sum(axis=0) / np.maximum(decided.sum(axis=0), 1)
        found |= cover_cells(world.told, city, silent)
    return found


def gini(shares: Array) -> float:
    """0: all the same; towards 1: one has all. Mean absolute difference over twice the mean."""
    ordered = np.sort(shares)
    n = len(ordered)
    whole = float(ordered.sum())
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * whole)) if whole else 0.0
