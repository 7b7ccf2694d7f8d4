"""Whether a table is grown over integer codes, and growing it so."""

import os

import numpy as np
from scipy.sparse import issparse

from ._code_grower import CodeGrower
from ._codes import CodeSet, column_ranges
from .criteria import ABSOLUTE_ERROR, RENYI_MEAN

__all__ = ["grow_over_codes"]

# Tables of fewer cells are grown at once either way.
_FEWEST_CELLS = 4_000
# Scratch memory of a thread: one histogram, in cells of 4 bytes.
_LARGEST_HISTOGRAM = 2**22
# Two classes: codes lose to presorted lists where most columns have more values than this
# (measurements.md, part 2: higgs, credit_default and electricity against adult and skin).
_WIDE_COLUMN = 1024
_SAMPLED_ROWS = 512


def grow_over_codes(X, y, n_classes, sample_weight, kernel, rules, tables_of, n_threads):
    """Grow one tree over integer codes where that form serves and pays.

    Parameters
    ----------
    X, y, n_classes, sample_weight, kernel, rules, n_threads
        As `treelearn._fitting.grow_tree` has them; ``rules`` may hold no seed.
    tables_of : callable
        Returns the terms of class counts for a whole weight, or None where tables do not serve.

    Returns
    -------
    dict of ndarray or None
        The arrays that ``Grower.grow`` returns, or None: the table is for presorted lists.
    """
    if not _is_possible(X, y, n_classes, kernel, rules):
        return None
    rows, weight_unit = None, 1.0
    if sample_weight is not None:
        rows = np.flatnonzero(sample_weight).astype(np.int32)
        weight_unit = float(sample_weight[rows[0]])
        if not 2.0**-20 <= weight_unit <= 2.0**40 or (sample_weight[rows] != weight_unit).any():
            return None
        if len(rows) == len(sample_weight):
            rows = None
    n_samples = X.shape[0] if rows is None else len(rows)
    tables = tables_of(n_samples)
    if tables is None:
        return None
    X = np.ascontiguousarray(X)
    ranges = column_ranges(X)
    if not _pays(X, ranges, n_classes[0]):
        return None
    try:
        codes = CodeSet(X, y[0], n_classes[0], rows, ranges, n_threads)
    except OverflowError:
        return None
    return CodeGrower(codes, kernel, dict(rules, tables=tables), weight_unit, n_threads).grow()


def _is_possible(X, y, n_classes, kernel, rules):
    """Return whether this form knows what is asked for."""
    if os.environ.get("TREELEARN_FORM") == "lists":
        return False
    return not (
        issparse(X)
        or n_classes is None
        or y.shape[0] > 1
        or kernel.formula > RENYI_MEAN
        or kernel.formula == ABSOLUTE_ERROR
        or rules["monotonic"] is not None
        or rules["random_thresholds"]
        or rules["max_features"] < X.shape[1]
        or rules["max_leaf_nodes"] > 0
        or max(X.shape) >= 2**30 // max(2, n_classes[0])
    )


def _pays(X, ranges, n_classes):
    """Return whether codes are the faster form for a table: the one rule.

    Columns of whole numbers are judged by their range, others by how many of some rows differ.
    """
    n_samples, n_features = X.shape
    if os.environ.get("TREELEARN_FORM") == "codes":
        return True
    lowest, highest, flags = ranges
    with np.errstate(invalid="ignore", over="ignore"):
        widths = np.where((flags & 1) == 0, highest - lowest + 1, np.inf)
    is_open = ~np.isfinite(widths) & (highest > lowest)
    widths = np.minimum(widths, n_samples)
    if is_open.any():
        step = max(1, n_samples // _SAMPLED_ROWS)
        sample = X[::step, is_open][:_SAMPLED_ROWS]
        n_distinct = np.array([len(np.unique(column)) for column in sample.T])
        # A column whose sample repeats itself has about as many values as the sample shows.
        widths[is_open] = np.where(n_distinct < len(sample) // 2, 2 * n_distinct, n_samples)
    largest = float(widths.max(initial=1.0))
    if largest * n_classes > _LARGEST_HISTOGRAM or n_samples * n_features < _FEWEST_CELLS:
        return False
    if n_classes > 2:
        return True
    return bool((widths > _WIDE_COLUMN).mean() < 0.5)
