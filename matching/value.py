"""What a line is worth: the chance of a grant times what the firm would get out of it (rate, speed, amount covered).

value = P(grant) × (w_rate·rate + w_speed·speed + w_cover·cover), each part between 0 and 1, weights from the policy:
rate = 1 - yearly rate ÷ 15 %; speed = 1 - promised working days ÷ 30; cover = the product's most ÷ the amount asked.
The two scales are this project's choice: 15 % tops the rates of the real data used here, 30 is the mechanism's limit.
"""

from dataclasses import dataclass

import numpy as np

from matching.policy import PolicyDay
from matching.terms import Floats, Ints

WORST_RATE = 0.15
SLOWEST_DAYS = 30

LEAST_LIKED = 0.01
"""So that no fitting pair is worthless."""


@dataclass(frozen=True)
class Weights:
    """How much rate, speed and cover count; from the policy's numbers weight_rate, weight_speed, weight_cover."""

    rate: float
    speed: float
    cover: float


def weights_of(day: PolicyDay) -> Weights:
    """The weights in force on a day."""
    return Weights(*(float(day.number(f"weight_{part}")) for part in ("rate", "speed", "cover")))


def preference(rate: Floats, decision_days: Ints, amount_max_fen: Ints, asked_fen: Ints, weights: Weights) -> Floats:
    """What the firm gets out of each pair, 0…1: arrays of equal length; rates as shares, money in fen."""
    rate_part = np.clip(1 - np.asarray(rate, np.float64) / WORST_RATE, 0, 1)
    speed_part = np.clip(1 - np.asarray(decision_days, np.float64) / SLOWEST_DAYS, 0, 1)
    cover_part = np.minimum(1, np.asarray(amount_max_fen, np.float64) / np.maximum(np.asarray(asked_fen), 1))
    whole: Floats = weights.rate * rate_part + weights.speed * speed_part + weights.cover * cover_part
    return whole


def worth(p_grant: Floats, liked: Floats) -> Floats:
    """The value of each pair; never quite zero where a grant is possible."""
    value: Floats = np.asarray(p_grant, np.float64) * np.maximum(liked, LEAST_LIKED)
    return value
