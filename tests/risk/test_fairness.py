"""Groups are compared fairly: a biased one is named, noise is not, and no small cell can be worked out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.fairness import as_lines, fairness, withheld


def firms(seed, sizes, true=None):
    """Rows of groups; `true`: factor on a group's odds."""
    random = np.random.default_rng(seed)
    group = np.repeat(list(sizes), list(sizes.values()))
    probability = random.beta(2, 18, len(group))
    odds = probability / (1 - probability) * np.array([(true or {}).get(one, 1.0) for one in group])
    return (random.random(len(group)) < odds / (1 + odds)).astype(float), probability, group


def test_the_figures_are_those_by_hand():
    labels = np.array([1.0, 1, 0, 0, 0, 1, 0, 0])
    probability = np.array([0.3, 0.1, 0.3, 0.1, 0.1, 0.4, 0.4, 0.1])
    table = fairness(labels, probability, list("aaaaabbb"), line=0.2, division="district", least=1)
    one = table.groups[0]
    assert (one.group, one.n, one.events) == ("a", 5, 2)
    assert one.green == pytest.approx(3 / 5)
    assert one.ratio == pytest.approx(0.4 / 0.18)
    assert one.false_positive == pytest.approx(1 / 3)
    assert one.false_negative == pytest.approx(1 / 2)
    assert one.auc == pytest.approx((0.5 + 1 + 1 + 0 + 0.5 + 0.5) / 6)
    assert table.total.n == 8


def test_a_group_whose_estimate_is_wrong_is_named_and_the_others_are_not():
    table = fairness(
        *firms(1, {"east": 3000, "west": 3000, "north": 3000}, {"west": 1.6}), line=0.1, division="district"
    )
    (said,) = table.sentences
    assert "“west”：实际违约" in said[0]
    assert "defaults more than predicted" in said[1]
    assert [one.chance < 0.05 for one in table.groups] == [False, False, True]
    assert table.groups[2].ratio_interval[0] > 1


def test_with_twenty_right_groups_hardly_any_table_accuses_one():
    accused = 0
    for seed in range(150):
        table = fairness(*firms(seed, {f"g{place:02d}": 400 for place in range(20)}), line=0.1, division="kind")
        accused += any(one.zh for one in table.groups)
    assert accused / 150 <= 0.10


def test_a_small_group_takes_the_next_smallest_with_it():
    labels, probability, group = firms(2, {"large": 2000, "middle": 600, "next": 300, "tiny": 20})
    table = fairness(labels, probability, group, line=0.1, division="industry")
    assert {one.group: one.withheld for one in table.groups} == {
        "large": False, "middle": False, "next": True, "tiny": True,
    }  # fmt: skip
    hidden = next(one for one in table.groups if one.withheld)
    assert {value for name, value in vars(hidden).items() if name != "group"} == {None, ""}
    assert "2 groups withheld" in table.sentences[-1][1]
    assert [line for line in as_lines(table) if line.startswith("| tiny")] == ["| tiny" + " | –" * 9 + " |"]


def test_two_tiny_groups_that_are_still_tiny_together_take_a_third():
    assert withheld({"a": (3, 90), "b": (4, 80), "c": (15, 200), "d": (90, 900)}) == {"a", "b", "c"}
    assert withheld({"a": (6, 90), "b": (5, 80), "c": (15, 200)}) == {"a", "b"}
    assert withheld({"a": (60, 90), "b": (50, 80)}) == set()


@given(st.dictionaries(st.text(min_size=1), st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=9))
def test_what_the_total_leaves_over_is_never_a_small_cell(counts):
    hidden = withheld(counts, 10)
    assert all(min(counts[name]) >= 10 for name in set(counts) - hidden)
    if hidden and hidden != set(counts):
        assert len(hidden) >= 2
        assert min(sum(counts[name][part] for name in hidden) for part in (0, 1)) >= 10


def test_a_total_too_small_is_withheld_too():
    labels = np.array([1.0] * 3 + [0.0] * 50)
    table = fairness(labels, np.full(53, 0.05), ["a"] * 53, line=0.1, division="size")
    assert table.total.withheld
    assert table.groups[0].withheld
    assert len(as_lines(table)) == 4


def test_rows_that_name_no_group_are_a_group():
    labels, probability, group = firms(3, {"a": 800, "b": 800})
    named = pd.Series(group, dtype="string").where(np.arange(1600) % 2 == 0)
    table = fairness(labels, probability, named, line=0.1, division="size")
    assert [one.group for one in table.groups] == ["a", "b", "unknown"]
    assert sum(one.n for one in table.groups) == table.total.n


def test_weights_bring_a_sample_by_outcome_back_to_its_population():
    labels, probability, group = firms(4, {"a": 20000, "b": 20000})
    kept = (labels > 0) | (np.random.default_rng(5).random(len(labels)) < 0.2)
    weights = np.where(labels[kept] > 0, 1.0, 5.0)
    table = fairness(labels[kept], probability[kept], group[kept], line=0.1, division="size", weights=weights)
    assert table.total.ratio == pytest.approx(1, abs=0.06)
    assert not [one for one in table.groups if one.zh]


def test_what_cannot_be_compared_is_refused():
    one = np.array([1.0, 0.0])
    with pytest.raises(ValueError, match="one value for every row"):
        fairness(one, one, ["a"], line=0.1, division="x")
    with pytest.raises(ValueError, match="between 0 and 1, not at 1"):
        fairness(one, one, ["a", "b"], line=1, division="x")
