"""Real tables, where they are: as good as scikit-learn, and never a worse cut at the root."""

import json

import numpy as np
import pytest
from oracle import class_impurity
from sklearn import tree as rival
from tree_checks import check_tree, equal_trees
from versions import RELEASE

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

# Enough rows for large nodes; scikit-learn, not we, sets the time that these tests take.
MAX_ROWS = 5000
CRITERIA = [("gini", 2.0), ("entropy", 2.0), ("renyi", 0.5), ("tsallis", 3.0)]
TABLES = {
    "classification": (
        "adult babynames car compas covertype covertype_2v4 credit_default diabetes130 electricity "
        "german_credit hflights_dest higgs_7k kr_vs_kp letter mammography mnist_10k mushroom "
        "online_retail pendigits skin soybean spambase titanic walking_activity wine_quality"
    ).split(),
    "regression": (
        "abalone ames beijing_pm25 bike_sharing california_housing communities_crime diamonds"
    ).split(),
}


@pytest.fixture
def table(request, data_folder):
    """X with ordinal codes for categories and NaN for what is missing, and y."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(data_folder / f"{request.param}.parquet")
    # Every k-th row, since some tables are sorted.
    frame = frame.iloc[:: max(1, len(frame) // MAX_ROWS)][:MAX_ROWS]
    y = frame.pop("target")
    for name in frame.select_dtypes("category"):
        codes = frame[name].cat.codes
        frame[name] = codes.where(codes >= 0).astype(float)
    y = y.cat.codes if y.dtype == "category" else y
    return frame.to_numpy(dtype=np.float64), y.to_numpy()


def _in_float32(X):
    """Whether scikit-learn sees the same values, and no two that it takes for one."""
    if RELEASE < (1, 9) and np.isnan(X).any():
        return False
    if not np.array_equal(X, X.astype(np.float32), equal_nan=True):
        return False
    gaps = [np.diff(np.unique(column[~np.isnan(column)])) for column in X.T]
    return all(gap.min(initial=np.inf) > 1e-6 for gap in gaps)


def _root_gain(tree, X, y, criterion, order):
    """Gain of a tree's first split under any criterion, per unit weight."""
    column, node = X[:, tree.feature[0]], 0
    left = np.where(np.isnan(column), tree.missing_go_to_left[node], column <= tree.threshold[node])
    parts = [np.bincount(y), *(np.bincount(y[left == side]) for side in (False, True))]
    terms = [n.sum() * class_impurity(criterion, order, n) if n.sum() else 0.0 for n in parts]
    return (terms[0] - terms[1] - terms[2]) / len(y)


@pytest.mark.parametrize("table", TABLES["classification"], indirect=True)
def test_classification(table):
    X, y = table
    y = np.unique(y, return_inverse=True)[1]
    theirs = rival.DecisionTreeClassifier(random_state=0).fit(X, y)
    first = [theirs, rival.DecisionTreeClassifier(criterion="entropy", max_depth=1).fit(X, y)]
    for criterion, order in CRITERIA:
        tree = DecisionTreeClassifier(criterion=criterion, order=order).fit(X, y)
        check_tree(tree)
        if _in_float32(X):
            assert tree.score(X, y) == theirs.score(X, y)
        else:
            assert tree.score(X, y) >= theirs.score(X, y)
        gain = _root_gain(tree.tree_, X, y, criterion, order)
        for other in first:
            assert gain >= (1 - 1e-9) * _root_gain(other.tree_, X, y, criterion, order)


@pytest.mark.parametrize("table", TABLES["regression"], indirect=True)
def test_regression(table):
    X, y = table
    for criterion in ("squared_error", "poisson"):
        if criterion == "poisson" and y.min() < 0.0:
            continue
        theirs = rival.DecisionTreeRegressor(random_state=0, criterion=criterion).fit(X, y)
        tree = DecisionTreeRegressor(criterion=criterion).fit(X, y)
        check_tree(tree)
        assert tree.tree_.impurity[0] == pytest.approx(theirs.tree_.impurity[0], rel=1e-9)
        assert tree.score(X, y) >= theirs.score(X, y) - 1e-9
        if _in_float32(X):
            assert tree.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-9)
        shallow = [
            kind(criterion=criterion, max_depth=1).fit(X, y).tree_
            for kind in (DecisionTreeRegressor, rival.DecisionTreeRegressor)
        ]
        ours, other = (t.compute_feature_importances(normalize=False).sum() for t in shallow)
        assert ours >= other * (1 - 1e-9)


@pytest.mark.parametrize("table", [*TABLES["classification"], *TABLES["regression"]], indirect=True)
def test_threads(table):
    X, y = table
    kind = DecisionTreeClassifier if y.dtype.kind in "iu" else DecisionTreeRegressor
    expected = kind(n_jobs=1).fit(X, y)
    for n_jobs in (2, 3):
        tree = kind(n_jobs=n_jobs).fit(X, y)
        equal_trees(tree.tree_, expected.tree_)
        np.testing.assert_array_equal(tree.predict(X), expected.predict(X))


def test_every_table_is_tried(data_folder):
    listed = json.loads((data_folder / "datasets.json").read_text())["datasets"]
    known = set(TABLES["classification"]) | set(TABLES["regression"])
    assert {entry["name"] for entry in listed} <= known
