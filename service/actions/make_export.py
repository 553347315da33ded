"""A long list as a workbook made by the worker: asked for, made batch by batch with its maker's eyes, kept a week.

Killed in the middle it is made again from its first row; asked for twice it is made once; nothing is cut off.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Row
from sqlmodel import Session

from service.clock import Clock
from service.domain.errors import Conflict, DomainError, NotAllowed
from service.domain.export import KEPT, MOST_TRIES, ExportState, Wish
from service.domain.people import Role, Who, the_platform
from service.settings import Settings
from service.store import exports, notices, queue, trail
from service.store.database import transaction
from service.store.notices import Message
from service.store.trail import Act

EXPORTER = the_platform("export")
BATCH = 2_000
S = ExportState
Batches = Iterable[Sequence[Any]]
log = structlog.get_logger("export")


@dataclass(frozen=True)
class About:
    """What stands beside the rows: whose workbook it is, of when, in which language."""

    who: Who
    language: str
    at: datetime


@dataclass(frozen=True)
class Kind:
    """How the rows of one kind are found, read and written; the pages, whose words they are, hand it over."""

    find: Callable[[Session, Who, str, date], list[int]]
    """The keys of all rows of a query, in their order."""
    read: Callable[[Session, Who, Sequence[int]], Sequence[Any]]
    write: Callable[[Path, Batches, About], None]


Kinds = Mapping[str, Kind]


class Stopped(Exception):
    """Its maker asked to stop."""


def ask_export(tx: Session, who: Who, wish: Wish, total: int, today: date, now: datetime) -> int:
    """Enter an export of `total` rows and hand it to the worker: its key. The same under way is asked for once."""
    if who.person_id is None:
        raise NotAllowed("请用个人身份登录后导出。")
    row = {
        "kind": wish.kind.value, "query": wish.query, "wish_hash": wish.hash_for(who), "language": wish.language,
        "person_id": who.person_id, "role": who.role.value, "bank_id": who.bank_id, "district": who.district,
        "asked_on": today, "asked_at": now, "state": S.WAITING.value, "done": 0, "total": total, "tries": 0,
        "cancel_asked": False, "message": "",
    }  # fmt: skip
    key, is_new = exports.add(tx, row)
    if is_new:
        note_export(tx, who, wish, total, now, key)
        queue.defer_in(tx, queue.EXPORT, once=queue.EXPORT)
    return key


def note_export(tx: Session, who: Who, wish: Wish, total: int, now: datetime, key: int | None = None) -> None:
    """Who took how many rows of what: on the trail, whether made at once or by the worker."""
    what = {"kind": wish.kind.value, "rows": total}
    act = Act("exported", "export", key, bank_id=who.bank_id, district=who.district, details=what)
    trail.append(tx, who, [act], now)


def cancel_export(tx: Session, who: Who, export_id: int, now: datetime) -> None:
    """Stop it after its present batch; no file is kept. Errors: NotFound, Conflict."""
    old = exports.get(tx, export_id)
    if not exports.ask_cancel(tx, export_id, now):
        raise Conflict("这次导出已经结束，或已要求停止。")
    act = Act("stopped", "export", export_id, bank_id=who.bank_id, district=who.district, old=old.state)
    trail.append(tx, who, [act], now)


def make_waiting(settings: Settings, kinds: Kinds) -> int:
    """Make every export that waits, or that a worker left unfinished; how many."""
    with transaction(EXPORTER) as tx:
        waiting = exports.list_waiting(tx)
    for key in waiting:
        log.info("exported", export=key, state=make_export(settings, kinds, key))
    return len(waiting)


def make_export(settings: Settings, kinds: Kinds, export_id: int) -> str:
    """Make one from its first row; its state at the end."""
    clock = Clock(settings.demo_on)
    with transaction(EXPORTER) as tx:
        one = exports.start(tx, export_id, clock.now())
    if one is None:
        return "ended"
    if one.tries > MOST_TRIES:
        return _end(one, S.FAILED, clock.now(), "试了三次都没有做完，请缩小范围后再导出，或告诉运行人员。")
    place = exports.file_of(settings.uploads, export_id)
    draft = place.with_suffix(".part")
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _write(kinds[one.kind], one, draft, clock)
    except Stopped:
        draft.unlink(missing_ok=True)
        return _end(one, S.CANCELLED, clock.now())
    except (DomainError, OSError) as fault:
        log.exception("not exported", export=export_id)
        draft.unlink(missing_ok=True)
        said = str(fault) if isinstance(fault, DomainError) else "文件没有写成，请稍后再导出，或告诉运行人员。"
        return _end(one, S.FAILED, clock.now(), said)
    draft.replace(place)
    return _finish(one, place.stat().st_size, clock)


def forget_expired(settings: Settings) -> int:
    """Remove the files whose last day is over; how many there were."""
    folder = exports.folder_of(settings.uploads)
    with transaction(EXPORTER) as tx:
        gone = exports.expire(tx, Clock(settings.demo_on).today())
    for key in gone:
        (folder / f"{key}.xlsx").unlink(missing_ok=True)
    return len(gone)


def _write(kind: Kind, one: Row[Any], draft: Path, clock: Clock) -> None:
    maker = Who(Role(one.role), one.person_id, one.person_name, bank_id=one.bank_id, district=one.district)
    with transaction(maker, read_only=True) as tx:
        keys = kind.find(tx, maker, one.query, clock.today())
    with transaction(EXPORTER) as tx:
        exports.measure(tx, one.id, len(keys))
    kind.write(draft, _batches(kind, one.id, maker, keys), About(maker, one.language, clock.now()))


def _batches(kind: Kind, export_id: int, maker: Who, keys: Sequence[int]) -> Iterator[Sequence[Any]]:
    """The rows as their maker may see them at that moment, each batch in a transaction of its own."""
    for first in range(0, len(keys), BATCH):
        with transaction(maker, read_only=True) as tx:
            rows = kind.read(tx, maker, keys[first : first + BATCH])
        yield rows
        with transaction(EXPORTER) as tx:
            is_stopped = exports.step(tx, export_id, first + BATCH)
        if is_stopped:
            raise Stopped


def _end(one: Row[Any], state: ExportState, now: datetime, message: str = "") -> str:
    with transaction(EXPORTER) as tx:
        exports.end(tx, one.id, state, now, message)
    return state.value


def _finish(one: Row[Any], size: int, clock: Clock) -> str:
    """Its maker may fetch it from now on, and those whom messages reach are told."""
    today, now = clock.today(), clock.now()
    with transaction(EXPORTER) as tx:
        exports.end(tx, one.id, S.DONE, now, size=size, expires_on=today + KEPT)
        if one.bank_id or one.district:
            told = {"export": one.kind, "lines": exports.get(tx, one.id).total, "on": (today + KEPT).isoformat()}
            to = {"bank_id": one.bank_id} if one.bank_id else {"district": one.district}
            notices.add(tx, [Message("export_done", **to, values=told)], today, now)
    return S.DONE.value
