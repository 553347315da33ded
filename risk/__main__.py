"""The commands of the estimate: train, evaluate, leaks, card, drift."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

app = typer.Typer(help="Train, measure and show the model of default risk.", no_args_is_help=True, add_completion=False)

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day whose knowledge counts.")]
Mirror = Annotated[Path, typer.Option(help="Parquet mirror of the records (item=…/month=…/*.parquet).")]
Model = Annotated[Path, typer.Option(help="Artifact folder.")]
Json = Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")]


@app.command()
def train(
    mirror: Mirror, out: Annotated[Path, typer.Option(help="Artifact folder to write.")], as_of: Day, seed: int = 7
) -> None:
    """Train on the loans of the mirror that are mature on a day, and write the artifact."""
    from rich.console import Console

    from risk.model import RiskModel
    from risk.train import train_on_records

    with Console().status("Labels, features, training …"):
        folder = train_on_records(mirror, out, as_of.date(), seed=seed)
    model = RiskModel.load(folder)
    _table(f"Model {model.version} in {folder}", model.card["measures"], model.card["intervals"])


@app.command()
def evaluate(
    dataset: Annotated[str, typer.Argument(help="A data set, such as sba or datarisk, or the path of a spec (.toml).")],
    data: Annotated[Path, typer.Option(help="Its folder, or the folder above all of them.")],
    test: Annotated[Path | None, typer.Option(help="Rows of the same columns to report on instead.")] = None,
    json_path: Json = None,
    peers: Annotated[bool, typer.Option(help="Measure the peers in the same run.")] = True,
    part: Annotated[str | None, typer.Option(help="Only this part of the data set.")] = None,
    seed: int = 7,
    repeats: Annotated[int, typer.Option(help="Bootstrap draws.", min=50)] = 300,
    looks: Annotated[Path | None, typer.Option(help="Write down this look at the test in this CSV.")] = None,
) -> None:
    """Train by the data set's protocol and report on its test, or on FILE: our model and every peer in one run."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from risk import contest, report, spec
    from risk.dataset import part_of, read
    from risk.figures import figures

    told = spec.load(dataset)
    wanted = [part_of(told, test)] if test is not None else [one for one in told.parts if part in (None, one)]
    if not wanted:
        raise _Wrong(f"{dataset} has no part {part}; there are {', '.join(told.parts)}.")
    console = Console(stderr=True)
    found = []
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task(f"{dataset}: reading")
        for one in wanted:
            rows = read(told, data, one, test)
            held = contest.held(
                told, rows, seed=seed, with_peers=peers, say=lambda words: bar.update(task, description=words)
            )
            bar.update(task, description=f"{dataset} {one}: intervals")
            found.append(figures(held, repeats=repeats, seed=seed))
    report.printed(told, found)
    whole = report.whole(told, found, test=test, seed=seed)
    if looks is not None:
        report.write_look(looks, whole)
    if json_path is not None:
        json_path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", "utf-8")


@app.command()
def tune(
    dataset: Annotated[str, typer.Argument(help="A data set of risk/datasets.")],
    data: Annotated[Path, typer.Option(help="Its folder, or the folder above all of them.")],
    part: Annotated[str | None, typer.Option(help="Only this part of the data set.")] = None,
    trials: Annotated[int, typer.Option(min=1)] = 40,
    seconds: Annotated[float | None, typer.Option(help="Stop after this time.", min=1)] = None,
    seed: int = 7,
) -> None:
    """Look for better settings inside the first training window, and print them as lines for the spec."""
    from rich.console import Console
    from rich.progress import track

    from risk import spec
    from risk import tune as looking
    from risk.dataset import read

    told = spec.load(dataset)
    rows = read(told, data, part or told.parts[0])
    steps = iter(track(range(trials), description=f"{dataset}: settings", console=Console(stderr=True)))

    def done() -> None:
        next(steps, None)

    found = looking.tune(told, rows, trials=trials, seconds=seconds, seed=seed, done=done)
    typer.echo(f"# loss {found.loss:.5f} after {found.trials} trials; the spec's own menu {found.usual:.5f}")
    typer.echo(found.as_toml())


@app.command()
def watch(
    dataset: Annotated[str, typer.Argument(help="A data set whose spec says how to watch it, such as sba.")],
    data: Annotated[Path, typer.Option(help="Its folder, or the folder above all of them.")],
    json_path: Json = None,
    seed: int = 7,
) -> None:
    """Replay a data set's history without hindsight: on which day would each alarm have rung?"""
    from dataclasses import asdict

    from rich.console import Console

    from risk import spec
    from risk.alarm_words import as_lines
    from risk.alarms import WHOLE
    from risk.dataset import read
    from risk.recalibration import decide
    from risk.watching import replayed

    told = spec.load(dataset)
    rows = read(told, data, told.parts[0])
    with Console(stderr=True).status(f"{dataset}: reading") as status:
        alarms, levels = replayed(told, rows, seed=seed, say=status.update)
    typer.echo("\n".join(as_lines(alarms)))
    decision = decide([one for one in alarms if one.scope == WHOLE])
    typer.echo(f"{decision.zh}\n{decision.en}")
    for one in levels:
        typer.echo(
            f"{one['vintage']}: n {one['n']:,}, predicted {one['predicted']:.2%}, observed {one['observed']:.2%}"
        )
    if json_path is not None:
        whole = {"dataset": dataset, "alarms": [asdict(one) for one in alarms], "levels": levels}
        json_path.write_text(json.dumps(whole, ensure_ascii=False, indent=1, default=str) + "\n", "utf-8")


@app.command()
def price(
    data: Annotated[Path, typer.Option(help="The folder of CUMCM 2020 C, or the folder above all data sets.")],
    budget: Annotated[float, typer.Option(help="Yuan to lend in the year.", min=100_000)] = 50_000_000,
    repeats: Annotated[int, typer.Option(min=1)] = 20,
    json_path: Json = None,
    seed: int = 7,
) -> None:
    """What the estimates are worth: the contest's profit on the 123 firms, and a plan for the 302."""
    from rich.console import Console

    from risk import pricing, report, spec

    with Console(stderr=True).status("pricing") as status:
        found = pricing.priced(spec.load("cumcm"), data, budget=budget, repeats=repeats, seed=seed, say=status.update)
    report.priced(found)
    if json_path is not None:
        json_path.write_text(json.dumps(report.priced_whole(found), ensure_ascii=False, indent=1) + "\n", "utf-8")


@app.command()
def measure(mirror: Mirror, model: Model, as_of: Day, json_path: Json = None) -> None:
    """Measure a model on the mature loans drawn after the last day it was trained and calibrated on."""
    from risk.build import build
    from risk.evaluate import intervals, measures
    from risk.features import FEATURES
    from risk.labels import label
    from risk.model import RiskModel
    from risk.records import mirror as opened
    from risk.train import TrainingError

    loaded, source = RiskModel.load(model), opened(mirror)
    labelled = label(source, as_of.date()).frame
    last = loaded.card["slices"].get("calibrate", {}).get("to")
    labelled = labelled if last is None else labelled[labelled["as_of"] > last]
    if labelled["label"].nunique() < 2:
        raise TrainingError(f"{mirror}: no loans of both outcomes drawn after {last} are mature by {as_of:%Y-%m-%d}.")
    probability = loaded.estimate(build(source, labelled, FEATURES)).probability
    outcome = labelled["label"].to_numpy(dtype="float64")
    found = measures(outcome, probability)
    bounds = intervals(outcome, probability, labelled["uscc"].tolist())
    _table(f"Model {loaded.version} on {len(outcome)} loans, {outcome.sum():.0f} defaults", found, bounds)
    if json_path is not None:
        told = {"version": loaded.version, "n": len(outcome), "measures": found, "intervals": bounds}
        json_path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


@app.command()
def leaks(
    file: Annotated[Path, typer.Argument(help="Rows with a known outcome (Parquet or CSV).")],
    outcome: Annotated[str, typer.Option(help="The column that says how it ended.")],
    bad: Annotated[str, typer.Option(help="Its word for a default.")] = "1",
    as_of: Annotated[str | None, typer.Option(help="The column with the day a row is scored on.")] = None,
    group: Annotated[str | None, typer.Option(help="The column that names the client.")] = None,
    fold: Annotated[str | None, typer.Option(help="The column with the part of the split a row is in.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A column not meant as a feature; may be repeated.")
    ] = None,
) -> None:
    """Look for columns that could not have been known and splits that let a row see itself; 1 where there are any."""
    from risk.leaks import find_leaks

    frame = _rows_of(file)
    if outcome not in frame.columns:
        raise _Wrong(f"{file}: there is no column {outcome}.")
    apart = {outcome, fold, *(leave_out or ())} - {None}
    known = frame[outcome].notna()
    try:
        found = find_leaks(
            frame.loc[known, [name for name in frame.columns if name not in apart]],
            (frame.loc[known, outcome].astype(str) == bad).to_numpy(dtype="int64"),
            as_of=as_of, groups=group, folds=None if fold is None else frame.loc[known, fold].to_numpy(),
        )  # fmt: skip
    except (KeyError, ValueError) as fault:
        raise _Wrong(f"{file}: {fault}") from fault
    for leak in found:
        typer.echo(f"{leak.zh}\n{leak.en}\n")
    if found:
        raise typer.Exit(1)
    typer.echo("没有发现泄漏。 No leak was found.")


class _Wrong(ValueError):
    """What a person can mend, in one sentence."""


def _rows_of(file: Path) -> pd.DataFrame:
    """A table of rows from Parquet or CSV."""
    import pandas as pd

    try:
        return pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    except (OSError, ValueError) as fault:
        raise _Wrong(f"{file}: this cannot be read as a table ({fault}).") from fault


@app.command()
def card(
    model: Model, html: Annotated[Path | None, typer.Option(help="Write the card with its pictures here.")] = None
) -> None:
    """Print a model's card, or write it as one HTML file with pictures."""
    from risk import artifact
    from risk.card import write_html

    if html is not None:
        typer.echo(write_html(model, html))
        return
    files, version = artifact.opened(model)
    typer.echo(f"{files['card.md']}\n{version}")


@app.command()
def drift(mirror: Mirror, model: Model, as_of: Day) -> None:
    """Compare the firms of the mirror on a day with the model's training rows (PSI)."""
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from risk.build import build
    from risk.features import FEATURES
    from risk.model import RiskModel
    from risk.monitor import drift as moved
    from risk.records import RecordsError
    from risk.records import mirror as opened

    source = opened(mirror)
    firms = source.item("registration")
    if firms is None:
        raise RecordsError(f"{mirror} holds no registrations, so there are no firms to compare.")
    cohort = pd.DataFrame({"uscc": firms.select("uscc").distinct().execute()["uscc"], "as_of": as_of.date()})
    table = Table("", "PSI", "missing then", "now", "mean then", "now", "")
    for line in moved(RiskModel.load(model), build(source, cohort, FEATURES)):
        means = ("–" if mean is None else f"{mean:,.2f}" for mean in (line.mean_then, line.mean_now))
        table.add_row(
            line.name, f"{line.psi:.3f}", f"{line.missing_then:.1%}", f"{line.missing_now:.1%}", *means, line.state
        )
    Console().print(table)


def _table(title: str, found: Mapping[str, Any], bounds: Mapping[str, Any]) -> None:
    """Figures with their intervals."""
    from rich.console import Console
    from rich.table import Table

    from risk.card import SHOWN

    table = Table("", "value", "95 % (bootstrap)", title=title)
    for name, words in SHOWN.items():
        low, high = bounds.get(name) or (None, None)
        interval = "–" if low is None or high is None else f"{low:.4f} – {high:.4f}"
        table.add_row(words, "–" if found[name] is None else f"{found[name]:.4f}", interval)
    Console().print(table)


def main() -> None:
    """Run the commands; what a person can mend is told in one sentence, with exit code 2."""
    from risk.artifact import ArtifactError
    from risk.records import RecordsError
    from risk.spec import DatasetError
    from risk.train import TrainingError

    try:
        app()
    except (ArtifactError, DatasetError, RecordsError, TrainingError, _Wrong) as fault:
        typer.echo(str(fault), err=True)
        raise SystemExit(2) from fault


if __name__ == "__main__":
    main()
