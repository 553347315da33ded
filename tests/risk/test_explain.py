"""Reasons: the contributions really used, grouped, and never a sentence that is not true of the firm."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.explain import LEAST, reasons, sentence, shown
from risk.features import FEATURES, INVOICE_FEATURES
from risk.terms import Input

INPUTS = [Input.of(feature) for feature in [*FEATURES, *INVOICE_FEATURES]]


def test_reasons_are_the_groups_of_the_contributions_really_used(model, sample):
    frame = sample[0].head(300)
    found, _ = model.contributions(frame)
    groups = [one.group for one in model.inputs]
    for row, told in enumerate(model.estimate(frame, explain=True).reasons):
        sums = {group: found[row, [one == group for one in groups]].sum() for group in set(groups)}
        assert {reason.group: pytest.approx(reason.contribution) for reason in told} == {
            group: total for group, total in sums.items() if abs(total) >= LEAST
        }
        assert all((reason.contribution > 0) == (reason.kind == "adverse") for reason in told)


def test_leaving_a_feature_at_its_value_but_moving_it_moves_its_reason(model, sample):
    calm = sample[0].head(1).assign(tax_late=0.0)
    rough = calm.assign(tax_late=6.0)
    told = {reason.group: reason for reason in model.explain(rough)}
    assert told["tax_discipline"].kind == "adverse"
    assert "6次" in told["tax_discipline"].zh
    assert "6 times" in told["tax_discipline"].en
    favourable = {reason.group: reason for reason in model.explain(calm)}
    assert favourable["tax_discipline"].zh == "近12个月均按期缴税"


def test_a_reason_names_its_source_and_date(model, sample):
    frame = sample[0].head(1).assign(tax_late=6.0, **{"known_on.tax_payment": pd.Timestamp("2026-05-12")})
    reason = next(one for one in model.explain(frame) if one.group == "tax_discipline")
    assert (reason.item, reason.known_on, reason.value, reason.actionable) == (
        "tax_payment",
        date(2026, 5, 12),
        6.0,
        True,
    )


def test_at_most_four_adverse_and_three_favourable_and_a_group_counts_once():
    moved = np.where(np.arange(len(INPUTS)) % 2, 0.5, -0.4) * np.linspace(1, 2, len(INPUTS))
    told = reasons(moved, np.ones(len(INPUTS)), INPUTS, {})
    kinds = [reason.kind for reason in told]
    assert kinds == ["adverse"] * 4 + ["favourable"] * 3
    assert len({reason.group for reason in told}) == 7
    assert [abs(one.contribution) for one in told[:4]] == sorted(
        (abs(one.contribution) for one in told[:4]), reverse=True
    )


def test_a_group_is_told_by_its_strongest_feature_of_the_same_sign():
    pair = [one for one in INPUTS if one.name in ("tax_late", "tax_days_late")]
    (told,) = reasons(np.array([0.9, -0.2]), np.array([3.0, 0.0]), pair, {})
    assert (told.feature, told.contribution) == ("tax_late", pytest.approx(0.7))


def test_unknown_is_said_to_be_unknown():
    one = next(one for one in INPUTS if one.name == "tax_grade")
    assert sentence(one, float("nan"), adverse=True)[0] == "没有纳税信用等级的数据，提高了评估的风险"


@pytest.mark.parametrize("one", INPUTS, ids=lambda one: one.name)
@given(value=st.sampled_from([0.0, 1.0, 2.0, 0.3, -0.4, 12345.6, 3e9]))
def test_no_sentence_keeps_a_gap_or_claims_none_of_something_there_is(one, value):
    for adverse in (True, False):
        zh, en = sentence(one, value, adverse=adverse)
        assert "{" not in zh + en
        if one.direction > 0 and value > 0 and not adverse and "{value}" not in one.favourable_zh:
            assert "降低了评估的风险" in zh
        if one.direction > 0 and value == 0 and adverse:
            assert "提高了评估的风险" in zh


@pytest.mark.parametrize(("value", "unit", "zh", "en"), [
    (123456.0, "yuan", "12.3万元", "123,456 yuan"), (3.2e8, "yuan", "3.20亿元", "320,000,000 yuan"),
    (-0.125, "change", "下降12.5%", "down 12.5%"), (0.5, "share", "50.0%", "50.0%"),
    (1.0, "months", "1个月", "1 month"), (2.0, "times", "2次", "2 times"), (7.0, "persons", "7人", "7 people"),
    (3.0, "parties", "3家", "3"), (1.0, "flag", "是", "yes"),
])  # fmt: skip
def test_values_are_said_with_their_units(value, unit, zh, en):
    assert shown(value, unit) == (zh, en)
