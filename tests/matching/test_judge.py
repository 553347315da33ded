"""The judgement keeps its promises: columns agree with single demands, bytes repeat, unknown is yellow."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.criteria import MEASURES, days_between, whole_months
from matching.evidence import facts_from_json, facts_to_json, from_json, to_json
from matching.facts import FACTS, encode
from matching.judge import judge, months_after
from matching.judge_many import columns_from, columns_from_json, columns_of, judge_many
from matching.policy import INVOICES_POLICY_FILE, load_policy
from matching.terms import Fact, Light, Verdict

CITY = load_policy()
INVOICES = load_policy(INVOICES_POLICY_FILE)
TODAY = date(2026, 6, 1)

VALUES = {
    "money": st.one_of(st.sampled_from([0, 5_000_000, 5_000_001]), st.integers(0, 10**16)),
    "count": st.one_of(st.integers(0, 6), st.integers(0, 400)),
    "share": st.one_of(st.sampled_from(["0.06", "0.2", "0.060001"]).map(Decimal), st.decimals(0, 1, places=6)),
    "date": st.dates(date(2015, 1, 1), date(2026, 6, 1)),
    "code": st.sampled_from(["410105", "410122", "410173", "ZDXQ", "F52"]),
}


def value_of(name):
    meaning = FACTS[name]
    return st.sampled_from(meaning.choices) if meaning.kind == "choice" else VALUES[meaning.kind]


def fact_of(name):
    state = st.sampled_from(["known"] * 12 + ["missing", "stale"])
    return st.builds(
        lambda value, state: Fact(None if state == "missing" else value, FACTS[name].source, date(2026, 5, 9), state),
        value_of(name),
        state,
    )


FACTS_OF_A_FIRM = st.fixed_dictionaries({}, optional={name: fact_of(name) for name in FACTS})


@settings(max_examples=100, deadline=None)
@given(st.lists(FACTS_OF_A_FIRM, max_size=40))
def test_stored_facts_give_the_columns_their_values_give(many):
    stored, read = columns_from_json(facts_to_json(facts) for facts in many), columns_of(many)
    assert (stored.rows, list(stored.values)) == (read.rows, list(read.values))
    for name in read.values:
        assert np.array_equal(stored.values[name], read.values[name])
        assert np.array_equal(stored.states[name], read.states[name])


def test_stored_facts_nobody_knows_are_no_column():
    with pytest.raises(ValueError, match="'colour' is not a fact"):
        columns_from_json(['{"colour":{"value":1,"source":"demand","known_on":null,"state":"known"}}'])


@settings(max_examples=150, deadline=None)
@given(st.lists(FACTS_OF_A_FIRM, min_size=1, max_size=40), st.sampled_from([CITY, INVOICES]))
def test_columns_are_judged_as_single_demands_are(many, policy):
    verdicts = judge_many(columns_of(many), policy, TODAY)
    for row, facts in enumerate(many):
        alone = judge(facts, policy, TODAY)
        assert verdicts.light[row] == alone.light
        assert verdicts.recommended[row] == alone.recommended
        judged = {finding.criterion for finding in alone.findings}
        for criterion in policy.criteria:
            skipped = criterion.id in verdicts.skipped and verdicts.skipped[criterion.id][row]
            assert skipped == (criterion.id not in judged)
            if not skipped:
                finding = alone.finding(criterion.id)
                assert verdicts.lights[criterion.id][row] == finding.light
                assert verdicts.value(criterion.id, row, criterion.measure.places) == finding.value


@settings(max_examples=200, deadline=None)
@given(FACTS_OF_A_FIRM)
def test_the_worst_finding_wins_and_unknown_is_yellow(facts):
    verdict = judge(facts, CITY, TODAY)
    assert verdict.light == max(finding.light for finding in verdict.findings)
    for finding in verdict.findings:
        if finding.state != "known":
            assert finding.light is Light.YELLOW
            assert finding.sources
            assert not verdict.recommended or finding.group in ("estimate", "freshness")


@settings(max_examples=200, deadline=None)
@given(FACTS_OF_A_FIRM)
def test_a_stored_verdict_is_replayed_byte_for_byte(facts):
    stored_facts, stored = facts_to_json(facts), to_json(judge(facts, CITY, TODAY))
    again = judge(facts_from_json(stored_facts), CITY, TODAY)
    assert to_json(again) == stored
    assert to_json(from_json(Verdict, stored)) == stored


@settings(max_examples=300, deadline=None)
@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.dates(date(1990, 1, 1), date(2030, 1, 1)))
def test_day_counts_are_the_calendars(start, today):
    first, second = (np.array([encode("established_on", day)]) for day in (start, today))
    assert days_between(first, second)[0] == max(0, (today - start).days)


@settings(max_examples=300, deadline=None)
@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(1, 400))
def test_the_day_told_is_the_first_on_which_the_months_are_full(start, months):
    reached = months_after(start, months)
    number = encode("established_on", start)
    assert whole_months(number, encode("established_on", reached)) == months
    assert whole_months(number, encode("established_on", reached - timedelta(days=1))) == months - 1


def test_columns_from_arrays_agree_with_columns_of_facts():
    arrays = {
        "established_on": np.array(["2019-03-15", "NaT", "2025-12-31"], "datetime64[D]"),
        "premises": np.array(["rented", None, "none"], object),
        "district": np.array(["410105", "ZDXQ", None], object),
        "probability": np.array([0.03, np.nan, 0.123457]),
        "amount_fen": np.array([100_000_000, 1, 2]),
    }
    stale = {"amount_fen": np.array([False, True, False])}
    singles = [
        {"established_on": date(2019, 3, 15), "premises": "rented", "district": "410105",
         "probability": Decimal("0.03"), "amount_fen": 100_000_000},
        {"district": "ZDXQ", "amount_fen": 1},
        {"established_on": date(2025, 12, 31), "premises": "none", "probability": Decimal("0.123457"), "amount_fen": 2},
    ]  # fmt: skip
    facts = [
        {name: Fact(value, "x", None, "stale" if name == "amount_fen" and row == 1 else "known")
         for name, value in single.items()}
        for row, single in enumerate(singles)
    ]  # fmt: skip
    ours, theirs = columns_from(arrays, stale), columns_of(facts)
    for name in arrays:
        known = theirs.states[name] != 1
        assert ours.states[name].tolist() == theirs.states[name].tolist()
        assert ours.values[name][known].tolist() == theirs.values[name][known].tolist()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("premises", "castle"),
        ("amount_fen", "much"),
        ("established_on", 2019),
        ("district", "410105-long"),
        ("wish", 1),
    ],
)
def test_a_fact_of_the_wrong_kind_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        encode(name, value)


def test_every_measure_is_used_by_a_policy():
    used = {criterion.measure.name for policy in (CITY, INVOICES) for criterion in policy.criteria}
    assert set(MEASURES) == used
