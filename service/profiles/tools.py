"""What a judgement works with, loaded once and handed in: policy, model, products, calendar, reader of records."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from sqlmodel import Session

from matching.fit_many import Index, build_index
from matching.policy import Policy, kept_policy
from matching.terms import Product
from risk.features import FEATURES
from risk.invoice_features import INVOICE_FEATURES
from risk.model import RiskModel
from risk.terms import Feature
from service.domain.standards.calendar import Calendar
from service.profiles.compute import Profiler
from service.settings import Settings
from service.store import offers_of_banks
from service.store.calendar import calendar


@dataclass(frozen=True)
class Tools:
    """`model` is None before the first one is trained: every estimate is then unknown, and says so."""

    policy: Policy
    model: RiskModel | None
    products: tuple[Product, ...]
    profiler: Profiler
    calendar: Calendar
    models: Path | None = None

    @cached_property
    def index(self) -> Index:
        """The products' admission criteria, indexed; it does not depend on what is left of their quotas."""
        return _index(tuple(replace(product, quota_left_fen=None) for product in self.products))

    def model_of(self, version: str) -> RiskModel | None:
        """The model an estimate was made with: the one in use, or an older one that is still in the folder."""
        if self.model is not None and self.model.version == version:
            return self.model
        older = self.models / version if self.models else None
        return _model(older, version) if older is not None and older.is_dir() else None


def load_tools(tx: Session, settings: Settings, today: date) -> Tools:
    """The tools of the day: products and calendar as they stand now; policy, model and profiler kept by the process."""
    version = offers_of_banks.model_in_use(tx)
    model = _model(settings.models / version, version) if version else None
    mirror = settings.mirror if settings.mirror.is_dir() else None
    return Tools(
        policy=kept_policy(settings.policy),
        model=model,
        products=offers_of_banks.list_matching(tx, today),
        profiler=profiler_of(_wanted(model), mirror),
        calendar=calendar(tx),
        models=settings.models,
    )


@lru_cache(maxsize=4)
def _model(path: Path, version: str) -> RiskModel:
    return RiskModel.load(path, expect_version=version)


@lru_cache(maxsize=2)
def _index(products: tuple[Product, ...]) -> Index:
    return build_index(products)


@lru_cache(maxsize=2)
def profiler_of(features: tuple[Feature, ...], mirror: Path | None) -> Profiler:
    """The process's own: writing its queries takes two seconds."""
    return Profiler(features, mirror=mirror)


def _wanted(model: RiskModel | None) -> tuple[Feature, ...]:
    """The list the model was trained on: the platform's own, or that of a city where only invoices are known."""
    names = {one.name for one in model.inputs} if model else set()
    own = {feature.name for feature in FEATURES}
    return tuple(FEATURES) if names <= own else tuple(INVOICE_FEATURES)
