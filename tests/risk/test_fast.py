"""The fast way through the trees: the same sums as LightGBM's own, or none at all."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk import fast, grow
from risk.trees import FAST_FROM, Trees
from risk.warm import warm_up

ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, -1e-36, 1e-34, -1e-34, 1e300, -1e301, 5e-324])


def made(seed: int, rounds: int = 12, columns: int = 6, rows: int = 600, **more: object) -> tuple[str, np.ndarray]:
    """A model of a made-up world with gaps, counts, a column that never moves and one that is never known."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, columns))
    matrix[:, ::2] = np.floor(np.exp(matrix[:, ::2]))
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    matrix[:, columns - 1] = 3.0
    matrix[:, columns - 2] = np.nan
    odds = np.nan_to_num(matrix[:, 0]) - np.where(np.isnan(matrix[:, 1]), 2.0, matrix[:, 1]) - 1
    labels = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(float)
    told = {"objective": "binary", "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1, "seed": seed, **more}
    grown = lightgbm.train(told, lightgbm.Dataset(matrix, labels, params={"verbosity": -1}), rounds)
    return grown.model_to_string(num_iteration=-1), matrix


def its_own(text: str, matrix: np.ndarray) -> np.ndarray:
    return lightgbm.Booster(model_str=text).predict(matrix, raw_score=True, num_threads=1)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), leaves=st.sampled_from([2, 3, 15, 16, 17, 31, 33, 64]),
    use_missing=st.booleans(), zero_as_missing=st.booleans(), threads=st.sampled_from([1, 2, 3]),
)  # fmt: skip
def test_sums_are_those_of_lightgbm_to_the_last_bit(seed, leaves, use_missing, zero_as_missing, threads):
    text, matrix = made(seed, num_leaves=leaves, use_missing=use_missing, zero_as_missing=zero_as_missing)
    random = np.random.default_rng(seed)
    rows = matrix[random.integers(0, len(matrix), random.integers(0, 300))].copy()
    odd = random.random(rows.shape) < 0.2
    rows[odd] = random.choice(ODD, odd.sum())
    forest = fast.read(text)
    np.testing.assert_array_equal(forest.margin(rows, threads), its_own(text, rows) if len(rows) else [])


def test_a_value_that_lies_on_a_cut_goes_where_lightgbm_sends_it():
    text, matrix = made(3)
    forest = fast.read(text)
    counts = np.diff(forest.starts) - 2
    assert forest.used[:2].tolist() == [0, 1]
    edges = forest.cuts[counts[0] : counts[0] + counts[1]]
    assert len(edges) > 10
    around = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    rows = np.repeat(matrix[:1], len(around), axis=0)
    rows[:, 1] = around
    np.testing.assert_array_equal(forest.margin(rows), its_own(text, rows))


def test_trees_of_one_leaf_are_added_too():
    text, matrix = made(5, min_data_in_leaf=10_000)
    assert "num_leaves=1\n" in text
    found = fast.read(text).margin(matrix)
    np.testing.assert_array_equal(found, its_own(text, matrix))
    assert found[0] != 0


def test_more_trees_than_one_block_and_a_bag_of_seeds_are_added_in_their_order():
    text, matrix = made(6, rounds=fast.WIDTH + 3)
    bag = grow.averaged([text, made(7, rounds=fast.WIDTH - 1)[0]])
    for one in (text, bag):
        np.testing.assert_array_equal(fast.read(one).margin(matrix), its_own(one, matrix))


@pytest.mark.parametrize("more", [
    {"num_leaves": 65, "rows": 4000, "min_data_in_leaf": 1}, {"linear_tree": True},
    {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
])  # fmt: skip
def test_what_only_lightgbm_can_answer_is_left_to_it(more):
    text, _ = made(8, **more)
    assert fast.read(text) is None


def test_splits_by_category_and_several_classes_are_left_to_lightgbm():
    random = np.random.default_rng(9)
    matrix, labels = random.integers(0, 9, (500, 2)).astype(float), random.integers(0, 3, 500)
    grouped = lightgbm.Dataset(matrix, (matrix[:, 0] % 2).astype(float), categorical_feature=[0])
    by_category = lightgbm.train({"objective": "binary", "verbosity": -1, "min_data_per_group": 1}, grouped, 3)
    classes = lightgbm.train({"objective": "multiclass", "num_class": 3, "verbosity": -1},
                             lightgbm.Dataset(matrix, labels), 3)  # fmt: skip
    assert "num_cat=1" in by_category.model_to_string()
    assert fast.read(by_category.model_to_string()) is None
    assert fast.read(classes.model_to_string()) is None
    trees = Trees(("a", "b"), by_category.model_to_string())
    many = np.tile(matrix, (2, 1))
    assert len(many) >= FAST_FROM
    np.testing.assert_array_equal(trees.margin(many), its_own(trees.text, many))


def test_a_table_too_large_to_help_is_left_to_lightgbm(monkeypatch):
    text, _ = made(10)
    assert fast.read(text) is not None
    with monkeypatch.context() as patch:
        patch.setattr(fast, "LARGEST", 1000)
        assert fast.read(text) is None
    monkeypatch.setattr(fast, "WIDEST", 4)
    assert fast.read(text) is None


def test_inputs_that_no_tree_splits_by_are_not_read():
    text, matrix = made(13)
    forest = fast.read(text)
    assert set(forest.used.tolist()) < set(range(6))
    other = matrix.copy()
    other[:, [one for one in range(6) if one not in forest.used]] = 99.0
    np.testing.assert_array_equal(forest.margin(other), its_own(text, matrix))


def test_a_matrix_of_another_width_is_refused():
    forest = fast.read(made(11)[0])
    with pytest.raises(ValueError, match="take 6 inputs"):
        forest.margin(np.zeros((10, 7)))


def test_trees_answer_the_same_for_few_rows_and_for_many():
    text, matrix = made(12, rows=2 * FAST_FROM)
    trees = Trees(tuple("abcdef"), text)
    many = trees.margin(matrix)
    assert trees._forest is not None
    few = np.concatenate([trees.margin(part) for part in np.array_split(matrix, 10)])
    np.testing.assert_array_equal(many, few)
    np.testing.assert_array_equal(trees.margin(np.asfortranarray(matrix)), many)


def test_after_the_warm_up_the_loops_are_compiled_for_trees_of_every_size():
    warm_up()
    kinds = {str(one[4].dtype) for one in fast._add_leaves.signatures}
    assert kinds == {"uint16", "uint32", "uint64"}
