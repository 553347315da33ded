"""`python -m matching solve` and `certify`: the sharing out on Parquet files, for experiments outside the platform.

With `--published` (lists that are out) and `--refused` (demand_id, product_id of lines given back) it is a supplement
that is solved and certified: published lines stand, and those who look for a bank bid for what is free.
"""

import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numba
import numpy as np
import typer

from matching.allocate import allocate, solver_version
from matching.certificate import Certificate, certify
from matching.files import find_room, read_columns, read_lists, read_whole, write_lists
from matching.problem import ProblemError, pose
from matching.rules import pairs_of
from matching.stages import STAGES
from matching.supplement import what_is_left
from matching.terms import Ints, Lines, Prices, Problem
from matching.warm import warm_up

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

File = Annotated[Path, typer.Option(exists=True, dir_okay=False, readable=True)]
MaybeFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, readable=True)]
Tables = tuple[Path, Path, Path, Path | None]
T = TypeVar("T")


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
    seed: Annotated[int, typer.Option(min=0, help="0: demands bid in the order of their ids")] = 0,
    published: MaybeFile = None,
    refused: MaybeFile = None,
    start_from: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="a certificate: bid up from its prices")
    ] = None,
) -> None:
    """Share out the demands among the products' places and certify the lists."""
    began = time.perf_counter()
    _told(find_room, out, certificate)
    problem = _left(_problem((demands, products, pairs, banks), max_banks, urgent_days), published, refused)
    start = None if start_from is None else _stage_prices(problem, start_from, _certificate(start_from))
    posed = time.perf_counter()
    allocation = allocate(problem, seed, start)
    solved = time.perf_counter()
    told = certify(problem, allocation.lines, allocation.prices)
    certified = time.perf_counter()
    write_lists(allocation.lines, out)
    seconds = {"read": posed - began, "solve": solved - posed, "certify": certified - solved}
    report = {
        **json.loads(told.to_json()),
        "stage_prices": [_price_node(problem, one) for one in allocation.prices],
        "asked": {"max_banks": max_banks, "seed": seed, "urgent_days": urgent_days},
        "seconds": round(certified - began, 3),
        "seconds_by_step": {step: round(spent, 3) for step, spent in seconds.items()},
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "numba": numba.__version__,
            "solver": solver_version(),
        },
    }
    certificate.write_text(json.dumps(report, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    _tell(told)
    if told.breaches:
        raise typer.Exit(1)


@app.command("certify")
def recheck(
    demands: File, products: File, pairs: File, lists: File, certificate: File, banks: MaybeFile = None,
    published: MaybeFile = None, refused: MaybeFile = None,
) -> None:  # fmt: skip
    """Check lists and certificate anew from the files alone; fails on a breach or a figure that does not agree."""
    stored = _certificate(certificate)
    try:
        asked = (stored["asked"]["max_banks"], stored["asked"]["urgent_days"])
    except (KeyError, TypeError) as fault:
        raise _no_certificate(certificate, fault) from fault
    problem = _left(_problem((demands, products, pairs, banks), *asked), published, refused)
    told = certify(problem, _told(read_lists, lists), _stage_prices(problem, certificate, stored))
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
    names = ("demands", "products", "pairs", "banks")
    given = [_told(read_columns, path, name) for path, name in zip(tables, names, strict=True) if path is not None]
    return _told(pose, *given, max_banks=max_banks, urgent_days=urgent_days)


def _left(problem: Problem, published: Path | None, refused: Path | None) -> Problem:
    """The whole day, or what is left of it beside the lists that are out."""
    if published is None:
        if refused is not None:
            raise _refusal("--refused names lines of the lists that --published gives: name both")
        return problem
    standing = _pairs(problem, published, _told(read_lists, published))
    given_back = _pairs(problem, refused, _read_refused(problem, refused)) if refused else standing[:0]
    strangers = np.setdiff1d(given_back, standing)
    if len(strangers):
        demand, product = (int(ids[ends[strangers[0]]]) for ids, ends in (
            (problem.demand_id, problem.pair_demand), (problem.product_id, problem.pair_product)))  # fmt: skip
        raise _refusal(f"{refused}: demand {demand} at product {product} is no line of {published}")
    return what_is_left(problem, standing, given_back)


def _pairs(problem: Problem, path: Path, lines: Lines) -> Ints:
    pairs, breaches = pairs_of(problem, lines)
    if breaches:
        raise _refusal(f"{path}: {breaches[0]}")
    return pairs


def _read_refused(problem: Problem, path: Path) -> Lines:
    demand, product = _told(read_whole, path, "refused", ("demand_id", "product_id"))
    at = np.minimum(np.searchsorted(problem.product_id, product), len(problem.product_id) - 1)
    bank = problem.bank_id[problem.product_bank[at]] if len(problem.product_id) else np.zeros_like(product)
    return Lines(demand, product, bank, np.ones_like(demand))


def _certificate(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise _no_certificate(path, fault) from fault
    return stored if isinstance(stored, dict) else {}


def _stage_prices(problem: Problem, path: Path, stored: dict[str, Any]) -> tuple[Prices, ...]:
    """The certificate's prices of each stage; what it does not price costs nothing."""
    try:
        prices = tuple(_prices(problem, node) for node in stored["stage_prices"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as fault:
        raise _no_certificate(path, fault) from fault
    if len(prices) != len(STAGES):
        raise _no_certificate(path, f"it has prices for {len(prices)} stages, not {len(STAGES)}")
    return prices


def _no_certificate(path: Path, fault: Exception | str) -> typer.Exit:
    return _refusal(f"{path}: this is no certificate of ours ({fault})")


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


def _told(act: Callable[..., T], *given: Any, **more: Any) -> T:
    """What `act` answers; a ProblemError ends the command with its sentence."""
    try:
        return act(*given, **more)
    except ProblemError as fault:
        raise _refusal(str(fault)) from fault


def _refusal(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(2)


if __name__ == "__main__":
    sys.exit(app())
