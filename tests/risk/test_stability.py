"""Reasons are what the model really used, and a model fitted anew would give mostly the same ones."""

import numpy as np
import pytest

from risk import grow, scorecard
from risk.blend import Blend
from risk.explain import LEAST, MOST_ADVERSE, grouped, overlap, overlap_of_refits, reasons
from risk.features import FEATURES
from risk.terms import Input
from tests.risk.worlds import firms_of_all_kinds

INPUTS = [Input.of(feature) for feature in FEATURES]
NAMES, WAYS = [one.name for one in INPUTS], [one.direction for one in INPUTS]
CLEAR = ("tax_late", "penalties_graver", "court_cases", "utility_late", "contracts_breached", "months_in_business")
STEADY = 0.65
"""The bar for overlap@4 where the drivers are clear."""


@pytest.fixture(scope="module")
def matrix():
    return firms_of_all_kinds(2500)[0].to_numpy()


@pytest.fixture(scope="module")
def clear(matrix):
    """Labels that six features of six groups decide."""
    columns = [matrix[:, NAMES.index(name)] for name in CLEAR]
    odds = sum(np.nan_to_num(column - np.nanmean(column)) * way for column, way in
               zip(columns, (1.2, 1.2, 1.2, 1.2, 1.2, -0.3), strict=True)) - 2  # fmt: skip
    return (np.random.default_rng(1).random(len(matrix)) < 1 / (1 + np.exp(-odds))).astype(float)


@pytest.fixture(scope="module")
def noise(matrix):
    return (np.random.default_rng(2).random(len(matrix)) < 0.2).astype(float)


def by_card(matrix, labels, seed):
    return scorecard.fit(matrix, labels, NAMES, WAYS, 0.03)


def by_trees(matrix, labels, seed):
    return grow.fit(grow.LARGE, matrix, labels, NAMES, WAYS, rounds=80, seed=seed)


def by_both(matrix, labels, seed):
    return Blend(by_trees(matrix, labels, seed), by_card(matrix, labels, seed), 0.4)


WAYS_TO_FIT = pytest.mark.parametrize("fit", [by_card, by_trees, by_both])


@WAYS_TO_FIT
def test_contributions_and_baseline_are_the_margin_and_groups_are_sums_of_their_features(fit, matrix, clear):
    scorer = fit(matrix, clear, 7)
    found, base = scorer.explained(matrix)
    np.testing.assert_allclose(found.sum(axis=1) + base, scorer.margin(matrix), rtol=0, atol=1e-9)
    groups, sums = grouped(found, INPUTS)
    np.testing.assert_allclose(sums.sum(axis=1) + base, scorer.margin(matrix), rtol=0, atol=1e-9)
    for place, group in enumerate(groups):
        members = [column for column, one in enumerate(INPUTS) if one.group == group]
        np.testing.assert_allclose(sums[:, place], found[:, members].sum(axis=1), rtol=0, atol=1e-12)


@WAYS_TO_FIT
def test_the_reasons_told_are_the_strongest_of_those_sums_with_their_sign(fit, matrix, clear):
    found, _ = fit(matrix, clear, 7).explained(matrix[:200])
    groups, sums = grouped(found, INPUTS)
    for row in range(200):
        told = reasons(found[row], matrix[row], INPUTS, {})
        adverse = [one for one in told if one.kind == "adverse"]
        assert {one.group: pytest.approx(one.contribution, abs=1e-12) for one in told}.items() <= dict(
            zip(groups, sums[row], strict=True)
        ).items()
        assert [one.contribution for one in adverse] == pytest.approx(
            sorted((moved for moved in sums[row] if moved >= LEAST), reverse=True)[:MOST_ADVERSE], abs=1e-12
        )
        assert all(one.contribution <= -LEAST for one in told if one.kind == "favourable")
        assert all(one.zh and one.en for one in told)


@WAYS_TO_FIT
def test_where_the_drivers_are_clear_a_refit_gives_the_same_reasons_and_from_noise_it_does_not(
    fit, matrix, clear, noise
):
    shown = matrix[:500]
    steady = overlap_of_refits(fit, matrix, clear, shown, INPUTS)
    chance = overlap_of_refits(fit, matrix, noise, shown, INPUTS)
    assert steady >= STEADY
    assert chance is None or chance < steady - 0.15


def test_overlap_counts_the_reasons_in_common_over_the_longer_list():
    first = [one for place, one in enumerate(INPUTS) if one.group not in {other.group for other in INPUTS[:place]}][:6]
    one = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, -0.9], [0.5, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 6])
    other = np.array([[0.9, 0.8, 0.0, 0.0, 0.7, 0.6], [0.0, 0.5, 0.4, 0.0, 0.0, 0.0], [-1.0] * 6])
    assert overlap([one, other], first) == pytest.approx((2 / 4 + 0 / 2) / 2)
    assert overlap([one, one, one], first) == 1.0
    assert overlap([one[2:], other[2:]], first) is None


def test_two_features_of_one_story_count_once():
    pair = [one for one in INPUTS if one.name in ("tax_late", "tax_days_late")]
    assert overlap([np.array([[0.5, 0.0]]), np.array([[0.0, 0.5]])], pair) == 1.0


def test_one_model_overlaps_with_nothing():
    with pytest.raises(ValueError, match="two models"):
        overlap([np.zeros((1, len(INPUTS)))], INPUTS)
