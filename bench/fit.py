"""Admission of a whole city: 1,100,000 firms × 233 products of 116 banks, who fits where, and each firm's five best.

    python bench/fit.py [--firms 1100000] [--runs 7] [--sample 100000] [--seed 1] [--json PATH]

Ours: the index of criteria built, fitting pairs found, tables of chances made, pairs ranked, each step by itself.
Beside it, in turn, run after run, so that all share the machine's quiet and busy minutes: the plain way (numpy, product
by product, then a dense table of worth), and the bytes a step reads and writes, copied once by numpy on two threads.
DuckDB joins a sample by the same criteria. The median counts; CPU counts all threads and holds where others use the
machine too. The ways must agree: the same pairs, and the same worth for each rank to the last bit.
"""

import json
import os
import platform
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import duckdb
import numpy as np
import pyarrow as pa
import typer
from _fit_city import TODAY, City, draw_city, lines_set
from rich.console import Console
from rich.table import Table

from matching.best import MOST, Best, Chances, best_of, chances_of, traits_of_columns
from matching.criteria import day_number, whole_months
from matching.facts import FIRM_KINDS, SIZES, TAX_GRADES, USES, code_number, code_of, guarantee_bits
from matching.fit_many import Index, Pairs, build_index, fit_many
from matching.judge_many import FactColumns
from matching.policy import load_policy
from matching.terms import Product
from matching.value import Weights, preference, weights_of, worth
from matching.warm import warm_up

Told = dict[str, Any]
CHUNK = 1 << 14
BAR_SECONDS = 1.0
THREADS = 2
AT_LEAST = {"months": "min_months_in_business", "yearly_sales_fen": "min_yearly_sales_fen",
            "tax_paid_fen": "min_tax_paid_fen", "employees": "min_employees"}  # fmt: skip
AT_MOST = {"overdue_days": "max_overdue_days", "tax_arrears_months": "max_tax_arrears_months",
           "enforcement_open_fen": "max_enforcement_open_fen", "probability": "max_probability",
           "tax_grade": "min_tax_grade"}  # fmt: skip
AMONG = {"firm_kind": ("firm_kinds", FIRM_KINDS), "size": ("sizes", SIZES), "use": ("uses", USES)}


@dataclass
class Clock:
    """Wall and CPU seconds of each step of each way, run after run."""

    wall: dict[tuple[str, str], list[float]]
    cpu: dict[tuple[str, str], list[float]]

    def time(self, way: str, step: str, act: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        answer = act()
        self.wall.setdefault((way, step), []).append(time.perf_counter() - wall)
        self.cpu.setdefault((way, step), []).append(time.process_time() - cpu)
        return answer

    def told(self) -> list[Told]:
        return [
            {"way": way, "step": step, "seconds": round(float(np.median(wall)), 4), "fastest": round(min(wall), 4),
             "slowest": round(max(wall), 4), "cpu_seconds": round(float(np.median(self.cpu[way, step])), 4)}
            for (way, step), wall in self.wall.items()
        ]  # fmt: skip


def ours(clock: Clock, city: City, weights: Weights) -> tuple[Index, Pairs, Chances, Best]:
    index = clock.time("ours", "index", lambda: build_index(city.products))
    pairs = clock.time("ours", "pairs", lambda: fit_many(city.columns, city.products, TODAY, index=index))
    chances = clock.time(
        "ours", "chances",
        lambda: chances_of(
            city.appetite, traits_of_columns(city.columns, city.lights), city.products, city.bank_kinds
        ),
    )  # fmt: skip
    asked = city.columns.values["amount_fen"]
    best = clock.time("ours", f"best {MOST}", lambda: best_of(pairs, city.products, chances, asked, weights))
    return index, pairs, chances, best


def plain(clock: Clock, city: City, chances: Chances, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """A fits-table by numpy, product by product; the best five from a dense table of worth, a chunk of firms a time."""
    fits = clock.time("plain numpy", "pairs", lambda: plain_fit(city.columns, city.products))
    value = clock.time("plain numpy", f"best {MOST}", lambda: plain_best(city, fits, chances, weights))
    return fits, value


def plain_fit(columns: FactColumns, products: Iterable[Product]) -> np.ndarray:
    known = {name: columns.states[name] != 1 for name in columns.values}
    values = dict(columns.values)
    values["months"] = whole_months(values["established_on"], day_number(TODAY))
    known["months"] = known["established_on"]
    codes = {int(number): code_of(int(number)) for number in np.unique(values["industry"])}
    return np.stack([_takes(product, values, known, codes) for product in products])


def _takes(product: Product, values: Any, known: Any, codes: dict[int, str]) -> np.ndarray:
    amount, term = values["amount_fen"], values["term_months"]
    fits = (amount >= product.amount_min_fen) & (amount <= product.amount_max_fen)
    fits &= (term >= product.term_min_months) & (term <= product.term_max_months)
    fits &= ~known["rate_ceiling"] | (values["rate_ceiling"] >= _number(product.rate_min))
    for fact, line in AT_LEAST.items():
        if getattr(product, line) is not None:
            fits &= known[fact] & (values[fact] >= getattr(product, line))
    for fact, line in AT_MOST.items():
        if getattr(product, line) is not None:
            fits &= known[fact] & (values[fact] <= _number(getattr(product, line)))
    for fact, taken in _taken(product, codes).items():
        fits &= known[fact] & np.isin(values[fact], taken)
    if "credit" not in product.guarantees:
        fits &= values["guarantees"] & guarantee_bits(product.guarantees) > 0
    return fits


def _number(line: Decimal | int | str) -> int:
    """A line as columns have it: shares in millionths, grades by their place."""
    if isinstance(line, str):
        return TAX_GRADES.index(line)
    return int(line * 1_000_000) if isinstance(line, Decimal) else line


def _taken(product: Product, codes: dict[int, str]) -> dict[str, list[int]]:
    """The numbers a product takes of each fact for which it names a set."""
    taken = {fact: [choices.index(one) for one in getattr(product, chosen)]
             for fact, (chosen, choices) in AMONG.items() if getattr(product, chosen)}  # fmt: skip
    if product.districts:
        taken["district"] = [code_number(one) for one in product.districts]
    if product.industries or product.excluded_industries:
        taken["industry"] = [number for number, code in codes.items() if code and _takes_industry(product, code)]
    return taken


def _takes_industry(product: Product, code: str) -> bool:
    wanted = not product.industries or code.startswith(tuple(product.industries))
    return wanted and not code.startswith(tuple(product.excluded_industries))


def plain_best(city: City, fits: np.ndarray, chances: Chances, weights: Weights) -> np.ndarray:
    """What the best five are worth, best first; 0 where fewer fit."""
    rate = np.array([float(product.rate_min) for product in city.products])
    days = np.array([product.decision_days for product in city.products])
    most = np.array([product.amount_max_fen for product in city.products])
    asked, found = city.columns.values["amount_fen"], []
    for low in range(0, city.columns.rows, CHUNK):
        p = np.ones((len(asked[low : low + CHUNK]), len(chances.table[0])))
        for rows in chances.row_of[:, low : low + CHUNK]:
            p *= chances.table[rows]
        liked = preference(rate, days, most, asked[low : low + CHUNK, None], weights)
        value = np.where(fits[:, low : low + CHUNK].T, worth(p[:, chances.bank_of], liked), 0.0)
        found.append(-np.sort(np.partition(-value, MOST, axis=1)[:, :MOST], axis=1))
    return np.concatenate(found)


def by_duckdb(city: City, sample: int) -> Callable[[], int]:
    """A join of a sample by inequalities and, for sets, bits over the values there are; what counts its pairs."""
    columns = {name: column[:sample] for name, column in city.columns.values.items()}
    columns["months"] = whole_months(columns["established_on"], day_number(TODAY))
    codes = {int(number): code_of(int(number)) for number in np.unique(columns["industry"])}
    kinds = {fact: np.unique(columns[fact], return_inverse=True) for fact in (*AMONG, "district", "industry")}
    columns |= {fact: position for fact, (_, position) in kinds.items()}
    missing = {name: city.columns.states[name][:sample] == 1 for name in city.columns.states}
    firms = pa.table({name: pa.array(column, mask=missing.get(name)) for name, column in columns.items()})
    engine = duckdb.connect(config={"threads": THREADS})
    engine.register("firms", firms)
    engine.register("products", pa.Table.from_pylist([_row(product, codes, kinds) for product in city.products]))
    lines = [f"(p.{fact} IS NULL OR f.{fact} >= p.{fact})" for fact in AT_LEAST]
    lines += [f"(p.{fact} IS NULL OR f.{fact} <= p.{fact})" for fact in AT_MOST]
    lines += [f"(p.{fact} IS NULL OR (p.{fact} >> f.{fact}) & 1 = 1)" for fact in kinds]
    query = f"""
        SELECT count(*) FROM firms f JOIN products p
        ON f.amount_fen BETWEEN p.least AND p.most AND f.term_months BETWEEN p.shortest AND p.longest
        AND (f.rate_ceiling IS NULL OR f.rate_ceiling >= p.rate) AND (p.modes IS NULL OR f.guarantees & p.modes > 0)
        AND {" AND ".join(lines)}"""
    return lambda: int(engine.execute(query).fetchall()[0][0])


def _row(product: Product, codes: dict[int, str], kinds: dict[str, Any]) -> Told:
    lines = {fact: getattr(product, line) for fact, line in (AT_LEAST | AT_MOST).items()}
    taken = _taken(product, codes)
    sets = {fact: np.flatnonzero(np.isin(values, taken[fact])) if fact in taken else None
            for fact, (values, _) in kinds.items()}  # fmt: skip
    return {
        "least": product.amount_min_fen, "most": product.amount_max_fen, "shortest": product.term_min_months,
        "longest": product.term_max_months, "rate": _number(product.rate_min),
        "modes": None if "credit" in product.guarantees else guarantee_bits(product.guarantees),
        **{fact: None if line is None else _number(line) for fact, line in lines.items()},
        **{fact: None if places is None else sum(1 << int(one) for one in places) for fact, places in sets.items()},
    }  # fmt: skip


def touched(city: City, index: Index, pairs: Pairs, chances: Chances, best: Best) -> dict[str, tuple[list, list]]:
    """The arrays each step has to read and to write."""
    read = [part for one in index.admissions for part in city.columns.known(one.fact)]
    ranked = [pairs.offsets, pairs.products, chances.row_of.ravel(), city.columns.values["amount_fen"]]
    return {
        "pairs": (read, [pairs.offsets, pairs.products]),
        f"best {MOST}": (ranked, [best.products.ravel(), best.value.ravel()]),
    }


def copied(read: list[np.ndarray], write: list[np.ndarray]) -> None:
    """Every byte read once, into a buffer that stays in the cache; every byte of the answer written once, anew."""
    with ThreadPoolExecutor(THREADS) as hands:
        for done in [hands.submit(_copy_half, half, read, write) for half in range(THREADS)]:
            done.result()


def _copy_half(half: int, read: list[np.ndarray], write: list[np.ndarray]) -> None:
    buffer = np.empty(CHUNK, np.int64)
    for column in read:
        for part in _parts(column, half):
            np.copyto(buffer.view(column.dtype)[: len(part)], part)
    for column in write:
        fresh = np.empty((len(column) + 1) // THREADS, column.dtype)
        for low in range(0, len(fresh), CHUNK):
            part = fresh[low : low + CHUNK]
            np.copyto(part, buffer.view(column.dtype)[: len(part)])


def _parts(column: np.ndarray, half: int) -> Iterator[np.ndarray]:
    mine = np.array_split(column, THREADS)[half]
    return (mine[low : low + CHUNK] for low in range(0, len(mine), CHUNK))


def measure(firms: int, runs: int, sample: int, seed: int) -> Told:
    warm_up()
    city, weights = draw_city(firms, seed), weights_of(load_policy().on(TODAY))
    joined = by_duckdb(city, sample)
    clock, alone = Clock({}, {}), Clock({}, {})
    before = os.getloadavg()
    for run in range(runs):
        index, pairs, chances, best = ours(clock, city, weights)
        for step, arrays in touched(city, index, pairs, chances, best).items():
            clock.time("bytes copied once", step, lambda arrays=arrays: copied(*arrays))
        if run < min(3, runs):
            fits, value = plain(clock, city, chances, weights)
            count = alone.time("DuckDB", "pairs", joined)
    in_sample = int(pairs.offsets[min(sample, firms)])
    fitting = np.diff(pairs.offsets)
    rows, products = np.nonzero(fits.T)
    return {
        "firms": firms, "products": len(city.products), "banks": len(city.bank_kinds), "seed": seed,
        "criteria_per_product": round(lines_set(city.products), 1), "pairs": len(pairs),
        "fitting_per_firm": {"mean": round(float(fitting.mean()), 2),
                             **{f"p{at}": int(np.percentile(fitting, at)) for at in (5, 25, 50, 75, 95)},
                             "none": round(float((fitting == 0).mean()), 4),
                             "share_of_all_pairs": round(len(pairs) / firms / len(city.products), 4)},
        "steps": clock.told(),
        "duckdb": {"rows": min(sample, firms), "pairs": count, **alone.told()[0]},
        "bytes": {step: {"read": sum(one.nbytes for one in read), "written": sum(one.nbytes for one in write)}
                  for step, (read, write) in touched(city, index, pairs, chances, best).items()},
        "agree": {"pairs": bool(np.array_equal(products, pairs.products) and np.array_equal(rows, pairs.demands())),
                  "best": bool(np.array_equal(value, best.value)), "duckdb": count == in_sample},
        "load_average": {"before": before, "after": os.getloadavg()},
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "versions": {"python": platform.python_version(),
                     **{name: version(name) for name in ("numpy", "numba", "duckdb")}},
    }  # fmt: skip


def show(found: Told) -> None:
    fitting = found["fitting_per_firm"]
    table = Table(
        "way", "step", "seconds", "fastest", "CPU", "to the bytes copied once",
        title=f"{found['firms']:,} firms × {found['products']} products of {found['criteria_per_product']} criteria: "
        f"{found['pairs']:,} pairs fit, {fitting['share_of_all_pairs']:.1%} of all; the middle half of the firms fits "
        f"{fitting['p25']} to {fitting['p75']}",
    )  # fmt: skip
    floor = {row["step"]: row["seconds"] for row in found["steps"] if row["way"] == "bytes copied once"}
    joined = found["duckdb"]
    for row in (*found["steps"], joined | {"step": f"pairs of {joined['rows']:,} firms"}):
        ratio = f"{row['seconds'] / floor[row['step']]:.1f} ×" if row["step"] in floor else ""
        figures = (f"{row[name]:.3f}" for name in ("seconds", "fastest", "cpu_seconds"))
        table.add_row(row["way"], row["step"], *figures, ratio)
    Console(width=140).print(table)
    whole = sum(row["seconds"] for row in found["steps"] if row["way"] == "ours")
    print(f"ours in all {whole:.3f} s (the bar: {BAR_SECONDS:.0f} s); the ways agree: {found['agree']}; "
          f"peak {found['peak_mib']:,} MiB; load average {found['load_average']['before'][0]:.1f}")  # fmt: skip


def main(
    firms: int = 1_100_000, runs: int = 7, sample: int = 100_000, seed: int = 1,
    json_path: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:  # fmt: skip
    """Measure all, print the table, write JSON; fails where the ways differ."""
    found = measure(firms, runs, sample, seed)
    show(found)
    if json_path is not None:
        json_path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if not all(found["agree"].values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
