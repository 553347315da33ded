"""Would the alarms have rung? A data set's own history replayed month by month, each month knowing only what was known.

The spec's [watch] names the columns with the day a loan was scored and the day its default became known, the last
day that is replayed, and how alarms are set. Predictions are those of the data set's protocol (see risk.contest): they
learn from the final outcomes of earlier years, as the protocol allows; only the alarms are point in time.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import contest
from risk.alarms import Alarm, Lines, watch
from risk.contest import OURS
from risk.spec import DatasetError

if TYPE_CHECKING:
    import pandas as pd

    from risk.dataset import Data
    from risk.spec import Spec


def replayed(spec: Spec, data: Data, *, seed: int = 7, say: Any = None) -> tuple[list[Alarm], list[dict[str, Any]]]:
    """The alarms of every vintage and of all loans, and per vintage n, mean predicted and observed.

    Raises DatasetError where the spec has no [watch].
    """
    told = spec.told.get("watch")
    if told is None:
        raise DatasetError(
            f"{spec.name}.toml has no [watch]: it does not say when loans were scored and outcomes known."
        )
    held = contest.held(spec, data, seed=seed, with_peers=False, say=say)
    frame, levels = _scored(held, told)
    first = min(int(tested.places.min()) for tested in held.tested)
    history = _loans(data, told, np.arange(len(data.labels)) < first)
    lines = Lines(**told.get("lines", {}))
    alarms = watch(frame, through=date.fromisoformat(str(told["through"])), history=history, lines=lines)
    return alarms, levels


def _scored(held: contest.Contest, told: dict[str, Any]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The tested loans with their predictions, vintage by vintage."""
    import pandas as pd

    parts, levels = [], []
    for tested in held.tested:
        inside = np.zeros(len(held.data.labels), dtype=bool)
        inside[tested.places] = True
        probability = np.full(len(inside), np.nan)
        probability[tested.places] = tested.estimates[OURS]
        loans = _loans(held.data, told, inside, probability).assign(vintage=f"FY{tested.slice}")
        parts.append(loans)
        weights = None if held.data.weights is None else held.data.weights[tested.places]
        levels.append({
            "vintage": tested.slice, "n": len(loans),
            "predicted": float(np.average(tested.estimates[OURS], weights=weights)),
            "observed": float(np.average(held.data.labels[tested.places], weights=weights)),
        })  # fmt: skip
    return pd.concat(parts, ignore_index=True), levels


def _loans(data: Data, told: dict[str, Any], inside: Any, probability: Any = None) -> pd.DataFrame:
    """Loans as the alarms read them; a default without a day, or before the loan, is left out."""
    import pandas as pd

    frame = pd.DataFrame({
        "scored_on": data.frame[told["scored_on"]], "known_on": data.frame[told["known_on"]],
        "outcome": data.labels.astype(int), "probability": np.nan if probability is None else probability,
    })[inside & data.scored]  # fmt: skip
    dated = frame["known_on"].notna() & (frame["known_on"] >= frame["scored_on"])
    kept: pd.DataFrame = frame[(frame["outcome"] == 0) | dated].reset_index(drop=True)
    return kept
