"""Which bins of a node may hold its best cut, and which samples lie in them."""

from libc.math cimport log2
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .._node cimport Buffers
from .._types cimport *
from .._workspace cimport Workspace, tl_terms
from ._bin_table cimport PAIRS, BinTable, records_of

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI

cdef extern from "native/bounds.h" nogil:
    void tl_bound_pairs(
        const uint64_t* cells, int n_bins, double n, double ones, double* n_before,
        double* ones_before, double* edge, double* bound,
    )
    void tl_bound_pairs_terms(
        const uint64_t* cells, int n_bins, int64_t n, int64_t ones, const tl_terms* terms,
        double* n_before, double* ones_before, double* edge, double* bound,
    )
    void tl_bound_classes(
        const uint32_t* cells, int n_bins, int n_classes, const int64_t* totals,
        int64_t n_samples, int64_t* sums, double* n_before, double* edge, double* bound,
    )
    double tl_best_edge(
        const double* n_before, const double* edge, int n_bins, double lowest, double highest
    )

cdef extern from "native/inside.h" nogil:
    void tl_collect(
        const uint8_t* record, int64_t n, int64_t record_bytes, int feature, int label_at,
        int class_shift, const int32_t* samples, int32_t* next, uint32_t* found,
    )

cdef enum:
    # Records whose bins are looked up together, feature after feature: they stay in the
    # first-level cache.
    ROWS_PER_BLOCK = 512


cdef bint serves_bounds(const Search* search) noexcept nogil:
    """Return whether the bounds hold for a search."""
    return search.is_concave and (
        search.scan == SCAN_BINARY
        or search.scan == SCAN_BINARY_TERMS
        or search.scan == SCAN_CLASSES
    )


cdef int open_bounds(const BinTable* table, Bounds* bounds) noexcept nogil:
    """Take memory for the bounds of a node; return -1 where there is none."""
    cdef int64_t n = table.n_cells + table.n_features
    cdef int32_t n_features = table.n_features
    cdef char* block = <char*> malloc(
        n * (4 * sizeof(double) + sizeof(int32_t) + sizeof(uint8_t))
        + n_features
        * (sizeof(double) + 2 * sizeof(int64_t) + sizeof(int32_t) + sizeof(uint8_t))
    )
    bounds.n_before = <double*> block
    if block == NULL:
        return -1
    bounds.edge = bounds.n_before + n
    bounds.bound = bounds.edge + n
    bounds.scratch = bounds.bound + n
    bounds.best_edge = bounds.scratch + n
    bounds.n_alive = <int64_t*> (bounds.best_edge + n_features)
    bounds.largest = bounds.n_alive + n_features
    bounds.next = <int32_t*> (bounds.largest + n_features)
    bounds.order = bounds.next + n
    bounds.fate = <uint8_t*> (bounds.order + n_features)
    bounds.is_scanned = bounds.fate + n
    memset(bounds.is_scanned, 0, n_features)
    return 0


cdef void close_bounds(Bounds* bounds) noexcept nogil:
    free(bounds.n_before)


cdef void bound_feature(
    const Search* search,
    const Node* node,
    const BinTable* table,
    int32_t feature,
    const Workspace* work,
    Bounds* bounds,     # out
) noexcept nogil:
    """Score the cuts between the bins of a feature, and bound those inside."""
    cdef int64_t first = first_of(table, feature)
    cdef int n_bins = table.n_bins[feature]
    cdef int64_t cell = table.cell_starts[feature]
    cdef const uint64_t* pairs = <const uint64_t*> node.histogram + cell
    if table.layout != PAIRS:
        tl_bound_classes(
            <const uint32_t*> node.histogram + cell * search.targets.n_stats, n_bins,
            search.targets.n_stats, node.stats, node.n_samples, work.left,
            bounds.n_before + first, bounds.edge + first, bounds.bound + first,
        )
    elif search.rules.formula == TL_GINI:
        tl_bound_pairs(
            pairs, n_bins, <double> node.n_samples, <double> node.stats[1],
            bounds.n_before + first, bounds.scratch + first, bounds.edge + first,
            bounds.bound + first,
        )
    else:
        tl_bound_pairs_terms(
            pairs, n_bins, node.n_samples, node.stats[1], &work.terms, bounds.n_before + first,
            bounds.scratch + first, bounds.edge + first, bounds.bound + first,
        )
    bounds.best_edge[feature] = tl_best_edge(
        bounds.n_before + first, bounds.edge + first, n_bins, <double> work.bounds.lowest,
        <double> work.bounds.highest,
    )


cdef void mark_bins(
    const BoundedTable* bounded,
    int32_t feature,
    const Workspace* work,
    Bounds* bounds,             # in, out: fate, n_alive, largest
) noexcept nogil:
    """Decide which bins of a feature are looked into."""
    cdef const BinTable* table = &bounded.base
    cdef int64_t first = first_of(table, feature), n_alive = 0, n_here, place
    cdef const uint8_t* is_single = bounded.is_single + table.bin_starts[feature]
    cdef int32_t bin
    cdef bint is_near, any_near = False
    bounds.largest[feature] = 0
    for bin in range(table.n_bins[feature]):
        place = first + bin
        n_here = samples_of(bounds, place)
        is_near = (
            n_here > 0
            and bounds.bound[place] >= bounds.bar
            and bounds.n_before[place + 1] >= <double> work.bounds.lowest
            and bounds.n_before[place] <= <double> work.bounds.highest
        )
        any_near = any_near or is_near
        bounds.fate[place] = EMPTY if n_here == 0 else DEAD
        bounds.next[place] = -1
        if n_here > 1 and is_single[bin]:
            bounds.fate[place] = SOLID
        elif is_near:
            bounds.fate[place] = ALIVE
            bounds.largest[feature] = max(bounds.largest[feature], n_here)
            n_alive += n_here
    bounds.n_alive[feature] = n_alive if any_near else -1


cdef double share_alive(
    const BoundedTable* bounded, const Node* node, const Workspace* work, Bounds* bounds
) noexcept nogil:
    """Share of the node's cells that lie in bins that are alive."""
    cdef double n_alive = 0.0
    cdef int32_t feature
    for feature in range(bounded.base.n_features):
        mark_bins(bounded, feature, work, bounds)
        n_alive += <double> max(<int64_t> 0, bounds.n_alive[feature])
    return n_alive / (<double> node.n_samples * bounded.base.n_features)


cdef double most_alive(
    const Search* search, const Buffers* buffers, const Node* node
) noexcept nogil:
    """Share above which the node's subtree is sooner grown on lists.

    Sorting a cell costs as much as looking into ten to twenty bins; lists need it once, bins in
    every level until a node is small.
    """
    cdef double n_levels = max(1.0, log2(<double> node.n_samples / buffers.most_entered))
    cdef double n_left = search.rules.max_depth - node.depth
    if n_left <= n_levels:
        return 0.8 / n_left
    return 0.3 / n_levels


cdef void sum_lower_bins(
    const Search* search,
    const Node* node,
    const BinTable* table,
    int32_t feature,
    int32_t bin,
    int64_t* stats,         # out
) noexcept nogil:
    """Sum the classes of the samples whose code is below a bin."""
    cdef int64_t cell = table.cell_starts[feature]
    cdef int32_t n_classes = search.targets.n_stats, i, c
    cdef const uint64_t* pairs = <const uint64_t*> node.histogram + cell
    cdef const uint32_t* classes = <const uint32_t*> node.histogram + cell * n_classes
    cdef uint64_t sum = 0
    memset(stats, 0, n_classes * sizeof(int64_t))
    if table.layout == PAIRS:
        for i in range(bin):
            sum += pairs[i]
        stats[1] = <int64_t> (sum >> 32)
        stats[0] = <int64_t> (<uint32_t> sum) - stats[1]
        return
    for i in range(bin):
        for c in range(n_classes):
            stats[c] += classes[i * n_classes + c]


cdef void collect(
    const Search* search,
    const Buffers* buffers,
    const Node* node,
    int32_t first_feature,
    int32_t end_feature,
    const Bounds* bounds,
    uint32_t* found,        # out
) noexcept nogil:
    """Write down the samples in the bins of some features that are alive."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef const uint8_t* records
    cdef int64_t begin = 0, length, place
    cdef int32_t feature, bin, at = 0
    for feature in range(first_feature, end_feature):
        if bounds.n_alive[feature] > 0:
            place = first_of(table, feature)
            for bin in range(table.n_bins[feature]):
                if bounds.fate[place + bin] == ALIVE:
                    bounds.next[place + bin] = at
                    at += <int32_t> samples_of(bounds, place + bin)
    while begin < node.n_samples:
        length = min(node.n_samples - begin, <int64_t> ROWS_PER_BLOCK)
        records = records_of(table, node.buffer, node.start + begin)
        for feature in range(first_feature, end_feature):
            if bounds.n_alive[feature] > 0:
                tl_collect(
                    records, length, table.record_bytes, feature, table.n_features,
                    search.class_shift, buffers.samples[node.buffer] + node.start + begin,
                    bounds.next + first_of(table, feature), found,
                )
        begin += length
