"""Alarms on the level of default: seldom false, soon true, and never wiser than their day."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from risk import monitor
from risk.alarms import (
    BETTER,
    SIDES,
    WORSE,
    Lines,
    as_lines,
    cusum,
    evidence,
    level_alarms,
    population_alarms,
    replay,
    shock_of,
    watch,
)
from risk.maturation import Batch, Maturation, as_sampled, batches, by_quarter, maturation, summed

THROUGH = date(2020, 12, 31)
COURSE = Maturation(tuple(np.minimum(1.0, np.arange(25) / 24)), 100, None)


def loans(*rows):
    told = pd.DataFrame(rows, columns=["scored_on", "probability", "outcome", "known_on"])
    return told.assign(scored_on=pd.to_datetime(told["scored_on"]), known_on=pd.to_datetime(told["known_on"]))


def lent(seed, months, per_month, true=1.0, told=0.06, first="2010-01", course=COURSE):
    """Loans scored month by month; defaults come along the course, `true` (by month) times the told odds."""
    random = np.random.default_rng(seed)
    start = np.repeat(np.arange(months), per_month) + np.datetime64(first, "M")
    probability = np.clip(random.gamma(4, told / 4, len(start)), 0.002, 0.6)
    odds = probability / (1 - probability) * np.repeat(np.broadcast_to(true, months), per_month)
    outcome = (random.random(len(start)) < odds / (1 + odds)).astype(int)
    age = np.searchsorted(np.array(course.shares), random.random(len(start)))
    known = (start + age).astype("datetime64[D]") + 27
    return pd.DataFrame({"scored_on": start.astype("datetime64[D]").astype("datetime64[s]"), "outcome": outcome,
                         "probability": probability, "known_on": pd.Series(known).where(outcome > 0)})  # fmt: skip


def counted(random, months, expected, rate=1.0, shock=0.0):
    factor = random.gamma(1 / shock, shock, months) if shock else 1.0
    count = random.poisson(expected * np.broadcast_to(rate, months) * factor)
    ends = pd.date_range("2010-01-31", periods=months, freq="ME")
    return [Batch(end.date(), expected, float(one), 1000) for end, one in zip(ends, count, strict=True)]


def dates(alarms):
    return {(one.scope, one.kind, one.side): one.rang_on for one in alarms}


def test_a_month_asks_what_was_likely_of_a_loan_not_yet_bad():
    frame = loans(("2020-01-10", 0.5, 0, None), ("2020-01-20", 0.5, 1, "2020-02-05"))
    found = batches(frame, Maturation((0.0, 0.4, 1.0), 9, None), through=date(2020, 4, 30))
    assert [one.ends_on for one in found] == [
        date(2020, 1, 31),
        date(2020, 2, 29),
        date(2020, 3, 31),
        date(2020, 4, 30),
    ]
    assert [one.expected for one in found] == pytest.approx([0, 0.4, 0.5 * 0.6 / (1 - 0.5 * 0.4), 0])
    assert [one.observed for one in found] == [0, 1, 0, 0]
    assert [one.at_risk for one in found] == [2, 2, 1, 0]


def test_in_a_window_an_early_default_waits_for_its_good_fellows_and_a_late_one_does_not_count():
    frame = loans(
        ("2020-01-10", 0.3, 1, "2020-02-05"), ("2020-01-20", 0.3, 0, None), ("2020-01-20", 0.3, 1, "2020-09-01")
    )
    found = batches(frame, 3, through=date(2020, 5, 31))
    assert [(one.ends_on.month, one.observed, one.expected) for one in found] == [
        (4, 1, pytest.approx(0.9)),
        (5, 0, 0),
    ]
    assert batches(frame, 3, through=date(2020, 4, 29)) == []


def test_an_unfinished_month_or_quarter_is_not_counted_and_series_add_up():
    frame = lent(1, 12, 50)
    found = batches(frame, COURSE, through=date(2011, 5, 15))
    assert found[-1].ends_on == date(2011, 4, 30)
    assert by_quarter(found)[-1].ends_on == date(2011, 3, 31)
    assert sum(one.expected for one in by_quarter(found)) == pytest.approx(sum(one.expected for one in found[:-1]))
    odd, even = (batches(frame[rest::2], COURSE, through=date(2011, 5, 15)) for rest in (1, 0))
    assert [one.observed for one in summed([odd, even])] == [one.observed for one in found]


def test_expected_defaults_are_those_that_come_when_the_estimate_is_right():
    found = batches(lent(2, 60, 400), COURSE, through=THROUGH)
    expected, observed = (sum(getattr(one, name) for one in found) for name in ("expected", "observed"))
    assert observed == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_a_sample_drawn_by_outcome_needs_its_ratio_and_no_weights():
    frame = lent(3, 60, 600)
    kept = (frame["outcome"] > 0) | (np.random.default_rng(4).random(len(frame)) < 0.25)
    found = batches(frame[kept], COURSE, through=THROUGH, weight_ratio=4.0)
    expected, observed = (sum(getattr(one, name) for one in found) for name in ("expected", "observed"))
    assert observed == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert as_sampled(np.array([0.2]), 1.0) == pytest.approx([0.2])


def test_weights_known_at_scoring_count_as_effective_defaults():
    frame = lent(5, 24, 100)
    plain = batches(frame, COURSE, through=THROUGH)
    even = batches(frame.assign(weight=20.0), COURSE, through=THROUGH)
    assert [one.observed for one in even] == pytest.approx([one.observed for one in plain])
    assert [one.expected for one in even] == pytest.approx([one.expected for one in plain])
    uneven = batches(frame.assign(weight=np.where(np.arange(len(frame)) % 2, 9.0, 1.0)), COURSE, through=THROUGH)
    assert sum(one.expected for one in uneven) < 0.7 * sum(one.expected for one in plain)


def test_the_course_is_found_although_young_loans_show_only_their_early_defaults():
    course = maturation(lent(6, 60, 2000), date(2013, 1, 1))
    assert [course.by(age) for age in (6, 12, 18, 24)] == pytest.approx([0.25, 0.5, 0.75, 1], abs=0.03)
    assert (course.by(-1), course.by(999)) == (0.0, 1.0)


def test_the_course_knows_nothing_of_its_own_month_and_later():
    frame = lent(6, 60, 500)
    day = pd.Timestamp("2013-01-01")
    hidden = frame[frame["scored_on"] < day].copy()
    hidden.loc[hidden["known_on"] >= day, ["outcome", "known_on"]] = (0, pd.NaT)
    assert maturation(hidden, day.date()) == maturation(frame, day.date())
    with pytest.raises(ValueError, match="Only 0 defaults are known before 2009-01-01"):
        maturation(frame, date(2009, 1, 1))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("2020-01-10", 0.0, 0, None), "Row 1: a probability lies between 0 and 1, not at 0.0"),
        (("2020-01-10", 0.5, 2, None), "Row 1: the outcome must be 0 or 1"),
        (("2020-01-10", 0.5, 1, None), "Row 1: a default without the day"),
        (("2020-01-10", 0.5, 1, "2019-12-31"), "Row 1: the default was known before"),
        ((None, 0.5, 0, None), "Row 1: a loan without the day it was scored"),
    ],
)
def test_loans_that_cannot_be_are_refused_by_row(row, sentence):
    with pytest.raises(ValueError, match=sentence):
        batches(loans(("2020-01-10", 0.5, 0, None), row), COURSE, through=THROUGH)


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="There is no column known_on"):
        batches(loans(("2020-01-10", 0.5, 0, None)).drop(columns="known_on"), COURSE, through=THROUGH)


@pytest.mark.parametrize("side", SIDES)
def test_evidence_at_the_edge_of_the_tolerance_rings_no_oftener_than_it_says(side):
    random = np.random.default_rng(7)
    lines = Lines(chance=0.1)
    edge = lines.tolerance if side == WORSE else 1 / lines.tolerance
    rang = [(evidence(counted(random, 120, 15.0, edge), side, lines) >= 10).any() for _ in range(500)]
    assert 0.005 < np.mean(rang) <= 0.1 + 0.03


def test_evidence_keeps_its_promise_on_loans_of_unequal_and_high_probabilities():
    lines = Lines(chance=0.1, tolerance=1.0)
    rang = np.zeros(2)
    for seed in range(150):
        frame = lent(seed, 24, 40, told=0.25)
        found = batches(frame, 6, through=THROUGH) if seed % 2 else batches(frame, COURSE, through=THROUGH)
        if seed % 2:
            found = batches(frame.assign(known_on=frame["scored_on"].where(frame["outcome"] > 0)), 6, through=THROUGH)
        rang += [(evidence(found, side, lines) >= 10).any() for side in SIDES]
    assert (rang / 150 <= 0.1 + 0.05).all()


@pytest.mark.parametrize("side", SIDES)
def test_false_alarms_of_the_cusum_are_at_least_as_far_apart_as_it_says(side):
    random = np.random.default_rng(8)
    lines = Lines(between=60, tolerance=1.0)
    waits = []
    for _ in range(80):
        passed = np.flatnonzero(np.exp(cusum(counted(random, 1500, 15.0), side, lines)) >= 60)
        waits.append(passed[0] + 1 if len(passed) else 1500)
    assert np.mean(waits) >= 60
    assert np.min(waits) < 300


def test_a_common_shock_is_taken_for_chance_only_where_the_lines_say_so():
    random = np.random.default_rng(9)
    calm = [counted(random, 120, 60.0, shock=0.09) for _ in range(150)]
    blind, told = Lines(chance=0.1, tolerance=1.0), Lines(chance=0.1, tolerance=1.0, shock=0.09)
    assert np.mean([(evidence(one, WORSE, blind) >= 10).any() for one in calm]) > 0.2
    assert np.mean([(evidence(one, WORSE, told) >= 10).any() for one in calm]) <= 0.1
    assert shock_of([batch for one in calm for batch in one]) == pytest.approx(0.09, abs=0.02)
    assert shock_of(counted(random, 500, 60.0)) < 0.005
    assert shock_of([]) == 0.0


def test_odds_of_one_and_a_half_are_seen_within_months_and_doubled_odds_sooner():
    random = np.random.default_rng(10)
    for rate, most in ((1.5, 12), (2.0, 5)):
        found = [level_alarms(counted(random, 60, 20.0, rate)) for _ in range(100)]
        for place in (0, 1):
            months = sorted(1 if one[place].rang_on is None else one[place].rang_on.month + 12 * (
                one[place].rang_on.year - 2010) for one in found)  # fmt: skip
            assert all(one[place].rang_on is not None for one in found)
            assert months[90] <= most
        assert all(one[2].rang_on is None and one[3].rang_on is None for one in found)


def test_after_long_calm_the_cusum_sees_a_late_change_at_once():
    random = np.random.default_rng(11)
    rate = np.where(np.arange(120) < 100, 1.0, 2.0)
    found = [level_alarms(counted(random, 120, 20.0, rate))[1] for _ in range(100)]
    rang = [one.rang_on for one in found if one.rang_on is not None and one.rang_on >= date(2018, 5, 31)]
    assert len(rang) >= 95
    assert max(rang) <= date(2018, 12, 31)
    true = next(one for one in found if one.rang_on in rang)
    assert true.since >= date(2017, 6, 30)
    assert true.ratio > 1.4


def test_few_expected_defaults_hold_an_alarm_back():
    random = np.random.default_rng(12)
    found = counted(random, 24, 1.0, 6.0)
    rang = level_alarms(found)[0].rang_on
    assert rang == date(2010, 10, 31)
    assert level_alarms(found, lines=Lines(least=0.0))[0].rang_on < rang


def test_a_crisis_rings_worse_and_the_reversal_after_it_rings_better():
    true = np.concatenate([np.full(36, 1.0), np.full(36, 2.2), np.full(48, 0.4)])
    alarms = replay(lent(13, 120, 250, true), COURSE, through=date(2020, 12, 31))
    found = dates(alarms)
    assert date(2013, 1, 31) < found["all", "cusum", WORSE] < date(2014, 6, 30)
    assert date(2016, 3, 31) < found["2016", "evidence", BETTER] < date(2017, 6, 30)
    assert (
        date(2016, 3, 31) < found["all", "cusum", BETTER] < date(2018, 3, 31)
    )  # loans of the crisis ring on till 2017
    assert {year: found[str(year), "evidence", WORSE] is not None for year in range(2010, 2020)} == {
        year: year in (2013, 2014, 2015) for year in range(2010, 2020)
    }
    assert {year: found[str(year), "evidence", BETTER] is not None for year in range(2010, 2019)} == {
        year: year in (2016, 2017, 2018) for year in range(2010, 2019)
    }


def test_nothing_known_later_rings_earlier():
    frame = lent(14, 48, 250, np.where(np.arange(48) < 24, 1.0, 2.5))
    whole = replay(frame, COURSE, through=date(2015, 12, 31))
    rang = {key: day for key, day in dates(whole).items() if day is not None}
    assert len(rang) >= 6
    for (scope, kind, side), day in rang.items():
        hidden = frame.copy()
        late = hidden["known_on"] > pd.Timestamp(day)
        hidden.loc[late, "outcome"] = 0
        hidden.loc[late, "known_on"] = pd.NaT
        assert dates(replay(hidden, COURSE, through=date(2015, 12, 31)))[scope, kind, side] == day
        before = (pd.Timestamp(day) - pd.Timedelta(days=1)).date()
        assert dates(replay(frame, COURSE, through=before))[scope, kind, side] is None


def test_defaults_moved_to_a_later_day_ring_later():
    frame = lent(15, 24, 250, 2.5)
    late = frame.assign(known_on=frame["known_on"] + pd.DateOffset(months=4))
    course = Maturation((0.0, 0.0, 0.0, 0.0, *COURSE.shares), 100, None)
    early = dates(replay(frame, COURSE, through=THROUGH))["all", "evidence", WORSE]
    assert dates(replay(late, course, through=THROUGH))["all", "evidence", WORSE] > early


def test_watching_fits_each_course_before_its_vintage_and_rings_in_the_bad_one_only():
    frame = lent(16, 72, 400, np.where(np.arange(72) < 60, 1.0, 2.5))
    history, watched = frame[frame["scored_on"] < "2014-01-01"], frame[frame["scored_on"] >= "2014-01-01"]
    watched = watched.assign(vintage="FY" + watched["scored_on"].dt.year.astype(str))
    alarms = watch(watched, through=THROUGH, history=history)
    found = dates(alarms)
    assert found["FY2014", "evidence", WORSE] is None
    assert date(2015, 2, 28) <= found["FY2015", "evidence", WORSE] <= date(2015, 12, 31)
    sure = dates(watch(watched, through=THROUGH, window_months=24))
    assert sure["FY2015", "evidence", WORSE] >= date(2017, 1, 31)
    with pytest.raises(ValueError, match="Only 0 defaults"):
        watch(watched, through=THROUGH)
    with pytest.raises(ValueError, match="no course of defaults for the vintage FY2015"):
        replay(watched, {"FY2014": COURSE}, through=THROUGH)


def test_quarters_may_stand_for_months():
    frame = lent(17, 24, 250, 2.5)
    rang = dates(replay(frame, COURSE, through=THROUGH, quarterly=True))["all", "evidence", WORSE]
    assert rang.month in (3, 6, 9, 12)


def test_a_moved_population_rings_without_any_outcome_and_a_like_one_hardly_ever():
    random = np.random.default_rng(18)
    kept = {name: monitor.reference(random.normal(size=3000)) for name in ("turnover", "age")}
    frame = lent(18, 12, 100).assign(age=lambda rows: random.normal(size=len(rows)))
    frame["turnover"] = random.normal(size=len(frame)) + np.where(frame["scored_on"] >= "2010-05-01", 1.5, 0)
    alarms = population_alarms(frame, kept, "2010", through=date(2010, 12, 31))
    moved, alike = alarms
    assert (alike.rang_on, alike.scope) == (None, "2010 age")
    assert date(2010, 5, 31) <= moved.rang_on <= date(2010, 8, 31)
    assert "人群分布已变化" in moved.zh
    assert "has not moved" in alike.en
    few = [population_alarms(lent(seed, 12, 9).assign(age=random.normal(size=108)), {"age": kept["age"]}, "",
                             through=THROUGH)[0].rang_on for seed in range(40)]  # fmt: skip
    assert sum(day is not None for day in few) <= 2


def test_an_alarm_says_what_it_counted_and_how_seldom_it_is_wrong():
    alarms = replay(lent(19, 24, 250, 2.5), COURSE, through=THROUGH)
    rung = next(one for one in alarms if one.rang_on is not None)
    assert f"{rung.rang_on} 响起警报" in rung.zh
    assert "however often one looks" in rung.en
    drawn = next(one for one in alarms if one.kind == "cusum" and one.rang_on is not None)
    assert "at most one false alarm in 600 batches" in drawn.en
    silent = next(one for one in alarms if one.rang_on is None)
    assert "没有足够证据" in silent.zh
    assert "too little evidence" in silent.en
    lines = as_lines(alarms)
    assert len(lines) == 2 + len(alarms)
    assert str(rung.rang_on) in lines[2]
    assert "–" in lines[-1]
    assert len(as_lines(alarms, rung_only=True)) == 2 + sum(one.rang_on is not None for one in alarms)


def test_no_loans_ring_nothing():
    assert [one.rang_on for one in level_alarms([])] == [None] * 4
