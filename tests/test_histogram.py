"""Trees on bins: the exact tree of the codes, with thresholds half-way between values."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix
from sklearn.base import clone
from strategies import CLASS_CRITERIA, labels, rules, tables, targets, weights
from tree_checks import check_tree, equal_trees

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.histogram.binning import bin_samples

TARGET_CRITERIA = ["squared_error", "poisson", "gaussian_entropy"]


def on_codes(X, max_bins, sample_weight):
    """Return the bins of a table and its codes as values, NaN where they are missing."""
    rows = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight)
    bins, codes = bin_samples(X[rows], max_bins)
    values = np.full(X.shape, np.nan)
    values[rows] = np.where(codes.T == bins.n_bins, np.nan, codes.T)
    values[np.setdiff1d(np.arange(len(X)), rows)] = 0.0  # no samples: anything
    return bins, values, rows


def midpoint(low, high):
    """Return the threshold between two values: the lower one where rounding closes the gap."""
    middle = low / 2.0 + high / 2.0
    if not low <= middle < high:
        return low
    if low == np.float32(low) and high == np.float32(high):
        return middle if low <= np.float32(middle) < high else low
    return middle


def check_against_codes(estimator, X, y, sample_weight=None):
    """Compare a fitted tree on bins with the exact tree of the codes, node by node."""
    bins, values, rows = on_codes(X, estimator.max_bins, sample_weight)
    exact = clone(estimator).set_params(max_bins=None).fit(values, y, sample_weight)
    first, second = estimator.tree_.__getstate__(), exact.tree_.__getstate__()
    assert first["node_count"] == second["node_count"]
    for name in first["nodes"].dtype.names:
        if name != "threshold":
            np.testing.assert_array_equal(first["nodes"][name], second["nodes"][name], name)
    np.testing.assert_array_equal(first["values"], second["values"])
    nodes = first["nodes"]
    on_path = exact.decision_path(values[rows]).tocsc()
    for node in np.flatnonzero(nodes["left_child"] != -1):
        inside = on_path.indices[slice(*on_path.indptr[node : node + 2])]
        f = nodes["feature"][node]
        codes = values[rows][inside, f]
        goes_left = codes <= second["nodes"]["threshold"][node]
        start = bins.bin_starts[f]
        if not (codes > second["nodes"]["threshold"][node]).any():
            assert nodes["threshold"][node] == np.inf
            continue
        low = bins.highest[start + int(codes[goes_left].max())]
        high = bins.lowest[start + int(np.nanmin(np.where(goes_left, np.nan, codes)))]
        assert nodes["threshold"][node] == midpoint(low, high)


@given(st.data())
def test_few_values_give_the_exact_classifier(data):
    X = data.draw(tables())
    y = data.draw(labels(len(X)))
    w = data.draw(weights(len(X)))
    criterion, order = data.draw(st.sampled_from(CLASS_CRITERIA))
    settings = {"criterion": criterion, "order": order, **data.draw(rules())}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DecisionTreeClassifier, "_warn_of_negative_gains", lambda *_: None)
        exact = DecisionTreeClassifier(**settings).fit(X, y, w)
        binned = DecisionTreeClassifier(max_bins=24, **settings).fit(X, y, w)
    equal_trees(exact.tree_, binned.tree_)
    check_tree(binned)


@given(st.data())
def test_few_values_give_the_exact_regressor(data):
    X = data.draw(tables())
    criterion = data.draw(st.sampled_from(TARGET_CRITERIA))
    n_outputs = data.draw(st.integers(1, 2))
    y = data.draw(targets(len(X), n_outputs, positive=criterion == "poisson"))
    w = data.draw(weights(len(X)))
    settings = {"criterion": criterion, **data.draw(rules())}
    if criterion == "poisson" and w is not None:
        w = w + 1.0  # no target may lose all its weight
    exact = DecisionTreeRegressor(**settings).fit(X, y, w)
    binned = DecisionTreeRegressor(max_bins=300, **settings).fit(X, y, w)
    equal_trees(exact.tree_, binned.tree_)


@given(st.data())
def test_many_values_give_the_exact_tree_of_the_codes(data):
    X = data.draw(tables())
    w = data.draw(weights(len(X)))
    max_bins = data.draw(st.integers(2, 6))
    if data.draw(st.booleans()):
        y = data.draw(labels(len(X)))
        binned = DecisionTreeClassifier(max_bins=max_bins, **data.draw(rules()))
    else:
        y = data.draw(targets(len(X)))
        binned = DecisionTreeRegressor(max_bins=max_bins, **data.draw(rules()))
    check_against_codes(binned.fit(X, y, w), X, y, w)


def make_table(n_samples, rng, missing=False, dtype=np.float32):
    """Columns of all kinds, and a signal in them."""
    X = rng.standard_normal((n_samples, 7)).astype(dtype)
    X[:, 1] = rng.integers(0, 3, n_samples)
    X[:, 2] = np.where(rng.random(n_samples) < 0.8, 0.0, X[:, 2])
    X[:, 6] = 1.0
    signal = X[:, 0] + 0.5 * X[:, 1] * X[:, 3] + rng.standard_normal(n_samples)
    if missing:
        X[rng.random(X.shape) < 0.05] = np.nan
        X[:, 4] = np.nan
    return X, signal


@pytest.mark.parametrize("missing", [False, True], ids=["complete", "missing"])
@pytest.mark.parametrize("max_bins", [30, 255, 256, 5000])
@pytest.mark.parametrize("n_classes", [2, 3, 300])
def test_large_classifiers(n_classes, max_bins, missing, rng):
    X, signal = make_table(3000, rng, missing)
    y = np.argsort(np.argsort(signal)) * n_classes // len(X)
    for limits in ({}, {"min_samples_leaf": 5}, {"max_leaf_nodes": 40}):
        tree = DecisionTreeClassifier(max_bins=max_bins, **limits).fit(X, y)
        check_against_codes(tree, X, y)


def test_more_samples_than_sixteen_bits_count(rng):
    X, signal = make_table(150_000, rng)
    y = (signal > 0.3).astype(int)
    y[rng.random(len(y)) < 0.01] = 0
    for limits in ({"max_depth": 6}, {"max_depth": 4, "min_samples_leaf": 1000}):
        one = DecisionTreeClassifier(max_bins=200, n_jobs=1, **limits).fit(X, y)
        two = DecisionTreeClassifier(max_bins=200, n_jobs=2, **limits).fit(X, y)
        equal_trees(one.tree_, two.tree_)
        _, values, _ = on_codes(X, 200, None)
        exact = DecisionTreeClassifier(**limits).fit(values, y)
        np.testing.assert_array_equal(one.tree_.feature, exact.tree_.feature)
        np.testing.assert_array_equal(one.tree_.impurity, exact.tree_.impurity)
        np.testing.assert_array_equal(one.tree_.n_node_samples, exact.tree_.n_node_samples)


@pytest.mark.parametrize("criterion", ["entropy", "renyi", "misclassification", "tsallis"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_other_criteria(criterion, n_classes, rng):
    X, signal = make_table(2000, rng, missing=True)
    y = np.digitize(signal, np.linspace(-1, 1, n_classes + 1)[1:-1])
    tree = DecisionTreeClassifier(criterion=criterion, order=0.5, max_bins=100)
    for w in (None, rng.integers(0, 3, len(X)), rng.random(len(X))):
        check_against_codes(tree.fit(X, y, w), X, y, w)


@pytest.mark.parametrize("criterion", TARGET_CRITERIA)
def test_large_regressors(criterion, rng):
    X, signal = make_table(2000, rng, missing=True, dtype=np.float64)
    y = np.exp(0.3 * signal)
    for w in (None, rng.random(len(X))):
        tree = DecisionTreeRegressor(criterion=criterion, max_bins=60, min_samples_leaf=3)
        check_against_codes(tree.fit(X, y, w), X, y, w)


def test_drawn_features_constraints_and_outputs(rng):
    X, signal = make_table(2000, rng)
    y = (signal > 0).astype(int)
    tree = DecisionTreeClassifier(max_bins=50, max_features=2, random_state=4)
    check_against_codes(tree.fit(X, y), X, y)
    monotonic = [1, -1, 0, 1, 0, 0, 0]
    tree = DecisionTreeClassifier(max_bins=50, monotonic_cst=monotonic)
    check_against_codes(tree.fit(X, y), X, y)
    tree = DecisionTreeRegressor(max_bins=50, monotonic_cst=monotonic, max_leaf_nodes=60)
    check_against_codes(tree.fit(X, signal), X, signal)
    both = np.column_stack([y, np.digitize(X[:, 3], [-1, 1])])
    check_against_codes(DecisionTreeClassifier(max_bins=50).fit(X, both), X, both)


@pytest.mark.parametrize("kind", ["two", "many", "weighted", "regression", "leaves"])
def test_threads(kind, rng):
    X, signal = make_table(40_000, rng, missing=kind == "many")
    y, w, make, limits = (signal > 0).astype(int), None, DecisionTreeClassifier, {}
    if kind == "many":
        y = np.digitize(signal, np.linspace(-2, 2, 20))
    elif kind == "weighted":
        w = rng.random(len(X))
    elif kind == "regression":
        y, make = signal, DecisionTreeRegressor
    elif kind == "leaves":
        limits = {"max_leaf_nodes": 200}
    trees = [make(max_bins=255, n_jobs=n, **limits).fit(X, y, w) for n in (1, 2, 3)]
    equal_trees(trees[0].tree_, trees[1].tree_)
    equal_trees(trees[0].tree_, trees[2].tree_)


@pytest.mark.parametrize("name", ["adult", "letter", "electricity", "abalone", "diamonds"])
def test_real_tables(name, data_folder):
    pandas = pytest.importorskip("pandas", reason="real tables are read by it")
    frame = pandas.read_parquet(data_folder / f"{name}.parquet").iloc[::7][:3000]
    y = frame.pop("target")
    X = np.column_stack(
        [
            column.cat.codes.where(column.cat.codes >= 0).astype(float)
            if column.dtype == "category"
            else column.astype(float)
            for _, column in frame.items()
        ]
    )
    if y.dtype == "category":
        y, make = y.cat.codes.to_numpy(), DecisionTreeClassifier
    else:
        y, make = y.to_numpy(), DecisionTreeRegressor
    for max_bins in (20, 255):
        check_against_codes(make(max_bins=max_bins).fit(X, y), X, y)


PROGRAM = """
import sys
import numpy as np
from treelearn import DecisionTreeClassifier
rng = np.random.default_rng(0)
X = rng.standard_normal((70_000, 21)).astype(np.float32)
X[:, 3] = np.round(X[:, 3])
y = (X[:, 0] + X[:, 1] * X[:, 3] + rng.standard_normal(len(X)) > 0).astype(int)
tree = DecisionTreeClassifier(max_bins=255, n_jobs=1).fit(X, y)
sys.stdout.buffer.write(tree.tree_.__getstate__()["nodes"].tobytes())
"""


def test_instruction_sets_give_the_same_bits():
    found = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "TREELEARN_SIMD": level},
            capture_output=True,
            check=True,
        ).stdout
        for level in ("scalar", "avx2", "avx512")
    ]
    assert len(found[0]) > 1000
    assert found[0] == found[1] == found[2]


@settings(max_examples=10)
@given(st.data())
def test_layout_dtype_and_sparseness_do_not_matter(data):
    X = data.draw(tables())
    y = data.draw(labels(len(X)))
    X = np.nan_to_num(np.float32(np.clip(X, -1e3, 1e3)))
    first = DecisionTreeClassifier(max_bins=3).fit(X, y)
    for other in (np.asfortranarray(X), X.astype(np.float64), csc_matrix(X)):
        equal_trees(first.tree_, DecisionTreeClassifier(max_bins=3).fit(other, y).tree_)


def test_predictions_fit_the_training_samples(rng):
    X, signal = make_table(5000, rng, missing=True)
    y = (signal > 0).astype(int)
    tree = DecisionTreeClassifier(max_bins=40).fit(X, y)
    counts = np.bincount(tree.apply(X), minlength=tree.tree_.node_count)
    leaves = tree.tree_.children_left == -1
    np.testing.assert_array_equal(counts[leaves], tree.tree_.n_node_samples[leaves])


def test_more_bins_never_lose_training_accuracy_at_the_root(rng):
    X, signal = make_table(5000, rng)
    gains = []
    for max_bins in (2, 4, 16, 256, None):
        tree = DecisionTreeRegressor(max_bins=max_bins, max_depth=1).fit(X, signal)
        gains.append(tree.score(X, signal))
    assert gains[0] < gains[2] <= gains[-1]
    assert max(gains) == gains[-1]


@pytest.mark.parametrize("max_bins", [1, 0, -3, 65536, 2.5, "auto"])
def test_a_wrong_number_of_bins_is_refused(max_bins):
    with pytest.raises(ValueError, match="max_bins"):
        DecisionTreeClassifier(max_bins=max_bins).fit([[0.0], [1.0]], [0, 1])


def test_what_has_no_meaning_on_bins_is_refused():
    X, y = [[0.0], [1.0]], [0.0, 1.0]
    with pytest.raises(ValueError, match="absolute_error"):
        DecisionTreeRegressor(max_bins=9, criterion="absolute_error").fit(X, y)
    with pytest.raises(ValueError, match="splitter='random'"):
        DecisionTreeRegressor(max_bins=9, splitter="random").fit(X, y)


def test_clone_and_pickle(rng):
    X, signal = make_table(500, rng)
    tree = DecisionTreeRegressor(max_bins=20).fit(X, signal)
    assert clone(tree).max_bins == 20
    assert clone(tree).get_params()["max_bins"] == 20
    again = pickle.loads(pickle.dumps(tree))
    np.testing.assert_array_equal(again.predict(X), tree.predict(X))
    assert not hasattr(tree.to_sklearn(), "max_bins")
