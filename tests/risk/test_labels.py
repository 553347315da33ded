"""Labels: 89 and 90 days, twelve months and a day, the immature and the silent."""

from datetime import date, timedelta

import pytest

from risk.labels import RULES, Rule, label
from risk.records import RecordsError
from tests.risk.worlds import FANG, FENG, row, table

DRAWN, AS_OF = date(2024, 3, 10), date(2026, 1, 1)


def loan(number="L1", drawn=DRAWN, **more):
    return row("loan", number, drawn, amount_fen=5_000_000_00, party="B7", status="normal",
               ends_on=drawn + timedelta(days=365), **more)  # fmt: skip


def month(on, days, number="L1", **more):
    return row("loan_performance", f"{number}|{on}", on, party=number, quantity=float(days), **more)


def one_label(*rows, as_of=AS_OF, rules=RULES):
    frame = label(table([loan(), *rows]), as_of, rules).frame
    return frame["label"].tolist()


@pytest.mark.parametrize(("days", "told"), [(89, 0), (90, 1), (91, 1)])
def test_ninety_days_are_a_default_and_eighty_nine_are_none(days, told):
    assert one_label(month(date(2024, 11, 30), days)) == [told]


@pytest.mark.parametrize(("on", "told"), [(date(2025, 3, 10), 1), (date(2025, 3, 11), 0)])
def test_twelve_months_after_drawdown_count_and_a_day_more_does_not(on, told):
    assert one_label(month(date(2024, 3, 31), 0), month(on, 120)) == [told]


def test_a_row_carries_the_day_before_drawdown_amount_term_and_bank():
    frame = label(table([loan(), month(date(2024, 4, 30), 0)]), AS_OF).frame
    one = frame.iloc[0]
    assert (one["as_of"].date(), one["drawn_on"].date()) == (date(2024, 3, 9), DRAWN)
    assert (one["uscc"], one["loan"], one["bank"], one["amount_fen"], one["term_months"]) == (
        FANG,
        "L1",
        "B7",
        500000000,
        12,
    )


def test_immature_loans_are_left_out_and_counted_even_if_already_in_default():
    young = [loan("L2", date(2025, 6, 1), uscc=FENG), month(date(2025, 11, 30), 120, "L2", uscc=FENG)]
    found = label(table([loan(), month(date(2024, 4, 30), 0), *young]), AS_OF)
    assert found.frame["loan"].tolist() == ["L1"]
    assert found.counts == {
        "loans": 2,
        "labelled": 1,
        "defaults": 0,
        "immature": 1,
        "immature_defaults": 1,
        "silent": 0,
    }


def test_a_loan_is_mature_when_its_last_month_end_has_had_time_to_be_reported():
    rows = [month(date(2024, 4, 30), 0)]
    assert one_label(*rows, as_of=date(2025, 3, 24)) == []
    assert one_label(*rows, as_of=date(2025, 3, 25)) == [0]


def test_a_loan_nobody_ever_reported_on_is_silent_and_not_good():
    found = label(table([loan(), loan("L2", uscc=FENG), month(date(2024, 4, 30), 0, "L2", uscc=FENG)]), AS_OF)
    assert found.frame["loan"].tolist() == ["L2"]
    assert found.counts["silent"] == 1


def test_another_firms_loan_of_the_same_number_does_not_lend_its_default():
    rows = [loan("L1", uscc=FENG), month(date(2024, 9, 30), 95, uscc=FENG), month(date(2024, 9, 30), 0)]
    frame = label(table([loan(), *rows]), AS_OF).frame
    assert dict(zip(frame["uscc"], frame["label"], strict=True)) == {FANG: 0, FENG: 1}


def test_what_was_known_later_or_corrected_does_not_count():
    late = month(date(2024, 11, 30), 120) | {"known_on": AS_OF + timedelta(days=1)}
    wrong = month(date(2024, 10, 31), 120) | {"superseded_on": date(2025, 1, 5)}
    assert one_label(month(date(2024, 4, 30), 0), late, wrong) == [0]


def test_the_rule_is_dated_and_a_loan_is_judged_by_the_rule_of_its_drawdown():
    rules = [Rule(date(2020, 1, 1), days_overdue=90), Rule(date(2024, 6, 1), days_overdue=60, within_months=6)]
    rows = [month(date(2024, 8, 31), 61), loan("L2", date(2024, 6, 1), uscc=FENG),
            month(date(2024, 8, 31), 61, "L2", uscc=FENG)]  # fmt: skip
    frame = label(table([loan(), *rows]), AS_OF, rules).frame
    assert dict(zip(frame["loan"], frame["label"], strict=True)) == {"L1": 0, "L2": 1}


def test_without_loans_there_are_no_labels_and_the_folder_says_so(tmp_path):
    with pytest.raises(RecordsError, match="no loan records"):
        label(tmp_path, AS_OF)
