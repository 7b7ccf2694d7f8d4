"""The best cut of one feature by absolute error.

The cost of a side is the sum of the distances to its weighted median. Two sweeps over the
samples, as the feature orders them, keep weights and sums by rank of the target in a Fenwick
tree: every prefix and every suffix gets its cost in O(log n).
"""

from libc.string cimport memset

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
    """Add the cost of every prefix, or of every suffix, of an order of samples."""
    cdef const Targets* targets = &search.targets
    cdef int64_t row = output * targets.n_total
    cdef const double* y = targets.y + row
    cdef const int64_t* sums = targets.sums + row
    cdef int64_t* weights = work.fenwick
    cdef int64_t* moments = work.fenwick + n + 1
    cdef int64_t units, total_weight = 0, total_sum = 0, weight_low, sum_low, weight_high
    cdef int32_t i, k, sample, position, place, bit, highest_bit = 1, at
    cdef int32_t* by_rank = <int32_t*> work.spare_pairs
    cdef double median, other
    while 2 * highest_bit <= n:
        highest_bit *= 2
    memset(work.fenwick, 0, 2 * (n + 1) * sizeof(int64_t))
    for i in range(n):
        by_rank[work.local_rank[row + order[i]]] = order[i]
    for i in range(n):
        at = i if step > 0 else n - 1 - i
        sample = order[at]
        units = 1 if targets.has_unit_weights else targets.weights[sample]
        total_weight += units
        total_sum += sums[sample]
        position = work.local_rank[row + sample] + 1
        while position <= n:
            weights[position] += units
            moments[position] += sums[sample]
            position += position & -position
        # The smallest rank up to which at least half of the weight lies.
        place = 0
        weight_low = sum_low = 0
        bit = highest_bit
        while bit > 0:
            k = place + bit
            if k <= n and 2 * (weight_low + weights[k]) < total_weight:
                place = k
                weight_low += weights[k]
                sum_low += moments[k]
            bit >>= 1
        sample = by_rank[place]
        median = y[sample]
        # Distances to any point between the two middle targets add up to the same.
        weight_high = total_weight - weight_low
        other = (median - targets.centres[output]) / targets.sum_unit * targets.weight_unit
        costs[at + 1 if step > 0 else at] += (
            <double> (total_sum - 2 * sum_low) + other * <double> (weight_low - weight_high)
        )
        if search.rules.monotonic != NULL:
            medians[at + 1 if step > 0 else at] = middle_target(
                y, by_rank, work, n, place, 2 * (weight_low + weight_at(weights, place + 1))
                == total_weight
            )


cdef int64_t weight_at(const int64_t* weights, int32_t position) noexcept nogil:
    """Return one element of a Fenwick tree."""
    cdef int64_t total = weights[position]
    cdef int32_t stop = position - (position & -position)
    position -= 1
    while position > stop:
        total -= weights[position]
        position -= position & -position
    return total


cdef double middle_target(
    const double* y,
    const int32_t* by_rank,
    Workspace* work,
    int32_t n,
    int32_t place,
    bint has_second,
) noexcept nogil:
    """Return the median at a rank, half-way to the next target present where it lies between."""
    cdef int32_t next_place = place + 1
    if has_second:
        while next_place < n and weight_at(work.fenwick, next_place + 1) == 0:
            next_place += 1
        return y[by_rank[place]] / 2.0 + y[by_rank[next_place]] / 2.0
    return y[by_rank[place]]


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
    cdef double left, right
    cdef int8_t direction
    if n_left < rules.min_samples_leaf or n - n_left < rules.min_samples_leaf:
        return False
    if weight_left < rules.min_weight_leaf or weight_right < rules.min_weight_leaf:
        return False
    if rules.monotonic != NULL and rules.monotonic[feature] != 0:
        direction = rules.monotonic[feature]
        left = work.costs[2 * (n + 1) + n_left]
        right = work.costs[3 * (n + 1) + n_left]
        if (left - right) * direction > 0:
            return False
        if min(left, right) < node.lower_bound or max(left, right) > node.upper_bound:
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


cdef inline int64_t weight_of(const Search* search, int32_t sample) noexcept nogil:
    return 1 if search.targets.has_unit_weights else search.targets.weights[sample]
