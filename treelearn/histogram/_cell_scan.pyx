"""The best cut of a feature's cells by one kernel: Gini of two classes, and squared error.

Features with missing values, and all other criteria, are for ``_histogram_scan.pyx``.
"""

from libc.math cimport INFINITY, nextafter

from .._splitter cimport needs_double, threshold_between
from .._types cimport *
from ._bin_table cimport BinTable

cdef extern from "native/pairs.h" nogil:
    int tl_best_of_pairs(
        const uint64_t* cells, int n_cells, int64_t n_samples, int64_t ones, int64_t fewest,
        double* score, int64_t* n_left_of_cut,
    )

cdef extern from "native/cells.h" nogil:
    ctypedef struct tl_cell_node:
        int64_t n_samples
        int64_t total
        int64_t lowest
    bint tl_cells_vary(const int64_t* cells, int n_cells, int64_t n_samples)
    int tl_best_of_cells(
        int simd, const int64_t* cells, int n_cells, const tl_cell_node* node, double* score,
        int64_t* n_left_of_cut,
    )


cdef void place_cut(
    const Search* search,
    const Node* node,
    const BinTable* table,
    int64_t bin,
    int64_t next_bin,       # the first bin on the right that holds samples; -1: none
    int64_t n_missing,
    Split* split,           # in: feature, samples below the cut; out
) noexcept nogil:
    """Write down a cut: its bin, its threshold, and where unseen missing values go."""
    cdef int64_t values = table.bin_starts[split.feature]
    cdef double low, high
    split.bin = <int32_t> bin
    split.default_goes_left = False
    if next_bin < 0:
        split.threshold = INFINITY  # all values left, missing ones right: nan <= inf is false
        split.needs_double = False
    else:
        low = table.highest[values + bin]
        high = table.lowest[values + next_bin]
        split.threshold = threshold_between(low, high)
        split.needs_double = needs_double(low, split.threshold, high)
    if n_missing == 0:
        # What a node never saw goes where more samples go.
        split.missing_goes_left = 2 * <int64_t> split.n_stored_left > node.n_samples


cdef inline double score_to_beat(const Split* best, int32_t feature) noexcept nogil:
    """Return what a cut of a feature must be better than, by more than nothing."""
    if best.feature > feature:
        # Drawn features come in any order: an equal score of a lower one wins.
        return nextafter(best.score, -INFINITY)
    return best.score


cdef void keep_cut(
    const Search* search,
    const Node* node,
    const BinTable* table,
    int32_t feature,        # without missing values
    double score,
    int32_t n_left,
    int64_t bin,
    int64_t next_bin,
    Split* best,            # out
) noexcept nogil:
    """Make a cut the best one."""
    best.feature = feature
    best.score = score
    best.tie_score = 0.0
    best.n_stored_left = n_left
    best.missing_goes_left = False
    place_cut(search, node, table, bin, next_bin, 0, best)


cdef bint scan_pairs(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const void* cells,
    int32_t feature,
    Split* best,        # in, out
) noexcept nogil:
    """Search one feature without missing values under Gini; return False for a constant one."""
    cdef const uint64_t* column = <const uint64_t*> cells + table.cell_starts[feature]
    cdef double score = score_to_beat(best, feature)
    cdef int64_t n_left = 0
    cdef int next_bin, bin
    bin = tl_best_of_pairs(
        column, table.n_bins[feature], node.n_samples, node.stats[1],
        max(search.rules.min_samples_leaf, search.rules.min_weight_leaf), &score, &n_left,
    )
    if bin < 0:
        return bin == -1
    next_bin = bin + 1
    while column[next_bin] == 0:
        next_bin += 1
    keep_cut(search, node, table, feature, score, <int32_t> n_left, bin, next_bin, best)
    return True


cdef bint scan_sums(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const void* cells,
    int32_t feature,
    Split* best,        # in, out
) noexcept nogil:
    """Search one feature without missing values by squared error; return as above."""
    cdef const int64_t* column = (<const int64_t*> cells) + 2 * table.cell_starts[feature]
    cdef int n_bins = table.n_bins[feature]
    cdef double score = score_to_beat(best, feature)
    cdef int64_t n_left = 0
    cdef tl_cell_node bounds
    cdef int bin, next_bin
    if not tl_cells_vary(column, n_bins, node.n_samples):
        return False
    bounds.n_samples = node.n_samples
    bounds.total = node.stats[0]
    bounds.lowest = max(
        <int64_t> 1, max(search.rules.min_samples_leaf, search.rules.min_weight_leaf)
    )
    bin = tl_best_of_cells(search.simd, column, n_bins, &bounds, &score, &n_left)
    if bin < 0:
        return True
    next_bin = bin + 1
    while column[2 * next_bin] == 0:
        next_bin += 1
    keep_cut(search, node, table, feature, score, <int32_t> n_left, bin, next_bin, best)
    return True
