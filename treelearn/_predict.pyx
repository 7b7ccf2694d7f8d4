"""Rows to leaves."""

from cython.parallel cimport prange, threadid
from libc.math cimport isnan

import numpy as np

from ._signals cimport must_stop, raise_pending
from ._types cimport *

ctypedef fused value_t:
    float
    double

# A node as routing reads it, 16 bytes. Nodes stand in pre-order: the left child follows.
cdef packed struct Step:
    double threshold
    int32_t feature         # ~feature where missing values go right
    int32_t right           # 0: a leaf

STEP = np.dtype([("threshold", np.float64), ("feature", np.int32), ("right", np.int32)])

cdef enum:
    ROWS_PER_CHUNK = 8192  # about a millisecond: signals are looked at between chunks
    FEWEST_ROWS_FOR_THREADS = 32768


def pack_steps(tree):
    """Return the nodes of a tree as an array of steps."""
    steps = np.zeros(tree.node_count, dtype=STEP)
    steps["threshold"] = tree.threshold
    steps["right"] = np.maximum(tree.children_right, 0)
    missing_go_left = tree.missing_go_to_left.astype(bool)
    steps["feature"] = np.where(missing_go_left, tree.feature, ~tree.feature)
    return steps


cdef inline int32_t next_node(const Step* steps, int32_t node, double value) noexcept nogil:
    cdef int32_t feature = steps[node].feature
    if isnan(value):
        return node + 1 if feature >= 0 else steps[node].right
    return node + 1 if value <= steps[node].threshold else steps[node].right


cdef void route_chunk(
    const Step* steps,
    const value_t[:, :] X,
    int64_t chunk,
    int64_t* leaves,        # out
    bint polls,             # True in the thread that holds Python
    double* last_poll,
    int* is_stopped,        # in, out: shared by all threads
) noexcept nogil:
    """Write the leaf of every row of a chunk."""
    cdef int64_t i, end = min(X.shape[0], (chunk + 1) * ROWS_PER_CHUNK)
    cdef int32_t node, feature
    if is_stopped[0]:
        return
    for i in range(chunk * ROWS_PER_CHUNK, end):
        node = 0
        while steps[node].right != 0:
            feature = steps[node].feature
            node = next_node(steps, node, X[i, feature if feature >= 0 else ~feature])
        leaves[i] = node
    if polls and must_stop(last_poll):
        is_stopped[0] = 1


def route(const Step[::1] steps, const value_t[:, :] X, int n_threads):
    """Return the leaf of every row of a dense matrix."""
    cdef int64_t n_chunks = (X.shape[0] + ROWS_PER_CHUNK - 1) // ROWS_PER_CHUNK
    cdef int64_t k
    cdef int is_stopped = 0
    cdef double last_poll = 0.0
    leaves = np.empty(X.shape[0], dtype=np.int64)
    if X.shape[0] == 0:
        return leaves
    cdef int64_t[::1] leaves_view = leaves
    cdef int64_t* out = &leaves_view[0]
    if n_threads == 1 or X.shape[0] < FEWEST_ROWS_FOR_THREADS:
        with nogil:
            for k in range(n_chunks):
                route_chunk[value_t](&steps[0], X, k, out, True, &last_poll, &is_stopped)
    else:
        for k in prange(
            n_chunks, nogil=True, num_threads=n_threads, schedule="dynamic", chunksize=1
        ):
            route_chunk[value_t](
                &steps[0], X, k, out, threadid() == 0, &last_poll, &is_stopped
            )
    if is_stopped:
        raise_pending()
    return leaves


def route_sparse(
    const Step[::1] steps,
    const value_t[::1] data,
    const int32_t[::1] columns,
    const int64_t[::1] starts,
    Py_ssize_t n_features,
):
    """Return the leaf of every row of a CSR matrix; what it does not store is 0."""
    cdef int64_t n_rows = starts.shape[0] - 1, i, k
    cdef int32_t node, feature
    cdef bint is_stopped = False
    cdef double last_poll = 0.0
    leaves = np.empty(n_rows, dtype=np.int64)
    if n_rows == 0:
        return leaves
    # One dense row, filled and emptied again: memory grows with the features, not the matrix.
    row = np.zeros(max(1, n_features))
    cdef double[::1] row_view = row
    cdef int64_t[::1] leaves_view = leaves
    with nogil:
        for i in range(n_rows):
            for k in range(starts[i], starts[i + 1]):
                row_view[columns[k]] += data[k]
            node = 0
            while steps[node].right != 0:
                feature = steps[node].feature
                node = next_node(&steps[0], node, row_view[feature if feature >= 0 else ~feature])
            leaves_view[i] = node
            for k in range(starts[i], starts[i + 1]):
                row_view[columns[k]] = 0.0
            if i % ROWS_PER_CHUNK == 0 and must_stop(&last_poll):
                is_stopped = True
                break
    if is_stopped:
        raise_pending()
    return leaves
