"""Bins of features: what they hold, that codes agree with them, that nothing else matters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_matrix
from strategies import tables
from treelearn.histogram._binning import sample_columns

from treelearn.histogram import binning
from treelearn.histogram.binning import Bins, bin_samples


def check_bins(X, max_bins, bins, codes):
    """Check everything that bins and codes promise, from the values alone."""
    assert codes.shape == X.T.shape
    assert codes.dtype == bins.code_dtype
    for f, column in enumerate(X.T):
        here = slice(*bins.bin_starts[f : f + 2])
        lowest, highest, edges = bins.lowest[here], bins.highest[here], bins.edges[here]
        n_bins = bins.n_bins[f]
        missing = np.isnan(column)
        distinct = np.unique(column[~missing])
        assert 1 <= n_bins <= max_bins
        assert len(lowest) == n_bins
        assert bins.has_missing[f] == missing.any()
        np.testing.assert_array_equal(codes[f] == n_bins, missing)
        np.testing.assert_array_equal(codes[f][~missing], np.searchsorted(edges, column[~missing]))
        if len(distinct) == 0:
            assert n_bins == 1
            continue
        assert bins.is_exact[f] == (len(distinct) <= max_bins)
        if len(distinct) <= max_bins:
            np.testing.assert_array_equal(highest, distinct)
        for b in range(n_bins):
            inside = column[codes[f] == b]
            assert (lowest[b], highest[b]) == (inside.min(), inside.max())


@given(tables(), st.integers(2, 30))
def test_small_tables(X, max_bins):
    bins, codes = bin_samples(X, max_bins)
    check_bins(X, max_bins, bins, codes)
    again = bin_samples(np.asfortranarray(X), max_bins, n_threads=2)
    np.testing.assert_array_equal(codes, again[1])
    for name in Bins.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(bins, name), getattr(again[0], name))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("max_bins", [2, 16, 255, 256, 3000])
def test_large_tables(dtype, max_bins, rng):
    X = np.empty((20_000, 5), dtype=dtype)
    X[:, 0] = rng.standard_normal(len(X))
    X[:, 1] = np.exp(5.0 * rng.standard_normal(len(X)))
    X[:, 2] = np.where(rng.random(len(X)) < 0.7, 0.0, rng.standard_normal(len(X)))
    X[:, 3] = rng.integers(0, 200, len(X))
    X[:, 4] = np.where(rng.random(len(X)) < 0.1, np.nan, rng.random(len(X)))
    bins, codes = bin_samples(X, max_bins)
    check_bins(X, max_bins, bins, codes)
    assert codes.dtype == (np.uint8 if max_bins < 256 else np.uint16)


def test_bins_of_a_continuous_feature_are_about_equally_full(rng):
    X = rng.standard_normal((30_000, 1))
    bins, codes = bin_samples(X, 100)
    assert bins.n_bins[0] == 100
    n_inside = np.bincount(codes[0])
    assert n_inside.min() >= 299
    assert n_inside.max() <= 301


def test_a_value_that_fills_a_bin_has_one_of_its_own(rng):
    X = rng.standard_normal((10_000, 1))
    X[::2] = 0.25
    bins, codes = bin_samples(X, 20)
    inside = codes[0] == codes[0][0]
    assert set(X[inside, 0]) == {0.25}
    assert bins.n_bins[0] >= 15


@pytest.fixture
def small_sample(monkeypatch):
    """Let a few rows make the bins, as of a table a thousand times as large."""
    monkeypatch.setattr(binning, "SAMPLE_ROWS", 100)


def test_values_outside_the_sample_are_found(small_sample, rng):
    X = rng.integers(0, 3, (5_000, 4)).astype(np.float32)
    X[17, 0] = 77.0
    X[18:38, 1] = np.arange(20) + 0.5  # 23 values: too many
    X[39, 2] = np.nan
    X[:, 3] = rng.random(len(X))
    bins, codes = bin_samples(X, 10)
    np.testing.assert_array_equal(bins.is_exact, [True, False, True, False])
    np.testing.assert_array_equal(bins.highest[:4], [0.0, 1.0, 2.0, 77.0])
    np.testing.assert_array_equal(bins.has_missing, [False, False, True, False])
    check_bins(X[:, [0, 2]], 10, *bin_samples(X[:, [0, 2]], 10))
    column = X[:, 3]
    for b in range(bins.n_bins[3]):
        inside = column[codes[3] == b]
        at = bins.bin_starts[3] + b
        assert (bins.lowest[at], bins.highest[at]) == (inside.min(), inside.max())


def test_codes_become_wider_when_the_sample_was_too_narrow(small_sample, rng):
    X = np.zeros((5_000, 2))
    X[:400, 0] = np.arange(400)
    X[:, 1] = rng.integers(0, 2, len(X))
    bins, codes = bin_samples(X, 400)
    assert codes.dtype == np.uint16
    check_bins(X, 400, bins, codes)


@pytest.mark.parametrize("n_features", [1, 2, 15, 17, 40])
def test_groups_of_columns_are_columns(small_sample, n_features, rng):
    """Columns are sorted some at a time, by several threads: the bins are those of one alone."""
    X = rng.normal(size=(500, n_features)).round(2)
    X[rng.random(X.shape) < 0.1] = np.nan
    alone = [bin_samples(column[:, None], 30) for column in X.T]
    for n_threads in (1, 2, 5):
        bins, codes = bin_samples(X, 30, n_threads)
        np.testing.assert_array_equal(bins.edges, np.concatenate([b.edges for b, _ in alone]))
        np.testing.assert_array_equal(codes, np.concatenate([c for _, c in alone]))


def test_sample_and_threads_do_not_depend_on_the_layout(small_sample, rng):
    X = rng.standard_normal((5_000, 3)).astype(np.float32)
    first = bin_samples(X, 8)[1]
    for other in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X.astype(np.float64)):
        np.testing.assert_array_equal(first, bin_samples(other, 8, n_threads=3)[1])


def test_sparse_is_binned_like_dense(rng):
    X = np.where(rng.random((500, 3)) < 0.8, 0.0, rng.standard_normal((500, 3)))
    bins, codes = bin_samples(X, 7)
    sparse_bins, sparse_codes = bin_samples(csc_matrix(X), 7, n_threads=2)
    np.testing.assert_array_equal(codes, sparse_codes)
    np.testing.assert_array_equal(bins.lowest, sparse_bins.lowest)


@pytest.mark.parametrize("max_bins", [-1, 0, 1, 65536])
def test_a_wrong_number_of_bins_is_refused(max_bins):
    with pytest.raises(ValueError, match="max_bins must be from 2 to 65535"):
        bin_samples(np.zeros((3, 1)), max_bins)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sampled_columns(dtype, n_threads):
    rng = np.random.default_rng(12)
    table = rng.normal(size=(500, 10)).astype(dtype)
    for X in (table, np.asfortranarray(table), table[::-2, 3:], table[:, ::3]):
        for n_rows in (0, 1, 64, 130):
            rows = rng.integers(0, len(X), n_rows)
            np.testing.assert_array_equal(sample_columns(X, rows, n_threads), X[rows].T)
