"""Rows to leaves, and to what the leaves hold."""

from _thread import start_new_thread
from time import sleep

import numpy as np

from ._signals cimport must_stop, raise_pending
from ._types cimport *

ctypedef fused value_t:
    float
    double

cdef extern from "native/route.h":
    ctypedef struct Step "tl_step":
        double threshold
        uint32_t column         # feature << 1 | whether missing values go right
        int32_t left
    int32_t tl_next_place(const Step* step, double value, bint may_miss) noexcept nogil
    void tl_route(
        const Step* steps,
        const int64_t* held,    # by place
        const char* X,
        int64_t n_rows,
        Py_ssize_t row_stride,
        Py_ssize_t column_stride,
        int64_t* out,           # out: what the leaf of every row holds
        bint is_double,
        bint may_miss,
    ) noexcept nogil

STEP = np.dtype([("threshold", np.float64), ("column", np.uint32), ("left", np.int32)])

cdef extern from "native/atomic.h":
    int64_t tl_fetch_add(int64_t* number, int64_t more) noexcept nogil

cdef enum:
    # Some fifty microseconds: as long as one thread waits for another, or for a signal.
    ROWS_PER_CHUNK = 1024

# Fewer rows end before a second thread has begun (benchmarks/predict.py --threads 1 2).
FEWEST_ROWS_FOR_THREADS = 16384


def pack_steps(tree):
    """Return the steps of a tree, and for every step the number of its node.

    Parameters
    ----------
    tree : treelearn.tree.Tree
        Its nodes stand in pre-order.

    Returns
    -------
    steps : ndarray of shape (n_nodes,)
        Of dtype STEP, the root first.
    nodes : ndarray of shape (n_nodes,)
        int64.
    """
    inner = np.flatnonzero(tree.feature >= 0)
    left, right = tree.children_left[inner], tree.children_right[inner]
    place = np.zeros(tree.node_count, dtype=np.int32)
    place[left] = np.arange(1, 2 * len(inner), 2)
    place[right] = place[left] + 1
    steps = np.empty(tree.node_count, dtype=STEP)
    steps["threshold"] = np.inf
    steps["column"] = 0
    steps["left"] = np.arange(tree.node_count)
    at = place[inner]
    steps["threshold"][at] = tree.threshold[inner]
    steps["column"][at] = 2 * tree.feature[inner].astype(np.uint32) + (
        tree.missing_go_to_left[inner] == 0
    )
    steps["left"][at] = place[left]
    nodes = np.empty(tree.node_count, dtype=np.int64)
    nodes[place] = np.arange(tree.node_count)
    return steps, nodes


cdef class Batch:
    """Rows that threads take chunk by chunk, each the next one.

    A helper that the system lets run late finds nothing left to do, and nobody has waited for
    it; a parallel region of OpenMP would end when the last thread has begun.
    """

    cdef object arrays          # what the pointers point into, as long as any thread works
    cdef const Step* steps
    cdef const int64_t* held
    cdef const char* X
    cdef Py_ssize_t row_stride, column_stride
    cdef int64_t* out
    cdef bint is_double, may_miss, is_stopped
    cdef int64_t n_rows, n_chunks, n_taken, n_done

    cdef void work(self, bint polls) noexcept nogil:
        """Route chunks until none is left or the user has stopped the call."""
        cdef double last_poll = 0.0
        cdef int64_t chunk, first
        while not self.is_stopped:
            chunk = tl_fetch_add(&self.n_taken, 1)
            if chunk >= self.n_chunks:
                return
            first = chunk * ROWS_PER_CHUNK
            tl_route(
                self.steps, self.held, self.X + first * self.row_stride,
                min(ROWS_PER_CHUNK, self.n_rows - first), self.row_stride, self.column_stride,
                self.out + first, self.is_double, self.may_miss,
            )
            tl_fetch_add(&self.n_done, 1)
            if polls and must_stop(&last_poll):
                self.is_stopped = True

    cdef bint is_done(self) noexcept:
        return tl_fetch_add(&self.n_done, 0) == self.n_chunks


def help_with(Batch batch):
    """Work on a batch of another thread."""
    with nogil:
        batch.work(False)


def route(
    const Step[::1] steps,
    const int64_t[::1] held,
    const value_t[:, :] X,
    bint may_miss,
    int n_threads,
):
    """Return what the leaf of every row of a dense matrix holds.

    Parameters
    ----------
    steps : ndarray of shape (n_nodes,)
        See `pack_steps`.
    held : ndarray of shape (n_nodes,)
        8 bytes for every step, returned where a row ends.
    X : ndarray of shape (n_rows, n_features)
        float32 or float64, any strides.
    may_miss : bool
        Whether there may be a NaN in X.
    n_threads : int
        Threads.

    Returns
    -------
    ndarray of shape (n_rows,)
        int64.
    """
    results = np.empty(X.shape[0], dtype=np.int64)
    if X.shape[0] == 0:
        return results
    cdef int64_t[::1] results_view = results
    cdef Batch batch = Batch.__new__(Batch)
    batch.arrays = steps, held, X, results
    batch.steps, batch.held, batch.X = &steps[0], &held[0], <const char*> &X[0, 0]
    batch.row_stride, batch.column_stride = X.strides[0], X.strides[1]
    batch.out = &results_view[0]
    batch.is_double, batch.may_miss = value_t is double, may_miss
    batch.n_rows = X.shape[0]
    batch.n_chunks = (batch.n_rows + ROWS_PER_CHUNK - 1) // ROWS_PER_CHUNK
    for _ in range(1, min(n_threads, batch.n_chunks)):
        try:
            start_new_thread(help_with, (batch,))
        except RuntimeError:  # no thread to be had: those that there are do the work
            break
    with nogil:
        batch.work(True)
    if batch.is_stopped:
        raise_pending()
    while not batch.is_done():
        sleep(ROWS_PER_CHUNK * 1e-8)  # a helper is in its last chunk
    return results


def route_sparse(
    const Step[::1] steps,
    const int64_t[::1] held,
    const value_t[::1] data,
    const int32_t[::1] columns,
    const int64_t[::1] starts,
    Py_ssize_t n_features,
):
    """Return what the leaf of every row of a CSR matrix holds; what it does not store is 0."""
    cdef int64_t n_rows = starts.shape[0] - 1, i, k
    cdef int32_t place, following
    cdef bint is_stopped = False
    cdef double last_poll = 0.0
    results = np.empty(n_rows, dtype=np.int64)
    if n_rows == 0:
        return results
    # One dense row, filled and emptied again: memory grows with the features, not the matrix.
    row = np.zeros(max(1, n_features))
    cdef double[::1] row_view = row
    cdef int64_t[::1] results_view = results
    with nogil:
        for i in range(n_rows):
            for k in range(starts[i], starts[i + 1]):
                row_view[columns[k]] += data[k]
            place = -1
            following = 0
            while following != place:
                place = following
                following = tl_next_place(&steps[place], row_view[steps[place].column >> 1], True)
            results_view[i] = held[place]
            for k in range(starts[i], starts[i + 1]):
                row_view[columns[k]] = 0.0
            if i % ROWS_PER_CHUNK == 0 and must_stop(&last_poll):
                is_stopped = True
                break
    if is_stopped:
        raise_pending()
    return results
