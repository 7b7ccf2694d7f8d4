"""Whether a tree is grown exactly through bins, and growing it so.

The one rule, from CPU times of both forms at one thread (AVX2; tables made as in
benchmarks/fit.py, and others of normal columns with much noise in the labels): bins serve
classification with one output, unit weights, all features and no missing values, depth first, by
a criterion for which a bin can be bounded; they pay where a table is large and its tree is shallow,
or the table is so large that its lists leave the caches. Both forms grow the same tree.

The environment variable TREELEARN_FORM (bins, codes, lists) overrules what pays, not what is
possible.
"""

import os

import numpy as np

from ._forms import is_plain
from .criteria import GINI, RENYI_MEAN

__all__ = ["grow_through_bins"]

# Codes of one byte, the highest of them for missing values.
_MAX_BINS = 255
# Nodes of at most so many samples are grown on sorted lists: at 1,000,000 x 20 and max_depth 8
# 256, 1,024, 2,048, 4,096 take 0.30, 0.30, 0.33, 0.34 s. Where the tree goes on below, sorting
# comes anyway and may come sooner.
_MOST_LISTED = 1024
_MOST_LISTED_BELOW = 4096
_SHALLOW = 12
# How many times longer than lists bins may seem to take in a node before its subtree goes on
# in lists: 1/2 to 4 make no difference of more than a tenth.
_PATIENCE = 1.0
# Times of lists over those of bins at max_depth 8: 20 columns, 150,000 rows 1.4, 300,000 1.8,
# 1,000,000 2.7; 10 columns 1.1, 1.4, 2.0; 5 columns 0.8, 1.1, 1.2; of noisy labels 0.7 to 1.6.
_FEWEST_CELLS = 3_000_000
_FEWEST_ROWS = 150_000
_FEWEST_COLUMNS = 8
_DEPTH = 8
# Grown to purity, 20 columns: 300,000 rows 0.9 to 1.0, 1,000,000 1.0 to 1.6.
_FEWEST_CELLS_OF_DEEP = 15_000_000
_FEWEST_COLUMNS_OF_DEEP = 16
# Histograms hold every class: 3 classes 2.2 times as fast as lists at 300,000 x 20 and max_depth
# 8, 10 classes 1.7, 30 classes 0.96.
_MOST_CLASSES = 16
# Columns times classes: a histogram of two megabytes, of which every node that waits may hold one.
_WIDEST_HISTOGRAM = 2048


def grow_through_bins(
    X, y, n_classes, sample_weight, kernel, rules, tables_of, seed, n_threads, options
):
    """Grow one tree through bins where that form serves and pays.

    Parameters
    ----------
    X, y, n_classes, sample_weight, kernel, rules, seed, n_threads
        As `treelearn._fitting.grow_tree` has them.
    tables_of : callable
        Returns the terms of class counts for a whole weight, or None where tables do not serve.
    options : dict
        Of ``TrainingSet``.

    Returns
    -------
    dict of ndarray or None
        The arrays that ``Grower.grow`` returns, or None: the table is for presorted lists.
    """
    if not _is_possible(X, y, n_classes, sample_weight, kernel, rules):
        return None
    if not _pays(X.shape, n_classes[0], rules["max_depth"]):
        return None
    tables = tables_of(X.shape[0] if sample_weight is None else np.count_nonzero(sample_weight))
    if tables is None:
        return None
    # Taken here, so that who grows small trees need not wait for them.
    from .histogram._binned_set import BinnedSet
    from .histogram._bounded_grower import BoundedGrower

    training_set = BinnedSet(X, y, n_classes, sample_weight, max_bins=_MAX_BINS, **options)
    if training_set.bins.has_missing.any():
        return None
    return BoundedGrower(
        training_set,
        kernel,
        dict(rules, tables=tables, y_ranks=None),
        seed,
        n_threads,
        _MOST_LISTED if rules["max_depth"] <= _SHALLOW else _MOST_LISTED_BELOW,
        _PATIENCE,
    ).grow()


def _is_possible(X, y, n_classes, sample_weight, kernel, rules):
    """Return whether this form knows what is asked for."""
    return (
        n_classes is not None
        and is_plain(X, y, sample_weight, rules)
        # A box of more than two classes has a simple bound under Gini alone.
        and (n_classes[0] == 2 or kernel.formula == GINI)
        and 2 <= n_classes[0] <= 256
        and kernel.formula <= RENYI_MEAN
        and kernel.is_concave_for(n_classes[0])
        and X.shape[0] < 2**30 // n_classes[0]
        # A missing value in the first or the last row spares the way through all of them.
        and not np.isnan(X[[0, -1]]).any()
    )


def _pays(shape, n_classes, max_depth):
    """Return whether bins are the faster form for a table without much noise."""
    form = os.environ.get("TREELEARN_FORM")
    if form is not None:
        return form == "bins"
    n_rows, n_columns = shape
    n_cells = n_rows * n_columns
    if n_classes > _MOST_CLASSES or n_columns * n_classes > _WIDEST_HISTOGRAM:
        return False
    if n_rows < _FEWEST_ROWS:
        return False
    if max_depth <= _DEPTH:
        return n_cells >= _FEWEST_CELLS and n_columns >= _FEWEST_COLUMNS
    return n_cells >= _FEWEST_CELLS_OF_DEEP and n_columns >= _FEWEST_COLUMNS_OF_DEEP
