"""Scoring: 1.1 million firms × 40 features × 300 trees by every way at hand, and one firm at a time.

    python bench/scoring.py [--rows 1100000] [--runs 3] [--json PATH]

Each way in turn, run after run, so that all share the machine's quiet and busy minutes; the median counts. CPU counts
all threads and holds where others use the machine too. Differences are against LightGBM's own log-odds (for ONNX
Runtime, which takes single precision and answers probabilities, as log-odds of its probability). The bar: 12 seconds on
two cores, the same to 1e-6. Then, with the platform's own features: one estimate with its reasons (10 ms), one firm's
contributions (5 ms), what would change it (20 ms), and a day's batch of 30,000 explained.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import lightgbm
import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from risk import fast
from risk.calibration import platt
from risk.features import FEATURES
from risk.model import RiskModel
from risk.monitor import reference
from risk.terms import Input
from risk.trees import Trees
from risk.warm import warm_up

COLUMNS, TREES, LEAVES = 40, 300, (15, 31)
FITTED = 40_000
BAR_SECONDS, BAR_DIFFERENCE = 12.0, 1e-6
CHUNK = 1 << 16
INPUTS = tuple(Input.of(one) for one in FEATURES)


@dataclass
class Way:
    """One way to score, its runs, and the largest difference from LightGBM's log-odds."""

    name: str
    threads: int
    score: Callable[[], np.ndarray] | None
    note: str = ""
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    difference: float | None = None

    def run(self, wanted: np.ndarray | None) -> np.ndarray | None:
        """Score once; answers the log-odds."""
        if self.score is None:
            return None
        wall, cpu = time.perf_counter(), time.process_time()
        margin = self.score()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)
        if wanted is not None:
            self.difference = float(np.abs(margin - wanted).max())
        return margin

    def told(self, rows: int) -> dict[str, Any]:
        if self.score is None:
            return {"way": self.name, "threads": self.threads, "note": self.note}
        seconds = float(np.median(self.wall))
        return {
            "way": self.name, "threads": self.threads, "seconds": round(seconds, 3),
            "fastest": round(min(self.wall), 3), "slowest": round(max(self.wall), 3),
            "cpu_seconds": round(float(np.median(self.cpu)), 3), "rows_per_second": round(rows / seconds),
            "difference": self.difference,
            "reaches_bar": bool(seconds <= BAR_SECONDS and (self.difference or 0) <= BAR_DIFFERENCE),
        }  # fmt: skip


def drawn(rows: int, columns: int, seed: int) -> np.ndarray:
    """Rows × columns: a third of them counts, a tenth of the values unknown."""
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((rows, columns))
    matrix[:, ::3] = np.floor(np.exp(matrix[:, ::3]))
    matrix[random.random((rows, columns), dtype=np.float32) < 0.1] = np.nan
    return matrix


def grown(leaves: int, columns: int = COLUMNS, ways: list[int] | None = None) -> lightgbm.Booster:
    """TREES trees of so many leaves that learn from every column."""
    matrix, random = drawn(FITTED, columns, 1), np.random.default_rng(2)
    weights = np.abs(random.normal(0, 0.4, columns)) * (np.ones(columns) if ways is None else np.array(ways))
    odds = np.tanh(np.nan_to_num(matrix) / 2) @ weights - 2
    labels = (random.random(FITTED) < 1 / (1 + np.exp(-odds))).astype(float)
    told = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "min_data_in_leaf": 40,
            "verbosity": -1, "num_threads": 2, "seed": 7, "deterministic": True}  # fmt: skip
    return lightgbm.train(told, lightgbm.Dataset(matrix, labels), TREES)


def by_onnx(booster: lightgbm.Booster, single: np.ndarray, threads: int) -> Way:
    """ONNX Runtime, where onnxmltools can convert the model and the runtime is installed."""
    name = "ONNX Runtime, float32"
    try:
        import onnxruntime
        from onnxmltools import convert_lightgbm
        from onnxmltools.convert.common.data_types import FloatTensorType
    except ImportError as fault:
        return Way(name, threads, None, f"not available here: {fault}")
    shape = [("rows", FloatTensorType([None, single.shape[1]]))]
    made = convert_lightgbm(booster, initial_types=shape, zipmap=False, target_opset=15)
    asked = onnxruntime.SessionOptions()
    asked.intra_op_num_threads, asked.log_severity_level = threads, 3
    session = onnxruntime.InferenceSession(made.SerializeToString(), asked, providers=["CPUExecutionProvider"])
    answer = session.get_outputs()[1].name

    def score() -> np.ndarray:
        parts = [session.run([answer], {"rows": single[start : start + CHUNK]})[0][:, 1]
                 for start in range(0, len(single), CHUNK)]  # fmt: skip
        chance = np.concatenate(parts).astype(np.float64)
        return np.log(chance / (1 - chance))

    return Way(name, threads, score)


def ways_of(booster: lightgbm.Booster, double: np.ndarray, single: np.ndarray) -> list[Way]:
    text = booster.model_to_string(num_iteration=-1)
    forest = fast.read(text)
    assert forest is not None
    own = {threads: partial(booster.predict, raw_score=True, num_threads=threads) for threads in (1, 2)}
    return [
        Way("LightGBM, float64", 1, partial(own[1], double)),
        Way("LightGBM, float64", 2, partial(own[2], double)),
        Way("LightGBM, float32", 2, partial(own[2], single)),
        by_onnx(booster, single, 2),
        Way("risk.fast, float64", 1, partial(forest.margin, double, 1)),
        Way("risk.fast, float64", 2, partial(forest.margin, double, 2)),
        Way("Trees.margin, reading the model included", 2, lambda: Trees((), text).margin(double)),
    ]


def measure_batch(rows: int, runs: int) -> dict[int, list[dict[str, Any]]]:
    """For each size of tree: every way's figures."""
    double = drawn(rows, COLUMNS, 3)
    single = double.astype(np.float32)
    warm_up()
    found = {}
    for leaves in LEAVES:
        ways = ways_of(grown(leaves), double, single)
        wanted = ways[0].run(None)
        ways[0].difference = 0.0
        for number in track(range(runs), f"{leaves} leaves", console=Console(stderr=True), transient=True):
            for way in ways[1:] if number == 0 else ways:
                way.run(wanted)
        found[leaves] = [way.told(rows) for way in ways]
    return found


def the_model() -> tuple[RiskModel, pd.DataFrame]:
    """A model of the platform's own features, and 30,000 firms."""
    names = [one.name for one in INPUTS]
    booster = grown(15, len(INPUTS), [one.direction for one in INPUTS])
    trees = Trees(tuple(names), booster.model_to_string(num_iteration=-1))
    matrix = np.abs(drawn(30_000, len(INPUTS), 4))
    margin = trees.margin(matrix)
    labels = (np.random.default_rng(5).random(len(margin)) < 1 / (1 + np.exp(-margin))).astype(float)
    kept = {name: reference(matrix[:, place]) for place, name in enumerate(names)}
    return RiskModel("bench", INPUTS, trees, platt(margin, labels), {}, kept), pd.DataFrame(matrix, columns=names)


def measure_single() -> list[dict[str, Any]]:
    """Milliseconds of what is asked for one firm: the median and the 95th percentile over 200 firms."""
    model, frame = the_model()
    ones = [frame.iloc[[place]] for place in range(200)]
    asked: list[tuple[str, float, Callable[[int], object]]] = [
        ("one estimate with its reasons", 10, lambda place: model.estimate(ones[place], explain=True)),
        ("contributions of one firm", 5, lambda place: model.contributions(ones[place])),
        ("what would change it", 20, lambda place: model.what_would_change(ones[place])),
    ]
    found = []
    for what, bar, ask in asked:
        ask(0)
        taken = []
        for place in range(len(ones)):
            begun = time.perf_counter()
            ask(place)
            taken.append((time.perf_counter() - begun) * 1000)
        middle, late = np.percentile(taken, [50, 95])
        found.append({"what": what, "firms": 1, "median_ms": round(middle, 2), "p95_ms": round(late, 2), "bar_ms": bar})
    begun = time.perf_counter()
    model.estimate(frame, explain=True)
    seconds = time.perf_counter() - begun
    each = round(seconds / len(frame) * 1000, 2)
    return [
        *found,
        {"what": "a day's batch explained", "firms": len(frame), "median_ms": each, "seconds": round(seconds, 1)},
    ]


def show(batch: dict[int, list[dict[str, Any]]], single: list[dict[str, Any]], rows: int) -> None:
    for leaves, lines in batch.items():
        table = Table("way", "threads", "seconds (median)", "range", "CPU s", "rows/s", "largest difference", "bar",
                      title=f"{rows:,} rows × {COLUMNS} features × {TREES} trees of {leaves} leaves")  # fmt: skip
        for one in lines:
            if "note" in one:
                table.add_row(one["way"], str(one["threads"]), one["note"])
                continue
            span = f"{one['fastest']:.2f} – {one['slowest']:.2f}"
            table.add_row(one["way"], str(one["threads"]), f"{one['seconds']:.2f}", span, f"{one['cpu_seconds']:.2f}",
                          f"{one['rows_per_second']:,}", f"{one['difference']:.1e}",
                          "yes" if one["reaches_bar"] else "no")  # fmt: skip
        Console(width=140).print(table)
    table = Table(
        "", "firms", "ms a firm (median)", "95th percentile", "bar", title=f"{len(INPUTS)} features, {TREES} trees"
    )
    for one in single:
        late = f"{one['p95_ms']:.2f}" if "p95_ms" in one else f"{one['seconds']:.0f} s in all"
        table.add_row(one["what"], f"{one['firms']:,}", f"{one['median_ms']:.2f}", late,
                      f"{one['bar_ms']} ms" if "bar_ms" in one else "minutes")  # fmt: skip
    Console(width=140).print(table)


def main(
    rows: int = 1_100_000, runs: int = 3, json_path: Annotated[Path | None, typer.Option("--json")] = None
) -> None:
    """Measure all, print the tables, write JSON."""
    single = measure_single()
    batch = measure_batch(rows, runs)
    show(batch, single, rows)
    if json_path is not None:
        told = {"rows": rows, "features": COLUMNS, "trees": TREES, "runs": runs, "python": platform.python_version(),
                "lightgbm": lightgbm.__version__, "batch": {str(leaves): lines for leaves, lines in batch.items()},
                "single": single}  # fmt: skip
        json_path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
