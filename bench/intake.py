"""Intake throughput: a whole take_feed of a CSV against a bare COPY of the same file, in the same run.

    python bench/intake.py [--rows 1000000] [--json PATH]

Bare COPY: the file as it is into a logged table of text columns, without any index. 'COPY with the record's indexes' is
the same rows, already in the record's shape, into a table with the record's primary key and indexes: what storing alone
costs. The whole intake detects the encoding, parses, checks every field, finds duplicates, merges, marks firms and
writes the Parquet mirror.
"""

import argparse
import csv
import json
import platform
import random
import resource
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from service.actions.take_feed import Delivery, take_feed
from service.domain.people import the_platform
from service.domain.standards import uscc
from service.intake.mirror import SCHEMA, verify_mirror
from service.settings import read_settings
from service.store.database import Database, driver_of
from service.store.migrate import migrate
from service.store.server import drop_database, make_database, serving

RECEIVED_ON = date(2026, 6, 15)
MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]


def write_taxes(path: Path, rows: int, *, seed: int = 7) -> None:
    """A tax_payment feed: firms × months × taxes, in no order."""
    chance = random.Random(seed)
    firms = [uscc.synthetic("enterprise", number) for number in range(rows // 48 + 1)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["uscc", "period", "tax", "amount", "days_late", "status"])
        lines = [(firm, month, tax) for month in MONTHS for firm in firms for tax in ("vat", "cit")]
        for firm, month, tax in lines[:rows]:
            out.writerow(
                [firm, month, tax, f"{chance.randrange(10**8) / 100:.2f}", chance.choice((0, 0, 0, 5)), "on_time"]
            )


def write_invoices(path: Path, rows: int, *, seed: int = 7) -> None:
    """An invoice feed: 425 firms, as in the real files."""
    chance = random.Random(seed)
    firms = [uscc.synthetic("enterprise", number) for number in range(425)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["uscc", "direction", "number", "issued_on", "other_party", "net", "tax", "total", "status"])
        for number in range(rows):
            net = chance.randrange(-(10**6), 10**8)
            tax = net * 13 // 100
            day = f"20{chance.randrange(17, 20)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
            money = [f"{fen / 100:.2f}" for fen in (net, tax, net + tax)]
            party = f"A{chance.randrange(30000):05d}"
            out.writerow([chance.choice(firms), chance.choice(("in", "out")), number, day, party, *money, "有效发票"])


def copy_into(owner: str, table: str, definition: str, target: str, file: Path, options: str) -> tuple[float, int]:
    """Seconds and rows of one COPY with its commit, into a logged table made for it and dropped afterwards."""
    with psycopg.connect(owner) as connection:
        connection.execute(f"CREATE TABLE {table} ({definition})")
        connection.commit()
        begun = time.perf_counter()
        with connection.cursor() as cursor:
            with file.open("rb") as source, cursor.copy(f"COPY {target} FROM STDIN ({options})") as copy:
                while block := source.read(1 << 20):
                    copy.write(block)
            connection.commit()
            seconds, rows = time.perf_counter() - begun, cursor.rowcount
        connection.execute(f"DROP TABLE {table}")
    return seconds, rows


def run(rows: int) -> list[dict[str, object]]:
    folder = Path(tempfile.mkdtemp(prefix="xdb-", dir="/tmp"))
    figures: list[dict[str, object]] = []
    try:
        settings = read_settings(home=folder, database_url=None, demo=True)
        with serving(settings) as server:
            address = make_database(server, "xd_bench_intake")
            migrate(address.owner_url)
            database = Database(address)
            for item, write in (("tax_payment", write_taxes), ("invoice", write_invoices)):
                path = folder / f"{item}__bench.csv"
                write(path, rows)
                figures += measure(database, item, path, folder)
            with database.transaction(the_platform("bench")) as tx:
                assert not verify_mirror(tx, folder / "mirror")
            database.dispose()
            drop_database(server, "xd_bench_intake")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return figures


def measure(database: Database, item: str, path: Path, folder: Path) -> list[dict[str, object]]:
    owner, who = database.address.owner_url, the_platform("bench")
    found: list[tuple[str, float, int]] = []

    def take(file: Path) -> tuple[float, int]:
        begun = time.perf_counter()
        with database.transaction(who) as tx:
            taken = take_feed(tx, who, file, item, delivery=Delivery(RECEIVED_ON), mirror=folder / "mirror")
            assert taken.failure is None
            received = taken.feed.received
        return time.perf_counter() - begun, received

    texts = ", ".join(f"{name} text" for name in path.open(encoding="utf-8").readline().strip().split(","))
    found.append(("bare COPY of the file", *copy_into(owner, "bare", texts, "bare", path, "FORMAT csv, HEADER")))
    found.append(("whole intake", *take(path)))
    again = folder / f"{item}__again.csv"
    again.write_bytes(path.read_bytes() + b"\n")
    found.append(("the same rows in another file", *take(again)))
    shaped, columns = folder / "shaped.csv", ", ".join(SCHEMA.names)
    query = f"COPY (SELECT {columns} FROM record WHERE item = '{item}') TO STDOUT (FORMAT csv)"
    with database.transaction(who) as tx, driver_of(tx).cursor() as cursor, cursor.copy(query) as copy:
        shaped.write_bytes(b"".join(copy))
    like = "LIKE record INCLUDING IDENTITY INCLUDING INDEXES"
    stored = copy_into(owner, "stored", like, f"stored ({columns})", shaped, "FORMAT csv")
    found.append(("COPY of the records, with their indexes", *stored))
    base = found[0][2] / found[0][1]
    return [
        {
            "item": item,
            "what": name,
            "rows": rows,
            "seconds": round(seconds, 2),
            "rows_per_second": round(rows / seconds),
            "share_of_bare_copy": round(rows / seconds / base, 3),
        }
        for name, seconds, rows in found
    ]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    figures = run(asked.rows)
    table = Table("item", "what", "rows", "seconds", "rows/s", "of bare COPY", title="Intake throughput")
    for line in figures:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in line.values()))
    Console().print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Console().print(f"peak memory of this process: {peak:,.0f} MB; Python {platform.python_version()}")
    if asked.json:
        asked.json.write_text(json.dumps({"figures": figures, "peak_mb": round(peak)}, indent=1))


if __name__ == "__main__":
    main()
