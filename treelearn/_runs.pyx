"""The best cut of one feature by the scans of native/: the case that most fits are.

The kernels pass runs of entries; here is what lies between the runs: the unstored default value,
and the missing samples on either side. Which kernel serves is Search.scan.
"""

from libc.math cimport INFINITY, nextafter
from libc.string cimport memcpy, memset

from ._pass cimport class_of, entry_at, sample_of, weight_of
from ._types cimport *
from ._workspace cimport (
    Workspace,
    tl_bounds,
    tl_left,
    tl_narrow_node,
    tl_reader,
    tl_terms,
    tl_trees,
)

cdef extern from "native/block.h" nogil:
    double tl_binary_score(double, double, double, double)
    double tl_sums_score(double, double, double, double)
    double tl_moments_score(double, double, double, double, double)

cdef extern from "native/narrow.h" nogil:
    const int TL_VECTOR_CLASSES
    void tl_scan_binary_narrow(
        int, const uint16_t*, int, int, int, int, const tl_narrow_node*, double*, int32_t*
    )
    int tl_scan_classes_narrow(
        int, const uint16_t*, int, int, int, const int64_t*, const tl_narrow_node*, double*,
        int32_t*,
    )

cdef extern from "native/wide.h" nogil:
    void tl_scan_binary_wide(
        int, const uint32_t*, int, int32_t, int32_t, int64_t, int64_t, double, double, int64_t,
        int64_t, double*, int32_t*,
    )

cdef extern from "native/runs.h" nogil:
    void tl_scan_classes(
        const tl_reader*, const void*, int32_t, int32_t, tl_left*, const int64_t*, int,
        const tl_bounds*, double*, int32_t*,
    )
    void tl_scan_binary_terms(
        int, const tl_reader*, const void*, int32_t, int32_t, int64_t, int64_t, int64_t,
        const tl_bounds*, const tl_terms*, double*, int32_t*,
    )
    double tl_terms_score(
        int, double, const double*, const double*, int64_t, int64_t, int64_t, int64_t
    )
    bint tl_is_feasible(const tl_bounds*, int64_t, int64_t)

cdef extern from "native/powers.h" nogil:
    void tl_scan_powers(
        const tl_reader*, const void*, int32_t, int32_t, const tl_left*, const int64_t*, int,
        const tl_trees*, const tl_bounds*, const tl_terms*, double*, int32_t*,
    )
    void tl_fill_trees(const tl_trees*, const double*, const int64_t*, const int64_t*, int)
    double tl_power_score(int, double, const double*, double, double, int64_t, int64_t)

cdef extern from "native/moments.h" nogil:
    void tl_scan_moments(
        int, const tl_reader*, const void*, int32_t, int32_t, tl_left*, const int64_t*, int64_t,
        const tl_bounds*, double*, int32_t*,
    )


cdef void prepare_runs(const Search* search, const Node* node, Workspace* work) noexcept nogil:
    """Set what the kernels know of a node."""
    cdef const Rules* rules = &search.rules
    cdef const Targets* targets = &search.targets
    cdef tl_narrow_node* narrow = &work.narrow_node
    cdef tl_bounds* bounds = &work.bounds
    cdef int32_t c, n_classes = 0
    work.reader.is_narrow = search.is_narrow
    work.reader.class_shift = search.class_shift
    work.reader.index_mask = search.index_mask
    work.reader.labels = targets.labels
    work.reader.weights = NULL if targets.has_unit_weights else targets.weights
    bounds.n_samples = node.n_samples
    bounds.lowest = max(<int64_t> 1, rules.min_samples_leaf)
    bounds.weight = node.weight
    bounds.lowest_weight = rules.min_weight_leaf
    if targets.has_unit_weights:
        bounds.lowest = max(bounds.lowest, rules.min_weight_leaf)
    bounds.highest = node.n_samples - bounds.lowest
    work.terms.formula = rules.formula
    work.terms.order = rules.order
    work.terms.terms = search.count_terms
    work.terms.weight_terms = search.weight_terms
    work.terms.is_concave = search.is_concave
    if search.scan == SCAN_POWERS:
        prepare_trees(search, node, work)
    if not search.is_narrow or search.scan == SCAN_MOMENTS or search.scan == SCAN_POWERS:
        return
    narrow.n_samples = node.n_samples
    narrow.lowest = <int> min(bounds.lowest, <int64_t> node.n_samples)
    narrow.highest = node.n_samples - narrow.lowest
    narrow.square_sum = 0.0
    for c in range(targets.n_stats):
        if node.stats[c] > 0:
            narrow.code[n_classes] = <uint16_t> (c << 1)
            narrow.count[n_classes] = <float> node.stats[c]
            narrow.square_sum += <float> node.stats[c] * <float> node.stats[c]
            n_classes += 1
    narrow.n_classes = n_classes


cdef void prepare_trees(const Search* search, const Node* node, Workspace* work) noexcept nogil:
    """Give the classes present in a node their places in the trees of sums."""
    cdef tl_trees* trees = &work.trees
    cdef int32_t c
    trees.n_local = 0
    for c in range(search.targets.n_stats):
        if node.stats[c] > 0:
            work.local_class[c] = trees.n_local
            trees.n_local += 1
    trees.n_leaves = 1
    while trees.n_leaves < trees.n_local:
        trees.n_leaves *= 2
    trees.place = work.local_class
    trees.left = work.left_tree
    trees.right = work.right_tree
    trees.left_counts = work.local_counts
    trees.right_counts = work.right


cdef void add_run(
    const Search* search,
    const void* list,
    int32_t begin,
    int32_t end,
    tl_left* left,          # in, out
) noexcept nogil:
    """Add a run of entries to what stands on a side."""
    cdef int32_t i, sample
    cdef int64_t units
    cdef entry_t entry
    left.n += end - begin
    if search.targets.has_unit_weights:
        left.weight += end - begin
    if search.scan == SCAN_BINARY or search.scan == SCAN_BINARY_TERMS:
        for i in range(begin, end):
            left.stats[0] += class_of(search, entry_at(search, list, i))
        return
    for i in range(begin, end):
        entry = entry_at(search, list, i)
        sample = sample_of(search, entry)
        units = weight_of(search, sample)
        if not search.targets.has_unit_weights:
            left.weight += units
        if search.scan == SCAN_MOMENTS:
            left.stats[0] += search.targets.sums[sample]
        else:
            left.stats[class_of(search, entry)] += units


cdef void pass_run(
    const Search* search,
    const Node* node,
    const void* list,
    int32_t begin,
    int32_t end,
    int32_t shift_of_code,
    tl_left* left,          # on the left of the run; used up
    Workspace* work,
    Cut* cut,               # in, out
) noexcept nogil:
    """Search the cuts before the entries of a run."""
    cdef int32_t at = -1
    if search.scan == SCAN_BINARY and search.is_narrow:
        tl_scan_binary_narrow(
            search.simd, <const narrow_t*> list, begin, end, <int> left.n, <int> left.stats[0],
            &work.narrow_node, &cut.score, &at,
        )
    elif search.scan == SCAN_BINARY:
        tl_scan_binary_wide(
            search.simd, <const entry_t*> list, search.class_shift, begin, end, left.n,
            left.stats[0], <double> node.n_samples, <double> node.stats[1], work.bounds.lowest,
            work.bounds.highest, &cut.score, &at,
        )
    elif search.scan == SCAN_BINARY_TERMS:
        tl_scan_binary_terms(
            search.simd, &work.reader, list, begin, end, left.n, left.stats[0], node.stats[1],
            &work.bounds, &work.terms, &cut.score, &at,
        )
    elif search.scan == SCAN_POWERS:
        tl_scan_powers(
            &work.reader, list, begin, end, left, node.stats, search.targets.n_stats,
            &work.trees, &work.bounds, &work.terms, &cut.score, &at,
        )
    elif search.scan == SCAN_MOMENTS:
        tl_scan_moments(
            search.simd, &work.reader, list, begin, end, left, search.targets.sums,
            node.stats[0], &work.bounds, &cut.score, &at,
        )
    elif not (
        search.is_narrow
        and search.targets.has_unit_weights
        and tl_scan_classes_narrow(
            search.simd, <const narrow_t*> list, begin, end, <int> left.n, left.stats,
            &work.narrow_node, &cut.score, &at,
        )
    ):
        tl_scan_classes(
            &work.reader, list, begin, end, left, node.stats, search.targets.n_stats,
            &work.bounds, &cut.score, &at,
        )
    if at >= 0:
        cut.code = at + shift_of_code


cdef void try_cut(
    const Search* search,
    const Node* node,
    int32_t code,
    const tl_left* left,
    Workspace* work,
    Cut* cut,               # in, out
) noexcept nogil:
    """Take one cut that is not before an entry."""
    cdef double score, sum_left = 0.0, sum_right = 0.0
    cdef int32_t c
    if not tl_is_feasible(&work.bounds, left.n, left.weight):
        return
    if search.scan == SCAN_BINARY:
        score = tl_binary_score(
            <double> left.stats[0], <double> left.n, <double> node.stats[1],
            <double> node.n_samples,
        )
    elif search.scan == SCAN_BINARY_TERMS:
        score = tl_terms_score(
            search.rules.formula, search.rules.order, search.count_terms, search.weight_terms,
            left.n, left.stats[0], node.n_samples, node.stats[1],
        )
    elif search.scan == SCAN_POWERS:
        tl_fill_trees(
            &work.trees, search.count_terms, left.stats, node.stats, search.targets.n_stats
        )
        score = tl_power_score(
            search.rules.formula, search.rules.order, search.weight_terms, work.trees.left[1],
            work.trees.right[1], left.weight, node.weight,
        )
    elif search.scan == SCAN_MOMENTS:
        score = tl_moments_score(
            <double> left.stats[0], <double> (node.stats[0] - left.stats[0]),
            <double> left.weight, <double> node.weight,
            <double> node.stats[0] / <double> node.weight,
        )
    else:
        for c in range(search.targets.n_stats):
            sum_left += <double> left.stats[c] * <double> left.stats[c]
            sum_right += (
                <double> (node.stats[c] - left.stats[c]) * <double> (node.stats[c] - left.stats[c])
            )
        score = tl_sums_score(sum_left, sum_right, <double> left.weight, <double> node.weight)
    if score > cut.score:
        cut.score = score
        cut.code = code


cdef void set_rest(
    const Node* node,
    const int64_t* totals,
    int32_t n_stats,
    const tl_left* above,
    const tl_left* missing,
    tl_left* left,          # out
) noexcept nogil:
    """Set what stands left of the entries above: the node without those and the missing."""
    cdef int32_t i
    left.n = node.n_samples - above.n - missing.n
    left.weight = node.weight - above.weight - missing.weight
    for i in range(n_stats):
        left.stats[i] = totals[i] - above.stats[i] - missing.stats[i]


cdef inline void set_empty(tl_left* left, int64_t* stats, int32_t n_stats) noexcept nogil:
    left.n = left.weight = 0
    left.stats = stats
    memset(stats, 0, n_stats * sizeof(int64_t))


cdef inline void set_copy(tl_left* left, const tl_left* other, int32_t n_stats) noexcept nogil:
    left.n = other.n
    left.weight = other.weight
    memcpy(left.stats, other.stats, n_stats * sizeof(int64_t))


cdef void scan_runs(
    const Search* search,
    const Node* node,
    const void* list,
    const Segment* segment,
    Workspace* work,
    Split* best,            # in: a score to beat; out
    int32_t* best_code,     # in, out: code of the best cut, see _scan.pyx; -1: none
) noexcept nogil:
    """Search one feature that varies in the node."""
    cdef int32_t n_below = segment.n_below
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_missing = segment.n_missing
    cdef int32_t n_default = node.n_samples - n_stored - n_missing
    cdef int32_t code_shift = 1 if n_default > 0 else 0
    cdef bint has_one = search.scan == SCAN_BINARY or search.scan == SCAN_BINARY_TERMS
    cdef int32_t n_stats = search.targets.n_stats
    cdef const int64_t* totals = node.stats
    cdef tl_left left, above, missing, none
    cdef int32_t side
    cdef Cut cut
    if has_one:
        totals = node.stats + 1
    if has_one or search.scan == SCAN_MOMENTS:
        n_stats = 1
    if n_default == 0:
        n_below = n_stored
    set_empty(&left, work.left, n_stats)
    if n_default > 0 or n_missing > 0:
        set_empty(&missing, work.missing, n_stats)
        set_empty(&none, work.nothing, n_stats)
        add_run(search, list, n_stored, n_stored + n_missing, &missing)
    if n_default > 0:
        set_empty(&above, work.above, n_stats)
        add_run(search, list, n_below, n_stored, &above)
    for side in range(2 if n_missing > 0 else 1):
        cut.code = -1
        # Of equal scores the lower code wins, so the second side must find them too.
        cut.score = best.score if best_code[0] < 0 else nextafter(best.score, -INFINITY)
        if side == 1:
            set_copy(&left, &missing, n_stats)
        if n_below > 0:
            # Nothing lies to the left of the first value: no cut before it.
            add_run(search, list, 0, 1, &left)
            pass_run(search, node, list, 1, n_below, 0, &left, work, &cut)
        if n_default > 0:
            if n_below > 0:
                # The cut below the default value.
                if side == 1:
                    set_copy(&left, &missing, n_stats)
                else:
                    set_empty(&left, work.left, n_stats)
                add_run(search, list, 0, n_below, &left)
                try_cut(search, node, n_below, &left, work, &cut)
            if segment.n_above > 0:
                set_rest(node, totals, n_stats, &above, &none if side == 1 else &missing, &left)
                pass_run(search, node, list, n_below, n_stored, code_shift, &left, work, &cut)
        if n_missing > 0 and side == 0:
            set_rest(node, totals, n_stats, &none, &missing, &left)
            try_cut(search, node, n_stored + code_shift, &left, work, &cut)
        if cut.code >= 0 and (
            best_code[0] < 0 or cut.score > best.score or cut.code < best_code[0]
        ):
            best.score = cut.score
            best.tie_score = 0.0
            best.feature = segment.feature
            best.missing_goes_left = side == 1
            best_code[0] = cut.code
