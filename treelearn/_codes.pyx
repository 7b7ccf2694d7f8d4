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

# Widest columns that become bits. At 16 values 15 bits take the place of a histogram; letter,
# whose 16 columns have 16 values each, then fits into one row of 256 (measurements.md, part 2).
MOST_NARROW = 16
MOST_BITS = 256
MOST_CODES = TL_MOST_CODES


cdef void* address_of(array) except? NULL:
    """Where the elements of an array start; the array must outlive the pointer."""
    return <void*> <size_t> array.__array_interface__["data"][0]


def _bits_of_codes(n_cuts):
    """Return the bits of every code of a column with so many cuts: from the code up."""
    field = (1 << n_cuts) - 1
    return [field & ~((1 << code) - 1) for code in range(n_cuts + 1)]


BITS_OF_CODES = [_bits_of_codes(n_cuts) for n_cuts in range(MOST_NARROW)]
NO_FEATURE = 2**31 - 1  # of a bit that is left free


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
        with np.errstate(invalid="ignore", over="ignore"):
            is_whole = ((flags & 1) == 0) & (highest - lowest < TL_MOST_CODES - 1)
            # Whole numbers are told apart by their distance where that is exact.
            is_whole &= np.maximum(np.abs(lowest), np.abs(highest)) < 2**23
        missing = (flags & 2) != 0
        is_whole &= highest >= lowest
        n_values = np.zeros(self.n_features, dtype=np.int32)
        n_values[is_whole] = (highest[is_whole] - lowest[is_whole]).astype(np.int32) + 1
        ranked = np.flatnonzero(~is_whole).astype(np.int32)
        self._rank(X, ranked, n_values, most_codes, n_threads)
        lowest = lowest.copy()
        lowest[ranked] = np.nan
        self._lay_out(n_values, missing, by_row)
        self._encode(X, lowest, n_values, missing, ranked, n_threads, by_row)

    @property
    def widest(self):
        """Number of codes of the widest column."""
        return int(self.arrays["n_codes"].max(initial=1))

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

    def _rank(self, X, ranked, n_values, int64_t most_codes, int n_threads):
        """Rank the values of the columns that are no whole numbers of a small range."""
        cdef int64_t n = self.table.n_samples, n_features = self.n_features, k
        cdef int32_t n_ranked = len(ranked)
        ranks = np.empty((n_ranked, n), dtype=np.uint16)
        # A column has no more values than samples: of wide tables of few rows that is far less.
        cdef int64_t room = max(1, min(n, most_codes))
        distinct = np.empty((n_ranked, room))
        found = np.zeros(n_ranked, dtype=np.int32)
        cdef const int32_t[::1] features = ranked
        cdef uint16_t[:, ::1] ranks_view = ranks
        cdef double[:, ::1] distinct_view = distinct
        cdef int32_t[::1] found_view = found
        cdef bint is_double = X.dtype == np.float64
        cdef const char* values = <const char*> address_of(X)
        cdef const int32_t* order = <const int32_t*> address_of(self.arrays["order"])
        cdef int size = X.itemsize
        cdef int64_t due
        cdef uint64_t[:, ::1] scratch
        if n_ranked > 0 and n > 0:
            n_threads = min(n_threads_now(n_threads), n_ranked)
            scratch = np.empty((n_threads, tl_rank_bytes(room) // 8 + 1), dtype=np.uint64)
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
        n_values[ranked] = found
        first_value = np.full(self.n_features, -1, dtype=np.int64)
        first_value[ranked] = np.arange(n_ranked) * room
        self.arrays.update(ranks=ranks, values=distinct, first_value=first_value)
        self.table.first_value = <const int64_t*> address_of(first_value)
        self.table.values = <const double*> address_of(distinct)

    def _lay_out(self, n_values, missing, bint by_row):
        """Choose which features become bits and which are stored as columns."""
        features, words, starts, codes, bit_features, runs = [], [], [], [], [], []
        bit_field = np.zeros(self.n_features, dtype=np.uint64)
        narrow_words = []
        used = 0
        run = None
        is_narrow = (n_values > 1) & (n_values <= MOST_NARROW) & ~missing & (not by_row)
        n_cuts_of = (n_values - 1).tolist()
        for feature in np.flatnonzero(is_narrow).tolist():
            n_cuts = n_cuts_of[feature]
            if used % 64 + n_cuts > 64:
                used += 64 - used % 64
            if used + n_cuts > MOST_BITS:
                break
            bit_features += [NO_FEATURE] * (used - len(codes))
            codes += [0] * (used - len(codes))
            bit_features += [feature] * n_cuts
            codes += range(n_cuts)
            word, shift = divmod(used, 64)
            bit_field[feature] = ((1 << n_cuts) - 1) << shift
            used += n_cuts
            if n_cuts == 1:
                if run is not None and (run[0] + run[1], run[2], run[3] + run[1]) == (
                    feature, word, shift
                ):
                    run[1] += 1
                else:
                    run = [feature, 1, word, shift]
                    runs.append(run)
                continue
            features.append(feature)
            words.append(word)
            starts.append(len(narrow_words))
            narrow_words += [bits << shift for bits in BITS_OF_CODES[n_cuts]]
        n_words = (used + 63) // 64
        n_words = 4 if n_words == 3 else n_words
        is_stored = by_row | (n_values + missing > 1) & (bit_field == 0)
        stored = np.flatnonzero(is_stored).astype(np.int32)
        column_of = np.full(self.n_features, -1, dtype=np.int32)
        column_of[stored] = np.arange(len(stored))
        n_codes = (n_values + missing)[stored].astype(np.int32)
        n_chunks = (len(stored) + 15) // 16
        chunk_bits = np.zeros(n_chunks, dtype=np.int32)
        chunk_missing = np.zeros(n_chunks, dtype=np.uint32)
        for chunk in range(n_chunks):
            part = slice(16 * chunk, 16 * chunk + 16)
            chunk_bits[chunk] = int(n_codes[part].max() - 1).bit_length()
            lanes = np.flatnonzero(missing[stored[part]])
            chunk_missing[chunk] = sum(1 << int(lane) for lane in lanes)
        self.arrays.update(
            bit_feature=np.array(bit_features, dtype=np.int32),
            bit_code=np.array(codes, dtype=np.int32),
            bit_field=bit_field,
            narrow=np.array(features, dtype=np.int32),
            word_start=np.searchsorted(words, np.arange(5)).astype(np.int32),
            runs=np.array(runs, dtype=np.int32).reshape(-1, 4),
            is_wide=(n_codes > 256).astype(np.uint8),
            narrow_start=np.array(starts, dtype=np.int32),
            narrow_words=np.array(narrow_words, dtype=np.uint64),
            stored=stored,
            column_of=column_of,
            n_codes=n_codes,
            has_missing=missing[stored].astype(np.uint8),
            chunk_bits=chunk_bits,
            chunk_missing=chunk_missing,
        )
        arrays = self.arrays
        self.table.n_stored = len(stored)
        self.table.row_stride = 16 * n_chunks
        self.table.bits.n_words = n_words
        self.table.bits.n_bits = len(codes)
        self.table.bits.feature = <const int32_t*> address_of(arrays["bit_feature"])
        self.table.bits.code = <const int32_t*> address_of(arrays["bit_code"])
        self.table.bit_field = <const uint64_t*> address_of(bit_field)
        self.table.feature = <const int32_t*> address_of(stored)
        self.table.column_of = <const int32_t*> address_of(column_of)
        self.table.n_codes = <const int32_t*> address_of(n_codes)
        self.table.has_missing = <const uint8_t*> address_of(arrays["has_missing"])
        self.table.chunk_bits = <const int32_t*> address_of(chunk_bits)
        self.table.chunk_missing = <const uint32_t*> address_of(chunk_missing)

    def _encode(self, X, lowest, n_values, missing, ranked, int n_threads, bint by_row):
        """Write the codes of all rows."""
        cdef TlEncoder encoder
        cdef CodeTable* table = &self.table
        cdef int64_t n = table.n_samples, n_tiles = (n + TL_TILE - 1) // TL_TILE
        cdef int64_t per_part, part, n_parts, due
        cdef int level = tl_simd_level()
        cdef bint is_double = X.dtype == np.float64
        arrays = self.arrays
        with_missing = np.flatnonzero(missing).astype(np.int32)
        missing_codes = n_values[with_missing].astype(np.uint16)
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
        encoder.n_ranked = len(ranked)
        encoder.ranked = <const int32_t*> address_of(ranked)
        encoder.ranks = <const uint16_t*> address_of(arrays["ranks"])
        encoder.rank_stride = n
        encoder.n_with_missing = len(with_missing)
        encoder.with_missing = <const int32_t*> address_of(with_missing)
        encoder.missing_codes = <const uint16_t*> address_of(missing_codes)
        encoder.n_narrow = len(arrays["narrow"])
        encoder.narrow = <const int32_t*> address_of(arrays["narrow"])
        encoder.word_start = <const int32_t*> address_of(arrays["word_start"])
        encoder.n_runs = len(arrays["runs"])
        encoder.runs = <const int32_t*> address_of(arrays["runs"])
        encoder.is_wide = <const uint8_t*> address_of(arrays["is_wide"])
        encoder.narrow_start = <const int32_t*> address_of(arrays["narrow_start"])
        encoder.words = <const uint64_t*> address_of(arrays["narrow_words"])
        encoder.n_words = table.bits.n_words
        encoder.bits = <uint64_t*> address_of(bits)
        encoder.n_stored = table.n_stored
        encoder.stored = <const int32_t*> address_of(arrays["stored"])
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
