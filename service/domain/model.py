"""Trained models: which are kept, in which state, who proposed and who confirmed their use, what shadows estimated."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, document, identity, instant, one_of, points_to


class ModelState(StrEnum):
    """What a model is here. A retired one stays loadable: the estimates made with it explain themselves by it."""

    CANDIDATE = "candidate"
    SHADOW = "shadow"
    IN_USE = "in_use"
    RETIRED = "retired"


class PromotionState(StrEnum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class TrainedModel(SQLModel, table=True):
    """A model kept under <models>/<version>, with what its card says in short."""

    __tablename__ = "model"
    __table_args__ = (
        one_of("state", ModelState, "model"),
        CheckConstraint("(state = 'shadow') = (shadow_from IS NOT NULL)", name="model_shadow_has_a_first_day"),
        Index("model_one_in_use", "state", unique=True, postgresql_where="state = 'in_use'"),
    )
    id: int | None = identity()
    version: str = Field(unique=True, max_length=64)
    kind: str = coded()
    state: str = coded(default=ModelState.CANDIDATE)
    trained_as_of: date | None = None
    """The day whose knowledge it was trained on; None where the card names none."""
    kept_at: datetime = instant()
    trained_by: int | None = points_to("person.id", nullable=True, index=False)
    """None: the platform itself (the command line, the demo)."""
    summary: dict[str, Any] = document()
    """From its card: n, events, protocol, inputs, measures, intervals."""
    shadow_from: date | None = None
    """Demands judged from this day on are scored beside the model in use."""
    scored_to: date | None = None
    """Everything judged before this day has been scored."""
    used_from: datetime | None = instant(nullable=True)
    used_until: datetime | None = instant(nullable=True)


class Promotion(SQLModel, table=True):
    """One person's proposal to use a model; another person's word makes it so."""

    __table_args__ = (
        one_of("state", PromotionState, "promotion"),
        CheckConstraint("confirmed_by <> proposed_by", name="promotion_by_two_persons"),
        CheckConstraint("(state = 'confirmed') = (confirmed_by IS NOT NULL)", name="promotion_confirmed_by_someone"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="promotion_ends_once"),
        Index("promotion_one_waiting", "state", unique=True, postgresql_where="state = 'waiting'"),
    )
    id: int | None = identity()
    model_id: int = points_to("model.id")
    replaces: str | None = Field(default=None, max_length=64)
    """The version in use when it was proposed; None where there was none."""
    sentence: str = Field(max_length=500)
    proposed_by: int = points_to("person.id", index=False)
    proposed_at: datetime = instant()
    expires_on: date
    """The last day on which it can be confirmed."""
    state: str = coded(default=PromotionState.WAITING)
    confirmed_by: int | None = points_to("person.id", nullable=True, index=False)
    withdrawn_by: int | None = points_to("person.id", nullable=True, index=False)
    ended_at: datetime | None = instant(nullable=True)


class ShadowEstimate(SQLModel, table=True):
    """What a shadow says of a demand, from the snapshot the model in use saw. It changes no light and nobody sees it
    but those who look after the platform."""

    __tablename__ = "shadow_estimate"
    __table_args__ = (
        UniqueConstraint("model_id", "estimate_id", name="shadow_estimate_once"),
        Index("shadow_estimate_of_demand", "model_id", "demand_id"),
    )
    id: int | None = identity()
    model_id: int = points_to("model.id", index=False)
    estimate_id: int = points_to("estimate.id", index=False)
    demand_id: int = points_to("demand.id", index=False)
    uscc: str = Field(max_length=18)
    district: str = Field(max_length=6)
    as_of: date
    probability: float
    score: int
    grade: str = Field(max_length=8)
    missing_inputs: int
    """Inputs of this model that the snapshot does not hold: they counted as unknown."""
    made_at: datetime = instant()
