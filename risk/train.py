"""From features and labels to an artifact: split, choose, fit, calibrate, measure, write; same seed, same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import artifact, calibration, choice, curves, evaluate, pictures
from risk.card import as_html, as_markdown
from risk.choice import Rows
from risk.explain import overlap_of_refits
from risk.model import as_files
from risk.monitor import reference
from risk.scale import BASE_ODDS, BASE_SCORE, DOUBLING, GRADES
from risk.terms import Input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from risk.calibration import Calibration
    from risk.choice import Candidate
    from risk.model import Scorer
    from risk.records import Records
    from risk.terms import Feature

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

CUTS = (0.6, 0.8)
"""Out of time: the earliest 60 % of the days' loans train, the next 20 % calibrate, the last 20 % test."""

LEAST_EVENTS = 20
"""Each slice needs this many defaults and as many non-defaults for an out-of-time split to say anything."""

SEGMENTS = ("fact.firm_kind", "fact.district")
EXPLAINED, COMPARED, REFITS = 2_000, 300, 3


class TrainingError(ValueError):
    """There is nothing to train on: one sentence."""


@dataclass(frozen=True)
class Made:
    """A fitted model with its calibration and what its card tells of how it was measured."""

    scorer: Scorer
    calibration: Calibration
    fitted: Floats
    outcomes: Floats  # of the fitted rows
    refit: Callable[[Floats, Floats, int], Scorer]  # the same kind of model from other rows and another seed
    told: dict[str, Any]


def train(
    frame: pd.DataFrame, labels: Sequence[int] | NDArray[Any] | pd.Series[Any], features: Sequence[Feature],
    out_dir: str | Path, *, seed: int = 7, time: str | None = "as_of", repeats: int = 5,
    told: Mapping[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Train on a features frame (as build gives it) and labels (1: default), and write the artifact to `out_dir`.

    With `time`, a date column: choose the model by expanding windows inside the earliest 60 % of the loans, calibrate
    on the next 20 %, measure on the last 20 %. Without it, or where a slice would hold under 20 defaults: measure by
    repeated, nested, stratified cross-validation and fit on all rows. `told` goes onto the card as it is. The order of
    rows does not matter; the same rows and seed give the same bytes on one machine. Raises TrainingError when there
    are too few rows or one class only. Returns the artifact folder.
    """
    matrix, outcome, ordered = _ordered(frame, np.asarray(labels, dtype=np.float64), features, time)
    names, directions = [one.name for one in features], [one.direction for one in features]
    slices = None if time is None else _slices(ordered[time].to_numpy().astype("datetime64[D]"), outcome)
    rows = Rows(matrix, outcome, names, directions)
    if slices is None:
        made = _by_cross_validation(rows, seed, repeats)
    else:
        days = ordered[str(time)].to_numpy().astype("datetime64[D]")
        made = _out_of_time(rows, seed, slices, days, ordered)
    return _written(made, features, out_dir, {"seed": seed, "n": len(outcome), "events": int(outcome.sum()),
                                              "about": dict(told or {}), **made.told})  # fmt: skip


def train_on_records(
    records: Records | str | Path | Any, out_dir: str | Path, as_of: date, *, features: Sequence[Feature] | None = None,
    seed: int = 7,
) -> Path:  # fmt: skip
    """Label the loans of the records as of a day, build their features as of the day before drawdown, and train."""
    from risk.build import build
    from risk.facts import FACTS
    from risk.features import FEATURES
    from risk.labels import RULES, label
    from risk.records import opened

    source, wanted = opened(records), FEATURES if features is None else features
    labelled = label(source, as_of)
    facts = [fact for fact in FACTS if f"fact.{fact.name}" in SEGMENTS]
    frame = build(source, labelled.frame, wanted, facts=facts)
    rules = [{"from_on": rule.from_on.isoformat(), "days_overdue": rule.days_overdue,
              "within_months": rule.within_months, "basis": rule.basis} for rule in RULES]  # fmt: skip
    told = {"as_of": as_of.isoformat(), "loans": labelled.counts, "default": rules}
    return train(frame, labelled.frame["label"], wanted, out_dir, seed=seed, told=told)


def _ordered(
    frame: pd.DataFrame, labels: Floats, features: Sequence[Feature], time: str | None
) -> tuple[Floats, Floats, pd.DataFrame]:
    """Matrix, labels and frame in an order of their own, so that the caller's order leaves no trace."""
    if len(frame) != len(labels):
        raise TrainingError(f"There are {len(frame)} rows of features but {len(labels)} labels.")
    names = [one.name for one in features]
    if missing := [name for name in names if name not in frame.columns]:
        raise TrainingError(f"The frame lacks the features {', '.join(missing)}.")
    if min(labels.sum(), len(labels) - labels.sum()) < 10:
        raise TrainingError(
            f"Of {len(labels)} rows {labels.sum():.0f} are defaults; at least ten of each kind are needed."
        )
    keys = [name for name in (time, "uscc", "amount_fen", *names) if name is not None and name in frame.columns]
    place = frame.assign(label=labels).reset_index(drop=True).sort_values([*keys, "label"], kind="stable").index
    ordered = frame.iloc[place].reset_index(drop=True)
    matrix = ordered[names].to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(matrix), matrix, np.nan), labels[place], ordered


def _slices(days: NDArray[np.datetime64], labels: Floats) -> tuple[Places, Places, Places] | None:
    """Train, calibrate and test rows by day, no day split; None where a slice would hold too few of a kind."""
    first, second = np.quantile(days.astype("int64"), CUTS, method="nearest").astype("datetime64[D]")
    slices = (np.flatnonzero(days <= first), np.flatnonzero((days > first) & (days <= second)),
              np.flatnonzero(days > second))  # fmt: skip
    if any(min(labels[part].sum(), len(part) - labels[part].sum()) < LEAST_EVENTS for part in slices):
        return None
    return slices


def _out_of_time(
    rows: Rows, seed: int, slices: tuple[Places, Places, Places], days: NDArray[np.datetime64], ordered: pd.DataFrame
) -> Made:
    """Choose and fit on the first slice, calibrate on the second, measure on the third."""
    fitted, fair, test = slices
    matrix, labels, train_rows = rows.matrix, rows.labels, rows.at(fitted)
    losses = choice.tried(train_rows, choice.forward_folds(days[fitted], labels[fitted]), seed).losses
    picked = choice.best(losses)
    scorer = choice.fit(picked, train_rows, seed)
    calibrated = calibration.chosen(scorer.margin(matrix[fair]), labels[fair], seed)
    probability = calibrated.probability(scorer.margin(matrix[test]))
    groups = ordered["uscc"].iloc[test].tolist() if "uscc" in ordered.columns else None
    told = {
        "protocol": "out_of_time",
        "slices": {name: _slice(days[part], labels[part])
                   for name, part in zip(("train", "calibrate", "test"), slices, strict=True)},
        "chosen": picked.told, "tried": _tried(losses),
        "measures": evaluate.measures(labels[test], probability),
        "intervals": evaluate.intervals(labels[test], probability, groups, seed=seed),
        "calibration_table": evaluate.calibration_table(labels[test], probability),
        "segments": {one.removeprefix("fact."): evaluate.by_segment(labels[test], probability, ordered[one].iloc[test])
                     for one in SEGMENTS if one in ordered.columns},
        **curves.drawn(labels[test], probability, days[test]),
        "psi": curves.moved(_scored(scorer, matrix[fitted]), _scored(scorer, matrix[test]), [*rows.names, "score"]),
    }  # fmt: skip
    return Made(scorer, calibrated, matrix[fitted], labels[fitted], _refit(picked, rows), told)


def _scored(scorer: Scorer, matrix: Floats) -> Floats:
    """The matrix with the model's log-odds as its last column."""
    return np.column_stack([matrix, scorer.margin(matrix)])


def _by_cross_validation(rows: Rows, seed: int, repeats: int) -> Made:
    """Measure by nested cross-validation, fit on all rows, calibrate on the out-of-fold log-odds."""
    matrix, labels = rows.matrix, rows.labels
    margins, picks = choice.cross_validated(rows, repeats=repeats, seed=seed)
    folds = [fold for repeat in range(3) for fold in choice.random_folds(labels, 5, seed + repeat)]
    losses = choice.tried(rows, folds, seed).losses
    picked = choice.best(losses)
    scorer = choice.fit(picked, rows, seed)
    runs = [_cross_calibrated(margin, labels, seed) for margin in margins]
    measured = [evaluate.measures(labels, run) for run in runs]
    average = np.mean(runs, axis=0)
    told = {
        "protocol": "cross_validated", "repeats": repeats, "folds": 5,
        "slices": {"all": {"n": len(labels), "events": int(labels.sum())}},
        "chosen": picked.told, "tried": _tried(losses),
        "chosen_in_folds": {kind: sum(pick.kind == kind for pick in picks) for kind in ("scorecard", "trees", "blend")},
        "measures": {name: float(np.mean([one[name] for one in measured])) for name in measured[0]},
        "spread": {name: float(np.std([one[name] for one in measured], ddof=1)) if repeats > 1 else None
                   for name in measured[0]},
        "intervals": evaluate.intervals(labels, average, seed=seed),
        "calibration_table": evaluate.calibration_table(labels, average, 5),
        "segments": {}, **curves.drawn(labels, average),
    }  # fmt: skip
    map_ = calibration.platt(np.mean(margins, axis=0), labels)
    return Made(scorer, map_, matrix, labels, _refit(picked, rows), told)


def _cross_calibrated(margin: Floats, labels: Floats, seed: int) -> Floats:
    """Out-of-fold log-odds as probabilities, each by a Platt line it had no part in."""
    probability = np.zeros(len(labels))
    for fitted, kept in choice.random_folds(labels, 5, seed):
        probability[kept] = calibration.platt(margin[fitted], labels[fitted]).probability(margin[kept])
    return probability


def _slice(days: NDArray[np.datetime64], labels: Floats) -> dict[str, Any]:
    return {"n": len(labels), "events": int(labels.sum()), "from": str(days.min()), "to": str(days.max())}


def _tried(losses: Mapping[Candidate, Floats]) -> list[dict[str, Any]]:
    return [{**one.told, "log_loss": float(losses[one].mean())} for one in losses]


def _drivers(made: Made, inputs: Sequence[Input]) -> list[dict[str, Any]]:
    """Mean absolute contribution by group over (some of) the training rows, strongest first."""
    rows = made.fitted[:: max(1, len(made.fitted) // EXPLAINED)]
    found, _ = made.scorer.explained(rows)
    groups = dict.fromkeys(one.group for one in inputs)
    sums = {group: found[:, [one.group == group for one in inputs]].sum(axis=1) for group in groups}
    strength = {group: float(np.abs(moved).mean()) for group, moved in sums.items()}
    return [
        {"group": group, "mean_abs_log_odds": strength[group]}
        for group in sorted(groups, key=lambda one: -strength[one])
    ]


def _refit(picked: Candidate, rows: Rows) -> Callable[[Floats, Floats, int], Scorer]:
    def refit(matrix: Floats, labels: Floats, seed: int) -> Scorer:
        return choice.fit(picked, Rows(matrix, labels, rows.names, rows.directions), seed)

    return refit


def _overlap(made: Made, inputs: Sequence[Input], seed: int) -> float | None:
    """How many adverse reasons stay when the model is made of other draws of the same rows."""
    shown = made.fitted[:: max(1, len(made.fitted) // COMPARED)]
    return overlap_of_refits(made.refit, made.fitted, made.outcomes, shown, inputs, refits=REFITS, seed=seed)


def _written(made: Made, features: Sequence[Feature], out_dir: str | Path, told: dict[str, Any]) -> Path:
    """Write model, calibration, features and card."""
    inputs = [Input.of(feature) for feature in features]
    kept = {one.name: reference(made.fitted[:, place]) for place, one in enumerate(inputs)}
    kept["score"] = reference(made.scorer.margin(made.fitted))
    scale = {"base_score": BASE_SCORE, "base_odds": BASE_ODDS, "points_to_double": DOUBLING,
             "grades": [{"grade": grade, "below": below} for grade, below in GRADES]}  # fmt: skip
    told = {**told, "drivers": _drivers(made, inputs), "overlap_at_4": _overlap(made, inputs, told["seed"]),
            "calibration": made.calibration.method, "scale": scale}  # fmt: skip
    card_json = artifact.written(_finite(told))
    card = json.loads(card_json)  # page and paper show what the file holds, so that they can be made again from it
    files = {
        "calibration.json": artifact.written(made.calibration.to_json()),
        "features.json": artifact.written({"inputs": [_plain(one) for one in inputs], "reference": kept}),
        "card.json": card_json, "card.md": as_markdown(card, inputs),
        "card.html": as_html(card, inputs, pictures.of(card)),
    }  # fmt: skip
    files |= as_files(made.scorer)
    return artifact.save(files, out_dir)


def _plain(one: Input) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Input.__dataclass_fields__}


def _finite(value: Any) -> Any:
    """JSON has no NaN: what could not be measured is null."""
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value
