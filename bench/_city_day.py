"""A city's day of demands, products and fitting pairs for the benches of allocation, drawn from a seed.

Every product has its popularity, every demand a quality, so that popular products are short of places and plain ones
are not. A pair's worth is its chance of a grant (product's leniency, demand's quality, what they are to each other)
times what the firm likes. Written as numpy files, so that the process that is measured has drawn nothing itself.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CHUNK = 8_192
FEWEST, MOST = 5, 20
TABLES = ("demands", "products", "pairs", "banks")
LIMITS = {"places", "quota_fen"}


@dataclass(frozen=True)
class Shape:
    """How large the day is, and which rules it has. `roominess`: places at all products, per demand."""

    demands: int = 330_000
    products: int = 233
    banks: int = 116
    roominess: float = 0.8
    ruled: bool = False
    """With intended pairs, late demands, money lines, floors and places of banks."""
    seed: int = 1


def write_day(folder: Path, shape: Shape) -> int:
    """Write one file for each column; answer how many pairs there are."""
    day = draw_day(shape)
    for table, columns in day.items():
        for name, column in columns.items():
            np.save(folder / f"{table}.{name}.npy", column)
    return len(day["pairs"]["value"])


def read_day(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """The tables back from their files."""
    found: dict[str, dict[str, np.ndarray]] = {table: {} for table in TABLES}
    for path in sorted(folder.glob("*.npy")):
        table, name, _ = path.name.split(".")
        found[table][name] = np.load(path)
    return {table: columns for table, columns in found.items() if columns}


def half_of(day: dict[str, dict[str, Any]], odd: int) -> dict[str, dict[str, Any]]:
    """The demands with odd (or even) numbers, and half of every limit: two such days differ as two days of a city."""
    found = {}
    for table, columns in day.items():
        if "demand_id" in columns:
            found[table] = {name: column[columns["demand_id"] % 2 == odd] for name, column in columns.items()}
        else:
            halved = {name: np.where(columns[name] < 0, -1, columns[name] // 2) for name in LIMITS & set(columns)}
            found[table] = columns | halved
    return found


def draw_day(shape: Shape) -> dict[str, dict[str, Any]]:
    """The columns `matching.problem.pose` takes."""
    random = np.random.default_rng(shape.seed)
    popular = random.normal(0, 0.8, shape.products)
    lenient, bank = random.normal(0, 0.7, shape.products), np.arange(shape.products) % shape.banks
    quality = random.normal(0, 1, shape.demands)
    demand, product = _fitting(shape, popular, random)
    chance = 1 / (1 + np.exp(-(lenient[product] + quality[demand] + random.normal(0, 0.8, len(demand)))))
    share = np.exp(0.5 * popular + random.normal(0, 0.6, shape.products))
    places = np.floor(shape.roominess * shape.demands * share / share.sum()).astype(np.int64)
    amount = np.exp(random.normal(np.log(80_000_000), 0.9, shape.demands)).astype(np.int64) // 10_000 * 10_000 + 10_000
    rich = random.random(shape.products) < 0.5
    quota = np.where(rich | (not shape.ruled), -1, (places * 100_000_000).astype(np.int64))
    day = {
        "demands": {"demand_id": np.arange(shape.demands) + 1, "amount_fen": amount,
                    "waited_days": random.geometric(0.3, shape.demands) - 1},
        "products": {"product_id": np.arange(shape.products) + 1, "bank_id": bank + 1, "places": places,
                     "quota_fen": quota,
                     "floor": np.full(shape.products, 5 if shape.ruled else 0)},
        "pairs": {"demand_id": demand + 1, "product_id": product + 1,
                  "value": chance * random.uniform(0.3, 1.0, len(demand)), "p_grant": chance,
                  "intended": (random.random(len(demand)) < 0.04) & shape.ruled},
    }  # fmt: skip
    if shape.ruled:
        whole = np.bincount(bank, places, shape.banks)
        limited = random.random(shape.banks) < 0.5
        day["banks"] = {"bank_id": np.arange(shape.banks) + 1,
                        "places": np.where(limited, np.floor(0.8 * whole), -1).astype(np.int64)}  # fmt: skip
    return day


def _fitting(shape: Shape, popular: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Five to twenty products for each demand, popular ones more often (the largest popularity plus Gumbel noise)."""
    most = min(MOST, shape.products)
    wanted = random.integers(min(FEWEST, most), most + 1, shape.demands)
    parts = []
    for start in range(0, shape.demands, CHUNK):
        rows = len(wanted[start : start + CHUNK])
        noise = np.maximum(random.standard_exponential((rows, shape.products), np.float32), np.finfo(np.float32).tiny)
        drawn = popular.astype(np.float32) - np.log(noise)
        best = np.argpartition(-drawn, most - 1, axis=1)[:, :most]
        kept = np.arange(most) < wanted[start : start + CHUNK, None]
        owner = np.repeat(np.arange(start, start + rows), most).reshape(rows, most)
        order = np.lexsort((best[kept], owner[kept]))
        parts.append((owner[kept][order], best[kept][order]))
    return tuple(np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True))  # type: ignore[return-value]
