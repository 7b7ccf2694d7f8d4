"""How different trees are: common splits, predictions, gains at the root."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier as SklearnTree

from treelearn import DecisionTreeClassifier
from treelearn._tree_distance import equal_splits, root_gains, tree_differences


def test_a_tree_equals_itself(class_table):
    X, y = class_table
    tree = DecisionTreeClassifier().fit(X, y).tree_
    assert equal_splits(tree, tree) == 1.0
    leaf = DecisionTreeClassifier().fit(X, np.zeros(len(y))).tree_
    assert equal_splits(leaf, leaf) == 1.0
    assert equal_splits(tree, leaf) == equal_splits(leaf, tree) == 0.0


def test_common_splits_are_counted_wherever_they_stand():
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]], dtype=float)
    first = DecisionTreeClassifier().fit(X[:, :1], [0, 0, 1, 1, 2, 2]).tree_
    second = DecisionTreeClassifier(max_depth=1).fit(X[:, :1], [0, 0, 1, 1, 1, 1]).tree_
    # The first cuts at 0.5 and 1.5, the second at 0.5.
    assert equal_splits(first, second) == pytest.approx(2 / 3)


def test_root_gains_are_those_of_scikit_learn(class_table):
    X, y = class_table
    found = root_gains(X, y, "classification", "entropy", {})
    best = SklearnTree(criterion="entropy", max_depth=1).fit(X, y).tree_
    gain = best.impurity[0] - best.weighted_n_node_samples[1:] @ best.impurity[1:] / len(y)
    assert found.max() == pytest.approx(gain, rel=1e-6)
    assert (found >= 0).all()
    constant = root_gains(np.zeros((len(y), 1)), y, "classification", "entropy", {})
    assert constant.tolist() == [0.0]


def test_differences_of_a_table(class_table):
    found = tree_differences(*class_table, ["gini", "tsallis:2", "renyi:0.5"], max_depth=4)
    same = found["pairs"][0]
    assert (same["equal_splits"], same["equal_predictions"]) == (1.0, 1.0)
    assert same["same_root"] and same["kendall_tau"] == pytest.approx(1.0)
    for pair in found["pairs"]:
        assert 0 <= pair["equal_splits"] <= 1
        assert 0 < pair["equal_predictions"] <= 1
    for root in found["roots"]:
        gains = list(root["gains"].values())
        assert gains == sorted(gains, reverse=True)
        assert len(gains) == class_table[0].shape[1]


def test_differences_of_regression_trees(diabetes):
    found = tree_differences(*diabetes, ["squared_error", "absolute_error"], max_depth=2)
    assert found["pairs"][0]["equal_predictions"] < 1.0


def test_names_of_frames_are_kept():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"b": [0, 0, 1, 1] * 4, "a": [0, 1, 0, 1] * 4})
    found = tree_differences(frame, ["n", "n", "y", "y"] * 4, ["gini", "entropy"])
    assert list(found["roots"][0]["gains"]) == ["b", "a"]
    gains = found["roots"][1]["gains"]
    assert gains["b"] > 0.9 > 0.1 > gains["a"]


def test_one_feature_has_no_ranking():
    found = tree_differences(np.arange(40.0)[:, None], np.arange(40) % 2, ["gini", "entropy"])
    assert found["pairs"][0]["kendall_tau"] is None
