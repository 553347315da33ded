"""Train the model of default on the records' mirror, and put a trained model into use."""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from sqlmodel import Session

from risk.model import RiskModel
from risk.records import RecordsError
from risk.terms import Feature
from risk.train import TrainingError, train_on_records
from service.domain.errors import NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.settings import Settings
from service.store import platform_state, trail
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


def use_model(tx: Session, who: Who, model: RiskModel, now: datetime) -> None:
    """Estimate with this model from now on."""
    if not (who.is_platform or who.role is Role.OPERATOR):
        raise NotAllowed("只有运行人员可以启用模型。")
    platform_state.set_model(tx, model.version)
    trail.append(tx, who, [Act("uses", "model", new=model.version[:40])], now)
