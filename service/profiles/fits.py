"""How the products on offer stand to one demand: the facts its light rests on against every admission criterion."""

import json
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from matching.evidence import facts_from_json
from matching.fit import Fit, fit_all
from matching.terms import Asked, Words
from service.domain.demand import IN_MATCHING, DemandState
from service.domain.people import Who
from service.domain.push_list import LineState
from service.domain.standards.industries import DIVISIONS, SECTIONS
from service.domain.standards.regions import REGIONS
from service.profiles.facts import USES
from service.profiles.tools import Tools
from service.store import overview

BEFORE_CHOICE = frozenset({DemandState.REPORTED, *IN_MATCHING})
TURNED_DOWN = frozenset({LineState.REFUSED, LineState.SILENT})
NAMES = {code: Words(area.zh, area.en) for code, area in REGIONS.items()} | {
    code: Words(industry.zh, industry.en) for code, industry in (SECTIONS | DIVISIONS).items()
}
"""What areas and industries are called."""


def find_fits(tx: Session, who: Who, demand: Row[Any], tools: Tools, today: date) -> tuple[Fit, ...]:
    """Every product on offer: those that take the demand first, then those that fail on least.

    `demand`: an `overview` row. Empty before its first verdict, and once the firm has chosen.
    """
    verdict = overview.find_verdict(tx, demand.verdict_id)
    if verdict is None or demand.state not in BEFORE_CHOICE:
        return ()
    lines = overview.list_lines(tx, who, demand.id)
    asked = Asked(
        demand_id=demand.id,
        amount_fen=demand.amount_fen,
        term_months=demand.term_months,
        use=USES[demand.use],
        rate_ceiling=demand.rate_ceiling,
        guarantees=frozenset(demand.guarantees),
        excluded_banks=frozenset(line.bank_id for line in lines if line.state in TURNED_DOWN),
    )
    return fit_all(asked, facts_from_json(json.dumps(verdict.facts)), tools.products, today, NAMES)
