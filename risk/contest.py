"""Our model and every peer on one data set in one run: same rows, features and folds, measured with intervals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import calibration, choice, encode, evaluate, peers
from risk.dataset import Rates
from risk.leaks import find_leaks
from risk.scale import log_odds, probability_of
from risk.splits import splits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from risk.choice import Candidate, Rows
    from risk.dataset import Data
    from risk.leaks import Leak
    from risk.spec import Spec
    from risk.splits import Split

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

OURS = "xindeng"
CALIBRATING_FOLDS = 5


@dataclass(frozen=True)
class Tested:
    """One slice of the test: which rows, and per model the calibrated probabilities (mean over repeats)."""

    slice: str
    places: Places = field(repr=False)
    estimates: Mapping[str, Floats] = field(repr=False)
    folds: Mapping[str, list[float]] = field(repr=False)  # AUC of each fold, by model
    repeats: Mapping[str, list[dict[str, float]]] = field(repr=False)  # measures of each round of cross-validation
    at_level: Mapping[str, dict[str, float]] = field(repr=False)  # measures after correction to the tests' base rate
    chosen: Sequence[Candidate]


@dataclass(frozen=True)
class Contest:
    """A part of a data set with every model's estimates."""

    spec: Spec
    data: Data = field(repr=False)
    tested: Sequence[Tested]
    leaks: Sequence[Leak]
    absent: Sequence[str]
    seconds: Mapping[str, float]


def held(spec: Spec, data: Data, *, seed: int = 7, with_peers: bool = True, say: Any = None) -> Contest:
    """Run every split of a part; raises DatasetError where it cannot be tested.

    `say` is called with a sentence before each step, for a progress bar.
    """
    every = splits(spec, data, seed)
    present = {name: peer for name, peer in peers.PEERS.items() if peer.is_here} if with_peers else {}
    guard = guarded(spec, data, every[0])
    seconds = dict.fromkeys((OURS, *present), 0.0)
    made: dict[str, list[_Made]] = {}
    for split in every:
        rows, test = rows_of(spec, data, split, seed)
        found = {}
        for name in (OURS, *present):
            if say is not None:
                say(f"{spec.name} {data.part} {split.slice}: {name}")
            began = perf_counter()
            given = (rows, test, split, seed)
            found[name] = ours(spec, *given) if name == OURS else _peer(spec, present[name], *given)
            seconds[name] += perf_counter() - began
        made.setdefault(split.slice, []).append(_Made(split, found))
    tested = [_tested(data, name, parts) for name, parts in made.items()]
    absent = [name for name in peers.PEERS if name not in present] if with_peers else []
    return Contest(spec, data, tested, guard, absent, seconds)


def guarded(spec: Spec, data: Data, split: Split) -> list[Leak]:
    """What the leak guard sees in the first split, but for what the spec accepts with a reason.

    Columns are looked at in the training rows. Where rows are split at random, copies and clients on both sides too; in
    time a client comes back, and what was learnt of it before is its history.
    """
    import pandas as pd

    frame = pd.DataFrame(data.matrix, columns=list(data.names))
    found = find_leaks(frame.iloc[split.train], data.labels[split.train])
    if not split.in_time:
        both = np.concatenate([split.train, split.test])
        sides = np.repeat([0, 1], [len(split.train), len(split.test)])
        client = None if data.groups is None else "client"
        told = frame.iloc[both]
        if data.groups is not None:
            told = told.assign(client=data.groups[both])
        seen = find_leaks(told, data.labels[both], columns=list(data.names), folds=sides, groups=client)
        found += [leak for leak in seen if leak.kind in ("duplicates", "groups")]
    return [leak for leak in found if leak.column not in spec.accepted]


@dataclass(frozen=True)
class _One:
    """One model on one split: probabilities of the tested rows, and what was chosen."""

    probability: Floats
    chosen: Candidate | None = None


@dataclass(frozen=True)
class _Made:
    split: Split
    found: Mapping[str, _One]


def rows_of(spec: Spec, data: Data, split: Split, seed: int) -> tuple[Rows, Floats]:
    """Training rows and the tested rows' matrix, with the rates of categories that this split may know."""
    rows = data.rows(_rates(spec, data, split, seed))
    taught = rows.at(split.train)
    if spec.recency is not None and data.time is not None:
        age = data.time[split.test].min() - data.time[split.train]
        even = np.ones(len(age)) if taught.weights is None else taught.weights
        taught = replace(taught, weights=even * 0.5 ** (age / spec.recency))
    return taught, rows.matrix[split.test]


def _rates(spec: Spec, data: Data, split: Split, seed: int) -> Rates:
    """A category's rate rises with its defaults, so its direction is promised; how many rows are behind it is not."""
    columns: list[Floats] = []
    names: list[str] = []
    directions: list[int] = []
    given = data.weights if data.rate_weights is None else data.rate_weights
    heavy = np.ones(len(data.labels)) if given is None else given
    for rate in spec.rates:
        codes = encode.codes_of([data.frame[one].to_numpy() for one in rate.key])
        if split.in_time and data.time is not None:
            told = encode.by_period(codes, data.time, data.labels, heavy, ~data.test,
                                    half_life=rate.half_life, prior=rate.prior)  # fmt: skip
        else:
            told = encode.by_fold(codes, data.labels, heavy, split.train, seed, prior=rate.prior)
        columns.append(told.rate)
        names.append(f"rate_{rate.name}")
        directions.append(1)
        if rate.volume:
            columns.append(told.volume)
            names.append(f"volume_{rate.name}")
            directions.append(0)
    return Rates(np.column_stack(columns) if columns else np.zeros((len(heavy), 0)), tuple(names), tuple(directions))


def ours(spec: Spec, rows: Rows, test: Floats, split: Split, seed: int) -> _One:
    """Chosen inside the training rows, calibrated on rows it had not seen, made of all of them."""
    trial = choice.tried(rows, split.folds, seed, spec.menu)
    picked = choice.best(trial.losses)
    if split.in_time and spec.protocol.calibrate == "folds":
        folds = choice.random_folds(rows.labels, CALIBRATING_FOLDS, seed)
        margin = choice.out_of_fold(picked, rows, folds, seed)
        map_ = _map(spec, margin, rows.labels, rows.weights if rows.fair is None else rows.fair)
    else:
        fair = _fair(spec, split, trial.folds)
        heavy = None if trial.fair is None else trial.fair[fair]
        map_ = _map(spec, trial.margins[picked][fair], trial.labels[fair], heavy)
    return _One(map_.probability(choice.fit(picked, rows, seed).margin(test)), picked)


def _map(spec: Spec, margin: Floats, labels: Floats, weights: Floats | None) -> calibration.Calibration:
    """Platt's line on rows that were not fitted, or the log-odds as they are, as the protocol says."""
    if spec.protocol.calibrate == "none":
        return calibration.as_it_is(float(np.average(labels, weights=weights)))
    return calibration.platt(margin, labels, weights)


def _fair(spec: Spec, split: Split, folds: Places) -> NDArray[np.bool_]:
    """Rows that calibrate: in time the latest stretch (or all of them, as the protocol says), else all."""
    if split.in_time and spec.protocol.calibrate == "last":
        latest: NDArray[np.bool_] = folds == folds.max()
        return latest
    return np.ones(len(folds), dtype=bool)


def _peer(spec: Spec, peer: peers.Peer, rows: Rows, test: Floats, split: Split, seed: int) -> _One:
    """A peer, its choice and its Platt line from the latest stretch."""
    fold = split.folds[-1]
    made = peers.fit(peer, rows, fold, seed)
    kept = rows.at(fold[1])
    map_ = _map(spec, made.kept, kept.labels, kept.weights if kept.fair is None else kept.fair)
    return _One(map_.probability(made.margin(test)))


def _tested(data: Data, name: str, parts: Sequence[_Made]) -> Tested:
    """The splits of one slice together: folds of a round beside each other, rounds averaged."""
    models = list(parts[0].found)
    rounds = sorted({part.split.repeat for part in parts})
    whole = {model: np.full((len(rounds), len(data.labels)), np.nan) for model in models}
    folds: dict[str, list[float]] = {model: [] for model in models}
    for part in parts:
        labels = data.labels[part.split.test]
        for model, one in part.found.items():
            whole[model][part.split.repeat, part.split.test] = one.probability
            folds[model].append(evaluate.auc(labels, one.probability))
    places = np.flatnonzero(~np.isnan(whole[models[0]][0]))
    weights = None if data.weights is None else data.weights[places]
    repeats = {model: [evaluate.measures(data.labels[places], one[places], weights) for one in of]
               for model, of in whole.items()}  # fmt: skip
    estimates = {model: of[:, places].mean(axis=0) for model, of in whole.items()}
    at_level = {model: evaluate.measures(data.labels[places], _level(one, data.labels[places], weights), weights)
                for model, one in estimates.items()}  # fmt: skip
    chosen = [picked for part in parts if (picked := part.found[OURS].chosen) is not None]
    return Tested(name, places, estimates, folds, repeats, at_level, chosen)


def _level(probability: Floats, labels: Floats, weights: Floats | None) -> Floats:
    """The estimates with their log-odds shifted so that their mean is the tests' own base rate (known afterwards only).

    This is the correction to a known prior (Saerens, Latinne, Decaestecker 2002) where only the level is wrong.
    """
    rate = float(np.average(labels, weights=weights))
    odds = log_odds(probability)
    shift = 0.0
    for _ in range(50):
        shifted = probability_of(odds + shift)
        missed = rate - float(np.average(shifted, weights=weights))
        if abs(missed) < 1e-10:
            break
        shift += missed / float(np.average(shifted * (1 - shifted), weights=weights))
    return probability_of(odds + shift)
