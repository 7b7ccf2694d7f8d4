"""Whether a table is grown over integer codes, and growing it so.

The one rule, from times of both forms on the tables of benchmarks/fit.py (one thread, AVX2):
codes serve classification with one output, unit weights and all features, depth first; they are
taken where a table is no small one and most of its columns have few values, and with two classes
for Gini only. Everything else is for presorted lists. Both forms grow the same tree.

The environment variable TREELEARN_FORM (codes, lists) overrules what pays, not what is possible:
tests and benchmarks compare the two forms with it.
"""

import os

import numpy as np

from ._code_grower import CodeGrower
from ._codes import MOST_CODES, CodeSet, column_ranges
from ._forms import CELLS_TO_ENCODE, SAMPLED_ROWS, column_widths, count_sampled, is_plain
from .criteria import ABSOLUTE_ERROR, GINI, RENYI_MEAN

__all__ = ["grow_over_codes"]

# Smaller tables are grown in about half a millisecond either way (titanic, 6,000 cells: lists
# 0.7 ms, codes 1.2; car, 10,000: 0.6 and 0.6; german_credit, 20,000: 1.5 and 0.8; mushroom,
# 179,000: 3.2 and 1.2).
_FEWEST_CELLS = 10_000
# Ranking values takes as long as sorting them: where most columns need it, what codes save in
# growth must be worth it (wine_quality, 78,000 cells: lists 8.3 ms, codes 6.3).
_FEWEST_RANKED_CELLS = 50_000
# Two classes save less (spambase, 262,000 cells: lists 8.1 ms, codes 9.9; higgs_7k, 210,000: 12.3
# and 14.3; credit_default, 690,000: 44 and 38).
_FEWEST_RANKED_CELLS_OF_TWO_CLASSES = 500_000
# Scratch memory of a thread: one histogram, in cells of 4 bytes.
_LARGEST_HISTOGRAM = 2**22
# Fewer cells are not worth a second thread.
_CELLS_TO_GROW = 75_000
# Counts of bits take a kilobyte a class.
_MOST_CLASSES = 4096
# Two classes: lists are faster where most columns have more values than this (spambase 6.8 ms
# against 12.9, higgs_7k 12.4 against 16.0; electricity and credit_default alike; codes are on
# adult, 36 against 30, and online_retail, 220 against 166). More classes: only where most columns
# have nearly as many values as there are samples (30,000 x 20 continuous, 10 classes: 58 ms against
# 117; walking_activity, 22 classes: 156 against 85).
_WIDE_COLUMN = 1024
# Ranking takes about a tenth of a millisecond a column, however few its rows: of real numbers,
# codes took 30 times the time of lists at 60 rows, 7 at 500, 2 at 1,000, and as long at 2,000.
_FEWEST_ROWS_TO_RANK = 2_000


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
    if not _is_possible(X, y, n_classes, sample_weight, kernel, rules):
        return None
    rows, weight_unit = None, 1.0
    if sample_weight is not None:
        rows = np.flatnonzero(sample_weight).astype(np.int32)
        weight_unit = float(sample_weight[rows[0]])
        if len(rows) == len(sample_weight):
            rows = None
    X = np.ascontiguousarray(X)
    if _has_too_many_codes(X):
        return None
    ranges = column_ranges(X)
    if not _pays(X, ranges, n_classes[0], kernel.formula):
        return None
    tables = tables_of(X.shape[0] if rows is None else len(rows))
    if tables is None:
        return None
    n_cells = X.shape[0] * X.shape[1]
    try:
        codes = CodeSet(
            X, y[0], n_classes[0], rows, ranges, n_threads if n_cells >= CELLS_TO_ENCODE else 1
        )
    except OverflowError:
        return None
    if codes.widest * n_classes[0] > 4 * _LARGEST_HISTOGRAM:
        return None  # columns with more values than their sample let expect
    if n_cells < _CELLS_TO_GROW:
        n_threads = 1
    return CodeGrower(codes, kernel, dict(rules, tables=tables), weight_unit, n_threads).grow()


def _is_possible(X, y, n_classes, sample_weight, kernel, rules):
    """Return whether this form knows what is asked for."""
    if os.environ.get("TREELEARN_FORM") in ("bins", "lists"):
        return False
    return (
        n_classes is not None
        and is_plain(X, y, sample_weight, rules)
        and kernel.formula <= RENYI_MEAN
        and kernel.formula != ABSOLUTE_ERROR
        and n_classes[0] <= _MOST_CLASSES
        and max(X.shape) < 2**30 // max(2, n_classes[0])
    )


def _has_too_many_codes(X):
    """Return whether some rows of a table tell that a column has more values than codes.

    `_pays` would find the same, and read all of the table first.
    """
    n_samples = X.shape[0]
    if n_samples <= MOST_CODES:
        return False
    for column in X[:: n_samples // SAMPLED_ROWS][:SAMPLED_ROWS].T:
        has_fractions = np.isfinite(column).all() and (column != np.floor(column)).any()
        if has_fractions and 2 * len(np.unique(column)) >= len(column):
            return True
    return False


def _pays(X, ranges, n_classes, formula):
    """Return whether codes are the faster form for a table.

    Columns of whole numbers are judged by their range, others by how many of some rows differ.
    """
    n_samples, n_features = X.shape
    widths, is_ranked = column_widths(ranges)
    np.minimum(widths, n_samples, out=widths)
    n_ranked = np.count_nonzero(is_ranked)
    if n_ranked > 0:
        n_distinct, n_sampled = count_sampled(X, is_ranked)
        # A column whose sample repeats itself has about as many values as the sample shows.
        widths[is_ranked] = np.where(n_distinct < n_sampled // 2, 2 * n_distinct, n_samples)
        if widths[is_ranked].max() > MOST_CODES:
            return False
    if widths.max() * n_classes > _LARGEST_HISTOGRAM:
        return False
    if os.environ.get("TREELEARN_FORM") == "codes":
        return True
    fewest = _FEWEST_CELLS
    if 2 * n_ranked >= n_features:
        fewest = _FEWEST_RANKED_CELLS_OF_TWO_CLASSES if n_classes == 2 else _FEWEST_RANKED_CELLS
    if n_samples * n_features < fewest:
        return False
    if n_classes == 2 and formula != GINI:
        # Filters know Gini alone; two classes make the other criteria cheap in lists (entropy on
        # adult: 35 ms against 59, with seven classes on covertype 241 against 151).
        return False
    widest = widest_ranked = _WIDE_COLUMN
    if n_classes > 2:
        widest = max(_WIDE_COLUMN, n_samples // 4)
        widest_ranked = n_samples // 4
    if n_samples < _FEWEST_ROWS_TO_RANK:
        widest_ranked = 0
    if n_ranked > 0:
        widest = np.where(is_ranked, widest_ranked, widest)
    return bool(2 * np.count_nonzero(widths > widest) < n_features)
