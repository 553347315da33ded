"""The sharing out of a city's day beside its peers: 330,000 demands, 4 million pairs, 233 products of 116 banks.

    python bench/allocation.py [--demands 330000] [--runs 3] [--refusals 9] [--seed 1] [--others 2,3,4] [--json PATH]

Every contender runs in a process of its own, in turn, so that all share the machine's quiet and busy minutes and none
counts another's memory; the median counts. CPU holds where others use the machine too. One bank per demand: OR-tools'
min-cost flow is the referee, its arcs handed over as arrays, a flow past every bank at no cost (what does not fit stays
out), values as millionths; build and solve apart. Three banks: places of products and banks, money lines, floors,
intended pairs and late demands first; greedy takes pairs by value in the same order of stages. HiGHS solves the linear
programme of each stage where that is small. Other seeds: ours alone, once. After one refusal: published lines stand, so
what is left is found, solved and certified as a supplement, beside the day shared out anew, which would move lines that
are out. Yesterday's prices: half of the day's demands bid from nothing, and from what the other half paid.
"""

import json
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from _city_day import Shape, draw_day, half_of, read_day, write_day
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from matching.stages import Stage
    from matching.terms import Problem

Told = dict[str, Any]
MILLIONTHS = 1_000_000
URGENT_DAYS = 10
SMALL = (Shape(300, 12, 6, 1.2, True), Shape(1_500, 30, 15, 1.2, True), Shape(4_000, 60, 30, 1.2, True))


@contextmanager
def timed(told: Told, step: str) -> Iterator[None]:
    """Adds the wall and CPU seconds of a step."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    told[step] = round(time.perf_counter() - wall, 3)
    told[f"{step}_cpu"] = round(time.process_time() - cpu, 3)


def peak_mib() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def apart(act: Callable[..., Any], *given: Any) -> Any:
    """What `act` answers in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as other:
        return other.apply(act, given)


def posed(tables: dict[str, Any], ruled: bool) -> "Problem":
    from matching.problem import pose

    return pose(
        tables["demands"], tables["products"], tables["pairs"], tables.get("banks"),
        max_banks=3 if ruled else 1, urgent_days=URGENT_DAYS if ruled else None,
    )  # fmt: skip


def ours(folder: Path, ruled: bool) -> Told:
    from matching.allocate import allocate
    from matching.certificate import certify
    from matching.warm import warm_up

    warm_up()
    tables, told = read_day(folder), {"way": "ours"}
    with timed(told, "build"):
        problem = posed(tables, ruled)
    with timed(told, "solve"):
        allocation = allocate(problem)
    with timed(told, "certify"):
        proof = certify(problem, allocation.lines, allocation.prices)
    return told | {
        "value": proof.value, "bound": proof.bound, "gap": proof.gap, "placed": proof.placed,
        "demands_placed": proof.demands_placed, "breaches": len(proof.breaches), "peak_mib": peak_mib(),
        "blocking_pairs": proof.blocking_pairs, "starved_banks": len(proof.starved_banks),
        "short_of_floor": len(proof.short_of_floor), "longest_wait": proof.longest_wait,
        "late_unlisted": proof.late_unlisted,
    }  # fmt: skip


def min_cost_flow(folder: Path, ruled: bool) -> Told:
    """Exact to a millionth of a value; one bank per demand only."""
    from ortools.graph.python import min_cost_flow as graph

    assert not ruled
    day, told = read_day(folder), {"way": "OR-tools min-cost flow"}
    with timed(told, "build"):
        demands, places = len(day["demands"]["demand_id"]), day["products"]["places"]
        products, sink = len(places), demands + len(places)
        everyone, shelf = np.arange(demands), demands + np.arange(products)
        tails = np.concatenate([day["pairs"]["demand_id"] - 1, everyone, shelf])
        heads = np.concatenate([demands + day["pairs"]["product_id"] - 1, np.full(demands + products, sink)])
        room = np.concatenate([np.ones(len(day["pairs"]["value"]) + demands, np.int64), places])
        value = np.rint(day["pairs"]["value"] * MILLIONTHS).astype(np.int64)
        flow = graph.SimpleMinCostFlow()
        flow.add_arcs_with_capacity_and_unit_cost(
            tails, heads, room, np.concatenate([-value, np.zeros(demands + products, np.int64)])
        )
        supply = np.concatenate([np.ones(demands, np.int64), np.zeros(products, np.int64), [-demands]])
        flow.set_nodes_supplies(np.arange(sink + 1), supply)
    with timed(told, "solve"):
        status = flow.solve()
    assert status == flow.OPTIMAL
    taken = flow.flows(np.arange(len(value))) > 0
    return told | {
        "value": float(day["pairs"]["value"][taken].sum()), "gap": 0.0, "placed": int(taken.sum()),
        "demands_placed": int(taken.sum()), "breaches": 0, "peak_mib": peak_mib(),
    }  # fmt: skip


def greedy(folder: Path, ruled: bool) -> Told:
    """Stage by stage the most valuable pair for which there is room."""
    from matching.allocate import add_best
    from matching.stages import STAGES, pair_stages, possible, remaining
    from matching.warm import warm_up

    warm_up()
    tables, told = read_day(folder), {"way": "greedy by value"}
    with timed(told, "build"):
        problem = posed(tables, ruled)
    taken = np.zeros(0, np.int64)
    with timed(told, "solve"):
        stage_of = pair_stages(problem)
        for stage in STAGES:
            left = remaining(problem, taken, stage, stage_of)
            ranked = np.flatnonzero(possible(problem, left))
            ranked = ranked[np.argsort(-problem.value[ranked], kind="stable")]
            added = add_best(
                ranked, problem.pair_demand, problem.pair_product, problem.product_bank, problem.amount_fen,
                left.lines, left.places, left.quota, left.bank_places,
            )  # fmt: skip
            taken = np.concatenate([taken, ranked[added]])
    return told | {
        "value": float(problem.value[taken].sum()), "placed": len(taken),
        "demands_placed": len(np.unique(problem.pair_demand[taken])), "peak_mib": peak_mib(),
    }  # fmt: skip


def linear(problem: "Problem", left: "Stage") -> float:
    """The optimum of a stage's linear programme, by HiGHS: at least any sharing out of that stage."""
    import highspy
    from scipy.sparse import csc_matrix

    from matching.stages import possible

    pairs = np.flatnonzero(possible(problem, left))
    if not len(pairs):
        return 0.0
    demand, product = problem.pair_demand[pairs], problem.pair_product[pairs]
    bank, one = problem.product_bank[product], np.ones(len(pairs))
    both, at_bank = np.unique(demand * len(problem.bank_id) + bank, return_inverse=True)
    no_line = highspy.kHighsInf
    blocks = [
        (demand, one, left.lines.astype(float)),
        (at_bank, one, np.ones(len(both))),
        (product, one, left.places.astype(float)),
        (bank, one, np.where(left.bank_places < 0, no_line, left.bank_places)),
        (product, problem.amount_fen[demand] / MILLIONTHS, np.where(left.quota < 0, no_line, left.quota / MILLIONTHS)),
    ]
    first = np.cumsum([0, *(len(upper) for _, _, upper in blocks)])
    row = np.concatenate([start + rows for start, (rows, _, _) in zip(first, blocks, strict=False)])
    filled = np.concatenate([share for _, share, _ in blocks])
    matrix = csc_matrix((filled, (row, np.tile(np.arange(len(pairs)), len(blocks)))), (first[-1], len(pairs)))
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = len(pairs), int(first[-1])
    programme.col_cost_, programme.sense_ = problem.value[pairs], highspy.ObjSense.kMaximize
    programme.col_lower_, programme.col_upper_ = np.zeros(len(pairs)), one
    programme.row_lower_ = np.full(first[-1], -no_line)
    programme.row_upper_ = np.concatenate([upper for _, _, upper in blocks])
    programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    programme.a_matrix_.start_, programme.a_matrix_.index_ = matrix.indptr, matrix.indices
    programme.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(programme)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getInfo().objective_function_value)


def beside_linear(shape: Shape, seed: int) -> Told:
    """Our value and bound beside the linear programmes of the same stages."""
    from matching.allocate import allocate
    from matching.certificate import certify
    from matching.stages import STAGES, line_stages, pair_stages, remaining
    from matching.warm import warm_up

    warm_up()
    problem = posed(draw_day(replace(shape, seed=seed)), ruled=True)
    told: Told = {"demands": shape.demands, "products": shape.products, "pairs": len(problem.value), "seed": seed}
    with timed(told, "ours"):
        found = allocate(problem)
    proof = certify(problem, found.lines, found.prices)
    stage_of = pair_stages(problem)
    line_stage = line_stages(problem, found.pairs, stage_of)
    with timed(told, "highs"):
        best = sum(
            linear(problem, remaining(problem, found.pairs[line_stage < stage], stage, stage_of)) for stage in STAGES
        )
    return told | {
        "value": proof.value, "bound": proof.bound, "linear": best, "gap": proof.gap, "breaches": len(proof.breaches),
        "gap_to_linear": 1 - proof.value / best, "bound_over_linear": proof.bound / best - 1,
    }  # fmt: skip


def after_refusals(folder: Path, ruled: bool, refusals: int) -> list[Told]:
    """Refusal after refusal of a published line: the supplement, and every third time the day shared out anew."""
    from matching.allocate import allocate
    from matching.certificate import certify
    from matching.rules import pairs_of
    from matching.supplement import what_is_left
    from matching.warm import warm_up

    warm_up()
    problem = posed(read_day(folder), ruled)
    morning = allocate(problem)
    published, draw, found = morning.pairs, np.random.default_rng(0), []
    refused = published[:0]
    for turn in range(refusals):
        refused = np.append(refused, draw.choice(np.setdiff1d(published, refused)))
        told: Told = {}
        with timed(told, "find"):
            left = what_is_left(problem, published, refused)
        with timed(told, "solve"):
            supplement = allocate(left)
        with timed(told, "certify"):
            proof = certify(left, supplement.lines, supplement.prices)
        published = np.sort(np.append(published, pairs_of(problem, supplement.lines)[0]))
        standing = np.setdiff1d(published, refused)
        if turn % 3 == 0:
            excluded = problem.excluded.copy()
            excluded[refused] = True
            with timed(told, "anew"):
                anew = allocate(replace(problem, excluded=excluded), warm_prices=morning.prices)
            told["anew_moved"] = len(np.setxor1d(anew.pairs, standing))
        told |= {"all": sum(told[step] for step in ("find", "solve", "certify")), "lines": proof.placed}
        told |= {"waiting": len(left.demand_id), "gap": proof.gap, "breaches": len(proof.breaches)}
        found.append(told | {"day_gap": 1 - problem.value[standing].sum() / morning.bound})
    return found


def from_yesterday(folder: Path, ruled: bool) -> Told:
    """Half of the demands (and of every limit) shared out from nothing, and from the prices of the other half."""
    from matching.allocate import allocate
    from matching.warm import warm_up

    warm_up()
    day = read_day(folder)
    yesterday, today = (posed(half_of(day, odd), ruled) for odd in (0, 1))
    prices, told = allocate(yesterday).prices, {"demands": len(today.demand_id)}
    for name, start in (("cold", None), ("warm", prices)):
        with timed(told, name):
            found = allocate(today, warm_prices=start)
        told[f"{name}_gap"] = found.gap
    return told


def middle(runs: list[Told]) -> Told:
    """One contender's runs as one row: the median of every figure."""
    return {
        name: float(np.median([run[name] for run in runs])) if isinstance(value, int | float) else value
        for name, value in runs[0].items()
        if all(name in run for run in runs)
    }


def contest(folder: Path, ruled: bool, runs: int) -> list[Told]:
    ways = [ours, greedy] if ruled else [ours, min_cost_flow, greedy]
    measured = [[apart(way, folder, ruled) for way in ways] for _ in range(runs)]
    rows = [middle([run[place] for run in measured]) for place in range(len(ways))]
    for place, row in enumerate(rows):
        row["runs"] = [run[place] for run in measured]
    return rows


def measure(demands: int, runs: int, refusals: int, seeds: list[int]) -> Told:
    found: Told = {"seeds": []}
    for name, ruled in (("one bank", False), ("three banks", True)):
        for size in (demands, 20_000):
            with written(size, ruled, seeds[0]) as (folder, pairs):
                if size == demands:
                    found[name] = {"demands": size, "pairs": pairs, "ways": contest(folder, ruled, runs)}
                turns = apart(after_refusals, folder, ruled, refusals)
                found[f"a refusal, {name}, {size:,} demands"] = {"pairs": pairs, "turns": turns}
                found[f"yesterday, {name}, {size:,} demands"] = apart(from_yesterday, folder, ruled)
        for seed in seeds:
            with written(demands, ruled, seed) as (folder, pairs):
                found["seeds"].append({"name": name, "seed": seed, "pairs": pairs} | apart(ours, folder, ruled))
    found["linear"] = [apart(beside_linear, shape, seeds[0] + more) for shape in SMALL for more in range(3)]
    return found


@contextmanager
def written(demands: int, ruled: bool, seed: int) -> Iterator[tuple[Path, int]]:
    """A day on disk, and its pairs."""
    with tempfile.TemporaryDirectory(prefix="allocation-") as folder:
        shape = Shape(demands, roominess=1.6 if ruled else 0.8, ruled=ruled, seed=seed)
        yield Path(folder), apart(write_day, Path(folder), shape)


def show(found: Told) -> None:
    for name in ("one bank", "three banks"):
        part = found[name]
        best = max(row["value"] for row in part["ways"])
        table = Table("way", "build s (CPU)", "solve s (CPU)", "certify s (CPU)", "of the best", "gap", "lines",
                      "firms listed", "breaches", "peak MiB", "CPU of the solve, to ours",
                      title=f"{name}: {part['demands']:,} demands, {part['pairs']:,} pairs")  # fmt: skip
        for row in part["ways"]:
            steps = (f"{row[step]:.2f} ({row[f'{step}_cpu']:.2f})" if step in row else ""
                     for step in ("build", "solve", "certify"))  # fmt: skip
            table.add_row(
                row["way"], *steps, f"{row['value'] / best:.4%}", f"{row['gap']:.4%}" if "gap" in row else "",
                f"{row['placed']:,.0f}", f"{row['demands_placed']:,.0f}",
                f"{row['breaches']:.0f}" if "breaches" in row else "", f"{row['peak_mib']:,.0f}",
                f"{row['solve_cpu'] / part['ways'][0]['solve_cpu']:.1f} ×",
            )  # fmt: skip
        Console(width=160).print(table)
    table = Table("", "seed", "solve s (CPU)", "certify s (CPU)", "gap", "breaches", "starved banks", "late unlisted",
                  "peak MiB", title="Other days: ours, once")  # fmt: skip
    for row in found["seeds"]:
        table.add_row(
            row["name"], str(row["seed"]), f"{row['solve']:.2f} ({row['solve_cpu']:.2f})",
            f"{row['certify']:.2f} ({row['certify_cpu']:.2f})", f"{row['gap']:.4%}", str(row["breaches"]),
            str(row["starved_banks"]), str(row["late_unlisted"]), f"{row['peak_mib']:,}",
        )  # fmt: skip
    Console(width=160).print(table)
    table = Table("", "supplement: ms", "slowest", "of which find", "solve", "certify", "waiting", "lines", "gap",
                  "breaches", "gap of the day", "anew: ms", "moved", title="After one refusal (median)")  # fmt: skip
    for name, part in found.items():
        if not name.startswith("a refusal"):
            continue
        row, anew = middle(part["turns"]), middle([one for one in part["turns"] if "anew" in one])
        table.add_row(
            name.removeprefix("a refusal, "), f"{1000 * row['all']:.0f}",
            f"{1000 * max(one['all'] for one in part['turns']):.0f}",
            *(f"{1000 * row[step]:.0f}" for step in ("find", "solve", "certify")), f"{row['waiting']:,.0f}",
            f"{row['lines']:.0f}", f"{row['gap']:.3%}", str(sum(one["breaches"] for one in part["turns"])),
            f"{row['day_gap']:.4%}", f"{1000 * anew['anew']:.0f}", f"{anew['anew_moved']:,.0f}",
        )  # fmt: skip
    Console(width=160).print(table)
    table = Table("", "from nothing: ms (CPU)", "gap", "from yesterday's prices: ms (CPU)", "gap", title="Warm start")
    for name, row in found.items():
        if name.startswith("yesterday"):
            steps = (f"{1000 * row[way]:.0f} ({1000 * row[f'{way}_cpu']:.0f})" for way in ("cold", "warm"))
            gaps = (f"{row[f'{way}_gap']:.4%}" for way in ("cold", "warm"))
            told = (part for both in zip(steps, gaps, strict=True) for part in both)
            table.add_row(f"{name.removeprefix('yesterday, ')}, halved", *told)
    Console(width=160).print(table)
    table = Table("demands", "products", "pairs", "seed", "ours ms", "HiGHS ms", "below the linear optimum",
                  "our bound above it", "gap", "breaches", title="Each stage's linear programme")  # fmt: skip
    for row in found["linear"]:
        table.add_row(
            f"{row['demands']:,}", str(row["products"]), f"{row['pairs']:,}", str(row["seed"]),
            f"{1000 * row['ours']:.0f}", f"{1000 * row['highs']:,.0f}", f"{row['gap_to_linear']:.4%}",
            f"{row['bound_over_linear']:.4%}", f"{row['gap']:.4%}", str(row["breaches"]),
        )  # fmt: skip
    Console(width=160).print(table)


def main(
    demands: int = 330_000, runs: int = 3, refusals: int = 9, seed: int = 1, others: str = "2,3,4",
    json_path: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:  # fmt: skip
    """Measure all, print the tables, write JSON."""
    load = [os.getloadavg()]
    found = measure(demands, runs, refusals, [seed, *(int(one) for one in others.split(",") if one)])
    load.append(os.getloadavg())
    show(found)
    Console().print(f"Load of the machine ({os.cpu_count()} cores) before and after: {load[0]}, {load[1]}")
    if json_path is not None:
        versions = {name: version(name) for name in ("numpy", "numba", "ortools", "highspy")}
        machine = {"python": platform.python_version(), "versions": versions, "cores": os.cpu_count(), "load": load}
        json_path.write_text(json.dumps(machine | {"seed": seed} | found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
