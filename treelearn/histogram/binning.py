"""Quantile bins of every feature, and the codes of values in them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import issparse

from .._crowd import n_threads_now
from ._binning import encode, last_of_bins, sample_columns

__all__ = ["Bins", "Coder", "MAX_BINS", "bin_samples", "edges_of", "find_bins"]

MAX_BINS = 65535
"""Most bins of a feature: with the code for missing values they fit into 16 bits."""

SAMPLE_ROWS = 50_000
"""Rows from which bins are made, where there are more; at least ten for every bin."""

# Columns that are sampled at once, for each thread: a cache line of a row holds so many.
_COLUMNS_OF_A_THREAD = 16

_SAMPLE_SEED = 202_601  # fixed: bins depend on the data alone


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of every feature of a training set.

    Bin b of a feature holds the values above the edge of bin b - 1, up to and including its own
    edge; the last bin has no edge. Missing values have the code ``n_bins``.

    Attributes
    ----------
    n_bins : ndarray of shape (n_features,)
        int32; 1 for a feature without any value.
    bin_starts : ndarray of shape (n_features + 1,)
        int64: where the bins of each feature start in the arrays below.
    lowest, highest : ndarray of shape (bin_starts[-1],)
        float64: the lowest and the highest training value of every bin.
    edges : ndarray of shape (bin_starts[-1],)
        float64: the edge of every bin, infinity for the last one of a feature.
    has_missing : ndarray of shape (n_features,)
        bool: whether values were missing in training.
    """

    n_bins: np.ndarray
    bin_starts: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    edges: np.ndarray
    has_missing: np.ndarray

    @property
    def code_dtype(self):
        """The dtype of codes: uint8 where the codes of all features fit, else uint16."""
        return _code_dtype(self.n_bins)

    @property
    def is_exact(self):
        """Whether each bin of a feature holds one value, bool of shape (n_features,)."""
        is_wide = np.concatenate([[0], np.cumsum(self.lowest < self.highest)])
        return is_wide[self.bin_starts[1:]] == is_wide[self.bin_starts[:-1]]


def bin_samples(X, max_bins, n_threads=1, allocate=None):
    """Bin every feature of a training set and encode it.

    A feature of at most ``max_bins`` distinct values gets one bin a value. Any other gets bins
    that hold about equally many samples; a value that fills a bin by itself has one of its own.
    Up to max(50 000, 10 * max_bins) rows make the bins, one drawn from each of as many stretches
    of equal length, by a fixed seed: the bins depend on nothing but X and ``max_bins``. Whether a
    feature has few values is found out from all rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features) or CSC matrix of that shape
        float32 or float64, no value infinite; NaN is a missing value. A CSC matrix is encoded
        column by column, what it does not store as 0.
    max_bins : int
        Most bins of a feature, from 2 to 65535.
    n_threads : int, default=1
        Threads that sort and encode; bins and codes do not depend on them.
    allocate : callable or None, default=None
        Called with the dtype of the codes, returns where they go: an array of shape
        (n_features, n_samples) of any strides. None: a new C-contiguous array.

    Returns
    -------
    bins : Bins
        The bins.
    codes : ndarray of shape (n_features, n_samples)
        Codes, uint8 or uint16.

    Raises
    ------
    ValueError
        If ``max_bins`` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from treelearn.histogram.binning import bin_samples
    >>> bins, codes = bin_samples(np.array([[0.5], [np.nan], [2.0], [1.0], [0.5]]), max_bins=2)
    >>> bins.highest, codes
    (array([0.5, 2. ]), array([[0, 2, 1, 1, 0]], dtype=uint8))
    """
    if not 2 <= max_bins <= MAX_BINS:
        raise ValueError(f"max_bins must be from 2 to {MAX_BINS}, got {max_bins}.")
    n_samples, n_features = X.shape
    if allocate is None:

        def allocate(dtype):
            return np.empty((n_features, n_samples), dtype=dtype)

    def make_coder(edges, before=None):
        return _Coder(X, edges, n_threads, before)

    return find_bins(
        partial(_edges_of_columns, X, max_bins, n_threads),
        lambda f: np.unique(_column(X, f)),
        make_coder,
        allocate,
        (n_samples, n_features),
        max_bins,
    )


def edges_of(column, max_bins):
    """Return the edges of a feature, and whether its bins may hold one value each.

    Parameters
    ----------
    column : ndarray of shape (n,)
        A sample of the feature's values, sorted, without NaN.
    max_bins : int
        Most bins.

    Returns
    -------
    edges : ndarray of shape (n_bins,)
        The highest value of each bin.
    may_be_exact : bool
        Whether each bin holds one value of the sample.
    """
    last, n_distinct = last_of_bins(column, max_bins)
    return column[last] + 0.0, len(column) > 0 and n_distinct == len(last)


def find_bins(edges_of_columns, distinct_values, make_coder, allocate, shape, max_bins):
    """Return the bins and codes of a table of any library.

    Parameters
    ----------
    edges_of_columns : callable
        Called with row numbers, None for all, yields for each column what `edges_of` returns of
        those rows.
    distinct_values : callable
        Called with a feature, returns its distinct values as an ndarray, sorted, NaN last.
    make_coder : callable
        Called with the edges of all features and the coder before or None, returns a `Coder`.
    allocate : callable
        As of `bin_samples`.
    shape : tuple of int
        Samples and features.
    max_bins : int
        Most bins of a feature.

    Returns
    -------
    bins : Bins
        The bins.
    codes : array
        What ``allocate`` has returned, filled.
    """
    n_samples, n_features = shape
    rows = _sampled_rows(n_samples, max(SAMPLE_ROWS, 10 * max_bins))
    edges, may_be_exact = map(list, zip(*edges_of_columns(rows), strict=True))
    coder = make_coder(edges)
    codes = allocate(coder.code_dtype)
    coder.encode(range(n_features), codes)
    if rows is None:
        return coder.bins(), codes

    # Values that the sample has not seen: their bins have more than one value.
    is_exact = coder.bins().is_exact
    unseen = [f for f in range(n_features) if may_be_exact[f] and not is_exact[f]]
    renewed = []
    for f in unseen:
        distinct = distinct_values(f) + 0.0
        distinct = np.unique(distinct[~np.isnan(distinct)])
        if len(distinct) <= max_bins:
            edges[f] = distinct
            renewed.append(f)
    if not renewed:
        return coder.bins(), codes
    dtype = coder.code_dtype
    coder = make_coder(edges, coder)
    if coder.code_dtype != dtype:
        codes = allocate(coder.code_dtype)
        renewed = range(n_features)
    coder.encode(renewed, codes)
    return coder.bins(), codes


class Coder:
    """The edges of all features, and what encoding finds out of their bins.

    Parameters
    ----------
    edges : list of ndarray
        For every feature the highest value of each bin.
    dtype : dtype
        Of the values.
    n_threads : int
        Threads that encode.
    before : Coder or None
        What is known of features whose bins are the same.
    """

    def __init__(self, edges, dtype, n_threads=1, before=None):
        self.edges = list(edges)
        self.n_bins = np.array([max(1, len(e)) for e in edges], dtype=np.int32)
        self.code_dtype = _code_dtype(self.n_bins)
        self.bin_starts = np.concatenate([[0], np.cumsum(self.n_bins, dtype=np.int64)])
        shape = (max(1, n_threads), self.bin_starts[-1])
        self.lowest = np.full(shape, np.inf, dtype=dtype)
        self.highest = np.full(shape, -np.inf, dtype=dtype)
        self.n_missing = np.zeros((shape[0], len(edges)), dtype=np.int64)
        if before is not None:
            self._take(before)

    def _take(self, other):
        """Keep what is known of the features whose bins are the same."""
        self.n_missing[0] = other.n_missing.sum(axis=0)
        for f, (mine, theirs) in enumerate(zip(self.edges, other.edges, strict=True)):
            if len(mine) == len(theirs):
                here, there = (
                    slice(*self.bin_starts[f : f + 2]),
                    slice(*other.bin_starts[f : f + 2]),
                )
                self.lowest[0, here] = other.lowest[:, there].min(axis=0)
                self.highest[0, here] = other.highest[:, there].max(axis=0)

    def bins(self):
        """Return the bins, the findings of all threads taken together."""
        lowest = self.lowest.min(axis=0).astype(np.float64)
        highest = self.highest.max(axis=0).astype(np.float64)
        edges = highest.copy()
        edges[self.bin_starts[1:] - 1] = np.inf
        for start, e in zip(self.bin_starts[:-1], self.edges, strict=True):
            edges[start : start + max(0, len(e) - 1)] = e[:-1]
        has_missing = self.n_missing.sum(axis=0) > 0
        return Bins(self.n_bins, self.bin_starts, lowest, highest, edges, has_missing)


class _Coder(Coder):
    """Edges in the form that the compiled kernel reads."""

    def __init__(self, X, edges, n_threads, before):
        super().__init__(edges, X.dtype, n_threads, before)
        self.X = X
        n_padded = [1 << (int(n) - 1).bit_length() for n in self.n_bins]
        self.edge_starts = np.concatenate([[0], np.cumsum(n_padded, dtype=np.int64)])
        self.padded = np.full(self.edge_starts[-1], np.inf, dtype=X.dtype)
        for start, e in zip(self.edge_starts[:-1], edges, strict=True):
            self.padded[start : start + max(0, len(e) - 1)] = e[:-1]

    def encode(self, features, codes):
        """Write the codes of some features, all at once where they are all."""
        if not issparse(self.X) and len(features) == self.X.shape[1]:
            self.n_missing[:] = 0
            self._encode(self.X, codes, slice(0, None))
            return
        for f in features:
            self.n_missing[:, f] = 0
            self._encode(_column(self.X, f)[:, None], codes[f : f + 1], slice(f, f + 1))

    def _encode(self, X, codes, features):
        """Write the codes of a range of features."""
        n_features = X.shape[1]
        starts = self.bin_starts[features.start :][: n_features + 1]
        written = slice(starts[0], starts[-1])
        lowest = np.ascontiguousarray(self.lowest[:, written])
        highest = np.ascontiguousarray(self.highest[:, written])
        n_missing = np.zeros((len(self.n_missing), n_features), dtype=np.int64)
        encode(
            X,
            self.padded,
            self.edge_starts[features.start :][: n_features + 1],
            starts - starts[0],
            codes.__array_interface__["data"][0],
            codes.itemsize,
            codes.strides[1],
            codes.strides[0],
            lowest,
            highest,
            n_missing,
        )
        self.lowest[:, written] = lowest
        self.highest[:, written] = highest
        self.n_missing[:, features] = n_missing


def _code_dtype(n_bins):
    """Return the dtype of codes; the highest one stands for missing values."""
    return np.dtype(np.uint8 if n_bins.max(initial=1) < 256 else np.uint16)


def _column(X, feature):
    """Return one column, a sparse one filled up with zeros."""
    if not issparse(X):
        return X[:, feature]
    column = np.zeros(X.shape[0], dtype=X.dtype)
    stored = slice(X.indptr[feature], X.indptr[feature + 1])
    column[X.indices[stored]] = X.data[stored]
    return column


def _sampled_rows(n_samples, n_wanted):
    """Return increasing row numbers, one from each of n_wanted stretches; None for all rows."""
    if n_samples <= n_wanted:
        return None
    starts = np.arange(n_wanted + 1, dtype=np.int64) * n_samples // n_wanted
    lengths = np.diff(starts)
    drawn = np.random.Generator(np.random.PCG64(_SAMPLE_SEED)).random(n_wanted)
    return starts[:-1] + np.minimum((drawn * lengths).astype(np.int64), lengths - 1)


def _edges_of_columns(X, max_bins, n_threads, rows):
    """Yield what `edges_of` returns of each column's sample."""
    n_features = X.shape[1]
    if issparse(X):
        for f in range(n_features):
            column = _column(X, f)
            yield edges_of(np.sort(column if rows is None else column[rows]), max_bins)
        return

    def of_column(column):
        column.sort()  # NaN comes last
        return edges_of(column[: column.searchsorted(column.dtype.type(np.nan))], max_bins)

    n_threads = n_threads_now(n_threads)
    rows = np.arange(X.shape[0], dtype=np.int64) if rows is None else rows
    width = _COLUMNS_OF_A_THREAD * n_threads
    # NumPy's sort and `last_of_bins` let go of Python while they work.
    with ThreadPoolExecutor(n_threads) as pool:
        each = map if n_threads == 1 else pool.map
        for first in range(0, n_features, width):
            yield from each(of_column, sample_columns(X[:, first : first + width], rows, n_threads))
