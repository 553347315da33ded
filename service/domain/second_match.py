"""Second matching: which products a coded refusal closes, beside those of the bank that refused."""

from collections.abc import Callable, Iterable

from matching.facts import TAX_GRADES
from matching.terms import Product
from service.domain.push_list import RefusalReason

R = RefusalReason
Closes = Callable[[Product, Product], bool]


def _at_least(name: str) -> Closes:
    """The other product asks for at least as much; where the refusing one names no line, any line counts."""

    def closes(refused: Product, other: Product) -> bool:
        theirs, ours = getattr(other, name), getattr(refused, name)
        return theirs is not None and (ours is None or theirs >= ours)

    return closes


def _at_most(name: str) -> Closes:
    """The other product tolerates no more."""

    def closes(refused: Product, other: Product) -> bool:
        theirs, ours = getattr(other, name), getattr(refused, name)
        return theirs is not None and (ours is None or theirs <= ours)

    return closes


def _grade(refused: Product, other: Product) -> bool:
    if other.min_tax_grade is None:
        return False
    ours = refused.min_tax_grade
    return ours is None or TAX_GRADES.index(other.min_tax_grade) <= TAX_GRADES.index(ours)


CLOSES: dict[RefusalReason, tuple[Closes, ...]] = {
    R.TRADING_TOO_SHORT: (_at_least("min_months_in_business"),),
    R.CASH_FLOW: (_at_least("min_yearly_sales_fen"),),
    R.DEBT_TOO_HIGH: (_at_most("max_probability"),),
    R.CREDIT_RECORD: (_at_most("max_overdue_days"), _at_most("max_probability")),
    R.TAX_RECORD: (_grade, _at_most("max_tax_arrears_months"), _at_least("min_tax_paid_fen")),
    R.COURT_RECORD: (_at_most("max_enforcement_open_fen"),),
    R.SECURITY_LACKING: (lambda refused, other: other.guarantees <= refused.guarantees,),
    R.AMOUNT_TOO_HIGH: (_at_most("amount_max_fen"),),
    R.TERM_TOO_LONG: (_at_most("term_max_months"),),
    R.USE_UNCLEAR: (lambda _refused, other: bool(other.uses),),
}
"""Reason → when another product would say the same. A bank's own reasons (no funds …) close nothing else."""


def is_closed(reasons: Iterable[str], refused: Product, other: Product) -> bool:
    """Whether one of these reasons, given under `refused`, closes `other` too."""
    return any(closes(refused, other) for reason in reasons for closes in CLOSES.get(RefusalReason(reason), ()))
