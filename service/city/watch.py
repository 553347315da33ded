"""Where the time goes: phases with a progress bar each, and a table of them at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table


class Watch:
    """Seconds by phase; phases may interleave, as those of a day do."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self.started = time.perf_counter()
        self._progress = Progress(
            TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"), console=console,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def bar(self, name: str, total: int) -> TaskID:
        """A new bar."""
        return self._progress.add_task(name, total=total, note="")

    def advance(self, bar: TaskID, note: str = "") -> None:
        """One step on."""
        self._progress.update(bar, advance=1, note=note)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of this block under `name`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.started

    def table(self) -> Table:
        """The phases, the longest first."""
        table = Table(title="时间 Where the time went")
        table.add_column("")
        table.add_column("秒 s", justify="right")
        table.add_column("%", justify="right")
        for name, seconds in sorted(self.seconds.items(), key=lambda phase: -phase[1]):
            table.add_row(name, f"{seconds:.1f}", f"{100 * seconds / self.total:.0f}")
        table.add_section()
        table.add_row("合计 total", f"{self.total:.1f}", "")
        return table

    def as_json(self) -> dict[str, float]:
        """Rounded seconds, with the total."""
        return {name: round(seconds, 2) for name, seconds in self.seconds.items()} | {"total": round(self.total, 2)}


def peak_megabytes() -> float:
    """What this process takes in memory now (its resident set), in MB."""
    return float(psutil.Process().memory_info().rss / 1e6)
