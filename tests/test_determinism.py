"""The same tree to the bit: for any number of threads, layout and order of the columns' bytes."""

import numpy as np
import pytest
from tree_checks import equal_trees

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

CLASSIFIERS = [
    ("gini", 2.0),
    ("entropy", 2.0),
    ("renyi", 0.5),
    ("renyi", 3.0),
    ("tsallis", 1.5),
    ("renyi_mean", 0.5),
    ("misclassification", 2.0),
]
REGRESSORS = ["squared_error", "poisson", "gaussian_entropy", "absolute_error"]


@pytest.fixture(scope="module")
def wide():
    """40,000 rows, so that large nodes are shared out among threads; every kind of column."""
    rng = np.random.default_rng(3)
    X = np.empty((40_000, 5), dtype=np.float32)
    X[:, 0] = rng.standard_normal(len(X))
    X[:, 1] = rng.integers(0, 12, len(X))
    X[:, 2] = np.where(rng.random(len(X)) < 0.8, 0.0, rng.random(len(X)))
    X[:, 3] = rng.integers(0, 2, len(X))
    X[:, 4] = np.where(rng.random(len(X)) < 0.1, np.nan, rng.random(len(X)))
    signal = X[:, 0] + 0.2 * X[:, 1] + np.nan_to_num(X[:, 4])
    y = np.digitize(signal + rng.standard_normal(len(X)), [0.5, 2.0])
    return X, y, np.exp(signal / 3.0) + rng.random(len(X)), rng.random(len(X))


@pytest.mark.parametrize(("criterion", "order"), CLASSIFIERS)
def test_threads_of_a_classifier(criterion, order, wide):
    X, y, _, _ = wide
    rules = {"criterion": criterion, "order": order, "max_depth": 9}
    one, two, three = (DecisionTreeClassifier(n_jobs=n, **rules).fit(X, y) for n in (1, 2, 3))
    equal_trees(one.tree_, two.tree_)
    equal_trees(one.tree_, three.tree_)
    np.testing.assert_array_equal(one.predict_proba(X), three.predict_proba(X))


@pytest.mark.parametrize("criterion", REGRESSORS)
def test_threads_of_a_regressor(criterion, wide):
    X, _, y, _ = wide
    n = 8000 if criterion == "absolute_error" else len(X)
    rules = {"criterion": criterion, "max_depth": 7}
    one, two, three = (
        DecisionTreeRegressor(n_jobs=jobs, **rules).fit(X[:n], y[:n]) for jobs in (1, 2, 3)
    )
    equal_trees(one.tree_, two.tree_)
    equal_trees(one.tree_, three.tree_)
    np.testing.assert_array_equal(one.predict(X), three.predict(X))


@pytest.mark.parametrize("kind", ["weights", "outputs", "leaves", "random", "drawn", "purity"])
def test_threads_in_other_modes(kind, wide, n_jobs):
    X, y, _, w = wide
    rules, target, weight = {"max_depth": 8}, y, None
    if kind == "weights":
        weight = w
    elif kind == "outputs":
        target = np.column_stack([y, y > 0])
    elif kind == "leaves":
        rules = {"max_leaf_nodes": 60}
    elif kind == "random":
        rules = {"max_depth": 12, "splitter": "random"}
    elif kind == "drawn":
        rules = {"max_depth": 12, "max_features": 2}
    else:
        rules = {}
    tree = DecisionTreeClassifier(random_state=7, n_jobs=n_jobs, **rules)
    expected = DecisionTreeClassifier(random_state=7, n_jobs=1, **rules)
    equal_trees(tree.fit(X, target, weight).tree_, expected.fit(X, target, weight).tree_)
    np.testing.assert_array_equal(tree.apply(X), expected.apply(X))


@pytest.mark.parametrize("estimator", [DecisionTreeClassifier, DecisionTreeRegressor])
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_layout_and_width_do_not_matter(estimator, splitter, wide):
    X, y, _, w = wide
    X, y, w = X[:6000], y[:6000], w[:6000]
    rules = {"splitter": splitter, "max_features": 3, "random_state": 1}
    expected = estimator(**rules).fit(X, y, w).tree_
    for other in (np.asfortranarray(X), X.astype(np.float64), np.asfortranarray(X, np.float64)):
        equal_trees(estimator(**rules).fit(other, y, w).tree_, expected)


@pytest.mark.parametrize("rules", [{"splitter": "random"}, {"max_features": 1}], ids=str)
@pytest.mark.parametrize("estimator", [DecisionTreeClassifier, DecisionTreeRegressor])
def test_seeds(estimator, rules, class_table):
    X, y = class_table
    tree = estimator(random_state=4, **rules).fit(X, y)
    equal_trees(tree.tree_, estimator(random_state=4, **rules).fit(X, y).tree_)
    roots = {
        (fit.tree_.feature[0], fit.tree_.threshold[0])
        for fit in (estimator(random_state=seed, **rules).fit(X, y) for seed in range(12))
    }
    assert len(roots) > 3


def test_every_feature_is_drawn(rng):
    X, y = rng.random((50, 6)), rng.integers(0, 2, 50)
    drawn = [
        DecisionTreeClassifier(max_features=1, max_depth=1, random_state=s).fit(X, y)
        for s in range(120)
    ]
    counts = np.bincount([t.tree_.feature[0] for t in drawn], minlength=6)
    assert counts.min() >= 8, f"twenty of each are expected: {counts}"


def test_drawn_thresholds_are_uniform(rng):
    """The best of one drawn cut is that cut: its place between minimum and maximum is uniform."""
    X, y = np.linspace(2.0, 6.0, 50)[:, None], rng.integers(0, 2, 50)
    cuts = np.sort(
        [
            DecisionTreeClassifier(splitter="random", max_depth=1, random_state=s)
            .fit(X, y)
            .tree_.threshold[0]
            for s in range(400)
        ]
    )
    assert cuts[0] >= 2.0
    assert cuts[-1] < 6.0
    distance = np.abs((cuts - 2.0) / 4.0 - (np.arange(400) + 0.5) / 400).max()
    assert distance < 0.085, "Kolmogorov's distance at a level of about 0.5 percent"


def test_random_state_instance_is_drawn_from(class_table):
    X, y = class_table
    state = np.random.RandomState(0)
    first = DecisionTreeClassifier(splitter="random", random_state=state).fit(X, y)
    second = DecisionTreeClassifier(splitter="random", random_state=state).fit(X, y)
    assert first.tree_.threshold[0] != second.tree_.threshold[0]
    again = DecisionTreeClassifier(splitter="random", random_state=np.random.RandomState(0))
    equal_trees(first.tree_, again.fit(X, y).tree_)


def test_best_splitter_needs_no_seed(class_table):
    """No randomness is left where ties are decided by rule."""
    X, y = class_table
    expected = DecisionTreeClassifier(random_state=0).fit(X, y)
    for seed in (None, 1, 2):
        equal_trees(expected.tree_, DecisionTreeClassifier(random_state=seed).fit(X, y).tree_)


def test_order_of_the_rows_does_not_matter(class_table, rng):
    X, y = class_table
    expected = DecisionTreeClassifier().fit(X, y)
    shuffled = rng.permutation(len(X))
    equal_trees(expected.tree_, DecisionTreeClassifier().fit(X[shuffled], y[shuffled]).tree_)


def test_repeated_fits_are_equal(wide):
    X, y, _, w = wide
    tree = DecisionTreeClassifier(max_depth=6, n_jobs=2)
    expected = tree.fit(X, y, w).tree_
    for _ in range(5):
        equal_trees(expected, tree.fit(X, y, w).tree_)
