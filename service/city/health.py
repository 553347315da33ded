"""The hidden health of each firm, month by month: nobody sees it, everything follows from it."""

import numpy as np

from service.city.character import TRADES, Character
from service.city.firms import Firms, Floats, Timeline

YOUNG_DAYS = 3 * 365


def draw_health(rng: np.random.Generator, firms: Firms, when: Timeline, character: Character) -> Floats:
    """firms × months. The formula and its numbers: `character.Health`."""
    health, months = character.health, len(when.months)
    trades = _wandering(rng, (len(TRADES), months), health.trade_memory, health.trade_shock)
    city = _wandering(rng, (1, months), health.city_memory, health.city_shock)
    own = _wandering(rng, (len(firms), months), health.own_memory, health.own_shock)
    strain = np.array([trade.strain for trade in TRADES])[firms.trade]
    young = (np.datetime64(when.start) - firms.established).astype(int) < YOUNG_DAYS
    standing = rng.normal(0, health.standing, len(firms)) - strain - health.youth * young
    total: Floats = standing[:, None] + own + trades[firms.trade] + city
    return total


def _wandering(rng: np.random.Generator, shape: tuple[int, int], memory: float, shock: float) -> Floats:
    """AR(1) along the second axis."""
    series = np.empty(shape)
    state = rng.normal(0, shock / np.sqrt(1 - memory**2), shape[0])
    for month in range(shape[1]):
        state = memory * state + rng.normal(0, shock, shape[0])
        series[:, month] = state
    return series


def logistic(value: Floats) -> Floats:
    """1 ÷ (1 + e^−value)."""
    odds: Floats = 1 / (1 + np.exp(-value))
    return odds
