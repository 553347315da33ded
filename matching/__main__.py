"""`python -m matching solve` and `certify`: the sharing out on Parquet files, for experiments outside the platform."""

import json
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from matching.allocate import allocate
from matching.certificate import Certificate, certify
from matching.problem import Columns, ProblemError, pose
from matching.terms import Lines, Prices, Problem
from matching.warm import warm_up

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

File = Annotated[Path, typer.Option(exists=True, dir_okay=False, readable=True)]
MaybeFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, readable=True)]
Tables = tuple[Path, Path, Path, Path | None]


@app.command()
def solve(
    demands: File,
    products: File,
    pairs: File,
    out: Annotated[Path, typer.Option(help="where the lists go (Parquet)")],
    certificate: Annotated[Path, typer.Option(help="where the certificate goes (JSON)")],
    banks: MaybeFile = None,
    max_banks: Annotated[int, typer.Option(min=1, help="lines per demand at most")] = 3,
    urgent_days: Annotated[int | None, typer.Option(min=0, help="demands that waited so long come first")] = None,
    seed: int = 0,
) -> None:
    """Share out the demands among the products' places and certify the lists."""
    began = time.perf_counter()
    problem = _problem((demands, products, pairs, banks), max_banks, urgent_days)
    posed = time.perf_counter()
    allocation = allocate(problem, seed)
    solved = time.perf_counter()
    told = certify(problem, allocation.lines, allocation.prices)
    certified = time.perf_counter()
    _write_lists(allocation.lines, out)
    seconds = {"read": posed - began, "solve": solved - posed, "certify": certified - solved}
    report = {
        **json.loads(told.to_json()),
        "stage_prices": [_price_node(problem, one) for one in allocation.prices],
        "asked": {"max_banks": max_banks, "seed": seed, "urgent_days": urgent_days},
        "seconds": round(certified - began, 3),
        "seconds_by_step": {step: round(spent, 3) for step, spent in seconds.items()},
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__},
    }
    certificate.write_text(json.dumps(report, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    _tell(told)
    if told.breaches:
        raise typer.Exit(1)


@app.command("certify")
def recheck(
    demands: File, products: File, pairs: File, lists: File, certificate: File, banks: MaybeFile = None
) -> None:
    """Check lists and certificate anew from the files alone; fails on a breach or a figure that does not agree."""
    try:
        stored = json.loads(certificate.read_text(encoding="utf-8"))
        asked, stages = stored["asked"], stored["stage_prices"]
    except (ValueError, KeyError, TypeError) as fault:
        raise _refusal(f"{certificate}: this is no certificate of ours ({fault})") from fault
    problem = _problem((demands, products, pairs, banks), asked["max_banks"], asked["urgent_days"])
    told = certify(problem, _read_lists(lists), tuple(_prices(problem, node) for node in stages))
    fresh = json.loads(told.to_json())
    wrong = sorted(name for name, value in fresh.items() if stored.get(name) != value)
    _tell(told)
    for name in wrong:
        typer.echo(f"does not agree: {name} is {fresh[name]!r:.200}, the certificate says {stored.get(name)!r:.200}")
    if wrong or told.breaches:
        raise typer.Exit(1)
    typer.echo("The certificate holds.")


@app.command()
def warm() -> None:
    """Compile the solver's loops ahead of the first day."""
    warm_up()


def _problem(tables: Tables, max_banks: int, urgent_days: int | None) -> Problem:
    demands, products, pairs, banks = (None if path is None else _columns(path) for path in tables)
    assert demands is not None
    assert products is not None
    assert pairs is not None
    try:
        return pose(demands, products, pairs, banks, max_banks=max_banks, urgent_days=urgent_days)
    except ProblemError as fault:
        raise _refusal(str(fault)) from fault


def _columns(path: Path) -> Columns:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as fault:
        raise _refusal(f"{path}: this is no Parquet file that can be read ({fault})") from fault
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _write_lists(lines: Lines, path: Path) -> None:
    columns = {
        "demand_id": pa.array(lines.demand_id, pa.int64()),
        "product_id": pa.array(lines.product_id, pa.int64()),
        "bank_id": pa.array(lines.bank_id, pa.int64()),
        "rank": pa.array(lines.rank, pa.int32()),
    }
    pq.write_table(pa.table(columns), path)


def _read_lists(path: Path) -> Lines:
    columns = _columns(path)
    missing = [name for name in ("demand_id", "product_id", "bank_id", "rank") if name not in columns]
    if missing:
        raise _refusal(f"{path}: the column '{missing[0]}' is missing")
    return Lines(*(np.asarray(columns[name], np.int64) for name in ("demand_id", "product_id", "bank_id", "rank")))


def _price_node(problem: Problem, prices: Prices) -> dict[str, Any]:
    by_id = (("product", problem.product_id), ("quota", problem.product_id), ("bank", problem.bank_id))
    return {
        part: {str(one): price for one, price in zip(ids.tolist(), getattr(prices, part).tolist(), strict=True)}
        for part, ids in by_id
    }


def _prices(problem: Problem, node: dict[str, Any]) -> Prices:
    by_id = (("product", problem.product_id), ("quota", problem.product_id), ("bank", problem.bank_id))
    return Prices(*(np.array([float(node[part].get(str(one), 0.0)) for one in ids.tolist()]) for part, ids in by_id))


def _tell(told: Certificate) -> None:
    typer.echo(
        f"{told.placed} lines for {told.demands_placed} demands · value {told.value:.4f} of at most {told.bound:.4f} "
        f"(gap {told.gap:.4%}) · {len(told.starved_banks)} banks without a line · longest wait {told.longest_wait} days"
    )
    for breach in told.breaches:
        typer.echo(f"breach: {breach}", err=True)


def _refusal(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(2)


if __name__ == "__main__":
    sys.exit(app())
