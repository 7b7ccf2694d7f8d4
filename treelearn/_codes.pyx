"""Integer codes in place of values: the form of the training samples for real tables.

The code of a value is its distance from the lowest value, where a column holds whole numbers of
a range below 65,535, and its rank among the distinct values of the column elsewhere; codes order
as the values do. What is missing has the highest code. Samples are numbered by class, so that
in every node, kept in order, each class is one run and needs no labels.

Columns of at most `MOST_NARROW` values become bits, one for every possible cut, while there are
no more than 256 of them (native/codes_bits.h); the others are kept by column and by row.
"""

from cython.parallel cimport parallel, prange, threadid

import numpy as np

from ._address cimport address_of
from ._code_layout cimport CodeLayout
from ._crowd cimport begin_region, begin_share, end_share, n_threads_now
from ._types cimport *

cdef extern from "native/simd.h" nogil:
    int tl_simd_level()

cdef extern from "native/codes_columns.h" nogil:
    const int TL_TILE, TL_MOST_CODES
    ctypedef struct TlEncoder:
        const void* values
        int64_t n_rows
        int64_t n_features
        const int32_t* order
        const void* lowest
        int32_t n_ranked
        const int32_t* ranked
        const uint16_t* ranks
        int64_t rank_stride
        int32_t n_with_missing
        const int32_t* with_missing
        const uint16_t* missing_codes
        int32_t n_narrow
        const int32_t* narrow
        const int32_t* narrow_start
        const uint64_t* words
        const int32_t* word_start
        int32_t n_runs
        const int32_t* runs
        int32_t n_words
        uint64_t* bits
        int32_t n_stored
        const int32_t* stored
        int32_t row_stride
        uint16_t* rows
        int64_t column_stride
        const uint8_t* is_wide
        uint16_t* columns
    int tl_ranges_float(int, const float*, int64_t, int64_t, float*, float*, uint8_t*)
    int tl_ranges_double(int, const double*, int64_t, int64_t, double*, double*, uint8_t*)
    void tl_encode(int, int, const TlEncoder*, int64_t, int64_t, uint16_t*)
    int64_t tl_rank_bytes(int64_t)
    int32_t tl_rank_column(
        int, const void*, int64_t, const int32_t*, int64_t, int64_t, void*, uint16_t*, double*
    )

MOST_CODES = TL_MOST_CODES


def column_ranges(X):
    """Return the range of every column, and what its values are.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        float32 or float64, C order.

    Returns
    -------
    lowest, highest : ndarray of shape (n_features,)
        In the type of X; infinite the wrong way round where a column has no value.
    flags : ndarray of shape (n_features,) of uint8
        1: some values are no whole numbers; 2: values are missing.

    Raises
    ------
    MemoryError
        If there is no memory for the ranges.
    """
    lowest = np.empty(X.shape[1], dtype=X.dtype)
    highest = np.empty(X.shape[1], dtype=X.dtype)
    flags = np.empty(X.shape[1], dtype=np.uint8)
    cdef int64_t n_rows = X.shape[0], n_features = X.shape[1]
    cdef const void* values = address_of(X)
    cdef void* low = address_of(lowest)
    cdef void* high = address_of(highest)
    cdef uint8_t* flag = <uint8_t*> address_of(flags)
    cdef int level = tl_simd_level(), status
    cdef bint is_double = X.dtype == np.float64
    with nogil:
        if is_double:
            status = tl_ranges_double(
                level, <const double*> values, n_rows, n_features, <double*> low, <double*> high,
                flag,
            )
        else:
            status = tl_ranges_float(
                level, <const float*> values, n_rows, n_features, <float*> low, <float*> high,
                flag,
            )
    if status != 0:
        raise MemoryError(f"Unable to allocate {64 * X.shape[1]} bytes for ranges of columns.")
    return lowest, highest, flags


cdef class CodeSet:
    """Samples of one table as codes.

    Parameters
    ----------
    X : ndarray of shape (n_total, n_features)
        float32 or float64, C order; NaN is a missing value.
    labels : ndarray of shape (n_total,) of int32
        Classes from 0.
    n_classes : int
        Number of classes.
    rows : ndarray of shape (n_samples,) of int32 or None
        The rows that are samples, all of them if None.
    ranges : tuple of ndarray
        What `column_ranges` returns for X.
    n_threads : int
        Threads that encode.
    most_codes : int, default=MOST_CODES
        Most distinct values of a column that is ranked.
    by_row : bool, default=False
        Whether codes are stored by row alone, those of every feature.

    Raises
    ------
    OverflowError
        If a column has more distinct values than there are codes.
    MemoryError
        If the codes do not fit.
    """

    def __init__(
        self, X, labels, int n_classes, rows, ranges, int n_threads,
        int64_t most_codes=TL_MOST_CODES, bint by_row=False,
    ):
        self.arrays = {"X": X}
        self.n_features = X.shape[1]
        self._order_by_class(labels, n_classes, rows)
        lowest, highest, flags = ranges
        self.layout = CodeLayout(lowest.astype(np.float64), highest.astype(np.float64), flags)
        lowest = self._rank(X, lowest, most_codes, n_threads)
        self.layout.lay_out(by_row)
        self._point_at_layout()
        self._encode(X, lowest, n_threads, by_row)

    @property
    def widest(self):
        """Number of codes of the widest column."""
        return int(self.n_codes.max(initial=1))

    @property
    def n_codes(self):
        """Number of codes of every stored column."""
        cdef int32_t n = self.table.n_stored
        if n == 0:
            return np.zeros(0, dtype=np.int32)
        return np.array(<const int32_t[:n]> self.layout.n_codes)

    def _order_by_class(self, labels, int n_classes, rows):
        """Number the samples by class, within a class in their old order."""
        cdef const int32_t[::1] label = labels
        cdef const int32_t[::1] row
        cdef int64_t n = len(labels) if rows is None else len(rows), i, sample
        order = np.empty(n, dtype=np.int32)
        counts = np.zeros(n_classes + 1, dtype=np.int32)
        cdef int32_t[::1] place = order
        cdef int32_t[::1] count = counts
        cdef bint is_all = rows is None
        if not is_all:
            row = rows
        with nogil:
            for i in range(n):
                sample = i if is_all else row[i]
                count[label[sample] + 1] += 1
        self.class_counts = counts[1:].copy()
        np.cumsum(counts, out=counts)
        with nogil:
            for i in range(n):
                sample = i if is_all else row[i]
                place[count[label[sample]]] = <int32_t> sample
                count[label[sample]] += 1
        self.arrays["order"] = order
        self.table.n_samples = <int32_t> n

    def _rank(self, X, lowest, int64_t most_codes, int n_threads):
        """Rank the values of the columns that are no whole numbers of a small range.

        Return the lowest value of the others, NaN for these.
        """
        cdef int64_t n = self.table.n_samples, n_features = self.n_features, k
        cdef int32_t n_ranked = self.layout.n_ranked
        ranks = np.empty((n_ranked, n), dtype=np.uint16)
        # A column has no more values than samples: of wide tables of few rows that is far less.
        cdef int64_t room = max(1, min(n, most_codes))
        distinct = np.empty((n_ranked, room))
        first_value = np.full(self.n_features, -1, dtype=np.int64)
        self.arrays.update(ranks=ranks, values=distinct, first_value=first_value)
        self.table.first_value = <const int64_t*> address_of(first_value)
        self.table.values = <const double*> address_of(distinct)
        if n_ranked == 0 or n == 0:
            return lowest
        found = np.zeros(n_ranked, dtype=np.int32)
        cdef const int32_t* features = self.layout.ranked
        cdef uint16_t[:, ::1] ranks_view = ranks
        cdef double[:, ::1] distinct_view = distinct
        cdef int32_t[::1] found_view = found
        cdef bint is_double = X.dtype == np.float64
        cdef const char* values = <const char*> address_of(X)
        cdef const int32_t* order = <const int32_t*> address_of(self.arrays["order"])
        cdef int size = X.itemsize
        cdef int64_t due
        n_threads = min(n_threads_now(n_threads), n_ranked)
        cdef uint64_t[:, ::1] scratch = np.empty(
            (n_threads, tl_rank_bytes(room) // 8 + 1), dtype=np.uint64
        )
        due = begin_region(n_threads)
        with nogil, parallel(num_threads=n_threads):
            begin_share(due)
            for k in prange(n_ranked, schedule="dynamic", chunksize=1):
                begin_share(0)
                found_view[k] = tl_rank_column(
                    is_double, values + features[k] * size, n_features, order, n, room,
                    &scratch[threadid(), 0], &ranks_view[k, 0], &distinct_view[k, 0],
                )
                end_share()
        if (found == -1).any():
            raise OverflowError("A column has more distinct values than there are codes.")
        lowest = lowest.copy()
        for k in range(n_ranked):
            self.layout.n_values[features[k]] = found_view[k]
            first_value[features[k]] = k * room
            lowest[features[k]] = np.nan
        return lowest

    cdef void _point_at_layout(self) noexcept:
        """Point the table at the layout."""
        cdef CodeTable* table = &self.table
        cdef CodeLayout layout = self.layout
        table.n_stored = layout.n_stored
        table.row_stride = 16 * layout.n_chunks
        table.bits.n_words = layout.n_words
        table.bits.n_bits = layout.n_bits
        table.bits.feature = layout.bit_feature
        table.bits.code = layout.bit_code
        table.bit_field = layout.bit_field
        table.feature = layout.stored
        table.column_of = layout.column_of
        table.n_codes = layout.n_codes
        table.has_missing = layout.has_missing
        table.chunk_bits = layout.chunk_bits
        table.chunk_missing = layout.chunk_missing

    def _encode(self, X, lowest, int n_threads, bint by_row):
        """Write the codes of all rows."""
        cdef TlEncoder encoder
        cdef CodeTable* table = &self.table
        cdef int64_t n = table.n_samples, n_tiles = (n + TL_TILE - 1) // TL_TILE
        cdef int64_t per_part, part, n_parts, due
        cdef int level = tl_simd_level()
        cdef bint is_double = X.dtype == np.float64
        cdef CodeLayout layout = self.layout
        arrays = self.arrays
        # Vector code reads whole vectors: room for one beyond the end.
        table.column_stride = n + 64
        n_columns = 0 if by_row else table.n_stored
        columns = np.empty(n_columns * table.column_stride + 64, dtype=np.uint16)
        rows = np.empty(n * table.row_stride + 64, dtype=np.uint16)
        bits = np.empty(n * table.bits.n_words + 8, dtype=np.uint64)
        lowest_values = lowest.astype(np.float64)
        arrays.update(columns=columns, rows=rows, bits=bits, lowest=lowest_values)
        table.columns = <uint16_t*> address_of(columns)
        table.rows = <const uint16_t*> address_of(rows)
        table.bits.rows = <const uint64_t*> address_of(bits)
        table.lowest = <const double*> address_of(lowest_values)
        encoder.values = address_of(X)
        encoder.n_rows = n
        encoder.n_features = self.n_features
        encoder.order = <const int32_t*> address_of(arrays["order"])
        encoder.lowest = address_of(lowest)
        encoder.n_ranked = layout.n_ranked
        encoder.ranked = layout.ranked
        encoder.ranks = <const uint16_t*> address_of(arrays["ranks"])
        encoder.rank_stride = n
        encoder.n_with_missing = layout.n_with_missing
        encoder.with_missing = layout.with_missing
        encoder.missing_codes = layout.missing_codes
        encoder.n_narrow = layout.n_narrow
        encoder.narrow = layout.narrow
        encoder.word_start = layout.word_start
        encoder.n_runs = layout.n_runs
        encoder.runs = layout.runs
        encoder.is_wide = layout.is_wide
        encoder.narrow_start = layout.narrow_start
        encoder.words = layout.words
        encoder.n_words = table.bits.n_words
        encoder.bits = <uint64_t*> address_of(bits)
        encoder.n_stored = table.n_stored
        encoder.stored = layout.stored
        encoder.row_stride = table.row_stride
        encoder.rows = <uint16_t*> address_of(rows)
        encoder.column_stride = table.column_stride
        encoder.columns = NULL if by_row else <uint16_t*> address_of(columns)
        n_threads = max(1, min(n_threads_now(n_threads), n_tiles))
        # Vector code reads 64 codes from any feature on.
        scratch = np.empty((n_threads, self.n_features + 64), dtype=np.uint16)
        cdef uint16_t[:, ::1] codes = scratch
        n_parts = min(n_tiles, 4 * n_threads) if n_threads > 1 else 1
        per_part = (n_tiles + n_parts - 1) // n_parts * TL_TILE
        if n_threads == 1:
            with nogil:
                tl_encode(level, is_double, &encoder, 0, n, &codes[0, 0])
            return
        due = begin_region(n_threads)
        with nogil, parallel(num_threads=n_threads):
            begin_share(due)
            for part in prange(n_parts, schedule="dynamic", chunksize=1):
                begin_share(0)
                tl_encode(
                    level, is_double, &encoder, part * per_part, min(n, (part + 1) * per_part),
                    &codes[threadid(), 0],
                )
                end_share()
