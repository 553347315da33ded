"""Facts → estimate → findings → light, all kept: judged at once, and again whenever a fact changes."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from matching.evidence import facts_from_json
from matching.fit_many import fit_many
from matching.judge import judge
from matching.judge_many import columns_of
from matching.policy import Policy
from matching.terms import Light
from service.actions.case import Case
from service.actions.open_follow_ups import follow
from service.actions.settle_demand import settling
from service.domain.demand import DemandState, LightWord
from service.domain.errors import NotAllowed, NotFound
from service.domain.figure import FigureKind
from service.domain.objection import OBJECTION_UPHELD
from service.domain.people import Role, Who, the_platform
from service.profiles.compute import FirmKnown
from service.profiles.documents import content_hash, facts_document, findings_document
from service.profiles.estimate import Estimated, estimate_many, reasons_of
from service.profiles.facts import facts_for
from service.profiles.firm_days import known_today
from service.profiles.tools import Tools
from service.store import consents, demands, firm_days, notices, statistics, trail, verdicts
from service.store.notices import Message
from service.store.statistics import Event
from service.store.trail import Act

S = DemandState
JUDGE = the_platform("judge")
"""Whoever asks, it is the platform that judges: its name stands in the trail."""

JUDGED_STATES = frozenset({S.REPORTED, S.RECOMMENDED, S.PUSHED, S.ANSWERED, S.OFFERED})
ESTIMATE = "estimate"


def judge_demands(
    tx: Session, who: Who, demand_ids: Sequence[int], cause: str, tools: Tools, today: date, now: datetime,
    *, anew: Collection[str] = (),
) -> None:  # fmt: skip
    """Judge these demands as of today and write what follows; those past judging are passed by.

    `anew` names firms whose records have changed: what is stored of them is not used. A verdict that says what the last
    one said, from the same facts, is not written again.
    """
    if who.role not in (Role.FIRM, Role.SYSTEM):
        raise NotAllowed("研判由平台自动进行。")
    rows = demands.lock(tx, demand_ids)
    if not all(demands.is_within(row, who) for row in rows):
        raise NotFound("没有这笔融资需求。")
    rows = [row for row in rows if row.state in JUDGED_STATES]
    if not rows:
        return
    cases = _cases(tx, rows, tools, today, now, anew)
    _keep(tx, cases, cause, tools, today, now)
    acts = _move(tx, cases, cause, tools, today, now) + follow(tx, cases, tools, today)
    acts += settling(tx, JUDGE, [row.id for row in rows], today, now, cause)
    notices.add(tx, [_told(act) for act in acts if act.noun == "light"], today, now)
    trail.append(tx, JUDGE, acts, now)


def judge_changed(tx: Session, who: Who, tools: Tools, today: date, now: datetime) -> int:
    """Judge again what may have changed: firms with new records, overrides that ended, sources waited for; how many."""
    if who.role is not Role.SYSTEM:
        raise NotAllowed("研判由平台自动进行。")
    stale = firm_days.take_stale_with_demands(tx)
    changed = demands.list_changed(tx, list(stale), today)
    contested = [uscc for uscc, reason in stale.items() if reason == OBJECTION_UPHELD]
    cleared = {row.id for row in demands.lock_open_of(tx, contested)} if contested else set()
    for cause, ids in ((OBJECTION_UPHELD, cleared.intersection(changed)), ("fact_changed", set(changed) - cleared)):
        judge_demands(tx, who, sorted(ids), cause, tools, today, now, anew=stale)
    return len(changed)


def replay_verdict(stored: Row[Any], policy: Policy) -> bool:
    """Whether the stored facts under this policy give the stored bytes once more; the policy must be the stored one."""
    if policy.hash != stored.policy_hash:
        raise NotFound("没有版本为 {version} 的研判口径。", version=stored.policy_version)
    facts = facts_from_json(json.dumps(stored.facts))
    verdict = judge(facts, policy, stored.judged_on)
    content = content_hash(facts_document(facts), findings_document(verdict), verdict, stored.fitting_products)
    return content == str(stored.content_hash)


def _cases(
    tx: Session, rows: Sequence[Row[Any]], tools: Tools, today: date, now: datetime, anew: Collection[str]
) -> list[Case]:
    usccs = sorted({row.uscc for row in rows})
    firms = demands.firms(tx, usccs)
    allowed = consents.with_profile(tx, usccs, today)
    ids = [row.id for row in rows]
    known = known_today(tx, tools.profiler, allowed, today, now, demand_ids=ids, anew=frozenset(anew))
    estimated = _estimates(tools, rows, known)
    cases = []
    for row in rows:
        probability = estimated[row.id].probability if row.id in estimated else None
        facts = facts_for(known.get(row.uscc), firms[row.uscc].size_class, _asked(row), probability)
        verdict = judge(facts, tools.policy, today)
        cases.append(Case(row, firms[row.uscc], facts, estimated.get(row.id), verdict))
    fits = _fits(tools, cases, today)
    return [replace(case, fits=count) for case, count in zip(cases, fits, strict=True)]


def _asked(row: Row[Any]) -> dict[str, Any]:
    return {
        "amount_fen": row.amount_fen,
        "term_months": row.term_months,
        "use": row.use,
        "rate_ceiling": row.rate_ceiling,
        "guarantees": row.guarantees,
        "reported_on": row.reported_on,
    }


def _fits(tools: Tools, cases: Sequence[Case], today: date) -> list[int]:
    """How many products take each demand."""
    if not tools.products:
        return [0] * len(cases)
    pairs = fit_many(columns_of(case.facts for case in cases), tools.products, today, index=tools.index)
    return [int(after - before) for before, after in pairwise(pairs.offsets)]


def _estimates(tools: Tools, rows: Sequence[Row[Any]], known: Mapping[str, FirmKnown]) -> dict[int, Estimated]:
    if tools.model is None:
        return {}
    rows = [row for row in rows if row.uscc in known]
    found = estimate_many(tools.model, [known[row.uscc] for row in rows], [_asked(row) for row in rows])
    return dict(zip((row.id for row in rows), found, strict=True))


def _keep(tx: Session, cases: Sequence[Case], cause: str, tools: Tools, today: date, now: datetime) -> None:
    """Write the verdicts that say something new, each with the estimate it rests on."""
    before = verdicts.contents(tx, [case.demand.id for case in cases])
    fresh = [case for case in cases if case.content != before.get(case.demand.id)]
    resting = [case for case in fresh if case.estimated]
    reasons = _reasons(resting, tools)
    keys = verdicts.add_estimates(
        tx, [_estimate_row(case, reasons.get(case.demand.id), today, now) for case in resting]
    )
    estimate_of = {case.demand.id: key for case, key in zip(resting, keys, strict=True)}
    ids = verdicts.add_verdicts(tx, [_verdict_row(case, cause, estimate_of, today, now) for case in fresh])
    demands.change(tx, [{"id": case.demand.id, "verdict_id": key} for case, key in zip(fresh, ids, strict=True)])


def _estimate_row(case: Case, reasons: list[dict[str, Any]] | None, today: date, now: datetime) -> dict[str, Any]:
    estimated = case.estimated
    assert estimated is not None
    return {
        "uscc": case.demand.uscc,
        "as_of": today,
        "model_version": estimated.version,
        "probability": estimated.probability,
        "score": estimated.score,
        "grade": estimated.grade,
        "features": estimated.features,
        "vintage": estimated.vintage,
        "reasons": reasons,
        "made_at": now,
    }


def _reasons(cases: Sequence[Case], tools: Tools) -> dict[int, list[dict[str, Any]]]:
    """By demand, worked out at once where the estimate decides a light that changes; else when someone first asks."""
    asked = [case for case in cases if _estimate_decides(case)]
    if tools.model is None or not asked:
        return {}
    snapshots = [(case.estimated.features, case.estimated.vintage) for case in asked if case.estimated]
    found = reasons_of(tools.model, snapshots)
    return {case.demand.id: reasons for case, reasons in zip(asked, found, strict=True)}


def _estimate_decides(case: Case) -> bool:
    """Whether the light becomes yellow by nothing but the estimate."""
    alone = all(one.light < Light.YELLOW or one.criterion == ESTIMATE for one in case.verdict.findings)
    return alone and case.verdict.light is Light.YELLOW and case.demand.light != LightWord.YELLOW


def _verdict_row(case: Case, cause: str, estimate_of: Mapping[int, int], today: date, now: datetime) -> dict[str, Any]:
    return case.whose | {
        "judged_on": today,
        "judged_at": now,
        "cause": cause,
        "facts": case.told,
        "findings": case.findings,
        "light": case.verdict.light.word,
        "is_recommended": case.verdict.recommended,
        "fitting_products": case.fits,
        "policy_version": case.verdict.policy_version,
        "policy_hash": case.verdict.policy_hash,
        "estimate_id": estimate_of.get(case.demand.id),
        "content_hash": case.content,
    }


def _move(tx: Session, cases: Sequence[Case], cause: str, tools: Tools, today: date, now: datetime) -> list[Act]:
    """Reported ↔ recommended, by the five criteria and the district's way of review."""
    ids = [case.demand.id for case in cases]
    confirmed = set() if cause == "edited" else verdicts.confirmed(tx, ids)
    reviews = verdicts.open_reviews(tx, ids)
    up: list[Case] = []
    down: list[Case] = []
    look: list[Case] = []
    for case in cases:
        passes = case.verdict.recommended or (
            case.demand.id in confirmed and not fails_a_criterion(case.findings, tools.policy)
        )
        if case.demand.state == S.RECOMMENDED and (
            not passes or (cause == "edited" and _needs_review(case, tools, today))
        ):
            down.append(case)
        elif case.demand.state == S.REPORTED and passes and case.demand.id not in reviews:
            ready = case.demand.id in confirmed or not _needs_review(case, tools, today)
            (up if ready else look).append(case)
    look += [case for case in down if case.verdict.recommended and case.demand.id not in reviews]
    demands.change(
        tx, [_moved(case, S.RECOMMENDED, today) for case in up] + [_moved(case, S.REPORTED, None) for case in down]
    )
    statistics.count(tx, [recommended_event(case.demand, case.firm, today) for case in up], today, now)
    acts = [Act("recommend", "demand", case.demand.id, old=S.REPORTED, new=S.RECOMMENDED, **case.whose) for case in up]
    acts += [Act("return", "demand", case.demand.id, old=S.RECOMMENDED, new=S.REPORTED, **case.whose) for case in down]
    return acts + _open_reviews(tx, look, tools, today, now)


def fails_a_criterion(findings: Sequence[Mapping[str, Any]], policy: Policy) -> bool:
    """Whether one of the five criteria is red: no review lifts that, only a changed fact or an override."""
    five = {criterion.id for criterion in policy.criteria if criterion.one_of_five}
    return any(one["light"] == LightWord.RED for one in findings if one["criterion"] in five)


def _needs_review(case: Case, tools: Tools, today: date) -> bool:
    """By the district's switch: never, always, or for a share drawn by the demand's number, always the same ones."""
    review = tools.policy.on(today, case.demand.district).review
    if review.mode == "sampled":
        drawn = int.from_bytes(hashlib.sha256(case.demand.number.encode()).digest()[:8], "big") / 2**64
        return drawn < float(review.share)
    return review.mode == "full"


def _moved(case: Case, state: DemandState, on: date | None) -> dict[str, Any]:
    return {"id": case.demand.id, "state": state, "recommended_on": on}


def recommended_event(demand: Row[Any], firm: Row[Any], today: date) -> Event:
    """The countable event of a demand that came onto the recommended list."""
    return Event(
        FigureKind.RECOMMENDED, today, demand.id, demand.id, demand.uscc, demand.district, demand.amount_fen,
        industry=firm.industry[:1], size=firm.size_class,
    )  # fmt: skip


def _open_reviews(tx: Session, cases: Sequence[Case], tools: Tools, today: date, now: datetime) -> list[Act]:
    rows = []
    for case in cases:
        days = tools.policy.on(today, case.demand.district).review.deadline_working_days
        due_on = tools.calendar.due_on(today, days, "working_days")
        rows.append(case.whose | {"verdict_id": None, "cause": "policy", "opened_on": today, "due_on": due_on})
    ids = verdicts.add_reviews(tx, rows)
    told = [Message("review_opened", district=case.demand.district, demand_id=case.demand.id) for case in cases]
    notices.add(tx, told, today, now)
    return [Act("open", "review", key, new="open", **case.whose) for key, case in zip(ids, cases, strict=True)]


def _told(act: Act) -> Message:
    values = {"old": act.old, "new": act.new, "reason": act.details["reason"]}
    return Message("light_changed", uscc=act.uscc, demand_id=act.demand_id, values=values)
