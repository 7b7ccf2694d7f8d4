"""Raw values checked, encoded and routed on NumPy arrays: the oracle of ``cuda_values``."""

import numpy as np

__all__ = ["encode", "find_worst", "route"]

_STEP = np.dtype([("threshold", np.float64), ("column", np.uint32), ("left", np.int32)])


def find_worst(X):
    """Return whether a table has infinite and whether it has missing values.

    Parameters
    ----------
    X : array of any shape
        float32 or float64.

    Returns
    -------
    has_infinite, has_missing : bool
        Whether there is any.
    """
    return bool(np.isinf(X).any()), bool(np.isnan(X).any())


def encode(X, rows, features, edges, records):
    """Write the codes of some features.

    Parameters
    ----------
    X : array of shape (n_rows, n_features)
        float32 or float64, any strides, no value infinite.
    rows : array of shape (n_samples,) or None
        int32: the rows that are samples; None for all.
    features : list of int
        Which features.
    edges : list of ndarray
        For each of them the edges of all bins but the last, growing.
    records : array of shape (n_samples, n_padded)
        Out, in the columns ``features``: the number of edges below each value, one more than
        there are edges for a missing one.

    Returns
    -------
    lowest, highest : list of ndarray
        float64, for each feature: the lowest and the highest value of every bin, infinity and
        minus infinity for a bin that holds none.
    has_missing : ndarray of shape (n_encoded,)
        bool.
    """
    lowest, highest, has_missing = [], [], []
    for feature, limits in zip(features, edges, strict=True):
        column = X[:, feature] + X.dtype.type(0.0)
        column = (column if rows is None else column[rows]).astype(np.float64)
        is_missing = np.isnan(column)
        codes = np.searchsorted(limits, column, side="left")
        codes[is_missing] = len(limits) + 1
        records[:, feature] = codes
        low, high = np.full(len(limits) + 2, np.inf), np.full(len(limits) + 2, -np.inf)
        np.minimum.at(low, codes[~is_missing], column[~is_missing])
        np.maximum.at(high, codes[~is_missing], column[~is_missing])
        lowest.append(low[:-1])
        highest.append(high[:-1])
        has_missing.append(is_missing.any())
    return lowest, highest, np.array(has_missing)


def route(steps, X):
    """Return the place of the leaf of every row.

    Parameters
    ----------
    steps : array of shape (2 * n_nodes,)
        The steps that ``pack_steps`` of ``treelearn._predict`` makes, as int64.
    X : array of shape (n_rows, n_features)
        float32 or float64, any strides; NaN is a missing value.

    Returns
    -------
    array of shape (n_rows,)
        int32.
    """
    steps = steps.view(_STEP)
    place = np.zeros(len(X), dtype=np.int32)
    while True:
        step = steps[place]
        value = X[np.arange(len(X)), step["column"] >> 1].astype(np.float64)
        goes_right = (value > step["threshold"]) | (np.isnan(value) & (step["column"] % 2 == 1))
        following = step["left"] + goes_right.astype(np.int32)
        if np.array_equal(following, place):
            return place
        place = following
