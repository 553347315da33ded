"""The district team's look: between reported and recommended where policy says so, or the firm asked."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.judge_demand import fails_a_criterion, recommended_event
from service.actions.settle_demand import settling
from service.domain.demand import BEFORE_GRANT, DemandState, LightWord
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.profiles.tools import Tools
from service.store import demands, notices, statistics, trail, verdicts
from service.store.notices import Message
from service.store.trail import Act

S = DemandState
DECISIONS = frozenset({"recommended", "returned", "noted"})
LONGEST_SENTENCE = 500


def review_demand(
    tx: Session, who: Who, demand_id: int, decision: str, sentence: str, tools: Tools, today: date, now: datetime
) -> None:
    """An official recommends the demand, returns it to the firm, or notes what was found; with a name and a sentence.

    Recommending confirms what no source could tell. A failed criterion is not lifted by it: only a changed fact, or an
    override with its own sentence, does that. The same decision twice is Conflict: someone was quicker.
    """
    row = _of_an_official(tx, who, demand_id)
    _check_words(decision, sentence)
    waiting = verdicts.open_reviews(tx, [row.id]).get(row.id)
    if decision == "recommended":
        _check_recommendable(tx, row, tools, today)
    elif waiting is None:
        raise Conflict("这笔需求没有待复核事项，可能已由同事处理。")
    review_id = waiting.id if waiting else _open(tx, row, "confirmed", None, today)
    verdicts.decide_reviews(tx, [review_id], decision, sentence.strip(), who.person_id, now)
    acts = [_act("decide", "review", review_id, row, "open", decision)]
    if decision == "recommended" and row.state == S.REPORTED:
        acts.append(_recommend(tx, row, today, now))
    acts += settling(tx, who, [row.id], today, now, "reviewed")
    told = {"decision": decision}
    notices.add(tx, [Message("demand_reviewed", uscc=row.uscc, demand_id=row.id, values=told)], today, now)
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


def _of_an_official(tx: Session, who: Who, demand_id: int) -> Row[Any]:
    if not who.is_official:
        raise NotAllowed("复核由区县专班或市级人员作出。")
    return demands.lock_one(tx, who, demand_id)


def _check_words(decision: str, sentence: str) -> None:
    if decision not in DECISIONS:
        raise NotPossible("请选择复核意见。", field="decision")
    if not sentence.strip() or len(sentence) > LONGEST_SENTENCE:
        raise NotPossible("请用一句话写明理由，不超过 {most} 个字。", field="sentence", most=LONGEST_SENTENCE)


def _check_recommendable(tx: Session, row: Row[Any], tools: Tools, today: date) -> None:
    if row.state != S.REPORTED:
        raise Conflict("这笔需求已不在申报清单中，可能已由同事处理。", state=row.state)
    verdict = verdicts.current(tx, [row.id]).get(row.id)
    if verdict is None:
        raise Conflict("这笔需求尚未研判，请稍后再复核。")
    override = verdicts.live_overrides(tx, [row.id], today).get(row.id)
    lifted = override is not None and override.light != LightWord.RED
    if fails_a_criterion(verdict.findings, tools.policy) and not lifted:
        raise NotPossible("五项标准中有一项未通过，须待事实变化或作出人工改判后再推荐。", field="decision")


def _open(tx: Session, row: Row[Any], cause: str, due_on: date | None, today: date) -> int:
    whose = {"demand_id": row.id, "uscc": row.uscc, "district": row.district, "verdict_id": row.verdict_id}
    return verdicts.add_reviews(tx, [whose | {"cause": cause, "opened_on": today, "due_on": due_on}])[0]


def _recommend(tx: Session, row: Row[Any], today: date, now: datetime) -> Act:
    demands.change(tx, [{"id": row.id, "state": S.RECOMMENDED, "recommended_on": today}])
    firm = demands.firms(tx, [row.uscc])[row.uscc]
    statistics.count(tx, [recommended_event(row, firm, today)], today, now)
    return _act("recommend", "demand", row.id, row, row.state, S.RECOMMENDED)


def _act(verb: str, noun: str, key: int, row: Row[Any], old: str | None, new: str | None) -> Act:
    return Act(verb, noun, key, demand_id=row.id, uscc=row.uscc, district=row.district, old=old, new=new)
