"""Put a model into use by two persons: one proposes with a sentence, another confirms; `xindeng model promote`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from risk.features import FEATURES
from risk.invoice_features import INVOICE_FEATURES
from risk.model import RiskModel
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.model import ModelState, PromotionState
from service.domain.people import Role, Who
from service.profiles.model_files import open_model
from service.store import models, people, platform_state, trail
from service.store.trail import Act

VALID_DAYS = 7
"""A proposal nobody confirmed by then has to be made anew: what it was based on is no longer fresh."""
LONGEST_SENTENCE = 500


@dataclass(frozen=True)
class Promoted:
    """What a call did: 'proposed' (it waits for another person, until that day) or 'confirmed' (in use now)."""

    step: str
    promotion_id: int
    until_on: date | None = None


def operator_named(tx: Session, login: str, today: date) -> Who:
    """The operator with this login, for a command that acts in their name.

    Errors: NotFound for an unknown or closed login, NotAllowed for one who is no operator today.
    """
    person = people.find_by_login(tx, login)
    if person is None or not person.is_active or person.id is None:
        raise NotFound("没有登录名为 {login} 的用户。", login=login)
    if not any(row.role == Role.OPERATOR for row in people.list_memberships(tx, person.id, today)):
        raise NotAllowed("{login} 目前不是运行人员。", login=login)
    return Who(Role.OPERATOR, person.id, person.name)


def promote_model(
    tx: Session, who: Who, kept: Path, version: str, sentence: str, today: date, now: datetime
) -> Promoted:
    """Confirm the proposal another operator made of this model; propose it where none waits.

    Errors: those of `propose_model` and `confirm_promotion`.
    """
    _in_person(who)
    waiting = models.find_waiting(tx)
    if waiting is not None and waiting.version == version and waiting.expires_on >= today:
        confirm_promotion(tx, who, kept, waiting.id, today, now)
        return Promoted("confirmed", waiting.id)
    return propose_model(tx, who, kept, version, sentence, today, now)


def propose_model(
    tx: Session, who: Who, kept: Path, version: str, sentence: str, today: date, now: datetime
) -> Promoted:
    """Propose this model for use; said twice by one person it is said once.

    Errors: NotAllowed for anyone but an operator in person; NotFound; Conflict where another proposal waits or the
    model is in use already; NotPossible where its files do not open, the platform cannot work out its inputs, or the
    sentence is missing.
    """
    person_id = _in_person(who)
    expire_promotions(tx, who, today, now)
    row, said = models.lock(tx, version), sentence.strip()
    if row.state == ModelState.IN_USE:
        raise Conflict("模型 {version} 已经在用。", version=version)
    waiting = models.find_waiting(tx)
    if waiting and (waiting.version, waiting.proposed_by, waiting.sentence) == (version, person_id, said):
        return Promoted("proposed", waiting.id, waiting.expires_on)
    if not said or len(said) > LONGEST_SENTENCE:
        raise NotPossible("请用一句话写明理由，不超过 {most} 个字。", field="sentence", most=LONGEST_SENTENCE)
    _fits(open_model(kept, version))
    until = today + timedelta(days=VALID_DAYS)
    in_use = platform_state.lock_model(tx)
    proposal = {"model_id": row.id, "replaces": in_use, "sentence": said, "state": PromotionState.WAITING}
    key = models.add_promotion(tx, proposal | {"proposed_by": person_id, "proposed_at": now, "expires_on": until})
    told = {"version": version, "replaces": in_use, "until_on": until.isoformat()}
    trail.append(tx, who, [Act("proposed", "promotion", key, new=PromotionState.WAITING, details=told)], now)
    return Promoted("proposed", key, until)


def confirm_promotion(tx: Session, who: Who, kept: Path, promotion_id: int, today: date, now: datetime) -> str:
    """Another operator's word: from now on the platform estimates with it; the model before it retires. Its version.

    Errors: NotAllowed for anyone but another operator in person; NotFound; NotPossible as for a proposal; Conflict
    where it has ended, expired, or was made against another model.
    """
    person_id = _in_person(who)
    in_use = platform_state.lock_model(tx)
    proposal = models.lock_promotion(tx, promotion_id)
    _still_waits(proposal)
    if proposal.proposed_by == person_id:
        raise NotAllowed("启用模型要两个人：您提出的提议须由另一名运行人员确认。")
    if proposal.expires_on < today:
        raise Conflict("提议已过期，请重新提出。")
    if proposal.replaces != in_use:
        raise Conflict("提出之后，在用的模型已经换过，请撤回后重新提出。")
    _fits(open_model(kept, proposal.version))
    models.end_promotion(tx, promotion_id, PromotionState.CONFIRMED, now, confirmed_by=person_id)
    acts = [Act("confirmed", "promotion", promotion_id, old=PromotionState.WAITING, new=PromotionState.CONFIRMED)]
    trail.append(tx, who, [*acts, *_change_places(tx, proposal, in_use, now)], now)
    return str(proposal.version)


def withdraw_promotion(tx: Session, who: Who, promotion_id: int, now: datetime) -> None:
    """Take a waiting proposal back: its maker, or any other operator; withdrawn twice is withdrawn once.

    Errors: NotAllowed, NotFound; Conflict where it was confirmed or has expired.
    """
    person_id = _in_person(who)
    proposal = models.lock_promotion(tx, promotion_id)
    if proposal.state == PromotionState.WITHDRAWN:
        return
    _still_waits(proposal)
    models.end_promotion(tx, promotion_id, PromotionState.WITHDRAWN, now, withdrawn_by=person_id)
    act = Act("proposal_withdrawn", "promotion", promotion_id, old=PromotionState.WAITING, new=PromotionState.WITHDRAWN)
    trail.append(tx, who, [act], now)


def withdraw_waiting(tx: Session, who: Who, version: str, now: datetime) -> None:
    """Take the proposal of this model back; NotFound where none of it waits."""
    waiting = models.find_waiting(tx)
    if waiting is None or waiting.version != version:
        raise NotFound("没有这项启用提议。")
    withdraw_promotion(tx, who, waiting.id, now)


def expire_promotions(tx: Session, who: Who, today: date, now: datetime) -> int:
    """End the proposals nobody confirmed in time; how many."""
    if not (who.is_platform or who.role is Role.OPERATOR):
        raise NotAllowed("只有运行人员可以办理模型。")
    ended = models.expire(tx, today, now)
    old, new = PromotionState.WAITING, PromotionState.EXPIRED
    trail.append(tx, who, [Act("proposal_expired", "promotion", key, old=old, new=new) for key in ended], now)
    return len(ended)


def _change_places(tx: Session, proposal: Row[Any], in_use: str | None, now: datetime) -> Sequence[Act]:
    """The former model retires, but stays loadable; the proposed one is in use."""
    acts = []
    former = models.lock(tx, in_use) if in_use is not None else None
    if former is not None:
        models.change(tx, {"id": former.id, "state": ModelState.RETIRED, "used_until": now})
        acts.append(Act("retired", "model", former.id, old=ModelState.IN_USE, new=ModelState.RETIRED))
    new = models.lock(tx, proposal.version)
    entry = {"id": new.id, "state": ModelState.IN_USE, "shadow_from": None, "scored_to": None}
    models.change(tx, entry | {"used_from": now, "used_until": None})
    platform_state.set_model(tx, new.version)
    told = {"promotion_id": proposal.id, "replaces": in_use}
    return [*acts, Act("uses", "model", new.id, old=new.state, new=new.version[:40], details=told)]


def _in_person(who: Who) -> int:
    if who.role is not Role.OPERATOR or who.person_id is None:
        raise NotAllowed("换用模型由运行人员署名办理。")
    return who.person_id


def _still_waits(proposal: Row[Any]) -> None:
    if proposal.state != PromotionState.WAITING:
        raise Conflict("这项提议已经结束，不能再办理。", state=proposal.state)


def _fits(model: RiskModel) -> None:
    """Whether the platform can work out what the model asks for."""
    names = {one.name for one in model.inputs}
    lacking = min((names - {one.name for one in known} for known in (FEATURES, INVOICE_FEATURES)), key=len)
    if lacking:
        raise NotPossible("平台算不出这个模型的输入：{names}", names=", ".join(sorted(lacking)))
