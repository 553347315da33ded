"""What trains, what is tested, and the stretches inside the training rows that choose and calibrate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.choice import forward_folds, random_folds
from risk.spec import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from risk.choice import Folds, Places
    from risk.dataset import Data
    from risk.spec import Protocol, Spec


@dataclass(frozen=True)
class Split:
    """One test: rows that train and rows that are tested (places in the data), and the folds inside the training rows.

    `folds` count from 0 within `train`; the last one, or all, calibrate. `slice` names the test, `repeat` the round of
    cross-validation it belongs to.
    """

    slice: str
    train: Places = field(repr=False)
    test: Places = field(repr=False)
    folds: Folds = field(repr=False)
    in_time: bool
    repeat: int = 0


def splits(spec: Spec, data: Data, seed: int) -> list[Split]:
    """Every test of a part; raises DatasetError where one has no rows or one outcome only."""
    way = spec.protocol
    if data.test.any():
        made = [_later(way, data, seed)]
    elif way.kind == "expanding":
        made = [_year(way, data, test, seed) for test in way.tests]
    elif way.kind == "cut":
        made = [_cut(way, data, seed)]
    else:
        made = list(_crossed(way, data, seed))
    for split in made:
        _enough(spec, data, split)
    return made


def _later(way: Protocol, data: Data, seed: int) -> Split:
    """All that precedes the file's first day, tested on the file."""
    tested = np.flatnonzero(data.test & data.scored)
    before = np.flatnonzero(~data.test)
    if data.time is not None and len(tested):
        before = _before(way, data, int(data.time[data.test].min()), before)
    return _timed(way, data, "file", before, tested, seed)


def _year(way: Protocol, data: Data, test: int, seed: int) -> Split:
    assert data.time is not None
    before = _before(way, data, test, np.arange(len(data.labels)))
    return _timed(way, data, str(test), before, np.flatnonzero((data.time == test) & data.scored), seed)


def _cut(way: Protocol, data: Data, seed: int) -> Split:
    assert data.time is not None
    if way.share:
        start, end = int(np.quantile(data.time, 1 - way.share, method="nearest")) + 1, int(data.time.max())
        name = f"the latest {way.share:.0%}"
    else:
        start, end = _whole(way.start), _whole(way.end)
        name = str(way.start) if way.start == way.end else f"{way.start} – {way.end}"
    before = _before(way, data, start, np.arange(len(data.labels)))
    inside = (data.time >= start) & (data.time <= end) & data.scored
    return _timed(way, data, name, before, np.flatnonzero(inside), seed)


def _before(way: Protocol, data: Data, start: int, among: Places) -> Places:
    """Rows of earlier periods whose outcome was known before the start."""
    assert data.time is not None
    known = data.time if data.known is None else np.maximum(data.time, data.known)
    wanted = known[among] < start
    if way.first is not None:
        wanted &= data.time[among] >= _whole(way.first)
    return among[wanted]


def _timed(way: Protocol, data: Data, name: str, train: Places, test: Places, seed: int) -> Split:
    """Folds forward in time, or at random where there is no time."""
    if data.time is None or way.kind == "folds":
        groups = None if data.groups is None else data.groups[train]
        return Split(name, train, test, random_folds(data.labels[train], way.inner, seed, groups), in_time=False)
    return Split(name, train, test, list(_stretches(way, data, train)), in_time=True)


def _stretches(way: Protocol, data: Data, train: Places) -> Iterator[tuple[Places, Places]]:
    """The last stretches of periods, each tried by a model of what was known before it."""
    assert data.time is not None
    time = data.time[train]
    if way.stretch == 0:
        yield from forward_folds(time, data.labels[train], way.inner)
        return
    known = time if data.known is None else np.maximum(time, data.known[train])
    periods = np.unique(time)[-way.inner * way.stretch :]
    for first in range(0, len(periods), way.stretch):
        stretch = periods[first : first + way.stretch]
        kept = np.flatnonzero((time >= stretch[0]) & (time <= stretch[-1]))
        fitted = np.flatnonzero(known < stretch[0])
        if all(0 < data.labels[train][part].sum() < len(part) for part in (fitted, kept)):
            yield fitted, kept


def _crossed(way: Protocol, data: Data, seed: int) -> Iterator[Split]:
    for repeat in range(way.repeats):
        for train, test in random_folds(data.labels, way.folds, seed + repeat, data.groups):
            groups = None if data.groups is None else data.groups[train]
            inner = random_folds(data.labels[train], way.inner, seed + repeat, groups)
            yield Split("folds", train, test, inner, in_time=False, repeat=repeat)


def _enough(spec: Spec, data: Data, split: Split) -> None:
    for part, said in ((split.train, "training"), (split.test, "test")):
        if len(part) == 0:
            raise DatasetError(f"{spec.name}, {split.slice}: there are no {said} rows.")
        if not 0 < data.labels[part].sum() < len(part):
            raise DatasetError(f"{spec.name}, {split.slice}: the {said} rows have one outcome only.")
    if not split.folds:
        raise DatasetError(f"{spec.name}, {split.slice}: the training rows have no stretch to choose and calibrate on.")


def _whole(value: Any) -> int:
    """A period or a day as the data count it."""
    if isinstance(value, int):
        return value
    return int(np.datetime64(value, "D").astype("int64"))
