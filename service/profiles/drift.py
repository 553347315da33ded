"""Has the population moved? What was known of the demands judged lately, against the rows a model was trained on."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from risk.monitor import drift
from service.store import models

if TYPE_CHECKING:
    from risk.model import RiskModel
    from risk.monitor import Drift

MOST = 50_000
LEAST = 200
"""With fewer demands the index moves by chance alone (by about bins ÷ n): no state is given."""
SCORE = "score"


@dataclass(frozen=True)
class Drifted:
    """The drift table of the demands judged from `since` to `until`.

    `absent`: inputs no snapshot of these days holds (another model was in use); nothing can be said of them.
    """

    since: date
    until: date
    demands: int
    lines: "tuple[Drift, ...]"
    absent: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """Whether there are demands enough to give a state."""
        return self.demands >= LEAST


def drift_of(tx: Session, model: "RiskModel", today: date, days: int) -> Drifted:
    """From the latest stored snapshot of each demand judged in the last `days` days, the most moved input first."""
    import pandas as pd

    since = today - timedelta(days=days - 1)
    snapshots = models.list_snapshots(tx, since, today, MOST)
    names = [one.name for one in model.inputs]
    whole = [one for one in snapshots if all(name in one for name in names)]
    told = whole or snapshots
    absent = tuple(name for name in names if not any(name in one for one in told)) if told else ()
    if not told:
        return Drifted(since, today, 0, (), ())
    frame = pd.DataFrame([[one.get(name) for name in names] for one in told], columns=names, dtype="float64")
    hidden = {*absent, *(() if whole else (SCORE,))}
    lines = tuple(line for line in drift(model, frame) if line.name not in hidden)
    return Drifted(since, today, len(told), lines, absent)
