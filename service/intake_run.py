"""`xindeng intake`: files taken one by one, each in a transaction of its own, and a table of what became of them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from service.actions.take_feed import Delivery, Taken, take_feed, write_error_file
from service.clock import Clock
from service.domain.errors import DomainError, NotPossible
from service.domain.people import the_platform
from service.processes import open_database
from service.settings import Settings
from service.store.database import Database

INTAKE = the_platform("intake")
ERRORS = ".errors.csv"
HEADS = (
    "文件 File",
    "收到 Received",
    "有效 Valid",
    "重复 Duplicate",
    "隔离 Quarantined",
    "更正 Corrected",
    "错码 Wrong codes",
)


def take_files(
    settings: Settings,
    paths: Sequence[Path],
    item: str | None,
    on: date | None,
    screen: Console,
    *,
    is_history: bool = False,
) -> int:
    """Take the files (those of a folder in the order of their names); how many could not be read as a whole."""
    files = [file for path in paths for file in (_feeds_in(path) if path.is_dir() else [path])]
    delivery = Delivery(on or Clock(settings.demo_on).today(), is_history=is_history)
    table, failures = Table(*HEADS), 0
    with open_database(settings) as database:
        for file in track(files, "归集 Intake", console=screen):
            taken = _take(database, settings, file, item, delivery)
            failures += isinstance(taken, DomainError) or taken.failure is not None
            if sentence := _sentence(taken):
                screen.print(f"{file.name}: {sentence}", markup=False)
            else:
                table.add_row(file.name, *_counts(taken))
    if table.row_count:
        screen.print(table)
    return failures


def _feeds_in(folder: Path) -> list[Path]:
    """The folder's files by name; the error files written beside them are no feeds."""
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.endswith(ERRORS))


def _take(
    database: Database, settings: Settings, file: Path, item: str | None, delivery: Delivery
) -> Taken | DomainError:
    try:
        with database.transaction(INTAKE) as tx:
            taken = take_feed(tx, INTAKE, file, item, delivery=delivery, mirror=settings.mirror)
        with database.transaction(INTAKE) as tx:
            if taken.feed.id is not None and taken.feed.quarantined and not taken.is_repeat:
                write_error_file(tx, taken.feed.id, file.with_suffix(ERRORS))
    except NotPossible as wrong:
        return wrong
    return taken


def _sentence(taken: Taken | DomainError) -> str:
    """What there is to say of a file that changed nothing."""
    if isinstance(taken, DomainError):
        return str(taken)
    if taken.failure is not None:
        return str(taken.failure)
    if taken.is_repeat:
        return f"已接收过，没有改变任何内容。 Taken before as feed {taken.feed.id}; nothing changed."
    return ""


def _counts(taken: Taken | DomainError) -> tuple[str, ...]:
    assert isinstance(taken, Taken)
    feed = taken.feed
    counts = (feed.received, feed.valid, feed.duplicates, feed.quarantined, feed.corrected, feed.wrong_codes)
    return tuple(f"{count:,}" for count in counts)
