"""The estimate on real data: our model and every peer on each data set's own test, in one run.

    python bench/risk [--data ../shared/data] [--quick] [--only DATASET …] [--json PATH] [--docs docs/risk] [--keep DIR]

Prints one line for each test with its bar; --docs also writes the tables and pictures that docs/risk.md shows, and
counts this look at the tests. --quick: the small sets, fewer bootstrap draws, five minutes. --keep: each data set's
figures are written there as they come, and taken from there when they are there already, so that a run that was broken
off goes on. Without the data it says so and ends.
"""

import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from threadpoolctl import threadpool_limits

from risk import contest, report, spec
from risk.contest import OURS
from risk.dataset import read
from risk.figures import figures

WHOLE = ("sba", "datarisk", "slovak", "us_bankruptcy", "polish", "cumcm", "german", "australian", "japanese_crx",
         "hmeq", "thomas", "lending_club_modeldata", "pakdd2010")  # fmt: skip
WIDTH = 190
PROCESSES = 2
"""Data sets side by side, each on one thread."""

QUICK = ("slovak", "us_bankruptcy", "cumcm", "australian")

HEADS = ("data set", "test", "n", "events", "AUC", "95 %", "best peer", "ours less", "95 %", "AP", "Brier", "skill",
         "ECE", "slope")  # fmt: skip

BARS: dict[tuple[str, str], list[tuple[str, str, float]]] = {
    ("sba", ""): [("auc", "≥", 0.70)],
    ("datarisk", ""): [("auc", "≥", 0.950), ("brier", "≤", 0.0315), ("ece", "≤", 0.02)],
    ("slovak", ""): [("average_precision", "≥", 0.50)],
    ("us_bankruptcy", "w3"): [("auc", "≥", 0.85), ("brier_skill", "≥", 0.1)],
    ("us_bankruptcy", "w4"): [("auc", "≥", 0.87), ("brier_skill", "≥", 0.1)],
    ("us_bankruptcy", "w5"): [("auc", "≥", 0.885), ("brier_skill", "≥", 0.1)],
    ("polish", "1year"): [("mean_of_folds", "≥", 0.960)],
    ("polish", "5year"): [("mean_of_folds", "≥", 0.960)],
    ("cumcm", ""): [("auc", "≥", 0.90)],
}
"""Issue 3's figures, by data set and part; SBA's is the mean over its seven years."""


def main(
    data: Path = Path("../shared/data"),
    quick: bool = False,
    json_path: Annotated[Path | None, typer.Option("--json")] = None,
    docs: Annotated[Path | None, typer.Option(help="Write tables and pictures here, and count the look.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Figures of each data set, written and taken here.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this data set; may be repeated.")] = None,
) -> None:
    if not data.is_dir():
        print(f"Skipped: there is no folder {data}.")
        return
    began = time.perf_counter()
    names = tuple(only or (QUICK if quick else WHOLE))
    found = {name: known for name in names if (known := _kept(keep, name)) is not None}
    looked = [name for name in names if name not in found]
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        ProcessPoolExecutor(PROCESSES, initializer=_one_thread) as pool,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        task = bar.add_task("data sets", total=len(names), completed=len(found))
        running = {
            pool.submit(measured, name, data, 100 if quick else 300): name for name in names if name not in found
        }
        for done in as_completed(running):
            found[running[done]] = done.result()
            if keep is not None:
                (keep / f"{running[done]}.json").write_text(json.dumps(done.result(), ensure_ascii=False), "utf-8")
            bar.advance(task)
    told = [found[name] for name in names]
    console = Console(width=WIDTH)
    console.print(_table(told))
    console.print("\n".join([*_bars(told), _standing(told)]), highlight=False)
    console.print(f"{time.perf_counter() - began:.0f} s")
    if json_path is not None:
        json_path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if docs is not None:
        _write(docs, told, looked)


def _kept(keep: Path | None, name: str) -> dict[str, Any] | None:
    """A data set's figures from an earlier run."""
    if keep is None:
        return None
    keep.mkdir(parents=True, exist_ok=True)
    path = keep / f"{name}.json"
    known: dict[str, Any] | None = json.loads(path.read_text("utf-8")) if path.is_file() else None
    return known


def _one_thread() -> None:
    threadpool_limits(1)


def measured(name: str, data: Path, repeats: int) -> dict[str, Any]:
    """One data set by its own protocol, all its parts."""
    one = spec.load(name)
    held = (contest.held(one, read(one, data, part)) for part in one.parts)
    return report.whole(one, [figures(part, repeats=repeats) for part in held], test=None, seed=7)


def _table(told: list[dict[str, Any]]) -> Table:
    table = Table(*HEADS)
    for row in _rows(told):
        table.add_row(*row)
    return table


def _rows(told: list[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for whole in told:
        for part in whole["parts"]:
            rows += [_row(whole["dataset"], part["part"], one) for one in part["slices"]]
            if len(part["slices"]) > 1:
                rows.append(_mean(whole["dataset"], part))
    return rows


def _row(name: str, part: str, one: dict[str, Any]) -> list[str]:
    ours = one["models"][OURS]
    found = ours["measures"]
    peer = max(one["paired"], key=lambda rival: one["models"][rival]["measures"]["auc"])
    ahead = one["paired"][peer]["auc"]
    low, high = ours["intervals"]["auc"]
    between = f"{ahead['low']:+.3f} to {ahead['high']:+.3f}"
    return [
        f"{name} {part}".strip(), one["slice"], f"{one['n']:,}", f"{one['events']:,}", f"{found['auc']:.4f}",
        f"{low:.3f}–{high:.3f}", f"{peer} {one['models'][peer]['measures']['auc']:.4f}", f"{ahead['difference']:+.4f}",
        between, *(f"{found[key]:.4f}" for key in ("average_precision", "brier")),
        f"{found['brier_skill']:.3f}", f"{found['ece']:.4f}", f"{found['slope']:.2f}",
    ]  # fmt: skip


def _mean(name: str, part: dict[str, Any]) -> list[str]:
    ours = part["mean"][OURS]
    peer = max((rival for rival in part["mean"] if rival != OURS), key=lambda rival: part["mean"][rival]["auc"])
    ahead = part["mean_paired"][peer]["auc"]
    return [f"{name} {part['part']}".strip(), "mean", "", "", f"{ours['auc']:.4f}", "",
            f"{peer} {part['mean'][peer]['auc']:.4f}", f"{ahead['difference']:+.4f}",
            f"{ahead['low']:+.3f} to {ahead['high']:+.3f}", f"{ours['average_precision']:.4f}",
            f"{ours['brier']:.4f}", "", "", ""]  # fmt: skip


def _bars(told: list[dict[str, Any]]) -> list[str]:
    """Each bar with what was reached; of several tests the mean."""
    said = []
    for whole in told:
        for part in whole["parts"]:
            ours = part["slices"][0]["models"][OURS]
            alone = {**ours["measures"], "mean_of_folds": ours.get("mean_of_folds", float("nan"))}
            found = alone if len(part["slices"]) == 1 else part["mean"][OURS]
            for measure, way, line in BARS.get((whole["dataset"], part["part"]), []):
                met = found[measure] >= line if way == "≥" else found[measure] <= line
                name = f"{whole['dataset']} {part['part']}".strip()
                said.append(f"{name}: {measure} {found[measure]:.4f}, bar {way} {line}: {'met' if met else 'missed'}")
    return said


def _standing(told: list[dict[str, Any]]) -> str:
    """Ours against every peer, set by set: behind beyond the paired interval anywhere, and ahead on the mean?"""
    parts = [(f"{whole['dataset']} {part['part']}".strip(), part) for whole in told for part in whole["parts"]]
    behind = [f"{name} ({rival} {paired['auc']['difference']:+.4f})" for name, part in parts
              for rival, paired in part["mean_paired"].items() if paired["auc"]["high"] < 0]  # fmt: skip
    means = {model: sum(part["mean"][model]["auc"] for _, part in parts) / len(parts) for model in parts[0][1]["mean"]}
    ranked = ", ".join(f"{model} {means[model]:.4f}" for model in sorted(means, key=lambda model: -means[model]))
    said = f"Behind a peer beyond paired error: {', '.join(behind) or 'on no set'}."
    return f"Mean AUC over {len(parts)} sets: {ranked}.\n{said}"


def _write(docs: Path, told: list[dict[str, Any]], looked: list[str]) -> None:
    docs.mkdir(parents=True, exist_ok=True)
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|",
             *(f"| {' | '.join(cell.replace(chr(10), '; ') for cell in row)} |" for row in _rows(told))]  # fmt: skip
    bars = [f"- {one}" for one in _bars(told)]
    (docs / "table.md").write_text(
        "\n".join([*lines, "", *bars, "", _standing(told).replace("\n", "  \n"), ""]), "utf-8"
    )
    (docs / "figures.json").write_text(json.dumps(_short(told), ensure_ascii=False, indent=1) + "\n", "utf-8")
    for whole in told:
        if whole["dataset"] in looked:
            report.write_look(docs / "looks.csv", whole)
    from _pictures import pictures

    for name, text in pictures(told).items():
        (docs / name).write_text(text, "utf-8")


def _short(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the segments, which are long and stand on the page of each run."""
    return [{**whole, "parts": [{**part, "slices": [{key: value for key, value in one.items() if key != "segments"}
                                                    for one in part["slices"]]} for part in whole["parts"]]}
            for whole in told]  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
