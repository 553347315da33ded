"""Take a department's file into the records: read, check, stage, merge, mirror; say what became of every row.

The transaction is the caller's. A file that cannot be read as a whole is no exception here: the feed's own row says so
and stays, so that operator and department see it; `Taken.failure` is the sentence for whoever sent it.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlmodel import Session

from service.clock import instant_on
from service.domain.errors import NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.domain.record import Feed, FeedState, Reason
from service.intake import feed as files
from service.intake.catalogue import Catalogue, Item, load_catalogue
from service.intake.mirror import Draft, repair
from service.intake.quarantine import error_file
from service.intake.reading import Reading
from service.store import calendar, feeds, firms, records, trail
from service.store.trail import Act

MAY_TAKE = frozenset({Role.SYSTEM, Role.OPERATOR})
SUMMARISED = frozenset({"registration", "annual_report"})
"""Items the firm's own row is drawn from."""


@dataclass(frozen=True)
class Taken:
    """What came of a file. `is_repeat`: these very bytes were taken before, as `feed`, and nothing was changed."""

    feed: Feed
    is_repeat: bool = False
    failure: NotPossible | None = None


@dataclass(frozen=True)
class Delivery:
    """How a file came: its name, the day, and whether it is history, whose rows name the day they were known."""

    received_on: date
    name: str | None = None
    is_history: bool = False
    at: datetime | None = None
    catalogue: Catalogue = field(default_factory=load_catalogue)


def take_feed(
    tx: Session, who: Who, path: Path, item: str | None = None, *, delivery: Delivery, mirror: Path | None
) -> Taken:
    """Take one file. `item` where the file's name does not say it; `mirror` is the mirror's folder, None for none."""
    if who.role not in MAY_TAKE:
        raise NotAllowed("只有平台和运行人员可以接收报送文件")
    name = delivery.name or path.name
    wanted = delivery.catalogue.item(item) if item else delivery.catalogue.item_of_file(name)
    if not path.is_file():
        raise NotPossible("找不到文件“{name}”", name=name)
    records.lock_item(tx, wanted.id)
    if mirror:
        repair(tx, mirror, wanted.id)
    sha256 = files.fingerprint(path)
    if before := feeds.find_taken(tx, wanted.id, sha256):
        return Taken(before, is_repeat=True)
    feed = Feed(
        id=feeds.next_id(tx),
        item=wanted.id,
        department=wanted.department.id,
        file_name=name[:255],
        sha256=sha256,
        size=path.stat().st_size,
        catalogue_version=delivery.catalogue.version,
        received_on=delivery.received_on,
        is_history=delivery.is_history,
        taken_at=delivery.at or instant_on(delivery.received_on),
        taken_by=who.name or who.role.value,
    )
    failure = _take(tx, path, wanted, feed, mirror)
    details = {name: getattr(feed, name) for name in ("received", "valid", "duplicates", "quarantined", "corrected")}
    act = Act("take", "feed", noun_id=feed.id, new=feed.state, details={"item": feed.item, **details})
    trail.append(tx, who, [act], feed.taken_at)
    return Taken(feed, failure=failure)


def write_error_file(tx: Session, feed_id: int, path: Path) -> int:
    """Write a feed's error file for its sender (CSV, UTF-8 with mark), unless it would be empty; the rows in it."""
    feed = feeds.get(tx, feed_id)
    if feed.quarantined:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(error_lines(tx, feed))
    return feed.quarantined


def error_lines(tx: Session, feed: Feed) -> Iterator[str]:
    """The error file line by line, for a page that streams it."""
    assert feed.id is not None
    return error_file(feed.header or [], records.quarantined_rows(tx, feed.id))


def _take(tx: Session, path: Path, item: Item, feed: Feed, mirror: Path | None) -> NotPossible | None:
    """Fill in `feed` and store it; the failure, where the file as a whole could not be read."""
    assert feed.id is not None
    draft = Draft(mirror, item.id, feed.id) if mirror else None
    with tempfile.SpooledTemporaryFile(max_size=16 << 20) as spool:
        try:
            with files.open_sheet(path) as sheet:
                reading = Reading(item, feed, sheet, spool, draft)
                with tx.begin_nested():
                    records.stage(tx, reading.blocks())
            if not reading.received:
                raise NotPossible("文件只有表头，没有数据行")  # noqa: TRY301 - one way out for every whole-file fault
        except NotPossible as wrong:
            if draft:
                draft.discard()
            feed.state, feed.failure, feed.failure_values = FeedState.FAILED.value, wrong.message, dict(wrong.values)
            feeds.add(tx, feed)
            return wrong
        _merge(tx, path, reading, draft)
    return None


def _merge(tx: Session, path: Path, reading: Reading, draft: Draft | None) -> None:
    feed, item = reading.feed, reading.item
    assert feed.id is not None
    merged = records.merge(tx, item.id, feed.id, reading.suspect_lines())
    if merged.contradictory_lines:
        reading.set_aside_again(path, set(merged.contradictory_lines), Reason.DUPLICATE_IN_FILE)
    feed.received, feed.quarantined = reading.received, reading.set_aside.count
    feed.valid, feed.corrected = merged.new + merged.corrected, merged.corrected
    feed.duplicates = len(merged.duplicate_lines)
    feeds.add(tx, feed)  # before the firms that will name it; what is counted below is written as it changes
    records.touch(tx, merged)
    if item.id in SUMMARISED:
        firms.refresh(tx, feed.received_on, reading.wrong_codes)
    firms.mark_touched(tx, item.id, feed.taken_at)
    feed.wrong_codes, feed.unregistered = firms.count_touched(tx, reading.wrong_codes)
    feed.on_time, feed.late = _timeliness(tx, item, merged)
    tx.flush()
    records.copy_quarantine(tx, reading.set_aside.blocks())
    if draft and feed.valid:
        draft.finish(tx, merged)
    elif draft:
        draft.discard()


def _timeliness(tx: Session, item: Item, merged: records.Merged) -> tuple[int, int]:
    """New facts known by their due day, and later; a due day beyond the published calendar is not measured."""
    if item.due is None:
        return 0, 0
    days = calendar.calendar(tx)
    on_time = late = 0
    for happened_on, known_on, rows in records.new_facts_by_day(tx, merged):
        due_on = days.due_on(happened_on, item.due.within, item.due.unit)
        on_time += rows if due_on and known_on <= due_on else 0
        late += rows if due_on and known_on > due_on else 0
    return on_time, late
