"""Passing entries from the right side of a cut to the left, by the three kinds of statistics.

Every sweep writes the state before an entry into the waiting candidates and keeps it where the
entry's start bit is set; full blocks are scored at once.
"""

from ._block cimport offer, score_block
from ._largest cimport pass_largest, sweep_largest
from ._pass cimport BINARY, LARGEST, MOMENTS, SUMS, Sweep, class_of, sample_of, weight_of
from ._types cimport *
from ._workspace cimport BLOCK, Workspace

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI, TL_GAUSSIAN


cdef void fill_trees(const Search* search, Workspace* work, Sweep* sweep) noexcept nogil:
    """Set both power sums from the class counts of the left side."""
    cdef int32_t c, leaf, n_leaves = work.n_tree_leaves
    cdef const double* terms = search.count_terms
    cdef double sum_left = 0.0, sum_right = 0.0
    for c in range(work.n_local):
        work.right[c] = work.local_counts[c] - work.left[c]
    if search.rules.formula == TL_GINI:
        for c in range(work.n_local):
            sum_left += <double> work.left[c] * <double> work.left[c]
            sum_right += <double> work.right[c] * <double> work.right[c]
        sweep.sum_left = sum_left
        sweep.sum_right = sum_right
        return
    for c in range(n_leaves):
        work.left_tree[n_leaves + c] = terms[work.left[c]] if c < work.n_local else 0.0
        work.right_tree[n_leaves + c] = terms[work.right[c]] if c < work.n_local else 0.0
    for leaf in range(n_leaves - 1, 0, -1):
        work.left_tree[leaf] = work.left_tree[2 * leaf] + work.left_tree[2 * leaf + 1]
        work.right_tree[leaf] = work.right_tree[2 * leaf] + work.right_tree[2 * leaf + 1]


cdef void sweep_binary(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    int32_t begin,
    int32_t end,
    const Segment* segment,
    Workspace* work,
    Sweep* sweep,
    int32_t shift_of_code,
    Split* best,
    int32_t* best_code,
) noexcept nogil:
    """Pass entries of two classes of unit weight, without a branch on the data."""
    cdef int32_t* position = work.position
    cdef double* weight_left = work.weight_left
    cdef double* ones_left = work.sum_left
    cdef int class_shift = search.class_shift
    cdef int64_t ones = sweep.ones
    cdef int64_t weight = sweep.weight_left - begin
    cdef int32_t i = begin, stop
    cdef int m = sweep.n_candidates
    cdef entry_t entry
    while i < end:
        stop = min(end, i + BLOCK - m)
        while i < stop:
            entry = entries[i]
            # Written always, kept only when the value changes here.
            position[m] = i + shift_of_code
            weight_left[m] = <double> (weight + i)
            ones_left[m] = <double> ones
            m += entry & 1
            ones += entry >> class_shift
            i += 1
        sweep.n_candidates = m
        if m == BLOCK or i < end:
            score_block(search, node, segment, work, sweep, best, best_code)
            m = 0
    sweep.ones = ones
    sweep.weight_left = weight + end


cdef void sweep_moments(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    int32_t begin,
    int32_t end,
    const Segment* segment,
    Workspace* work,
    Sweep* sweep,
    int32_t shift_of_code,
    Split* best,
    int32_t* best_code,
) noexcept nogil:
    """Pass entries in regression, without a branch on the data."""
    cdef const int64_t* sums = search.targets.sums
    cdef const int64_t* square_sums = search.targets.square_sums
    cdef const int64_t* weights = search.targets.weights
    cdef bint has_unit_weights = search.targets.has_unit_weights
    cdef bint has_squares = search.rules.formula == TL_GAUSSIAN
    cdef uint32_t index_mask = search.index_mask
    cdef int32_t* position = work.position
    cdef double* weight_left = work.weight_left
    cdef double* sum_left = work.sum_left
    cdef double* sum_right = work.sum_right
    cdef double* square_left = work.square_left
    cdef double* square_right = work.square_right
    cdef int64_t total = node.stats[0]
    cdef int64_t square_total = node.stats[1]
    cdef int64_t moment = sweep.moment_left
    cdef int64_t square = sweep.square_left
    cdef int64_t weight = sweep.weight_left
    cdef int32_t i = begin, stop
    cdef int m = sweep.n_candidates
    cdef entry_t entry
    cdef uint32_t sample
    while i < end:
        stop = min(end, i + BLOCK - m)
        while i < stop:
            entry = entries[i]
            sample = (entry & index_mask) >> 1
            position[m] = i + shift_of_code
            weight_left[m] = <double> weight
            # Both sides are rounded from whole numbers: mirrored cuts score alike to the bit.
            sum_left[m] = <double> moment
            sum_right[m] = <double> (total - moment)
            if has_squares:
                square_left[m] = <double> square
                square_right[m] = <double> (square_total - square)
                square += square_sums[sample]
            m += entry & 1
            moment += sums[sample]
            weight += 1 if has_unit_weights else weights[sample]
            i += 1
        sweep.n_candidates = m
        if m == BLOCK or i < end:
            score_block(search, node, segment, work, sweep, best, best_code)
            m = 0
    sweep.moment_left = moment
    sweep.square_left = square
    sweep.weight_left = weight


cdef void sweep_sums(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    int32_t begin,
    int32_t end,
    const Segment* segment,
    Workspace* work,
    Sweep* sweep,
    int32_t shift_of_code,
    Split* best,
    int32_t* best_code,
) noexcept nogil:
    """Pass entries of classes of whole weight, keeping the power sums of both sides."""
    cdef const double* terms = search.count_terms
    cdef bint is_gini = search.rules.formula == TL_GINI
    cdef bint has_unit_weights = search.targets.has_unit_weights
    cdef const int64_t* weights = search.targets.weights
    cdef const int32_t* local_class = work.local_class
    cdef int64_t* left = work.left
    cdef int64_t* right = work.right
    cdef int32_t* position = work.position
    cdef double* weight_left = work.weight_left
    cdef double* sum_left = work.sum_left
    cdef double* sum_right = work.sum_right
    cdef double left_sum, right_sum
    cdef int64_t weight = sweep.weight_left, units = 1
    cdef int32_t i = begin, stop, local, n_leaves = work.n_tree_leaves
    cdef int m = sweep.n_candidates
    cdef entry_t entry
    left_sum = sweep.sum_left if is_gini else work.left_tree[1]
    right_sum = sweep.sum_right if is_gini else work.right_tree[1]
    while i < end:
        stop = min(end, i + BLOCK - m)
        while i < stop:
            entry = entries[i]
            position[m] = i + shift_of_code
            weight_left[m] = <double> weight
            sum_left[m] = left_sum
            sum_right[m] = right_sum
            m += entry & 1
            local = local_class[class_of(search, entry)]
            if not has_unit_weights:
                units = weights[sample_of(search, entry)]
            weight += units
            if is_gini:
                # (count + w)^2 - count^2, exact: below 2^53
                left_sum += <double> (units * (2 * left[local] + units))
                right_sum -= <double> (units * (2 * right[local] - units))
                left[local] += units
                right[local] -= units
            else:
                left[local] += units
                right[local] -= units
                set_term(work.left_tree, n_leaves + local, terms[left[local]])
                set_term(work.right_tree, n_leaves + local, terms[right[local]])
                left_sum = work.left_tree[1]
                right_sum = work.right_tree[1]
            i += 1
        sweep.n_candidates = m
        if m == BLOCK or i < end:
            score_block(search, node, segment, work, sweep, best, best_code)
            m = 0
    sweep.sum_left = left_sum
    sweep.sum_right = right_sum
    sweep.weight_left = weight


cdef void pass_entry(
    const Search* search, entry_t entry, Workspace* work, Sweep* sweep
) noexcept nogil:
    """Move one entry from the right to the left."""
    cdef const Targets* targets = &search.targets
    cdef int32_t sample, local, output
    cdef int64_t units, count
    if sweep.method == BINARY:
        sweep.ones += entry >> search.class_shift
        sweep.weight_left += 1
        return
    if sweep.method == LARGEST:
        pass_largest(search, entry, work, sweep)
        return
    sample = sample_of(search, entry)
    units = weight_of(search, sample)
    sweep.weight_left += units
    if sweep.method == SUMS:
        local = work.local_class[class_of(search, entry)]
        count = work.left[local]
        if search.rules.formula == TL_GINI:
            # (count + w)^2 - count^2, exact: below 2^53
            sweep.sum_left += <double> (units * (2 * count + units))
            sweep.sum_right -= <double> (units * (2 * work.right[local] - units))
            work.left[local] = count + units
            work.right[local] -= units
        else:
            work.left[local] = count + units
            work.right[local] -= units
            set_term(
                work.left_tree, work.n_tree_leaves + local, search.count_terms[work.left[local]]
            )
            set_term(
                work.right_tree, work.n_tree_leaves + local, search.count_terms[work.right[local]]
            )
    elif sweep.method == MOMENTS:
        sweep.moment_left += targets.sums[sample]
        if search.rules.formula == TL_GAUSSIAN:
            sweep.square_left += targets.square_sums[sample]
    elif targets.is_classification:
        for output in range(targets.n_outputs):
            work.left[
                targets.class_starts[output] + targets.labels[output * targets.n_total + sample]
            ] += units
    else:
        for output in range(targets.n_outputs):
            work.left[2 * output] += targets.sums[output * targets.n_total + sample]
            work.left[2 * output + 1] += targets.square_sums[output * targets.n_total + sample]


cdef void sweep_entries(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    int32_t begin,
    int32_t end,
    const Segment* segment,
    Workspace* work,
    Sweep* sweep,
    int32_t shift_of_code,
    Split* best,
    int32_t* best_code,
) noexcept nogil:
    """Pass a range of entries; every start bit offers a cut before its entry."""
    cdef int32_t i
    if sweep.method == BINARY:
        sweep_binary(
            search, node, entries, begin, end, segment, work, sweep, shift_of_code, best,
            best_code,
        )
        return
    if sweep.method == MOMENTS:
        sweep_moments(
            search, node, entries, begin, end, segment, work, sweep, shift_of_code, best,
            best_code,
        )
        return
    if sweep.method == LARGEST:
        sweep_largest(
            search, node, entries, begin, end, segment, work, sweep, shift_of_code, best,
            best_code,
        )
        return
    if sweep.method == SUMS:
        sweep_sums(
            search, node, entries, begin, end, segment, work, sweep, shift_of_code, best,
            best_code,
        )
        return
    for i in range(begin, end):
        if entries[i] & 1:
            offer(search, node, segment, work, sweep, i + shift_of_code, best, best_code)
        pass_entry(search, entries[i], work, sweep)
