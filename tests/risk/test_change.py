"""What would change it: realistic, actionable, towards the safer side, and true when it is estimated anew."""

import numpy as np
import pandas as pd
import pytest

from risk import change, grow, scale, scorecard
from risk.acts import ACTS, told
from risk.calibration import platt
from risk.features import FEATURES, INVOICE_FEATURES
from risk.model import RiskModel
from risk.monitor import reference
from risk.terms import Input
from tests.risk.worlds import firms_of_all_kinds

INPUTS = tuple(Input.of(feature) for feature in FEATURES)
BY_NAME = {one.name: one for one in INPUTS}
BEST = scale.GRADES[0][0]


@pytest.fixture(scope="module")
def world():
    return firms_of_all_kinds(6000)


@pytest.fixture(scope="module", params=["scorecard", "trees"])
def model(request, world):
    frame, labels = world
    matrix = frame.to_numpy()
    names, ways = [one.name for one in INPUTS], [one.direction for one in INPUTS]
    scorer = (scorecard.fit(matrix, labels, names, ways, 0.01) if request.param == "scorecard"
              else grow.fit(grow.LARGE, matrix, labels, names, ways, rounds=300, seed=7))  # fmt: skip
    kept = {one.name: reference(matrix[:, place]) for place, one in enumerate(INPUTS)}
    return RiskModel("0" * 16, INPUTS, scorer, platt(scorer.margin(matrix), labels), {}, kept)


@pytest.fixture(scope="module")
def firms(world):
    return world[0].head(120)


@pytest.fixture(scope="module")
def prospects(model, firms):
    return [model.what_would_change(firms, place) for place in range(len(firms))]


def moved(firms, place, prospect):
    row = firms.iloc[[place]].copy()
    for one in prospect.changes:
        row[one.feature] = one.after
    return row


def test_the_told_grade_is_reached_when_the_changed_firm_is_estimated_anew(model, firms, prospects):
    names = [name for name, _ in scale.GRADES]
    reached = [(place, one) for place, one in enumerate(prospects) if one.changes]
    assert len(reached) >= 40
    for place, one in reached:
        before, after = model.estimate(firms.iloc[[place]])[0], model.estimate(moved(firms, place, one))[0]
        assert after.grade == one.grade
        assert after.probability == pytest.approx(one.probability, abs=1e-12)
        assert names.index(after.grade) < names.index(before.grade)
        assert before.grade in one.zh
        assert after.grade in one.zh


def test_only_what_a_firm_can_act_on_moves_and_only_towards_its_safer_side(firms, prospects):
    for place, prospect in enumerate(prospects):
        for one in prospect.changes:
            told_of = BY_NAME[one.feature]
            assert told_of.actionable
            assert told_of.group not in ("tenure", "size", "industry")
            assert one.before == firms.iloc[place][one.feature]
            assert (one.after - one.before) * told_of.direction < 0
            assert one.months <= change.HORIZON_MONTHS


def test_nothing_is_asked_that_few_had_reached_or_that_is_less_than_nothing(world, prospects):
    seen = world[0]
    for prospect in prospects:
        for one in prospect.changes:
            column, told_of = seen[one.feature].dropna(), BY_NAME[one.feature]
            at_least_as_good = (column <= one.after) if told_of.direction > 0 else (column >= one.after)
            owed = told_of.direction > 0 and one.unit in change.OWED_UNITS
            assert one.after >= 0
            assert owed or at_least_as_good.mean() >= change.COMMON - 0.02
            if one.unit == "grade":
                assert one.after == one.before + 1
            if one.unit in change.WHOLE_UNITS:
                assert one.after == int(one.after)
            if one.unit == "share":
                assert one.after >= one.before * change.MOST_OF_A_SHARE


def test_at_most_three_groups_move_and_what_tells_one_story_moves_together(firms, prospects):
    for place, prospect in enumerate(prospects):
        assert len({one.group for one in prospect.changes}) <= change.TOGETHER
        changed = {one.feature for one in prospect.changes}
        if "tax_late" in changed:
            rest = [name for name in ("tax_days_late", "tax_arrears_months") if firms.iloc[place][name] > 0]
            assert changed.issuperset(rest)


def test_it_is_the_cheapest_of_all_changes_that_get_there(model, firms, prospects):
    for place in [place for place, one in enumerate(prospects) if one.changes][:15]:
        row = model.matrix(firms.iloc[[place]])[0]
        levers = change._levers(model, row)
        line = change._goal(model.estimate(firms.iloc[[place]])[0].probability, None)[0]
        every = np.stack(np.meshgrid(*[np.arange(-1, len(one.costs)) for one in levers], indexing="ij"), -1)
        every = every.reshape(-1, len(levers))
        every = every[((every >= 0).sum(axis=1) <= change.TOGETHER) & (every >= 0).any(axis=1)]
        gets = model.calibration.probability(model.scorer.margin(change._moved(row, levers, every))) < line
        changed = np.nan_to_num([moved(firms, place, prospects[place]).iloc[0][one.name] for one in INPUTS], nan=-9)
        rows = np.nan_to_num(change._moved(row, levers, every), nan=-9)
        ours = change._cost(levers, every[(rows == changed).all(axis=1)])
        assert ours.min() == pytest.approx(change._cost(levers, every[gets]).min(), abs=1e-12)


def test_the_same_firm_gets_the_same_answer_wherever_it_stands_in_the_frame(model, firms, prospects):
    back = firms.iloc[::-1]
    assert [model.what_would_change(back, place) for place in range(119, 109, -1)] == prospects[:10]


def test_a_firm_in_the_best_grade_is_told_so_and_nothing_else(model, firms):
    safe = pd.DataFrame([{one.name: 0.0 if one.direction > 0 else 1e9 for one in INPUTS}])
    assert model.estimate(safe)[0].grade == BEST
    prospect = model.what_would_change(safe)
    assert (prospect.reached, prospect.changes, prospect.grade) == (True, (), BEST)
    assert "最好" in prospect.zh
    assert "best" in prospect.en


def test_where_nothing_realistic_suffices_that_is_said_and_nothing_is_proposed(model, firms):
    lost = pd.DataFrame([{one.name: 1e9 if one.direction > 0 else 0.0 for one in INPUTS}])
    prospect = model.what_would_change(lost, below=1e-9)
    assert (prospect.reached, prospect.changes) == (False, ())
    assert prospect.probability == pytest.approx(model.estimate(lost)[0].probability)
    assert "一年内" in prospect.zh
    best = {one.name: 0.0 if one.direction > 0 else 1e9 for one in INPUTS if one.actionable and one.direction}
    clean = firms.iloc[[0]].assign(**best)
    assert "其他情况" in model.what_would_change(clean, below=1e-9).zh


def test_what_nobody_knows_of_a_firm_is_not_proposed_to_change(model, firms):
    unknown = firms.iloc[[0]].assign(**dict.fromkeys(BY_NAME, np.nan))
    assert model.what_would_change(unknown, below=1e-9).changes == ()


def test_a_line_of_ones_own_is_got_under_or_is_already(model, firms, prospects):
    place = next(place for place, one in enumerate(prospects) if one.changes)
    now = model.estimate(firms.iloc[[place]])[0].probability
    prospect = model.what_would_change(firms, place, below=now * 0.98)
    assert prospect.reached
    assert model.estimate(moved(firms, place, prospect))[0].probability < now * 0.98
    assert model.what_would_change(firms, place, below=now * 1.01).changes == ()


def test_a_shifted_base_rate_is_the_one_the_grade_is_told_by(model, firms):
    shifted = [model.what_would_change(firms, place, base_rate=0.2) for place in range(20)]
    for place, one in enumerate(shifted):
        again = model.estimate(moved(firms, place, one), base_rate=0.2)[0]
        assert again.grade == one.grade


@pytest.mark.parametrize(
    "one", [*INPUTS, *(Input.of(feature) for feature in INVOICE_FEATURES)], ids=lambda one: one.name
)
def test_each_change_is_told_in_both_languages_with_its_values(one):
    zh, en = told(one, 3.0, 0.0)
    assert "{" not in zh + en
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in en)
    assert ("一级" in zh) if one.unit == "grade" else ("→" in zh and "→" in en)


def test_settling_what_is_owed_reads_as_a_person_would_say_it():
    assert told(BY_NAME["tax_arrears_months"], 3.0, 0.0) == (
        "结清欠税（3个月→0个月）", "Settle the tax owed (3 months → 0 months)",
    )  # fmt: skip


def test_the_words_for_acting_are_for_features_that_can_be_acted_on():
    can = {one.name for one in INPUTS if one.actionable and one.direction}
    assert set(ACTS) == can
