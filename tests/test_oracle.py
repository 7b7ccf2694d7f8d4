"""The oracle itself: published values, scikit-learn's impurities, scikit-learn's trees."""

import math

import numpy as np
import oracle
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tree_checks import _Walk
from versions import RELEASE, needs_right_medians

LN2 = math.log(2.0)

# Sixteen digits from 1000-digit arithmetic.
CLASS_VALUES = [
    ("entropy", 1.0, [50, 50, 50], 1.584962500721156),
    ("entropy", 1.0, [0, 0, 3], 0.0),
    ("entropy", 1.0, [2.0, 2.0, 4.0], 1.5),
    ("gini", 2.0, [1, 2, 3], 0.6111111111111111),
    ("misclassification", 2.0, [1, 2, 3], 0.5),
    ("renyi", 2.0, [1, 2, 3], 0.7527808710753529),
    ("renyi_mean", 300.0, [8, 4, 2, 1], 0.6307110295207767 / LN2),
    ("renyi_mean", 2.0, [6, 3, 1], 0.7765287894989964 / LN2),
    ("renyi_mean", 0.5, [6, 3, 1], 0.9876197382031388 / LN2),
    ("renyi_mean", math.inf, [6, 3, 1], 0.7369655941662062),
    ("tsallis", 2.0, [6, 3, 1], 0.54),
    ("tsallis", 0.5, [1] * 250000, 998.0),
]
TARGET_VALUES = [
    ("squared_error", [0.0, 1.0, 1.0, 3.0], 1.1875),
    ("gaussian_entropy", [0.0, 1.0, 1.0, 3.0], 1.504863661668002),
    ("poisson", [1.0, 2.0, 6.0], 0.7497801928250778),
    ("absolute_error", [1.0, 2.0, 6.0, 7.0], 2.5),
]


@pytest.mark.parametrize(("criterion", "order", "weights", "expected"), CLASS_VALUES)
def test_class_values(criterion, order, weights, expected):
    found = oracle.class_impurity(criterion, order, weights)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("criterion", "y", "expected"), TARGET_VALUES)
def test_target_values(criterion, y, expected):
    found = oracle.target_impurity(criterion, y, [1.0] * len(y))
    assert found == pytest.approx(expected, rel=1e-12)


def test_gaussian_gain_without_a_ridge():
    def total(y):
        return len(y) * oracle.target_impurity("gaussian_entropy", y, [1.0] * len(y))

    gain = total([0.0, 1.0, 1.0, 3.0]) - total([0.0, 1.0]) - total([1.0, 3.0])
    assert gain / 4.0 == pytest.approx(0.4324987187433023, rel=1e-12)


def _mean_gain(criterion, order, children):
    total = sum(map(sum, children))
    parent = [sum(column) for column in zip(*children, strict=True)]
    after = sum(sum(c) * oracle.class_impurity(criterion, order, c) for c in children)
    return oracle.class_impurity(criterion, order, parent) - after / total


@pytest.mark.parametrize(
    ("criterion", "order", "children", "expected"),
    [
        ("entropy", 1.0, [[3, 4], [6, 1]], 0.1518355013623416),
        ("renyi_mean", 10.0, [[1, 0], [1, 1]], -0.01168978758345372 / LN2),
        ("renyi_mean", 2.0, [[1, 0, 0], [5, 1, 1]], -0.0001885794597242569 / LN2),
        ("renyi_mean", math.inf, [[1, 0], [1, 1]], -0.05663301226513 / LN2),
    ],
)
def test_gains(criterion, order, children, expected):
    assert _mean_gain(criterion, order, children) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("children", "order", "expected"),
    [
        ([[1, 0], [1, 1]], 10.0, 0.03906688501107824),
        ([[8, 2, 0], [1, 4, 5]], 2.0, 0.423531504398203),
    ],
)
def test_additive_renyi_is_arimotos_conditional_entropy(children, order, expected):
    """Arimoto's entropy is order / (1 - order) * ln(1 - (order - 1) / order * R-norm)."""

    def linked(impurity):
        return order / (1.0 - order) * math.log(1.0 - (order - 1.0) / order * impurity)

    total = sum(map(sum, children))
    parent = [sum(column) for column in zip(*children, strict=True)]
    after = sum(sum(c) * oracle.r_norm(c, order) for c in children) / total
    gain = linked(oracle.r_norm(parent, order)) - linked(after)
    assert gain == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("family", ["renyi", "tsallis"])
def test_orders_next_to_one_approach_shannon(family):
    for order in (1.0 - 1e-6, 1.0 + 1e-6):
        found = oracle.class_impurity(family, order, [6, 3, 1])
        assert found == pytest.approx(0.897945724857, rel=1e-5)


def test_renyi_of_order_one_half_is_kearns_mansour_for_two_classes():
    for a, b in [(1, 1), (3, 1), (7, 2)]:
        expected = 2.0 * math.sqrt(a * b) / (a + b)
        assert oracle.r_norm([a, b], 0.5) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_impurity_is_scikit_learns(criterion, weighted, rng):
    y = rng.integers(0, 4, 50)
    w = rng.random(50) if weighted else np.ones(50)
    tree = DecisionTreeClassifier(criterion=criterion, max_depth=1).fit(y[:, None], y, w).tree_
    counts = np.bincount(y, w)
    assert oracle.class_impurity(criterion, 1.0, counts) == pytest.approx(tree.impurity[0])


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("weighted", [False, True])
def test_target_impurity_is_scikit_learns(criterion, weighted, rng):
    y = rng.random(50)
    w = rng.random(50) if weighted else np.ones(50)
    tree = DecisionTreeRegressor(criterion=criterion, max_depth=1).fit(y[:, None], y, w).tree_
    found = oracle.target_impurity(criterion, y.tolist(), w.tolist())
    assert found == pytest.approx(tree.impurity[0], rel=1e-10)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "criterion",
    [
        "gini",
        "entropy",
        "squared_error",
        pytest.param("absolute_error", marks=needs_right_medians),
    ],
)
def test_walk_accepts_scikit_learns_trees(criterion, seed):
    """Values are quarters, so that nothing is lost in scikit-learn's float32."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(5, 28)), int(rng.integers(1, 4))
    X = rng.integers(0, 8, (n, d)) / 4.0
    if seed % 3 == 0 and criterion != "absolute_error" and RELEASE >= (1, 9):
        X[rng.random((n, d)) < 0.2] = np.nan
    w = [None, rng.integers(0, 3, n) + np.eye(n)[0], rng.random(n)][seed % 3]
    rules = {
        "criterion": criterion,
        "max_depth": [None, 3][seed % 2],
        "min_samples_leaf": [1, 2, 0.1][seed % 3],
        "min_weight_fraction_leaf": [0.0, 0.05][seed % 2],
        "min_impurity_decrease": [0.0, 0.01][seed // 4 % 2],
        "max_leaf_nodes": [None, 4][seed // 3 % 2],
        "random_state": 0,
    }
    if criterion in ("gini", "entropy"):
        y = rng.integers(0, 3, n) if seed % 4 else rng.integers(0, 3, (n, 2))
        tree = DecisionTreeClassifier(**rules).fit(X, y, w)
    else:
        y = rng.integers(0, 5, n).astype(float)
        rules["monotonic_cst"] = rng.integers(-1, 2, d).tolist() if seed % 3 else None
        tree = DecisionTreeRegressor(**rules).fit(X, y, w)
    # scikit-learn's impurities of pure nodes are off by rounding, here is no place to mind.
    tree.tree_.impurity[np.abs(tree.tree_.impurity) < 1e-14] = 0.0
    _Walk(tree, oracle.problem_of(tree, X, y, w)).run()


def test_walk_refuses_a_worse_split():
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 0, 1]
    tree = DecisionTreeClassifier(max_depth=1).fit(X, y)
    other = DecisionTreeClassifier(max_depth=1).fit(X, [0, 0, 1, 1])
    problem = oracle.problem_of(tree, X, y)
    _Walk(tree, problem).run()
    tree.tree_ = other.tree_
    with pytest.raises(AssertionError):
        _Walk(tree, problem).run()


def test_walk_refuses_an_early_stop():
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
    tree = DecisionTreeClassifier(max_depth=1).fit(X, y)
    tree.set_params(max_depth=None)
    with pytest.raises(AssertionError, match="stopped without a reason"):
        _Walk(tree, oracle.problem_of(tree, X, y)).run()
