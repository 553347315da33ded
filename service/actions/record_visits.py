"""What was heard at a firm: written down once, corrected with the old words kept; what was found enters the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.act_together import raise_refusal
from service.actions.keep_ledger import Found, enter_obstacles
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.obstacle import ObstacleKind
from service.domain.people import Role, Who
from service.domain.visit import LONGEST_NOTE, LONGEST_WORDS, Met, VisitState
from service.store import trail, visits
from service.store.trail import Act

MOST_OBSTACLES = 6
SAID = ("visited_on", "met", "has_need", "amount_fen", "obstacles", "promised", "next_on", "note")
"""What a record says: two with the same are one."""


@dataclass(frozen=True)
class Heard:
    """A visit as it is written down. `version` is the one the writer saw: a colleague's newer words are not lost."""

    visit_id: int
    version: int
    visited_on: date
    met: str
    has_need: bool | None = None
    amount_fen: int | None = None
    obstacles: tuple[str, ...] = ()
    promised: str = ""
    next_on: date | None = None
    note: str = ""


@dataclass(frozen=True)
class Recorded:
    """What became of one record: taken, the same as before and therefore nothing new, or refused."""

    visit_id: int
    error: DomainError | None = None
    is_repeat: bool = False


def record_visit(tx: Session, who: Who, heard: Heard, today: date, now: datetime) -> Recorded:
    """Write one visit down, or correct it."""
    (done,) = record_visits(tx, who, [heard], today, now)
    raise_refusal([done.error])
    return done


def record_visits(tx: Session, who: Who, said: Sequence[Heard], today: date, now: datetime) -> list[Recorded]:
    """Write several down, each taken or not on its own; a visit named twice is taken once."""
    if who.role is not Role.DISTRICT:
        raise NotAllowed("走访由区县专班安排和记录。")
    there = visits.lock(tx, who, sorted({one.visit_id for one in said}))
    taken, done = dict[int, Heard](), list[Recorded]()
    for one in said:
        row = there.get(one.visit_id)
        error = _refusal(one, row, one.visit_id in taken, today)
        is_repeat = error is None and row is not None and _words(one) == {name: getattr(row, name) for name in SAID}
        done.append(Recorded(one.visit_id, error, is_repeat))
        if error is None and not is_repeat:
            taken[one.visit_id] = one
    _write(tx, who, [(there[key], one) for key, one in taken.items()], today, now)
    visits.remove_drafts(tx, [one.visit_id for one in done if one.error is None], who.person_id)
    return done


def try_visits(tx: Session, who: Who, said: Sequence[Heard], today: date, now: datetime) -> list[Recorded]:
    """What would become of the records: the real act behind a savepoint that is taken back."""
    attempt = tx.begin_nested()
    try:
        return record_visits(tx, who, said, today, now)
    finally:
        attempt.rollback()


def _refusal(one: Heard, row: Row[Any] | None, is_second: bool, today: date) -> DomainError | None:
    try:
        if row is None:
            raise NotFound("没有这次走访。")
        if is_second:
            raise Conflict("同一次走访写了两遍。")
        _check(one, row, today)
    except DomainError as refusal:
        return refusal
    return None


def _check(one: Heard, row: Row[Any], today: date) -> None:
    for is_wrong, refusal in _faults(one, row, today):
        if is_wrong:
            raise refusal
    if one.version != row.version and _words(one) != {name: getattr(row, name) for name in SAID}:
        raise Conflict("这次走访的记录已被更新，请先看新的内容，再更正。")


def _faults(one: Heard, row: Row[Any], today: date) -> list[tuple[bool, DomainError]]:
    """What a record may not say, in the order of the form: (whether it does, the refusal)."""
    is_met, dates = one.met != Met.NOBODY, one.next_on is not None and one.next_on <= today
    is_known = len(one.obstacles) <= MOST_OBSTACLES and set(one.obstacles) <= frozenset(ObstacleKind)
    is_long = len(one.promised) > LONGEST_WORDS or len(one.note) > LONGEST_NOTE
    agreed = bool(one.obstacles or one.promised)
    return [
        (one.visited_on > today, NotPossible("走访日期不能晚于今天。", field="visited_on")),
        (one.met not in frozenset(Met), NotPossible("请选择见到了谁。", field="met")),
        (
            not is_met and bool(one.has_need or one.obstacles),
            NotPossible("没有见到人时，不填需求和堵点。", field="met"),
        ),
        (is_met and one.has_need is None, NotPossible("请选择有没有融资需求。", field="has_need")),
        (
            bool(one.has_need) and one.amount_fen is None,
            NotPossible("有融资需求时，请填写大约金额。", field="amount_fen"),
        ),
        (
            not one.has_need and one.amount_fen is not None,
            NotPossible("没有融资需求时，不填金额。", field="amount_fen"),
        ),
        (
            not is_known,
            NotPossible("请从列出的堵点中选择，最多 {most} 项。", field="obstacles", most=MOST_OBSTACLES),
        ),
        (is_long, NotPossible("约定的事项或备注写得太长。", field="promised")),
        (agreed and one.next_on is None, NotPossible("发现堵点或约定了事项时，请定下次日期。", field="next_on")),
        (dates and one.next_on != row.next_on, NotPossible("下次日期须在今天之后。", field="next_on")),
    ]


def _words(one: Heard) -> dict[str, Any]:
    return {name: getattr(one, name) for name in SAID} | {"obstacles": sorted(set(one.obstacles))}


def _write(tx: Session, who: Who, taken: Sequence[tuple[Row[Any], Heard]], today: date, now: datetime) -> None:
    corrected = [row for row, _ in taken if row.version]
    visits.add_versions(
        tx,
        [
            {"visit_id": row.id, "district": row.district, "version": row.version, "recorded_by": row.recorded_by,
             "recorded_at": row.recorded_at, "said": {name: getattr(row, name) for name in SAID}}
            for row in corrected
        ],
    )  # fmt: skip
    by = {"recorded_by": who.person_id, "recorded_at": now}
    visits.change(
        tx,
        [{"id": row.id, "state": _state(one), "version": row.version + 1} | _words(one) | by for row, one in taken],
    )
    found = [
        Found(row.uscc, kind, one.next_on, one.promised, visit_id=row.id)
        for row, one in taken
        for kind in one.obstacles
        if one.next_on is not None and one.next_on > today
    ]
    enter_obstacles(tx, who, found, today, now)
    trail.append(tx, who, [_act(row, one) for row, one in taken], now)


def _state(one: Heard) -> str:
    return (VisitState.NOT_MET if one.met == Met.NOBODY else VisitState.MADE).value


def _act(row: Row[Any], one: Heard) -> Act:
    told = {"version": row.version + 1, "has_need": one.has_need, "obstacles": sorted(set(one.obstacles))}
    verb = "visit_corrected" if row.version else "visited"
    return Act(
        verb, "visit", row.id, uscc=row.uscc, district=row.district, old=row.state, new=_state(one), details=told
    )
