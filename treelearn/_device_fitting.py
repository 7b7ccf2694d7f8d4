"""From checked arrays on a device to a fitted tree."""

import numpy as np

from ._fitting import check_binned, count_tables
from ._units import WeightUnits, target_units, weight_units
from .criteria import GAUSSIAN, GAUSSIAN_RIDGE, POISSON
from .histogram._formulas import Formulas
from .histogram._remote_set import RemoteSet
from .histogram.device_binning import bin_on_device
from .histogram.grower import grow_by_levels
from .histogram.table import Table
from .tree import Tree

__all__ = ["grow_tree_on"]


def grow_tree_on(engine, X, y, n_classes, sample_weight, kernel, rules, seed, max_bins):
    """Grow one tree on bins, level by level: to the bit that of ``grow_tree``.

    Parameters
    ----------
    engine : treelearn.histogram.engine.Engine
        Where the arrays lie.
    X : array of shape (n_rows, n_features)
        float32 or float64, no value infinite; NaN is a missing value.
    y : array of shape (n_outputs, n_rows)
        int32 labels or float64 targets.
    n_classes : list of int or None
        Classes of each output; None for regression.
    sample_weight : array of shape (n_rows,) or None
        float64 weights, none negative.
    kernel, rules, seed, max_bins
        As of ``grow_tree``.

    Returns
    -------
    Tree
        The tree, on the host, not pruned.

    Raises
    ------
    ValueError
        If the criterion or the splitter has no meaning on bins, or X has too many rows or columns.
    """
    check_binned(kernel, rules)
    xp = engine.xp
    largest = np.iinfo(np.int32).max - 1
    if max(X.shape) > largest:
        raise ValueError(
            f"X has shape {X.shape}, but at most {largest} rows or columns can be indexed."
        )
    rows, units = None, WeightUnits(None, 1.0, 1.0, float(X.shape[0]))
    if sample_weight is not None:
        rows = xp.flatnonzero(sample_weight).astype(np.int32)
        if len(rows) == X.shape[0]:
            rows = None
        else:
            sample_weight, y = sample_weight[rows], xp.take(y, rows, axis=1)
        units = weight_units(sample_weight, xp)
    n_samples, n_features = y.shape[1], X.shape[1]
    y = xp.ascontiguousarray(y)
    arrays = dict.fromkeys(("labels", "y", "sums", "square_sums"))
    targets = None
    if n_classes is None:
        ridge_share = GAUSSIAN_RIDGE if kernel.formula == GAUSSIAN else 0.0
        targets = target_units(y, units, kernel.formula != POISSON, ridge_share, xp)
        arrays.update(y=y, sums=targets.sums, square_sums=targets.squares)
    samples = RemoteSet(n_samples, n_features, units, n_classes, targets)
    rules = dict(rules, tables=count_tables(kernel, rules, samples.whole_weight), y_ranks=None)
    formulas = Formulas(samples, kernel, rules, seed, 1)
    facts = formulas.facts()
    if n_classes is not None:
        starts = facts["class_starts"]
        arrays["labels"] = y + xp.asarray(starts[:, None]) if len(starts) > 1 else y
    bins, records = bin_on_device(engine, X, rows, max_bins)
    table = Table(
        xp=xp,
        records=records,
        n_bins=xp.asarray(bins.n_bins),
        n_codes=int(bins.n_bins.max()) + 1,
        weights=units.units,
        facts=facts,
        formulas=formulas,
        **arrays,
    )
    grown = grow_by_levels(table, bins, engine.kernels)
    return Tree.grown(n_features, n_classes, len(y), grown)
