"""TrainingSet and the cache of sorted lists: no tree depends on either."""

import multiprocessing
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV
from tree_checks import check_tree, equal_trees
from treelearn._hash import hash_array

import treelearn
from treelearn import DecisionTreeClassifier, DecisionTreeRegressor, TrainingSet
from treelearn._cache import ListCache, cache


@pytest.fixture(autouse=True)
def fresh_cache():
    treelearn.clear_training_cache()
    yield
    treelearn.clear_training_cache()
    treelearn.set_training_cache_size(64 * 2**20)


@pytest.fixture
def table(rng):
    """Return a table large enough for the cache, with ties, missing and default values."""
    X = rng.normal(size=(8000, 6))
    X[:, 1] = rng.integers(0, 9, 8000)
    X[:, 2] = np.where(rng.random(8000) < 0.7, 0.0, X[:, 2])
    X[rng.random(8000) < 0.1, 3] = np.nan
    y = (X[:, 0] + X[:, 1] > 4).astype(int) + (rng.random(8000) < 0.1)
    return X, y


def same_tree(a, b):
    check_tree(a)
    equal_trees(a.tree_, b.tree_)


@given(seed=st.integers(0, 10**6), share=st.floats(0.05, 1.0))
def test_some_rows_give_the_tree_of_those_rows(seed, share):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 15, (150, 4)).astype(float)
    X[:, 1] = np.where(rng.random(150) < 0.7, 3.0, X[:, 1])
    X[rng.random(150) < 0.2, 2] = np.nan
    y = rng.integers(0, 4, 150)
    target = rng.normal(size=150)
    rows = np.flatnonzero(rng.random(150) < share)
    if len(rows) == 0:
        rows = np.array([7])
    data = TrainingSet(X, y)
    shuffled = rng.permutation(rows)
    for criterion in ("gini", "entropy"):
        a = DecisionTreeClassifier(criterion=criterion).fit(data, rows=shuffled)
        b = DecisionTreeClassifier(criterion=criterion).fit(X[rows], y[rows])
        same_tree(a, b)
        assert a.classes_.tolist() == b.classes_.tolist()
        np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    a = DecisionTreeRegressor(min_samples_leaf=2).fit(TrainingSet(X, target), rows=rows)
    b = DecisionTreeRegressor(min_samples_leaf=2).fit(X[rows], target[rows])
    same_tree(a, b)


def test_weights_and_class_weights_of_some_rows(table, rng):
    X, y = table
    weight = rng.integers(0, 4, len(y)).astype(float)
    rows = np.arange(0, len(y), 3)
    a = DecisionTreeClassifier(class_weight="balanced").fit(TrainingSet(X, y, weight), rows=rows)
    b = DecisionTreeClassifier(class_weight="balanced").fit(X[rows], y[rows], weight[rows])
    same_tree(a, b)
    c = DecisionTreeClassifier(class_weight="balanced").fit(
        TrainingSet(X, y), sample_weight=weight, rows=rows
    )
    same_tree(c, b)


def test_a_training_set_serves_many_fits(table):
    X, y = table
    data = TrainingSet(X, y)
    first = DecisionTreeClassifier(max_depth=5).fit(data)
    DecisionTreeClassifier(criterion="entropy").fit(data)
    DecisionTreeClassifier(max_leaf_nodes=9).fit(data)
    same_tree(DecisionTreeClassifier(max_depth=5).fit(data), first)
    same_tree(DecisionTreeClassifier(max_depth=5).fit(X, y), first)


def test_names_of_features_come_along():
    data = load_iris(as_frame=True)
    shared = TrainingSet(data.data, data.target)
    tree = DecisionTreeClassifier().fit(shared)
    assert tree.feature_names_in_.tolist() == list(data.data.columns)
    assert tree.predict(data.data).shape == (150,)


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ([], ValueError, "at least 1"),
        ([1, 1], ValueError, "twice"),
        ([1, -149], ValueError, "twice"),
        ([150], IndexError, "within"),
        ([-151], IndexError, "within"),
        ([0.5], IndexError, "integers"),
        ([True] * 3, IndexError, "mask"),
        ([False] * 150, ValueError, "at least 1"),
    ],
)
def test_bad_rows(rows, error, words):
    with pytest.raises(error, match=words):
        DecisionTreeClassifier().fit(TrainingSet(*load_iris(return_X_y=True)), rows=rows)


def test_bad_arguments():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="y belongs"):
        DecisionTreeClassifier().fit(TrainingSet(X, y), y)
    with pytest.raises(ValueError, match="rows selects"):
        DecisionTreeClassifier().fit(X, y, rows=[1])
    with pytest.raises(ValueError, match="y cannot be None|requires y"):
        DecisionTreeClassifier().fit(X)
    with pytest.raises(ValueError, match="Negative values"):
        TrainingSet(X, y, -np.ones(150))
    with pytest.raises(ValueError, match="inconsistent|does not match"):
        TrainingSet(X, y[:-1])
    with pytest.raises(ValueError, match="negative"):
        treelearn.set_training_cache_size(-1)


def test_a_failed_fit_on_a_training_set_leaves_the_estimator(table):
    X, y = table
    tree = DecisionTreeClassifier(max_depth=3).fit(X, y)
    before = tree.tree_.threshold.copy()
    with pytest.raises(IndexError):
        tree.fit(TrainingSet(X, y), rows=[10**6])
    assert (tree.tree_.threshold == before).all()


def test_equal_content_is_sorted_once(table):
    X, y = table
    first = DecisionTreeClassifier().fit(X, y)
    second = DecisionTreeClassifier().fit(X.copy(), y.copy())
    info = treelearn.training_cache_info()
    assert (info["n_hits"], info["n_misses"], info["n_entries"]) == (1, 1, 1)
    same_tree(second, first)


@pytest.mark.parametrize("change", ["X", "y", "weights", "layout"])
def test_other_content_is_sorted_anew(table, change, rng):
    X, y = table
    DecisionTreeClassifier().fit(X, y)
    weight = None
    if change == "X":
        X = X.copy()
        X[17, 4] = np.nextafter(X[17, 4], 9.0)
    elif change == "y":
        y = np.where(np.arange(len(y)) == 5, (y + 1) % 2, y)
    elif change == "weights":
        weight = (rng.random(len(y)) < 0.5).astype(float)
    else:
        X = np.asfortranarray(X)
    tree = DecisionTreeClassifier().fit(X, y, weight)
    assert treelearn.training_cache_info()["n_hits"] == 0
    treelearn.set_training_cache_size(0)
    same_tree(tree, DecisionTreeClassifier().fit(X, y, weight))


def test_changed_arrays_do_no_harm(table):
    """What was sorted from an array that has changed since must not reach a later tree."""
    X, y = table
    kept = X.copy()
    first = DecisionTreeClassifier().fit(X, y)
    X[:] = 0.0
    same_tree(DecisionTreeClassifier().fit(kept, y), first)


def test_regression_targets_share_lists(table, rng):
    X, _ = table
    for _ in range(3):
        DecisionTreeRegressor(max_depth=3).fit(X, rng.normal(size=len(X)))
    assert treelearn.training_cache_info()["n_hits"] == 2


def test_grid_search_sorts_each_fold_once(table):
    X, y = table
    grid = {"criterion": ["gini", "entropy", "renyi"], "max_depth": [2, 5]}
    found = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=3).fit(X, y)
    info = treelearn.training_cache_info()
    assert info["n_misses"] == 4  # three folds, and the refit on all rows
    assert info["n_hits"] == 15
    treelearn.set_training_cache_size(0)
    plain = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=3).fit(X, y)
    for key in ("mean_test_score", "std_test_score"):
        assert (found.cv_results_[key] == plain.cv_results_[key]).all()


class Sized:
    def __init__(self, n_bytes):
        self.n_bytes = n_bytes


def test_the_cache_is_bounded_and_drops_what_was_used_least():
    small = ListCache(100)
    small.put("a", Sized(40))
    small.put("b", Sized(40))
    assert small.get("a") is not None
    small.put("c", Sized(40))
    assert small.get("b") is None
    assert small.get("a") is not None
    assert small.n_bytes == 80
    small.resize(39)
    assert len(small) == 0
    assert small.n_bytes == 0
    assert not small.takes(40)


def test_threads_share_the_cache(table):
    X, y = table
    expected = DecisionTreeClassifier().fit(X, y)
    trees = [None] * 8

    def work(k):
        trees[k] = DecisionTreeClassifier(n_jobs=1).fit(X.copy(), y)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tree in trees:
        same_tree(tree, expected)


def _fit_in_child(X, y, queue):
    tree = DecisionTreeClassifier().fit(X, y)
    queue.put((tree.tree_.node_count, treelearn.training_cache_info()["n_misses"]))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this platform"
)
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_while_the_lock_is_held(table):
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with cache._lock:
        child = context.Process(target=_fit_in_child, args=(X, y, queue))
        child.start()
    n_nodes, n_misses = queue.get(timeout=60)
    child.join()
    assert n_nodes == tree.tree_.node_count
    assert n_misses == 1


@given(data=st.binary(max_size=200), place=st.integers(0, 199), change=st.integers(1, 255))
def test_the_hash_tells_arrays_apart(data, place, change):
    array = np.frombuffer(data, dtype=np.uint8)
    assert hash_array(array) == hash_array(array.copy())
    if len(data):
        other = array.copy()
        other[place % len(data)] ^= change
        assert hash_array(other) != hash_array(array)
    assert hash_array(np.append(array, np.uint8(0))) != hash_array(array)


def test_regression_on_diabetes_with_a_mask():
    X, y = load_diabetes(return_X_y=True)
    mask = np.arange(len(y)) % 4 > 0
    same_tree(
        DecisionTreeRegressor(criterion="poisson").fit(TrainingSet(X, y), rows=mask),
        DecisionTreeRegressor(criterion="poisson").fit(X[mask], y[mask]),
    )


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint64])
def test_rows_of_a_narrow_type(dtype):
    """A type that does not hold the number of samples names rows all the same."""
    X, y = load_diabetes(return_X_y=True)
    rows = np.array([0, 100, 120], dtype=dtype)
    same_tree(
        DecisionTreeRegressor().fit(TrainingSet(X, y), rows=rows),
        DecisionTreeRegressor().fit(X[[0, 100, 120]], y[[0, 100, 120]]),
    )


def test_messages_name_the_training_set():
    with pytest.raises(ValueError, match="TrainingSet"):
        TrainingSet([[1.0]], None)


@pytest.mark.parametrize("max_bytes", [-1, 1.5, "64", None, float("nan"), True])
def test_a_cache_size_is_a_whole_number(max_bytes):
    with pytest.raises(ValueError, match="max_bytes must be an int"):
        treelearn.set_training_cache_size(max_bytes)


def test_clearing_waits_for_who_is_at_the_lists():
    """Else lists that are gone would go on being counted, and the bound be missed for ever."""
    small = ListCache(100)
    small.put("a", Sized(40))
    clearing = threading.Thread(target=small.clear)
    with small._lock:
        clearing.start()
        clearing.join(0.1)
        assert clearing.is_alive()
    clearing.join()
    assert (len(small), small.n_bytes) == (0, 0)
