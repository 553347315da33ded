"""Demands without any bank today: the firm is asked for a consent to banks that fit, or gets a dated plan."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlmodel import Session

from service.domain.clocks import clock
from service.domain.demand import Actor
from service.store import calendar, follow_ups
from service.store.notices import Message
from service.store.trail import Act

if TYPE_CHECKING:
    from service.actions.share_out import Plan

CONSENT_NEEDED = "consent_needed"
NO_BANK_LEFT = "no_bank_left"
CHANCE_TOO_LOW = "chance_too_low"
MOST_BANKS = 5
MEASURES = {
    CONSENT_NEEDED: ("企业", "请企业选择是否授权适配的银行查看本笔需求。", Actor.FIRM),
    NO_BANK_LEFT: (
        "区县工作专班",
        "暂无可对接的银行：请与企业商议调整金额、期限或补充担保，再次撮合。",
        Actor.DISTRICT,
    ),
    CHANCE_TOO_LOW: (
        "区县工作专班",
        "其余银行很可能也不接受，为免重复被拒暂不推送：请与企业商议调整金额、期限或补充担保，再次撮合。",
        Actor.DISTRICT,
    ),
}
"""Obstacle → the office in charge, what would remove it, whose work it is."""


Lack = tuple[Any, str, list[int]]
"""A demand, its obstacle, the banks that would fit."""


@dataclass
class Proposed:
    """What came of it: demands touched, what to tell and to record."""

    demands: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    asked: int = 0
    without_bank: int = 0


def lacking_a_bank(plan: "Plan") -> list[Lack]:
    """Demands without a line for which no bank both fits and is named: what they lack, and who would fit."""
    chances, demands = plan.chances, plan.gathered.demands
    named = np.zeros(len(demands), bool)
    named[chances.demand[chances.named]] = True
    lacking = []
    for row in np.flatnonzero(~named).tolist():
        demand = demands[row]
        if plan.gathered.open_lines(demand.id) or plan.gathered.kept_away(demand.id):
            continue  # with a bank, or it has one tomorrow
        banks = _fitting(plan, row)
        if banks or plan.gathered.turned_down(demand.id):
            none_left = CHANCE_TOO_LOW if demand.id in chances.guarded else NO_BANK_LEFT
            lacking.append((demand, CONSENT_NEEDED if banks else none_left, banks))
    return lacking


def propose(tx: Session, lacking: Sequence[Lack], today: date) -> Proposed:
    """Ask the firm, or make a dated plan; one that was asked before its date is left in peace."""
    there = follow_ups.open_of(tx, [demand.id for demand, _, _ in lacking])
    again_on = clock("second_plan", today).surely_after(today, calendar.calendar(tx))
    found, opening, dated, closing = Proposed(), [], [], []
    for demand, obstacle, banks in lacking:
        known = {row.obstacle: row for row in there.get(demand.id, ())}
        closing += [known[other] for other in MEASURES if other != obstacle and other in known]
        old = known.get(obstacle)
        if old is not None and old.next_on > today:
            continue
        if old is None:
            opening.append(_follow_up(demand, obstacle, again_on, today))
        else:
            dated.append({"id": old.id, "next_on": again_on})
        _tell(found, demand, obstacle, banks, again_on)
    keys = follow_ups.add(tx, opening)
    follow_ups.change(tx, dated)
    found.acts += [_act("open", key, row, row["obstacle"]) for key, row in zip(keys, opening, strict=True)]
    found.acts += _close(tx, closing, "replaced", today)
    return found


def close_answered(tx: Session, demand_ids: Sequence[int], today: date) -> list[Act]:
    """These demands are with a bank again: what asked for one is done."""
    there = follow_ups.open_of(tx, demand_ids)
    return _close(tx, [row for rows in there.values() for row in rows if row.obstacle in MEASURES], "pushed", today)


def _fitting(plan: "Plan", row: int) -> list[int]:
    """Banks that fit the demand in this row, the most worth first; the chances stand in the order of the rows."""
    first, last = np.searchsorted(plan.chances.demand, [row, row + 1])
    order = first + np.argsort(-plan.chances.value[first:last], kind="stable")
    products = (plan.gathered.products[position] for position in plan.chances.product[order])
    return list(dict.fromkeys(product.bank_id for product in products))


def _follow_up(demand: Any, obstacle: str, next_on: date, today: date) -> dict[str, Any]:
    office, measure, owner = MEASURES[obstacle]
    return {
        "demand_id": demand.id,
        "uscc": demand.uscc,
        "district": demand.district,
        "obstacle": obstacle,
        "office": office,
        "measure": measure,
        "owner": owner.value,
        "next_on": next_on,
        "opened_on": today,
    }


def _tell(found: Proposed, demand: Any, obstacle: str, banks: list[int], again_on: date) -> None:
    found.demands.append(demand.id)
    values: dict[str, Any] = {"next_on": again_on.isoformat()}
    if obstacle == CONSENT_NEEDED:
        found.asked += 1
        kind, values = "consent_proposed", values | {"banks": banks[:MOST_BANKS]}
    else:
        found.without_bank += 1
        kind = obstacle
    found.messages.append(Message(kind, uscc=demand.uscc, demand_id=demand.id, values=values))


def _close(tx: Session, rows: Sequence[Any], outcome: str, today: date) -> list[Act]:
    follow_ups.change(tx, [{"id": row.id, "closed_on": today, "outcome": outcome} for row in rows])
    return [
        Act(
            "close",
            "follow_up",
            row.id,
            demand_id=row.demand_id,
            uscc=row.uscc,
            district=row.district,
            old="open",
            new="closed",
            details={"outcome": outcome},
        )
        for row in rows
    ]


def _act(verb: str, key: int, row: dict[str, Any], obstacle: str) -> Act:
    whose = {name: row[name] for name in ("demand_id", "uscc", "district")}
    return Act(verb, "follow_up", key, new="open", details={"obstacle": obstacle}, **whose)
