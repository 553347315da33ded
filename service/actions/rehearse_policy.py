"""Rehearse a policy on history: what the stored facts gave, and what they would have given under the lines of a file.

Open loop: each day stands on its own stored inputs; nothing that would have followed is carried into the next day.
"""

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import Session

from matching.policy import INVOICES_POLICY_FILE, POLICY_FILE, Policy, PolicyError, load_policy
from service.actions.rehearsed_day import NUMBERS, Book, Lines, held, rehearse_day, same_lines
from service.clock import Clock
from service.domain.errors import Conflict, DomainError, NotAllowed, NotPossible, Unavailable
from service.domain.people import Role, Who, the_platform
from service.domain.rehearsal import RehearsalState
from service.domain.rehearsed_outcome import cells_of
from service.settings import Settings
from service.store import queue, rehearsals, trail
from service.store.database import transaction
from service.store.trail import Act

REHEARSER = the_platform("rehearsal")
LONGEST_DAYS = 400
LARGEST_FILE = 300_000
MOST_LISTS = 200
"""Of the lists that grow or shrink, those that do so most are kept by name; all are counted."""
S = RehearsalState
Told = Callable[[int, int], None]
log = structlog.get_logger("rehearsal")


@dataclass(frozen=True)
class Wish:
    """What is to be rehearsed: a file by name and bytes, the days, and the day whose lines hold on all (None: own)."""

    name: str
    content: bytes
    from_on: date
    to_on: date
    held_on: date | None = None


def read_tried(name: str, content: bytes) -> Policy:
    """The policy of a file's bytes; it may be based on one of those shipped. NotPossible with one sentence."""
    if len(content) > LARGEST_FILE:
        raise NotPossible("政策文件太大，最多 300 KB。", field="policy")
    with tempfile.TemporaryDirectory() as folder:
        for shipped in (POLICY_FILE, INVOICES_POLICY_FILE):
            (Path(folder) / shipped.name).write_bytes(shipped.read_bytes())
        path = Path(folder) / "handed-in.yaml"
        path.write_bytes(content)
        try:
            content.decode("utf-8")
            return load_policy(path)
        except PolicyError as wrong:
            why = str(wrong).removeprefix(f"{path.name}: ")
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
            why = "it is not built like a policy file: compare it with matching/policy.yaml"
    raise NotPossible("政策文件 {name} 不能用：{why}", field="policy", name=name, why=why)


def ask_rehearsal(tx: Session, who: Who, wish: Wish, live: Policy, today: date, now: datetime) -> int:
    """Enter a rehearsal: its key. The same one under way is asked for once.

    Errors: NotAllowed; NotPossible for a file or days that cannot be used; Conflict while the same runs otherwise.
    """
    _must_be_city(who)
    if wish.from_on > wish.to_on:
        raise NotPossible("开始日不能晚于结束日。", field="from_on")
    if wish.to_on > today:
        raise NotPossible("只能预演已经过去的日子，结束日最晚是今天。", field="to_on")
    if (wish.to_on - wish.from_on).days >= LONGEST_DAYS:
        raise NotPossible("一次最多预演 {most} 天。", field="from_on", most=LONGEST_DAYS)
    tried = read_tried(wish.name, wish.content)
    _must_hold(Lines(live, tried, wish.from_on, wish.held_on))
    there = rehearsals.find_under_way(tx, tried.hash, wish.from_on, wish.to_on)
    if there is not None:
        if rehearsals.get(tx, there).held_on != wish.held_on:
            raise Conflict("同一份文件、同样日期的预演正在进行，请等它做完或先停止它。")
        return there
    row = {
        "policy_name": wish.name[:200],
        "policy_version": tried.version[:64],
        "policy_hash": tried.hash,
        "policy_file": wish.content.decode("utf-8"),
        "from_on": wish.from_on,
        "to_on": wish.to_on,
        "held_on": wish.held_on,
        "asked_by": who.person_id,
        "asked_at": now,
        "state": S.WAITING,
        "done": 0,
        "total": (wish.to_on - wish.from_on).days + 1,
        "cancel_asked": False,
        "message": "",
    }
    key = rehearsals.add(tx, row)
    days = {"policy": tried.hash, "from": wish.from_on.isoformat(), "to": wish.to_on.isoformat()}
    trail.append(tx, who, [Act("asked_for", "rehearsal", key, new=S.WAITING, details=days)], now)
    return key


def queue_rehearsal(tx: Session, who: Who, wish: Wish, live: Policy, today: date, now: datetime) -> int:
    """Enter it and hand it to the worker with this transaction."""
    key = ask_rehearsal(tx, who, wish, live, today, now)
    queue.defer_in(tx, queue.REHEARSE, once=queue.REHEARSE)
    return key


def cancel_rehearsal(tx: Session, who: Who, rehearsal_id: int, now: datetime) -> None:
    """Stop it after its present day; nothing it found is kept. Errors: NotAllowed, NotFound, Conflict."""
    _must_be_city(who)
    old = rehearsals.get(tx, rehearsal_id)
    if not rehearsals.ask_cancel(tx, rehearsal_id, now):
        raise Conflict("这次预演已经结束，或已要求停止。")
    trail.append(tx, who, [Act("stopped", "rehearsal", rehearsal_id, old=old.state)], now)


def rehearse_waiting(settings: Settings) -> int:
    """Do every rehearsal that waits, or that a worker left unfinished; how many."""
    with transaction(REHEARSER) as tx:
        waiting = rehearsals.list_waiting(tx)
    for key in waiting:
        state = run_rehearsal(settings, key)
        log.info("rehearsed", rehearsal=key, state=state)
    return len(waiting)


def run_rehearsal(settings: Settings, rehearsal_id: int, told: Told | None = None) -> str:
    """Do one from its first day; its state at the end. Done twice, it finds the same."""
    clock = Clock(settings.demo_on)
    with transaction(REHEARSER) as tx:
        row = rehearsals.get(tx, rehearsal_id)
        name, content = rehearsals.file_of(tx, rehearsal_id)
        days = [row.from_on + timedelta(days=n) for n in range((row.to_on - row.from_on).days + 1)]
        if not rehearsals.start(tx, rehearsal_id, len(days)):
            return str(row.state)
    try:
        lines = Lines(load_policy(settings.policy), read_tried(name, content.encode()), row.from_on, row.held_on)
        book = _run_days(rehearsal_id, days, lines, told)
        if book is None:
            return _end(rehearsal_id, S.CANCELLED, "", None, clock.now())
        found = _found(book, lines, days)
        with transaction(REHEARSER) as tx:
            rehearsals.put_lights(tx, rehearsal_id, _turned(book))
        return _end(rehearsal_id, S.DONE, "", found, clock.now())
    except KeyboardInterrupt:
        return _end(rehearsal_id, S.CANCELLED, "", None, clock.now())
    except (DomainError, PolicyError) as wrong:
        return _end(rehearsal_id, S.FAILED, str(wrong), None, clock.now())
    except Exception as fault:
        _end(rehearsal_id, S.FAILED, type(fault).__name__, None, clock.now())
        raise


def _run_days(rehearsal_id: int, days: Sequence[date], lines: Lines, told: Told | None) -> Book | None:
    """The book of all days, each read in a transaction of its own; None where somebody asked to stop."""
    book = Book()
    for number, day in enumerate(days, 1):
        with transaction(REHEARSER, read_only=True) as tx:
            rehearse_day(tx, day, lines, book)
        with transaction(REHEARSER) as tx:
            if rehearsals.step(tx, rehearsal_id, number):
                return None
        if told is not None:
            told(number, len(days))
    return book


def _end(rehearsal_id: int, state: RehearsalState, message: str, found: dict[str, Any] | None, now: datetime) -> str:
    written = json.dumps(found, ensure_ascii=False) if found is not None else None
    with transaction(REHEARSER) as tx:
        rehearsals.end(tx, rehearsal_id, state, message, written, now)
        act = Act("rehearsed", "rehearsal", rehearsal_id, old=S.RUNNING, new=state)
        trail.append(tx, REHEARSER, [act], now)
    return state.value


def _must_be_city(who: Who) -> None:
    if not (who.is_platform or who.role is Role.CITY):
        raise NotAllowed("只有市级专班可以预演政策。")


def _must_hold(lines: Lines) -> None:
    """The policies have lines and numbers in force from the first day on; NotPossible with the sentence."""
    try:
        if lines.held_on is not None:
            held(lines.tried, lines.held_on)
        for policy, day in ((lines.live, lines.first), (lines.tried, lines.held_on or lines.first)):
            in_force = policy.on(day)
            for name in NUMBERS:
                in_force.number(name)
    except PolicyError as wrong:
        raise NotPossible(
            "这份政策在所选日期还没有生效的口径，请另指定“采用哪一天的口径”：{why}", field="held_on", why=str(wrong)
        ) from wrong


def _turned(book: Book) -> list[dict[str, Any]]:
    """Rows of the demands whose light is another one at the end."""
    names = ("demand_id", "uscc", "district", "old", "new")
    return [
        {name: getattr(one, name) for name in names} | {"criteria": list(one.criteria)}
        for _, one in sorted(book.judged.items())
        if one.old != one.new
    ]


def _found(book: Book, lines: Lines, days: Sequence[date]) -> dict[str, Any]:
    """The whole result as a document; districts and industries without their small cells."""
    stands = [one for _, one in sorted(book.judged.items())]
    turned = [one for one in stands if one.old != one.new]
    return {
        "replay": {
            "verdicts": book.verdicts,
            "same": book.same,
            "elsewhere": book.elsewhere,
            "different": book.different,
            "runs": book.runs,
            "runs_same": book.runs_same,
            "runs_certified": book.runs_certified,
            "runs_different": book.runs_different,
            "unreadable": book.unknown,
        },
        "same_lines": same_lines(lines, days),
        "live": {"version": lines.live.version, "hash": lines.live.hash},
        "demands": len(stands),
        "firms": len({one.uscc for one in stands}),
        "lights": [[old, new, count] for (old, new), count in sorted(Counter((o.old, o.new) for o in stands).items())],
        "criteria": Counter(name for one in turned for name in one.criteria).most_common(),
        "joined": book.joined,
        "left": book.left,
        "lists": _lists(book),
        "whole": _whole(book),
        "district": _cells(book, lambda one: str(one.district)),
        "industry": _cells(book, lambda one: str(one.industry)[:1]),
    }


def _lists(book: Book) -> dict[str, Any]:
    """How many lists grow, shrink and stay, by bank, and those that change most."""
    moved = [one for one in book.lists if one[3] != one[4]]
    banks: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for _day, _run, bank, before, after in book.lists:
        for place, more in enumerate((before, after, after > before, after < before)):
            banks[bank][place] += int(more)
    most = sorted(moved, key=lambda one: (-abs(one[4] - one[3]), one))[:MOST_LISTS]
    return {
        "grew": sum(after > before for *_, before, after in moved),
        "shrank": sum(after < before for *_, before, after in moved),
        "same": len(book.lists) - len(moved),
        "banks": [[bank, *figures] for bank, figures in sorted(banks.items())],
        "most": [[day.isoformat(), *rest] for day, *rest in most],
    }


def _cells(book: Book, key_of: Callable[[Any], str]) -> list[dict[str, Any]]:
    judged = [(key_of(one), one.uscc, one.old != one.new) for _, one in sorted(book.judged.items())]
    return [one.document() for one in cells_of(book.expected, judged, [key_of(one) for one in book.expected])]


def _whole(book: Book) -> dict[str, Any] | None:
    """All demands as one cell; None where they come from too few firms."""
    found = _cells(book, lambda _one: "all")
    return found[0] if found else None


def reproduces(found: dict[str, Any]) -> bool:
    """Whether the policy in use gave every verdict it had made, and every list, once more.

    Lists of another version of the solver need only be right by the referee.
    """
    replay = found["replay"]
    verdicts, runs = replay["verdicts"] - replay["elsewhere"], replay["runs_same"] + replay.get("runs_certified", 0)
    return bool(replay["same"] == verdicts and runs == replay["runs"] and not replay["unreadable"])


def done_or_refused(tx: Session, rehearsal_id: int) -> dict[str, Any]:
    """What a rehearsal found; Unavailable with its reason where it did not come to its end."""
    row = rehearsals.get(tx, rehearsal_id)
    if row.found is None:
        raise Unavailable("这次预演没有做完：{why}", why=row.message or row.state)
    return dict(row.found)
