"""The district team's look: between reported and recommended where policy says so, or the firm asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.judge_demand import fails_a_criterion, recommended_event
from service.actions.settle_demand import settling
from service.domain.demand import BEFORE_GRANT, DemandState, LightWord
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.profiles.tools import Tools
from service.store import demands, notices, statistics, trail, verdicts
from service.store.notices import Message
from service.store.trail import Act

S = DemandState
RECOMMENDED = "recommended"
DECISIONS = frozenset({RECOMMENDED, "returned", "noted"})
LONGEST_SENTENCE = 500


@dataclass(frozen=True)
class Look:
    """An official's word on one demand: recommended, returned or noted, with a sentence."""

    demand_id: int
    decision: str
    sentence: str


def review_demand(
    tx: Session, who: Who, demand_id: int, decision: str, sentence: str, tools: Tools, today: date, now: datetime
) -> None:
    """One demand's review: see review_demands."""
    review_demands(tx, who, [Look(demand_id, decision, sentence)], tools, today, now)


def review_demands(tx: Session, who: Who, looks: Sequence[Look], tools: Tools, today: date, now: datetime) -> None:
    """An official recommends demands, returns them to their firms, or notes what was found; all of them or none.

    Recommending confirms what no source could tell. A failed criterion is not lifted by it: only a changed fact, or an
    override with its own sentence, does that. The same decision twice is Conflict: someone was quicker.
    """
    if not who.is_official:
        raise NotAllowed("复核由区县专班或市级人员作出。")
    rows = {row.id: row for row in demands.lock(tx, [look.demand_id for look in looks])}
    for look in looks:
        if look.demand_id not in rows or not demands.is_within(rows[look.demand_id], who):
            raise NotFound("没有这笔融资需求。")
        _check_words(look.decision, look.sentence)
    waiting = verdicts.open_reviews(tx, list(rows))
    up = [rows[look.demand_id] for look in looks if look.decision == RECOMMENDED]
    _check_recommendable(tx, up, tools, today)
    if any(look.decision != RECOMMENDED and look.demand_id not in waiting for look in looks):
        raise Conflict("这笔需求没有待复核事项，可能已由同事处理。")
    acts: list[Act] = []
    for look in looks:
        row = rows[look.demand_id]
        there = waiting.get(row.id)
        key = there.id if there else _open(tx, row, "confirmed", None, today)
        verdicts.decide_reviews(tx, [key], look.decision, look.sentence.strip(), who.person_id, now)
        acts.append(_act("decide", "review", key, row, "open", look.decision))
    acts += _recommend(tx, up, today, now) + settling(tx, who, list(rows), today, now, "reviewed")
    notices.add(tx, [_told(rows[look.demand_id], look.decision) for look in looks], today, now)
    trail.append(tx, who, acts, now)


def ask_for_a_person(tx: Session, who: Who, demand_id: int, tools: Tools, today: date, now: datetime) -> int:
    """The firm wants a person to look at its demand: a review with a date; asked twice, it is the same review."""
    if who.role not in (Role.FIRM, Role.SYSTEM):
        raise NotAllowed("人工复核由企业本人提出。")
    row = demands.lock_one(tx, who, demand_id)
    if row.state not in BEFORE_GRANT:
        raise Conflict("这笔需求已结束，不能再申请人工复核。", state=row.state)
    waiting = verdicts.open_reviews(tx, [row.id]).get(row.id)
    if waiting is not None:
        return int(waiting.id)
    days = tools.policy.on(today, row.district).review.deadline_working_days
    key = _open(tx, row, "asked", tools.calendar.due_on(today, days, "working_days"), today)
    acts = [_act("open", "review", key, row, None, "open"), *settling(tx, who, [row.id], today, now, "asked")]
    notices.add(tx, [Message("review_opened", district=row.district, demand_id=row.id)], today, now)
    trail.append(tx, who, acts, now)
    return key


def _check_words(decision: str, sentence: str) -> None:
    if decision not in DECISIONS:
        raise NotPossible("请选择复核意见。", field="decision")
    if not sentence.strip() or len(sentence) > LONGEST_SENTENCE:
        raise NotPossible("请用一句话写明理由，不超过 {most} 个字。", field="sentence", most=LONGEST_SENTENCE)


def _check_recommendable(tx: Session, rows: Sequence[Row[Any]], tools: Tools, today: date) -> None:
    ids = [row.id for row in rows]
    judged, overrides = verdicts.current(tx, ids), verdicts.live_overrides(tx, ids, today)
    for row in rows:
        if row.state != S.REPORTED:
            raise Conflict("这笔需求已不在申报清单中，可能已由同事处理。", state=row.state)
        if row.id not in judged:
            raise Conflict("这笔需求尚未研判，请稍后再复核。")
        lifted = row.id in overrides and overrides[row.id].light != LightWord.RED
        if fails_a_criterion(judged[row.id].findings, tools.policy) and not lifted:
            raise NotPossible("五项标准中有一项未通过，须待事实变化或作出人工改判后再推荐。", field="decision")


def _open(tx: Session, row: Row[Any], cause: str, due_on: date | None, today: date) -> int:
    whose = {"demand_id": row.id, "uscc": row.uscc, "district": row.district, "verdict_id": row.verdict_id}
    return verdicts.add_reviews(tx, [whose | {"cause": cause, "opened_on": today, "due_on": due_on}])[0]


def _recommend(tx: Session, rows: Sequence[Row[Any]], today: date, now: datetime) -> list[Act]:
    demands.change(tx, [{"id": row.id, "state": S.RECOMMENDED, "recommended_on": today} for row in rows])
    firms = demands.firms(tx, [row.uscc for row in rows])
    statistics.count(tx, [recommended_event(row, firms[row.uscc], today) for row in rows], today, now)
    return [_act("recommend", "demand", row.id, row, row.state, S.RECOMMENDED) for row in rows]


def _told(row: Row[Any], decision: str) -> Message:
    return Message("demand_reviewed", uscc=row.uscc, demand_id=row.id, values={"decision": decision})


def _act(verb: str, noun: str, key: int, row: Row[Any], old: str | None, new: str | None) -> Act:
    return Act(verb, noun, key, demand_id=row.id, uscc=row.uscc, district=row.district, old=old, new=new)
