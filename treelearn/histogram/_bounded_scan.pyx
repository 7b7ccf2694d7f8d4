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

from libc.math cimport INFINITY, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from .._node cimport INTERRUPTED, MEMORY_RAN_OUT, Buffers
from .._runs cimport Cut, add_run, pass_run
from .._sorting cimport order_doubles, sample_in
from .._splitter cimport needs_double, threshold_between
from .._types cimport *
from .._workspace cimport Workspace, is_stopped, scratch_of, tl_left
from ._bin_table cimport PAIRS, BinTable
from ._bounds cimport (
    ALIVE,
    DEAD,
    EMPTY,
    SOLID,
    BoundedTable,
    Bounds,
    collect,
    first_of,
    margin_of,
    mark_bins,
    samples_of,
    sum_lower_bins,
)

cdef extern from "native/inside.h" nogil:
    double tl_value_of(const tl_column* column, int64_t sample)
    void tl_order_bin(
        const tl_column* column, const uint32_t* found, uint32_t index_mask, int64_t n,
        uint64_t* pairs, uint64_t* spare,
    )


cdef tl_column column_of(const Search* search, int32_t feature) noexcept nogil:
    """Where the values of a feature lie."""
    cdef tl_column column
    column.start = search.values.dense + feature * search.values.column_stride
    column.stride = search.values.row_stride
    column.is_double = search.values.is_double
    return column


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
    best.needs_double = needs_double(low, best.threshold, high)


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
        at = <int32_t> samples_of(bounds, place + bin)
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
    cdef int32_t n_bins = table.n_bins[feature], bin, first_alive = 0, n = 0, n_here
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
            n_here = <int32_t> samples_of(bounds, place + bin)
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
    const Buffers* buffers,
    const Node* node,
    int32_t first_feature,
    int32_t end_feature,
    Bounds* bounds,             # in, out: the bar
    Workspace* work,
    Split* best,                # in, out
    int64_t* left_stats,        # in, out
) noexcept nogil:
    """Look at the cuts of some features that may win."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef int32_t feature = first_feature, end, k
    cdef int64_t n_alive, longest, largest
    cdef uint32_t* found
    cdef entry_t* entries
    cdef uint64_t* pairs
    while feature < end_feature:
        # As many features together as need no more memory than the worst one.
        n_alive = longest = largest = 0
        end = feature
        while end < end_feature:
            bounds.n_alive[end] = -1
            if not bounds.is_scanned[end]:
                mark_bins(<const BoundedTable*> table, end, work, bounds)
            if n_alive > 0 and n_alive + bounds.n_alive[end] > node.n_samples:
                break
            n_alive += max(<int64_t> 0, bounds.n_alive[end])
            longest = max(longest, bounds.n_alive[end])
            largest = max(largest, bounds.largest[end])
            end += 1
        if is_stopped(work, node.n_samples + 8 * n_alive):
            return INTERRUPTED
        pairs = <uint64_t*> scratch_of(
            work,
            2 * (largest + 1) * sizeof(uint64_t) + (n_alive + longest + 8) * sizeof(uint32_t),
        )
        if pairs == NULL:
            return MEMORY_RAN_OUT
        # Vector code may read past the entries of a run, into what follows.
        entries = <entry_t*> (pairs + 2 * (largest + 1))
        found = entries + longest
        if n_alive > 0:
            collect(search, buffers, node, feature, end, bounds, found)
        for k in range(feature, end):
            if bounds.n_alive[k] < 0:
                continue
            if scan_bins(
                search, node, table, bounds, k, found, entries, pairs, pairs + largest + 1, work,
                best, left_stats,
            ) != 0:
                return MEMORY_RAN_OUT
            found += bounds.n_alive[k]
        bounds.bar = max(bounds.bar, best.score - margin_of(node, best.score))
        feature = end
    return 0
