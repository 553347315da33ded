"""Leak guard: columns that could not have been known, and splits that let a row see itself; each finding a sentence.

Run before training. Nothing here knows a data set: a rewritten term, an outcome in disguise, a date from the future, an
encoding that has seen its own row, a copy or a client on both sides of a split are found by what they look like.
Sources of the traps: `../shared/reference/risk.md` section 2 (SBA `Term`), Kaufman, Rosset and Perlich 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from risk.evaluate import auc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TOO_GOOD = 0.95
"""A single column that ranks the outcomes better than this is an outcome in disguise."""

YEAR = 12
LEAST_GAP, LEAST_SIGMAS = 0.15, 6.0
"""Whole years: so far apart must the two outcomes' shares be, and so many standard errors of their difference."""

RARE = 5
"""A category of so few rows says nearly nothing, so its honest encoding ranks nearly nothing."""

MOSTLY = 0.5
"""A column with its own value in more than so many rows names rows, not kinds of them."""

LEAST_ROWS = 50
"""With fewer rows of a kind, chance alone looks like a leak."""


@dataclass(frozen=True)
class Leak:
    """One finding: its kind (whole_years, too_good, future_date, encoding, duplicates, groups), column, sentences."""

    kind: str
    column: str
    zh: str
    en: str


def find_leaks(
    frame: pd.DataFrame,
    outcome: Sequence[int] | NDArray[Any] | pd.Series[Any],
    *,
    columns: Sequence[str] | None = None,
    as_of: str | None = None,
    folds: Sequence[int] | NDArray[Any] | None = None,
    groups: str | None = None,
) -> list[Leak]:
    """Every leak the guard sees in rows with a known outcome (1: default).

    `columns`: the features meant to be used (default: all but `as_of` and `groups`). `as_of`: the column with the day
    each row is scored on. `folds`: the part of the split each row is in. `groups`: the column that names the client.
    Raises ValueError, naming it, for a column that is not there and for an outcome of one kind only.
    """
    known = np.asarray(outcome, dtype=np.float64)
    named = [name for name in (as_of, groups) if name is not None]
    features = [name for name in frame.columns if name not in named] if columns is None else list(columns)
    if missing := [name for name in [*features, *named] if name not in frame.columns]:
        raise ValueError(f"There is no column {', '.join(missing)}.")
    if len(known) != len(frame) or set(np.unique(known)) != {0.0, 1.0}:
        raise ValueError("The outcome needs a 0 or 1 for every row, and some of both.")
    rows = frame.reset_index(drop=True)
    found = [
        *_whole_years(rows, known, features),
        *_too_good(rows, known, features),
        *_encodings(rows, known, features),
    ]
    if as_of is not None:
        found += _future_dates(rows, features, as_of)
    if folds is not None:
        found += _duplicates(rows, known, features, np.asarray(folds))
        found += _groups(rows, groups, np.asarray(folds))
    return found


def _whole_years(frame: pd.DataFrame, outcome: Floats, features: Iterable[str]) -> Iterator[Leak]:
    """A term in months that is a whole number of years for one outcome only was rewritten after it."""
    for name in features:
        values = _numbers(frame[name])
        if values is None:
            continue
        term = values > 0
        if not _is_count(values[term]) or np.unique(values[term]).size < 2 * YEAR:
            continue
        whole, late = values[term] % YEAR == 0, outcome[term] > 0
        if min(late.sum(), (~late).sum()) < LEAST_ROWS:
            continue
        bad, good = float(whole[late].mean()), float(whole[~late].mean())
        error = np.sqrt(whole.mean() * (1 - whole.mean()) * (1 / late.sum() + 1 / (~late).sum()))
        if abs(good - bad) > max(LEAST_GAP, LEAST_SIGMAS * float(error)):
            yield Leak(
                "whole_years", name,
                f"“{name}”中整年的比例：正常 {good:.1%}，违约 {bad:.1%}；这一列很可能在结果之后被改写，不能使用。",
                f"{name} is a whole number of years for {good:.1%} of the good and {bad:.1%} of the bad:"
                " it was probably rewritten after the outcome and must not be used.",
            )  # fmt: skip


def _too_good(frame: pd.DataFrame, outcome: Floats, features: Iterable[str]) -> Iterator[Leak]:
    """One column alone that ranks the outcomes almost perfectly."""
    for name in features:
        alone = _alone(frame[name], outcome)
        if alone > TOO_GOOD:
            yield Leak(
                "too_good", name,
                f"“{name}”单独一列的 AUC 为 {alone:.3f}，超过 {TOO_GOOD}：它很可能就是结果本身。",
                f"{name} alone reaches an AUC of {alone:.3f}, above {TOO_GOOD}: it is probably the outcome itself.",
            )  # fmt: skip


def _future_dates(frame: pd.DataFrame, features: Iterable[str], as_of: str) -> Iterator[Leak]:
    """A date later than the day the row is scored on."""
    import pandas as pd

    scored = pd.to_datetime(frame[as_of])
    for name in features:
        if not pd.api.types.is_datetime64_any_dtype(frame[name]):
            continue
        late = int((frame[name] > scored).sum())
        if late:
            yield Leak(
                "future_date", name,
                f"“{name}”有 {late} 行的日期晚于评估日“{as_of}”：当时还不可能知道。",
                f"{name} is later than {as_of} in {late} rows: it could not have been known then.",
            )  # fmt: skip


def _encodings(frame: pd.DataFrame, outcome: Floats, features: Sequence[str]) -> Iterator[Leak]:
    """A number that stands for a category and has seen the outcome of its own row.

    Fitted inside folds, the number of a category with a handful of rows is hardly more than the prior. Fitted on all
    rows it repeats the outcomes of that handful.
    """
    numbers = {name: values for name in features if (values := _numbers(frame[name])) is not None}
    for category in features:
        if category in numbers and not _is_code(numbers[category]):
            continue
        code = frame[category].astype("string").fillna("")
        size = code.map(code.value_counts()).to_numpy(dtype="int64")
        rare = size <= RARE
        is_key = (size == 1).mean() > MOSTLY
        if is_key or min(outcome[rare].sum(), (1 - outcome[rare]).sum()) < LEAST_ROWS:
            continue
        places = code.factorize()[0]
        for name, values in numbers.items():
            if name == category or not _follows(values, places):
                continue
            among_rare = auc(outcome[rare], _filled(values)[rare])
            if max(among_rare, 1 - among_rare) > TOO_GOOD:
                yield Leak(
                    "encoding", name,
                    f"“{name}”是“{category}”的编码，且包含了每行自己的结果：在少于 {RARE + 1} 行的类别中 AUC 仍为"
                    f" {max(among_rare, 1 - among_rare):.3f}。编码须在折内计算。",
                    f"{name} encodes {category} with each row's own outcome in it: among categories of at most {RARE}"
                    f" rows it still reaches an AUC of {max(among_rare, 1 - among_rare):.3f}. Encode inside the folds.",
                )  # fmt: skip


def _duplicates(frame: pd.DataFrame, outcome: Floats, features: Sequence[str], folds: NDArray[Any]) -> Iterator[Leak]:
    """The same row in two parts of the split."""
    import pandas as pd

    key = pd.util.hash_pandas_object(frame[list(features)].assign(_outcome=outcome), index=False)
    crossing = int((pd.Series(folds).groupby(key.to_numpy()).transform("nunique") > 1).sum())
    if crossing:
        yield Leak(
            "duplicates", "",
            f"有 {crossing} 行的特征和结果完全相同，却分在不同的折里：重复行须放在同一折。",
            f"{crossing} rows are copies of others in another part of the split: keep copies together.",
        )  # fmt: skip


def _groups(frame: pd.DataFrame, groups: str | None, folds: NDArray[Any]) -> Iterator[Leak]:
    """The same client in two parts of the split."""
    import pandas as pd

    if groups is None:
        return
    places = pd.DataFrame({"group": frame[groups].to_numpy(), "fold": folds}).drop_duplicates()
    crossing = int((places["group"].value_counts() > 1).sum())
    if crossing:
        yield Leak(
            "groups", groups,
            f"有 {crossing} 个“{groups}”同时出现在不同的折里：同一客户须放在同一折。",
            f"{crossing} values of {groups} stand in different parts of the split: keep a client together.",
        )  # fmt: skip


def _numbers(column: pd.Series[Any]) -> Floats | None:
    """The column as floats (NaN: unknown), or None where it is no number."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return None
    return column.to_numpy(dtype="float64", na_value=np.nan)


def _is_count(values: Floats) -> bool:
    return values.size > 0 and bool((values == np.floor(values)).all())


def _is_code(values: Floats) -> bool:
    """Whole numbers of many kinds may be codes (ZIP, industry) as well as amounts."""
    seen = values[np.isfinite(values)]
    return _is_count(seen) and np.unique(seen).size >= LEAST_ROWS


def _follows(values: Floats, places: NDArray[Any]) -> bool:
    """Whether a number is the same wherever the category is the same."""
    known = _filled(values)
    first = np.full(places.max() + 1, np.nan)
    first[places[::-1]] = known[::-1]
    return bool(np.allclose(first[places], known, rtol=1e-9, atol=0))


def _filled(values: Floats) -> Floats:
    """Unknown as a value of its own, below all others."""
    finite = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, (finite.min() if finite.size else 0.0) - 1)


def _alone(column: pd.Series[Any], outcome: Floats) -> float:
    """AUC of one column in its better direction; a category ranks by the rate of the other half of the rows."""
    values = _numbers(column)
    if values is not None:
        ranked = auc(outcome, _filled(values))
        return max(ranked, 1 - ranked)
    half = np.arange(len(outcome)) % 2 == 0
    code = column.astype("string").fillna("").to_numpy(dtype=object)
    estimate = np.full(len(outcome), outcome.mean())
    for fitted in (half, ~half):
        rates = _rates(code[fitted], outcome[fitted])
        estimate[~fitted] = [rates.get(one, outcome.mean()) for one in code[~fitted]]
    return auc(outcome, estimate)


def _rates(code: NDArray[Any], outcome: Floats) -> dict[Any, float]:
    kinds, place, count = np.unique(code.astype(str), return_inverse=True, return_counts=True)
    return dict(zip(kinds.tolist(), (np.bincount(place, outcome) / count).tolist(), strict=True))
