"""Binned training samples as growth reads them."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from .._node cimport Buffers
from .._types cimport Search

# Forms of a histogram, see native/histogram.h.
cdef enum Layout:
    PAIRS
    CLASSES
    WIDE

cdef struct BinTable:
    uint8_t* records[2]         # the two buffers between which records go back and forth
    int64_t record_bytes
    int code_bytes
    bint has_class              # the class stands behind the codes
    bint moves_samples          # growth reads samples: their weights or targets
    int32_t n_features
    const int32_t* n_bins
    const uint8_t* has_missing  # per feature
    const int64_t* bin_starts   # of the features in the next two
    const double* lowest        # value of each bin
    const double* highest
    Layout layout
    bint is_gini_pairs          # the faster search of native/pairs.h serves
    bint sums_targets           # cells of native/cells.h: samples and sum of one target
    bint has_few_codes          # small nodes are sorted feature beside feature
    bint misses_any             # whether any feature has missing values
    const int32_t* cell_starts  # of the features, in cells
    int64_t n_cells
    int64_t cell_bytes
    int32_t n_stats_kept        # words of the statistics vector in a wide cell
    int64_t sort_limit          # nodes of at most so many samples are sorted, not counted
    int64_t keep_limit          # best first: smaller nodes keep no histogram

cdef inline int64_t histogram_bytes(const BinTable* table) noexcept nogil:
    return table.n_cells * table.cell_bytes


cdef inline const uint8_t* records_of(
    const BinTable* table, int buffer, int64_t start
) noexcept nogil:
    return table.records[buffer] + start * table.record_bytes

cdef void fill_histogram(
    const Search* search, const BinTable* table, const uint8_t* records, const int32_t* samples,
    int64_t n, void* cells,
) noexcept nogil
cdef int fill_shared_histogram(
    const Search* search, const BinTable* table, const uint8_t* records, const int32_t* samples,
    int64_t n, void* cells, int n_threads,
) noexcept nogil
cdef void subtract_histogram(
    const BinTable* table, void* whole, const void* part
) noexcept nogil
