"""What fit and predict accept, what they refuse and in which words, and exact float64."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import tree as rival
from tree_checks import equal_trees, walk

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

ESTIMATORS = [DecisionTreeClassifier, DecisionTreeRegressor]


@pytest.fixture
def small(rng):
    X = rng.integers(-50, 50, (120, 4)).astype(np.float64)
    return X, (X[:, 0] + X[:, 1] * 2 + rng.integers(0, 30, 120) > 10).astype(int)


# -- forms of X -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float16, np.int8, np.int16, np.int32, np.int64, object, ">f8", "<i2"]
)
def test_dtypes_with_equal_values_give_equal_trees(dtype, small):
    X, y = small
    expected = DecisionTreeClassifier().fit(X, y)
    tree = DecisionTreeClassifier().fit(X.astype(dtype), y)
    equal_trees(tree.tree_, expected.tree_)
    np.testing.assert_array_equal(tree.predict(X.astype(dtype)), expected.predict(X))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, bool])
def test_unsigned_dtypes(dtype, small):
    X, y = small
    X = (X + 50.0).astype(dtype)
    expected = DecisionTreeClassifier().fit(X.astype(np.float64), y)
    tree = DecisionTreeClassifier().fit(X, y)
    equal_trees(tree.tree_, expected.tree_)
    np.testing.assert_array_equal(tree.predict(X), expected.predict(X.astype(np.float64)))


def _layouts(X):
    wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]))
    wide[::2, ::3] = X
    backwards = np.ascontiguousarray(X[::-1, ::-1])
    read_only = X.copy()
    read_only.flags.writeable = False
    return {
        "C": np.ascontiguousarray(X),
        "F": np.asfortranarray(X),
        "strided": wide[::2, ::3],
        "negative strides": backwards[::-1, ::-1],
        "read only": read_only,
        "list": X.tolist(),
    }


@pytest.mark.parametrize("layout", sorted(_layouts(np.zeros((2, 2)))))
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_layouts(layout, estimator, dtype, small):
    X, y = small
    expected = estimator().fit(X, y)
    given = _layouts(X.astype(dtype))[layout]
    tree = estimator().fit(given, y)
    equal_trees(tree.tree_, expected.tree_)
    np.testing.assert_array_equal(tree.predict(given), expected.predict(X))
    np.testing.assert_array_equal(tree.apply(given), expected.apply(X))


def test_fit_leaves_its_arguments_alone(small):
    X, y = small
    w = np.linspace(0.0, 1.0, len(X))
    before = X.copy(), y.copy(), w.copy()
    DecisionTreeClassifier(n_jobs=2).fit(X, y, w).predict(X)
    for now, then in zip((X, y, w), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("form", [sp.csc_matrix, sp.csr_matrix, sp.csc_array, sp.coo_array])
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_sparse(form, estimator, splitter, small):
    X, y = small
    X = np.where(np.abs(X) < 30, 0.0, X)
    rules = {"splitter": splitter, "random_state": 3}
    expected = estimator(**rules).fit(X, y)
    tree = estimator(**rules).fit(form(X), y)
    equal_trees(tree.tree_, expected.tree_)
    np.testing.assert_array_equal(tree.predict(form(X)), expected.predict(X))


def test_sparse_with_stored_zeros_duplicates_and_unsorted_indices(small):
    _, y = small
    row = np.array([0, 0, 3, 3, 5, 119, 7])
    column = np.array([2, 1, 0, 0, 3, 3, 1])
    value = np.array([1.5, 0.0, 2.0, 3.0, -4.0, 5.0, -0.0])
    messy = sp.coo_array((value, (row, column)), shape=(120, 4))
    tree = DecisionTreeClassifier().fit(messy.tocsc(), y)
    equal_trees(tree.tree_, DecisionTreeClassifier().fit(messy.toarray(), y).tree_)
    unsorted = sp.csr_array(([2.0, 1.5, 7.0], [3, 0, 2], [0, 3, 3]), shape=(2, 4))
    assert not unsorted.has_sorted_indices
    np.testing.assert_array_equal(tree.apply(unsorted), tree.apply(unsorted.toarray()))
    mixed = sp.csc_array((messy.data, (119 - row, column)), shape=(120, 4))
    mixed.indices[-2:], mixed.data[-2:] = mixed.indices[-2:][::-1], mixed.data[-2:][::-1]
    mixed.has_sorted_indices = False
    equal_trees(
        DecisionTreeClassifier().fit(mixed, y).tree_,
        DecisionTreeClassifier().fit(mixed.toarray(), y).tree_,
    )


def test_pandas(small):
    pandas = pytest.importorskip("pandas")
    X, y = small
    frame = pandas.DataFrame(X, columns=list("abcd")).astype({"b": "int32", "c": "float32"})
    tree = DecisionTreeClassifier().fit(frame, pandas.Series(y))
    equal_trees(tree.tree_, DecisionTreeClassifier().fit(X, y).tree_)
    np.testing.assert_array_equal(tree.feature_names_in_, list("abcd"))
    with pytest.raises(ValueError, match="feature names"):
        tree.predict(frame[["b", "a", "c", "d"]])


def test_pandas_missing_values(small):
    pandas = pytest.importorskip("pandas")
    X, y = small
    holes = np.where(X > 35, np.nan, X)
    frame = pandas.DataFrame(holes, columns=list("abcd")).astype("Int64")
    tree = DecisionTreeClassifier().fit(frame, y)
    equal_trees(tree.tree_, DecisionTreeClassifier().fit(holes, y).tree_)


def test_polars(small):
    polars = pytest.importorskip("polars")
    X, y = small
    frame = polars.DataFrame(X, schema=list("abcd"))
    tree, plain = DecisionTreeClassifier().fit(frame, y), DecisionTreeClassifier().fit(X, y)
    equal_trees(tree.tree_, plain.tree_)
    np.testing.assert_array_equal(tree.predict(frame), plain.predict(X))


def test_check_input_false(small):
    X, y = small
    for given in (X, X.astype(np.float32), np.asfortranarray(X)):
        tree = DecisionTreeClassifier().fit(given, y, check_input=False)
        equal_trees(tree.tree_, DecisionTreeClassifier().fit(X, y).tree_)
        np.testing.assert_array_equal(tree.predict(given, check_input=False), tree.predict(X))


# -- exact float64 --------------------------------------------------------------------------


def test_unix_seconds_a_minute_apart():
    seconds = 1_700_000_000.0 + 60.0 * np.arange(40)
    y = np.arange(40) % 2
    for X in (seconds[:, None], seconds[:, None].astype(np.int64)):
        tree = DecisionTreeClassifier().fit(X, y)
        assert tree.score(X, y) == 1.0
        assert tree.get_n_leaves() == 40
        walk(tree, X, y)
    regressor = DecisionTreeRegressor().fit(seconds[:, None], y)
    np.testing.assert_array_equal(regressor.predict(seconds[:, None]), y)


@pytest.mark.parametrize("start", [1.0, -1.0, 0.1, 1e300, 5e-324, -5e-324, 0.0, 2.0**52])
def test_adjacent_numbers(start):
    values = [start]
    for _ in range(7):
        values.append(np.nextafter(values[-1], np.inf))
    X, y = np.array(values)[:, None], np.arange(8) % 2
    tree = DecisionTreeClassifier().fit(X, y)
    assert tree.score(X, y) == 1.0
    walk(tree, X, y)


def test_adjacent_numbers_in_a_sparse_matrix():
    X = np.array([[0.0], [1.0], [np.nextafter(1.0, 2.0)], [0.0]])
    y = [0, 0, 1, 0]
    for form in (sp.csc_array, sp.csr_array):
        tree = DecisionTreeClassifier().fit(form(X), y)
        np.testing.assert_array_equal(tree.predict(form(X)), y)


@pytest.mark.parametrize("shift", [0, 2**60, -(2**62), 2**63 - 60])
def test_large_integers_that_a_float64_can_tell_apart(shift):
    X = np.array([[shift + 1024 * k] for k in range(-8, 0)], dtype=np.int64)
    y = np.arange(8) % 2
    tree = DecisionTreeClassifier().fit(X, y)
    assert tree.score(X, y) == 1.0


def test_neighbouring_64_bit_integers():
    """Above 2**53 neighbours share a float64; a node array of float64 can hold either."""
    X = np.array([[2**53 - 2], [2**53 - 1], [2**53]], dtype=np.int64)
    y = [0, 1, 0]
    assert DecisionTreeClassifier().fit(X, y).score(X, y) == 1.0


def test_the_sign_of_zero_is_no_difference():
    X, y = np.array([[0.0], [-0.0]]), [0, 1]
    assert DecisionTreeClassifier().fit(X, y).get_n_leaves() == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_thresholds_also_separate_in_float32(dtype, rng):
    """Values that are float32 stay apart when a tool rounds the threshold to float32."""
    low = np.float32(1.0)
    values = [low]
    for _ in range(9):
        values.append(np.nextafter(values[-1], np.float32(2.0)))
    X = np.array(values, dtype=dtype)[:, None]
    y = np.arange(10) % 2
    tree = DecisionTreeClassifier().fit(X, y)
    inner = tree.tree_.children_left != -1
    rounded = tree.tree_.threshold[inner].astype(np.float32)
    for threshold in tree.tree_.threshold[inner], rounded:
        assert len(set(np.searchsorted(X[:, 0], threshold, side="right"))) == 9


def test_a_small_difference_is_a_difference():
    """scikit-learn takes values within 1e-7 for one."""
    X = np.array([[0.0], [1e-8], [2e-8], [3e-8]])
    y = [0, 1, 0, 1]
    assert DecisionTreeClassifier().fit(X, y).score(X, y) == 1.0


def test_to_sklearn_warns_where_float32_loses_the_tree():
    X = (1_700_000_000.0 + 60.0 * np.arange(10))[:, None]
    tree = DecisionTreeClassifier().fit(X, np.arange(10) % 2)
    with pytest.warns(UserWarning, match="float32"):
        tree.to_sklearn()


def test_to_sklearn_is_silent_and_equal_where_float32_is_enough(small):
    X, y = small
    for ours, theirs in (
        (DecisionTreeClassifier, rival.DecisionTreeClassifier),
        (DecisionTreeRegressor, rival.DecisionTreeRegressor),
    ):
        tree = ours(max_depth=5).fit(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            other = tree.to_sklearn()
        assert type(other) is theirs
        np.testing.assert_array_equal(tree.predict(X), other.predict(X))
        np.testing.assert_array_equal(tree.apply(X), other.apply(X))
        assert other.get_params() == {
            name: tree.get_params()[name] for name in theirs().get_params()
        }


# -- degenerate tables ----------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_few_rows(estimator, n_rows):
    X = np.arange(n_rows, dtype=float)[:, None]
    tree = estimator().fit(X, np.arange(n_rows))
    np.testing.assert_array_equal(tree.predict(X), np.arange(n_rows))
    assert tree.get_n_leaves() == n_rows


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_one_class_or_one_value_gives_one_leaf(estimator, small):
    X, _ = small
    tree = estimator().fit(X, np.full(len(X), 7))
    assert tree.get_n_leaves() == 1
    np.testing.assert_array_equal(tree.predict(X), 7)
    np.testing.assert_array_equal(tree.feature_importances_, 0.0)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_constant_features_give_one_leaf(estimator):
    X = np.full((20, 3), 2.5)
    X[:, 2] = np.nan
    tree = estimator().fit(X, np.arange(20) % 2)
    assert tree.get_n_leaves() == 1


def test_one_class_of_positive_weight(small):
    X, y = small
    tree = DecisionTreeClassifier().fit(X, y, sample_weight=(y == 1).astype(float))
    assert tree.get_n_leaves() == 1
    np.testing.assert_array_equal(tree.classes_, [0, 1])
    np.testing.assert_array_equal(tree.predict(X), 1)


def test_many_classes(rng):
    y = rng.permutation(1500)
    X = y[:, None] / 8.0
    tree = DecisionTreeClassifier(criterion="renyi", order=0.5).fit(X, y)
    np.testing.assert_array_equal(tree.predict(X), y)


@pytest.mark.parametrize("n_features", [1, 300])
def test_many_features(n_features, rng):
    X, y = rng.random((30, n_features)), rng.integers(0, 2, 30)
    walk(DecisionTreeClassifier(max_depth=1).fit(X, y), X, y)


def test_targets_of_large_mean():
    """The moment formula without centring gives a variance of -34 here."""
    y = 1e8 + np.array([-1.0, 1.0, -1.0, 1.0, 0.5, -0.5])
    X = np.arange(6.0)[:, None]
    tree = DecisionTreeRegressor().fit(X, y)
    assert tree.tree_.impurity[0] == pytest.approx(np.var(y), rel=1e-9)
    np.testing.assert_array_equal(tree.predict(X), y)
