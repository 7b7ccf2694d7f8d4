"""Raw values checked, encoded and routed on a GPU: names and signatures of ``numpy_values``."""

import numpy as np

from .cuda_kernels import SHARED_BYTES, current_device

__all__ = ["encode", "find_worst", "route"]

# Samples of a chunk: enough that reading the edges and noting the extremes is little beside them.
_CHUNK = 16384
_WIDEST = 8  # features that a block encodes side by side


def find_worst(X):
    """Return whether a table has infinite and whether it has missing values."""
    device = current_device()
    found = device.xp.zeros(2, dtype=np.int32)
    if X.flags.c_contiguous or X.flags.f_contiguous:
        lines = (1, X.size, 0, 1)
    else:
        lines = (len(X), X.size // max(1, len(X)), *_strides(X))
    arguments = (X, _is_double(X), *(np.int64(n) for n in lines), found)
    device.launch("encode.cu", "tl_worst", device.blocks_of(X.size), arguments)
    found = device.on_host(found)
    return bool(found[0]), bool(found[1])


def encode(X, rows, features, edges, records):
    """Write the codes of some features; see ``numpy_values``."""
    device = current_device()
    xp = device.xp
    n_bins = np.array([len(limits) + 1 for limits in edges], dtype=np.int32)
    n_padded = 1 << np.array([int(n - 1).bit_length() for n in n_bins], dtype=np.int64)
    edge_starts = np.concatenate([[0], np.cumsum(n_padded)]).astype(np.int64)
    bin_starts = np.concatenate([[0], np.cumsum(n_bins)]).astype(np.int64)
    padded = np.full(edge_starts[-1], np.inf)
    for start, limits in zip(edge_starts[:-1], edges, strict=True):
        padded[start : start + len(limits)] = limits
    most_edges = int(n_padded.max())
    shift = int(_WIDEST).bit_length() - 1
    while shift > 0 and _shared_bytes(shift, most_edges) > SHARED_BYTES:
        shift -= 1
    shared_bytes = _shared_bytes(shift, most_edges)
    has_room = shared_bytes <= SHARED_BYTES
    highest = xp.zeros(int(bin_starts[-1]), dtype=np.uint64)
    lowest = ~highest
    is_missed = xp.zeros(len(features), dtype=np.int32)
    n_samples = len(records)
    arguments = (
        *(X, _is_double(X), *(np.int64(stride) for stride in _strides(X))),
        xp.zeros(1, dtype=np.int32) if rows is None else rows,
        *(np.int32(rows is not None), np.int64(n_samples), np.int32(_CHUNK)),
        xp.asarray(np.array(features, dtype=np.int32)),
        *(np.int32(len(features)), np.int32(shift), np.int32(has_room), np.int32(most_edges)),
        *(xp.asarray(array) for array in (padded, edge_starts, n_bins, bin_starts)),
        *(records, np.int32(records.dtype.itemsize)),
        np.int64(records.dtype.itemsize * records.shape[1]),
        *(lowest, highest, is_missed),
    )
    n_blocks = -(-n_samples // _CHUNK) * -(-len(features) // (1 << shift))
    device.launch("encode.cu", "tl_encode", n_blocks, arguments, shared_bytes if has_room else 0)
    keys = device.on_host(xp.stack([lowest, highest]))
    lowest, highest = (np.split(_numbers(row), bin_starts[1:-1]) for row in keys)
    return lowest, highest, device.on_host(is_missed) > 0


def route(steps, X):
    """Return the place of the leaf of every row; see ``numpy_values``."""
    device = current_device()
    places = device.xp.empty(len(X), dtype=np.int32)
    strides = (np.int64(stride) for stride in _strides(X))
    arguments = (steps, X, _is_double(X), np.int64(len(X)), *strides, places)
    device.launch("route.cu", "tl_route", device.blocks_of(len(X)), arguments)
    return places


def _is_double(X):
    return np.int32(X.dtype == np.float64)


def _strides(X):
    """Return the distances of rows and of columns in values."""
    return tuple(stride // X.dtype.itemsize for stride in X.strides)


def _shared_bytes(shift, most_edges):
    """Return what a block of 2^shift features needs: edges, and two keys a bin."""
    return 8 * (1 << shift) * (3 * most_edges + 1)


def _numbers(keys):
    """Return the numbers of keys that are ordered as they are (tl_key), of none the infinities."""
    bits = np.where(keys >> np.uint64(63) != 0, keys & np.uint64(2**63 - 1), ~keys)
    values = bits.view(np.float64)
    values[keys == 2**64 - 1] = np.inf
    values[keys == 0] = -np.inf
    return values
