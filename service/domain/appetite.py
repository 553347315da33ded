"""Banks' past answers in the words of `matching.outlook`: traits of a demand, offers, reasons, what came of offers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np

from matching.appetite import Answer, Ended, Traits, amount_band
from matching.calibration import Around, before_of
from matching.outlook import Heard, Learner, Outlook
from risk.scale import grade
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


WEEK = 7
"""Answers of so many days are scored by what was known before the first of them, then learned at once."""

NOT_KEPT = frozenset({LineState.SILENT, LineState.PASSED_OVER, LineState.WITHDRAWN})
KEPT = frozenset({LineState.ACCEPTED, LineState.GRANTED, LineState.DRAWN})
"""What an offer's line ends in: the credit was granted, or it was not. An offer that is still open says nothing; one
the firm accepted counts as kept until it falls through, since its rivals count as not kept from that day on."""


def answers_of(lines: Iterable[Any]) -> Iterator[Answer]:
    """Answered lines: whether the bank made an offer, whatever the firm made of it; silence is none."""
    for line in lines:
        yield Answer(line.bank_id, line.bank_kind, _traits(line), _offered(line), _reasons(line))


def outlook_of(lines: Sequence[Any], unanswered: Iterable[Any], today: date) -> Outlook:
    """What answered lines say of the next on a morning; each week's answers are scored before they are learned.

    `unanswered`: lines that ended before their bank had spoken.
    """
    learner, around = Learner(), _around_then(lines)
    by_day = sorted(zip(lines, answers_of(lines), around, strict=True), key=lambda one: (_week(one[0]), one[0].id))
    for week, answered in groupby(by_day, key=lambda one: _week(one[0])):
        learner.hear(week * WEEK, [Heard(answer, there) for _, answer, there in answered])
    offered = (line for line in lines if _offered(line) and line.state in KEPT | NOT_KEPT)
    learner.follow(Ended(line.bank_id, line.bank_kind, line.state in KEPT) for line in offered)
    learner.follow(Ended(line.bank_id, line.bank_kind, granted=False, offer=line.p_offer) for line in unanswered)
    return learner.outlook(today.toordinal())


def around_of(demands: Sequence[Any], declined: Mapping[int, Sequence[Any]]) -> list[Around]:
    """What stands around open demands: the grade of each estimate, and what the lines that were declined say."""
    grades = _grades([demand.probability for demand in demands])
    said = [before_of(_reasons(line) for line in declined.get(demand.id, ())) for demand in demands]
    return [Around(grade, before) for grade, before in zip(grades, said, strict=True)]


def _around_then(lines: Sequence[Any]) -> list[Around]:
    """The same for answered lines, by what was declined before each was pushed."""
    declined: dict[int, list[Any]] = defaultdict(list)
    for line in lines:
        if not _offered(line):
            declined[line.demand_id].append(line)
    earlier = ([_reasons(one) for one in declined[line.demand_id] if one.id != line.id
                and one.answered_on <= line.pushed_on] for line in lines)  # fmt: skip
    grades = _grades([line.probability for line in lines])
    return [Around(grade, before_of(before)) for grade, before in zip(grades, earlier, strict=True)]


def _grades(probability: Sequence[float | None]) -> list[str]:
    """Grades of the master scale; '' without an estimate."""
    known = np.array([np.nan if one is None else one for one in probability], np.float64)
    words: list[str] = np.where(np.isnan(known), "", grade(np.nan_to_num(known))).tolist()
    return words


def _week(line: Any) -> int:
    ordinal: int = line.answered_on.toordinal()
    return ordinal // WEEK


def _offered(line: Any) -> bool:
    """The bank said yes; one that took its offer back said no."""
    return bool(line.had_offer) and line.state != LineState.REFUSED


def _reasons(line: Any) -> tuple[str, ...]:
    return tuple(sorted({REASON_WORDS[RefusalReason(reason)] for reason in line.reasons or ()}))


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
