"""Profiles kept ready: the night's results for firms that allow it, an estimate's reasons and what would change it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import NotAllowed
from service.domain.people import Role, Who
from service.profiles.estimate import prospect_of, reasons_of
from service.profiles.firm_days import known_today
from service.profiles.tools import Tools
from service.store import firm_days, verdicts

ESTIMATE = "estimate"
AT_ONCE = 2_000
"""Firms in one transaction: so many results are lost at most when the night is cut short."""


def refresh_profiles(tx: Session, who: Who, tools: Tools, today: date, now: datetime, most: int = AT_ONCE) -> int:
    """Work out today's results for firms that allow their profile and still lack them; how many there were.

    Call it again, each time in a transaction of its own, until it answers 0. Afterwards a report reads what is stored.
    """
    if who.role is not Role.SYSTEM:
        raise NotAllowed("画像由平台自动更新。")
    lacking = firm_days.list_lacking(tx, today, most)
    known_today(tx, tools.profiler, lacking, today, now)
    return len(lacking)


def reasons_for(tx: Session, verdict: Row[Any], tools: Tools) -> list[dict[str, Any]] | None:
    """The drivers of the estimate a verdict rests on, from its own snapshot and its own model; kept on first view.

    None where the verdict rests on no estimate, or its model is no longer at hand.
    """
    if verdict.estimate_id is None or verdict.reasons is not None:
        stored: list[dict[str, Any]] | None = verdict.reasons
        return stored
    model = tools.model_of(verdict.model_version)
    if model is None:
        return None
    (reasons,) = reasons_of(model, [(verdict.features, verdict.vintage)])
    if not tx.info.get("read_only"):
        verdicts.keep_reasons(tx, verdict.estimate_id, reasons)
    return reasons


def prospect_for(verdict: Row[Any], tools: Tools, district: str, today: date) -> dict[str, Any] | None:
    """What would change the estimate a verdict rests on: get it under the green line if it is above, else a grade up.

    A grade up too where the line is out of reach. Worked out anew from the stored snapshot, never stored. None where
    the verdict rests on no estimate, or its model is no longer at hand.
    """
    model = None if verdict.estimate_id is None else tools.model_of(verdict.model_version)
    if model is None:
        return None
    rules = tools.policy.on(today, district).rules
    line = next((float(rule.step.green) for rule in rules if rule.criterion.id == ESTIMATE), None)
    if line is not None and verdict.probability > line:
        prospect = prospect_of(model, verdict.features, below=line)
        if prospect["reached"]:
            return prospect
    return prospect_of(model, verdict.features)
