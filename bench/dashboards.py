"""The city's dashboards over a year of 330,000 demands, from the roll-ups: how long each page takes on the server.

    python bench/dashboards.py [--demands 330000] [--runs 15] [--json PATH]

An embedded database with a year of countable events (through the triggers that keep the roll-ups) and of lines' pace
for 40 banks in 16 areas. Each page is asked as a signed-in city official asks, templates and all, without the
accelerator that would keep figures between two askings. The median and the worst of the runs; the first is not counted.
"""

import argparse
import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from _signed_in import asking
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from service.domain.people import Role, Who, the_platform
from service.domain.standards.regions import REGIONS
from service.settings import DEMO_DAY, hand_on, read_settings
from service.settings import settings as known_settings
from service.store import pace
from service.store.database import Database, use
from service.store.migrate import migrate
from service.store.server import serving

BANKS = 40
YEAR = 365
BAR_MS = 200
PAGES = {
    "figures": "/figures",
    "figures of a year by bank": f"/figures?by=bank&since={DEMO_DAY - timedelta(days=YEAR)}",
    "figures by industry": "/figures?by=industry",
    "figures by product": "/figures?by=product",
    "figures of a year by product": f"/figures?by=product&since={DEMO_DAY - timedelta(days=YEAR)}",
    "figures as of a month ago": f"/figures?as_of={DEMO_DAY - timedelta(days=30)}",
    "events of a kind": "/figures/events?kind=drawn",
    "banks": "/banks",
    "banks of a year": f"/banks?since={DEMO_DAY - timedelta(days=YEAR)}",
    "banks of a year from the 15th to the 15th": "/banks?since=2025-07-15&until=2026-06-15",
    "urgings": "/urgings",
    "projection": "/projection",
}
ADD_BANKS = text("""
    INSERT INTO bank (code, name, name_en, kind, joined_on)
    SELECT 'B' || n, '银行' || n, '', 'city', CAST(:from AS date) FROM generate_series(1, :banks) n
""")
ADD_EVENTS = text("""
    INSERT INTO figure_event (kind, "on", recorded_on, sign, noun_id, demand_id, uscc, district, bank_id, product_id,
        industry, size, amount_fen, rate, loan_type, is_first_loan, is_renewal_without_repayment, is_new_household,
        is_new_household_of_bank, is_new_household_of_product, made_at)
    SELECT :kind, d.day, d.day + CASE WHEN n % 20 = 0 THEN 1 + n % 9 ELSE 0 END, 1, n, n,
        '91410100' || lpad(n::text, 10, '0'), (CAST(:areas AS text[]))[1 + n % 16],
        CASE WHEN :kind IN ('granted', 'drawn') THEN 1 + n % :banks ELSE 0 END,
        CASE WHEN :kind IN ('granted', 'drawn') THEN 1 + n % :banks + :banks * (n / :banks % 6) ELSE 0 END,
        chr(65 + n % 18),
        (ARRAY['micro', 'small', 'medium'])[1 + n % 3], 100000 * (1 + n % 500), 0.03 + (n % 200) / 10000.0,
        (ARRAY['credit', 'mortgage'])[1 + n % 2], n % 5 = 0, n % 11 = 0, false, false, false, now()
    FROM generate_series(1, :many) n
    CROSS JOIN LATERAL (SELECT CAST(:to AS date) - (n::bigint * 7919 % :days)::int AS day) d
""")
ADD_PACE = text("""
    INSERT INTO pace_day SELECT CAST(:to AS date) - day, area, bank, 6, 5, 4, 5, 9, 4, 17, 1, 1, 1, 0, :to, :to
    FROM generate_series(0, :days) day, unnest(CAST(:areas AS text[])) area, generate_series(1, :banks) bank
""")
SHARES = {"reported": 1.0, "recommended": 0.8, "granted": 0.3, "drawn": 0.25}


def fill(database: Database, demands: int) -> None:
    """A year of events and lines."""
    common: dict[str, Any] = {"to": DEMO_DAY, "banks": BANKS, "areas": list(REGIONS), "days": YEAR}
    with database.transaction(the_platform("bench")) as tx:
        tx.execute(ADD_BANKS, {"banks": BANKS, "from": DEMO_DAY - timedelta(days=YEAR)})
        tx.execute(ADD_PACE, common)
        pace.sum_months(tx, DEMO_DAY)
    for kind, share in SHARES.items():
        with database.transaction(the_platform("bench")) as tx:
            tx.execute(ADD_EVENTS, {**common, "kind": kind, "many": round(demands * share)})


def run(demands: int, runs: int) -> dict[str, dict[str, float]]:
    """Page → median and worst milliseconds."""
    folder = Path(tempfile.mkdtemp(prefix="xdb-", dir="/tmp"))
    try:
        settings = read_settings(home=folder, database_url=None, demo=True)
        hand_on(settings)
        known_settings.cache_clear()
        with serving(settings) as address:
            migrate(address.owner_url)
            database = use(Database(address))
            fill(database, demands)
            with psycopg.connect(address.owner_url, autocommit=True) as owner:
                owner.execute("ANALYZE")  # what the server does by itself within minutes
            found = {}
            with asking(settings, database, Who(Role.CITY, name="市"), DEMO_DAY) as official:
                for name, path in PAGES.items():
                    times = official.measured(path, runs)
                    found[name] = {"median_ms": round(median(times), 1), "worst_ms": round(max(times), 1)}
            database.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--demands", type=int, default=330_000)
    words.add_argument("--runs", type=int, default=15)
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    figures = run(asked.demands, asked.runs)
    table = Table("page", "median, ms", "worst, ms", title=f"Dashboards, a year of {asked.demands:,} demands")
    for name, one in figures.items():
        table.add_row(name, f"{one['median_ms']:,}", f"{one['worst_ms']:,}")
    Console().print(table, f"at most {BAR_MS} ms: {all(one['median_ms'] <= BAR_MS for one in figures.values())}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
