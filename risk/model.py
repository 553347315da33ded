"""The model at work: load an artifact, estimate, explain; nothing is filled in silently."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from risk import artifact, scale
from risk.artifact import ArtifactError
from risk.blend import Blend
from risk.calibration import Calibration
from risk.change import Prospect, what_would_change
from risk.explain import reasons
from risk.records import FRESH_DAYS
from risk.scorecard import Scorecard
from risk.terms import Gap, Input, Reason
from risk.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Days = NDArray[np.datetime64]

__all__ = ["ArtifactError", "Estimate", "Estimates", "RiskModel"]


class Scorer(Protocol):
    """What ranks firms: log-odds and what each feature adds to them."""

    def margin(self, matrix: Floats) -> Floats:
        """Log-odds before calibration."""
        ...

    def explained(self, matrix: Floats) -> tuple[Floats, float]:
        """Contributions and their baseline; together they are the margin."""
        ...


@dataclass(frozen=True)
class Estimate:
    """One firm's estimate."""

    probability: float
    score: int
    grade: str
    gaps: tuple[Gap, ...]
    reasons: tuple[Reason, ...] | None
    version: str


@dataclass(frozen=True)
class Estimates:
    """Estimates of many firms, by column; `reasons` is None where none were asked for."""

    probability: Floats
    score: NDArray[np.int64]
    grade: NDArray[np.str_]
    gaps: list[tuple[Gap, ...]]
    reasons: list[tuple[Reason, ...]] | None
    version: str

    def __len__(self) -> int:
        """How many firms."""
        return len(self.probability)

    def __getitem__(self, place: int) -> Estimate:
        """One firm's estimate."""
        told = None if self.reasons is None else self.reasons[place]
        return Estimate(float(self.probability[place]), int(self.score[place]), str(self.grade[place]),
                        self.gaps[place], told, self.version)  # fmt: skip

    def __iter__(self) -> Iterator[Estimate]:
        """Firm by firm."""
        return (self[place] for place in range(len(self)))


@dataclass(frozen=True)
class RiskModel:
    """A trained model with its calibration, its inputs, its card and its version."""

    version: str
    inputs: tuple[Input, ...]
    scorer: Scorer
    calibration: Calibration
    card: Mapping[str, Any] = field(repr=False)
    reference: Mapping[str, Any] = field(repr=False)  # the training rows' distribution, for risk.monitor

    @classmethod
    def load(cls, path: str | Path, expect_version: str | None = None) -> Self:
        """Read an artifact folder.

        Raises ArtifactError when a file is missing or its hash differs, or the version is not the one expected.
        """
        files, version = artifact.opened(path, expect_version)
        try:
            told = json.loads(files["features.json"])
            inputs = tuple(Input(**{key: one[key] for key in Input.__dataclass_fields__}) for one in told["inputs"])
            names = tuple(one.name for one in inputs)
            scorer = _scorer(names, files)
            calibration = Calibration.from_json(json.loads(files["calibration.json"]))
            card = json.loads(files["card.json"])
        except (KeyError, TypeError, ValueError) as fault:
            raise ArtifactError(f"The artifact at {path} is not understood: {fault}.") from fault
        return cls(version, inputs, scorer, calibration, card, told["reference"])

    def estimate(
        self, frame: pd.DataFrame, explain: bool = False, *, base_rate: float | None = None,
        fresh_days: Mapping[str, int] | None = None,
    ) -> Estimates:  # fmt: skip
        """Estimate each row of a features frame (as risk.features.build gives it).

        Needs one column per input (NaN: unknown, which the model uses as such). `known_on.<item>` columns date the
        sources; without them a source counts as missing where all its inputs are unknown. `base_rate` shifts the
        probabilities to a population where that share defaults. Explaining costs milliseconds a row: ask it for rows
        that are shown. Raises ArtifactError naming the inputs the frame lacks.
        """
        matrix = self.matrix(frame)
        probability = self.calibration.probability(self.scorer.margin(matrix), base_rate)
        dates = _source_days(frame, self._items())
        gaps = self._gaps(frame, matrix, dates, {**FRESH_DAYS, **(fresh_days or {})})
        told = self._reasons(matrix, dates) if explain else None
        return Estimates(probability, scale.score(probability), scale.grade(probability), gaps, told, self.version)

    def explain(self, row: pd.DataFrame) -> tuple[Reason, ...]:
        """The reasons of a frame of one row."""
        told = self.estimate(row, explain=True).reasons
        return told[0] if told else ()

    def what_would_change(
        self, frame: pd.DataFrame, place: int = 0, below: float | None = None, *, base_rate: float | None = None
    ) -> Prospect:
        """The smallest realistic change that takes the frame's row at `place` to the next better grade, or `below`."""
        return what_would_change(self, self.matrix(frame.iloc[[place]])[0], below, base_rate=base_rate)

    def contributions(self, frame: pd.DataFrame) -> tuple[Floats, float]:
        """Rows × inputs in log-odds, and their baseline: they sum to the margin, of which the probability is a map."""
        return self.scorer.explained(self.matrix(frame))

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """The inputs in the model's order; infinite values count as unknown."""
        names = [one.name for one in self.inputs]
        if missing := [name for name in names if name not in frame.columns]:
            raise ArtifactError(f"The frame lacks the model's inputs {', '.join(missing)}.")
        matrix = frame[names].to_numpy(dtype="float64", na_value=np.nan)
        return np.where(np.isfinite(matrix), matrix, np.nan)

    def _items(self) -> list[str]:
        return list(dict.fromkeys(one.item for one in self.inputs if one.item != "demand"))

    def _reasons(self, matrix: Floats, days: Mapping[str, Days]) -> list[tuple[Reason, ...]]:
        found, _ = self.scorer.explained(matrix)
        return [
            reasons(found[row], matrix[row], self.inputs, {item: known[row].item() for item, known in days.items()})
            for row in range(len(matrix))
        ]

    def _gaps(
        self, frame: pd.DataFrame, matrix: Floats, days: Mapping[str, Days], limits: Mapping[str, int]
    ) -> list[tuple[Gap, ...]]:
        """Sources that are missing or stale, row by row."""
        gaps: list[list[Gap]] = [[] for _ in range(len(matrix))]
        as_of = _days(frame["as_of"]) if "as_of" in frame.columns else None
        for item in self._items():
            known = days.get(item)
            if known is None:
                places = [place for place, one in enumerate(self.inputs) if one.item == item]
                missing = np.isnan(matrix[:, places]).all(axis=1)
            else:
                missing = np.isnat(known)
            for row in np.flatnonzero(missing):
                gaps[row].append(Gap(item, "missing", None))
            if known is None or as_of is None:
                continue
            for row in np.flatnonzero(as_of - known > np.timedelta64(limits.get(item, 400), "D")):
                gaps[row].append(Gap(item, "stale", known[row].item()))
        return [tuple(found) for found in gaps]


def as_files(scorer: Scorer) -> dict[str, str]:
    """The ranking part as the artifact's files: model.txt, scorecard.json, or both with their shares in blend.json."""
    if isinstance(scorer, Blend):
        return {
            **as_files(scorer.trees),
            **as_files(scorer.card),
            "blend.json": artifact.written({"trees": scorer.share}),
        }
    if isinstance(scorer, Trees):
        return {"model.txt": scorer.text}
    assert isinstance(scorer, Scorecard)
    return {"scorecard.json": artifact.written(scorer.to_json())}


def _scorer(names: tuple[str, ...], files: Mapping[str, str]) -> Scorer:
    """The ranking part of what as_files wrote."""
    trees = Trees(names, files["model.txt"]) if "model.txt" in files else None
    card = Scorecard.from_json(json.loads(files["scorecard.json"]), names) if "scorecard.json" in files else None
    if trees and card:
        return Blend(trees, card, float(json.loads(files["blend.json"])["trees"]))
    made = trees or card
    if made is None:
        raise KeyError("model.txt")
    return made


def _source_days(frame: pd.DataFrame, items: list[str]) -> dict[str, Days]:
    """Per item the days its source speaks until, where the frame says so."""
    return {item: _days(frame[f"known_on.{item}"]) for item in items if f"known_on.{item}" in frame.columns}


def _days(column: pd.Series[Any]) -> Days:
    """A column of dates as whole days."""
    return column.to_numpy().astype("datetime64[D]")
