"""The best cut of one feature by absolute error.

The cost of a side is the sum of the distances to its weighted median. Two sweeps over the
samples, as the feature orders them, give every prefix and every suffix its cost: the median of
those that are left moves by a step when one goes.
"""

from libc.string cimport memset

from ._block cimport is_constrained, is_in_order
from ._pass cimport weight_of
from ._sorting cimport sort_pairs
from ._types cimport *
from ._workspace cimport Workspace


cdef void rank_targets(
    const Search* search, const Node* node, const int32_t* samples, Workspace* work
) noexcept nogil:
    """Number the samples of a node by target, for every output, from 0."""
    cdef const Targets* targets = &search.targets
    cdef int32_t i, output
    cdef int64_t row
    for output in range(targets.n_outputs):
        row = output * targets.n_total
        for i in range(node.n_samples):
            work.pairs[i] = (
                <uint64_t> search.y_ranks[row + samples[i]] << 32
            ) | <uint32_t> samples[i]
        sort_pairs(work.pairs, work.spare_pairs, node.n_samples)
        for i in range(node.n_samples):
            work.local_rank[row + <int64_t> <uint32_t> work.pairs[i]] = i


cdef void sweep_costs(
    const Search* search,
    int32_t output,
    const int32_t* order,
    int32_t n,
    int step,            # 1: prefixes, costs[i + 1] of the first i + 1; -1: suffixes, costs[i]
    Workspace* work,
    double* costs,       # in, out: the cost is added
    double* medians,     # out
) noexcept nogil:
    """Add the cost of every prefix, or of every suffix, of an order of samples.

    Samples leave one by one from where the prefixes or suffixes end. Those that stay are linked by
    rank, and their median moves from link to link.
    """
    cdef const Targets* targets = &search.targets
    cdef int64_t row = output * targets.n_total
    cdef const double* y = targets.y + row
    cdef const int64_t* sums = targets.sums + row
    cdef int32_t* by_rank = <int32_t*> work.spare_pairs
    cdef int32_t* before = work.links
    cdef int32_t* behind = work.links + n
    cdef int64_t total_weight = 0, total_sum = 0, weight_low = 0, sum_low = 0, units
    cdef int32_t i, k, rank, middle = 0, at
    cdef double other
    for i in range(n):
        by_rank[work.local_rank[row + order[i]]] = order[i]
        total_weight += weight_of(search, order[i])
        total_sum += sums[order[i]]
    for k in range(n):
        before[k] = k - 1
        behind[k] = k + 1
    for i in range(n):
        # The smallest rank up to which at least half of the weight lies.
        while 2 * (weight_low + weight_of(search, by_rank[middle])) < total_weight:
            weight_low += weight_of(search, by_rank[middle])
            sum_low += sums[by_rank[middle]]
            middle = behind[middle]
        while 2 * weight_low >= total_weight:
            middle = before[middle]
            weight_low -= weight_of(search, by_rank[middle])
            sum_low -= sums[by_rank[middle]]
        # Distances to any point between the two middle targets add up to the same.
        other = (
            (y[by_rank[middle]] - targets.centres[output]) / targets.sum_unit
            * targets.weight_unit
        )
        at = n - 1 - i if step > 0 else i
        costs[at + 1 if step > 0 else at] += (
            <double> (total_sum - 2 * sum_low)
            + other * <double> (weight_low - (total_weight - weight_low))
        )
        if search.rules.monotonic != NULL:
            units = weight_of(search, by_rank[middle])
            medians[at + 1 if step > 0 else at] = y[by_rank[middle]] if (
                2 * (weight_low + units) != total_weight
            ) else y[by_rank[middle]] / 2.0 + y[by_rank[behind[middle]]] / 2.0
        rank = work.local_rank[row + order[at]]
        units = weight_of(search, order[at])
        total_weight -= units
        total_sum -= sums[order[at]]
        if rank < middle:
            weight_low -= units
            sum_low -= sums[order[at]]
        elif rank == middle and behind[middle] < n:
            middle = behind[middle]
        elif rank == middle and before[middle] >= 0:
            middle = before[middle]
            weight_low -= weight_of(search, by_rank[middle])
            sum_low -= sums[by_rank[middle]]
        if before[rank] >= 0:
            behind[before[rank]] = behind[rank]
        if behind[rank] < n:
            before[behind[rank]] = before[rank]


cdef int32_t write_order(
    const Search* search,
    const Node* node,
    const int32_t* samples,
    const entry_t* entries,
    const Segment* segment,
    bint missing_goes_left,
    Workspace* work,
) noexcept nogil:
    """Write the samples in the order of one feature; return how many have its default value."""
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_listed = n_stored + segment.n_missing
    cdef int32_t i, n = 0
    cdef int32_t* order = work.order
    if missing_goes_left:
        for i in range(n_stored, n_listed):
            order[n] = <int32_t> ((entries[i] & search.index_mask) >> 1)
            n += 1
    for i in range(segment.n_below):
        order[n] = <int32_t> ((entries[i] & search.index_mask) >> 1)
        n += 1
    if n_listed < node.n_samples:
        for i in range(n_listed):
            work.marks[(entries[i] & search.index_mask) >> 1] = 1
        for i in range(node.n_samples):
            if not work.marks[samples[i]]:
                order[n] = samples[i]
                n += 1
        for i in range(n_listed):
            work.marks[(entries[i] & search.index_mask) >> 1] = 0
    for i in range(segment.n_below, n_stored if missing_goes_left else n_listed):
        order[n] = <int32_t> ((entries[i] & search.index_mask) >> 1)
        n += 1
    return node.n_samples - n_listed


cdef void fill_costs(
    const Search* search, const Node* node, Workspace* work
) noexcept nogil:
    """Cost of every prefix and suffix of work.order, summed over the outputs."""
    cdef int32_t n = node.n_samples
    cdef int32_t output
    memset(work.costs, 0, 2 * (n + 1) * sizeof(double))
    for output in range(search.targets.n_outputs):
        sweep_costs(
            search, output, work.order, n, 1, work, work.costs, work.costs + 2 * (n + 1)
        )
        sweep_costs(
            search, output, work.order, n, -1, work, work.costs + n + 1, work.costs + 3 * (n + 1)
        )


cdef bint score_order(
    const Search* search,
    const Node* node,
    int32_t feature,
    int32_t n_left,         # the first samples of work.order, whose costs are filled
    int64_t weight_left,
    Workspace* work,
    double* score,          # out
) noexcept nogil:
    """Score one cut of work.order; return False where a rule forbids it."""
    cdef const Rules* rules = &search.rules
    cdef int32_t n = node.n_samples
    cdef int64_t weight_right = node.weight - weight_left
    if n_left < rules.min_samples_leaf or n - n_left < rules.min_samples_leaf:
        return False
    if weight_left < rules.min_weight_leaf or weight_right < rules.min_weight_leaf:
        return False
    # Behind the costs stand the medians.
    if is_constrained(search, feature) and not is_in_order(
        search, node, feature, work.costs[2 * (n + 1) + n_left], work.costs[3 * (n + 1) + n_left]
    ):
        return False
    score[0] = -(work.costs[n_left] + work.costs[n + 1 + n_left])
    return True


cdef bint score_cut_absolute(
    const Search* search,
    const Node* node,
    const int32_t* samples,
    const entry_t* entries,
    const Segment* segment,
    bint missing_goes_left,
    int32_t n_left,
    int64_t weight_left,
    Workspace* work,
    double* score,          # out
) noexcept nogil:
    """Score a single cut of a feature; return False where a rule forbids it."""
    write_order(search, node, samples, entries, segment, missing_goes_left, work)
    fill_costs(search, node, work)
    return score_order(search, node, segment.feature, n_left, weight_left, work, score)


cdef bint scan_feature_absolute(
    const Search* search,
    const Node* node,
    const int32_t* samples,
    const entry_t* entries,
    const Segment* segment,
    Workspace* work,
    Split* best,            # in: without a feature; out
) noexcept nogil:
    """Search one feature; return False when it is constant in the node."""
    cdef int32_t n = node.n_samples
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_missing = segment.n_missing
    cdef int32_t n_default = n - n_stored - n_missing
    cdef int32_t side, cut, i, offset, n_candidates = 0
    cdef double score
    cdef int64_t weight_left
    cdef bint is_cut
    if n == n_missing:
        return False
    for side in range(2 if n_missing > 0 else 1):
        write_order(search, node, samples, entries, segment, side == 1, work)
        fill_costs(search, node, work)
        offset = n_missing if side == 1 else 0
        weight_left = 0
        for i in range(offset):
            weight_left += weight_of(search, work.order[i])
        # cut: how many samples with a value lie to its left
        for cut in range(1, n - n_missing + 1):
            weight_left += weight_of(search, work.order[offset + cut - 1])
            if cut == n - n_missing:
                is_cut = n_missing > 0 and side == 0
            elif cut < segment.n_below:
                is_cut = entries[cut] & 1
            elif cut == segment.n_below:
                is_cut = True
            elif cut < segment.n_below + n_default:
                is_cut = False
            elif cut == segment.n_below + n_default:
                is_cut = True
            else:
                is_cut = entries[cut - n_default] & 1
            if not is_cut:
                continue
            n_candidates += 1
            if not score_order(
                search, node, segment.feature, offset + cut, weight_left, work, &score
            ):
                continue
            if best.feature < 0 or score > best.score or (
                # Of equal cuts the one with the lower threshold.
                score == best.score and cut < best.n_stored_left
            ):
                best.feature = segment.feature
                best.score = score
                best.tie_score = 0.0
                best.missing_goes_left = side == 1
                best.n_stored_left = cut
    if best.feature >= 0:
        cut = best.n_stored_left
        best.default_goes_left = n_default > 0 and cut >= segment.n_below + n_default
        if best.default_goes_left:
            best.n_stored_left = cut - n_default
    return n_candidates > 0
