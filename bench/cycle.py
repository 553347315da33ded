"""The day's cycle for 20,000 demands: reported and judged in one batch, shared out, checked, written as lists.

    python bench/cycle.py [--demands 20000] [--json PATH]

A synthetic city through the front door on an embedded database: its departments' history by intake, a trained model,
then the whole city asks on one day, and banks have room for it. Measured: the batch that reports and judges; the cycle
that judges what changed, shares out, certifies and publishes; the same cycle once more, which must find nothing to do.
"""

import argparse
import json
import platform
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from service.actions.run_cycle import run_cycle
from service.city import opening
from service.city.character import Asking, Character
from service.city.city import draw_city
from service.city.days import Life, report
from service.city.demands import draw_demands
from service.city.feeds import write_feeds
from service.clock import instant_on
from service.profiles.tools import load_tools
from service.settings import DEMO_DAY, hand_on, read_settings
from service.settings import settings as known_settings
from service.store import platform_state
from service.store.calendar import calendar
from service.store.database import Database, use
from service.store.migrate import migrate
from service.store.server import serving

SHARE_OF_FIRMS = 0.80  # of a city's firms, all of which ask on the same day
ROOMINESS = 150  # places and money for a city's two months on one day


def run(demands: int, then: Callable[[Database], dict[str, Any]] = lambda _: {}) -> dict[str, Any]:
    """The figures of the day, and of what is done `then` in the same city."""
    folder = Path(tempfile.mkdtemp(prefix="xdb-", dir="/tmp"))
    try:
        settings = read_settings(home=folder, database_url=None, demo=True)
        hand_on(settings)
        known_settings.cache_clear()
        with serving(settings) as address:
            migrate(address.owner_url)
            database = use(Database(address))
            figures = measure(database, settings, demands) | then(database)
            database.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return figures


def measure(database: Database, settings: Any, demands: int) -> dict[str, Any]:
    firms = round(demands / SHARE_OF_FIRMS)
    character = Character(asking=Asking(per_thousand_firms=1000 * demands / firms))
    found: dict[str, Any] = {"demands": demands, "firms": firms}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        result = act()
        found[name] = round(time.perf_counter() - begun, 2)
        return result

    city = draw_city(firms, DEMO_DAY, DEMO_DAY, 7, character)
    files = write_feeds(city, settings.home / "feeds")
    with database.transaction(opening.DEMO) as tx:
        platform_state.set_demo_day(tx, DEMO_DAY)
        banks, days = opening.open_banks(tx, city, ROOMINESS), calendar(tx)
    timed("history_seconds", lambda: opening.take_files(database, settings, files, lambda _: None))
    found["records"] = sum(file.rows for file in files)
    timed("training_seconds", lambda: opening.learn(database, settings, city))
    life = Life(city, banks, days, draw_demands(city))
    found["memory_before_mb"] = peak_mb()
    with database.transaction(opening.DEMO) as tx:
        tools = load_tools(tx, settings, DEMO_DAY)
        found["demands"] = timed("report_and_judge_seconds", lambda: report(tx, life, tools, DEMO_DAY))
    ran = timed("cycle_seconds", lambda: run_cycle(settings, DEMO_DAY, instant_on(DEMO_DAY, 10)))
    again = timed("cycle_again_seconds", lambda: run_cycle(settings, DEMO_DAY, instant_on(DEMO_DAY, 11)))
    found |= {"steps": dict(ran.steps), "steps_again": dict(again.steps), "memory_peak_mb": peak_mb()}
    with database.transaction(opening.DEMO) as tx:
        body = tx.execute(text("SELECT body FROM certificate ORDER BY id LIMIT 1")).scalar_one_or_none() or {}
        found["certificate"] = {name: body.get(name) for name in ("value", "bound", "gap", "placed", "breaches")}
        for table in ("push_list", "push_line", "verdict", "trail"):
            found[table] = tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    return found


def peak_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--demands", type=int, default=20_000)
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    figures = run(asked.demands)
    table = Table("what", "value", title=f"One day's cycle, {figures['demands']:,} demands")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)
    Console().print(f"Python {platform.python_version()}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
