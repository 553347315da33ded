"""A model in words and figures: its measures as people read them, beside those of another."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from web import words
from web.formats import NOTHING, percent, short_day
from web.language import gettext

SHARES = frozenset({"predicted", "observed"})
LISTED = ("auc", "brier", "ece")
COMPARED = (
    "auc",
    "ks",
    "average_precision",
    "brier",
    "brier_skill",
    "log_loss",
    "predicted",
    "observed",
    "ece",
    "slope",
)


def figure(name: str, value: float | None) -> str:
    """One measure of a test; shares as percent."""
    if value is None:
        return NOTHING
    return percent(value) if name in SHARES else f"{value:.3f}"


def between(name: str, pair: Sequence[float | None] | None) -> str:
    """Where it lies with 95 %."""
    low, high = pair or (None, None)
    return NOTHING if low is None else f"{figure(name, low)} – {figure(name, high)}"


def figures_of(row: Row[Any]) -> list[str]:
    """The measures of the list, in its columns' order."""
    told = row.summary.get("measures") or {}
    return [figure(name, told.get(name)) for name in LISTED]


def side_by_side(in_use: Row[Any] | None, other: Row[Any]) -> list[tuple[str, str, str]]:
    """What is told of two models: name, the model in use, the other; each was measured on its own test rows."""
    both = [row.summary if row is not None else {} for row in (in_use, other)]
    days = [short_day(row.trained_as_of) if row is not None else NOTHING for row in (in_use, other)]
    kinds = [words.of("model_kind", row.kind) if row is not None else NOTHING for row in (in_use, other)]
    rows = [(gettext("类型"), kinds[0], kinds[1]), (gettext("数据截至"), days[0], days[1])]
    for name, label in (("n", gettext("笔数")), ("events", gettext("违约"))):
        rows.append((label, *(_count(told.get(name)) for told in both)))  # type: ignore[arg-type]
    measured: list[Mapping[str, Any]] = [told.get("measures") or {} for told in both]
    for name in COMPARED:
        left, right = (figure(name, told.get(name)) for told in measured)
        rows.append((words.of("measure", name), left, right))
    return rows


def _count(number: object) -> str:
    return f"{number:,}" if isinstance(number, int) else NOTHING
