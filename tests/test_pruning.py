"""The pruning path, against scikit-learn's and against trees that are pruned for real."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn._pruning import node_scores, pruned_estimator, pruning_path


def check_against_scikit_learn(path, expected):
    """Check the path of a tree against ``ccp_alphas`` and ``impurities`` of scikit-learn."""
    assert path.alphas[0] == 0.0
    assert (np.diff(path.alphas) > 0).all()
    assert (np.diff(path.n_leaves) < 0).all()
    assert path.n_leaves[-1] == 1
    for alpha, impurity in zip(path.alphas, path.impurities, strict=True):
        # scikit-learn lists every step of equal alphas; the last one is the tree that is left.
        same = np.isclose(expected.ccp_alphas, alpha, rtol=1e-9, atol=1e-12)
        assert same.any()
        assert impurity == pytest.approx(expected.impurities[same][-1], abs=1e-9)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_the_path_is_that_of_scikit_learn(class_table, criterion):
    X, y = class_table
    tree = DecisionTreeClassifier(criterion=criterion).fit(X, y)
    path = pruning_path(tree.tree_)
    check_against_scikit_learn(path, tree.cost_complexity_pruning_path(X, y))


def test_the_path_of_a_regression_tree(diabetes):
    X, y = diabetes
    tree = DecisionTreeRegressor(min_samples_leaf=5).fit(X, y)
    check_against_scikit_learn(pruning_path(tree.tree_), tree.cost_complexity_pruning_path(X, y))


def test_scores_along_the_path_are_those_of_pruned_trees(class_table):
    X, y = class_table
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    tree = DecisionTreeClassifier().fit(X, y)
    path = pruning_path(tree.tree_, node_scores(tree, X_test, y_test)[:, None])
    for i, alpha in enumerate(path.alphas):
        upper = path.alphas[i + 1] if i + 1 < len(path.alphas) else 2 * alpha + 1
        pruned = DecisionTreeClassifier(ccp_alpha=(alpha + upper) / 2).fit(X, y)
        assert pruned.get_n_leaves() == path.n_leaves[i]
        own = pruned_estimator(tree, path, alpha)._tree
        for name in ("feature", "threshold", "children_right", "classes", "class_weights"):
            np.testing.assert_array_equal(getattr(own, name), getattr(pruned._tree, name))
        accuracy = accuracy_score(y_test, pruned.predict(X_test))
        assert path.scores[i, 0] / len(y_test) == pytest.approx(accuracy)


def test_scores_of_regression_trees(diabetes):
    X, y = diabetes
    tree = DecisionTreeRegressor(max_depth=4).fit(X[:300], y[:300])
    path = pruning_path(tree.tree_, node_scores(tree, X[300:], y[300:])[:, None])
    errors = (tree.predict(X[300:]) - y[300:]) ** 2
    assert path.scores[0, 0] == pytest.approx(-errors.sum())
    constant = ((y[300:] - y[:300].mean()) ** 2).sum()
    assert path.scores[-1, 0] == pytest.approx(-constant)


def test_classes_that_training_lacks_are_never_right():
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], ["a", "c"])
    assert node_scores(tree, [[0.0], [1.0], [1.0]], ["a", "b", "z"]).tolist() == [1.0, 1.0, 0.0]


def test_a_single_leaf():
    tree = DecisionTreeClassifier().fit([[0.0], [0.0]], [0, 1])
    path = pruning_path(tree.tree_)
    assert path.n_leaves.tolist() == [1]
    assert path.alphas.tolist() == [0.0]
