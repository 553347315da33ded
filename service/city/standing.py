"""Who a firm is, as the registers know it: registration, annual report, people, grades, property, permits, ratings."""

import numpy as np
import pyarrow as pa

from service.city.character import TRADES
from service.city.firms import ENTERPRISE, INDIVIDUAL, KIND_NAMES, WAN, Days, Floats, Ints
from service.city.health import logistic
from service.city.rows import Rows, World, concatenate, days, fen_of, numbered, words, yuan

NOT_YET = np.datetime64("NaT", "D")
PERMITS = {
    "C13": "食品生产许可",
    "C14": "食品生产许可",
    "C27": "药品生产许可",
    "H62": "食品经营许可",
    "H61": "特种行业许可",
    "G54": "道路运输许可",
    "E47": "安全生产许可",
    "E50": "建筑业资质",
    "R90": "文化经营许可",
    "F52": "食品经营许可",
}
"""Trade → the permit it needs."""


def registrations(world: World) -> Rows:
    """One per firm; a second version for those that gave up."""
    firms, when = world.firms, world.when
    everyone = np.arange(len(firms))
    first = np.maximum(firms.registered, when.months[0].astype("datetime64[D]") + 3)
    gone = np.flatnonzero(world.open_until < len(when.months))
    left = (when.months[world.open_until[gone]] + 1).astype("datetime64[D]") + 4
    firm = np.concatenate([everyone, gone])
    status = np.concatenate([np.zeros(len(everyone)), 1 + (gone % 9 == 0) * 2])
    return Rows(
        "registration",
        firm,
        np.concatenate([first, left]),
        {
            "name": pa.array(firms.name).take(pa.array(firm)),
            "kind": words(list(KIND_NAMES), firms.kind[firm]),
            "district": pa.array(list(firms.district)).take(pa.array(firm)),
            "industry": pa.array(list(firms.industry)).take(pa.array(firm)),
            "established_on": days(firms.established[firm]),
            "status": words(["active", "cancelled", "revoked", "moved"], status),
            "capital": yuan(firms.capital_fen[firm]),
            "address": pa.array(firms.address).take(pa.array(firm)),
            "premises": pa.array(list(firms.premises)).take(pa.array(firm)),
            "legal_person": pa.array(firms.person).take(pa.array(firm)),
        },
    )


def annual_reports(rng: np.random.Generator, world: World, revenue: Floats, staff: Floats) -> Rows:
    """Reported between March and June of the next year by most; what is reported is near the truth."""
    parts = []
    months = world.when.months
    for year in range(int(str(months[0])[:4]) - 1, int(str(world.when.end)[:4])):
        mine = np.flatnonzero((months >= np.datetime64(f"{year}-01")) & (months <= np.datetime64(f"{year}-12")))
        last = mine[-1] if len(mine) else 0
        yearly = revenue[:, mine].mean(axis=1) * 12 if len(mine) else revenue[:, :6].mean(axis=1) * 12
        there = (world.firms.established < np.datetime64(f"{year}-10-01")) & (world.open_until > last)
        filed = np.flatnonzero(there & (rng.random(len(there)) < logistic(3.2 + 0.8 * world.health[:, last])))
        reported = np.datetime64(f"{year + 1}-03-01") + rng.integers(0, 110, len(filed))
        amount = yearly[filed] * rng.lognormal(0, 0.12, len(filed))
        parts.append(_reports(rng, filed, year, reported, amount, staff[filed, last]))
    return concatenate(parts)


def _reports(rng: np.random.Generator, firm: Ints, year: int, reported: Days, revenue: Floats, staff: Floats) -> Rows:
    count = len(firm)
    return Rows(
        "annual_report",
        firm,
        reported + rng.integers(1, 8, count),
        {
            "year": words([str(year)], np.zeros(count)),
            "reported_on": days(reported),
            "employees": pa.array(staff.astype(np.int64)),
            "revenue": yuan(fen_of(revenue)),
            "assets": yuan(fen_of(revenue * rng.lognormal(-0.25, 0.5, count))),
        },
    )


def people(rng: np.random.Generator, world: World) -> Rows:
    """A legal representative each, one or two shareholders of enterprises; the ailing change theirs more often."""
    firms, when = world.firms, world.when
    count = len(firms)
    seen = np.maximum(firms.registered, when.months[0].astype("datetime64[D]") + 3)
    start = _person_rows(np.arange(count), 0, 0, seen, firms.established, np.full(count, NOT_YET))
    owners = np.flatnonzero(firms.kind == ENTERPRISE)
    second = owners[rng.random(len(owners)) < 0.4]
    shares = np.round(rng.uniform(0.5, 0.9, len(second)), 2)
    full = np.ones(len(owners))
    full[np.searchsorted(owners, second)] = shares
    held = _person_rows(owners, 1, 0, seen[owners], firms.established[owners], np.full(len(owners), NOT_YET), full)
    more = _person_rows(
        second, 1, 1, seen[second], firms.established[second], np.full(len(second), NOT_YET), 1 - shares
    )
    changed = world.happenings(rng, 0.0025 * np.exp(-0.5 * world.health))
    firm, first = np.unique(changed.firm, return_index=True)
    on = (when.months[changed.month[first]]).astype("datetime64[D]") + rng.integers(0, 28, len(firm))
    on = np.maximum(on, firms.established[firm] + 30)
    known = np.maximum(on + rng.integers(2, 9, len(firm)), seen[firm] + 1)
    ended = _person_rows(firm, 0, 0, known, firms.established[firm], on)
    began = _person_rows(firm, 0, 2, known, on, np.full(len(firm), NOT_YET))
    return concatenate([start, held, more, ended, began])


def _person_rows(
    firm: Ints, role: int, nth: int, known: Days, since: Days, until: Days, share: Floats | None = None
) -> Rows:
    portion = pa.nulls(len(firm), pa.float64()) if share is None else pa.array(np.round(share, 2))
    return Rows(
        "people",
        firm,
        known,
        {
            "person": pa.array([f"P{place:07d}{nth}" for place in firm], pa.string()),
            "role": words(["legal_person", "shareholder", "manager"], np.full(len(firm), role)),
            "share": portion,
            "since": days(since),
            "until": days(until),
        },
    )


def tax_grades(rng: np.random.Generator, world: World) -> Rows:
    """Published at the end of April for the year before; individuals and the youngest are not rated."""
    parts = []
    for year in range(int(str(world.when.months[0])[:4]) - 1, int(str(world.when.end)[:4])):
        old = world.firms.established < np.datetime64(f"{year}-01-01")
        rated = np.flatnonzero(
            (world.firms.kind != INDIVIDUAL) & (world.firms.established < np.datetime64(f"{year}-07-01"))
        )
        month = np.clip(int((np.datetime64(f"{year}-12") - world.when.months[0]).astype(int)), 0, None)
        score = 81.5 + 5 * world.health[rated, month] + rng.normal(0, 4, len(rated))
        grade = np.select([score >= 90, score < 64, score < 70], [0, 4, 3], 1)
        grade = np.where(~old[rated], 2, grade)
        published = np.datetime64(f"{year + 1}-04-25")
        day = np.full(len(rated), published)
        fields = {
            "year": words([str(year)], np.zeros(len(rated))),
            "grade": words(["A", "B", "M", "C", "D"], grade),
            "published_on": days(day),
        }
        parts.append(Rows("tax_grade", rated, day + 3, fields))
    return concatenate(parts)


def real_estate(rng: np.random.Generator, world: World) -> Rows:
    """Owned premises and some more; a third is mortgaged; seizures come with failing health."""
    firms = world.firms
    mine = np.flatnonzero((firms.premises == "owned") | (rng.random(len(firms)) < 0.03))
    count = len(mine)
    assessed = firms.revenue_fen[mine] * rng.lognormal(-0.3, 0.7, count) + 30 * WAN
    factory = np.array([trade.code[0] in "BCD" for trade in TRADES])[firms.trade[mine]]
    use = np.where(factory, 2, rng.integers(0, 2, count))
    seen = np.maximum(firms.registered[mine], world.when.months[0].astype("datetime64[D]") + 3)
    fields = {
        "certificate_no": numbered("豫(2099)郑州市不动产权第", count),
        "use": words(["residential", "commercial", "industrial", "land"], use),
        "assessed": yuan(fen_of(assessed)),
        "area": pa.array(np.round(assessed / WAN * rng.uniform(0.7, 1.3, count), 1)),
        "status": words(["free", "mortgaged", "seized"], rng.random(count) < 0.35),
        "registered_on": days(firms.established[mine]),
    }
    standing = Rows("real_estate", mine, seen, fields)
    hit = world.happenings(rng, np.isin(np.arange(len(firms)), mine)[:, None] * 0.0006 * np.exp(-1.4 * world.health))
    firm, first = np.unique(hit.firm, return_index=True)
    then = standing.where(np.searchsorted(mine, firm))
    known = (world.when.months[hit.month[first]] + 1).astype("datetime64[D]")
    seized = Rows("real_estate", then.firm, np.maximum(known, then.known_on + 1),
                  then.fields | {"status": words(["seized"], np.zeros(len(firm)))})  # fmt: skip
    return concatenate([standing, seized])


def permits(rng: np.random.Generator, world: World) -> Rows:
    """Trades that need one have one, some have two."""
    names = list(dict.fromkeys(PERMITS.values()))
    of_trade = np.array([names.index(PERMITS[one.code]) if one.code in PERMITS else -1 for one in TRADES])
    kind = of_trade[world.firms.trade]
    retail = np.array([one.code == "F52" for one in TRADES])[world.firms.trade]
    mine = np.flatnonzero((kind >= 0) & (~retail | (rng.random(len(kind)) < 0.25)))
    decided = np.maximum(
        world.firms.established[mine], np.datetime64(world.when.start) - rng.integers(30, 1500, len(mine))
    )
    decided = np.minimum(decided, np.datetime64(world.when.end) - 20)
    fields = {
        "permit_no": numbered("拟许字2099-", len(mine)),
        "kind": words(names, kind[mine]),
        "decided_on": days(decided),
        "valid_until": days(decided + 1826),
        "status": words(["valid"], np.zeros(len(mine))),
    }
    return Rows("permit", mine, decided + rng.integers(2, 12, len(mine)), fields)


def environment_ratings(rng: np.random.Generator, world: World) -> Rows:
    """Makers and diggers are rated once a year, published in March."""
    dirty = np.array([trade.code[0] in "BCDN" for trade in TRADES])[world.firms.trade]
    parts = []
    for year in range(int(str(world.when.months[0])[:4]) - 1, int(str(world.when.end)[:4])):
        rated = np.flatnonzero(dirty & (world.firms.established < np.datetime64(f"{year}-01-01")))
        month = max(0, int((np.datetime64(f"{year}-12") - world.when.months[0]).astype(int)))
        score = 0.6 * world.health[rated, month] + rng.normal(0, 1, len(rated))
        day = np.full(len(rated), np.datetime64(f"{year + 1}-03-20"))
        fields = {
            "year": words([str(year)], np.zeros(len(rated))),
            "rating": words(
                ["green", "blue", "yellow", "red"], np.select([score > 1, score > -1.4, score > -2.6], [0, 1, 2], 3)
            ),
            "published_on": days(day),
        }
        parts.append(Rows("environment_rating", rated, day + 5, fields))
    return concatenate(parts)
