"""The four steps of level-wise growth on NumPy arrays: the oracle of the CUDA kernels.

Slow and plain. Nodes are dicts of arrays, one element or row a node; see ``grower.py``.
"""

import numpy as np

from ._formulas import drawn_features

__all__ = ["fill", "finish", "partition", "scan"]


def fill(table, samples, start, n_samples):
    """Return the histograms of some nodes.

    Parameters
    ----------
    table : Table
        The binned samples.
    samples : array of shape (n_samples,)
        int32: the samples, node after node.
    start, n_samples : ndarray of shape (n_nodes,)
        Where the samples of each node stand, and how many they are.

    Returns
    -------
    array of shape (n_nodes, n_features, n_codes, n_channels)
        int64 sums.
    """
    members, node = _members(samples, start, n_samples)
    n_features = table.n_features
    shape = (len(start), n_features, table.n_codes, table.n_channels)
    histograms = np.zeros(shape, dtype=np.int64)
    for feature in range(n_features):
        key = (node, feature, table.records[members, feature])
        np.add.at(histograms, (*key, 0), 1)
        units = 1
        if table.weights is not None:
            units = table.weights[members]
            np.add.at(histograms, (*key, table.weight_channel), units)
        if table.labels is not None:
            for labels in table.labels:
                np.add.at(histograms, (*key, table.first_stat + labels[members]), units)
            continue
        for output in range(table.facts["n_outputs"]):
            channel = table.first_stat + 2 * output
            np.add.at(histograms, (*key, channel), table.sums[output, members])
            np.add.at(histograms, (*key, channel + 1), table.square_sums[output, members])
    return histograms


def scan(table, histograms, nodes):
    """Return the best split of some nodes.

    Parameters
    ----------
    table : Table
        The binned samples.
    histograms : array of shape (n_nodes, n_features, n_codes, n_channels)
        Their sums.
    nodes : dict of ndarray
        The nodes.

    Returns
    -------
    dict of ndarray
        ``feature``, -1 where no cut is feasible; ``bin``, the last one on the left; ``next_bin``,
        the first one on the right, -1 where all values go left; ``missing_goes_left``; and of the
        left side ``n_samples``, ``weight`` and ``stats``.
    """
    n_nodes, n_features, n_codes, n_channels = histograms.shape
    codes = np.arange(n_codes)
    is_value = codes < table.n_bins[:, None]
    missing = histograms[:, np.arange(n_features), table.n_bins]
    values = np.where(is_value[:, :, None], histograms, 0)
    left = values.cumsum(axis=2)
    is_filled = values[..., 0] > 0
    n_missing = missing[:, :, None, 0]
    has_more = left[..., 0] < nodes["n_samples"][:, None, None] - n_missing
    # Sides of the missing values: right, left.
    cuts = np.stack(
        [is_filled & (has_more | (n_missing > 0)), is_filled & has_more & (n_missing > 0)], axis=-1
    )
    if table.facts["max_features"] < n_features:
        varies = cuts.any(axis=(2, 3)).astype(np.uint8)
        drawn = drawn_features(nodes["seed"], varies, table.facts["max_features"])
        cuts &= drawn[:, :, None, None] > 0
    # Growing by node, then as ties are decided: feature, bin, missing values right before left.
    node, feature, bin, side = (np.ascontiguousarray(place) for place in np.nonzero(cuts))
    sums = left[node, feature, bin] + side[:, None] * missing[node, feature]
    scores, ties = table.formulas.scores(
        nodes,
        node,
        feature.astype(np.int32),
        np.ascontiguousarray(sums[:, table.first_stat :]),
        np.ascontiguousarray(sums[:, 0]),
        np.ascontiguousarray(sums[:, table.weight_channel]),
    )
    order = np.lexsort((-ties, -scores, node))
    order = order[scores[order] > -np.inf]
    split_nodes, first = np.unique(node[order], return_index=True)
    best = order[first]

    splits = {name: np.full(n_nodes, -1, np.int32) for name in ("feature", "bin", "next_bin")}
    splits["missing_goes_left"] = np.zeros(n_nodes, dtype=bool)
    splits["n_samples"] = np.zeros(n_nodes, dtype=np.int64)
    splits["weight"] = np.zeros(n_nodes, dtype=np.int64)
    splits["stats"] = np.zeros((n_nodes, n_channels - table.first_stat), dtype=np.int64)
    feature, bin, sums = feature[best], bin[best], sums[best]
    later = is_filled[split_nodes, feature] & (codes > bin[:, None])
    splits["feature"][split_nodes] = feature
    splits["bin"][split_nodes] = bin
    splits["next_bin"][split_nodes] = np.where(later.any(axis=1), later.argmax(axis=1), -1)
    splits["n_samples"][split_nodes] = sums[:, 0]
    splits["weight"][split_nodes] = sums[:, table.weight_channel]
    splits["stats"][split_nodes] = sums[:, table.first_stat :]
    # What a node never saw goes where more samples go.
    splits["missing_goes_left"][split_nodes] = np.where(
        missing[split_nodes, feature, 0] > 0,
        side[best] == 1,
        2 * sums[:, 0] > nodes["n_samples"][split_nodes],
    )
    return splits


def partition(table, samples, start, n_samples, splits):
    """Return the samples with those of every node divided, left ones first, each side in order.

    Parameters
    ----------
    table : Table
        The binned samples.
    samples : array of shape (n_samples,)
        int32: the samples, node after node.
    start, n_samples : ndarray of shape (n_nodes,)
        Where the samples of each node stand, and how many they are.
    splits : dict of ndarray
        Their splits, as `scan` returns them; every node has one.

    Returns
    -------
    array of shape (n_samples,)
        int32; samples of other nodes stay where they are.
    """
    members, node = _members(samples, start, n_samples)
    feature = splits["feature"][node]
    codes = table.records[members, feature]
    goes_left = codes <= splits["bin"][node]
    is_missing = codes == table.n_bins[feature]
    goes_left = np.where(is_missing, splits["missing_goes_left"][node], goes_left)
    divided = samples.copy()
    order = np.lexsort((~goes_left, node))
    divided[_places(start, n_samples)] = members[order]
    return divided


def finish(table, samples, start, n_samples, stats, weight):
    """Return what some nodes store, from their samples and statistics vectors.

    Parameters
    ----------
    table : Table
        The binned samples.
    samples : array of shape (n_samples,)
        int32: the samples, node after node.
    start, n_samples, weight : ndarray of shape (n_nodes,)
        Where the samples of each node stand, how many they are, and their weight in units.
    stats : ndarray of shape (n_nodes, n_stats)
        Statistics vectors.

    Returns
    -------
    impurity, is_pure, value : ndarray
        float64 of shape (n_nodes,) in the formula's unit; uint8 of shape (n_nodes,); float64 of
        shape (n_nodes, n_values): the mean of every regression output, or the share of class 0.
    """
    return table.formulas.describe(table.y, table.weights, samples, start, n_samples, stats, weight)


def _places(start, n_samples):
    """Return where the samples of nodes stand, node after node."""
    before = np.cumsum(n_samples) - n_samples
    return np.repeat(start - before, n_samples) + np.arange(n_samples.sum())


def _members(samples, start, n_samples):
    """Return the samples of nodes, and the place of the node of each."""
    node = np.repeat(np.arange(len(start)), n_samples)
    return samples[_places(start, n_samples)], node
