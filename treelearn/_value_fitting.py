"""Whether a regression tree is grown over codes of values, and growing it so.

The one rule, from times of both forms on the tables of benchmarks/fit.py (one thread, AVX2):
codes serve squared error with one target, unit weights, all features and no missing values, depth
first; they pay where columns have few values beside the samples of a table. Everything else is
for presorted lists. Both forms grow the same tree. A first fit is what counts here: lists are kept
for the next fit of the same data, codes are not, so that a sweep over limits of growth on the same
rows may take a fifth longer than with lists (20,000 x 12, 480 values a column, nine values of
max_depth: 44 ms against 36); grid searches with folds took as long either way.

The environment variable TREELEARN_FORM (codes, lists) overrules what pays, not what is possible.
"""

import os

import numpy as np

from ._codes import column_ranges
from ._forms import CELLS_TO_ENCODE, column_widths, count_sampled, is_plain
from .criteria import SQUARED_ERROR

__all__ = ["grow_over_values"]

# Looking at the columns takes a third of a millisecond in a fresh process, which smaller tables
# hardly win back (abalone, 33,000 cells: 4 ms).
_FEWEST_CELLS = 100_000
# Small nodes have few samples beside the cells of their histogram: lists pass them sooner. With 64,
# 128, 256, 512, 1024: bike_sharing (24 values a column) 18.0, 19.0, 19.7, 20.1, 20.2 ms, diamonds
# (232) 66, 61, 58, 57, 56 ms, beijing_pm25 (278) 57, 52, 48, 47, 47 ms.
_FEWEST_LISTED = 64
_MOST_LISTED = 1024
_LISTED_PER_CODE = 2
# Sorting the samples of small nodes takes as long as several levels of histograms save (abalone,
# 756 values a column of 4,177 samples: 4.7 ms with lists, 5.9 with codes).
_FEWEST_LEVELS = 4
# Of D values drawn evenly s rows show D (1 - exp(-s / D)); of columns that repeat less, or less
# evenly, the true number is found out in time.
_CODES_PER_ROW = np.geomspace(1e-3, 3.0, 64)
_SHARES = _CODES_PER_ROW * -np.expm1(-1.0 / _CODES_PER_ROW)
_MOST_CODES = 16384


def grow_over_values(X, y, n_classes, sample_weight, kernel, rules, seed, n_threads, options):
    """Grow one tree over codes of values where that form serves and pays.

    Parameters
    ----------
    X, y, n_classes, sample_weight, kernel, rules, seed, n_threads
        As `treelearn._fitting.grow_tree` has them.
    options : dict
        Of ``TrainingSet``.

    Returns
    -------
    dict of ndarray or None
        The arrays that ``Grower.grow`` returns, or None: the table is for presorted lists.
    """
    is_forced = os.environ.get("TREELEARN_FORM") == "codes"
    if not _is_possible(X, y, n_classes, sample_weight, kernel, rules):
        return None
    if _is_small(X.shape) and not is_forced:
        return None
    n_samples, n_features = X.shape
    X = np.ascontiguousarray(X)
    ranges = column_ranges(X)
    if (ranges[2] & 2).any():
        return None
    n_codes = _codes_of(X, ranges)
    most_listed = _most_listed(n_codes, n_features)
    pays = (
        _LISTED_PER_CODE * n_codes <= _MOST_LISTED * n_features
        and most_listed * 2**_FEWEST_LEVELS <= n_samples
    )
    if not pays and not is_forced:
        return None
    # Taken here, so that who grows other trees need not wait for them.
    from .histogram._value_grower import ValueGrower
    from .histogram._value_set import ValueSet

    try:
        if n_samples * n_features < CELLS_TO_ENCODE:
            options = dict(options, n_threads=1)
        training_set = ValueSet(
            X, y, n_classes, sample_weight, ranges=ranges, most_codes=_MOST_CODES, **options
        )
    except OverflowError:
        return None
    rules = dict(rules, tables=None, y_ranks=None)
    return ValueGrower(training_set, kernel, rules, seed, n_threads, int(most_listed)).grow()


def _is_possible(X, y, n_classes, sample_weight, kernel, rules):
    """Return whether this form knows what is asked for."""
    return (
        os.environ.get("TREELEARN_FORM") not in ("bins", "lists")
        and n_classes is None
        and is_plain(X, y, sample_weight, rules)
        and kernel.formula == SQUARED_ERROR
        and X.shape[0] < 2**30
        # A missing value in the first or the last row spares the way through all of them.
        and not np.isnan(X[[0, -1]]).any()
    )


def _is_small(shape):
    """Return whether a table is too small to look at its columns."""
    n_samples, n_features = shape
    return n_samples < _FEWEST_LISTED * 2**_FEWEST_LEVELS or n_samples * n_features < _FEWEST_CELLS


def _codes_of(X, ranges):
    """Return about how many codes the columns of a table have, all together."""
    widths, is_ranked = column_widths(ranges)
    n_codes = float(widths.sum(where=~is_ranked))
    if is_ranked.any():
        n_distinct, n_sampled = count_sampled(X, is_ranked)
        share = n_distinct / n_sampled
        n_codes += float((n_sampled * np.interp(share, _SHARES, _CODES_PER_ROW)).sum())
        n_codes += X.shape[0] * np.count_nonzero(share > _SHARES[-1])
    return n_codes


def _most_listed(n_codes, n_features):
    """Return up to how many samples a node is grown on lists."""
    return min(max(_FEWEST_LISTED, _LISTED_PER_CODE * n_codes / n_features), _MOST_LISTED)
