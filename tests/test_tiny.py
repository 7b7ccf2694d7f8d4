"""Subtrees of a few samples, grown in one go, are those that the lists grow."""

import numpy as np
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from tree_checks import equal_trees

from treelearn import DecisionTreeRegressor


def assert_same(X, y, **rules):
    """Compare with growth by best-first order to all leaves, which knows no small subtrees."""
    by_depth = DecisionTreeRegressor(random_state=0, **rules).fit(X, y)
    best_first = DecisionTreeRegressor(random_state=0, max_leaf_nodes=len(y), **rules).fit(X, y)
    equal_trees(by_depth.tree_, best_first.tree_)


@given(data=st.data(), X=strategies.tables(max_rows=80), stops=strategies.rules())
def test_drawn_tables(data, X, stops):
    stops.pop("max_leaf_nodes")
    assert_same(X, data.draw(strategies.targets(len(X))), **stops)


def columns(rng, n):
    """Make columns with reals, ties, and default values at either end and in the middle."""
    tied = rng.integers(0, 4, n)
    return np.column_stack(
        [
            rng.normal(size=n),
            tied,
            np.where(rng.random(n) < 0.7, 0.0, rng.normal(size=n)),
            np.where(rng.random(n) < 0.6, -3.0, tied),
            np.where(rng.random(n) < 0.6, 9.0, tied),
            np.full(n, 2.5),
        ]
    )


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 11, 12, 13, 31, 32, 33, 63, 64, 65, 130, 700, 1500])
@pytest.mark.parametrize("level", ["scalar", "avx2"])
def test_sizes_around_every_switch_point(n, level, monkeypatch):
    monkeypatch.setenv("TREELEARN_SIMD", level)
    rng = np.random.default_rng(n)
    for dtype in (np.float32, np.float64):
        X = columns(rng, n).astype(dtype)
        for y in (rng.normal(size=n), rng.integers(0, 3, n), 1e9 + rng.random(n)):
            assert_same(X, y.astype(float))
            assert_same(X, y.astype(float), min_samples_leaf=3, max_depth=9)
        X[rng.random(X.shape) < 0.01] = np.nan
        assert_same(X, rng.normal(size=n))


def test_more_features_than_samples():
    rng = np.random.default_rng(0)
    assert_same(rng.normal(size=(40, 300)).round(1), rng.normal(size=40))


def test_values_that_only_float64_tells_apart():
    X = np.array([[1e9], [1e9 + 1e-6], [1e9 + 2e-6], [1e9 + 3e-6]])
    tree = DecisionTreeRegressor().fit(X, [0.0, 1.0, 5.0, 9.0])
    np.testing.assert_array_equal(tree.predict(X), [0.0, 1.0, 5.0, 9.0])
