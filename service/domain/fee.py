"""The fees of a loan, item by item (贷款明白纸): what for, how much, who collects it, when it is paid."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from service.domain.errors import NotPossible

MOST_FEES = 8
LONGEST_NAME = 40
HIGHEST_RATE = Decimal("0.2")
"""A single fee above a fifth of the loan is a slip of the pen."""
YEAR = 12


class Payee(StrEnum):
    """Who collects a fee."""

    BANK = "bank"
    GUARANTOR = "guarantor"
    INSURER = "insurer"
    APPRAISER = "appraiser"
    NOTARY = "notary"
    STATE = "state"
    OTHER_PARTY = "other_party"


class FeeDue(StrEnum):
    """When a fee is paid: once as the money comes, at the start of each year, each month, or once at the end."""

    START = "start"
    YEARLY = "yearly"
    MONTHLY = "monthly"
    END = "end"


@dataclass(frozen=True)
class Fee:
    """One fee: an amount, or a share of the loan's amount, each time it is due."""

    name: str
    payee: str
    due: str
    amount_fen: int | None = None
    rate: Decimal | None = None

    def each_fen(self, loan_fen: int) -> int:
        """What is paid each time, to the nearest fen."""
        if self.amount_fen is not None:
            return self.amount_fen
        return int((loan_fen * (self.rate or Decimal(0))).quantize(Decimal(1), ROUND_HALF_UP))

    def months(self, term_months: int) -> Sequence[int]:
        """The ends of months at which it is paid; 0 is the day the money comes."""
        return {
            FeeDue.START: (0,),
            FeeDue.YEARLY: range(0, term_months, YEAR),
            FeeDue.MONTHLY: range(1, term_months + 1),
            FeeDue.END: (term_months,),
        }[FeeDue(self.due)]

    def told(self, loan_fen: int, term_months: int) -> dict[str, Any]:
        """The fee as it is kept beside the offer, with what it comes to."""
        each, times = self.each_fen(loan_fen), len(self.months(term_months))
        said = {"name": self.name, "payee": str(self.payee), "due": str(self.due)}
        return said | {
            "amount_fen": self.amount_fen,
            "rate": None if self.rate is None else str(self.rate),
            "each_fen": each,
            "total_fen": each * times,
        }


def paid_by_month(fees: Iterable[Fee], loan_fen: int, term_months: int) -> Mapping[int, int]:
    """Month (0: the day the money comes) → the fees paid then, in fen."""
    paid: Counter[int] = Counter()
    for fee in fees:
        for month in fee.months(term_months):
            paid[month] += fee.each_fen(loan_fen)
    return paid


def fault_of_fees(fees: Sequence[Fee]) -> NotPossible | None:
    """What is wrong with the items, in one sentence."""
    named, collected = [fee.name.strip() for fee in fees], [(fee.name.strip(), fee.due) for fee in fees]
    checks = (
        (len(fees) <= MOST_FEES, NotPossible("费用明细最多 {most} 项。", field="fees", most=MOST_FEES)),
        (
            all(0 < len(name) <= LONGEST_NAME for name in named),
            NotPossible("每项费用的名称为 1 至 {most} 个字。", field="fees", most=LONGEST_NAME),
        ),
        (all(fee.payee in frozenset(Payee) for fee in fees), NotPossible("请选择每项费用由谁收取。", field="fees")),
        (all(fee.due in frozenset(FeeDue) for fee in fees), NotPossible("请选择每项费用什么时候付。", field="fees")),
        (
            all((fee.amount_fen is None) != (fee.rate is None) for fee in fees),
            NotPossible("每项费用填金额或费率，只填一种。", field="fees"),
        ),
        (
            all(fee.amount_fen is None or fee.amount_fen > 0 for fee in fees),
            NotPossible("每项费用须大于零；没有费用不用填。", field="fees"),
        ),
        (
            all(fee.rate is None or 0 < fee.rate <= HIGHEST_RATE for fee in fees),
            NotPossible("每项费率须大于 0 且不超过 20%。", field="fees"),
        ),
        (len(set(collected)) == len(fees), NotPossible("同一项费用只能列一次。", field="fees")),
    )
    return next((fault for is_fine, fault in checks if not is_fine), None)
