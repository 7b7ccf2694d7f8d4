"""Rows that try a tree where an export is likeliest to be wrong: at its thresholds."""

import numpy as np

from ._regions import regions

__all__ = ["probe_rows"]

_NAN = np.nan


def probe_rows(model, n_probed):
    """Return rows that reach inner nodes with values on and next to their thresholds.

    Parameters
    ----------
    model : Model
        The tree.
    n_probed : int
        Largest number of inner nodes; where there are more, they are spread evenly.

    Returns
    -------
    rows : ndarray of shape (n_probes, n_features)
        Four a node: the threshold, the float64 below it, the one above it, and NaN. Features
        that codes and flags stand for get the whole numbers next to the threshold.
    n_nodes : int
        How many nodes were chosen.
    """
    tree = model.estimator._tree
    inner = np.flatnonzero(tree.children_left != -1)
    if len(inner) > n_probed:
        inner = inner[np.linspace(0, len(inner) - 1, n_probed).astype(np.int64)]
    rows = np.empty((len(inner), 4, tree.n_features))
    for place, row in enumerate(_rows_reaching(model, inner)):
        rows[place] = row
    for place, node in enumerate(inner.tolist()):
        feature, threshold = int(tree.feature[node]), float(tree.threshold[node])
        column = model.columns[feature]
        rows[place, :, feature] = _values_around(threshold, column)
    return rows.reshape(-1, tree.n_features), len(inner)


def _values_around(threshold, column):
    largest = _largest_code(column)
    if largest is not None:
        at = np.clip(np.array([np.floor(threshold), np.ceil(threshold)]), 0, largest)
        return [at[0], at[1], at[0], _NAN]
    around = [threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)]
    # No row may hold infinity.
    largest = np.finfo(np.float64).max
    return [*np.clip(around, -largest, largest), _NAN]


def _rows_reaching(model, nodes):
    """Yield one row for each of some nodes, in ascending order, that is routed to it."""
    tree, columns = model.estimator._tree, model.columns
    wanted = set(nodes.tolist())
    for node, _, demands in regions(tree) if wanted else ():
        if node in wanted:
            row = np.zeros(tree.n_features)
            for j, demand in demands.items():
                row[j] = _value_within(demand, columns[j])
            yield row


def _largest_code(column):
    """Return the largest whole number that a column may hold; None where it is not one of codes."""
    if column.kind == "boolean":
        return 1
    return max(0, len(column.levels) - 1) if column.kind == "category" else None


def _value_within(demand, column):
    """Return a value of a column that a demand allows, or NaN where there is none."""
    low, high, _ = demand
    largest = _largest_code(column)
    if largest is not None:
        code = np.floor(min(high, largest))
        return code if code > low else _NAN
    if low >= high:
        return _NAN
    if np.isfinite(high):
        return high
    if not np.isfinite(low):
        return 0.0
    above = np.nextafter(low, np.inf)
    return above if np.isfinite(above) else _NAN
