"""The four steps of level-wise growth on a GPU: names and signatures of ``numpy_kernels``.

Nodes are dicts of NumPy arrays; samples and histograms stay on the device. Also the batched
functions of ``treelearn.batched`` for CuPy arrays.
"""

from functools import cache
from weakref import WeakKeyDictionary

import numpy as np

from .._cupy import Device
from ._formulas import drawn_features

__all__ = ["fill", "finish", "impurities", "partition", "scan", "search_histograms"]

# Samples of a chunk: enough that clearing and adding up a histogram in shared memory is little
# beside them.
_CHUNK = 16384
_SHARED_BYTES = 48 * 1024  # what every device offers a block

_device = cache(Device)
_rules = WeakKeyDictionary()  # by table: the first arguments of its kernels


def fill(table, samples, start, n_samples):
    """Return the histograms of some nodes; see ``numpy_kernels``."""
    device = _device()
    xp = device.xp
    n_features = len(table.codes)
    shape = (len(start), n_features, table.n_codes, table.n_channels)
    histograms = xp.zeros(shape, dtype=np.int64)
    chunks, n_chunks = _chunks(xp, start, n_samples)
    cell_bytes = 8 * table.n_codes * table.n_channels
    is_shared = cell_bytes <= _SHARED_BYTES
    arguments = (
        *_rule_arguments(table),
        table.codes,
        samples,
        *(_or_nothing(xp, a) for a in (table.labels, table.sums, table.square_sums)),
        _or_nothing(xp, table.weights),
        *chunks,
        np.int64(n_chunks),
        np.int32(is_shared),
        histograms,
    )
    n_blocks = n_chunks * n_features
    device.launch("kernels.cu", "tl_fill", n_blocks, arguments, cell_bytes if is_shared else 0)
    if table.labels is not None and table.weights is None:
        n_cells = histograms.size // table.n_channels
        arguments = (*_rule_arguments(table), np.int64(n_cells), histograms)
        device.launch("kernels.cu", "tl_count", device.blocks_of(n_cells), arguments)
    return histograms


def scan(table, histograms, nodes):
    """Return the best split of some nodes; see ``numpy_kernels``."""
    device = _device()
    xp = device.xp
    rules = _rule_arguments(table)
    n_nodes, n_features = histograms.shape[:2]
    n_items = n_nodes * n_features
    n_stats = table.facts["n_stats"]
    drawn = xp.ones((n_nodes, n_features), dtype=np.uint8)
    if table.facts["max_features"] < n_features:
        arguments = (*rules, table.n_bins, histograms, np.int64(n_items), drawn)
        device.launch("kernels.cu", "tl_varies", device.blocks_of(n_items), arguments)
        varies = device.on_host(drawn)
        drawn = xp.asarray(drawn_features(nodes["seed"], varies, table.facts["max_features"]))
    n_scratch = 4 * _most_classes(table) + 4
    score, tie_score = xp.empty(n_items), xp.empty(n_items)
    bin_of = xp.empty(n_items, dtype=np.int32)
    goes_left = xp.empty(n_items, dtype=np.uint8)
    n_samples = xp.asarray(nodes["n_samples"])
    arguments = (
        *rules,
        table.n_bins,
        histograms,
        xp.asarray(nodes["stats"]),
        n_samples,
        *(xp.asarray(nodes[name]) for name in ("weight", "lower", "upper")),
        drawn,
        np.int64(n_items),
        np.int64(n_scratch),
        xp.empty((n_items, 3 * n_stats), dtype=np.int64),
        xp.empty((n_items, n_scratch)),
        *(score, tie_score, bin_of, goes_left),
    )
    device.launch("kernels.cu", "tl_scan", device.blocks_of(n_items), arguments)
    splits = {
        "feature": xp.empty(n_nodes, dtype=np.int32),
        "bin": xp.empty(n_nodes, dtype=np.int32),
        "next_bin": xp.empty(n_nodes, dtype=np.int32),
        "missing_goes_left": xp.empty(n_nodes, dtype=np.uint8),
        "n_samples": xp.empty(n_nodes, dtype=np.int64),
        "weight": xp.empty(n_nodes, dtype=np.int64),
        "stats": xp.empty((n_nodes, n_stats), dtype=np.int64),
    }
    arguments = (
        *rules,
        table.n_bins,
        histograms,
        n_samples,
        *(score, tie_score, bin_of, goes_left),
        np.int64(n_nodes),
        *splits.values(),
    )
    device.launch("kernels.cu", "tl_choose", device.blocks_of(n_nodes), arguments)
    splits = {name: device.on_host(array) for name, array in splits.items()}
    return splits | {"missing_goes_left": splits["missing_goes_left"] > 0}


def partition(table, samples, start, n_samples, splits):
    """Return the samples with those of every node divided; see ``numpy_kernels``."""
    device = _device()
    xp = device.xp
    chunks, n_chunks = _chunks(xp, start, n_samples)
    goes_left = xp.zeros(len(samples), dtype=np.int32)
    arguments = (
        *_rule_arguments(table),
        table.codes,
        table.n_bins,
        samples,
        *chunks,
        np.int64(n_chunks),
        *(xp.asarray(splits[name]) for name in ("feature", "bin")),
        xp.asarray(splits["missing_goes_left"].astype(np.uint8)),
        goes_left,
    )
    device.launch("kernels.cu", "tl_mark", n_chunks, arguments)
    divided = samples.copy()
    arguments = (
        samples,
        goes_left,
        xp.cumsum(goes_left, dtype=np.int32),
        *chunks,
        np.int64(n_chunks),
        *(xp.asarray(array) for array in (start, splits["n_samples"])),
        divided,
    )
    device.launch("kernels.cu", "tl_move", n_chunks, arguments)
    return divided


def finish(table, samples, start, n_samples, stats, weight):
    """Return what some nodes store; see ``numpy_kernels``."""
    device = _device()
    xp = device.xp
    n_nodes = len(start)
    n_values = 1 if table.facts["is_classification"] else table.facts["n_outputs"]
    found = (
        xp.empty(n_nodes),
        xp.empty(n_nodes, dtype=np.uint8),
        xp.empty((n_nodes, n_values)),
    )
    arguments = (
        *_rule_arguments(table),
        _or_nothing(xp, table.y),
        _or_nothing(xp, table.weights),
        samples,
        *(xp.asarray(array) for array in (start, n_samples, stats, weight)),
        np.int64(n_nodes),
        xp.empty((n_nodes, _most_classes(table))),
        *found,
    )
    device.launch("kernels.cu", "tl_finish", device.blocks_of(n_nodes), arguments)
    return tuple(device.on_host(array) for array in found)


def impurities(counts, kernel):
    """Return the impurity of every row of class weights.

    Parameters
    ----------
    counts : array of shape (n_nodes, n_classes)
        Weights on the device.
    kernel : treelearn.criteria.Kernel
        A criterion of classification.

    Returns
    -------
    array of shape (n_nodes,)
        float64; 0 for a node without weight.

    Raises
    ------
    ValueError
        If a count is negative, NaN or infinite.
    """
    device = _device()
    counts = device.xp.ascontiguousarray(counts, dtype=np.float64)
    _check_counts(counts)
    n_nodes, n_classes = counts.shape
    found = device.xp.empty(n_nodes)
    arguments = (
        np.int32(kernel.formula),
        *(np.float64(kernel.order), np.float64(kernel.scale)),
        *(counts, np.int64(n_nodes), np.int32(n_classes), found),
    )
    device.launch("batched.cu", "tl_impurities", device.blocks_of(n_nodes), arguments)
    return found


def search_histograms(
    histograms, n_samples, kernel, has_missing, min_samples_leaf, min_weight_leaf
):
    """Return the best split of every node; as the function of ``treelearn._impurity``.

    Parameters
    ----------
    histograms : array of shape (n_nodes, n_features, n_bins, n_classes)
        Class weights on the device.
    n_samples : array of shape (n_nodes, n_features, n_bins) or None
        Samples, where the weights are not their numbers.
    kernel : treelearn.criteria.Kernel
        A criterion of classification.
    has_missing : bool
        Whether the last bin is the one of missing values.
    min_samples_leaf, min_weight_leaf : int, float
        Least number and weight of samples on either side.

    Returns
    -------
    feature, bin, missing_goes_left, gain : array of shape (n_nodes,)
        On the device.

    Raises
    ------
    ValueError
        If a weight is negative, NaN or infinite.
    """
    device = _device()
    xp = device.xp
    _check_counts(histograms)
    n_nodes, n_features, n_bins, n_classes = histograms.shape
    n_items = n_nodes * n_features
    score, tie_score, gain = xp.empty(n_items), xp.empty(n_items), xp.empty(n_items)
    bin = xp.empty(n_items, dtype=np.int32)
    goes_left = xp.empty(n_items, dtype=np.uint8)
    arguments = (
        np.int32(kernel.formula),
        *(np.float64(kernel.order), np.float64(kernel.scale)),
        *(np.int32(kernel.shannon_ties), np.int32(has_missing)),
        *(np.int64(min_samples_leaf), np.float64(min_weight_leaf)),
        histograms,
        _or_nothing(xp, n_samples),
        np.int32(n_samples is not None),
        *(np.int64(n_items), np.int32(n_bins), np.int32(n_classes)),
        xp.empty((n_items, 6 * n_classes)),
        *(score, tie_score, bin, goes_left, gain),
    )
    device.launch("batched.cu", "tl_search", device.blocks_of(n_items), arguments)
    shape = (n_nodes, n_features)
    score, tie_score = score.reshape(shape), tie_score.reshape(shape)
    # The first of the largest, of those with the largest tie score.
    is_best = score == score.max(axis=1, keepdims=True)
    best = xp.argmax(xp.where(is_best, tie_score, -np.inf), axis=1)
    item = best + n_features * xp.arange(n_nodes)
    is_found = bin[item] >= 0
    feature = xp.where(is_found, best, -1).astype(np.int32)
    return feature, bin[item], goes_left[item] > 0, gain[item]


def _check_counts(counts):
    if not bool(((counts >= 0.0) & (counts < 2.0**900)).all()):
        raise ValueError("counts must be finite and none negative, with sums below 2**1000.")


def _chunks(xp, start, n_samples):
    """Return node, first and end of the chunks of samples on the device, and their number."""
    n_chunks = -(-n_samples // _CHUNK)
    node = np.repeat(np.arange(len(start)), n_chunks)
    before = np.repeat(np.cumsum(n_chunks) - n_chunks, n_chunks)
    first = start[node] + (np.arange(len(node)) - before) * _CHUNK
    end = np.minimum(first + _CHUNK, (start + n_samples)[node])
    return tuple(xp.asarray(array) for array in (node, first, end)), len(node)


def _or_nothing(xp, array):
    """Return an array that a kernel may be given; what is None is not read."""
    return xp.zeros(1, dtype=np.int64) if array is None else array


def _most_classes(table):
    classes = table.facts["n_classes"]
    return 1 if classes is None else int(np.max(classes))


def _rule_arguments(table):
    """Return the arguments that every kernel takes first (TL_RULES), kept with the table."""
    if table in _rules:
        return _rules[table]
    xp, facts = _device().xp, table.facts
    whole = [
        *(facts[name] for name in ("formula", "shannon_ties", "sums_classes", "sums_moments")),
        *(facts[name] for name in ("is_classification", "has_unit_weights", "n_outputs")),
        *(facts["n_stats"], len(table.codes), table.n_codes, table.n_channels),
        *(table.weight_channel, table.first_stat, _most_classes(table)),
        *(table.codes.dtype.itemsize, facts["monotonic"] is not None),
        *(facts["min_samples_leaf"], facts["min_weight_leaf"], len(table.rows)),
    ]
    real = [facts[name] for name in ("order", "weight_unit", "sum_unit", "square_ratio")]
    tables = facts["tables"] if facts["tables"] is not None else (None, None)
    optional = [facts[name] for name in ("class_starts", "n_classes", "centres", "ridges")]
    _rules[table] = (
        xp.asarray(np.array(whole, dtype=np.int64)),
        xp.asarray(np.array(real, dtype=np.float64)),
        *(
            _or_nothing(xp, None) if array is None else xp.asarray(array)
            for array in (*optional, facts["monotonic"], *tables)
        ),
    )
    return _rules[table]
