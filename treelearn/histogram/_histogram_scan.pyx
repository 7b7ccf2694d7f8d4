"""The best split of a node of binned samples.

Nodes of many samples are searched in their histogram, bin by bin; in those of few the samples
are sorted by code, feature by feature, and passed one by one. Either way the running statistics,
the scores and the rule for ties are those of the exact search (``_scan.pyx``): what passes from
the right to the left here is a bin, and a cut's number is how many samples lie below it.
"""

from libc.math cimport INFINITY
from libc.stdint cimport uint16_t
from libc.stdlib cimport malloc

from .._block cimport offer, score_block
from .._node cimport MEMORY_RAN_OUT
from .._pass cimport BINARY, MOMENTS, PLAIN, SUMS, Method, Sweep
from .._scan cimport prepare_node
from .._sorting cimport sort_pairs
from .._splitter cimport mix
from .._types cimport *
from .._workspace cimport Workspace
from ._bin_table cimport PAIRS, BinTable
from ._cell_scan cimport keep_cut, place_cut, scan_pairs, scan_sums
from ._histogram_sweep cimport clear_left, pass_cell, pass_sample, samples_in

cdef extern from "native/histogram.h" nogil:
    uint32_t tl_code(const uint8_t* record, int64_t feature, int code_bytes)

cdef extern from "native/pairs.h" nogil:
    const int TL_SMALL, TL_SIDE, TL_PLACE_BITS
    ctypedef struct tl_small_cut:
        int32_t feature
        int32_t n_left
        int32_t bin
        int32_t next_bin
        int64_t square
        int64_t product
    void tl_make_networks()
    void tl_sort_small(
        const uint8_t* records, int n, int64_t record_bytes, int code_bytes, int first_feature,
        uint16_t (*keys)[16],
    )
    tl_small_cut tl_best_of_small(
        const uint8_t* records, int n, int64_t record_bytes, int code_bytes, int n_features,
        int ones, int fewest, const uint8_t* is_skipped,
    )

tl_make_networks()

cdef enum:
    SHORTEST_RADIX = 48  # fewer codes are sorted by insertion
    SMALL = 64           # TL_SMALL and TL_SIDE, for arrays
    SIDE = 16


cdef void sort_codes(
    const BinTable* table, const uint8_t* records, int64_t n, int32_t feature, Workspace* work
) noexcept nogil:
    """Sort a node's samples by one feature's code: code << 32 | place in the node."""
    cdef uint64_t* pairs = work.sorted_codes
    cdef uint64_t pair
    cdef int64_t i, j
    cdef const uint8_t* record = records
    for i in range(n):
        pair = (<uint64_t> tl_code(record, feature, table.code_bytes) << 32) | <uint64_t> i
        record += table.record_bytes
        if n >= SHORTEST_RADIX:
            pairs[i] = pair
            continue
        j = i
        while j > 0 and pairs[j - 1] > pair:
            pairs[j] = pairs[j - 1]
            j -= 1
        pairs[j] = pair
    if n >= SHORTEST_RADIX:
        sort_pairs(pairs, work.spare_codes, n)


cdef bint scan_cells(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const void* cells,
    int32_t feature,
    Workspace* work,
    Split* best,        # in: a score to beat; out; n_stored_left is the number of the cut
) noexcept nogil:
    """Search one feature in the histogram; return False when it is constant in the node."""
    cdef Sweep sweep
    cdef Segment segment
    cdef int32_t best_code = -1
    cdef int64_t first = table.cell_starts[feature], last = first + table.n_bins[feature], cell
    cdef int64_t n_missing = 0, n_present = node.n_samples, n, position
    cdef int side
    if table.has_missing[feature]:
        n_missing = samples_in(search, table, cells, last)
        n_present -= n_missing
    if n_present == 0:
        return False
    while samples_in(search, table, cells, first) == 0:
        first += 1
    if n_missing == 0 and samples_in(search, table, cells, first) == n_present:
        return False
    segment.feature = feature
    sweep.method = method_of(search, table)
    sweep.n_candidates = 0
    sweep.n_below = sweep.n_default = 0
    for side in range(2 if n_missing > 0 else 1):
        sweep.missing_goes_left = side == 1
        sweep.n_missing_left = <int32_t> n_missing if side == 1 else 0
        clear_left(search, node, work, &sweep)
        if side == 1:
            pass_cell(search, table, cells, last, work, &sweep)
        position = 0
        cell = first
        while position < n_present:
            n = samples_in(search, table, cells, cell)
            if n > 0:
                if position > 0:
                    offer(
                        search, node, &segment, work, &sweep, <int32_t> position, best,
                        &best_code,
                    )
                position += n
                if position < n_present or (n_missing > 0 and side == 0):
                    pass_cell(search, table, cells, cell, work, &sweep)
            cell += 1
        if n_missing > 0 and side == 0:
            offer(search, node, &segment, work, &sweep, <int32_t> position, best, &best_code)
        if sweep.n_candidates > 0:
            score_block(search, node, &segment, work, &sweep, best, &best_code)
    best.n_stored_left = best_code
    return True


cdef bint scan_samples(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int32_t feature,
    Workspace* work,    # its sorted codes are the feature's
    Split* best,        # in: a score to beat; out; n_stored_left is the number of the cut
) noexcept nogil:
    """Search one feature in the sorted codes; return False when it is constant in the node."""
    cdef Sweep sweep
    cdef Segment segment
    cdef const uint64_t* pairs = work.sorted_codes
    cdef int32_t best_code = -1
    cdef uint32_t missing_code = table.n_bins[feature]
    cdef int64_t n = node.n_samples, n_present = n, i
    cdef int side
    while n_present > 0 and <uint32_t> (pairs[n_present - 1] >> 32) == missing_code:
        n_present -= 1
    if n_present == 0 or (n_present == n and pairs[0] >> 32 == pairs[n - 1] >> 32):
        return False
    segment.feature = feature
    sweep.method = method_of(search, table)
    sweep.n_candidates = 0
    sweep.n_below = sweep.n_default = 0
    for side in range(2 if n_present < n else 1):
        sweep.missing_goes_left = side == 1
        sweep.n_missing_left = <int32_t> (n - n_present) if side == 1 else 0
        clear_left(search, node, work, &sweep)
        if side == 1:
            for i in range(n_present, n):
                pass_sample(
                    search, table, records, samples, <uint32_t> pairs[i], work, &sweep
                )
        for i in range(n_present):
            if i > 0 and pairs[i] >> 32 != pairs[i - 1] >> 32:
                offer(search, node, &segment, work, &sweep, <int32_t> i, best, &best_code)
            pass_sample(search, table, records, samples, <uint32_t> pairs[i], work, &sweep)
        if n_present < n and side == 0:
            offer(search, node, &segment, work, &sweep, <int32_t> n_present, best, &best_code)
        if sweep.n_candidates > 0:
            score_block(search, node, &segment, work, &sweep, best, &best_code)
    best.n_stored_left = best_code
    return True


cdef inline Method method_of(const Search* search, const BinTable* table) noexcept nogil:
    """Kind of running statistics, chosen as in the exact search."""
    if table.layout == PAIRS:
        return BINARY
    if search.sums_classes:
        return SUMS
    if search.sums_moments:
        return MOMENTS
    return PLAIN


cdef inline bint is_better(const Split* candidate, const Split* best) noexcept nogil:
    """Compare the best cuts of two features."""
    if candidate.feature < 0:
        return False
    if best.feature < 0 or candidate.score > best.score:
        return True
    if candidate.score < best.score:
        return False
    if candidate.tie_score != best.tie_score:
        return candidate.tie_score > best.tie_score
    return candidate.feature < best.feature


cdef void place_numbered_cut(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const void* cells,      # NULL: the samples are sorted by the feature
    Workspace* work,
    Split* split,           # in: feature, samples below the cut; out
) noexcept nogil:
    """Find the bins on both sides of a cut, and write it down."""
    cdef int64_t first = table.cell_starts[split.feature], n_missing = 0, n_present, position, bin
    cdef int64_t next_bin = -1
    cdef int32_t n_bins = table.n_bins[split.feature]
    cdef const uint64_t* pairs = work.sorted_codes
    if cells == NULL:
        n_present = node.n_samples
        while <int32_t> (pairs[n_present - 1] >> 32) == n_bins:
            n_present -= 1
        n_missing = node.n_samples - n_present
        bin = <int64_t> (pairs[split.n_stored_left - 1] >> 32)
        if split.n_stored_left < n_present:
            next_bin = <int64_t> (pairs[split.n_stored_left] >> 32)
    else:
        if table.has_missing[split.feature]:
            n_missing = samples_in(search, table, cells, first + n_bins)
        n_present = node.n_samples - n_missing
        position = 0
        bin = -1
        while position < split.n_stored_left:
            bin += 1
            position += samples_in(search, table, cells, first + bin)
        if position < n_present:
            next_bin = bin + 1
            while samples_in(search, table, cells, first + next_bin) == 0:
                next_bin += 1
    place_cut(search, node, table, bin, next_bin, n_missing, split)


cdef void search_small_node(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const uint8_t* records,
    Split* best,        # in: none; out
) noexcept nogil:
    """Search the features without missing values of a small node under Gini."""
    cdef int64_t fewest = max(search.rules.min_samples_leaf, search.rules.min_weight_leaf)
    cdef tl_small_cut found = tl_best_of_small(
        records, <int> node.n_samples, table.record_bytes, table.code_bytes, table.n_features,
        <int> node.stats[1], <int> min(fewest, <int64_t> TL_SMALL), table.has_missing,
    )
    if found.feature < 0:
        return
    keep_cut(
        search, node, table, found.feature, <double> found.square / <double> found.product,
        found.n_left, found.bin, found.next_bin, best,
    )


cdef bint look_at(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const void* cells,
    const uint8_t* records,
    const int32_t* samples,
    int32_t feature,
    bint is_sorted,     # the sorted codes are the feature's
    Workspace* work,
    Split* best,        # in, out
) noexcept nogil:
    """Search one feature and keep its cut if it is better; return False for a constant one."""
    cdef Split found
    cdef bint varies
    if cells != NULL and table.is_gini_pairs and not table.has_missing[feature]:
        return scan_pairs(search, node, table, cells, feature, best)
    if cells != NULL and table.sums_targets and not table.has_missing[feature]:
        return scan_sums(search, node, table, cells, feature, best)
    found.feature = -1
    found.score = -INFINITY
    found.tie_score = -INFINITY
    if cells != NULL:
        varies = scan_cells(search, node, table, cells, feature, work, &found)
    else:
        if not is_sorted:
            sort_codes(table, records, node.n_samples, feature, work)
        varies = scan_samples(search, node, table, records, samples, feature, work, &found)
    if varies and is_better(&found, best):
        place_numbered_cut(search, node, table, cells, work, &found)
        best[0] = found
    return varies


cdef void search_side_by_side(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    Workspace* work,
    Split* best,        # in, out
) noexcept nogil:
    """Search the features of a small node that no faster search serves, sorted in blocks."""
    cdef uint16_t[SMALL][SIDE] keys
    cdef int32_t block, feature, i, n = node.n_samples
    cdef uint16_t key
    block = 0
    while block < table.n_features:
        tl_sort_small(records, n, table.record_bytes, table.code_bytes, block, keys)
        for feature in range(block, min(block + SIDE, table.n_features)):
            if table.is_gini_pairs and not table.has_missing[feature]:
                continue
            for i in range(n):
                key = keys[i][feature - block]
                work.sorted_codes[i] = (<uint64_t> (key >> TL_PLACE_BITS) << 32) | (
                    key & ((1 << TL_PLACE_BITS) - 1)
                )
            look_at(search, node, table, NULL, records, samples, feature, True, work, best)
        block += SIDE


cdef int find_binned_split(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const void* cells,          # its histogram; NULL: the samples are sorted
    const uint8_t* records,     # of the node
    const int32_t* samples,
    Workspace* work,
    Split* best,                # out; its feature is -1 where no cut is feasible
) noexcept nogil:
    """Search the features of a node, all of them or as many as are to be drawn."""
    cdef int32_t i, j, feature, n_visited = 0, n_features = search.n_features
    cdef bint has_varying = False
    cdef uint64_t state = mix(node.seed)
    best.feature = -1
    best.score = -INFINITY
    best.tie_score = -INFINITY
    if cells == NULL and work.sorted_codes == NULL:
        work.sorted_codes = <uint64_t*> malloc(table.sort_limit * sizeof(uint64_t))
        work.spare_codes = <uint64_t*> malloc(table.sort_limit * sizeof(uint64_t))
        if work.sorted_codes == NULL or work.spare_codes == NULL:
            return MEMORY_RAN_OUT
    prepare_node(search, node, work)
    if search.rules.max_features >= n_features:
        if cells != NULL or node.n_samples > TL_SMALL or not table.has_few_codes:
            for feature in range(n_features):
                look_at(search, node, table, cells, records, samples, feature, False, work, best)
            return 0
        if table.is_gini_pairs:
            search_small_node(search, node, table, records, best)
        if not table.is_gini_pairs or table.misses_any:
            search_side_by_side(search, node, table, records, samples, work, best)
        return 0
    # As in scikit-learn: constant features count as drawn, and drawing goes on until one
    # feature that varies was seen. Invariant: features[:i] were drawn.
    i = 0
    while i < n_features and (n_visited < search.rules.max_features or not has_varying):
        state = mix(state)
        j = i + <int32_t> (state % <uint64_t> (n_features - i))
        feature = work.features[j]
        work.features[j] = work.features[i]
        work.features[i] = feature
        i += 1
        n_visited += 1
        if look_at(search, node, table, cells, records, samples, feature, False, work, best):
            has_varying = True
    # The permutation must not depend on the nodes that were searched before.
    for feature in range(n_features):
        work.features[feature] = feature
    return 0
