"""From validated arrays to a fitted tree."""

from functools import lru_cache, partial

import numpy as np
from scipy.sparse import issparse

from ._bounded_fitting import grow_through_bins
from ._cache import cache
from ._code_fitting import grow_over_codes
from ._grower import Grower
from ._guides import find_guide, keep_guide
from ._hash import hash_array
from ._threads import effective_n_threads
from ._training_set import TrainingSet
from ._value_fitting import grow_over_values
from .criteria import (
    ABSOLUTE_ERROR,
    ERROR_RATE,
    GAUSSIAN,
    GAUSSIAN_RIDGE,
    GINI,
    POISSON,
    RENYI_MEAN,
    SHANNON,
    SHANNON_TIES_FROM,
    TSALLIS,
)
from .tree import Tree

__all__ = ["check_binned", "count_tables", "grow_tree"]

# Tables of the terms of class counts take 16 bytes a unit of weight: half a gigabyte here.
_LARGEST_TABLE = 2**25
# Up to so many units the tables of the last fits are kept, two megabytes each at the most.
_LARGEST_KEPT_TABLE = 2**17
# A fit of fewer cells takes a millisecond or two, and a second thread saves little of it (1,600 x
# 20: 2.9 ms with one thread, 2.5 with two; of real targets 3.9 and 3.1).
_FEWEST_CELLS_FOR_THREADS = 30_000
# Sorting fewer cells takes as long as telling whether they were sorted before.
_FEWEST_CELLS_KEPT = 20_000
# Next to order 1 the sums of powers all come to the weight of the node, and differ by rounding.
_NEAREST_TO_ONE = 0.05


def grow_tree(
    X, y, n_classes, sample_weight, kernel, rules, seed, n_jobs, max_bins=None, shared=None
):
    """Grow one tree.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features) or CSC matrix
        float32 or float64; NaN is a missing value.
    y : ndarray of shape (n_outputs, n_samples)
        int32 labels or float64 targets.
    n_classes : list of int or None
        Classes of each output; None for regression.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights, none negative.
    kernel : treelearn.criteria.Kernel
        The criterion.
    rules : dict
        Stopping rules and drawing, see ``Grower``.
    seed : int
        Seed of every random choice.
    n_jobs : int or None
        Threads that may be used, as the estimators take it.
    max_bins : int or None, default=None
        Most bins of a feature; None searches every cut between values.
    shared : dict or None, default=None
        Lists sorted from all rows of X for other fits, by whether they hold the labels; filled
        where they are missing. None: the cache of the process serves.

    Returns
    -------
    Tree
        The tree, not pruned.

    Raises
    ------
    ValueError
        If the criterion or the splitter has no meaning on bins.
    """
    if max_bins is not None:
        check_binned(kernel, rules)
    key = guide = None
    n_threads = 1
    if X.shape[0] * X.shape[1] >= _FEWEST_CELLS_FOR_THREADS:
        n_threads = effective_n_threads(n_jobs)
    options = {
        "is_centred": kernel.formula != POISSON,
        "ridge_share": GAUSSIAN_RIDGE if kernel.formula == GAUSSIAN else 0.0,
        "n_threads": n_threads,
    }
    if max_bins is not None:
        # Taken here, so that who grows exact trees need not wait for them.
        from .histogram._binned_set import BinnedSet
        from .histogram._histogram_grower import HistogramGrower

        training_set = BinnedSet(X, y, n_classes, sample_weight, max_bins=max_bins, **options)
        make_grower = HistogramGrower
    else:
        tables_of = partial(count_tables, kernel, rules)
        arrays = grow_over_codes(
            X, y, n_classes, sample_weight, kernel, rules, tables_of, n_threads
        )
        if arrays is None and shared is None:
            arrays = grow_over_values(
                X, y, n_classes, sample_weight, kernel, rules, seed, n_threads, options
            ) or grow_through_bins(
                X, y, n_classes, sample_weight, kernel, rules, tables_of, seed, n_threads, options
            )
        if arrays is not None:
            return Tree.grown(X.shape[1], n_classes, y.shape[0], arrays)
        training_set, content = _sorted_set(X, y, n_classes, sample_weight, shared, options)
        if content is not None:
            key, guide = find_guide(content, y, sample_weight, kernel, rules)
        keeps_lists = shared is not None or content is not None
        make_grower = partial(Grower, keeps_lists=keeps_lists, guide=guide)
    rules = dict(
        rules,
        tables=count_tables(kernel, rules, training_set.whole_weight),
        tie_terms=_tie_terms(kernel, rules, training_set.whole_weight, max_bins),
        y_ranks=_target_ranks(y) if kernel.formula == ABSOLUTE_ERROR else None,
    )
    arrays = make_grower(training_set, kernel, rules, seed, n_threads).grow()
    if key is not None:
        keep_guide(key, arrays, rules)
    return Tree.grown(X.shape[1], n_classes, y.shape[0], arrays)


def _sorted_set(X, y, n_classes, sample_weight, shared, options):
    """Return the training set, sorted now or before, and the hash that its lists are kept by."""
    if shared is not None:
        kind = "labels" if n_classes is not None else "targets"
        if kind not in shared:
            shared[kind] = TrainingSet(X, y, n_classes, None, **options).lists
        return TrainingSet(X, y, n_classes, sample_weight, lists=shared[kind], **options), None
    key = _content(X, y, n_classes, sample_weight)
    lists = None if key is None else cache.get(key)
    training_set = TrainingSet(X, y, n_classes, sample_weight, lists=lists, **options)
    if key is not None and lists is None:
        cache.put(key, training_set.lists)
    return training_set, key


def _content(X, y, n_classes, sample_weight):
    """Return a hash of what the sorted lists depend on, None where they are not worth keeping."""
    n_cells = X.shape[0] * X.shape[1]
    if issparse(X) or n_cells < _FEWEST_CELLS_KEPT or not cache.takes(4 * n_cells):
        return None
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        return None
    key = (hash_array(X),)
    if n_classes is not None and len(n_classes) == 1:
        key += (hash_array(y),)
    if sample_weight is not None and not sample_weight.all():
        key += (hash_array(sample_weight > 0),)
    return key


def check_binned(kernel, rules):
    """Raise ValueError for what growth on bins does not know."""
    if kernel.formula == ABSOLUTE_ERROR:
        raise ValueError(
            "criterion='absolute_error' needs every target of a bin, not their sums; "
            "use max_bins=None."
        )
    if rules["random_thresholds"]:
        raise ValueError(
            "splitter='random' draws its thresholds between values; use max_bins=None."
        )


def _tie_terms(kernel, rules, total, max_bins):
    """Return Shannon's terms of whole weights where sums of largest classes serve, else None."""
    if kernel.formula != ERROR_RATE or max_bins is not None or rules["monotonic"] is not None:
        return None
    if total is None or total > _LARGEST_TABLE or rules["random_thresholds"]:
        return None
    return _shannon_terms(total)


def _shannon_terms(total):
    """Return n log n of every whole weight."""
    count = np.arange(total + 1, dtype=np.float64)
    return count * np.log(np.maximum(count, 1.0))


def _target_ranks(y):
    """Return the rank of every target within its output."""
    return np.stack([np.unique(row, return_inverse=True)[1].ravel() for row in y]).astype(np.int32)


def count_tables(kernel, rules, total):
    """Return the terms of whole class counts and of whole weights, where tables serve.

    ``total`` is the whole weight of the samples, None where there is none.

    They do for one output of whole weights and for a criterion that is a function of one power
    sum; otherwise None, and every candidate is scored from its statistics vector.
    """
    if total is None or kernel.formula > RENYI_MEAN or rules["monotonic"] is not None:
        return None
    if rules["random_thresholds"]:
        return None
    if kernel.formula == GINI:
        # Sums of squares need no table, as long as they are exact in float64.
        return (np.zeros(1), np.zeros(1)) if total < 2**26 else None
    if total > _LARGEST_TABLE:
        return None
    is_shannon = kernel.formula == SHANNON
    is_near_one = abs(kernel.order - 1.0) < _NEAREST_TO_ONE
    if not is_shannon and (is_near_one or kernel.order >= SHANNON_TIES_FROM):
        return None
    make = _kept_tables if total <= _LARGEST_KEPT_TABLE else _make_tables
    return make(kernel.formula, kernel.order, total)


def _make_tables(formula, order, total):
    """Return the terms of whole class counts and of whole weights up to a total."""
    if formula == SHANNON:
        terms = _shannon_terms(total)
        return terms, terms
    count = np.arange(total + 1, dtype=np.float64)
    # In units of a power of two in the middle of the counts, so that no power overflows.
    scaled = count / 2.0 ** (total.bit_length() // 2)
    terms = scaled**order
    if formula == TSALLIS:
        scaled[0] = 1.0
        return terms, scaled ** (1.0 - order)
    return terms, terms


# A search fits the same few criteria on folds of the same size.
_kept_tables = lru_cache(maxsize=4)(_make_tables)
