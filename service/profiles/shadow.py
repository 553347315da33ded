"""What another model says of the same demands: scored from stored snapshots, compared with the model in use, and with
outcomes where they have become known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row
from sqlmodel import Session

from risk.records import COLUMNS, Records
from risk.scale import GRADES
from service.store import models

if TYPE_CHECKING:
    import pandas as pd

    from risk.model import RiskModel

LEAST_OF_A_KIND = 10
"""So many defaults and so many others are needed before the two models are compared by what happened."""
PLACE = {grade: place for place, (grade, _below) in enumerate(GRADES)}


@dataclass(frozen=True)
class Scored:
    """One demand scored beside: `missing_inputs` of the model are not in the snapshot and counted as unknown."""

    probability: float
    score: int
    grade: str
    missing_inputs: int


@dataclass(frozen=True)
class Measured:
    """One measure of both models on the loans whose outcome is known; the difference is challenger less champion."""

    name: str
    champion: float
    challenger: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Outcomes:
    """Drawn loans of demands both models judged: `known` ones with an outcome, `measures` where there are enough."""

    loans: int
    known: int
    defaults: int
    measures: tuple[Measured, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Both models on the same demands, each from its latest common snapshot. Shares are of these demands."""

    against: str
    demands: int
    champion_mean: float | None
    challenger_mean: float | None
    rank_correlation: float | None
    safer: int
    riskier: int
    with_missing_inputs: int
    outcomes: Outcomes

    @property
    def moved(self) -> int:
        """Demands whose grade is another one."""
        return self.safer + self.riskier


def score_beside(model: "RiskModel", snapshots: Sequence[Mapping[str, float | None]]) -> list[Scored]:
    """The model's word on each snapshot, in their order."""
    import pandas as pd

    if not snapshots:
        return []
    names = [one.name for one in model.inputs]
    frame = pd.DataFrame([[one.get(name) for name in names] for one in snapshots], columns=names, dtype="float64")
    found = model.estimate(frame)
    return [
        Scored(
            round(float(found.probability[place]), 6),
            int(found.score[place]),
            str(found.grade[place]),
            sum(name not in snapshot for name in names),
        )
        for place, snapshot in enumerate(snapshots)
    ]


def compare(tx: Session, model_id: int, against: str, today: date) -> Comparison:
    """The shadow against the model in use, and against what has become of the loans."""
    import pandas as pd

    pairs = models.list_pairs(tx, model_id, against)
    champion, challenger = (pd.Series([getattr(row, name) for row in pairs], dtype="float64") for name in _BOTH)
    steps = [PLACE[row.grade] - PLACE[row.champion_grade] for row in pairs]
    ranks = champion.rank().corr(challenger.rank()) if len(pairs) > 1 else float("nan")
    return Comparison(
        against=against,
        demands=len(pairs),
        champion_mean=float(champion.mean()) if len(pairs) else None,
        challenger_mean=float(challenger.mean()) if len(pairs) else None,
        rank_correlation=None if pd.isna(ranks) else float(ranks),
        safer=sum(step < 0 for step in steps),
        riskier=sum(step > 0 for step in steps),
        with_missing_inputs=sum(row.missing_inputs > 0 for row in pairs),
        outcomes=_outcomes(tx, models.list_drawn_pairs(tx, model_id, against), today),
    )


_BOTH = ("champion", "challenger")


def _outcomes(tx: Session, drawn: Sequence[Row[Any]], today: date) -> Outcomes:
    """Each loan's label by the dated rule of `risk.labels`; too young and unreported loans are left out."""
    import numpy as np
    import pandas as pd

    if not drawn:
        return Outcomes(0, 0, 0)
    loans = pd.DataFrame([row._asdict() for row in drawn]).rename(columns={"loan_number": "loan"})
    labelled = _labels(tx, sorted(set(loans["uscc"])), today)
    known = loans.merge(labelled, on=["uscc", "loan"]) if len(labelled) else loans.iloc[:0].assign(label=0)
    labels = known["label"].to_numpy(dtype="float64")
    defaults = int(labels.sum())
    told = Outcomes(len(loans), len(known), defaults)
    if min(defaults, len(known) - defaults) < LEAST_OF_A_KIND:
        return told
    estimates = {name: known[name].to_numpy(dtype="float64") for name in _BOTH}
    groups = np.asarray(known["uscc"])
    return Outcomes(told.loans, told.known, told.defaults, tuple(_measured(labels, estimates, groups)))


def _measured(labels: Any, estimates: Mapping[str, Any], firms: Any) -> list[Measured]:
    """AUC and Brier of both with their paired difference on the same bootstrap draws, whole firms drawn together."""
    from risk.evaluate import interval, measures, redrawn

    whole = {name: measures(labels, estimate) for name, estimate in estimates.items()}
    draws = redrawn(labels, estimates, firms)
    found = []
    for name in ("auc", "brier"):
        apart = draws["challenger"][name] - draws["champion"][name]
        champion, challenger = whole["champion"][name], whole["challenger"][name]
        found.append(Measured(name, champion, challenger, challenger - champion, *interval(apart)))
    return found


def _labels(tx: Session, usccs: Sequence[str], today: date) -> "pd.DataFrame":
    """uscc, loan, label of the firms' loans whose outcome is known today."""
    import ibis
    import pandas as pd

    from risk.labels import label

    rows = models.list_loan_records(tx, usccs, today)
    if {row.item for row in rows} != {"loan", "loan_performance"}:
        return pd.DataFrame(columns=["uscc", "loan", "label"])
    engine = ibis.duckdb.connect(threads=1)  # its own: several pages may ask at once
    shape = ibis.schema(COLUMNS)
    held = ibis.memtable([tuple(row) for row in rows], schema=shape)
    table = engine.create_table("loans_at_hand", held, schema=shape, temp=True)
    return label(Records.of(table), today).frame[["uscc", "loan", "label"]]
