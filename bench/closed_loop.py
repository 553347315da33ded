"""The closed loop: 120 working days of a made-up city with hidden appetites, ours beside the plain ways of matching.

    python bench/closed_loop.py [--seeds 101-120] [--json PATH]
    python bench/closed_loop.py --frontier [--json PATH]        # the floor after a decline, on the tuning seeds

The city stands in bench/closed_loop.toml, written down before anything was tuned; tuned on seeds 1 to 5, reported on
101 to 120. Every strategy lives in the same cities, so each row also says how much ours differs from it, seed by seed:
the mean difference with a 95 % interval (bootstrap over seeds). A star: ours is the worse one, beyond the interval.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from _loop_city import draw_city, read_parameters
from _loop_run import Strategy, live, measure
from _loop_strategies import frontier, strategies
from rich.console import Console
from rich.table import Table

MEASURES = {
    "granted": ("households granted", 1),
    "granted_per_100_hours": ("granted per 100 officers' hours", 1),
    "hours_per_grant": ("officers' hours per grant", -1),
    "grants_per_push": ("grants per push", 1),
    "days_to_grant": ("days to grant", -1),
    "double_declines": ("households declined twice, not granted", -1),
    "double_declines_per_granted": ("the same per household granted", -1),
    "declines_per_household": ("declines per household that asked", -1),
    "rate": ("average rate, %", -1),
    "gini": ("Gini of exposure", -1),
    "second_match": ("second-match success", 1),
    "next_acceptance": ("acceptance of a second push", 1),
    "calibration_off": ("chance against grants, per bank, points", -1),
    "error_by_bank": ("the same in three bins of each bank, points", -1),
    "brier": ("Brier score", -1),
    "cover_banks": ("a bank's next answers in its 90 % interval", 1),
    "width_banks": ("width of that interval", -1),
    "cover_cells": ("a cell's hidden share in its 90 % interval", 1),
    "width_cells": ("width of that interval", -1),
}
"""Measure → its words, and whether more (1) or less (-1) is better."""

OURS, CAREFUL = "ours", "ours, careful"
SHORT = ("granted", "granted_per_100_hours", "double_declines", "double_declines_per_granted", "days_to_grant",
         "next_acceptance")  # fmt: skip


def run(seeds: list[int], those: Callable[[int], dict[str, Strategy]] = strategies) -> dict[str, Any]:
    parameters = read_parameters()
    began = time.perf_counter()
    found: dict[str, list[dict[str, float]]] = {}
    asked, best = [], []
    for seed in seeds:
        city = draw_city(seed, parameters)
        asked.append(len(city.asked_on))
        best.append(city.hidden_best)
        for name, strategy in those(seed).items():
            found.setdefault(name, []).append(measure(live(city, strategy)))
    draws = parameters["run"]["bootstrap"]
    return {
        "seeds": seeds,
        "asked": float(np.mean(asked)),
        "some_bank_would_grant": float(np.mean(best)),
        "means": {name: {key: float(np.mean([one[key] for one in rows])) for key in rows[0]}
                  for name, rows in found.items()},
        "ours_less_the_other": differences(found, OURS, draws),
        "careful_less_the_other": differences(found, CAREFUL, draws),
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def differences(found: dict[str, list[dict[str, float]]], mine: str, draws: int) -> dict[str, Any]:
    """For each other strategy and measure: how much more of it mine has."""
    return {
        name: {key: paired([one[key] for one in found[mine]], [one[key] for one in rows], draws)
               for key in MEASURES if key in rows[0]}
        for name, rows in found.items() if mine in found and name != mine
    }  # fmt: skip


def paired(ours: list[float], other: list[float], draws: int) -> list[float]:
    """Mean difference and the ends of its 95 % interval."""
    differences = np.array(ours) - np.array(other)
    random = np.random.default_rng(0)
    means = differences[random.integers(0, len(differences), (draws, len(differences)))].mean(axis=1)
    return [float(differences.mean()), *(float(one) for one in np.quantile(means, [0.025, 0.975]))]


def show(figures: dict[str, Any]) -> None:
    seeds = figures["seeds"]
    console = Console(width=150)
    for key, (words, better) in MEASURES.items():
        table = Table("strategy", "mean", "ours less it", "95 %", "", title=words, title_justify="left")
        for name, means in figures["means"].items():
            if key not in means:
                continue
            difference = figures["ours_less_the_other"].get(name, {}).get(key)
            table.add_row(name, f"{means[key]:,.3f}", *(_told(difference, better) if difference else ("", "", "")))
        console.print(table)
    console.print(
        f"{figures['asked']:,.0f} demands in 120 days, seeds {seeds[0]} to {seeds[-1]}; some fitting bank would grant "
        f"{figures['some_bank_would_grant']:.0%} of them. {figures['seconds']} s."
    )


def show_frontier(figures: dict[str, Any]) -> None:
    title = "The floor after a decline, one line at once unless told"
    table = Table("", *(MEASURES[key][0] for key in SHORT), title=title)
    for name, means in figures["means"].items():
        table.add_row(name, *(f"{means[key]:,.3f}" for key in SHORT))
    Console(width=150).print(table)


def _told(difference: list[float], better: int) -> tuple[str, str, str]:
    mean, low, high = difference
    against = high < 0 if better > 0 else low > 0
    return f"{mean:+,.3f}", f"{low:+,.3f} … {high:+,.3f}", "*" if against else ""


def main(
    seeds: Annotated[str, typer.Option(help="first-last")] = "",
    json_to: Annotated[Path | None, typer.Option("--json")] = None,
    floors: Annotated[bool, typer.Option("--frontier", help="ours at each floor, on the tuning seeds")] = False,
) -> None:
    usual = read_parameters()["run"]["tuning_seeds" if floors else "reported_seeds"]
    first, last = (int(one) for one in seeds.split("-")) if seeds else usual
    figures = run(list(range(first, last + 1)), frontier if floors else strategies)
    (show_frontier if floors else show)(figures)
    if json_to:
        kept = json.loads(json_to.read_text()) if json_to.exists() else {}
        found = kept | {"frontier": figures} if floors else kept | figures
        json_to.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
