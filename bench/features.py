"""Features for 200,000 firms from 4 million records: wall time and peak memory, from a Parquet mirror.

    python bench/features.py [--firms 200000] [--records 4000000] [--json PATH]

The mirror is written by another process, so that its memory is not counted. 'Write' is what putting the
expressions into the engine's words costs, once per process. CPU counts both cores, and holds where others use them too.
"""

import json
import multiprocessing
import platform
import resource
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import numpy as np

AS_OF = date(2026, 6, 30)
PER_FIRM = {
    "tax_payment": 7.0, "social_insurance": 4.0, "utility": 4.0, "housing_fund": 1.0, "registration": 1.0,
    "annual_report": 1.0, "tax_grade": 0.5, "loan": 0.3, "loan_performance": 0.5, "penalty": 0.1, "contract": 0.1,
    "permit": 0.1, "people": 0.1, "real_estate": 0.1, "honour": 0.05, "intellectual_property": 0.05,
    "court_enforcement": 0.03, "trade": 0.03, "abnormal_operation": 0.02, "dishonesty_listing": 0.01,
    "environment_rating": 0.01,
}  # fmt: skip
"""How the records spread over the items (20 a firm when scaled to four million)."""

CODES = {
    "tax_payment": ["vat", "cit"], "utility": ["electricity", "water"], "registration": ["F52", "C13", "E47", "H62"],
    "tax_grade": list("ABMCD"), "penalty": ["minor", "general", "serious"], "people": ["legal_person", "shareholder"],
    "court_enforcement": ["enforcement", "judgment"], "trade": ["export", "import"],
    "environment_rating": ["green", "blue"],
}  # fmt: skip
STATUSES = {
    "tax_payment": ["on_time", "late", "arrears"], "social_insurance": ["paid", "arrears"], "utility": ["paid", "late"],
    "real_estate": ["free", "mortgaged"], "loan": ["normal", "settled", "overdue"],
    "contract": ["performed", "breached"],
}  # fmt: skip
DETAILS = '{"name": "x", "kind": "enterprise", "district": "410105", "premises": "rented"}'


def write_mirror(folder: str, firms: int, records: int, seed: int = 7) -> int:
    """Write item=…/month=…/part.parquet; answer how many records."""
    import numpy as np

    random = np.random.default_rng(seed)
    share = records / sum(PER_FIRM.values())
    return sum(_write_item(Path(folder), item, int(share * weight), firms, random) for item, weight in PER_FIRM.items())


def _write_item(folder: Path, item: str, count: int, firms: int, random: "np.random.Generator") -> int:
    """One item's files, a month each over four years."""
    import ibis
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from risk.records import COLUMNS

    shape = ibis.schema(COLUMNS).to_pyarrow()
    per_month = np.diff(np.linspace(0, count, 49).astype(int))
    for month, rows in enumerate(per_month):
        if not rows:
            continue
        start = np.datetime64("2022-07") + month
        happened = start.astype("datetime64[D]") + random.integers(0, 28, rows)
        known = np.minimum(happened + random.integers(0, 20, rows), np.datetime64(AS_OF))
        empty = pa.nulls(rows)
        columns = {  # by the names of the canonical record
            "item": pa.array([item] * rows),
            "uscc": pa.array(np.char.mod("91410100%010d", random.integers(0, firms, rows))),
            "key": pa.array(np.char.mod(f"{start}|%08d", np.arange(rows))), "happened_on": pa.array(happened),
            "known_on": pa.array(known), "ends_on": empty, "superseded_on": empty, "withdrawn_on": empty,
            "amount_fen": pa.array(random.integers(0, 10**8, rows)), "quantity": pa.array(random.random(rows) * 50),
            "code": pa.array(random.choice(CODES.get(item, ["x"]), rows)),
            "status": pa.array(random.choice(STATUSES.get(item, ["valid"]), rows)),
            "party": pa.array(np.char.mod("P%06d", random.integers(0, 10**6, rows))),
            "details": pa.array([DETAILS] * rows) if item == "registration" else empty,
        }  # fmt: skip
        target = folder / f"item={item}" / f"month={start}"
        target.mkdir(parents=True)
        table = pa.table({name: columns[name].cast(shape.field(name).type) for name in COLUMNS})
        pq.write_table(table, target / "part.parquet", compression="zstd")
    return count


def measure(folder: Path, firms: int) -> list[tuple[str, int, float, float]]:
    """(what, rows, wall seconds, CPU seconds) for writing the query and for cohorts of one, a tenth, and all firms."""
    import pandas as pd

    from risk.build import Recipe
    from risk.features import FACTS, FEATURES

    everyone = pd.DataFrame({"uscc": [f"91410100{number:010d}" for number in range(firms)], "as_of": AS_OF})
    everyone = everyone.assign(amount_fen=100_000_000, term_months=12)
    taken = []
    for title, facts in (("features", ()), ("features and facts", FACTS)):
        recipe = Recipe(folder, FEATURES, facts)
        for what, count in (
            ("write, and one firm", 1),
            ("one firm", 1),
            ("a tenth", firms // 10),
            ("all firms", firms),
        ):
            wall, cpu = time.perf_counter(), time.process_time()
            frame = recipe.build(everyone.head(count))
            taken.append((f"{title}: {what}", len(frame), time.perf_counter() - wall, time.process_time() - cpu))
    return taken


def main(
    firms: int = 200_000, records: int = 4_000_000, json_path: Annotated[Path | None, typer.Option("--json")] = None
) -> None:
    """Write a mirror into a temporary folder, measure, print a table, write JSON."""
    with tempfile.TemporaryDirectory(prefix="features-") as folder:
        with multiprocessing.get_context("spawn").Pool(1) as other:
            written = other.apply(write_mirror, (folder, firms, records))
        taken = measure(Path(folder), firms)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = Table(
        "", "firms", "seconds", "CPU seconds", title=f"{firms:,} firms, {written:,} records, peak {peak:,.0f} MiB"
    )
    for what, rows, wall, cpu in taken:
        table.add_row(what, f"{rows:,}", f"{wall:.2f}", f"{cpu:.2f}")
    Console().print(table)
    if json_path is not None:
        told = {"firms": firms, "records": written, "peak_mib": round(peak), "python": platform.python_version(),
                "measured": [{"what": what, "firms": rows, "seconds": round(wall, 3), "cpu_seconds": round(cpu, 3)}
                             for what, rows, wall, cpu in taken]}  # fmt: skip
        json_path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
