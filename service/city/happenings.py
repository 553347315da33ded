"""What befalls a firm: penalties, courts, listings, and the good things, honours, patents, contracts. Health decides.

A thing that changes later is two rows of one key: as it was first known, and as it was known when it changed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from service.city.character import TRADES
from service.city.firms import ENTERPRISE, YUAN, Days, Floats
from service.city.health import logistic
from service.city.rows import Panel, Rows, World, concatenate, days, fen_of, numbered, within, words, yuan

NOT_YET = np.datetime64("NaT", "D")


def _known(rng: np.random.Generator, happened: Days) -> Days:
    """A week or so later; one in twenty comes too late."""
    known: Days = happened + rng.integers(2, 9, len(happened)) + 20 * (rng.random(len(happened)) < 0.05)
    return known


def _later(first: Rows, chosen: npt.NDArray[Any], known_on: Days, **changed: pa.Array) -> Rows:
    """A second version of the chosen rows."""
    then = first.where(chosen)
    return Rows(first.item, then.firm, known_on, then.fields | changed)


def penalties(rng: np.random.Generator, world: World) -> Rows:
    """Publication: 3 months, 1 year, 3 years by class; some general ones are repaired after the shortest window."""
    hit = world.happenings(rng, 0.0022 * np.exp(-0.8 * world.health))
    count = len(hit.firm)
    on = within(world.when, hit.month, rng)
    grade = rng.choice(3, count, p=[0.60, 0.34, 0.06])
    first = Rows(
        "penalty",
        hit.firm,
        _known(rng, on),
        {
            "decision_no": numbered("拟市监罚〔2099〕", count),
            "class": words(["minor", "general", "serious"], grade),
            "fine": yuan(fen_of(np.array([500, 8_000, 90_000])[grade] * YUAN * rng.lognormal(0, 0.6, count))),
            "decided_on": days(on),
            "published_until": days(on + np.array([91, 365, 1095])[grade]),
            "status": words(["open", "done"], rng.random(count) < 0.8),
            "authority": words(
                ["市场监督管理局（模拟）", "生态环境局（模拟）", "应急管理局（模拟）"], rng.integers(0, 3, count)
            ),
            "reason": words(["未按规定公示", "标签不规范", "未取得许可经营", "超标排放"], rng.integers(0, 4, count)),
            "repaired_on": pa.nulls(count, pa.date32()),
        },
    )
    mended = np.flatnonzero((grade == 1) & (rng.random(count) < 0.35))
    day = on[mended] + rng.integers(95, 200, len(mended))
    return concatenate(
        [first, _later(first, mended, day + 2, repaired_on=days(day), status=words(["done"], np.zeros(len(mended))))]
    )


def court_cases(rng: np.random.Generator, world: World) -> Rows:
    """Enforcement, judgments, consumption limits; six in ten are closed in three to fifteen months."""
    hit = world.happenings(rng, 0.0014 * np.exp(-1.3 * world.health))
    count = len(hit.firm)
    on = within(world.when, hit.month, rng)
    first = Rows(
        "court_enforcement",
        hit.firm,
        _known(rng, on),
        {
            "case_no": numbered("(2099)豫0199执", count),
            "kind": words(["enforcement", "judgment", "consumption_limit"], rng.choice(3, count, p=[0.6, 0.3, 0.1])),
            "claim": yuan(fen_of(world.firms.revenue_fen[hit.firm] * 0.04 * rng.lognormal(0, 0.9, count))),
            "filed_on": days(on),
            "closed_on": pa.nulls(count, pa.date32()),
            "status": words(["open"], np.zeros(count)),
            "repaired_on": pa.nulls(count, pa.date32()),
        },
    )
    closed = np.flatnonzero(rng.random(count) < 0.6)
    day = on[closed] + rng.integers(90, 450, len(closed))
    return concatenate(
        [first, _later(first, closed, day + 3, closed_on=days(day), status=words(["closed"], np.zeros(len(closed))))]
    )


def dishonesty_listings(rng: np.random.Generator, world: World) -> Rows:
    """Rare, and nearly only where health has failed; one in three is removed within two years."""
    hit = world.happenings(rng, 0.00010 * np.exp(-1.9 * world.health))
    count = len(hit.firm)
    on = within(world.when, hit.month, rng)
    lists = ["judgment_debtor", "unpaid_wages", "market_order", "tax_fraud", "work_safety"]
    first = Rows(
        "dishonesty_listing",
        hit.firm,
        _known(rng, on),
        {
            "list": words(lists, rng.choice(5, count, p=[0.7, 0.12, 0.08, 0.05, 0.05])),
            "decision_no": numbered("拟失信〔2099〕", count),
            "authority": words(["人民法院（模拟）"], np.zeros(count)),
            "listed_on": days(on),
            "removed_on": pa.nulls(count, pa.date32()),
        },
    )
    removed = np.flatnonzero(rng.random(count) < 0.33)
    day = on[removed] + rng.integers(120, 730, len(removed))
    return concatenate([first, _later(first, removed, day + 3, removed_on=days(day))])


def abnormal_operations(rng: np.random.Generator, world: World) -> Rows:
    """Unreachable at the address, or no annual report by June (listed in July); half mend it within months."""
    july = (world.when.months.astype(int) % 12 == 6)[None, :]
    chance = 0.0005 * np.exp(-1.0 * world.health) + july * (1 - logistic(3.2 + 0.8 * world.health)) * 0.5
    hit = world.happenings(rng, chance)
    count = len(hit.firm)
    on = within(world.when, hit.month, rng)
    reports = (world.when.months.astype(int) % 12 == 6)[hit.month]
    first = Rows(
        "abnormal_operation",
        hit.firm,
        _known(rng, on),
        {
            "decision_no": numbered("拟异列〔2099〕", count),
            "reason": words(["unreachable", "no_annual_report"], reports),
            "listed_on": days(on),
            "removed_on": pa.nulls(count, pa.date32()),
        },
    )
    removed = np.flatnonzero(rng.random(count) < 0.75)
    day = on[removed] + rng.integers(20, 260, len(removed))
    return concatenate([first, _later(first, removed, day + 2, removed_on=days(day))])


def honours(rng: np.random.Generator, world: World) -> Rows:
    """Good firms are honoured in December, technical ones as such; three years each."""
    december = (world.when.months.astype(int) % 12 == 11)[None, :]
    able = (world.firms.kind != 1)[:, None]
    hit = world.happenings(rng, able * december * 0.05 * logistic(-0.5 + 1.2 * world.health))
    count = len(hit.firm)
    on = within(world.when, hit.month, rng)
    technical = np.array(
        [trade.code[:3] in {"C34", "C35", "C38", "C39", "C27", "I65", "M74", "M75"} for trade in TRADES]
    )
    kind = np.where(technical[world.firms.trade[hit.firm]], rng.integers(0, 3, count), 3 + (rng.random(count) < 0.1))
    titles = ["高新技术企业", "科技型中小企业", "专精特新中小企业", "守合同重信用企业", "其他荣誉"]
    return Rows(
        "honour",
        hit.firm,
        _known(rng, on),
        {
            "title": words(titles, kind),
            "year": words([str(year) for year in range(1970, 2100)], on.astype("datetime64[Y]").astype(int)),
            "kind": words(["high_tech", "science_sme", "specialised", "contract_credit", "other"], kind),
            "awarded_on": days(on),
            "valid_until": days(on + 1095),
        },
    )


def property_rights(rng: np.random.Generator, world: World) -> Rows:
    """Patents, software, trademarks: makers and technical services have most, healthy ones more."""
    rate = np.array([{"C": 0.010, "I": 0.020, "M": 0.015, "N": 0.006}.get(trade.code[0], 0.0012) for trade in TRADES])
    able = np.where(world.firms.kind == ENTERPRISE, 1.0, 0.05)
    hit = world.happenings(rng, (rate[world.firms.trade] * able)[:, None] * np.exp(0.4 * world.health))
    count = len(hit.firm)
    on = within(world.when, hit.month, rng)
    software = np.array([trade.code[0] == "I" for trade in TRADES])[world.firms.trade[hit.firm]]
    kind = np.where(software, 4, rng.choice(4, count, p=[0.12, 0.45, 0.13, 0.30]))
    return Rows(
        "intellectual_property",
        hit.firm,
        _known(rng, on),
        {
            "number": numbered("ZL2099", count),
            "kind": words(["invention", "utility", "design", "trademark", "software"], kind),
            "title": words(["一种模拟装置", "模拟管理系统", "模拟标识"], rng.integers(0, 3, count)),
            "granted_on": days(on),
            "valid_until": days(on + 3650),
        },
    )


def contracts(rng: np.random.Generator, world: World) -> Rows:
    """Public contracts of builders and services: signed, then performed, or breached where health fails."""
    rate = np.array(
        [{"E": 0.016, "I": 0.012, "M": 0.010, "L": 0.005, "N": 0.012}.get(one.code[0], 0.0008) for one in TRADES]
    )
    able = np.where(world.firms.kind == ENTERPRISE, 1.0, 0.05)
    hit = world.happenings(rng, (rate[world.firms.trade] * able)[:, None] * np.exp(0.2 * world.health))
    count = len(hit.firm)
    on = within(world.when, hit.month, rng)
    due = on + rng.integers(60, 400, count)
    first = Rows(
        "contract",
        hit.firm,
        _known(rng, on),
        {
            "contract_no": numbered("拟采合2099-", count),
            "other_party": words(["模拟采购单位甲", "模拟采购单位乙", "模拟采购单位丙"], rng.integers(0, 3, count)),
            "amount": yuan(fen_of(world.firms.revenue_fen[hit.firm] * 0.12 * rng.lognormal(0, 0.6, count))),
            "signed_on": days(on),
            "ends_on": days(due),
            "status": words(["ongoing"], np.zeros(count)),
        },
    )
    breached = rng.random(count) < logistic(-3.4 - 1.2 * _at(world, hit, due))
    ended = np.flatnonzero(rng.random(count) < 0.95)
    state = words(["performed", "breached"], breached[ended])
    return concatenate([first, _later(first, ended, due[ended] + rng.integers(2, 20, len(ended)), status=state)])


def _at(world: World, panel: Panel, day: Days) -> Floats:
    """Health in the month of a later day (the last month where that is beyond the city's memory)."""
    month = np.minimum((day.astype("datetime64[M]") - world.when.months[0]).astype(int), len(world.when.months) - 1)
    health: Floats = world.health[panel.firm, month]
    return health
