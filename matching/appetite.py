"""Appetite: the chance that a bank makes a demand an offer, learned from its answers, with interval and sample size.

Two parts, multiplied. `rest`: the share of offers among answers that were not refused for a reason tied to a trait,
by cell (industry section × size × light) within bank within kind of bank within city. `stay`: for each trait a reason
can name (industry, size, amount, guarantee, district, risk) the chance not to be refused for it. Every share is shrunk
toward its parent's: p = (hits + K·p_parent) ÷ (n + K), the mean of a Beta with K answers' worth of the parent, where
the parent speaks of the others' answers only (none counts twice). So a bank without history speaks with its kind's
voice, a kind without history with the city's, and a bank that refuses two restaurants 'for industry' sees fewer
restaurants and hardly fewer shops. Silence is an answer without a grant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from matching.terms import Floats, Ints

PRIOR_GRANT, PRIOR_STRENGTH = 0.40, 5.0
"""Before any answer: this project's assumption, worth five answers."""

PRIOR_REFUSAL = 0.03
"""Before any answer, the share refused for one named trait."""

PRIOR_KEPT = 0.60
"""Before any outcome, the share of offers that end in a grant: this project's assumption."""

STRENGTH = 8.0
"""How many answers a parent's opinion is worth."""

TRAIT_STRENGTH = 2.0
"""The same for one word of a trait: a reason that names it says little of the others."""

INTERVAL = 0.90

WHOLE = 12
"""Twelfths in an answer: one to four blamed traits share it without a remainder."""

REASONS: dict[str, str | None] = {
    "industry": "section",
    "size": "size",
    "amount": "amount_band",
    "guarantee": "guarantee",
    "district": "district",
    "risk": "light",
    "existing_debt": None,
    "cash_flow": None,
    "credit_record": None,
    "papers": None,
    "purpose": None,
    "unreachable": None,
    "firm_withdrew": None,
    "no_quota": None,
    "other": None,
}
"""Coded reasons of a refusal, and the trait each blames; None: it says nothing of like demands."""

TRAITS = tuple(dict.fromkeys(trait for trait in REASONS.values() if trait))
PARTS = ("rest", *TRAITS)
KEPT = "kept"
LEAF = 3
"""Levels above a leaf: city, kind, bank."""
BANDS_FEN = (10_000_000, 50_000_000, 100_000_000, 300_000_000, 1_000_000_000)


@dataclass(frozen=True)
class Traits:
    """What a bank can like or dislike in a demand; `guarantee` 'yes' or 'no', `amount_band` by `amount_band`."""

    section: str
    size: str
    light: str
    amount_band: str
    guarantee: str
    district: str


@dataclass(frozen=True)
class Answer:
    """One answer of a bank: `granted` where it made an offer, and the coded reasons of a refusal (none for silence)."""

    bank_id: int
    bank_kind: str
    traits: Traits
    granted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """A line that came to its end with an offer, or before its bank had said yes or no.

    `offer`: 1 for an offer; else the chance there was of one, since the firm chose another bank or withdrew before.
    """

    bank_id: int
    bank_kind: str
    granted: bool
    offer: float = 1.0


@dataclass(frozen=True)
class Chance:
    """A chance with a 90 % interval; `answers` of this bank at all, `like` of it to demands of the same cell."""

    p: float
    low: float
    high: float
    answers: int
    like: int
    weight: float
    """So many answers the interval is worth."""

    def clears(self, floor: float) -> bool:
        """Whether a second push may be made (no double decline): the policy's number acceptance_floor."""
        return self.p >= floor

    def at(self, p: float, weight: float | None = None) -> "Chance":
        """Another chance from the same sample, worth as many answers, or so many."""
        worth = self.weight if weight is None else weight
        low, high = beta(p, worth)
        return replace(self, p=p, low=low, high=high, weight=worth)

    def times(self, other: "Chance") -> "Chance":
        """The chance of both, with the Beta of the same mean and variance as the product of the two; sample of this."""
        if other.weight == np.inf:
            return self
        p = self.p * other.p
        square = self.mean_square * other.mean_square
        weight = (p - square) / max(square - p * p, 1e-12)
        return self.at(p, weight)

    @property
    def mean_square(self) -> float:
        """The mean of its Beta's square."""
        return self.p * (self.p * self.weight + 1) / (self.weight + 1)


@dataclass(frozen=True)
class Appetite:
    """Counts by node, 'part/place' → [n, hits], in twelfths of an answer (whole numbers, so that sums are exact).

    Places: '' the city, 'k:state' a kind of bank, 'b:7' a bank, 'b:7/F|micro|green' a cell, 'b:7/F' a trait's word.
    """

    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def learn(self, answers: Iterable[Answer]) -> "Appetite":
        """A new appetite with these answers too, in whatever order; ValueError on an unknown reason."""
        leaves: dict[tuple[str, str, int, str], list[int]] = {}
        for answer in answers:
            for part, leaf, n, hit in _marks(answer):
                pair = leaves.setdefault((part, answer.bank_kind, answer.bank_id, leaf), [0, 0])
                pair[0] += n
                pair[1] += hit
        counts = {node: list(pair) for node, pair in self.counts.items()}
        for whose, (n, hits) in leaves.items():
            for node in _nodes(*whose):
                pair = counts.setdefault(node, [0, 0])
                pair[0] += n
                pair[1] += hits
        return Appetite({node: (n, hits) for node, (n, hits) in sorted(counts.items())})

    def learn_kept(self, ended: Iterable[Ended]) -> "Appetite":
        """A new appetite with what came of these lines too."""
        counts = dict(self.counts)
        for one in ended:
            for node in (f"{KEPT}/", f"{KEPT}/k:{one.bank_kind}", f"{KEPT}/b:{one.bank_id}"):
                n, hits = counts.get(node, (0, 0))
                counts[node] = n + round(WHOLE * one.offer), hits + WHOLE * one.granted
        return Appetite(dict(sorted(counts.items())))

    def estimate(self, bank_id: int, bank_kind: str, traits: Traits) -> Chance:
        """The chance that this bank grants a demand of these traits."""
        rest, weight = self._share("rest", bank_id, bank_kind, _cell(traits), PRIOR_GRANT)
        p = rest
        for trait in TRAITS:
            p *= 1 - self._share(trait, bank_id, bank_kind, getattr(traits, trait), PRIOR_REFUSAL)[0]
        like = self.counts.get(f"all/b:{bank_id}/{_cell(traits)}", (0, 0))[0] // WHOLE
        return Chance(p, *beta(p, weight), self._answers(bank_id), like, weight)

    def whole(self, bank_id: int, bank_kind: str) -> Chance:
        """The bank's own level: the chance of the next demand of the kind it was asked about so far."""
        p, weight = self._share("rest", bank_id, bank_kind, None, PRIOR_GRANT)
        for trait in TRAITS:
            p *= 1 - self._share(trait, bank_id, bank_kind, None, PRIOR_REFUSAL)[0]
        answers = self._answers(bank_id)
        return Chance(p, *beta(p, weight), answers, answers, weight)

    def kept(self, bank_id: int, bank_kind: str) -> Chance:
        """P(grant | offer) at a bank; `answers` are its offers that ended."""
        p, weight = self._share(KEPT, bank_id, bank_kind, None, PRIOR_KEPT)
        ended = self.counts.get(f"{KEPT}/b:{bank_id}", (0, 0))[0] // WHOLE
        return Chance(p, *beta(p, weight), ended, ended, weight)

    def _answers(self, bank_id: int) -> int:
        return self.counts.get(f"all/b:{bank_id}", (0, 0))[0] // WHOLE

    def estimate_many(
        self,
        demands: Mapping[str, Any],
        bank_id: Ints,
        bank_kind: Mapping[int, str],
        pair_demand: Ints,
        pair_bank: Ints,
    ) -> Floats:
        """P(grant) of many pairs, equal to `estimate`. demands: a column of words per trait; bank_id[b] unique;
        pair_demand, pair_bank: positions in both.
        """
        cells = _joined([np.asarray(demands[trait]).astype(str) for trait in ("section", "size", "light")])
        p = np.ones(len(pair_demand))
        for part in PARTS:
            words = cells if part == "rest" else np.asarray(demands[part]).astype(str)
            kinds, position = np.unique(words, return_inverse=True)
            p *= self.factors(part, kinds.tolist(), bank_id, bank_kind)[position[pair_demand], pair_bank]
        return p

    def factors(self, part: str, words: Sequence[str], bank_id: Ints, bank_kind: Mapping[int, str]) -> Floats:
        """One factor of P(grant), for each word (rows) at each bank (columns); those of all PARTS multiply to it.

        `part` 'rest': words are cells 'F|micro|green', the factor the share of grants; a trait: the share not refused.
        """
        prior = PRIOR_GRANT if part == "rest" else PRIOR_REFUSAL
        shares: Floats = np.array(
            [[self._share(part, int(bank), bank_kind[int(bank)], word, prior)[0] for bank in bank_id] for word in words]
        ).reshape(len(words), len(bank_id))
        return shares if part == "rest" else 1 - shares

    def _share(self, part: str, bank_id: int, bank_kind: str, leaf: str | None, prior: float) -> tuple[float, float]:
        """The shrunk share at a leaf (None: at the bank), and how many answers' worth of certainty it has."""
        bank = f"b:{bank_id}"
        places = ("", f"k:{bank_kind}", bank, *(() if leaf is None else (f"{bank}/{leaf}",)))
        counts = [self.counts.get(f"{part}/{place}", (0, 0)) for place in places] + [(0, 0)]
        share, weight, pull = prior, np.inf, PRIOR_STRENGTH
        last = STRENGTH if part == "rest" else TRAIT_STRENGTH
        for level, ((n, hits), (below_n, below_hits)) in enumerate(pairwise(counts), start=1):
            own, own_hits = (n - below_n) / WHOLE, (hits - below_hits) / WHOLE
            held = pull if weight == np.inf else pull * weight / (pull + weight)
            share = (own_hits + pull * share) / (own + pull)
            weight, pull = own + held, last if level == LEAF else STRENGTH
        return share, weight

    def to_json(self) -> dict[str, Any]:
        """Plain JSON state, sorted."""
        return {"version": 1, "counts": {node: list(pair) for node, pair in sorted(self.counts.items())}}

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> "Appetite":
        """An appetite back from its state; ValueError for another version."""
        if node.get("version") != 1:
            raise ValueError(f"an appetite of version {node.get('version')} cannot be read")
        return cls({name: (int(n), int(hits)) for name, (n, hits) in node["counts"].items()})


def beta(p: float, weight: float) -> tuple[float, float]:
    """The ends of the interval of a Beta with mean p worth so many answers."""
    own, other = max(p * weight, 1e-6), max((1 - p) * weight, 1e-6)
    low, high = betaincinv(own, other, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]).tolist()
    return low, high


def amount_band(amount_fen: int) -> str:
    """The band of an amount, 'a0' … 'a5', cut at 100,000, 500,000, 1, 3 and 10 million yuan."""
    return f"a{sum(amount_fen >= limit for limit in BANDS_FEN)}"


def _cell(traits: Traits) -> str:
    return f"{traits.section}|{traits.size}|{traits.light}"


def _joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
    whole = columns[0]
    for column in columns[1:]:
        whole = np.char.add(np.char.add(whole, "|"), column)
    return whole


def _marks(answer: Answer) -> list[tuple[str, str, int, int]]:
    """What an answer adds to: part, leaf, how much of an answer, how much of a hit, in twelfths.

    The traits are asked in a fixed order, each about what the earlier ones left of the answer, so that the shares
    multiply to the grants over all answers. A refusal that blames two traits counts half for each.
    """
    strangers = sorted(set(answer.reasons) - set(REASONS))
    if strangers:
        raise ValueError(f"'{strangers[0]}' is no reason of refusal")
    blamed = {trait for reason in answer.reasons if not answer.granted and (trait := REASONS[reason])}
    cell, left = _cell(answer.traits), WHOLE
    marks = [("all", cell, WHOLE, 0)]
    for trait in TRAITS:
        hit = WHOLE // len(blamed) if trait in blamed else 0
        if left:
            marks.append((trait, getattr(answer.traits, trait), left, hit))
        left -= hit
    if left:
        marks.append(("rest", cell, left, left * answer.granted))
    return marks


def _nodes(part: str, bank_kind: str, bank_id: int, leaf: str) -> tuple[str, ...]:
    """A leaf and what is above it; of 'all', which only says how many answers there are, the bank's own."""
    own = (f"{part}/b:{bank_id}", f"{part}/b:{bank_id}/{leaf}")
    return own if part == "all" else (f"{part}/", f"{part}/k:{bank_kind}", *own)
