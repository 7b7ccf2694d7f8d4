"""The best cut of one feature in one node.

The samples of a node, as one feature orders them:

    below (entries) | default value (unstored) | above (entries) | missing (entries)

A cut lies before an entry whose start bit is set. Its code is the number of stored entries to
its left, plus one once the default samples have been passed (where there are any): codes grow
with the threshold. The scan goes once over the entries with the missing samples on the right,
and once more with them on the left where some are missing.

Three sets of running statistics, from the fastest to the one that serves everything:

- binary: two classes of unit weight; one count, scores for a block of candidates in one loop.
- sums: classes of whole weight; one power sum a side. Gini's is exact in integers; the others
  sum the terms of the classes along a binary tree, so that the sum depends on the counts and
  not on the order in which the samples came.
- plain: the whole statistics vector of each side at every candidate.

and beside binary and sums, for regression, moments: sum and square sum of one output, and for
misclassification the largest class of either side.
"""

from libc.string cimport memcpy, memset

from ._block cimport is_constrained, is_feasible, offer, score_block
from ._largest cimport set_largest
from ._pass cimport (
    BINARY,
    LARGEST,
    MOMENTS,
    PLAIN,
    SUMS,
    Method,
    Sweep,
    class_of,
    entry_at,
    sample_of,
    weight_of,
)
from ._runs cimport prepare_runs, scan_runs
from ._screened cimport sweep_screened
from ._sweep cimport fill_trees, pass_entry, sweep_entries, sweep_t
from ._types cimport *
from ._workspace cimport Workspace


cdef void prepare_node(const Search* search, const Node* node, Workspace* work) noexcept nogil:
    """Number the classes that are present in the node, or set what the kernels know of it."""
    cdef int32_t c, n_local = 0
    if search.scan != SCAN_OTHER:
        prepare_runs(search, node, work)
        return
    if not search.sums_classes:
        return
    for c in range(search.targets.max_n_classes):
        if node.stats[c] > 0:
            work.local_class[c] = n_local
            work.local_counts[n_local] = node.stats[c]
            n_local += 1
    work.n_local = n_local
    work.n_tree_leaves = 1
    while work.n_tree_leaves < n_local:
        work.n_tree_leaves *= 2


cdef const entry_t* widened(
    const Search* search, const void* list, int32_t n, Workspace* work
) noexcept nogil:
    """Return a list as 32-bit entries, those of a narrow one in scratch memory."""
    cdef int32_t i
    if not search.is_narrow:
        return <const entry_t*> list
    for i in range(n):
        work.widened[i] = entry_at(search, list, i)
    return work.widened


cdef bint has_two_values(const Search* search, const void* list, int32_t n) noexcept nogil:
    """Return whether a value starts after the first entry."""
    cdef int32_t i = 1
    if search.is_narrow:
        while i < n and not (<const narrow_t*> list)[i] & 1:
            i += 1
    else:
        while i < n and not (<const entry_t*> list)[i] & 1:
            i += 1
    return i < n


cdef void add_entries(
    const Search* search,
    const entry_t* entries,
    int32_t n,
    Workspace* work,
    int64_t* stats,         # in, out: classes by local number for sums
    int64_t* weight,        # in, out
    Method method,
) noexcept nogil:
    """Add a range of entries to a statistics vector."""
    cdef const Targets* targets = &search.targets
    cdef int32_t i, sample, output
    cdef int64_t units
    for i in range(n):
        sample = sample_of(search, entries[i])
        units = weight_of(search, sample)
        weight[0] += units
        if method == BINARY:
            stats[0] += class_of(search, entries[i])
        elif method == SUMS:
            stats[work.local_class[class_of(search, entries[i])]] += units
        elif targets.is_classification:
            for output in range(targets.n_outputs):
                stats[
                    targets.class_starts[output]
                    + targets.labels[output * targets.n_total + sample]
                ] += units
        else:
            for output in range(targets.n_outputs):
                stats[2 * output] += targets.sums[output * targets.n_total + sample]
                stats[2 * output + 1] += targets.square_sums[output * targets.n_total + sample]


cdef void set_left(
    const Search* search,
    const Node* node,
    Workspace* work,
    Sweep* sweep,
    const int64_t* stats,
    int64_t weight,
) noexcept nogil:
    """Set the left side to a given statistics vector."""
    cdef int32_t n = work.n_local if sweep.method == SUMS else search.targets.n_stats
    sweep.weight_left = weight
    if sweep.method == BINARY:
        sweep.ones = stats[0]
        return
    if sweep.method == MOMENTS:
        sweep.moment_left = stats[0]
        sweep.square_left = stats[1]
        return
    if stats != work.left:
        memcpy(work.left, stats, n * sizeof(int64_t))
    if sweep.method == SUMS:
        fill_trees(search, work, sweep)
    elif sweep.method == LARGEST:
        set_largest(search, node, work, sweep)


cdef bint scan_feature(
    const Search* search,
    const Node* node,
    const void* list,           # the entries of this feature in this node
    const Segment* segment,
    Workspace* work,
    Split* best,                # in: a score to beat; out
) noexcept nogil:
    """Search one feature; return False when it is constant in the node."""
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_default = node.n_samples - n_stored - segment.n_missing
    cdef int32_t best_code = -1
    if n_stored + n_default == 0:
        return False
    if segment.n_missing == 0:
        # One value only?
        if n_default > 0:
            if n_stored == 0:
                return False
        elif segment.n_below == 0 or segment.n_above == 0:
            if not has_two_values(search, list, n_stored):
                return False
    if search.scan != SCAN_OTHER and is_constrained(search, segment.feature):
        scan_constrained(search, node, list, segment, work, best, &best_code)
    elif search.scan != SCAN_OTHER:
        scan_runs(search, node, list, segment, work, best, &best_code)
    else:
        sweep_feature(
            search, node, widened(search, list, n_stored + segment.n_missing, work), segment,
            work, best, &best_code,
        )
    if best_code >= 0:
        best.default_goes_left = n_default > 0 and best_code > segment.n_below
        best.n_stored_left = best_code - best.default_goes_left
    return True


cdef void scan_constrained(
    const Search* search,
    const Node* node,
    const void* list,
    const Segment* segment,
    Workspace* work,
    Split* best,                # in: a score to beat; out
    int32_t* best_code,         # in, out
) noexcept nogil:
    """Search one feature whose cuts must obey a constraint: the best of all cuts often does."""
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef const entry_t* entries
    cdef Split found = best[0]
    cdef int32_t code = -1
    scan_runs(search, node, list, segment, work, &found, &code)
    if code < 0:
        return
    entries = widened(search, list, n_stored + segment.n_missing, work)
    if obeys(search, node, entries, segment, code, found.missing_goes_left, work):
        best[0] = found
        best_code[0] = code
    else:
        sweep_feature(search, node, entries, segment, work, best, best_code)


cdef bint obeys(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    const Segment* segment,
    int32_t code,
    bint missing_goes_left,
    Workspace* work,
) noexcept nogil:
    """Return whether a cut obeys the constraint of its feature."""
    cdef int32_t n_stats = search.targets.n_stats, i
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_default = node.n_samples - n_stored - segment.n_missing
    cdef bint passes_default = n_default > 0 and code > segment.n_below
    cdef int32_t n_left = code - passes_default
    cdef int64_t weight = 0, weight_rest = 0
    memset(work.left, 0, n_stats * sizeof(int64_t))
    if passes_default:
        # The node without what stands right of the cut.
        memset(work.above, 0, n_stats * sizeof(int64_t))
        add_entries(
            search, entries + n_left, n_stored - n_left, work, work.above, &weight_rest, PLAIN
        )
        if not missing_goes_left:
            add_entries(
                search, entries + n_stored, segment.n_missing, work, work.above, &weight_rest,
                PLAIN,
            )
            n_left += n_default
        else:
            n_left += n_default + segment.n_missing
        for i in range(n_stats):
            work.left[i] = node.stats[i] - work.above[i]
        weight = node.weight - weight_rest
    else:
        add_entries(search, entries, n_left, work, work.left, &weight, PLAIN)
        if missing_goes_left:
            add_entries(
                search, entries + n_stored, segment.n_missing, work, work.left, &weight, PLAIN
            )
            n_left += segment.n_missing
    return is_feasible(search, node, segment.feature, work.left, weight, n_left, work.right)


cdef void sweep_feature(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    const Segment* segment,
    Workspace* work,
    Split* best,                # in: a score to beat; out
    int32_t* best_code,         # in, out
) noexcept nogil:
    """Search one feature that varies in the node, with the statistics its criterion needs."""
    cdef Sweep sweep
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_missing = segment.n_missing
    cdef int32_t n_default = node.n_samples - n_stored - n_missing
    cdef int32_t code_shift = 1 if n_default > 0 else 0
    cdef int32_t i, side
    cdef int64_t weight_above = 0, weight_missing = 0
    cdef const int64_t* totals = node.stats
    cdef int32_t n_stats = search.targets.n_stats
    cdef int64_t binary_total
    cdef sweep_t sweep_run = sweep_entries
    if search.sums_classes:
        sweep.method = SUMS
        totals = work.local_counts
        n_stats = work.n_local
        if search.class_shift != 0 and search.targets.max_n_classes == 2 and (
            search.targets.has_unit_weights
        ):
            sweep.method = BINARY
            binary_total = node.stats[1]
            totals = &binary_total
            n_stats = 1
    elif search.sums_moments:
        sweep.method = MOMENTS
    elif search.tie_terms != NULL:
        sweep.method = LARGEST
    else:
        sweep.method = PLAIN
        if search.is_screened:
            sweep_run = sweep_screened
    sweep.n_candidates = 0
    sweep.n_below = segment.n_below
    sweep.n_default = n_default
    sweep.n_stored = n_stored
    memset(work.missing, 0, n_stats * sizeof(int64_t))
    memset(work.above, 0, n_stats * sizeof(int64_t))
    if n_missing > 0:
        add_entries(
            search, entries + n_stored, n_missing, work, work.missing, &weight_missing,
            sweep.method,
        )
    if n_default > 0:
        add_entries(
            search, entries + segment.n_below, segment.n_above, work, work.above, &weight_above,
            sweep.method,
        )
    for side in range(2 if n_missing > 0 else 1):
        sweep.missing_goes_left = side == 1
        sweep.n_missing_left = n_missing if side == 1 else 0
        if side == 1:
            set_left(search, node, work, &sweep, work.missing, weight_missing)
        else:
            memset(work.left, 0, n_stats * sizeof(int64_t))
            set_left(search, node, work, &sweep, work.left, 0)
        i = 0
        if segment.n_below > 0 or n_default == 0:
            # Nothing lies to the left of the first value: no cut before it.
            pass_entry(search, entries[0], work, &sweep)
            i = 1
        if i < segment.n_below:
            sweep_run(
                search, node, entries, i, segment.n_below, segment, work, &sweep, 0, best,
                best_code,
            )
            i = segment.n_below
        if n_default > 0:
            if segment.n_below > 0:
                offer(search, node, segment, work, &sweep, segment.n_below, best, best_code)
            for i in range(n_stats):
                work.left[i] = totals[i] - work.above[i] - (0 if side == 1 else work.missing[i])
            set_left(
                search, node, work, &sweep, work.left,
                node.weight - weight_above - (0 if side == 1 else weight_missing),
            )
            i = segment.n_below
        if i < n_stored:
            sweep_run(
                search, node, entries, i, n_stored, segment, work, &sweep, code_shift, best,
                best_code,
            )
        if n_missing > 0 and side == 0:
            offer(search, node, segment, work, &sweep, n_stored + code_shift, best, best_code)
        if sweep.n_candidates > 0:
            score_block(search, node, segment, work, &sweep, best, best_code)
