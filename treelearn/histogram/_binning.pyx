"""Bin edges from a sorted sample, and codes from edges."""

from cython.parallel cimport parallel, prange, threadid
from libc.stdint cimport INT64_MAX, int64_t, uint32_t

import numpy as np

from .._address cimport address_of
from .._crowd cimport begin_region, begin_share, end_share, n_threads_now
from .._signals cimport must_stop, raise_pending

cdef extern from "native/binning.h" nogil:
    int64_t tl_encode(
        int is_double, int code_bytes, const char* values, int64_t value_stride, int64_t n,
        const void* edges, uint32_t n_padded, uint32_t missing_code, char* codes,
        int64_t code_stride, void* lowest, void* highest,
    )

ctypedef fused real:
    float
    double

cdef enum:
    # A few hundred kilobytes of values stay in the second-level cache while columns are coded.
    ROWS_PER_BLOCK = 4096
    # So many values of one column are written side by side before the next column's.
    ROWS_PER_SAMPLE_BLOCK = 64


def sample_columns(const real[:, :] X, const int64_t[::1] rows, int n_threads=1):
    """Return some rows of a matrix, column after column.

    Parameters
    ----------
    X : memoryview of shape (n_samples, n_features)
        Of any strides.
    rows : memoryview of shape (n_rows,)
        Numbers of rows.
    n_threads : int, default=1
        Threads.

    Returns
    -------
    ndarray of shape (n_features, n_rows)
        Of the dtype of X.
    """
    cdef int64_t n = rows.shape[0], n_features = X.shape[1]
    cdef int64_t n_blocks = (n + ROWS_PER_SAMPLE_BLOCK - 1) // ROWS_PER_SAMPLE_BLOCK
    cdef int64_t block, i, f
    found = np.empty((n_features, n), dtype=np.float32 if real is float else np.float64)
    cdef real[:, ::1] target = found
    cdef int64_t due = begin_region(n_threads)
    with nogil, parallel(num_threads=n_threads):
        begin_share(due)
        for block in prange(n_blocks, schedule="static"):
            for f in range(n_features):
                for i in range(
                    block * ROWS_PER_SAMPLE_BLOCK, min(n, (block + 1) * ROWS_PER_SAMPLE_BLOCK)
                ):
                    target[f, i] = X[rows[i], f]
    return found


def last_of_bins(const real[::1] values, int64_t max_bins):
    """Return where the bins of a sorted sample end.

    Parameters
    ----------
    values : memoryview of shape (n,)
        Sorted, without NaN.
    max_bins : int
        Most bins.

    Returns
    -------
    last : ndarray of shape (n_bins,)
        int64: the place of the last value of each bin, growing.
    n_distinct : int
        Number of distinct values.
    """
    cdef int64_t n = values.shape[0], n_distinct
    cdef const real* data = NULL
    if n > 0:
        data = &values[0]
    with nogil:
        n_distinct = count_distinct(data, n)
    ends = np.empty(max(1, min(n_distinct, max_bins)), dtype=np.int64)
    cdef int64_t[::1] ends_view = ends
    cdef int64_t n_closed
    with nogil:
        n_closed = close_bins(data, n, n_distinct, max_bins, &ends_view[0])
    return ends[:n_closed], n_distinct


cdef int64_t count_distinct(const real* values, int64_t n) noexcept nogil:
    """Count the distinct ones of sorted values."""
    cdef int64_t n_distinct = n > 0, i
    for i in range(1, n):
        n_distinct += values[i] != values[i - 1]
    return n_distinct


cdef inline void share_out(
    int64_t remaining, int64_t bins_left, int64_t* full, int64_t* alone
) noexcept nogil:
    """Set with how many values a bin is full, and how many equal ones fill one by themselves."""
    full[0] = (remaining + bins_left - 1) // bins_left if bins_left > 1 else INT64_MAX
    alone[0] = full[0] if bins_left > 2 else INT64_MAX


cdef int64_t close_bins(
    const real* values, int64_t n, int64_t n_distinct, int64_t max_bins,
    int64_t* ends,      # out: the last place of each bin
) noexcept nogil:
    """Share out sorted values among bins; return the number of bins."""
    cdef int64_t start = 0, end = 0, next_end, count = 0, remaining = n, n_closed = 0
    cdef int64_t groups_left = n_distinct, bins_left = min(max_bins, n_distinct)
    cdef int64_t full = 0, alone = 0
    if n > 0:
        share_out(n, bins_left, &full, &alone)
        while end < n and values[end] == values[0]:
            end += 1
    while start < n:
        next_end = end
        while next_end < n and values[next_end] == values[end]:
            next_end += 1
        count += end - start
        groups_left -= 1
        # A bin is full with its share of what remains; before a value that fills a bin by
        # itself it is closed early; and every value gets its own where there are enough.
        if count >= full or next_end - end >= alone or groups_left < bins_left:
            ends[n_closed] = end - 1
            n_closed += 1
            bins_left -= 1
            remaining -= count
            count = 0
            if bins_left > 0:
                share_out(remaining, bins_left, &full, &alone)
        start = end
        end = next_end
    return n_closed


def encode(
    X,
    edges,
    const int64_t[::1] edge_starts,
    const int64_t[::1] bin_starts,
    size_t codes,
    int code_bytes,
    int64_t row_stride,
    int64_t column_stride,
    lowest,
    highest,
    int64_t[:, ::1] n_missing,
):
    """Write the codes of a table.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        float32 or float64, any strides.
    edges : ndarray
        Of the dtype of X; per feature a power of two of edges, padded with infinity.
    edge_starts, bin_starts : memoryview of shape (n_features + 1,)
        Where the features' edges and bins start.
    codes : int
        Address of the code of the first row and feature.
    code_bytes : int
        1 or 2.
    row_stride, column_stride : int
        Distance of the codes of two rows and of two features, in bytes.
    lowest, highest : ndarray of shape (n_threads, bin_starts[-1]) or None
        Of the dtype of X; in, out: the lowest and highest value of each bin.
    n_missing : memoryview of shape (n_threads, n_features)
        In, out; its length is the most threads.
    """
    cdef int n_threads = n_threads_now(<int> n_missing.shape[0]), thread
    cdef int64_t due
    cdef int64_t n_rows = X.shape[0], n_features = X.shape[1]
    cdef int64_t n_blocks = (n_rows + ROWS_PER_BLOCK - 1) // ROWS_PER_BLOCK, block
    cdef int is_double = X.dtype == np.float64
    cdef int64_t value_bytes = 8 if is_double else 4
    cdef int64_t value_row_stride = X.strides[0], value_column_stride = X.strides[1]
    cdef const char* values = <const char*> address_of(X)
    cdef const char* edge_data = <const char*> address_of(edges)
    cdef char* low = NULL
    cdef char* high = NULL
    cdef int64_t n_bins = bin_starts[n_features]
    # An array: a variable that a parallel loop sets is each thread's own.
    cdef bint[1] is_stopped
    cdef double last_poll = 0.0
    is_stopped[0] = False
    if lowest is not None:
        low = <char*> address_of(lowest)
        high = <char*> address_of(highest)
    if n_threads == 1:
        with nogil:
            for block in range(n_blocks):
                encode_block(
                    values, value_row_stride, value_column_stride, value_bytes, n_rows,
                    n_features, block, edge_data, &edge_starts[0], &bin_starts[0],
                    <char*> codes, code_bytes, row_stride, column_stride, low, high,
                    &n_missing[0, 0],
                )
                if must_stop(&last_poll):
                    is_stopped[0] = True
                    break
    else:
        # Handed out one by one, so that a thread whose core is taken is not waited for.
        due = begin_region(n_threads)
        with nogil, parallel(num_threads=n_threads):
            begin_share(due)
            for block in prange(n_blocks, schedule="dynamic", chunksize=1):
                if not is_stopped[0]:
                    thread = threadid()
                    encode_block(
                        values, value_row_stride, value_column_stride, value_bytes, n_rows,
                        n_features, block, edge_data, &edge_starts[0], &bin_starts[0],
                        <char*> codes, code_bytes, row_stride, column_stride,
                        NULL if low == NULL else low + thread * n_bins * value_bytes,
                        NULL if low == NULL else high + thread * n_bins * value_bytes,
                        &n_missing[thread, 0],
                    )
                    if thread == 0 and must_stop(&last_poll):
                        is_stopped[0] = True
    if is_stopped[0]:
        raise_pending()


cdef void encode_block(
    const char* values,
    int64_t value_row_stride,
    int64_t value_column_stride,
    int64_t value_bytes,
    int64_t n_rows,
    int64_t n_features,
    int64_t block,
    const char* edges,
    const int64_t* edge_starts,
    const int64_t* bin_starts,
    char* codes,
    int code_bytes,
    int64_t row_stride,
    int64_t column_stride,
    char* lowest,           # of this thread, or NULL
    char* highest,
    int64_t* n_missing,     # of this thread
) noexcept nogil:
    """Encode all columns of a block of rows."""
    cdef int64_t first = block * ROWS_PER_BLOCK
    cdef int64_t n = min(n_rows - first, <int64_t> ROWS_PER_BLOCK), f
    begin_share(0)
    for f in range(n_features):
        n_missing[f] += tl_encode(
            value_bytes == 8, code_bytes,
            values + first * value_row_stride + f * value_column_stride, value_row_stride, n,
            edges + edge_starts[f] * value_bytes, <uint32_t> (edge_starts[f + 1] - edge_starts[f]),
            <uint32_t> (bin_starts[f + 1] - bin_starts[f]),
            codes + first * row_stride + f * column_stride, row_stride,
            NULL if lowest == NULL else lowest + bin_starts[f] * value_bytes,
            NULL if lowest == NULL else highest + bin_starts[f] * value_bytes,
        )
    end_share()
