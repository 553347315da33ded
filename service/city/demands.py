"""Who asks for a loan on which day, for what, and at which banks: drawn once for the whole demo."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from service.city.banks import BANKS
from service.city.character import TRADES
from service.city.city import City
from service.city.firms import INDIVIDUAL, KIND_NAMES, WAN, Days, Floats, Ints
from service.city.health import logistic
from service.city.rows import next_monday
from service.domain.demand import Channel, UseOfLoan

ASKS = {"enterprise": 1.0, "individual": 0.5, "cooperative": 0.7, "village": 0.3}
WEEKEND = 0.25  # of a working day's demands
UNLAWFUL = (UseOfLoan.SECURITIES, UseOfLoan.PROPERTY_SPECULATION, UseOfLoan.RELENDING)
CHANNELS = (Channel.WEB, Channel.QR, Channel.OUTLET, Channel.VISIT)


@dataclass(frozen=True)
class Asked:
    """One demand as its firm puts it; banks by their place in BANKS, best liked first."""

    firm: int
    on: date
    amount_fen: int
    term_months: int
    use: UseOfLoan
    rate_ceiling: Decimal | None
    guarantees: tuple[str, ...]
    intended: tuple[int, ...]
    reserve: tuple[int, ...]
    channel: Channel
    wants_renewal: bool


def draw_demands(city: City) -> dict[date, list[Asked]]:
    """Demands by day; no firm asks twice."""
    rng = np.random.default_rng([city.seed, 0xA5])
    days = [city.when.start + timedelta(days=ahead) for ahead in range((city.when.end - city.when.start).days + 1)]
    per_day = city.character.asking.per_thousand_firms * len(city.firms) / 1000
    shares = np.array([WEEKEND if day.weekday() >= 5 else 1.0 for day in days])
    total = max(1, round(per_day * len(days)))
    firm = _who_asks(rng, city, total)
    day = np.sort(rng.choice(len(days), len(firm), p=shares / shares.sum()))
    there = _known_from(city)[firm] <= np.array(days, "datetime64[D]")[day]
    asked: dict[date, list[Asked]] = {on: [] for on in days}
    for one in _asked(rng, city, firm[there], [days[place] for place in day[there]]):
        asked[one.on].append(one)
    return asked


def _known_from(city: City) -> Days:
    """The day from which the platform knows a firm: the newly registered come with the next weekly file."""
    registered = city.firms.registered
    return np.where(registered < np.datetime64(city.when.start), registered, next_monday(registered))


def _who_asks(rng: np.random.Generator, city: City, total: int) -> Ints:
    """Firms that are still in business; the better ones a little more often."""
    weight = np.array([ASKS[name] for name in KIND_NAMES])[city.firms.kind]
    weight = weight * logistic(0.5 + 0.35 * city.health[:, city.when.first_live - 1])
    weight = np.where(city.open_until >= len(city.when.months), weight, 0)
    some = min(total, int((weight > 0).sum()))
    return rng.choice(len(weight), some, replace=False, p=weight / weight.sum())


def _asked(rng: np.random.Generator, city: City, firm: Ints, days: list[date]) -> Iterator[Asked]:
    asking, count = city.character.asking, len(firm)
    amount = city.firms.revenue_fen[firm] * asking.share_of_revenue * rng.lognormal(0, asking.spread, count)
    amount = np.clip(amount, asking.smallest_fen, asking.largest_fen) // WAN * WAN
    term = rng.choice([6, 12, 18, 24, 36], count, p=[0.08, 0.60, 0.06, 0.14, 0.12])
    uses = _uses(rng, city, firm)
    ceiling = np.where(rng.random(count) < 0.6, np.round(rng.uniform(0.038, 0.085, count), 3), 0)
    owned = (city.firms.premises[firm] == "owned") & (rng.random(count) < 0.75)
    chances = rng.random((count, 3))
    intended = rng.choice(len(asking.intended), count, p=list(asking.intended))
    reserve = rng.choice(len(asking.reserve), count, p=list(asking.reserve))
    channel = rng.choice(len(CHANNELS), count, p=[0.45, 0.25, 0.15, 0.15])
    for place, one in enumerate(firm):
        banks = _banks(rng, city, int(one), int(intended[place] + reserve[place]))
        given = (owned[place], chances[place, 0] < 0.06, chances[place, 1] < 0.3)
        yield Asked(
            firm=int(one),
            on=days[place],
            amount_fen=int(amount[place]),
            term_months=int(term[place]),
            use=uses[place],
            rate_ceiling=Decimal(f"{ceiling[place]:.3f}") if ceiling[place] else None,
            guarantees=tuple(mode for mode, has in zip(("mortgage", "pledge", "guarantee"), given, strict=True) if has),
            intended=banks[: intended[place]],
            reserve=banks[intended[place] :],
            channel=CHANNELS[channel[place]],
            wants_renewal=uses[place] is UseOfLoan.RENEWAL and bool(chances[place, 2] < 0.7),
        )


def _uses(rng: np.random.Generator, city: City, firm: Ints) -> list[UseOfLoan]:
    """Working capital mostly; what the trade suggests; a few vague, a few unlawful."""
    borrowed = np.isin(firm, city.loans.firm)
    uses = []
    for place, (chance, other, bad) in enumerate(rng.random((len(firm), 3))):
        section = TRADES[city.firms.trade[firm[place]]].code[0]
        own = {"A": UseOfLoan.AGRICULTURE, "C": UseOfLoan.EQUIPMENT, "F": UseOfLoan.TRADE, "I": UseOfLoan.RESEARCH,
               "M": UseOfLoan.RESEARCH, "H": UseOfLoan.PREMISES}.get(section, UseOfLoan.EQUIPMENT)  # fmt: skip
        use = UseOfLoan.WORKING_CAPITAL if chance < 0.65 else own
        if borrowed[place] and other < 0.25:
            use = UseOfLoan.RENEWAL
        if chance > 1 - city.character.asking.vague_use:
            use = UseOfLoan.OTHER
        if bad < city.character.asking.unlawful_use:
            use = UNLAWFUL[place % len(UNLAWFUL)]
        uses.append(use)
    return uses


def _banks(rng: np.random.Generator, city: City, firm: int, some: int) -> tuple[int, ...]:
    """Banks the firm knows: the big and the near ones; some of them will not suit it."""
    weight = _liking(city, firm)
    some = min(some, int((weight > 0).sum()))
    return tuple(int(place) for place in rng.choice(len(BANKS), some, replace=False, p=weight / weight.sum()))


def _liking(city: City, firm: int) -> Floats:
    district, small = city.firms.district[firm], city.firms.kind[firm] == INDIVIDUAL
    return np.array(
        [
            bank.popularity * (0.0 if bank.districts and district not in bank.districts else 1.0)
            * (2.5 if bank.districts else 1.0) * (0.4 if small and bank.kind == "joint_stock" else 1.0)
            for bank in BANKS
        ]
    )  # fmt: skip
