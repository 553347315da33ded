"""Who could go to whom today, and who goes: demands, products and consents become a problem, its lists, their proof."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from sqlmodel import Session

from matching.allocate import allocate
from matching.certificate import Certificate, certify
from matching.fit_many import fit_many
from matching.judge_many import columns_from_json
from matching.outlook import Outlook
from matching.policy import PolicyDay
from matching.problem import pose
from matching.second_push import hopeless
from matching.terms import Flags, Floats, Ints, Line, Prices, Problem, Product
from matching.value import preference, weights_of, worth
from service.domain.appetite import answers_of, around_of, outlook_of, traits_of
from service.domain.push_list import OPEN_LINES, LineState
from service.domain.second_match import is_closed
from service.store import certificates, consents, offers_of_banks, push_lists

L = LineState
SPAN = 1 << 32
MEMORY = timedelta(days=180)
UNTIL = "until_answer"
HAD_ITS_TURN = OPEN_LINES | {L.REFUSED, L.SILENT, L.PASSED_OVER, L.GRANTED, L.DRAWN}
"""A bank with such a line for a demand is not asked again for it; nor is one whose offer lapsed."""


@dataclass(frozen=True)
class Gathered:
    """What the day has: demands in the order of their ids, products, consents, and what banks said before."""

    day: date
    run: int
    demands: Sequence[Any]
    products: Sequence[Product]
    room: Mapping[int, Any]
    consents: Mapping[str, Mapping[int, int]]
    intended: frozenset[tuple[int, int]]
    history: Mapping[int, Sequence[Any]]
    outlook: Outlook
    """What the banks' answers of the last months, and what followed them, say of the next."""
    until_answer: int = 0
    """The latest answer among them that the morning knew."""

    def kept_appetite(self) -> dict[str, Any] | None:
        """What a morning keeps for the supplements of its day; they keep nothing."""
        return None if self.run else self.outlook.to_json() | {UNTIL: self.until_answer}

    def open_lines(self, demand_id: int) -> int:
        """Lines of the demand that stand with some bank now."""
        return sum(line.is_open for line in self.history.get(demand_id, ()))

    @cached_property
    def waiting(self) -> frozenset[int]:
        """Demands that were put off to another day and are looked at only because room was given back."""
        return frozenset(demand.id for demand in self.demands if demand.is_put_off)

    def was_recalled(self, demand_id: int) -> bool:
        """Whether the last that happened to it is that its list was recalled."""
        lines = self.history.get(demand_id, ())
        return bool(lines) and lines[-1].state == L.RECALLED

    def kept_away(self, demand_id: int) -> list[int]:
        """Banks it does not go to again today: a list was recalled with that word."""
        return [line.bank_id for line in self.history.get(demand_id, ()) if line.kept_away_on == self.day]

    def turned_down(self, demand_id: int) -> list[Any]:
        """Lines a bank refused or let wait in silence."""
        return [line for line in self.history.get(demand_id, ()) if line.state in (L.REFUSED, L.SILENT)]


@dataclass(frozen=True)
class Chances:
    """Every pair that fits, consent or not: rows of demands, positions of products, worth, chances of offer and grant.

    `named`: a live consent of the firm names the product's bank. `guarded`: the ids of demands that were turned down
    before and have a fitting product left whose bank would hardly take them: no double decline.
    """

    demand: Ints
    product: Ints
    value: Floats
    p_offer: Floats
    p_grant: Floats
    named: Flags
    guarded: frozenset[int]


@dataclass(frozen=True)
class Plan:
    """What would be published: the problem, the lines, the referee's paper; and all chances, for proposals."""

    gathered: Gathered
    chances: Chances
    problem: Problem
    lines: tuple[Line, ...]
    p_offer: tuple[float, ...]
    p_grant: tuple[float, ...]
    prices: tuple[Prices, ...]
    """What a place, a fen of quota, a bank's place was worth in each stage: with them anyone can prove the bound."""
    certificate: Certificate


def gather(tx: Session, today: date, *, lock: bool = False) -> Gathered:
    """Read what the sharing out needs; `lock` holds the demands from now on.

    After the morning those that found no room look again with the demands that changed, where room was given back: who
    named the bank, or waited too long, comes before anyone else then too.
    """
    run = push_lists.next_run(tx, today)
    room_at = push_lists.banks_with_room_given_back(tx, today) if run else []
    demands = push_lists.list_to_push(tx, today, room_at, lock=lock)
    if all(demand.is_put_off for demand in demands):
        return Gathered(today, 0, (), (), {}, {}, frozenset(), {}, Outlook())
    ids = [demand.id for demand in demands]
    history: dict[int, list[Any]] = defaultdict(list)
    for line in push_lists.list_lines_of(tx, ids):
        history[line.demand_id].append(line)
    outlook, until_answer = _outlook(tx, today, run)
    return Gathered(
        day=today,
        run=run,
        demands=demands,
        products=offers_of_banks.list_matching(tx, today),
        room={row.id: row for row in push_lists.list_room(tx, today)},
        consents=consents.live(tx, sorted({demand.uscc for demand in demands}), today),
        intended=frozenset((row.demand_id, row.bank_id) for row in push_lists.list_wanted(tx, ids)),
        history=history,
        outlook=outlook,
        until_answer=until_answer,
    )


def _outlook(tx: Session, today: date, run: int) -> tuple[Outlook, int]:
    """In the morning learned from all answers; later what the morning kept, and the lines first answered since."""
    kept = certificates.find_appetite(tx, today) if run else None
    if kept is not None and kept.on == today and UNTIL in kept.kept:
        with suppress(ValueError):  # of a form no longer read: learned anew
            since = push_lists.list_first_answered_after(tx, kept.kept[UNTIL])
            return Outlook.from_json(kept.kept).hears(answers_of(since)), kept.kept[UNTIL]
    answered = push_lists.list_answered(tx, today - MEMORY)
    unanswered = push_lists.list_unanswered(tx, today - MEMORY)
    return outlook_of(answered, unanswered, today), (answered[0].latest_answer or 0) if answered else 0


def share_out(gathered: Gathered, policy: PolicyDay) -> Plan:
    """Share the demands out and have the result checked; the same input gives the same lists, whoever runs it."""
    chances = find_chances(gathered, policy)
    problem = _pose(gathered, chances, policy)
    found = allocate(problem)
    p_grant = dict(zip(_ends(problem, found.pairs), problem.p_grant[found.pairs].tolist(), strict=True))
    lines = found.lines.rows()
    p_offer = _offers_of(gathered, chances, lines)
    return Plan(
        gathered=gathered,
        chances=chances,
        problem=problem,
        lines=lines,
        p_offer=tuple(p_offer[line.demand_id, line.product_id] for line in lines),
        p_grant=tuple(p_grant[line.demand_id, line.product_id] for line in lines),
        prices=found.prices,
        certificate=certify(problem, found.lines, found.prices),
    )


def _ends(problem: Problem, pairs: Ints) -> list[tuple[int, int]]:
    demands = problem.demand_id[problem.pair_demand[pairs]].tolist()
    products = problem.product_id[problem.pair_product[pairs]].tolist()
    return list(zip(demands, products, strict=True))


def _offers_of(gathered: Gathered, chances: Chances, lines: Sequence[Line]) -> dict[tuple[int, int], float]:
    """Demand and product of each line → the chance of an offer."""
    ids = np.array([one.id for one in gathered.demands], np.int64)[chances.demand]
    products = np.array([one.id for one in gathered.products], np.int64)[chances.product]
    pushed = np.isin(ids * SPAN + products, _keys((line.demand_id, line.product_id) for line in lines))
    ends = zip(ids[pushed].tolist(), products[pushed].tolist(), strict=True)
    return dict(zip(ends, chances.p_offer[pushed].tolist(), strict=True))


def find_chances(gathered: Gathered, policy: PolicyDay) -> Chances:
    """Every fitting pair but those of banks that had their turn, that a coded reason closes, or sure to be refused."""
    columns = columns_from_json(demand.facts for demand in gathered.demands)
    pairs = fit_many(columns, gathered.products, gathered.day, _met(gathered))
    demand, product = pairs.demands().astype(np.int64), pairs.products.astype(np.int64)
    p_offer, p_grant = _p_offer_and_grant(gathered, demand, product)
    turned_down = np.array([bool(gathered.turned_down(one.id)) for one in gathered.demands], bool)
    sure_to_refuse = hopeless(p_offer, turned_down[demand], float(policy.number("acceptance_floor")))
    closed = _closed(gathered, demand, product)
    guarded = frozenset(gathered.demands[row].id for row in np.unique(demand[sure_to_refuse & ~closed]).tolist())
    keep = ~closed & ~sure_to_refuse
    demand, product, p_offer, p_grant = demand[keep], product[keep], p_offer[keep], p_grant[keep]
    value = worth(p_grant, _liked(gathered, demand, product, policy))
    return Chances(demand, product, value, p_offer, p_grant, _named(gathered, demand, product), guarded)


def _p_offer_and_grant(gathered: Gathered, demand: Ints, product: Ints) -> tuple[Floats, Floats]:
    """Both chances of each pair, from the banks' past answers to demands of like traits and what followed them."""
    banks, bank_of = np.unique([one.bank_id for one in gathered.products], return_inverse=True)
    kinds = {row.bank_id: row.bank_kind for row in gathered.room.values()}
    around = around_of(gathered.demands, {one.id: gathered.turned_down(one.id) for one in gathered.demands})
    return gathered.outlook.of_many(
        traits_of(gathered.demands), around, banks.astype(np.int64), kinds, demand, bank_of.astype(np.int64)[product]
    )


def _liked(gathered: Gathered, demand: Ints, product: Ints, policy: PolicyDay) -> Floats:
    """What the firm would get out of each pair: its rate, the bank's promise, the amount covered."""
    rate = np.array([float(one.rate_min) for one in gathered.products], np.float64)
    days = np.array([one.decision_days for one in gathered.products], np.int64)
    most = np.array([one.amount_max_fen for one in gathered.products], np.int64)
    asked = np.array([one.amount_fen for one in gathered.demands], np.int64)
    return preference(rate[product], days[product], most[product], asked[demand], weights_of(policy))


def _met(gathered: Gathered) -> tuple[Ints, Ints]:
    """Rows and banks that had their turn with each other."""
    met = [
        (row, line.bank_id)
        for row, demand in enumerate(gathered.demands)
        for line in gathered.history.get(demand.id, ())
        if line.state in HAD_ITS_TURN or line.had_offer or line.kept_away_on == gathered.day
    ]
    rows, banks = zip(*met, strict=True) if met else ((), ())
    return np.array(rows, np.int64), np.array(banks, np.int64)


def _closed(gathered: Gathered, demand: Ints, product: Ints) -> Flags:
    """Pairs that a reason given by another bank closes."""
    closed = np.zeros(len(demand), bool)
    by_id = {one.id: one for one in gathered.products}
    starts = np.searchsorted(demand, np.arange(len(gathered.demands) + 1))
    for row, one in enumerate(gathered.demands):
        for line in gathered.turned_down(one.id):
            if not line.reasons or line.product_id not in by_id:
                continue
            for pair in range(starts[row], starts[row + 1]):
                closed[pair] |= is_closed(line.reasons, by_id[line.product_id], gathered.products[product[pair]])
    return closed


def _named(gathered: Gathered, demand: Ints, product: Ints) -> Flags:
    """Pairs whose bank a live consent of the firm names."""
    banks = np.array([one.bank_id for one in gathered.products], np.int64)
    given = ((row, bank) for row, one in enumerate(gathered.demands) for bank in gathered.consents.get(one.uscc, ()))
    return np.isin(demand * SPAN + banks[product], _keys(given)) if len(demand) else np.zeros(0, bool)


def _keys(pairs: Iterable[tuple[int, int]]) -> Ints:
    """Row and bank as one number."""
    return np.array([row * SPAN + bank for row, bank in pairs], np.int64)


def _pose(gathered: Gathered, chances: Chances, policy: PolicyDay) -> Problem:
    """The chances with a live consent, as the solver takes them; floors of exposure hold in the morning only."""
    demand, product = chances.demand[chances.named], chances.product[chances.named]
    ids = np.array([one.id for one in gathered.demands], np.int64)
    product_ids = np.array([one.id for one in gathered.products], np.int64)
    banks = np.array([one.bank_id for one in gathered.products], np.int64)
    row_of = {one.id: row for row, one in enumerate(gathered.demands)}
    intended = np.isin(
        demand * SPAN + banks[product],
        _keys(((row_of[one], bank) for one, bank in gathered.intended if one in row_of)),
    )
    places = [gathered.room[one.id].places for one in gathered.products]
    least = int(policy.number("exposure_floor")) if gathered.run == 0 else 0
    return pose(
        {
            "demand_id": ids,
            "amount_fen": [one.amount_fen for one in gathered.demands],
            "waited_days": [_waited(gathered, one) for one in gathered.demands],
            "open_lines": [gathered.open_lines(one.id) for one in gathered.demands],
        },
        {
            "product_id": product_ids,
            "bank_id": banks,
            "places": places,
            "quota_fen": [-1 if one.quota_left_fen is None else one.quota_left_fen for one in gathered.products],
            "floor": [min(least, left) for left in places],
        },
        {
            "demand_id": ids[demand] if len(demand) else [],
            "product_id": product_ids[product] if len(product) else [],
            "value": chances.value[chances.named],
            "p_grant": chances.p_grant[chances.named],
            "intended": intended,
        },
        max_banks=int(policy.number("max_open_lines")),
        urgent_days=int(policy.number("max_wait_days")),
    )


def _waited(gathered: Gathered, demand: Any) -> int:
    """Days without any line since it was recommended; a line that was recalled is none."""
    if any(line.state != L.RECALLED for line in gathered.history.get(demand.id, ())):
        return 0
    since: date = demand.recommended_on or demand.reported_on
    return max((gathered.day - since).days, 0)
