"""Let a model score beside the one in use, end that, and score what it has not scored yet; no light changes by it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.model import ModelState
from service.domain.people import Role, Who
from service.profiles.model_files import open_model
from service.profiles.shadow import score_beside
from service.store import models, trail
from service.store.bulk import next_ids
from service.store.trail import Act

AT_ONCE = 2_000
"""Estimates in one transaction: so many are lost at most when the work is cut short."""
LATE_DAYS = 7
"""A day's cycle may be made up for so long: that far back is looked at again each time."""
log = structlog.get_logger("models")


@dataclass(frozen=True)
class Batch:
    """What one call did: demands scored, models whose files do not open."""

    scored: int
    unreadable: int = 0


def start_shadow(
    tx: Session, who: Who, kept: Path, version: str, since: date | None, today: date, now: datetime
) -> date:
    """Let a model score the demands judged from `since` on (today if None); the first day. Twice is once.

    Errors: NotAllowed; NotFound; Conflict for the model in use; NotPossible where its files do not open, or for days
    whose outcomes it may have learnt from, or yet to come.
    """
    _must_look_after_models(who)
    row = models.lock(tx, version)
    if row.state == ModelState.IN_USE:
        raise Conflict("模型 {version} 正在使用，不能同时作影子。", version=version)
    if row.state == ModelState.SHADOW and since in (None, row.shadow_from):
        return row.shadow_from  # type: ignore[no-any-return]
    first = since or today
    if first > today:
        raise NotPossible("起始日不能晚于今天。", field="since")
    if row.trained_as_of is not None and first <= row.trained_as_of:
        raise NotPossible(
            "模型学过 {day} 及以前的数据，只能从之后的需求开始比较。", field="since", day=row.trained_as_of
        )
    open_model(kept, version)
    models.change(tx, {"id": row.id, "state": ModelState.SHADOW, "shadow_from": first, "scored_to": None})
    told = {"version": version, "since": first.isoformat()}
    act = Act("shadowed", "model", row.id, old=row.state, new=ModelState.SHADOW, details=told)
    trail.append(tx, who, [act], now)
    return first


def stop_shadow(tx: Session, who: Who, version: str, now: datetime) -> None:
    """End it; what was scored stays. Ended twice is ended once."""
    _must_look_after_models(who)
    row = models.lock(tx, version)
    if row.state != ModelState.SHADOW:
        return
    state = ModelState.CANDIDATE if row.used_from is None else ModelState.RETIRED
    models.change(tx, {"id": row.id, "state": state, "shadow_from": None, "scored_to": None})
    act = Act("unshadowed", "model", row.id, old=ModelState.SHADOW, new=state, details={"version": version})
    trail.append(tx, who, [act], now)


def count_unscored(tx: Session, today: date) -> int:
    """What the shadows have not scored yet."""
    return sum(models.count_unscored(tx, row, today) for row in models.list_shadows(tx))


def score_unscored(tx: Session, who: Who, kept: Path, today: date, now: datetime, most: int = AT_ONCE) -> Batch:
    """Score one batch for each shadow, from the snapshots the model in use saw; call it again until it scores nothing.

    A shadow whose files do not open is passed by and counted.
    """
    if who.role is not Role.SYSTEM:
        raise NotAllowed("影子评分由平台自动进行。")
    scored = unreadable = 0
    for row in models.list_shadows(tx):
        try:
            scored += _score(tx, row, kept, today, now, most)
        except NotPossible as wrong:
            unreadable += 1
            log.warning("shadow_unreadable", version=row.version, why=str(wrong))
    return Batch(scored, unreadable)


def _score(tx: Session, row: Row[Any], kept: Path, today: date, now: datetime, most: int) -> int:
    model = open_model(kept, row.version)
    waiting = models.list_unscored(tx, row, today, most)
    if not waiting:
        done_to = max(row.shadow_from, today - timedelta(days=LATE_DAYS))
        if row.scored_to != done_to:
            models.change(tx, {"id": row.id, "scored_to": done_to})
        return 0
    found = score_beside(model, [one.features for one in waiting])
    keys = next_ids(tx, "shadow_estimate", len(waiting))
    whose = [
        {"id": key, "model_id": row.id, "estimate_id": one.estimate_id, "demand_id": one.demand_id, "uscc": one.uscc,
         "district": one.district, "as_of": one.as_of, "made_at": now}
        for key, one in zip(keys, waiting, strict=True)
    ]  # fmt: skip
    models.add_scores(tx, [mine | vars(said) for mine, said in zip(whose, found, strict=True)])
    return len(waiting)


def _must_look_after_models(who: Who) -> None:
    if not (who.is_platform or who.role is Role.OPERATOR):
        raise NotAllowed("只有运行人员可以办理模型。")
