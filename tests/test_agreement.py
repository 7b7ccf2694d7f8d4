"""Node by node agreement with scikit-learn where no tie decides.

Columns are continuous and rounded to float32, so that scikit-learn loses nothing.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import tree as rival
from tree_checks import check_tree, equal_trees
from versions import needs_right_medians, needs_right_missing

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

N_ROWS = 400
# Deep enough for every rule to matter, and few nodes so small that features tie.
SHALLOW = {"max_depth": 5, "min_samples_leaf": 12}


@pytest.fixture
def table(rng):
    """X, class labels of three classes, positive targets, weights."""
    X = rng.standard_normal((N_ROWS, 6)).astype(np.float32).astype(np.float64)
    score = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.standard_normal(N_ROWS)
    labels = np.digitize(score, [-0.7, 0.7])
    targets = np.exp(0.5 * score) + rng.random(N_ROWS)
    return X, labels, targets, rng.random(N_ROWS) + 0.1


def _with_missing(X, rng):
    X = X.copy()
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


def assert_same_tree(ours, theirs):
    """Compare two trees node by node, and return how many nodes a tie decided.

    Where the splits differ but gain the same, the choice is a matter of taste, and what lies
    below is another problem: the comparison ends there.
    """
    check_tree(ours)
    mine, other = ours.tree_, theirs.tree_
    n_ties, n_compared, pending = 0, 0, [(0, 0)]
    while pending:
        a, b = pending.pop()
        n_compared += 1
        assert mine.n_node_samples[a] == other.n_node_samples[b]
        for name in ("impurity", "weighted_n_node_samples", "value"):
            found, expected = getattr(mine, name)[a], getattr(other, name)[b]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=name)
        if mine.impurity[a] == 0.0:
            # scikit-learn may split a pure node, whose impurity it rounds to more than nothing.
            n_ties += other.children_left[b] != -1
            assert mine.children_left[a] == -1
        elif mine.children_left[a] == -1 or other.children_left[b] == -1:
            assert mine.children_left[a] == other.children_left[b]
        elif _splits_alike(mine, a, other, b):
            pending.append((mine.children_left[a], other.children_left[b]))
            pending.append((mine.children_right[a], other.children_right[b]))
        else:
            room = 1e-9 * mine.weighted_n_node_samples[a] * mine.impurity[a]
            assert abs(_gain(mine, a) - _gain(other, b)) <= room, f"node {a} is no tie"
            n_ties += 1
    if not n_ties:
        assert mine.node_count == other.node_count
        assert mine.max_depth == other.max_depth
    assert n_compared >= min(3, mine.node_count)
    return n_ties


def _splits_alike(mine, a, other, b):
    missing = mine.missing_go_to_left[a] == other.missing_go_to_left[b]
    close = np.isclose(mine.threshold[a], other.threshold[b], rtol=1e-9, atol=0.0)
    return mine.feature[a] == other.feature[b] and missing and close


def _gain(tree, node):
    term = tree.weighted_n_node_samples * tree.impurity
    return term[node] - term[tree.children_left[node]] - term[tree.children_right[node]]


def _both(kind, X, y, sample_weight=None, **rules):
    """Fit both, compare; where no tie decided anything, compare what they predict too."""
    ours, theirs = {
        "classifier": (DecisionTreeClassifier, rival.DecisionTreeClassifier),
        "regressor": (DecisionTreeRegressor, rival.DecisionTreeRegressor),
    }[kind]
    a = ours(**rules).fit(X, y, sample_weight)
    b = theirs(random_state=0, **rules).fit(X, y, sample_weight)
    if assert_same_tree(a, b) == 0:
        np.testing.assert_allclose(a.predict(X), b.predict(X), rtol=1e-9)
        np.testing.assert_array_equal(np.diff(a.apply(X)) != 0, np.diff(b.apply(X)) != 0)
        np.testing.assert_allclose(
            a.feature_importances_, b.feature_importances_, rtol=1e-9, atol=1e-12
        )
        if kind == "classifier":
            np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-9)
    return a, b


REGRESSION = [
    "squared_error",
    pytest.param("absolute_error", marks=needs_right_medians),
    "poisson",
]
RULES = [
    {},
    {"max_depth": 2},
    {"max_depth": 1},
    {"min_samples_split": 60},
    {"min_samples_split": 0.2},
    {"min_samples_leaf": 0.07},
    {"min_weight_fraction_leaf": 0.08},
    {"min_impurity_decrease": 0.004},
    {"max_leaf_nodes": 7},
    {"max_leaf_nodes": 5, "min_impurity_decrease": 0.001},
    {"ccp_alpha": 0.01},
]


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("criterion", ["gini", "entropy", "log_loss"])
@pytest.mark.parametrize("weighted", [False, True])
def test_classifier(criterion, rules, weighted, table):
    X, y, _, w = table
    rules = SHALLOW | rules
    _both("classifier", X, y, w if weighted else None, criterion=criterion, **rules)


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("criterion", REGRESSION)
@pytest.mark.parametrize("weighted", [False, True])
def test_regressor(criterion, rules, weighted, table):
    X, _, y, w = table
    rules = SHALLOW | rules
    _both("regressor", X, y, w if weighted else None, criterion=criterion, **rules)


@needs_right_missing
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_with_missing_values(criterion, weighted, table, rng):
    X, y, _, w = table
    X = _with_missing(X, rng)
    w = w if weighted else None
    rules = {"criterion": criterion, "max_depth": 3, "min_samples_leaf": 30}
    a, b = _both("classifier", X, y, w, **rules)
    unseen = _with_missing(rng.standard_normal((200, 6)), rng)
    np.testing.assert_array_equal(a.apply(unseen), b.apply(unseen))


@needs_right_missing
@pytest.mark.parametrize("criterion", ["squared_error", "poisson"])
def test_regressor_with_missing_values(criterion, table, rng):
    X, _, y, w = table
    _both("regressor", _with_missing(X, rng), y, w, criterion=criterion, **SHALLOW)


@needs_right_missing
def test_only_missing_values_matter(table, rng):
    """The best cut sends the missing values right and everything else left."""
    X, _, _, _ = table
    X = X[:, :2].copy()
    y = rng.random(N_ROWS) < 0.4
    X[y, 1] = np.nan
    a, b = _both("classifier", X, y, max_depth=3)
    assert a.tree_.threshold[0] == b.tree_.threshold[0] == np.inf
    np.testing.assert_array_equal(a.predict(X), y)


def test_missing_value_at_predict_alone_goes_to_the_larger_child(table):
    X, y, _, _ = table
    a, b = _both("classifier", X, y, max_depth=3)
    unseen = np.where(np.eye(6, dtype=bool), np.nan, X[:6])
    # scikit-learn accepts NaN at predict whatever it saw at fit.
    np.testing.assert_array_equal(a.apply(unseen), b.apply(unseen))


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 4.0, 2: 0.3}])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weight(class_weight, weighted, table):
    X, y, _, w = table
    w = w if weighted else None
    _both("classifier", X, y, w, class_weight=class_weight, **SHALLOW)


def test_class_weight_of_two_outputs(table):
    X, y, _, _ = table
    both = np.column_stack([y, y > 0])
    class_weight = [{0: 1.0, 1: 2.0, 2: 3.0}, {0: 1.0, 1: 0.5}]
    a = DecisionTreeClassifier(class_weight=class_weight, **SHALLOW).fit(X, both)
    b = rival.DecisionTreeClassifier(class_weight=class_weight, random_state=0, **SHALLOW)
    assert_same_tree(a, b.fit(X, both))


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_classifier_of_many_outputs(criterion, table, rng):
    X, y, _, w = table
    outputs = np.column_stack([y, X[:, 3] > 0, np.digitize(X[:, 4], [-1, 0, 1])])
    rules = SHALLOW | {"max_depth": 3}
    a = DecisionTreeClassifier(criterion=criterion, **rules).fit(X, outputs, w)
    b = rival.DecisionTreeClassifier(criterion=criterion, random_state=0, **rules)
    b.fit(X, outputs, w)
    assert assert_same_tree(a, b) == 0
    for mine, other in zip(a.predict_proba(X), b.predict_proba(X), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)
    np.testing.assert_array_equal(a.predict(X), b.predict(X))
    np.testing.assert_array_equal(a.n_classes_, b.n_classes_)


@pytest.mark.parametrize("criterion", REGRESSION)
def test_regressor_of_many_outputs(criterion, table):
    X, _, y, w = table
    outputs = np.column_stack([y, np.abs(X[:, 3]), y**2])
    _both("regressor", X, outputs, w, criterion=criterion, **SHALLOW)


@pytest.mark.parametrize("signs", [[1, 0, 0, 0, 0, 0], [-1, 1, 0, 1, 0, 0], [-1, -1, -1, 1, 1, 1]])
@pytest.mark.parametrize("max_leaf_nodes", [None, 8])
def test_monotone_classifier(signs, max_leaf_nodes, table):
    X, y, _, w = table
    rules = SHALLOW | {"monotonic_cst": signs, "max_leaf_nodes": max_leaf_nodes}
    _both("classifier", X, y > 0, w, **rules)


@pytest.mark.parametrize("signs", [[1, 0, 0, 0, 0, 0], [-1, 1, 0, 1, 0, 0], [-1, -1, -1, 1, 1, 1]])
@pytest.mark.parametrize("criterion", REGRESSION)
def test_monotone_regressor(criterion, signs, table):
    X, _, y, w = table
    _both("regressor", X, y, w, criterion=criterion, monotonic_cst=signs, **SHALLOW)


@needs_right_missing
def test_monotone_with_missing_values(table, rng):
    X, labels, y, w = table
    X = _with_missing(X, rng)
    rules = SHALLOW | {"monotonic_cst": [1, -1, 0, 0, 1, 0]}
    _both("regressor", X, y, w, **rules)
    _both("classifier", X, labels > 0, w, **rules)


@pytest.mark.parametrize("form", [sp.csc_matrix, sp.csr_matrix, sp.csc_array, sp.csr_array])
def test_sparse_equals_dense_and_scikit_learn(form, table, rng):
    X, y, targets, w = table
    X = np.where(rng.random(X.shape) < 0.6, 0.0, X)
    for kind, goal in (("classifier", y), ("regressor", targets)):
        a, _ = _both(kind, form(X), goal, w, **SHALLOW)
        dense = type(a)(**SHALLOW).fit(X, goal, w)
        equal_trees(a.tree_, dense.tree_)
        np.testing.assert_array_equal(a.predict(form(X)), dense.predict(X))
        np.testing.assert_array_equal(a.apply(form(X)), dense.apply(X))


def test_to_purity_the_same_training_accuracy(class_table):
    """Ties between features are many here; what may differ is the choice, not the fit."""
    X, y = class_table
    a = DecisionTreeClassifier().fit(X, y)
    b = rival.DecisionTreeClassifier(random_state=0).fit(X, y)
    check_tree(a)
    assert a.score(X, y) == b.score(X, y)
    assert a.tree_.impurity[0] == pytest.approx(b.tree_.impurity[0])


def test_zero_weights_are_no_samples(table):
    X, y, _, w = table
    w = np.where(np.arange(N_ROWS) % 3 == 0, 0.0, w)
    a, _ = _both("classifier", X, y, w, **SHALLOW)
    kept = DecisionTreeClassifier(**SHALLOW).fit(X[w > 0], y[w > 0], w[w > 0])
    assert assert_same_tree(a, kept) == 0
    assert a.tree_.n_node_samples[0] == np.count_nonzero(w)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_pruning_path(criterion, table):
    X, y, _, w = table
    rules = {"max_depth": 4, "min_samples_leaf": 25, "criterion": criterion}
    mine = DecisionTreeClassifier(**rules).cost_complexity_pruning_path(X, y, w)
    other = rival.DecisionTreeClassifier(random_state=0, **rules)
    other = other.cost_complexity_pruning_path(X, y, w)
    np.testing.assert_allclose(mine.ccp_alphas, other.ccp_alphas, atol=1e-12)
    np.testing.assert_allclose(mine.impurities, other.impurities, rtol=1e-9)
    for alpha in mine.ccp_alphas[1:-1:3] + 1e-9:
        _both("classifier", X, y, w, ccp_alpha=alpha, **rules)


@pytest.mark.parametrize("order", [0.5, 2.0, 10.0])
def test_pruning_path_of_a_renyi_tree(order, table):
    """Alphas never fall, impurities never fall, and pruning at the last leaves the root."""
    X, y, _, w = table
    tree = DecisionTreeClassifier(criterion="renyi", order=order)
    path = tree.cost_complexity_pruning_path(X, y, w)
    assert np.all(np.diff(path.ccp_alphas) >= 0)
    assert np.all(np.diff(path.impurities) >= -1e-12)
    tree.set_params(ccp_alpha=path.ccp_alphas[-1] + 1e-9).fit(X, y, w)
    assert tree.get_n_leaves() == 1


def test_friedman_mse_is_squared_error(table):
    X, _, y, w = table
    with pytest.warns(FutureWarning, match="friedman_mse"):
        a = DecisionTreeRegressor(criterion="friedman_mse", **SHALLOW).fit(X, y, w)
    equal_trees(a.tree_, DecisionTreeRegressor(**SHALLOW).fit(X, y, w).tree_)


def test_decision_path_and_methods(table):
    X, y, _, w = table
    a, b = _both("classifier", X, y, w, max_depth=3)
    assert (a.decision_path(X) != b.decision_path(X)).nnz == 0
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(a.predict_log_proba(X), b.predict_log_proba(X), rtol=1e-9)
    assert a.get_depth() == b.get_depth()
    assert a.get_n_leaves() == b.get_n_leaves()
    np.testing.assert_array_equal(a.classes_, b.classes_)
    assert a.max_features_ == b.max_features_


def test_parameters_are_scikit_learns_and_four_more():
    for ours, theirs in (
        (DecisionTreeClassifier, rival.DecisionTreeClassifier),
        (DecisionTreeRegressor, rival.DecisionTreeRegressor),
    ):
        mine, other = ours().get_params(), theirs().get_params()
        extra = {"max_bins": None, "n_jobs": None, "device": "cpu"}
        if ours is DecisionTreeClassifier:
            extra["order"] = 2.0
        assert mine == other | extra
        assert issubclass(ours, theirs)


@pytest.mark.parametrize(
    "names",
    [
        np.array(["low", "middle", "high"]),
        np.array(["low", "middle", "high"], dtype=object),
        np.array([-7, 0, 10**12]),
        np.array([5, 7, 200], dtype=np.uint8),
        np.array([1.0, 2.0, 3.0]),
    ],
    ids=lambda names: names.dtype.name,
)
def test_labels_of_every_kind(names, table):
    X, y, _, _ = table
    a, b = (
        DecisionTreeClassifier(**SHALLOW).fit(X, names[y]),
        rival.DecisionTreeClassifier(random_state=0, **SHALLOW).fit(X, names[y]),
    )
    np.testing.assert_array_equal(a.classes_, b.classes_)
    assert a.classes_.dtype == b.classes_.dtype
    assert a.predict(X).dtype == b.predict(X).dtype
    assert a.score(X, names[y]) == b.score(X, names[y])


def test_boolean_labels(table):
    X, y, _, _ = table
    tree = DecisionTreeClassifier(**SHALLOW).fit(X, y > 0)
    assert tree.predict(X).dtype == bool
