"""What a loan really costs: interest and every fee, as one yearly rate that a firm can compare between banks.

The rate is twelve times the monthly internal rate of return i that solves, over the firm's cash flows,

    amount − fees(0) = Σ (payment(m) + fees(m)) ÷ (1 + i)^m,   m = 1 … term

(the simple annualisation, 单利 IRR × 12, of the People's Bank's announcement 〔2021〕第3号: without fees and with
monthly payments it is the contract's own rate). Payments follow the way of repayment: interest each month and the
principal at the end; equal instalments; or everything at maturity. Each fee stands in the month it is paid, once.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from service.domain.push_list import Repayment

STEP = Decimal("0.0000001")
HALVINGS = 60
"""As many as a double can tell apart."""


def payments(rate: float, term_months: int, repayment: Repayment) -> list[float]:
    """What the firm pays at the end of each month, as shares of the loan."""
    monthly = rate / 12
    if repayment is Repayment.EQUAL_INSTALMENTS:
        return [monthly / (1 - (1 + monthly) ** -term_months)] * term_months
    if repayment is Repayment.MONTHLY_INTEREST:
        return [monthly] * (term_months - 1) + [1 + monthly]
    return [0.0] * (term_months - 1) + [1 + monthly * term_months]


def all_in_rate(
    amount_fen: int, rate: Decimal, fees_fen: Mapping[int, int], term_months: int, repayment: Repayment
) -> Decimal:
    """The yearly all-in rate as a share with seven places; ValueError where the fees eat the loan.

    `fees_fen`: month (0: the day the money comes) → the fees paid then.
    """
    if sum(fees_fen.values()) >= amount_fen:
        raise ValueError("fees as high as the loan")
    share = {month: float(Decimal(fee) / Decimal(amount_fen)) for month, fee in fees_fen.items()}
    paid = enumerate(payments(float(rate), term_months, repayment), 1)
    flows = [payment + share.get(month, 0.0) for month, payment in paid]
    received = 1 - share.get(0, 0.0)
    low, high = 0.0, 1.0
    while _worth(flows, high) > received:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _worth(flows, middle) > received else (low, middle)
    return Decimal(12 * (low + high) / 2).quantize(STEP, ROUND_HALF_EVEN)


def cost_fen(amount_fen: int, rate: Decimal, fees_fen: int, term_months: int, repayment: Repayment) -> int:
    """Interest and fees over the whole term, paid on time, to the nearest fen."""
    return round(amount_fen * (sum(payments(float(rate), term_months, repayment)) - 1)) + fees_fen


def _worth(flows: list[float], monthly: float) -> float:
    """Today's worth of the payments at a monthly rate."""
    return sum(flow / (1 + monthly) ** month for month, flow in enumerate(flows, 1))
