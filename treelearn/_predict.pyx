"""Rows to leaves, and to what the leaves hold."""

from _thread import start_new_thread
from time import sleep

import numpy as np

from ._address cimport address_of
from ._signals cimport must_stop, raise_pending
from ._types cimport *

ctypedef fused value_t:
    float
    double

cdef extern from "native/route.h":
    int TL_NARROW_BITS
    int TL_ROWS_PER_CHUNK
    ctypedef struct WalkSteps "tl_walk":
        const void* steps
        int shift
        uint32_t even
        int n_levels
    void tl_route(
        const WalkSteps* walk,
        const int64_t* held,    # by number
        const char* X,
        int64_t n_rows,
        Py_ssize_t row_stride,
        Py_ssize_t column_stride,
        int64_t* out,           # out: what the leaf of every row holds
        bint is_double,
        bint may_miss,
    ) noexcept nogil
    int TL_CACHE_LINE
    void tl_read_ahead(const WalkSteps* walk, int64_t n_bytes) noexcept nogil
    uint64_t tl_number_of_row(const WalkSteps* walk, const double* row) noexcept nogil

cdef extern from "native/checks.h":
    int TL_FINITE
    int TL_INFINITE
    int TL_UNKNOWN
    int tl_worst_32(const uint32_t* bits, int64_t n) noexcept nogil
    int tl_worst_64(const uint64_t* bits, int64_t n) noexcept nogil

STEP = np.dtype([("threshold", np.float64), ("column", np.uint32), ("left", np.int32)])
NARROW_STEP = np.dtype([("threshold", np.float32), ("way", np.uint32)])

cdef extern from "native/atomic.h":
    int64_t tl_fetch_add(int64_t* number, int64_t more) noexcept nogil

# So many of the rows that made the tree arrive before anybody looks for those that have. A look
# costs as much as two levels, which those walk in vain that are in their leaf already.
SHARE_BEFORE_LOOK = 0.3

# In a chain of nodes other rows than those of the fit may arrive much earlier.
MOST_LEVELS_BEFORE_LOOK = 32

# Fewer rows end before a second thread has begun (benchmarks/predict.py --threads 1 2).
FEWEST_ROWS_FOR_THREADS = 16384


def pack_steps(tree):
    """Return the steps of a tree, and for every step the number of its node.

    The threshold of a leaf is infinity: every value goes to the left, which is the leaf itself.

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


def _round_down(threshold):
    """Return the largest float32 that is not above, of every float64."""
    with np.errstate(over="ignore"):
        narrow = threshold.astype(np.float32)
    is_above = narrow > threshold
    narrow[is_above] = np.nextafter(narrow[is_above], np.float32(-np.inf))
    return narrow


def _count_levels(tree):
    """Return after how many levels it is time to look for rows that have arrived; at least 1."""
    leaves = np.flatnonzero(tree.feature < 0)
    arrived = np.cumsum(np.bincount(tree.depths()[leaves], tree.n_node_samples[leaves]))
    n_levels = int(np.searchsorted(arrived, SHARE_BEFORE_LOOK * arrived.max()))
    return min(max(1, n_levels), MOST_LEVELS_BEFORE_LOOK)


cdef class Walk:
    """The steps of a tree for values of one dtype, with a number in every leaf.

    Parameters
    ----------
    tree : treelearn.tree.Tree
        Its nodes stand in pre-order.
    numbers : ndarray of int of shape (n_nodes,)
        What every leaf leads to, from 0 below 2**31; those of inner nodes play no part.
    is_double : bool
        Whether values of float64 are to be led, or else of float32.
    """

    cdef WalkSteps walk
    cdef readonly object steps
    cdef readonly bint is_double
    cdef readonly int64_t n_numbers     # one more than the largest in a leaf

    def __init__(self, tree, numbers, bint is_double):
        wide, nodes = pack_steps(tree)
        leaves = np.flatnonzero(tree.feature[nodes] < 0)
        numbers = np.asarray(numbers)[nodes[leaves]]
        self.n_numbers = int(numbers.max()) + 1
        self.is_double = is_double
        column_bits = int(wide["column"].max()).bit_length()
        shift = max(1, column_bits)
        is_narrow = (
            not is_double
            and shift + len(wide).bit_length() <= 32
            and self.n_numbers <= 1 << TL_NARROW_BITS
        )
        if is_narrow:
            steps = np.empty(len(wide), dtype=NARROW_STEP)
            steps["threshold"] = _round_down(wide["threshold"])
            steps["way"] = wide["left"].astype(np.uint32) << np.uint32(shift) | wide["column"]
            bits = steps.view(np.uint32)[::2]
            bits[leaves] = np.uint32(0x7FC00000) | numbers.astype(np.uint32)
        else:
            steps = wide
            bits = steps.view(np.uint64)[::2]
            bits[leaves] = np.uint64(0x7FF8000000000000) | numbers.astype(np.uint64)
        self.steps = steps
        self.walk.steps = address_of(steps.view(np.uint64))
        self.walk.n_levels = _count_levels(tree)
        self.walk.shift = shift if is_narrow else 0
        self.walk.even = (<uint32_t> 1 << shift) - 2 if is_narrow else 0


cdef class Batch:
    """Rows that threads take chunk by chunk, each the next one.

    A helper that the system lets run late finds nothing left to do, and nobody has waited for
    it; a parallel region of OpenMP would end when the last thread has begun.
    """

    cdef object arrays          # what the pointers point into, as long as any thread works
    cdef WalkSteps walk
    cdef const int64_t* held
    cdef const char* X
    cdef Py_ssize_t row_stride, column_stride
    cdef int64_t* out
    cdef bint is_double, is_stopped, has_infinity
    cdef int worst              # value of all
    cdef int64_t n_rows, n_features, n_chunks, n_taken, n_done

    cdef void work(self, bint polls) noexcept nogil:
        """Route chunks until none is left, a value is infinite or the user has stopped the call."""
        cdef double last_poll = 0.0
        cdef int64_t chunk, first, n_rows
        cdef int worst
        cdef const char* X
        while not (self.is_stopped or self.has_infinity):
            chunk = tl_fetch_add(&self.n_taken, 1)
            if chunk >= self.n_chunks:
                return
            first = chunk * TL_ROWS_PER_CHUNK
            n_rows = min(TL_ROWS_PER_CHUNK, self.n_rows - first)
            X = self.X + first * self.row_stride
            worst = self.worst
            if worst == TL_UNKNOWN:
                # Just before they are used, so that they come from the memory once.
                if self.is_double:
                    worst = tl_worst_64(<const uint64_t*> X, n_rows * self.n_features)
                else:
                    worst = tl_worst_32(<const uint32_t*> X, n_rows * self.n_features)
            if worst == TL_INFINITE:
                self.has_infinity = True
            else:
                tl_route(
                    &self.walk, self.held, X, n_rows, self.row_stride, self.column_stride,
                    self.out + first, self.is_double, worst != TL_FINITE,
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
    Walk walk,
    const int64_t[::1] held,
    const value_t[:, :] X,
    int worst,
    int n_threads,
):
    """Return what the leaf of every row of a dense matrix holds.

    Parameters
    ----------
    walk : Walk
        Of the dtype of X.
    held : ndarray of shape (n_numbers,)
        8 bytes for every number that a leaf leads to.
    X : ndarray of shape (n_rows, n_features)
        float32 or float64; of any strides, or C-contiguous where the worst value is unknown.
    worst : int
        FINITE, MISSING or UNKNOWN of ``treelearn._checks``: the worst value that is in X. What is
        unknown is looked at.
    n_threads : int
        Threads.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        int64; None where an infinite value was found.

    Raises
    ------
    ValueError
        If the arguments do not go together.
    """
    cdef Py_ssize_t size = sizeof(value_t)
    cdef bint is_contiguous = (X.shape[1] == 1 or X.strides[1] == size) and (
        X.shape[0] == 1 or X.strides[0] == X.shape[1] * size
    )
    if (
        walk.is_double != (size == sizeof(double))
        or held.shape[0] < walk.n_numbers
        or (worst == TL_UNKNOWN and not is_contiguous)
    ):
        raise ValueError("The arguments do not go together.")
    results = np.empty(X.shape[0], dtype=np.int64)
    if X.shape[0] == 0:
        return results
    cdef int64_t[::1] results_view = results
    cdef Batch batch = Batch.__new__(Batch)
    batch.arrays = walk, held, X, results
    batch.walk, batch.held, batch.X = walk.walk, &held[0], <const char*> &X[0, 0]
    batch.row_stride, batch.column_stride = X.strides[0], X.strides[1]
    batch.out = &results_view[0]
    batch.is_double, batch.worst = value_t is double, worst
    batch.n_rows, batch.n_features = X.shape[0], X.shape[1]
    batch.n_chunks = (batch.n_rows + TL_ROWS_PER_CHUNK - 1) // TL_ROWS_PER_CHUNK
    cdef int64_t n_bytes = walk.steps.nbytes
    if batch.n_rows >= n_bytes // TL_CACHE_LINE:  # a row for every line that is read
        tl_read_ahead(&walk.walk, n_bytes)
    for _ in range(1, min(n_threads, batch.n_chunks)):
        try:
            start_new_thread(help_with, (batch,))
        except RuntimeError:  # no thread to be had: those that there are do the work
            break
    with nogil:
        batch.work(True)
    if batch.is_stopped:
        raise_pending()
    while not (batch.has_infinity or batch.is_done()):
        sleep(TL_ROWS_PER_CHUNK * 1e-8)  # a helper is in its last chunk
    return None if batch.has_infinity else results


def route_sparse(
    Walk walk,
    const int64_t[::1] held,
    const value_t[::1] data,
    const int32_t[::1] columns,
    const int64_t[::1] starts,
    Py_ssize_t n_features,
):
    """Return what the leaf of every row of a CSR matrix holds; what it does not store is 0.

    The walk is one for float64, whatever the dtype of the matrix.
    """
    cdef int64_t n_rows = starts.shape[0] - 1, i, k
    cdef bint is_stopped = False
    cdef double last_poll = 0.0
    if not walk.is_double or held.shape[0] < walk.n_numbers:
        raise ValueError("The arguments do not go together.")
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
            results_view[i] = held[tl_number_of_row(&walk.walk, &row_view[0])]
            for k in range(starts[i], starts[i + 1]):
                row_view[columns[k]] = 0.0
            if i % TL_ROWS_PER_CHUNK == 0 and must_stop(&last_poll):
                is_stopped = True
                break
    if is_stopped:
        raise_pending()
    return results
