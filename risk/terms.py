"""The words of the estimate: a feature, a fact, a reason, a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in both languages; `{value}` stands for the value with its unit."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Feature:
    """One input of the model.

    `value` makes the Ibis expression from the wide table of measures. `direction`: +1 more is riskier, -1 more is
    safer, 0 free. `missing`: 'none' (no record of a firm in a living feed counts as zero) or 'unknown'. Features of one
    `group` tell one story and count once among the reasons. `also` names items used beside `item`.
    """

    name: str
    words: Words
    unit: str
    item: str
    direction: int
    group: str
    value: Callable[[Any], Any]
    adverse: Words
    favourable: Words
    meaning: Words
    missing: str = "unknown"
    actionable: bool = False
    also: tuple[str, ...] = ()

    @property
    def zh(self) -> str:
        """Chinese name."""
        return self.words.zh

    @property
    def en(self) -> str:
        """English name."""
        return self.words.en


@dataclass(frozen=True, slots=True)
class Input:
    """A feature as a model's artifact keeps it: everything but the expression, so that a model explains itself."""

    name: str
    zh: str
    en: str
    unit: str
    item: str
    direction: int
    group: str
    missing: str
    actionable: bool
    adverse_zh: str
    adverse_en: str
    favourable_zh: str
    favourable_en: str
    meaning_zh: str
    meaning_en: str

    @classmethod
    def of(cls, feature: Feature) -> Self:
        """Keep what a feature says of itself."""
        return cls(
            feature.name, feature.zh, feature.en, feature.unit, feature.item, feature.direction, feature.group,
            feature.missing, feature.actionable, feature.adverse.zh, feature.adverse.en, feature.favourable.zh,
            feature.favourable.en, feature.meaning.zh, feature.meaning.en,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One fact for the policy: not a model input by itself, but what an official's rule asks about."""

    name: str
    item: str
    unit: str
    words: Words
    value: Callable[[Any], Any]
    also: tuple[str, ...] = ()

    @property
    def zh(self) -> str:
        """Chinese name."""
        return self.words.zh

    @property
    def en(self) -> str:
        """English name."""
        return self.words.en


@dataclass(frozen=True, slots=True)
class Reason:
    """One driver of one estimate: the group's share of the log-odds, told by its strongest feature."""

    kind: str  # 'adverse' | 'favourable'
    group: str
    feature: str
    contribution: float  # log-odds; above 0 raises the probability of default
    value: float | None
    unit: str
    item: str
    known_on: date | None
    zh: str
    en: str
    actionable: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """A source that says nothing, or nothing recent, about a firm."""

    item: str
    state: str  # 'missing' | 'stale'
    known_on: date | None
