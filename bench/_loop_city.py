"""The made-up city of the closed loop: firms that ask, banks with hidden appetites, and what each would say to each.

Everything chance decides is drawn here, before any strategy acts, from the seed and bench/closed_loop.toml: who asks on
which day, what an officer would decide on any day, how long he takes to look. So strategies meet the same city, and
differences between them are paired.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matching.appetite import amount_band

Array = np.ndarray[Any, Any]
PARAMETERS = Path(__file__).with_name("closed_loop.toml")
WAN_FEN = 1_000_000
DAYS_BEYOND = 90
"""Officers' moods and hours are drawn for so many days more, since queues end after the last push."""

CODE_OF = {"section": "industry", "size": "size", "amount": "amount", "guarantee": "guarantee", "district": "district",
           "health": "cash_flow", "mood": "no_quota"}  # fmt: skip
"""What weighs against a demand → the coded reason that says so."""

GRADES, GRADE_CUTS = "EDCBA", (-0.84, -0.25, 0.25, 0.84)
"""Fifths of a normal distribution, which the estimate has."""

OTHER_CODES = ("existing_debt", "credit_record", "papers", "purpose", "other", "risk")


@dataclass(frozen=True)
class City:
    """n demands, b banks, m products (two of each bank); days count from 0. Health, taste and mood stay hidden."""

    parameters: dict[str, Any]
    asked_on: Array  # [n]
    ends_on: Array  # [n] the day the firm gives up
    traits: dict[str, Array]  # [n] words, as matching.appetite.Traits names them
    amount_fen: Array  # [n]
    estimate: Array  # [n] what the platform thinks of the firm's health
    wanted: Array  # [n, b] intended banks
    kind: list[str]  # [b]
    product_bank: Array  # [m]
    rate: Array  # [m] yearly share
    amount_max_fen: Array  # [m]
    decision_days: Array  # [m]
    fits: Array  # [n, m] stated criteria
    hours: Array  # [day, b] of officers
    places: Array  # [b] stated, a day
    open_to: Array  # [n, b] hidden log-odds of a grant, without the mood
    mood: Array  # [day, b]
    luck: Array  # [n, b] logistic: a grant where log-odds + mood exceed it
    looks_after: Array  # [n, b] days
    speaks: Array  # [n, b] whether the bank ever answers
    reason: Array  # [n, b] the code of a refusal
    grade: Array  # [n] the same estimate in five grades, 'A' the best
    hidden_best: float
    """Share of the demands that at least one fitting bank would grant on the day after they are reported."""


def read_parameters() -> dict[str, Any]:
    return tomllib.loads(PARAMETERS.read_text(encoding="utf-8"))


def draw_city(seed: int, parameters: dict[str, Any]) -> City:
    random = np.random.default_rng([2026, seed])
    p, asks, banks = parameters, parameters["demands"], parameters["banks"]
    days = p["run"]["days"]
    asked_on = np.repeat(np.arange(days), random.poisson(asks["per_day"], days))
    n = len(asked_on)
    traits = {"section": pick(random, asks["sections"], n), "size": pick(random, asks["sizes"], n),
              "district": pick(random, asks["districts"], n),
              "guarantee": np.where(random.random(n) < asks["guarantee"], "yes", "no")}  # fmt: skip
    usual = np.array([asks["amount_median"][size] for size in traits["size"]])
    wan = np.maximum(np.round(usual * np.exp(asks["amount_spread"] * random.normal(size=n))), 1).astype(np.int64)
    health = random.normal(size=n)
    seen = asks["health_seen"]
    estimate = seen * health + np.sqrt(1 - seen**2) * random.normal(size=n)
    traits["light"] = np.where(estimate >= np.quantile(estimate, 1 - asks["green"]), "green", "yellow")
    traits["amount_band"] = np.array([amount_band(int(one) * WAN_FEN) for one in wan])
    stays = random.geometric(asks["gives_up_per_day"], n)
    kind = [word for word, count in banks["kinds"].items() for _ in range(count)]
    b = len(kind)
    offers = _draw_products(random, banks, kind, traits, wan, estimate)
    taste = _draw_taste(random, p, kind, traits, wan, health, offers["bank_most"])
    hours = _spread(random, banks, b)
    silent = random.random(b) < banks["silent_share"]
    mood = _draw_mood(random, p["drifter"], days + DAYS_BEYOND, taste["drifts"])
    luck = random.logistic(size=(n, b)) * taste["noise"]
    first = np.minimum(asked_on + 1, days - 1)
    would = taste["log_odds"] + mood[first] > luck
    names = _popular(random, asks["intended"], banks, kind, offers["fits"][:, ::2] | offers["fits"][:, 1::2])
    per_day = np.exp(0.3 * random.normal(size=(days + DAYS_BEYOND, b)))
    return City(
        parameters=p,
        asked_on=asked_on,
        ends_on=asked_on + np.minimum(stays, asks["lives"]),
        traits=traits,
        amount_fen=wan * WAN_FEN,
        estimate=estimate,
        grade=np.array(list(GRADES))[np.digitize(estimate, GRADE_CUTS)],
        wanted=names,
        kind=kind,
        product_bank=np.repeat(np.arange(b), banks["products"]),
        rate=offers["rate"],
        amount_max_fen=offers["most"] * WAN_FEN,
        decision_days=np.repeat(random.integers(5, 16, b), banks["products"]),
        fits=offers["fits"],
        hours=hours * per_day,
        places=np.maximum(np.round(banks["overstated"] * hours / banks["hours_to_grant"]), 1).astype(np.int64),
        open_to=taste["log_odds"],
        mood=mood,
        luck=luck,
        looks_after=random.integers(banks["takes_up_after"][0], banks["takes_up_after"][1] + 1, (n, b)),
        speaks=~silent | (random.random((n, b)) < banks["silent_answers"]),
        reason=_draw_reasons(random, banks["reason_is_true"], taste["against"]),
        hidden_best=float((would & (offers["fits"][:, ::2] | offers["fits"][:, 1::2])).any(axis=1).mean()),
    )


def pick(random: np.random.Generator, shares: dict[str, float], count: int) -> Array:
    weights = np.array(list(shares.values()))
    return random.choice(np.array(list(shares)), count, p=weights / weights.sum())


def _spread(random: np.random.Generator, banks: dict[str, Any], count: int) -> Array:
    return banks["hours_per_day"] * np.exp(banks["hours_spread"] * random.normal(size=count))


def _draw_products(
    random: np.random.Generator, banks: dict[str, Any], kind: list[str], traits: dict[str, Array], wan: Array,
    estimate: Array,
) -> dict[str, Array]:  # fmt: skip
    """Of each bank plain credit and, a little cheaper and for more, credit with a guarantee; and who fits what."""
    b = len(kind)
    rate = np.array([banks["rate"][one] for one in kind]) + banks["rate_spread"] * random.normal(size=b)
    most = np.round(np.array([banks["amount_max"][one] for one in kind]) * np.exp(0.3 * random.normal(size=b)))
    rates = np.stack([rate, rate - banks["guaranteed_is_cheaper"]], axis=1).ravel()
    mosts = np.stack([most / 2, most], axis=1).ravel().astype(np.int64)
    fits = wan[:, None] <= mosts
    fits[:, 1::2] &= (traits["guarantee"] == "yes")[:, None]
    places, sections = sorted(set(traits["district"])), sorted(set(traits["section"]))
    for bank, word in enumerate(kind):
        ours = slice(2 * bank, 2 * bank + 2)
        if word in banks["local_districts"]:
            served = random.choice(places, banks["local_districts"][word], replace=False)
            fits[:, ours] &= np.isin(traits["district"], served)[:, None]
        closed = [one for one in sections if random.random() < banks["stated_exclusions"]]
        fits[:, ours] &= ~np.isin(traits["section"], closed)[:, None]
        fits[:, ours] &= (estimate >= random.uniform(*banks["least_estimate"]))[:, None]
    return {"rate": np.round(np.maximum(rates, 0.028), 4), "most": mosts, "fits": fits, "bank_most": most}


def _draw_taste(
    random: np.random.Generator, p: dict[str, Any], kind: list[str], traits: dict[str, Array], wan: Array,
    health: Array, most: Array,
) -> dict[str, Any]:  # fmt: skip
    """Hidden log-odds of each demand at each bank, how noisy they are, and what speaks against whom."""
    n, b = len(wan), len(kind)
    family = random.permutation(pick(random, p["banks"]["families"], b))
    against = {name: np.zeros((n, b)) for name in CODE_OF}
    log_odds, noise = np.zeros((n, b)), np.ones(b)
    for bank in range(b):
        if family[bank] == "liner":
            lines = _lines(random, p["liner"], traits, wan, health, most[bank])
            for name, crossed in lines.items():
                against[name][:, bank] = 3.0 * crossed
            crossed = np.any(list(lines.values()), axis=0)
            log_odds[:, bank] = np.where(crossed, p["liner"]["beyond"], p["liner"]["within"])
            continue
        rule = p[str(family[bank])]
        noise[bank] = rule["noise"]
        parts = {"health": rule["health"] * health, "section": _liking(random, rule["section"], traits["section"])}
        if family[bank] == "weigher":
            parts["size"] = _liking(random, rule["size"], traits["size"])
            parts["district"] = _liking(random, rule["district"], traits["district"])
            parts["amount"] = -rule["amount"] * np.maximum(np.log(wan / (0.3 * most[bank])), 0)
            parts["guarantee"] = np.where(traits["guarantee"] == "yes", 0.0, -rule["guarantee"])
        for name, part in parts.items():
            against[name][:, bank] = -part
        log_odds[:, bank] = random.normal(*rule["base"]) + sum(parts.values())
        against["mood"][:, bank] = 0.6 * (family[bank] == "drifter")
    return {"log_odds": log_odds, "noise": noise, "against": against, "drifts": family == "drifter"}


def _liking(random: np.random.Generator, spread: float, words: Array) -> Array:
    kinds, place = np.unique(words, return_inverse=True)
    return (spread * random.normal(size=len(kinds)))[place]


def _lines(
    random: np.random.Generator, rule: dict[str, Any], traits: dict[str, Array], wan: Array, health: Array, most: float
) -> dict[str, Array]:
    """Which hidden line each demand crosses."""

    def avoided(name: str, share: float) -> Array:
        return np.isin(traits[name], [one for one in sorted(set(traits[name])) if random.random() < share])

    insists = random.random() < rule["needs_guarantee"]
    return {
        "section": avoided("section", rule["avoided_sections"]),
        "size": avoided("size", rule["avoided_sizes"]),
        "district": avoided("district", rule["avoided_districts"]),
        "amount": wan > random.uniform(*rule["amount_line"]) * most,
        "health": health < random.uniform(*rule["health_line"]),
        "guarantee": (traits["guarantee"] == "no") & insists,
    }


def _draw_mood(random: np.random.Generator, rule: dict[str, Any], days: int, drifts: Array) -> Array:
    memory, spread = rule["mood_memory"], rule["mood_spread"]
    mood = np.zeros((days, len(drifts)))
    mood[0] = spread * random.normal(size=len(drifts))
    for day in range(1, days):
        mood[day] = memory * mood[day - 1] + spread * np.sqrt(1 - memory**2) * random.normal(size=len(drifts))
    month_end = np.arange(days) % 21 >= 17
    return np.where(drifts, mood + rule["month_end"] * month_end[:, None], 0.0)


def _popular(
    random: np.random.Generator, shares: list[float], banks: dict[str, Any], kind: list[str], fits: Array
) -> Array:
    """The banks each firm names: popular ones first, and only such as would take it by their stated criteria."""
    drawn = np.log([banks["popularity"][one] for one in kind]) + random.gumbel(size=fits.shape)
    drawn = np.where(fits, drawn, -np.inf)
    place = np.argsort(np.argsort(-drawn, axis=1), axis=1)
    return (place < random.choice(len(shares), len(fits), p=shares)[:, None]) & fits


def _draw_reasons(random: np.random.Generator, truth: float, against: dict[str, Array]) -> Array:
    """The heaviest thing against each demand at each bank, or, now and then, some other code."""
    names = list(against)
    heaviest = np.argmax(np.stack([against[name] for name in names]), axis=0)
    said = np.array([CODE_OF[name] for name in names])[heaviest]
    other = random.choice(np.array(OTHER_CODES), heaviest.shape)
    return np.where(random.random(heaviest.shape) < truth, said, other)
