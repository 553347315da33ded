"""What an estimate is worth in money: the lending contest of CUMCM 2020 C, by out-of-fold estimates.

A bank shares a budget among firms (100,000 to 1,000,000 yuan each, 4 % to 15 % a year) and loses customers as the
rate rises, by rating (annex 3). With a default probability p, a rate r, a churn c(r) and nothing recovered, a yuan is
expected to earn (1 - c(r)) · ((1 - p) · r - p). Firms rated D are not lent to (contest rule); the recorded rating
serves for the churn only. Profit is then counted with the recorded outcomes: (1 - c(r)) · (r, or -1 after a default).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import calibration, choice, contest, dataset
from risk.splits import splits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from risk.dataset import Data
    from risk.spec import Spec

    Floats = NDArray[np.float64]

LEAST, MOST = 100_000.0, 1_000_000.0
"""Yuan a firm may be lent (contest rule)."""

CHURN = {"A": "客户流失率_信誉A", "B": "客户流失率_信誉B", "C": "客户流失率_信誉C"}
RATE = "贷款年利率"
RATING, FIRM, OUTCOME = "信誉评级", "企业代号", "是否违约"


@dataclass(frozen=True)
class Rates:
    """The rates on offer and, per rating, the share of customers lost at each."""

    rates: Floats
    churn: Mapping[str, Floats]

    def best(self, probability: Floats, lost: Floats) -> tuple[Floats, Floats]:
        """Per firm the rate that is expected to earn most, and what a yuan is then expected to earn.

        `probability` one per firm, `lost` firms × rates.
        """
        earned = (1 - lost) * ((1 - probability[:, None]) * self.rates - probability[:, None])
        place = earned.argmax(axis=1)
        return self.rates[place], earned[np.arange(len(place)), place]


@dataclass(frozen=True)
class Plan:
    """Yuan and rate per firm (0: not lent to)."""

    amounts: Floats
    rates: Floats

    def profit(self, table: Rates, ratings: Sequence[str], defaulted: Floats) -> float:
        """What it earned, by recorded outcomes and the churn of the recorded ratings."""
        lost = np.array([
            float(np.interp(rate, table.rates, table.churn[rating])) if rating in table.churn else 0.0
            for rate, rating in zip(self.rates, ratings, strict=True)
        ])  # fmt: skip
        return float(np.sum(self.amounts * (1 - lost) * np.where(defaulted > 0, -1.0, self.rates)))


def by_estimate(probability: Floats, lost: Floats, table: Rates, budget: float) -> Plan:
    """Each firm at its best rate; the budget goes to those expected to earn most, as much as the rules allow."""
    rates, earned = table.best(probability, lost)
    amounts = np.zeros(len(probability))
    left = budget
    for place in np.argsort(-earned, kind="stable"):
        given = min(MOST, left)
        if earned[place] <= 0 or given < LEAST:
            break
        amounts[place] = given
        left -= given
    return Plan(amounts, np.where(amounts > 0, rates, 0.0))


def equal_split(allowed: NDArray[np.bool_], lost: Floats, rate_of_default: float, table: Rates, budget: float) -> Plan:
    """Everybody allowed gets the same, at the one rate that earns most at the average risk."""
    each = np.clip(budget / max(allowed.sum(), 1), 0, MOST)
    usual = lost[allowed].mean(axis=0)
    rate = table.rates[int(np.argmax((1 - usual) * ((1 - rate_of_default) * table.rates - rate_of_default)))]
    return Plan(np.where(allowed, each, 0.0), np.where(allowed, rate, 0.0))


def rate_by_grade(ratings: Sequence[str], lost: Floats, defaulted: Floats, table: Rates, budget: float) -> Plan:
    """Everybody allowed gets the same; the rate is the best for the rating's recorded share of defaults."""
    named = np.asarray(ratings)
    allowed = np.isin(named, list(table.churn))
    each = np.clip(budget / max(allowed.sum(), 1), 0, MOST)
    share = np.array([defaulted[named == one].mean() for one in named])
    rates, _ = table.best(share, lost)
    return Plan(np.where(allowed, each, 0.0), np.where(allowed, rates, 0.0))


@dataclass(frozen=True)
class Priced:
    """Profits per repeat of cross-validation (yuan), and the plan for the firms without an outcome."""

    budget: float
    repeats: int
    profits: Mapping[str, Floats]
    plan: Sequence[tuple[str, float, float, float]]  # firm, probability, yuan, rate


def priced(spec: Spec, folder: Path, *, budget: float, repeats: int, seed: int = 7, say: Any = None) -> Priced:
    """Price the 123 by each repeat's out-of-fold estimates, and plan for the 302; raises DatasetError for bad files."""
    root = folder / spec.folder if (folder / spec.folder).is_dir() else folder
    known = dataset.read(spec, folder, spec.parts[0])
    table = _rates(root)
    ratings = known.frame[RATING].astype(str).tolist()
    lost = _lost(table, ratings)
    allowed = np.isin(np.asarray(ratings), list(table.churn))
    equal = equal_split(allowed, lost, float(known.labels[allowed].mean()), table, budget)
    graded = rate_by_grade(ratings, lost, known.labels, table, budget)
    profits: dict[str, list[float]] = {"estimates": [], "equal split": [], "rate by grade": []}
    for repeat in range(repeats):
        if say is not None:
            say(f"repeat {repeat + 1} of {repeats}")
        estimate = np.where(allowed, _out_of_fold(spec, known, seed + repeat), 1.0)
        ours = by_estimate(estimate, lost, table, budget)
        for name, plan in (("estimates", ours), ("equal split", equal), ("rate by grade", graded)):
            profits[name].append(plan.profit(table, ratings, known.labels))
    found = {name: np.asarray(values) for name, values in profits.items()}
    return Priced(budget, repeats, found, _plan(spec, root, known, table, budget, seed))


def _rates(root: Path) -> Rates:
    told = dataset.table(root / "rate_churn.parquet")
    return Rates(told[RATE].to_numpy(float), {one: told[column].to_numpy(float) for one, column in CHURN.items()})


def _lost(table: Rates, ratings: Sequence[str]) -> Floats:
    """Firms × rates: the churn of each firm's rating; the mean of the ratings where it has none."""
    usual = np.mean(list(table.churn.values()), axis=0)
    return np.vstack([table.churn.get(rating, usual) for rating in ratings])


def _out_of_fold(spec: Spec, data: Data, seed: int) -> Floats:
    """Each firm's probability by a model that had not seen it."""
    probability = np.zeros(len(data.labels))
    for split in splits(spec, data, seed):
        rows, test = contest.rows_of(spec, data, split, seed)
        if split.repeat == 0:
            probability[split.test] = contest.ours(spec, rows, test, split, seed).probability
    return probability


def _plan(
    spec: Spec, root: Path, known: Data, table: Rates, budget: float, seed: int
) -> list[tuple[str, float, float, float]]:
    """For the 302, by a model of all 123: no outcome and no rating is known, so nothing is claimed."""
    sources = {name: root / file.replace("_123", "_302") for name, file in spec.tables(spec.parts[0]).items()}
    tables = {name: dataset.table(path) for name, path in sources.items()}
    tables["enterprises"] = tables["enterprises"].assign(**{OUTCOME: "否", RATING: ""})
    others = dataset.of_tables(spec, spec.parts[0], tables, sources)
    rows = known.rows(dataset.Rates(np.zeros((len(known.labels), 0))))
    trial = choice.tried(rows, choice.random_folds(known.labels, 5, seed), seed, spec.menu)
    picked = choice.best(trial.losses)
    map_ = calibration.platt(trial.margins[picked], trial.labels)
    probability = map_.probability(choice.fit(picked, rows, seed).margin(others.matrix))
    plan = by_estimate(probability, _lost(table, [""] * len(probability)), table, budget)
    firms = others.frame[FIRM].astype(str).tolist()
    return [
        (firm, float(p), float(amount), float(rate))
        for firm, p, amount, rate in zip(firms, probability, plan.amounts, plan.rates, strict=True)
    ]
