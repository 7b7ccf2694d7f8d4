"""The four steps of level-wise growth on a GPU: names and signatures of ``numpy_kernels``.

Nodes are dicts of NumPy arrays; samples and histograms stay on the device. A level waits for the
device once, for its splits; once more where features are drawn, and in regression. Also the batched
functions of ``treelearn.batched`` for CuPy arrays.
"""

from functools import cache
from weakref import WeakKeyDictionary

import numpy as np

from .._cupy import N_THREADS, Device
from ._formulas import drawn_features
from .table import RECORD_BYTES

__all__ = [
    *("SHARED_BYTES", "current_device"),
    *("fill", "finish", "impurities", "partition", "scan", "search_histograms"),
]

SHARED_BYTES = 48 * 1024
"""Shared memory that every device offers a block; as in native/launch.h."""

# Samples of a chunk: enough that clearing and adding up a histogram in shared memory is little
# beside them.
_CHUNK = 16384
# Shared memory of a block that fills: so much that the threads of several blocks run side by side.
_FILL_BYTES = 32 * 1024
_TILE = 1024  # as in finish.cu
# Blocks of a scan: as many threads as any device runs at a time. Each has its own scratch memory.
_SCAN_BLOCKS = 2048
# What tl_choose writes of a node before its statistics.
_SPLIT = ("feature", "bin", "next_bin", "missing_goes_left", "n_samples", "weight")

_device = cache(Device)
_rules = WeakKeyDictionary()  # by table: the first arguments of its kernels


def current_device():
    """Return the device that the kernels run on."""
    return _device()


def fill(table, samples, start, n_samples):
    """Return the histograms of some nodes; see ``numpy_kernels``."""
    device = _device()
    xp = device.xp
    shape = (len(start), table.n_features, table.n_codes, table.n_channels)
    histograms = xp.zeros(shape, dtype=np.int64)
    chunks = _chunks(xp, start, n_samples)
    facts = table.facts
    counts_samples = (
        facts["is_classification"] and facts["has_unit_weights"] and facts["n_outputs"] == 1
    )
    cell_bytes = 4 * facts["n_stats"] if counts_samples else 8 * table.n_channels
    width, has_room = _fill_width(table, cell_bytes)
    n_blocks = len(chunks[0]) * -(-table.n_features // width)
    targets = (table.labels, table.sums, table.square_sums, table.weights)
    if counts_samples:
        targets = (table.labels,)
    arguments = (
        *(*_rule_arguments(table), table.records, samples),
        *(_or_nothing(xp, array) for array in targets),
        *(*chunks, np.int64(n_blocks), np.int32(width), np.int32(has_room), histograms),
    )
    kernel = "tl_fill_counts" if counts_samples else "tl_fill"
    shared_bytes = width * table.n_codes * cell_bytes if has_room else 0
    device.launch("fill.cu", kernel, n_blocks, arguments, shared_bytes)
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
        device.launch("scan.cu", "tl_varies", device.blocks_of(n_items), arguments)
        varies = device.on_host(drawn)
        drawn = xp.asarray(drawn_features(nodes["seed"], varies, table.facts["max_features"]))
    n_scratch = 4 * _most_classes(table) + 4
    n_threads = min(n_items, _SCAN_BLOCKS * N_THREADS)
    score, tie_score = xp.empty(n_items), xp.empty(n_items)
    bin_of = xp.empty(n_items, dtype=np.int32)
    goes_left = xp.empty(n_items, dtype=np.uint8)
    n_samples, weight, stats, lower, upper = _moved(
        xp, *(nodes[name] for name in ("n_samples", "weight", "stats", "lower", "upper"))
    )
    arguments = (
        *(*rules, table.n_bins, histograms, stats, n_samples, weight, lower, upper, drawn),
        *(np.int64(n_items), np.int64(n_scratch)),
        xp.empty((n_threads, 3 * n_stats), dtype=np.int64),
        xp.empty((n_threads, n_scratch)),
        *(score, tie_score, bin_of, goes_left),
    )
    n_blocks = min(device.blocks_of(n_items), _SCAN_BLOCKS)
    device.launch("scan.cu", "tl_scan", n_blocks, arguments)
    found = xp.empty((n_nodes, len(_SPLIT) + n_stats), dtype=np.int64)
    arguments = (
        *(*rules, table.n_bins, histograms, n_samples),
        *(score, tie_score, bin_of, goes_left, np.int64(n_nodes), found),
    )
    device.launch("scan.cu", "tl_choose", device.blocks_of(n_nodes), arguments)
    found = device.on_host(found)
    splits = {name: found[:, k].copy() for k, name in enumerate(_SPLIT)}
    for name in ("feature", "bin", "next_bin"):
        splits[name] = splits[name].astype(np.int32)
    splits["missing_goes_left"] = splits["missing_goes_left"] > 0
    return splits | {"stats": found[:, len(_SPLIT) :].copy()}


def partition(table, samples, start, n_samples, splits):
    """Return the samples with those of every node divided; see ``numpy_kernels``."""
    device = _device()
    xp = device.xp
    chunks = _chunks(xp, start, n_samples)
    n_chunks = len(chunks[0])
    feature, bin, missing_goes_left, start, n_left = _moved(
        xp,
        *(splits[name] for name in ("feature", "bin", "missing_goes_left")),
        *(start, splits["n_samples"]),
    )
    rank = xp.zeros(len(samples), dtype=np.int32)
    arguments = (
        *(*_rule_arguments(table), table.records, table.n_bins, samples),
        *(*chunks, np.int64(n_chunks), feature, bin, missing_goes_left, rank),
    )
    device.launch("partition.cu", "tl_mark", n_chunks, arguments)
    xp.cumsum(rank, dtype=np.int32, out=rank)
    divided = samples.copy()
    arguments = (samples, rank, *chunks, np.int64(n_chunks), start, n_left, divided)
    device.launch("partition.cu", "tl_move", n_chunks, arguments)
    return divided


def finish(table, samples, start, n_samples, stats, weight):
    """Return what some nodes store; see ``numpy_kernels``."""
    if table.facts["is_classification"]:
        # A function of some numbers a node, which are on the host.
        nothing = np.empty(0, dtype=np.int32)
        return table.formulas.describe(None, None, nothing, start, n_samples, stats, weight)
    device = _device()
    xp = device.xp
    n_nodes, n_outputs = len(start), table.facts["n_outputs"]
    found = xp.empty(n_nodes * (2 + n_outputs))
    impurity, is_pure, value = (
        *(found[:n_nodes], found[n_nodes : 2 * n_nodes], found[2 * n_nodes :]),
    )
    arguments = (
        *(*_rule_arguments(table), table.y, _or_nothing(xp, table.weights), samples),
        *(*_moved(xp, start, n_samples), np.int64(n_nodes), impurity, is_pure, value),
    )
    device.launch("finish.cu", "tl_finish", n_nodes, arguments, 8 * (2 * _TILE + 1))
    found = device.on_host(found)
    is_pure = found[n_nodes : 2 * n_nodes].astype(np.uint8)
    return found[:n_nodes].copy(), is_pure, found[2 * n_nodes :].reshape(n_nodes, n_outputs)


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
    n_nodes, n_classes = counts.shape
    found = device.xp.empty(n_nodes)
    is_bad = device.xp.zeros(1, dtype=np.int32)
    arguments = (
        np.int32(kernel.formula),
        *(np.float64(kernel.order), np.float64(kernel.scale)),
        *(counts, np.int64(n_nodes), np.int32(n_classes), found, is_bad),
    )
    device.launch("batched.cu", "tl_impurities", device.blocks_of(n_nodes), arguments)
    _check_counts(is_bad)
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
    n_nodes, n_features, n_bins, n_classes = histograms.shape
    n_items = n_nodes * n_features
    score, tie_score, gain = xp.empty(n_items), xp.empty(n_items), xp.empty(n_items)
    bin = xp.empty(n_items, dtype=np.int32)
    goes_left = xp.empty(n_items, dtype=np.uint8)
    is_bad = xp.zeros(1, dtype=np.int32)
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
        *(score, tie_score, bin, goes_left, gain, is_bad),
    )
    device.launch("batched.cu", "tl_search", device.blocks_of(n_items), arguments)
    _check_counts(is_bad)
    shape = (n_nodes, n_features)
    score, tie_score = score.reshape(shape), tie_score.reshape(shape)
    # The first of the largest, of those with the largest tie score.
    is_best = score == score.max(axis=1, keepdims=True)
    best = xp.argmax(xp.where(is_best, tie_score, -np.inf), axis=1)
    item = best + n_features * xp.arange(n_nodes)
    is_found = bin[item] >= 0
    feature = xp.where(is_found, best, -1).astype(np.int32)
    return feature, bin[item], goes_left[item] > 0, gain[item]


def _check_counts(is_bad):
    if bool(is_bad[0]):
        raise ValueError("counts must be finite and none negative, with sums below 2**960.")


def _fill_width(table, cell_bytes):
    """Return the features of a block that fills, and whether shared memory has room for them."""
    per_piece = RECORD_BYTES // table.records.dtype.itemsize
    feature_bytes = table.n_codes * cell_bytes
    n = _FILL_BYTES // feature_bytes
    if n >= per_piece:  # whole pieces, no more than a record has
        return per_piece * min(n // per_piece, -(-table.n_features // per_piece)), True
    if n == 0 and feature_bytes > SHARED_BYTES:
        return per_piece, False
    return 1 << (max(1, n).bit_length() - 1), True


def _chunks(xp, start, n_samples):
    """Return node, first and end of the chunks of samples on the device."""
    n_chunks = -(-n_samples // _CHUNK)
    node = np.repeat(np.arange(len(start)), n_chunks)
    before = np.repeat(np.cumsum(n_chunks) - n_chunks, n_chunks)
    first = start[node] + (np.arange(len(node)) - before) * _CHUNK
    end = np.minimum(first + _CHUNK, (start + n_samples)[node])
    return _moved(xp, node, first, end)


def _moved(xp, *arrays):
    """Return arrays of whole numbers, or of float64, as int64 and float64 on the device.

    They go there in one piece: a transfer takes longer to begin than the arrays of a level do.
    """
    words = [
        array.view(np.int64) if array.dtype == np.float64 else array.astype(np.int64)
        for array in map(np.ascontiguousarray, arrays)
    ]
    flat = xp.asarray(np.concatenate([word.ravel() for word in words]))
    ends = np.cumsum([word.size for word in words]).tolist()
    parts = [flat[end - word.size : end] for end, word in zip(ends, words, strict=True)]
    return tuple(
        (part.view(np.float64) if array.dtype == np.float64 else part).reshape(array.shape)
        for part, array in zip(parts, arrays, strict=True)
    )


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
        *(facts["n_stats"], table.n_features, table.n_codes, table.n_channels),
        *(table.weight_channel, table.first_stat, _most_classes(table)),
        *(table.records.dtype.itemsize, table.records.shape[1] * table.records.dtype.itemsize),
        *(facts["monotonic"] is not None, facts["min_samples_leaf"], facts["min_weight_leaf"]),
        table.n_samples,
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
