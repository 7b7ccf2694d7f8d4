"""What is asked of a table before it is grown in another form than presorted lists."""

import numpy as np
from scipy.sparse import issparse

from ._codes import MOST_CODES

__all__ = ["CELLS_TO_ENCODE", "SAMPLED_ROWS", "column_widths", "count_sampled", "is_plain"]

CELLS_TO_ENCODE = 300_000
"""Fewer cells are not worth a second thread that encodes.

kr_vs_kp, 115,000 cells: 1.3 ms with one thread and with two; wine_quality, 78,000: 10.2 and 7.4;
letter, 320,000: 7.3 and 5.8.
"""

SAMPLED_ROWS = 512
"""Rows that tell how many values a column has."""


def is_plain(X, y, sample_weight, rules):
    """Return whether a tree is what codes and bins know: the limits of nodes are theirs alone.

    One output, a dense table, all features and cuts, no order imposed, depth first, and all samples
    weigh the same; rows of weight zero are none.
    """
    if (
        issparse(X)
        or y.shape[0] > 1
        or rules["monotonic"] is not None
        or rules["random_thresholds"]
        or rules["max_features"] < X.shape[1]
        or rules["max_leaf_nodes"] > 0
    ):
        return False
    if sample_weight is None:
        return True
    weights = sample_weight[sample_weight > 0]
    return 2.0**-20 <= weights[0] <= 2.0**40 and bool((weights == weights[0]).all())


def column_widths(ranges):
    """Return the widths of the ranges of columns, and which of them values are ranked in.

    Parameters
    ----------
    ranges : tuple of ndarray
        What `column_ranges` returns.

    Returns
    -------
    widths : ndarray of shape (n_features,)
        As many as whole numbers there are from the lowest to the highest value.
    is_ranked : ndarray of shape (n_features,)
        bool: the column holds no whole numbers of a small range.
    """
    lowest, highest, flags = ranges
    with np.errstate(invalid="ignore", over="ignore"):
        widths = highest - lowest
    widths += 1.0
    return widths, ((flags & 1 != 0) | (widths >= MOST_CODES)) & (highest > lowest)


def count_sampled(X, columns):
    """Return how many values some columns have in some rows, and the number of the rows."""
    step = max(1, X.shape[0] // SAMPLED_ROWS)
    sample = np.sort(X[::step][:SAMPLED_ROWS, columns], axis=0)  # NaN comes last
    is_new = (sample[1:] != sample[:-1]) & ~np.isnan(sample[:-1])
    return 1 + is_new.sum(axis=0), len(sample)
