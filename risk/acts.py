"""What a firm would do to move a feature, in words, and how long it takes until the records show it."""

# ruff: noqa: E501 (a table of words, read line by line; a Chinese character counts as two)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from risk.explain import shown
from risk.terms import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from risk.terms import Input

AT_ONCE, A_SEASON, A_YEAR = 1, 3, 12
"""Months: the next delivery of the source; the time a repair or removal takes; a full window or a yearly rating."""


@dataclass(frozen=True, slots=True)
class Act:
    """What to do about one feature."""

    words: Words
    months: int


ACTS: Mapping[str, Act] = {
    "tax_late": Act(Words("今后按期缴税，旧的逾期满12个月不再计入", "Pay tax on time from now on; late payments leave the count after 12 months"), A_YEAR),
    "tax_days_late": Act(Words("今后缴税不拖延，旧的逾期满12个月不再计入", "Pay tax without delay from now on; past delays leave the count after 12 months"), A_YEAR),
    "tax_arrears_months": Act(Words("结清欠税", "Settle the tax owed"), AT_ONCE),
    "tax_grade": Act(Words("争取在下一次年度评价中提高纳税信用等级", "Aim for a better tax credit grade at the next yearly rating"), A_YEAR),
    "insurance_months": Act(Words("今后按月缴纳社保", "Pay social insurance every month from now on"), A_YEAR),
    "insurance_arrears": Act(Words("补缴欠缴的社保", "Pay the social insurance owed"), AT_ONCE),
    "fund_arrears": Act(Words("补缴欠缴的公积金", "Pay the housing fund contributions owed"), AT_ONCE),
    "utility_late": Act(Words("今后按期缴纳水电气费，旧的逾期满12个月不再计入", "Pay utility bills on time from now on; late bills leave the count after 12 months"), A_YEAR),
    "property_seized": Act(Words("办结案件，解除不动产查封", "Close the case so that the seizure of real estate is lifted"), A_SEASON),
    "court_cases": Act(Words("履行义务，办结司法案件", "Meet the obligations so that court cases are closed"), A_SEASON),
    "enforcement_open": Act(Words("履行被执行的款项", "Pay what is under enforcement"), A_SEASON),
    "penalties_graver": Act(Words("履行处罚决定，并申请信用修复", "Comply with the penalties and apply for credit repair"), A_YEAR),
    "dishonesty_listings": Act(Words("履行义务，并申请移出严重失信主体名单", "Meet the obligations and apply to be taken off the serious-dishonesty list"), A_YEAR),
    "abnormal_listings": Act(Words("改正后申请移出经营异常名录", "Put matters right and apply to be taken off the abnormal-operation register"), A_SEASON),
    "environment_rating": Act(Words("整改后争取提高环保信用等级", "Put matters right and aim for a better environmental rating"), A_YEAR),
    "loans_late_now": Act(Words("还清逾期的贷款", "Pay the overdue loans"), AT_ONCE),
    "amount_to_revenue": Act(Words("减少申请金额，按其占年营收的比例计", "Ask for less, as a share of yearly revenue"), AT_ONCE),
}  # fmt: skip
"""By the names of risk.features; another actionable feature is told plainly, as lowered or raised within a year."""


def act_of(one: Input) -> Act:
    """What to do about an input."""
    plain = (
        Words(f"降低{one.zh}", f"Lower: {one.en}") if one.direction > 0 else Words(f"提高{one.zh}", f"Raise: {one.en}")
    )
    return ACTS.get(one.name, Act(plain, A_YEAR))


def told(one: Input, before: float, after: float) -> tuple[str, str]:
    """The sentence of one change in Chinese and English: what to do, from which value to which."""
    words = act_of(one).words
    if one.unit == "grade":
        return f"{words.zh}（提高一级）", f"{words.en} (one step up)"
    (zh, en), (then_zh, then_en) = shown(before, one.unit), shown(after, one.unit)
    return f"{words.zh}（{zh}→{then_zh}）", f"{words.en} ({en} → {then_en})"
