"""What earlier answers say of the chances they were given: corrections in log-odds, and how wide intervals must be.

Each answer is scored by the appetite as it stood before it was learned, so nobody marks his own paper. Then

    log-odds of an offer = log-odds by the appetite + city + bank + grade + before

where `grade` is the platform's own estimate of the firm and `before` what earlier banks made of the demand. The shifts
are those of a logistic regression with that offset, each drawn to 0 by a normal prior (a penalty of PULL ÷ 2 × its
square: 'random intercepts'); an answer counts half after HALF_LIFE days, since banks change. What has no answer has no
shift. Platt 1999 and Gelman et al., Bayesian Data Analysis, chapter 15 are the sources; prequential: Dawid 1984.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.special import expit, logit

from matching.terms import Floats

HALF_LIFE = 30.0
"""Days after which a scored answer counts half."""

PULL = {"city": 1.0, "bank": 8.0, "grade": 4.0, "before": 4.0}
"""How strongly each kind of shift is drawn to 0: one over the variance of its normal prior."""

FEWEST = 30
"""Fewer scored answers correct nothing."""

BLOCK_DAYS = 20
"""A bank's chance at the start of so many days is held against its answers in them: how far they scatter."""

USUAL_SCATTER = 10.0
"""Evidence for a scatter of 1, as much as so many blocks give whose answers number as many as the chance is worth."""

ABOUT_THE_FIRM = frozenset({"cash_flow", "existing_debt", "credit_record", "risk"})
STEPS = 12
SMALL = 1e-8


@dataclass(frozen=True)
class Around:
    """What stands around a line beside its demand's traits; '' says nothing.

    `grade`: the platform's own estimate of the firm, in grades. `before`: see `before_of`.
    """

    grade: str = ""
    before: str = ""


NOTHING_KNOWN = Around()


@dataclass(frozen=True)
class Scored:
    """An answer (1: an offer) beside the chance it had been given; `day` counts."""

    day: int
    bank_id: int
    around: Around
    p: float
    offered: float


def before_of(declines: Iterable[Sequence[str]]) -> str:
    """What earlier banks made of a demand, by the reasons of each decline (none: silence).

    '' nobody declined, 'silent' nobody said a word, 'bank' refused, 'firm' refused by one for what the firm is.
    """
    said = list(declines)
    if any(ABOUT_THE_FIRM & set(reasons) for reasons in said):
        return "firm"
    return "bank" if any(said) else "silent" if said else ""


@dataclass(frozen=True)
class Calibration:
    """Shifts in log-odds by name ('city', 'bank/7', 'grade/A', 'before/firm'); `scatter` widens intervals."""

    shifts: Mapping[str, float] = field(default_factory=dict)
    scatter: float = 1.0
    scored: int = 0

    def of_bank(self, bank_id: int) -> float:
        """The shift of the city and of one bank."""
        return self.shifts.get("city", 0.0) + self.shifts.get(f"bank/{bank_id}", 0.0)

    def of_around(self, around: Around) -> float:
        """The shift of what stands around a line."""
        return self.shifts.get(f"grade/{around.grade}", 0.0) + self.shifts.get(f"before/{around.before}", 0.0)


def corrected(p: Floats, shift: Floats) -> Floats:
    """Chances moved by so much in log-odds; 0 and 1 stay."""
    moved: Floats = expit(logit(p) + shift)
    return moved


def fit_shifts(scored: Sequence[Scored], today: int) -> dict[str, float]:
    """The shifts that make the scored chances right, as far as their numbers go; none from fewer than FEWEST."""
    if len(scored) < FEWEST:
        return {}
    names: dict[str, int] = {}
    marks = [[names.setdefault(name, len(names)) for name in _names(one)] for one in scored]
    ends, places = np.cumsum([0, *map(len, marks)]), np.concatenate(marks)
    design = sparse.csr_array((np.ones(len(places)), places, ends), shape=(len(scored), len(names)))
    offset = logit(np.array([one.p for one in scored]))
    offered = np.array([one.offered for one in scored])
    weight = 0.5 ** ((today - np.array([one.day for one in scored])) / HALF_LIFE)
    pull = np.array([PULL[name.split("/")[0]] for name in names])
    shifts = np.zeros(len(names))
    for _ in range(STEPS):
        p = expit(offset + design @ shifts)
        slope = design.T @ (weight * (offered - p)) - pull * shifts
        bend = (design.T @ sparse.diags_array(weight * p * (1 - p)) @ design).toarray() + np.diag(pull)
        step = np.linalg.solve(bend, slope)
        shifts += step
        if np.abs(step).max() < SMALL:
            break
    return {name: round(float(shifts[place]), 9) for name, place in sorted(names.items())}


def _names(one: Scored) -> list[str]:
    around = {"grade": one.around.grade, "before": one.around.before}
    return ["city", f"bank/{one.bank_id}", *(f"{kind}/{word}" for kind, word in around.items() if word)]


@dataclass
class Block:
    """A bank's answers over BLOCK_DAYS beside the chance it had at their start, worth `weight` answers."""

    p: float
    weight: float
    answers: int = 0
    offers: float = 0.0


def scatter_of(blocks: Iterable[Block]) -> float:
    """How many times further banks' shares scatter than their chances' Betas say, never below 1.

    The mean of (offers - n·p)² ÷ n·p·(1 - p) is 1 + scatter × (n - 1) ÷ (weight + 1) for a Beta-binomial; shrunk to 1.
    """
    excess, expected = USUAL_SCATTER, USUAL_SCATTER
    for block in blocks:
        n, p = block.answers, block.p
        excess += (block.offers - n * p) ** 2 / (n * p * (1 - p)) - 1
        expected += (n - 1) / (block.weight + 1)
    return round(max(1.0, excess / expected), 9)
