"""The best of all cuts of a large node, most of which its histogram rules out.

The cuts between bins are scored from the histogram; a cut inside a bin scores no more than the
best corner of the bin's box of class counts (native/bounds.h). Bins that reach less than the best
cut between bins are passed over; the samples of the others are collected, put in the order of their
values, and scanned by the kernels that scan sorted lists. So the winner, its score and its
threshold are those of the lists, to the bit:

- A bin is passed over only where its bound stays below the best score by more than all that
  rounding can do (``margin_of``); the same holds for a cut between bins, as its score is a corner
  of both neighbours.
- All other cuts are scored by the kernels of the lists, from the same whole counts. The kernels
  leave some cuts between samples of one class out, by what they see on both sides: neighbouring
  bins that are alive are scanned in one run, so that they see what they see in a list.
- A bin of one value that several samples of the node have needs no collecting, since no cut lies
  inside and none at its borders is ever left out.
- Equal scores are decided by the lowest feature, then by the lowest cut, in whatever order
  the cuts are looked at (``comes_first``).
"""

from libc.math cimport INFINITY, fabs, log2, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from cython.parallel cimport prange, threadid

from .._node cimport CHANGES_FORM, INTERRUPTED, MEMORY_RAN_OUT, Buffers
from .._runs cimport Cut, add_run, pass_run
from .._scan cimport prepare_node
from .._sorting cimport order_doubles, sample_in
from .._splitter cimport threshold_between
from .._types cimport *
from .._workspace cimport Workspace, is_stopped, scratch_of, tl_left, tl_terms
from ._bin_table cimport PAIRS, BinTable, records_of

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI

cdef extern from "native/inside.h" nogil:
    double tl_value_of(const tl_column* column, int64_t sample)
    void tl_collect(
        const uint8_t* record, int64_t n, int64_t record_bytes, int feature, int label_at,
        int class_shift, const int32_t* samples, int32_t* next, uint32_t* found,
    )
    void tl_order_bin(
        const tl_column* column, const uint32_t* found, uint32_t index_mask, int64_t n,
        uint64_t* pairs, uint64_t* spare,
    )

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

cdef enum:
    # Records whose bins are looked up together, feature after feature: they stay in the
    # first-level cache.
    ROWS_PER_BLOCK = 512
    FEWEST_SHARED = 32768   # samples below which sharing out costs more than it saves

# What is known of a bin in a node.
cdef enum Fate:
    EMPTY
    DEAD        # no cut inside or at its borders can win
    SOLID       # one value, of several samples
    ALIVE

# The bins of a node, feature after feature: n_bins + 1 numbers each, see native/bounds.h.
cdef struct Bounds:
    double* n_before
    double* edge
    double* bound
    double* scratch
    uint8_t* fate
    int32_t* next           # where the next sample of a bin is written; -1: nowhere
    double* best_edge       # per feature
    int64_t* n_alive        # per feature: samples in bins that are alive
    double bar              # what scores less cannot win


cdef tl_column column_of(const Search* search, int32_t feature) noexcept nogil:
    """Where the values of a feature lie."""
    cdef tl_column column
    column.start = search.values.dense + feature * search.values.column_stride
    column.stride = search.values.row_stride
    column.is_double = search.values.is_double
    return column


cdef bint serves_bounds(const Search* search) noexcept nogil:
    """Return whether the bounds hold for a search."""
    return search.is_concave and (
        search.scan == SCAN_BINARY
        or search.scan == SCAN_BINARY_TERMS
        or search.scan == SCAN_CLASSES
    )


cdef inline double margin_of(const Node* node, double score) noexcept nogil:
    """More than rounding can make of a score.

    A score is the sum of the terms of two sides, none larger than the node's: n ln n at most, and
    no larger than the score itself where all terms have one sign. Each is right to some 1e-15.
    """
    cdef double n = <double> node.n_samples
    return 1e-11 * fabs(score) + 1e-12 * n * log2(n)


cdef inline int64_t first_of(const BinTable* table, int32_t feature) noexcept nogil:
    """Place of a feature's first bin in the arrays of Bounds."""
    return table.cell_starts[feature] + feature


cdef int open_bounds(const BinTable* table, Bounds* bounds) noexcept nogil:
    """Take memory for the bounds of a node; return -1 where there is none."""
    cdef int64_t n = table.n_cells + table.n_features
    cdef int32_t n_features = table.n_features
    cdef char* block = <char*> malloc(
        n * (4 * sizeof(double) + sizeof(int32_t) + sizeof(uint8_t))
        + n_features * (sizeof(double) + sizeof(int64_t))
    )
    bounds.n_before = <double*> block
    if block == NULL:
        return -1
    bounds.edge = bounds.n_before + n
    bounds.bound = bounds.edge + n
    bounds.scratch = bounds.bound + n
    bounds.best_edge = bounds.scratch + n
    bounds.n_alive = <int64_t*> (bounds.best_edge + n_features)
    bounds.next = <int32_t*> (bounds.n_alive + n_features)
    bounds.fate = <uint8_t*> (bounds.next + n)
    return 0


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


cdef bint mark_bins(
    const BinTable* table,
    const uint8_t* is_single,   # per bin: whether it holds one value
    int32_t feature,
    const Workspace* work,
    Bounds* bounds,             # in, out: fate, n_alive
) noexcept nogil:
    """Decide which bins of a feature are looked into; return whether any cut may win."""
    cdef int64_t first = first_of(table, feature)
    cdef const double* n_before = bounds.n_before + first
    cdef double n_here
    cdef int32_t bin
    cdef bint is_near, any_near = False
    bounds.n_alive[feature] = 0
    for bin in range(table.n_bins[feature]):
        n_here = n_before[bin + 1] - n_before[bin]
        is_near = (
            n_here > 0
            and bounds.bound[first + bin] >= bounds.bar
            and n_before[bin + 1] >= <double> work.bounds.lowest
            and n_before[bin] <= <double> work.bounds.highest
        )
        any_near = any_near or is_near
        bounds.fate[first + bin] = EMPTY if n_here == 0 else DEAD
        bounds.next[first + bin] = -1
        if n_here > 1 and is_single[table.bin_starts[feature] + bin]:
            bounds.fate[first + bin] = SOLID
        elif is_near:
            bounds.fate[first + bin] = ALIVE
            bounds.n_alive[feature] += <int64_t> n_here
    return any_near


cdef void collect(
    const Search* search,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int64_t n,
    int32_t first_feature,
    int32_t end_feature,
    const Bounds* bounds,
    uint32_t* found,        # out
) noexcept nogil:
    """Write down the samples in the bins of some features that are alive."""
    cdef int64_t begin = 0, length, place
    cdef int32_t feature, bin, at = 0
    for feature in range(first_feature, end_feature):
        if bounds.n_alive[feature] > 0:
            place = first_of(table, feature)
            for bin in range(table.n_bins[feature]):
                if bounds.fate[place + bin] == ALIVE:
                    bounds.next[place + bin] = at
                    at += <int32_t> (
                        bounds.n_before[place + bin + 1] - bounds.n_before[place + bin]
                    )
    while begin < n:
        length = min(n - begin, <int64_t> ROWS_PER_BLOCK)
        for feature in range(first_feature, end_feature):
            if bounds.n_alive[feature] > 0:
                tl_collect(
                    records + begin * table.record_bytes, length, table.record_bytes, feature,
                    table.n_features, search.class_shift, samples + begin,
                    bounds.next + first_of(table, feature), found,
                )
        begin += length


cdef int write_entries(
    const Search* search,
    int32_t feature,
    const uint32_t* found,
    int64_t n,
    uint64_t* pairs,        # scratch
    uint64_t* spare,        # scratch
    entry_t* entries,       # out
) noexcept nogil:
    """Sort the samples of one bin; return -1 when memory runs out."""
    cdef tl_column column = column_of(search, feature)
    cdef uint32_t mask = search.index_mask
    cdef int64_t i
    cdef bint is_start
    tl_order_bin(&column, found, mask, n, pairs, spare)
    if column.is_double and order_doubles(&search.values, feature, mask, pairs, n) != 0:
        return -1
    for i in range(n):
        is_start = i == 0 or pairs[i] >> 32 != pairs[i - 1] >> 32
        if column.is_double and not is_start:
            is_start = tl_value_of(&column, sample_in(pairs[i], mask)) != tl_value_of(
                &column, sample_in(pairs[i - 1], mask)
            )
        entries[i] = <uint32_t> pairs[i] | <uint32_t> is_start
    return 0


cdef inline bint comes_first(int32_t feature, int64_t n_left, const Split* best) noexcept nogil:
    """Whether a cut wins over the best one if they score alike."""
    if feature != best.feature:
        return feature < best.feature
    return n_left < best.n_left


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


cdef void set_left(
    const Search* search,
    const Node* node,
    const BinTable* table,
    int32_t feature,
    int32_t bin,
    int64_t n_left,
    Workspace* work,
    tl_left* left,          # out: the samples whose code is below the bin
) noexcept nogil:
    """Set what stands left of a run of entries, as the kernels want it."""
    sum_lower_bins(search, node, table, feature, bin, work.left)
    left.n = left.weight = n_left
    left.stats = work.left
    if table.layout == PAIRS:
        left.stats += 1     # of two classes they count the second


cdef void keep(
    const Search* search,
    const Node* node,
    const BinTable* table,
    int32_t feature,
    int32_t bin,            # codes below it go left
    int32_t n_inside,       # and so many samples of its own
    const entry_t* inside,  # those
    int64_t n_left,
    double score,
    double low,             # the values on both sides of the cut
    double high,
    Split* best,            # out
    int64_t* left_stats,    # out
) noexcept nogil:
    """Write down the best cut so far."""
    cdef int32_t i
    sum_lower_bins(search, node, table, feature, bin, left_stats)
    for i in range(n_inside):
        left_stats[inside[i] >> search.class_shift] += 1
    best.feature = feature
    best.score = score
    best.tie_score = 0.0
    best.n_left = <int32_t> n_left
    best.bin = bin
    best.n_stored_left = n_inside
    best.threshold = threshold_between(low, high)
    best.needs_double = not <double> (<float> low) <= best.threshold < <double> (<float> high)


cdef void try_edge(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const Bounds* bounds,
    int32_t feature,
    int32_t bin,            # the first one on the right
    double low,
    double high,
    Workspace* work,
    Split* best,            # in, out
    int64_t* left_stats,    # in, out
) noexcept nogil:
    """Take a cut before a bin, scored as the kernels of the lists do."""
    cdef int64_t first = first_of(table, feature)
    cdef int64_t n_left = <int64_t> bounds.n_before[first + bin]
    cdef entry_t entry = 1      # a start; what its class is does not matter
    cdef Cut cut
    cdef tl_left left
    if bounds.edge[first + bin] < bounds.bar:
        return
    cut.code = -1
    cut.score = best.score
    if comes_first(feature, n_left, best):
        cut.score = nextafter(best.score, -INFINITY)
    set_left(search, node, table, feature, bin, n_left, work, &left)
    pass_run(search, node, &entry, 0, 1, 0, &left, work, &cut)
    if cut.code >= 0:
        keep(
            search, node, table, feature, bin, 0, NULL, n_left, cut.score, low, high, best,
            left_stats,
        )


cdef void scan_alive(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const Bounds* bounds,
    int32_t feature,
    int32_t first_bin,
    int32_t n,                  # entries of the run of bins that starts there
    const entry_t* entries,
    bint is_behind_solid,       # the bin before holds one value
    double value_before,
    Workspace* work,
    Split* best,                # in, out
    int64_t* left_stats,        # in, out
) noexcept nogil:
    """Scan a run of bins that are alive."""
    cdef int64_t place = first_of(table, feature)
    cdef int64_t n_left = <int64_t> bounds.n_before[place + first_bin]
    cdef int32_t bin = first_bin, begin = 0, n_here, at
    cdef tl_column column = column_of(search, feature)
    cdef double low, high
    cdef Cut cut
    cdef tl_left left
    cut.code = -1
    cut.score = best.score
    if comes_first(feature, n_left, best):
        cut.score = nextafter(best.score, -INFINITY)
    set_left(search, node, table, feature, first_bin, n_left, work, &left)
    if n_left == 0:
        # Nothing lies to the left of the first value: no cut before it, as in a list.
        add_run(search, entries, 0, 1, &left)
        begin = 1
    pass_run(search, node, entries, begin, n, 0, &left, work, &cut)
    at = cut.code
    if at < 0 or (at == 0 and not is_behind_solid):
        # The cut before a run, behind a dead bin, cannot win, nor can what it outdid.
        return
    low = value_before
    if at > 0:
        low = tl_value_of(&column, (entries[at - 1] & search.index_mask) >> 1)
    high = tl_value_of(&column, (entries[at] & search.index_mask) >> 1)
    n_here = at
    while True:
        at = <int32_t> (bounds.n_before[place + bin + 1] - bounds.n_before[place + bin])
        if n_here < at:
            break
        n_here -= at
        bin += 1
    keep(
        search, node, table, feature, bin, n_here, entries + cut.code - n_here,
        n_left + cut.code, cut.score, low, high, best, left_stats,
    )


cdef int scan_bins(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const Bounds* bounds,
    int32_t feature,
    const uint32_t* found,      # the samples of its bins that are alive
    entry_t* entries,           # scratch
    uint64_t* pairs,            # scratch
    uint64_t* spare,            # scratch
    Workspace* work,
    Split* best,                # in, out
    int64_t* left_stats,        # in, out
) noexcept nogil:
    """Look at the cuts of one feature that may win; return -1 when memory runs out."""
    cdef int64_t place = first_of(table, feature)
    cdef int32_t n_bins = table.n_bins[feature], bin, last = -1, first_alive = 0, n = 0, n_here
    cdef const double* values = table.lowest + table.bin_starts[feature]
    cdef tl_column column = column_of(search, feature)
    cdef bint is_behind_solid = False
    cdef double value_before = 0.0, last_value = 0.0
    cdef uint8_t fate, last_fate = EMPTY
    for bin in range(n_bins + 1):
        fate = DEAD if bin == n_bins else bounds.fate[place + bin]
        if fate == EMPTY:
            continue
        if fate == ALIVE:
            if last_fate != ALIVE:
                first_alive = bin
                is_behind_solid = last_fate == SOLID
                value_before = last_value
                n = 0
            n_here = <int32_t> (bounds.n_before[place + bin + 1] - bounds.n_before[place + bin])
            if write_entries(search, feature, found, n_here, pairs, spare, entries + n) != 0:
                return -1
            found += n_here
            n += n_here
        elif last_fate == ALIVE:
            scan_alive(
                search, node, table, bounds, feature, first_alive, n, entries, is_behind_solid,
                value_before, work, best, left_stats,
            )
            last_value = tl_value_of(&column, (entries[n - 1] & search.index_mask) >> 1)
        if fate == SOLID:
            if last_fate == SOLID or last_fate == ALIVE:
                try_edge(
                    search, node, table, bounds, feature, bin, last_value, values[bin], work,
                    best, left_stats,
                )
            last_value = values[bin]
        last_fate = fate
    return 0


cdef int scan_features(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int32_t first_feature,
    int32_t end_feature,
    int32_t skipped,            # a feature that was looked at
    const uint8_t* is_single,
    Bounds* bounds,
    Workspace* work,
    Split* best,                # in, out
    int64_t* left_stats,        # in, out
) noexcept nogil:
    """Look at the cuts of some features that may win."""
    cdef int32_t feature = first_feature, end, k
    cdef int64_t n_alive, most_alive, most_here, length
    cdef uint32_t* found
    cdef entry_t* entries
    cdef uint64_t* pairs
    cdef bint any_near
    while feature < end_feature:
        # As many features together as need no more memory than the worst one.
        n_alive = most_alive = most_here = 0
        any_near = False
        end = feature
        while end < end_feature:
            bounds.n_alive[end] = 0
            if end != skipped and mark_bins(table, is_single, end, work, bounds):
                if n_alive > 0 and n_alive + bounds.n_alive[end] > node.n_samples:
                    break
                any_near = True
                n_alive += bounds.n_alive[end]
                most_alive = max(most_alive, bounds.n_alive[end])
                for k in range(table.n_bins[end]):
                    if bounds.fate[first_of(table, end) + k] == ALIVE:
                        length = <int64_t> (
                            bounds.n_before[first_of(table, end) + k + 1]
                            - bounds.n_before[first_of(table, end) + k]
                        )
                        most_here = max(most_here, length)
            else:
                bounds.n_alive[end] = -1
            end += 1
        if any_near:
            if is_stopped(work, node.n_samples + 8 * n_alive):
                return INTERRUPTED
            pairs = <uint64_t*> scratch_of(
                work,
                2 * (most_here + 1) * sizeof(uint64_t)
                + (n_alive + most_alive + 16) * sizeof(uint32_t),
            )
            if pairs == NULL:
                return MEMORY_RAN_OUT
            entries = <entry_t*> (pairs + 2 * (most_here + 1))
            found = entries + most_alive + 8
            if n_alive > 0:
                collect(
                    search, table, records, samples, node.n_samples, feature, end, bounds, found
                )
            for k in range(feature, end):
                if bounds.n_alive[k] < 0:
                    continue
                if scan_bins(
                    search, node, table, bounds, k, found, entries, pairs, pairs + most_here + 1,
                    work, best, left_stats,
                ) != 0:
                    return MEMORY_RAN_OUT
                found += bounds.n_alive[k]
            bounds.bar = max(bounds.bar, best.score - margin_of(node, best.score))
        feature = end
    return 0


cdef bint is_better(const Split* candidate, const Split* best) noexcept nogil:
    """Compare the best cuts of two threads."""
    if candidate.feature < 0 or candidate.score < best.score:
        return False
    return candidate.score > best.score or comes_first(
        candidate.feature, candidate.n_left, best
    )


cdef int share_features(
    const Search* search,
    Buffers* buffers,
    const Node* node,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int32_t skipped,
    const uint8_t* is_single,
    const Bounds* bounds,
    Split* best,                # in, out
    int64_t* left_stats,        # in, out
) noexcept nogil:
    """Look at the cuts of all features that may win, by several threads."""
    cdef int n_threads = buffers.n_threads, thread
    cdef int32_t n_stats = search.targets.n_stats, feature
    cdef Split* found = <Split*> malloc(n_threads * sizeof(Split))
    cdef int64_t* stats = <int64_t*> malloc(n_threads * n_stats * sizeof(int64_t))
    cdef Bounds* shares = <Bounds*> malloc(n_threads * sizeof(Bounds))
    cdef int* failures = <int*> malloc(n_threads * sizeof(int))
    cdef int status = 0
    if found == NULL or stats == NULL or shares == NULL or failures == NULL:
        status = MEMORY_RAN_OUT
    else:
        for thread in range(n_threads):
            # Every thread starts from the best so far, and rules out by what it finds itself.
            found[thread] = best[0]
            shares[thread] = bounds[0]
            failures[thread] = 0
            memcpy(stats + thread * n_stats, left_stats, n_stats * sizeof(int64_t))
            if thread > 0:
                prepare_node(search, node, buffers.workspaces + thread)
        for feature in prange(
            table.n_features, num_threads=n_threads, schedule="dynamic", chunksize=1
        ):
            if failures[threadid()] == 0:
                failures[threadid()] = scan_features(
                    search, node, table, records, samples, feature, feature + 1, skipped,
                    is_single, shares + threadid(), buffers.workspaces + threadid(),
                    found + threadid(), stats + threadid() * n_stats,
                )
        for thread in range(n_threads):
            status = max(status, failures[thread])
            if is_better(found + thread, best):
                best[0] = found[thread]
                memcpy(left_stats, stats + thread * n_stats, n_stats * sizeof(int64_t))
    free(found)
    free(stats)
    free(shares)
    free(failures)
    return status


cdef double share_alive(
    const Node* node,
    const BinTable* table,
    const uint8_t* is_single,
    const Workspace* work,
    Bounds* bounds,
) noexcept nogil:
    """Share of the node's cells that lie in bins that are alive."""
    cdef double n_alive = 0.0
    cdef int32_t feature
    for feature in range(table.n_features):
        mark_bins(table, is_single, feature, work, bounds)
        n_alive += <double> bounds.n_alive[feature]
    return n_alive / (<double> node.n_samples * table.n_features)


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


cdef int find_bounded_split(
    const Search* search,
    Buffers* buffers,
    const Node* node,
    Workspace* work,
    Split* best,                # out; its feature is -1 where no cut is feasible
    int64_t* left_stats,        # out
) noexcept nogil:
    """Find the best split of a node whose histogram is there.

    Codes below ``best.bin`` go left, and ``best.n_stored_left`` samples of the bin itself.
    Returns CHANGES_FORM where so many bins are alive that sorting is cheaper.
    """
    cdef const BoundedTable* bounded = <const BoundedTable*> buffers.table
    cdef const BinTable* table = &bounded.base
    cdef const uint8_t* is_single = bounded.is_single
    cdef const uint8_t* records = records_of(table, node.buffer, node.start)
    cdef const int32_t* samples = buffers.samples[node.buffer] + node.start
    cdef double limit = bounded.patience * most_alive(search, buffers, node)
    cdef Bounds bounds
    cdef int32_t feature, top = 0
    cdef int status = 0
    memset(best, 0, sizeof(Split))
    best.feature = -1
    best.score = -INFINITY
    best.tie_score = -INFINITY
    if open_bounds(table, &bounds) != 0:
        return MEMORY_RAN_OUT
    prepare_node(search, node, work)
    for feature in range(table.n_features):
        bound_feature(search, node, table, feature, work, &bounds)
        if bounds.best_edge[feature] > bounds.best_edge[top]:
            top = feature
    bounds.bar = bounds.best_edge[top]
    if bounds.bar > -INFINITY:
        bounds.bar -= margin_of(node, bounds.bar)
    if share_alive(node, table, is_single, work, &bounds) > 4.0 * limit:
        status = CHANGES_FORM
    if status == 0:
        # The feature with the best edge first: what its bins reach rules out more of the others.
        status = scan_features(
            search, node, table, records, samples, top, top + 1, -1, is_single, &bounds, work,
            best, left_stats,
        )
    if status == 0 and share_alive(node, table, is_single, work, &bounds) > limit:
        status = CHANGES_FORM
    if status == 0 and buffers.n_threads > 1 and node.n_samples >= FEWEST_SHARED:
        status = share_features(
            search, buffers, node, table, records, samples, top, is_single, &bounds, best,
            left_stats,
        )
    elif status == 0:
        status = scan_features(
            search, node, table, records, samples, 0, table.n_features, top, is_single, &bounds,
            work, best, left_stats,
        )
    free(bounds.n_before)
    # What a node never saw goes where more samples go.
    best.missing_goes_left = 2 * <int64_t> best.n_left > node.n_samples
    return status
