"""The platform's own records as a data set: loans with their outcome, features as of the day before each was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from risk.dataset import Data, days_of
from risk.spec import DatasetError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from risk.records import Records
    from risk.spec import Spec


def read_records(spec: Spec, mirror: Path) -> Data:
    """Read the mirror's mature loans, on the last day it knows of; the recipe is that of the platform's own training.

    Raises DatasetError where the mirror holds no loans, or none of both outcomes.
    """
    from risk.build import build
    from risk.facts import FACTS
    from risk.features import FEATURES
    from risk.labels import label
    from risk.records import RecordsError
    from risk.records import mirror as opened

    facts = [fact for fact in FACTS if f"fact.{fact.name}" in spec.segments.values()]
    try:
        source = opened(mirror)
        labelled = label(source, _last_day(source, mirror)).frame
        frame = build(source, labelled, FEATURES, facts=facts)
    except RecordsError as fault:
        raise DatasetError(f"{mirror}: {fault}") from fault
    if frame.empty:
        raise DatasetError(f"{mirror}: no loan is mature yet.")
    matrix = frame[[one.name for one in FEATURES]].to_numpy(dtype="float64", na_value=np.nan)
    return Data(
        part="", frame=frame.assign(outcome=labelled["label"].to_numpy()),
        matrix=np.where(np.isfinite(matrix), matrix, np.nan),
        names=tuple(one.name for one in FEATURES), directions=tuple(one.direction for one in FEATURES),
        labels=labelled["label"].to_numpy(dtype="float64"), weights=None, time=days_of(labelled["as_of"]), known=None,
        groups=frame["uscc"].factorize()[0], scored=np.ones(len(frame), dtype=bool),
        test=np.zeros(len(frame), dtype=bool),
    )  # fmt: skip


def _last_day(source: Records, mirror: Path) -> date:
    """The last day on which the mirror was told of a loan's performance."""
    table = source.item("loan_performance")
    if table is None:
        raise DatasetError(f"{mirror}: there are no loan_performance records to learn from.")
    found: date = table.known_on.max().execute()
    return found.date() if hasattr(found, "date") else found
