"""The figures of a contest as a table for people and as JSON for machines, with the commit and the number of looks."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from risk.contest import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from risk.pricing import Priced
    from risk.spec import Spec

    Floats = NDArray[np.float64]

MEASURES = {
    "auc": "AUC", "ks": "KS", "average_precision": "AP", "brier": "Brier", "brier_skill": "skill",
    "log_loss": "log-loss", "predicted": "mean p", "ece": "ECE", "slope": "slope",
}  # fmt: skip
WITH_INTERVAL = ("auc", "average_precision", "brier")
WIDTH = 132
"""Narrower, a table's figures would be cut."""

LEVEL = 0.1
"""A mean estimate further from the base rate than this share of it is told with its correction."""

LOOK = ("commit", "data set", "test")


def printed(spec: Spec, parts: Sequence[Mapping[str, Any]]) -> None:
    """Print every slice's table, the mean over slices, what the guard found and which peers were absent."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(WIDTH, Console().width))
    for part in parts:
        for one in part["slices"]:
            console.print(_table(spec, part["part"], one, Table))
            console.print(_said(one), highlight=False)
        if len(part["slices"]) > 1:
            console.print(_means(part, Table))
        for leak in part["leaks"]:
            console.print(f"leak guard: {leak['en']} {leak['zh']}", highlight=False)
        if part["absent_peers"]:
            console.print(f"Not installed, so not measured: {', '.join(part['absent_peers'])} (the extra 'bench').")


def _table(spec: Spec, part: str, one: Mapping[str, Any], make: Any) -> Any:
    counted = f"n {one['n']:,}, events {one['events']:,}, base rate {one['base_rate']:.2%}"
    title = f"{spec.name} {part} · {one['slice']}: {counted}"
    table = make("", *MEASURES.values(), title=" ".join(title.split()))
    for name, told in one["models"].items():
        cells = [_cell(told, measure) for measure in MEASURES]
        table.add_row(name, *cells, style="bold" if name == OURS else None)
    return table


def _cell(told: Mapping[str, Any], measure: str) -> str:
    value = told["measures"][measure]
    shown = f"{value:.2%}" if measure == "predicted" else f"{value:.4f}"
    if measure not in WITH_INTERVAL:
        return shown
    low, high = told["intervals"].get(measure, (float("nan"), float("nan")))
    return f"{shown}\n{low:.3f}–{high:.3f}"


def _said(one: Mapping[str, Any]) -> str:
    """What was chosen; the mean of the folds; ours against the best peer; few events."""
    return "\n".join(_sentences(one))


def _sentences(one: Mapping[str, Any]) -> Iterator[str]:
    for chosen in one["chosen"]:
        told = ", ".join(
            f"{name} {value}" for name, value in chosen.items() if name not in ("kind", "settings", "times")
        )
        yield f"chosen {chosen['times']} ×: {chosen['kind']} ({told})"
    if "mean_of_folds" in one["models"][OURS]:
        means = {name: f"{told['mean_of_folds']:.4f}" for name, told in one["models"].items()}
        yield "mean of the folds' AUC: " + ", ".join(f"{name} {value}" for name, value in means.items())
    if one["paired"]:
        best = max(one["paired"], key=lambda name: one["models"][name]["measures"]["auc"])
        told = one["paired"][best]["auc"]
        between = f"{told['low']:+.4f} to {told['high']:+.4f}"
        yield f"AUC less the best peer's ({best}): {told['difference']:+.4f} ({between})"
    ours = one["models"][OURS]
    if abs(ours["measures"]["predicted"] - one["base_rate"]) > LEVEL * one["base_rate"]:
        told = ours["at_level"]
        yield f"level: {ours['measures']['predicted']:.2%} predicted, {one['base_rate']:.2%} observed"
        yield f"at that level: Brier {told['brier']:.4f}, skill {told['brier_skill']:.3f}, ECE {told['ece']:.4f}"
    for segment in one["segments"].values():
        yield from (said["en"] for said in segment["sentences"])
    if one["few_events"]:
        yield f"Only {one['events']} events: read the intervals, no calibration is claimed."


def _means(part: Mapping[str, Any], make: Any) -> Any:
    table = make(
        "", "AUC", "AP", "Brier", "log-loss", title=f"{part['part']} mean over {len(part['slices'])} tests".strip()
    )
    for name, told in part["mean"].items():
        table.add_row(name, *(f"{told[one]:.4f}" for one in ("auc", "average_precision", "brier", "log_loss")))
    return table


def whole(spec: Spec, parts: Sequence[Mapping[str, Any]], *, test: Path | None, seed: int) -> dict[str, Any]:
    """Everything, for JSON: the data set, the commit the figures were made at, the seed, the parts."""
    return {"dataset": spec.name, "title": spec.title, "commit": commit(), "seed": seed,
            "test": None if test is None else test.name, "parts": list(parts)}  # fmt: skip


def priced(found: Priced) -> None:
    """Print the profits of the three ways to lend, ours against each in pairs, and the plan's head."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(WIDTH, Console().width))
    title = f"CUMCM, 123 firms: profit of {found.budget:,.0f} yuan, {found.repeats} repeats of 5-fold estimates"
    table = Table("", "yuan", "sd over repeats", "estimates less this", "sd of the difference", title=title)
    ours = found.profits["estimates"]
    for name, values in found.profits.items():
        ahead = ours - values
        table.add_row(name, *(f"{value:,.0f}" for value in (values.mean(), _sd(values), ahead.mean(), _sd(ahead))))
    console.print(table)
    lent = [one for one in found.plan if one[2] > 0]
    console.print(f"Plan for the 302 (no outcome is known, nothing is claimed): {len(lent)} firms, "
                  f"{sum(one[2] for one in lent):,.0f} yuan.")  # fmt: skip
    plan = Table("firm", "probability", "yuan", "rate", title="The first twenty")
    for firm, probability, amount, rate in lent[:20]:
        plan.add_row(firm, f"{probability:.2%}", f"{amount:,.0f}", f"{rate:.2%}")
    console.print(plan)


def _sd(values: Floats) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def priced_whole(found: Priced) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "commit": commit(), "budget": found.budget, "repeats": found.repeats,
        "profits": {name: {"mean": float(values.mean()), "sd": _sd(values)} for name, values in found.profits.items()},
        "plan": [dict(zip(("firm", "probability", "yuan", "rate"), one, strict=True)) for one in found.plan],
    }  # fmt: skip


def commit() -> str:
    """The commit of the code, '+' behind it where files were changed since; 'unknown' outside a checkout."""
    git, here = shutil.which("git"), Path(__file__).parent
    if git is None:
        return "unknown"
    try:
        named, changed = (
            subprocess.run([git, *words], cwd=here, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 (words of ours)
            for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--", "."))
        )
    except subprocess.CalledProcessError:
        return "unknown"
    return named + ("+" if changed else "")


def write_look(path: Path, told: Mapping[str, Any]) -> int:
    """Add a line for each test that was looked at; returns how often this data set's test has been looked at."""
    old = list(csv.reader(path.read_text("utf-8").splitlines())) if path.is_file() else [list(LOOK)]
    test = told["test"] or "its own"
    old.append([told["commit"], told["dataset"], test])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(old)
    return sum(row[1:] == [told["dataset"], test] for row in old)
