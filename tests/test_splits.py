"""Every node of every tree against brute force: no cut that is allowed gains more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_matrix
from strategies import CLASS_CRITERIA, TARGET_CRITERIA, labels, rules, tables, targets, weights
from tree_checks import walk

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

pytestmark = pytest.mark.filterwarnings("ignore:.*renyi_mean")

CLASS_IDS = [f"{name}-{order}" for name, order in CLASS_CRITERIA]
SIGNS = st.lists(st.sampled_from([-1, 0, 1, 1]), min_size=3, max_size=3)


def check_classifier(data, n_outputs=1, max_classes=4, **parameters):
    """Draw a table of classes and rules, and hold a tree of it against brute force."""
    X = data.draw(tables(max_rows=24 if n_outputs == 1 else 14))
    y = data.draw(labels(len(X), n_outputs, max_classes))
    w = data.draw(weights(len(X)))
    check(DecisionTreeClassifier(**parameters), data, X, y, w)


def check_regressor(data, n_outputs=1, **parameters):
    """Draw a table of targets and rules, and hold a tree of it against brute force."""
    X = data.draw(tables(max_rows=24 if n_outputs == 1 else 14))
    y = data.draw(targets(len(X), n_outputs, positive=parameters["criterion"] == "poisson"))
    w = data.draw(weights(len(X)))
    if w is not None:
        w[0] += 1.0
    check(DecisionTreeRegressor(**parameters), data, X, y, w)


def check(tree, data, X, y, w):
    """Fit under drawn rules, and hold the tree against brute force."""
    if tree.monotonic_cst is not None:
        tree.monotonic_cst = tree.monotonic_cst[: X.shape[1]]
    tree.set_params(**data.draw(rules()))
    walk(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
@given(data=st.data())
def test_classifier(criterion, order, data):
    check_classifier(data, criterion=criterion, order=order)


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
@given(data=st.data())
def test_regressor(criterion, data):
    check_regressor(data, criterion=criterion)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA[::3], ids=CLASS_IDS[::3])
@given(data=st.data())
def test_classifier_of_two_outputs(criterion, order, data):
    check_classifier(data, n_outputs=2, criterion=criterion, order=order)


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
@given(data=st.data())
def test_regressor_of_two_outputs(criterion, data):
    check_regressor(data, n_outputs=2, criterion=criterion)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA[::2], ids=CLASS_IDS[::2])
@given(data=st.data())
def test_classifier_with_monotone_constraints(criterion, order, data):
    signs = data.draw(SIGNS)
    check_classifier(data, max_classes=2, criterion=criterion, order=order, monotonic_cst=signs)


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
@given(data=st.data())
def test_regressor_with_monotone_constraints(criterion, data):
    check_regressor(data, criterion=criterion, monotonic_cst=data.draw(SIGNS))


@pytest.mark.parametrize(("criterion", "order"), [("gini", 2.0), ("renyi", 0.5), ("entropy", 2.0)])
@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 2.5, 2: 0.5, 3: 7.0}])
@given(data=st.data())
def test_class_weight(criterion, order, class_weight, data):
    X = data.draw(tables())
    y = np.concatenate([np.arange(4), data.draw(labels(len(X)))])[: len(X)]
    w = data.draw(weights(len(X)))
    if isinstance(class_weight, dict):
        class_weight = {k: class_weight[k] for k in np.unique(y)}
    tree = DecisionTreeClassifier(
        criterion=criterion, order=order, class_weight=class_weight, **data.draw(rules())
    )
    walk(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize("criterion", ["gini", "renyi", "misclassification"])
@given(data=st.data(), seed=st.integers(0, 5))
def test_random_splitter_of_a_classifier(criterion, data, seed):
    """The walk checks that cuts are allowed and statistics right; the cut itself is random."""
    check_classifier(data, criterion=criterion, splitter="random", random_state=seed)


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
@given(data=st.data(), seed=st.integers(0, 5))
def test_random_splitter_of_a_regressor(criterion, data, seed):
    check_regressor(data, criterion=criterion, splitter="random", random_state=seed)


@given(data=st.data(), seed=st.integers(0, 5), max_features=st.sampled_from([1, 2, "sqrt"]))
def test_drawn_features(data, seed, max_features):
    """With fewer features drawn, the chosen cut is still the best of its own feature."""
    X = data.draw(tables())
    y = data.draw(labels(len(X)))
    w = data.draw(weights(len(X)))
    tree = DecisionTreeClassifier(
        max_features=min(max_features, X.shape[1]) if isinstance(max_features, int) else "sqrt",
        random_state=seed,
        **data.draw(rules()),
    )
    walk(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
@pytest.mark.parametrize("kind", ["continuous", "small integers", "missing", "weighted"])
def test_larger_table(criterion, order, kind, rng):
    """Nodes of some hundred rows take other paths through the core than small ones."""
    X, w = _larger_table(kind, rng)
    y = (X[:, 0] > 0.3).astype(int) + (rng.random(len(X)) < 0.3)
    tree = DecisionTreeClassifier(criterion=criterion, order=order, max_depth=2)
    walk(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
@pytest.mark.parametrize("kind", ["continuous", "small integers", "missing", "weighted"])
def test_larger_table_of_targets(criterion, kind, rng):
    X, w = _larger_table(kind, rng)
    y = np.where(np.isnan(X[:, 0]), 0.5, X[:, 0]) ** 2 + rng.poisson(1.0, len(X))
    tree = DecisionTreeRegressor(criterion=criterion, max_depth=2)
    walk(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
@pytest.mark.parametrize("kind", ["continuous", "small integers", "missing", "weighted"])
def test_larger_table_of_two_outputs(criterion, order, kind, rng):
    """Cuts are screened in blocks of 256 entries before they are scored."""
    X, w = _larger_table(kind, rng, 300)
    y = np.c_[(X[:, 0] > 0.3).astype(int) + (rng.random(len(X)) < 0.3), X[:, 1] > rng.random(300)]
    tree = DecisionTreeClassifier(criterion=criterion, order=order, max_depth=1)
    walk(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("kind", ["continuous", "small integers", "weighted"])
def test_larger_table_with_constraints(sign, kind, rng):
    X, w = _larger_table(kind, rng, 300)
    noisy = X[:, 0] / X[:, 0].max() + rng.normal(size=300)
    for y, tree in (
        (noisy > 0.5, DecisionTreeClassifier(monotonic_cst=[sign, 0], max_depth=2)),
        (noisy, DecisionTreeRegressor(monotonic_cst=[sign, 0], max_depth=2)),
    ):
        walk(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize("criterion", ["squared_error", "poisson"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_constraints_where_values_are_missing_or_not_stored(sign, criterion, rng):
    """The best of all cuts disobeys half of the time; zeros make it pass over the default value."""
    X = np.round(rng.normal(size=(400, 2)), 1)
    X[rng.random(X.shape) < 0.5] = 0.0
    y = 5.0 + X[:, 0] + rng.random(400)
    tree = DecisionTreeRegressor(criterion=criterion, monotonic_cst=[sign, 0], max_depth=3)
    dense = tree.fit(X, y).tree_
    walk(tree, X, y)
    sparse = tree.fit(csc_matrix(X), y).tree_
    np.testing.assert_array_equal(sparse.feature, dense.feature)
    np.testing.assert_array_equal(sparse.threshold, dense.threshold)
    X[rng.random(X.shape) < 0.2] = np.nan
    walk(tree.fit(X, y), X, y)


# In norms of high order all but the largest class drown: cuts are alike up to rounding.
@pytest.mark.parametrize(("criterion", "order"), [c for c in CLASS_CRITERIA if c[1] <= 3.0])
@pytest.mark.parametrize("kind", ["continuous", "small integers", "missing"])
def test_quarters_of_weights_in_larger_tables(criterion, order, kind, rng):
    X, _ = _larger_table(kind, rng, 1500)
    y = np.digitize(np.nan_to_num(X[:, 0]) + rng.normal(size=1500), [0.0, 0.5, 1.0])
    w = rng.integers(1, 4, 1500).astype(float)
    whole, quarters = (
        DecisionTreeClassifier(criterion=criterion, order=order, min_samples_leaf=30).fit(
            X, y, units
        )
        for units in (w, w / 4.0)
    )
    for name in ("children_left", "feature", "threshold", "n_node_samples"):
        np.testing.assert_array_equal(getattr(whole.tree_, name), getattr(quarters.tree_, name))


def _larger_table(kind, rng, n_rows=160):
    X = rng.random((n_rows, 2))
    if kind == "small integers":
        X = np.floor(20.0 * X)
    elif kind == "missing":
        X[rng.random(X.shape) < 0.2] = np.nan
    return X, rng.random(len(X)) if kind == "weighted" else None


@pytest.mark.parametrize("params", [{"criterion": "misclassification"}, {"criterion": "gini"}])
@given(data=st.data(), X=tables(max_rows=60))
def test_weights_in_quarters_grow_the_same_tree(params, data, X):
    # Quarters are no whole numbers: their cuts are scored one by one, from all classes.
    y = data.draw(labels(len(X)))
    w = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(X), max_size=len(X))))
    least = data.draw(st.sampled_from([1, 1, 4]))
    whole, quarters = (
        DecisionTreeClassifier(random_state=0, min_samples_leaf=least, **params).fit(X, y, units)
        for units in (w.astype(float), w / 4.0)
    )
    for name in ("children_left", "feature", "threshold", "n_node_samples", "impurity"):
        np.testing.assert_array_equal(getattr(whole.tree_, name), getattr(quarters.tree_, name))
