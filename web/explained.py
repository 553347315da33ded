"""A verdict in words: findings worst first, what was not judged, the estimate with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row

from service.domain.demand import LightWord
from web.fact_words import source_name
from web.language import SOURCE, spoken
from web.policy_words import criterion_name

WORST_FIRST = {LightWord.RED: 0, LightWord.YELLOW: 1, LightWord.GREEN: 2}


@dataclass(frozen=True)
class Finding:
    """One criterion's word on the demand."""

    id: str
    light: str
    title: str
    sentence: str
    changes_when: str
    office: str


@dataclass(frozen=True)
class Reason:
    """One driver of the estimate, as the firm reads it: which source says so, and how far that source speaks."""

    is_adverse: bool
    sentence: str
    source: str
    known_on: date | None


@dataclass(frozen=True)
class Step:
    """One thing the firm could do, and in how many months the data would show it."""

    sentence: str
    months: int


@dataclass(frozen=True)
class Prospect:
    """What would change the estimate, as the firm reads it; no steps where none is needed or none would do."""

    sentence: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Explained:
    """Everything a page says about a verdict; empty before the first one."""

    verdict: Row[Any] | None
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[tuple[str, str], ...] = ()
    reasons: tuple[Reason, ...] = ()
    prospect: Prospect | None = None

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """The findings that are not green."""
        return tuple(one for one in self.findings if one.light != LightWord.GREEN)

    @property
    def well(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.light == LightWord.GREEN)


def explain(
    verdict: Row[Any] | None,
    reasons: Sequence[Mapping[str, Any]] | None = None,
    prospect: Mapping[str, Any] | None = None,
) -> Explained:
    """A stored verdict (with its estimate's columns) in the language of the page.

    `reasons`: the estimate's, where the caller had them worked out; else those stored with it. `prospect`: what would
    change it.
    """
    if verdict is None:
        return Explained(None)
    judged = [one for one in verdict.findings if one["light"] is not None]
    unjudged = [one for one in verdict.findings if one["light"] is None]
    findings = sorted((_finding(one) for one in judged), key=lambda one: WORST_FIRST[LightWord(one.light)])
    return Explained(
        verdict,
        tuple(findings),
        tuple((criterion_name(one["criterion"]), _said(one, "sentence")) for one in unjudged),
        tuple(_reason(one) for one in reasons or verdict.reasons or ()),
        None if prospect is None else _prospect(prospect),
    )


def remedy(verdict: Any, criterion: str) -> str:
    """What would change a criterion's finding in a stored verdict; '' where that verdict did not find it."""
    for one in verdict.findings if verdict is not None else ():
        if one["criterion"] == criterion:
            return _said(one, "changes_when") or _said(one, "sentence")
    return ""


def _said(stored: Mapping[str, Any], name: str) -> str:
    return str(stored.get(f"{name}_{'zh' if spoken() == SOURCE else 'en'}") or stored.get(f"{name}_zh") or "")


def _finding(stored: Mapping[str, Any]) -> Finding:
    return Finding(
        id=stored["criterion"],
        light=stored["light"],
        title=criterion_name(stored["criterion"]),
        sentence=_said(stored, "sentence"),
        changes_when=_said(stored, "changes_when"),
        office=_said(stored, "office"),
    )


def _prospect(told: Mapping[str, Any]) -> Prospect:
    return Prospect(_spoken(told), tuple(Step(_spoken(one), one["months"]) for one in told["changes"]))


def _spoken(told: Mapping[str, Any]) -> str:
    """The sentence in the language of the page, of those that risk wrote."""
    return str(told.get("zh" if spoken() == SOURCE else "en") or told.get("zh") or "")


def _reason(stored: Mapping[str, Any]) -> Reason:
    return Reason(
        is_adverse=stored.get("kind") == "adverse",
        sentence=_spoken(stored),
        source=source_name(str(stored["item"])) if stored.get("item") else "",
        known_on=date.fromisoformat(stored["known_on"]) if stored.get("known_on") else None,
    )
