"""What a bank reports of credit, as forms, and what is wrong with a form before any row is looked at."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from service.domain.answering import LONGEST_TERM, MOST_FEN
from service.domain.errors import DomainError, NotPossible
from service.domain.product import LoanType

LONGEST_NUMBER = 64


@dataclass(frozen=True)
class GrantForm:
    """Credit granted on an accepted line. `is_first_loan` None: what the facts say. `corrects_id` replaces a grant."""

    line_id: int
    amount_fen: int
    rate: Decimal
    term_months: int
    loan_type: str
    granted_on: date
    is_first_loan: bool | None = None
    is_renewal: bool = False
    is_renewal_without_repayment: bool = False
    corrects_id: int | None = None


@dataclass(frozen=True)
class DrawForm:
    """Money paid out under a grant, under the bank's own loan number. `corrects_id` replaces a drawdown."""

    grant_id: int
    loan_number: str
    amount_fen: int
    rate: Decimal
    drawn_on: date
    matures_on: date
    corrects_id: int | None = None


@dataclass(frozen=True)
class Reported:
    """What became of one form: the row's key, or why it was not taken. `is_repeat`: the row stood there already."""

    key: int | None = None
    error: DomainError | None = None
    is_repeat: bool = False


def fault_of_grant(form: GrantForm, today: date) -> NotPossible | None:
    """The first thing wrong with a grant's form."""
    return _first(
        (0 < form.amount_fen <= MOST_FEN, "amount_fen", "授信金额须大于零且不超过一千亿元。"),
        (0 < form.rate < 1, "rate", "年利率须大于 0 且小于 100%。"),
        (1 <= form.term_months <= LONGEST_TERM, "term_months", "期限须为 1 至 360 个月。"),
        (form.loan_type in frozenset(LoanType), "loan_type", "请选择贷款方式。"),
        (form.granted_on <= today, "granted_on", "授信日期不能晚于今天。"),
        (form.is_renewal or not form.is_renewal_without_repayment, "is_renewal", "无还本续贷须同时标为续贷。"),
        (not (form.is_first_loan and form.is_renewal), "is_first_loan", "续贷不可能是首贷。"),
    )


def fault_of_draw(form: DrawForm, today: date) -> NotPossible | None:
    """The first thing wrong with a drawdown's form."""
    return _first(
        (0 < form.amount_fen <= MOST_FEN, "amount_fen", "放款金额须大于零且不超过一千亿元。"),
        (0 < form.rate < 1, "rate", "年利率须大于 0 且小于 100%。"),
        (0 < len(form.loan_number.strip()) <= LONGEST_NUMBER, "loan_number", "请填写借据号，最多 64 个字符。"),
        (form.drawn_on <= today, "drawn_on", "放款日期不能晚于今天。"),
        (form.drawn_on < form.matures_on, "matures_on", "到期日须晚于放款日。"),
    )


def _first(*checks: tuple[bool, str, str]) -> NotPossible | None:
    return next((NotPossible(said, field=field) for fine, field, said in checks if not fine), None)
