"""What a bank may say of a line, as a form, and what is wrong with a form before any line is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from service.domain.cost import all_in_rate
from service.domain.errors import DomainError, NotPossible
from service.domain.fee import Fee, fault_of_fees, paid_by_month
from service.domain.product import LoanType
from service.domain.push_list import AnswerKind, LineState, RefusalReason, Repayment

MOST_FEN = 10**13
MOST_REASONS = 4
MOST_PAPERS = 20
LONGEST_TEXT = 500
LONGEST_PAPER = 80
LONGEST_TERM = 360

STATE_AFTER: dict[AnswerKind, LineState | None] = {
    AnswerKind.RECEIVED: LineState.RECEIVED,
    AnswerKind.CONTACTED: LineState.CONTACTED,
    AnswerKind.NEEDS_PAPERS: LineState.NEEDS_PAPERS,
    AnswerKind.EXTENSION: None,
    AnswerKind.OFFERED: LineState.OFFERED,
    AnswerKind.REFUSED: LineState.REFUSED,
}
"""The state a line has after an answer; an extension leaves it."""


@dataclass(frozen=True)
class OfferForm:
    """A bank's offer. Without `valid_until_on` the policy's own validity holds.

    Its fees stand item by item in `fees`, or (older offers, Excel) as one sum `fees_fen` paid at the start: never both.
    """

    amount_fen: int
    rate: Decimal
    term_months: int
    loan_type: str
    fees_fen: int = 0
    repayment: str = Repayment.MONTHLY_INTEREST
    valid_until_on: date | None = None
    fees: tuple[Fee, ...] = ()

    @property
    def fees_by_month(self) -> Mapping[int, int]:
        """Month (0: the day the money comes) → the fees paid then, in fen."""
        return paid_by_month(self.fees, self.amount_fen, self.term_months) if self.fees else {0: self.fees_fen}

    @property
    def total_fees_fen(self) -> int:
        """Every fee over the whole term, each time it is due."""
        return sum(self.fees_by_month.values())

    @property
    def all_in_rate(self) -> Decimal:
        """Interest and fees as one yearly rate."""
        return all_in_rate(self.amount_fen, self.rate, self.fees_by_month, self.term_months, Repayment(self.repayment))


@dataclass(frozen=True)
class AnswerForm:
    """One answer to one line. `corrects_id` names the bank's last answer to this line, which this one replaces."""

    line_id: int
    kind: str
    reasons: tuple[str, ...] = ()
    text: str = ""
    papers: tuple[str, ...] = ()
    offer: OfferForm | None = None
    corrects_id: int | None = None
    channel: str = "page"
    said_at: datetime | None = None
    """When it was said, where that was before it is given."""


@dataclass(frozen=True)
class Answered:
    """What became of one form: the answer's key, or why it was not taken. A repeated answer has the first one's key."""

    line_id: int
    answer_id: int | None = None
    error: DomainError | None = None


def fault_of(form: AnswerForm, today: date) -> NotPossible | None:
    """What is wrong with the form itself, in one sentence, with the field it belongs to."""
    if form.kind not in frozenset(AnswerKind):
        return NotPossible("不认识的反馈类型“{kind}”。", field="kind", kind=form.kind[:40])
    if len(form.text) > LONGEST_TEXT:
        return NotPossible("文字最多 {most} 个字。", field="text", most=LONGEST_TEXT)
    return {
        AnswerKind.REFUSED: _fault_of_refusal,
        AnswerKind.NEEDS_PAPERS: _fault_of_papers,
        AnswerKind.EXTENSION: _fault_of_extension,
        AnswerKind.OFFERED: _fault_of_offered,
    }.get(AnswerKind(form.kind), lambda _form, _today: None)(form, today)


def _fault_of_refusal(form: AnswerForm, _today: date) -> NotPossible | None:
    known = frozenset(RefusalReason)
    if not 1 <= len(form.reasons) <= MOST_REASONS or len(set(form.reasons)) != len(form.reasons):
        return NotPossible("请选择 1 至 {most} 个不同的拒绝原因。", field="reasons", most=MOST_REASONS)
    if not known.issuperset(form.reasons):
        return NotPossible("有不认识的拒绝原因。", field="reasons")
    if RefusalReason.OTHER in form.reasons and not form.text.strip():
        return NotPossible("选择“其他”时请说明原因。", field="text")
    return None


def _fault_of_papers(form: AnswerForm, _today: date) -> NotPossible | None:
    if not 1 <= len(form.papers) <= MOST_PAPERS:
        return NotPossible("请列出 1 至 {most} 份需要补充的材料。", field="papers", most=MOST_PAPERS)
    if any(not paper.strip() or len(paper) > LONGEST_PAPER for paper in form.papers):
        return NotPossible("每份材料的名称为 1 至 {most} 个字。", field="papers", most=LONGEST_PAPER)
    return None


def _fault_of_extension(form: AnswerForm, _today: date) -> NotPossible | None:
    return None if form.text.strip() else NotPossible("延期须说明理由。", field="text")


def _fault_of_offered(form: AnswerForm, today: date) -> NotPossible | None:
    offer = form.offer
    if offer is None:
        return NotPossible("请填写报价。", field="offer")
    checks = (
        (0 < offer.amount_fen <= MOST_FEN, "amount_fen", "报价金额须大于零且不超过一千亿元。"),
        (0 < offer.rate < 1, "rate", "年利率须大于 0 且小于 100%。"),
        (offer.fees_fen >= 0, "fees_fen", "费用不能为负，也不能达到贷款金额。"),
        (1 <= offer.term_months <= LONGEST_TERM, "term_months", "期限须为 1 至 360 个月。"),
        (offer.loan_type in frozenset(LoanType), "loan_type", "请选择贷款方式。"),
        (offer.repayment in frozenset(Repayment), "repayment", "请选择还款方式。"),
        (offer.valid_until_on is None or offer.valid_until_on >= today, "valid_until_on", "报价有效期不能早于今天。"),
    )
    found = next((NotPossible(said, field=field) for fine, field, said in checks if not fine), None)
    return found or _fault_of_its_fees(offer)


def _fault_of_its_fees(offer: OfferForm) -> NotPossible | None:
    """Looked at once amount and term are in order: what a fee comes to depends on both."""
    if offer.fees and offer.fees_fen:
        return NotPossible("费用明细和费用合计只填一种。", field="fees")
    fault = fault_of_fees(offer.fees)
    if fault is None and offer.total_fees_fen >= offer.amount_fen:
        return NotPossible("费用不能为负，也不能达到贷款金额。", field="fees" if offer.fees else "fees_fen")
    return fault
