"""A contest in figures: measures with intervals, every peer in pairs on the same draws, what was chosen, segments."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import evaluate
from risk.contest import OURS
from risk.fairness import fairness
from risk.low_default import segment_rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from risk.choice import Candidate
    from risk.contest import Contest, Tested

    Floats = NDArray[np.float64]

FEW_EVENTS = 200
"""With fewer events no calibration is claimed, only intervals."""


def figures(contest: Contest, *, repeats: int = 300, seed: int = 7) -> dict[str, Any]:
    """Measures with bootstrap intervals per slice and model, paired differences to every peer, segments; for JSON."""
    draws = [_drawn(contest, tested, repeats, seed) for tested in contest.tested]
    slices = [_figures(contest, tested, drawn) for tested, drawn in zip(contest.tested, draws, strict=True)]
    models = list(contest.tested[0].estimates)
    usual = ("auc", "average_precision", "brier", "log_loss")
    mean = {model: {one: float(np.mean([s["models"][model]["measures"][one] for s in slices])) for one in usual}
            for model in models}  # fmt: skip
    return {
        "part": contest.data.part, "slices": slices, "absent_peers": list(contest.absent), "mean": mean,
        "mean_paired": {model: {one: _mean_paired(mean, draws, model, one) for one in usual}
                        for model in models if model != OURS},
        "leaks": [{"kind": one.kind, "column": one.column, "zh": one.zh, "en": one.en} for one in contest.leaks],
        "seconds": dict(contest.seconds),
    }  # fmt: skip


Drawn = dict[str, dict[str, "Floats"]]


def _drawn(contest: Contest, tested: Tested, repeats: int, seed: int) -> Drawn:
    """Every measure of every model on the same bootstrap draws of one test's rows."""
    data = contest.data
    weights = None if data.weights is None else data.weights[tested.places]
    groups = None if data.groups is None else data.groups[tested.places]
    return evaluate.redrawn(data.labels[tested.places], tested.estimates, groups, weights, repeats=repeats, seed=seed)


def _mean_paired(mean: Mapping[str, Any], draws: Sequence[Drawn], peer: str, measure: str) -> dict[str, Any]:
    """Ours less the peer's, mean over the tests; each test drawn by itself."""
    least = min(len(drawn[OURS][measure]) for drawn in draws)
    ahead = np.mean([drawn[OURS][measure][:least] - drawn[peer][measure][:least] for drawn in draws], axis=0)
    low, high = evaluate.interval(ahead)
    return {"difference": mean[OURS][measure] - mean[peer][measure], "low": low, "high": high}


def _figures(contest: Contest, tested: Tested, drawn: Drawn) -> dict[str, Any]:
    data = contest.data
    labels = data.labels[tested.places]
    weights = None if data.weights is None else data.weights[tested.places]
    models = {name: _model(tested, name, drawn[name]) for name in tested.estimates}
    peers_ = [name for name in models if name != OURS]
    return {
        "slice": tested.slice, "n": len(labels), "events": int(labels.sum()),
        "base_rate": float(np.average(labels, weights=weights)), "few_events": bool(labels.sum() < FEW_EVENTS),
        "models": models,
        "paired": {name: {one: _paired(models, drawn, name, one) for one in ("auc", "brier", "log_loss")}
                   for name in peers_},
        "chosen": _chosen(tested.chosen),
        "calibration_table": evaluate.calibration_table(labels, tested.estimates[OURS], 10, weights),
        "segments": {name: _by_segment(contest, tested, name, of) for name, of in contest.spec.segments.items()},
    }  # fmt: skip


def _model(tested: Tested, name: str, drawn: Mapping[str, Floats]) -> dict[str, Any]:
    """A model's measures (mean over rounds), their bootstrap intervals, and the spread over folds and rounds."""
    rounds, folds = tested.repeats[name], tested.folds[name]
    told: dict[str, Any] = {
        "measures": {one: float(np.mean([of[one] for of in rounds])) for one in rounds[0]},
        "intervals": {one: evaluate.interval(values) for one, values in drawn.items()},
        "at_level": {one: tested.at_level[name][one] for one in ("brier", "brier_skill", "log_loss", "ece", "slope")},
    }
    if len(folds) > 1:
        told |= {"mean_of_folds": float(np.mean(folds)), "sd_of_folds": float(np.std(folds, ddof=1))}
    if len(rounds) > 1:
        told["sd_of_repeats"] = {one: float(np.std([of[one] for of in rounds], ddof=1)) for one in rounds[0]}
    return told


def _paired(models: Mapping[str, Any], drawn: Mapping[str, Any], peer: str, measure: str) -> dict[str, Any]:
    """Ours less the peer's, on the same draws."""
    low, high = evaluate.interval(drawn[OURS][measure] - drawn[peer][measure])
    ahead = models[OURS]["measures"][measure] - models[peer]["measures"][measure]
    return {"difference": ahead, "low": low, "high": high}


def _chosen(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """What was chosen, how often."""
    count: dict[Candidate, int] = {}
    for one in candidates:
        count[one] = count.get(one, 0) + 1
    return [{**one.told, "times": times} for one, times in count.items()]


def _by_segment(contest: Contest, tested: Tested, name: str, column: str) -> dict[str, Any]:
    """Rates, calibration and errors by group; the base rate is the line between safe and risky.

    With few events also each group's rate pooled towards that of all, and its upper bound (see risk.low_default).
    """
    labels = contest.data.labels[tested.places]
    weights = None if contest.data.weights is None else contest.data.weights[tested.places]
    values = contest.data.frame[column].astype("string").fillna("").to_numpy()[tested.places]
    line = float(np.average(labels, weights=weights))
    table = fairness(labels, tested.estimates[OURS], values, line=line, division=name, weights=weights)
    told = {"total": asdict(table.total), "groups": [asdict(one) for one in table.groups],
            "sentences": [{"zh": zh, "en": en} for zh, en in table.sentences]}  # fmt: skip
    if labels.sum() >= FEW_EVENTS:
        return told
    sparse = segment_rates(labels, tested.estimates[OURS], values, weights=weights)
    return {**told, "low_default": [asdict(one) for one in sparse]}
