"""Whether a tree is grown exactly through bins, and growing it so."""

import os

from scipy.sparse import issparse

from .criteria import GINI, RENYI_MEAN

__all__ = ["grow_through_bins"]

# Codes of one byte, the highest of them for missing values.
_MAX_BINS = 255
# Nodes of at most so many samples are grown on sorted lists.
_MOST_LISTED = 1024
_PATIENCE = 1.0
_FEWEST_CELLS = 10**7
_MOST_CLASSES = 64


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
    if not _is_possible(X, y, n_classes, sample_weight, kernel, rules) or not _pays(X):
        return None
    tables = tables_of(X.shape[0])
    if tables is None:
        return None
    from .histogram._binned_set import BinnedSet
    from .histogram._bounded_grower import BoundedGrower

    training_set = BinnedSet(X, y, n_classes, None, max_bins=_MAX_BINS, **options)
    if training_set.bins.has_missing.any():
        return None
    rules = dict(rules, tables=tables, y_ranks=None)
    return BoundedGrower(training_set, kernel, rules, seed, n_threads, _MOST_LISTED, _PATIENCE).grow()


def _is_possible(X, y, n_classes, sample_weight, kernel, rules):
    """Return whether this form knows what is asked for."""
    return not (
        issparse(X)
        or n_classes is None
        or y.shape[0] > 1
        or n_classes[0] > (2 if kernel.formula != GINI else _MOST_CLASSES)
        or sample_weight is not None
        or kernel.formula > RENYI_MEAN
        or not kernel.is_concave_for(n_classes[0])
        or rules["monotonic"] is not None
        or rules["random_thresholds"]
        or rules["max_features"] < X.shape[1]
        or rules["max_leaf_nodes"] > 0
        or X.shape[0] >= 2**30
    )


def _pays(X):
    form = os.environ.get("TREELEARN_FORM")
    if form is not None:
        return form == "bins"
    return X.shape[0] * X.shape[1] >= _FEWEST_CELLS
