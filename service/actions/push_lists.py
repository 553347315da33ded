"""Push what this day still lacks: share all waiting demands out, have the lists checked, publish them in one piece.

What is out stands: later in the day the demands that changed, and those that wait for room somebody gave back, bid for
what is free.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from matching.allocate import solver_version
from matching.policy import Policy
from matching.terms import Line
from service.actions.propose_banks import Lack, close_answered, lacking_a_bank, propose
from service.actions.settle_demand import settling
from service.actions.share_out import Plan, gather, share_out
from service.domain import line_clock
from service.domain.errors import Conflict, NotAllowed, Unavailable
from service.domain.list_hash import Listed, content_hash
from service.domain.people import Who
from service.domain.push_list import LineState
from service.domain.replay import pack
from service.domain.standards.calendar import Calendar
from service.profiles.tools import Tools
from service.store import calendar, consents, notices, products, push_lists, trail
from service.store.notices import Message
from service.store.trail import Act

TRIES = 4
"""Lists are made without holding anybody up; where someone was quicker they are made again, at last under lock."""
CAUSES = {LineState.REFUSED: "refusal", LineState.SILENT: "silence"}


@dataclass(frozen=True)
class Pushed:
    """What a push did: lists and lines published, firms asked for a consent, demands for which no bank is left."""

    lists: int = 0
    lines: int = 0
    demands: int = 0
    proposals: int = 0
    without_bank: int = 0
    certificate_id: int | None = None


def push_missing(tx: Session, who: Who, today: date, now: datetime, tools: Tools | Policy) -> Pushed:
    """Publish today's missing lists: all of them or none, each with a valid certificate; nothing new, nothing written.

    Errors: Unavailable where the lists do not pass the referee, or others kept being quicker.
    """
    if not who.is_platform:
        raise NotAllowed("清单由平台推送。")
    policy = (tools if isinstance(tools, Policy) else tools.policy).on(today)
    push_lists.one_push_at_a_time(tx)
    for attempt in range(TRIES):
        gathered = gather(tx, today, lock=attempt == TRIES - 1)
        if not gathered.demands:
            return Pushed()
        plan = share_out(gathered, policy)
        if plan.certificate.breaches:
            raise Unavailable("清单未通过校验，未推送：{breach}", breach=plan.certificate.breaches[0])
        try:
            with tx.begin_nested():
                return _publish(tx, who, plan, today, now)
        except Conflict:
            continue
    raise Unavailable("推送时数据一直在变化，请稍后再试。")


def _publish(tx: Session, who: Who, plan: Plan, today: date, now: datetime) -> Pushed:
    """Under lock: what the plan rests on still holds; then lists, lines, places, money, notices, trail."""
    chosen = sorted({line.demand_id for line in plan.lines})
    waiting = plan.gathered.waiting
    lacking = [lack for lack in lacking_a_bank(plan) if lack[0].id not in waiting]
    given = _hold(tx, plan, chosen, lacking, today)
    acts: list[Act] = []
    messages: list[Message] = []
    certificate_id, lists = None, {}
    if plan.lines:
        certificate_id = _keep_certificate(tx, plan, today, now)
        lists = _add_lists(tx, plan, certificate_id, today, now)
        rows = _line_rows(plan, lists, given, calendar.calendar(tx), today, now)
        keys = push_lists.add_lines(tx, rows)
        _take(tx, plan, rows, today)
        acts += [_list_act(bank, key, certificate_id) for bank, key in lists.items()]
        acts += [_line_act(key, row) for key, row in zip(keys, rows, strict=True)]
        messages += _messages(rows, today)
        acts += close_answered(tx, chosen, today)
    proposed = propose(tx, lacking, today)
    acts += proposed.acts + settling(tx, who, chosen, today, now, "pushed")
    acts += settling(tx, who, proposed.demands, today, now, "no_bank_yet")
    _put_off(tx, plan, [*chosen, *(demand.id for demand, _, _ in lacking)], today)
    notices.add(tx, [*messages, *proposed.messages], today, now)
    trail.append(tx, who, acts, now)
    return Pushed(len(lists), len(plan.lines), len(chosen), proposed.asked, proposed.without_bank, certificate_id)


def _hold(
    tx: Session, plan: Plan, chosen: Sequence[int], lacking: Sequence[Lack], today: date
) -> Mapping[str, Mapping[int, int]]:
    """Lock what will be changed; Conflict where a demand or a consent changed since it was read. The live consents."""
    versions = {demand.id: demand.version for demand in plan.gathered.demands}
    held = sorted({*chosen, *(demand.id for demand, _, _ in lacking)})
    if push_lists.versions_under_lock(tx, held) != {one: versions[one] for one in held}:
        raise Conflict("有需求在推送时发生了变化。")
    owners = {demand.id: demand.uscc for demand in plan.gathered.demands}
    live = consents.live(tx, sorted({owners[one] for one in chosen}), today)
    if any(line.bank_id not in live.get(owners[line.demand_id], {}) for line in plan.lines):
        raise Conflict("有授权在推送时被撤回。")
    return {str(one): live[owners[one]] for one in chosen}


def _keep_certificate(tx: Session, plan: Plan, today: date, now: datetime) -> int:
    gathered = plan.gathered
    row = {
        "on": today,
        "run": gathered.run,
        "is_valid": True,
        "body": json.loads(plan.certificate.to_json()),
        "inputs": pack(plan.problem, plan.prices, solver_version()),
        "appetite": gathered.kept_appetite(),
        "made_at": now,
    }
    return push_lists.add_certificate(tx, row)


def _add_lists(tx: Session, plan: Plan, certificate_id: int, today: date, now: datetime) -> dict[int, int]:
    """One list for each bank with lines; bank → the list's key."""
    by_bank: dict[int, list[Line]] = defaultdict(list)
    for line in plan.lines:
        by_bank[line.bank_id].append(line)
    numbers = push_lists.numbers_of(tx, today)
    amount = {demand.id: demand.amount_fen for demand in plan.gathered.demands}
    rows = [
        {
            "bank_id": bank,
            "on": today,
            "number": numbers.get(bank, 0) + 1,
            "cause": _cause(plan, lines),
            "lines": len(lines),
            "amount_fen": sum(amount[line.demand_id] for line in lines),
            "certificate_id": certificate_id,
            "content_hash": content_hash(bank, today, (_listed(line, amount[line.demand_id]) for line in lines)),
            "published_at": now,
        }
        for bank, lines in sorted(by_bank.items())
    ]
    keys = push_lists.add_lists(tx, rows)
    return dict(zip(sorted(by_bank), keys, strict=True))


def _listed(line: Line, amount_fen: int) -> Listed:
    return line.demand_id, line.product_id, line.rank, amount_fen


def _cause(plan: Plan, lines: Sequence[Line]) -> str:
    """Why a list is made: in the morning it is the day's; later what most of its demands met with before."""
    if plan.gathered.run == 0:
        return "morning"
    met: Counter[str] = Counter()
    for line in lines:
        before = plan.gathered.turned_down(line.demand_id)
        if line.demand_id in plan.gathered.waiting:
            met["room"] += 1
        elif plan.gathered.was_recalled(line.demand_id):
            met["recall"] += 1
        else:
            met[CAUSES[before[-1].state] if before else "consent"] += 1
    return min(met, key=lambda cause: (-met[cause], cause))


def _line_rows(
    plan: Plan, lists: Mapping[int, int], given: Mapping[str, Mapping[int, int]], days: Calendar,
    today: date, now: datetime,
) -> list[dict[str, Any]]:  # fmt: skip
    demands = {demand.id: demand for demand in plan.gathered.demands}
    clocks: dict[int | None, line_clock.Columns] = {}
    rows = []
    for line, p_offer, p_grant in zip(plan.lines, plan.p_offer, plan.p_grant, strict=True):
        demand, room = demands[line.demand_id], plan.gathered.room[line.product_id]
        if room.contact_days not in clocks:
            clocks[room.contact_days] = line_clock.from_push(today, room.contact_days, days)
        rows.append(
            {
                "list_id": lists[line.bank_id],
                "bank_id": line.bank_id,
                "demand_id": line.demand_id,
                "uscc": demand.uscc,
                "district": demand.district,
                "product_id": line.product_id,
                "product_version": room.version,
                "rank": line.rank,
                "is_intended": (line.demand_id, line.bank_id) in plan.gathered.intended,
                "amount_fen": demand.amount_fen,
                "reserved_fen": demand.amount_fen,
                "consent_id": given[str(line.demand_id)][line.bank_id],
                "p_offer": p_offer,
                "p_grant": p_grant,
                "pushed_on": today,
                "state": LineState.PUSHED.value,
                "state_at": now,
                "paused_days": 0,
                "view_closed": False,
                **clocks[room.contact_days],
            }
        )
    return rows


def _take(tx: Session, plan: Plan, rows: Sequence[Mapping[str, Any]], today: date) -> None:
    """Places and money of the products, by conditional updates: Conflict where another was quicker."""
    money: Counter[int] = Counter()
    for row in rows:
        money[row["product_id"]] += row["reserved_fen"]
    products.move_money(tx, money, {})
    products.take_places(tx, Counter(line.product_id for line in plan.lines), today)


def _put_off(tx: Session, plan: Plan, held: Sequence[int], today: date) -> None:
    """Everything looked at now waits until tomorrow, unless it changes before."""
    tomorrow = today + timedelta(days=1)
    push_lists.put_off_locked(tx, held, tomorrow)
    done = {*held, *plan.gathered.waiting}
    others = {demand.id: demand.version for demand in plan.gathered.demands if demand.id not in done}
    push_lists.put_off(tx, others, tomorrow)


def _list_act(bank_id: int, key: int, certificate_id: int) -> Act:
    return Act("published", "push_list", key, bank_id=bank_id, details={"certificate": certificate_id})


def _line_act(key: int, row: Mapping[str, Any]) -> Act:
    details = {"list": row["list_id"], "product": row["product_id"], "version": row["product_version"]}
    whose = {name: row[name] for name in ("demand_id", "uscc", "bank_id", "district")}
    return Act("pushed", "push_line", key, new=row["state"], details=details | {"consent": row["consent_id"]}, **whose)


def _messages(rows: Sequence[Mapping[str, Any]], today: date) -> list[Message]:
    """Each bank hears of its list, each firm to how many banks its demand went."""
    lists = Counter((row["bank_id"], row["list_id"]) for row in rows)
    told = [
        Message("list_published", bank_id=bank, values={"list_id": key, "lines": lines, "on": today.isoformat()})
        for (bank, key), lines in sorted(lists.items())
    ]
    firms: dict[tuple[str, int], list[int]] = defaultdict(list)
    for row in rows:
        firms[row["uscc"], row["demand_id"]].append(row["bank_id"])
    return told + [
        Message("demand_pushed", uscc=uscc, demand_id=demand, values={"banks": banks})
        for (uscc, demand), banks in sorted(firms.items())
    ]
