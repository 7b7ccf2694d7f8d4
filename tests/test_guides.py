"""Splits kept from earlier trees: no later tree depends on them."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tree_checks import equal_trees

import treelearn
from treelearn import DecisionTreeClassifier, DecisionTreeRegressor, _fitting, _guides
from treelearn._cache import guides

CRITERIA = [
    {"criterion": "gini"},
    {"criterion": "entropy"},
    {"criterion": "renyi", "order": 0.5},
    {"criterion": "renyi", "order": 30.0},
    {"criterion": "tsallis", "order": 1.5},
    {"criterion": "misclassification"},
]
# Limits of every kind, looser and stricter ones.
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_depth": st.integers(1, 7),
        "min_samples_leaf": st.integers(1, 12),
        "min_samples_split": st.integers(2, 30),
        "min_weight_fraction_leaf": st.sampled_from([0.01, 0.1]),
        "min_impurity_decrease": st.sampled_from([1e-4, 1e-2]),
        "max_leaf_nodes": st.integers(2, 12),
        "max_features": st.integers(1, 4),
        "ccp_alpha": st.sampled_from([1e-3, 1e-2]),
        "splitter": st.just("random"),
        "n_jobs": st.just(2),
    },
)


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch):
    """Let tables of any size be kept, and grow them all on lists."""
    monkeypatch.setattr(_fitting, "_FEWEST_CELLS_KEPT", 1)
    monkeypatch.setenv("TREELEARN_FORM", "lists")
    treelearn.clear_training_cache()
    yield
    treelearn.clear_training_cache()
    treelearn.set_training_cache_size(64 * 2**20)


def make_table(seed, n_rows=120):
    """Return columns with ties, default and missing values, and three noisy classes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4)).round(1)
    X[:, 1] = np.where(rng.random(n_rows) < 0.7, 0.5, X[:, 1])
    X[rng.random(n_rows) < 0.2, 2] = np.nan
    X[:, 3] = rng.integers(0, 3, n_rows)
    y = (X[:, 0] > 0) + (rng.random(n_rows) < 0.3) + (X[:, 1] > 0.5) % 2
    return X, y.astype(int)


def fit_alone(estimator, X, y, weight=None):
    """Fit with nothing kept."""
    treelearn.set_training_cache_size(0)
    try:
        return estimator.fit(X, y, weight)
    finally:
        treelearn.set_training_cache_size(64 * 2**20)


@given(
    st.integers(0, 10**6),
    st.sampled_from(CRITERIA),
    st.lists(LIMITS, min_size=2, max_size=6),
    st.sampled_from(["none", "ones", "whole", "real"]),
)
def test_no_tree_depends_on_the_fits_before_it(seed, criterion, limits, kind):
    X, y = make_table(seed)
    rng = np.random.default_rng(seed)
    weight = {
        "none": None,
        "ones": np.ones(len(y)),
        "whole": rng.integers(0, 4, len(y)).astype(float),
        "real": rng.random(len(y)),
    }[kind]
    parameters = [{**criterion, **more, "random_state": seed % 7} for more in limits]
    alone = [fit_alone(DecisionTreeClassifier(**more), X, y, weight) for more in parameters]
    treelearn.clear_training_cache()
    for more, expected in zip(parameters, alone, strict=True):
        equal_trees(DecisionTreeClassifier(**more).fit(X, y, weight).tree_, expected.tree_)


@given(
    st.integers(0, 10**6),
    st.sampled_from(["squared_error", "poisson", "absolute_error", "gaussian_entropy"]),
    st.lists(LIMITS, min_size=2, max_size=4),
    st.integers(1, 2),
)
def test_nor_does_a_tree_of_numbers(seed, criterion, limits, n_outputs):
    X, y = make_table(seed)
    y = y[:, None] + np.random.default_rng(seed).integers(0, 3, (len(y), n_outputs)) + 1.0
    parameters = [{"criterion": criterion, **more, "random_state": seed % 7} for more in limits]
    alone = [fit_alone(DecisionTreeRegressor(**more), X, y) for more in parameters]
    treelearn.clear_training_cache()
    for more, expected in zip(parameters, alone, strict=True):
        equal_trees(DecisionTreeRegressor(**more).fit(X, y).tree_, expected.tree_)


@pytest.mark.parametrize("change", ["X", "y", "weight", "criterion", "order"])
def test_what_changes_between_two_fits_is_noticed(change):
    X, y = make_table(0, 400)
    weight = np.ones(len(y))
    tree = DecisionTreeClassifier(criterion="renyi", order=0.5)
    tree.fit(X, y, weight)
    before = tree.tree_
    if change == "X":  # all in place: the arrays are the same objects
        X[:, 0] *= -1.0
        X[:, 1] += X[:, 3]
    elif change == "y":
        y[::3] = (y[::3] + 1) % 3
    elif change == "weight":
        weight[::2] = 3.0
    elif change == "criterion":
        tree.set_params(criterion="gini")
    else:
        tree.set_params(order=4.0)
    tree.fit(X, y, weight)
    assert tree.tree_.node_count != before.node_count or not np.array_equal(
        tree.tree_.threshold, before.threshold
    )
    equal_trees(tree.tree_, fit_alone(tree, X, y, weight).tree_)


def test_targets_changed_in_place_are_noticed():
    X, y = make_table(1, 400)
    y = y.astype(float)
    tree = DecisionTreeRegressor(max_depth=4).fit(X, y)
    y[:] = X[:, 3] - y
    equal_trees(tree.fit(X, y).tree_, fit_alone(DecisionTreeRegressor(max_depth=4), X, y).tree_)


@pytest.fixture
def found(monkeypatch):
    """Return the list of guides that fits find, None where they find none."""
    guides_found = []

    def find(*arguments):
        key, guide = _guides.find_guide(*arguments)
        guides_found.append(guide)
        return key, guide

    monkeypatch.setattr(_fitting, "find_guide", find)
    return guides_found


def test_a_guide_serves_stricter_limits_alone(found):
    X, y = make_table(2, 400)
    for limits in (
        {"max_depth": 3, "min_samples_leaf": 5},
        {"max_depth": 3, "min_samples_leaf": 9},  # guided
        {"max_depth": 6, "min_samples_leaf": 5},  # guided, and the next guide
        {"max_depth": 6, "min_samples_leaf": 4},  # looser
        {"max_depth": 6, "min_samples_leaf": 5},  # guided by the looser tree
        {"max_depth": 6, "min_samples_leaf": 5, "min_weight_fraction_leaf": 0.1},  # guided
        {"max_depth": 6, "min_samples_leaf": 4, "max_features": 2},  # drawn
    ):
        DecisionTreeClassifier(random_state=0, **limits).fit(X, y)
    leaves = [None if guide is None else guide.min_samples_leaf for guide in found]
    assert leaves == [None, 5, 5, None, 4, 4, None]
    assert len(found[2].feature) < len(found[4].feature)


def test_a_guide_spares_the_search(found):
    """A guide that names another feature is followed nowhere, and does not mislead."""
    X, y = make_table(3, 400)
    expected = fit_alone(DecisionTreeClassifier(max_depth=5), X, y)
    DecisionTreeClassifier(max_depth=5).fit(X, y)
    (key,) = guides._lists
    kept = guides.get(key)
    wrong = kept._replace(
        feature=np.where(kept.feature >= 0, (kept.feature + 1) % 4, -2).astype(np.int32)
    )
    guides.put(key, wrong)
    equal_trees(DecisionTreeClassifier(max_depth=5).fit(X, y).tree_, expected.tree_)
    assert found[-1] is wrong
    # One that names a worse cut of its own is believed: the search is not repeated.
    column = np.argsort(X[:, 3], kind="stable")
    n_left = int(np.count_nonzero(X[:, 3] <= 0.5))
    assert X[column[n_left - 1], 3] == 0.0
    stump = fit_alone(DecisionTreeClassifier(max_depth=1), X[:, 3:], y).tree_
    guides.put(
        key,
        kept._replace(
            feature=np.array([3, -2, -2], dtype=np.int32),
            left=np.array([1, -1, -1], dtype=np.int32),
            right=np.array([2, -1, -1], dtype=np.int32),
            threshold=np.array([stump.threshold[0], -2.0, -2.0]),
            n_samples=stump.n_node_samples.astype(np.int32),
            missing_goes_left=stump.missing_go_to_left.astype(np.uint8),
        ),
    )
    believed = DecisionTreeClassifier(max_depth=5).fit(X, y).tree_
    assert (believed.feature[0], believed.threshold[0]) == (3, stump.threshold[0])
    assert expected.tree_.feature[0] != 3


def test_guides_are_bounded_and_cleared():
    X, y = make_table(4, 400)
    DecisionTreeClassifier().fit(X, y)
    assert len(guides) == 1
    assert guides.n_bytes == guides.get(next(iter(guides._lists))).n_bytes > 0
    treelearn.clear_training_cache()
    assert len(guides) == guides.n_bytes == 0
    DecisionTreeClassifier().fit(X, y)
    treelearn.set_training_cache_size(0)
    assert len(guides) == 0
    DecisionTreeClassifier().fit(X, y)
    assert len(guides) == 0


def test_threads_share_guides():
    X, y = make_table(5, 2000)
    limits = [{"max_depth": d, "min_samples_leaf": n} for d in (2, 4, 8) for n in (1, 5)] * 3
    expected = [fit_alone(DecisionTreeClassifier(**more), X, y) for more in limits]
    trees = [None] * len(limits)

    def work(k):
        trees[k] = DecisionTreeClassifier(**limits[k]).fit(X.copy(), y)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(limits))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tree, alone in zip(trees, expected, strict=True):
        equal_trees(tree.tree_, alone.tree_)
