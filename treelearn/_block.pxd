from ._pass cimport Sweep
from ._types cimport *
from ._workspace cimport Workspace

cdef inline bint is_constrained(const Search* search, int32_t feature) noexcept nogil:
    """Return whether the values of a feature's cuts must grow or fall with it."""
    return search.rules.monotonic != NULL and search.rules.monotonic[feature] != 0


cdef inline bint is_in_order(
    const Search* search, const Node* node, int32_t feature, double left, double right
) noexcept nogil:
    """Return whether the values of both sides obey a feature's constraint and the bounds."""
    return not (
        (left - right) * search.rules.monotonic[feature] > 0
        or min(left, right) < node.lower_bound
        or max(left, right) > node.upper_bound
    )


cdef void offer(
    const Search* search, const Node* node, const Segment* segment, Workspace* work,
    Sweep* sweep, int32_t code, Split* best, int32_t* best_code,
) noexcept nogil
cdef void score_block(
    const Search* search, const Node* node, const Segment* segment, Workspace* work,
    Sweep* sweep, Split* best, int32_t* best_code,
) noexcept nogil
cdef bint is_feasible(
    const Search* search, const Node* node, int32_t feature, const int64_t* left,
    int64_t weight_left, int64_t n_left, int64_t* right,
) noexcept nogil
cdef double score_stats(
    const Search* search, const Node* node, const int64_t* left, int64_t weight_left,
    const int64_t* right, double* counts, double* tie_score,
) noexcept nogil
