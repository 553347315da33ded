"""One refusal on a big day, through the platform: the bank's answer, then the supplement, proved and published.

    python bench/refusal.py [--demands 20000] [--refusals 20] [--json PATH]

The city of bench/cycle.py after its morning. A line is refused; then what the cycle does next: gather the demands that
look for a bank, share out what is free, certify, publish. What is out stands. Where the bank was full, those who named
it and wait look again with the demand that lost its line: that takes longer, and both kinds are told apart.
"""

import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from cycle import DEMO_DAY, run
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from matching.policy import load_policy
from matching.warm import warm_up
from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.actions.share_out import gather
from service.clock import instant_on
from service.domain.answering import AnswerForm
from service.domain.people import Role, Who, the_platform
from service.store.database import Database

CYCLE = the_platform("cycle")
A_LINE = text("SELECT id, bank_id FROM push_line WHERE closed_on IS NULL ORDER BY md5(id::text || :turn) LIMIT 1")


def refuse_one(database: Database, turn: int) -> dict[str, Any]:
    """A line refused and the supplement after it: milliseconds, who looked for a bank, lines published."""
    now = instant_on(DEMO_DAY, 12)
    with database.transaction(CYCLE) as tx:
        line = tx.execute(A_LINE, {"turn": str(turn)}).one()
    officer = Who(Role.OFFICER, 50, "Bai", bank_id=line.bank_id)
    begun = time.perf_counter()
    with database.transaction(officer) as tx:
        answer_line(tx, officer, AnswerForm(line.id, "refused", reasons=("cash_flow",)), DEMO_DAY, now)
    answered = time.perf_counter()
    with database.transaction(CYCLE) as tx:
        looking = len(gather(tx, DEMO_DAY).demands)
    gathered = time.perf_counter()
    with database.transaction(CYCLE) as tx:
        done = push_missing(tx, CYCLE, DEMO_DAY, now, load_policy())
    supplement = time.perf_counter() - gathered
    return {"answer_ms": 1000 * (answered - begun), "supplement_ms": 1000 * supplement, "looking": looking,
            "lines": done.lines}  # fmt: skip


def main(
    demands: int = 20_000, refusals: int = 20, json_path: Annotated[Path | None, typer.Option("--json")] = None
) -> None:
    """Live the morning, refuse, print, write JSON."""

    def refuse(database: Database) -> dict[str, Any]:
        warm_up()
        refuse_one(database, -1)
        return {"turns": [refuse_one(database, turn) for turn in range(refusals)]}

    found = run(demands, refuse)
    title = f"{found['demands']:,} demands, {found['push_line']:,} lines of the morning; medians"
    columns = ("after one refusal", "times", "answer ms", "supplement ms", "slowest", "looking", "lines")
    table = Table(*columns, title=title)
    for name, is_alone in (("the demand alone looks for a bank", True), ("with those who waited", False)):
        turns = [one for one in found["turns"] if (one["looking"] == 1) == is_alone]
        if turns:
            middle = {key: statistics.median(one[key] for one in turns) for key in turns[0]}
            table.add_row(
                name, str(len(turns)), f"{middle['answer_ms']:.0f}", f"{middle['supplement_ms']:.0f}",
                f"{max(one['supplement_ms'] for one in turns):.0f}", f"{middle['looking']:,.0f}",
                str(sum(one["lines"] for one in turns)),
            )  # fmt: skip
    Console(width=120).print(table)
    Console().print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()}")
    if json_path:
        json_path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
