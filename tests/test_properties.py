"""What must not change a tree, and what decides where several cuts are equally good."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import class_impurity
from strategies import CLASS_CRITERIA, TARGET_CRITERIA, labels, tables, targets
from tree_checks import check_tree, equal_trees, rows_of_nodes

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

pytestmark = pytest.mark.filterwarnings("ignore:.*renyi_mean")

CLASS_IDS = [f"{name}-{order}" for name, order in CLASS_CRITERIA]
SOME_CRITERIA = [("gini", 2.0), ("entropy", 2.0), ("renyi", 0.5), ("tsallis", 3.0)]


def _structure(tree):
    return [
        getattr(tree.tree_, name).tolist()
        for name in ("children_left", "children_right", "feature", "n_node_samples")
    ]


# -- ties -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
def test_lowest_feature_wins_among_equal_columns(criterion, order, rng):
    X = rng.integers(0, 9, (80, 1)).astype(float)
    X = np.hstack([X, X, -X, np.exp(X), 3 * X + 1])
    y = rng.integers(0, 3, 80)
    tree = DecisionTreeClassifier(criterion=criterion, order=order).fit(X, y).tree_
    assert set(tree.feature) <= {0, -2}


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
def test_lowest_feature_wins_among_equal_columns_of_a_regressor(criterion, rng):
    X = rng.integers(0, 9, (80, 1)).astype(float)
    X = np.hstack([X, X, -X, np.exp(X), 3 * X + 1])
    y = rng.integers(1, 5, 80).astype(float)
    tree = DecisionTreeRegressor(criterion=criterion).fit(X, y).tree_
    assert set(tree.feature) <= {0, -2}


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
@pytest.mark.parametrize("y", [[0, 1, 1, 0], [0, 0, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 1]], ids=str)
def test_lowest_threshold_wins_in_symmetric_labels(criterion, order, y):
    X = np.arange(float(len(y)))[:, None]
    tree = DecisionTreeClassifier(criterion=criterion, order=order, max_depth=1).fit(X, y).tree_
    if tree.node_count == 1:
        assert criterion == "renyi_mean"
        return
    assert tree.threshold[0] < (len(y) - 1) / 2.0


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_lowest_threshold_wins_in_symmetric_targets(criterion):
    y = [1.0, 5.0, 5.0, 5.0, 5.0, 1.0]
    X = np.arange(6.0)[:, None]
    tree = DecisionTreeRegressor(criterion=criterion, max_depth=1).fit(X, y).tree_
    assert tree.threshold[0] == 0.5


@pytest.mark.parametrize(("criterion", "order"), SOME_CRITERIA)
def test_missing_values_go_right_where_both_sides_are_equal(criterion, order):
    X = np.array([[0.0], [1.0], [np.nan], [np.nan]])
    tree = DecisionTreeClassifier(criterion=criterion, order=order, max_depth=1)
    tree.fit(X, [0, 1, 0, 1])
    assert tree.tree_.threshold[0] == 0.5
    assert not tree.tree_.missing_go_to_left[0]


@pytest.mark.parametrize(
    ("criterion", "order"), [("misclassification", 2.0), ("renyi", np.inf), ("renyi", 50.0)]
)
@pytest.mark.parametrize("swap", [False, True])
def test_shannon_decides_among_cuts_of_equal_error(criterion, order, swap):
    """Breiman's pair: (300, 100) + (100, 300) and (200, 400) + (200, 0) err on a quarter."""
    first = np.repeat([0, 1, 0, 1], [300, 100, 100, 300])
    y = first
    column = np.repeat([0.0, 1.0], 400)
    other = np.zeros(800)
    other[np.flatnonzero(y == 0)[:200]] = 1.0
    X = np.column_stack([other, column] if swap else [column, other])
    tree = DecisionTreeClassifier(criterion=criterion, order=order, max_depth=1).fit(X, y)
    assert tree.tree_.feature[0] == (0 if swap else 1)
    assert tree.tree_.n_node_samples.tolist() == [800, 600, 200]


# -- zero gains -----------------------------------------------------------------------------


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
def test_exclusive_or_is_learnt_through_a_gain_of_zero(criterion, order):
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5, dtype=float)
    y = np.array([0, 1, 1, 0] * 5)
    tree = DecisionTreeClassifier(criterion=criterion, order=order).fit(X, y)
    assert tree.score(X, y) == 1.0
    assert tree.tree_.feature[0] == 0


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
def test_exclusive_or_of_targets(criterion):
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5, dtype=float)
    y = np.array([1.0, 3.0, 3.0, 1.0] * 5)
    tree = DecisionTreeRegressor(criterion=criterion).fit(X, y)
    np.testing.assert_array_equal(tree.predict(X), y)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
def test_only_the_mean_of_renyi_entropies_leaves_separable_rows_together(criterion, order):
    """Labels 0, 1, 0 at order 10: every cut of the literature's rule gains less than nothing."""
    X = np.arange(3.0)[:, None]
    tree = DecisionTreeClassifier(criterion=criterion, order=order).fit(X, [0, 1, 0])
    stuck = criterion == "renyi_mean" and order >= 10.0
    assert tree.get_n_leaves() == (1 if stuck else 3)


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize(("criterion", "order"), SOME_CRITERIA)
@given(data=st.data(), seed=st.integers(0, 3))
def test_growth_ends_when_classes_or_values_do(criterion, order, splitter, data, seed):
    """Without rules that stop it a leaf is pure, or its rows are equal."""
    X = data.draw(tables())
    assume(not np.isnan(X).any() or splitter == "best")
    y = data.draw(labels(len(X)))
    tree = DecisionTreeClassifier(
        criterion=criterion, order=order, splitter=splitter, random_state=seed
    ).fit(X, y)
    for node, rows in rows_of_nodes(tree.tree_, X, range(len(X))).items():
        if tree.tree_.children_left[node] == -1 and len(set(y[rows])) > 1:
            # Repr tells NaN from numbers, and takes it for equal to itself.
            assert len({repr(X[row].tolist()) for row in rows}) == 1


# -- what must not matter -------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2.0**-200, 2.0**-30, 2.0**30, 2.0**200])
@pytest.mark.parametrize(("criterion", "order"), SOME_CRITERIA)
@given(data=st.data())
def test_scale_of_the_weights(criterion, order, scale, data):
    X, rules = data.draw(tables()), {"criterion": criterion, "order": order}
    y = data.draw(labels(len(X)))
    quarters = st.integers(1, 9).map(lambda k: k / 4.0)
    w = np.array(data.draw(st.lists(quarters, min_size=len(X), max_size=len(X))))
    expected = DecisionTreeClassifier(**rules).fit(X, y, w)
    scaled = DecisionTreeClassifier(**rules).fit(X, y, w * scale)
    check_tree(scaled)
    assert _structure(scaled) == _structure(expected)
    np.testing.assert_allclose(scaled.tree_.impurity, expected.tree_.impurity, rtol=1e-9)


@pytest.mark.parametrize("scale", [2.0**-300, 2.0**-20, 2.0**20, 2.0**300])
@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
@given(data=st.data())
def test_scale_of_the_targets(criterion, scale, data):
    X = data.draw(tables())
    y = data.draw(targets(len(X), positive=criterion == "poisson"))
    expected = DecisionTreeRegressor(criterion=criterion, max_depth=2).fit(X, y)
    scaled = DecisionTreeRegressor(criterion=criterion, max_depth=2).fit(X, y * scale)
    check_tree(scaled)
    assert _structure(scaled) == _structure(expected)
    np.testing.assert_allclose(scaled.predict(X), expected.predict(X) * scale, rtol=1e-9)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
def test_whole_weights_are_repeated_rows(criterion, order, rng):
    """Continuous columns: no two cuts tie before the classes are told apart."""
    X, y = rng.random((120, 3)), rng.integers(0, 3, 120)
    times = rng.integers(0, 4, 120)
    rules = {"criterion": criterion, "order": order, "max_depth": 3}
    weighted = DecisionTreeClassifier(**rules).fit(X, y, times.astype(float))
    repeated = DecisionTreeClassifier(**rules).fit(np.repeat(X, times, 0), np.repeat(y, times))
    np.testing.assert_array_equal(weighted.tree_.feature, repeated.tree_.feature)
    np.testing.assert_array_equal(weighted.tree_.threshold, repeated.tree_.threshold)
    np.testing.assert_allclose(weighted.tree_.impurity, repeated.tree_.impurity, rtol=1e-9)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
def test_whole_weights_are_repeated_rows_of_a_regressor(criterion, rng):
    X, y = rng.random((120, 3)), rng.random(120)
    times = rng.integers(0, 4, 120)
    rules = {"criterion": criterion, "max_depth": 3}
    weighted = DecisionTreeRegressor(**rules).fit(X, y, times.astype(float))
    repeated = DecisionTreeRegressor(**rules).fit(np.repeat(X, times, 0), np.repeat(y, times))
    np.testing.assert_array_equal(weighted.tree_.threshold, repeated.tree_.threshold)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
def test_equal_weights_are_no_weights(criterion, order, rng):
    X, y = rng.integers(0, 6, (150, 3)).astype(float), rng.integers(0, 3, 150)
    rules = {"criterion": criterion, "order": order, "max_depth": 5}
    plain = DecisionTreeClassifier(**rules).fit(X, y)
    equal_trees(DecisionTreeClassifier(**rules).fit(X, y, np.ones(150)).tree_, plain.tree_)
    half = DecisionTreeClassifier(**rules).fit(X, y, np.full(150, 0.5))
    assert _structure(half) == _structure(plain)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA, ids=CLASS_IDS)
def test_names_of_the_classes_do_not_matter(criterion, order, rng):
    X, y = rng.integers(0, 30, (100, 2)).astype(float), rng.integers(0, 3, 100)
    rules = {"criterion": criterion, "order": order}
    plain = DecisionTreeClassifier(**rules).fit(X, y)
    turned = DecisionTreeClassifier(**rules).fit(X, (y + 1) % 3)
    assert _structure(turned) == _structure(plain)


@pytest.mark.parametrize(("criterion", "order"), SOME_CRITERIA)
def test_monotone_maps_of_a_column_do_not_matter(criterion, order, rng):
    X, y = rng.standard_normal((150, 3)), rng.integers(0, 3, 150)
    rules = {"criterion": criterion, "order": order}
    plain = DecisionTreeClassifier(**rules).fit(X, y)
    mapped = DecisionTreeClassifier(**rules).fit(np.exp(X) * 1e-200, y)
    assert _structure(mapped) == _structure(plain)


# -- families -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("tsallis", 2.0), ("gini", 2.0)),
        (("renyi", 1.0), ("tsallis", 1.0)),
        (("log_loss", 2.0), ("entropy", 2.0)),
        (("renyi_mean", 1.0), ("entropy", 2.0)),
        (("renyi", np.inf), ("misclassification", 2.0)),
    ],
    ids=str,
)
def test_names_of_one_criterion_give_one_tree(one, other, rng):
    X, y = rng.integers(0, 12, (200, 3)).astype(float), rng.integers(0, 3, 200)
    a, b = (DecisionTreeClassifier(criterion=c, order=q).fit(X, y) for c, q in (one, other))
    equal_trees(a.tree_, b.tree_)


@pytest.mark.parametrize("order", [1.0 - 1e-9, 1.0 + 1e-9, 1.0 - 1e-13, 1.0 + 1e-15])
@pytest.mark.parametrize("family", ["renyi", "tsallis", "renyi_mean"])
def test_orders_next_to_one_grow_shannons_tree(family, order, rng):
    X, y = rng.random((200, 3)), rng.integers(0, 3, 200)
    near = DecisionTreeClassifier(criterion=family, order=order, max_depth=4).fit(X, y)
    shannon = DecisionTreeClassifier(criterion=family, order=1.0, max_depth=4).fit(X, y)
    assert _structure(near) == _structure(shannon)
    np.testing.assert_allclose(near.tree_.impurity, shannon.tree_.impurity, rtol=1e-6)


@pytest.mark.parametrize(
    ("criterion", "order"),
    [("renyi", 0.05), ("renyi", 200.0), ("tsallis", 0.05), ("tsallis", 200.0), ("tsallis", 1e-3)],
)
def test_extreme_orders(criterion, order, rng):
    X, y = rng.random((300, 2)), rng.integers(0, 3, 300)
    tree = DecisionTreeClassifier(criterion=criterion, order=order).fit(X, y)
    check_tree(tree)
    assert tree.score(X, y) == 1.0
    expected = class_impurity(criterion, order, np.bincount(y))
    assert tree.tree_.impurity[0] == pytest.approx(expected, rel=1e-9)


def test_an_order_whose_norm_no_float_holds(rng):
    """The norm of three equal shares is 3**999 at order 1/1000."""
    X, y = rng.random((300, 2)), rng.integers(0, 3, 300)
    tree = DecisionTreeClassifier(criterion="renyi", order=1e-3).fit(X, y)
    check_tree(tree)
    assert tree.score(X, y) == 1.0
