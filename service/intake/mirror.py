"""The Parquet mirror of the records, which features read: rebuilt from PostgreSQL at any time, and checked against it.

    <mirror>/item=<item>/month=<YYYY-MM of known_on>/part-<feed>.parquet

A feed's parts are written beside (`.pending`) while it is taken and moved into place only once its transaction has
committed; months whose older records it superseded are written anew as a whole. A process that dies in between leaves
the pending folder, which the next feed of the item moves or throws away, according to whether PostgreSQL has the feed.
"""

import fcntl
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from sqlalchemy import event
from sqlmodel import Session

from service.intake.canonical import STAGED
from service.store import feeds, records

SCHEMA = pa.schema(
    [
        ("item", pa.string()),
        *((field.name, field.type) for field in STAGED if field.name not in {"line", "withdrawn_on"}),
        ("feed_id", pa.int64()),
        ("line", pa.int32()),
        ("superseded_on", pa.date32()),
        ("withdrawn_on", pa.date32()),
    ]
)
_PACKED: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["item", "uscc", "happened_on", "ends_on", "known_on", "code", "status", "party", "feed_id"],
}
"""Dictionaries only where values repeat: half the time of writing, and smaller."""
_HASHED = "concat_ws('|', {})".format(
    ", ".join(
        f"coalesce(cast({value} AS text), '')"
        for value in (
            *("uscc", "key", "happened_on", "ends_on", "known_on", "amount_fen"),
            "cast(trunc(quantity * 1000000) AS bigint)",
            *("code", "status", "party", "details", "feed_id", "line", "superseded_on", "withdrawn_on"),
        )
    )
)
MONTHS_AT_ONCE = 12
"""Looked for together: one look through the records for all of them, and no more than a year in memory."""

IN_POSTGRES = f"('x' || substr(md5({_HASHED}), 1, 15))::bit(60)::bigint"
IN_DUCKDB = f"cast('0x' || substr(md5({_HASHED}), 1, 15) AS bigint)"


@dataclass(frozen=True)
class Difference:
    """A month of an item where mirror and database disagree: (rows, hash sum) of each, None where there is nothing."""

    item: str
    month: str
    database: tuple[int, int] | None
    mirror: tuple[int, int] | None


class Draft:
    """The parts of one feed while it is being taken."""

    def __init__(self, root: Path, item: str, feed_id: int) -> None:
        self._root, self._item, self._feed_id = root, item, feed_id
        self._folder = _pending(root, item) / f"feed={feed_id}"
        self._folder.mkdir(parents=True)
        self._writers: dict[str, pq.ParquetWriter] = {}

    def add(self, rows: pa.Table) -> None:
        """Staged rows (`canonical.STAGED`), whatever their month."""
        count = len(rows)
        fixed = {
            "item": pa.array([self._item], pa.string()).take(pa.repeat(0, count)),
            "feed_id": pa.repeat(pa.scalar(self._feed_id, pa.int64()), count),
            "superseded_on": pa.nulls(count, pa.date32()),
        }
        table = pa.table([fixed[name] if name in fixed else rows[name] for name in SCHEMA.names], schema=SCHEMA)
        for month, part in _by_month(table):
            self._writer(month).write_table(part)

    def finish(self, tx: Session, merged: records.Merged) -> None:
        """Leave out what was not merged as it stands, write superseded months anew, and publish at the commit."""
        for writer in self._writers.values():
            writer.close()
        anew = set(merged.months)
        left_out = merged.duplicate_lines + merged.contradictory_lines + merged.versioned_lines
        for month in set(self._writers) - anew:
            _leave_out(self._part(month), left_out)
        _write_months(tx, self._item, {month: self._part(month) for month in anew})
        (self._folder / "plan.json").write_text(json.dumps({"anew": sorted(anew)}))
        event.listen(tx, "after_commit", self._publish)

    def discard(self) -> None:
        """Forget the parts: the feed brought nothing."""
        for writer in self._writers.values():
            writer.close()
        shutil.rmtree(self._folder)

    def _writer(self, month: str) -> pq.ParquetWriter:
        if month not in self._writers:
            self._writers[month] = pq.ParquetWriter(self._part(month), SCHEMA, **_PACKED)
        return self._writers[month]

    def _part(self, month: str) -> Path:
        return self._folder / f"{month}.parquet"

    def _publish(self, tx: Session) -> None:
        if not tx.in_nested_transaction():
            with _alone(self._root):
                _move_into_place(self._root, self._item, self._folder)


def repair(tx: Session, root: Path, item: str) -> None:
    """Finish or throw away what a process that died left pending. The caller holds the item's lock."""
    unsure: set[str] = set()
    with _alone(root):
        for folder in sorted(_pending(root, item).glob("feed=*"), key=_number_of):
            plan = folder / "plan.json"
            if plan.exists() and feeds.find(tx, _number_of(folder)):
                _move_into_place(root, item, folder)
                continue
            unsure |= set(json.loads(plan.read_text())["anew"]) if plan.exists() else set()
            shutil.rmtree(folder)
    if unsure:  # a rewriting without a feed of its own: writing these months once more is right in any case
        _rewrite(tx, root, item, unsure)


def rewrite_months(tx: Session, root: Path, item: str, months: Iterable[str]) -> None:
    """Write these months of an item anew from PostgreSQL at the commit: after a repair or a won objection."""
    records.lock_item(tx, item)
    repair(tx, root, item)
    _rewrite(tx, root, item, set(months))


def _rewrite(tx: Session, root: Path, item: str, months: set[str]) -> None:
    draft = Draft(root, item, feeds.next_id(tx))
    draft.finish(tx, records.Merged(0, 0, [], [], [], sorted(months)))


def rebuild_mirror(tx: Session, root: Path) -> list[str]:
    """Write the whole mirror anew from PostgreSQL; the items written. Holds every item's lock until the commit."""
    items = records.items_held(tx)
    for folder in root.glob("item=*"):
        if folder.name.removeprefix("item=") not in items:
            shutil.rmtree(folder)
    for item in items:
        records.lock_item(tx, item)
        shutil.rmtree(_pending(root, item), ignore_errors=True)
        fresh = root / ".pending" / f"rebuilt-{item}"
        shutil.rmtree(fresh, ignore_errors=True)
        parts = {month: fresh / f"month={month}" / "part-0.parquet" for month in records.months_of(tx, item)}
        for part in parts.values():
            part.parent.mkdir(parents=True)
        _write_months(tx, item, parts)
        with _alone(root):
            shutil.rmtree(root / f"item={item}", ignore_errors=True)
            fresh.rename(root / f"item={item}")
    return items


def verify_mirror(tx: Session, root: Path) -> list[Difference]:
    """Where the mirror and PostgreSQL disagree, by rows and by a hash over every column; empty when they agree."""
    found = []
    on_disk = {folder.name.removeprefix("item=") for folder in root.glob("item=*")}
    for item in sorted(on_disk | set(records.items_held(tx))):
        database, mirror = records.checksums(tx, item, IN_POSTGRES), _checksums(root, item)
        found += [
            Difference(item, month, database.get(month), mirror.get(month))
            for month in sorted(database.keys() | mirror.keys())
            if database.get(month) != mirror.get(month)
        ]
    return found


def _checksums(root: Path, item: str) -> dict[str, tuple[int, int]]:
    import duckdb

    pattern = root / f"item={item}" / "month=*" / "*.parquet"
    if not any(root.glob(f"item={item}/month=*/*.parquet")):
        return {}
    with duckdb.connect() as memory:
        rows = memory.execute(
            f"SELECT strftime(known_on, '%Y-%m'), count(*), sum({IN_DUCKDB})"  # noqa: S608 - constant
            " FROM read_parquet(?, hive_partitioning = false) GROUP BY 1",
            [str(pattern)],
        ).fetchall()
    return {month: (count, int(total)) for month, count, total in rows}


def _write_months(tx: Session, item: str, parts: Mapping[str, Path]) -> None:
    """One part per month, written anew from PostgreSQL; a month without records has none."""
    months = sorted(parts)
    for first in range(0, len(months), MONTHS_AT_ONCE):
        group = months[first : first + MONTHS_AT_ONCE]
        table = _read(b"".join(records.copy_months(tx, item, group, SCHEMA.names)))
        found = dict(_by_month(table))
        for month in group:
            if month in found:
                pq.write_table(found[month], parts[month], **_PACKED)
            else:
                parts[month].unlink(missing_ok=True)


def _by_month(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """('2026-03', its rows) for each month of known_on; within a month the rows keep their order."""
    if not len(table):
        return
    months = np.asarray(table["known_on"]).astype("datetime64[M]")
    if (months != months[0]).any():
        order = np.argsort(months, kind="stable")
        table, months = table.take(pa.array(order)), months[order]
    firsts = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(months)]
    for first, end in pairwise(firsts):
        yield str(months[first]), table.slice(first, end - first)


def _read(text: bytes) -> pa.Table:
    """Records as COPY writes them."""
    if not text:
        return SCHEMA.empty_table()
    return pa_csv.read_csv(
        io.BytesIO(text),
        pa_csv.ReadOptions(column_names=SCHEMA.names),
        pa_csv.ParseOptions(newlines_in_values=True),
        pa_csv.ConvertOptions(
            column_types=SCHEMA, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )


def _leave_out(part: Path, lines: list[int]) -> None:
    if lines:
        table = pq.read_table(part, partitioning=None)
        kept = table.filter(pc.invert(pc.is_in(table["line"], pa.array(lines, pa.int32()))))
        if not len(kept):
            part.unlink()
        elif len(kept) < len(table):
            pq.write_table(kept, part, **_PACKED)


def _move_into_place(root: Path, item: str, folder: Path) -> None:
    """Safe to do again from any point: what has moved is gone from the pending folder, which goes last."""
    if not folder.exists():
        return
    anew = json.loads((folder / "plan.json").read_text())["anew"]
    name = f"part-{_number_of(folder)}.parquet"
    for part in folder.glob("*.parquet"):
        place = root / f"item={item}" / f"month={part.stem}"
        place.mkdir(parents=True, exist_ok=True)
        part.rename(place / name)
    for month in anew:
        for old in (root / f"item={item}" / f"month={month}").glob("*.parquet"):
            if old.name != name:
                old.unlink()
    shutil.rmtree(folder)


def _number_of(folder: Path) -> int:
    return int(folder.name.split("=")[1])


def _pending(root: Path, item: str) -> Path:
    return root / ".pending" / item


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One process at a time moves files in the mirror."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
