"""One demand on the judge's desk."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Row

from matching.terms import Facts, Verdict
from service.profiles.documents import content_hash, facts_document, findings_document
from service.profiles.estimate import Estimated


@dataclass(frozen=True)
class Case:
    """One demand with everything its judgement rests on and came to."""

    demand: Row[Any]
    firm: Row[Any]
    facts: Facts
    estimated: Estimated | None
    verdict: Verdict
    fits: int = 0

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """What was found, and what could not be judged here, as stored."""
        return findings_document(self.verdict)

    @cached_property
    def told(self) -> dict[str, dict[str, Any]]:
        """The facts, as stored."""
        return facts_document(self.facts)

    @cached_property
    def content(self) -> str:
        """The hash of what was judged and found."""
        return content_hash(self.told, self.findings, self.verdict, self.fits)

    @property
    def whose(self) -> dict[str, Any]:
        """The demand, firm and district every row about it names."""
        return {"demand_id": self.demand.id, "uscc": self.demand.uscc, "district": self.demand.district}
