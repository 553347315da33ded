"""What a line would be worth to a demand, and how likely it ends in an offer, as far as past answers tell."""

from matching.policy import PolicyDay
from matching.terms import Product

PRIOR_YES, PRIOR_ALL = 2, 5
"""Before a product has answered anything it is taken to say yes two times in five."""
DEAREST = 0.24
SLOWEST_DAYS = 30


def chance_of(in_favour: int, answers: int) -> float:
    """The share of answers in favour, drawn towards the prior while there are few."""
    return (in_favour + PRIOR_YES) / (answers + PRIOR_ALL)


def worth_of(product: Product, policy: PolicyDay) -> float:
    """Cheaper and quicker is worth more, by the policy's weights; a product that fits covers the amount in full."""
    cheap = 1 - min(float(product.rate_min), DEAREST) / DEAREST
    quick = 1 - min(product.decision_days, SLOWEST_DAYS) / SLOWEST_DAYS
    weights = [float(policy.number(name)) for name in ("weight_rate", "weight_speed", "weight_cover")]
    return weights[0] * cheap + weights[1] * quick + weights[2]
