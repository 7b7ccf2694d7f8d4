"""Scores of candidate cuts: one at a time from statistics vectors, or a block in one loop."""

from libc.math cimport rint

from ._largest cimport offer_largest
from ._pass cimport (
    BINARY,
    LARGEST,
    MOMENTS,
    PLAIN,
    SUMS,
    Sweep,
    keep_better,
    n_left_of,
)
from ._statistics cimport side_score
from ._types cimport *
from ._workspace cimport BLOCK, Workspace

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI, TL_POISSON, TL_GAUSSIAN

cdef extern from "native/block.h" nogil:
    void tl_gini_binary(const double*, const double*, double, double, int, int, double*)
    void tl_gini_sums(const double*, const double*, const double*, double, int, int, double*)
    void tl_score_sums(
        int, double, const double*, const double*, const double*, double, const double*, int, int,
        double*
    )
    void tl_poisson(
        const double*, const double*, const double*, double, double, int, int, double*
    )
    void tl_gaussian(
        const double*, const double*, const double*, const double*, const double*, double, double,
        double, double, int, int, double*
    )
    void tl_squared_error(
        const double*, const double*, const double*, double, double, int, int, double*
    )

cdef enum:
    # Scores that decide ties by Shannon's are compared in steps of this share of the node's
    # weight, so that "equal" is an equivalence.
    STEPS_PER_WEIGHT = 1099511627776  # 2^40


cdef bint is_feasible(
    const Search* search,
    const Node* node,
    int32_t feature,
    const int64_t* left,
    int64_t weight_left,
    int64_t n_left,
    int64_t* right,         # out
) noexcept nogil:
    """Apply the rules that a single cut must obey, and derive the right side."""
    cdef const Targets* targets = &search.targets
    cdef const Rules* rules = &search.rules
    cdef int64_t weight_right = node.weight - weight_left
    cdef int32_t i, output
    if n_left < rules.min_samples_leaf or node.n_samples - n_left < rules.min_samples_leaf:
        return False
    if weight_left < rules.min_weight_leaf or weight_right < rules.min_weight_leaf:
        return False
    for i in range(targets.n_stats):
        right[i] = node.stats[i] - left[i]
    if rules.formula == TL_POISSON:
        for output in range(targets.n_outputs):
            if left[2 * output] <= 0 or right[2 * output] <= 0:
                return False
    return not is_constrained(search, feature) or is_monotonic(
        search, node, feature, <double> left[0], <double> weight_left, <double> right[0],
        <double> weight_right,
    )


cdef bint is_monotonic(
    const Search* search,
    const Node* node,
    int32_t feature,
    double left,            # count of class 0, or sum
    double weight_left,
    double right,
    double weight_right,
) noexcept nogil:
    """Return whether the values of both sides obey a feature's constraint."""
    cdef const Targets* targets = &search.targets
    return is_in_order(
        search, node, feature, mean_value(targets, left, weight_left),
        mean_value(targets, right, weight_right),
    )


cdef inline double mean_value(const Targets* targets, double sum, double weight) noexcept nogil:
    """Value that monotonic constraints compare: the share of class 0, or the mean."""
    if targets.is_classification:
        return sum / weight
    return targets.centres[0] + sum * targets.sum_unit / (weight * targets.weight_unit)


cdef double score_stats(
    const Search* search,
    const Node* node,
    const int64_t* left,
    int64_t weight_left,
    const int64_t* right,
    double* counts,         # scratch
    double* tie_score,      # out
) noexcept nogil:
    """Score a cut from the statistics vectors of its sides."""
    cdef int64_t weight_right = node.weight - weight_left
    cdef double score = side_score(
        search, left, weight_left, node.stats, node.weight, counts, False
    ) + side_score(search, right, weight_right, node.stats, node.weight, counts, False)
    tie_score[0] = 0.0
    if search.rules.shannon_ties:
        score = rint(score / <double> node.weight * STEPS_PER_WEIGHT)
        tie_score[0] = side_score(
            search, left, weight_left, node.stats, node.weight, counts, True
        ) + side_score(search, right, weight_right, node.stats, node.weight, counts, True)
    return score


cdef void score_block(
    const Search* search,
    const Node* node,
    const Segment* segment,
    Workspace* work,
    Sweep* sweep,
    Split* best,
    int32_t* best_code,
) noexcept nogil:
    """Score the waiting candidates and keep the best of them."""
    cdef const Targets* targets = &search.targets
    cdef int formula = search.rules.formula
    cdef double order = search.rules.order
    cdef const double* terms = search.count_terms
    cdef const double* weight_terms = search.weight_terms
    cdef double* weight_left = work.weight_left
    cdef double* sum_left = work.sum_left
    cdef double* sum_right = work.sum_right
    cdef double* score = work.score
    cdef double weight = <double> node.weight
    cdef double min_weight = <double> search.rules.min_weight_leaf
    cdef int64_t min_samples = search.rules.min_samples_leaf
    cdef double ones = 0.0, right_weight, whole
    cdef bint is_free = not is_constrained(search, segment.feature)
    cdef int first = 0, end = sweep.n_candidates, i
    sweep.n_candidates = 0
    # Candidates come with growing left sides: the feasible ones are a range.
    while first < end and (
        n_left_of(sweep, work.position[first]) < min_samples or weight_left[first] < min_weight
    ):
        first += 1
    while first < end and (
        node.n_samples - n_left_of(sweep, work.position[end - 1]) < min_samples
        or weight - weight_left[end - 1] < min_weight
    ):
        end -= 1
    if sweep.method == BINARY:
        ones = <double> node.stats[1]
        if formula == TL_GINI:
            tl_gini_binary(weight_left, sum_left, weight, ones, first, end, score)
        else:
            for i in range(first, end):
                right_weight = weight - weight_left[i]
                whole = ones - sum_left[i]
                work.square_left[i] = (
                    terms[<int64_t> (weight_left[i] - sum_left[i])] + terms[<int64_t> sum_left[i]]
                )
                work.square_right[i] = (
                    terms[<int64_t> (right_weight - whole)] + terms[<int64_t> whole]
                )
            tl_score_sums(
                formula, order, weight_left, work.square_left, work.square_right, weight,
                weight_terms, first, end, score,
            )
    elif sweep.method == SUMS:
        if formula == TL_GINI:
            tl_gini_sums(weight_left, sum_left, sum_right, weight, first, end, score)
        else:
            tl_score_sums(
                formula, order, weight_left, sum_left, sum_right, weight, weight_terms, first, end,
                score,
            )
    elif formula == TL_POISSON:
        tl_poisson(
            weight_left, sum_left, sum_right, weight, targets.weight_unit, first, end, score
        )
    elif formula == TL_GAUSSIAN:
        tl_gaussian(
            weight_left, sum_left, sum_right, work.square_left, work.square_right, weight,
            targets.weight_unit, targets.square_ratio,
            targets.ridges[0] / targets.sum_unit / targets.sum_unit, first, end, score,
        )
    else:
        tl_squared_error(
            weight_left, sum_left, sum_right, weight, <double> node.stats[0] / weight, first, end,
            score,
        )
    for i in range(first, end):
        if score[i] >= best.score and (
            is_free
            or is_monotonic(
                search, node, segment.feature, sum_left[i], weight_left[i], sum_right[i],
                weight - weight_left[i],
            )
        ):
            keep_better(best, segment, sweep, work.position[i], score[i], 0.0, best_code)


cdef void offer(
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
    cdef int m = sweep.n_candidates
    cdef double score, tie_score
    if sweep.method == LARGEST:
        offer_largest(search, node, segment, work, sweep, code, best, best_code)
        return
    if sweep.method == PLAIN:
        if is_feasible(
            search, node, segment.feature, work.left, sweep.weight_left, n_left_of(sweep, code),
            work.right,
        ):
            score = score_stats(
                search, node, work.left, sweep.weight_left, work.right, work.counts, &tie_score
            )
            keep_better(best, segment, sweep, code, score, tie_score, best_code)
        return
    work.position[m] = code
    work.weight_left[m] = <double> sweep.weight_left
    if sweep.method == BINARY:
        work.sum_left[m] = <double> sweep.ones
    elif sweep.method == MOMENTS:
        work.sum_left[m] = <double> sweep.moment_left
        work.sum_right[m] = <double> (node.stats[0] - sweep.moment_left)
        work.square_left[m] = <double> sweep.square_left
        work.square_right[m] = <double> (node.stats[1] - sweep.square_left)
    elif search.rules.formula == TL_GINI:
        work.sum_left[m] = sweep.sum_left
        work.sum_right[m] = sweep.sum_right
    else:
        work.sum_left[m] = work.left_tree[1]
        work.sum_right[m] = work.right_tree[1]
    sweep.n_candidates = m + 1
    if sweep.n_candidates == BLOCK:
        score_block(search, node, segment, work, sweep, best, best_code)
