"""Rows to leaves: every layout, dtype and number of rows and threads, against a walk by hand."""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.utils.validation import NotFittedError
from strategies import tables
from treelearn._checks import FINITE, MISSING, UNKNOWN
from treelearn._predict import FEWEST_ROWS_FOR_THREADS, Walk, pack_steps, route, route_sparse

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

ESTIMATORS = [DecisionTreeClassifier, DecisionTreeRegressor]
# Around the number of rows that walk abreast, and around a chunk of them.
ROW_NUMBERS = [0, 1, 7, 8, 9, 16, 17, 4095, 4096, 4097, 8200]


def walk(tree, row):
    """Return the leaf of one row, one comparison after the other."""
    node = 0
    while tree.children_left[node] >= 0:
        value = row[tree.feature[node]]
        if math.isnan(value):
            goes_left = tree.missing_go_to_left[node]
        else:
            goes_left = float(value) <= tree.threshold[node]
        node = (tree.children_left if goes_left else tree.children_right)[node]
    return node


def walks(tree, dtype=np.float64):
    """Return what leads rows of a dtype to their leaves, and the leaves by their numbers."""
    nodes = np.arange(tree.node_count)
    return Walk(tree, nodes, np.dtype(dtype) == np.float64), nodes


@pytest.fixture
def table(rng):
    """Return rows with ties and missing values, and noisy labels: a deep tree of both kinds."""
    X = rng.normal(size=(600, 5)).round(1)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X, rng.integers(0, 4, size=len(X))


@given(tables(), tables(), st.data())
def test_every_row_ends_where_a_walk_ends(X, rows, data):
    rows = np.resize(rows, (len(rows), X.shape[1]))
    y = data.draw(st.lists(st.integers(0, 2), min_size=len(X), max_size=len(X)))
    estimator = DecisionTreeClassifier().fit(X, y)
    for values in (rows, X):
        expected = [walk(estimator._tree, row) for row in values]
        assert estimator.apply(values).tolist() == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", ROW_NUMBERS)
def test_any_number_of_rows_and_threads(n_rows, dtype, table, n_jobs):
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)._tree
    walk_on, held = walks(tree, dtype)
    rows = np.resize(X, (n_rows, X.shape[1])).astype(dtype)
    expected = [walk(tree, row) for row in rows]
    layouts = [rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2], rows[::-1][::-1]]
    for values in layouts:
        assert route(walk_on, held, values, MISSING, n_jobs).tolist() == expected
    assert route(walk_on, held, rows, UNKNOWN, n_jobs).tolist() == expected
    present = np.nan_to_num(rows)
    expected = [walk(tree, row) for row in present]
    for worst in (FINITE, MISSING, UNKNOWN):
        assert route(walk_on, held, present, worst, n_jobs).tolist() == expected


def test_batches_that_pay_for_threads(table, n_jobs):
    X, y = table
    rows = np.resize(X, (FEWEST_ROWS_FOR_THREADS + 5, X.shape[1]))
    tree = DecisionTreeClassifier(n_jobs=n_jobs).fit(X, y)
    assert np.array_equal(tree.predict(rows), np.resize(tree.predict(X), len(rows)))


def test_without_a_thread_to_be_had(table, monkeypatch):
    def refuse(function, arguments):
        raise RuntimeError("can't start new thread")

    X, y = table
    walk_on, held = walks(DecisionTreeClassifier().fit(X, y)._tree)
    rows = np.resize(X, (5000, X.shape[1]))
    alone = route(walk_on, held, rows, MISSING, 1)
    monkeypatch.setattr("treelearn._predict.start_new_thread", refuse)
    assert np.array_equal(route(walk_on, held, rows, MISSING, 4), alone)


def test_a_late_helper_finds_nothing_to_do(table, monkeypatch):
    late = []
    monkeypatch.setattr("treelearn._predict.start_new_thread", lambda *call: late.append(call))
    X, y = table
    walk_on, held = walks(DecisionTreeClassifier().fit(X, y)._tree)
    rows = np.resize(X, (5000, X.shape[1]))
    found = route(walk_on, held, rows, MISSING, 3)
    kept = found.copy()
    found[:] = -1
    for function, arguments in late:
        function(*arguments)
    assert len(late) == 2
    assert (found == -1).all()
    assert np.array_equal(route(walk_on, held, rows, MISSING, 1), kept)


def test_calls_from_several_threads(table):
    X, y = table
    tree = DecisionTreeClassifier(n_jobs=2).fit(X, y)
    rows = np.resize(X, (FEWEST_ROWS_FOR_THREADS, X.shape[1]))
    expected = np.resize(tree.predict(X), len(rows))
    with ThreadPoolExecutor(4) as pool:
        for predicted in pool.map(tree.predict, [rows] * 12):
            assert np.array_equal(predicted, expected)


def test_steps_keep_the_children_of_a_node_together(table):
    tree = DecisionTreeClassifier().fit(*table)._tree
    steps, nodes = pack_steps(tree)
    assert steps.itemsize == 16
    assert sorted(nodes) == list(range(tree.node_count))
    places = np.arange(tree.node_count)
    is_leaf = tree.children_left[nodes] < 0
    assert (steps["left"][is_leaf] == places[is_leaf]).all()
    left = steps["left"][~is_leaf]
    assert np.array_equal(nodes[left], tree.children_left[nodes][~is_leaf])
    assert np.array_equal(nodes[left + 1], tree.children_right[nodes][~is_leaf])


def test_narrow_steps_are_for_float32_alone(table):
    tree = DecisionTreeClassifier().fit(*table)._tree
    nodes = np.arange(tree.node_count)
    assert Walk(tree, nodes, False).steps.itemsize == 8
    assert Walk(tree, nodes, True).steps.itemsize == 16


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_numbers_too_large_for_narrow_steps(n_jobs, table):
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)._tree
    rows = np.resize(X, (5000, X.shape[1])).astype(np.float32)
    numbers = np.arange(tree.node_count) + 2**22 - tree.node_count // 2
    wide = Walk(tree, numbers, False)
    assert wide.steps.itemsize == 16
    held = np.arange(numbers.max() + 1) * 3
    narrow, nodes = walks(tree, np.float32)
    for values in (rows, np.asfortranarray(rows), np.nan_to_num(rows)):
        worst = UNKNOWN if values.flags.c_contiguous else MISSING
        places = route(narrow, nodes, values, worst, n_jobs)
        assert np.array_equal(route(wide, held, values, worst, n_jobs), 3 * numbers[places])


@given(
    st.floats(allow_nan=False),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20),
)
def test_a_threshold_between_float32_values(threshold, values):
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])._tree
    tree.threshold = np.array([threshold, -2.0, -2.0])
    with np.errstate(over="ignore"):
        nearest = np.float32(threshold)
    down, up = np.nextafter(nearest, np.float32([-np.inf, np.inf]), dtype=np.float32)
    rows = np.array([*values, nearest, down, up], dtype=np.float32)[:, None]
    walk_on, held = walks(tree, np.float32)
    expected = np.where(rows[:, 0].astype(np.float64) > threshold, 2, 1)
    assert np.array_equal(route(walk_on, held, rows, FINITE, 1), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", [0, 3000, -1])
def test_an_infinite_value_is_found_on_the_way(place, dtype, table, n_jobs):
    X, y = table
    estimator = DecisionTreeClassifier(n_jobs=n_jobs).fit(X, y)
    rows = np.resize(X, (FEWEST_ROWS_FOR_THREADS + 5, X.shape[1])).astype(dtype)
    rows[place, 2] = np.inf
    walk_on, held = walks(estimator._tree, dtype)
    assert route(walk_on, held, rows, UNKNOWN, n_jobs) is None
    for method in (estimator.predict, estimator.apply, estimator.predict_proba):
        with pytest.raises(ValueError, match="Input X contains infinity"):
            method(rows)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        DecisionTreeRegressor(n_jobs=n_jobs).fit(X, y).predict(rows)


def test_what_does_not_go_together_is_refused(table):
    X, y = table
    walk_on, held = walks(DecisionTreeClassifier().fit(X, y)._tree)
    words = "do not go together"
    with pytest.raises(ValueError, match=words):
        route(walk_on, held, X.astype(np.float32), MISSING, 1)
    with pytest.raises(ValueError, match=words):
        route(walk_on, held[:-1], X, MISSING, 1)
    with pytest.raises(ValueError, match=words):
        route(walk_on, held, np.asfortranarray(X), UNKNOWN, 1)
    with pytest.raises(ValueError, match=words):
        route_sparse(walk_on, held[:-1], np.ones(1), np.zeros(1, np.int32), np.array([0, 1]), 5)


@pytest.mark.parametrize("shape", [(1, 5), (700, 1)])
def test_strides_of_an_axis_of_one(shape, table):
    X, y = table
    tree = DecisionTreeClassifier().fit(X[:, : shape[1]], y)
    rows = X[: shape[0], : shape[1]]
    strides = tuple(0 if n == 1 else s for n, s in zip(shape, rows.strides, strict=True))
    strange = np.lib.stride_tricks.as_strided(rows, rows.shape, strides)
    assert np.array_equal(tree.apply(strange), tree.apply(rows.copy()))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_tree_of_one_leaf(estimator):
    tree = estimator().fit([[0.0], [1.0]], [3, 3])
    assert tree.predict(np.array([[-np.pi], [np.nan], [1e300]])).tolist() == [3, 3, 3]


def test_infinite_values_end_at_a_leaf_where_nothing_is_checked(table):
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)
    rows = np.array([[np.inf] * 5, [-np.inf] * 5])
    assert tree.apply(rows, check_input=False).tolist() == [walk(tree._tree, row) for row in rows]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_end_where_dense_ones_do(dtype, rng):
    X = rng.integers(-2, 3, size=(300, 6)).astype(dtype)
    tree = DecisionTreeClassifier().fit(X, rng.integers(0, 3, size=300))
    assert np.array_equal(tree.apply(csr_matrix(X)), tree.apply(X))
    assert np.array_equal(tree.predict(csr_matrix(X)), tree.predict(X))


@pytest.mark.parametrize(
    "names",
    [
        [3, 5, 7, 9],
        [-1.0, 0.0, 2.0, 8.0],
        ["a", "bb", "c", "dddd"],
        np.array([1, 2, 3, 250], dtype=np.uint8),
        np.array([-3, -2, 5, 2**40], dtype=np.int64),
        np.array([0, 1, 2, 2**64 - 1], dtype=np.uint64),
    ],
    ids=["int", "float", "str", "uint8", "int64", "uint64"],
)
def test_labels_keep_their_dtype(names, table):
    X, codes = table
    y = np.asarray(names)[codes]
    tree = DecisionTreeClassifier().fit(X, y)
    predicted = tree.predict(X)
    assert predicted.dtype == tree.classes_.dtype == y.dtype
    assert np.array_equal(predicted, tree.classes_[tree.predict_proba(X).argmax(axis=1)])


def test_two_outputs(table):
    X, y = table
    both = np.column_stack([y, 10 * y])
    for estimator in ESTIMATORS:
        tree = estimator().fit(X, both)
        one = estimator().fit(X, y)
        assert tree.predict(X).shape == both.shape
        assert np.array_equal(tree.predict(X)[:, 0], one.predict(X))


def test_a_new_fit_is_what_predicts(table):
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)
    tree.predict(X)
    tree.fit(X, 3 - y)
    assert np.array_equal(tree.predict(X), DecisionTreeClassifier().fit(X, 3 - y).predict(X))


def test_changed_classes_are_what_is_predicted(table):
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)
    before = tree.predict(X)
    for names in (["north", "east", "south", "west"], [7, 5, 3, 1], [0.5, 0.25, np.nan, -1.0]):
        tree.classes_ = np.array(names)
        np.testing.assert_array_equal(tree.predict(X), tree.classes_[before])
    tree.classes_[0] = 8.0
    assert np.array_equal(tree.predict(X), tree.classes_[before], equal_nan=True)
    tree.classes_ = np.array([1, 2])
    with pytest.raises(IndexError):
        tree.predict(X)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_not_fitted(estimator):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        estimator().predict(np.zeros((1, 1)))


def test_the_answer_belongs_to_the_caller(table):
    X, y = table
    for estimator in ESTIMATORS:
        tree = estimator().fit(X, y)
        first = tree.predict(X)
        kept = first.copy()
        first[:] = -1
        assert np.array_equal(tree.predict(X), kept)


def test_no_interrupt_is_lost_while_steps_are_made():
    # NumPy describes fields by Python code of its own, and drops what is raised in it.
    called = set()
    X = np.arange(20.0).reshape(-1, 1)
    tree = DecisionTreeClassifier().fit(X, X[:, 0] > 9)
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code.co_name))
    try:
        tree.fit(X, X[:, 0] > 4).predict(X)
        tree.predict(X.astype(np.float32))
    finally:
        sys.setprofile(None)
    assert "predict" in called
    assert "_array_descr" not in called
