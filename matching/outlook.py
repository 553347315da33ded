"""What becomes of a line: P(offer), that the bank says yes; P(grant | offer), that the credit is paid out in the end.

P(offer) is the appetite's (`matching.appetite`) as corrected by how it did so far (`matching.calibration`).
P(grant | offer) asks what followed offers: the firm may choose another bank's, let it lapse, or not sign. It is a share
of a bank's ended offers, shrunk to its kind's and the city's as the appetite's shares are. A line that ended before its
bank had spoken (the firm chose another, or withdrew) counts as an offer without a grant, as far as one was likely: so
P(grant), the product of both, is right for lines as they are pushed. A line's value and expected grants go by P(grant),
the guard against double declines by P(offer).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from matching.appetite import Answer, Appetite, Chance, Ended, Traits
from matching.calibration import (
    BLOCK_DAYS,
    NOTHING_KNOWN,
    Around,
    Block,
    Calibration,
    Scored,
    corrected,
    fit_shifts,
    scatter_of,
)
from matching.terms import Floats, Ints


@dataclass(frozen=True)
class Heard:
    """An answer with what stood around its line."""

    answer: Answer
    around: Around = NOTHING_KNOWN


@dataclass(frozen=True)
class Prospect:
    """The two chances of a line apart, and P(grant), their product."""

    offer: Chance
    kept: Chance
    """P(grant | offer)."""

    @property
    def grant(self) -> Chance:
        """Mean and variance of the product of two independent Betas, told as a Beta of the same two."""
        return self.offer.times(self.kept)


@dataclass(frozen=True)
class Outlook:
    """All that is known of banks' answers on a morning.

    `keeps` False: kept before outcomes of offers were learned, when an offer was counted as a grant.
    """

    appetite: Appetite = field(default_factory=Appetite)
    calibration: Calibration = field(default_factory=Calibration)
    keeps: bool = True

    def hears(self, answers: Iterable[Answer]) -> "Outlook":
        """With some answers more; corrections stay what they were."""
        return replace(self, appetite=self.appetite.learn(answers))

    def of_line(self, bank_id: int, bank_kind: str, traits: Traits, around: Around = NOTHING_KNOWN) -> Prospect:
        """The prospect of a demand at a bank; P(grant) equal to `of_many`."""
        shift = self.calibration.of_bank(bank_id) + self.calibration.of_around(around)
        offer = self._moved(self.appetite.estimate(bank_id, bank_kind, traits), shift)
        return Prospect(offer, self._kept(bank_id, bank_kind))

    def of_bank(self, bank_id: int, bank_kind: str) -> Prospect:
        """The prospect of the next demand of the kind this bank was asked about so far."""
        whole = self._moved(self.appetite.whole(bank_id, bank_kind), self.calibration.of_bank(bank_id))
        return Prospect(whole, self._kept(bank_id, bank_kind))

    def of_many(
        self, demands: Mapping[str, Any], around: Sequence[Around], bank_id: Ints, bank_kind: Mapping[int, str],
        pair_demand: Ints, pair_bank: Ints,
    ) -> tuple[Floats, Floats]:  # fmt: skip
        """P(offer) and P(grant) of many pairs, as `Appetite.estimate_many` takes them; `around` one for each demand."""
        p = self.appetite.estimate_many(demands, bank_id, bank_kind, pair_demand, pair_bank)
        own = np.array([self.calibration.of_around(one) for one in around], np.float64)
        theirs = np.array([self.calibration.of_bank(int(bank)) for bank in bank_id], np.float64)
        kept = np.array([self._kept(int(bank), bank_kind[int(bank)]).p for bank in bank_id], np.float64)
        offer = corrected(p, own[pair_demand] + theirs[pair_bank]) if len(p) else p
        return offer, offer * kept[pair_bank] if len(p) else p

    def _moved(self, chance: Chance, shift: float) -> Chance:
        p = float(corrected(np.array(chance.p), np.array(shift)))
        return chance.at(p, chance.weight / self.calibration.scatter)

    def _kept(self, bank_id: int, bank_kind: str) -> Chance:
        return self.appetite.kept(bank_id, bank_kind) if self.keeps else SURE

    def to_json(self) -> dict[str, Any]:
        """Plain JSON state, sorted."""
        how = self.calibration
        counts = self.appetite.to_json()["counts"]
        shifts = dict(sorted(how.shifts.items()))
        return {"version": 2, "counts": counts, "shifts": shifts, "scatter": how.scatter, "scored": how.scored}

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> "Outlook":
        """An outlook back from its state; version 1 was an appetite alone. ValueError for another version."""
        if node.get("version") == 1:
            return cls(Appetite.from_json(node), keeps=False)
        if node.get("version") != 2:
            raise ValueError(f"an outlook of version {node.get('version')} cannot be read")
        shifts = {str(name): float(shift) for name, shift in node["shifts"].items()}
        calibration = Calibration(shifts, float(node["scatter"]), int(node["scored"]))
        return cls(Appetite.from_json({"version": 1, "counts": node["counts"]}), calibration)


SURE = Chance(1.0, 1.0, 1.0, 0, 0, np.inf)


@dataclass
class Learner:
    """Hears answers day by day: scores them by what was known before, then learns them. Within a day order is free."""

    appetite: Appetite = field(default_factory=Appetite)
    scored: list[Scored] = field(default_factory=list)
    blocks: dict[tuple[int, int], Block] = field(default_factory=dict)

    def hear(self, day: int, heard: Sequence[Heard]) -> None:
        """Answers of one day, or of a few taken as one; `day` counts and never falls."""
        known: dict[tuple[int, str, Traits], float] = {}
        for one in sorted(heard, key=lambda one: one.answer.bank_id):
            answer = one.answer
            whose = (answer.bank_id, answer.bank_kind, answer.traits)
            if whose not in known:
                known[whose] = self.appetite.estimate(*whose).p
            self.scored.append(Scored(day, answer.bank_id, one.around, known[whose], float(answer.granted)))
            block = self._block(day, answer)
            block.answers += 1
            block.offers += answer.granted
        self.appetite = self.appetite.learn(one.answer for one in heard)

    def follow(self, ended: Iterable[Ended]) -> None:
        """What came of offers, and of lines whose bank was too late for one."""
        self.appetite = self.appetite.learn_kept(ended)

    def outlook(self, day: int) -> Outlook:
        """What is known on the morning of a day."""
        shifts = fit_shifts(self.scored, day)
        return Outlook(self.appetite, Calibration(shifts, scatter_of(self.blocks.values()), len(self.scored)))

    def _block(self, day: int, answer: Answer) -> Block:
        key = (answer.bank_id, day // BLOCK_DAYS)
        if key not in self.blocks:
            whole = self.appetite.whole(answer.bank_id, answer.bank_kind)
            self.blocks[key] = Block(whole.p, whole.weight)
        return self.blocks[key]
