"""Growth level by level: bit for bit the tree of the compiled histogram mode."""

import numpy as np
import pytest
from hypothesis import given
from level_wise import estimator_of, grow_both, problems, same_arrays
from sklearn.datasets import load_diabetes, load_iris, load_wine
from strategies import CLASS_CRITERIA
from tree_checks import check_tree
from treelearn.histogram._formulas import drawn_features

from treelearn.histogram import grower, numpy_kernels
from treelearn.tree import Tree


@given(problem=problems())
def test_grows_the_tree_of_the_compiled_mode(problem):
    same_arrays(*grow_both(*problem, numpy_kernels))


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA)
@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_bundled_tables(criterion, order, load):
    X, y = load(return_X_y=True)
    estimator = estimator_of(criterion, order, max_bins=16, max_features=2, random_state=3)
    expected, found = grow_both(estimator, X, y, None, numpy_kernels)
    same_arrays(expected, found)
    tree = Tree(X.shape[1], [y.max() + 1], 1, found)
    assert tree.node_count > 3
    check_tree(estimator)


@pytest.mark.parametrize("criterion", ["squared_error", "poisson", "gaussian_entropy"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regression(criterion, n_outputs):
    X, y = load_diabetes(return_X_y=True)
    y = y if n_outputs == 1 else np.column_stack([y, y[::-1]])
    estimator = estimator_of(criterion, 2.0, max_bins=32, min_samples_leaf=3)
    same_arrays(*grow_both(estimator, X, y, np.arange(len(X)) % 4, numpy_kernels))


@pytest.mark.parametrize("n_bytes", [1, 40_000, 400_000])
def test_levels_that_do_not_fit_into_memory_are_split_in_parts(n_bytes, monkeypatch):
    X, y = load_wine(return_X_y=True)
    monkeypatch.setattr(grower, "HISTOGRAM_BYTES", n_bytes)
    same_arrays(*grow_both(estimator_of("gini", 2.0, max_bins=8), X, y, None, numpy_kernels))


@pytest.mark.parametrize("max_leaf_nodes", [2, 3, 7, 30, 1000])
def test_best_first_growth(max_leaf_nodes, rng):
    # Values on a grid: equal gains in many nodes, whose order decides which is split.
    X, y = rng.integers(0, 4, (300, 4)), rng.integers(0, 2, 300)
    estimator = estimator_of("gini", 2.0, max_bins=4, max_leaf_nodes=max_leaf_nodes)
    expected, found = grow_both(estimator, X, y, None, numpy_kernels)
    same_arrays(expected, found)
    assert np.count_nonzero(found["children_left"] < 0) <= max_leaf_nodes


def test_the_only_sum_over_samples(rng):
    """Two machines of half of the samples' histograms each make the tree of all of them."""
    X, y = rng.integers(0, 9, (200, 3)).astype(float), rng.integers(0, 3, 200)
    halves = []

    class Halves:
        scan = staticmethod(numpy_kernels.scan)
        partition = staticmethod(numpy_kernels.partition)
        finish = staticmethod(numpy_kernels.finish)

        @staticmethod
        def fill(table, samples, start, n_samples):
            middle = n_samples // 2
            halves.append(numpy_kernels.fill(table, samples, start + middle, n_samples - middle))
            return numpy_kernels.fill(table, samples, start, middle)

    def total(histograms):
        return histograms + halves.pop()

    estimator = estimator_of("entropy", 2.0, max_bins=9)
    same_arrays(*grow_both(estimator, X, y, None, Halves, total))
    assert not halves


@pytest.mark.parametrize("name", ["titanic", "abalone", "credit_default"])
def test_real_tables(name, data_folder):
    import pandas as pd

    numbers = pd.read_parquet(data_folder / f"{name}.parquet").iloc[:1500].select_dtypes("number")
    X = numbers.iloc[:, :-1].to_numpy(float, na_value=np.nan)
    y = numbers.iloc[:, -1].fillna(0).to_numpy(float)
    estimator = estimator_of("squared_error", 2.0, max_bins=255, max_depth=8)
    same_arrays(*grow_both(estimator, X, y, None, numpy_kernels))
    estimator = estimator_of("renyi", 0.5, max_bins=63, max_depth=8)
    same_arrays(*grow_both(estimator, X, (y > np.median(y)).astype(int), None, numpy_kernels))


def test_drawing_goes_on_until_a_feature_varies():
    seeds = np.arange(50, dtype=np.uint64)
    varies = np.zeros((50, 6), dtype=np.uint8)
    assert drawn_features(seeds, varies, 2).all()
    varies[:, 4] = 1
    drawn = drawn_features(seeds, varies, 2)
    assert drawn[:, 4].all()
    assert (drawn.sum(axis=1) >= 2).all()
    assert len(np.unique(drawn, axis=0)) > 5
    varies[:] = 1
    assert (drawn_features(seeds, varies, 2).sum(axis=1) == 2).all()
