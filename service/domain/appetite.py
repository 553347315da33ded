"""Banks' past answers in the words of `matching.appetite`: traits of a demand, grants, and reasons of refusal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from matching.appetite import Answer, Traits, amount_band
from service.domain.push_list import LineState, RefusalReason

R = RefusalReason
REASON_WORDS: dict[RefusalReason, str] = {
    R.TRADING_TOO_SHORT: "risk",
    R.CASH_FLOW: "cash_flow",
    R.DEBT_TOO_HIGH: "existing_debt",
    R.CREDIT_RECORD: "credit_record",
    R.TAX_RECORD: "credit_record",
    R.COURT_RECORD: "credit_record",
    R.SECURITY_LACKING: "guarantee",
    R.INDUSTRY: "industry",
    R.REGION: "district",
    R.AMOUNT_TOO_HIGH: "amount",
    R.TERM_TOO_LONG: "other",
    R.USE_UNCLEAR: "purpose",
    R.PAPERS_LACKING: "papers",
    R.NOT_REACHED: "unreachable",
    R.FIRM_NOT_INTERESTED: "firm_withdrew",
    R.NO_FUNDS: "no_quota",
    R.OTHER: "other",
}


def answers_of(lines: Iterable[Any]) -> Iterator[Answer]:
    """Answered lines: an offer counts as a grant, silence as none."""
    for line in lines:
        granted = line.state not in (LineState.REFUSED, LineState.SILENT)
        reasons = sorted({REASON_WORDS[R(reason)] for reason in line.reasons or ()})
        yield Answer(line.bank_id, line.bank_kind, _traits(line), granted, tuple(reasons))


def traits_of(demands: Sequence[Any]) -> dict[str, list[str]]:
    """The same traits of open demands, a column for each."""
    rows = [_traits(demand) for demand in demands]
    return {name: [getattr(row, name) for row in rows] for name in Traits.__dataclass_fields__}


def _traits(row: Any) -> Traits:
    return Traits(
        section=row.industry[:1],
        size=row.size_class,
        light=row.verdict_light,
        amount_band=amount_band(row.amount_fen),
        guarantee="yes" if row.guarantees else "no",
        district=row.district,
    )
