"""Train the model of default on the records' mirror, enter it in the register; the very first goes into use at once."""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from risk.model import ArtifactError, RiskModel
from risk.records import RecordsError
from risk.terms import Feature
from risk.train import TrainingError, train_on_records
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.model import ModelState
from service.domain.people import Role, Who
from service.profiles.model_files import summary_of
from service.settings import Settings
from service.store import models, offers_of_banks, platform_state, trail
from service.store.trail import Act


def train_model(settings: Settings, as_of: date, seed: int = 7, features: Sequence[Feature] | None = None) -> RiskModel:
    """A model from what was known on a day, kept under <models>/<version>; it is not yet in use.

    Errors: NotPossible when there is nothing, or not enough, to learn from.
    """
    settings.models.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.models, prefix=".training-") as draft:
        try:
            folder = train_on_records(settings.mirror, Path(draft) / "model", as_of, features=features, seed=seed)
        except (TrainingError, RecordsError) as wrong:
            raise NotPossible("现有数据不足以训练模型：{why}", why=wrong) from wrong
        return keep(settings, folder)


def keep(settings: Settings, folder: Path) -> RiskModel:
    """Move a written artifact to where the platform finds it; the same model twice is one."""
    model = RiskModel.load(folder)
    home = settings.models / model.version
    if not home.exists():
        shutil.move(folder, home)
    return RiskModel.load(home, expect_version=model.version)


def register_model(tx: Session, who: Who, model: RiskModel, now: datetime) -> Row[Any]:
    """Enter a kept model as a candidate, with what its card says in short; entered twice it is entered once."""
    _must_look_after_models(who)
    there = models.find(tx, model.version)
    if there is None:
        state = _state_of(tx, model.version)
        row = {"version": model.version, "state": state, "kept_at": now, "trained_by": who.person_id}
        key = models.add(tx, row | summary_of(model))
        trail.append(tx, who, [Act("registered", "model", key, new=state, details={"version": model.version})], now)
    elif not there.summary:
        models.change(tx, {"id": there.id, **summary_of(model)})
    return models.lock(tx, model.version)


def _state_of(tx: Session, version: str) -> ModelState:
    """What a model is that was here before the register was."""
    if offers_of_banks.model_in_use(tx) == version:
        return ModelState.IN_USE
    return ModelState.RETIRED if models.was_used(tx, version) else ModelState.CANDIDATE


def register_kept(tx: Session, who: Who, settings: Settings, now: datetime) -> int:
    """Enter every model in the folder that is not in the register yet (after a restore, say); how many there were."""
    _must_look_after_models(who)
    known = {row.version for row in models.list_all(tx) if row.summary}
    found = 0
    for folder in sorted(settings.models.glob("[!.]*/")) if settings.models.is_dir() else ():
        if folder.name in known:
            continue
        try:
            register_model(tx, who, RiskModel.load(folder, expect_version=folder.name), now)
        except ArtifactError:
            continue  # a folder that is no model, or a damaged one: nothing can be said of it
        found += 1
    return found


def use_first_model(tx: Session, who: Who, model: RiskModel, now: datetime) -> bool:
    """Estimate with it where the platform has no model yet; False where it has one: that takes two persons."""
    in_use = platform_state.lock_model(tx)
    row = register_model(tx, who, model, now)
    if in_use is not None:
        return False
    models.change(tx, {"id": row.id, "state": ModelState.IN_USE, "shadow_from": None, "used_from": now})
    platform_state.set_model(tx, model.version)
    trail.append(tx, who, [Act("uses", "model", row.id, old=row.state, new=model.version[:40])], now)
    return True


def use_model(tx: Session, who: Who, model: RiskModel, now: datetime) -> None:
    """The same, for a platform that is only being set up.

    Errors: Conflict where another model is in use.
    """
    in_use = offers_of_banks.model_in_use(tx)
    if not use_first_model(tx, who, model, now) and in_use != model.version:
        raise Conflict("已有模型在用。换用另一个模型要由两名运行人员先后提议、确认。")


def _must_look_after_models(who: Who) -> None:
    if not (who.is_platform or who.role is Role.OPERATOR):
        raise NotAllowed("只有运行人员可以办理模型。")
