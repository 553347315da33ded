"""What the judgement and the model are told of one demand: the firm as known on the day, and what it asks."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from matching.facts import FACTS as MEANINGS
from matching.facts import Value, guarantee_bits
from matching.terms import Fact, Facts
from risk.facts import FACTS as SPECS
from risk.records import FRESH_DAYS
from service.domain.demand import UseOfLoan
from service.profiles.compute import FirmKnown

ITEMS = {spec.name: (spec.item, *spec.also) for spec in SPECS}
"""The catalogue items each fact is made of; the first is its source."""

SELF_DATED = frozenset({"heard_on", "last_activity_on"})
"""Facts that say themselves how old they are: never stale."""

NO_CONSENT = "consent"

USES: dict[str, str] = {
    UseOfLoan.WORKING_CAPITAL: "working_capital",
    UseOfLoan.EQUIPMENT: "equipment",
    UseOfLoan.PREMISES: "premises_building",
    UseOfLoan.TRADE: "order",
    UseOfLoan.RESEARCH: "research",
    UseOfLoan.AGRICULTURE: "working_capital",
    UseOfLoan.RENEWAL: "renewal",
    UseOfLoan.OTHER: "other",
    UseOfLoan.SECURITIES: "securities",
    UseOfLoan.PROPERTY_SPECULATION: "property_speculation",
    UseOfLoan.RELENDING: "on_lending",
}
"""A use as the form asks for it → as the policy's list of lawful uses names it."""

SIZES = {"micro", "small", "medium", "large"}


def facts_for(firm: FirmKnown | None, size: str, asked: Mapping[str, Any], probability: float | None) -> Facts:
    """Everything the policy may ask about one demand. Without a firm (no consent to a profile) its facts are missing.

    `asked` has amount_fen, term_months, use, rate_ceiling, guarantees and reported_on of the demand.
    """
    facts = asked_facts(asked)
    if firm is None:
        nothing = {name: Fact(None, NO_CONSENT, None, "missing") for name in ITEMS if name in MEANINGS}
        return facts | nothing
    facts |= {name: _fact(name, firm) for name in ITEMS if name in MEANINGS}
    facts["size"] = Fact(size if size in SIZES else "unclassified", "registration", firm.vintage.get("registration"))
    if probability is None:
        facts["probability"] = Fact(None, "estimate", None, "missing")
    else:
        newest = max((day for day in firm.vintage.values() if day), default=None)
        facts["probability"] = Fact(Decimal(f"{probability:.6f}"), "estimate", newest)
    return facts


def asked_facts(asked: Mapping[str, Any]) -> dict[str, Fact]:
    """What the firm itself says."""
    on = asked["reported_on"]
    told: dict[str, Value] = {
        "amount_fen": asked["amount_fen"],
        "term_months": asked["term_months"],
        "use": USES[asked["use"]],
        "guarantees": guarantee_bits(tuple(asked["guarantees"])),
    }
    if asked["rate_ceiling"] is not None:
        told["rate_ceiling"] = asked["rate_ceiling"]
    return {name: Fact(value, "demand", on) for name, value in told.items()}


def _fact(name: str, firm: FirmKnown) -> Fact:
    """Fresh while one of the items it is made of is; else it names its first source."""
    value = firm.facts.get(name)
    spoken = {item: day for item in ITEMS[name] if (day := firm.vintage.get(item)) is not None}
    if value is None or not spoken:
        return Fact(None, ITEMS[name][0], max(spoken.values(), default=None), "missing")
    if name in SELF_DATED:
        return Fact(value, ITEMS[name][0], max(spoken.values()))
    for item, day in spoken.items():
        if (firm.as_of - day).days <= FRESH_DAYS.get(item, 400):
            return Fact(value, item, day)
    return Fact(value, ITEMS[name][0], max(spoken.values()), "stale")
