"""Passing entries by misclassification: the largest class of either side, in whole weights.

Most cuts of a node have the same few sums of largest classes, so it is the second criterion,
Shannon's, that takes the time. It is asked for cuts only that are as good as the best so far.
"""

from ._pass cimport Sweep, class_of, keep_better, n_left_of, sample_of, weight_of
from ._statistics cimport side_score
from ._types cimport *
from ._workspace cimport Workspace

# By how much a sum of terms may miss the score, as a share of the node's weight.
cdef double MARGIN = 1e-9


cdef inline void find_right(
    const Search* search, const int64_t* right, Sweep* sweep
) noexcept nogil:
    """Set the largest class of the right side and the second."""
    cdef int64_t largest = 0, second = 0
    cdef int32_t c
    for c in range(search.targets.n_stats):
        second = max(second, min(largest, right[c]))
        largest = max(largest, right[c])
    sweep.largest_right = largest
    sweep.second_right = second


cdef void set_largest(
    const Search* search, const Node* node, Workspace* work, Sweep* sweep
) noexcept nogil:
    """Set what is known of both sides from the classes of the left one."""
    cdef int32_t c
    sweep.largest_left = 0
    for c in range(search.targets.n_stats):
        work.right[c] = node.stats[c] - work.left[c]
        sweep.largest_left = max(sweep.largest_left, work.left[c])
    find_right(search, work.right, sweep)


cdef void pass_largest(
    const Search* search, entry_t entry, Workspace* work, Sweep* sweep
) noexcept nogil:
    """Move one entry from the right to the left."""
    cdef int32_t c = class_of(search, entry)
    cdef int64_t units = weight_of(search, sample_of(search, entry))
    cdef int64_t before = work.right[c]
    sweep.weight_left += units
    work.left[c] += units
    work.right[c] = before - units
    sweep.largest_left = max(sweep.largest_left, work.left[c])
    if before == sweep.largest_right:
        # Invariant: no class but the largest has more than second_right.
        if work.right[c] >= sweep.second_right:
            sweep.largest_right = work.right[c]
        else:
            find_right(search, work.right, sweep)


cdef void offer_largest(
    const Search* search,
    const Node* node,
    const Segment* segment,
    Workspace* work,
    Sweep* sweep,
    int32_t code,
    Split* best,
    int32_t* best_code,
) noexcept nogil:
    """Take the present state as a candidate."""
    cdef const Rules* rules = &search.rules
    cdef const double* terms = search.tie_terms
    cdef double score = <double> (sweep.largest_left + sweep.largest_right)
    cdef double left = 0.0, right = 0.0
    cdef int64_t n_left = n_left_of(sweep, code)
    cdef int64_t weight_right = node.weight - sweep.weight_left
    cdef int32_t c
    if (
        score < best.score
        or min(n_left, node.n_samples - n_left) < rules.min_samples_leaf
        or min(sweep.weight_left, weight_right) < rules.min_weight_leaf
    ):
        return
    for c in range(search.targets.n_stats):
        left += terms[work.left[c]]
        right += terms[work.right[c]]
    left -= terms[sweep.weight_left]
    right -= terms[weight_right]
    if score == best.score and left + right < best.tie_score - MARGIN * <double> node.weight:
        return
    # The terms tell what cannot win; what decides is the one way in which every engine scores.
    left = side_score(
        search, work.left, sweep.weight_left, node.stats, node.weight, work.counts, True
    )
    right = side_score(
        search, work.right, weight_right, node.stats, node.weight, work.counts, True
    )
    keep_better(best, segment, sweep, code, score, left + right, best_code)


cdef void sweep_largest(
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
    """Pass a range of entries."""
    cdef int32_t i
    for i in range(begin, end):
        if entries[i] & 1 and sweep.largest_left + sweep.largest_right >= best.score:
            offer_largest(
                search, node, segment, work, sweep, i + shift_of_code, best, best_code
            )
        pass_largest(search, entries[i], work, sweep)
