"""One day of a rehearsal: its stored verdicts once more, then under the new lines; its sharings out with both."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import Row
from sqlmodel import Session

from matching.allocate import allocate, solver_version
from matching.certificate import certify
from matching.evidence import facts_from_json
from matching.fit_many import fit_many
from matching.judge import judge
from matching.judge_many import columns_from_json, judge_many
from matching.policy import Policy, PolicyDay
from matching.problem import lines_of, pose
from matching.stages import STAGES
from matching.terms import Floats, Ints, Light, Line, Prices, Problem, Product
from matching.value import preference, weights_of, worth
from service.domain.rehearsed_outcome import Expected, chance_of
from service.domain.replay import unpack, unpack_prices
from service.profiles.documents import content_hash, facts_document, findings_document
from service.store import rehearsals

WEIGHTS = frozenset({"weight_rate", "weight_speed", "weight_cover"})
NUMBERS = ("max_open_lines", "exposure_floor", "max_wait_days", *sorted(WEIGHTS))
"""Numbers of a policy that change lists; clocks and reviews do not take part in a rehearsal."""
MOST_NAMED = 20
"""So many verdicts and lists that did not come out the same are named."""


@dataclass(frozen=True)
class Lines:
    """The policy in use and the one to be tried; the latter as it stands on each day, or on one day for all."""

    live: Policy
    tried: Policy
    first: date
    held_on: date | None = None


@dataclass(frozen=True)
class Stand:
    """How a demand stands by its latest verdict: then, and by the new lines."""

    demand_id: int
    uscc: str
    district: str
    industry: str
    amount_fen: int
    facts: str
    old: str
    new: str
    criteria: tuple[str, ...]
    old_goes: bool
    """Recommended then and not red: it goes to the banks without a person's word."""
    new_goes: bool
    new_fails: bool
    """One of the five criteria is red, or the light is: no person's word lifts that."""


@dataclass
class Book:
    """What the days so far came to."""

    verdicts: int = 0
    same: int = 0
    elsewhere: int = 0
    """Verdicts made under another policy than the one in use: not replayed."""
    different: list[int] = field(default_factory=list)
    runs: int = 0
    runs_same: int = 0
    runs_certified: int = 0
    """Sharings out by another version of the solver: not made once more, but found right by the referee."""
    runs_different: list[tuple[str, int]] = field(default_factory=list)
    unknown: int = 0
    """Sharings out with a problem nobody can read."""
    judged: dict[int, Stand] = field(default_factory=dict)
    """Demand → how it stands after the days so far; only those judged on one of them."""
    before: dict[int, Stand] = field(default_factory=dict)
    """The same of demands judged before the first day."""
    waiting: dict[int, Stand] = field(default_factory=dict)
    """Demands the new lines let through, until the next sharing out."""
    expected: list[Expected] = field(default_factory=list)
    lists: list[tuple[date, int, int, int, int]] = field(default_factory=list)
    """Day, run, bank, lines then, lines by the new policy."""
    joined: int = 0
    left: int = 0

    def stand(self, demand_id: int) -> Stand | None:
        """By its latest verdict."""
        return self.judged.get(demand_id) or self.before.get(demand_id)


def rehearse_day(tx: Session, day: date, lines: Lines, book: Book) -> None:
    """Write the day into the book."""
    rows = rehearsals.list_verdicts(tx, day)
    for row in rows:
        _replay(row, lines.live, book)
    stands = list(zip(rows, _stands(rows, day, lines), strict=True))
    for run in rehearsals.list_runs(tx, day):
        came = [one for one in stands if one[0].judged_at <= run.made_at]
        stands = [one for one in stands if one[0].judged_at > run.made_at]
        _enter(came, book)
        _share_out(tx, run, day, lines, book)
    _enter(stands, book)


def _enter(stands: Sequence[tuple[Row[Any], Stand]], book: Book) -> None:
    for _row, stand in stands:
        book.judged[stand.demand_id] = stand
        book.waiting.pop(stand.demand_id, None)
        if stand.new_goes and not stand.old_goes:
            book.waiting[stand.demand_id] = stand


def _replay(row: Row[Any], live: Policy, book: Book) -> None:
    """The stored facts under the policy in use: findings, light and hash to the byte."""
    book.verdicts += 1
    if row.policy_hash != live.hash:
        book.elsewhere += 1
        return
    facts = facts_from_json(row.facts)
    verdict = judge(facts, live, row.judged_on)
    findings = findings_document(verdict)
    content = content_hash(facts_document(facts), findings, verdict, row.fitting_products)
    same = content == row.content_hash and findings == row.findings
    if same and (verdict.light.word, verdict.recommended) == (row.light, row.is_recommended):
        book.same += 1
    elif len(book.different) < MOST_NAMED:
        book.different.append(row.id)


def _stands(rows: Sequence[Row[Any]], day: date, lines: Lines) -> list[Stand]:
    """Each verdict as it was and as the new lines have it. All of them were made on the day."""
    if not rows:
        return []
    found = judge_many(columns_from_json(row.facts for row in rows), _as_of(lines), day)
    five = [one.id for one in lines.tried.criteria if one.one_of_five]
    fails = np.max(np.stack([found.light * 0, *(found.lights[one] for one in five)]), axis=0) == Light.RED
    return [
        Stand(
            demand_id=row.demand_id,
            uscc=row.uscc,
            district=row.district,
            industry=row.industry,
            amount_fen=row.amount_fen,
            facts=row.facts,
            old=_colour(row.light, row.fitting_products),
            new=_colour(Light(int(found.light[place])).word, row.fitting_products),
            criteria=_moved(row.findings, {name: int(lights[place]) for name, lights in found.lights.items()}),
            old_goes=row.is_recommended and row.light != Light.RED.word,
            new_goes=bool(found.recommended[place]) and found.light[place] < Light.RED,
            new_fails=bool(fails[place]) or found.light[place] == Light.RED,
        )
        for place, row in enumerate(rows)
    ]


def _as_of(lines: Lines) -> Policy:
    return lines.tried if lines.held_on is None else held(lines.tried, lines.held_on)


@lru_cache(maxsize=4)
def held(policy: Policy, on: date) -> Policy:
    """The policy with the lines and numbers of one day in force at all times; PolicyError where it has none then."""
    criteria = tuple(
        replace(
            one,
            steps=(replace(one.step(on, None), since=date.min),),
            district_steps={place: (replace(one.step(on, place), since=date.min),) for place in one.district_steps},
        )
        for one in policy.criteria
    )
    numbers = {name: replace(one, values=((date.min, one.on(on)),)) for name, one in policy.numbers.items()}
    return replace(policy, criteria=criteria, numbers=numbers, default_review=((date.min, policy.on(on).review),))


def _colour(light: str, fits: int) -> str:
    """Green without a product that fits is shown yellow."""
    return Light.YELLOW.word if light == Light.GREEN.word and not fits else light


def _moved(findings: Sequence[Mapping[str, Any]], lights: Mapping[str, int]) -> tuple[str, ...]:
    """Criteria that say another light than they did; one that was not judged counts as green."""
    was = {one["criterion"]: int(Light.of(one["light"])) if one["light"] else 0 for one in findings}
    return tuple(name for name in lights if lights[name] != was.get(name, 0))


def _share_out(tx: Session, run: Row[Any], day: date, lines: Lines, book: Book) -> None:
    """The run's lists once more, then without those the new lines hold back and with those they let through.

    Both are made by the solver of today, so that what differs between them is the policy alone.
    """
    try:
        problem = unpack(run.inputs)
    except (ValueError, KeyError, TypeError):
        book.unknown += 1
        return
    now = allocate(problem)
    book.runs += 1
    published = rehearsals.list_lines(tx, run.id)
    if run.inputs.get("solver") == solver_version():
        came_out = sorted(published) == sorted(_rows(now.lines))
        book.runs_same += came_out
    else:
        came_out = _is_right(run, problem, published)
        book.runs_certified += came_out
    if not came_out and len(book.runs_different) < MOST_NAMED:
        book.runs_different.append((day.isoformat(), run.run))
    _look_back(tx, problem, day, lines, book)
    there = set(problem.demand_id.tolist())
    joining = [one for key, one in sorted(book.waiting.items()) if key not in there]
    book.waiting.clear()
    ids = problem.product_id.tolist()
    products = {one.id: one for one in rehearsals.list_products(tx, ids, run.made_at)}
    stays = np.array([_stays(book.stand(one)) for one in problem.demand_id.tolist()], bool)
    policy = _as_of(lines).on(day)
    asked = _pose(tx, run, day, (problem, stays, joining), products, policy, lines.live.on(day))
    then = allocate(asked) if asked is not problem else now
    book.left += int((~stays).sum())
    book.joined += len(asked.demand_id) - int(stays.sum())
    _count(day, run.run, (problem, now.pairs), (asked, then.pairs), products, book)


def _is_right(run: Row[Any], problem: Problem, published: Sequence[tuple[int, int, int, int]]) -> bool:
    """Whether the referee finds in the published lines what the certificate says of them, whoever made them."""
    lines = lines_of(Line(*row) for row in published)
    nothing = Prices(*(np.zeros(len(ids)) for ids in (problem.product_id, problem.product_id, problem.bank_id)))
    proof = certify(problem, lines, unpack_prices(run.inputs) or (nothing,) * len(STAGES))
    return not proof.breaches and proof.output_hash == run.output_hash


def _rows(lines: Any) -> list[tuple[int, int, int, int]]:
    return [(one.demand_id, one.product_id, one.bank_id, one.rank) for one in lines.rows()]


def _look_back(tx: Session, problem: Problem, day: date, lines: Lines, book: Book) -> None:
    """Verdicts older than the first day rehearsed, of the demands in this problem, by the lines of that first day."""
    early = replace(lines, held_on=lines.held_on or lines.first)
    lacking = [one for one in problem.demand_id.tolist() if book.stand(one) is None]
    by_day: dict[date, list[Row[Any]]] = defaultdict(list)
    for row in rehearsals.list_verdicts_before(tx, lacking, day) if lacking else ():
        by_day[row.judged_on].append(row)
    for judged_on, rows in by_day.items():
        book.before.update((one.demand_id, one) for one in _stands(rows, judged_on, early))


def _stays(stand: Stand | None) -> bool:
    """It was on its way to the banks: by the criteria, or by a person's word that the new lines do not take away."""
    if stand is None:
        return True
    return stand.new_goes if stand.old_goes else not stand.new_fails


def _pose(
    tx: Session, run: Row[Any], day: date, who: tuple[Problem, Any, Sequence[Stand]], products: Mapping[int, Product],
    tried: PolicyDay, live: PolicyDay,
) -> Problem:  # fmt: skip
    """The day's problem by the new policy; the very same where nobody leaves or joins and no number differs."""
    problem, stays, joining = who
    most = int(tried.number("max_open_lines"))
    floor = int(tried.number("exposure_floor")) if run.run == 0 else 0
    urgent = int(tried.number("max_wait_days"))
    changed = {name for name in NUMBERS if tried.number(name) != live.number(name)}
    if stays.all() and not joining and not changed:
        return problem
    keep = stays[problem.pair_demand]
    demand, product = problem.pair_demand[keep], problem.pair_product[keep]
    value = problem.value[keep]
    if changed & WEIGHTS and len(demand):
        asked = problem.amount_fen[demand]
        value = _value(problem.p_grant[keep], asked, product, problem, products, tried)
    new = _newcomers(tx, run, day, problem, joining, products, tried)
    more = most - problem.max_banks
    lines_left = np.maximum(problem.lines_left + more, 0)[stays]
    return pose(
        {
            "demand_id": np.concatenate([problem.demand_id[stays], new["id"]]),
            "amount_fen": np.concatenate([problem.amount_fen[stays], new["amount_fen"]]),
            "waited_days": np.concatenate([problem.waited_days[stays], np.zeros(len(new["id"]), np.int64)]),
            "open_lines": np.maximum(most - np.concatenate([lines_left, new["lines_left"]]), 0),
        },
        {
            "product_id": problem.product_id,
            "bank_id": problem.bank_id[problem.product_bank],
            "places": problem.places,
            "quota_fen": problem.quota_fen,
            "floor": np.minimum(floor, problem.places) if "exposure_floor" in changed else problem.floor,
        },
        {
            "demand_id": np.concatenate([problem.demand_id[demand], new["pair_demand"]]),
            "product_id": np.concatenate([problem.product_id[product], new["pair_product"]]),
            "value": np.concatenate([value, new["value"]]),
            "p_grant": np.concatenate([problem.p_grant[keep], new["p_grant"]]),
            "intended": np.concatenate([problem.intended[keep], new["intended"]]),
            "excluded": np.concatenate([problem.excluded[keep], np.zeros(len(new["value"]), bool)]),
        },
        {"bank_id": problem.bank_id, "places": problem.bank_places},
        max_banks=most,
        urgent_days=urgent if "max_wait_days" in changed else problem.urgent_days,
    )


def _value(
    p_grant: Floats, asked_fen: Ints, product: Ints, problem: Problem, products: Mapping[int, Product], tried: PolicyDay
) -> Floats:
    """Worth of pairs by the new weights, with the products' terms of the day."""
    terms = [products.get(one) for one in problem.product_id.tolist()]
    rate = np.array([float(one.rate_min) if one else 0.0 for one in terms])
    days = np.array([one.decision_days if one else 0 for one in terms], np.int64)
    most = np.array([one.amount_max_fen if one else 0 for one in terms], np.int64)
    return worth(p_grant, preference(rate[product], days[product], most[product], asked_fen, weights_of(tried)))


def _newcomers(
    tx: Session, run: Row[Any], day: date, problem: Problem, joining: Sequence[Stand],
    products: Mapping[int, Product], tried: PolicyDay,
) -> dict[str, Any]:  # fmt: skip
    """Demands the new lines let through: pairs with banks that had their consent and no turn yet.

    Their chance of a grant is what the day's stored estimates say of others at the same product, else at the same bank,
    else of all.
    """
    on_offer = [one for one in problem.product_id.tolist() if one in products]
    offers = [products[one] for one in on_offer]
    place_of = {one: place for place, one in enumerate(problem.product_id.tolist())}
    columns = columns_from_json(one.facts for one in joining)
    pairs = fit_many(columns, offers, day) if joining and offers else None
    rows = pairs.demands().tolist() if pairs is not None else []
    met: dict[int, set[int]] = defaultdict(set)
    was_open: Counter[int] = Counter()
    ids = [one.demand_id for one in joining]
    for line in rehearsals.list_earlier_lines(tx, ids, day, run.made_at) if ids else ():
        met[line.demand_id].add(line.bank_id)
        was_open[line.demand_id] += bool(line.was_open)
    consents = rehearsals.consents_then(tx, [one.uscc for one in joining], day, run.made_at) if joining else set()
    wanted = rehearsals.wanted(tx, ids) if ids else set()
    kept = [
        (joining[row], offers[at])
        for row, at in zip(rows, pairs.products.tolist() if pairs is not None else (), strict=True)
        if (joining[row].uscc, offers[at].bank_id) in consents and offers[at].bank_id not in met[joining[row].demand_id]
    ]
    there = {stand.demand_id for stand, _ in kept}
    coming = [one for one in joining if one.demand_id in there]
    at = np.array([place_of[offer.id] for _, offer in kept], np.int64)
    p_grant = _usual_chance(problem)[at] if len(at) else np.zeros(0)
    asked = np.array([stand.amount_fen for stand, _ in kept], np.int64)
    most = int(tried.number("max_open_lines"))
    return {
        "id": np.array([one.demand_id for one in coming], np.int64),
        "amount_fen": np.array([one.amount_fen for one in coming], np.int64),
        "lines_left": np.array([max(most - was_open[one.demand_id], 0) for one in coming], np.int64),
        "pair_demand": np.array([stand.demand_id for stand, _ in kept], np.int64),
        "pair_product": np.array([offer.id for _, offer in kept], np.int64),
        "p_grant": p_grant,
        "value": _value(p_grant, asked, at, problem, products, tried) if len(at) else np.zeros(0),
        "intended": np.array([(stand.demand_id, offer.bank_id) in wanted for stand, offer in kept], bool),
    }


def _usual_chance(problem: Problem) -> Floats:
    """Per product, the mean stored chance of its pairs; of its bank's, or of all, where it has none; 0 without any."""
    if not len(problem.p_grant):
        return np.zeros(len(problem.product_id))
    size = len(problem.product_id)
    count = np.bincount(problem.pair_product, minlength=size)
    whole = np.bincount(problem.pair_product, problem.p_grant, size)
    banks = len(problem.bank_id)
    bank_count = np.bincount(problem.product_bank, count, banks)
    bank_whole = np.bincount(problem.product_bank, whole, banks)
    usual = np.where(bank_count > 0, bank_whole / np.maximum(bank_count, 1), problem.p_grant.mean())
    found: Floats = np.where(count > 0, whole / np.maximum(count, 1), usual[problem.product_bank])
    return found


def _count(
    day: date, run: int, old: tuple[Problem, Ints], new: tuple[Problem, Ints], products: Mapping[int, Product],
    book: Book,
) -> None:  # fmt: skip
    """Lines of each bank, and each demand's chances, before and after."""
    lines = [Counter(_banks(*side)) for side in (old, new)]
    for bank in sorted({*lines[0], *lines[1]}):
        book.lists.append((day, run, bank, lines[0][bank], lines[1][bank]))
    chances = [_chances(*side, products) for side in (old, new)]
    amounts = dict(zip(old[0].demand_id.tolist(), old[0].amount_fen.tolist(), strict=True))
    amounts |= dict(zip(new[0].demand_id.tolist(), new[0].amount_fen.tolist(), strict=True))
    for demand in sorted({*chances[0], *chances[1]}):
        stand = book.stand(demand)
        before, after = (side.get(demand, (0.0, 0.0)) for side in chances)
        whose = (stand.uscc, stand.district, stand.industry) if stand else ("", "", "")
        place = (demand << 24) + ((day.toordinal() * 64 + run) & 0xFFFFFF)
        book.expected.append(Expected(place, *whose, amounts[demand], *before, *after))


def _banks(problem: Problem, pairs: Ints) -> list[int]:
    banks: list[int] = problem.bank_id[problem.product_bank[problem.pair_product[pairs]]].tolist()
    return banks


def _chances(problem: Problem, pairs: Ints, products: Mapping[int, Product]) -> dict[int, tuple[float, float]]:
    """Demand → chance of a grant and rate to expect, over the lines it has."""
    mine: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for pair in pairs.tolist():
        product = int(problem.product_id[problem.pair_product[pair]])
        rate = float(products[product].rate_min) if product in products else 0.0
        mine[int(problem.demand_id[problem.pair_demand[pair]])].append((float(problem.p_grant[pair]), rate))
    return {key: chance_of(*zip(*found, strict=True)) for key, found in mine.items()}


def same_lines(lines: Lines, days: Sequence[date]) -> bool:
    """Whether both policies ask for the same on all these days, in every district with lines of its own."""
    tried = _as_of(lines)
    places = {None, *(place for one in (*lines.live.criteria, *tried.criteria) for place in one.district_steps)}
    return all(_told(lines.live.on(day, place)) == _told(tried.on(day, place)) for day in days for place in places)


def _told(day: PolicyDay) -> list[Any]:
    criteria = [
        (one.criterion.id, one.criterion.measure.name, one.step.green, one.step.yellow, one.criterion.worst,
         one.criterion.optional, one.criterion.more_is_better, one.criterion.one_of_five)
        for one in day.rules
    ]  # fmt: skip
    return [criteria, {name: day.number(name) for name in NUMBERS}]
