"""Corners: signs of zero and NaN, deep chains, limits of rules, growth in another order."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from oracle import class_impurity
from sklearn import tree as rival
from sklearn.tree._tree import Tree
from tree_checks import check_tree, equal_trees, walk
from versions import needs_right_missing

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

# -- numbers with more than one bit pattern -------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_both_zeros_are_one_value(dtype, splitter):
    X = np.array([-1.0, -0.0, 0.0, -0.0, 0.0, 1.0] * 3, dtype=dtype)[:, None]
    y = np.array([0, 0, 1, 1, 0, 1] * 3)
    tree = DecisionTreeClassifier(splitter=splitter, random_state=0).fit(X, y)
    assert tree.get_n_leaves() == 3
    walk(tree, X, y)
    np.testing.assert_array_equal(tree.apply([[0.0]]), tree.apply([[-0.0]]))
    np.testing.assert_array_equal(tree.apply(sp.csr_array(X)), tree.apply(X))


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        (np.float64, [0x7FF8000000000000, 0xFFF8000000000000, 0xFFFFFFFFFFFFFFFF]),
        (np.float64, [0x7FFFFFFFFFFFFFFF, 0xFFF8000000000001, 0x7FF80000DEADBEEF]),
        (np.float32, [0x7FC00000, 0xFFC00000, 0xFFFFFFFF]),
    ],
)
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_every_nan_is_missing(dtype, bits, splitter):
    unsigned = np.uint32 if dtype is np.float32 else np.uint64
    holes = np.array(bits, dtype=unsigned).view(dtype)
    X = np.concatenate([np.arange(-4, 5, dtype=dtype), holes, holes])[:, None]
    y = np.concatenate([np.zeros(9), np.ones(6)]).astype(int)
    plain = np.where(np.isnan(X), dtype(np.nan), X)
    rules = {"splitter": splitter, "random_state": 1}
    tree = DecisionTreeClassifier(**rules).fit(X, y)
    equal_trees(tree.tree_, DecisionTreeClassifier(**rules).fit(plain, y).tree_)
    np.testing.assert_array_equal(tree.apply(X), tree.apply(plain))
    if splitter == "best":
        assert tree.get_n_leaves() == 2


@pytest.mark.parametrize("low", [-1.7e308, -1e-320, 1.0, 0.0, -1.0])
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_cuts_between_extreme_or_adjacent_values(low, splitter):
    high = 1.7e308 if low == -1.7e308 else np.nextafter(low, np.inf)
    X, y = np.array([[low], [high]] * 4), np.array([0, 1] * 4)
    for seed in range(10):
        tree = DecisionTreeClassifier(splitter=splitter, random_state=seed).fit(X, y)
        assert low <= tree.tree_.threshold[0] < high
        np.testing.assert_array_equal(tree.predict(X), y)


# -- rules at their limits ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criterion", "order"), [("gini", 2.0), ("entropy", 2.0), ("renyi", 0.5), ("tsallis", 3.0)]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_gain_that_just_reaches_min_impurity_decrease_is_taken(criterion, order, weighted, rng):
    X, y = rng.random((97, 3)), rng.integers(0, 3, 97)
    w = rng.random(97) if weighted else None
    rules = {"criterion": criterion, "order": order, "max_depth": 1}
    tree = DecisionTreeClassifier(**rules).fit(X, y, w).tree_
    gain = tree.compute_feature_importances(normalize=False).sum()
    again = DecisionTreeClassifier(min_impurity_decrease=gain, **rules).fit(X, y, w)
    assert again.tree_.feature[0] == tree.feature[0]
    above = DecisionTreeClassifier(min_impurity_decrease=gain * (1 + 1e-9), **rules)
    assert above.fit(X, y, w).get_n_leaves() == 1


@pytest.mark.parametrize("estimator", [DecisionTreeClassifier, DecisionTreeRegressor])
@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("max_features", [None, 1])
def test_best_first_without_a_limit_is_depth_first(estimator, splitter, max_features, rng):
    """Random choices come from the seed and the place of the node, not from the order."""
    X, y = rng.integers(0, 50, (300, 4)).astype(float), rng.integers(0, 3, 300)
    rules = {"splitter": splitter, "max_features": max_features, "random_state": 5}
    equal_trees(
        estimator(max_leaf_nodes=10**6, **rules).fit(X, y).tree_,
        estimator(**rules).fit(X, y).tree_,
    )


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("max_features", [None, 2])
def test_a_shallow_tree_is_the_top_of_a_deep_one(splitter, max_features, rng):
    X, y = rng.random((300, 4)), rng.integers(0, 3, 300)
    rules = {"splitter": splitter, "max_features": max_features, "random_state": 5}
    deep = DecisionTreeClassifier(**rules).fit(X, y).tree_
    shallow = DecisionTreeClassifier(max_depth=4, **rules).fit(X, y).tree_
    pairs = [(0, 0)]
    while pairs:
        a, b = pairs.pop()
        assert shallow.n_node_samples[a] == deep.n_node_samples[b]
        if shallow.children_left[a] != -1:
            assert shallow.feature[a] == deep.feature[b]
            assert shallow.threshold[a] == deep.threshold[b]
            pairs.append((shallow.children_left[a], deep.children_left[b]))
            pairs.append((shallow.children_right[a], deep.children_right[b]))


# -- shapes of trees and targets ------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_chain_of_nodes(n_jobs):
    """Alternate labels are peeled off one by one: a tree as deep as it is long."""
    n = 4000
    X, y = np.arange(float(n))[:, None], np.arange(n) % 2
    tree = DecisionTreeClassifier(n_jobs=n_jobs).fit(X, y)
    assert tree.get_n_leaves() == n
    assert tree.get_depth() > n // 4
    check_tree(tree)
    np.testing.assert_array_equal(tree.predict(X), y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(tree)).predict(X), y)
    assert tree.decision_path(X[-3:]).sum() >= 3


@pytest.mark.parametrize("n_classes", [300, 70_000])
def test_more_classes_than_small_integers_hold(n_classes):
    y = np.arange(n_classes)[::-1]
    X = np.column_stack([y, y[::-1]]).astype(np.float32)
    tree = DecisionTreeClassifier(criterion="entropy", max_depth=2).fit(X, y)
    assert tree.get_n_leaves() == 4
    assert tree.n_classes_ == n_classes
    np.testing.assert_allclose(tree._tree.impurity[[0, 1, 2]], np.log2(n_classes) - [0, 1, 2])
    assert np.all(np.isin(tree.predict(X[::1000]), y))


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize(
    "shape", ["list", "column", "two equal columns", "Fortran", "strided", "pandas", "frame"]
)
def test_forms_of_y(kind, shape, rng):
    pandas = pytest.importorskip("pandas")
    X, y = rng.random((60, 2)), rng.integers(0, 3, 60)
    given = {
        "list": y.tolist(),
        "column": y[:, None],
        "two equal columns": np.column_stack([y, y]),
        "Fortran": np.asfortranarray(np.column_stack([y, y])),
        "strided": np.repeat(y, 2)[::2],
        "pandas": pandas.Series(y, index=np.arange(60)[::-1]),
        "frame": pandas.DataFrame({"a": y, "b": y}),
    }[shape]
    ours, theirs = {
        "classifier": (DecisionTreeClassifier(), rival.DecisionTreeClassifier(random_state=0)),
        "regressor": (DecisionTreeRegressor(), rival.DecisionTreeRegressor(random_state=0)),
    }[kind]
    ours.fit(X, given)
    theirs.fit(X, given)
    assert ours.n_outputs_ == theirs.n_outputs_
    assert ours.predict(X).shape == theirs.predict(X).shape
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("form", [list, tuple, np.float32, np.int64, "pandas", "strided"])
def test_forms_of_the_weights(form, rng):
    X, y, w = rng.random((60, 2)), rng.integers(0, 3, 60), rng.integers(0, 4, 60)
    if form == "pandas":
        given = pytest.importorskip("pandas").Series(w, index=np.arange(60)[::-1])
    elif form == "strided":
        given = np.repeat(w.astype(float), 3)[::3]
    elif form in (list, tuple):
        given = form(w.tolist())
    else:
        given = w.astype(form)
    expected = DecisionTreeClassifier().fit(X, y, w.astype(float))
    equal_trees(DecisionTreeClassifier().fit(X, y, given).tree_, expected.tree_)


def test_a_class_whose_weight_is_zero(rng):
    X, y = rng.random((60, 2)), rng.integers(0, 3, 60)
    tree = DecisionTreeClassifier(class_weight={0: 0.0, 1: 1.0, 2: 2.0}).fit(X, y)
    assert tree.predict_proba(X)[:, 0].max() == 0.0
    kept = y > 0
    assert tree.tree_.n_node_samples[0] == kept.sum()
    np.testing.assert_array_equal(tree.predict(X[kept]), y[kept])


@pytest.mark.parametrize("estimator", [DecisionTreeClassifier, DecisionTreeRegressor])
def test_weights_of_very_different_size(estimator, rng):
    X, y = rng.random((30, 2)), rng.integers(0, 3, 30)
    w = 10.0 ** rng.integers(-12, 13, 30)
    tree = estimator().fit(X, y, w)
    np.testing.assert_allclose(tree.predict(X), y, rtol=1e-9)
    assert tree.tree_.weighted_n_node_samples[0] == pytest.approx(w.sum(), rel=1e-12)


@pytest.mark.parametrize("y", [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0, 0.0], [2.0, 3.0, 0.0, 0.0]])
def test_poisson_makes_no_child_of_zeros(y):
    """Such a child would predict a rate of zero, which no later event can have."""
    X = np.arange(float(len(y)))[:, None]
    tree = DecisionTreeRegressor(criterion="poisson").fit(X, y)
    assert tree.predict(X).min() > 0.0
    walk(tree, X, y)


@pytest.mark.parametrize("y", [0.0, 0.1, 1e8 + 0.1, -3e-300, 1e150])
@pytest.mark.parametrize("criterion", ["squared_error", "gaussian_entropy", "absolute_error"])
def test_a_constant_target_has_no_impurity(criterion, y, rng):
    X = rng.random((7, 2))
    for target in (np.full(7, y), np.full((7, 2), y)):
        tree = DecisionTreeRegressor(criterion=criterion).fit(X, target, rng.random(7))
        np.testing.assert_array_equal(tree.tree_.impurity, [0.0])
        np.testing.assert_array_equal(tree.tree_.value.ravel(), y)


def test_a_constant_output_beside_another(rng):
    X, y = rng.random((30, 2)), rng.random(30)
    tree = DecisionTreeRegressor(criterion="gaussian_entropy", max_depth=3)
    alone = tree.fit(X, y).tree_
    beside = tree.fit(X, np.column_stack([y, np.full(30, 0.1)])).tree_
    np.testing.assert_array_equal(beside.threshold, alone.threshold)
    np.testing.assert_allclose(2.0 * beside.impurity, alone.impurity)


# -- tree_ ----------------------------------------------------------------------------------


def test_tree_is_genuinely_scikit_learns(class_table):
    X, y = class_table
    estimator = DecisionTreeClassifier(criterion="renyi", order=0.5).fit(X, y)
    tree = estimator.tree_
    assert type(tree) is Tree
    assert estimator.tree_ is tree
    X = X.astype(np.float32)
    np.testing.assert_array_equal(tree.apply(X), estimator.apply(X))
    np.testing.assert_allclose(tree.predict(X), estimator.predict_proba(X))
    assert (tree.decision_path(X) != estimator.decision_path(X)).nnz == 0
    expected = tree.compute_feature_importances()
    np.testing.assert_allclose(estimator.feature_importances_, expected)
    copy = pickle.loads(pickle.dumps(tree))
    equal_trees(copy, tree)
    counts = np.bincount(y)
    assert tree.impurity[0] == pytest.approx(class_impurity("renyi", 0.5, counts))


# -- large nodes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "plain",
        "weighted",
        pytest.param("missing", marks=needs_right_missing),
        "regression",
        "sparse",
    ],
)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_large_tables_agree_with_scikit_learn(kind, n_jobs, rng):
    """More rows than 16 bits count, columns of every kind, and the same tree as scikit-learn."""
    n = 70_000
    X = np.empty((n, 4), dtype=np.float32)
    X[:, 0] = rng.standard_normal(n)
    X[:, 1] = rng.integers(0, 40, n)
    X[:, 2] = np.where(rng.random(n) < 0.9, 0.0, rng.integers(1, 2000, n))
    X[:, 3] = rng.integers(0, 2, n)
    y = np.digitize(X[:, 0] + X[:, 1] / 20 + rng.standard_normal(n), [0.0, 2.0])
    w, rules = None, {"max_depth": 5, "min_samples_leaf": 50}
    ours, theirs = DecisionTreeClassifier, rival.DecisionTreeClassifier
    if kind == "weighted":
        w = rng.random(n)
    elif kind == "missing":
        X[rng.random(X.shape) < 0.1] = np.nan
    elif kind == "regression":
        y = np.exp(X[:, 0] / 4) + X[:, 1] * rng.random(n)
        ours, theirs = DecisionTreeRegressor, rival.DecisionTreeRegressor
    elif kind == "sparse":
        X = sp.csc_matrix(X)
    a = ours(n_jobs=n_jobs, **rules).fit(X, y, w)
    b = theirs(random_state=0, **rules).fit(X, y, w)
    check_tree(a)
    np.testing.assert_array_equal(a.tree_.feature, b.tree_.feature)
    np.testing.assert_allclose(a.tree_.threshold, b.tree_.threshold, rtol=1e-6)
    np.testing.assert_array_equal(a.tree_.n_node_samples, b.tree_.n_node_samples)
    np.testing.assert_allclose(a.tree_.impurity, b.tree_.impurity, rtol=1e-9)
    np.testing.assert_allclose(a.tree_.value, b.tree_.value, rtol=1e-9)
    np.testing.assert_array_equal(a.apply(X), b.apply(X))
